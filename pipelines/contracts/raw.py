"""Contracts of what `ingest` and `clean` write beside the star: typed rows, profile, and accounts of all rows."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import TRACKS, Column, Contract
from pipelines.contracts.auxiliary import LOOKUP

_TEXT, _DATE, _COUNT, _NUMBER = pa.string(), pa.date32(), pa.int64(), pa.float64()

AUX_FULL: Final = tuple(name for name in LOOKUP.names if name != "market")
"""Columns that full gets of the auxiliary tables, as in the prior study."""

AUX_SLIM: Final = tuple(
    name
    for name in AUX_FULL
    if name in ("country_continent", "country_population", "country_area") or name.startswith("cultural_distance_")
)
"""Columns that slim gets of the auxiliary tables, as in the prior study."""

SLIM: Final = Contract(
    "slim",
    "a row of the source with the columns that analysis needs, typed; what cannot be read as its type is null",
    (
        Column("observation_date", _DATE, "date of the chart, a weekly chart's last day", nullable=True),
        Column("year_month", _TEXT, "YYYY-MM of the date, or unknown"),
        Column("track_id", _TEXT, "id of the track, from its link where the source has no id", nullable=True),
        *TRACKS.pick("title", "artist"),
        Column("region", _TEXT, "name of the market as the source writes it, in single spaces", nullable=True),
        Column("chart", _TEXT, "name of the chart in lower case"),
        Column("rank", pa.int32(), "position on the chart, 1 is best", nullable=True),
        Column("streams", _COUNT, "streams in the chart's period", nullable=True),
        *TRACKS.pick("popularity", "duration_ms", "explicit"),
        Column("release_date", _TEXT, "release as the source writes it", nullable=True),
        *TRACKS.pick(*(name for name in TRACKS.names if name.startswith("af_"))),
        Column("source_country_norm", _TEXT, "the same as region", nullable=True),
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code, or Global; null where the name is not known", nullable=True),
    ),
    (),
)

SLIM_JOINED: Final = Contract(
    "slim_joined",
    "a row of slim, with what the auxiliary tables say of its market",
    (*SLIM.columns, *LOOKUP.pick(*AUX_SLIM)),
    (),
)

DISTINCT_VALUES: Final = Contract(
    "distinct_values",
    "a value that a column of the source has somewhere",
    (Column("column_name", _TEXT, "track_id, artist, region or chart"), Column("value", _TEXT, "the value, trimmed")),
    ("column_name", "value"),
)

PROFILE_OVERVIEW: Final = Contract(
    "profile_overview",
    "everything that was read, a single row",
    (
        Column("raw_rows", _COUNT, "rows read, damaged lines among them"),
        Column("merged_rows", _COUNT, "rows written"),
        Column("min_date", _DATE, "first date; null where none can be read", nullable=True),
        Column("max_date", _DATE, "last date; null where none can be read", nullable=True),
        Column("distinct_track_id", _COUNT, "tracks, by id"),
        Column("distinct_artist", _COUNT, "credits, by their text"),
        Column("distinct_region", _COUNT, "market names"),
        Column("distinct_chart", _COUNT, "charts"),
        Column("join_aux_enabled", _COUNT, "1 where auxiliary tables were joined, else 0"),
    ),
    ("raw_rows",),
)

NULL_RATES: Final = Contract(
    "profile_null_rates",
    "a column of the source",
    (
        Column("column_name", _TEXT, "its name in full"),
        Column("null_rate", _NUMBER, "share of rows in which it is null or blank; null where no row is", nullable=True),
    ),
    ("column_name",),
)

SOURCE_SCHEMA: Final = Contract(
    "source_schema",
    "a column of the source, in the form of a database's table of columns",
    (
        Column("cid", _COUNT, "place of the column, from 0"),
        Column("name", _TEXT, "its name in full"),
        Column("type", _TEXT, "STRING, as full has every column"),
        Column("not_null", _COUNT, "0: the column may be null"),
        Column("dflt_value", _TEXT, "empty: there is no default"),
        Column("pk", _COUNT, "0: the column is no key"),
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
        Column("year", _TEXT, "year of the charts' dates, unknown, or damaged for lines that are no rows"),
        Column("raw_rows", _COUNT, "rows read"),
        Column("kept_rows", _COUNT, "rows kept"),
        Column("duplicate_rows", _COUNT, "rows that say what another one says"),
        Column("quarantined_rows", _COUNT, "rows set aside"),
        Column("repaired_rows", _COUNT, "rows put right, which are among the kept"),
    ),
    ("file", "year"),
)
