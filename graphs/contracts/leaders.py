"""Contracts of the leaders: scores with intervals, agreement of measures, scores by period, validity."""

import pyarrow as pa

from diffusion.contracts import ENTRIES, Column, Contract

_TEXT, _DATE, _COUNT, _NUMBER = pa.string(), pa.date32(), pa.int64(), pa.float64()

_MEASURE = Column(
    "measure", _TEXT, "name of the measure: lead_excess, which is tested; net_flow, out_share …, which describe"
)
_TOO_FEW = "null where the effective number of artists is below 10: too few"
_TESTED = f"null for measures that are not tested, and {_TOO_FEW[5:]}"
_UNTOLD = "null for measures that are not tested"

LEADERS = Contract(
    "leaders",
    "one measure and market, lead_excess first, and of a measure the highest score first",
    (
        *ENTRIES.pick("market"),
        _MEASURE,
        Column(
            "score",
            _NUMBER,
            "value of the measure, in its own unit; lead_excess: moves beyond the share that the baseline expects to "
            "start from the market, with partners with which an order is established, per move from or to it; null "
            "where it is not defined, such as a share without transitions",
            nullable=True,
        ),
        Column("low", _NUMBER, f"lower bound of the score's 95 % interval, in its unit; {_TOO_FEW}", nullable=True),
        Column("high", _NUMBER, f"upper bound of the score's 95 % interval, in its unit; {_TOO_FEW}", nullable=True),
        Column(
            "p", _NUMBER, f"probability of a score as far from 0 if no market led (two-sided); {_TESTED}", nullable=True
        ),
        Column(
            "q",
            _NUMBER,
            f"false discovery rate (share), Benjamini–Hochberg over the markets that are tested; {_TESTED}",
            nullable=True,
        ),
        Column(
            "shrunk",
            _NUMBER,
            f"score drawn towards 0, because the first of many is first partly by chance, in moves per move; {_TESTED}",
            nullable=True,
        ),
        Column("artists", _NUMBER, "effective number of artists behind the score, (Σu²)² / Σu⁴"),
        Column(
            "partners",
            _COUNT,
            f"markets with which an order is established, by either half of the artists; {_UNTOLD}",
            nullable=True,
        ),
        Column("rank", _COUNT, f"place by score, 1 is the highest; ties share the better; {_TOO_FEW}", nullable=True),
        Column(
            "rank_low",
            _COUNT,
            f"best place that the market may have (95 %, over all pairs of markets together); {_TESTED}",
            nullable=True,
        ),
        Column(
            "rank_high",
            _COUNT,
            f"worst place that the market may have (95 %, over all pairs of markets together); {_TESTED}",
            nullable=True,
        ),
        Column(
            "group",
            _COUNT,
            "number of the rank group, from 1; its first market is told apart from that of the group before, allowing "
            f"for all pairs of markets; {_TESTED}",
            nullable=True,
        ),
    ),
    ("measure", "market"),
)

AGREEMENT = Contract(
    "agreement",
    "one pair of measures",
    (
        _MEASURE,
        Column("other", _TEXT, "name of the other measure"),
        Column(
            "tau",
            _NUMBER,
            "correlation (Kendall's τ-b) of the markets' scores; null where a measure is the same for all markets",
            nullable=True,
        ),
    ),
    ("measure", "other"),
)

ROLLING = Contract(
    "rolling",
    "one period, measure and market, over the tracks that debut in the period (of 365 days, every 91 days)",
    (
        Column("period", _TEXT, "name of the period"),
        Column("start", _DATE, "first date of the period"),
        Column("end", _DATE, "last date of the period"),
        *LEADERS.pick("market", "measure", "score", "low", "high"),
        Column("artists", _NUMBER, "effective number of artists behind the score; null without a score", nullable=True),
        *LEADERS.pick("rank"),
        Column("transitions", _COUNT, "transitions of all markets in the period"),
    ),
    ("period", "measure", "market"),
)

_GIVEN = Column("given", _TEXT, "what is held fixed: nothing, size, size and outcome")
_FEW_PAIRS = "null where fewer than three pairs of half-years can be used"

VALIDITY = Contract(
    "validity",
    "one measure and set of controls: whether scores in a half-year predict lead_excess in the next, beyond the "
    "baseline",
    (
        Column("measure", _TEXT, "name of the measure, in excess of the baseline; volume is no score but a size"),
        _GIVEN,
        Column("pairs", _COUNT, "pairs of half-years used"),
        Column(
            "rho",
            _NUMBER,
            f"partial rank correlation of the score with lead_excess of fresh artists in the next; {_FEW_PAIRS}",
            nullable=True,
        ),
        Column("low", _NUMBER, f"lower bound of the correlation's 95 % interval; {_FEW_PAIRS}", nullable=True),
        Column("high", _NUMBER, f"upper bound of the correlation's 95 % interval; {_FEW_PAIRS}", nullable=True),
        Column(
            "p",
            _NUMBER,
            "probability of a correlation at least as strong, the larger of two: if markets were permuted at random, "
            f"and if nobody led in the next; {_FEW_PAIRS}",
            nullable=True,
        ),
        Column(
            "q",
            _NUMBER,
            "false discovery rate (share) at which the measure would be reported, Benjamini–Hochberg over the measures "
            "with the same given; null for volume and lead_excess, and as p",
            nullable=True,
        ),
        Column(
            "small",
            _NUMBER,
            "share of p ≤ .05 of all measures and controls on charts drawn from the baseline, where nobody leads; the "
            "same in all rows; null where too little could be tested on them",
            nullable=True,
        ),
    ),
    ("measure", "given"),
)

VALIDITY_PAIRS = Contract(
    "validity_pairs",
    "one measure, set of controls, and pair of consecutive half-years",
    (
        *VALIDITY.pick("measure", "given"),
        Column("period", _TEXT, "name of the half-year whose scores predict"),
        Column("next_period", _TEXT, "name of the half-year that is predicted"),
        Column("markets", _COUNT, "markets used"),
        Column("rho", _NUMBER, "partial rank correlation in this pair; null where markets are too few", nullable=True),
    ),
    ("measure", "given", "period"),
)
