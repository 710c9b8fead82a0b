"""The charts of one date a week among a fixed set of markets: how alike they are, and how they change."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion import Calendar, Charts, DataSaysNoError, Entries
from diffusion.arrays import Floats, Ints
from diffusion.compared_charts import ComparedCharts
from pipelines.eda.published.fixed_markets import WHOLE

WEEK: Final = 7
"""Days from one date to the next; the cadence, where charts are rarer."""

RECENT: Final = 13
"""Charts over which it is counted where an artist stands: a quarter of weeks; more of them would make weeks alike."""

LEAST_FIXED: Final = 2
"""Fewest markets whose charts are compared."""


def weekly_dates(calendar: Calendar, markets: list[str]) -> list[date]:
    """Return one date of every week: that on which most of the markets were observed, the earliest of equals."""
    step = max(WEEK, calendar.cadence)
    coverage = calendar.to_pandas()
    counts = coverage[coverage["market"].isin(markets)].groupby("date").size().reset_index(name="markets")
    counts["week"] = (counts["date"] - pd.Timestamp(calendar.first_date)).dt.days // step
    best = counts.sort_values(["week", "markets", "date"], ascending=[True, False, True]).drop_duplicates("week")
    return [day.date() for day in best["date"]]


@dataclass(frozen=True, slots=True)
class WeeklyCharts:
    """What is counted over the charts of m markets on w dates.

    Attributes
    ----------
    markets
        Codes of the m markets.
    day
        (w,): days from 1970-01-01, ascending.
    step
        Usual days from one date to the next.
    depth
        (w, m): tracks on every chart; 0 where none was observed.
    shared
        (w, m, m): tracks on the charts of two markets; 0 on the diagonal.
    stayed, ranks
        (w, m): tracks that were on the market's chart of the date before, and ranks that they moved in all.
    local
        (w, m): places of artists of the market.
    """

    markets: tuple[str, ...]
    day: Ints
    step: int
    depth: Ints
    shared: Ints
    stayed: Ints
    ranks: Ints
    local: Ints

    @classmethod
    def of(cls, charts: Charts, entries: Entries, markets: list[str]) -> Self:
        """Return the weekly charts of some markets, by the rules and the calendar of entries.

        Raises
        ------
        DataSaysNoError
            When there are fewer than two markets.
        """
        if len(markets) < LEAST_FIXED:
            raise DataSaysNoError(
                f"{len(markets) or 'none'} of the markets {'is' if len(markets) == 1 else 'are'} on the charts for the "
                f"whole time; charts are compared among {LEAST_FIXED} or more"
            )
        calendar, rules = entries.calendar, entries.rules
        depths = charts.depths_on(weekly_dates(calendar, markets), identity=rules.identity, chart=rules.chart)
        whole = _whole(depths.filter(pc.is_in(depths["market"], pa.array(markets, pa.string()))))
        compared = charts.compared(whole, recent=RECENT, identity=rules.identity, chart=rules.chart)
        return cls.counted(whole, compared, markets, step=max(WEEK, calendar.cadence))

    @classmethod
    def counted(cls, depths: pa.Table, compared: ComparedCharts, markets: list[str], *, step: int) -> Self:
        """Return the weekly charts whose tables were counted.

        Parameters
        ----------
        depths
            `market`, `date` and `depth` of every chart that was compared.
        compared
            What was counted over these charts, with `RECENT` dates.
        markets
            Codes of the markets.
        step
            Usual days from one date to the next.
        """
        day = np.unique(_day(depths))
        cube = _Cube(day, pa.array(markets, pa.string()))
        shared = cube.filled(compared.shared, "tracks", "market", "other")
        return cls(
            markets=tuple(markets),
            day=day,
            step=step,
            depth=cube.filled(depths, "depth", "market"),
            shared=shared + shared.transpose(0, 2, 1),
            stayed=cube.filled(compared.stayed, "tracks", "market"),
            ranks=cube.filled(compared.stayed, "ranks", "market"),
            local=cube.filled(compared.local, "places", "market"),
        )


@dataclass(frozen=True, slots=True)
class _Cube:
    """Dates and markets along which counts are laid out."""

    day: Ints
    markets: pa.Array

    def filled(self, table: pa.Table, value: str, *along: str) -> Ints:
        """Return a column of a table by date and by the markets that some columns name; 0 where there is no row."""
        counts = np.zeros((len(self.day), *[len(self.markets)] * len(along)), np.int64)
        places = (pc.index_in(table[name], self.markets).to_numpy() for name in along)
        counts[(np.searchsorted(self.day, _day(table)), *places)] = table[value].to_numpy()
        return counts


def _day(table: pa.Table) -> Ints:
    """Return the dates of a table in days from 1970-01-01."""
    day: Ints = table["date"].cast(pa.int32()).to_numpy().astype(np.int64)
    return day


def _whole(depths: pa.Table) -> pa.Table:
    """Return the charts that have at least nine tenths of their market's usual depth."""
    depth = depths["depth"].to_pandas()
    usual = depth.groupby(depths["market"].to_pandas()).transform("median")
    return depths.filter(pa.array(depth >= WHOLE * usual))


