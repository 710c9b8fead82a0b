"""Bands of survival curves when waits of one artist or track are dependent."""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from diffusion.arrays import Floats, Ints
from diffusion.pairs.curves import interval
from diffusion.pairs.variance import Spread
from diffusion.risk.influence import Terms, left_out
from diffusion.risk.kaplan_meier import KaplanMeier
from survival.curves.areas import Area, AreaSums
from survival.curves.clustered import Clustered, blocks
from survival.curves.grouping import Groups

FEW: Final = 10
"""Effective number of clusters below which a band rests on too few."""

ROUNDING: Final = 1e-12
"""Share of Greenwood's variance up to which squared influences are rounding."""

PAIRS_AT_ONCE: Final = 512
"""Pairs of a cluster and a group per block of days: what fits the processor's cache."""


@dataclass(frozen=True, slots=True)
class Spreads:
    """How far the curves of g groups spread, by clusters.

    Attributes
    ----------
    survival
        (g, t + 1): spread of the logarithm of survival.
    hazard
        (g, t + 1): variance of the cumulative hazard.
    effective
        (g,): effective number of clusters behind each curve on its last day.
    area
        Sums of the area below each curve.
    """

    survival: Spread
    hazard: Floats
    effective: Floats
    area: AreaSums


def spreads(groups: Groups, curves: KaplanMeier, area: Area) -> Spreads:
    """Return the spread of each group's curve by clusters, in one pass over the waits.

    Notes
    -----
    The variance is the sum over clusters of their squared `diffusion.risk.influence.left_out`: to first order, the
    jackknife that leaves out one cluster at a time. The degrees of freedom are 1 / Σ share² − 1, with each cluster's
    share of the hazard so far: clusters less one where all have the same share, about 8 where one of many has a third.

    The effective number of clusters is (Σ u²)² / Σ u⁴ on the last day, with the influence u: 1 where all influences are
    0, as of a single cluster; NaN where nobody entered. It says whether few clusters made the curve what it is. The
    degrees of freedom are not taken from it, because it is large where the largest cluster is like the others by
    chance, and the variance is then too small.

    A cluster whose waits in a group are all at risk from day 1 to the end, without entry, needs no days: its influence
    is that of one wait times their number. Most are like that where groups are many.

    References
    ----------
    Carter, Schnepel & Steigerwald 2017 (degrees of freedom from shares), doi 10.1162/REST_a_00639.
    """
    sums, areas = Sums.of(curves), AreaSums.of(area)
    for clustered in blocks(groups):
        areas.add(area, clustered)
        varied = clustered.varied(curves.at_risk.shape[1] - 1)
        sums.add(clustered.pick(varied))
        sums.count(clustered.group[~varied], clustered.waits[~varied])
    sums.add_whole()
    freedom = 1 / np.where(sums.shares > 0, sums.shares, 1.0) - 1
    spread = Spread(sums.variance, curves.variance, freedom, sums.at_risk)
    return Spreads(spread, sums.hazard, _effective(sums, curves.variance[:, -1]), areas)


