"""Direct influence between markets: a model that attributes entries to earlier entries elsewhere or to a background."""

from graphs.influence.background import AGES
from graphs.influence.direct import direct_edges
from graphs.influence.result import Influence

__all__ = ["AGES", "Influence", "direct_edges"]
