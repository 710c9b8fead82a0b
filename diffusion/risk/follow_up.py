"""Length of follow-up that coverage allows in each market, by the day on which the clock starts."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Days
from diffusion.conventions import LONGEST
from diffusion.errors import SettingError
from diffusion.timelines import NEVER, NOT_ENTERED, Timelines

UNSEEN: Final = -1
"""Value of the days of follow-up where a track is never at risk."""

Ends = NDArray[np.int8]


class End(IntEnum):
    """Why a track's time at risk in a market ends, or why it is never at risk."""

    ENTERED = 0
    """The track entered."""
    HORIZON = 1
    """Censored: the window or horizon ends."""
    COVERAGE = 2
    """Censored: the market's coverage ends."""
    GAP = 3
    """Censored: a long gap in the market's coverage begins."""
    GAP_BEFORE_ENTRY = 4
    """Censored in the same way; the track is first seen in a washout after the gap, so its true entry is unknown."""
    UNOBSERVED = 5
    """Never at risk: the market is not in coverage, or still in its washout."""
    THERE = 6
    """Never at risk: the track has entered already, or may have."""
    WITHHELD = 7
    """Never at risk: the track has no licence for the market."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Follow-up of a track that never enters, by day on which its clock starts and by market; (d + 1, m) each.

    Row i is the day ``first + i``; the last row is for all other days. The track is at risk on day t after the start of
    the clock when ``start < t ≤ days``.

    Attributes
    ----------
    first
        Day (from 1970-01-01) of the first row: the first day of any coverage.
    start
        Days from the start of the clock to the last day before the track is at risk.
    days
        Days from the start of the clock to the end of follow-up, at most `longest`; `UNSEEN` where there is none.
    end
        Number of the reason in `End`: `HORIZON`, `COVERAGE` or `GAP`; `UNOBSERVED` where there is no follow-up.
    longest
        Longest follow-up in days: the window or horizon, or what coverage allows if that is shorter.
    """

    first: int
    start: Days
    days: Days
    end: Ends
    longest: int

    @classmethod
    def of_exposures(cls, timelines: Timelines, window: int) -> Self:
        """Return the follow-up after an entry elsewhere, in markets in coverage and past their washout on that day.

        Raises
        ------
        SettingError
            When the window is not between 1 and 36,500 days.
        """
        return cls._of(timelines, _checked("window", window), wait=False)

    @classmethod
    def of_waits(cls, timelines: Timelines, horizon: int) -> Self:
        """Return the follow-up after a debut, in the first stretch of coverage with a later day past the washout.

        A track is at risk from the end of the washout on (delayed entry).

        Raises
        ------
        SettingError
            When the horizon is not between 1 and 36,500 days.
        """
        return cls._of(timelines, _checked("horizon", horizon), wait=True)

    @classmethod
    def _of(cls, timelines: Timelines, most: int, *, wait: bool) -> Self:
        first = int(timelines.span_first.min(initial=NOT_ENTERED))
        length = max(int(timelines.span_last.max(initial=NEVER)) - first + 1, 1)
        shape = (length + 1, len(timelines.markets))
        start, days = np.zeros(shape, np.int32), np.full(shape, UNSEEN, np.int32)
        end = np.full(shape, End.UNOBSERVED, np.int8)
        closed = np.full(len(timelines.markets), NEVER)
        np.maximum.at(closed, timelines.span_market, timelines.span_last)
        # the earliest stretch is written last and overwrites later ones
        for market, begin, last in reversed(stretches(timelines)):
            earliest, latest = (max(begin - most, first), last - 1) if wait else (begin, last)
            clock = np.arange(earliest, latest + 1)
            own = slice(earliest - first, latest - first + 1)
            start[own, market] = np.maximum(begin - 1 - clock, 0)
            days[own, market] = np.minimum(last - clock, most)
            stops = End.GAP if last < closed[market] else End.COVERAGE
            end[own, market] = np.where(last - clock >= most, End.HORIZON, stops)
        return cls(first, start, days, end, min(most, max(int(days.max(initial=0)), 1)))

    def row(self, day: Days) -> NDArray[np.int64]:
        """Return the index of the row of each day."""
        at = day.astype(np.int64) - self.first
        outside = len(self.days) - 1
        return np.where((at >= 0) & (at < outside), at, outside)

    def only(self, market: int) -> "FollowUp":
        """Return the follow-up in one market."""
        own = slice(market, market + 1)
        return FollowUp(self.first, self.start[:, own], self.days[:, own], self.end[:, own], self.longest)


def stretches(timelines: Timelines) -> list[tuple[int, int, int]]:
    """Return market, first and last day of each stretch of coverage after its washout; empty stretches are left out."""
    past = timelines.span_first + timelines.washout
    there = past <= timelines.span_last
    columns = (timelines.span_market[there], past[there], timelines.span_last[there])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def longest_exposure(timelines: Timelines, window: int) -> int:
    """Return `FollowUp.longest` after an entry elsewhere, without the follow-up of every day.

    Raises
    ------
    SettingError
        When the window is not between 1 and 36,500 days.
    """
    lengths = (timelines.span_last - timelines.span_first - timelines.washout).astype(np.int64)
    return min(_checked("window", window), max(int(lengths.max(initial=0)), 1))


def _checked(name: str, days: int) -> int:
    if not 1 <= days <= LONGEST:
        raise SettingError(f"{name} is {days} days; it must be between 1 and {LONGEST:,}")
    return days
