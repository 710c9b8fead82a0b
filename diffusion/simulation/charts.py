"""From entries to charts: the rows of each date, with rank and streams.

No entry is lost. A track is on the first chart on or after the day it entered, even if its stay is short or dates are
missing. If a chart would be too long, the tracks that have been on it longest leave. If the new tracks alone exceed its
depth, the chart is made deeper and named by its depth. Charts that are too short are filled with old tracks. Old tracks
are on the chart from a market's first date on, so their entries are left-censored.
"""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from diffusion.simulation import rates
from diffusion.simulation.network import Network
from diffusion.simulation.spread import Arrivals

TRENDS: Final = ("MOVE_DOWN", "MOVE_UP", "NEW_ENTRY", "SAME_POSITION")
_DOWN, _UP, _NEW, _SAME = range(4)
_ROW_BITS, _SCORE_BITS = 23, 20
_REPERTOIRE: Final = 0.5
"""Old tracks per rank of all charts (sample: .72 tracks per rank on the first dates, a third of them new)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Dates, markets and depths on which one chart is observed.

    Attributes
    ----------
    chart
        Kind of the chart, as in `rates.CHARTS`.
    cadence
        Days from one chart to the next.
    dates
        (d,): days after the start on which the chart appears, in all launched markets.
    first
        (m,): index of the market's first date.
    depth
        (m,): rows of a full chart.
    """

    chart: str
    cadence: int
    dates: Ints
    first: Ints
    depth: Ints

    @property
    def name(self) -> str:
        """Name of the chart: top200 or viral50, with its true depth as the number where it is deeper."""
        deepest = int(self.depth.max())
        kind = self.chart.rstrip("0123456789")
        return self.chart if deepest <= rates.DEPTHS[self.chart] else f"{kind}{deepest}"


@dataclass(frozen=True, slots=True)
class Rows:
    """Chart rows in order of market, date and rank; `market` −1 is the aggregate of all markets."""

    market: NDArray[np.int16]
    day: NDArray[np.int32]
    track: NDArray[np.int32]
    rank: NDArray[np.int32]
    streams: NDArray[np.int64] | None
    trend: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Stays:
    """Stays on the chart: one element per stay, in order of market and first date.

    Attributes
    ----------
    track, market
        Numbers of track and market.
    first, stop
        Index of the first date, and of the first date after the stay. Old tracks stay from the market's first date to
        the end.
    level
        Position on the chart, 0 (top) … 1.
    fill
        (m,): number of old tracks; their stays are the last elements, market by market.
    """

    track: NDArray[np.int32]
    market: NDArray[np.int16]
    first: NDArray[np.int32]
    stop: NDArray[np.int32]
    level: NDArray[np.float32]
    fill: Ints


def draw_dates(rng: np.random.Generator, *, days: int, cadence: int, gaps: bool) -> Ints:
    """Return the days on which charts appear, (d,); the first and the last are never missing."""
    dates = np.arange(cadence - 1, days, cadence)
    if not len(dates):
        return np.array([days - 1])
    if gaps:
        start = rng.random(len(dates)) < rates.GAP_SHARE[cadence] / np.mean(rates.GAP_RUNS)
        missing = np.zeros(len(dates) + max(rates.GAP_RUNS), dtype=bool)
        for at, length in zip(np.flatnonzero(start), rng.choice(rates.GAP_RUNS, size=int(start.sum())), strict=True):
            missing[at : at + length] = True
        missing = missing[: len(dates)]
        missing[[0, -1]] = False
        dates = dates[~missing]
    return dates


def plan_chart(network: Network, chart: str, dates: Ints, *, cadence: int = 1, depth: int | None = None) -> Plan:
    """Return the plan of a chart; the smallest markets have a shallow chart unless `depth` is given."""
    m = len(network.markets)
    depths = np.full(m, depth or rates.DEPTHS[chart])
    if depth is None:
        shallow = rates.SHALLOW[chart]
        for place in range(min(len(shallow), round(rates.SHALLOW_SHARE * m))):
            depths[m - 1 - place] = shallow[place]
    return Plan(chart, cadence, dates, np.searchsorted(dates, network.launch), depths)


