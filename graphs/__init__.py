"""Market graphs: transitions between markets, what goes beyond a baseline, leaders, distances, and exports."""

from graphs import backbone, baseline, distance, exports
from graphs.influence import Influence, direct_edges
from graphs.journeys import slices
from graphs.journeys.paths import Ways, route, ways
from graphs.journeys.stream import period_edges, transition_stream
from graphs.leaders import rolling, validity
from graphs.leaders.bootstrap import Leaders
from graphs.market_graph import SCORES, Flow, MarketGraph, market_graph

__all__ = [
    "SCORES",
    "Flow",
    "Influence",
    "Leaders",
    "MarketGraph",
    "Ways",
    "backbone",
    "baseline",
    "direct_edges",
    "distance",
    "exports",
    "market_graph",
    "period_edges",
    "rolling",
    "route",
    "slices",
    "transition_stream",
    "validity",
    "ways",
]
