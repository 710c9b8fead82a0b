"""Contracts of the rows of one chart with Global as a market, and of what is summed over them."""

from typing import Final

import pyarrow as pa

from diffusion.contracts.contract import Column, Contract

_TRACK = Column("track", pa.int32(), "code of the track, from 0 in order of first appearance")

POSITIONS = Contract(
    "positions",
    "one track on one market's chart, or on Global, on one date",
    (
        Column("date", pa.date32(), "the chart's date, a weekly chart's last day"),
        Column("market", pa.string(), "ISO 3166-1 alpha-2 code of the market, or Global"),
        _TRACK,
        Column("rank", pa.int32(), "position on the chart, 1 is best"),
        Column("streams", pa.int64(), "streams in the chart's period; null where the chart shows none", nullable=True),
    ),
    ("date", "market", "track"),
)

ASKED_POSITIONS = Contract(
    "asked_positions",
    "one track on one market's chart, or on Global, on one of the dates asked for of this track",
    POSITIONS.columns,
    POSITIONS.key,
)

FIRST_DATES = Contract(
    "first_dates",
    "one track on the chart of some market or on Global",
    (_TRACK, Column("first_date", pa.date32(), "its first date there")),
    ("track",),
)

TRACK_ROWS = Contract(
    "track_rows",
    "one track with rows on the dates asked for, on the chart of some market or on Global",
    (
        *FIRST_DATES.columns,
        Column("first_market", pa.string(), "the first in order of code of its markets on that date, or Global"),
        Column("chart_rows", pa.int64(), "its rows on the dates asked for"),
    ),
    ("track",),
)

CHART_ENDS = Contract(
    "chart_ends",
    "one date and market, or Global",
    (
        *POSITIONS.pick("date", "market"),
        Column("last_rank", pa.int32(), "last position of the chart"),
        Column("streams", pa.float64(), "sum of the streams of its rows, each of single precision; 0 without any"),
    ),
    ("date", "market"),
)

POSITION_RELATIONS: Final = (POSITIONS, ASKED_POSITIONS, FIRST_DATES, TRACK_ROWS, CHART_ENDS)
"""Contracts of rows with Global and of what is summed over them, which the engine returns."""
