"""Separation in Poisson regression: pairs that it fits at exactly 0 by an infinite coefficient."""

from typing import Final

import numpy as np
from scipy import linalg, optimize

from diffusion.arrays import Flags
from graphs.distance.clustered import Index
from graphs.distance.market_pairs import Matrix

NOTHING: Final = 1e-7
"""Relative size below which a value counts as rounding."""

ABOVE: Final = 1e-5
"""Value (at most 1) from which a pair counts as above 0; the tolerance of the linear program is far smaller."""


def without_flow(tracks: Matrix, source: Index, target: Index) -> Flags:
    """Return the pairs whose source or target has no track in any remaining pair, (N,) flags.

    The check is repeated, because removing pairs can leave another market without tracks.
    """
    left = np.ones(len(tracks), dtype=bool)
    while True:
        alive = left.copy()
        for side in (source, target):
            sent = np.bincount(side[left], weights=tracks[left], minlength=int(side.max()) + 1)
            alive &= sent[side] > 0
        if (alive == left).all():
            return ~left
        left = alive


def separated(tracks: Matrix, x: Matrix) -> Flags:
    """Return the separated pairs, (N,) flags: pairs without tracks that the model can fit at exactly 0.

    A pair is separated when some linear combination of the columns is 0 at all pairs with tracks, nowhere below 0, and
    above 0 at the pair. Along this combination the likelihood rises without a maximum, so the coefficients have no
    finite estimate. Estimates of the other coefficients are those without the separated pairs.

    Parameters
    ----------
    tracks
        (N,): counts.
    x
        (N, K): columns of the regression, collinear or not.

    Notes
    -----
    The combinations that are 0 at all pairs with tracks form a null space, which mostly holds only 0. Linear programs
    search it for combinations that are nowhere below 0, until none is left.

    References
    ----------
    Correia, S., Guimarães, P. & Zylkin, T. (2019). Verifying the existence of maximum likelihood estimates for
    generalized linear models. arXiv 1903.01633.
    """
    scale = np.maximum(np.abs(x).max(axis=0), np.finfo(float).tiny)
    scaled = x / scale
    none = tracks == 0
    if not none.any() or none.all():
        return np.full(len(tracks), bool(none.all()))
    space = linalg.null_space(scaled[~none], rcond=NOTHING)
    values = scaled[none] @ space if space.size else np.zeros((int(none.sum()), 0))
    found = np.zeros(len(values), dtype=bool)
    while values.size and np.abs(values[~found]).max(initial=0.0) > NOTHING:
        reached = _direction(values[~found])
        if not reached.any():
            break
        found[np.flatnonzero(~found)[reached]] = True
    all_pairs: Flags = np.zeros(len(tracks), dtype=bool)
    all_pairs[np.flatnonzero(none)[found]] = True
    return all_pairs


def _direction(values: Matrix) -> Flags:
    """Return the rows above 0 in the combination of columns with the largest sum, among those between 0 and 1."""
    basis = linalg.orth(values.T, rcond=NOTHING)
    rows = values @ basis
    answer = optimize.linprog(
        -rows.sum(axis=0),
        A_ub=np.vstack((rows, -rows)),
        b_ub=np.r_[np.ones(len(rows)), np.zeros(len(rows))],
        bounds=(None, None),
        method="highs",
    )
    return np.zeros(len(values), dtype=bool) if answer.x is None else np.asarray(rows @ answer.x > ABOVE)
