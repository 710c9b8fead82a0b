"""Survival: time until a track enters a market."""

from survival.counting.counted import CLUSTERS, Cluster
from survival.counting.frame import frame_waits
from survival.counting.source import Waits, waits
from survival.curves.breakthrough import Breakthrough, breakthrough
from survival.curves.grouping import GROUPINGS, Grouping
from survival.validation.baselines import GroupCurves, group_curves
from survival.validation.calibration import calibration
from survival.validation.comparison import compare
from survival.validation.concordance import dynamic_auc, harrell_c, uno_c
from survival.validation.models import SurvivalModel
from survival.validation.outcomes import Censoring
from survival.validation.scores import DCalibration, brier_score, d_calibration, integrated_brier_score

__all__ = [
    "CLUSTERS",
    "GROUPINGS",
    "Breakthrough",
    "Censoring",
    "Cluster",
    "DCalibration",
    "GroupCurves",
    "Grouping",
    "SurvivalModel",
    "Waits",
    "breakthrough",
    "brier_score",
    "calibration",
    "compare",
    "d_calibration",
    "dynamic_auc",
    "frame_waits",
    "group_curves",
    "harrell_c",
    "integrated_brier_score",
    "uno_c",
    "waits",
]
