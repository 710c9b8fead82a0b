"""Waits counted in parts of the tracks, on the workers of their entries; counts and sums over clusters come back."""

import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from diffusion import Entries
from diffusion.arrays import Floats, Ints
from diffusion.engine import Parts, Tables
from diffusion.parts import EntryParts, as_tables, summed
from survival.counting.cells import Numbers
from survival.counting.clusters import SpanClusters
from survival.counting.counted import BlockSums, Cluster, ClusterWaits, CountedWaits, Events
from survival.counting.spans import distinct_columns
from survival.counting.variables import Variables

if TYPE_CHECKING:
    from survival.counting.source import Waits

Make: TypeAlias = Callable[[Entries], "Waits"]
"""Makes the waits of the entries of a part."""


@dataclass(frozen=True, slots=True)
class Part:
    """Waits of a part, as they stay on its worker.

    Attributes
    ----------
    counted
        The waits by the cells that the part has.
    tracks
        (k,): id of the track of each unit of the clusters.
    name
        Id of the first track of the part: no other part has it.
    """

    counted: CountedWaits
    tracks: NDArray[np.object_]
    name: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What comes back of a part at first.

    Attributes
    ----------
    values, events
        As in `CountedWaits`.
    opened, closed
        Places of the counts that are not 0, in the flattened table of cells and days, and these counts.
    clusters
        Number of clusters with a wait.
    name
        As in `Part`.
    """

    values: pd.DataFrame
    events: Events
    opened: tuple[Ints, Ints]
    closed: tuple[Ints, Ints]
    clusters: int
    name: str

    @classmethod
    def of(cls, part: Part) -> Self:
        """Return the counts of a part."""
        counted, clusters = part.counted, part.counted.clusters
        number = 0 if clusters is None else clusters.number
        return cls(counted.values, counted.events, _some(counted.opened), _some(counted.closed), number, part.name)


@dataclass(frozen=True, slots=True)
class Placed:
    """Clusters of a part by the cells and kinds of events of all parts.

    Attributes
    ----------
    clusters
        The clusters, numbered within the part.
    first
        Number of the first of them among those of all parts.
    tracks
        As in `Part`.
    """

    clusters: SpanClusters
    first: int
    tracks: NDArray[np.object_]

    def blocks(self) -> Iterator[ClusterWaits]:
        """Yield the times at risk and entries, with clusters numbered over all parts."""
        for block in self.clusters.waits():
            yield replace(block, cluster=block.cluster + self.first, event_cluster=block.event_cluster + self.first)


@dataclass(frozen=True, slots=True, eq=False)
class PartClusters:
    """Clusters of waits on workers; see `survival.counting.counted.Clusters`.

    Attributes
    ----------
    parts
        One `Placed` per part.
    number
        Number of clusters with a wait.
    """

    parts: Parts
    number: int

    @property
    def cluster(self) -> Ints:
        """(k,): number of the cluster of each unit, c for a unit without a wait; units are in order of track."""
        found = [_unpacked(tables) for tables in self.parts.results(_units)]
        order = np.argsort(np.concatenate([tracks for tracks, _ in found]), kind="stable")
        cluster: Ints = np.concatenate([cluster for _, cluster in found])[order]
        return np.where(cluster >= 0, cluster, self.number)

    def sums(self, risk: Floats, event: Floats) -> Floats:
        """Return, (c, p), sums over each cluster's waits."""
        return np.concatenate([_unpacked(tables) for tables in self.parts.results(partial(_sums, risk, event))])

    def summed(self, work: BlockSums) -> dict[str, NDArray[Any]]:
        """Return the sums that `work` makes of all clusters."""
        return summed(self.parts.results(partial(_summed, work)))


def counted_in_parts(parts: EntryParts, waits: "Waits", variables: tuple[str, ...], cluster: Cluster) -> CountedWaits:
    """Return the waits of all parts, counted by variables; without a cell where nobody is at risk.

    Raises
    ------
    SettingError, DataSaysNoError
        As `Waits.part`.
    """
    known = Variables(waits.entries, waits.tables)
    known.check(variables)
    settings = {field.name: getattr(waits, field.name) for field in fields(waits) if field.name != "entries"}
    make = partial(type(waits), **settings)
    whole: dict[str, Numbers] = {}
    if known.in_classes(variables):
        seen = [_unpacked(tables) for tables in parts.results(partial(_sent, _numbers, make, variables))]
        whole = {name: Numbers.united([numbers[name] for numbers in seen]) for name in seen[0]}
    with parts.kept(partial(_sent, _part, make, variables, cluster, whole)) as kept:
        counts: list[Counts] = [_unpacked(tables) for tables in kept.results(_counts)]
        values, places = united([part.values for part in counts])
        waits.check_size(len(values), variables)
        events = _events(counts, places)
        clusters = None if cluster == "independent" else _clusters(kept, counts, values, events)
    opened, closed = (
        _summed_up(counts, name, places, (len(values), waits.horizon + 1)) for name in ("opened", "closed")
    )
    return CountedWaits(values, opened, closed, events, clusters, cluster)


