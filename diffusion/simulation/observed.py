"""Simulated entries as they would be observed, in memory, without charts."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from diffusion import Calendar, Entries, SettingError
from diffusion.arrays import Floats, Ints
from diffusion.conventions import LONG_GAP, WASHOUT
from diffusion.simulation.chart_dates import ChartDates


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
        return self.charts.seen(entered)

    @property
    def charts(self) -> ChartDates:
        """The dates of each market's charts."""
        charted = np.arange(len(self.dates)) >= self.first[:, None]
        return ChartDates(self.markets, self.start, self.dates, charted, self.washout)

    def calendar(self) -> Calendar:
        """Return the coverage calendar."""
        return self.charts.calendar()

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
        return self.charts.entries(entered)
