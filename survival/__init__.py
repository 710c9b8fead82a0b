"""Survival: time until a track enters a market.

What examples use without making it is said in `diffusion`.
"""

from survival.counting.counted import CLUSTERS, Cluster
from survival.counting.frame import frame_waits
from survival.counting.source import Waits, waits
from survival.curves.aalen_johansen import StateCounts
from survival.curves.breakthrough import Breakthrough, breakthrough
from survival.curves.curve_difference import CurveDifference, curve_difference
from survival.curves.grouping import GROUPINGS, Grouping
from survival.curves.log_rank import LogRank, log_rank
from survival.curves.log_rank_pairs import WEIGHTS
from survival.curves.restricted_mean import RestrictedMean, restricted_mean
from survival.curves.state_bands import ClusterCounts
from survival.curves.states import States, aalen_johansen, states
from survival.hazards.discrete import HazardFit, discrete_hazard
from survival.hazards.frailty import FrailtyFit, frailty_hazard
from survival.regression.aft import AftFit, aft, compare_families
from survival.regression.cox import cox, cox_rows
from survival.regression.cox_fit import CoxFit
from survival.regression.cure import CureFit, cure
from survival.regression.follow_up import follow_up_test
from survival.regression.proportionality import hazard_ratios_by_period, log_log, proportionality
from survival.validation.baselines import GroupCurves, group_curves
from survival.validation.calibration import calibration
from survival.validation.comparison import compare
from survival.validation.concordance import dynamic_auc, harrell_c, uno_c
from survival.validation.models import SurvivalModel
from survival.validation.outcomes import Censoring
from survival.validation.scores import DCalibration, brier_score, d_calibration, integrated_brier_score
from survival.validation.seen import SeenWaits

__all__ = [
    "CLUSTERS",
    "GROUPINGS",
    "WEIGHTS",
    "AftFit",
    "Breakthrough",
    "Censoring",
    "Cluster",
    "ClusterCounts",
    "CoxFit",
    "CureFit",
    "CurveDifference",
    "DCalibration",
    "FrailtyFit",
    "GroupCurves",
    "Grouping",
    "HazardFit",
    "LogRank",
    "RestrictedMean",
    "SeenWaits",
    "StateCounts",
    "States",
    "SurvivalModel",
    "Waits",
    "aalen_johansen",
    "aft",
    "breakthrough",
    "brier_score",
    "calibration",
    "compare",
    "compare_families",
    "cox",
    "cox_rows",
    "cure",
    "curve_difference",
    "d_calibration",
    "discrete_hazard",
    "dynamic_auc",
    "follow_up_test",
    "frailty_hazard",
    "frame_waits",
    "group_curves",
    "harrell_c",
    "hazard_ratios_by_period",
    "integrated_brier_score",
    "log_log",
    "log_rank",
    "proportionality",
    "restricted_mean",
    "states",
    "uno_c",
    "waits",
]
