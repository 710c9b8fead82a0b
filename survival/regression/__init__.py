"""Regression: what speeds up an entry, and by how much."""
