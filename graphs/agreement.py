"""How far measures agree on the order of markets."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

SIGNS: Final = 2_000_000
"""Pairs of markets compared at a time, over all measures and replicates: five arrays of that size are needed for it."""


def kendall(values: Scores) -> Scores:
    """Return Kendall's τ-b between every two measures, (r, k, k), from their values for m markets, (r, k, m).

    Only markets that have both values count. NaN where a measure is the same for all of them.

    References
    ----------
    Kendall, M. G. (1945). The treatment of ties in ranking problems. doi 10.1093/biomet/33.3.239.

    Examples
    --------
    >>> kendall(np.array([[[1.0, 2, 3, 4], [1, 3, 2, 4]]]))[0, 0].round(3).tolist()
    [1.0, 0.667]
    """
    measures, markets = values.shape[1:]
    at_once = max(1, SIGNS // max(measures * markets * (markets - 1) // 2, 1))
    return np.concatenate([_kendall(values[at : at + at_once]) for at in range(0, len(values), at_once)])


def _kendall(values: Scores) -> Scores:
    one, other = np.triu_indices(values.shape[-1], 1)
    sign = np.sign(values[..., one] - values[..., other])
    known = (~np.isnan(sign)).astype(float)
    sign = np.where(np.isnan(sign), 0.0, sign)
    agree = sign @ sign.swapaxes(-1, -2)
    untied = (sign * sign) @ known.swapaxes(-1, -2)
    pairs = np.sqrt(untied * untied.swapaxes(-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        tau: Scores = agree / pairs
    return tau
