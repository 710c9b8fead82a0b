"""Elastic-net penalty on coefficients."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from diffusion import SettingError
from diffusion.arrays import Floats
from survival.counting.checks import check_penalizer

SWEEPS: Final = 1_000
"""Most rounds over the coefficients."""

SETTLED: Final = 1e-13
"""Largest change of a coefficient, in standard deviations of its covariate, that ends the rounds."""


@dataclass(frozen=True, slots=True)
class ElasticNet:
    """Penalty ``rows · penalizer · (l1_ratio · |β|₁ + (1 − l1_ratio)/2 · |β|₂²)``, as in lifelines.

    β are the coefficients of covariates in standard deviations.

    Attributes
    ----------
    ridge
        rows · penalizer · (1 − l1_ratio).
    lasso
        rows · penalizer · l1_ratio.
    """

    ridge: float
    lasso: float

    @classmethod
    def of(cls, rows: float, penalizer: float, l1_ratio: float) -> "ElasticNet":
        """Return the penalty for a number of rows.

        Raises
        ------
        SettingError
            When the penalizer is negative or not finite, or the ratio is not between 0 and 1.
        """
        check_penalizer(penalizer)
        if not isinstance(l1_ratio, int | float | np.number) or not 0 <= l1_ratio <= 1:
            raise SettingError(f"the l1_ratio is {l1_ratio}; it must be between 0 (ridge) and 1 (lasso)")
        return cls(rows * penalizer * (1 - l1_ratio), rows * penalizer * l1_ratio)

    def cost(self, coefficients: Floats) -> float:
        """Return the penalty."""
        return float(self.lasso * np.abs(coefficients).sum() + self.ridge / 2 * coefficients @ coefficients)

    def step(self, coefficients: Floats, gradient: Floats, information: Floats) -> Floats:
        """Return the change that maximises the quadratic approximation of the penalised likelihood.

        Raises
        ------
        numpy.linalg.LinAlgError
            When the information is singular.
        """
        slope = gradient - self.ridge * coefficients
        curvature = information + self.ridge * np.eye(len(coefficients))
        if self.lasso == 0:
            found: Floats = np.linalg.solve(curvature, slope).astype(np.float64, copy=False)
            return found
        return self._by_coordinate(coefficients, slope, curvature)

    def _by_coordinate(self, coefficients: Floats, slope: Floats, curvature: Floats) -> Floats:
        """Return the change by coordinate descent.

        References
        ----------
        Simon, Friedman, Hastie & Tibshirani 2011, doi 10.18637/jss.v039.i05.
        """
        found, left = coefficients.copy(), slope.copy()
        for _ in range(SWEEPS):
            largest = 0.0
            for at in range(len(found)):
                bend = max(curvature[at, at], np.finfo(np.float64).tiny)  # 0 where nothing is known of it
                target = bend * found[at] + left[at]
                new = np.sign(target) * max(abs(target) - self.lasso, 0.0) / bend
                change = new - found[at]
                if change:
                    left -= curvature[at] * change
                    found[at] = new
                    largest = max(largest, abs(change))
            if largest < SETTLED:
                break
        return found - coefficients
