"""Kaplan–Meier: the probability not to have entered by each day, from counts of those at risk and of entries."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy.special import ndtri

from diffusion.arrays import Flags, Floats, Ints

TAIL: Final = 0.025
"""Probability outside a two-sided 95 % interval, on each side."""

NORMAL: Final = float(ndtri(1 - TAIL))
"""Quantile of the normal distribution for that interval."""


@dataclass(frozen=True, slots=True)
class KaplanMeier:
    """Kaplan–Meier curves of counts by day; days run along the last axis of every array.

    Where all at risk enter on a day, survival ends, and its logarithm has no variance: that one factor is kept apart in
    `over`.

    Attributes
    ----------
    at_risk
        How many are at risk on the day.
    staying
        Probability of no entry up to and including the day, without the factor 0 of a day on which all at risk entered.
    over
        Whether such a day has been reached.
    variance
        Greenwood's variance of the logarithm of `staying`.
    loss
        What one entry on the day takes off the logarithm's influence function: 1 / (at risk − entered).
    """

    at_risk: Ints
    staying: Floats
    over: Flags
    variance: Floats
    loss: Floats

    @classmethod
    def of(cls, at_risk: Ints, entered: Ints) -> Self:
        """Return the curves of those at risk on each day, of whom so many entered on it.

        Any may join the risk set late (delayed entry): a day's factor needs only the day's own risk set.

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
        """Return the curves of those at risk from the beginning who entered or were censored on each day.

        Who is censored on a day is at risk on it.
        """
        at_risk: Ints = np.cumsum((entered + censored)[..., ::-1], axis=-1)[..., ::-1]
        return cls.of(at_risk, entered)

    @property
    def survival(self) -> Floats:
        """Probability of no entry by the day."""
        return np.where(self.over, 0.0, self.staying)

    @property
    def incidence(self) -> Floats:
        """Probability of the entry by the day, one minus `survival`."""
        return np.where(self.over, 1.0, 1 - self.staying)

    @property
    def last(self) -> Ints:
        """Last day that any is followed to, −1 where there is none; of curves whose risk set never empties between."""
        days: Ints = (self.at_risk > 0).sum(axis=-1) - 1
        return days


def log_log_bounds(staying: Floats, variance: Floats, quantile: Floats | float) -> tuple[Floats, Floats]:
    """Return the bounds of one minus `staying`, whose logarithm has the variance, through log(−log); 0 where it is.

    References
    ----------
    Kalbfleisch & Prentice 2002, The Statistical Analysis of Failure Time Data, §1.4, doi 10.1002/9781118032985.
    """
    logarithm = -np.log(np.where(staying < 1, staying, np.exp(-1)))
    factor = np.exp(np.where(staying < 1, quantile * np.sqrt(variance) / logarithm, 0))
    low, high = -np.expm1(-logarithm / factor), -np.expm1(-logarithm * factor)
    return np.where(staying < 1, low, 0.0), np.where(staying < 1, high, 0.0)
