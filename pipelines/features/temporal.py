"""Temporal features: age, weekday and release.

The time of the year is none of them: with a few years of charts it stands for the drift of entry rates, and forecasts
of later tracks get worse with it.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.features.history import History
from pipelines.features.registry import Feature, Values
from pipelines.features.scene import Scene


class Temporal:
    """Days since debut and release, and weekday; it keeps no state."""

    features: Final = (
        Feature("age", "days", "Days since the debut.", ("charts",), "as of", "temporal"),
        Feature("weekday", "0 … 6", "Weekday of the debut, 0 is Monday.", ("charts",), "as of", "temporal"),
        Feature(
            "since_release", "days", "Days since the release; missing if it is not known to the day, or lies after the "
            "as-of date (a later re-release).", ("charts", "tracks"), "as of", "temporal",
        ),
    )  # fmt: skip

    def advance(self, known: History, day: int) -> None:
        """Take in nothing: these features depend on the day alone."""

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the tracks of a day."""
        tracks = known.tracks.iloc[scene.track]
        released = tracks["release_date"].to_numpy("datetime64[D]")
        since = np.datetime64(scene.day, "D") - released
        days = np.where(np.isnat(since), np.nan, since.astype(np.float32))
        exact = (tracks["release_precision"] == "day").to_numpy() & (days >= 0)
        return {
            "age": scene.age,
            "weekday": ((scene.day - scene.age + 3) % 7).astype(np.float32),
            "since_release": np.where(exact, days, np.nan).astype(np.float32),
        }

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return nothing."""
        return {}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from nothing."""
