"""Figures of the charts themselves: which are there, and how whole they are."""
