"""Contracts of the tables beside simulated charts: the true network, and the damage done to the files."""

from typing import Final

import pyarrow as pa

from diffusion.contracts.contract import Column, Contract
from diffusion.contracts.events import TRANSITIONS

_TEXT, _DATE, _COUNT, _NUMBER = pa.string(), pa.date32(), pa.int64(), pa.float64()

TRUTH: Final = Contract(
    "truth",
    "one ordered pair of markets with a true edge",
    (
        *TRANSITIONS.pick("source", "target"),
        Column("alpha", _NUMBER, "cumulative hazard of entry into target that one entry into source adds"),
        Column("median_lag", _NUMBER, "days: median of the edge's lags"),
    ),
    TRANSITIONS.key,
)

TRUE_BACKGROUND: Final = Contract(
    "true_background",
    "one market, period and age class of tracks: the hazard of entries that no other market causes",
    (
        Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market"),
        Column("launch", _DATE, "date before which the hazard is 0"),
        Column("period_from", _DATE, "date on which the period begins; it lasts to the next"),
        Column("age_from", _COUNT, "days after the debut at which the class begins"),
        Column("age_to", _COUNT, "days after the debut at which the class ends; null for the last", nullable=True),
        Column("hazard", _NUMBER, "entries per track and day"),
        Column("debut_share", _NUMBER, "market's share of all debuts once all markets have launched"),
    ),
    ("market", "period_from", "age_from"),
)

DAMAGE: Final = Contract(
    "damage",
    "one damaged line",
    (
        Column("file", _TEXT, "file of the charts"),
        Column("line", _COUNT, "line on which the row begins, from 1"),
        Column("kind", _TEXT, "kind of damage; the kinds are listed in `diffusion.simulation.damage`"),
    ),
    ("file", "line"),
)
