"""Regression: what goes with a faster entry, and by how much."""
