"""Where a track stands in the very market that a row is about; for regressions of chart rows, not for entries."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.features.history import History
from pipelines.features.registry import Feature, Values
from pipelines.features.scene import Scene


class SameMarket:
    """Rank and streams on the market's latest chart, and days since the entry; it keeps no state.

    A market that may still be entered has none of these, so `pipelines.features.families` leaves them out.
    """

    features: Final = (
        Feature("rank_here", "rank", "Position on the market's latest chart; missing if not on it.",
                ("charts",), "as of", "track"),
        Feature("log_streams_here", "log streams", "Logarithm of the streams on the market's latest chart.",
                ("charts",), "as of", "track"),
        Feature("since_entry_here", "days", "Days since the entry into the market; missing before it.",
                ("charts",), "as of", "track"),
    )  # fmt: skip

    def advance(self, known: History, day: int) -> None:
        """Take in nothing: the scene has all of it."""

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the tracks of a day."""
        streams = np.where(scene.streams > 0, scene.streams, np.nan)
        return {
            "rank_here": scene.rank,
            "log_streams_here": np.log(streams, dtype=np.float32),
            "since_entry_here": scene.since_entry,
        }

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return nothing."""
        return {}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from nothing."""
