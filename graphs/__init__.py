"""Market graphs: transitions between markets, what they are worth against chance, who leads, and exports."""

from graphs import distance, exports, rolling, slices, validity
from graphs.bootstrap import Leaders
from graphs.influence import Influence, direct_edges
from graphs.market_graph import SCORES, Flow, MarketGraph, market_graph
from graphs.paths import Ways, route, ways
from graphs.significance import edge_significance
from graphs.stream import period_edges, transition_stream

__all__ = [
    "SCORES",
    "Flow",
    "Influence",
    "Leaders",
    "MarketGraph",
    "Ways",
    "direct_edges",
    "distance",
    "edge_significance",
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
