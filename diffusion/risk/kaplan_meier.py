"""Kaplan–Meier: the probability of no entry by each day, from the numbers at risk and of entries."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy.special import ndtri

from diffusion.arrays import Flags, Floats, Ints

TAIL: Final = 0.025
"""Probability outside a two-sided 95 % interval, on each side."""

NORMAL: Final = float(ndtri(1 - TAIL))
"""Quantile of the normal distribution for a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class KaplanMeier:
    """Kaplan–Meier curves by day; the last axis of every array is the day.

    When all at risk enter on a day, survival is 0 from then on and its logarithm has no variance. `over` marks these
    days; `staying` leaves the factor 0 out.

    Attributes
    ----------
    at_risk
        Number at risk on the day.
    staying
        Probability of no entry up to and including the day, without the factor 0.
    over
        Whether all at risk have entered on this day or an earlier one.
    variance
        Greenwood's variance of the logarithm of `staying`.
    loss
        What one entry on the day takes off the influence function of the logarithm: 1 / (at risk − entered).
    """

    at_risk: Ints
    staying: Floats
    over: Flags
    variance: Floats
    loss: Floats

    @classmethod
    def of(cls, at_risk: Ints, entered: Ints) -> Self:
        """Return the curves from the numbers at risk on each day and of entries on it.

        Delayed entry is allowed: the factor of a day needs only the risk set of that day.

        References
        ----------
        Kaplan & Meier 1958, doi 10.1080/01621459.1958.10501452. With delayed entry: Klein & Moeschberger 2003, Survival
        Analysis, §4.6, doi 10.1007/b97377.

        Examples
        --------
        >>> KaplanMeier.of(np.array([4, 3, 1]), np.array([1, 1, 0])).survival.tolist()
        [0.75, 0.5, 0.5]
        """
        left = at_risk - entered
        loss = np.where(left > 0, 1 / np.maximum(left, 1), 0.0)
        hazard = entered / np.maximum(at_risk, 1)
        staying = np.cumprod(np.where(left > 0, 1 - hazard, 1.0), axis=-1, dtype=np.float64)
        over = np.logical_or.accumulate((left == 0) & (at_risk > 0), axis=-1)
        return cls(at_risk, staying, over, np.cumsum(hazard * loss, axis=-1), loss)

    @classmethod
    def of_ends(cls, entered: Ints, censored: Ints) -> Self:
        """Return the curves from the numbers entered and censored on each day, when all are at risk from the start.

        A track censored on a day is at risk on that day.
        """
        at_risk: Ints = np.cumsum((entered + censored)[..., ::-1], axis=-1)[..., ::-1]
        return cls.of(at_risk, entered)

    @property
    def survival(self) -> Floats:
        """Probability of no entry by the day."""
        return np.where(self.over, 0.0, self.staying)

    @property
    def incidence(self) -> Floats:
        """Probability of entry by the day: one minus `survival`."""
        return np.where(self.over, 1.0, 1 - self.staying)

    @property
    def last(self) -> Ints:
        """Last day with a risk set, −1 where there is none; needs a risk set on every day before."""
        days: Ints = (self.at_risk > 0).sum(axis=-1) - 1
        return days


def log_log_bounds(staying: Floats, variance: Floats, quantile: Floats | float) -> tuple[Floats, Floats]:
    """Return the bounds of one minus `staying` by the log(−log) interval; 0 where one minus `staying` is 0.

    `variance` is the variance of the logarithm of `staying`; `quantile` is the normal or t quantile of the interval.

    References
    ----------
    Kalbfleisch & Prentice 2002, The Statistical Analysis of Failure Time Data, §1.4, doi 10.1002/9781118032985.
    """
    logarithm = -np.log(np.where(staying < 1, staying, np.exp(-1)))
    factor = np.exp(np.where(staying < 1, quantile * np.sqrt(variance) / logarithm, 0))
    low, high = -np.expm1(-logarithm / factor), -np.expm1(-logarithm * factor)
    return np.where(staying < 1, low, 0.0), np.where(staying < 1, high, 0.0)
