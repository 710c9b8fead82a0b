"""Charts whose later rows are deleted or poisoned, and read anew: nothing of the true later charts is left in them."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from diffusion import open_charts
from diffusion.arrays import Days, Ints
from diffusion.contracts.star import AGGREGATE, AVAILABILITY, OBSERVATIONS, TRACKS
from diffusion.engine import OpenEngine
from diffusion.event_rules import EventRules
from pipelines.features.history import ATTRIBUTES, History

_NO_MARKET: Final = "--"
"""Stands in a list of licences that names no market of the charts, so that the list is known."""

_TIMES: Final = 2
"""Poisoned rows per true later row."""

_LEAST: Final = 400
"""Least number of poisoned rows."""

_NONSENSE: Final = ("~ñøṅśéñšë", "Fever (feat. ~)", "  ", "🎵\u0301", "NULL, ~")
"""Titles and artists of poisoned tracks, beside those of true ones."""


@dataclass(frozen=True, slots=True)
class ChartRows:
    """All that a history is read from.

    Attributes
    ----------
    day, track, rank, streams
        (r,): rows, as in `pipelines.features.history.Positions`.
    market
        (r,): index into `markets`.
    markets
        Codes of the markets, and Global.
    tracks
        One row per track, at its code: `track_id` and the attributes.
    withheld
        (2, w): codes of track and market without a licence.
    rules
        Rules by which an event is recognised.
    open_engine
        Function that opens the engine for the charts.
    """

    day: Days
    market: NDArray[np.int16]
    track: NDArray[np.int32]
    rank: NDArray[np.int32]
    streams: NDArray[np.float32]
    markets: tuple[str, ...]
    tracks: pd.DataFrame
    withheld: Ints
    rules: EventRules
    open_engine: OpenEngine

    @classmethod
    def of(cls, history: History, *, most: int, rng: np.random.Generator) -> Self:
        """Return the rows of a history; of so many artists, drawn at random, that there are not more than `most`."""
        rows = history.positions
        artist = history.artist[rows.track]
        sizes = np.bincount(artist, minlength=history.artist.max() + 1)
        order = rng.permutation(len(sizes))
        within = np.cumsum(sizes[order]) <= max(most, sizes[order[0]])
        chosen = np.zeros(len(sizes), np.bool_)
        chosen[order[within]] = True
        at = chosen[artist]
        return cls(
            day=rows.day[at],
            market=rows.market[at],
            track=rows.track[at],
            rank=rows.rank[at],
            streams=rows.streams[at],
            markets=(*history.markets, AGGREGATE),
            tracks=history.tracks,
            withheld=history.withheld,
            rules=history.rules,
            open_engine=history.open_engine,
        )

    def until(self, day: int) -> "ChartRows":
        """Return the rows of the days up to and including `day`; what comes later is deleted."""
        return self._where(self.day <= day)

    def poisoned(self, day: int, *, rng: np.random.Generator) -> "ChartRows":
        """Return the rows up to `day`, and nonsense after it, more of it than there was truth.

        The later charts of the same markets have other dates, depths, tracks, ranks and streams; their new tracks carry
        the titles and artists of earlier ones, and text that is none. What the source tells later is poisoned too:
        `with_other_snapshots`.
        """
        known = self.with_other_snapshots(day, rng=rng).until(day)
        seen = np.unique(known.track)
        fresh = max(20, len(seen) // 4)
        tracks = pd.concat([known.tracks, _nonsense(known.tracks.iloc[seen], fresh, rng)], ignore_index=True)
        pool = np.concatenate([seen, np.arange(len(known.tracks), len(tracks))])
        later = np.unique(self.day[self.day > day])
        dates = np.unique(np.concatenate([later[rng.random(len(later)) < 0.7], day + rng.integers(1, 60, 6)]))
        places = np.unique(self.market)
        size = max(_TIMES * int((self.day > day).sum()), _LEAST)
        # every market has a later chart, so that there are as many markets as in truth
        charts = np.concatenate([places, rng.choice(places, size)])
        drawn = np.stack([rng.choice(dates, len(charts)), charts, rng.choice(pool, len(charts))])
        new_day, new_market, new_track = np.unique(drawn, axis=1)
        chart = np.flatnonzero(np.diff(new_day, prepend=-1) | np.diff(new_market, prepend=-1))
        start = np.repeat(chart, np.diff(chart, append=len(new_day)))
        streams = rng.integers(0, 10**7, len(new_day)).astype(np.float32)
        return replace(
            known,
            day=np.concatenate([known.day, new_day]).astype(np.int32),
            market=np.concatenate([known.market, new_market]).astype(np.int16),
            track=np.concatenate([known.track, new_track]).astype(np.int32),
            rank=np.concatenate([known.rank, np.arange(len(new_day)) - start + 1]).astype(np.int32),
            streams=np.concatenate([known.streams, np.where(rng.random(len(streams)) < 0.2, np.nan, streams)]),
            tracks=tracks,
        )

    def with_other_snapshots(self, day: int, *, rng: np.random.Generator) -> "ChartRows":
        """Return the rows with other values of what was not known on `day`: popularity, and releases after it."""
        tracks = self.tracks.copy()
        tracks["popularity"] = pd.array(rng.integers(0, 101, len(tracks)), "Int32")
        release = tracks["release_date"].to_numpy("datetime64[D]").copy()
        after = release > np.datetime64(day, "D")
        release[after] = np.datetime64(day, "D") + rng.integers(1, 4_000, int(after.sum()))
        tracks["release_date"] = release.astype("datetime64[s]")
        return replace(self, tracks=tracks)

    def with_other_places(self, day: int, *, rng: np.random.Generator) -> "ChartRows":
        """Return the rows with the ranks and streams of every chart of `day` dealt anew."""
        rank, streams = self.rank.copy(), self.streams.copy()
        today = np.flatnonzero(self.day == day)
        for market in np.unique(self.market[today]):
            at = today[self.market[today] == market]
            rank[at] = rng.permutation(rank[at])
            streams[at] = rng.permutation(np.where(np.isnan(streams[at]), np.nan, streams[at] // 3 + 1))
        return replace(self, rank=rank, streams=streams)

    def read(self) -> History:
        """Write the rows as cleaned charts into a temporary folder, and return the history that is read from it."""
        with TemporaryDirectory() as folder:
            self._write(Path(folder))
            with open_charts(folder, open_engine=self.open_engine) as charts:
                rules = self.rules
                entries = charts.entries(
                    top=rules.top,
                    min_periods=rules.min_periods,
                    washout=rules.washout,
                    identity=rules.identity,
                    chart=rules.chart,
                )
                return History.of(charts, entries)

    def _where(self, chosen: NDArray[np.bool_]) -> "ChartRows":
        return replace(
            self, **{name: getattr(self, name)[chosen] for name in ("day", "market", "track", "rank", "streams")}
        )

    def _write(self, folder: Path) -> None:
        ids = pa.array(self.tracks["track_id"], pa.string())
        present, code = np.unique(self.track.astype(np.int64), return_inverse=True)
        ids = ids.take(pa.array(present))
        rows = pa.table(
            {
                "track": code.astype(np.int32),
                "track_id": ids.take(pa.array(code)),
                "market": pa.array(self.markets, pa.string()).take(pa.array(self.market)),
                "date": pa.array(self.day).cast(pa.date32()),
                "chart": pa.array([self.rules.chart], pa.string()).take(pa.array(np.zeros(len(code), np.int64))),
                "rank": self.rank,
                "streams": pa.array(self.streams, pa.float64(), from_pandas=True).cast(pa.int64()),
                "trend": pa.nulls(len(code), pa.string()),
            }
        )
        place = folder / "observations" / "year=0"
        place.mkdir(parents=True)
        pq.write_table(rows.cast(OBSERVATIONS.schema), place / "part-00000.parquet")
        pq.write_table(_described(self.tracks.iloc[present], ids), folder / "tracks.parquet")
        pq.write_table(self._licences(present, ids), folder / "availability.parquet")

    def _licences(self, present: Ints, ids: pa.Array) -> pa.Table:
        """Return one row per track with a list of licences and market that the list names."""
        track, market = self.withheld
        at = np.searchsorted(present, track).clip(max=len(present) - 1)
        here = present[at] == track
        listed, row = np.unique(at[here], return_inverse=True)
        named = np.ones((len(listed), len(self.markets)), np.bool_)
        named[row, market[here]] = False
        codes = pa.array([*self.markets[:-1], _NO_MARKET], pa.string())
        row, column = np.nonzero(named)
        table = {
            "track": listed[row].astype(np.int32),
            "track_id": ids.take(pa.array(listed[row])),
            "market": codes.take(pa.array(column)),
        }
        return pa.table(table).cast(AVAILABILITY.schema)


def _described(tracks: pd.DataFrame, ids: pa.Array) -> pa.Table:
    """Return the tracks as cleaning describes them; what a history does not know of is null."""
    known = {name: pa.array(tracks[name], TRACKS.schema.field(name).type, from_pandas=True) for name in ATTRIBUTES}
    known |= {"track": pa.array(np.arange(len(tracks), dtype=np.int32)), "track_id": ids}
    no = pa.array(np.zeros(len(tracks), np.bool_))
    columns = {
        field.name: known.get(field.name, no if not field.nullable else pa.nulls(len(tracks), field.type))
        for field in TRACKS.schema
    }
    return pa.table(columns).cast(TRACKS.schema)


def _nonsense(known: pd.DataFrame, number: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return new tracks: fields of known ones that do not belong together, and text that is none."""
    drawn = {name: known[name].to_numpy(object)[rng.integers(len(known), size=number)] for name in ATTRIBUTES}
    for name in ("title", "artist"):
        odd = rng.random(number) < 0.3
        drawn[name][odd] = rng.choice(np.array(_NONSENSE, object), int(odd.sum()))
    made = pd.DataFrame({"track_id": [f"~{place:06}" for place in range(number)], **drawn})
    return made.astype(known.dtypes.to_dict())
