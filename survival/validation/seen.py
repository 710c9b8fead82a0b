"""Waits with values that were seen before: those that a fitted model can predict."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DataSaysNoError
from diffusion.arrays import Flags, Floats, Ints
from diffusion.display import Displayed
from diffusion.parts import Arrays
from survival.counting.counted import (
    BlockSums,
    Cluster,
    Clusters,
    ClusterWaits,
    CountedWaits,
    Events,
    WaitSource,
)


@dataclass(frozen=True, repr=False)
class SeenWaits(Displayed):
    """Waits of a source whose variables have values that are known; the others are left out.

    A model cannot predict for a market that launched after the waits that it was fitted on.

    Attributes
    ----------
    source
        The waits.
    values
        Variable → values that are kept.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"days": [3, 5, 5, 8], "entered": [1, 1, 0, 1], "chart": [*"aabb"], "rank": [1, 2, 2, 3]})
    >>> waits = survival.frame_waits(frame, days="days", entered="entered")
    >>> survival.SeenWaits(waits, {"chart": frozenset({"a"})}).counted(("chart",)).values["chart"].tolist()
    ['a']
    """

    source: WaitSource
    values: Mapping[str, frozenset[Any]]

    def _facts(self) -> str:
        return f" of {self.source!r}, by {', '.join(self.values)}"

    def counted(self, variables: tuple[str, ...] = (), *, cluster: Cluster = "artist") -> CountedWaits:
        """Return the kept waits counted by variables.

        Raises
        ------
        SettingError, DataSaysNoError
            As the source; and when no wait is kept.
        """
        counted = self.source.counted(tuple(dict.fromkeys([*variables, *self.values])), cluster=cluster)
        kept = np.ones(len(counted.values), np.bool_)
        for name, seen in self.values.items():
            kept &= counted.values[name].isin(seen).to_numpy(np.bool_)
        if not kept.any():
            raise DataSaysNoError(f"no wait has a {' and a '.join(self.values)} that was seen before")
        cell, values = _cells(counted.values, kept, variables)
        opened, closed = np.zeros((2, len(values), counted.horizon + 1), np.int64)
        np.add.at(opened, cell[kept], counted.opened[kept])
        np.add.at(closed, cell[kept], counted.closed[kept])
        events, went, which = _events(counted.events, cell)
        clusters = counted.clusters
        kept_clusters = None if clusters is None else _SeenClusters(clusters, cell, went, which)
        return CountedWaits(values, opened, closed, events, kept_clusters, counted.cluster)


def _cells(values: pd.DataFrame, kept: Flags, variables: tuple[str, ...]) -> tuple[Ints, pd.DataFrame]:
    """Return the new cell of each cell, −1 where it is left out, and the values of the new cells."""
    cell = np.where(kept, 0, -1)
    if not variables:
        return cell, pd.DataFrame(index=range(1))
    there = values.loc[kept, list(variables)]
    cell[kept] = there.groupby(list(variables), sort=False, dropna=False).ngroup()
    return cell, there.drop_duplicates().reset_index(drop=True)


def _events(events: Events, cell: Ints) -> tuple[Events, Flags, Ints]:
    """Return the kept events by new cell, which kinds of event are kept, and the new kind of each of those."""
    went = cell[events.cell] >= 0
    keys = np.column_stack([cell[events.cell], events.days, events.after])[went]
    found, which = np.unique(keys, axis=0, return_inverse=True)
    which = which.reshape(-1).astype(np.int64)
    count = np.bincount(which, events.count[went], len(found)).astype(np.int64)
    return Events(found[:, 0], found[:, 2], found[:, 1], count), went, which


@dataclass(frozen=True, slots=True)
class _SeenClusters:
    """Clusters of the kept waits; see `survival.counting.counted.Clusters`.

    Attributes
    ----------
    clusters
        Clusters of all waits.
    cell
        (g,): new cell of each cell, −1 where it is left out.
    went
        (e,): whether a kind of event is kept.
    which
        New kind of each kept kind of event.
    """

    clusters: Clusters
    cell: Ints
    went: Flags
    which: Ints

    @property
    def number(self) -> int:
        """Number of clusters with a wait, kept or not."""
        return self.clusters.number

    @property
    def cluster(self) -> Ints:
        """Number of the cluster of each unit."""
        return self.clusters.cluster

    def sums(self, risk: Floats, event: Floats) -> Floats:
        """Return, (c, p), sums over each cluster's kept waits."""
        kept = self.cell >= 0
        every_risk = np.zeros((len(self.cell), *risk.shape[1:]))
        every_event = np.zeros((len(self.went), *event.shape[1:]))
        every_risk[kept], every_event[self.went] = risk[self.cell[kept]], event[self.which]
        return self.clusters.sums(every_risk, every_event)

    def summed(self, work: BlockSums) -> dict[str, NDArray[Any]]:
        """Return the sums that `work` makes of the kept waits of all clusters."""
        return self.clusters.summed(partial(_of_kept, work, self.cell))


def _of_kept(work: BlockSums, cell: Ints, blocks: Iterator[ClusterWaits]) -> Arrays:
    """Return the sums of the kept times at risk and entries; `cell` as in `_SeenClusters`."""
    return work(_kept(block, cell) for block in blocks)


def _kept(block: ClusterWaits, cell: Ints) -> ClusterWaits:
    at_risk, entered = cell[block.cell] >= 0, cell[block.event_cell] >= 0
    return ClusterWaits(
        block.cluster[at_risk],
        cell[block.cell[at_risk]],
        block.start[at_risk],
        block.days[at_risk],
        block.count[at_risk],
        block.event_cluster[entered],
        cell[block.event_cell[entered]],
        block.event_days[entered],
    )
