"""Search of the maximum of a log-likelihood by damped Newton steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import linalg

from diffusion.arrays import Floats

GAIN: Final = 1e-8
"""Expected gain of a step below which the maximum is found; the step is still taken."""

FLAT, LONG = 1e-4, 0.5
"""Expected gain and length of a step that is far and gains nothing: there is no maximum, and the search ends too."""

SOUND: Final = 1e-4
"""Damping above which a small gain says little about the distance to the maximum."""

ROUNDING: Final = 1e-12
"""Share of a log-likelihood up to which a loss is rounding."""


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


@dataclass(frozen=True, slots=True)
class Climb:
    """Where a search stands: coefficients, (p,), the log-likelihood there, and whether it ended at a maximum."""

    theta: Floats
    curvature: Curvature
    ended: bool


def climb(log_likelihood: Callable[[Floats], Curvature], start: Floats, steps: int) -> Climb:
    """Search the maximum of a log-likelihood from a start, in a number of evaluations.

    References
    ----------
    Marquardt 1963 (damping), doi 10.1137/0111030.
    """
    at, here, damping, refused = start, log_likelihood(start), 1e-3, False
    for _ in range(steps):
        if not here.finite:
            break
        step = _step(here, damping)
        if step is not None:
            gain = float(here.gradient @ step) / 2
            there = log_likelihood(at + step)
            if there.finite and there.value >= here.value - ROUNDING * abs(here.value):
                at, here = at + step, there
                if damping < SOUND and (gain < GAIN or (gain < FLAT and np.abs(step).max() > LONG)):
                    return Climb(at, here, True)
                if not refused:
                    damping = damping / 10 if damping > 1e-9 else 0.0
                refused = False
                continue
        damping, refused = max(damping, 1e-6) * 10, True
    return Climb(at, here, False)


def _step(here: Curvature, damping: float) -> Floats | None:
    """Return a damped step upwards, None where the damping is too small for one."""
    information = -here.hessian
    size = np.abs(np.diag(information))
    size = np.maximum(size, 1e-12 * size.max(initial=1e-300))
    try:
        factor = linalg.cho_factor(information + np.diag(damping * size))
    except linalg.LinAlgError:
        return None
    step: Floats = linalg.cho_solve(factor, here.gradient)
    return step
