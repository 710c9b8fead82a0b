"""Waits of a study, as its models take them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, SettingError
from survival import Cluster
from survival.counting.counted import CountedWaits, WaitSource
from survival.counting.formula import variables_of

OF_ARTISTS: Final = frozenset({"artist_here", "artist_tracks"})
"""Variables that depend on other tracks of the artist."""


@dataclass(frozen=True)
class CountedOnce:
    """Waits of which each count is made once, for several models.

    Attributes
    ----------
    source
        The waits.
    made
        Counts that were asked for.
    """

    source: WaitSource
    made: dict[tuple[frozenset[str], Cluster], CountedWaits] = field(default_factory=dict, repr=False)

    def counted(self, variables: tuple[str, ...] = (), *, cluster: Cluster = "artist") -> CountedWaits:
        """Return the waits counted by variables."""
        asked = frozenset(variables), cluster
        if asked not in self.made:
            self.made[asked] = self.source.counted(variables, cluster=cluster)
        return self.made[asked]


def variables_in(terms: tuple[str, ...], others: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the variables that terms of a formula read, and others, each once."""
    return tuple(dict.fromkeys([*(name for term in terms for name in variables_of(term)), *others]))


def varying(terms: tuple[str, ...], values: pd.DataFrame) -> tuple[str, ...]:
    """Return the terms none of whose variables is the same for all waits, or known for none.

    `values` has the variables.

    Examples
    --------
    >>> varying(("log(size)", "near"), pd.DataFrame({"size": [1.0, 1.0], "near": ["no", "yes"]}))
    ('near',)
    """
    return tuple(term for term in terms if all(len(values[name].dropna().unique()) > 1 for name in variables_of(term)))


def known_of_cohort(terms: tuple[str, ...], *, artists_whole: bool) -> tuple[str, ...]:
    """Return the terms whose values are known from the tracks of a study.

    Parameters
    ----------
    artists_whole
        Whether all tracks of the artists are there; if not, what an artist did before is not known.

    Examples
    --------
    >>> known_of_cohort(("log(footprint)", "artist_here"), artists_whole=False)
    ('log(footprint)',)
    """
    return terms if artists_whole else tuple(term for term in terms if not OF_ARTISTS.intersection(variables_of(term)))


def last_day(counted: CountedWaits) -> int:
    """Return the last day on which a wait is at risk."""
    return int(np.flatnonzero(counted.closed.any(axis=0))[-1])


def entered_markets(source: WaitSource) -> tuple[frozenset[str], frozenset[str]]:
    """Return the markets that some track waits for and enters, and those that none of its tracks enters."""
    counted = source.counted(("market",), cluster="independent")
    markets, went = counted.values["market"].to_numpy(), counted.entered.any(axis=1)
    return frozenset(markets[went]), frozenset(markets[~went])


def seen_values(source: WaitSource, variables: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Return the values of variables with texts, and the markets that some track enters."""
    values = source.counted(variables, cluster="independent").values
    texts = {name: frozenset(values[name]) for name in variables if values[name].dtype == object}
    return texts | {"market": entered_markets(source)[0]}


def of_these_data(make: Callable[[], dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Return what `make` returns.

    Raises
    ------
    DataSaysNoError
        Also where `make` raises `SettingError`: that these data cannot have a covariate is no wrong setting.
    """
    try:
        return make()
    except SettingError as error:
        raise DataSaysNoError(str(error)) from error
