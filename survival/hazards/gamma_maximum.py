"""Maximum of the likelihood with a gamma factor, and the interval of the factor's variance."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import brentq, minimize

from diffusion import DataSaysNoError
from diffusion.arrays import Floats, Ints
from diffusion.risk.influence import left_out
from survival.hazards.gamma import GammaLikelihood, Histories
from survival.hazards.maximum import Maximum

NORMAL: Final = 1.959963984540054
"""Quantile of the normal distribution for a 95 % interval."""

STEP: Final = 1e-3
"""Step of numeric derivatives, in standard errors."""

Loss = Callable[[Floats], tuple[float, Floats]]
"""Value and gradient of what is made small."""


@dataclass(frozen=True, slots=True)
class GammaMaximum:
    """Maximum of a likelihood with a gamma factor.

    Attributes
    ----------
    coefs
        (p,): coefficients.
    theta
        Variance θ of the factor.
    matrix
        (p + 1, p + 1): covariance of the coefficients and θ.
    interval
        95 % interval of θ.
    log_likelihood
        Log-likelihood there.
    """

    coefs: Floats
    theta: float
    matrix: Floats
    interval: tuple[float, float]
    log_likelihood: float


def maximise_gamma(likelihood: GammaLikelihood, without: Maximum, group: Ints, share: Floats) -> GammaMaximum:
    """Return the maximum, from that without a factor.

    Coefficients are measured in standard errors from there meanwhile, and θ by its logarithm.

    Parameters
    ----------
    group
        (c,): group of each cluster; clusters of one group may depend on each other.
    share
        (groups, p): share of each group in the information on each coefficient.

    Raises
    ------
    DataSaysNoError
        When the variance of the factor has no maximum.
    """
    histories = likelihood.histories(without.coefs)
    scale = np.linalg.cholesky(without.inverse)
    spread = (histories.entered - histories.hazard) ** 2 - histories.entered
    start = np.log(min(max(spread.sum() / (histories.hazard**2).sum(), 0.01), 10.0))

    def loss(at: Floats) -> tuple[float, Floats]:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value, gradient = likelihood.value(without.coefs + scale @ at[:-1], float(np.exp(at[-1])))
            return -value, -np.append(scale.T @ gradient[:-1], gradient[-1])

    found = minimize(loss, np.append(np.zeros(len(scale)), start), jac=True, method="BFGS", options={"gtol": 1e-4})
    curvature = _curvature(loss, found.x)
    if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0:
        raise DataSaysNoError("the variance of the factor has no maximum: use `discrete_hazard`, robust by cluster")
    at = found.x - np.linalg.solve(curvature, loss(found.x)[1])
    inverse = np.linalg.inv(curvature)
    coefs, theta = without.coefs + scale @ at[:-1], float(np.exp(at[-1]))
    whole = np.pad(scale, (0, 1))
    whole[-1, -1] = 1.0
    influence = likelihood.scores(coefs, theta) @ whole @ inverse @ whole.T
    influence = np.column_stack([np.bincount(group, part, len(share)) for part in influence.T])
    influence[:, :-1] = left_out(influence[:, :-1], share)
    matrix = influence.T @ influence
    bound = NORMAL**2 / 2 * max(1.0, matrix[-1, -1] / inverse[-1, -1])
    value = -loss(at)[0]
    interval = _profile(loss, at, curvature, bound, value - without.log_likelihood)
    unit = np.append(np.ones(len(coefs)), theta)
    return GammaMaximum(coefs, theta, matrix * np.outer(unit, unit), interval, value)


def _curvature(loss: Loss, at: Floats) -> Floats:
    """Return the second derivative of a loss from differences of its gradient."""
    steps = STEP * np.eye(len(at))
    rows = np.stack([(loss(at + step)[1] - loss(at - step)[1]) / (2 * STEP) for step in steps])
    curvature: Floats = (rows + rows.T) / 2
    return curvature


def _profile(loss: Loss, at: Floats, curvature: Floats, bound: float, gain: float) -> tuple[float, float]:
    """Return the values of θ at which the log-likelihood with the best coefficients is a bound below the maximum.

    The best coefficients are those of one Newton step from a straight line. `gain` is what the factor adds to the
    log-likelihood; the interval goes to 0 where that is within the bound.
    """
    least = loss(at)[0] + bound
    line = np.linalg.solve(curvature[:-1, :-1], curvature[:-1, -1])

    def above(size: float) -> float:
        point = np.append(at[:-1] - line * (size - at[-1]), size)
        point[:-1] -= np.linalg.solve(curvature[:-1, :-1], loss(point)[1][:-1])
        return loss(point)[0] - least

    def root(side: float) -> float:
        reach = side / float(np.sqrt(curvature[-1, -1]))
        best = float(at[-1])
        end = best + 2 * reach
        while above(end) < 0:
            end += reach
        return float(np.exp(brentq(above, best, end, xtol=1e-4)))

    return 0.0 if gain <= bound else root(-1.0), root(1.0)


def highest(histories: Histories) -> float:
    """Return the upper bound of θ where its estimate is 0."""
    bound = histories.log_likelihood(0.0).sum() - NORMAL**2 / 2

    def above(theta: float) -> float:
        return float(histories.log_likelihood(theta).sum() - bound)

    high = 1.0
    while above(high) > 0:
        high *= 2
    return float(brentq(above, 0.0, high))
