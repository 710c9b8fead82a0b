"""Contracts of the tables of what charts lack."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _DATE, _COUNT, _NUMBER, _FLAG = pa.string(), pa.date32(), pa.int64(), pa.float64(), pa.bool_()

_MARKET = Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market")
_CHART = Column("chart", _TEXT, "name of the chart: top200, viral50, top50 …")
_COLUMN = Column("column", _TEXT, "column of the rows or of their tracks; audio is any feature of sound")

MISSING_DATES: Final = Contract(
    "missing_dates",
    "one market and stretch of dates on which it has no chart, from the first date of the charts to the last",
    (
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market; all: no market has a chart"),
        Column("first_date", _DATE, "first date of the stretch"),
        Column("last_date", _DATE, "last date of the stretch"),
        Column("dates", _COUNT, "dates of the stretch, at the market's cadence"),
        Column("elsewhere", _COUNT, "of these, dates on which another market has a chart"),
        Column("where", _TEXT, "before the market's first chart, between two charts, or after its last"),
        Column("long", _FLAG, "the stretch is more than a long gap of 28 days, over which coverage is not bridged"),
    ),
    ("market", "first_date"),
)

COVERAGE_EVENTS: Final = Contract(
    "coverage_events",
    "one market and event of its coverage",
    (
        _MARKET,
        Column(
            "event",
            _TEXT,
            "launch, drop-out or end: a stretch without charts of more than 28 days before, between or after the "
            "market's charts; stale: charts in a row that equal the one before; shallow: charts in a row with fewer "
            "than 0.9 of the rows of the median market's",
        ),
        Column("first_date", _DATE, "first date of the stretch: without charts, or of stale or shallow charts"),
        Column("last_date", _DATE, "last date of the stretch"),
        Column("dates", _COUNT, "dates of the stretch"),
        Column("depth", _NUMBER, "rows: mean of the charts; null where there are none", nullable=True),
    ),
    ("market", "event", "first_date"),
)

COVERAGE_BY_MARKET: Final = Contract(
    "coverage_by_market",
    "one market: its charts, what they lack, and what that does to entries and follow-up",
    (
        _MARKET,
        Column("name", _TEXT, "English name of the market"),
        Column("first_date", _DATE, "first observed date"),
        Column("last_date", _DATE, "last observed date"),
        Column("dates", _COUNT, "observed dates"),
        Column("before", _COUNT, "dates of the charts before the market's first chart"),
        Column("between", _COUNT, "dates without a chart between its first and its last"),
        Column("after", _COUNT, "dates of the charts after the market's last chart"),
        Column("drop_outs", _COUNT, "stretches between its charts of more than 28 days"),
        Column("stale", _COUNT, "charts that equal the one before, ranks and all"),
        Column("shallow", _COUNT, "charts with fewer than 0.9 of the rows of the median market's"),
        Column("depth_median", _NUMBER, "rows on the median chart"),
        Column("entries", _COUNT, "entries outside the washout"),
        Column("loose", _COUNT, "of these, entries whose date is not known: the chart before is missing"),
        Column("gap_ties", _COUNT, "entries elsewhere that these tie with because a chart of this market is missing"),
        Column("followed_whole", _NUMBER, "share of tracks whose follow-up here lasts to the horizon if they stay out"),
        Column("never_followed", _NUMBER, "share of tracks never at risk here: the market is not observed in time"),
    ),
    ("market",),
)

MISSING_EFFECTS: Final = Contract(
    "missing_effects",
    "one thing that missing charts do to entries, ties or follow-up",
    (
        Column("effect", _TEXT, "what is counted"),
        Column("count", _COUNT, "number of entries, of tied pairs of entries, or of tracks and markets outside them"),
        Column("of", _COUNT, "number of all of these"),
        Column("share", _NUMBER, "share: count / of; null where there are none", nullable=True),
    ),
    ("effect",),
)

NULL_CELLS: Final = Contract(
    "nulls",
    "one chart, market (or Global), year and column: how many rows lack it",
    (
        _CHART,
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market, or Global"),
        Column("year", _COUNT, "year of the dates"),
        _COLUMN,
        Column("chart_rows", _COUNT, "rows"),
        Column("missing", _COUNT, "rows without a value"),
        Column("structural", _COUNT, "of these, rows on dates on which no row of the chart has a value"),
        Column("real", _COUNT, "of these, rows on dates on which another row of the chart has a value"),
        Column("kind", _TEXT, "none, structural, real or both"),
    ),
    ("chart", "market", "year", "column"),
)

NULL_COLUMNS: Final = Contract(
    "null_columns",
    "one chart and column: how much of it is missing, and where most",
    (
        _CHART,
        _COLUMN,
        Column("chart_rows", _COUNT, "rows, of all markets and Global"),
        Column("missing", _COUNT, "rows without a value"),
        Column("structural", _COUNT, "of these, rows on dates on which no row of the market's chart has a value"),
        Column("real", _COUNT, "of these, rows on dates on which another row of the market's chart has a value"),
        Column("missing_share", _NUMBER, "share: missing of all rows"),
        Column("structural_share", _NUMBER, "share: structural of all rows"),
        Column("real_share", _NUMBER, "share: real of all rows"),
        Column("cells", _COUNT, "markets and years of the chart"),
        Column("structural_cells", _COUNT, "markets and years, of these, with structural missing values"),
        Column("most_market", _TEXT, "market of the largest share that is really missing", nullable=True),
        Column("most_year", _COUNT, "year of it", nullable=True),
        Column("most_share", _NUMBER, "share: the largest; null where none is really missing", nullable=True),
    ),
    ("chart", "column"),
)
