"""Areas below survival curves: the mean time without an entry, up to a day."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import stdtrit

from diffusion.arrays import Floats
from diffusion.risk.influence import left_out
from diffusion.risk.kaplan_meier import TAIL, KaplanMeier
from survival.curves.clustered import Clustered


@dataclass(frozen=True, slots=True)
class Area:
    """Areas below the curves of g groups from day 0 to a day, and what one wait changes.

    Attributes
    ----------
    days
        Last day.
    mean
        (g,): area, the mean number of days without an entry.
    risk, event
        (g, t + 1): what being at risk from day 0 to the end of the day adds to the area, and what an entry on the day
        takes off.
    total
        (g,): sum of `risk` over all waits.
    greenwood
        (g,): variance where waits are independent.
    """

    days: int
    mean: Floats
    risk: Floats
    event: Floats
    total: Floats
    greenwood: Floats

    @classmethod
    def of(cls, curves: KaplanMeier, days: int) -> Self:
        """Return the areas up to a day.

        Notes
        -----
        An entry on day s changes all of the curve from s on in proportion, so the derivative of the area is that of the
        logarithm of survival on day s times the area that remains.

        References
        ----------
        Klein & Moeschberger 2003, Survival Analysis, §4.5, doi 10.1007/b97377.
        """
        survival = curves.survival[:, :days]
        remaining = np.zeros(curves.staying.shape)
        remaining[:, :days] = np.cumsum(survival[:, ::-1], axis=1)[:, ::-1]
        gain = np.diff(curves.variance, axis=1, prepend=0.0)
        return cls(
            days,
            survival.sum(axis=1),
            np.cumsum(gain * remaining, axis=1),
            curves.loss * remaining,
            (curves.at_risk * gain * remaining).sum(axis=1),
            (gain * remaining**2).sum(axis=1),
        )

    def left_out(self, clustered: Clustered) -> tuple[Floats, Floats]:
        """Return, (p,) each, by how much the area changes when a cluster is left out, and the cluster's share."""
        risk, event = clustered.sums(self.risk, self.event)
        total = self.total[clustered.group]
        share = risk / np.where(total > 0, total, 1.0)
        return left_out(risk - event, share), share

    def interval(self, variance: Floats, freedom: Floats) -> tuple[Floats, Floats]:
        """Return the bounds of the 95 % intervals; not known where nobody entered."""
        reach = np.asarray(stdtrit(np.maximum(freedom, 1), 1 - TAIL)) * np.sqrt(variance)
        low, high = np.maximum(self.mean - reach, 0), np.minimum(self.mean + reach, self.days)
        none = self.greenwood == 0
        return np.where(none, np.nan, low), np.where(none, np.nan, high)


@dataclass(frozen=True, slots=True)
class AreaSums:
    """Sums over clusters of g groups: of squared changes of the area when left out, and of squared shares, (g,)."""

    squares: Floats
    shares: Floats

    @classmethod
    def of(cls, area: Area) -> Self:
        """Return sums without any cluster."""
        return cls(np.zeros(len(area.mean)), np.zeros(len(area.mean)))

    def add(self, area: Area, clustered: Clustered) -> None:
        """Add clusters."""
        change, share = area.left_out(clustered)
        for total, part in ((self.squares, change), (self.shares, share)):
            total += np.bincount(clustered.group, part**2, len(total))

    @property
    def freedom(self) -> Floats:
        """(g,): degrees of freedom of the t distribution: effective number of clusters, less one."""
        return 1 / np.where(self.shares > 0, self.shares, 1.0) - 1
