"""Covariances of estimates from pairs of markets, robust to dependence between pairs that share a market."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from graphs.distance.market_pairs import Matrix

Index = NDArray[np.integer]

RANK: Final = 1e-10
"""Relative eigenvalue of an information matrix below which it counts as 0, as for the effects of a market left out."""


def two_way(scores: Matrix, bread: Matrix, source: Index, target: Index) -> Matrix:
    """Return the covariance clustered two-way: pairs with the same source, or the same target, may depend.

    Parameters
    ----------
    scores
        (N, K): every pair's contribution to the gradient at the estimate.
    bread
        (K, K): inverse of the information.
    source, target
        (N,): numbers of the pair's markets.

    Returns
    -------
    array
        (K, K).

    Notes
    -----
    The sum of products clustered by source, plus by target, minus by pair; each is multiplied by G / (G − 1) for its G
    clusters, as in R's ``sandwich::vcovCL``. Where the result is not positive semi-definite, its negative eigenvalues
    are set to 0.

    References
    ----------
    Cameron, A. C., Gelbach, J. B. & Miller, D. L. (2011). Robust inference with multiway clustering. Journal of
    Business & Economic Statistics 29, 238–249. doi 10.1198/jbes.2010.07136.
    """
    by_pair = source.astype(np.int64) * (int(target.max()) + 1) + target
    meat = _clustered(scores, source) + _clustered(scores, target) - _clustered(scores, by_pair)
    return _positive(bread @ meat @ bread)


def dyadic(scores: Matrix, bread: Matrix, source: Index, target: Index) -> Matrix:
    """Return the dyadic covariance: all pairs with a market in common, as source or target, may depend.

    Parameters and result are those of `two_way`.

    Notes
    -----
    The products of scores are summed over all combinations of pairs with a market in common, and multiplied by
    M / (M − 1) for M markets. Summing by market counts combinations of the same two markets twice, so their products
    are subtracted once. Where the result is not positive semi-definite, its negative eigenvalues are set to 0.

    References
    ----------
    Aronow, P. M., Samii, C. & Assenova, V. A. (2015). Cluster-robust variance estimation for dyadic data. Political
    Analysis 23, 564–577. doi 10.1093/pan/mpv018.

    Cameron, A. C. & Miller, D. L. (2014). Robust inference for dyadic data. Working paper, University of California.
    """
    count = int(max(source.max(), target.max())) + 1
    by_market = _sums(scores, source, count) + _sums(scores, target, count)
    _, both = np.unique(
        np.minimum(source, target).astype(np.int64) * count + np.maximum(source, target), return_inverse=True
    )
    by_both = _sums(scores, both, int(both.max()) + 1)
    there = len(np.union1d(source, target))
    meat = (by_market.T @ by_market - by_both.T @ by_both) * there / (there - 1)
    return _positive(bread @ meat @ bread)


def market_jackknife(x: Matrix, weights: Matrix, rest: Matrix, source: Index, target: Index, terms: int) -> Matrix:
    """Return the jackknife covariance of the first K coefficients, (K, K): one market with all its pairs is left out.

    The coefficients without a market are one Newton step from those of all pairs. The covariance is NaN where a term
    becomes collinear when some market is left out.

    Parameters
    ----------
    x
        (N, C): columns of the regression, the K terms first; the others may be collinear.
    weights
        (N,): variance of each count under the model.
    rest
        (N,): count minus its mean under the model.
    source, target
        (N,): numbers of the pair's markets.
    terms
        K.

    Notes
    -----
    The sum of squared distances from the mean of the M vectors, times (M − 2) / (2 M). A market takes part in 2 / M of
    the pairs, so sums over pairs need half of the usual factor [1]_.

    References
    ----------
    .. [1] Snijders, T. A. B. & Borgatti, S. P. (1999). Non-parametric standard errors and tests for network statistics.
       Connections 22, 161–170.
    """
    size = np.maximum(np.sqrt(weights @ x**2), np.finfo(float).tiny)
    scaled = x / size
    information = (scaled * weights[:, None]).T @ scaled
    markets = np.union1d(source, target)
    steps = np.empty((len(markets), terms))
    for at, market in enumerate(markets):
        own = (source == market) | (target == market)
        left = information - (scaled[own] * weights[own, None]).T @ scaled[own]
        value, direction = np.linalg.eigh(left)
        positive = value > RANK * value[-1]
        step = direction[:terms, positive] @ ((direction[:, positive].T @ -(rest[own] @ scaled[own])) / value[positive])
        others = np.linalg.matrix_rank(left[terms:, terms:], RANK, hermitian=True)
        steps[at] = step / size[:terms] if positive.sum() == others + terms else np.nan
    distance = steps - steps.mean(axis=0)
    return np.asarray((len(markets) - 2) / (2 * len(markets)) * distance.T @ distance)


def _clustered(scores: Matrix, cluster: Index) -> Matrix:
    """Return the products of the scores' sums by cluster, (K, K), times G / (G − 1)."""
    _, number = np.unique(cluster, return_inverse=True)
    groups = int(number.max()) + 1
    sums = _sums(scores, number, groups)
    return np.asarray(sums.T @ sums * groups / (groups - 1))


def _sums(scores: Matrix, cluster: Index, count: int) -> Matrix:
    """Return the sum of scores of every cluster, (count, K)."""
    return np.column_stack([np.bincount(cluster, weights=column, minlength=count) for column in scores.T])


def _positive(covariance: Matrix) -> Matrix:
    """Return the matrix with its negative eigenvalues set to 0."""
    value, direction = np.linalg.eigh((covariance + covariance.T) / 2)
    return np.asarray(direction * np.maximum(value, 0.0) @ direction.T)
