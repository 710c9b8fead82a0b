"""MRQAP: regression of a matrix on matrices, with permutation p by double semi-partialing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular

from diffusion import DataSaysNoError
from diffusion.conventions import CONFIDENCE
from graphs.distance.market_pairs import Matrix, Pairs, check_symmetric, complete_markets, market_pairs
from graphs.distance.matrices import Distances
from graphs.distance.permuted import check_permutations, permuted_products, share_reaching

COLLINEAR: Final = 1e-7
"""A column is collinear when the columns before it leave less than this share of its length (as in R's `qr`)."""

INTERCEPT: Final = "intercept"


@dataclass(frozen=True, slots=True)
class _Fit:
    """Least squares: coefficients, standard errors and t, (K,) each; degrees of freedom; R²."""

    estimate: Matrix
    error: Matrix
    t: Matrix
    freedom: int
    explained: float


def mrqap(
    outcome: Matrix,
    distances: Distances,
    *,
    terms: Sequence[str] | None = None,
    directed: bool = True,
    permutations: int = 1_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the regression of an outcome on distances with permutation p by double semi-partialing, one row per term.

    Least squares over the pairs of markets. For each term, its residual on the other terms is permuted, rows and
    columns together, and takes the place of the term; the t of this regression is compared with the observed t [1]_.

    Parameters
    ----------
    outcome
        (m, m) in the order of the distances' markets, from row to column, NaN where it is missing (see `rate_matrix`).
    distances
        Distances, those of `Distances.with_markets` included.
    terms
        Names of the distances used (default: all).
    directed
        Whether to use every ordered pair (default). Otherwise each pair counts once and all matrices must be symmetric.
    permutations
        Permutations, 19 or more (default 1,000); all terms use the same.
    seed
        Seed of the permutations (default 0).

    Returns
    -------
    DataFrame
        `term`, first `intercept`; `estimate`; `std_error` of least squares, which takes pairs as independent and is not
        valid by itself; `statistic`, t; `low`, `high`, the 95 % interval estimate ± c · std_error, where c is the 95 %
        quantile of |t| over the permutations (it contains 0 where p > 0.05); `p`, two-sided, (1 + number of
        permutations that reach |t|) / (permutations + 1); `r_squared`; `permutations`; `n_pairs`; `markets` used;
        `dropped`, codes of markets left out for missing pairs (joined by ``|``, see `complete_markets`).

    Raises
    ------
    SettingError
        When a setting is out of range, or a matrix is not symmetric although `directed` is False.
    DataSaysNoError
        When too few markets are left, or a term is collinear with those before it.

    References
    ----------
    .. [1] Dekker, D., Krackhardt, D. & Snijders, T. A. B. (2007). Sensitivity of MRQAP tests to collinearity and
       autocorrelation conditions. Psychometrika 72, 563–581. doi 10.1007/s11336-007-9016-1.

    Examples
    --------
    >>> markets = graph.nodes["market"].tolist()  # graph = graphs.market_graph(entries)
    >>> rates = graphs.distance.rate_matrix(graph.edges, markets)
    >>> found = mrqap(rates, graphs.distance.Distances.of(markets), terms=["log_km"], permutations=99)
    >>> found["term"].tolist()
    ['intercept', 'log_km']
    """
    check_permutations(permutations)
    values = distances.select(terms)
    if not directed:
        for name, matrix in {"outcome": outcome, **values}.items():
            check_symmetric(name, matrix)
    complete = complete_markets([outcome, *values.values()], distances.markets)
    count = len(complete.kept)
    pairs = market_pairs(count, directed=directed)
    cut = np.ix_(complete.kept, complete.kept)
    y = outcome[cut][pairs]
    x = np.column_stack([np.ones(len(y)), *(matrix[cut][pairs] for matrix in values.values())])
    fit = _least_squares(x, y, [INTERCEPT, *values])
    rows = []
    for at, name in enumerate((INTERCEPT, *values)):
        generator = np.random.default_rng(seed)
        drawn = np.abs(_permuted_t(x, y, at, count, pairs, permutations, generator))
        half_width = float(np.quantile(drawn, CONFIDENCE)) * fit.error[at]
        rows.append(
            {
                "term": name,
                "estimate": fit.estimate[at],
                "std_error": fit.error[at],
                "statistic": fit.t[at],
                "low": fit.estimate[at] - half_width,
                "high": fit.estimate[at] + half_width,
                "p": share_reaching(drawn, abs(float(fit.t[at]))),
            }
        )
    return pd.DataFrame(rows).assign(
        r_squared=fit.explained,
        permutations=permutations,
        n_pairs=len(y),
        markets=count,
        dropped="|".join(complete.dropped),
    )


def _permuted_t(
    x: Matrix, y: Matrix, at: int, count: int, pairs: Pairs, permutations: int, generator: np.random.Generator
) -> Matrix:
    """Return t of the permuted residual of a term in the regression on it and the other terms, (B,).

    Let Q be an orthonormal basis of the other terms, e the permuted residual of the term and r the residual of y on the
    other terms. Then t is that of the simple regression of r on e − QQ'e. It needs Q'e and r'e of every permutation,
    and e'e, which is the same for all.
    """
    basis, _ = np.linalg.qr(np.delete(x, at, axis=1))
    rest = x[:, at] - basis @ (basis.T @ x[:, at])
    left = y - basis @ (basis.T @ y)
    matrix = np.zeros((count, count))
    matrix[pairs] = rest
    if len(pairs[0]) < count * (count - 1):
        matrix.T[pairs] = rest
    fixed = np.column_stack((left, basis))
    products = permuted_products(matrix, fixed, pairs, permutations=permutations, generator=generator)
    own = rest @ rest - (products[:, 1:] ** 2).sum(axis=1)
    # a permutation that the other terms explain fully has no t; it counts against the term
    varies = own > COLLINEAR**2 * (rest @ rest)
    own = np.where(varies, own, 1.0)
    residual = np.maximum(left @ left - products[:, 0] ** 2 / own, 0.0)
    with np.errstate(divide="ignore"):
        t = products[:, 0] / np.sqrt(residual / (len(y) - x.shape[1]) * own)
    return np.where(varies, t, np.inf)


def _least_squares(x: Matrix, y: Matrix, names: Sequence[str]) -> _Fit:
    """Return the least-squares fit of y on the columns of x; no column may be collinear with those before it."""
    freedom = len(y) - x.shape[1]
    if freedom < 1:
        raise DataSaysNoError(f"{len(y)} pairs are too few for {x.shape[1]} coefficients; leave terms out")
    q, r = np.linalg.qr(x)
    for name, own, length in zip(names, np.abs(np.diag(r)), np.linalg.norm(x, axis=0), strict=True):
        if own <= COLLINEAR * length:
            raise DataSaysNoError(
                f"'{name}' does not vary between the {len(y):,} pairs left, beyond the terms before it; leave it out"
            )
    estimate = solve_triangular(r, q.T @ y)
    residual = y - x @ estimate
    total = float(((y - y.mean()) ** 2).sum())
    if residual @ residual <= COLLINEAR**2 * (y @ y) or not total:
        raise DataSaysNoError("the terms explain the outcome exactly, without any rest; there is nothing to test")
    inverse = solve_triangular(r, np.eye(len(r)))
    error = np.sqrt((inverse**2).sum(axis=1) * (residual @ residual) / freedom)
    return _Fit(estimate, error, estimate / error, freedom, 1 - float(residual @ residual) / total)
