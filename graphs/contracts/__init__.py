"""Contracts of the tables that a graph is written as: its edges, markets, leaders, structure and direct influence.

Those of a comparison of two graphs stand here too.
"""

from graphs.contracts.comparison import COMPARED_EDGES, COMPARED_LEADERS, COMPARED_REACH, COMPARED_SIDES
from graphs.contracts.edges import BACKBONE, EDGES, MARKETS, PERIODS
from graphs.contracts.influence import CLOUT, CREDITS, INFLUENCE
from graphs.contracts.leaders import AGREEMENT, LEADERS, ROLLING, VALIDITY, VALIDITY_PAIRS
from graphs.contracts.lifts import LIFTS, LOG_SCORES, PLACEBO, SENSITIVITY
from graphs.contracts.structure import COMMUNITIES, COMMUNITY_AGREEMENT, GRAVITY, INFOMAP, MANTEL, MRQAP

__all__ = [
    "AGREEMENT",
    "BACKBONE",
    "CLOUT",
    "COMMUNITIES",
    "COMMUNITY_AGREEMENT",
    "COMPARED_EDGES",
    "COMPARED_LEADERS",
    "COMPARED_REACH",
    "COMPARED_SIDES",
    "CREDITS",
    "EDGES",
    "GRAVITY",
    "INFLUENCE",
    "INFOMAP",
    "LEADERS",
    "LIFTS",
    "LOG_SCORES",
    "MANTEL",
    "MARKETS",
    "MRQAP",
    "PERIODS",
    "PLACEBO",
    "ROLLING",
    "SENSITIVITY",
    "VALIDITY",
    "VALIDITY_PAIRS",
]
