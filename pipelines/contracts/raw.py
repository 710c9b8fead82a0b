"""Contracts of the tables of `ingest` and `clean` beside the star: typed rows, profile, and accounts of rows."""

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from diffusion.contracts import (
    ARTISTS,
    AVAILABILITY,
    OBSERVATIONS,
    QUARANTINE,
    RECORDINGS,
    TRACKS,
    WHOLENESS,
    Column,
    Contract,
)
from pipelines.contracts.auxiliary import LOOKUP

_TEXT, _DATE, _COUNT, _NUMBER = pa.string(), pa.date32(), pa.int64(), pa.float64()

AUX_FULL: Final = tuple(name for name in LOOKUP.names if name != "market")
"""Columns of the auxiliary tables that are joined to full, as in the prior study."""

AUX_SLIM: Final = tuple(
    name
    for name in AUX_FULL
    if name in ("country_continent", "country_population", "country_area") or name.startswith("cultural_distance_")
)
"""Columns of the auxiliary tables that are joined to slim, as in the prior study."""

SLIM: Final = Contract(
    "slim",
    "a row of the source with the columns for analysis, typed; values that cannot be read as their type are null",
    (
        Column("observation_date", _DATE, "date of the chart, a weekly chart's last day", nullable=True),
        Column("year_month", _TEXT, "YYYY-MM of the date, or unknown"),
        Column("track_id", _TEXT, "id of the track, from its link where the source has no id", nullable=True),
        *TRACKS.pick("title", "artist"),
        Column("region", _TEXT, "name of the market in the source, with single spaces", nullable=True),
        Column("chart", _TEXT, "name of the chart in lower case"),
        Column("rank", pa.int32(), "position on the chart, 1 is best", nullable=True),
        Column("streams", _COUNT, "streams in the chart's period", nullable=True),
        *TRACKS.pick("popularity", "duration_ms", "explicit"),
        Column("release_date", _TEXT, "release date in the source", nullable=True),
        *TRACKS.pick(*(name for name in TRACKS.names if name.startswith("af_"))),
        Column("source_country_norm", _TEXT, "the same as region", nullable=True),
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code, or Global; null where the name is not known", nullable=True),
    ),
    (),
)

SLIM_JOINED: Final = Contract(
    "slim_joined",
    "a row of slim, with columns of the auxiliary tables for its market",
    (*SLIM.columns, *LOOKUP.pick(*AUX_SLIM)),
    (),
)

DISTINCT_VALUES: Final = Contract(
    "distinct_values",
    "a distinct value of a column of the source",
    (Column("column_name", _TEXT, "track_id, artist, region or chart"), Column("value", _TEXT, "the value, trimmed")),
    ("column_name", "value"),
)

PROFILE_OVERVIEW: Final = Contract(
    "profile_overview",
    "the whole source (a single row)",
    (
        Column("raw_rows", _COUNT, "rows read, including damaged lines"),
        Column("merged_rows", _COUNT, "rows written"),
        Column("min_date", _DATE, "first date; null where none can be read", nullable=True),
        Column("max_date", _DATE, "last date; null where none can be read", nullable=True),
        Column("distinct_track_id", _COUNT, "number of track ids"),
        Column("distinct_artist", _COUNT, "number of different credits"),
        Column("distinct_region", _COUNT, "number of market names"),
        Column("distinct_chart", _COUNT, "number of charts"),
        Column("join_aux_enabled", _COUNT, "1 where auxiliary tables were joined, else 0"),
    ),
    ("raw_rows",),
)

NULL_RATES: Final = Contract(
    "profile_null_rates",
    "a column of the source",
    (
        Column("column_name", _TEXT, "name of the column in full"),
        Column("null_rate", _NUMBER, "share of rows in which it is null or blank; null without rows", nullable=True),
    ),
    ("column_name",),
)

SOURCE_SCHEMA: Final = Contract(
    "source_schema",
    "a column of the source, in the form of a database catalogue",
    (
        Column("cid", _COUNT, "position of the column, from 0"),
        Column("name", _TEXT, "name of the column in full"),
        Column("type", _TEXT, "STRING, the type of all columns in full"),
        Column("not_null", _COUNT, "0: the column may be null"),
        Column("dflt_value", _TEXT, "empty: there is no default"),
        Column("pk", _COUNT, "0: the column is not a key"),
    ),
    ("cid",),
)

ROW_ACCOUNTING: Final = Contract(
    "row_accounting",
    "a count of rows",
    (Column("metric", _TEXT, "what is counted: raw_rows, kept_rows …"), Column("value", _COUNT, "rows")),
    ("metric",),
)

ACCOUNTING_BY_FILE: Final = Contract(
    "accounting_by_file",
    "a file of the source and year of its rows: raw = kept + duplicate + quarantined",
    (
        Column("file", _TEXT, "file of the source"),
        Column("year", _TEXT, "year of the charts' dates, unknown, or damaged for damaged lines"),
        Column("raw_rows", _COUNT, "rows read"),
        Column("kept_rows", _COUNT, "rows kept"),
        Column("duplicate_rows", _COUNT, "rows that repeat another row"),
        Column("quarantined_rows", _COUNT, "rows set aside"),
        Column("repaired_rows", _COUNT, "rows repaired; they are among the kept"),
        Column("tied_rows", _COUNT, "rows of tracks that are tied on a rank; they are among the kept"),
    ),
    ("file", "year"),
)

INSPECTED: Final = Contract(
    "wholeness",
    WHOLENESS.row,
    (
        *WHOLENESS.columns,
        Column("absent", _COUNT, "dates between the first and the last, at the market's cadence, without a chart"),
    ),
    WHOLENESS.key,
)

STAR: Final[Mapping[str, Contract]] = {
    "observations/year=*/*.parquet": OBSERVATIONS,
    "tracks.parquet": TRACKS,
    "artists.parquet": ARTISTS,
    "availability.parquet": AVAILABILITY,
    "recordings.parquet": RECORDINGS,
    "quarantine.parquet": QUARANTINE,
    "row_accounting.csv": ROW_ACCOUNTING,
}
"""Name or pattern of the tables of a star → contract."""

CLEANED: Final[Mapping[str, Contract]] = {**STAR, "accounting_by_file.csv": ACCOUNTING_BY_FILE}
"""The same for what ``clean`` makes."""
