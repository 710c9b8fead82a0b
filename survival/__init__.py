"""Survival: time until a track enters a market."""

from survival.bands import CLUSTERS, Cluster
from survival.counting.frame import frame_waits
from survival.counting.source import Waits, waits
from survival.curves import GROUPINGS, Breakthrough, Grouping, breakthrough, kaplan_meier
from survival.regression.aft import AftFit, aft, compare_families
from survival.regression.cure import CureFit, cure
from survival.regression.follow_up import follow_up_test

__all__ = [
    "CLUSTERS",
    "GROUPINGS",
    "AftFit",
    "Breakthrough",
    "Cluster",
    "CureFit",
    "Grouping",
    "Waits",
    "aft",
    "breakthrough",
    "compare_families",
    "cure",
    "follow_up_test",
    "frame_waits",
    "kaplan_meier",
    "waits",
]
