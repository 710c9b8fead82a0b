"""What charts have shown, in order of day, so that everything known by a date is a prefix of every array."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from diffusion import Calendar, Charts, Entries
from diffusion.arrays import Days, Ints
from diffusion.contracts.star import AGGREGATE
from diffusion.engine import OpenEngine
from diffusion.event_rules import EventRules
from diffusion.frames import frame_of
from diffusion.recordings import identity_table
from diffusion.timelines import NEVER, expanded
from pipelines.features.rows import Asked, ChartEnds, FirstEntries, Observed, Positions

ATTRIBUTES: Final = ("title", "artist", "explicit", "duration_ms", "release_date", "release_precision", "popularity")
"""Fields of a track that features and the audit know."""

GUESTS: Final = r"(?:\b(?:feat\.?|ft\.|featuring)|[\(\[](?:with|con))\s+([^\)\]\-]+)"
"""Names of guests in a title: "(feat. A & B)", "ft. A", "(with A)"."""


Rows = TypeVar("Rows", Positions, FirstEntries)


@dataclass(frozen=True, slots=True)
class History:
    """Charts as arrays in order of day; `until` returns what was known by a day as views, without a copy.

    Tracks have codes in order of their first row (then id), so that codes do not depend on later charts.

    Attributes
    ----------
    markets
        Codes of the m markets, in order.
    tracks
        One row per track, at its code: `track_id` and `ATTRIBUTES` (null where the source has none).
    first_seen
        (n,): day of the track's first row.
    artist
        (n,): code of the artist named first; a track of unknown artist has a code of its own.
    credits
        (2, k): codes of track and credited artist, in order of track; the primary artist comes first, then those named
        with it, then the guests that the title names.
    recording
        (n,): code of the recording: tracks of one normalised title and primary artist share it.
    positions
        Rows of the charts: of all tracks on all days, or those asked for (`with_rows`).
    ends
        Last position and streams of every chart.
    entries, observed
        First entries by the rules of the study, and coverage.
    withheld
        (2, w): codes of track and market without a licence, in order of track.
    rules
        Rules by which an event was recognised.
    coverage
        Coverage as `diffusion.contracts.COVERAGE`, in order of date and market.
    open_engine
        Function that opens an engine, for charts made from this history.
    """

    markets: tuple[str, ...]
    tracks: pd.DataFrame
    first_seen: Days
    artist: Ints
    credits: Ints
    recording: Ints
    positions: Positions
    ends: ChartEnds
    entries: FirstEntries
    observed: Observed
    withheld: Ints
    rules: EventRules
    coverage: pa.Table
    open_engine: OpenEngine = field(repr=False)

    @classmethod
    def of(cls, charts: Charts, entries: Entries) -> Self:
        """Return the history of one chart, with all its rows.

        Parameters
        ----------
        charts
            Charts that `entries` were made from.
        entries
            Entries by the rules of the study. With identity ``recording``, the rows of all ids of a recording count as
            rows of one track.
        """
        history = cls.without_rows(charts, entries)
        rows = charts.arrow("positions", chart=entries.rules.chart)
        return replace(history, positions=history._positions(rows, history._codes(charts)))

    @classmethod
    def without_rows(cls, charts: Charts, entries: Entries) -> Self:
        """Return the history of one chart but for `positions`, of which there are none; parameters as in `of`."""
        calendar, rules = entries.calendar, entries.rules
        markets = tuple(calendar.markets)
        described, firsts = charts.arrow("tracks"), charts.arrow("first_dates", chart=rules.chart)
        joined = identity_table(described.select(["track_id", "title", "artist"]), rules.identity)
        stands_for = pc.index_in(joined["identity"], described["track_id"]).to_numpy()
        track, day = firsts["track"].to_numpy(), firsts["first_date"].cast(pa.int32()).to_numpy()
        ids = described["track_id"].to_numpy(zero_copy_only=False)
        kept, first_seen = _by_first_day(stands_for[track], day, ids)
        # fields are those of the id that charted first: the id of a recording may be that of a later release
        table = described.take(_first_ids(stands_for, track, day, ids)[kept])
        table = table.set_column(table.column_names.index("track_id"), "track_id", described["track_id"].take(kept))
        tracks = frame_of(table.select(["track_id", *ATTRIBUTES]))
        primary, credits, recording = described_by(tracks)
        return cls(
            markets=markets,
            tracks=tracks,
            first_seen=first_seen,
            artist=primary,
            credits=credits,
            recording=recording,
            positions=Positions.none(),
            ends=_ends(charts.chart_ends(identity=rules.identity, chart=rules.chart), markets),
            entries=_first_entries(entries.table, tracks["track_id"], markets),
            observed=_observed(calendar.coverage, markets, rules.min_periods),
            withheld=_withheld(entries.withheld, tracks["track_id"], markets),
            rules=rules,
            coverage=calendar.coverage.sort_by([("date", "ascending"), ("market", "ascending")]),
            open_engine=charts.open_engine,
        )

    def with_rows(self, charts: Charts, asked: Asked) -> "History":
        """Return this history with the rows of some tracks on some days only, read from the charts it was made from."""
        code = self._codes(charts)
        own = np.flatnonzero(code >= 0)
        low, high = np.searchsorted(asked.track, code[own]), np.searchsorted(asked.track, code[own], side="right")
        place, sizes = expanded(low, high)
        track, day = np.repeat(own, sizes).astype(np.int32), asked.day[place]
        days = pa.table({"track": track, "date": pa.array(day).cast(pa.date32())})
        rows = charts.asked_positions(days, chart=self.rules.chart)
        return replace(self, positions=self._positions(rows, code))

    def _codes(self, charts: Charts) -> Ints:
        """Return the code of the track that every track of the charts counts as; −1 where it is not in this history."""
        described = charts.arrow("tracks").select(["track_id", "title", "artist"])
        identity = identity_table(described, self.rules.identity)["identity"]
        found = pc.index_in(identity, pa.array(self.tracks["track_id"], pa.string()))
        code: Ints = pc.fill_null(found, -1).to_numpy().astype(np.int64)
        return code

    def _positions(self, rows: pa.Table, code: Ints) -> Positions:
        """Return rows of the charts in order; `code` is the code of every track of the charts."""
        day = rows["date"].cast(pa.int32()).to_numpy()
        market = _market_codes(rows["market"], self.markets)
        track = code[rows["track"].to_numpy()].astype(np.int32)
        order = np.lexsort((rows["rank"].to_numpy(), track, market, day))
        # of several ids of one recording on one chart, the best position counts
        again = np.zeros(len(order), np.bool_)
        again[1:] = np.logical_and.reduce([np.diff(part[order]) == 0 for part in (day, market, track)])
        order = order[~again]
        rank, streams = rows["rank"].to_numpy()[order], _numbers(rows["streams"])[order]
        return Positions(day[order], market[order], track[order], rank, streams)

    @property
    def last_day(self) -> int:
        """Last day on which any market was observed."""
        return int(self.observed.day[-1])

    @property
    def first_day(self) -> int:
        """First day on which any market was observed."""
        return int(self.observed.day[0])

    @property
    def cadence(self) -> int:
        """Days from one chart to the next, as known by now: `diffusion.Calendar.cadence`."""
        return self.calendar.cadence

    @property
    def calendar(self) -> Calendar:
        """Coverage calendar, as known by now."""
        return Calendar(self.coverage)

    def as_entries(self) -> Entries:
        """Return the entries known by now, for the statistics of `graphs` and `survival`."""
        ids = pa.array(self.tracks["track_id"], pa.string())
        known = self.entries
        without = pa.array(known.last_without, mask=known.last_without == NEVER).cast(pa.date32())
        table = pa.table(
            {
                "track_id": ids.take(pa.array(known.track)),
                "market": pa.array(self.markets, pa.string()).take(pa.array(known.market)),
                "chart": pa.array([self.rules.chart] * len(known.day), pa.string()),
                "entry": pa.array(known.day).cast(pa.date32()),
                "last_without": without,
                "rank": known.rank,
                "streams": pa.array(known.streams, pa.float32(), from_pandas=True).cast(pa.int64()),
                "left_censored": ~known.timed,
            }
        )
        tracks = pa.table({"track_id": ids, "artist": pa.array(self.tracks["artist"], pa.string())})
        return Entries(table, self.calendar, self.rules, self._withheld(ids), tracks)

    def until(self, day: int) -> "History":
        """Return what was known at the end of a day."""
        n = int(np.searchsorted(self.first_seen, day, side="right"))
        observed = self.observed.between(self.first_day, day)
        return replace(
            self,
            tracks=self.tracks.iloc[:n],
            first_seen=self.first_seen[:n],
            artist=self.artist[:n],
            credits=self.credits[:, : np.searchsorted(self.credits[0], n)],
            recording=self.recording[:n],
            positions=self.positions.between(self.first_day, day),
            ends=self.ends.between(self.first_day, day),
            entries=self.entries.between(self.first_day, day),
            observed=observed,
            withheld=self.withheld[:, : np.searchsorted(self.withheld[0], n)],
            coverage=self.coverage.slice(0, len(observed.day)),
        )

    def since(self, day: int) -> "History":
        """Return what charts show from a day on, of the tracks first seen from then on; markets keep their coverage."""
        n = int(np.searchsorted(self.first_seen, day))
        tracks = self.tracks.iloc[n:].reset_index(drop=True)
        artist, credits, recording = described_by(tracks)
        positions, entries = self.positions.between(day, self.last_day), self.entries.between(day, self.last_day)
        track, market = self.withheld[:, np.searchsorted(self.withheld[0], n) :]
        observed = self.observed.between(day, self.last_day)
        return replace(
            self,
            tracks=tracks,
            first_seen=self.first_seen[n:],
            artist=artist,
            credits=credits,
            recording=recording,
            positions=_recoded(positions, n),
            ends=self.ends.between(day, self.last_day),
            entries=_recoded(entries, n),
            observed=observed,
            withheld=np.stack([track - n, market]),
            coverage=self.coverage.slice(self.coverage.num_rows - len(observed.day)),
        )

    def _withheld(self, ids: pa.Array) -> pa.Table:
        track, market = self.withheld
        return pa.table(
            {
                "track_id": ids.take(pa.array(track)),
                "market": pa.array(self.markets, pa.string()).take(pa.array(market)),
            }
        )


def _recoded(rows: Rows, first: int) -> Rows:
    """Return the rows of the tracks from code `first` on, with codes that count from it."""
    kept = rows.track >= first
    values = {name: getattr(rows, name)[kept] for name in rows.__slots__}
    return type(rows)(**values | {"track": values["track"] - np.int32(first)})


def _by_first_day(source: Ints, day: Days, ids: NDArray[np.object_]) -> tuple[Ints, Days]:
    """Return the tracks that have a first day, in order of it and of their ids, and their first days."""
    first = np.full(len(ids), np.iinfo(np.int32).max, np.int32)
    np.minimum.at(first, source, day)
    order = np.lexsort((ids, first))
    order = order[first[order] < np.iinfo(np.int32).max]
    return order, first[order]


def _first_ids(stands_for: Ints, track: Ints, day: Days, ids: NDArray[np.object_]) -> Ints:
    """Return, for the id of every recording, its id that charted first, the least of several."""
    first = np.full(len(ids), np.iinfo(np.int32).max, np.int32)
    np.minimum.at(first, track, day)
    order = np.lexsort((ids, first))[::-1]
    earliest = np.arange(len(ids))
    earliest[stands_for[order]] = order  # the last stays
    return earliest


def described_by(tracks: pd.DataFrame) -> tuple[Ints, Ints, Ints]:
    """Return `History.artist`, `History.credits` and `History.recording` of tracks in order of code."""
    primary, credits = _artists(tracks)
    names = {name: pa.array(tracks[name], pa.string()) for name in ("track_id", "title", "artist")}
    work = identity_table(pa.table(names), "recording")
    return primary, credits, _numbered(pc.index_in(work["identity"], names["track_id"]).to_numpy())


def _numbered(values: Ints) -> Ints:
    """Return the number of every value, from 0 in order of first appearance."""
    _, first, back = np.unique(values, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[back]


def _artists(tracks: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return the code of every track's primary artist, and track and artist of every credit, in order."""
    names = _names(tracks["artist"], ",")
    own = pd.Series([f"\x1f{track}" for track in names.index], names.index)
    names = names.where(names != "", own)  # unknown: a code of its own
    guests = _names(tracks["title"].str.extract(GUESTS, flags=re.IGNORECASE, expand=False), r",|&|\s+and\s+")
    names = pd.concat([names, guests[guests != ""]]).sort_index(kind="stable")
    names = names[~pd.MultiIndex.from_arrays([names.index, names]).duplicated()]
    codes = pd.factorize(names)[0].astype(np.int64)
    track = names.index.to_numpy(np.int64)
    starts = np.searchsorted(track, np.arange(len(tracks)))
    return codes[starts], np.stack([track, codes])


