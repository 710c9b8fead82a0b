"""Waits by cluster and group, in blocks of clusters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from diffusion.arrays import Flags, Floats, Ints
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
        """Return the waits by cluster and group, up to the horizon; `of_cell` has the group of each cell, or −1."""
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

    def pick(self, flags: Flags) -> Self:
        """Return the waits of some pairs; `flags` is (p,)."""
        number = np.cumsum(flags) - 1
        kept, went = flags[self.pair], flags[self.event_pair]
        return type(self)(
            self.group[flags],
            self.cluster[flags],
            number[self.pair[kept]],
            *(part[kept] for part in (self.start, self.days, self.count)),
            number[self.event_pair[went]],
            self.event_days[went],
        )

    def varied(self, horizon: int) -> Flags:
        """Return, (p,), where some wait begins after day 0, ends before the horizon, or ends with an entry."""
        flags: Flags = np.bincount(self.pair, (self.start > 0) | (self.days < horizon), len(self.group)) > 0
        flags[self.event_pair] = True
        return flags

    @property
    def waits(self) -> Ints:
        """(p,): number of waits."""
        return np.rint(np.bincount(self.pair, self.count, len(self.group))).astype(np.int64)

    def changes(self, row: Ints, length: int) -> tuple[csr_array, csr_array]:
        """Return, (rows, length) each, times at risk that end less those that begin by day, and entries; by row.

        `row` is (p,): row of each pair.
        """
        shape = (int(row.max(initial=-1)) + 1, length)
        place = row[self.pair]
        count = np.concatenate([self.count, -self.count]).astype(np.float64)
        closed = csr_array((count, (np.tile(place, 2), np.concatenate([self.days, self.start]))), shape)
        entered = np.ones(len(self.event_pair)), (row[self.event_pair], self.event_days)
        return closed, csr_array(entered, shape)

    def slice(self, first: int, last: int) -> Self:
        """Return the waits of some pairs that follow each other."""
        own = slice(*np.searchsorted(self.pair, [first, last]))
        went = slice(*np.searchsorted(self.event_pair, [first, last]))
        return type(self)(
            self.group[first:last],
            self.cluster[first:last],
            self.pair[own] - first,
            self.start[own],
            self.days[own],
            self.count[own],
            self.event_pair[went] - first,
            self.event_days[went],
        )


def blocks(groups: Groups) -> Iterator[Clustered]:
    """Yield the waits of all clusters; a cluster is in one block only."""
    clusters = groups.counted.clusters
    assert clusters is not None  # the waits were counted by clusters
    for waits in clusters.waits():
        yield Clustered.of(waits, groups.of_cell, groups.opened.shape[1] - 1)
