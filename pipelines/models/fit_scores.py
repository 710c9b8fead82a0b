"""How well a regression predicts, with intervals clustered by artist."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import stdtrit

from diffusion.arrays import Floats, Ints
from diffusion.conventions import CONFIDENCE


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the variance, with its interval.

    Attributes
    ----------
    value
        R², or a difference of two.
    low, high
        95 % interval, clustered; NaN with fewer than two clusters.
    clusters
        Number of clusters.
    """

    value: float
    low: float
    high: float
    clusters: int

    @classmethod
    def of(cls, explained: Floats, deviation: Floats, cluster: Ints) -> Self:
        """Return sum(explained) / sum(deviation²), with the interval of a ratio of sums over clusters.

        Parameters
        ----------
        explained
            (n,): what each row adds to the numerator.
        deviation
            (n,): deviation of each row's target from the mean. The mean is at the minimum of the sum of squares, so
            that its own error adds nothing.
        cluster
            (n,): code of the cluster.
        """
        codes, back = np.unique(cluster, return_inverse=True)
        whole = float(deviation @ deviation)
        value = float(explained.sum()) / whole
        parts = np.bincount(back, explained - value * deviation**2) / whole
        if len(codes) < 2:
            return cls(value, np.nan, np.nan, len(codes))
        error = np.sqrt((parts @ parts) * len(codes) / (len(codes) - 1))
        half = float(stdtrit(len(codes) - 1, (1 + CONFIDENCE) / 2) * error)
        return cls(value, value - half, value + half, len(codes))


def r_squared(target: Floats, predicted: Floats, cluster: Ints) -> Share:
    """Return R² on test rows: one minus the squared error over the squared deviation from the test rows' own mean."""
    deviation = target - target.mean()
    return Share.of(deviation**2 - (target - predicted) ** 2, deviation, cluster)


def gain(target: Floats, predicted: Floats, reference: Floats, cluster: Ints) -> Share:
    """Return R² of a prediction less that of a reference on the same rows; the interval is that of the difference."""
    deviation = target - target.mean()
    return Share.of((target - reference) ** 2 - (target - predicted) ** 2, deviation, cluster)


def rmse(target: Floats, predicted: Floats) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.mean((target - predicted) ** 2)))
