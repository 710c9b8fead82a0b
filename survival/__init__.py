"""Survival: time until a track enters a market."""

from survival.bands import CLUSTERS, Cluster
from survival.counting.frame import frame_waits
from survival.counting.source import Waits, waits
from survival.curves import GROUPINGS, Breakthrough, Grouping, breakthrough, kaplan_meier
from survival.hazards.discrete import HazardFit, discrete_hazard
from survival.hazards.frailty import FrailtyFit, frailty_hazard

__all__ = [
    "CLUSTERS",
    "GROUPINGS",
    "Breakthrough",
    "Cluster",
    "FrailtyFit",
    "Grouping",
    "HazardFit",
    "Waits",
    "breakthrough",
    "discrete_hazard",
    "frailty_hazard",
    "frame_waits",
    "kaplan_meier",
    "waits",
]
