"""Contracts of what changed in a study since its last run: entries of markets, rates of pairs, scores of leaders."""

import pyarrow as pa

from diffusion.contracts import ENTRIES, TRANSITIONS, Column, Contract
from graphs.contracts import COMPARED_EDGES, LEADERS

_COUNT, _NUMBER, _DATE, _YES = pa.int64(), pa.float64(), pa.date32(), pa.bool_()

_NOT_THERE = "null where the market was not on the charts"

CHANGED_MARKETS = Contract(
    "changed_markets",
    "one market of this run or of the one before",
    (
        *ENTRIES.pick("market"),
        Column("last_date_before", _DATE, f"last date of its charts before; {_NOT_THERE}", nullable=True),
        Column("last_date_now", _DATE, f"last date of its charts now; {_NOT_THERE}", nullable=True),
        Column("entries_before", _COUNT, "entries before"),
        Column("entries_now", _COUNT, "entries now"),
        Column("entries_new", _COUNT, "entries now of tracks without an entry into the market before"),
        Column("entries_gone", _COUNT, "entries before of tracks without an entry into the market now"),
        Column("entries_redated", _COUNT, "entries of both runs whose date is not the same"),
    ),
    ("market",),
)


def _rate(when: str) -> tuple[Column, ...]:
    null = "null where no track is exposed before or now"
    return (
        Column(f"tracks_{when}", _COUNT, f"exposed tracks that entered the target by day followed_to, {when}"),
        Column(f"exposed_{when}", _COUNT, f"tracks timed in the source, not yet in the target, {when}"),
        Column(
            f"rate_{when}",
            _NUMBER,
            f"P(target by day followed_to | source, untied) {when}, Kaplan–Meier; {null}",
            nullable=True,
        ),
        Column(f"low_{when}", _NUMBER, f"lower bound of its 95 % interval by artist, 0 … 1; {null}", nullable=True),
        Column(f"high_{when}", _NUMBER, f"upper bound of its 95 % interval by artist, 0 … 1; {null}", nullable=True),
    )


CHANGED_EDGES = Contract(
    "changed_edges",
    "one ordered pair of markets of both runs",
    (
        *TRANSITIONS.pick("source", "target"),
        *_rate("before"),
        *_rate("now"),
        *COMPARED_EDGES.pick("shared", "followed_to"),
        Column("difference", _NUMBER, "probability: rate_now − rate_before; null as these", nullable=True),
        *COMPARED_EDGES.pick("low", "high", "p", "q", "detectable"),
        Column("moved", _YES, "whether each rate lies outside the interval of the other, which describes"),
    ),
    TRANSITIONS.key,
)

_EITHER = "null where it has none"

CHANGED_LEADERS = Contract(
    "changed_leaders",
    "one measure and market of both runs",
    (
        *LEADERS.pick("measure", "market"),
        *(
            Column(f"{name}_{when}", _NUMBER, f"{words} {when}; {_EITHER}", nullable=True)
            for when in ("before", "now")
            for name, words in (
                ("score", "share: score"),
                ("low", "share: lower bound of the score's 95 % interval"),
                ("high", "share: upper bound of the score's 95 % interval"),
                ("q", "false discovery rate (share) of the score"),
            )
        ),
        Column(
            "moved",
            _YES,
            "whether each score lies outside the interval of the other, which describes; null for lead_excess, which "
            "more tracks move though nothing changed",
            nullable=True,
        ),
    ),
    ("measure", "market"),
)