def draw_stays(rng: np.random.Generator, plan: Plan, arrivals: Arrivals, repertoire: Ints) -> tuple[Plan, Stays]:
    """Return the plan, deep enough for all entries of one date, and all stays on the chart.

    Parameters
    ----------
    arrivals
        Entries of new tracks, none after the last date.
    repertoire
        Numbers of the old tracks that fill the charts.
    """
    day = np.floor(arrivals.time)
    first = np.searchsorted(plan.dates, day)
    median, deviation = rates.STAYS[plan.chart, plan.cadence]
    length = np.exp(rng.normal(np.log(median), deviation, len(day)))
    stop = np.maximum(first + 1, np.searchsorted(plan.dates, day + np.ceil(length)))
    order = np.lexsort((first, arrivals.market))
    track, market = arrivals.track[order], arrivals.market[order]
    first, stop = first[order], stop[order]
    plan = _deepened(plan, market, first)
    fill = _fill(plan, market, first)
    old_market = np.repeat(np.arange(len(fill)), fill)
    old_track = np.concatenate([_popular(rng, repertoire, int(count)) for count in fill])
    return plan, Stays(
        track=np.concatenate([track, old_track]).astype(np.int32),
        market=np.concatenate([market, old_market]).astype(np.int16),
        first=np.concatenate([first, plan.first[old_market]]).astype(np.int32),
        stop=np.concatenate([stop, np.full(len(old_market), len(plan.dates))]).astype(np.int32),
        level=rng.random(len(track) + len(old_market), dtype=np.float32),
        fill=fill,
    )


def repertoire_size(plan: Plan) -> int:
    """Return the number of old tracks that fill the charts of all markets."""
    return max(int(plan.depth.max()), round(_REPERTOIRE * int(plan.depth.sum())))


def _fill(plan: Plan, market: Ints, first: Ints) -> Ints:
    """Return, (m,), the number of old tracks of each market: the rows its first chart lacks."""
    new = np.bincount(market[first == plan.first[market]], minlength=len(plan.depth))
    lacking: Ints = np.maximum(0, plan.depth - new)
    return lacking


def _popular(rng: np.random.Generator, repertoire: Ints, count: int) -> Ints:
    """Return `count` tracks of the repertoire; earlier ones are more likely."""
    drawn = rng.gumbel(size=len(repertoire)) - 0.8 * np.log1p(np.arange(len(repertoire)))
    chosen: Ints = repertoire[np.argsort(-drawn, kind="stable")[:count]]
    return chosen


