"""Contracts of the recovery study: what claims and intervals say in every simulation, and all of it together."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()

_SIMULATION: Final = (
    Column("world", _TEXT, "name of the simulated world"),
    Column("tracks", _COUNT, "tracks drawn"),
    Column("markets", _COUNT, "markets drawn"),
    Column("simulation", _COUNT, "number of the simulation, from 0"),
)

_NOT_OF_PAIRS: Final = "null where the claim is not of pairs"

RECOVERY_CLAIMS: Final = Contract(
    "recovery_claims",
    "a simulation and claim",
    (
        *_SIMULATION,
        Column("claim", _TEXT, "what is claimed: edge, order, direct, ordered, …"),
        Column("tests", _COUNT, "number of tests; null where the claim is not a test", nullable=True),
        Column("small", _COUNT, "number of tests with p ≤ .05; null where the claim is not a test", nullable=True),
        Column("found", _COUNT, "number of positive verdicts (q ≤ .05); null where none is given", nullable=True),
        Column("false", _COUNT, f"number of positive verdicts that the truth denies; {_NOT_OF_PAIRS}", nullable=True),
        Column("real", _COUNT, f"pairs with influence; {_NOT_OF_PAIRS}", nullable=True),
        Column("hits", _COUNT, f"pairs with influence and a positive verdict; {_NOT_OF_PAIRS}", nullable=True),
        Column(
            "score", _NUMBER, "0 … 1: average precision of a ranking of pairs; null for other claims", nullable=True
        ),
    ),
    ("world", "tracks", "markets", "simulation", "claim"),
)

RECOVERY_INTERVALS: Final = Contract(
    "recovery_intervals",
    "a simulation and quantity",
    (
        *_SIMULATION,
        Column("quantity", _TEXT, "quantity that the intervals of 95 % are of"),
        Column("intervals", _COUNT, "number of intervals"),
        Column("below", _COUNT, "number of intervals below the truth"),
        Column("above", _COUNT, "number of intervals above the truth"),
        Column("missing", _COUNT, "number of estimates that have no interval, though the truth is known"),
    ),
    ("world", "tracks", "markets", "simulation", "quantity"),
)

_NOT_JUDGED: Final = "null where there is no goal"

RECOVERY: Final = Contract(
    "recovery",
    "a world, size, claim and measure",
    (
        Column("influence", _FLAG, "markets influence each other"),
        Column("world", _TEXT, "name of the simulated world, or all: those with influence (8,000 tracks), or without"),
        Column("tracks", _COUNT, "tracks per simulation; null for all worlds together", nullable=True),
        Column("markets", _COUNT, "markets per simulation; null for all worlds together", nullable=True),
        Column("claim", _TEXT, "what is claimed"),
        Column(
            "measure",
            _TEXT,
            "any: simulations with a positive verdict; small: tests with p ≤ .05; false: verdicts that the truth "
            "denies; power: pairs with influence that were found; precision: average precision of a ranking; relative "
            "precision: that divided by the summed hazard's; coverage: intervals that hold the truth; missing: "
            "estimates without an interval",
        ),
        Column("simulations", _COUNT, "number of simulations"),
        Column("trials", _NUMBER, "number that value is a share of; for rankings the sum of what it is divided by"),
        Column("value", _NUMBER, "share (a ratio for relative precision); null without trials", nullable=True),
        Column("low", _NUMBER, "share: lower bound of the 95 % interval of value; null for rankings", nullable=True),
        Column("high", _NUMBER, "share: upper bound of the 95 % interval of value; null for rankings", nullable=True),
        Column("least", _NUMBER, f"share: least value that is good; {_NOT_JUDGED}", nullable=True),
        Column("most", _NUMBER, f"share: largest value that is good; {_NOT_JUDGED}", nullable=True),
        Column("met", _FLAG, f"value is good; {_NOT_JUDGED}, or simulations are too few to tell", nullable=True),
    ),
    ("influence", "world", "tracks", "markets", "claim", "measure"),
)
