"""Observation points: tracks as of a date, the markets that they may enter next, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from diffusion import DataSaysNoError
from diffusion.arrays import Days, Flags, Ints
from diffusion.conventions import LONG_GAP
from pipelines.features.history import History
from pipelines.features.scene import EntryIndex, latest_charts, open_markets


@dataclass(frozen=True, slots=True)
class Observations:
    """Tracks as of dates, in order of day, then track.

    Attributes
    ----------
    track
        (n,): code of the track, as in `History`.
    day
        (n,): day on whose end the track is looked at: a date of the charts, in days since 1970-01-01.
    candidates
        (n, m): markets that the features are wanted for.
    """

    track: Ints
    day: Days
    candidates: Flags

    def __post_init__(self) -> None:
        order = np.lexsort((self.track, self.day))
        if not np.array_equal(order, np.arange(len(order))):
            for name in self.__slots__:
                object.__setattr__(self, name, getattr(self, name)[order])

    @classmethod
    def of(cls, history: History, track: Ints, day: Days) -> Self:
        """Return observations with the markets that each track may enter: open, licensed and not entered by the day."""
        open_then = {each: open_markets(history.until(each), each) for each in map(int, np.unique(day))}
        free = np.array([open_then[int(each)] for each in day], np.bool_).reshape(len(day), len(history.markets))
        entries = EntryIndex.of(history)
        for each in open_then:
            at = day == each
            free[at] &= np.isnan(entries.since(track[at], each, len(history.markets)))
        banned = np.zeros((len(history.tracks), len(history.markets)), np.bool_)
        banned[*history.withheld] = True
        return cls(track, day, free & ~banned[track])

    @classmethod
    def landmarks(
        cls, history: History, points: Sequence[int] = (0,), *, first: int | None = None, last: int | None = None
    ) -> Self:
        """Return the tracks with a timed debut, each some days after its debut.

        Parameters
        ----------
        points
            Days after the debut; each is looked at on the last date of the charts by then. Points of one date count
            once.
        first, last
            First and last debut, days since 1970-01-01 (default: all).

        Raises
        ------
        DataSaysNoError
            When no track has a timed debut in that time.
        """
        track, debut = timed_debuts(history)
        chosen = (debut >= (history.first_day if first is None else first)) & (
            debut <= (history.last_day if last is None else last)
        )
        track, debut = track[chosen], debut[chosen]
        if not len(track):
            raise DataSaysNoError("no track has a timed debut in the time asked for")
        dates = np.unique(history.observed.day)
        pairs = []
        for point in points:
            within = debut + point <= history.last_day
            at = dates[np.searchsorted(dates, debut[within] + point, side="right") - 1]
            pairs.append(np.stack([track[within], at]))
        track, day = np.unique(np.concatenate(pairs, axis=1), axis=1)
        if not len(track):
            raise DataSaysNoError(f"the charts end less than {min(points)} days after every debut asked for")
        return cls.of(history, track.astype(np.int64), day.astype(np.int32))

    def __len__(self) -> int:
        return len(self.track)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of the candidates of observations within the horizon.

    Attributes
    ----------
    entered
        (n, m): the track entered the market after the day and within the horizon.
    days
        (n, m): days from the observation to the entry, NaN where it did not enter.
    followed
        (n, m): the market was in coverage until the horizon was over, or the track entered before.
    """

    entered: Flags
    days: NDArray[np.float32]
    followed: Flags

    @classmethod
    def of(cls, history: History, observations: Observations, horizon: int) -> Self:
        """Return the outcomes within `horizon` days, the bound included."""
        m = len(history.markets)
        since = EntryIndex.of(history).since(observations.track, history.last_day, m)
        days = history.last_day - since - observations.day[:, None]
        entered = (days > 0) & (days <= horizon)
        last = covered_until(history, observations.day)
        followed = entered | (last >= observations.day[:, None] + horizon)
        return cls(entered, np.where(entered, days, np.nan).astype(np.float32), followed)


def debuts(history: History) -> Days:
    """Return, (n,), the day of each track's first entry into any market; 2^31 − 1 where it has none."""
    debut = np.full(len(history.tracks), np.iinfo(np.int32).max, np.int32)
    np.minimum.at(debut, history.entries.track, history.entries.day)
    return debut


def timed_debuts(history: History) -> tuple[Ints, Days]:
    """Return the tracks with a timed debut, in order of code, and the days of their debuts."""
    entries, debut = history.entries, debuts(history)
    timed = np.unique(entries.track[entries.timed & (entries.day == debut[entries.track])]).astype(np.int64)
    return timed, debut[timed]


def recent_tracks(known: History, days: int) -> Ints:
    """Return the tracks on a latest chart of a market whose timed debut was at most so many days ago."""
    track, debut = timed_debuts(known)
    latest = latest_charts(known, known.last_day)
    rows = known.positions.between(known.last_day - LONG_GAP, known.last_day)
    now = rows.track[(rows.day == latest[rows.market]) & (rows.market < len(known.markets))]
    return np.intersect1d(track[debut >= known.last_day - days], now)


def covered_until(history: History, day: Days) -> Days:
    """Return, (n, m), the last observed date of the stretch of coverage that holds each day; 0 where none does."""
    observed = history.observed
    spans = {}
    for market in range(len(history.markets)):
        here = observed.market == market
        opened, first = np.unique(observed.opened[here], return_index=True)
        ends = np.append(observed.day[here][first[1:] - 1], observed.day[here][-1:])
        spans[market] = opened, ends
    last = np.zeros((len(day), len(history.markets)), np.int32)
    for market, (opened, ends) in spans.items():
        at = np.searchsorted(opened, day, side="right") - 1
        inside = at >= 0
        last[inside, market] = np.where(day[inside] <= ends[at[inside]], ends[at[inside]], 0)
    return last
