"""Kinds of journeys by definition: how soon the further markets are entered, and on how many continents."""

from typing import Final

import numpy as np
import pandas as pd

from diffusion.arrays import Floats, Ints
from pipelines.eda.intervals import clustered_shares
from pipelines.eda.journeys.followed import NEVER, Journeys

STAYS: Final = "one market"
"""Name of the kind of the tracks that enter no further market."""

FAST: Final = 7
"""Days by which half of the further markets of a fast journey are entered."""

GLOBAL: Final = 3
"""Least number of continents of a global journey."""

NAMES: Final = (
    STAYS,
    "instant global",
    "instant regional",
    "fast global",
    "fast regional",
    "slow global",
    "slow regional",
)
"""The kinds in order; the slow ones are slow burners."""


def kind_of(half_day: Floats | Ints, continents: Floats | Ints) -> Ints:
    """Return the place in `NAMES` of journeys.

    Parameters
    ----------
    half_day
        (n,): day by which half of the further markets were entered; `NEVER` where there is none.
    continents
        (n,): continents of the markets entered.

    Examples
    --------
    >>> [NAMES[place] for place in kind_of(np.array([0, 7, 8, NEVER]), np.array([5, 1, 3, 1]))]
    ['instant global', 'fast regional', 'slow global', 'one market']
    """
    pace = np.where(half_day == 0, 0, np.where(half_day <= FAST, 1, 2))
    kind = 1 + 2 * pace + (continents < GLOBAL)
    return np.where(half_day == NEVER, 0, kind)


def kinds_table(journeys: Journeys) -> pd.DataFrame:
    """Return the table `journey_kinds` of journeys with a whole window; columns as in its contract."""
    kind = kind_of(journeys.half_day, journeys.crossed)
    everyone = np.zeros(len(kind), dtype=int)
    shares = [clustered_shares(kind == place, everyone, journeys.artist, 1) for place in range(len(NAMES))]
    found = pd.concat(shares, ignore_index=True)
    table = pd.DataFrame({"kind": NAMES, "tracks": np.bincount(kind, minlength=len(NAMES))})
    table[["share", "share_low", "share_high"]] = found[["mean", "low", "high"]]
    return table.join(medians(journeys, kind, len(NAMES)))


def medians(journeys: Journeys, kind: Ints, kinds: int) -> pd.DataFrame:
    """Return the medians of journeys by kind, (kinds,): `footprint`, `reach`, `half_day`, `continents`."""
    known = pd.DataFrame({"footprint": journeys.footprint, "reach": journeys.reach})
    known["half_day"] = np.where(journeys.half_day == NEVER, np.nan, journeys.half_day)
    known["continents"] = journeys.crossed
    return known.groupby(kind).median().reindex(range(kinds)).astype("Float64")


def courses(journeys: Journeys, kind: Ints, names: list[str], window: int) -> pd.DataFrame:
    """Return markets entered by day, one row per kind and day: `kind`, `days`, `q25`, `median`, `q75`."""
    course, parts = journeys.course(window), []
    for place, name in enumerate(names):
        own = course[kind == place]
        if len(own):
            low, middle, high = np.quantile(own, [0.25, 0.5, 0.75], axis=0)
            days = np.arange(window + 1)
            parts.append(pd.DataFrame({"kind": name, "days": days, "q25": low, "median": middle, "q75": high}))
    return pd.concat(parts, ignore_index=True)
