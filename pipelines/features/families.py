"""The list of all families of features."""

from pipelines.features.artist import Artist
from pipelines.features.crossborder import CrossBorder
from pipelines.features.graph import Graph
from pipelines.features.language import Language
from pipelines.features.market import Market
from pipelines.features.recording import Recording
from pipelines.features.regional import Regional
from pipelines.features.registry import Family
from pipelines.features.survival import Survival
from pipelines.features.temporal import Temporal
from pipelines.features.track import Track


def families(horizon: int) -> tuple[Family, ...]:
    """Return a new instance of every family, in the order of their columns.

    Parameters
    ----------
    horizon
        Days within which entries count.
    """
    return (
        Temporal(),
        Track(),
        Artist(horizon),
        Recording(),
        Language(),
        Regional(),
        Market(horizon),
        CrossBorder(horizon),
        Graph(horizon),
        Survival(horizon),
    )
