"""Entries as arrays, for statistics on whole graphs."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from diffusion.arrays import Days, Ints
from diffusion.display import Displayed

NEVER: Final = np.int32(-(1 << 30))
"""Marks a missing day: the market has no observed date before its first."""

NOT_ENTERED: Final = np.int32(1 << 30)
"""Marks the day of an entry that was not observed."""


@dataclass(frozen=True, slots=True, repr=False)
class Timelines(Displayed):
    """Each track's entries in order of day, and when each market was observed. Days count from 1970-01-01.

    Attributes
    ----------
    markets
        Codes of the m markets of the calendar, in order; arrays refer to them by index.
    track_ids
        Ids of the n tracks, in order.
    starts
        (n + 1,): the entries of track i are ``starts[i]:starts[i + 1]``, in order of day, then market.
    track, market
        (k,): index of the entry's track and market.
    day
        (k,): day of the entry.
    last_without
        (k,): the market's observed day before the entry, by which the event had not happened; `NEVER` at its first.
    left_censored
        (k,): whether the entry falls within the market's washout.
    debut
        (n,): day of the track's earliest entry.
    debut_censored
        (n,): whether all entries of that day are left-censored; no timed analysis uses the track.
    cluster
        (n,): number of the track's cluster, 0 … c − 1: tracks of one primary artist. A track of unknown artist is its
        own cluster.
    span_market, span_first, span_last
        (s,): the stretches of coverage without a long gap in which an event can be dated, in order of market and day.
    washout
        Days after the first day of a stretch within which entries are left-censored.
    cadence
        Days from one chart to the next.
    """

    markets: tuple[str, ...]
    track_ids: NDArray[np.object_]
    starts: NDArray[np.int64]
    track: NDArray[np.int32]
    market: NDArray[np.int16]
    day: Days
    last_without: Days
    left_censored: NDArray[np.bool_]
    debut: Days
    debut_censored: NDArray[np.bool_]
    cluster: NDArray[np.int64]
    span_market: NDArray[np.int16]
    span_first: Days
    span_last: Days
    washout: int
    cadence: int

    @classmethod
    def of(
        cls, entries: pa.Table, artists: pa.Table, spans: pa.Table, *, markets: list[str], washout: int, cadence: int
    ) -> Self:
        """Return the timelines of entries.

        Parameters
        ----------
        entries
            As `diffusion.contracts.ENTRIES`.
        artists
            `track_id`, `artist` (credited artists joined by ``", "``) of any tracks.
        spans
            As `diffusion.contracts.SPANS`: result of `Calendar.arrow`.
        markets
            Codes of all markets of the calendar, in order.
        """
        ids = np.sort(pc.unique(entries["track_id"]).to_numpy(zero_copy_only=False))
        track = pc.index_in(entries["track_id"], pa.array(ids, pa.string())).to_numpy()
        codes = pa.array(markets, pa.string())
        market = pc.index_in(entries["market"], codes).to_numpy()
        day = _days(entries["entry"])
        order = np.lexsort((market, day, track))
        track, market, day = track[order].astype(np.int32), market[order].astype(np.int16), day[order]
        censored = entries["left_censored"].to_numpy(zero_copy_only=False)[order]
        starts = np.searchsorted(track, np.arange(len(ids) + 1))
        debut = day[starts[:-1]] if len(ids) else day
        timed_debut = np.bincount(track[~censored & (day == debut[track])], minlength=len(ids)) > 0
        place = np.lexsort((_days(spans["first_date"]), pc.index_in(spans["market"], codes).to_numpy()))
        return cls(
            markets=tuple(markets),
            track_ids=ids,
            starts=starts,
            track=track,
            market=market,
            day=day,
            last_without=_days(entries["last_without"])[order],
            left_censored=censored,
            debut=debut,
            debut_censored=~timed_debut,
            cluster=distinct(primary_artists(ids, artists)),
            span_market=pc.index_in(spans["market"], codes).to_numpy()[place].astype(np.int16),
            span_first=_days(spans["first_date"])[place],
            span_last=_days(spans["last_date"])[place],
            washout=washout,
            cadence=cadence,
        )

    def _facts(self) -> str:
        return f": {len(self.day):,} entries of {len(self.track_ids):,} tracks in {len(self.markets)} markets"

    @property
    def timed(self) -> NDArray[np.bool_]:
        """(k,): whether the entry is timed, and its track's debut too."""
        return ~self.left_censored & ~self.debut_censored[self.track]

    def span_of(self, market: NDArray[np.integer], day: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return for each market and day the index of the stretch of coverage that has the day, −1 where none has."""
        # market and day become one sortable number; days stay far below 2^31
        key = self.span_market.astype(np.int64) << 32
        at = np.searchsorted(key + self.span_first, (market.astype(np.int64) << 32) + day, side="right") - 1
        inside = (at >= 0) & (self.span_market[at] == market) & (day <= self.span_last[at])
        return np.where(inside, at, -1)


def expanded(start: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Return the indices of all ranges, one range after the other, and the size of each; ranges may be empty."""
    sizes = np.maximum(stop - start, 0)
    before = np.cumsum(sizes) - sizes
    places = np.repeat(start - before, sizes)
    places += np.arange(len(places))
    return places, sizes


def _days(dates: pa.ChunkedArray) -> Days:
    """Return dates as days since 1970-01-01, `NEVER` where the date is missing."""
    days: Days = pc.fill_null(dates.cast(pa.int32()), int(NEVER)).to_numpy().astype(np.int32)
    return days


def primary_artists(ids: NDArray[np.object_], artists: pa.Table) -> pa.ChunkedArray | pa.Array:
    """Return the artist named first of every track, in lower case; a track without one gets a name of its own.

    Parameters
    ----------
    ids
        Ids of the tracks.
    artists
        `track_id`, `artist` (credited artists joined by ``", "``) of any tracks.
    """
    at = pc.index_in(pa.array(ids, pa.string()), artists["track_id"])
    artist = artists["artist"].take(at) if artists.num_rows else pa.nulls(len(ids), pa.string())
    primary = pc.utf8_trim_whitespace(pc.utf8_lower(pc.replace_substring_regex(artist, r",.*$", "")))
    known = pc.fill_null(pc.greater(pc.utf8_length(primary), 0), False)
    own = pc.binary_join_element_wise("\x1f", pa.array(ids, pa.string()), "")
    return pc.if_else(known, primary, own)


def distinct(names: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
    """Return the number of every name, from 0 in order of first appearance."""
    codes = names.dictionary_encode()
    codes = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
    numbers: NDArray[np.int64] = codes.indices.to_numpy().astype(np.int64)
    return numbers
