"""Regressions of the time until an entry."""
