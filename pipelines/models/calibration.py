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
    def fit(cls, p: Floats, entered: Flags, weights: Floats, *, slope: float, level: float) -> Self:
        """Return the correction learned from candidates that were not fitted on, taken part of the way.

        The slope is that of the logistic regression of entry on log-odds. The intercept makes the mean of the corrected
        probabilities what it was, or nearer to the share that entered. The identity is returned where there is nothing
        to learn, or the order would be reversed.

        Parameters
        ----------
        p, entered, weights
            (k,): probabilities, what came of them, and weights.
        slope
            Share of the way from slope 1 to the fitted one, 0 … 1.
        level
            Share of the way from the mean of `p` to the share that entered, in logarithms, 0 … 1: rates drift.
        """
        x = log_odds(p)
        found = logistic(x, entered, weights)
        if found is None or found[1] <= 0:
            return cls()
        part = 1 + (found[1] - 1) * slope
        mean, share = np.average(p, weights=weights), np.average(entered, weights=weights)
        wanted = mean * (share / mean) ** level
        low, high = -20.0, 20.0
        for _ in range(50):  # the mean rises with the intercept, so halving finds it
            middle = (low + high) / 2
            short = np.average(expit(middle + part * x), weights=weights) < wanted
            low, high = (middle, high) if short else (low, middle)
        return cls((low + high) / 2, part)

    def apply(self, p: Floats) -> Floats:
        """Return corrected probabilities, in the same order."""
        corrected: Floats = expit(self.intercept + self.slope * log_odds(p))
        return corrected


def log_odds(p: Floats) -> Floats:
    """Return the log-odds of probabilities, which stay `LEAST` from 0 and 1."""
    found: Floats = logit(np.clip(p, LEAST, 1 - LEAST))
    return found


def logistic(x: Floats, happened: Flags, weights: Floats) -> tuple[float, float] | None:
    """Return intercept and slope of the weighted logistic regression of events on one number, by Newton's method.

    None where it cannot be fitted: all or nothing happened, or the number is the same everywhere.
    """
    if not happened.any() or happened.all() or np.ptp(x) < LEAST:
        return None
    share = np.average(happened, weights=weights)
    beta, design = np.array([np.log(share / (1 - share)), 0.0]), np.stack([np.ones_like(x), x], axis=1)
    for _ in range(50):
        fitted = expit(design @ beta)
        curvature = np.maximum(fitted * (1 - fitted), LEAST) * weights
        step = np.linalg.solve((design * curvature[:, None]).T @ design, design.T @ ((happened - fitted) * weights))
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
