"""Contracts of the tables of events.

The engine makes the tables of `RELATIONS` with ``sql/<name>.sql``; the tables of `ARRAY_RELATIONS` are counted on
arrays. Markets are ISO 3166-1 alpha-2 codes in capitals, dates are calendar dates, durations are whole days.
"""

from typing import Final

import pyarrow as pa

from diffusion.contracts.comparison import COMPARISON_RELATIONS
from diffusion.contracts.contract import Column, Contract
from diffusion.contracts.positions import POSITION_RELATIONS
from diffusion.contracts.star import STAR_RELATIONS, STAR_STEPS
from diffusion.contracts.stays import STAY_RELATIONS
from diffusion.contracts.streams import STREAM_RELATIONS

_TEXT, _DATE, _COUNT, _NUMBER, _FLAG = pa.string(), pa.date32(), pa.int64(), pa.float64(), pa.bool_()

_TRACK = Column("track_id", _TEXT, "id of the track, or of the recording where ids of one recording are joined")
_MARKET = Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market")
_CHART = Column("chart", _TEXT, "name of the chart: top200, viral50, top50 …")
_SOURCE = Column("source", _TEXT, "market that the track entered first")
_TARGET = Column("target", _TEXT, "market that the track may enter next")
_RANK = Column("rank", pa.int32(), "position on the chart, 1 is best")
_STREAMS = Column("streams", _COUNT, "streams in the chart's period; null where the chart shows none", nullable=True)
_DEBUT = Column("debut", _DATE, "day 0: the track's earliest entry over all markets")

CHART_ROWS = Contract(
    "chart_rows",
    "one track on one market's chart on one date",
    (_CHART, _MARKET, Column("date", _DATE, "the chart's date, a weekly chart's last day"), _TRACK, _RANK, _STREAMS),
    ("chart", "market", "date", "track_id"),
)

COVERAGE = Contract(
    "coverage",
    "one market and date on which the chart was observed",
    (
        _MARKET,
        _CHART,
        Column("date", _DATE, "observed date"),
        Column("depth", _COUNT, "rows on that date"),
        Column("previous", _DATE, "the market's observed date before; null at its first", nullable=True),
        Column("span", _COUNT, "number of the stretch without long gap, from 1"),
        Column("stale", _FLAG, "the chart equals the previous one, ranks and all"),
    ),
    ("market", "chart", "date"),
)

SPANS = Contract(
    "spans",
    "one stretch of a market's coverage without a long gap",
    (
        _MARKET,
        _CHART,
        Column("span", _COUNT, "number of the stretch, from 1"),
        Column("first_date", _DATE, "first observed date of the stretch"),
        Column("last_date", _DATE, "last observed date of the stretch"),
        Column("dates", _COUNT, "observed dates"),
        Column("depth_least", _COUNT, "rows on the shortest chart"),
        Column("depth_median", _NUMBER, "rows on the median chart"),
        Column("stale", _COUNT, "stale charts"),
    ),
    ("market", "chart", "span"),
)

PERIODS = Contract(
    "periods",
    "one date on which some market's chart was observed",
    (
        Column("date", _DATE, "observed date"),
        Column("observed", _COUNT, "markets observed on that date"),
        Column("covered", _COUNT, "markets in coverage on that date: between the ends of a stretch without long gap"),
        Column("counts", _FLAG, "the date is a period: more than half of the markets in coverage were observed"),
        Column("periods", _COUNT, "periods up to and including the date"),
    ),
    ("date",),
)

ABSENCES = Contract(
    "absences",
    "one track and absence from every market's chart",
    (
        _TRACK,
        Column("last_on", _DATE, "last date on a chart before the absence"),
        Column("left_on", _DATE, "date on which the absence was long enough: of the n-th period without the track"),
        Column("back_on", _DATE, "next date on the chart of any market; null where there is none", nullable=True),
    ),
    ("track_id", "left_on"),
)

ENTRIES = Contract(
    "entries",
    "one track and market: the track's first event there",
    (
        _TRACK,
        _MARKET,
        _CHART,
        Column("entry", _DATE, "date of the first event; of a stay, the chart on which it was long enough"),
        Column("last_without", _DATE, "the market's observed date before the event; null at its first", nullable=True),
        _RANK,
        _STREAMS,
        Column("left_censored", _FLAG, "the entry falls within the washout, so the true entry is unknown"),
    ),
    ("track_id", "market", "chart"),
)

