"""The list of all families of features."""

from pipelines.features.artist import Artist
from pipelines.features.language import Language
from pipelines.features.recording import Recording
from pipelines.features.registry import Family
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
    )
