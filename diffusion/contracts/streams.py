"""Contracts of the tables of streams: how often each number of them is met, by chart, and summed by track."""

from typing import Final

import pyarrow as pa

from diffusion.contracts.contract import Column, Contract

_DATE, _COUNT = pa.date32(), pa.int64()
_MARKET = Column("market", pa.string(), "ISO 3166-1 alpha-2 code of the market")
_LOG = "ten-thousandths of a unit, each cut down"

STREAM_COUNTS = Contract(
    "stream_counts",
    "one number of streams",
    (
        Column("streams", _COUNT, "streams of a row"),
        Column("chart_rows", _COUNT, "rows of markets with so many streams"),
    ),
    ("streams",),
)

CHART_SUMS = Contract(
    "chart_sums",
    "one market and date: sums over the rows with streams",
    (
        _MARKET,
        Column("date", _DATE, "observed date"),
        Column("chart_rows", _COUNT, "rows"),
        Column("streamed_rows", _COUNT, "rows with one stream or more"),
        Column("streams", _COUNT, "streams of these rows"),
        Column("log", _COUNT, f"sum of log10 streams of these rows, in {_LOG}"),
        Column("log_rank", _COUNT, f"sum of log10 position of these rows, in {_LOG}"),
    ),
    ("market", "date"),
)

_ABOVE = "log10 streams above the mean of their chart"
_TEN_THOUSANDTHS = "over the rows with streams, in ten-thousandths of a unit"


def _sum(name: str, of: str) -> Column:
    return Column(name, _COUNT, f"sum of {of} {_TEN_THOUSANDTHS}")


TRACK_SUMS = Contract(
    "track_sums",
    "one track on the chart of some market: sums over its rows, from which correlations with streams are made",
    (
        Column("track", pa.int32(), "code of the track, from 0 in order of first appearance"),
        Column("chart_rows", _COUNT, "rows of markets"),
        Column("streamed_rows", _COUNT, "rows with one stream or more"),
        _sum("log", "log10 streams"),
        _sum("log_log", "squares of log10 streams, each factor"),
        _sum("above", _ABOVE),
        _sum("above_above", f"squares of {_ABOVE}, each factor"),
        Column("rank", _COUNT, "sum of positions over the rows with streams"),
        Column("rank_rank", _COUNT, "sum of squares of positions over the rows with streams"),
        _sum("rank_log", "position times log10 streams"),
        _sum("rank_above", f"position times {_ABOVE}"),
        _sum("log_rank", "log10 position"),
        _sum("log_rank_log_rank", "squares of log10 position, each factor"),
        _sum("log_rank_log", "log10 position times log10 streams, each factor"),
        _sum("log_rank_above", f"log10 position times {_ABOVE}, each factor"),
        _sum("lower_lower", "squares of log10 position above the mean of its chart, each factor"),
        _sum("lower_above", f"log10 position above the mean of its chart times {_ABOVE}, each factor"),
    ),
    ("track",),
)

STREAM_RELATIONS: Final = (STREAM_COUNTS, CHART_SUMS, TRACK_SUMS)
"""Contracts of the tables of streams, which the engine returns."""
