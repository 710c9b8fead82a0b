"""Calibration: probabilities corrected by what later tracks did, part of the way because rates drift."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import expit, logit

from diffusion.arrays import Flags, Floats
from pipelines.models.examples import Examples

LEAST = 1e-7
"""Probabilities are kept this far from 0 and 1."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Corrected log-odds: ``intercept + slope · log-odds``.

    Attributes
    ----------
    intercept, slope
        Of the correction; 0 and 1 change nothing.
    """

    intercept: float = 0.0
    slope: float = 1.0

    @classmethod
    def fit(cls, p: Floats, entered: Flags) -> Self:
        """Return the correction with the highest likelihood on candidates that were not fitted on.

        The identity is returned where there is nothing to learn, or the order would be reversed.
        """
        found = logistic(log_odds(p), entered)
        return cls() if found is None or found[1] <= 0 else cls(*found)

    def shrunk(self, *, intercept: float, slope: float) -> "Calibration":
        """Return the correction taken part of the way from the identity; each share is 0 … 1."""
        return Calibration(self.intercept * intercept, 1 + (self.slope - 1) * slope)

    def apply(self, p: Floats) -> Floats:
        """Return corrected probabilities, in the same order."""
        corrected: Floats = expit(self.intercept + self.slope * log_odds(p))
        return corrected


def log_odds(p: Floats) -> Floats:
    """Return the log-odds of probabilities, which stay `LEAST` from 0 and 1."""
    found: Floats = logit(np.clip(p, LEAST, 1 - LEAST))
    return found


def logistic(x: Floats, happened: Flags) -> tuple[float, float] | None:
    """Return intercept and slope of the logistic regression of events on one number, by Newton's method.

    None where it cannot be fitted: all or nothing happened, or the number is the same everywhere.
    """
    if not happened.any() or happened.all() or np.ptp(x) < LEAST:
        return None
    share = happened.mean()
    beta, design = np.array([np.log(share / (1 - share)), 0.0]), np.stack([np.ones_like(x), x], axis=1)
    for _ in range(50):
        fitted = expit(design @ beta)
        weight = np.maximum(fitted * (1 - fitted), LEAST)
        step = np.linalg.solve((design * weight[:, None]).T @ design, design.T @ (happened - fitted))
        beta += np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    return float(beta[0]), float(beta[1])


def later_part(examples: Examples, share: float) -> tuple[Flags, Flags]:
    """Return two sets of rows: observations whose horizon was over, and the observations after.

    Parameters
    ----------
    examples
        Rows of observations.
    share
        Share of the rows in the later part.
    """
    start = np.quantile(examples.day, 1 - share, method="higher")
    return examples.day + examples.horizon < start, examples.day >= start
