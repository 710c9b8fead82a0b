"""Differences of two estimates of which each has an interval, also where the estimates depend on each other."""

from dataclasses import dataclass

import numpy as np

from diffusion.arrays import Floats


@dataclass(frozen=True, slots=True)
class Estimate:
    """Estimates with their 95 % intervals, arrays of one shape."""

    value: Floats
    low: Floats
    high: Floats


def difference_interval(a: Estimate, b: Estimate, correlation: Floats) -> tuple[Floats, Floats]:
    """Return the bounds of the 95 % interval of a less b, from the intervals of both and their correlation.

    The bounds keep the asymmetry of the two intervals, as of rates near 0.

    References
    ----------
    Zou, G. Y. & Donner, A. (2008). Construction of confidence limits about effect measures: a general approach.
    Statistics in Medicine 27, 1693–1702. doi 10.1002/sim.3095.

    Examples
    --------
    >>> a, b = (Estimate(*np.array(each)[:, None]) for each in ([0.30, 0.20, 0.42], [0.10, 0.05, 0.19]))
    >>> low, high = difference_interval(a, b, np.array([0.0]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.065], [0.33])
    """
    difference = a.value - b.value
    reach = [
        np.sqrt(np.maximum(up**2 + down**2 - 2 * correlation * up * down, 0))
        for up, down in ((a.value - a.low, b.high - b.value), (a.high - a.value, b.value - b.low))
    ]
    return difference - reach[0], difference + reach[1]


def correlation(a: Floats, b: Floats) -> Floats:
    """Return the correlation of two estimates, (…), from what leaving out each artist changes in them, (c, …).

    0 where a change is infinite, as of an artist who is all there is, or nobody changes anything.
    """
    finite = np.isfinite(a).all(axis=0) & np.isfinite(b).all(axis=0)
    one, other = np.where(finite, a, 0.0), np.where(finite, b, 0.0)
    return scaled((one * other).sum(axis=0), (one**2).sum(axis=0), (other**2).sum(axis=0))


def scaled(products: Floats, squares_a: Floats, squares_b: Floats) -> Floats:
    """Return correlations from sums of products and of squares; 0 where a sum of squares is 0."""
    scale = np.sqrt(squares_a * squares_b)
    return np.where(scale > 0, products / np.where(scale > 0, scale, 1.0), 0.0)
