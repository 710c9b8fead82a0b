"""Layouts of chart files as data: our columns, their names in files, and the known layouts."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

AUDIO_COLUMNS = (
    "af_danceability",
    "af_energy",
    "af_key",
    "af_loudness",
    "af_mode",
    "af_speechiness",
    "af_acousticness",
    "af_instrumentalness",
    "af_liveness",
    "af_valence",
    "af_tempo",
    "af_time_signature",
)
"""The twelve audio features, in the order of the 28-column layout."""

SOURCE_COLUMNS = (
    "market",
    "date",
    "week_start",
    "week_end",
    "chart",
    "rank",
    "track_id",
    "url",
    "title",
    "artist",
    "streams",
    "trend",
    "album",
    "popularity",
    "duration_ms",
    "explicit",
    "release_date",
    "available_markets",
    *AUDIO_COLUMNS,
)
"""Our names of the columns that a chart file may have."""

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "market": (
        *("region", "market", "country", "region_name", "country_name", "market_name", "country_code", "market_code"),
        *("region_code", "territory", "nation", "storefront"),
    ),
    "date": (
        *("date", "observation_date", "chart_date", "snapshot_date", "ranking_date", "chart_week", "week_ending"),
        *("week_id", "week_date", "day", "week", "datetime", "timestamp"),
    ),
    "week_start": ("week_start", "week_open", "start_date", "week_begin"),
    "week_end": ("week_end", "week_close", "end_date"),
    "chart": ("chart", "chart_name", "chart_type"),
    "rank": (
        *("rank", "position", "daily_rank", "weekly_rank", "current_rank", "current_position", "chart_position"),
        *("track_position", "chart_rank", "track_rank", "this_week", "current", "pos", "ranking", "place"),
    ),
    "track_id": ("track_id", "spotify_id", "spotify_track_id", "youtube_url", "video_id", "song_id", "id"),
    "url": (
        *("url", "uri", "track_url", "track_uri", "spotify_url", "spotify_uri", "track_link", "song_url", "link"),
        "href",
    ),
    "title": ("title", "track_name", "track", "song", "song_title", "song_name", "track_title", "name"),
    "artist": (
        *("artist", "artists", "artist_names", "artist_name", "performer", "performers", "track_artist"),
        *("track_artists", "artist_s_name", "singer"),
    ),
    "streams": ("streams", "stream_count", "number_of_streams", "plays", "play_count", "views", "view_count"),
    "trend": ("trend",),
    "album": ("album", "album_name"),
    "popularity": ("popularity", "track_popularity"),
    "duration_ms": ("duration_ms",),
    "explicit": ("explicit", "is_explicit"),
    "release_date": ("release_date", "album_release_date"),
    "available_markets": ("available_markets",),
    **{name: (name, name.removeprefix("af_")) for name in AUDIO_COLUMNS},
}
"""Our column → its names in files, the surest first; case, spaces and punctuation do not matter."""

ENOUGH: Final = (("rank",), ("market",), ("date", "week_start", "week_end"))
"""What each chart needs, besides an id, or title and artist: one column of each group."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A known layout.

    Attributes
    ----------
    name
        Its name.
    marks
        Columns that all its files have; the first layout whose marks a file has is the file's.
    columns
        Our column → the file's, where `SYNONYMS` would take another one.
    blanks
        Our column → what an empty value stands for.
    streamed
        Name of the chart where there are streams and rows do not give a name; empty if it is not known.
    """

    name: str
    marks: tuple[str, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    blanks: Mapping[str, str] = field(default_factory=dict)
    streamed: str = ""


LAYOUTS: Final = (
    Layout("charts.spotify.com", ("rank", "uri", "artist_names", "track_name"), streamed="top200"),
    Layout(
        "Kaggle 'Top Spotify Songs in 73 Countries'",
        ("spotify_id", "name", "artists", "daily_rank", "country", "snapshot_date"),
        {"title": "name", "release_date": "album_release_date"},
        blanks={"market": "Global"},
    ),
    Layout(
        "scraped 'all regional weekly charts'",
        ("artist_name", "date", "region_name", "stream_count", "track_name", "track_position", "track_url"),
        streamed="top200",
    ),
    Layout(
        "year, month and day",
        ("position", "artist", "streams", "url", "year", "month", "day", "track_name"),
        streamed="top200",
    ),
    Layout("YouTube charts", ("rank", "track_name", "artist_names", "views", "youtube_url")),
    Layout("spotifycharts.com", ("position", "track_name", "artist", "url"), streamed="top200"),
    Layout("Billboard", ("chart_date", "current_position", "title", "performer")),
    Layout("Billboard", ("date", "title", "artist", "current", "peak", "weeks")),
    Layout("Billboard", ("song", "artist", "this_week", "last_week")),
    Layout("Apple Music", ("rank", "artist", "track", "am_last_week", "am_peak")),
    Layout("Kaggle 'Spotify Charts'", ("title", "rank", "date", "artist", "region"), streamed="top200"),
    Layout("Kaggle 'Spotify Charts'", ("title", "rank", "observation_date", "artist", "region"), streamed="top200"),
)
"""Known layouts; the files of collectors may have more columns."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A known layout of files without a header, recognised by the first row.

    Attributes
    ----------
    name
        Its name.
    fields
        Pattern of each of the first fields.
    columns
        Our column → the position of the files' column, from 1.
    credit
        Position of the column with ``Artist - Title``.
    streamed
        As of `Layout`.
    """

    name: str
    fields: tuple[str, ...]
    columns: Mapping[str, str]
    credit: str
    streamed: str

    def fits(self, row: Sequence[str]) -> bool:
        """Return whether a row has this shape."""
        return len(row) >= len(self.fields) and all(map(re.fullmatch, self.fields, row))


MADE_DATE: Final = "parsed_date"
MADE_TITLE: Final = "parsed_title"
MADE_ARTIST: Final = "parsed_artist"
"""Names of columns that are made from others: a date in three columns, artist and title in one."""

CREDITS: Final = ("artist_and_title", "artist_title")
"""Names of a column with ``Artist - Title``."""

SHAPES: Final = (
    Shape(
        "kworb",
        (r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}", r"[0-9]+", r"=|NEW|RE|[+-][0-9]+", r".+ - .+", r"[0-9]*", r"[0-9]*"),
        {"date": "1", "rank": "2", "title": MADE_TITLE, "artist": MADE_ARTIST, "streams": "8"},
        credit="4",
        streamed="top200",
    ),
)
"""Known layouts without a header."""

OTHER: Final = Layout("names of columns", ())
"""Layout of files that are recognised by `SYNONYMS` alone."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """How the columns of a file are read.

    Attributes
    ----------
    layout
        Its layout.
    columns
        Our column → the file's column, None where there is none.
    date_parts
        Columns with year, month and day, which make `MADE_DATE`.
    credit
        Column with ``Artist - Title``, which makes `MADE_ARTIST` and `MADE_TITLE`.
    """

    layout: Layout
    columns: Mapping[str, str | None]
    date_parts: tuple[str, ...] = ()
    credit: str | None = None


def plain_name(name: str) -> str:
    """Return a column name in lower case, with single underscores for everything but letters and digits."""
    return re.sub(r"[^0-9a-z]+", "_", name.strip().lower().lstrip("\ufeff")).strip("_")


def recognise(header: Sequence[str], first_row: Sequence[str] | None = None) -> Recognised:
    """Return the layout of a file by its column names, or by its first row where it has no header.

    No column of the file is taken twice. Of columns that are alike but for case and punctuation the first is taken;
    `alike` finds the others.
    """
    if first_row is not None:
        shape = next((shape for shape in SHAPES if shape.fits(first_row)), None)
        return _by_shape(shape) if shape else Recognised(OTHER, dict.fromkeys(SOURCE_COLUMNS))
    there: dict[str, str] = {}
    for name in header:
        there.setdefault(plain_key(name), name)
    layout = next((one for one in LAYOUTS if all(plain_key(mark) in there for mark in one.marks)), OTHER)
    chosen: dict[str, str | None] = {ours: there.get(plain_key(theirs)) for ours, theirs in layout.columns.items()}
    for ours in SOURCE_COLUMNS:
        names = (there.get(plain_key(name)) for name in SYNONYMS[ours])
        taken = set(chosen.values())
        chosen.setdefault(ours, next((name for name in names if name and name not in taken), None))
    if chosen["url"] and plain_key(chosen["track_id"] or "") == "id":
        chosen["track_id"] = None  # the number of a row, or the id in the link
    if chosen["title"] and not chosen["artist"] and "name" in there and there["name"] != chosen["title"]:
        chosen["artist"] = there["name"]
    found = Recognised(layout, {ours: chosen[ours] for ours in SOURCE_COLUMNS})
    return _completed(found, there)


def _by_shape(shape: Shape) -> Recognised:
    layout = Layout(shape.name, (), streamed=shape.streamed)
    return Recognised(layout, {ours: shape.columns.get(ours) for ours in SOURCE_COLUMNS}, credit=shape.credit)


def _completed(found: Recognised, there: Mapping[str, str]) -> Recognised:
    """Return what was recognised with a date of several columns, and artist and title in one column."""
    parts = tuple(there[part] for part in ("year", "month", "day") if part in there)
    credit = next((there[plain_key(name)] for name in CREDITS if plain_key(name) in there), None)
    columns = dict(found.columns)
    if len(parts) == 3 and columns["date"] in (None, parts[2]):
        columns["date"] = MADE_DATE
    if credit and not columns["title"] and not columns["artist"]:
        columns |= {"title": MADE_TITLE, "artist": MADE_ARTIST}
    return Recognised(
        found.layout,
        columns,
        parts if columns["date"] == MADE_DATE else (),
        credit if columns["title"] == MADE_TITLE else None,
    )


def alike(header: Collection[str], name: str) -> list[str]:
    """Return the columns of a header that are called `name` but for case and punctuation."""
    return [other for other in header if plain_key(other) == plain_key(name)]


def lacking(there: Collection[str]) -> list[str]:
    """Return what a chart needs and `there`, a collection of our columns, does not have."""
    needs = [" or ".join(group[:2]) for group in ENOUGH if not any(name in there for name in group)]
    if not ("track_id" in there or "url" in there or {"title", "artist"} <= set(there)):
        needs.append("track_id or url")
    return needs


def plain_key(name: str) -> str:
    """Return a column name for comparison: only its letters and digits, in lower case."""
    return plain_name(name).replace("_", "")
