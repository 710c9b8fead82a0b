"""Waits by cluster and group, in blocks of clusters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from diffusion.arrays import Floats, Ints
from survival.counting.counted import ClusterWaits
from survival.curves.grouping import Groups


@dataclass(frozen=True, slots=True)
class Clustered:
    """Waits of some clusters: p pairs of a cluster and a group, w kinds of times at risk, e entries.

    Attributes
    ----------
    group, cluster
        (p,): of each pair, in order of group and cluster.
    pair, start, days, count
        (w,): pair of each kind, in order; at risk on the days ``start < day ≤ days``; how many (below 0: taken away).
    event_pair, event_days
        (e,): pair and day of each entry, in order of pair.
    """

    group: Ints
    cluster: Ints
    pair: Ints
    start: Ints
    days: Ints
    count: Ints
    event_pair: Ints
    event_days: Ints

    @classmethod
    def of(cls, waits: ClusterWaits, of_cell: Ints, horizon: int) -> Self:
        """Return the waits by cluster and group, up to the horizon; `of_cell` is the group of each cell, −1 for none."""
        group = of_cell[waits.cell]
        kept = (group >= 0) & (waits.start < horizon)
        clusters = int(waits.cluster.max(initial=0)) + 1
        keys, pair = np.unique(group[kept] * clusters + waits.cluster[kept], return_inverse=True)
        order = np.argsort(pair, kind="stable")
        start, days, count = (part[kept][order] for part in (waits.start, waits.days, waits.count))
        event_group = of_cell[waits.event_cell]
        went = (event_group >= 0) & (waits.event_days <= horizon)
        event = np.searchsorted(keys, event_group[went] * clusters + waits.event_cluster[went])
        by_pair = np.argsort(event, kind="stable")
        return cls(
            keys // clusters,
            keys % clusters,
            pair[order],
            start,
            np.minimum(days, horizon),
            count,
            event[by_pair],
            waits.event_days[went][by_pair],
        )

    def sums(self, risk: Floats, event: Floats) -> tuple[Floats, Floats]:
        """Return, (p,) each, sums over the waits of each pair: of being at risk, and of entries.

        Parameters
        ----------
        risk
            (g, t + 1): value of being at risk from day 0 to the end of each day, summed up.
        event
            (g, t + 1): value of an entry on the day.
        """
        group, pairs = self.group[self.pair], len(self.group)
        value = (risk[group, self.days] - risk[group, self.start]) * self.count
        went = event[self.group[self.event_pair], self.event_days]
        return np.bincount(self.pair, value, pairs), np.bincount(self.event_pair, went, pairs)

    def split(self, horizon: int) -> tuple[Self, Ints, Ints]:
        """Return the pairs in which some wait begins later, ends earlier, or ends with an entry; and of the others
        the group and the number of waits, all at risk from day 1 to the horizon."""
        pairs = len(self.group)
        other = np.bincount(self.pair, (self.start > 0) | (self.days < horizon), pairs) > 0
        other[self.event_pair] = True
        number = np.cumsum(other) - 1
        kept, went = other[self.pair], other[self.event_pair]
        varied = type(self)(
            self.group[other],
            self.cluster[other],
            number[self.pair[kept]],
            *(part[kept] for part in (self.start, self.days, self.count)),
            number[self.event_pair[went]],
            self.event_days[went],
        )
        size = np.rint(np.bincount(self.pair, self.count, pairs)[~other]).astype(np.int64)
        return varied, self.group[~other], size

    def daily(self, first: int, last: int, length: int) -> tuple[Floats, Floats]:
        """Return, (last − first, length) each, waits at risk and entries on each day, of some of the pairs."""
        own = slice(*np.searchsorted(self.pair, [first, last]))
        went = slice(*np.searchsorted(self.event_pair, [first, last]))
        shape = (last - first, length)
        size, row = shape[0] * length, (self.pair[own] - first) * length
        opened = np.bincount(row + self.start[own], self.count[own], size)
        opened -= np.bincount(row + self.days[own], self.count[own], size)
        at_risk = np.zeros(shape)
        np.cumsum(opened.reshape(shape)[:, :-1], axis=1, out=at_risk[:, 1:])
        entered = np.bincount((self.event_pair[went] - first) * length + self.event_days[went], minlength=size)
        return at_risk, entered.reshape(shape).astype(np.float64)


def blocks(groups: Groups) -> Iterator[Clustered]:
    """Yield the waits of all clusters; a cluster is in one block only."""
    clusters = groups.counted.clusters
    assert clusters is not None  # the waits were counted by clusters
    for waits in clusters.waits():
        yield Clustered.of(waits, groups.of_cell, groups.opened.shape[1] - 1)
