"""How long coverage lets a track be followed in every market, by the day on which its clock starts."""

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
"""Days of follow-up where a track is not at risk."""

Ends = NDArray[np.int8]


class End(IntEnum):
    """Why a track is no longer at risk of entering a market, or never was."""

    ENTERED = 0
    """It entered."""
    HORIZON = 1
    """Censored: the longest follow-up that was asked for."""
    COVERAGE = 2
    """Censored: the market was observed for the last time."""
    GAP = 3
    """Censored: nothing was observed in the market for long, and the track was not seen there afterwards."""
    GAP_BEFORE_ENTRY = 4
    """Censored in the same way; the track was seen there afterwards, so that nobody knows when it entered."""
    UNOBSERVED = 5
    """Never at risk: the market was not in coverage, or still in its washout."""
    THERE = 6
    """Never at risk: the track had entered, or may have."""
    WITHHELD = 7
    """Never at risk: the track has no licence for the market."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Follow-up of a track that never enters, by the day on which its clock starts and the market; (d + 1, m) each.

    Rows are days from `first` on; the last row stands for all other days. The track is at risk on day t after the clock
    has started when ``start < t ≤ days``.

    Attributes
    ----------
    first
        Day (from 1970-01-01) of the first row: the first of any coverage.
    start
        Days from the start of the clock to the last day before the track is at risk.
    days
        Days from the start of the clock to the end of follow-up, at most `longest`; `UNSEEN` where there is none.
    end
        Why it ends there, as `End` numbers reasons: `HORIZON`, `COVERAGE` or `GAP`; `UNOBSERVED` where there is none.
    longest
        Days asked for, or the longest follow-up that coverage allows where that is shorter.
    """

    first: int
    start: Days
    days: Days
    end: Ends
    longest: int

    @classmethod
    def of_exposures(cls, timelines: Timelines, window: int) -> Self:
        """Return the follow-up from an entry elsewhere on: in markets that are then in coverage and past their washout.

        Raises
        ------
        SettingError
            When the window is not between 1 and 36,500 days.
        """
        return cls._of(timelines, _checked("window", window), wait=False)

    @classmethod
    def of_waits(cls, timelines: Timelines, horizon: int) -> Self:
        """Return the follow-up from a debut on: in the first stretch of coverage with a day past the washout after it.

        A track is at risk there from the end of the washout on (delayed entry).

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
        # where a clock may wait for several stretches, the earliest is written last
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
        """Return the rows that days stand in."""
        at = day.astype(np.int64) - self.first
        outside = len(self.days) - 1
        return np.where((at >= 0) & (at < outside), at, outside)

    def only(self, market: int) -> "FollowUp":
        """Return the follow-up in one market."""
        own = slice(market, market + 1)
        return FollowUp(self.first, self.start[:, own], self.days[:, own], self.end[:, own], self.longest)


def stretches(timelines: Timelines) -> list[tuple[int, int, int]]:
    """Return market, first and last day of every stretch of coverage past its washout, those that have a day."""
    past = timelines.span_first + timelines.washout
    there = past <= timelines.span_last
    columns = (timelines.span_market[there], past[there], timelines.span_last[there])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _checked(name: str, days: int) -> int:
    if not 1 <= days <= LONGEST:
        raise SettingError(f"{name} is {days} days; it must be between 1 and {LONGEST:,}")
    return days
