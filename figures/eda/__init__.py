"""Figures of the exploratory analyses."""
