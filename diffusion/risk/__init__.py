"""Which tracks are at risk of entering which market, from when to when, and why the risk ends; and Kaplan–Meier curves.

Each track is treated by itself, so counts are sums over disjoint sets of tracks and are made in blocks of tracks.
"""
