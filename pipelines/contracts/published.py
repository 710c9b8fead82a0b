"""Contracts of the tables of published claims, and of the weekly charts that some of them are tested on."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import ENTRIES, Column, Contract

_TEXT, _DATE, _COUNT, _NUMBER = pa.string(), pa.date32(), pa.int64(), pa.float64()

_NOT_THERE = "null where the market was not observed a week before"

CHART_WEEKS: Final = Contract(
    "chart_weeks",
    "one market that is on the charts for the whole time, and one date of every week",
    (
        *ENTRIES.pick("market"),
        Column("date", _DATE, "date of the chart"),
        Column("depth", _COUNT, "rows of the chart"),
        Column(
            "overlap",
            _NUMBER,
            "0 … 1: mean Jaccard index of its tracks with those of the other markets on that date; null without others",
            nullable=True,
        ),
        Column(
            "stayed",
            _NUMBER,
            f"share of the tracks on the chart a week before that are on this one; {_NOT_THERE}",
            nullable=True,
        ),
        Column(
            "moved",
            _NUMBER,
            f"share of the depth: mean change of rank of these tracks in a week; {_NOT_THERE}, or no track stayed",
            nullable=True,
        ),
        Column(
            "local",
            _NUMBER,
            "share of the places held by artists with at least half of their places of the last 13 charts in this "
            "market; null on the first 12",
            nullable=True,
        ),
    ),
    ("market", "date"),
)

CHART_YEARS: Final = Contract(
    "chart_years",
    "one measure of weekly charts and calendar year with 26 weeks or more",
    (
        Column(
            "measure",
            _TEXT,
            "overlap (0 … 1), local (share), stay (in charts a week apart), moved (share of the depth): as in "
            "chart_weeks; stay is 1 / (1 − stayed)",
        ),
        Column("year", _COUNT, "calendar year"),
        Column("weeks", _COUNT, "number of dates"),
        Column("markets", _COUNT, "markets: the same on all dates"),
        Column("level", _NUMBER, "geometric mean over the weeks of the mean over markets, in the measure's unit"),
        Column(
            "low",
            _NUMBER,
            "lower bound of its 95 % interval, in the measure's unit; null with less than two years",
            nullable=True,
        ),
        Column(
            "high",
            _NUMBER,
            "upper bound of its 95 % interval, in the measure's unit; null with less than two years",
            nullable=True,
        ),
    ),
    ("measure", "year"),
)

_UNTESTED = "null where fewer than 5 breakouts are expected, or of fewer than 10 effective artists"

TRIGGER_MARKETS: Final = Contract(
    "trigger_markets",
    "one market that is on the charts for the whole time: how many of the tracks that debut there break out",
    (
        *ENTRIES.pick("market"),
        Column("tracks", _COUNT, "tracks whose debut was there, alone or among others"),
        Column(
            "breakouts",
            _NUMBER,
            "number of them that entered a tenth of the markets, at least 3, after the debut and within the window; "
            "thinned to the room that all tracks of as many first markets and of the half-year had",
        ),
        Column("expected", _NUMBER, "number of breakouts among as many tracks of those strata wherever they began"),
        Column("ratio", _NUMBER, f"ratio: breakouts / expected; {_UNTESTED}", nullable=True),
        Column("low", _NUMBER, f"lower bound of its 95 % interval (ratio), by artist; {_UNTESTED}", nullable=True),
        Column("high", _NUMBER, f"upper bound of its 95 % interval (ratio), by artist; {_UNTESTED}", nullable=True),
        Column("p", _NUMBER, f"probability of a ratio as far from 1 (two-sided); {_UNTESTED}", nullable=True),
        Column(
            "q", _NUMBER, f"share: false discovery rate, Benjamini–Hochberg over markets; {_UNTESTED}", nullable=True
        ),
        Column(
            "detectable", _NUMBER, f"ratio that would have been found with a power of 80 %; {_UNTESTED}", nullable=True
        ),
        Column("artists", _NUMBER, "effective number of artists, (Σu²)² / Σu⁴"),
    ),
    ("market",),
)

_NO_ESTIMATE = "null without estimate"
_NO_INTERVAL = "null without estimate, and where it is a number of tests"

PUBLISHED: Final = Contract(
    "published",
    "one published claim and what these charts say of it",
    (
        Column("claim", _TEXT, "short name of the claim"),
        Column("says", _TEXT, "what was published"),
        Column("source", _TEXT, "where, with doi or archive number"),
        Column("verdict", _TEXT, "holds, does not hold, or cannot be told here"),
        Column("said", _TEXT, "what these charts say, or why they say nothing"),
        Column("measure", _TEXT, "what the estimate is, with its unit"),
        Column("estimate", _NUMBER, f"estimate, in the unit of the measure; {_NO_ESTIMATE}", nullable=True),
        Column("low", _NUMBER, f"lower bound of its 95 % interval, in that unit; {_NO_INTERVAL}", nullable=True),
        Column("high", _NUMBER, f"upper bound of its 95 % interval, in that unit; {_NO_INTERVAL}", nullable=True),
        Column("bound", _NUMBER, f"value beyond which the claim holds, in that unit; {_NO_ESTIMATE}", nullable=True),
        Column("claimed", _TEXT, "more or less: on which side of bound the claim holds; empty without estimate"),
        Column(
            "matters",
            _NUMBER,
            f"value up to which there is nothing worth speaking of, in that unit; {_NO_ESTIMATE}",
            nullable=True,
        ),
        Column(
            "p", _NUMBER, f"probability of so much if what it is tested against were so; {_NO_ESTIMATE}", nullable=True
        ),
        Column(
            "q",
            _NUMBER,
            f"share: false discovery rate, Benjamini–Hochberg over the claims tested; {_NO_ESTIMATE}",
            nullable=True,
        ),
        Column(
            "detectable",
            _NUMBER,
            "size that would have been found with a power of 80 %, in the unit of the measure, or what `said` names; "
            "null where it is not known",
            nullable=True,
        ),
        Column("number", _COUNT, f"number of what the estimate counts on; {_NO_ESTIMATE}", nullable=True),
        Column("of", _TEXT, "what the estimate counts on: markets, pairs, weeks; empty without estimate"),
        Column("tested_against", _TEXT, "null hypothesis: what would be if the claim were wrong"),
        Column("limits", _TEXT, "what these charts cannot say of it"),
    ),
    ("claim",),
)
