"""Market graphs: transitions between markets, what goes beyond a baseline, leaders, distances, and exports.

What examples use without making it is said in `diffusion`.
"""

from graphs import backbone, baseline, distance, exports, summed_hazard
from graphs.comparison.compare import Comparison, compare
from graphs.flow import Flow
from graphs.grouped import market_graphs
from graphs.journeys import slices
from graphs.journeys.artist import ArtistJourney, artist_journey
from graphs.journeys.paths import Ways, route, ways
from graphs.journeys.stream import period_edges, transition_stream
from graphs.leaders import rolling, validity
from graphs.leaders.bootstrap import Leaders
from graphs.look_alikes import LookAlikes, look_alikes
from graphs.market_graph import SCORES, MarketGraph, market_graph
from graphs.next_market import NextMarketChoice, next_market_choice

__all__ = [
    "SCORES",
    "ArtistJourney",
    "Comparison",
    "Flow",
    "Leaders",
    "LookAlikes",
    "MarketGraph",
    "NextMarketChoice",
    "Ways",
    "artist_journey",
    "backbone",
    "baseline",
    "compare",
    "distance",
    "exports",
    "look_alikes",
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
