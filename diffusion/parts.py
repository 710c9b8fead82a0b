"""Entries in parts: disjoint sets of whole artists' tracks. What is counted in every part adds up to the whole."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from heapq import heapreplace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from diffusion.engine import Parts, Tables
from diffusion.timelines import distinct, primary_artists

if TYPE_CHECKING:
    from diffusion.entries import Entries

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
"""Name → array."""

TABLES = ("table", "withheld", "described")
"""Tables of `Entries` whose rows are of tracks."""


@dataclass(frozen=True, slots=True)
class EntryParts:
    """Entries in parts, on the workers of their engine; without workers, there is one part, in this process.

    Attributes
    ----------
    entries
        All entries.
    parts
        Parts on the workers; None for one part in this process.
    """

    entries: "Entries"
    parts: Parts | None

    def results(self, work: Callable[["Entries"], Tables]) -> list[Tables]:
        """Return what `work` makes of the entries of every part, in order of the parts."""
        return list(self.one_by_one(work))

    def one_by_one(self, work: Callable[["Entries"], Tables]) -> Iterable[Tables]:
        """Return the same as `results` without holding all of it, where each is larger than what is made of them."""
        return [work(self.entries)] if self.parts is None else self.parts.results(self._on_entries(work))

    def kept(self, work: Callable[["Entries"], Tables]) -> Parts:
        """Return what `work` makes of the entries of every part on the workers; it stays there."""
        assert self.parts is not None, "without workers there is nothing to keep elsewhere"
        return self.parts.kept(self._on_entries(work))

    def summed(self, work: Callable[["Entries"], Arrays]) -> dict[str, NDArray[Any]]:
        """Return the sums over the parts of the arrays that `work` makes; their shapes are the same in every part."""
        if self.parts is None:
            return dict(work(self.entries))
        return summed(self.one_by_one(partial(_packed, work)))

    def _on_entries(self, work: Callable[["Entries"], Tables]) -> Callable[[Tables], Tables]:
        # a slice would be pickled with the whole table
        none = {name: getattr(self.entries, name).schema.empty_table() for name in (*TABLES, "recordings")}
        return partial(_of_tables, work, replace(self.entries, **none, workers=None))


def in_parts(entries: "Entries") -> EntryParts:
    """Return entries in parts on their workers: sent when they are first asked for, and freed with the entries.

    Examples
    --------
    >>> parts = in_parts(entries)  # entries = diffusion.open_sample().entries()
    >>> parts.summed(lambda part: {"entries": np.array(len(part))})
    {'entries': array(11235)}
    """
    return EntryParts(entries, entries.on_workers)


def spread(entries: "Entries") -> Parts | None:
    """Send entries to their workers in parts; None where one part is enough, or there are no workers."""
    number = 1 if entries.workers is None else entries.workers.number(len(entries))
    if entries.workers is None or number == 1:
        return None
    entries.calendar.arrow("spans", min_periods=entries.rules.min_periods)  # made once here, not in every part
    return entries.workers.spread(divided(entries, number))


def divided(entries: "Entries", number: int) -> list[Tables]:
    """Return the rows of `TABLES` in at most so many parts of about as many entries; no artist is in two of them."""
    ids = pc.unique(entries.table["track_id"]).sort()
    artist = distinct(primary_artists(ids.to_numpy(zero_copy_only=False), entries.described))
    rows = np.bincount(artist[pc.index_in(entries.table["track_id"], ids).to_numpy()])
    part = _dealt(rows, number)
    of_track, number = part[artist], int(part.max()) + 1
    tables = {name: _divided(getattr(entries, name), ids, of_track, number) for name in TABLES}
    return [{name: parts[at] for name, parts in tables.items()} for at in range(number)]


def _dealt(sizes: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """Return a part for each artist, so that no part has more entries than the mean and those of the largest artist."""
    part, smallest = np.empty(len(sizes), np.int64), [(0, own) for own in range(number)]
    for artist in np.argsort(-sizes, kind="stable").tolist():  # the largest first, into the part with fewest entries
        entries, part[artist] = smallest[0]
        heapreplace(smallest, (entries + int(sizes[artist]), int(part[artist])))
    return part


def summed(results: Iterable[Tables]) -> dict[str, NDArray[Any]]:
    """Return the sums of arrays that came back from the parts, added in order of the parts."""
    total: dict[str, NDArray[Any]] = {}
    for tables in results:
        for name, table in tables.items():
            total[name] = total[name] + _array(table) if name in total else _array(table)
    return total


def as_tables(arrays: Arrays) -> Tables:
    """Return arrays of numbers as tables, for `summed`."""
    return {
        name: pa.table({"value": pa.array(np.ravel(array))}).replace_schema_metadata(
            {"shape": json.dumps(np.shape(array))}
        )
        for name, array in arrays.items()
    }


def _of_tables(work: Callable[["Entries"], Tables], frame: "Entries", tables: Tables) -> Tables:
    """Return what `work` makes of the entries of a part: those of `frame`, which has none, with its tables."""
    return work(replace(frame, **tables))


def _packed(work: Callable[["Entries"], Arrays], entries: "Entries") -> Tables:
    return as_tables(work(entries))


def _array(table: pa.Table) -> NDArray[Any]:
    values: NDArray[Any] = table["value"].to_numpy()
    return values.reshape(json.loads(table.schema.metadata[b"shape"]))


def _divided(table: pa.Table, ids: pa.Array, part: NDArray[np.int64], number: int) -> list[pa.Table]:
    """Return the rows of a table by part of their track; rows of other tracks are left out."""
    track = pc.fill_null(pc.index_in(table["track_id"], ids), -1).to_numpy()
    own = np.where(track >= 0, part[track], number)
    order = np.argsort(own, kind="stable")
    cuts = np.searchsorted(own[order], np.arange(number + 1))
    whole = table.take(pa.array(order))
    return [whole.slice(begin, end - begin) for begin, end in pairwise(cuts.tolist())]
