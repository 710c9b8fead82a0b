"""Survival: time until a track enters a market."""

from survival.counting.counted import CLUSTERS, Cluster
from survival.counting.frame import frame_waits
from survival.counting.source import Waits, waits
from survival.curves.breakthrough import Breakthrough, breakthrough
from survival.curves.grouping import GROUPINGS, Grouping
from survival.curves.log_rank import WEIGHTS, LogRank, log_rank
from survival.curves.restricted_mean import RestrictedMean, restricted_mean

__all__ = [
    "CLUSTERS",
    "GROUPINGS",
    "WEIGHTS",
    "Breakthrough",
    "Cluster",
    "Grouping",
    "LogRank",
    "RestrictedMean",
    "Waits",
    "breakthrough",
    "frame_waits",
    "log_rank",
    "restricted_mean",
    "waits",
]
