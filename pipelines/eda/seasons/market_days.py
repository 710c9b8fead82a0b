"""What happens in every market on every day, and how often it could: entries, cross-border entries, streams."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion import Calendar, DataSaysNoError, Entries
from diffusion.arrays import Flags, Floats, Ints
from diffusion.timelines import Timelines

_EPOCH: Final = pd.Timestamp("1970-01-01")

_WHOLE: Final = 0.9
"""Share of a market's median depth below which a chart's streams are not comparable."""

_REPEATED: Final = 20
"""Rows from which on a chart that equals the one before is a repeat of it; shorter charts may stay as they are."""

_ROUNDS: Final = 500
_CLOSE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class MarketDays:
    """Events by day and market, and the exposure to them; t days from `first` on, m markets.

    Attributes
    ----------
    first
        Day, from 1970-01-01, of the first row.
    count
        (t, m): events or amount; 0 where there is no exposure.
    exposure
        (t, m): how much could happen, such as 1 for a market's day; 0 where it is not known.
    """

    first: int
    count: Floats
    exposure: Floats

    def levels(self) -> Floats:
        """Return, (t,), the level of every day that is common to the markets; 1 on average, NaN where none is known."""
        return common_level(self.count, self.exposure)

    def by_month(self) -> "MarketDays":
        """Return the sums of months; `first` is then the number of months from January 1970.

        A month counts in a market where its chart is known on half of the days on which any month's charts are.
        """
        month = months_of(self.first + np.arange(len(self.count)))
        first, rows = int(month[0]), int(month[-1] - month[0]) + 1
        count, exposure, days = np.zeros((3, rows, self.count.shape[1]))
        for total, part in ((count, self.count), (exposure, self.exposure), (days, (self.exposure > 0).astype(float))):
            np.add.at(total, month - first, part)
        enough = days >= days.max(initial=0) / 2
        return MarketDays(first, np.where(enough, count, 0), np.where(enough, exposure, 0))


def months_of(day: Ints) -> Ints:
    """Return the months, from January 1970, of days from 1970-01-01."""
    months: Ints = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months


def common_level(count: Floats, exposure: Floats) -> Floats:
    """Return the level of every row that markets have in common, (t,).

    Every market has a rate of its own, and every row one factor for all of them, fitted together (as a Poisson
    regression on both, by turns). So a market that is missing or begins late does not change the level.

    Parameters
    ----------
    count, exposure
        (t, m): see `MarketDays`.

    Raises
    ------
    DataSaysNoError
        When nothing happens.

    Examples
    --------
    >>> small_begins_late = np.array([[100.0, 0.0], [200.0, 2.0], [100.0, 1.0]])
    >>> common_level(small_begins_late, np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])).round(3).tolist()
    [0.75, 1.5, 0.75]
    """
    live = count.sum(axis=0) > 0
    if not live.any():
        raise DataSaysNoError("nothing happens on the days that are counted")
    count, exposure = count[:, live], exposure[:, live]
    there = exposure.sum(axis=1) > 0
    level, total = np.where(there, 1.0, 0.0), count.sum(axis=1)
    for _ in range(_ROUNDS):
        rate = count.sum(axis=0) / (level @ exposure)
        latest = np.divide(total, exposure @ rate, out=np.zeros(len(level)), where=there)
        latest /= latest[there].mean()
        if np.abs(latest - level).max() < _CLOSE:
            break
        level = latest
    return np.where(there, latest, np.nan)


@dataclass(frozen=True, slots=True)
class Observed:
    """On which days a market's entries can be dated: of t days from `first` on, in m markets.

    Attributes
    ----------
    first
        Day, from 1970-01-01, of the first row.
    there
        (t, m): whether the market has a chart that does not repeat the one before.
    at_risk
        (t, m): whether, besides, the chart before is one cadence older and no repeat itself, and the
        market is past its washout: what enters then entered since the chart before.
    """

    first: int
    there: Flags
    at_risk: Flags

    @classmethod
    def of(cls, calendar: Calendar, lines: Timelines) -> Self:
        """Return the days of a calendar."""
        frame = calendar.to_pandas()
        day = _days(frame["date"])
        market = np.searchsorted(np.array(lines.markets, object), frame["market"])
        first = int(day.min())
        seen = np.zeros((int(day.max()) - first + 1, len(lines.markets)), np.bool_)
        seen[day - first, market] = ~(frame["stale"] & (frame["depth"] >= _REPEATED)).to_numpy()
        follows = np.zeros(seen.shape, np.bool_)
        follows[lines.cadence :] = seen[: -lines.cadence]
        past = np.zeros(seen.shape, np.bool_)
        for own, begin, end in zip(lines.span_market, lines.span_first, lines.span_last, strict=True):
            past[begin + lines.washout - first : end - first + 1, own] = True
        unknown = frame["previous"].isna() | ((frame["date"] - frame["previous"]).dt.days != lines.cadence)
        follows[day[unknown] - first, market[unknown]] = False
        return cls(first, seen, seen & follows & past)


def _days(dates: "pd.Series[pd.Timestamp]") -> Ints:
    return np.asarray((dates - _EPOCH).dt.days, dtype=np.int64)


def entry_days(lines: Timelines, observed: Observed) -> MarketDays:
    """Return timed entries by day and market; the exposure is the market's day, where entries can be dated."""
    counted = _counted(lines, observed, ~lines.left_censored)
    return MarketDays(observed.first, np.where(observed.at_risk, counted, 0.0), observed.at_risk.astype(np.float64))


