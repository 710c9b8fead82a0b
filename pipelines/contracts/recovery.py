"""Contracts of the recovery study: scores of methods in simulations, and coverage of intervals."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()

_METHOD: Final = Column("method", _TEXT, "method that scores each pair")
_EDGE_SHARE: Final = Column("edge_share", _NUMBER, "share of pairs that are edges: the average precision of a guess")
_SIMULATIONS: Final = Column("simulations", _COUNT, "simulations of the cell")
_MEASURES: Final = {
    "average_precision": "area under precision by recall of the edges, 0 … 1",
    "auc": "probability that an edge has a higher score than a pair that is not an edge",
    "leaders_tau": "correlation (Kendall's τ-b) of the method's leaders with the true ones",
}

CELL_SCORES: Final = Contract(
    "recovery_scores",
    "a simulation and method",
    (
        Column("simulation", _COUNT, "number of the simulation, from 0"),
        _METHOD,
        _EDGE_SHARE,
        Column("average_precision", _NUMBER, _MEASURES["average_precision"]),
        Column("auc", _NUMBER, _MEASURES["auc"]),
        Column("leaders_tau", _NUMBER, f"{_MEASURES['leaders_tau']}; null where all leaders are equal", nullable=True),
    ),
    ("simulation", "method"),
)

CELL_COVERAGE: Final = Contract(
    "recovery_intervals",
    "a simulation and class of intervals of 95 %",
    (
        *CELL_SCORES.pick("simulation"),
        Column("quantity", _TEXT, "quantity of the intervals: rate, lag_curve, alpha, alpha_late or alpha_zero"),
        Column("days", _COUNT, "days of the lag curve; null for other quantities", nullable=True),
        Column("expected", _TEXT, "transitions or credits expected: 10 or more, fewer, or none"),
        Column("intervals", _COUNT, "number of intervals"),
        Column("below", _COUNT, "number of intervals below the truth"),
        Column("above", _COUNT, "number of intervals above the truth"),
    ),
    ("simulation", "quantity", "days", "expected"),
)

_CELL: Final = (
    Column("cell", _TEXT, "name of the cell, with the switches of its simulations"),
    Column("cadence", _TEXT, "daily or weekly"),
    Column("lag", _NUMBER, "days: typical median lag of an edge"),
    Column("ties", _FLAG, "tracks can be released in several markets at once"),
    Column("background", _FLAG, "tracks also enter without an earlier entry as cause"),
    Column("gaps", _FLAG, "dates are missing"),
    Column("frailty", _FLAG, "tracks differ in popularity, which no method observes"),
)


def _interval(name: str, of: str) -> tuple[Column, ...]:
    """Return the bounds of a mean over simulations."""
    why = f"in the unit of {name}; null with a single simulation"
    return (
        Column(f"{name}_low", _NUMBER, f"lower bound of the 95 % interval of {of}, {why}", nullable=True),
        Column(f"{name}_high", _NUMBER, f"upper bound of the 95 % interval of {of}, {why}", nullable=True),
    )


def _mean(name: str) -> tuple[Column, ...]:
    """Return the mean of a measure with its interval."""
    meaning = f"{_MEASURES[name]}, mean over simulations; null if no simulation has a value"
    return (Column(name, _NUMBER, meaning, nullable=True), *_interval(name, "the mean"))


RECOVERY_EDGES: Final = Contract(
    "recovery_edges",
    "a cell and method",
    (*_CELL, _METHOD, _SIMULATIONS, _EDGE_SHARE, *(column for name in _MEASURES for column in _mean(name))),
    ("cell", "method"),
)

RECOVERY_ADVANTAGE: Final = Contract(
    "recovery_advantage",
    "a cell, method and other method",
    (
        *_CELL,
        _METHOD,
        Column("over", _TEXT, "the other method"),
        _SIMULATIONS,
        Column("gain", _NUMBER, "0 … 1 (−1 … 0 for a loss): average precision above that of the other, mean of pairs"),
        *_interval("gain", "the mean"),
    ),
    ("cell", "method", "over"),
)

_NO_INTERVAL: Final = "null where there is no interval"

RECOVERY_COVERAGE: Final = Contract(
    "recovery_coverage",
    "a cell and class of intervals of 95 %",
    (
        *_CELL,
        *CELL_COVERAGE.pick("quantity", "days", "expected"),
        _SIMULATIONS,
        Column("intervals", _COUNT, "intervals in all simulations"),
        Column("coverage", _NUMBER, f"share of intervals that cover the truth; {_NO_INTERVAL}", nullable=True),
        Column("coverage_low", _NUMBER, f"share: lower bound of its 95 % interval; {_NO_INTERVAL}", nullable=True),
        Column("coverage_high", _NUMBER, f"share: upper bound of its 95 % interval; {_NO_INTERVAL}", nullable=True),
        Column("below", _NUMBER, f"share of intervals below the truth; {_NO_INTERVAL}", nullable=True),
        Column("above", _NUMBER, f"share of intervals above the truth; {_NO_INTERVAL}", nullable=True),
        Column("required", _FLAG, "the method's assumptions hold, so that its intervals must cover"),
        Column("met", _FLAG, "they cover; null if not required or with too few intervals to judge", nullable=True),
    ),
    ("cell", "quantity", "days", "expected"),
)
