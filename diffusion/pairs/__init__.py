"""Ordered pairs of markets: transitions, ties, lag curves, and rates with intervals."""
