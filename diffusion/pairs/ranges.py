"""Ranges of a track's timeline: which of its timed entries may be sources of each entry, and counts of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Days, Ints
from diffusion.risk.follow_up import stretches
from diffusion.risk.risk_set import first_unordered
from diffusion.timelines import NEVER, NOT_ENTERED, Timelines, expanded

Places = NDArray[np.int64]


# ── timed entries as sources, in order of track and day ──────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Sources:
    """The s timed entries in order of track and day, and counts of ranges of them.

    Attributes
    ----------
    markets, lags
        How many there are of each.
    track, day, market
        (s,): as in `Timelines`, but wide enough to compute with.
    starts
        (n + 1,): those of track i stand at ``starts[i]:starts[i + 1]``.
    key
        (s + 1,): track and day in one ascending number, and one larger than all.
    cell
        (s,): where a lag counted from day 0 stands among the market's lags; add the day of the target.
    """

    markets: int
    lags: int
    track: NDArray[np.int64]
    day: NDArray[np.int64]
    market: NDArray[np.int64]
    starts: Places
    key: NDArray[np.int64]
    cell: NDArray[np.int64]

    @classmethod
    def of(cls, timelines: Timelines, longest: int) -> Self:
        timed = timelines.timed
        track, day, market = (
            column[timed].astype(np.int64) for column in (timelines.track, timelines.day, timelines.market)
        )
        markets, lags = len(timelines.markets), longest + 1
        return cls(
            markets=markets,
            lags=lags,
            track=track,
            day=day,
            market=market,
            starts=np.cumsum(np.append(0, np.bincount(track, minlength=len(timelines.track_ids)))),
            key=np.append(_key(track, day), np.iinfo(np.int64).max),
            cell=market * lags - day,
        )

    def place(self, track: NDArray[np.integer], day: NDArray[np.integer] | int) -> Places:
        """Return the place of a track's first source on a day or later."""
        return np.searchsorted(self.key, _key(track, day))

    def place_near(self, guess: Places, track: NDArray[np.integer], day: NDArray[np.integer]) -> Places:
        """Return the same where most places are known: only those guessed wrongly are searched for."""
        key = _key(track, day)
        wrong = np.flatnonzero((key > self.key[guess]) | ((guess > 0) & (self.key[guess - 1] >= key)))
        place = guess.copy()
        place[wrong] = np.searchsorted(self.key, key[wrong])
        return place

    def tied(self) -> Places:
        """Return the place of the first source of the same track and day, (s,)."""
        first = np.diff(self.key[:-1], prepend=-1) != 0
        return np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))

    def by_market(self, start: Places, stop: Places) -> Ints:
        """Return how many sources the ranges hold of each market, (m,)."""
        at, _ = expanded(start, stop)
        return np.bincount(self.market[at], minlength=self.markets)

    def by_lag(self, start: Places, stop: Places, day: Days | int) -> Ints:
        """Return the same by days from the source to the range's own day, (m, lags)."""
        at, sizes = expanded(start, stop)
        cell = self.cell[at]
        cell += np.repeat(day, sizes) if isinstance(day, np.ndarray) else day
        return np.bincount(cell, minlength=self.markets * self.lags).reshape(self.markets, self.lags)


def _key(track: NDArray[np.integer], day: NDArray[np.integer] | int) -> NDArray[np.int64]:
    return (track.astype(np.int64) << 32) + day


# ── entries as targets, market by market ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Targets:
    """Entries into one market, and where their tracks' timed entries stand in the row of sources, (t,) each.

    Attributes
    ----------
    day
        Days of the entries.
    first, stop
        All sources of the track stand at ``first:stop``.
    place
        Those in ``hi:place`` are ties.
    lo, hi
        Those in ``lo:hi`` make a transition.
    watched
        First and last day of the market's stretches of coverage past their washout.
    """

    day: Days
    first: Places
    stop: Places
    place: Places
    lo: Places
    hi: Places
    watched: list[tuple[int, int]]

    @property
    def late(self) -> Places:
        """Sources in ``first:late`` came in order, but their follow-up ended before the entry."""
        return np.minimum(self.lo, self.hi)

    @property
    def unwatched(self) -> list[tuple[int, int]]:
        """The first days of all other stretches, and the first days after them."""
        begins = [int(NEVER), *(end + 1 for _, end in self.watched)]
        ends = [*(begin for begin, _ in self.watched), int(NOT_ENTERED)]
        return list(zip(begins, ends, strict=True))


def targets(sources: Sources, timelines: Timelines) -> Iterator[Targets]:
    """Yield the targets in every market, in order of track: entries of tracks that entered several markets."""
    entries = np.flatnonzero(of_several(timelines)[timelines.track])
    entries = entries[np.argsort(timelines.market[entries], kind="stable")]
    track, day = timelines.track[entries], timelines.day[entries]
    first, stop = sources.starts[track], sources.starts[track + 1]
    timed = ~timelines.left_censored[entries]
    own_place = np.where(timed, (np.cumsum(timelines.timed) - 1)[entries], first)
    guess = np.where(timed, sources.tied()[own_place], first)
    hi = sources.place_near(guess, track, first_unordered(timelines, entries))
    place = np.where(timed, own_place, hi)  # nothing ties with a left-censored entry
    cuts = np.searchsorted(timelines.market[entries], np.arange(sources.markets + 1)).tolist()
    watched: list[list[tuple[int, int]]] = [[] for _ in range(sources.markets)]
    for market, begin, end in stretches(timelines):
        watched[market].append((begin, end))
    for own, days in zip(map(slice, cuts[:-1], cuts[1:]), watched, strict=True):
        earliest = np.maximum(_begin(days, day[own]), day[own] - (sources.lags - 1))
        lo = sources.place_near(first[own], track[own], earliest)
        yield Targets(day[own], first[own], stop[own], place[own], lo, hi[own], days)


def _begin(watched: list[tuple[int, int]], day: Days) -> NDArray[np.int64]:
    """Return the first day of the stretch that holds each day, `NOT_ENTERED` where none does."""
    begins, ends = np.array([(int(NEVER), int(NEVER)), *watched]).T
    at = np.searchsorted(begins, day, side="right") - 1
    return np.where(day <= ends[at], begins[at], NOT_ENTERED)


@dataclass(frozen=True, slots=True)
class After:
    """Ranges of sources after `Targets.late`, none of them empty, with the days of their first and last source."""

    start: Places
    stop: Places
    earliest: NDArray[np.int64]
    latest: NDArray[np.int64]

    @classmethod
    def of(cls, sources: Sources, own: Targets) -> Self:
        late = own.late
        some = late < own.stop
        start, stop = late[some], own.stop[some]
        return cls(start, stop, sources.day[start], sources.day[stop - 1])

    def between(self, sources: Sources, begin: int, end: int) -> tuple[Places, Places]:
        """Return the parts of the ranges whose days are `begin` … `end` − 1, but for empty ones."""
        there = np.flatnonzero((self.latest >= begin) & (self.earliest < end))
        start, stop = self.start[there], self.stop[there]
        early, late = self.earliest[there] < begin, self.latest[there] >= end
        start[early] = sources.place(sources.track[start[early]], begin)
        stop[late] = sources.place(sources.track[stop[late] - 1], end)
        return start, stop


def of_several(timelines: Timelines) -> NDArray[np.bool_]:
    """Return the tracks with a timed debut that entered several markets, (n,)."""
    return (np.diff(timelines.starts) > 1) & ~timelines.debut_censored
