"""Where markets stand in one order, so that who is above was first: SpringRank and Bradley–Terry."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion import SettingError
from diffusion.arrays import Floats

Counts = NDArray[np.integer] | NDArray[np.floating]

SPRING: Final = 1.0
"""SpringRank's α, in tracks: each market is tied to standing 0 as firmly as one track ties two markets."""

GAMES: Final = 1.0
"""Votes that every market is taken to have drawn with a market of average standing (Bradley–Terry)."""

NEWTON_STEPS: Final = 100
"""Never needed: each step is certain to go uphill, and near the top each doubles the digits."""

NEWTON_SETTLED: Final = 1e-10


def springrank(counts: Counts, *, spring: float = SPRING) -> Floats:
    """Return SpringRank, (…, m): standings such that a track goes from each market to one whose standing is 1 lower.

    The standings s minimise ½ Σ counts_ab (s_a − s_b − 1)² + ½ `spring` Σ s_a²; they add up to 0. Differences are in
    units of one step of the hierarchy, and closer to 0 the fewer tracks a market has.

    Parameters
    ----------
    counts
        (…, m, m): tracks from the row's market to the column's.
    spring
        The regularisation α > 0, in tracks (default 1). Towards 0 the standings become those of the paper without
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
    standing: Floats = np.linalg.solve(laplacian, np.asarray(sent - received, float)[..., None])[..., 0]
    return standing


def bradley_terry(votes: Counts, *, games: float = GAMES) -> Floats:
    """Return Bradley–Terry standings θ, (…, m): P(a before b) = 1 / (1 + exp(θ_b − θ_a)).

    Parameters
    ----------
    votes
        (…, m, m): how often the row's market was before the column's. Clusters should vote, not tracks: fifteen tracks
        of one album are one observation.
    games
        Votes, half of them won, that every market is given against a market of standing 0 (default 1). They make the
        estimate exist and unique where a market always or never leads, or is not connected with the others.

    Raises
    ------
    SettingError
        When `games` is not above 0.

    Notes
    -----
    Newton's method; a step that changes some difference by r is cut to log(1 + r) / r of itself, which is certain to
    go uphill [2]_.

    References
    ----------
    .. [1] Zermelo, E. (1929). Die Berechnung der Turnier-Ergebnisse. doi 10.1007/BF01180541. Bradley, R. A. & Terry,
       M. E. (1952). doi 10.2307/2334029.
    .. [2] Bach, F. (2010). Self-concordant analysis for logistic regression. doi 10.1214/09-EJS521.
    """
    if not games > 0:
        raise SettingError(f"Bradley–Terry standings are given {games:g} votes each; it must be above 0")
    won = np.asarray(votes, float)
    met = won + won.swapaxes(-1, -2)
    standing = np.zeros(won.shape[:-1])
    for _ in range(NEWTON_STEPS):
        before = _before(standing[..., :, None] - standing[..., None, :])
        even = _before(standing)
        uphill = won.sum(axis=-1) - (met * before).sum(axis=-1) + games * (0.5 - even)
        weight = met * before * before.swapaxes(-1, -2)
        curvature = _diagonal(weight.sum(axis=-1) + games * even * (1 - even)) - weight
        step = np.linalg.solve(curvature, uphill[..., None])[..., 0]
        reach = np.maximum(2 * np.abs(step).max(axis=-1, keepdims=True, initial=0), NEWTON_SETTLED)
        standing = standing + step * np.log1p(reach) / reach
        if (reach <= 2 * NEWTON_SETTLED).all():
            break
    return standing


def _before(difference: Floats) -> Floats:
    """Return the logistic function, without overflow."""
    chance: Floats = 0.5 * (1 + np.tanh(difference / 2))
    return chance


def _diagonal(values: Counts) -> Floats:
    """Return (…, m, m) matrices with the values on their diagonals."""
    matrices: Floats = np.asarray(values, float)[..., None] * np.eye(values.shape[-1])
    return matrices
