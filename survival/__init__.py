"""Survival: time until a track enters a market."""

from survival.bands import CLUSTERS, Cluster
from survival.counting.frame import frame_waits
from survival.counting.source import Waits, waits
from survival.curves import GROUPINGS, Breakthrough, Grouping, breakthrough, kaplan_meier
from survival.regression.cox import cox, cox_rows
from survival.regression.cox_fit import CoxFit

__all__ = [
    "CLUSTERS",
    "GROUPINGS",
    "Breakthrough",
    "Cluster",
    "CoxFit",
    "Grouping",
    "Waits",
    "breakthrough",
    "cox",
    "cox_rows",
    "frame_waits",
    "kaplan_meier",
    "waits",
]
