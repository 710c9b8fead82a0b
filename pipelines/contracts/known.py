"""Contracts of what is found beside what is true, for charts simulated from a known network."""

import pyarrow as pa

from diffusion.contracts import ENTRIES, TRANSITIONS, Column, Contract

_COUNT, _NUMBER, _YES = pa.int64(), pa.float64(), pa.bool_()

KNOWN_PAIRS = Contract(
    "known_pairs",
    "one ordered pair of markets",
    (
        *TRANSITIONS.pick("source", "target"),
        Column("alpha", _NUMBER, "entries into target caused by an entry into source, in truth; 0 where none are"),
        Column("through", _NUMBER, "entries: the same caused by way of one third market"),
        Column("truth", pa.string(), "class of the truth, as in known"),
        Column("edge", _YES, "whether the pair is found beyond the baseline"),
        Column("ordered", _YES, "whether it is, and more so than the opposite direction"),
        Column("direct", _YES, "whether the pair is found to be direct"),
        Column("direct_ordered", _YES, "whether it is, and more so than the opposite direction"),
    ),
    TRANSITIONS.key,
)

KNOWN = Contract(
    "known",
    "one class of the truth: how many of its pairs are found",
    (
        Column("truth", pa.string(), "influence by its size, influence by way of one third market only, or none"),
        Column("pairs", _COUNT, "ordered pairs of the class"),
        Column("edge", _COUNT, "pairs found beyond the baseline"),
        Column("ordered", _COUNT, "pairs found beyond the baseline, and more so than the opposite direction"),
        Column("direct", _COUNT, "pairs found to be direct"),
        Column("direct_ordered", _COUNT, "pairs found to be direct, and more so than the opposite direction"),
    ),
    ("truth",),
)

KNOWN_LEADERS = Contract(
    "known_leaders",
    "one market that is found to lead or to be led",
    (
        *ENTRIES.pick("market"),
        Column("lead_excess", _NUMBER, "share: the tested measure of leadership, as in leaders"),
        Column("q", _NUMBER, "false discovery rate (share) at which the market would be reported, as in leaders"),
        Column("given", _NUMBER, "entries: sum of the true alpha from the market to all others"),
        Column("received", _NUMBER, "entries: sum of the true alpha from all others to the market"),
    ),
    ("market",),
)
