"""Contracts of cleaned charts (the star) and of the steps to them, and the reasons why a row is set aside."""

from typing import Final

import pyarrow as pa

from diffusion.contracts.contract import Column, Contract

AGGREGATE: Final = "Global"
"""Value of `market` in rows that add up all markets; `diffusion.open_charts` leaves these rows out."""

FILE_BREAK: Final = 366
"""Days: a larger gap divides a file's dates; the smaller part is outside the file's span."""

ANY_RANK: Final = 1_000_000

DEPTHS: Final = {"top200": 200, "viral50": 55, "top50": 50}
"""Chart → largest rank that is accepted; other charts have no known limit. Some viral charts list 51 or 52 tracks (27
of 9,819 weekly ones)."""

REASONS: Final = {
    "header repeated": "the row repeats the names of the columns",
    "fields shifted": "a track's link is in a wrong column, and the row could not be repaired",
    "no market": "the row names no market",
    "unknown market": "the market's name or code is not known; add it with clean --market-name",
    "unreadable date": "the date is missing, or it could mean several days",
    "date outside the file's span": "the file's other dates are more than 366 days away",
    "rank is not a whole number from 1": "the rank is missing, or is not a position on a chart",
    "rank beyond the chart's depth": "the rank is past 200 on top200, past 50 on top50, past 55 on viral50",
    "no track id": "neither the row nor its link names a track",
    "negative streams": "streams are below zero",
    "unreadable streams": "streams are given but are not a whole number, or may be a thousand times as many (99.000)",
    "streams beyond the bound": (
        "log streams exceed the median of chart, market and year by more than 10 × max(0.5, 1.4826 × MAD)"
    ),
    "same track again, at another rank or with other streams": (
        "the track is also on that chart, market and date at a better rank, or at the same rank with more streams"
    ),
    "two tracks on one rank": (
        "another track has the same rank and the next rank is not left out, so neither row is trusted; tracks that are "
        "tied, with the next rank left out, are kept"
    ),
}
"""Reason → its meaning. Damaged lines of the source have further reasons (`diffusion.sources.csv_lines`)."""

_TEXT, _DATE, _COUNT, _NUMBER, _FLAG = pa.string(), pa.date32(), pa.int64(), pa.float64(), pa.bool_()
_CODE = Column("track", pa.int32(), "code of the track, from 0 in order of first appearance")
_ID = Column("track_id", _TEXT, "id of the track")

OBSERVATIONS = Contract(
    "observations",
    "one track on one market's chart on one date",
    (
        _CODE,
        _ID,
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market, or Global"),
        Column("date", _DATE, "the chart's date, a weekly chart's last day"),
        Column("chart", _TEXT, "name of the chart: top200, viral50, top50 …"),
        Column("rank", pa.int32(), "position on the chart, 1 is best; tied tracks share one"),
        Column("streams", _COUNT, "streams in the chart's period; null where the chart shows none", nullable=True),
        Column("trend", _TEXT, "movement since the previous chart, in capitals, as the source gives it", nullable=True),
    ),
    ("chart", "market", "date", "rank", "track"),
)

TRACKS = Contract(
    "tracks",
    "one track id of the source, with the fields of its first row that has a title",
    (
        _CODE,
        _ID,
        Column("title", _TEXT, "title; null where the source has none", nullable=True),
        Column("artist", _TEXT, "credited artists in one string; null where the source has none", nullable=True),
        Column("album", _TEXT, "album", nullable=True),
        Column("release_date", _DATE, "release date; first day where only month or year is known", nullable=True),
        Column("release_precision", _TEXT, "day, month or year; null where the release is not known", nullable=True),
        Column("explicit", _FLAG, "marked as explicit", nullable=True),
        Column("duration_ms", _COUNT, "milliseconds", nullable=True),
        Column("popularity", pa.int32(), "0 … 100: popularity when the source was made", nullable=True),
        Column("af_danceability", _NUMBER, "0 … 1, as the source has it", nullable=True),
        Column("af_energy", _NUMBER, "0 … 1, as the source has it", nullable=True),
        Column(
            "af_key",
            _NUMBER,
            "number of the pitch class, 0 for C, as the source has it",
            nullable=True,
        ),
        Column("af_loudness", _NUMBER, "dB, as the source has it", nullable=True),
        Column("af_mode", _NUMBER, "1 major, 0 minor, as the source has it", nullable=True),
        Column("af_speechiness", _NUMBER, "0 … 1, as the source has it", nullable=True),
        Column("af_acousticness", _NUMBER, "0 … 1, as the source has it", nullable=True),
        Column("af_instrumentalness", _NUMBER, "0 … 1, as the source has it", nullable=True),
        Column("af_liveness", _NUMBER, "0 … 1, as the source has it", nullable=True),
        Column("af_valence", _NUMBER, "0 … 1, as the source has it", nullable=True),
        Column("af_tempo", _NUMBER, "beats per minute, as the source has it", nullable=True),
        Column("af_time_signature", _NUMBER, "beats per bar, as the source has it", nullable=True),
        Column("zero_duration", _FLAG, "the duration is 0, which is impossible"),
        Column("zero_tempo", _FLAG, "the tempo is 0, so it was not measured"),
        Column("release_after_debut", _FLAG, "the release date is after the track's first chart: a re-release"),
    ),
    ("track",),
)