@dataclass(slots=True)
class Sums:
    """Sums over clusters by group and day, (g, t + 1), while they are made.

    Attributes
    ----------
    terms
        Terms of the influence on the logarithm of survival.
    staying
        Probability of no entry on the day.
    variance, hazard, shares
        Sums of squares: of the influence on the logarithm of survival and on the cumulative hazard, both when left out,
        and of the share of the hazard so far.
    at_risk
        Clusters at risk.
    squares, fourths
        (g,): sums of the influence on the last day to the powers 2 and 4.
    whole
        Group and number of waits of clusters all of whose waits are at risk throughout → number of such clusters.
    """

    terms: Terms
    staying: Floats
    variance: Floats
    hazard: Floats
    shares: Floats
    at_risk: Ints
    squares: Floats
    fourths: Floats
    whole: dict[tuple[int, int], int] = field(default_factory=dict)

    @classmethod
    def of(cls, curves: KaplanMeier) -> "Sums":
        """Return sums without any cluster."""
        gain = np.diff(curves.variance, axis=1, prepend=0.0)
        terms = Terms(gain, curves.loss, np.cumsum(curves.at_risk * gain, axis=1))
        staying = np.where(curves.loss > 0, 1 / np.maximum(curves.loss * curves.at_risk, 1), 0.0)  # left / at risk
        empty = (np.zeros_like(gain) for _ in range(3))
        groups = len(gain)
        at_risk = np.zeros(gain.shape, np.int64)
        return cls(terms, staying, *empty, at_risk, np.zeros(groups), np.zeros(groups))

    def add(self, varied: Clustered) -> None:
        """Add clusters day by day."""
        length = self.terms.gain.shape[1]
        for first in range(0, len(varied.group), PAIRS_AT_ONCE):
            some = varied.slice(first, min(first + PAIRS_AT_ONCE, len(varied.group)))
            closed, entered = (part.toarray() for part in some.changes(np.arange(len(some.group)), length))
            at_risk = np.zeros_like(closed)
            np.cumsum(-closed[:, :-1], axis=1, out=at_risk[:, 1:])
            self._add(some.group, at_risk, entered, np.ones(len(some.group)))

    def count(self, group: Ints, size: Ints) -> None:
        """Count clusters of which all waits are at risk throughout."""
        kinds, counts = np.unique(np.stack([group, size]), axis=1, return_counts=True)
        for kind, number in zip(zip(*kinds.tolist(), strict=True), counts.tolist(), strict=True):
            self.whole[kind] = self.whole.get(kind, 0) + number

    def add_whole(self) -> None:
        """Add the clusters that were counted."""
        if not self.whole:
            return
        group, size = np.array(sorted(self.whole), np.int64).T
        number = np.array([self.whole[kind] for kind in sorted(self.whole)], np.float64)
        days = np.arange(self.terms.gain.shape[1]) > 0
        for first in range(0, len(group), PAIRS_AT_ONCE):
            own = slice(first, first + PAIRS_AT_ONCE)
            at_risk = size[own, None] * days.astype(np.float64)
            self._add(group[own], at_risk, np.zeros_like(at_risk), number[own])

    def _add(self, group: Ints, at_risk: Floats, entered: Floats, number: Floats) -> None:
        """Add counts of clusters by day, (p, t + 1); groups in order; `number` of clusters that are alike."""
        terms = Terms(*(part[group] for part in (self.terms.gain, self.terms.loss, self.terms.total)))
        influence, share = terms.influence((at_risk, entered))
        heads = np.flatnonzero(np.diff(group, prepend=-1))
        of = group[heads]
        last = influence[:, -1] ** 2
        self.squares[of] += np.add.reduceat(last * number, heads)
        self.fourths[of] += np.add.reduceat(last**2 * number, heads)
        self.at_risk[of] += np.rint(np.add.reduceat((at_risk > 0) * number[:, None], heads)).astype(np.int64)
        each = number[:, None]
        self.shares[of] += np.add.reduceat(share**2 * each, heads)
        hazard = np.cumsum(np.diff(influence, axis=1, prepend=0.0) * self.staying[group], axis=1)
        self.variance[of] += np.add.reduceat(left_out(influence, share) ** 2 * each, heads)
        self.hazard[of] += np.add.reduceat(left_out(hazard, share) ** 2 * each, heads)


def _effective(sums: Sums, greenwood: Floats) -> Floats:
    """Return the effective number of clusters from the sums of their influences to the powers 2 and 4."""
    differ = sums.squares > ROUNDING * greenwood
    number = np.where(differ, sums.squares, 1.0) ** 2 / np.where(differ, sums.fourths, 1.0)
    return np.where(greenwood > 0, number, np.nan)


def band(curves: KaplanMeier, spread: Spread) -> tuple[Floats, Floats]:
    """Return the bounds of the 95 % band of survival, day by day, robust to clusters.

    Notes
    -----
    This is `diffusion.pairs.curves.interval`: the variance is the larger of that by clusters and Greenwood's, on the
    log(−log) scale, with the quantile of the t distribution. While nobody has entered, and where all at risk have, the
    bound is Clopper and Pearson's for the smallest number of clusters at risk on a day so far. Survival on day 0 is 1.
    Before the first day at risk nothing is known, and the band is 0 to 1.
    """
    over_before = np.concatenate([np.zeros_like(curves.over[..., :1]), curves.over[..., :-1]], axis=-1)
    counted = np.where((spread.at_risk > 0) & ~over_before, spread.at_risk, np.iinfo(np.int64).max)
    fewest = np.minimum.accumulate(counted, axis=-1)
    went, most = interval(curves.staying, curves.over, replace(spread, at_risk=fewest))
    low, high = 1 - most, 1 - went
    low[np.cumsum(spread.at_risk, axis=-1) == 0] = 0.0
    low[..., 0] = high[..., 0] = 1.0
    return low, high
