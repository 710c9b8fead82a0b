"""Clusters of waits that are counted straight from first entries."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from survival.counting.counted import BlockSums, ClusterWaits
from survival.counting.spans import Spans

WAITS_AT_ONCE: Final = 1 << 20
"""Waits in one block of clusters."""


@dataclass(frozen=True, slots=True)
class SpanClusters:
    """Clusters of episodes; see `survival.counting.counted.Clusters`.

    Attributes
    ----------
    spans
        Times at risk.
    cluster
        (k,): number of each episode's cluster, 0 … c − 1; c for those without a wait.
    number
        Number c of clusters with a wait.
    """

    spans: Spans
    cluster: Ints
    number: int

    @classmethod
    def of(cls, spans: Spans, group: Ints) -> Self:
        """Return the clusters of episodes; `group`, (k,), is any whole number that episodes of a cluster share."""
        waiting = np.unique(group[spans.waits() > 0])
        at = np.searchsorted(waiting, group)
        there = np.append(waiting, -1)[at] == group
        return cls(spans, np.where(there, at, len(waiting)), len(waiting))

    def sums(self, risk: Floats, event: Floats) -> Floats:
        """Return, (c, p), sums over each cluster's waits."""
        return self.spans.sums(self.cluster, self.number + 1, risk, event)[:-1]

    def summed(self, work: BlockSums) -> dict[str, NDArray[Any]]:
        """Return the sums that `work` makes of all clusters."""
        return dict(work(self.waits()))

    def waits(self) -> Iterator[ClusterWaits]:
        """Yield all times at risk and entries, block by block; a cluster is in one block only."""
        spans, ends = self.spans, np.cumsum(np.bincount(self.cluster, minlength=self.number))
        most = max(WAITS_AT_ONCE // spans.field.cell.shape[1], 1)
        of_correction, of_event = self.cluster[spans.corrections.episode], self.cluster[spans.event_episode]
        orders = [np.argsort(of, kind="stable") for of in (self.cluster, of_correction, of_event)]
        first = 0
        while first < self.number:
            before = int(ends[first - 1]) if first else 0
            last = max(int(np.searchsorted(ends, before + most, side="right")), first + 1)
            parts = []
            for order, of in zip(orders, (self.cluster, of_correction, of_event), strict=True):
                low, high = np.searchsorted(of, [first, min(last, self.number)], sorter=order)
                parts.append(order[low:high])
            yield self._listed(*parts)
            first = last

    def _listed(self, episodes: Ints, corrected: Ints, entered: Ints) -> ClusterWaits:
        """Return the times at risk of episodes, with the corrections and entries at the given places."""
        spans = self.spans
        keys, number = np.unique(
            self.cluster[episodes] * len(spans.alike.row) + spans.which[episodes], return_counts=True
        )
        cluster, combination = np.divmod(keys, len(spans.alike.row))
        place, cell, start, days, count = spans.counted(combination)
        other, event = spans.corrections, spans.event_kind[entered]
        return ClusterWaits(
            np.append(cluster[place], self.cluster[other.episode[corrected]]),
            np.append(cell, other.cell[corrected]),
            np.append(start, other.start[corrected]),
            np.append(days, other.stop[corrected]),
            np.append(count * number[place], other.sign[corrected]),
            self.cluster[spans.event_episode[entered]],
            spans.events.cell[event],
            spans.events.days[event],
        )
