"""Simulated entries as they would be observed, straight into memory: no charts are written or read."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from diffusion import Calendar, Entries, SettingError
from diffusion.arrays import Floats, Ints
from diffusion.conventions import LONG_GAP, WASHOUT
from diffusion.simulation.chart_dates import ChartDates


@dataclass(frozen=True, slots=True)
class ObservedDates:
    """On which dates charts appear, and in which markets. Days count from `start`.

    Attributes
    ----------
    markets
        Codes of the m markets, in order.
    start
        Date of day 0.
    dates
        (d,) days on which charts appear, in order, in all markets that are there.
    first
        (m,) index of each market's first date.
    washout
        Days after the first of a stretch of coverage within which entries are left-censored.
    """

    markets: tuple[str, ...]
    start: date
    dates: Ints
    first: Ints
    washout: int = WASHOUT

    def __post_init__(self) -> None:
        if list(self.markets) != sorted(set(self.markets)) or len(self.first) != len(self.markets):
            raise SettingError("a watch needs the codes of its markets in order, each once, and a first date for each")
        if not len(self.dates) or (np.diff(self.dates) <= 0).any():
            raise SettingError("a watch needs dates, in order")
        if self.first.min() < 0 or self.first.max() >= len(self.dates):
            raise SettingError("every market of a watch must have a date")

    @property
    def stretch(self) -> Ints:
        """(d,): number of the stretch without a long gap that holds the date, from 0."""
        return np.concatenate([[0], np.cumsum(np.diff(self.dates) > LONG_GAP)])

    @property
    def span_first(self) -> Ints:
        """(m, d): first day of the market's stretch of coverage that holds the date; its launch at the earliest."""
        begins = np.searchsorted(self.stretch, self.stretch)
        first: Ints = self.dates[np.maximum(self.first[:, None], begins)]
        return first

    @property
    def timed_from(self) -> Ints:
        """(m, d): day from which entries of the date's stretch are timed."""
        return self.span_first + self.washout

    def extended(self, days: int, cadence: int) -> "ObservedDates":
        """Return the watch with regular dates for `days` more days, none of them missing."""
        last = int(self.dates[-1])
        more = np.arange(last + cadence, last + days + cadence, cadence)
        return ObservedDates(self.markets, self.start, np.concatenate([self.dates, more]), self.first, self.washout)

    def seen(self, entered: Floats) -> Ints:
        """Return the index of the date on which each entry shows: that of its day, or the next there is.

        Parameters
        ----------
        entered
            (n, m) days after the start, with their fraction; infinite where a track does not enter.

        Returns
        -------
        array
            (n, m), the number of dates where there is no entry or it is after the last date.
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
        """Return what charts would show of entries at the given times, every track being a cluster of its own.

        A track stands on the chart of the day it enters, or on the next one there is. Charts have room for all; ranks
        and streams mean nothing.

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
