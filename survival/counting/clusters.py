"""Clusters of waits that are counted straight from first entries."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from diffusion.arrays import Floats, Ints
from survival.counting.spans import Spans

NUMBERS_AT_ONCE: Final = 1 << 24
"""Most counts, or waits, in one block of clusters."""


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
    length
        Number of days, day 0 included.
    """

    spans: Spans
    cluster: Ints
    number: int
    length: int

    @classmethod
    def of(cls, spans: Spans, group: Ints, length: int) -> Self:
        """Return the clusters of episodes; `group`, (k,), is any whole number that episodes of a cluster share."""
        waiting = np.unique(group[spans.waits() > 0])
        at = np.searchsorted(waiting, group)
        there = np.append(waiting, -1)[at] == group
        return cls(spans, np.where(there, at, len(waiting)), len(waiting), length)

    def sums(self, risk: Floats, event: Floats) -> Floats:
        """Return, (c, p), sums over each cluster's waits."""
        return self.spans.sums(self.cluster, self.number + 1, risk, event)[:-1]

    def counts(self, group: Ints, groups: int) -> Iterator[tuple[Ints, Ints]]:
        """Yield waits at risk and entries by cluster, group and day, each cluster once."""
        spans, length = self.spans, self.length
        order = np.argsort(self.cluster, kind="stable")
        ends = np.searchsorted(self.cluster[order], np.arange(self.number + 1))
        step = max(NUMBERS_AT_ONCE // (groups * length), 1)
        for first in range(0, self.number, step):
            clusters = min(step, self.number - first)
            shape = (clusters, groups, length)
            episodes = order[ends[first] : ends[first + clusters]]
            cell, start, stop, event, there = spans.listed(episodes)
            own = np.where(there, group[cell], -1)
            place = ((self.cluster[episodes] - first)[:, None] * groups + own) * length
            there = own >= 0
            went = there & (event >= 0)
            opened, closed, entered = (
                np.bincount(at, minlength=clusters * groups * length).reshape(shape)
                for at in ((place + start)[there], (place + stop)[there], (place + stop)[went])
            )
            at_risk = np.zeros(shape, np.int64)
            np.cumsum((opened - closed)[..., :-1], axis=-1, out=at_risk[..., 1:])
            yield at_risk, entered
