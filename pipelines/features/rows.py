"""Tables of rows of charts, in order of day, so that what was known by a day is a prefix of each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Days, Flags, Floats, Ints


@dataclass(frozen=True, slots=True)
class Positions:
    """Rows of the chart, in order of day, market and track.

    Attributes
    ----------
    day
        (r,): days since 1970-01-01.
    market
        (r,): index into `History.markets`; their number stands for Global.
    track
        (r,): code of the track, as in `History`.
    rank
        (r,): position, 1 is best.
    streams
        (r,): streams of the chart's period, NaN where the chart shows none.
    """

    day: Days
    market: NDArray[np.int16]
    track: NDArray[np.int32]
    rank: NDArray[np.int32]
    streams: NDArray[np.float32]

    @classmethod
    def none(cls) -> "Positions":
        """Return no rows."""
        whole = np.zeros(0, np.int32)
        return cls(whole, np.zeros(0, np.int16), whole, whole, np.zeros(0, np.float32))

    def between(self, first: int, last: int) -> "Positions":
        """Return the rows of the days ``first … last``."""
        low, high = _places(self.day, first, last)
        return Positions(*(getattr(self, name)[low:high] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Asked:
    """Tracks, and days on which their rows are asked for, in order of track and day; every pair once.

    Attributes
    ----------
    track
        (a,): code of the track.
    day
        (a,): days since 1970-01-01.
    """

    track: Ints
    day: Days

    @classmethod
    def of(cls, track: Ints, day: Days) -> "Asked":
        """Return pairs in order, every one once."""
        key = np.unique(track.astype(np.int64) << 32 | day.astype(np.int64))
        return cls(key >> 32, (key & 0xFFFFFFFF).astype(np.int32))


@dataclass(frozen=True, slots=True)
class FirstEntries:
    """Entries in order of day, track and market.

    Attributes
    ----------
    day
        (k,): day of the entry.
    track, market
        (k,): code of the track, index of the market.
    rank, streams
        (k,): position and streams on that day; streams are NaN where the chart shows none.
    last_without
        (k,): the market's observed day before the entry; −2^30 at the market's first.
    timed
        (k,): whether the entry is not left-censored.
    """

    day: Days
    track: NDArray[np.int32]
    market: NDArray[np.int16]
    rank: NDArray[np.int32]
    streams: NDArray[np.float32]
    last_without: Days
    timed: Flags

    def between(self, first: int, last: int) -> "FirstEntries":
        """Return the entries of the days ``first … last``."""
        low, high = _places(self.day, first, last)
        return FirstEntries(*(getattr(self, name)[low:high] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Observed:
    """Dates on which markets were observed, in order of day and market.

    Attributes
    ----------
    day, market
        (c,): observed day and index of the market.
    opened
        (c,): first day of the stretch of coverage that holds the day.
    datable
        (c,): first day of the stretch on which an entry can be dated, from which the washout counts: the chart of the
        number of charts that an entry takes; 2^31 − 1 before it.
    depth
        (c,): rows of the chart.
    """

    day: Days
    market: NDArray[np.int16]
    opened: Days
    datable: Days
    depth: NDArray[np.int32]

    def between(self, first: int, last: int) -> "Observed":
        """Return the dates of the days ``first … last``."""
        low, high = _places(self.day, first, last)
        return Observed(*(getattr(self, name)[low:high] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class ChartEnds:
    """Charts in order of day and market: where each ends, and the streams on it.

    Attributes
    ----------
    day, market
        (c,): day of the chart and index of its market, as in `Positions`.
    rank
        (c,): last position of the chart.
    streams
        (c,): sum of the streams of its rows, each of single precision; rows without streams count 0.
    """

    day: Days
    market: NDArray[np.int16]
    rank: NDArray[np.int32]
    streams: Floats

    @classmethod
    def of(cls, rows: Positions) -> "ChartEnds":
        """Return the ends of charts that have all their rows here."""
        starts = np.flatnonzero((np.diff(rows.day, prepend=-1) != 0) | (np.diff(rows.market, prepend=-1) != 0))
        if not len(starts):
            return cls(rows.day, rows.market, rows.rank, rows.streams.astype(np.float64))
        return cls(
            rows.day[starts],
            rows.market[starts],
            np.maximum.reduceat(rows.rank, starts),
            np.add.reduceat(np.nan_to_num(rows.streams).astype(np.float64), starts),
        )

    def between(self, first: int, last: int) -> "ChartEnds":
        """Return the charts of the days ``first … last``."""
        low, high = _places(self.day, first, last)
        return ChartEnds(*(getattr(self, name)[low:high] for name in self.__slots__))


def _places(day: Days, first: int, last: int) -> Ints:
    """Return where the days ``first … last`` begin and end; bounds of another type would copy all days."""
    return np.searchsorted(day, np.array([first, last + 1], day.dtype))
