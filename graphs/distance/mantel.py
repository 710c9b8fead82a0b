"""Mantel and partial Mantel correlations of symmetric matrices, with permutation p."""

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import pandas as pd
from scipy import stats

from diffusion import DataSaysNoError, SettingError
from graphs.distance.market_pairs import Matrix, Pairs, check_symmetric, complete_markets, market_pairs
from graphs.distance.matrices import Distances
from graphs.distance.permuted import check_permutations, permuted_products, share_reaching

Method = Literal["pearson", "spearman"]
Alternative = Literal["two-sided", "greater", "less"]

METHODS: Final = ("pearson", "spearman")
ALTERNATIVES: Final = ("two-sided", "greater", "less")

FLAT: Final = 1e-10
"""Share of a vector's length that is left of it when what the others explain is taken away; below, nothing is left."""


def mantel(
    outcome: Matrix,
    distances: Distances,
    *,
    terms: Sequence[str] | None = None,
    given: Sequence[str] = (),
    method: Method = "pearson",
    alternative: Alternative = "two-sided",
    permutations: int = 1_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the correlation of a symmetric outcome with distances, partial where some are given; one row per term.

    Parameters
    ----------
    outcome
        (m, m) in the order of the distances' markets, symmetric (`symmetrised` makes it so), NaN where it is missing.
    distances
        Distances, of which `terms` and `given` must be symmetric.
    terms
        Distances to correlate with, each on its own; all but the given ones for None.
    given
        Distances whose linear part is taken out of both sides first: the partial Mantel test.
    method
        ``"pearson"``, or ``"spearman"``: the same on ranks over the pairs.
    alternative
        What counts as at least as much as observed: either sign, only above, or only below.
    permutations
        Permutations of the term's markets, 19 or more; those of one row are those of all.
    seed
        Seed of the permutations.

    Returns
    -------
    DataFrame
        `term`; `given` (joined by ``|``); `method`; `estimate`, the correlation; `p` = (1 + #) / (permutations + 1);
        `permutations`; `n_pairs`; `markets` used; `dropped`, codes of those left out for missing pairs (joined by
        ``|``, see `complete_markets`).

    Notes
    -----
    No pair may be missing, so all rows stand on one set of markets. The term is permuted and what is given stays, as in
    vegan's ``mantel.partial``. Permutations take neighbouring markets apart: where outcome and distance both change
    smoothly over the map, p is too small [2]_; `mrqap` and `gravity` tell more.

    Raises
    ------
    SettingError
        When a matrix is not symmetric, or a setting cannot be right.
    DataSaysNoError
        When too few markets are left, or a matrix says nothing about them beyond what is given.

    References
    ----------
    .. [1] Smouse, P. E., Long, J. C. & Sokal, R. R. (1986). Multiple regression and correlation extensions of the
       Mantel test of matrix correspondence. Systematic Zoology 35, 627–632. doi 10.2307/2413122.
    .. [2] Guillot, G. & Rousset, F. (2013). Dismantling the Mantel tests. Methods in Ecology and Evolution 4, 336–344.
       doi 10.1111/2041-210x.12018.
    """
    if method not in METHODS or alternative not in ALTERNATIVES:
        raise SettingError(
            f"method is one of {', '.join(METHODS)} and alternative one of {', '.join(ALTERNATIVES)}, not '{method}' "
            f"and '{alternative}'"
        )
    check_permutations(permutations)
    controls = distances.select(given) if given else {}
    tested = distances.select([name for name in distances.matrices if name not in controls] if terms is None else terms)
    if both := [name for name in tested if name in controls]:
        raise SettingError(f"'{both[0]}' is a term and given; it is one or the other")
    named = {"outcome": outcome, **tested, **controls}
    for name, matrix in named.items():
        check_symmetric(name, matrix)
    complete = complete_markets(list(named.values()), distances.markets)
    pairs = market_pairs(len(complete.kept), directed=False)
    vectors = {
        name: _scaled(matrix[np.ix_(complete.kept, complete.kept)][pairs], method) for name, matrix in named.items()
    }
    basis = _basis([vectors[name] for name in controls], len(pairs[0]))
    left = _left("outcome", vectors["outcome"], basis)
    rows = []
    for name in tested:
        generator = np.random.default_rng(seed)
        estimate, drawn = _correlations(name, vectors[name], left, basis, pairs, permutations, generator)
        p = _p(drawn, estimate, alternative)
        rows.append({"term": name, "given": "|".join(controls), "method": method, "estimate": estimate, "p": p})
    return pd.DataFrame(rows).assign(
        permutations=permutations,
        n_pairs=len(pairs[0]),
        markets=len(complete.kept),
        dropped="|".join(complete.dropped),
    )


def _correlations(
    name: str,
    vector: Matrix,
    left: Matrix,
    basis: Matrix,
    pairs: Pairs,
    permutations: int,
    generator: np.random.Generator,
) -> tuple[float, Matrix]:
    """Return the partial correlation of a vector of pairs with the outcome's, and those of its permutations."""
    _left(name, vector, basis)
    centred = vector - vector.mean()
    count = int(pairs[0].max()) + 1
    matrix = np.zeros((count, count))
    matrix[pairs] = matrix.T[pairs] = centred
    fixed = np.column_stack((left / np.linalg.norm(left), basis))
    drawn = permuted_products(matrix, fixed, pairs, permutations=permutations, generator=generator)
    products = np.vstack((centred @ fixed, drawn))
    rest = centred @ centred - (products[:, 1:] ** 2).sum(axis=1)
    # a permutation that what is given explains wholly has no correlation of its own
    told = rest > FLAT**2 * (centred @ centred)
    values = np.where(told, products[:, 0] / np.sqrt(np.where(told, rest, 1.0)), 0.0)
    return float(values[0]), values[1:]


def _p(drawn: Matrix, estimate: float, alternative: Alternative) -> float:
    if alternative == "two-sided":
        return share_reaching(np.abs(drawn), abs(estimate))
    sign = 1.0 if alternative == "greater" else -1.0
    return share_reaching(sign * drawn, sign * estimate)


def _scaled(vector: Matrix, method: Method) -> Matrix:
    return stats.rankdata(vector) if method == "spearman" else vector


def _basis(controls: list[Matrix], pairs: int) -> Matrix:
    """Return an orthonormal basis of the constant and what is given, (N, v)."""
    scaled = [(one - one.mean()) / max(float(one.std()), 1e-300) for one in controls]
    columns = np.column_stack([np.ones(pairs), *scaled])
    directions, size, _ = np.linalg.svd(columns, full_matrices=False)
    return directions[:, size > FLAT * size[0]]


def _left(name: str, vector: Matrix, basis: Matrix) -> Matrix:
    """Return what is left of a vector of pairs when the basis is taken out."""
    centred = vector - vector.mean()
    left = centred - basis @ (basis.T @ centred)
    if np.linalg.norm(left) <= FLAT * max(float(np.linalg.norm(centred)), 1e-300):
        raise DataSaysNoError(f"'{name}' does not vary between the markets left, beyond what is given; leave it out")
    return np.asarray(left)
