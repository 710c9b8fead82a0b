"""Survival: time until a track enters a market."""

from survival.counting.counted import CLUSTERS, Cluster
from survival.counting.frame import frame_waits
from survival.counting.source import Waits, waits
from survival.curves.aalen_johansen import StateCounts, aalen_johansen
from survival.curves.breakthrough import Breakthrough, breakthrough
from survival.curves.grouping import GROUPINGS, Grouping
from survival.curves.log_rank import LogRank, WEIGHTS, log_rank
from survival.curves.restricted_mean import RestrictedMean, restricted_mean
from survival.curves.states import States, states
from survival.hazards.discrete import HazardFit, discrete_hazard
from survival.hazards.frailty import FrailtyFit, frailty_hazard
from survival.regression.cox import cox, cox_rows
from survival.regression.cox_fit import CoxFit
from survival.regression.proportionality import hazard_ratios_by_period, log_log, proportionality

__all__ = [
    "CLUSTERS",
    "GROUPINGS",
    "WEIGHTS",
    "Breakthrough",
    "Cluster",
    "CoxFit",
    "FrailtyFit",
    "Grouping",
    "HazardFit",
    "LogRank",
    "RestrictedMean",
    "StateCounts",
    "States",
    "Waits",
    "aalen_johansen",
    "breakthrough",
    "cox",
    "cox_rows",
    "discrete_hazard",
    "frailty_hazard",
    "frame_waits",
    "hazard_ratios_by_period",
    "log_log",
    "log_rank",
    "proportionality",
    "restricted_mean",
    "states",
    "waits",
]
