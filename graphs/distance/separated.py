"""Pairs that a Poisson regression fits at exactly 0, at an infinite coefficient: they are found and left out."""

from typing import Final

import numpy as np
from scipy import linalg, optimize

from diffusion.arrays import Flags
from graphs.distance.clustered import Index
from graphs.distance.market_pairs import Matrix

NOTHING: Final = 1e-7
"""Relative size of a direction below which it is rounding."""

ABOVE: Final = 1e-5
"""Value, of at most 1, from which a pair is above 0: well beyond what linear programs allow as 0."""


def without_flow(tracks: Matrix, source: Index, target: Index) -> Flags:
    """Return the pairs whose source or target has no track in any pair left, (N,); what leaves may make others so."""
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
    """Return the pairs without tracks that some combination of the columns tells from all pairs with tracks, (N,).

    Such a combination is 0 where there are tracks, nowhere below 0, and above 0 at these pairs; growing without bound
    in its direction, the likelihood rises for ever and no estimate exists. The other estimates are those without these
    pairs.

    Parameters
    ----------
    tracks
        (N,): counts.
    x
        (N, K): columns of the regression, collinear or not.

    Notes
    -----
    Combinations that are 0 where there are tracks are a null space, mostly of nothing but 0; in it, linear programs
    look for one that is nowhere below 0, until there is none.

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
    told = scaled[none] @ space if space.size else np.zeros((int(none.sum()), 0))
    found = np.zeros(len(told), dtype=bool)
    while told.size and np.abs(told[~found]).max(initial=0.0) > NOTHING:
        reached = _direction(told[~found])
        if not reached.any():
            break
        found[np.flatnonzero(~found)[reached]] = True
    all_pairs: Flags = np.zeros(len(tracks), dtype=bool)
    all_pairs[np.flatnonzero(none)[found]] = True
    return all_pairs


def _direction(told: Matrix) -> Flags:
    """Return the rows above 0 in the combination, nowhere below 0 and at most 1, with the largest sum."""
    basis = linalg.orth(told.T, rcond=NOTHING)
    rows = told @ basis
    answer = optimize.linprog(
        -rows.sum(axis=0),
        A_ub=np.vstack((rows, -rows)),
        b_ub=np.r_[np.ones(len(rows)), np.zeros(len(rows))],
        bounds=(None, None),
        method="highs",
    )
    return np.zeros(len(told), dtype=bool) if answer.x is None else np.asarray(rows @ answer.x > ABOVE)
