"""Survival: how long a track takes to break through into a market."""

from survival.curves import GROUPINGS, Breakthrough, Grouping, breakthrough, kaplan_meier

__all__ = ["GROUPINGS", "Breakthrough", "Grouping", "breakthrough", "kaplan_meier"]
