"""Rows of the charts as examples of a regression: log streams or rank, by features of the chart date before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from diffusion import DataSaysNoError
from diffusion.arrays import Days, Flags, Floats, Ints
from pipelines.features.history import History
from pipelines.features.observations import Observations, debuts
from pipelines.features.registry import Family, Feature
from pipelines.features.table import features

Target = Literal["streams", "rank"]
"""What is predicted of a chart row: ``streams``, their natural logarithm; ``rank``, the position."""

ROWS: Final = 50_000
"""Rows that are regressed at most, unless more are asked for."""


@dataclass(frozen=True, slots=True)
class ChartRows:
    """Rows of one chart, Global left out, in order of day, market and track.

    Attributes
    ----------
    day
        (k,): day of the chart, since 1970-01-01.
    market, track, artist
        (k,): index of the market, codes of track and primary artist.
    rank
        (k,): position.
    log_streams
        (k,): natural logarithm of the streams, NaN where there are none.
    """

    day: Days
    market: NDArray[np.int16]
    track: Ints
    artist: Ints
    rank: NDArray[np.int32]
    log_streams: Floats

    @classmethod
    def of(cls, history: History) -> Self:
        """Return all rows of the markets."""
        rows = history.positions
        ours = rows.market < len(history.markets)
        track = rows.track[ours].astype(np.int64)
        streams = rows.streams[ours].astype(np.float64)
        return cls(
            rows.day[ours],
            rows.market[ours],
            track,
            history.artist[track],
            rows.rank[ours],
            np.log(np.where(streams > 0, streams, np.nan)),
        )

    def __len__(self) -> int:
        return len(self.day)

    def where(self, chosen: Flags | Ints) -> Self:
        """Return the rows that are chosen."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in self.__slots__})

    def target(self, target: Target) -> Floats:
        """Return, (k,), what is to be predicted; NaN where it is not known."""
        return self.log_streams if target == "streams" else self.rank.astype(np.float64)

    def known(self, target: Target) -> Self:
        """Return the rows whose target is known.

        Raises
        ------
        DataSaysNoError
            When no row has one.
        """
        found = np.isfinite(self.target(target))
        if not found.any():
            raise DataSaysNoError("the chart shows no streams; predict the rank instead (--target rank)")
        return self.where(found)

    def drawn(self, most: int, seed: int) -> Self:
        """Return at most `most` rows, drawn at random."""
        if len(self) <= most:
            return self
        return self.where(np.sort(np.random.default_rng(seed).choice(len(self), most, replace=False)))

    def of_some_tracks(self, most: int, seed: int) -> Self:
        """Return all rows of tracks drawn at random: as many tracks as have at most `most` rows together, at least one.

        All rows of a track stay together, so that the clusters are whole.
        """
        tracks, back, counts = np.unique(self.track, return_inverse=True, return_counts=True)
        order = np.random.default_rng(seed).permutation(len(tracks))
        inside = np.cumsum(counts[order]) <= most
        inside[:1] = True
        chosen = np.zeros(len(tracks), np.bool_)
        chosen[order[inside]] = True
        return self.where(chosen[back])


def dates_before(history: History, rows: ChartRows) -> Days:
    """Return, (k,), the chart date before each row: the last day before it on which any market was observed.

    −1 where there is none, or where the track had entered no market by then.
    """
    dates = np.unique(history.observed.day)
    place = np.searchsorted(dates, rows.day) - 1
    before = np.where(place >= 0, dates[np.maximum(place, 0)], -1)
    return np.where(debuts(history)[rows.track] <= before, before, -1).astype(np.int32)


def with_features(
    history: History,
    rows: ChartRows,
    families: Sequence[Family],
    *,
    tell: Callable[[float], None] = lambda share: None,
) -> tuple[tuple[Feature, ...], NDArray[np.float32]]:
    """Return the features of chart rows as of the chart date before each row, and their values, (k, f).

    Parameters
    ----------
    history
        The charts.
    rows
        Rows for which `dates_before` has a date.
    families
        Families of features; they take in the days up to the last row's date before.
    tell
        Function that is told the share of the days done, 0 … 1.

    Notes
    -----
    What the row's own chart shows, its rank above all, is not in the features: they are those of
    `pipelines.features.table.features` for the track on that earlier date, with the row's market as the candidate.
    """
    before = dates_before(history, rows)
    pairs, back = np.unique(np.stack([before, rows.track]), axis=1, return_inverse=True)
    candidates = np.zeros((pairs.shape[1], len(history.markets)), np.bool_)
    candidates[back, rows.market] = True
    observations = Observations(pairs[1].astype(np.int64), pairs[0].astype(np.int32), candidates)
    table = features(history, observations, families, tell=tell)
    place = np.searchsorted(table.observation * np.int64(candidates.shape[1]) + table.market,
                            back * candidates.shape[1] + rows.market)  # fmt: skip
    return table.features, table.values[place]
