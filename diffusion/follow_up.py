"""How long each entry is followed in each other market, and whether the track entered it meanwhile."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from diffusion.conventions import LONGEST
from diffusion.errors import SettingError
from diffusion.timelines import NEVER, NOT_ENTERED, Days, Timelines

UNSEEN: Final = -1
"""Days of follow-up of an entry that is not exposed to a market."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """How many days ahead every market is watched, from every day on. Days count from `first`.

    Attributes
    ----------
    first
        Day (from 1970-01-01) that is day 0 here: the first of any coverage.
    days
        (m, d + 1): days from the day to the end of the market's stretch of coverage, at most `longest`; `UNSEEN` where
        the market was not in coverage or not past its washout. The last column stands for all days outside.
    longest
        The window in days, or the longest follow-up that coverage allows where that is shorter.
    """

    first: int
    days: Days
    longest: int

    @classmethod
    def of(cls, timelines: Timelines, window: int) -> Self:
        """Return how far ahead is watched, within a window of days.

        Raises
        ------
        SettingError
            When the window is not between 1 and 36,500 days.
        """
        if not 1 <= window <= LONGEST:
            raise SettingError(f"window is {window} days; it must be between 1 and {LONGEST:,}")
        first = int(timelines.span_first.min(initial=NOT_ENTERED))
        length = max(int(timelines.span_last.max(initial=NEVER)) - first + 1, 1)
        days = np.full((len(timelines.markets), length + 1), UNSEEN, np.int32)
        for market, begin, end in stretches(timelines):
            days[market, begin - first : end - first + 1] = np.arange(end - begin, -1, -1)
        longest = min(window, max(int(days.max(initial=0)), 1))
        return cls(first, np.minimum(days, np.int32(longest)), longest)

    def column(self, day: Days) -> NDArray[np.int64]:
        """Return the columns of `days` that days stand in."""
        at = day.astype(np.int64) - self.first
        outside = self.days.shape[1] - 1
        return np.where((at >= 0) & (at < outside), at, outside)


def stretches(timelines: Timelines) -> list[tuple[int, int, int]]:
    """Return market, first and last day of every stretch of coverage past its washout, those that have a day."""
    past = timelines.span_first + timelines.washout
    there = past <= timelines.span_last
    columns = (timelines.span_market[there], past[there], timelines.span_last[there])
    return list(zip(*(column.tolist() for column in columns), strict=True))


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What can be looked up of any entry and market: the follow-up of the track there.

    Attributes
    ----------
    timelines
        The entries.
    ahead
        How far ahead every market is watched.
    arrival
        (n, m): day of every track's entry into every market; `NOT_ENTERED` where there is none.
    until
        (n, m): first day on which the track may have been in the market: up to the day before, an entry elsewhere has
        observed order. `NEVER` where the entry is left-censored, `NOT_ENTERED` where there is none.
    """

    timelines: Timelines
    ahead: Ahead
    arrival: Days
    until: Days

    @classmethod
    def of(cls, timelines: Timelines, window: int) -> Self:
        """Return the follow-up within a window of days."""
        until = np.full((len(timelines.track_ids), len(timelines.markets)), NOT_ENTERED, np.int32)
        until[timelines.track, timelines.market] = first_unordered(timelines)
        return cls(timelines, Ahead.of(timelines, window), timelines.matrix(), until)

    def of_entries(self, entries: NDArray[np.int64]) -> tuple[Days, NDArray[np.bool_]]:
        """Return how long timed entries are followed in every market, and whether it ends with the track's entry.

        Parameters
        ----------
        entries
            (k,) numbers of timed entries.

        Returns
        -------
        days
            (k, m): days after the entry at which follow-up ends; `UNSEEN` where the entry is not exposed.
        entered
            (k, m): whether it ends with the entry into that market.
        """
        lines = self.timelines
        track, day = lines.track[entries], lines.day[entries]
        days = self.ahead.days.T[self.ahead.column(day)]
        days = np.where(day[:, None] < self.until[track], days, UNSEEN)
        days[np.arange(len(entries)), lines.market[entries]] = UNSEEN
        lag = self.arrival[track] - day[:, None]
        entered = (lag <= days) & (days != UNSEEN)
        return np.where(entered, lag, days), entered


def first_unordered(timelines: Timelines) -> Days:
    """Return, (k,), the first day from which on an entry elsewhere no longer surely came before each entry.

    `NEVER` where the entry is left-censored: no order with it was observed.
    """
    known = np.minimum(timelines.last_without + 1, timelines.day)
    return np.where(timelines.left_censored, NEVER, known)
