"""The charts of one date a week among a fixed set of markets: how alike they are, and how they change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

from diffusion import Calendar, DataSaysNoError
from diffusion.arrays import Floats, Ints
from diffusion.timelines import distinct, primary_artists
from pipelines.eda.published.fixed_markets import WHOLE

WEEK: Final = 7
"""Days from one date to the next; the cadence, where charts are rarer."""

RECENT: Final = 13
"""Charts over which it is counted where an artist stands: a quarter of weeks; more of them would make weeks alike."""

LOCAL: Final = 0.5
"""Least share of an artist's places on recent charts that are on one market's chart, for the artist to be of it."""

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
    """Rows of charts on w dates, k of them, in order of market, track and date.

    Attributes
    ----------
    markets
        Codes of the m markets.
    day
        (w,): days from 1970-01-01, ascending.
    step
        Usual days from one date to the next.
    market, date, track, rank
        (k,): number of the market, of the date and of the track, and the rank.
    artist
        (tracks,): number of the artist of every track.
    """

    markets: tuple[str, ...]
    day: Ints
    step: int
    market: Ints
    date: Ints
    track: Ints
    rank: Ints
    artist: Ints

    @classmethod
    def of(cls, rows: pa.Table, tracks: pa.Table, markets: list[str], *, step: int) -> Self:
        """Return the weekly charts of some markets.

        Parameters
        ----------
        rows
            As `diffusion.contracts.ROWS_ON`.
        tracks
            `track`, `track_id`, `artist` of all tracks of the charts.
        markets
            Codes of the markets.
        step
            Usual days from one date to the next.

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
        rows = _whole(rows.filter(pc.is_in(rows["market"], pa.array(markets, pa.string()))))
        days, number = np.unique(rows["date"].cast(pa.int32()).to_numpy(), return_inverse=True)
        codes, track = np.unique(rows["track"].to_numpy(), return_inverse=True)
        known = tracks.take(pc.index_in(pa.array(codes, pa.int32()), tracks["track"]))
        names = primary_artists(known["track_id"].to_numpy(zero_copy_only=False), known)
        market = pc.index_in(rows["market"], pa.array(markets, pa.string())).to_numpy()
        order = np.lexsort((number, track, market))
        return cls(
            markets=tuple(markets),
            day=days.astype(np.int64),
            step=step,
            market=market[order].astype(np.int64),
            date=number[order],
            track=track[order],
            rank=rows["rank"].to_numpy()[order].astype(np.int64),
            artist=distinct(names),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of dates and of markets."""
        return len(self.day), len(self.markets)

    @property
    def depth(self) -> Ints:
        """(w, m): rows of every chart; 0 where none was observed."""
        return np.bincount(self.date * len(self.markets) + self.market, minlength=np.prod(self.shape)).reshape(
            self.shape
        )

    def by_date(self) -> Iterator[tuple[int, Ints]]:
        """Yield every date's number and the numbers of its rows."""
        order = np.argsort(self.date, kind="stable")
        ends = np.cumsum(np.bincount(self.date, minlength=len(self.day)))
        yield from enumerate(np.split(order, ends[:-1]))


def _whole(rows: pa.Table) -> pa.Table:
    """Return the rows of charts that have at least nine tenths of their market's usual depth."""
    own = pd.DataFrame({"market": rows["market"].to_pandas(), "date": rows["date"].to_numpy()})
    depth = own.groupby(["market", "date"])["date"].size()
    short = depth[depth < WHOLE * depth.groupby("market").transform("median")]
    if short.empty:
        return rows
    return rows.filter(pa.array(~pd.MultiIndex.from_frame(own).isin(short.index)))


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
    weeks, many = charts.shape
    alike = np.full((weeks, many, many), np.nan)
    tracks = len(charts.artist)
    for number, rows in charts.by_date():
        held = csr_array((np.ones(len(rows)), (charts.market[rows], charts.track[rows])), shape=(many, tracks))
        shared = (held @ held.T).toarray()
        own = np.diag(shared)
        either = own[:, None] + own - shared
        both = (own[:, None] > 0) & (own > 0) & ~np.eye(many, dtype=bool)
        alike[number] = np.where(both, shared / np.where(either > 0, either, 1), np.nan)
    usual = _mean(alike, 0)
    return _mean(alike - usual, 2) + _mean(usual, 1)


def _changes(charts: WeeklyCharts) -> tuple[Floats, Floats]:
    """Return the share of every chart's tracks that were there a week before, of that chart; and how far they moved.

    Both are (w, m), NaN where the market was not observed a week before. The move is the mean difference of ranks, as a
    share of the chart's depth.
    """
    same = (np.diff(charts.market) == 0) & (np.diff(charts.track) == 0) & (np.diff(charts.date) == 1)
    later = np.flatnonzero(same) + 1
    cell = charts.date[later] * len(charts.markets) + charts.market[later]
    far = np.abs(charts.rank[later] - charts.rank[later - 1]).astype(np.float64)
    size = int(np.prod(charts.shape))
    kept, moved = (np.bincount(cell, weights, size).reshape(charts.shape) for weights in (None, far))
    depth = charts.depth
    before = np.vstack([np.zeros((1, len(charts.markets)), np.int64), depth[:-1]])
    regular = np.diff(charts.day, prepend=charts.day[:1] - charts.step) == charts.step
    known = (before > 0) & (depth > 0) & regular[:, None]
    stayed = np.where(known, kept / np.maximum(before, 1), np.nan)
    return stayed, np.where(known & (kept > 0), moved / np.maximum(kept, 1) / np.maximum(depth, 1), np.nan)


def _local(charts: WeeklyCharts) -> Floats:
    """Return the share of every chart's places that artists of the market hold, (w, m), NaN in the first quarter.

    An artist is of a market while it has at least half of the artist's places on the charts of the last quarter, this
    date's included. What counts on a date is what stood on as many charts before it, whatever the date.
    """
    weeks, many = charts.shape
    local = np.full((weeks, many), np.nan)
    recent = np.zeros((int(charts.artist.max(initial=-1)) + 1, many), np.int32)
    artist = charts.artist[charts.track]
    held: list[Ints] = []
    for number, rows in charts.by_date():
        np.add.at(recent, (artist[rows], charts.market[rows]), 1)
        held.append(rows)
        if number >= RECENT:
            gone = held[number - RECENT]
            np.subtract.at(recent, (artist[gone], charts.market[gone]), 1)
        if number >= RECENT - 1:
            of_all = recent[artist[rows]].sum(axis=1)
            own = recent[artist[rows], charts.market[rows]] >= LOCAL * of_all
            places = np.bincount(charts.market[rows], minlength=many)
            shares = np.bincount(charts.market[rows], own, many) / np.maximum(places, 1)
            local[number] = np.where(places > 0, shares, np.nan)
    return local


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
