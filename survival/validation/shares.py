"""Share of waits that entered by a day, by group of cells: Kaplan–Meier with an interval that is robust to clusters."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from diffusion.arrays import Floats, Ints
from diffusion.pairs.curves import independent_interval, interval
from diffusion.pairs.variance import Spread
from diffusion.parts import Arrays
from diffusion.risk.influence import left_out
from diffusion.risk.kaplan_meier import KaplanMeier
from survival.counting.counted import CountedWaits
from survival.curves.clustered import Clustered, pair_sums


@dataclass(frozen=True, slots=True)
class Shares:
    """Share entered by group, (groups,) each.

    Attributes
    ----------
    share
        Share that entered, by Kaplan–Meier; where no wait is censored, entries divided by waits.
    low, high
        Bounds of the 95 % interval.
    effective_clusters
        Effective number of clusters; NaN where waits are independent.
    """

    share: Floats
    low: Floats
    high: Floats
    effective_clusters: Floats


def entered_shares(counted: CountedWaits, group: Ints, groups: int, *, after: int, day: int) -> Shares:
    """Return the share entered by a day among those without an entry by the day `after`.

    Parameters
    ----------
    group
        (g,): group of each cell.
    groups
        Number of groups.

    Notes
    -----
    The interval is `diffusion.pairs.curves.interval`, with the jackknife by cluster to first order, at least
    Greenwood's variance, and 1 / Σ share² − 1 degrees of freedom, with each cluster's share of the hazard.
    """
    days = np.arange(day + 1)
    at_risk, entered = (
        _by_group(counts[:, : day + 1], group, groups) * (days > after) for counts in (counted.at_risk, counted.entered)
    )
    curves = KaplanMeier.of(at_risk, entered)
    share = curves.incidence[:, -1]
    if counted.clusters is None:
        low, high = (bound[:, -1] for bound in independent_interval(curves))
        return Shares(share, low, high, np.full(groups, np.nan))
    found = pair_sums(counted.clusters, partial(_sums, curves, at_risk), group, day)
    effective = 1 / np.where(found["shares"] > 0, found["shares"], 1.0)
    spread = Spread(found["variance"], curves.variance[:, -1], effective - 1, found["reached"].astype(np.int64))
    low, high = interval(curves.staying[:, -1], curves.over[:, -1], spread)
    return Shares(share, low, high, np.where(found["shares"] > 0, effective, np.nan))


def _sums(curves: KaplanMeier, at_risk: Ints, blocks: Iterator[Clustered]) -> Arrays:
    """Return, (groups,) each, the `variance` by cluster, the squared `shares`, and clusters that have `reached` the
    last day."""
    # a wait adds what the variance grows by while it is at risk, and an entry takes its loss off
    hazard = (at_risk * np.diff(curves.variance, axis=1, prepend=0.0)).sum(axis=1)
    last = np.zeros(curves.variance.shape)
    last[:, -1] = 1.0
    groups = len(hazard)
    variance, shares, reached = np.zeros(groups), np.zeros(groups), np.zeros(groups)
    for some in blocks:
        (own, lost), (there, _) = some.sums(curves.variance, curves.loss), some.sums(last, last)
        part = own / np.where(hazard > 0, hazard, 1.0)[some.group]
        variance += np.bincount(some.group, left_out(own - lost, part) ** 2, groups)
        shares += np.bincount(some.group, part**2, groups)
        reached += np.bincount(some.group, np.rint(there) > 0, groups)
    return {"variance": variance, "shares": shares, "reached": reached}


def _by_group(counts: Ints, group: Ints, groups: int) -> Ints:
    total = np.zeros((groups, counts.shape[1]), np.int64)
    np.add.at(total, group, counts)
    return total
