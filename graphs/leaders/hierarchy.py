"""Rankings in which a market that leads has a higher score than those that follow it: SpringRank, Bradley–Terry."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion import SettingError
from diffusion.arrays import Floats

Counts = NDArray[np.integer] | NDArray[np.floating]

SPRING: Final = 1.0
"""Regularisation α of SpringRank, in tracks: the pull of each score towards 0 equals that of one track."""

GAMES: Final = 1.0
"""Prior of Bradley–Terry, in votes: games of each market, half of them won, against a market of score 0."""

NEWTON_STEPS: Final = 100
"""Newton steps at most; the loop ends earlier when the scores have converged. Every step raises the likelihood."""

NEWTON_SETTLED: Final = 1e-10
"""Change of the scores in a Newton step at which they have converged."""


def springrank(counts: Counts, *, spring: float = SPRING) -> Floats:
    """Return SpringRank scores, (…, m): tracks tend to go from a market to one whose score is 1 lower.

    The scores s minimise ½ Σ counts_ab (s_a − s_b − 1)² + ½ `spring` Σ s_a²; they add up to 0. The unit is one step of
    the hierarchy. The fewer tracks a market has, the closer its score is to 0.

    Parameters
    ----------
    counts
        (…, m, m): tracks from the row's market to the column's.
    spring
        Regularisation α > 0, in tracks (default 1). As it goes to 0, the scores go to those of the paper without
        regularisation, which are not defined between separate parts of a graph.

    Raises
    ------
    SettingError
        When `spring` is not above 0.

    References
    ----------
    De Bacco, C., Larremore, D. B. & Moore, C. (2018). A physical model for efficient ranking in networks. Science
    Advances 4, eaar8260. doi 10.1126/sciadv.aar8260.
    """
    if not spring > 0:
        raise SettingError(f"SpringRank's spring is {spring:g} tracks; it must be above 0")
    sent, received = counts.sum(axis=-1), counts.sum(axis=-2)
    laplacian = -(counts + counts.swapaxes(-1, -2)) + _diagonal(sent + received + spring)
    scores: Floats = np.linalg.solve(laplacian, np.asarray(sent - received, float)[..., None])[..., 0]
    return scores


def bradley_terry(votes: Counts, *, games: float = GAMES) -> Floats:
    """Return Bradley–Terry scores θ, (…, m): P(a before b) = 1 / (1 + exp(θ_b − θ_a)).

    Parameters
    ----------
    votes
        (…, m, m): how often the row's market was before the column's. Count clusters, not tracks: fifteen tracks of
        one album are one observation.
    games
        Prior, in votes (default 1): every market is given so many votes against a market of score 0, half of them won.
        With it a finite and unique estimate exists even where a market always or never leads, or where groups of
        markets share no votes.

    Raises
    ------
    SettingError
        When `games` is not above 0.

    Notes
    -----
    Newton's method. A step whose largest change of a difference is r is multiplied by log(1 + r) / r; every such step
    raises the likelihood [2]_.

    References
    ----------
    .. [1] Zermelo, E. (1929). Die Berechnung der Turnier-Ergebnisse. doi 10.1007/BF01180541. Bradley, R. A. & Terry,
       M. E. (1952). doi 10.2307/2334029.
    .. [2] Bach, F. (2010). Self-concordant analysis for logistic regression. doi 10.1214/09-EJS521.
    """
    if not games > 0:
        raise SettingError(f"games, the prior votes of Bradley–Terry, is {games:g}; it must be above 0")
    won = np.asarray(votes, float)
    compared = won + won.swapaxes(-1, -2)
    scores = np.zeros(won.shape[:-1])
    for _ in range(NEWTON_STEPS):
        before = _logistic(scores[..., :, None] - scores[..., None, :])
        even = _logistic(scores)
        gradient = won.sum(axis=-1) - (compared * before).sum(axis=-1) + games * (0.5 - even)
        weight = compared * before * before.swapaxes(-1, -2)
        curvature = _diagonal(weight.sum(axis=-1) + games * even * (1 - even)) - weight
        step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
        largest = np.maximum(2 * np.abs(step).max(axis=-1, keepdims=True, initial=0), NEWTON_SETTLED)
        scores = scores + step * np.log1p(largest) / largest
        if (largest <= 2 * NEWTON_SETTLED).all():
            break
    return scores


def _logistic(difference: Floats) -> Floats:
    """Return the logistic function, without overflow."""
    chance: Floats = 0.5 * (1 + np.tanh(difference / 2))
    return chance


def _diagonal(values: Counts) -> Floats:
    """Return (…, m, m) matrices with the values on their diagonals."""
    matrices: Floats = np.asarray(values, float)[..., None] * np.eye(values.shape[-1])
    return matrices
