"""Contracts of the tables of how far tracks travel."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER = pa.string(), pa.int64(), pa.float64()

_DEBUTED = Column("debuted", _TEXT, "year of the debuts; 'all' for all years")
_ARTISTS = Column("artists", _NUMBER, "effective number of artists, 1 / Σ share²")


def _with_interval(name: str, unit: str, meaning: str) -> tuple[Column, ...]:
    few = "null with fewer than 10 effective artists"
    return (
        Column(name, _NUMBER, f"{unit}: {meaning}"),
        Column(f"{name}_low", _NUMBER, f"{unit}: lower bound of its 95 % interval, by artist; {few}", nullable=True),
        Column(f"{name}_high", _NUMBER, f"{unit}: upper bound of its 95 % interval, by artist; {few}", nullable=True),
    )


TRAVEL: Final = Contract(
    "travel",
    "one year of debuts, or all: how many of its tracks cross a border within the window",
    (
        _DEBUTED,
        Column("tracks", _COUNT, "tracks with a timed debut whose window was over before the charts end"),
        _ARTISTS,
        *_with_interval("travelled", "share", "tracks that entered a market after their debut, within the window"),
        *_with_interval("further", "markets", "mean number of markets entered after the debut, within the window"),
        *_with_interval("at_home", "share", "tracks that debuted in one market"),
        Column("footprint_median", _NUMBER, "markets: median footprint"),
        Column("markets", _COUNT, "markets observed in the year"),
    ),
    ("debuted",),
)

REACH: Final = Contract(
    "reach",
    "one year of debuts, or all, and class of reach: markets entered by the end of the window, the debut's included",
    (
        _DEBUTED,
        Column("reach", _TEXT, "class of the number of markets: 1, 2-3, 4-7, 8-15, 16-31, 32+"),
        Column("least", _COUNT, "least number of markets of the class"),
        Column("tracks", _COUNT, "tracks"),
        *_with_interval("share", "share", "tracks of the year in this class"),
    ),
    ("debuted", "least"),
)

DEBUT_SIZES: Final = Contract(
    "debut_sizes",
    "one class of footprint: how many tracks debut in so many markets, and how many of these go on",
    (
        Column("footprint", _TEXT, "class of the number of markets on day 0: 1, 2-3, 4-7, 8-15, 16-31, 32+"),
        Column("least", _COUNT, "least number of markets of the class"),
        Column("tracks", _COUNT, "tracks"),
        _ARTISTS,
        *_with_interval("share", "share", "all tracks that debut so"),
        *_with_interval(
            "travelled", "share", "these tracks that entered a market after their debut, within the window"
        ),
    ),
    ("least",),
)
