"""Figures: they draw tables they are given, compute no statistics, and leave matplotlib's global state alone."""

from matplotlib.figure import Figure

from figures.curves import survival_curves
from figures.lags import lag_distribution
from figures.maps import flow_map
from figures.matrices import transition_matrix
from figures.rankings import leader_chart
from figures.saving import Kind, render, save

__all__ = [
    "Figure",
    "Kind",
    "flow_map",
    "lag_distribution",
    "leader_chart",
    "render",
    "save",
    "survival_curves",
    "transition_matrix",
]
