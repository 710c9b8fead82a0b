"""Contracts of the leaders: scores with intervals, agreement of measures, scores by period, validity."""

import pyarrow as pa

from diffusion.contracts import ENTRIES, Column, Contract

_TEXT, _DATE, _COUNT, _NUMBER = pa.string(), pa.date32(), pa.int64(), pa.float64()

_MEASURE = Column("measure", _TEXT, "name of the measure: net_flow, out_share, pagerank, hub, springrank …")
_NO_SCORE = "null where the market has no score"

LEADERS = Contract(
    "leaders",
    "one measure and market, the highest score of the measure first",
    (
        *ENTRIES.pick("market"),
        _MEASURE,
        Column(
            "score",
            _NUMBER,
            "value of the measure, in its own unit; null where it is not defined, such as a share without transitions",
            nullable=True,
        ),
        Column("low", _NUMBER, f"lower bound of the score's 95 % interval, in its unit; {_NO_SCORE}", nullable=True),
        Column("high", _NUMBER, f"upper bound of the score's 95 % interval, in its unit; {_NO_SCORE}", nullable=True),
        Column(
            "bias",
            _NUMBER,
            f"mean of the bootstrap scores minus score, in its unit; {_NO_SCORE}",
            nullable=True,
        ),
        Column("rank", _COUNT, f"place by score, 1 is the highest; ties share the better; {_NO_SCORE}", nullable=True),
        Column("rank_low", _COUNT, f"best place of the 95 % interval; {_NO_SCORE}", nullable=True),
        Column("rank_high", _COUNT, f"worst place of the 95 % interval; {_NO_SCORE}", nullable=True),
        Column(
            "group",
            _COUNT,
            "number of the rank group, from 1; its markets do not differ significantly from its first market, allowing "
            f"for all comparisons; {_NO_SCORE}",
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
        Column(
            "low",
            _NUMBER,
            "correlation: 2.5 % quantile of the bootstrap; null where no replicate has one",
            nullable=True,
        ),
        Column(
            "high",
            _NUMBER,
            "correlation: 97.5 % quantile of the bootstrap; null where no replicate has one",
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
        *LEADERS.pick("market", "measure", "score", "low", "high", "rank", "rank_low", "rank_high", "group"),
        Column("transitions", _COUNT, "transitions of all markets in the period"),
    ),
    ("period", "measure", "market"),
)

_GIVEN = Column("given", _TEXT, "what is held fixed: nothing, size, size and outcome")
_FEW_PAIRS = "null where fewer than three pairs of half-years can be used"

VALIDITY = Contract(
    "validity",
    "one measure and set of controls: whether its scores in a half-year predict lead shares in the next",
    (
        Column("measure", _TEXT, "name of the measure; volume and lead_excess are baselines without a graph"),
        _GIVEN,
        Column("pairs", _COUNT, "pairs of half-years used"),
        Column(
            "rho",
            _NUMBER,
            f"partial rank correlation of the score with the lead share above chance in the next; {_FEW_PAIRS}",
            nullable=True,
        ),
        Column("low", _NUMBER, f"lower bound of the correlation's 95 % interval; {_FEW_PAIRS}", nullable=True),
        Column("high", _NUMBER, f"upper bound of the correlation's 95 % interval; {_FEW_PAIRS}", nullable=True),
        Column(
            "p",
            _NUMBER,
            f"probability of a correlation at least as strong if markets were permuted at random; {_FEW_PAIRS}",
            nullable=True,
        ),
        Column(
            "q",
            _NUMBER,
            "false discovery rate (share) at which the measure would be reported, Benjamini–Hochberg over the measures "
            "with the same given; null for volume and lead_excess, and as p",
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
