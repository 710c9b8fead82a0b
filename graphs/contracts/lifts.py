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
_FEW_SCORED = "null for uniform and with less than 10 effective artists"

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

SENSITIVITY = Contract(
    "sensitivity",
    "one variant of the definitions",
    (
        Column(
            "variant",
            pa.string(),
            "base; window halved, window doubled; decaying (weights that fall with the lag); upper half (entries into "
            "the upper half of the charts); coarser ages, finer ages; ties for, ties against (the direction that is "
            "judged); first half, second half (of the time)",
        ),
        Column("against", pa.string(), "variant that found_again and correlation are about"),
        Column("tested", _COUNT, "pairs of which one step or more is expected"),
        Column("edges", _COUNT, "pairs with q ≤ .05"),
        Column(
            "found_again",
            _NUMBER,
            "share of the edges of `against` that are edges here; null where it has none",
            nullable=True,
        ),
        Column("ordered", _COUNT, "pairs with q ≤ .05 and q_order ≤ .05"),
        Column(
            "correlation",
            _NUMBER,
            "correlation of the log lifts of all pairs tested here and in `against`, half a track added to all counts; "
            "null where there are none",
            nullable=True,
        ),
    ),
    ("variant",),
)

PLACEBO = Contract(
    "placebo",
    "the charts, charts drawn from the baseline or charts dealt anew, held against a baseline of their own",
    (
        Column(
            "kind",
            pa.string(),
            "charts (the charts themselves), baseline (drawn from the baseline), or permutation (markets of steps "
            "dealt anew among steps of one week and class of age)",
        ),
        Column("draw", _COUNT, "number of the draw of its kind, from 1; 0 for the charts themselves"),
        Column("tested", _COUNT, "pairs of which one step or more is expected"),
        Column("edges_sizes", _COUNT, "pairs with q_sizes ≤ .05"),
        Column("edges", _COUNT, "pairs with q ≤ .05"),
        Column("reverse", _NUMBER, "share of the edges whose reverse is an edge; null without edges", nullable=True),
        Column("ordered", _COUNT, "pairs with q ≤ .05 and q_order ≤ .05"),
        Column(
            "direct",
            _COUNT,
            "pairs with direct influence; null where no joint fit was made: on large charts it is made of first draws "
            "only, on very large ones of none",
            nullable=True,
        ),
        Column("groups", _COUNT, "rank groups of the leaders that are told apart; 0 where none can be"),
    ),
    ("kind", "draw"),
)

LOG_SCORES = Contract(
    "log_scores",
    "one version of the baseline on one held-back quarter, or on all of them together",
    (
        Column("quarter", pa.string(), "quarter as 2021-Q1, or all"),
        Column(
            "version",
            pa.string(),
            "uniform; sizes (of markets, by age and period); likeness (sizes and likeness); influence (and what "
            "follows an entry into every other market, by the joint fit)",
        ),
        Column("steps", _COUNT, "number of steps: entries after the debut"),
        Column("artists", _COUNT, "number of artists whose steps they are"),
        Column("log_score", _NUMBER, "mean natural logarithm of the probability of the market that was entered"),
        Column(
            "gain", _NUMBER, "number of bits: mean gain per step on the version before; null for uniform", nullable=True
        ),
        Column(
            "gain_low",
            _NUMBER,
            f"number of bits: lower bound of its 95 % interval by artist; {_FEW_SCORED}",
            nullable=True,
        ),
        Column(
            "gain_high",
            _NUMBER,
            f"number of bits: upper bound of its 95 % interval by artist; {_FEW_SCORED}",
            nullable=True,
        ),
    ),
    ("quarter", "version"),
)
