"""Bands of survival curves when waits of one artist or track are dependent."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from diffusion import Entries
from diffusion.arrays import Floats, Ints
from diffusion.pairs.curves import interval
from diffusion.pairs.variance import Spread
from diffusion.risk.influence import Counted, Terms, left_out
from diffusion.risk.kaplan_meier import KaplanMeier
from diffusion.risk.waits import Waits
from diffusion.timelines import distinct, primary_artists

Cluster = Literal["artist", "track", "independent"]
CLUSTERS: tuple[Cluster, ...] = get_args(Cluster)

FEW: Final = 10
"""Effective number of clusters below which a band rests on too few."""

ROUNDING: Final = 1e-12
"""Share of Greenwood's variance up to which squared influences are rounding."""


def clusters_of(entries: Entries, cluster: Literal["artist", "track"]) -> NDArray[np.int64]:
    """Return, (n,), the number of each track's cluster: the track, or the artist named first."""
    ids = entries.timelines.track_ids
    return np.arange(len(ids)) if cluster == "track" else distinct(primary_artists(ids, entries.artists))


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
    The variance is the sum over clusters of their squared `diffusion.risk.influence.left_out`: to first order, the
    jackknife that leaves out one cluster at a time. The degrees of freedom are 1 / Σ share² − 1, with each cluster's
    share of the hazard so far: clusters less one where all have the same share, about 8 where one of many has a third.

    The effective number of clusters is (Σ u²)² / Σ u⁴ on the last day, with the influence u: 1 where all influences are
    0, as of a single cluster; NaN where nobody entered. It says whether few clusters made the curve what it is. The
    degrees of freedom are not taken from it, because it is large where the largest cluster is like the others by
    chance, and the variance is then too small.

    References
    ----------
    Carter, Schnepel & Steigerwald 2017 (degrees of freedom from shares), doi 10.1162/REST_a_00639.
    """
    terms = Terms.of(curves)
    variance, shares, squares, fourths = (np.zeros_like(terms.gain) for _ in range(4))
    at_risk = np.zeros(terms.gain.shape, np.int64)
    for counted in whole_clusters(blocks, group, cluster, terms.gain.shape):
        influence, share = terms.influence(counted)
        variance += (left_out(influence, share) ** 2).sum(axis=0)
        shares += (share**2).sum(axis=0)
        influence **= 2
        squares += influence.sum(axis=0)
        fourths += (influence**2).sum(axis=0)
        at_risk += (counted[0] > 0).sum(axis=0)
    freedom = 1 / np.where(shares > 0, shares, 1.0) - 1
    ends = [slice(len(curve.staying)) for curve in curves]
    found = [
        Spread(variance[at, end], curve.variance, freedom[at, end], at_risk[at, end])
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
    went, most = interval(curve.staying, curve.over, replace(spread, at_risk=fewest))
    low, high = 1 - most, 1 - went
    low[np.cumsum(spread.at_risk) == 0] = 0.0
    low[0] = high[0] = 1.0
    return low, high
