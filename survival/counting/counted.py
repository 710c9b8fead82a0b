"""Waits counted by what they share: the aggregates from which every curve and model of this package is made."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from diffusion.display import Displayed
from diffusion.parts import Arrays

Cluster = Literal["artist", "track", "independent"]
CLUSTERS: tuple[Cluster, ...] = get_args(Cluster)


@dataclass(frozen=True, slots=True)
class Events:
    """Entries counted by cell and interval; arrays are (e,), sorted by cell, `days` and `after`.

    Attributes
    ----------
    cell
        Index of the cell.
    after, days
        The entry fell in the interval (after, days] of the clock: after the last chart without the track or the start
        of the time at risk, at the first chart with it.
    count
        Number of entries.
    """

    cell: Ints
    after: Ints
    days: Ints
    count: Ints


@dataclass(frozen=True, slots=True)
class ClusterWaits:
    """Times at risk (w,) and entries (e,) of some clusters, counted where they are alike.

    Attributes
    ----------
    cluster, cell, start, days
        Cluster and cell; at risk on the days ``start < day ≤ days``.
    count
        How many; below 0 where others are taken away again. Sums over alike ones are 0 or more.
    event_cluster, event_cell, event_days
        Cluster, cell and day of each entry.
    """

    cluster: Ints
    cell: Ints
    start: Ints
    days: Ints
    count: Ints
    event_cluster: Ints
    event_cell: Ints
    event_days: Ints


BlockSums: TypeAlias = Callable[[Iterator[ClusterWaits]], Arrays]
"""Sums over the clusters of some blocks, each by name; they are 0, or arrays of 0, where there is no block."""


class Clusters(Protocol):
    """Groups of waits that may depend on each other; waits of different clusters are independent."""

    @property
    def number(self) -> int:
        """Number c of clusters with a wait."""

    @property
    def cluster(self) -> Ints:
        """(k,): number of the cluster of each unit (a row, an episode of a track), c for a unit without a wait.

        The units of a source are the same, in the same order, for all kinds of clusters.
        """

    def sums(self, risk: Floats, event: Floats) -> Floats:
        """Return, (c, p), sums over each cluster's waits.

        Parameters
        ----------
        risk
            (g, t + 1, p): value of being at risk in a cell from day 0 to the end of each day, summed up. A wait at risk
            on the days ``start < day ≤ days`` adds ``risk[cell, days] − risk[cell, start]``.
        event
            (e, p): value of each kind of `CountedWaits.events`; an entry adds it.
        """

    def summed(self, work: BlockSums) -> dict[str, NDArray[Any]]:
        """Return the sums that `work` makes of the times at risk and entries of all clusters.

        It gets them block by block; a cluster is in one block only. Where clusters are on workers, it goes there, and
        its sums come back and are added.
        """


@dataclass(frozen=True, repr=False)
class CountedWaits(Displayed):
    """Waits by cell and day. A cell is one combination of the values of variables; the clock counts whole days.

    A wait is at risk on the days ``start < day ≤ days``. When a variable changes in time, a wait is at risk in one cell
    after the other: it is closed in the first and opened in the second.

    Attributes
    ----------
    values
        g rows: the value of each variable, one row per cell.
    opened, closed
        (g, t + 1): times at risk that begin after a day (``start``), and that end with it (``days``), whether with an
        entry or not.
    events
        Entries by cell and interval.
    clusters
        Groups of dependent waits; None where waits are taken as independent.
    cluster
        What the clusters are: ``artist``, ``track`` or ``independent``.
    """

    values: pd.DataFrame
    opened: Ints
    closed: Ints
    events: Events
    clusters: Clusters | None
    cluster: Cluster

    def _facts(self) -> str:
        waits, entered = int(self.opened.sum()), int(self.entered.sum())
        return f": {waits:,} in {len(self.values):,} cells, {entered:,} entries, up to day {self.horizon}"

    def _shown(self) -> pd.DataFrame:
        return self.values

    @property
    def horizon(self) -> int:
        """Last day t of the clock."""
        return int(self.opened.shape[1]) - 1

    @cached_property
    def at_risk(self) -> Ints:
        """(g, t + 1): waits at risk on each day; 0 on day 0."""
        at_risk = np.zeros_like(self.opened)
        np.cumsum((self.opened - self.closed)[:, :-1], axis=1, out=at_risk[:, 1:])
        return at_risk

    @cached_property
    def entered(self) -> Ints:
        """(g, t + 1): entries on each day."""
        events, length = self.events, self.opened.shape[1]
        flat = np.zeros(self.opened.size, np.int64)
        np.add.at(flat, events.cell * length + events.days, events.count)
        return flat.reshape(self.opened.shape)


class WaitSource(Protocol):
    """Waits that can be counted by variables."""

    def counted(self, variables: tuple[str, ...], *, cluster: Cluster = "artist") -> CountedWaits:
        """Return the waits counted by these variables."""