ARTISTS = Contract(
    "artists",
    "one artist credited for a track",
    (
        _CODE,
        _ID,
        Column("position", pa.int32(), "place in the credits, from 1"),
        Column("artist", _TEXT, "one name: 'A, B' makes two rows"),
    ),
    ("track", "position"),
)

AVAILABILITY = Contract(
    "availability",
    "one track and market that the track's list of licences names",
    (_CODE, _ID, Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market")),
    ("track", "market"),
)

RECORDINGS = Contract(
    "recordings",
    "one track id and its recording",
    (_CODE, _ID, Column("recording", _TEXT, "smallest track id of the recording")),
    ("track",),
)

QUARANTINE = Contract(
    "quarantine",
    "one row of the source that is neither kept nor a duplicate",
    (
        Column("file", _TEXT, "file of the source"),
        Column("line", _COUNT, "line on which the row begins, from 1"),
        Column("reason", _TEXT, "reason: one of `REASONS`, or the damage of the line"),
        Column("row", _TEXT, "the row: its columns as one CSV line, or the damaged line as it was"),
    ),
    ("file", "line"),
)

REFERENCE_MARKETS = Contract(
    "reference_markets",
    "one market of the reference table: a territory of ISO 3166-1, or Kosovo",
    (
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market"),
        Column("name", _TEXT, "name in English"),
        Column("iso3", _TEXT, "ISO 3166-1 alpha-3 code", nullable=True),
        Column("continent", _TEXT, "continent", nullable=True),
        Column("subregion", _TEXT, "part of the continent", nullable=True),
        Column("population", _COUNT, "people", nullable=True),
        Column("area_km2", _NUMBER, "km²", nullable=True),
        Column("latitude", _NUMBER, "degrees north, of a label or the capital", nullable=True),
        Column("longitude", _NUMBER, "degrees east, of a label or the capital", nullable=True),
        Column("capital", _TEXT, "capital", nullable=True),
        Column("official_languages", _TEXT, "codes of the official languages, joined by |", nullable=True),
        Column("languages", _TEXT, "code:share of the population, joined by |", nullable=True),
    ),
    ("market",),
)

SOURCE_FILES = Contract(
    "source_files",
    "one file of the source",
    (Column("file", _TEXT, "name of the file"), Column("source_rows", _COUNT, "rows of the file")),
    ("file",),
)

SOURCE_MARKETS = Contract(
    "source_markets",
    "one market name of the source",
    (Column("name", _TEXT, "name in the source"), Column("source_rows", _COUNT, "rows with the name")),
    ("name",),
)

SOURCE_CHARTS = Contract(
    "source_charts",
    "one chart of the source",
    (Column("chart", _TEXT, "name in lower case"), Column("source_rows", _COUNT, "rows of the chart")),
    ("chart",),
)

SOURCE_DATES = Contract(
    "source_dates",
    "one file of the source and text of a chart's date",
    (
        Column("source", pa.int32(), "number of the file, from 0 in order of reading"),
        Column("day_text", _TEXT, "the date, or date, first and last day of the week, divided by |"),
        Column("source_rows", _COUNT, "rows with the text"),
    ),
    ("source", "day_text"),
)

SOURCE_RANKS = Contract(
    "source_ranks",
    "one text of a rank in the source",
    (Column("rank_text", _TEXT, "text of the rank"), Column("source_rows", _COUNT, "rows with the text")),
    ("rank_text",),
)

ZERO_CHARTS = Contract(
    "zero_charts",
    "the whole source (a single row)",
    (
        Column("charts", _COUNT, "charts with a rank"),
        Column("zero_charts", _COUNT, "of these, charts with a rank 0", nullable=True),
    ),
    ("charts",),
)

STREAM_FORMS = Contract(
    "stream_forms",
    "one file of the source with dots or commas in its numbers of streams",
    (
        Column("source", pa.int32(), "number of the file, from 0 in order of reading"),
        Column("dot_groups", _COUNT, "rows whose streams have dots that can only part thousands"),
        Column("dot_fractions", _COUNT, "rows whose streams have a fraction behind a dot"),
        Column("comma_groups", _COUNT, "rows whose streams have commas that can only part thousands"),
        Column("comma_fractions", _COUNT, "rows whose streams have a fraction behind a comma"),
    ),
    ("source",),
)

SOME_ID = Contract(
    "some_id",
    "the whole source, if a row has an id or a link of a track (a single row or none)",
    (Column("rows_with_id", pa.int32(), "1: there are such rows"),),
    ("rows_with_id",),
)

NAMED_TEXTS = Contract(
    "named_texts",
    "one text of title and artist of rows that have neither id nor link",
    (Column("id_text", _TEXT, "|||title|||artist"),),
    ("id_text",),
)

FIRST_LINES = Contract(
    "first_lines",
    "one file of the source with a certain text as date or rank",
    (Column("file", _TEXT, "name of the file"), Column("line", _COUNT, "first line with the text, from 1")),
    ("file",),
)

PART_YEARS = Contract(
    "part_years",
    "one Parquet file of RAW, file of the source and year",
    (
        Column("part", _TEXT, "the Parquet file below RAW"),
        Column("file", _TEXT, "file of the source"),
        Column("year", _COUNT, "year of the charts' dates, 0 where the date cannot be read"),
    ),
    ("part", "file", "year"),
)

FILE_SPANS = Contract(
    "file_spans",
    "one file of the source with dates",
    (
        Column("source", pa.int32(), "number of the file, from 0 in order of reading"),
        Column("first_date", _DATE, "first date of its span"),
        Column("last_date", _DATE, "last date of its span"),
    ),
    ("source",),
)

ACCOUNTS = Contract(
    "accounts",
    "one file and outcome of its rows; the outcomes add up to all rows read",
    (
        Column("file", _TEXT, "file of the source"),
        Column("outcome", _TEXT, "kept, duplicate, or why set aside"),
        Column("source_rows", _COUNT, "rows"),
        Column("repaired_rows", _COUNT, "of these, rows whose fields were repaired"),
        Column("tied_rows", _COUNT, "of these, rows of tracks that are tied on a rank; all of them are kept"),
        Column("global_rows", _COUNT, "of these, rows of Global"),
    ),
    ("file", "outcome"),
)

DAMAGED_LINES = Contract(
    "damaged_lines",
    "one reason for which lines of the source are damaged",
    (Column("reason", _TEXT, "what is wrong with the lines"), Column("lines", _COUNT, "lines")),
    ("reason",),
)

EXAMPLES = Contract(
    "examples",
    "one reason why rows are set aside or lines are damaged: the first of them, as it is written",
    (
        Column("reason", _TEXT, "reason: one of `REASONS`, or the damage of the line"),
        Column("source_rows", _COUNT, "rows or lines with that reason"),
        Column("file", _TEXT, "file of the first"),
        Column("line", _COUNT, "line on which it begins, from 1"),
        Column("market", _TEXT, "its market", nullable=True),
        Column("date", _TEXT, "its date", nullable=True),
        Column("rank", _TEXT, "its rank", nullable=True),
        Column("track", _TEXT, "its track id, or link, or both", nullable=True),
        Column("streams", _TEXT, "its streams", nullable=True),
        Column("row", _TEXT, "the damaged line as it is", nullable=True),
    ),
    ("reason",),
)

MARKET_ROWS = Contract(
    "market_rows",
    "one market and chart of the observations, including Global",
    (
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market, or Global"),
        Column("chart", _TEXT, "name of the chart"),
        Column("source_rows", _COUNT, "rows"),
    ),
    ("market", "chart"),
)

STAR_RELATIONS: Final = (
    SOURCE_FILES,
    SOURCE_MARKETS,
    SOURCE_CHARTS,
    SOURCE_DATES,
    SOURCE_RANKS,
    ZERO_CHARTS,
    STREAM_FORMS,
    SOME_ID,
    NAMED_TEXTS,
    FIRST_LINES,
    PART_YEARS,
    FILE_SPANS,
    ACCOUNTS,
    DAMAGED_LINES,
    EXAMPLES,
    OBSERVATIONS,
    MARKET_ROWS,
    TRACKS,
    ARTISTS,
    AVAILABILITY,
    RECORDINGS,
    QUARANTINE,
)
"""Contracts of the tables between source and star that the engine returns."""

STAR_STEPS: Final = (
    "placed_rows",
    "misplaced_rows",
    "identified_rows",
    "days",
    "id_texts",
    "track_codes",
    "id_codes",
    "readings",
    "stream_bounds",
    "outliers",
    "repeats",
    "contested",
    "verdicts",
    "outcomes",
    "set_aside",
    "track_fields",
    "sorted_observations",
)
"""Names of intermediate relations between source and star, which the engine never returns."""
