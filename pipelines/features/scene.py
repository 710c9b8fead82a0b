"""The tracks observed on one day: where they have entered, and where they stand on the latest charts."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Flags, Ints
from diffusion.conventions import LONG_GAP
from pipelines.features.history import History


@dataclass(frozen=True, slots=True)
class Scene:
    """State of n tracks at the end of one day.

    Attributes
    ----------
    day
        Days since 1970-01-01.
    track
        (n,): codes of the tracks, in order.
    age
        (n,): days since the debut, the track's first entry into any market.
    since_entry
        (n, m): days since the track's entry into the market, NaN where it has not entered.
    rank
        (n, m): position on the market's latest chart, NaN where it is not on it.
    streams
        (n, m): streams on that chart, NaN where there are none.
    global_rank
        (n,): position on the latest Global chart, NaN where it is not on it.
    open
        (m,): whether the market is observed at the time and past its washout.
    """

    day: int
    track: Ints
    age: NDArray[np.float32]
    since_entry: NDArray[np.float32]
    rank: NDArray[np.float32]
    streams: NDArray[np.float32]
    global_rank: NDArray[np.float32]
    open: Flags

    @classmethod
    def of(cls, known: History, entries: "EntryIndex", day: int, track: Ints) -> Self:
        """Return the state of tracks, given in order of code, at the end of a day.

        Parameters
        ----------
        known
            History until the day.
        entries
            Index of the entries of that history.
        """
        m = len(known.markets)
        since = entries.since(track, day, m)
        place = np.full((2, len(track), m + 1), np.nan, np.float32)
        latest = latest_charts(known, day)
        rows = known.positions.between(day - LONG_GAP, day)
        at = np.searchsorted(track, rows.track)
        asked = at < len(track)
        asked[asked] = track[at[asked]] == rows.track[asked]
        asked &= rows.day == latest[rows.market]
        place[:, at[asked], rows.market[asked]] = rows.rank[asked], rows.streams[asked]
        return cls(
            day=day,
            track=track,
            age=np.nan_to_num(since).max(axis=1, initial=0),
            since_entry=since,
            rank=place[0, :, :m],
            streams=place[1, :, :m],
            global_rank=place[0, :, m],
            open=open_markets(known, day),
        )

    @property
    def entered(self) -> Flags:
        """(n, m): whether the track has entered the market."""
        return np.isfinite(self.since_entry)

    @property
    def footprint(self) -> Flags:
        """(n, m): whether the track entered the market on its debut."""
        return np.equal(self.since_entry, self.age[:, None])


@dataclass(frozen=True, slots=True)
class EntryIndex:
    """Entries in order of track, to find those of some tracks.

    Attributes
    ----------
    starts
        (n + 1,): the entries of track i are ``starts[i]:starts[i + 1]``.
    market, day
        (k,): market and day of the entries.
    """

    starts: Ints
    market: NDArray[np.int16]
    day: NDArray[np.int32]

    @classmethod
    def of(cls, history: History) -> Self:
        """Return the index of all entries of a history; `since` leaves out what comes after the day asked for."""
        entries = history.entries
        order = np.argsort(entries.track, kind="stable")
        starts = np.searchsorted(entries.track[order], np.arange(len(history.tracks) + 1))
        return cls(starts, entries.market[order], entries.day[order])

    def since(self, track: Ints, day: int, markets: int) -> NDArray[np.float32]:
        """Return, (n, m), the days from each track's entry into each market to a day; NaN where it had not entered."""
        start, stop = self.starts[track], self.starts[track + 1]
        sizes = stop - start
        row = np.repeat(np.arange(len(track)), sizes)
        place = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + np.repeat(start, sizes)
        by_then = self.day[place] <= day
        since = np.full((len(track), markets), np.nan, np.float32)
        since[row[by_then], self.market[place[by_then]]] = day - self.day[place[by_then]]
        return since


def latest_charts(known: History, day: int) -> Ints:
    """Return, (m + 1,), the day of each market's latest chart within 28 days, Global's last; −1 where there is none."""
    rows = known.observed.between(day - LONG_GAP, day)
    latest = np.full(len(known.markets) + 1, -1)
    np.maximum.at(latest, rows.market, rows.day)
    charts = known.ends.between(day - LONG_GAP, day)
    world = charts.day[charts.market == len(known.markets)]
    latest[-1] = world[-1] if len(world) else -1
    return latest


def open_markets(known: History, day: int) -> Flags:
    """Return, (m,), which markets are in coverage on a day, past the washout of their stretch of coverage."""
    rows = known.observed.between(day - LONG_GAP, day)
    datable = np.full(len(known.markets), np.iinfo(np.int32).max, np.int64)
    datable[rows.market] = rows.datable  # in order of day: the latest chart stays
    past: Flags = np.less_equal(datable + known.rules.washout, day)
    return past
