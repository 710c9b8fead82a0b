"""Simulated entries as they would be observed, in memory, without charts."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from diffusion import Calendar, DataSaysNoError, Entries, EventRules, SettingError
from diffusion.arrays import Floats, Ints
from diffusion.contracts import COVERAGE, ENTRIES
from diffusion.conventions import LONG_GAP, WASHOUT

_CHART, _DEPTH, _RANK = "top200", 200, 1


@dataclass(frozen=True, slots=True)
class ObservedDates:
    """Dates on which charts appear, and first date of each market. Days count from `start`.

    Attributes
    ----------
    markets
        Codes of the m markets, in order.
    start
        Date of day 0.
    dates
        (d,): days on which charts appear, in order, in all launched markets.
    first
        (m,): index of each market's first date.
    washout
        Days after the first day of a stretch of coverage within which entries are left-censored (default 28).
    """

    markets: tuple[str, ...]
    start: date
    dates: Ints
    first: Ints
    washout: int = WASHOUT

    def __post_init__(self) -> None:
        if list(self.markets) != sorted(set(self.markets)) or len(self.first) != len(self.markets):
            raise SettingError(
                "observed dates need the codes of their markets in order, each once, and a first date for each"
            )
        if not len(self.dates) or (np.diff(self.dates) <= 0).any():
            raise SettingError("a simulation needs dates, in order")
        if self.first.min() < 0 or self.first.max() >= len(self.dates):
            raise SettingError("every simulated market must have a date")

    @property
    def stretch(self) -> Ints:
        """(d,): number of the date's stretch without a long gap, from 0."""
        return np.concatenate([[0], np.cumsum(np.diff(self.dates) > LONG_GAP)])

    @property
    def span_first(self) -> Ints:
        """(m, d): first day of the date's stretch of coverage in the market, not before its launch."""
        begins = np.searchsorted(self.stretch, self.stretch)
        first: Ints = self.dates[np.maximum(self.first[:, None], begins)]
        return first

    @property
    def timed_from(self) -> Ints:
        """(m, d): first day on which entries in the date's stretch are timed."""
        return self.span_first + self.washout

    def extended(self, days: int, cadence: int) -> "ObservedDates":
        """Return the dates with regular dates for `days` more days, none of them missing."""
        last = int(self.dates[-1])
        more = np.arange(last + cadence, last + days + cadence, cadence)
        return ObservedDates(self.markets, self.start, np.concatenate([self.dates, more]), self.first, self.washout)

    def seen(self, entered: Floats) -> Ints:
        """Return the index of the date on which each entry is observed: the first date on or after its day.

        Parameters
        ----------
        entered
            (n, m) days after the start, with their fraction; infinite where a track does not enter.

        Returns
        -------
        array
            (n, m); the number of dates where there is no entry by the last date.
        """
        index = np.searchsorted(self.dates, np.floor(entered))
        there = np.isfinite(entered)
        return np.where(there, np.maximum(index, np.where(there, self.first, 0)), len(self.dates))

    def calendar(self) -> Calendar:
        """Return the coverage calendar."""
        market, at = np.nonzero(np.arange(len(self.dates)) >= self.first[:, None])
        origin, rows = np.datetime64(self.start, "D"), len(market)
        opening = at == self.first[market]
        coverage = {
            "market": pa.array(np.array(self.markets, dtype=object)[market], pa.string()),
            "chart": pa.array([_CHART] * rows, pa.string()),
            "date": pa.array(origin + self.dates[at]),
            "depth": np.full(rows, _DEPTH),
            "previous": pa.array(origin + self.dates[at - 1], mask=opening),
            "span": 1 + self.stretch[at] - self.stretch[self.first[market]],
            "stale": np.zeros(rows, dtype=bool),
        }
        return Calendar(COVERAGE.conform(pa.table(coverage)))

    def entries(self, entered: Floats) -> Entries:
        """Return the entries that charts would show; every track is its own cluster.

        A track is on the chart of the day it enters, or on the next chart. Charts have no limit; ranks and streams have
        no meaning.

        Parameters
        ----------
        entered
            (n, m) days after the start, with their fraction; infinite where a track does not enter.

        Raises
        ------
        DataSaysNoError
            When no entry is observed.
        """
        index = self.seen(entered)
        track, market = np.nonzero(index < len(self.dates))
        if not len(track):
            raise DataSaysNoError("no simulated track enters a market while it is observed; simulate more tracks")
        at, rows = index[track, market], len(track)
        origin, day = np.datetime64(self.start, "D"), self.dates[at]
        table = {
            "track_id": pa.array([f"t{number:07d}" for number in track.tolist()], pa.string()),
            "market": pa.array(np.array(self.markets, dtype=object)[market], pa.string()),
            "chart": pa.array([_CHART] * rows, pa.string()),
            "entry": pa.array(origin + day),
            "last_without": pa.array(origin + self.dates[at - 1], mask=at == self.first[market]),
            "rank": np.full(rows, _RANK, np.int32),
            "streams": pa.nulls(rows, pa.int64()),
            "left_censored": day < self.timed_from[market, at],
        }
        calendar = self.calendar()
        return Entries(ENTRIES.conform(pa.table(table)), calendar, EventRules(_CHART, washout=self.washout))
