"""Survival: time until a track enters a market."""

from survival.counting.counted import CLUSTERS, Cluster
from survival.counting.frame import frame_waits
from survival.counting.source import Waits, waits
from survival.curves.aalen_johansen import StateCounts
from survival.curves.breakthrough import Breakthrough, breakthrough
from survival.curves.grouping import GROUPINGS, Grouping
from survival.curves.state_bands import ClusterCounts
from survival.curves.states import States, aalen_johansen, states

__all__ = [
    "CLUSTERS",
    "GROUPINGS",
    "Breakthrough",
    "Cluster",
    "ClusterCounts",
    "Grouping",
    "StateCounts",
    "States",
    "Waits",
    "aalen_johansen",
    "breakthrough",
    "frame_waits",
    "states",
    "waits",
]