def united(frames: list[pd.DataFrame]) -> tuple[pd.DataFrame, list[Ints]]:
    """Return the distinct rows of frames, in order of their values, missing last; and which of them each row is."""
    ends = np.cumsum([len(frame) for frame in frames])
    levels, codes = [], [np.zeros(ends[-1], np.int64)]
    for name in frames[0]:
        column = np.concatenate([frame[name].to_numpy() for frame in frames])
        found, distinct = pd.factorize(column, sort=True, use_na_sentinel=False)
        codes.append(found.astype(np.int64))
        levels.append(np.asarray(distinct, column.dtype))
    rows, which = distinct_columns(np.stack(codes))
    values = {name: level[at] for name, level, at in zip(frames[0], levels, rows[1:], strict=True)}
    return pd.DataFrame(values, index=range(rows.shape[1])), np.split(which, ends[:-1])


def _events(counts: list[Counts], places: list[Ints]) -> Events:
    """Return the entries of all parts; `places` has the cell of each cell of each part."""
    keys = np.concatenate([_keys(part.events, place) for part, place in zip(counts, places, strict=True)], axis=1)
    kinds, kind = distinct_columns(keys)
    number = np.concatenate([part.events.count for part in counts])
    count = np.bincount(kind, number, kinds.shape[1])
    return Events(kinds[0], kinds[2], kinds[1], np.rint(count).astype(np.int64))


def _keys(events: Events, place: Ints) -> Ints:
    """Return, (3, e), what kinds of events are ordered by, with their cells renumbered."""
    return np.stack([place[events.cell], events.days, events.after])


def _summed_up(counts: list[Counts], name: str, places: list[Ints], shape: tuple[int, int]) -> Ints:
    """Return the sums of counts of the parts by cell and day."""
    total = np.zeros(shape, np.int64)
    for part, place in zip(counts, places, strict=True):
        at, number = getattr(part, name)
        cell, day = np.divmod(at, shape[1])
        total[place[cell], day] += number
    return total


def _clusters(kept: Parts, counts: list[Counts], values: pd.DataFrame, events: Events) -> PartClusters:
    """Return the clusters of the kept parts; what they need stays on the workers until nobody has them."""
    ends = np.cumsum([part.clusters for part in counts])
    first = {part.name: int(end) - part.clusters for part, end in zip(counts, ends, strict=True)}
    return PartClusters(kept.kept(partial(_placed, values, events, first)), int(ends[-1]))


# Work of the workers. Results travel as pickled values, in tables of one row.


def _sent(work: Callable[..., object], *arguments: Any) -> Tables:
    """Return what `work` makes as it travels."""
    return _packed(work(*arguments))


def _numbers(make: Make, variables: tuple[str, ...], entries: Entries) -> Mapping[str, Numbers]:
    return make(entries).numbers(variables)


def _part(
    make: Make, variables: tuple[str, ...], cluster: Cluster, whole: Mapping[str, Numbers], entries: Entries
) -> Part:
    counted, track = make(entries).part(variables, cluster, whole)
    ids = entries.timelines.track_ids
    return Part(counted, ids[track], ids[0])


def _counts(tables: Tables) -> Tables:
    return _packed(Counts.of(_unpacked(tables)))


def _placed(values: pd.DataFrame, events: Events, first: Mapping[str, int], tables: Tables) -> Tables:
    """Return the clusters of a part by the cells and events of all."""
    part: Part = _unpacked(tables)
    clusters = part.counted.clusters
    assert isinstance(clusters, SpanClusters)  # waits of entries were counted by clusters
    place = united([values, part.counted.values])[1][1]
    every = np.arange(len(values))
    kinds = np.concatenate([_keys(events, every), _keys(part.counted.events, place)], axis=1)
    kind = distinct_columns(kinds)[1][len(events.cell) :]
    spans = clusters.spans.renumbered(place)
    spans = replace(spans, events=events, event_kind=kind[spans.event_kind])
    return _packed(Placed(replace(clusters, spans=spans), first[part.name], part.tracks))


def _units(tables: Tables) -> Tables:
    """Return the track of each unit of a part, and its cluster; −1 for a unit without a wait."""
    placed: Placed = _unpacked(tables)
    own = placed.clusters
    return _packed((placed.tracks, np.where(own.cluster < own.number, own.cluster + placed.first, -1)))


def _sums(risk: Floats, event: Floats, tables: Tables) -> Tables:
    return _packed(_unpacked(tables).clusters.sums(risk, event))


def _summed(work: BlockSums, tables: Tables) -> Tables:
    return as_tables(work(_unpacked(tables).blocks()))


def _some(counts: Ints) -> tuple[Ints, Ints]:
    """Return the places of the counts that are not 0, and these counts."""
    at = np.flatnonzero(counts)
    return at, counts.ravel()[at]


def _packed(value: object) -> Tables:
    return {"pickled": pa.table({"value": pa.array([pickle.dumps(value)], pa.large_binary())})}


def _unpacked(tables: Tables) -> Any:
    return pickle.loads(tables["pickled"]["value"][0].as_py())
