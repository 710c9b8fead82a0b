"""Answers to questions about tracks and artists, from a finished folder: by title, artist, id or link."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from diffusion.conventions import FDR
from diffusion.finding import Recording, as_one, first_places, one_recording
from graphs import artist_journey, look_alikes
from pipelines.formatting import many, percent, records
from pipelines.query.answer import Answer
from pipelines.study.finished import open_study
from pipelines.study.results import Results

NAMED = 3
"""Markets or tracks that a verdict names."""

WAY = 8
"""Markets of a track that are shown in the table of an artist's tracks."""


def find(place: Path, text: str, *, artist: str | None, most: int) -> Answer:
    """Return the recordings that are called so, the nearest and widest first."""
    results = open_study(place)
    found = results.find(text, artist=artist)
    first = found.iloc[0]
    ids = f", {many(len(first['ids']), 'id')} of one recording" if len(first["ids"]) > 1 else ""
    verdict = (
        f"{many(len(found), 'recording')} found; first: {_called(first)}, {many(first['markets'], 'market')}{ids}."
    )
    about = (
        f"{results.entries.rules.chart}: by title, then artist, then start and part of them, most markets first; "
        "entry_rank: best rank on a day of entry"
    )
    return Answer(verdict, about, records(found.head(most)), table=found.head(most))


def journey(place: Path, wanted: str, *, artist: str | None) -> Answer:
    """Return a recording's entries in order; all its ids count, except where one of them is asked for."""
    results = open_study(place)
    entries, found = results.entries, _recording(results, wanted, artist)
    ids = pa.array(found.ids, pa.string())
    joined = as_one(entries.table, ids, pa.array([found.ids[0]] * len(found.ids), pa.string()))
    table = replace(entries, table=joined).journey(found.ids[0])
    began = table[table["days"] == 0]
    before = ", or before the charts began" if began["left_censored"].all() else ""
    verdict = (
        f"{found} debuted on {began['entry'].iloc[0]:%Y-%m-%d}{before} in {_some(began['name'])}, and entered "
        f"{many(len(table), 'market')}{_then(table)}."
    )
    about = f"{entries.rules.chart}: {_ids_of(found)}; markets entered on one day share a step"
    numbers = {"title": found.title, "artist": found.artist, "ids": list(found.ids), "other_ids": list(found.others)}
    columns = ("step", "market", "name", "entry", "days", "rank", "left_censored")
    return Answer(verdict, about, numbers | {"journey": records(table)}, table=table, columns=columns)


def _then(table: pd.DataFrame) -> str:
    """Return where a journey went after the debut."""
    later = table[table["days"] > 0]
    if later.empty:
        return ", all on that day" if len(table) > 1 else ""
    step = later[later["step"] == later["step"].iloc[0]]
    return f"; the next {many(step['days'].iloc[0], 'day')} after its debut: {_some(step['name'])}"


def artist_tracks(place: Path, name: str, *, credited: bool) -> Answer:
    """Return an artist's recordings, the markets that they entered and how fast, and where they began."""
    results = open_study(place)
    entries = results.entries
    found = artist_journey(entries, name, credited=credited)
    markets = found.markets
    first = markets[markets["debuts"] > 0].head(NAMED)
    began = ", ".join(
        f"{row['debuts']:,} began in {row['name']}" + (f" ({row['alone']:,} there alone)" if row["alone"] else "")
        for row in first.to_dict("records")
    )
    verdict = f"{many(len(found.tracks), 'recording')} by {name} entered {many(len(markets), 'market')}; "
    verdict += f"of {found.timed:,} with a timed debut, {began}." if began else "none has a timed debut."
    about = (
        f"{entries.rules.chart}: tracks {'that credit' if credited else 'of'} {name}; way: first markets in order, "
        "with days after the debut"
    )
    steps = found.steps
    ways = {ident: _way(part) for ident, part in steps.groupby("track_id")}
    tracks = found.tracks.assign(way=found.tracks["track_id"].map(ways))
    numbers = {"timed": found.timed, "markets": records(markets), "tracks": records(found.tracks)}
    columns = ("title", "artist", "debut", "left_censored", "markets", "way")
    return Answer(verdict, about, numbers | {"steps": records(steps)}, table=tracks, columns=columns)


