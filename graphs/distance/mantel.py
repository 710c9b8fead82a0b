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
"""A vector is collinear with the others when its residual is shorter than this share of its length."""


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
    """Return the (partial) Mantel correlation of a symmetric outcome with distances, one row per term.

    Parameters
    ----------
    outcome
        (m, m) in the order of the distances' markets, symmetric (see `symmetrised`), NaN where it is missing.
    distances
        Distances; those of `terms` and `given` must be symmetric.
    terms
        Names of the distances to correlate with, each by itself (default: all that are not in `given`).
    given
        Names of the distances held fixed: both sides are regressed on them first, the partial Mantel test [1]_
        (default: none).
    method
        ``"pearson"`` (default), or ``"spearman"``, the same on ranks over the pairs.
    alternative
        Sign tested: ``"two-sided"`` (default), ``"greater"`` or ``"less"``.
    permutations
        Permutations of the term's markets, 19 or more (default 1,000); all rows use the same.
    seed
        Seed of the permutations (default 0).

    Returns
    -------
    DataFrame
        `term`; `given` (joined by ``|``); `method`; `estimate`, the correlation; `p`, (1 + number of permutations that
        reach it) / (permutations + 1); `permutations`; `n_pairs`; `markets` used; `dropped`, codes of markets left out
        for missing pairs (joined by ``|``, see `complete_markets`).

    Notes
    -----
    All rows use the same markets, between which no pair is missing in any matrix. The term is permuted and the given
    distances are not, as in vegan's ``mantel.partial``. A permutation separates neighbouring markets, so p is too small
    where outcome and distance both vary smoothly over the map [2]_; see also `mrqap` and `gravity`.

    Raises
    ------
    SettingError
        When a matrix is not symmetric, or a setting is out of range.
    DataSaysNoError
        When too few markets are left, or a matrix does not vary beyond the given distances.

    References
    ----------
    .. [1] Smouse, P. E., Long, J. C. & Sokal, R. R. (1986). Multiple regression and correlation extensions of the
       Mantel test of matrix correspondence. Systematic Zoology 35, 627–632. doi 10.2307/2413122.
    .. [2] Guillot, G. & Rousset, F. (2013). Dismantling the Mantel tests. Methods in Ecology and Evolution 4, 336–344.
       doi 10.1111/2041-210x.12018.

    Examples
    --------
    >>> markets = graph.nodes["market"].tolist()  # graph = graphs.market_graph(entries)
    >>> rates = graphs.distance.symmetrised(graphs.distance.rate_matrix(graph.edges, markets))
    >>> mantel(rates, graphs.distance.Distances.of(markets), terms=["log_km"], permutations=99)["term"].tolist()
    ['log_km']
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
    residual = _residual("outcome", vectors["outcome"], basis)
    rows = []
    for name in tested:
        generator = np.random.default_rng(seed)
        estimate, drawn = _correlations(name, vectors[name], residual, basis, pairs, permutations, generator)
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
    outcome: Matrix,
    basis: Matrix,
    pairs: Pairs,
    permutations: int,
    generator: np.random.Generator,
) -> tuple[float, Matrix]:
    """Return the partial correlation of a term with the outcome's residual, as observed and for each permutation."""
    _residual(name, vector, basis)
    centred = vector - vector.mean()
    count = int(pairs[0].max()) + 1
    matrix = np.zeros((count, count))
    matrix[pairs] = matrix.T[pairs] = centred
    fixed = np.column_stack((outcome / np.linalg.norm(outcome), basis))
    drawn = permuted_products(matrix, fixed, pairs, permutations=permutations, generator=generator)
    products = np.vstack((centred @ fixed, drawn))
    rest = centred @ centred - (products[:, 1:] ** 2).sum(axis=1)
    # a permutation that the given distances explain fully counts as correlation 0
    varies = rest > FLAT**2 * (centred @ centred)
    values = np.where(varies, products[:, 0] / np.sqrt(np.where(varies, rest, 1.0)), 0.0)
    return float(values[0]), values[1:]


def _p(drawn: Matrix, estimate: float, alternative: Alternative) -> float:
    if alternative == "two-sided":
        return share_reaching(np.abs(drawn), abs(estimate))
    sign = 1.0 if alternative == "greater" else -1.0
    return share_reaching(sign * drawn, sign * estimate)


def _scaled(vector: Matrix, method: Method) -> Matrix:
    return stats.rankdata(vector) if method == "spearman" else vector


def _basis(controls: list[Matrix], pairs: int) -> Matrix:
    """Return an orthonormal basis of the constant and the given distances, (N, v)."""
    scaled = [(one - one.mean()) / max(float(one.std()), 1e-300) for one in controls]
    columns = np.column_stack([np.ones(pairs), *scaled])
    directions, size, _ = np.linalg.svd(columns, full_matrices=False)
    return directions[:, size > FLAT * size[0]]


def _residual(name: str, vector: Matrix, basis: Matrix) -> Matrix:
    """Return the residual of a vector of pairs, (N,), after projection on the basis."""
    centred = vector - vector.mean()
    residual = centred - basis @ (basis.T @ centred)
    if np.linalg.norm(residual) <= FLAT * max(float(np.linalg.norm(centred)), 1e-300):
        raise DataSaysNoError(f"'{name}' does not vary between the markets left, beyond what is given; leave it out")
    return np.asarray(residual)
