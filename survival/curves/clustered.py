"""Waits by cluster and group, in blocks of clusters."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from diffusion.arrays import Flags, Floats, Ints
from diffusion.parts import Arrays
from survival.counting.counted import Clusters, ClusterWaits
from survival.curves.grouping import Groups

LARGE: Final = 1 << 62
"""Largest random number of a day; sums wrap around."""

ODD: Final = 0x1E3779B97F4A7C15
"""Factor that spreads the numbers of groups over 64 bits."""


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
        key = group[kept] * clusters + waits.cluster[kept]
        order = np.argsort(key, kind="stable")
        key = key[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        keys, pair = key[first], np.repeat(np.arange(len(first)), np.diff(first, append=len(key)))
        start, days, count = (part[kept][order] for part in (waits.start, waits.days, waits.count))
        event_group = of_cell[waits.event_cell]
        went = (event_group >= 0) & (waits.event_days <= horizon)
        event = np.searchsorted(keys, event_group[went] * clusters + waits.event_cluster[went])
        by_pair = np.argsort(event, kind="stable")
        return cls(
            keys // clusters,
            keys % clusters,
            pair,
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
        at_risk, entered = np.bincount(self.pair, value, pairs), np.bincount(self.event_pair, went, pairs)
        return np.asarray(at_risk, np.float64), np.asarray(entered, np.float64)

    def pick(self, flags: Flags) -> Self:
        """Return the waits of some pairs; `flags` is (p,)."""
        number = np.cumsum(flags) - 1
        kept, went = flags[self.pair], flags[self.event_pair]
        return type(self)(
            self.group[flags],
            self.cluster[flags],
            number[self.pair[kept]],
            self.start[kept],
            self.days[kept],
            self.count[kept],
            number[self.event_pair[went]],
            self.event_days[went],
        )

    def alike(self, length: int) -> tuple[Self, Ints]:
        """Return the pairs that differ from each other, and how many pairs of the same group are like each.

        Pairs are alike when as many waits begin, end, and end with an entry, on each day. Each day of each kind has a
        random number of 64 bits, and pairs with equal sums are taken for alike: by chance, two of a million others are
        once in 10⁷ times.
        """
        begins, ends, entries = np.random.default_rng(0).integers(-LARGE, LARGE, (3, length))
        sums = np.add.reduceat(
            self.count * (begins[self.start] + ends[self.days]), np.searchsorted(self.pair, np.arange(len(self.group)))
        )
        np.add.at(sums, self.event_pair, entries[self.event_days])
        sums += self.group * ODD
        _, first, number = np.unique(sums, return_index=True, return_counts=True)
        order = np.argsort(first)
        flags = np.zeros(len(self.group), np.bool_)
        flags[first] = True
        return self.pick(flags), number[order]

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

    def daily(self, length: int) -> tuple[Floats, Floats]:
        """Return, (length, p) each, how far the number at risk on a day is from that of the day before; the entries."""
        pairs, size = len(self.group), length * len(self.group)
        changed = np.bincount((self.start + 1) * pairs + self.pair, self.count, size + pairs).astype(np.float64)
        changed -= np.bincount((self.days + 1) * pairs + self.pair, self.count, size + pairs)
        entered = np.bincount(self.event_days * pairs + self.event_pair, minlength=size).astype(np.float64)
        return changed[:size].reshape(length, pairs), entered.reshape(length, pairs)

    def slices(self, pairs: int) -> Iterator[tuple[slice, Self]]:
        """Yield the waits of so many pairs at a time, and which pairs they are."""
        for first in range(0, len(self.group), pairs):
            last = min(first + pairs, len(self.group))
            own = slice(*np.searchsorted(self.pair, [first, last]))
            went = slice(*np.searchsorted(self.event_pair, [first, last]))
            yield (
                slice(first, last),
                type(self)(
                    self.group[first:last],
                    self.cluster[first:last],
                    self.pair[own] - first,
                    self.start[own],
                    self.days[own],
                    self.count[own],
                    self.event_pair[went] - first,
                    self.event_days[went],
                ),
            )


PairSums: TypeAlias = Callable[[Iterator[Clustered]], Arrays]
"""Sums over the clusters of some blocks; see `survival.counting.counted.BlockSums`."""


def pair_sums(clusters: Clusters, work: PairSums, of_cell: Ints, horizon: int) -> dict[str, NDArray[Any]]:
    """Return the sums that `work` makes of the waits of all clusters by group, up to the horizon.

    `of_cell` has the group of each cell, or −1.
    """
    return clusters.summed(partial(_of_blocks, work, of_cell, horizon))


def summed_by_group(groups: Groups, work: PairSums) -> dict[str, NDArray[Any]]:
    """Return the sums that `work` makes of the waits of all clusters, by group."""
    clusters = groups.counted.clusters
    assert clusters is not None  # the waits were counted by clusters
    return pair_sums(clusters, work, groups.of_cell, groups.opened.shape[1] - 1)


def _of_blocks(work: PairSums, of_cell: Ints, horizon: int, blocks: Iterator[ClusterWaits]) -> Arrays:
    return work(Clustered.of(waits, of_cell, horizon) for waits in blocks)
