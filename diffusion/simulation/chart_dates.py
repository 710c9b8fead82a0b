"""Dates on which each simulated market has a chart, and the entries that such charts show."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow as pa

from diffusion import Calendar, DataSaysNoError, Entries, EventRules
from diffusion.arrays import Flags, Floats, Ints
from diffusion.contracts import COVERAGE, ENTRIES
from diffusion.conventions import LONG_GAP, WASHOUT

_CHART, _DEPTH, _RANK = "top200", 200, 1


@dataclass(frozen=True, slots=True)
class ChartDates:
    """Dates of the charts of m markets. Days count from `start`.

    Attributes
    ----------
    markets
        Codes of the m markets, in order.
    start
        Date of day 0.
    dates
        (d,): days on which some market has a chart, in order.
    charted
        (m, d): whether the market has a chart on the date; at least one each.
    washout
        Days after the first day of a stretch of coverage within which entries are left-censored (default 28).
    depth
        (m,) or one number: rows of the market's chart (default 200).
    """

    markets: tuple[str, ...]
    start: date
    dates: Ints
    charted: Flags
    washout: int = WASHOUT
    depth: Ints | int = _DEPTH

    @property
    def previous(self) -> Ints:
        """(m, d): index of the market's chart before the date, −1 where there is none."""
        latest = np.maximum.accumulate(np.where(self.charted, np.arange(len(self.dates)), -1), axis=1)
        return np.column_stack([np.full(len(self.markets), -1), latest[:, :-1]])

    @property
    def opening(self) -> Flags:
        """(m, d): whether a stretch of coverage begins on the date: at the first chart, and after a long gap."""
        previous = self.previous
        opening: Flags = self.charted & ((previous < 0) | (self.dates - self.dates[previous] > LONG_GAP))
        return opening

    @property
    def timed_from(self) -> Ints:
        """(m, d): first day on which entries in the date's stretch are timed."""
        first: Ints = np.maximum.accumulate(np.where(self.opening, self.dates, self.dates[0]), axis=1)
        return first + self.washout

    def seen(self, entered: Floats) -> Ints:
        """Return the index of the market's first chart on or after the day of each entry.

        Parameters
        ----------
        entered
            (n, m) days after the start, with their fraction; infinite where a track does not enter.

        Returns
        -------
        array
            (n, m); the number of dates where no chart shows the entry.
        """
        none = len(self.dates)
        later = np.where(self.charted, np.arange(none), none)
        following = np.minimum.accumulate(later[:, ::-1], axis=1)[:, ::-1]
        following = np.column_stack([following, np.full(len(self.markets), none)])
        seen: Ints = following[np.arange(len(self.markets)), np.searchsorted(self.dates, np.floor(entered))]
        return seen

    def calendar(self) -> Calendar:
        """Return the coverage calendar."""
        market, at = np.nonzero(self.charted)
        origin, rows, previous = np.datetime64(self.start, "D"), len(market), self.previous[market, at]
        coverage = {
            "market": pa.array(np.array(self.markets, dtype=object)[market], pa.string()),
            "chart": pa.array([_CHART] * rows, pa.string()),
            "date": pa.array(origin + self.dates[at]),
            "depth": np.broadcast_to(self.depth, len(self.markets))[market],
            "previous": pa.array(origin + self.dates[previous], mask=previous < 0),
            "span": self.opening.cumsum(axis=1)[market, at],
            "stale": np.zeros(rows, dtype=bool),
        }
        return Calendar(COVERAGE.conform(pa.table(coverage)))

    def entries(self, entered: Floats, artists: Ints | None = None) -> Entries:
        """Return the entries that charts would show.

        A track is on the chart of the day it enters, or on the market's next chart. Charts have no limit; ranks and
        streams have no meaning.

        Parameters
        ----------
        entered
            (n, m) days after the start, with their fraction; infinite where a track does not enter.
        artists
            (n,): number of each track's artist (default: artists are not known).

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
        names = pa.array(np.char.mod("t%07d", np.arange(len(entered))), pa.string())
        origin, day, previous = np.datetime64(self.start, "D"), self.dates[at], self.previous[market, at]
        table = {
            "track_id": names.take(pa.array(track)),
            "market": pa.array(np.array(self.markets, dtype=object)[market], pa.string()),
            "chart": pa.array([_CHART] * rows, pa.string()),
            "entry": pa.array(origin + day),
            "last_without": pa.array(origin + self.dates[previous], mask=previous < 0),
            "rank": np.full(rows, _RANK, np.int32),
            "streams": pa.nulls(rows, pa.int64()),
            "left_censored": day < self.timed_from[market, at],
        }
        rules = EventRules(_CHART, washout=self.washout)
        found = Entries(ENTRIES.conform(pa.table(table)), self.calendar(), rules)
        if artists is None:
            return found
        named = pa.array(np.char.mod("artist %d", artists), pa.string())
        return replace(found, described=pa.table({"track_id": names, "artist": named}))
