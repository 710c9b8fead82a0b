"""Features of observation points: one pass over the days, in which nothing later than the day is seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion.arrays import Ints
from pipelines.features.history import History
from pipelines.features.observations import Observations
from pipelines.features.registry import Family, Feature
from pipelines.features.scene import EntryIndex, Scene


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Features of the candidates of observations, in order of observation, then market.

    Attributes
    ----------
    features
        The f features, in order of columns.
    observation
        (k,): index of the observation.
    market
        (k,): index of the market.
    values
        (k, f): the values, NaN where missing.
    """

    features: tuple[Feature, ...]
    observation: NDArray[np.int32]
    market: NDArray[np.int16]
    values: NDArray[np.float32]

    @property
    def names(self) -> list[str]:
        """Names of the columns of `values`."""
        return [feature.name for feature in self.features]

    def to_pandas(self, history: History, observations: Observations) -> pd.DataFrame:
        """Return a frame with `track_id`, `market`, `as_of` (date) and a column per feature."""
        frame = pd.DataFrame(self.values, columns=self.names)
        as_of = observations.day[self.observation].astype("datetime64[D]")
        frame.insert(0, "as_of", as_of.astype("datetime64[s]"))
        frame.insert(0, "market", np.array(history.markets, object)[self.market])
        track = history.tracks["track_id"].to_numpy()
        frame.insert(0, "track_id", track[observations.track[self.observation]])
        return frame


def features(
    history: History,
    observations: Observations,
    families: Sequence[Family],
    *,
    after: int | None = None,
    tell: Callable[[float], None] = lambda share: None,
) -> FeatureTable:
    """Return the features of the candidates of observations.

    Parameters
    ----------
    history
        The charts.
    observations
        Tracks as of dates, and the markets wanted.
    families
        Families of features, as `pipelines.features.families` makes them. They take in every day once, so afterwards
        they know the charts up to the last observation.
    after
        Last day that the families have taken in already (default: none). Observations must not be earlier.
    tell
        Function that is told the share of the days done, 0 … 1.
    """
    days = np.unique(history.observed.day)
    strange = np.setdiff1d(observations.day, days)
    if not len(observations) or len(strange):
        raise ValueError(f"{len(observations)} observations, {len(strange)} of their days without any chart")
    days = days[: np.searchsorted(days, observations.day[-1], side="right")]
    if after is not None:
        days = days[np.searchsorted(days, after) :]
    index = EntryIndex.of(history)
    starts = np.searchsorted(observations.day, days)
    stops = np.searchsorted(observations.day, days, side="right")
    rows, column = np.nonzero(observations.candidates)
    described = tuple(feature for family in families for feature in family.features)
    values = np.full((len(rows), len(described)), np.nan, np.float32)
    place = np.searchsorted(rows, np.arange(len(observations) + 1))
    for number, (day, start, stop) in enumerate(zip(map(int, days), starts, stops, strict=True)):
        known = history.until(day)
        if after is None or day > after:
            for family in families:
                family.advance(known, day)
        if start < stop:
            block = slice(place[start], place[stop])
            scene = Scene.of(known, index, day, observations.track[start:stop])
            _observe(families, known, scene, rows[block] - start, column[block], values[block])
        tell((number + 1) / len(days))
    return FeatureTable(described, rows.astype(np.int32), column.astype(np.int16), values)


def advance(history: History, families: Sequence[Family], *, after: int | None, until: int) -> None:
    """Let families take in the days after `after` (None: from the first) and up to `until`."""
    for day in map(int, np.unique(history.observed.between(history.first_day, until).day)):
        if after is None or day > after:
            known = history.until(day)
            for family in families:
                family.advance(known, day)


def _observe(
    families: Sequence[Family], known: History, scene: Scene, row: Ints, market: Ints, values: NDArray[np.float32]
) -> None:
    """Write the features of one day's candidates into `values`."""
    at = 0
    for family in families:
        found = family.observe(known, scene)
        for feature in family.features:
            one = found[feature.name]
            shape = one.shape
            if shape == (len(scene.track), len(known.markets)):
                values[:, at] = one[row, market]
            elif shape == (len(scene.track),):
                values[:, at] = one[row]
            elif shape == (len(known.markets),):
                values[:, at] = one[market]
            else:
                raise ValueError(f"feature '{feature.name}' has the shape {shape}")
            at += 1
