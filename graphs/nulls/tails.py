"""How surely a count is more than chance: permutation and analytic p, and q."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Numbers = NDArray[np.float64]

LEAST_EXCEEDING = 10
"""Fillings that must reach the observed count for the permutation p to be taken; with fewer it is too coarse."""

LEAST_FOR_SPREAD = 5.0
"""Mean count below which a variance smaller than the mean is not trusted."""


def count_tail(observed: ArrayLike, mean: ArrayLike, variance: ArrayLike) -> Numbers:
    """Return P(count ≥ observed) for counts of that mean and variance, never 0.

    The distribution is the binomial where the variance is less than the mean, the Poisson where they are equal, the
    negative binomial where it is more, with whatever number of trials makes the moments right. A sum of independent
    yes/no events (Poisson-binomial) is well met by the binomial of its moments [1]_. Where that binomial could not, or
    hardly, reach the observed count, it is given twice as many trials as observed, which makes p larger.

    Parameters
    ----------
    observed, mean, variance
        Arrays of one shape.

    References
    ----------
    .. [1] Ehm, W. (1991). Binomial approximation to the Poisson binomial distribution. Statistics & Probability
       Letters 11, 7–16. doi 10.1016/0167-7152(91)90170-V.

    Examples
    --------
    Ten fair coins, five heads or more:

    >>> float(count_tail(5, 5.0, 2.5).round(6))
    0.623047
    """
    count, centre, spread = (np.asarray(x, float) for x in np.broadcast_arrays(observed, mean, variance))
    count, centre = np.maximum(count, 1), np.maximum(centre, np.finfo(float).tiny)
    ratio = np.where((spread < centre) & (centre < LEAST_FOR_SPREAD), 1.0, spread / centre)
    with np.errstate(divide="ignore", invalid="ignore"):
        trials = np.maximum(centre / (1 - ratio), 2 * count)
        trials = np.where(ratio < 1, trials, 2 * count)
        binomial = special.betainc(count, trials - count + 1, np.minimum(centre / trials, 1.0))
        size = np.where(ratio > 1, centre / (ratio - 1), 1.0)
        negative = special.betainc(count, size, 1 - 1 / np.maximum(ratio, 1.0))
    poisson = special.gammainc(count, centre)
    tail = np.where(ratio < 1, binomial, np.where(ratio > 1, negative, poisson))
    return np.clip(np.where(np.asarray(observed) <= 0, 1.0, tail), np.finfo(float).tiny, 1.0)


def chance(
    observed: NDArray[np.int64], draws: NDArray[np.integer], analytic: Numbers, *, design: ArrayLike = 1.0
) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return the one-sided p of being more than chance, and whether it is the permutations'.

    The permutation p is (1 + #) / (B + 1) with # the draws that reach the observed count; it is taken where # ≥ 10,
    and the analytic p elsewhere, as the tail is then beyond what B draws resolve [1]_.

    Parameters
    ----------
    observed, analytic
        (…): counts and their analytic p.
    draws
        (B, …): counts under the null.
    design
        Factor by which the null's variance is too small because tracks come in clusters: draws are stretched about
        their mean by its root.

    References
    ----------
    .. [1] Knijnenburg, T. A. et al. (2009). Fewer permutations, more accurate P-values. Bioinformatics 25, i161–i168.
       doi 10.1093/bioinformatics/btp211.
    """
    centre = draws.mean(axis=0)
    # what is left of the distance when the stretch is undone; rounding must not turn a draw equal to it away
    reach = centre + (observed - centre) / np.sqrt(np.asarray(design, float)) - 1e-9
    exceeding = np.zeros(observed.shape, np.int64)
    for draw in draws:
        exceeding += draw >= reach
    enough = exceeding >= LEAST_EXCEEDING
    return np.where(enough, (1 + exceeding) / (len(draws) + 1), analytic), enough


def adjusted(p: Numbers) -> Numbers:
    """Return Benjamini–Hochberg q of p, null where p is: null p are not tested and do not count.

    References
    ----------
    Benjamini, Y. & Hochberg, Y. (1995). Controlling the false discovery rate. JRSS B 57, 289–300. doi
    10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> adjusted(np.array([0.01, np.nan, 0.04, 0.03])).round(3).tolist()
    [0.03, nan, 0.04, 0.04]
    """
    flat, q = p.ravel(), np.full(p.size, np.nan)
    tested = np.flatnonzero(~np.isnan(flat))
    order = tested[np.argsort(flat[tested], kind="stable")][::-1]
    scaled = flat[order] * len(order) / np.arange(len(order), 0, -1)
    q[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return q.reshape(p.shape)
