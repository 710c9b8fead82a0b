"""Contract of the pairs of markets against the baseline: what follows more often than sizes and likeness expect."""

import pyarrow as pa

from diffusion.contracts import TRANSITIONS, Column, Contract

_COUNT, _NUMBER = pa.int64(), pa.float64()

_NONE_EXPECTED = "null where none is expected"
_UNTESTED = "null where less than one step is expected"
_UNTESTED_ORDER = "null where less than one step is expected either way"

LIFTS = Contract(
    "lifts",
    "one ordered pair of markets",
    (
        *TRANSITIONS.pick("source", "target"),
        Column("observed", _COUNT, "tracks that entered target within the window after source, in observed order"),
        Column("expected", _NUMBER, "tracks: the same if no market followed another, by sizes and likeness"),
        Column("lift", _NUMBER, f"ratio: observed / expected; {_NONE_EXPECTED}", nullable=True),
        Column(
            "lift_low", _NUMBER, f"ratio: lower bound of the 95 % interval of lift; {_NONE_EXPECTED}", nullable=True
        ),
        Column(
            "lift_high", _NUMBER, f"ratio: upper bound of the 95 % interval of lift; {_NONE_EXPECTED}", nullable=True
        ),
        Column(
            "lift_shrunk",
            _NUMBER,
            f"ratio: lift drawn to the mean of all pairs as far as it is uncertain; {_NONE_EXPECTED}",
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
    ),
    TRANSITIONS.key,
)
