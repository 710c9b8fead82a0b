"""Survival: time until a track enters a market."""

from survival.counting.counted import CLUSTERS, Cluster
from survival.counting.frame import frame_waits
from survival.counting.source import Waits, waits
from survival.curves.breakthrough import Breakthrough, breakthrough
from survival.curves.grouping import GROUPINGS, Grouping

__all__ = [
    "CLUSTERS",
    "GROUPINGS",
    "Breakthrough",
    "Cluster",
    "Grouping",
    "Waits",
    "breakthrough",
    "frame_waits",
    "waits",
]
