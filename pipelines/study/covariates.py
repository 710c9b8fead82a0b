"""Covariates of a model in plain words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

VARIABLES: Final = {
    "language_match": "official language",
    "continent_match": "continent",
    "continent": "continent of the market",
    "footprint": "markets entered on day 0",
    "artist_here": "artist",
    "artist_tracks": "earlier tracks of the artist",
    "distance_km": "distance to the nearest market of the footprint (km)",
    "cultural_distance": "cultural distance to the nearest market of the footprint",
    "debut_year": "year of the debut",
}
"""Variable → its words."""

LEVELS: Final = {
    ("language_match", "yes"): "shared with the footprint",
    ("language_match", "no"): "not shared",
    ("continent_match", "yes"): "shared with the footprint",
    ("continent_match", "no"): "not shared",
    ("artist_here", "yes"): "known there by an earlier track",
    ("artist_here", "no"): "new there",
}
"""Variable and value → its words, where the value itself does not say enough."""

_LEVEL: Final = re.compile(r"^(?:C\()?(\w+)[^\[\]:]*\[T\.(.+)\]$")
_LOG: Final = re.compile(r"^log\((\w+)\)$")


@dataclass(frozen=True, slots=True)
class Covariate:
    """A covariate in words.

    Attributes
    ----------
    variable, level, reference
        As in `survival.contracts.HAZARD_RATIOS`; no reference for numbers.
    step
        How much more of the covariate the ratio is about: log 2 for logarithms, which doubles the variable, else 1.
    """

    variable: str
    level: str
    reference: str | None
    step: float


def covariate(name: str, values: pd.DataFrame) -> Covariate:
    """Return a covariate of a formula in words.

    Parameters
    ----------
    name
        Its name in the model, as formulaic makes it.
    values
        Values of the variables: the first in order is what others are compared with.

    Examples
    --------
    >>> values = pd.DataFrame({"language_match": ["no", "yes"], "footprint": [1.0, 2.0]})
    >>> found = covariate("language_match[T.yes]", values)
    >>> found.variable, found.level, found.reference
    ('official language', 'shared with the footprint', 'not shared')
    >>> covariate("log(footprint)", values).level
    'twice as many'
    """
    level, log = _LEVEL.match(name), _LOG.match(name)
    if level and level[1] in values:
        variable, value = level[1], level[2]
        first = str(sorted(values[variable].dropna().unique())[0])
        return Covariate(_words(variable), value_words(variable, value), value_words(variable, first), 1.0)
    if log:
        return Covariate(_words(log[1]), "twice as many", None, float(np.log(2)))
    return Covariate(_words(name), "one more", None, 1.0)


def covariates(names: Sequence[str], values: pd.DataFrame) -> pd.DataFrame:
    """Return covariates in words, one row per name: `covariate`, `variable`, `level`, `reference`, `step`."""
    found = [covariate(name, values) for name in names]
    columns = {key: [getattr(each, key) for each in found] for key in ("variable", "level", "reference", "step")}
    return pd.DataFrame({"covariate": list(names), **columns})


def value_words(variable: str, value: str) -> str:
    """Return a value of a variable in words."""
    return LEVELS.get((variable, value), value)


def term_words(term: str) -> str:
    """Return a term of a model in words.

    Examples
    --------
    >>> term_words("log(footprint)"), term_words("artist_here"), term_words("all")
    ('markets entered on day 0 (logarithm)', 'artist', 'all')
    """
    logged = _LOG.match(term)
    return f"{_words(logged[1])} (logarithm)" if logged else _words(term)


def _words(variable: str) -> str:
    return VARIABLES.get(variable, variable)
