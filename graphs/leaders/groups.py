"""Which markets can be told apart, over all pairs together: rank groups and bounds of ranks."""

from typing import Final

import numpy as np

from diffusion.arrays import Flags, Floats, Ints
from diffusion.conventions import CONFIDENCE

LEAST_ARTISTS: Final = 10
"""Effective number of artists below which nothing is said of a market: too few."""

CELLS_AT_ONCE: Final = 4_000_000
"""Replicates times pairs of markets that are looked at together."""

ARTISTS_AT_ONCE: Final = 4_096
"""Artists whose signs are held together."""

SIGNS: Final = np.array([-1.0, 1.0])
"""Signs that an artist may have."""


def effective_number(influence: Floats) -> Floats:
    """Return (Σu²)² / Σu⁴ over artists, (m,): how many artists of equal weight vary as much; 0 where none does.

    Parameters
    ----------
    influence
        (g, m): what every artist adds to the deviation of a market's score.

    Examples
    --------
    >>> effective_number(np.array([[1.0, 3.0], [-1.0, 0.1], [1.0, 0.1]])).round(2).tolist()
    [3.0, 1.0]
    """
    squares = influence**2
    fourth = (squares**2).sum(axis=0)
    return np.where(fourth > 0, squares.sum(axis=0) ** 2 / np.where(fourth > 0, fourth, 1), 0.0)


def signed_sums(influence: Floats, draws: int, generator: np.random.Generator) -> Floats:
    """Return sums over artists with a sign drawn for each, (r, m): how scores deviate by chance, markets together."""
    sums = np.zeros((draws, influence.shape[1]))
    for at in range(0, len(influence), ARTISTS_AT_ONCE):
        block = influence[at : at + ARTISTS_AT_ONCE]
        sums += generator.choice(SIGNS, (draws, len(block))) @ block
    return sums


def told_apart(score: Floats, influence: Floats, enough: Flags, *, replicates: int, seed: int) -> Flags:
    """Return for every pair of markets whether the row's score is larger than the column's beyond chance, (m, m).

    Parameters
    ----------
    score
        (m,): scores.
    influence
        (g, m): what every artist adds to the deviation of a market's score.
    enough
        (m,): markets that are compared; of the others nothing is said.
    replicates
        Draws of a sign for every artist.
    seed
        Seed of the draws.

    Notes
    -----
    A difference counts when it is larger than c of its errors; c is the .95 quantile of the largest such deviation over
    all pairs when the signs of the artists are drawn anew. Pairs that count are taken out and c is drawn again from the
    others, until no more do. So the chance that any pair is told apart wrongly is .05.

    References
    ----------
    Romano, J. P. & Wolf, M. (2005). Exact and approximate stepdown methods for multiple hypothesis testing. doi
    10.1198/016214504000000539.
    """
    apart = np.zeros((len(score), len(score)), np.bool_)
    compared = np.flatnonzero(enough)
    one, other = (compared[side] for side in np.triu_indices(len(compared), 1))
    if not len(one):
        return apart
    drawn = signed_sums(influence, replicates, np.random.default_rng(seed))
    together = influence.T @ influence
    variance = np.diag(together)[one] + np.diag(together)[other] - 2 * together[one, other]
    error = np.sqrt(np.maximum(variance, 1e-300))
    ratio = (score[one] - score[other]) / error
    left = np.ones(len(one), np.bool_)
    while left.any():
        bound = np.quantile(_largest(drawn, one[left], other[left], error[left]), CONFIDENCE)
        new = left & (np.abs(ratio) > bound)
        if not new.any():
            break
        left &= ~new
    first, second = np.where(ratio > 0, one, other)[~left], np.where(ratio > 0, other, one)[~left]
    apart[first, second] = True
    return apart


def _largest(drawn: Floats, one: Ints, other: Ints, error: Floats) -> Floats:
    """Return the largest deviation of the pairs (one, other) of markets in their errors, (r,), of every draw."""
    largest = np.zeros(len(drawn))
    size = max(CELLS_AT_ONCE // len(drawn), 1)
    for at in range(0, len(one), size):
        own = slice(at, at + size)
        deviation = np.abs(drawn[:, one[own]] - drawn[:, other[own]]) / error[own]
        largest = np.maximum(largest, deviation.max(axis=1))
    return largest


def rank_groups(apart: Flags, score: Floats, enough: Flags) -> Floats:
    """Return the rank group of every market, (m,), 1 for the best; NaN for the markets not compared.

    Groups are formed from the best market downwards: the first market that is told apart from the first of the current
    group opens the next group. Markets of different groups need not be told apart from each other.
    """
    groups = np.full(len(score), np.nan)
    order = np.argsort(-np.where(enough, score, -np.inf), kind="stable")[: int(enough.sum())]
    first, group = 0, 1
    for place in range(len(order)):
        if apart[order[first], order[place]]:
            first, group = place, group + 1
        groups[order[place]] = group
    return groups


def rank_bounds(apart: Flags, enough: Flags) -> tuple[Floats, Floats]:
    """Return the best and the worst rank that every market may have among those compared, (m,) each.

    All bounds hold together with the confidence of `told_apart`: as many markets are better as are told apart upwards.

    References
    ----------
    Mogstad, M., Romano, J. P., Shaikh, A. M. & Wilhelm, D. (2024). Inference for ranks with applications to mobility
    across neighbourhoods and academic achievement across countries. doi 10.1093/restud/rdad006.
    """
    better, worse = apart.sum(axis=0), apart.sum(axis=1)
    low, high = 1.0 + better, enough.sum() - worse.astype(float)
    return np.where(enough, low, np.nan), np.where(enough, high, np.nan)