def _way(steps: pd.DataFrame) -> str:
    """Return the first markets in order, with days after the debut."""
    parts = [f"+{days} {' '.join(part['market'])}" for days, part in steps.head(WAY).groupby("days")]
    more = len(steps) - WAY
    return "; ".join(parts) + (f" and {more:,} more" if more > 0 else "")


def like(place: Path, wanted: str, *, artist: str | None, days: int, horizon: int, most: int) -> Answer:
    """Return the tracks whose first steps were most like those of one recording, and what they did next."""
    results = open_study(place)
    found = _recording(results, wanted, artist)
    alike = look_alikes(results.entries, found.ids, days=days, horizon=horizon, most=most)
    names = results.table("tracks")[["track_id", "title", "artist"]]
    tracks = alike.tracks.merge(names, how="left", on="track_id")
    about = (
        f"{results.entries.rules.chart}: first steps are entries within {many(alike.days, 'day')} of the debut; "
        f"the {len(tracks):,} most similar of {alike.candidates:,} tracks, with half or more of these markets in "
        f"common, {int(tracks['same_artist'].sum()):,} of them by the same artist; share: entered within "
        f"{many(alike.horizon, 'day')} after that, with interval by artist, beside the share of all tracks"
    )
    numbers = {
        "ids": list(found.ids),
        "first": records(alike.first),
        "look_alikes": records(tracks),
        "next": records(alike.next),
    }
    nearest = tracks.head(NAMED).to_dict("records")
    near = ", ".join(f"{_called(row)} ({percent(row['similarity'])})" for row in nearest)
    lines = (f"Most alike: {near}.",)
    return Answer(next_sentence(alike.next, len(tracks)), about, numbers, lines, table=alike.next)


def next_sentence(table: pd.DataFrame, size: int) -> str:
    """Return which markets look-alikes entered more often than all tracks, as far as it is shown."""
    tested = table[table["q"].notna()]
    if tested.empty:
        return f"{many(size, 'look-alike')}, of too few artists to say what such tracks do next."
    shown = tested[tested["differs"] & (tested["share"] > tested["base_share"])]
    named = ", ".join(
        f"{row['name']} ({percent(row['share'])}, {percent(row['low'])} to {percent(row['high'])}; all tracks "
        f"{percent(row['base_share'])})"
        for row in shown.head(NAMED).to_dict("records")
    )
    if not named:
        markets = many(len(tested), "tested market")
        return f"{many(size, 'look-alike')} are not shown to enter any of {markets} more than others."
    more = f" and {len(shown) - NAMED:,} more markets" if len(shown) > NAMED else ""
    others = f"{len(tested) - len(shown):,} of {len(tested):,} tested"
    return f"look-alikes next entered {named}{more} more than others (q ≤ {FDR:.2g}); not shown for {others}."


def _recording(results: Results, wanted: str, artist: str | None) -> Recording:
    tracks = results.folder.read_table("tracks.parquet")
    return one_recording(wanted, tracks, first_places(results.entries.table), artist=artist)


def _called(row: Any) -> str:
    return f"'{row['title'] or ''}' by {row['artist'] or 'nobody named'}"


def _ids_of(found: Recording) -> str:
    ids = f"{' and '.join(found.ids)}" if len(found.ids) > 1 else found.ids[0]
    together = ", ids of one recording, counted together" if len(found.ids) > 1 else ""
    others = f"; other ids of this recording: {' '.join(found.others)}" if found.others else ""
    return f"{ids}{together}{others}"


def _some(names: "pd.Series[str]") -> str:
    more = len(names) - NAMED
    return ", ".join(names.head(NAMED)) + (f" and {more:,} more" if more > 0 else "")
