"""Contracts of the auxiliary tables: countries, cultural distances, holidays, and the columns joined by market."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER = pa.string(), pa.int64(), pa.float64()
_MARKET: Final = Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market")

COUNTRIES: Final = Contract(
    "countries_reference_clean",
    "a country",
    (
        Column("country", _TEXT, "name in the source"),
        Column("continent", _TEXT, "continent", nullable=True),
        Column("population", _COUNT, "inhabitants", nullable=True),
        Column("area", _NUMBER, "km²", nullable=True),
        Column("official_language", _TEXT, "official languages in one string, in the source's order", nullable=True),
        Column("major_religions", _TEXT, "major religions in one string", nullable=True),
        Column("govt_type", _TEXT, "form of government", nullable=True),
        Column("driving_side", _TEXT, "left or right", nullable=True),
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code; null if the name is not a known territory", nullable=True),
    ),
    ("country",),
)

COUNTRY_COLUMNS: Final = tuple(name for name in COUNTRIES.names if name not in ("country", "market"))
"""Columns of a country that are joined by market."""

_DISTANCE: Final = Column("cultural_distance", _NUMBER, "distance in the source's own unit, ≥ 0")

LONG: Final = Contract(
    "cultural_distance_long",
    "an ordered pair of countries",
    (
        Column("source_country", _TEXT, "name in the source, without a span of years"),
        Column("target_country", _TEXT, "name in the source, without a span of years"),
        Column("source_market", _TEXT, "ISO 3166-1 alpha-2 code; null if not a known territory", nullable=True),
        Column("target_market", _TEXT, "ISO 3166-1 alpha-2 code; null if not a known territory", nullable=True),
        _DISTANCE,
    ),
    ("source_country", "target_country"),
)

TOP5: Final = Contract(
    "cultural_distance_top5",
    "a country and one of the five nearest to it",
    (*LONG.columns, Column("rank_within_source", pa.int16(), "place, 1 for the nearest; ties in order of name")),
    ("source_country", "rank_within_source"),
)

HOLIDAYS: Final = Contract(
    "holidays",
    "a public holiday of a market",
    (
        _MARKET,
        Column("date", pa.date32(), "date of the holiday, also where it was moved"),
        Column("name", _TEXT, "English name where the package has one, else local; several joined by '; '"),
    ),
    ("market", "date"),
)

_NO_DISTANCE: Final = "null where none is known"

LOOKUP: Final = Contract(
    "auxiliary_lookup",
    "a market, with the columns of the auxiliary tables, in the order of the prior study",
    (
        _MARKET,
        *(
            Column(f"country_{column.name}", column.type, column.meaning, nullable=True)
            for column in COUNTRIES.pick(*COUNTRY_COLUMNS)
        ),
        *(
            Column(
                f"cultural_distance_{name}",
                _NUMBER,
                f"{what} distance to all countries in the source's own unit; {_NO_DISTANCE}",
                nullable=True,
            )
            for name, what in {"mean": "mean", "median": "median", "min": "smallest", "max": "largest"}.items()
        ),
        Column(
            "cultural_distance_count", _COUNT, f"number of countries with a distance; {_NO_DISTANCE}", nullable=True
        ),
        Column(
            "cultural_top5_targets",
            _TEXT,
            f"names of the five nearest countries, joined by |; {_NO_DISTANCE}",
            nullable=True,
        ),
    ),
    ("market",),
)

AUX_PROFILE: Final = Contract(
    "aux_profile",
    "an auxiliary table",
    (
        Column("artifact", _TEXT, "name of the table"),
        Column("rows", _COUNT, "rows of the table"),
        Column("path", _TEXT, "path of the table relative to this file"),
    ),
    ("artifact",),
)
