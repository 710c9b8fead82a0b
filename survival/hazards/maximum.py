"""Maximum of a penalised likelihood, and how strongly effects are drawn to zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from diffusion import DataSaysNoError
from diffusion.arrays import Floats, Ints
from survival.hazards.likelihood import Likelihood

STEPS: Final = 60
"""Most Newton steps."""

GAIN: Final = 1e-10
"""Expected gain in log-likelihood of a Newton step, below which it is the last."""

HALVINGS: Final = 30
"""Most times that a step is halved until it gains."""

ROUNDING: Final = 1e-10
"""Relative loss in log-likelihood that is taken for rounding."""

DAMPING: Final = (0.0, 0.01, 0.1, 1.0)
"""Shares of the diagonal that are added to an information until it can be inverted."""

ROUNDS: Final = 200
"""Most updates of the variances of effects."""

SAME: Final = 1e-4
"""Relative change of the standard deviations of effects below which they are found."""

FARTHEST: Final = 10.0
"""Largest change of the logarithm of a standard deviation in one update."""

LEAST: Final = 1e-3
"""Standard deviation of effects that is taken for none."""

FASTEST: Final = 16.0
"""Most updates that are made at once while the variances of effects go on in one direction."""


@dataclass(frozen=True, slots=True)
class Maximum:
    """Maximum of a penalised likelihood.

    Attributes
    ----------
    coefs
        (p,): coefficients.
    penalty
        (p,): strength of the penalty: penalty / 2 × coefficient² is taken from the log-likelihood.
    log_likelihood
        Log-likelihood there, without the penalty.
    information
        (p, p): information of the data.
    inverse
        (p, p): inverse of the information with the penalty.
    """

    coefs: Floats
    penalty: Floats
    log_likelihood: float
    information: Floats
    inverse: Floats

    @property
    def degrees(self) -> float:
        """Effective number of coefficients."""
        return float((self.inverse * self.information).sum())


def maximise(likelihood: Likelihood, start: Floats, penalty: Floats, names: Sequence[str]) -> Maximum:
    """Return the maximum of a likelihood less its penalty, by Newton's method with halved steps.

    Raises
    ------
    DataSaysNoError
        When no maximum is found, or the information cannot be inverted.
    """
    coefs = start
    value = likelihood.value(coefs) - penalty @ coefs**2 / 2
    for _ in range(STEPS):
        score, information = likelihood.derivatives(coefs)
        score = score - penalty * coefs
        step = _step(information + np.diag(penalty), score, names)
        for halved in range(HALVINGS):
            found = coefs + step / 2**halved
            reached = likelihood.value(found) - penalty @ found**2 / 2
            if reached >= value - ROUNDING * (1 + abs(value)):
                break
        coefs, value = found, reached
        if score @ step < GAIN:
            _, information = likelihood.derivatives(coefs)
            inverse = _inverse(information + np.diag(penalty), names)
            return Maximum(coefs, penalty, likelihood.value(coefs), information, inverse)
    raise _undetermined(information, names)


def maximise_effects(
    likelihood: Likelihood, start: Floats, penalty: Floats, effects: Sequence[Ints], names: Sequence[str]
) -> tuple[Maximum, Floats]:
    """Return the maximum with normal effects, and the standard deviation of each family of effects.

    Parameters
    ----------
    penalty
        (p,): penalty of the other coefficients; that of effects is found.
    effects
        Places of the coefficients of each family.

    Notes
    -----
    Effects are drawn from a normal distribution with mean zero. Its variance maximises the marginal likelihood in
    Laplace's approximation, restricted (the other coefficients are integrated out too). The update is Fellner's and
    Schall's: variance = Σ effect² / (effective number of effects), made several times at once while it goes on in one
    direction.

    Raises
    ------
    DataSaysNoError
        When no maximum is found.

    References
    ----------
    Wood & Fasiolo 2017, Biometrics 73, doi 10.1111/biom.12666.
    """
    deviation, pace, last = np.full(len(effects), 0.5), np.ones(len(effects)), np.zeros(len(effects))
    for _ in range(ROUNDS):
        penalty = penalty.copy()
        for places, size in zip(effects, deviation, strict=True):
            penalty[places] = size**-2.0
        found = maximise(likelihood, start, penalty, names)
        start = found.coefs
        change = np.array([_change(found, *pair) for pair in zip(effects, deviation, strict=True)])
        if (np.abs(change) <= SAME).all():
            return found, np.where(deviation > LEAST, deviation, 0.0)
        pace = np.where(change * last > 0, np.minimum(2 * pace, FASTEST), 1.0)
        deviation, last = np.maximum(deviation * np.exp(pace * change), LEAST), change
    raise DataSaysNoError(f"the variance of the effects is not found in {ROUNDS} rounds; use fewer families of effects")


def _change(found: Maximum, places: Ints, deviation: float) -> float:
    """Return the change of the logarithm of a family's standard deviation; 0 at the least one."""
    degrees = len(places) - np.diag(found.inverse)[places].sum() / deviation**2
    least = np.finfo(np.float64).tiny
    ratio = max(float((found.coefs[places] ** 2).sum()), least) / max(degrees, least) / deviation**2
    change = float(np.clip(np.log(ratio) / 2, -FARTHEST, FARTHEST))
    return 0.0 if deviation <= LEAST and change < 0 else change


def _step(information: Floats, score: Floats, names: Sequence[str]) -> Floats:
    """Return a Newton step, damped where the likelihood is not concave, as it may be far from the maximum."""
    size = np.abs(np.diag(information))
    for damping in DAMPING:
        inverse = _positive_inverse(information + np.diag(damping * size))
        if inverse is not None:
            return inverse @ score
    raise _undetermined(information, names)


def _inverse(information: Floats, names: Sequence[str]) -> Floats:
    """Return the inverse of an information."""
    inverse = _positive_inverse(information)
    if inverse is None:
        raise _undetermined(information, names)
    return inverse


def _positive_inverse(matrix: Floats) -> Floats | None:
    """Return the inverse of a matrix, scaled to ones on the diagonal meanwhile; None if it is not positive."""
    size = np.sqrt(np.maximum(np.diag(matrix), np.finfo(np.float64).tiny))
    try:
        factor = cho_factor(matrix / np.outer(size, size))
    except (LinAlgError, ValueError):
        return None
    inverse: Floats = cho_solve(factor, np.diag(1 / size)) / size[:, None]
    return inverse


def _undetermined(information: Floats, names: Sequence[str]) -> DataSaysNoError:
    least = names[int(np.argmin(np.diag(information)))]
    return DataSaysNoError(
        f"the data does not determine the coefficients; it says least of '{least}': leave it out, or set a penalizer"
    )
