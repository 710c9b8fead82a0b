"""Contracts of a comparison of two sides, a and b: which rates differ, how far tracks get, who sends."""

import pyarrow as pa

from diffusion.contracts import ENTRIES, TRANSITIONS, Column, Contract

_TEXT, _DATE, _COUNT, _NUMBER = pa.string(), pa.date32(), pa.int64(), pa.float64()

_NOBODY = "null where no track is exposed on a side"


def _rate(side: str) -> tuple[Column, ...]:
    return (
        Column(f"tracks_{side}", _COUNT, f"exposed tracks of {side} that entered the target by day followed_to"),
        Column(f"exposed_{side}", _COUNT, f"tracks of {side} timed in the source, not yet in the target"),
        Column(
            f"rate_{side}",
            _NUMBER,
            f"P(target by day followed_to | source, untied) on {side}, Kaplan–Meier; {_NOBODY}",
            nullable=True,
        ),
        Column(f"low_{side}", _NUMBER, f"lower bound of its 95 % interval by artist, 0 … 1; {_NOBODY}", nullable=True),
        Column(f"high_{side}", _NUMBER, f"upper bound of its 95 % interval by artist, 0 … 1; {_NOBODY}", nullable=True),
        Column(
            f"artists_{side}", _NUMBER, "effective number of artists of the exposed tracks, (Σ n)² / Σ n²; n are tracks"
        ),
    )


_UNTESTED = (
    "null where it is not tested: fewer than 30 exposed tracks or 10 artists on a side (effective numbers), or fewer "
    "than 3 transitions expected there"
)

COMPARED_EDGES = Contract(
    "comparison_edges",
    "one ordered pair of markets that both sides have",
    (
        *TRANSITIONS.pick("source", "target"),
        *_rate("a"),
        *_rate("b"),
        Column("shared", _COUNT, "tracks exposed on both sides, from the same day"),
        Column(
            "followed_to",
            _COUNT,
            f"days: the shorter of the two longest follow-ups, by which both rates are taken; {_NOBODY}",
            nullable=True,
        ),
        Column("difference", _NUMBER, f"rate_a − rate_b, a difference of probabilities; {_NOBODY}", nullable=True),
        Column("low", _NUMBER, f"probability: lower bound of its 95 % interval, by artist; {_NOBODY}", nullable=True),
        Column("high", _NUMBER, f"probability: upper bound of its 95 % interval, by artist; {_NOBODY}", nullable=True),
        Column("p", _NUMBER, f"probability of so large a difference if both were the same; {_UNTESTED}", nullable=True),
        Column(
            "q",
            _NUMBER,
            "false discovery rate (share), Benjamini–Hochberg over the pairs that are tested; null as p",
            nullable=True,
        ),
        Column(
            "detectable",
            _NUMBER,
            "probability: the difference that would have been found in most cases (power .8); null as p",
            nullable=True,
        ),
    ),
    TRANSITIONS.key,
)

_MEASURES = (
    "spreading_share (tracks that enter a market after their debut), markets_entered (expected number of markets "
    "after it), markets_on_debut (expected number on its day)"
)
_FEW = "null where the effective number of artists is below 10 on a side"
_P = "probability of so large a difference if both were the same"
_Q = "false discovery rate (share), Benjamini–Hochberg over the"


def _value(side: str) -> tuple[Column, ...]:
    return (
        Column(
            f"value_{side}",
            _NUMBER,
            f"share of the tracks of {side}, or number of markets; null where nobody is followed",
            nullable=True,
        ),
        *_bounds(f"_{side}", "share or number"),
        Column(f"artists_{side}", _NUMBER, "effective number of artists, (Σ n)² / Σ n²; n are tracks"),
    )


def _bounds(side: str, unit: str) -> tuple[Column, Column]:
    return (
        Column(f"low{side}", _NUMBER, f"{unit}: lower bound of its 95 % interval, by artist; {_FEW}", nullable=True),
        Column(f"high{side}", _NUMBER, f"{unit}: upper bound of its 95 % interval, by artist; {_FEW}", nullable=True),
    )


COMPARED_REACH = Contract(
    "comparison_reach",
    "one measure of how far tracks get within the window of their debut, in the markets that both sides have",
    (
        Column("measure", _TEXT, f"name of the measure: {_MEASURES}"),
        Column("tracks_a", _COUNT, "tracks of a with a timed debut"),
        Column("tracks_b", _COUNT, "tracks of b with a timed debut"),
        *_value("a"),
        *_value("b"),
        Column("difference", _NUMBER, "value_a − value_b, a share or number of markets; null as these", nullable=True),
        *_bounds("", "share or number"),
        Column("p", _NUMBER, f"{_P}; {_FEW}", nullable=True),
        Column("q", _NUMBER, f"{_Q} measures; null as p", nullable=True),
        Column("markets", _COUNT, "markets that count"),
    ),
    ("measure",),
)

_SCORED = "null where it is not defined, such as a share without transitions"

COMPARED_LEADERS = Contract(
    "comparison_leaders",
    "one measure that describes who sends, and market that both sides have",
    (
        *ENTRIES.pick("market"),
        Column("measure", _TEXT, "name of the measure: out_share, which is tested; pagerank, hub, authority"),
        Column("score_a", _NUMBER, f"share: value of the measure on a; {_SCORED}", nullable=True),
        Column("score_b", _NUMBER, f"share: value of the measure on b; {_SCORED}", nullable=True),
        Column("artists_a", _NUMBER, "effective number of artists behind the transitions of the market on a"),
        Column("artists_b", _NUMBER, "effective number of artists behind the transitions of the market on b"),
        Column("difference", _NUMBER, f"score_a − score_b, a difference of shares; {_SCORED}", nullable=True),
        *_bounds("", "share"),
        Column("p", _NUMBER, f"{_P}; null for measures that only describe, and {_FEW[5:]}", nullable=True),
        Column("q", _NUMBER, f"{_Q} markets that are tested; null as p", nullable=True),
    ),
    ("measure", "market"),
)

COMPARED_SIDES = Contract(
    "comparison_sides",
    "one of the two sides",
    (
        Column("side", _TEXT, "a or b"),
        Column("cohort", _TEXT, "by what its tracks were chosen; empty where they are all of the charts"),
        Column("first_date", _DATE, "first date of the charts"),
        Column("last_date", _DATE, "last date of the charts"),
        Column("first_debut", _DATE, "first timed debut of a track; null where there is none", nullable=True),
        Column("last_debut", _DATE, "last timed debut of a track; null where there is none", nullable=True),
        Column("markets", _COUNT, "markets on the charts"),
        Column("tracks", _COUNT, "tracks with an entry"),
        Column("tracks_in_both", _COUNT, "of these, tracks that the other side has too"),
        Column("artists", _COUNT, "number of artists named first, and of tracks of unknown artists"),
        Column("artists_in_both", _COUNT, "of these, the number that the other side has too"),
        Column("entries", _COUNT, "entries"),
    ),
    ("side",),
)