DEBUTS = Contract(
    "debuts",
    "one track: its day 0",
    (
        _TRACK,
        _DEBUT,
        Column("footprint", _COUNT, "markets entered on day 0"),
        Column(
            "left_censored", _FLAG, "every entry of the footprint is left-censored; no timed analysis uses the track"
        ),
        Column("markets", _COUNT, "markets ever entered"),
    ),
    ("track_id",),
)

FOOTPRINTS = Contract(
    "footprints",
    "one track and market entered on the track's day 0",
    (_TRACK, _MARKET, _DEBUT, Column("left_censored", _FLAG, "the market was still in its washout")),
    ("track_id", "market"),
)

WAITS = Contract(
    "waits",
    "one track and market outside its footprint: how long the track was at risk of entering, and whether it did",
    (
        _TRACK,
        _MARKET,
        _DEBUT,
        Column("footprint", _COUNT, "markets entered on day 0"),
        Column("start", _COUNT, "days after the debut; at risk on day t when start < t ≤ days"),
        Column("days", _COUNT, "days after the debut at which the wait ends"),
        Column("entered", _FLAG, "the wait ends with the entry; otherwise it is censored"),
    ),
    ("track_id", "market"),
)

LAGS = Contract(
    "lags",
    "one ordered pair of markets and number of days: exposed tracks whose follow-up ended then",
    (
        _SOURCE,
        _TARGET,
        Column("days", _COUNT, "days after the entry into the source"),
        Column("entered", _COUNT, "exposed tracks that entered the target on that day"),
        Column("censored", _COUNT, "exposed tracks not entered whose follow-up ended on that day"),
    ),
    ("source", "target", "days"),
)

TIES = Contract(
    "ties",
    "one ordered pair of markets with ties: tracks that entered both, with neither order observed",
    (_SOURCE, _TARGET, Column("joint", _COUNT, "tracks that entered both with neither order observed")),
    ("source", "target"),
)

TRANSITIONS = Contract(
    "transitions",
    "one ordered pair of markets",
    (
        _SOURCE,
        _TARGET,
        Column("tracks", _COUNT, "exposed tracks that entered the target within the window, in observed order"),
        Column(
            "joint", _COUNT, "tracks that entered both with neither order observed (a tie); the same in both directions"
        ),
        Column("exposed", _COUNT, "tracks timed in the source and not yet in the target while it was observed"),
        Column(
            "rate",
            _NUMBER,
            "P(target by day followed_to | source, untied), Kaplan–Meier; null where exposed is 0",
            nullable=True,
        ),
        Column(
            "rate_low", _NUMBER, "lower bound of the rate's 95 % interval, by clusters; null as the rate", nullable=True
        ),
        Column(
            "rate_high",
            _NUMBER,
            "upper bound of the rate's 95 % interval, by clusters; null as the rate",
            nullable=True,
        ),
        Column(
            "rate_if_ties",
            _NUMBER,
            "share: the rate if source came first in every tie, with lag 0; null where exposed and joint are 0",
            nullable=True,
        ),
        Column("lag_q25", _NUMBER, "days: lower quartile of the observed lags; null where tracks is 0", nullable=True),
        Column("lag_median", _NUMBER, "days: median observed lag; null where tracks is 0", nullable=True),
        Column("lag_q75", _NUMBER, "days: upper quartile of the observed lags; null where tracks is 0", nullable=True),
        Column(
            "followed_to", _COUNT, "days: longest follow-up of an exposed track; null where exposed is 0", nullable=True
        ),
    ),
    ("source", "target"),
)

JOURNEYS = Contract(
    "journeys",
    "one track and market in the order of entry; equal steps are ties",
    (
        _TRACK,
        Column("step", _COUNT, "place in the order of entry dates, from 1; markets entered on one date share it"),
        _MARKET,
        Column("entry", _DATE, "date of the first event"),
        Column("last_without", _DATE, "the market's observed date before; null at its first", nullable=True),
        Column("days", _COUNT, "days after the debut"),
        _RANK,
        Column("left_censored", _FLAG, "the entry falls within the washout, so the true entry is unknown"),
    ),
    ("track_id", "market"),
)

