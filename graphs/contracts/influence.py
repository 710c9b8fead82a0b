"""Contracts of direct influence: the verdict on every pair, the credits of every entry, and sums by market."""

import pyarrow as pa

from diffusion.contracts import ENTRIES, TRANSITIONS, Column, Contract

_TEXT, _COUNT, _NUMBER = pa.string(), pa.int64(), pa.float64()

_UNTESTED = "null where less than one step is expected"

INFLUENCE = Contract(
    "influence",
    "one ordered pair of markets",
    (
        *TRANSITIONS.pick("source", "target"),
        Column(
            "beta",
            _NUMBER,
            "log ratio: by how much an entry into source raises the weight of target on the next chart, less the mean "
            f"of all targets of source, of which nothing can be known; {_UNTESTED}",
            nullable=True,
        ),
        Column("beta_low", _NUMBER, f"log ratio: lower bound of the 95 % interval of beta; {_UNTESTED}", nullable=True),
        Column(
            "beta_high", _NUMBER, f"log ratio: upper bound of the 95 % interval of beta; {_UNTESTED}", nullable=True
        ),
        Column(
            "p_joint", _NUMBER, f"probability of so large a beta or larger if it were 0; {_UNTESTED}", nullable=True
        ),
        Column(
            "q_joint",
            _NUMBER,
            "false discovery rate (share) at which the pair would be reported by p_joint, Benjamini–Hochberg over the "
            f"pairs of which one step or more is expected; {_UNTESTED}",
            nullable=True,
        ),
        Column(
            "direct",
            pa.bool_(),
            "target follows more than the baseline expects (q of the lifts at most .05) and more than by way of other "
            "markets (q_joint at most .05, beta_low above 0)",
        ),
        Column("ordered", pa.bool_(), "direct, and more this way than the opposite one (q_order at most .05)"),
        Column(
            "detectable",
            _NUMBER,
            f"ratio: the e^beta that would have been found with a power of 80 %; {_UNTESTED}",
            nullable=True,
        ),
        Column("credits", _NUMBER, "entries into target attributed to source"),
        Column(
            "credits_per_entry",
            _NUMBER,
            "entries into target attributed to source, per timed entry into source; null where it has none",
            nullable=True,
        ),
        Column(
            "lag_median",
            _NUMBER,
            "days: median lag of the entries attributed, by credit; null where none is",
            nullable=True,
        ),
    ),
    TRANSITIONS.key,
)

CREDITS = Contract(
    "credits",
    "one entry after the debut and possible cause",
    (
        *ENTRIES.pick("track_id", "market"),
        Column("source", _TEXT, "market that may have caused the entry; null for the baseline", nullable=True),
        Column("credit", _NUMBER, "share of the entry attributed to source; the credits of one entry add up to 1"),
    ),
    ("track_id", "market", "source"),
)

CLOUT = Contract(
    "clout",
    "one market, by its direct pairs alone",
    (
        *ENTRIES.pick("market"),
        Column("targets", _COUNT, "markets on which it has direct influence"),
        Column("sources", _COUNT, "markets that have direct influence on it"),
        Column("clout", _NUMBER, "entries elsewhere per entry: sum of credits_per_entry over its direct targets"),
        Column("susceptibility", _NUMBER, "entries per entry elsewhere: sum of credits_per_entry over direct sources"),
        Column("sent", _NUMBER, "entries into its direct targets attributed to it"),
        Column("received", _NUMBER, "entries of the market attributed to its direct sources"),
    ),
    ("market",),
)
