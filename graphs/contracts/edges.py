"""Contracts of the graph itself: its edges, its backbone, its edges by period, and its markets."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import ENTRIES, TRANSITIONS, Column, Contract
from graphs.contracts.lifts import LIFTS

_TEXT, _DATE, _COUNT, _NUMBER = pa.string(), pa.date32(), pa.int64(), pa.float64()

_UNKNOWN_PAIR = "null where the packaged distances lack the pair"

_DISTANCES = (
    Column("distance_km", _NUMBER, f"km between the largest cities; {_UNKNOWN_PAIR}", nullable=True),
    Column("contiguous", _COUNT, f"1 where the two share a border, else 0; {_UNKNOWN_PAIR}", nullable=True),
    Column(
        "common_language",
        _COUNT,
        f"1 where the two share an official language as CEPII codes it, else 0; {_UNKNOWN_PAIR}",
        nullable=True,
    ),
    Column(
        "language_overlap",
        _NUMBER,
        f"probability that two people, one of each market, share a language; {_UNKNOWN_PAIR}",
        nullable=True,
    ),
    Column(
        "cultural_distance",
        _NUMBER,
        f"0 … 1: cosine distance of what people are interested in on Facebook; {_UNKNOWN_PAIR}",
        nullable=True,
    ),
)


EDGES = Contract(
    "edges",
    "one ordered pair of markets, with or without transitions",
    (*TRANSITIONS.columns, *_DISTANCES),
    TRANSITIONS.key,
)

BEYOND: Final = (
    "observed",
    "expected",
    "lift",
    "lift_low",
    "lift_high",
    "q",
    "asymmetry",
    "q_order",
)
"""Columns of `LIFTS` that go with an edge into the backbone and into the files for other tools."""

BACKBONE = Contract(
    "backbone",
    "one pair beyond the baseline: q is at most .05",
    (
        *EDGES.columns,
        *LIFTS.pick(*BEYOND),
        Column(
            "disparity_out",
            _NUMBER,
            "probability of a share at least as large of the tracks that source sends, if these were divided at "
            "random; null where tracks is 0",
            nullable=True,
        ),
        Column(
            "disparity_in",
            _NUMBER,
            "probability of a share at least as large of the tracks that target receives, if these were divided at "
            "random; null where tracks is 0",
            nullable=True,
        ),
        Column(
            "disparity",
            _NUMBER,
            "probability: the smaller of disparity_out and disparity_in; null where tracks is 0",
            nullable=True,
        ),
    ),
    EDGES.key,
)

PERIODS = Contract(
    "periods",
    "one quarter and ordered pair with a transition, counted over the tracks that debut in the quarter",
    (
        Column("period", _TEXT, "name of the quarter: 2021Q3"),
        Column("start", _DATE, "first date of the quarter"),
        Column("end", _DATE, "last date of the quarter"),
        *TRANSITIONS.pick("source", "target", "tracks", "joint", "exposed", "lag_median"),
    ),
    ("period", "source", "target"),
)

_UNKNOWN_MARKET = "null where the reference table lacks the market"

_COVERAGE = (
    Column("first_date", _DATE, "first observed date"),
    Column("last_date", _DATE, "last observed date"),
    Column("dates", _COUNT, "dates observed"),
    Column("missing", _COUNT, "dates of the chart's cadence, between the first and the last, that were not observed"),
    Column("spans", _COUNT, "stretches of coverage without a long gap"),
    Column("depth_least", _COUNT, "rows on the shortest chart"),
    Column("depth_median", _NUMBER, "rows on the median chart"),
    Column("stale", _COUNT, "charts that equal the one before"),
)

_SCORES = (
    Column("out_tracks", _COUNT, "tracks sent, counted once per receiving market"),
    Column("in_tracks", _COUNT, "tracks received, counted once per sending market"),
    Column("net_flow", _COUNT, "tracks: out_tracks − in_tracks"),
    Column("pagerank", _NUMBER, "0 … 1: PageRank on the reversed flow; adds up to 1"),
    Column("hub", _NUMBER, "0 … 1: HITS hub score (sends to good receivers); adds up to 1"),
    Column("authority", _NUMBER, "0 … 1: HITS authority score (receives from good senders); adds up to 1"),
    Column("springrank", _NUMBER, "SpringRank: tracks tend to go from a market to one whose score is 1 lower"),
    Column("closeness", _NUMBER, "per day: mean of 1 / days of the fastest path to each other market"),
    Column("betweenness", _NUMBER, "share of the fastest paths between other markets that contain this market"),
)

MARKETS = Contract(
    "markets",
    "one observed market",
    (
        *ENTRIES.pick("market"),
        Column("name", _TEXT, "English name of the market"),
        Column("continent", _TEXT, f"continent; {_UNKNOWN_MARKET}", nullable=True),
        Column("subregion", _TEXT, f"part of the continent; {_UNKNOWN_MARKET}", nullable=True),
        Column("population", _COUNT, f"inhabitants; {_UNKNOWN_MARKET}", nullable=True),
        Column("latitude", _NUMBER, f"degrees north, where a label belongs; {_UNKNOWN_MARKET}", nullable=True),
        Column("longitude", _NUMBER, f"degrees east, where a label belongs; {_UNKNOWN_MARKET}", nullable=True),
        *_COVERAGE,
        Column("entries", _COUNT, "tracks that entered"),
        Column("left_censored", _COUNT, "entries within the washout; their true date is unknown"),
        Column("debuts", _COUNT, "timed entries on day 0 of their track"),
        *_SCORES,
    ),
    ("market",),
)
