"""A track that has not been out yet: a history in which it enters some markets on a coming day."""

import re
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Ints
from diffusion.conventions import LONG_GAP
from diffusion.frames import frame_of
from pipelines.features.history import History, described_by
from pipelines.features.rows import ChartEnds, FirstEntries, Observed, Positions
from pipelines.features.scene import latest_charts

Rows = TypeVar("Rows", Positions, ChartEnds, FirstEntries, Observed)

TRACK_ID: Final = "hypothetical"
"""Id of the track."""


@dataclass(frozen=True, slots=True)
class Debut:
    """A debut that has not happened.

    Attributes
    ----------
    markets
        Codes of the markets that the track enters first, all on one day.
    day
        That day, since 1970-01-01.
    title, artist
        Title and artists, parted by commas; None where unknown.
    rank
        Position on those charts; None for the median position at entries into each market in the last year.
    """

    markets: tuple[str, ...]
    day: int
    title: str | None = None
    artist: str | None = None
    rank: int | None = None


def with_debut(known: History, debut: Debut) -> History:
    """Return a history that ends with the debut of one more track, whose code is the last.

    On the day of the debut only its markets have charts: their latest ones with the new track put in at its position.
    All else stays as it is known.

    Raises
    ------
    SettingError
        When the day is not after the charts known, a market is unknown to them or not named, or a text is no Unicode.
    DataSaysNoError
        When a market has had no chart for 28 days by then.
    """
    if debut.day <= known.last_day:
        shown = np.datetime64(known.last_day, "D")
        raise SettingError(f"charts are known until {shown}; a debut that has not happened comes after that day")
    for what, text in (("title", debut.title), ("artist", debut.artist)):
        if text is not None and re.search("[\ud800-\udfff]", text):
            raise SettingError(f"the {what} of the debut is not valid Unicode text")
    if not debut.markets:
        raise SettingError("name at least one market of the debut")
    strange = [market for market in debut.markets if market not in known.markets]
    if strange:
        raise SettingError(f"no chart of {', '.join(strange)} is known; there are {', '.join(known.markets)}")
    markets = np.unique([known.markets.index(market) for market in debut.markets])
    latest = latest_charts(known, debut.day)
    closed = [known.markets[market] for market in markets if latest[market] < 0]
    if closed:
        raise DataSaysNoError(f"no chart of {', '.join(closed)} in the {LONG_GAP} days before the debut")
    rank = np.array([debut.rank or _usual_rank(known, market) for market in markets], np.int32)
    tracks = _one_more(known.tracks, debut)
    artist, credits, recording = described_by(tracks)
    code = len(known.tracks)
    observed = _observed(known, markets, debut.day)
    rows = _charts(known, latest, markets, rank, code, debut.day)
    return replace(
        known,
        tracks=tracks,
        first_seen=np.append(known.first_seen, np.int32(debut.day)),
        artist=artist,
        credits=credits,
        recording=recording,
        positions=_appended(known.positions, rows),
        ends=_appended(known.ends, ChartEnds.of(rows)),
        entries=_appended(known.entries, _entries(known, latest, markets, rank, code, debut.day)),
        observed=_appended(known.observed, observed),
        coverage=pa.concat_tables([known.coverage, _coverage(known, observed)]),
    )


def _usual_rank(known: History, market: int) -> int:
    """Return the median position at entries into a market in the last year; 1 where there were none."""
    recent = known.entries.between(known.last_day - 365, known.last_day)
    ranks = recent.rank[recent.market == market]
    return int(np.median(ranks)) if len(ranks) else 1


def _one_more(tracks: pd.DataFrame, debut: Debut) -> pd.DataFrame:
    one = pd.DataFrame({"track_id": [TRACK_ID], "title": [debut.title], "artist": [debut.artist]})
    one = one.reindex(columns=tracks.columns).astype(tracks.dtypes)
    return pd.concat([tracks, one], ignore_index=True)


def _charts(known: History, latest: Ints, markets: Ints, rank: NDArray[np.int32], code: int, day: int) -> Positions:
    """Return the latest charts of the markets, dated on the day, with the new track put in."""
    rows = known.positions.between(day - LONG_GAP, day)
    here = (rows.day == latest[rows.market]) & np.isin(rows.market, markets)
    market, place = rows.market[here], rows.rank[here]
    moved = place + (place >= rank[np.searchsorted(markets, market)])
    new = np.full(len(markets), code, np.int32)
    order = np.lexsort((np.append(rows.track[here], new), np.append(market, markets)))
    return Positions(
        np.full(len(order), day, np.int32),
        np.append(market, markets).astype(np.int16)[order],
        np.append(rows.track[here], new)[order],
        np.append(moved, rank).astype(np.int32)[order],
        np.append(rows.streams[here], np.full(len(markets), np.nan)).astype(np.float32)[order],
    )


def _entries(known: History, latest: Ints, markets: Ints, rank: NDArray[np.int32], code: int, day: int) -> FirstEntries:
    n = len(markets)
    return FirstEntries(
        day=np.full(n, day, np.int32),
        track=np.full(n, code, np.int32),
        market=markets.astype(np.int16),
        rank=rank,
        streams=np.full(n, np.nan, np.float32),
        last_without=latest[markets].astype(np.int32),
        timed=np.ones(n, np.bool_),
    )


def _observed(known: History, markets: Ints, day: int) -> Observed:
    """Return the day's coverage: each market goes on as on its latest chart."""
    rows = known.observed.between(day - LONG_GAP, day)
    last = np.zeros(len(known.markets), np.int64)
    last[rows.market] = np.arange(len(rows.day))  # in order of day: the latest stays
    own = {name: getattr(rows, name)[last[markets]] for name in rows.__slots__}
    return Observed(**own | {"day": np.full(len(markets), day, np.int32)})


def _coverage(known: History, observed: Observed) -> pa.Table:
    """Return the day's coverage as a table: the latest row of each market, dated on the day."""
    frame = frame_of(known.coverage)
    codes = [known.markets[market] for market in observed.market]
    last = frame.drop_duplicates("market", keep="last").set_index("market", drop=False).loc[codes]
    last = last.assign(previous=last["date"], date=pd.Timestamp(np.datetime64(int(observed.day[0]), "D")))
    return pa.Table.from_pandas(last, schema=known.coverage.schema, preserve_index=False)


def _appended(rows: Rows, more: Rows) -> Rows:
    """Return rows with later ones after them."""
    return type(rows)(*(np.append(getattr(rows, name), getattr(more, name)) for name in rows.__slots__))
