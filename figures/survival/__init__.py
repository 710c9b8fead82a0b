"""Survival curves."""
