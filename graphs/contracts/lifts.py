"""Contracts of what is held against the baseline: pairs of markets, placebos, and how well steps are foretold."""

import pyarrow as pa

from diffusion.contracts import TRANSITIONS, Column, Contract

_COUNT, _NUMBER = pa.int64(), pa.float64()

_NONE_EXPECTED = "null where none is expected"
_NO_INTERVAL = "null where none is expected, or where no other market could be entered"
_UNTESTED = "null where less than one step is expected"
_UNTESTED_ORDER = "null where less than one step is expected either way"
_NO_TRACKS = "null where no track did"
_FEW_ARTISTS = "null where these tracks are of less than 10 effective artists, (Σ n)² / Σ n²"

LIFTS = Contract(
    "lifts",
    "one ordered pair of markets",
    (
        *TRANSITIONS.pick("source", "target"),
        Column("observed", _COUNT, "tracks that entered target within the window after source, in observed order"),
        Column("expected", _NUMBER, "tracks: the same if no market followed another, by sizes and likeness"),
        Column("lift", _NUMBER, f"ratio: observed / expected; {_NONE_EXPECTED}", nullable=True),
        Column("lift_low", _NUMBER, f"ratio: lower bound of the 95 % interval of lift; {_NO_INTERVAL}", nullable=True),
        Column("lift_high", _NUMBER, f"ratio: upper bound of the 95 % interval of lift; {_NO_INTERVAL}", nullable=True),
        Column(
            "lift_shrunk",
            _NUMBER,
            f"ratio: lift drawn to the mean of all pairs as far as it is uncertain; {_NONE_EXPECTED}",
            nullable=True,
        ),
        Column(
            "affinity",
            _NUMBER,
            "factor (E-value of lift_low): a taste unknown to the baseline must raise both the chance of source "
            f"and that of target so much to make the lift by itself; 1 where lift_low is at most 1; {_NO_INTERVAL}",
            nullable=True,
        ),
        Column("p", _NUMBER, "probability of as many tracks or more under the baseline"),
        Column(
            "q",
            _NUMBER,
            "false discovery rate (share) at which the pair would be reported, Benjamini–Hochberg over the pairs of "
            f"which one step or more is expected; {_UNTESTED}",
            nullable=True,
        ),
        Column(
            "q_by",
            _NUMBER,
            f"share: as q, by Benjamini–Yekutieli, for tests that depend on each other in any way; {_UNTESTED}",
            nullable=True,
        ),
        Column("edge", pa.bool_(), "whether q ≤ .05: the pair goes beyond the baseline"),
        Column(
            "detectable",
            _NUMBER,
            f"ratio: the lift that would have been found with a power of 80 %; {_UNTESTED}",
            nullable=True,
        ),
        Column("expected_sizes", _NUMBER, "tracks: as expected, by sizes alone"),
        Column("lift_sizes", _NUMBER, f"ratio: observed / expected_sizes; {_NONE_EXPECTED}", nullable=True),
        Column("p_sizes", _NUMBER, "probability: as p, by sizes alone"),
        Column("q_sizes", _NUMBER, f"share: as q, by sizes alone; {_UNTESTED}", nullable=True),
        Column(
            "asymmetry",
            _NUMBER,
            "log ratio: log lift of this direction − that of the opposite one, half a track added to all counts",
        ),
        Column(
            "p_order",
            _NUMBER,
            "probability of so much more lift this way, or more, if both directions had one lift; one-sided",
        ),
        Column(
            "q_order",
            _NUMBER,
            "false discovery rate (share) at which the direction would be reported, Benjamini–Hochberg over both "
            f"directions of all pairs; {_UNTESTED_ORDER}",
            nullable=True,
        ),
        Column("ordered", pa.bool_(), "whether the pair is an edge with q_order ≤ .05: more this way than the other"),
        Column(
            "lead_share",
            _NUMBER,
            "share of the tracks that entered both within the window, in observed order, that entered source first; "
            f"{_NO_TRACKS}",
            nullable=True,
        ),
        Column("lead_share_low", _NUMBER, f"share: lower bound of its 95 % interval; {_FEW_ARTISTS}", nullable=True),
        Column("lead_share_high", _NUMBER, f"share: upper bound of its 95 % interval; {_FEW_ARTISTS}", nullable=True),
        Column(
            "lead_expected",
            _NUMBER,
            "share: of the tracks expected either way, those expected this way; null where none is expected",
            nullable=True,
        ),
    ),
    TRANSITIONS.key,
)

PLACEBO = Contract(
    "placebo",
    "the charts, or charts drawn from the baseline, in which no market follows another",
    (
        Column("draw", _COUNT, "number of the drawn charts, from 1; 0 for the charts themselves"),
        Column("tested", _COUNT, "pairs of which one step or more is expected"),
        Column("edges_sizes", _COUNT, "pairs with q_sizes ≤ .05"),
        Column("edges", _COUNT, "pairs with q ≤ .05"),
        Column("ordered", _COUNT, "pairs with q ≤ .05 and q_order ≤ .05"),
    ),
    ("draw",),
)

LOG_SCORES = Contract(
    "log_scores",
    "one version of the baseline",
    (
        Column("version", pa.string(), "uniform, sizes (of the markets alone), or likeness (sizes and likeness)"),
        Column("steps", _COUNT, "number of steps: entries after the debut"),
        Column("log_score", _NUMBER, "mean natural logarithm of the probability of the market that was entered"),
        Column("bits", _NUMBER, "mean gain on uniform per step, as a number of bits"),
    ),
    ("version",),
)
