"""Figures: they draw tables they are given, compute no statistics, and leave matplotlib's global state alone."""

from matplotlib.figure import Figure

from figures.backbones import backbone_map
from figures.communities import community_map
from figures.community_grids import community_grid
from figures.curves import survival_curves
from figures.influences import influence_heatmap
from figures.intervals import leader_intervals
from figures.lag_curves import lag_curves
from figures.lags import lag_distribution
from figures.maps import flow_map
from figures.matrices import transition_matrix
from figures.rankings import leader_chart
from figures.rolling import rolling_leaders
from figures.saving import Kind, render, save
from figures.validity import validity_chart

__all__ = [
    "Figure",
    "Kind",
    "backbone_map",
    "community_grid",
    "community_map",
    "flow_map",
    "influence_heatmap",
    "lag_curves",
    "lag_distribution",
    "leader_chart",
    "leader_intervals",
    "render",
    "rolling_leaders",
    "save",
    "survival_curves",
    "transition_matrix",
    "validity_chart",
]
