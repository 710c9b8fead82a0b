"""Maximum of a log-likelihood by damped Newton steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import linalg

from diffusion import DataSaysNoError
from diffusion.arrays import Floats

STEPS: Final = 200
"""Most evaluations of a log-likelihood."""

GAIN: Final = 1e-8
"""Expected gain of a step below which the maximum is found; the step is still taken."""

ROUNDING: Final = 1e-12
"""Share of a log-likelihood up to which a loss is rounding."""

LARGEST_DAMPING: Final = 1e12
"""Damping at which steps no longer move."""


@dataclass(frozen=True, slots=True)
class Curvature:
    """Value, gradient, (p,), and matrix of second derivatives, (p, p), of a log-likelihood."""

    value: float
    gradient: Floats
    hessian: Floats

    @property
    def finite(self) -> bool:
        """Whether all numbers are finite."""
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient).all() and np.isfinite(self.hessian).all())


def maximum(log_likelihood: Callable[[Floats], Curvature], start: Floats) -> tuple[Floats, Curvature]:
    """Return coefficients at which a log-likelihood is largest, near `start`, and its curvature there.

    Raises
    ------
    DataSaysNoError
        When no maximum is found in `STEPS` steps.

    References
    ----------
    Marquardt 1963 (damping), doi 10.1137/0111030.
    """
    at, here, damping = start, log_likelihood(start), 1e-3
    for _ in range(STEPS):
        if not here.finite or damping > LARGEST_DAMPING:
            break
        step, bends = _step(here, damping)
        if step is None:
            damping = max(damping, 1e-6) * 10
            continue
        gain = float(here.gradient @ step) / 2
        there = log_likelihood(at + step)
        if there.finite and there.value >= here.value - ROUNDING * abs(here.value):
            at, here = at + step, there
            damping = damping / 10 if damping > 1e-9 else 0.0
            if gain < GAIN and bends:
                return at, here
        else:
            damping = max(damping, 1e-6) * 10
    raise DataSaysNoError(
        "the fit did not converge: the waits do not say which values fit best; use fewer covariates or another family"
    )


def _step(here: Curvature, damping: float) -> tuple[Floats | None, bool]:
    """Return a damped step, None where there is none upwards, and whether it needed no more than little damping."""
    information = -here.hessian
    size = np.abs(np.diag(information))
    size = np.maximum(size, 1e-12 * size.max(initial=1e-300))
    try:
        factor = linalg.cho_factor(information + np.diag(damping * size))
    except linalg.LinAlgError:
        return None, False
    step: Floats = linalg.cho_solve(factor, here.gradient)
    return step, damping < 1e-4
