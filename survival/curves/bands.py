"""Bands of survival curves when waits of one artist or track are dependent."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Self

import numpy as np

from diffusion.arrays import Floats, Ints
from diffusion.pairs.curves import interval
from diffusion.pairs.variance import Spread
from diffusion.parts import Arrays
from diffusion.risk.influence import left_out
from diffusion.risk.kaplan_meier import KaplanMeier
from survival.curves.areas import Area, AreaSums
from survival.curves.clustered import Clustered, summed_by_group
from survival.curves.grouping import Groups

FEW: Final = 10
"""Effective number of clusters below which a band rests on too few."""

ROUNDING: Final = 1e-12
"""Share of Greenwood's variance up to which squared influences are rounding."""

PAIRS_AT_ONCE: Final = 4_096
"""Pairs of a cluster and a group that are followed day by day at once: what fits the processor's cache."""


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

    Clusters whose waits in a group are alike on every day are followed day by day once. Most are like others where
    groups are many: their waits are at risk from day 1 to the end, without entry.

    References
    ----------
    Carter, Schnepel & Steigerwald 2017 (degrees of freedom from shares), doi 10.1162/REST_a_00639.
    """
    found = summed_by_group(groups, partial(_sums, curves, area))
    sums = Sums(*(found[name] for name in Sums.__slots__))
    areas = AreaSums(found["area_squares"], found["area_shares"])
    freedom = 1 / np.where(sums.shares > 0, sums.shares, 1.0) - 1
    spread = Spread(sums.variance, curves.variance, freedom, sums.at_risk)
    return Spreads(spread, sums.hazard, _effective(sums, curves.variance[:, -1]), areas)


def _sums(curves: KaplanMeier, area: Area, blocks: Iterator[Clustered]) -> Arrays:
    """Return the sums of `Sums` by name, and `area_squares` and `area_shares` of `AreaSums`."""
    steps, sums, areas = Steps.of(curves), Sums.of(curves), AreaSums.of(area)
    for clustered in blocks:
        areas.add(area, clustered)
        sums.add(steps, clustered)
    own = {name: getattr(sums, name) for name in Sums.__slots__}
    return own | {"area_squares": areas.squares, "area_shares": areas.shares}


@dataclass(frozen=True, slots=True)
class Steps:
    """What a day adds to the influence of clusters on g curves, (t + 1, g) each.

    Attributes
    ----------
    gain, loss
        What one wait at risk adds to the influence on the logarithm of survival, and what one entry takes off.
    total
        Sum of the gain of all waits, up to and including the day; 1 while it is 0.
    staying
        Share of those at risk that do not enter: the influence on the cumulative hazard is less by this factor.
    """

    gain: Floats
    loss: Floats
    total: Floats
    staying: Floats

    @classmethod
    def of(cls, curves: KaplanMeier) -> Self:
        """Return the steps of curves, (g, t + 1)."""
        gain = np.diff(curves.variance, axis=1, prepend=0.0)
        total = np.cumsum(curves.at_risk * gain, axis=1)
        staying = np.where(curves.loss > 0, 1 / np.maximum(curves.loss * curves.at_risk, 1), 0.0)
        parts = (gain, curves.loss, np.where(total > 0, total, 1.0), staying)
        return cls(*(np.ascontiguousarray(part.T) for part in parts))


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over clusters by group and day, (g, t + 1), while they are made.

    Attributes
    ----------
    variance, hazard, shares
        Sums of squares: of the influence on the logarithm of survival and on the cumulative hazard, both when left out,
        and of the share of the hazard so far.
    at_risk
        Clusters at risk.
    squares, fourths
        (g,): sums of the influence on the last day to the powers 2 and 4.
    """

    variance: Floats
    hazard: Floats
    shares: Floats
    at_risk: Ints
    squares: Floats
    fourths: Floats

    @classmethod
    def of(cls, curves: KaplanMeier) -> Self:
        """Return sums without any cluster."""
        shape = curves.at_risk.shape
        daily = (np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int64))
        return cls(*daily, np.zeros(shape[0]), np.zeros(shape[0]))

    def add(self, steps: Steps, clustered: Clustered) -> None:
        """Add the clusters of a block."""
        once, number = clustered.alike(self.variance.shape[1])
        for pairs, some in once.slices(PAIRS_AT_ONCE):
            self._follow(steps, some, number[pairs].astype(np.float64))

    def _follow(self, steps: Steps, waits: Clustered, number: Floats) -> None:
        """Add clusters day after day; there are `number`, (p,), clusters like each."""
        group = waits.group
        heads = np.flatnonzero(np.diff(group, prepend=-1))
        of = group[heads]
        at_risk, own, influence, hazard = np.zeros((4, len(group)))
        for day, (changed, entered) in enumerate(zip(*waits.daily(self.variance.shape[1]), strict=True)):
            at_risk += changed
            step = at_risk * steps.gain[day][group]
            own += step
            step -= entered * steps.loss[day][group]
            influence += step
            hazard += step * steps.staying[day][group]
            share = own / steps.total[day][group]
            for total, values in (
                (self.variance, left_out(influence, share)),
                (self.hazard, left_out(hazard, share)),
                (self.shares, share),
            ):
                total[of, day] += np.add.reduceat(values**2 * number, heads)
            self.at_risk[of, day] += np.add.reduceat((at_risk > 0) * number, heads).astype(np.int64)
        influence **= 2
        self.squares[of] += np.add.reduceat(influence * number, heads)
        self.fourths[of] += np.add.reduceat(influence**2 * number, heads)


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
