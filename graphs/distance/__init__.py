"""Does distance explain who follows whom? Mantel, MRQAP and gravity on any distances a user registers."""

from graphs.distance.complete import complete_markets, edge_matrix, rate_matrix, symmetrised
from graphs.distance.gravity import Gravity, gravity
from graphs.distance.mantel import mantel
from graphs.distance.mrqap import mrqap
from graphs.distance.registered import Distances

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
