"""Survival: time until a track enters a market."""

from survival.curves import GROUPINGS, Breakthrough, Grouping, breakthrough, kaplan_meier

__all__ = ["GROUPINGS", "Breakthrough", "Grouping", "breakthrough", "kaplan_meier"]
