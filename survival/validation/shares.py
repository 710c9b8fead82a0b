"""Share of waits that entered by a day, by group of cells: Kaplan–Meier with an interval that is robust to clusters."""

from dataclasses import dataclass

import numpy as np

from diffusion.arrays import Floats, Ints
from diffusion.pairs.curves import independent_interval, interval
from diffusion.pairs.variance import Spread
from diffusion.risk.influence import Terms, left_out
from diffusion.risk.kaplan_meier import KaplanMeier
from survival.counting.counted import CountedWaits


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
    window = slice(after + 1, day + 1)
    at_risk, entered = (_by_group(counts[:, window], group, groups) for counts in (counted.at_risk, counted.entered))
    curves = KaplanMeier.of(at_risk, entered)
    share = curves.incidence[:, -1]
    if counted.clusters is None:
        low, high = (bound[:, -1] for bound in independent_interval(curves))
        return Shares(share, low, high, np.full(groups, np.nan))
    terms = Terms.of([KaplanMeier.of(*counts) for counts in zip(at_risk, entered, strict=True)])
    variance, shares, reached = np.zeros(groups), np.zeros(groups), np.zeros(groups, np.int64)
    for there, went in counted.clusters.counts(group, groups):
        # terms have one day more than the curves, on which nothing happens
        padded = [np.concatenate([part[..., window], part[..., :1] * 0], axis=-1) for part in (there, went)]
        influence, own = (part[..., -2] for part in terms.influence((padded[0], padded[1])))
        variance += (left_out(influence, own) ** 2).sum(axis=0)
        shares += (own**2).sum(axis=0)
        reached += (there[..., day] > 0).sum(axis=0)
    effective = 1 / np.where(shares > 0, shares, 1.0)
    spread = Spread(variance, curves.variance[:, -1], effective - 1, reached)
    low, high = interval(curves.staying[:, -1], curves.over[:, -1], spread)
    return Shares(share, low, high, np.where(shares > 0, effective, np.nan))


def _by_group(counts: Ints, group: Ints, groups: int) -> Ints:
    total = np.zeros((groups, counts.shape[1]), np.int64)
    np.add.at(total, group, counts)
    return total
