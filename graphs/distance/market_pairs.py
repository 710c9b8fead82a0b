"""Pairs of markets: edge columns as matrices, matrices as vectors, and markets without missing pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from diffusion import DataSaysNoError, SettingError
from diffusion.display import Displayed

Matrix = NDArray[np.float64]
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]
Outcome = Literal["root", "logit", "log"]

LEAST_MARKETS: Final = 5
"""Fewest markets: five have 120 permutations, so that p can be below .05."""

SYMMETRIC: Final = 1e-9
"""Relative difference between the two directions that counts as rounding in a symmetric matrix."""


@dataclass(frozen=True, slots=True, repr=False)
class MarketsWithAllPairs(Displayed):
    """Markets between which no pair is missing, as `complete_markets` chooses them.

    Attributes
    ----------
    kept
        Numbers of the markets kept, in order.
    dropped
        Codes of the other markets, in the order in which they were dropped.
    """

    kept: NDArray[np.intp]
    dropped: tuple[str, ...]

    def _facts(self) -> str:
        return f": {len(self.kept)} kept, {len(self.dropped)} dropped"


def complete_markets(matrices: Sequence[Matrix], markets: Sequence[str]) -> MarketsWithAllPairs:
    """Return a set of markets between which no matrix lacks a pair, as large as a greedy search finds it.

    The market with the most missing pairs is dropped (of equals the last by code) until no pair is missing. Then
    dropped markets without a missing pair to the kept ones are taken back, the last dropped first. No market can be
    added to the result. It is the largest possible set where markets lack all their pairs; in other cases a larger set
    may exist.

    Parameters
    ----------
    matrices
        (m, m) arrays, NaN where a pair is missing; diagonals do not count.
    markets
        Codes of the m markets.

    Raises
    ------
    DataSaysNoError
        When fewer than `LEAST_MARKETS` are left.

    Examples
    --------
    >>> matrix = np.ones((6, 6))
    >>> matrix[0, 1:] = matrix[1:, 0] = np.nan
    >>> complete_markets([matrix], ["DE", "DK", "FI", "IS", "NO", "SE"])
    <MarketsWithAllPairs: 5 kept, 1 dropped>
    """
    lacking = np.zeros((len(markets), len(markets)), dtype=bool)
    for matrix in matrices:
        lacking |= np.isnan(matrix) | np.isnan(matrix.T)
    np.fill_diagonal(lacking, False)
    kept, dropped = np.ones(len(markets), dtype=bool), list[int]()
    by_code = np.argsort(np.argsort(np.array(markets)))
    while (missing := (lacking & kept & kept[:, None]).sum(axis=1)).any():
        worst = int(np.lexsort((by_code, missing))[-1])
        kept[worst] = False
        dropped.append(worst)
    for market in reversed(list(dropped)):
        if not (lacking[market] & kept).any():
            kept[market] = True
            dropped.remove(market)
    if len(markets) < LEAST_MARKETS:
        raise DataSaysNoError(f"there are {len(markets)} markets; a test over pairs of markets needs {LEAST_MARKETS}")
    if kept.sum() < LEAST_MARKETS:
        raise DataSaysNoError(
            f"only {int(kept.sum())} of {len(markets)} markets have no missing pair; {LEAST_MARKETS} are needed: leave "
            "out the distance with the most missing pairs"
        )
    return MarketsWithAllPairs(np.flatnonzero(kept), tuple(markets[at] for at in dropped))


def market_pairs(count: int, *, directed: bool) -> Pairs:
    """Return row and column numbers of all pairs of `count` markets: ordered pairs, or each pair once."""
    if directed:
        rows, columns = np.nonzero(~np.eye(count, dtype=bool))
        return rows, columns
    return np.tril_indices(count, -1)


def check_symmetric(name: str, matrix: Matrix) -> None:
    """Raise a SettingError when a matrix is not symmetric, or a value is missing in one direction only."""
    if not np.allclose(matrix, matrix.T, rtol=SYMMETRIC, atol=0, equal_nan=True):
        raise SettingError(f"'{name}' differs between the directions of a pair; symmetrise it first (symmetrised)")


def symmetrised(matrix: Matrix) -> Matrix:
    """Return the mean of both directions of every pair, NaN where one is missing.

    Examples
    --------
    >>> symmetrised(np.array([[0.0, 1.0], [3.0, 0.0]])).tolist()
    [[0.0, 2.0], [2.0, 0.0]]
    """
    return (matrix + matrix.T) / 2


def edge_matrix(edges: pd.DataFrame, column: str, markets: Sequence[str]) -> Matrix:
    """Return a column of the edges as a matrix (m, m), source in rows and target in columns, NaN where missing.

    Examples
    --------
    >>> edges = pd.DataFrame({"source": ["SE", "NO"], "target": ["NO", "SE"], "tracks": [3, 1]})
    >>> edge_matrix(edges, "tracks", ["SE", "NO"])
    array([[nan,  3.],
           [ 1., nan]])
    """
    if column not in edges:
        raise SettingError(f"these edges have no column '{column}'")
    number = {code: at for at, code in enumerate(markets)}
    a, b = (edges[end].map(number).to_numpy(dtype=float) for end in ("source", "target"))
    ours = ~np.isnan(a) & ~np.isnan(b)
    matrix = np.full((len(markets), len(markets)), np.nan)
    matrix[a[ours].astype(int), b[ours].astype(int)] = edges[column].to_numpy(dtype=float, na_value=np.nan)[ours]
    np.fill_diagonal(matrix, np.nan)
    return matrix


def rate_matrix(edges: pd.DataFrame, markets: Sequence[str], *, scale: Outcome = "root") -> Matrix:
    """Return the rates, transformed for regression, (m, m), NaN where no track was exposed.

    Parameters
    ----------
    edges
        One row per ordered pair, with `source`, `target`, `rate`, `exposed`.
    markets
        Codes of the m markets.
    scale
        ``"root"`` (default): √rate; its variance depends little on the rate, and it is 0 where no track followed.
        ``"logit"``: log((n·rate + ½) / (n·(1 − rate) + ½)) with n = exposed; close to 0 where n is small. ``"log"``:
        log(rate); missing where no track followed, so the weakest pairs are left out.

    Raises
    ------
    SettingError
        When the scale is none of these, or a column is missing.

    Examples
    --------
    >>> edges = pd.DataFrame({"source": ["SE", "NO"], "target": ["NO", "SE"], "exposed": [40, 50], "tracks": [10, 2]})
    >>> rate_matrix(edges.assign(rate=[0.25, 0.04]), ["SE", "NO"])
    array([[nan, 0.5],
           [0.2, nan]])
    """
    rate = edge_matrix(edges, "rate", markets)
    if scale == "root":
        return np.sqrt(rate)
    if scale == "logit":
        exposed = edge_matrix(edges, "exposed", markets)
        share = (exposed * rate + 0.5) / (exposed + 1)
        return np.asarray(special.logit(np.where(exposed > 0, share, np.nan)))
    if scale == "log":
        return np.log(np.where(rate > 0, rate, np.nan))
    raise SettingError(f"scale is root, logit or log, not '{scale}'")
