"""Contracts of the tables of pairs of markets side by side."""

from dataclasses import replace
from typing import Final

import pyarrow as pa

from diffusion.contracts import TRANSITIONS, Column, Contract
from graphs.contracts import EDGES, LEADERS, LIFTS

_TEXT, _COUNT, _NUMBER, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()

BEYOND: Final = (
    "expected", "lift", "lift_low", "lift_high", "q", "edge", "q_order", "ordered", "lead_share", "lead_expected",
)  # fmt: skip
"""Columns of the lifts."""

TESTED: Final = ("score", "low", "high", "q", "shrunk", "rank_low", "rank_high", "group")
"""Columns of the leaders."""


def _or_missing(columns: tuple[Column, ...], why: str) -> tuple[Column, ...]:
    """Return columns that may be null for a further reason."""
    return tuple(replace(one, meaning=f"{one.meaning}; null {why}", nullable=True) for one in columns)


EXCHANGE: Final = Contract(
    "exchange",
    "one ordered pair of markets: counts, rate, lags, what was expected, and how far the two are apart",
    (
        *TRANSITIONS.pick("source"),
        Column("source_name", _TEXT, "English name of the source"),
        *TRANSITIONS.pick("target"),
        Column("target_name", _TEXT, "English name of the target"),
        *(column for column in EDGES.columns if column.name not in TRANSITIONS.key),
        *_or_missing(LIFTS.pick(*BEYOND), "where pairs could not be held against the baseline"),
    ),
    TRANSITIONS.key,
)

EXCHANGE_MARKETS: Final = Contract(
    "exchange_markets",
    "one market: what it sends and receives, and whether it leads or follows beyond the baseline",
    (
        *LEADERS.pick("market"),
        Column("name", _TEXT, "English name of the market"),
        Column("sent", _COUNT, "tracks sent, counted once per receiving market"),
        Column("received", _COUNT, "tracks received, counted once per sending market"),
        Column("edges_out", _COUNT, "markets that follow it beyond the baseline (q ≤ .05)"),
        Column("edges_in", _COUNT, "markets that it follows beyond the baseline (q ≤ .05)"),
        Column("ordered_out", _COUNT, "markets, of these, that follow it more than the other way round"),
        Column("ordered_in", _COUNT, "markets, of these, that it follows more than the other way round"),
        *_or_missing(LEADERS.pick(*TESTED), "where no lead could be tested"),
        Column("role", _TEXT, "leads or follows (q ≤ .05), not told apart, or not tested"),
    ),
    ("market",),
)

DISTANCE_EFFECTS: Final = Contract(
    "distance_effects",
    "one method and distance: whether the distance predicts transitions",
    (
        Column("method", _TEXT, "gravity, mrqap or mantel"),
        Column("term", _TEXT, "name of the distance: log_km, common_language, cultural_distance"),
        Column("unit", _TEXT, "what the estimate is"),
        Column("holds_fixed", _TEXT, "what the method holds fixed"),
        Column("estimate", _NUMBER, "share, log ratio or correlation, as unit says; null where there is none", True),
        Column("low", _NUMBER, "share or log ratio: lower bound of the 95 % interval; null where there is none", True),
        Column("high", _NUMBER, "share or log ratio: upper bound of the 95 % interval; null as low", True),
        Column("p", _NUMBER, "probability of so large an estimate if there were no effect; null where none is", True),
        Column("markets", _COUNT, "markets used"),
    ),
    ("method", "term"),
)