CHARTS_PRESENT = Contract(
    "charts_present",
    "one chart of the source",
    (
        _CHART,
        Column("chart_rows", _COUNT, "rows kept"),
        Column("markets", _COUNT, "markets observed"),
        Column("tracks", _COUNT, "tracks seen"),
        Column("first_date", _DATE, "first observed date"),
        Column("last_date", _DATE, "last observed date"),
    ),
    ("chart",),
)

CHART_DEPTHS = Contract(
    "chart_depths",
    "one chart of one market, or of Global, on one date",
    (
        _CHART,
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market, or Global"),
        Column("date", _DATE, "observed date"),
        Column("chart_rows", _COUNT, "rows"),
        Column("best_rank", pa.int32(), "best rank; 1 on a whole chart"),
        Column("deepest_rank", pa.int32(), "deepest rank; as many as the rows of a whole chart"),
        Column("missing", _COUNT, "number of missing ranks down to the deepest, without those left out after ties"),
    ),
    ("chart", "market", "date"),
)

WHOLENESS = Contract(
    "wholeness",
    "one chart and market, or Global: how whole its charts are",
    (
        _CHART,
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market, or Global"),
        Column("first_date", _DATE, "first observed date"),
        Column("last_date", _DATE, "last observed date"),
        Column("dates", _COUNT, "observed dates"),
        Column(
            "cadence", _COUNT, "days from one date to the next: the most frequent; null with one date", nullable=True
        ),
        Column("longest_step", _COUNT, "most days from one date to the next; null with one date", nullable=True),
        Column("chart_rows", _COUNT, "rows of all dates"),
        Column("depth_median", _NUMBER, "deepest rank, median of the dates"),
        Column("depth_most", _COUNT, "deepest rank of all dates"),
        Column("missing", _COUNT, "number of ranks down to the deepest that are missing, of all dates"),
        Column("with_holes", _COUNT, "dates on which more than 5 % of the ranks from 1 to the deepest are missing"),
        Column("without_first", _COUNT, "dates without rank 1"),
    ),
    ("chart", "market"),
)

PEAKS = Contract(
    "peaks",
    "one track id and market of one chart: when it was first there, and how high it came",
    (
        Column("track_id", _TEXT, "id of the track"),
        _MARKET,
        Column("first_date", _DATE, "first date on the chart"),
        Column("best_rank", pa.int32(), "best position of all dates, 1 is best"),
    ),
    ("track_id", "market"),
)

NULLABLE: Final = (
    "streams", "trend", "title", "artist", "album", "release_date", "explicit", "duration_ms", "popularity", "audio",
    "licences",
)  # fmt: skip
"""Columns of rows or of their tracks that a source may leave empty; audio is any feature of sound, licences the list of
markets in which the track may be heard."""

NULLS = Contract(
    "nulls",
    "one chart, market (or Global) and year: what its rows lack",
    (
        _CHART,
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market, or Global"),
        Column("year", _COUNT, "year of the dates"),
        Column("chart_rows", _COUNT, "rows"),
        *(
            column
            for name in NULLABLE
            for column in (
                Column(f"{name}_missing", _COUNT, f"rows without {name.replace('_', ' ')}"),
                Column(f"{name}_absent", _COUNT, "of these, rows on dates on which no row of the chart has it"),
            )
        ),
    ),
    ("chart", "market", "year"),
)

WITHHELD = Contract(
    "withheld",
    "one track and market, where the track's licence list is known and does not name the market",
    (_TRACK, _MARKET),
    ("track_id", "market"),
)

RELATIONS: Final = (
    *STAR_RELATIONS,
    CHARTS_PRESENT,
    CHART_DEPTHS,
    WHOLENESS,
    NULLS,
    WITHHELD,
    CHART_ROWS,
    *POSITION_RELATIONS,
    *COMPARISON_RELATIONS,
    PEAKS,
    COVERAGE,
    SPANS,
    PERIODS,
    ABSENCES,
    ENTRIES,
    DEBUTS,
    FOOTPRINTS,
    JOURNEYS,
    *STAY_RELATIONS,
    *STREAM_RELATIONS,
)
"""Contracts of the tables that the engine returns; ``sql/`` has one file for each of them and each step between."""

ARRAY_RELATIONS: Final = (WAITS, LAGS, TIES, TRANSITIONS)
"""Contracts of the tables that `diffusion.risk` and `diffusion.pairs` count on arrays."""

ENGINE_STEPS: Final = (*STAR_STEPS, "first_appearances", "first_stays", "compared_rows")
"""Names of intermediate relations, which the engine never returns."""
