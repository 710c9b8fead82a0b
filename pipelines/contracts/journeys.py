"""Contracts of the tables of how soon tracks enter further markets, and of kinds of journeys."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()

_FEW = "null with fewer than 10 effective artists"

_BY: Final = (
    Column("by", _TEXT, "what tracks are grouped by: all, footprint (class of markets on day 0), debuted (year)"),
    Column("group", _TEXT, "name of the group"),
    Column("extra", _COUNT, "number of the further market: 1, 2, 3"),
)

_SHARE: Final = (
    Column("share_low", _NUMBER, f"share: lower bound of its 95 % interval, by artist; {_FEW}", nullable=True),
    Column("share_high", _NUMBER, f"share: upper bound of its 95 % interval, by artist; {_FEW}", nullable=True),
)

FIRST_MARKETS: Final = Contract(
    "first_markets",
    "one group of tracks, number of the further market, and day: how many tracks have entered so many",
    (
        *_BY,
        Column("days", _COUNT, "days since the debut"),
        Column("at_risk", _COUNT, "tracks that are still followed and have not entered so many markets; on day 0, all"),
        Column("events", _COUNT, "tracks that enter it on this day"),
        Column("share", _NUMBER, "share that has entered it by the end of the day, one minus Kaplan–Meier"),
        *_SHARE,
    ),
    ("by", "group", "extra", "days"),
)

FIRST_MARKET_LAGS: Final = Contract(
    "first_market_lags",
    "one group of tracks and number of the further market: its curve in a line",
    (
        *_BY,
        Column("tracks", _COUNT, "tracks with a timed debut and another market to enter"),
        Column("artists", _NUMBER, "effective number of artists, 1 / Σ share²"),
        Column("entered", _COUNT, "tracks that were seen to enter it"),
        Column("share", _NUMBER, "share that has entered it by the end of follow-up"),
        *_SHARE,
        Column("followed_to", _COUNT, "last day of follow-up, at most the horizon, in days"),
        *(
            Column(name, _COUNT, f"day by which {share} of the share has entered; null where none has", nullable=True)
            for name, share in (("lag_q25", "a quarter"), ("lag_median", "half"), ("lag_q75", "three quarters"))
        ),
        Column("at_once", _NUMBER, "share that debuts with so many further markets on day 0; null by footprint",
               nullable=True),
        Column("at_once_low", _NUMBER, f"share: lower bound of its 95 % interval, by artist; {_FEW}", nullable=True),
        Column("at_once_high", _NUMBER, f"share: upper bound of its 95 % interval, by artist; {_FEW}", nullable=True),
    ),
    ("by", "group", "extra"),
)  # fmt: skip

_MEDIANS: Final = (
    Column("footprint", _NUMBER, "markets: median footprint; null without tracks", nullable=True),
    Column("reach", _NUMBER, "markets: median number entered within the window, the footprint included; null without "
           "tracks", nullable=True),
    Column("half_day", _NUMBER, "days: median of the day by which half of the markets after the first were entered; "
           "null where there is none", nullable=True),
    Column("continents", _NUMBER, "number: median of the continents that the markets are on; null without tracks",
           nullable=True),
)  # fmt: skip

_TRACKS: Final = Column("tracks", _COUNT, "tracks")

JOURNEY_KINDS: Final = Contract(
    "journey_kinds",
    "one kind of journey by definition: how many tracks with a whole window are of it, and what it is like",
    (
        Column("kind", _TEXT, "one market; or instant (half of the further markets on day 0), fast (by day 7) or slow "
               "(later), and global (three continents or more) or regional (fewer)"),
        _TRACKS,
        Column("share", _NUMBER, "share of the tracks with a whole window"),
        *_SHARE,
        *_MEDIANS,
    ),
    ("kind",),
)  # fmt: skip

JOURNEY_VALLEYS: Final = Contract(
    "journey_valleys",
    "one number of kinds that was tried: whether all kinds are apart, by the pair that is least so",
    (
        Column("kinds", _COUNT, "number of kinds"),
        Column("artists", _COUNT, "number of artists with journeys of three markets or more; half of them are counted"),
        Column("first", _COUNT, "tracks counted around the centre of one kind, in the half of the artists held out"),
        Column("between", _COUNT, "tracks counted in a window as wide between both kinds"),
        Column("second", _COUNT, "tracks counted around the centre of the other"),
        Column("depth", _NUMBER, "ratio of the tracks between to those at the emptier centre; null where that has none",
               nullable=True),
        Column("p", _NUMBER, "probability under the hypothesis that it is three quarters or more for some pair of "
               "kinds, adjusted for halvings and for the numbers tried"),
        Column("apart", _FLAG, "whether p is at most .05"),
    ),
    ("kinds",),
)  # fmt: skip

JOURNEY_STABILITY: Final = Contract(
    "journey_stability",
    "one cluster of journeys that the data tell apart: how stable it is, and what it is like",
    (
        Column("cluster", _COUNT, "number of the cluster, the largest first"),
        Column("name", _TEXT, "kind by definition that its medians are of; 'unstable' where jaccard is below .75"),
        Column("jaccard", _NUMBER, "0 … 1: mean Jaccard similarity with the nearest cluster, over bootstrap samples of "
               "artists"),
        _TRACKS,
        Column("share", _NUMBER, "share of the tracks that were clustered"),
        *_SHARE,
        *_MEDIANS,
    ),
    ("cluster",),
)  # fmt: skip

JOURNEY_CLUSTERS: Final = Contract(
    "journey_clusters",
    "one track that reached three markets or more within the window: its cluster",
    (
        Column("track_id", _TEXT, "id of the track"),
        Column("cluster", _COUNT, "number of the cluster"),
        Column("jaccard", _NUMBER, "0 … 1: stability of the cluster"),
    ),
    ("track_id",),
)

JOURNEY_COURSES: Final = Contract(
    "journey_courses",
    "one kind of journey, or cluster, and day: how many markets its tracks have entered by then",
    (
        Column("sort", _TEXT, "definition, or cluster"),
        Column("kind", _TEXT, "name of the kind, or number of the cluster"),
        Column("days", _COUNT, "days since the debut"),
        Column("q25", _NUMBER, "markets: lower quartile of the tracks"),
        Column("median", _NUMBER, "markets: median of the tracks"),
        Column("q75", _NUMBER, "markets: upper quartile of the tracks"),
    ),
    ("sort", "kind", "days"),
)
