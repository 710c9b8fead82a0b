"""Intervals of scores that are ratios of sums over clusters of dependent waits."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import stdtrit

from diffusion.arrays import Floats
from diffusion.conventions import CONFIDENCE
from diffusion.risk.influence import left_out


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ratio of two sums over clusters.

    Attributes
    ----------
    value
        The ratio.
    moved
        (c,): by how much it falls when one cluster is left out; infinite for a cluster that is all there is.
    counts
        (c,): number of clusters of each row.
    effective
        Effective number of clusters, 1 / Σ share², with each cluster's share of the denominator.
    """

    value: float
    moved: Floats
    counts: Floats
    effective: float

    @classmethod
    def of(cls, numerator: Floats, denominator: Floats, counts: Floats, *, pairs: bool = False) -> Self:
        """Return the ratio of sums over clusters, (c,) each.

        Parameters
        ----------
        pairs
            Whether the sums are numbers of pairs of waits, each counted for both.

        Notes
        -----
        Leaving a cluster out is exact for sums over waits, and to first order for pairs.
        """
        total = float(counts @ denominator)
        value = float(counts @ numerator) / total
        share = denominator / total
        influence = (numerator - value * denominator) / total * (2 if pairs else 1)
        return cls(value, left_out(influence, share), counts, float(1 / (counts @ share**2)))

    def minus(self, other: "Ratio") -> "Ratio":
        """Return the difference of two ratios over the same clusters, paired."""
        effective = min(self.effective, other.effective)
        with np.errstate(invalid="ignore"):  # infinite where one cluster is all there is
            moved = self.moved - other.moved
        return Ratio(self.value - other.value, moved, self.counts, effective)

    @property
    def error(self) -> float:
        """Standard error by leaving out one cluster at a time; NaN where one cluster is all there is."""
        number = self.counts.sum()
        if not np.isfinite(self.moved).all() or number < 2:
            return np.nan
        return float(np.sqrt(self.counts @ self.moved**2 * (number - 1) / number))

    @property
    def reach(self) -> float:
        """Half the width of the 95 % interval, by the t distribution with the effective number of clusters less one."""
        return t_quantile(self.effective) * self.error

    def interval(self) -> tuple[float, float]:
        """Return the bounds of the 95 % interval."""
        return self.value - self.reach, self.value + self.reach

    def positive_interval(self) -> tuple[float, float]:
        """Return the bounds of the 95 % interval of the logarithm, as ratios; NaN where the ratio is 0."""
        if self.value <= 0:
            return np.nan, np.nan
        factor = float(np.exp(self.reach / self.value))
        return self.value / factor, self.value * factor


def t_quantile(effective: float) -> float:
    """Return the quantile of a 95 % interval for an effective number of clusters, which may be a fraction."""
    return float(stdtrit(max(effective - 1, 1.0), (1 + CONFIDENCE) / 2))
