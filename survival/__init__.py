"""Survival: time until a track enters a market."""

from survival.bands import CLUSTERS, Cluster
from survival.curves import GROUPINGS, Breakthrough, Grouping, breakthrough, kaplan_meier

__all__ = ["CLUSTERS", "GROUPINGS", "Breakthrough", "Cluster", "Grouping", "breakthrough", "kaplan_meier"]
