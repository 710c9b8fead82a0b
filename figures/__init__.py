"""Figures: functions that draw tables. They compute no statistics and leave matplotlib's global state unchanged."""

from matplotlib.figure import Figure

from figures.charts.chart_calendar import chart_calendar
from figures.eda.distributions import audio_chart, streams_chart
from figures.eda.journeys import first_markets_chart, journeys_chart
from figures.eda.nulls import null_chart
from figures.eda.published import chart_years, published_claims
from figures.eda.seasons import holiday_chart, season_chart
from figures.eda.trajectories import persistence_chart, trajectory_profiles
from figures.eda.travel import travel_chart
from figures.forecasts.learning_curves import learning_curves
from figures.forecasts.losses import ablation, feature_importance
from figures.forecasts.market_errors import market_errors
from figures.forecasts.scores import forecast_scores
from figures.graph.community_grid import community_grid
from figures.graph.compared_rates import compared_rates
from figures.graph.influence_heatmap import influence_heatmap
from figures.graph.lag_curves import lag_curves
from figures.graph.lag_distribution import lag_distribution
from figures.graph.leader_chart import leader_chart
from figures.graph.leader_intervals import leader_intervals
from figures.graph.lift_distance import lift_distance
from figures.graph.lift_matrix import lift_matrix
from figures.graph.rolling_leaders import rolling_leaders
from figures.graph.transition_matrix import transition_matrix
from figures.graph.validity import validity_chart
from figures.maps.backbone import backbone_map
from figures.maps.communities import community_map
from figures.maps.flows import flow_map
from figures.page.saving import Kind, render, save
from figures.page.scope import about
from figures.regression.coefficient_paths import coefficient_paths
from figures.regression.learning_rates import learning_rates
from figures.survival.calibration import calibration
from figures.survival.cured import cured_share
from figures.survival.curve_difference import curve_difference
from figures.survival.curves import survival_curves
from figures.survival.hazard_ratio_periods import hazard_ratio_periods
from figures.survival.hazard_ratios import hazard_ratios
from figures.survival.log_log import log_log_curves
from figures.survival.model_scores import model_scores
from figures.survival.pace import pace
from figures.survival.states import states

__all__ = [
    "Figure",
    "Kind",
    "ablation",
    "about",
    "audio_chart",
    "backbone_map",
    "calibration",
    "chart_calendar",
    "chart_years",
    "coefficient_paths",
    "community_grid",
    "community_map",
    "compared_rates",
    "cured_share",
    "curve_difference",
    "feature_importance",
    "first_markets_chart",
    "flow_map",
    "forecast_scores",
    "hazard_ratio_periods",
    "hazard_ratios",
    "holiday_chart",
    "influence_heatmap",
    "journeys_chart",
    "lag_curves",
    "lag_distribution",
    "leader_chart",
    "leader_intervals",
    "learning_curves",
    "learning_rates",
    "lift_distance",
    "lift_matrix",
    "log_log_curves",
    "market_errors",
    "model_scores",
    "null_chart",
    "pace",
    "persistence_chart",
    "published_claims",
    "render",
    "rolling_leaders",
    "save",
    "season_chart",
    "states",
    "streams_chart",
    "survival_curves",
    "trajectory_profiles",
    "transition_matrix",
    "travel_chart",
    "validity_chart",
]
