"""Contracts of what is counted over charts of some dates that are compared with each other."""

from typing import Final

import pyarrow as pa

from diffusion.contracts.contract import Column, Contract

_DATE, _COUNT = pa.date32(), pa.int64()
_MARKET = Column("market", pa.string(), "ISO 3166-1 alpha-2 code of the market")
_DAY = Column("date", _DATE, "the chart's date, a weekly chart's last day")

DEPTHS_ON = Contract(
    "depths_on",
    "one market's chart on one of the dates asked for",
    (_MARKET, _DAY, Column("depth", _COUNT, "tracks on it")),
    ("market", "date"),
)

SHARED_TRACKS = Contract(
    "shared_tracks",
    "one date and pair of markets whose charts have tracks in common",
    (
        _DAY,
        Column("market", pa.string(), "code of one market"),
        Column("other", pa.string(), "code of the other, later in the alphabet"),
        Column("tracks", _COUNT, "tracks on both charts"),
    ),
    ("date", "market", "other"),
)

STAYED_TRACKS = Contract(
    "stayed_tracks",
    "one market's chart with tracks that were on its chart of the date before",
    (
        _MARKET,
        _DAY,
        Column("tracks", _COUNT, "tracks on both charts"),
        Column("ranks", _COUNT, "ranks that these tracks moved up or down, all together"),
    ),
    ("market", "date"),
)

LOCAL_PLACES = Contract(
    "local_places",
    "one market's chart with places that artists of the market hold",
    (_MARKET, _DAY, Column("places", _COUNT, "rows of artists with at least half of their recent rows there")),
    ("market", "date"),
)

COMPARISON_RELATIONS: Final = (DEPTHS_ON, SHARED_TRACKS, STAYED_TRACKS, LOCAL_PLACES)
"""Contracts of what is counted over charts of some dates, which the engine returns."""