def crossing_days(entries: Entries, observed: Observed, window: int) -> MarketDays:
    """Return entries after the debut, within the window, by day and market; the exposure is what ages lead to expect.

    That is the number of tracks at risk, each with the rate of its age over all days and markets, because tracks enter
    markets soon after their debut, and most debut on one day of the week. What goes with age makes no season.

    Parameters
    ----------
    entries
        Entries of tracks.
    observed
        Their days.
    window
        Days after the debut.
    """
    crossed, expected = np.zeros((2, *observed.there.shape))
    for at_risk, entered in exposed_by_age(entries, observed, window):
        total = at_risk.sum()
        if total > 0:
            crossed += entered
            expected += at_risk * (entered.sum() / total)
    return MarketDays(observed.first, crossed, expected)


def exposed_by_age(entries: Entries, observed: Observed, window: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield for every age, 1 … window, the tracks at risk and those that enter, by day and market, (t, m) each.

    A track is at risk in a market from the day after its debut to the end of the window, until it enters, unless it has
    no licence there. Its debut is timed.

    Parameters
    ----------
    entries
        Entries of tracks.
    observed
        Their days.
    window
        Days after the debut.
    """
    lines = entries.timelines
    rows, markets = observed.there.shape
    begin, timed = lines.debut.astype(np.int64) - observed.first, ~lines.debut_censored
    track, market = _withheld(entries)
    gone = np.zeros((rows, markets))
    np.add.at(gone, (begin[track], market), timed[track])
    started = np.bincount(begin[timed], minlength=rows)[:, None].astype(np.float64)
    kept = np.flatnonzero(timed[lines.track])
    age = (lines.day - lines.debut[lines.track])[kept]
    kept = kept[np.argsort(age, kind="stable")]
    ends = np.searchsorted(np.sort(age), np.arange(window + 1), side="right")
    own = begin[lines.track[kept]], lines.market[kept]
    for days in range(1, min(window, rows - 1) + 1):
        before = slice(ends[days - 2] if days > 1 else 0, ends[days - 1])
        np.add.at(gone, tuple(part[before] for part in own), 1.0)
        at_risk = np.zeros((rows, markets))
        at_risk[days:] = (started - gone)[:-days]
        now = kept[ends[days - 1] : ends[days]]
        now = now[~lines.left_censored[now]]
        entered = _counted(lines, observed, now)
        yield np.where(observed.at_risk, at_risk, 0), np.where(observed.at_risk, entered, 0)


def _counted(lines: Timelines, observed: Observed, chosen: Ints | Flags) -> Floats:
    counted = np.zeros(observed.there.shape)
    np.add.at(counted, (lines.day[chosen] - observed.first, lines.market[chosen]), 1.0)
    return counted


def _withheld(entries: Entries) -> tuple[Ints, Ints]:
    """Return track and market of the pairs without a licence that were not entered all the same."""
    lines, table = entries.timelines, entries.withheld
    track = pc.index_in(table["track_id"], pa.array(lines.track_ids, pa.string()))
    market = pc.index_in(table["market"], pa.array(lines.markets, pa.string()))
    known = pc.and_(pc.is_valid(track), pc.is_valid(market))
    number = len(lines.markets)
    pairs = [part.filter(known).to_numpy().astype(np.int64) for part in (track, market)]
    key = pairs[0] * number + pairs[1]
    key = np.setdiff1d(key, lines.track.astype(np.int64) * number + lines.market)
    return key // number, key % number


def stream_days(sums: pa.Table, calendar: Calendar, observed: Observed, markets: tuple[str, ...]) -> MarketDays:
    """Return the streams of whole charts by day and market, relative to the market's mean.

    Parameters
    ----------
    sums
        As `diffusion.contracts.CHART_SUMS`.
    calendar
        Calendar of the chart.
    observed
        Its days.
    markets
        Codes of the markets of `observed`.

    Raises
    ------
    DataSaysNoError
        When no chart has streams on all its rows.
    """
    frame = sums.to_pandas()
    usual = frame.groupby("market")["chart_rows"].transform("median")
    whole = (
        (frame["streamed_rows"] == frame["chart_rows"])
        & (frame["chart_rows"] >= _WHOLE * usual)
        & (frame["streams"] > 0)
    )
    frame = frame[whole & frame["market"].isin(markets)]
    if frame.empty:
        raise DataSaysNoError(f"the charts of '{calendar.chart}' show no streams")
    day = _days(pd.to_datetime(frame["date"])) - observed.first
    market = np.searchsorted(np.array(markets, object), frame["market"])
    streams = np.zeros(observed.there.shape)
    streams[day, market] = frame["streams"]
    known = observed.there & (streams > 0)
    mean = np.where(known, streams, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return MarketDays(observed.first, np.where(known, streams, 0) / np.where(mean > 0, mean, 1), known.astype(float))
