"""Bands of survival curves when waits of one artist or track are dependent."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from diffusion import Entries
from diffusion.arrays import Floats, Ints
from diffusion.pairs.curves import interval
from diffusion.pairs.variance import Spread
from diffusion.risk.kaplan_meier import KaplanMeier
from diffusion.risk.waits import Waits
from diffusion.timelines import distinct, primary_artists

Cluster = Literal["artist", "track", "independent"]
CLUSTERS: tuple[Cluster, ...] = get_args(Cluster)

FEW: Final = 10
"""Effective number of clusters below which a band rests on too few."""

ROUNDING: Final = 1e-12
"""Share of Greenwood's variance up to which squared influences are rounding."""

ALONE: Final = 1 - 1e-9
"""Share of the hazard from which on a cluster is the whole curve, up to rounding."""

Counted = tuple[Ints, Ints]
"""Waits at risk and entries by cluster, group and day, (c, g, days) each."""


def clusters_of(entries: Entries, cluster: Literal["artist", "track"]) -> NDArray[np.int64]:
    """Return, (n,), the number of each track's cluster: the track, or the artist named first."""
    ids = entries.timelines.track_ids
    return np.arange(len(ids)) if cluster == "track" else distinct(primary_artists(ids, entries.artists))


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of the influence on the logarithm of survival, by curve and day, (g, days) each.

    Attributes
    ----------
    gain
        What one wait at risk adds: d / (r · (r − d)), where d of the r waits at risk enter.
    loss
        What one entry takes off: 1 / (r − d).
    total
        Sum of the gain of all waits at risk, up to and including the day.
    """

    gain: Floats
    loss: Floats
    total: Floats

    @classmethod
    def of(cls, curves: Sequence[KaplanMeier]) -> Self:
        """Return the terms of curves; 0 after the end of a curve, and on one day more than the longest has."""
        shape = len(curves), max(len(curve.staying) for curve in curves) + 1
        gain, loss, total = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for at, curve in enumerate(curves):
            days = len(curve.staying)
            gain[at, :days] = np.diff(curve.variance, prepend=0.0)
            loss[at, :days] = curve.loss
            total[at, :days] = np.cumsum(curve.at_risk * gain[at, :days])
        return cls(gain, loss, total)

    def influence(self, counted: Counted) -> tuple[Floats, Floats]:
        """Return, (c, g, days) each, the influence of each cluster by the day, and its share of the hazard so far.

        The influence is the derivative of the logarithm of survival by the cluster's weight.
        """
        at_risk, entered = counted
        own = np.cumsum(at_risk * self.gain, axis=-1)
        influence = own - np.cumsum(entered * self.loss, axis=-1)
        own /= np.where(self.total > 0, self.total, 1.0)
        return influence, own


def spreads(
    blocks: Iterable[Waits], group: Ints, cluster: NDArray[np.int64], curves: Sequence[KaplanMeier]
) -> tuple[list[Spread], Floats]:
    """Return the spread of each group's curve by day, and the effective number of clusters behind each, (g,).

    Parameters
    ----------
    blocks
        All waits, in order of cluster: result of `diffusion.risk.waits.wait_blocks`.
    group
        (m, m + 1, 3): index of the group of waits in `curves`, by market, footprint size and index in
        `diffusion.risk.waits.MATCHES`.
    cluster
        (n,): number of each track's cluster.
    curves
        Curve of each group.

    Notes
    -----
    The variance is the sum over clusters of (u / (1 − share))², with the cluster's influence u and its share of the
    hazard so far. Without the divisor it is the infinitesimal jackknife; with it, to first order, the jackknife that
    leaves out one cluster at a time. A cluster with a large share draws the curve to itself, and its influence is too
    small by that factor. The effective number of clusters is (Σ u²)² / Σ u⁴ on the last day: 1 where all influences are
    0, as of a single cluster; NaN where nobody entered.

    References
    ----------
    Lin & Wei 1989 (variance by cluster), doi 10.1080/01621459.1989.10478874. Bell & McCaffrey 2002, Survey Methodology
    28, 169–181 (the divisor).
    """
    terms = Terms.of(curves)
    variance, squares, fourths = (np.zeros_like(terms.gain) for _ in range(3))
    at_risk, clusters = np.zeros(terms.gain.shape, np.int64), np.zeros(len(curves), np.int64)
    for counted in whole_clusters(blocks, group, cluster, terms.gain.shape):
        influence, share = terms.influence(counted)
        left_out = np.where(share < ALONE, influence / np.maximum(1 - share, 1 - ALONE), np.inf)
        variance += (left_out**2).sum(axis=0)
        influence **= 2
        squares += influence.sum(axis=0)
        fourths += (influence**2).sum(axis=0)
        there = counted[0] > 0
        at_risk += there.sum(axis=0)
        clusters += there.any(axis=-1).sum(axis=0)
    ends = [slice(len(curve.staying)) for curve in curves]
    found = [
        Spread(variance[at, end], curve.variance, np.full(end.stop, clusters[at]), at_risk[at, end])
        for at, (curve, end) in enumerate(zip(curves, ends, strict=True))
    ]
    last = np.array([curve.variance[-1] for curve in curves])
    return found, _effective(squares[:, -1], fourths[:, -1], last)


def _effective(squares: Floats, fourths: Floats, greenwood: Floats) -> Floats:
    """Return the effective number of clusters from the sums of their influences to the powers 2 and 4."""
    differ = squares > ROUNDING * greenwood
    number = np.where(differ, squares, 1.0) ** 2 / np.where(differ, fourths, 1.0)
    return np.where(greenwood > 0, number, np.nan)


def whole_clusters(
    blocks: Iterable[Waits], group: Ints, cluster: NDArray[np.int64], shape: tuple[int, ...]
) -> Iterator[Counted]:
    """Yield the counts of clusters, each cluster once; `shape` is the number of groups and of days.

    Waits are in order of cluster. The last cluster of a block may go on in the next, so it is held back.
    """
    held, there, went = -1, np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for waits in blocks:
        if not len(waits.track):
            continue
        numbers, row = np.unique(cluster[waits.track], return_inverse=True)
        at_risk, entered = _counted(waits, group, row, (len(numbers), *shape))
        if numbers[0] == held:
            at_risk[0] += there
            entered[0] += went
        else:
            yield there[None], went[None]
        yield at_risk[:-1], entered[:-1]
        held, there, went = numbers[-1], at_risk[-1].copy(), entered[-1].copy()
    yield there[None], went[None]


def _counted(waits: Waits, group: Ints, row: Ints, shape: tuple[int, ...]) -> Counted:
    """Return the counts of waits by row, group and day."""
    size, length = int(np.prod(shape)), shape[-1]
    cell = (row * shape[1] + group[waits.market, waits.footprint, waits.match]) * length
    at_risk, closed, entered = (
        np.bincount(cells, minlength=size).reshape(shape)
        for cells in (cell + waits.start + 1, cell + waits.days + 1, (cell + waits.days)[waits.entered])
    )
    at_risk -= closed
    return np.cumsum(at_risk, axis=-1, out=at_risk), entered


def band(curve: KaplanMeier, spread: Spread) -> tuple[Floats, Floats]:
    """Return the bounds of the 95 % band of survival, day by day, robust to clusters.

    Notes
    -----
    This is `diffusion.pairs.curves.interval`: the variance is the larger of that by clusters and Greenwood's, on the
    log(−log) scale, with the quantile of the t distribution. While nobody has entered, and where all at risk have, the
    bound is Clopper and Pearson's for the smallest number of clusters at risk on a day so far. Survival on day 0 is 1.
    Before the first day at risk nothing is known, and the band is 0 to 1.
    """
    over_before = np.append(False, curve.over[:-1])
    counted = np.where((spread.at_risk > 0) & ~over_before, spread.at_risk, np.iinfo(np.int64).max)
    fewest = np.minimum.accumulate(counted)
    with np.errstate(over="ignore"):  # a variance that one cluster makes infinite gives the bounds 0 and 1
        went, most = interval(curve.staying, curve.over, Spread(spread.variance, spread.least, spread.clusters, fewest))
    low, high = 1 - most, 1 - went
    low[np.cumsum(spread.at_risk) == 0] = 0.0
    low[0] = high[0] = 1.0
    return low, high
