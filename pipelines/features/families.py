"""The list of all families of features."""

from pipelines.features.artist import Artist
from pipelines.features.cocharting import CoCharting
from pipelines.features.crossborder import CrossBorder
from pipelines.features.graph import Graph
from pipelines.features.joint import JointRegression
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
    artist, recording, language = Artist(horizon), Recording(), Language()
    return (
        Temporal(),
        Track(),
        artist,
        recording,
        language,
        Regional(),
        Market(horizon),
        CrossBorder(horizon),
        CoCharting(horizon),
        JointRegression(horizon, artist, recording, language),
        Graph(horizon),
        Survival(horizon),
    )