def _names(listed: "pd.Series[str]", separator: str) -> "pd.Series[str]":
    """Return the names of lists, in lower case, with the index of their list; an empty name for an empty list."""
    return listed.fillna("").str.lower().str.split(separator, regex=True).explode().str.strip()


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float32]:
    """Return numbers as floats, NaN where null."""
    numbers: NDArray[np.float32] = pc.fill_null(column.cast(pa.float32(), safe=False), np.nan).to_numpy()
    return numbers


def _market_codes(column: pa.ChunkedArray, markets: Sequence[str]) -> NDArray[np.int16]:
    """Return the index of every market; that after the last for Global."""
    codes: NDArray[np.int16] = pc.index_in(column, pa.array([*markets, AGGREGATE], pa.string())).to_numpy()
    return codes.astype(np.int16)


def _ends(table: pa.Table, markets: Sequence[str]) -> ChartEnds:
    day, market = table["date"].cast(pa.int32()).to_numpy(), _market_codes(table["market"], markets)
    order = np.lexsort((market, day))
    rank, streams = table["last_rank"].to_numpy(), table["streams"].to_numpy()
    return ChartEnds(day[order], market[order], rank[order], streams[order])


def _first_entries(table: pa.Table, ids: "pd.Series[str]", markets: Sequence[str]) -> FirstEntries:
    track = pc.index_in(table["track_id"], pa.array(ids, pa.string())).to_numpy()
    market = pc.index_in(table["market"], pa.array(markets, pa.string())).to_numpy()
    day = table["entry"].cast(pa.int32()).to_numpy()
    order = np.lexsort((market, track, day))
    without = pc.fill_null(table["last_without"].cast(pa.int32()), int(NEVER)).to_numpy()
    return FirstEntries(
        day=day[order],
        track=track[order].astype(np.int32),
        market=market[order].astype(np.int16),
        rank=table["rank"].to_numpy()[order],
        streams=_numbers(table["streams"])[order],
        last_without=without[order],
        timed=~table["left_censored"].to_numpy()[order],
    )


