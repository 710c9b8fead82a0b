"""Bands of survival curves when waits of one artist or track are dependent."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from diffusion import Entries, pair_table
from diffusion.arrays import Floats, Ints
from diffusion.pairs.curves import interval
from diffusion.pairs.variance import Spread
from diffusion.risk.kaplan_meier import KaplanMeier
from diffusion.risk.waits import Waits, wait_blocks
from diffusion.timelines import distinct, primary_artists

Cluster = Literal["artist", "track", "independent"]
CLUSTERS: tuple[Cluster, ...] = get_args(Cluster)

Counted = tuple[Ints, Ints]
"""Waits at risk and entries by cluster, group and day, (c, g, days) each."""


def clusters_of(entries: Entries, cluster: Literal["artist", "track"]) -> NDArray[np.int64]:
    """Return, (n,), the number of each track's cluster: the track, or the artist named first."""
    ids = entries.timelines.track_ids
    return np.arange(len(ids)) if cluster == "track" else distinct(primary_artists(ids, entries.artists))


def spreads(
    entries: Entries, group: Ints, curves: Sequence[KaplanMeier], *, cluster: NDArray[np.int64], horizon: int
) -> list[Spread]:
    """Return the spread of each group's curve, by day.

    Parameters
    ----------
    group
        (m, m + 1, 3): index of the group of waits in `curves`, by market, footprint size and index in
        `diffusion.risk.waits.MATCHES`.
    curves
        Curve of each group.
    cluster
        (n,): number of each track's cluster.
    horizon
        Days; that of the curves.

    Notes
    -----
    The influence of a cluster on the logarithm of survival on day t is the sum over days u ≤ t of r · d(u) / (r(u) ·
    (r(u) − d(u))) − d / (r(u) − d(u)), where the cluster has r of the r(u) waits at risk and d of the d(u) entries. Its
    squares are summed over clusters.
    """
    length = horizon + 2
    gain, loss, least = (np.zeros((len(curves), length)) for _ in range(3))
    for at, curve in enumerate(curves):
        days = len(curve.staying)
        gain[at, :days] = np.diff(curve.variance, prepend=0.0)
        loss[at, :days], least[at, :days] = curve.loss, curve.variance
    variance, at_risk = np.zeros_like(gain), np.zeros(gain.shape, np.int64)
    clusters = np.zeros(len(curves), np.int64)
    blocks = wait_blocks(entries.timelines, entries.withheld, pair_table(), horizon=horizon, cluster=cluster)
    for there, went in _whole_clusters(blocks, group, cluster, gain.shape):
        influence = np.cumsum(there * gain - went * loss, axis=-1)
        variance += np.einsum("cgt,cgt->gt", influence, influence)
        at_risk += (there > 0).sum(axis=0)
        clusters += (there > 0).any(axis=-1).sum(axis=0)
    ends = [slice(len(curve.staying)) for curve in curves]
    return [
        Spread(variance[at, end], least[at, end], np.full(end.stop, clusters[at]), at_risk[at, end])
        for at, end in enumerate(ends)
    ]


def _whole_clusters(
    blocks: Iterable[Waits], group: Ints, cluster: NDArray[np.int64], shape: tuple[int, ...]
) -> Iterator[Counted]:
    """Yield the counts of clusters, each cluster once; waits are in order of cluster.

    The last cluster of a block may go on in the next, so it is held back.
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
    opened, closed, entered = (
        np.bincount(cells, minlength=size).reshape(shape)
        for cells in (cell + waits.start + 1, cell + waits.days + 1, (cell + waits.days)[waits.entered])
    )
    return np.cumsum(opened - closed, axis=-1), entered


def band(curve: KaplanMeier, spread: Spread) -> tuple[Floats, Floats]:
    """Return the bounds of the 95 % band of survival, day by day, robust to clusters.

    Notes
    -----
    This is `diffusion.pairs.curves.interval`: the variance is the larger of that by clusters and Greenwood's, on the
    log(−log) scale, with the quantile of the t distribution. While nobody has entered, and where all at risk have, the
    bound is Clopper and Pearson's for the smallest number of clusters at risk on a day so far. Survival on day 0 is 1.
    Before the first day at risk nothing is known, and the band is 0 to 1.
    """
    before = np.append(False, curve.over[:-1])
    counted = np.where((spread.at_risk > 0) & ~before, spread.at_risk, np.iinfo(np.int64).max)
    fewest = np.minimum.accumulate(counted)
    low, high = interval(curve.staying, curve.over, Spread(spread.variance, spread.least, spread.clusters, fewest))
    low, high = 1 - high, 1 - low
    low[np.cumsum(spread.at_risk) == 0] = 0.0
    low[0] = high[0] = 1.0
    return low, high
