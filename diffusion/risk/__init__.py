"""Who is at risk of entering which market, from when to when, and why that ends; and what Kaplan–Meier makes of it.

Every answer is of tracks by themselves, so counts are sums over disjoint sets of tracks and are made in blocks of them.
"""