@dataclass(slots=True)
class ChartMaker:
    """Makes the rows of one chart in blocks of dates; keeps the ranks of the last date for the trend.

    Attributes
    ----------
    plan, stays
        Dates and depths, and the stays on the chart.
    level_streams
        (m,): mean log of streams per chart.
    aggregate
        Whether the chart of all markets together is made too.
    """

    plan: Plan
    stays: Stays
    level_streams: Floats
    aggregate: bool
    rng: np.random.Generator
    _last: NDArray[np.int32] = field(init=False)
    _last_together: NDArray[np.int32] = field(init=False)
    _old: Ints = field(init=False)

    def __post_init__(self) -> None:
        self._last = np.zeros(len(self.stays.track), dtype=np.int32)
        self._last_together = np.zeros(int(self.stays.track.max(initial=0)) + 1, dtype=np.int32)
        new = len(self.stays.track) - int(self.stays.fill.sum())
        self._old = new + np.cumsum(self.stays.fill) - self.stays.fill

    def rows(self, begin: int, end: int) -> Rows:
        """Return the rows of the dates `begin` … `end` − 1 (indices); each call must start where the last one ended."""
        stay, index = self._present(begin, end)
        market = self.stays.market[stay]
        dates = end - begin
        group = market.astype(np.int64) * dates + (index - begin)
        level = self.stays.level[stay] * 0.9 + self.rng.normal(0.05, 0.02, len(stay)).astype(np.float32)
        order = _ordered(group, level)
        stay, index, market, group = stay[order], index[order], market[order], group[order]
        counts = np.bincount(group, minlength=len(self.plan.depth) * dates)
        rank = (np.arange(len(group)) - (np.cumsum(counts) - counts)[group] + 1).astype(np.int32)
        trend = self._trend(stay, index - begin, rank, dates)
        streams = self._streams(group, rank, dates) if self.plan.chart == "top200" else None
        day = self.plan.dates[index].astype(np.int32)
        rows = Rows(market, day, self.stays.track[stay], rank, streams, trend)
        return _joined(self._together(rows, index - begin, dates), rows) if self.aggregate else rows

    def _present(self, begin: int, end: int) -> tuple[Ints, NDArray[np.int32]]:
        """Return stay and date of each row: new tracks up to the depth, then old tracks that fill it."""
        stays, depth = self.stays, self.plan.depth
        new = len(stays.track) - int(stays.fill.sum())
        there = np.flatnonzero((stays.first[:new] < end) & (stays.stop[:new] > begin))
        low = np.maximum(stays.first[there], begin)
        count = np.minimum(stays.stop[there], end) - low
        stay = np.repeat(there, count)
        index = np.arange(len(stay)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
        dates = end - begin
        group = stays.market[stay].astype(np.int64) * dates + (index - begin)
        counts = np.bincount(group, minlength=len(depth) * dates)
        deep = np.repeat(depth, dates)
        if (counts > deep).any():
            keep = _newest(group, index - stays.first[stay], counts, deep)
            stay, index, counts = stay[keep], index[keep], np.minimum(counts, deep)
        open_ = (np.arange(begin, end)[None, :] >= self.plan.first[:, None]).ravel()
        lacking = np.where(open_, np.clip(deep - counts, 0, np.repeat(stays.fill, dates)), 0)
        place = np.repeat(np.arange(len(lacking)), lacking)
        old = np.repeat(self._old, dates)[place] + np.arange(len(place)) - (np.cumsum(lacking) - lacking)[place]
        return np.concatenate([stay, old]), np.concatenate([index, begin + place % dates]).astype(np.int32)

    def _trend(self, stay: Ints, date: NDArray[np.int32], rank: NDArray[np.int32], dates: int) -> NDArray[np.int8]:
        """Return the trend of each row against the date before; keep the ranks of the last date."""
        present, at = _distinct(stay, len(self._last))
        ranks = np.zeros((len(present), dates + 1), dtype=np.int32)
        ranks[:, 0] = self._last[present]
        ranks[at, date + 1] = rank
        self._last[:] = 0
        self._last[present] = ranks[:, -1]
        return _moves(rank, ranks[at, date])

    def _streams(self, group: Ints, rank: NDArray[np.int32], dates: int) -> NDArray[np.int64]:
        """Return log-normal streams that decrease with the rank."""
        deepest = int(rank.max(initial=1))
        curve = -rates.STREAMS_SLOPE * np.log(np.arange(1, deepest + 1))
        curve = (curve - curve.mean()).astype(np.float32)
        markets = len(self.plan.depth)
        by_date = np.repeat(self.level_streams, dates) + self.rng.normal(0, rates.STREAMS_SPREAD, markets * dates)
        logs = self.rng.standard_normal((markets * dates, deepest), dtype=np.float32)
        logs *= 0.05
        logs += curve
        logs += by_date.astype(np.float32)[:, None]
        logs = -np.sort(-logs, axis=1)
        streams: NDArray[np.int64] = np.exp(logs[group, rank - 1]).astype(np.int64)
        return np.maximum(streams, rates.STREAMS_LEAST)

    def _together(self, rows: Rows, date: NDArray[np.int32], dates: int) -> Rows:
        """Return the chart of all markets together, ranked by streams, or by ranks for a chart without streams."""
        depth = int(self.plan.depth.max())
        weight = rows.streams if rows.streams is not None else depth + 1 - rows.rank.astype(np.int64)
        tracks = len(self._last_together)
        key = ((date.astype(np.int64) * tracks + rows.track) << _ROW_BITS) | np.arange(len(date))
        key.sort()
        keys, order = key >> _ROW_BITS, key & ((1 << _ROW_BITS) - 1)
        begins = np.flatnonzero(np.diff(keys, prepend=-1))
        total = np.add.reduceat(weight[order], begins)
        pair = keys[begins]
        best = np.lexsort((pair, -total, pair // tracks))
        pair, total = pair[best], total[best]
        counts = np.bincount(pair // tracks, minlength=dates)
        rank = np.arange(len(pair)) - (np.cumsum(counts) - counts)[pair // tracks] + 1
        kept = rank <= depth
        pair, total, rank = pair[kept], total[kept], rank[kept].astype(np.int32)
        when, track = pair // tracks, (pair % tracks).astype(np.int32)
        days = np.zeros(dates, dtype=np.int32)
        days[date] = rows.day
        present, at = _distinct(track, tracks)
        ranks = np.zeros((len(present), dates + 1), dtype=np.int32)
        ranks[:, 0] = self._last_together[present]
        ranks[at, when + 1] = rank
        self._last_together[:] = 0
        self._last_together[present] = ranks[:, -1]
        streams = total if rows.streams is not None else None
        market = np.full(len(rank), -1, dtype=np.int16)
        return Rows(market, days[when], track, rank, streams, _moves(rank, ranks[at, when]))


def mean_log_streams(rng: np.random.Generator, population: Floats, cadence: int) -> Floats:
    """Return, (m,), the mean log of streams per chart, from the population."""
    intercept, slope = rates.STREAMS_BY_POPULATION
    noise = rng.normal(0, rates.STREAMS_MARKET_SPREAD, len(population))
    mean: Floats = intercept + slope * np.log(population) + noise + np.log(cadence)
    mean = mean.clip(np.log(rates.STREAMS_LEAST) + 0.3)
    return mean


def _deepened(plan: Plan, market: Ints, first: Ints) -> Plan:
    dates = len(plan.dates)
    news = np.bincount(market * dates + first, minlength=len(plan.depth) * dates)
    return replace(plan, depth=np.maximum(plan.depth, news.reshape(-1, dates).max(axis=1)))


def _newest(group: Ints, age: Ints, counts: Ints, deep: Ints) -> NDArray[np.bool_]:
    """Return which rows to keep where there are more than the depth: the tracks that came last."""
    keep = np.ones(len(group), dtype=bool)
    over = np.flatnonzero((counts > deep)[group])
    order = over[np.lexsort((over, age[over], group[over]))]
    inside = group[order]
    begins = np.flatnonzero(np.diff(inside, prepend=-1))
    place = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    keep[order[place >= deep[inside]]] = False
    return keep


def _distinct(values: NDArray[np.integer], size: int) -> tuple[Ints, Ints]:
    """Return the distinct values below `size`, in order, and the index of each value among them."""
    present = np.zeros(size, dtype=bool)
    present[values] = True
    return np.flatnonzero(present), (np.cumsum(present) - 1)[values]


def _ordered(group: Ints, level: NDArray[np.float32]) -> Ints:
    """Return the rows in order of group and level, as one sort of whole numbers."""
    steps = (level.clip(0, 1) * ((1 << _SCORE_BITS) - 1)).astype(np.int64)
    key = (group << (_SCORE_BITS + _ROW_BITS)) | (steps << _ROW_BITS) | np.arange(len(group))
    key.sort()
    return key & ((1 << _ROW_BITS) - 1)


def _moves(rank: NDArray[np.int32], before: NDArray[np.int32]) -> NDArray[np.int8]:
    return np.select([before == 0, rank < before, rank > before], [_NEW, _UP, _DOWN], _SAME).astype(np.int8)


def _joined(first: Rows, second: Rows) -> Rows:
    streams = None
    if first.streams is not None and second.streams is not None:
        streams = np.concatenate([first.streams, second.streams])
    return Rows(
        np.concatenate([first.market, second.market]),
        np.concatenate([first.day, second.day]),
        np.concatenate([first.track, second.track]),
        np.concatenate([first.rank, second.rank]),
        streams,
        np.concatenate([first.trend, second.trend]),
    )
