"""Waits with values that were seen before: those that a fitted model can predict."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffusion.arrays import Flags, Floats, Ints
from survival.counting.counted import Cluster, Clusters, ClusterWaits, CountedWaits, Events, WaitSource


@dataclass(frozen=True)
class SeenWaits:
    """Waits of a source whose variables have values that are known; the others are left out.

    A model cannot predict for a market that launched after the waits that it was fitted on.

    Attributes
    ----------
    source
        The waits.
    values
        Variable → values that are kept.
    """

    source: WaitSource
    values: Mapping[str, frozenset[Any]]

    def counted(self, variables: tuple[str, ...] = (), *, cluster: Cluster = "artist") -> CountedWaits:
        """Return the kept waits counted by variables, and by those of `values`."""
        counted = self.source.counted(tuple(dict.fromkeys([*variables, *self.values])), cluster=cluster)
        kept = np.ones(len(counted.values), np.bool_)
        for name, values in self.values.items():
            kept &= counted.values[name].isin(values).to_numpy(np.bool_)
        events, number = counted.events, np.where(kept, np.cumsum(kept) - 1, -1)
        went = kept[events.cell]
        clusters = counted.clusters
        return CountedWaits(
            counted.values[kept].reset_index(drop=True),
            counted.opened[kept],
            counted.closed[kept],
            Events(number[events.cell[went]], events.after[went], events.days[went], events.count[went]),
            None if clusters is None else _SeenClusters(clusters, kept, went, number),
            counted.cluster,
        )


@dataclass(frozen=True, slots=True)
class _SeenClusters:
    """Clusters of the kept waits; see `survival.counting.counted.Clusters`.

    Attributes
    ----------
    clusters
        Clusters of all waits.
    kept, went
        (g,), (e,): whether a cell is kept, and a kind of entry.
    number_of
        (g,): number of each kept cell among the kept ones.
    """

    clusters: Clusters
    kept: Flags
    went: Flags
    number_of: Ints

    @property
    def number(self) -> int:
        """Number of clusters with a wait, kept or not."""
        return self.clusters.number

    def sums(self, risk: Floats, event: Floats) -> Floats:
        """Return, (c, p), sums over each cluster's kept waits."""
        every_risk = np.zeros((len(self.kept), *risk.shape[1:]))
        every_event = np.zeros((len(self.went), *event.shape[1:]))
        every_risk[self.kept], every_event[self.went] = risk, event
        return self.clusters.sums(every_risk, every_event)

    def waits(self) -> Iterator[ClusterWaits]:
        """Yield the kept times at risk and entries, block by block."""
        for block in self.clusters.waits():
            at_risk, entered = self.kept[block.cell], self.kept[block.event_cell]
            yield ClusterWaits(
                block.cluster[at_risk],
                self.number_of[block.cell[at_risk]],
                block.start[at_risk],
                block.days[at_risk],
                block.count[at_risk],
                block.event_cluster[entered],
                self.number_of[block.event_cell[entered]],
                block.event_days[entered],
            )
