"""Tests of whether distances explain the flows: Mantel, MRQAP and gravity, with distances of the user's choice."""

from graphs.distance.gravity import Gravity, gravity
from graphs.distance.mantel import mantel
from graphs.distance.market_pairs import complete_markets, edge_matrix, rate_matrix, symmetrised
from graphs.distance.matrices import Distances
from graphs.distance.mrqap import mrqap

__all__ = [
    "Distances",
    "Gravity",
    "complete_markets",
    "edge_matrix",
    "gravity",
    "mantel",
    "mrqap",
    "rate_matrix",
    "symmetrised",
]