def weekly_table(charts: WeeklyCharts) -> pd.DataFrame:
    """Return one row per market and date; columns as in `pipelines.contracts.published.CHART_WEEKS`."""
    stayed, moved = _changes(charts)
    seen = charts.depth > 0
    week, market = np.nonzero(seen)
    day = charts.day.astype("datetime64[D]").astype("datetime64[s]")
    values = {"overlap": _overlap(charts), "stayed": stayed, "moved": moved, "local": _local(charts)}
    return pd.DataFrame(
        {
            "market": np.array(charts.markets, object)[market],
            "date": day[week],
            "depth": charts.depth[seen],
            **{name: value[seen] for name, value in values.items()},
        }
    ).sort_values(["market", "date"], ignore_index=True)


def _overlap(charts: WeeklyCharts) -> Floats:
    """Return the mean Jaccard index of every chart with the others of its date, (w, m), NaN where there is none.

    Every pair counts with its deviation from its own mean, so that a market that is missing on a date makes the others
    neither more nor less alike.
    """
    own, other = charts.depth[:, :, None], charts.depth[:, None, :]
    either = own + other - charts.shared
    both = (own > 0) & (other > 0) & ~np.eye(len(charts.markets), dtype=bool)
    alike = np.where(both, charts.shared / np.maximum(either, 1), np.nan)
    usual = _mean(alike, 0)
    return _mean(alike - usual, 2) + _mean(usual, 1)


def _changes(charts: WeeklyCharts) -> tuple[Floats, Floats]:
    """Return the share of every chart's tracks that were there a week before, of that chart; and how far they moved.

    Both are (w, m), NaN where the market was not observed a week before. The move is the mean difference of ranks, as a
    share of the chart's depth.
    """
    kept, depth = charts.stayed, charts.depth
    before = np.vstack([np.zeros((1, len(charts.markets)), np.int64), depth[:-1]])
    regular = np.diff(charts.day, prepend=charts.day[:1] - charts.step) == charts.step
    known = (before > 0) & (depth > 0) & regular[:, None]
    stayed = np.where(known, kept / np.maximum(before, 1), np.nan)
    moved = charts.ranks / np.maximum(kept, 1) / np.maximum(depth, 1)
    return stayed, np.where(known & (kept > 0), moved, np.nan)


def _local(charts: WeeklyCharts) -> Floats:
    """Return the share of every chart's places that artists of the market hold, (w, m), NaN in the first quarter.

    An artist is of a market while it has at least half of the artist's places on the charts of the last quarter, this
    date's included. What counts on a date is what stood on as many charts before it, whatever the date.
    """
    late = np.arange(len(charts.day)) >= RECENT - 1
    return np.where(late[:, None] & (charts.depth > 0), charts.local / np.maximum(charts.depth, 1), np.nan)


def _mean(values: Floats, axis: int) -> Floats:
    """Return the mean of the values that are there; NaN without one."""
    known = np.isfinite(values)
    number = known.sum(axis=axis)
    total = np.where(known, values, 0).sum(axis=axis, dtype=np.float64)
    mean: Floats = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return mean


def weekly_series(weeks: pd.DataFrame, name: str) -> tuple[Floats, Floats]:
    """Return days from 1970-01-01 and the mean over markets of a column of `weekly_table`, every week's.

    Every market counts with its deviation from its own mean, so that a market that is missing changes nothing.
    """
    wide = weeks.pivot_table(name, "date", "market", aggfunc="first").astype(float)
    own = wide.mean()
    series = (wide - own).mean(axis=1) + own.mean()
    day = series.index.to_numpy().astype("datetime64[D]").astype(np.float64)
    return day, series.to_numpy(np.float64)
