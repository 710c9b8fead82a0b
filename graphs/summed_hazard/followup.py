"""Risk sets of every market on its observed days, and the earlier entries that add to their hazard (senders)."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from diffusion.arrays import Days, Flags, Ints
from diffusion.entries import Entries
from diffusion.errors import DataSaysNoError
from diffusion.risk.follow_up import UNSEEN, FollowUp
from diffusion.risk.risk_set import OwnEntries, risk_set, withheld_markets
from diffusion.timelines import NEVER, Timelines

OUT: Final = np.int32(-(1 << 29))
"""A day before all days; it marks tracks that are never at risk."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """The n timed tracks and their entries, with new numbers. Days count from 1970-01-01.

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
        (k,): the timed entries, each a possible sender: track, market, day, and the market's last observed day before.
    entries
        Entries of timed tracks, per market.
    lines
        Entries of all tracks as arrays.
    withheld
        Tracks without a licence, per market.
    observed
        Observed days in order, per market.
    spans
        (s, 2) per market: first and last day of each stretch of coverage without a long gap.
    washout, cadence
        Days.
    """

    markets: tuple[str, ...]
    track_ids: NDArray[np.object_]
    debut: Days
    footprint: Ints
    cluster: Ints
    starts: Ints
    sender_track: Ints
    sender_market: Ints
    sender_day: Days
    sender_since: Days
    entries: tuple["MarketEntries", ...]
    lines: Timelines
    withheld: tuple[Ints, ...]
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
            lines=lines,
            withheld=_withheld(entries, lines, kept),
            observed=_observed(entries),
            spans=_spans(lines),
            washout=lines.washout,
            cadence=lines.cadence,
        )


@dataclass(frozen=True, slots=True)
class MarketEntries:
    """Entries of timed tracks into one market: track, day, the market's observed day before, and whether timed.

    `number` is that of the entry in `Timelines`.
    """

    track: Ints
    day: Days
    since: Days
    timed: Flags
    number: Ints

    @classmethod
    def of(cls, lines: Timelines, number: Ints, market: int) -> Self:
        mine = np.flatnonzero((lines.market == market) & (number[lines.track] >= 0))
        timed = ~lines.left_censored[mine]
        return cls(number[lines.track[mine]], lines.day[mine], lines.last_without[mine], timed, mine)


@dataclass(frozen=True, slots=True)
class ObservedRisk:
    """The risk set of one market on the days on which it was observed.

    A track is at risk in the intervals between observed days from `begin` (its debut, or the last observed day of the
    washout) to `stop`. For a track that enters, `stop` is the last observed day before the entry, and the interval from
    there to the entry is the event. For other tracks it is the last observed day within horizon and coverage.

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
    track: Ints
    since: Days
    day: Days
    first: int
    next_day: Days

    def sends_from(self, tracks: Tracks, lag_end: int) -> tuple[Ints, Days, Days]:
        """Return the senders with follow-up in intervals without event, and the first and last lag of this follow-up.

        Parameters
        ----------
        lag_end
            Longest lag in days; longer ones are cut to it.

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


def observed_risk(tracks: Tracks, market: int, horizon: int) -> ObservedRisk:
    """Return the risk set of a market; tracks are followed for `horizon` days after their debut.

    It is the risk set of the waits (`diffusion.risk`), with its days moved to observed days.
    """
    observed, spans, own = tracks.observed[market], tracks.spans[market], tracks.entries[market]
    first = int(tracks.debut.min())
    length = max(int(tracks.sender_day.max()), int(spans.max())) - first + 2
    ahead = np.append(observed, np.int32(1 << 30))
    next_day = ahead[np.searchsorted(observed, np.arange(first, first + length))]
    waits = FollowUp.of_waits(tracks.lines, horizon).only(market)
    entries = OwnEntries(own.track, np.zeros_like(own.track), own.number)
    withheld = tracks.withheld[market], np.zeros_like(tracks.withheld[market])
    risk = risk_set(tracks.lines, waits, tracks.debut, entries, own.day, withheld)
    begin, stop = np.full(len(tracks.debut), OUT), np.full(len(tracks.debut), OUT)
    at = np.flatnonzero(risk.days[:, 0] != UNSEEN)
    debut, start, days = tracks.debut[at], risk.start[at, 0], risk.days[at, 0]
    # the interval before the first observed day at risk; the first day of a stretch ends none
    stretch = spans[np.searchsorted(spans[:, 0], debut + start + 1, side="right") - 1, 0]
    washed = observed[np.maximum(np.searchsorted(observed, debut + start, side="right") - 1, 0)]
    begin[at] = np.maximum(debut, np.maximum(stretch, washed))
    stop[at] = observed[np.searchsorted(observed, debut + days, side="right") - 1]
    stop[stop <= begin] = OUT
    seen = stop[risk.event_row] != OUT
    track, number = risk.event_row[seen], risk.event_entry[seen]
    stop[track] = tracks.lines.last_without[number]
    return ObservedRisk(begin, stop, track, stop[track], tracks.lines.day[number], first, next_day)


def flat_ranges(low: Ints, high: Ints) -> tuple[Ints, Ints]:
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


def _withheld(entries: Entries, lines: Timelines, kept: Flags) -> tuple[Ints, ...]:
    table = withheld_markets(lines, entries.withheld)[kept].tocsc()
    return tuple(own.astype(np.int64) for own in np.split(table.indices, table.indptr[1:-1]))


def unordered(since: Days, day: Days, other_since: Days, other_day: Days) -> Flags:
    """Return whether neither order of two entries was observed."""
    first = (day <= other_since) & (other_since != NEVER)
    second = (other_day <= since) & (since != NEVER)
    neither: Flags = ~(first | second)
    return neither