def _observed(coverage: pa.Table, markets: Sequence[str], min_periods: int) -> Observed:
    frame = frame_of(coverage).sort_values(["date", "market"])
    stretch = frame.groupby(["market", "span"])["date"]
    late = stretch.cumcount() >= min_periods - 1
    opened, datable = stretch.transform("min"), frame["date"].where(late).groupby([frame["market"], frame["span"]])
    day, first, dated = (
        dates.to_numpy().astype("datetime64[D]").astype(np.int64).astype(np.int32)
        for dates in (frame["date"], opened, datable.transform("min"))
    )
    return Observed(
        day=day,
        market=pd.Index(markets).get_indexer(pd.Index(frame["market"])).astype(np.int16),
        opened=first,
        datable=np.where(late, dated, np.iinfo(np.int32).max).astype(np.int32),
        depth=frame["depth"].to_numpy(np.int32),
    )


def _withheld(table: pa.Table, ids: "pd.Series[str]", markets: Sequence[str]) -> Ints:
    track = pc.fill_null(pc.index_in(table["track_id"], pa.array(ids, pa.string())), -1).to_numpy()
    market = pc.fill_null(pc.index_in(table["market"], pa.array(markets, pa.string())), -1).to_numpy()
    pairs = np.stack([track, market]).astype(np.int64)[:, (track >= 0) & (market >= 0)]
    return pairs[:, np.lexsort(pairs[::-1])]
