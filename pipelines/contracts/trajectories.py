"""Contracts of the tables of how tracks go through charts."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER = pa.string(), pa.int64(), pa.float64()

_GROUP = Column("group", _TEXT, "all, markets of the debut (entered on the track's day 0), or later markets")
_TRAJECTORIES = Column("trajectories", _COUNT, "number of tracks in markets, with a timed debut and entry")
_FEW = "null with fewer than 10 effective artists"
_ARTISTS = Column("artists", _NUMBER, "effective number of artists, 1 / Σ share²: clusters behind the interval")


def _bounds(what: str, unit: str, *, few: str = _FEW, nullable: bool = True) -> tuple[Column, Column]:
    return (
        Column("low", _NUMBER, f"{unit}: lower bound of the 95 % {what}, by artist; {few}", nullable=nullable),
        Column("high", _NUMBER, f"{unit}: upper bound of the 95 % {what}, by artist; {few}", nullable=nullable),
    )


def _quantile(name: str, words: str) -> Column:
    unit = "position on the chart; of streams, log10 of their ratio to the most"
    return Column(name, _NUMBER, f"{words} of all followed: {unit}; null where it is off the chart", nullable=True)


TRAJECTORY_PROFILES: Final = Contract(
    "trajectory_profiles",
    "one point that trajectories are aligned at, measure, and number of charts from the point",
    (
        Column("aligned", _TEXT, "entry, or best rank (the first date at it)"),
        Column("measure", _TEXT, "rank, or streams relative to the trajectory's most within these charts"),
        Column("charts", _COUNT, "observed charts after the point; negative before"),
        Column("followed", _COUNT, "number of tracks in markets for which all these charts were observed"),
        Column("on_chart", _NUMBER, "share of them that are on the chart (with streams) then"),
        _quantile("q10", "best tenth"),
        _quantile("q25", "best quarter"),
        _quantile("median", "median"),
        _quantile("q75", "worst quarter"),
        _quantile("q90", "worst tenth"),
    ),
    ("aligned", "measure", "charts"),
)

PERSISTENCE: Final = Contract(
    "persistence",
    "one group of trajectories and number of charts since the entry, up to the horizon",
    (
        _GROUP,
        Column("length", _COUNT, "observed charts of the first spell"),
        Column("at_risk", _COUNT, "number of first spells that last so many charts or more"),
        Column("ended", _COUNT, "number of first spells that ended after so many charts, exit observed"),
        Column("share", _NUMBER, "share of first spells that last longer, Kaplan–Meier"),
        *_bounds("band", "share", few="for each length by itself", nullable=False),
    ),
    ("group", "length"),
)

PERSISTENCE_SUMMARY: Final = Contract(
    "persistence_summary",
    "one group of trajectories: how long first spells last",
    (
        _GROUP,
        _TRAJECTORIES,
        Column("ended", _COUNT, "number of first spells that ended within the charts of the curve"),
        Column("artists", _NUMBER, "effective number of artists behind the end of the curve", nullable=True),
        Column("median", _COUNT, "charts after which half of first spells have ended; null if fewer", nullable=True),
        Column("median_low", _COUNT, "charts: lower bound of the median, 95 % by artist", nullable=True),
        Column("median_high", _COUNT, "charts: upper bound of the median, 95 % by artist", nullable=True),
    ),
    ("group",),
)

COMEBACKS: Final = Contract(
    "comebacks",
    "one group of trajectories and number of days since the first spell ended, up to the horizon",
    (
        _GROUP,
        Column("length", _COUNT, "days since the last date of the first spell"),
        Column("at_risk", _COUNT, "number of trajectories followed so long that were not back before"),
        Column("ended", _COUNT, "number of tracks that came back to the market on that day"),
        Column("share_back", _NUMBER, "share that has come back, one minus Kaplan–Meier"),
        *_bounds("band", "share", few="for each day by itself", nullable=False),
    ),
    ("group", "length"),
)

TRAJECTORY_SHARES: Final = Contract(
    "trajectory_shares",
    "one kind of share, name of what has it, and group of trajectories",
    (
        Column("what", _TEXT, "shape (when at the best rank); spells (their number); back (returned to the market)"),
        Column("name", _TEXT, "the shape, the number of spells, or the time within which they returned"),
        _GROUP,
        Column(
            "trajectories",
            _COUNT,
            "number of tracks in markets whose last spell ended; of back, whose first spell ended so long before the "
            "end of the stretch of coverage",
        ),
        _ARTISTS,
        Column("share", _NUMBER, "share of these trajectories"),
        *_bounds("interval", "share"),
    ),
    ("what", "name", "group"),
)

TRAJECTORY_TESTS: Final = Contract(
    "trajectory_tests",
    "one test on trajectories",
    (
        Column("test", _TEXT, "what is compared"),
        Column("value", _NUMBER, "difference of shares, or of mean charts"),
        Column("low", _NUMBER, "lower bound of its 95 % interval, by artist: shares or charts"),
        Column("high", _NUMBER, "upper bound of its 95 % interval, by artist: shares or charts"),
        _TRAJECTORIES,
        Column("artists", _NUMBER, "effective number of clusters, artists, behind the interval"),
        Column("p", _NUMBER, "probability of such a difference or a larger one if there is none"),
        Column("q", _NUMBER, "probability: p, adjusted for these tests by Benjamini and Hochberg"),
    ),
    ("test",),
)

RETURNS_BY_MONTH: Final = Contract(
    "returns_by_month",
    "one month of the year: returns after 180 days away or more",
    (
        Column("month", _COUNT, "number of the month of the year, from 1"),
        Column("returns", _COUNT, "number of first returns of tracks to markets after 180 days or more, in all months"),
        _ARTISTS,
        Column("share", _NUMBER, "share of these returns in this month"),
        *_bounds("interval", "share"),
    ),
    ("month",),
)
