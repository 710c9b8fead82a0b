"""Direct influence between markets: which entries are owed to which earlier ones, and which to nobody seen."""

from graphs.influence.background import AGES
from graphs.influence.direct import direct_edges
from graphs.influence.result import Influence

__all__ = ["AGES", "Influence", "direct_edges"]
