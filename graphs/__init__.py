"""Market graphs: transitions between markets, what goes beyond a baseline, leaders, distances, and exports."""

from graphs import backbone, baseline, distance, exports, summed_hazard
from graphs.grouped import market_graphs
from graphs.journeys import slices
from graphs.journeys.paths import Ways, route, ways
from graphs.journeys.stream import period_edges, transition_stream
from graphs.leaders import rolling, validity
from graphs.leaders.bootstrap import Leaders
from graphs.market_graph import SCORES, Flow, MarketGraph, market_graph
from graphs.next_market import NextMarketChoice, next_market_choice

__all__ = [
    "SCORES",
    "Flow",
    "Leaders",
    "MarketGraph",
    "NextMarketChoice",
    "Ways",
    "backbone",
    "baseline",
    "distance",
    "exports",
    "market_graph",
    "market_graphs",
    "next_market_choice",
    "period_edges",
    "rolling",
    "route",
    "slices",
    "summed_hazard",
    "transition_stream",
    "validity",
    "ways",
]
