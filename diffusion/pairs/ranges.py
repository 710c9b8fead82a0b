"""Ranges of a track's timeline: the timed entries that may be sources of each entry, and their counts."""

from collections.abc import Iterator, Sequence
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
    """The s timed entries in order of track and day; methods count ranges of them.

    Attributes
    ----------
    markets, lags
        Number of markets, and number of lags (longest follow-up + 1).
    track, day, market
        (s,): as in `Timelines`, as int64.
    starts
        (n + 1,): the sources of track i are ``starts[i]:starts[i + 1]``.
    key
        (s + 1,): track and day as one ascending number; the last number is larger than all.
    cell
        (s,): cell of market and lag in `by_lag`, after the day of the target is added.
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
        """Return the index of a track's first source on a day or later."""
        return np.searchsorted(self.key, _key(track, day))

    def place_near(self, guess: Places, track: NDArray[np.integer], day: NDArray[np.integer]) -> Places:
        """Return the same as `place`; faster where most of `guess` is right, for only wrong guesses are searched."""
        key = _key(track, day)
        wrong = np.flatnonzero((key > self.key[guess]) | ((guess > 0) & (self.key[guess - 1] >= key)))
        place = guess.copy()
        place[wrong] = np.searchsorted(self.key, key[wrong])
        return place

    def tied(self) -> Places:
        """Return, (s,), the index of the first source of the same track and day."""
        first = np.diff(self.key[:-1], prepend=-1) != 0
        return np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))

    def by_market(self, start: Places, stop: Places) -> Ints:
        """Return, (m,), the number of sources in the ranges by market."""
        at, _ = expanded(start, stop)
        return np.bincount(self.market[at], minlength=self.markets)

    def by_lag(self, start: Places, stop: Places, day: Days | int) -> Ints:
        """Return, (m, lags), the number of sources in the ranges by market and days from the source to `day`."""
        at, sizes = expanded(start, stop)
        cell = self.cell[at]
        cell += np.repeat(day, sizes) if isinstance(day, np.ndarray) else day
        return np.bincount(cell, minlength=self.markets * self.lags).reshape(self.markets, self.lags)


def _key(track: NDArray[np.integer], day: NDArray[np.integer] | int) -> NDArray[np.int64]:
    return (track.astype(np.int64) << 32) + day


# ── entries as targets, market by market ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Targets:
    """The t entries into one market, and ranges of `Sources` on the same track; (t,) each.

    Attributes
    ----------
    day
        Days of the entries.
    first, stop
        ``sources[first:stop]`` are all sources of the track.
    place
        ``sources[hi:place]`` are ties.
    lo, hi
        ``sources[lo:hi]`` make a transition.
    observed
        First and last day of each stretch of the market's coverage after its washout.
    """

    day: Days
    first: Places
    stop: Places
    place: Places
    lo: Places
    hi: Places
    observed: list[tuple[int, int]]

    @property
    def late(self) -> Places:
        """``sources[first:late]`` came in order, but their follow-up ended before the entry."""
        return np.minimum(self.lo, self.hi)

    @property
    def unobserved(self) -> list[tuple[int, int]]:
        """The stretches between: first day of each, and first day after it."""
        begins = [int(NEVER), *(end + 1 for _, end in self.observed)]
        ends = [*(begin for begin, _ in self.observed), int(NOT_ENTERED)]
        return list(zip(begins, ends, strict=True))


def targets(sources: Sources, timelines: Timelines) -> Iterator[Targets]:
    """Yield, market by market, the entries of tracks that entered several markets, in order of track."""
    entries = np.flatnonzero(of_several(timelines)[timelines.track])
    entries = entries[np.argsort(timelines.market[entries], kind="stable")]
    track, day = timelines.track[entries], timelines.day[entries]
    first, stop = sources.starts[track], sources.starts[track + 1]
    timed = ~timelines.left_censored[entries]
    own_place = np.where(timed, (np.cumsum(timelines.timed) - 1)[entries], first)
    guess = np.where(timed, sources.tied()[own_place], first)
    hi = sources.place_near(guess, track, first_unordered(timelines, entries))
    place = np.where(timed, own_place, hi)  # left-censored entries have no ties
    cuts = np.searchsorted(timelines.market[entries], np.arange(sources.markets + 1)).tolist()
    observed: list[list[tuple[int, int]]] = [[] for _ in range(sources.markets)]
    for market, begin, end in stretches(timelines):
        observed[market].append((begin, end))
    for own, days in zip(map(slice, cuts[:-1], cuts[1:]), observed, strict=True):
        earliest = np.maximum(_begin(days, day[own]), day[own] - (sources.lags - 1))
        lo = sources.place_near(first[own], track[own], earliest)
        yield Targets(day[own], first[own], stop[own], place[own], lo, hi[own], days)


def _begin(observed: list[tuple[int, int]], day: Days) -> NDArray[np.int64]:
    """Return the first day of the stretch that has each day, `NOT_ENTERED` where none has."""
    begins, ends = np.array([(int(NEVER), int(NEVER)), *observed]).T
    at = np.searchsorted(begins, day, side="right") - 1
    return np.where(day <= ends[at], begins[at], NOT_ENTERED)


@dataclass(frozen=True, slots=True)
class After:
    """Non-empty ranges of sources from `Targets.late` on, with the days of their first and last source."""

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

    def met(self, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the spans of days that some range may meet."""
        if not len(self.start):
            return []
        first, last = self.earliest.min(), self.latest.max()
        return [(begin, end) for begin, end in spans if begin <= last and end >= first]

    def between(self, sources: Sources, begin: int, end: int) -> tuple[Places, Places]:
        """Return the parts of the ranges with days `begin` … `end` − 1; empty parts are left out."""
        there = np.flatnonzero((self.latest >= begin) & (self.earliest < end))
        start, stop = self.start[there], self.stop[there]
        early, late = self.earliest[there] < begin, self.latest[there] >= end
        start[early] = sources.place(sources.track[start[early]], begin)
        stop[late] = sources.place(sources.track[stop[late] - 1], end)
        return start, stop


def of_several(timelines: Timelines) -> NDArray[np.bool_]:
    """Return, (n,), whether the track has a timed debut and entered several markets."""
    return (np.diff(timelines.starts) > 1) & ~timelines.debut_censored
