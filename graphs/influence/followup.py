"""Who is at risk of entering a market, from when to when, and who sends to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from diffusion.entries import Entries
from diffusion.errors import DataSaysNoError
from diffusion.timelines import NEVER, Days, Timelines

Index = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

OUT: Final = np.int32(-(1 << 29))
"""Day before all days: where no track is at risk."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """The n timed tracks and what they did, numbered anew. Days count from 1970-01-01.

    Attributes
    ----------
    markets
        Codes of the m markets.
    track_ids
        (n,).
    debut
        (n,): day of the first entry.
    footprint
        (n,): markets entered on that day.
    cluster
        (n,): number of the track's cluster, from 0 without holes.
    starts
        (n + 1,): senders of track i stand at ``starts[i]:starts[i + 1]``.
    sender_track, sender_market, sender_day, sender_since
        (k,): the timed entries, which can send; the last is the market's observed day before.
    entries
        For every market all entries of timed tracks.
    withheld
        For every market the tracks without a licence there.
    observed
        For every market the days on which it was observed, in order.
    spans
        For every market (s, 2): first and last day of its stretches without a long gap.
    washout, cadence
        Days.
    """

    markets: tuple[str, ...]
    track_ids: NDArray[np.object_]
    debut: Days
    footprint: Index
    cluster: Index
    starts: Index
    sender_track: Index
    sender_market: Index
    sender_day: Days
    sender_since: Days
    entries: tuple["MarketEntries", ...]
    withheld: tuple[Index, ...]
    observed: tuple[Days, ...]
    spans: tuple[Days, ...]
    washout: int
    cadence: int

    @classmethod
    def of(cls, entries: Entries) -> Self:
        """Return the timed tracks of entries.

        Raises
        ------
        DataSaysNoError
            When no track is timed, or there is one market only.
        """
        lines = entries.timelines
        if len(lines.markets) < 2:
            raise DataSaysNoError("the charts are of one market only, and nothing can go from it to another")
        kept = ~lines.debut_censored
        if not kept.any():
            raise DataSaysNoError("no track has a timed debut; every debut falls within the washout")
        number = np.where(kept, np.cumsum(kept) - 1, -1)
        timed = lines.timed
        sender_track = number[lines.track[timed]]
        at_debut = lines.day == lines.debut[lines.track]
        return cls(
            markets=lines.markets,
            track_ids=lines.track_ids[kept],
            debut=lines.debut[kept],
            footprint=np.bincount(lines.track[at_debut], minlength=len(kept))[kept],
            cluster=np.unique(lines.cluster[kept], return_inverse=True)[1],
            starts=np.searchsorted(sender_track, np.arange(int(kept.sum()) + 1)),
            sender_track=sender_track,
            sender_market=lines.market[timed].astype(np.int64),
            sender_day=lines.day[timed],
            sender_since=lines.last_without[timed],
            entries=tuple(MarketEntries.of(lines, number, market) for market in range(len(lines.markets))),
            withheld=_withheld(entries, lines.track_ids, number),
            observed=_observed(entries),
            spans=_spans(lines),
            washout=lines.washout,
            cadence=lines.cadence,
        )


@dataclass(frozen=True, slots=True)
class MarketEntries:
    """Entries of timed tracks into one market: track, day, the market's observed day before, and whether timed."""

    track: Index
    day: Days
    since: Days
    timed: Flags

    @classmethod
    def of(cls, lines: Timelines, number: Index, market: int) -> Self:
        mine = np.flatnonzero((lines.market == market) & (number[lines.track] >= 0))
        return cls(number[lines.track[mine]], lines.day[mine], lines.last_without[mine], ~lines.left_censored[mine])


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The risk set of one market.

    At risk are the intervals between observed days from `begin` on (the debut, or the last observed day of the washout)
    up to `stop`: for tracks that enter, the observed day before, and the interval up to the entry is the event; for the
    others the last observed day within the horizon and the stretch of coverage.

    Attributes
    ----------
    begin, stop
        (n,): days; `stop` is `OUT` where the track is never at risk.
    track, since, day
        (k,): the events: track, and the interval (since, day] in which it entered.
    first
        Day that `next_day` starts with.
    next_day
        The first observed day on or after each day; far in the future after the last.
    """

    begin: Days
    stop: Days
    track: Index
    since: Days
    day: Days
    first: int
    next_day: Days

    def sends_from(self, tracks: Tracks, lag_end: int) -> tuple[Index, Days, Days]:
        """Return which senders are followed up in intervals without event, and from which lag to which.

        Parameters
        ----------
        lag_end
            Days; lags are cut off there.

        Returns
        -------
        tuple of arrays
            Positions of the senders, first and last lag (days).
        """
        stop = self.stop[tracks.sender_track]
        at = np.flatnonzero(tracks.sender_day < stop)
        track, day = tracks.sender_track[at], tracks.sender_day[at]
        begin = self.next_day[np.maximum(day, self.begin[track]) - self.first]
        # a debut between two observed days begins nothing: the sender's first interval starts on an observed one
        kept = np.flatnonzero(begin < stop[at])
        at, begin = at[kept], begin[kept]
        day = tracks.sender_day[at]
        low, high = np.minimum(begin - day, lag_end), np.minimum(stop[at] - day, lag_end)
        followed = low < high
        return at[followed], low[followed], high[followed]


def follow_up(tracks: Tracks, market: int, horizon: int) -> FollowUp:
    """Return the risk set of a market, tracks being followed for `horizon` days after their debut."""
    observed, spans, washout = tracks.observed[market], tracks.spans[market], tracks.washout
    first = int(tracks.debut.min())
    length = max(int(tracks.sender_day.max()), int(spans.max())) - first + 2
    ahead = np.append(observed, np.int32(1 << 30))
    next_day = ahead[np.searchsorted(observed, np.arange(first, first + length))]
    long = spans[spans[:, 0] + washout <= spans[:, 1]]
    begin, stop = np.full(len(tracks.debut), OUT), np.full(len(tracks.debut), OUT)
    if len(long):
        span = np.searchsorted(long[:, 1], tracks.debut, side="right")
        chosen = long[np.minimum(span, len(long) - 1)]
        risk = (span < len(long)) & (chosen[:, 0] + washout <= tracks.debut + horizon)
        washed = observed[np.searchsorted(observed, np.maximum(chosen[:, 0] + washout, chosen[:, 0] + 1)) - 1]
        last = np.minimum(chosen[:, 1], tracks.debut + horizon)
        begin[risk] = np.maximum(tracks.debut, washed)[risk]
        at = np.searchsorted(observed, last, side="right") - 1
        stop[risk] = np.where(at >= 0, observed[np.maximum(at, 0)], OUT)[risk]
    stop[stop <= begin] = OUT
    stop[tracks.withheld[market]] = OUT
    return _with_events(tracks, market, begin, stop, first, next_day)


def _with_events(tracks: Tracks, market: int, begin: Days, stop: Days, first: int, next_day: Days) -> FollowUp:
    own = tracks.entries[market]
    at_risk, start, end = stop[own.track] != OUT, begin[own.track], stop[own.track]
    before = at_risk & (own.day <= start)
    event = at_risk & (own.day > start) & (own.day <= end)
    stop[own.track[before]] = OUT
    stop[own.track[event]] = own.since[event]
    return FollowUp(begin, stop, own.track[event], own.since[event], own.day[event], first, next_day)


def flat_ranges(low: Index, high: Index) -> tuple[Index, Index]:
    """Return all positions of the ranges, one after the other, and the number of the range of each.

    Examples
    --------
    >>> [part.tolist() for part in flat_ranges(np.array([3, 9]), np.array([5, 10]))]
    [[3, 4, 9], [0, 0, 1]]
    """
    size = high - low
    owner = np.repeat(np.arange(len(low)), size)
    return np.arange(len(owner)) - np.repeat(np.cumsum(size) - size, size) + low[owner], owner


def _observed(entries: Entries) -> tuple[Days, ...]:
    coverage = entries.calendar.coverage
    market = pc.index_in(coverage["market"], pa.array(entries.calendar.markets, pa.string())).to_numpy()
    day = coverage["date"].cast(pa.int32()).to_numpy()
    return tuple(np.sort(day[market == code]) for code in range(len(entries.calendar.markets)))


def _spans(lines: Timelines) -> tuple[Days, ...]:
    both = np.column_stack([lines.span_first, lines.span_last])
    return tuple(both[lines.span_market == market] for market in range(len(lines.markets)))


def _withheld(entries: Entries, ids: Sequence[str] | NDArray[np.object_], number: Index) -> tuple[Index, ...]:
    markets = entries.calendar.markets
    if not entries.withheld.num_rows:
        return tuple(np.zeros(0, np.int64) for _ in markets)
    track = pc.fill_null(pc.index_in(entries.withheld["track_id"], pa.array(ids, pa.string())), -1).to_numpy()
    known = np.append(number, -1)[track]
    market = pc.fill_null(pc.index_in(entries.withheld["market"], pa.array(markets, pa.string())), -1).to_numpy()
    return tuple(known[(market == code) & (known >= 0)] for code in range(len(markets)))


def unordered(since: Days, day: Days, other_since: Days, other_day: Days) -> Flags:
    """Return whether neither order of two entries was observed."""
    first = (day <= other_since) & (other_since != NEVER)
    second = (other_day <= since) & (since != NEVER)
    neither: Flags = ~(first | second)
    return neither
