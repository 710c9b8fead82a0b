"""Survival: time until a track enters a market."""

from survival.bands import CLUSTERS, Cluster
from survival.counting.frame import frame_waits
from survival.counting.source import Waits, waits
from survival.curves import GROUPINGS, Breakthrough, Grouping, breakthrough, kaplan_meier

__all__ = [
    "CLUSTERS",
    "GROUPINGS",
    "Breakthrough",
    "Cluster",
    "Grouping",
    "Waits",
    "breakthrough",
    "frame_waits",
    "kaplan_meier",
    "waits",
]
