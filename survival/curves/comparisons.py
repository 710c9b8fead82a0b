"""Comparisons of groups two by two: the table of pairs, and p-values adjusted for their number."""

from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from diffusion import SettingError
from diffusion.arrays import Floats, Ints
from survival.curves.grouping import Groups

MOST_GROUPS: Final = 200
"""Most groups that are compared with each other."""


def pairs_of(groups: Groups) -> tuple[Ints, Ints, pd.DataFrame]:
    """Return the indices of the two groups of each pair, and a table with their names: `group`, `other`.

    Raises
    ------
    SettingError
        When there are too many groups.
    """
    if len(groups.names) > MOST_GROUPS:
        raise SettingError(f"{len(groups.names):,} groups are too many to compare; at most {MOST_GROUPS} are")
    one, two = np.triu_indices(len(groups.names), 1)
    names = np.array(groups.names, object)
    return one, two, pd.DataFrame({"group": names[one], "other": names[two]})


def add_adjusted(table: pd.DataFrame) -> None:
    """Add `p_holm` and `p_bh` to a table with `p`: adjusted by Holm, and by Benjamini and Hochberg, where `p` is known.

    References
    ----------
    Holm 1979, Scandinavian Journal of Statistics 6, 65–70. Benjamini & Hochberg 1995, doi
    10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> table = pd.DataFrame({"p": [0.04, 0.01, None]})
    >>> add_adjusted(table)
    >>> table["p_holm"].tolist(), table["p_bh"].tolist()
    ([0.04, 0.02, nan], [0.04, 0.02, nan])
    """
    chances = table["p"].to_numpy(np.float64)
    table["p_holm"] = holm(chances)
    known = ~np.isnan(chances)
    table["p_bh"] = np.nan
    table.loc[known, "p_bh"] = false_discovery_control(chances[known])


def holm(chances: Floats) -> Floats:
    """Return, (n,), p-values adjusted by Holm for their number; those that are not known do not count.

    Examples
    --------
    >>> holm(np.array([0.04, np.nan, 0.01])).tolist()
    [0.04, nan, 0.02]
    """
    order = np.argsort(chances)[: np.count_nonzero(~np.isnan(chances))]
    adjusted = np.full(len(chances), np.nan)
    factor = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(chances[order] * factor), 1)
    return adjusted
