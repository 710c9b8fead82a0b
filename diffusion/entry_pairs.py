"""Pairs of markets counted over entries: part by part where the entries have workers, with the same array code."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array, csr_array

from diffusion.arrays import Ints
from diffusion.engine import Tables
from diffusion.pairs.bands import Exposed
from diffusion.pairs.counts import PairCounts, cluster_transitions, pair_counts
from diffusion.pairs.curves import bands_of, check_pair, lag_band, lag_bands, one_band
from diffusion.pairs.transitions import transition_table
from diffusion.pairs.variance import Several, clusters_of_several
from diffusion.parts import Arrays, EntryParts, in_parts
from diffusion.timelines import Timelines

if TYPE_CHECKING:
    from diffusion.entries import Entries


Choice: TypeAlias = Callable[[Timelines], Timelines]
"""Chooses tracks, by themselves and not by others, such as those that debut in a period."""


def all_of(timelines: Timelines) -> Timelines:
    """Return all tracks."""
    return timelines


def counts_in(parts: EntryParts, *, window: int, chosen: Choice = all_of) -> PairCounts:
    """Return `diffusion.pairs.counts.pair_counts` of all tracks that are chosen."""
    sums = parts.summed(partial(_pair_counts, window=window, chosen=chosen))
    return PairCounts(tuple(parts.entries.calendar.markets), window, **sums)


def transitions_in(parts: EntryParts, counts: PairCounts, *, chosen: Choice = all_of) -> pa.Table:
    """Return `diffusion.pairs.transitions.transition_table` of the tracks that `counts` are of."""
    return transition_table(counts, Several(**parts.summed(partial(_clusters, counts=counts, chosen=chosen))))


def lag_band_of(entries: "Entries", source: str, target: str, *, window: int) -> pd.DataFrame:
    """Return `diffusion.pairs.curves.lag_band` of all entries."""
    markets = entries.calendar.markets
    check_pair(markets, source, target)
    parts = in_parts(entries)
    if parts.parts is None:
        return lag_band(entries.timelines, source, target, window=window)
    ends = parts.summed(partial(_ends, source=source, window=window))
    targets = [markets.index(target)]
    sums = parts.summed(partial(_band_sums, source=source, window=window, targets=targets, ends=ends))
    return one_band(markets, source, target, ends, sums)


def lag_bands_of(entries: "Entries", *, window: int) -> Iterator[tuple[str, dict[str, pd.DataFrame]]]:
    """Yield each market as a source, and `diffusion.pairs.curves.lag_bands` from it."""
    markets = entries.calendar.markets
    parts = in_parts(entries)
    if parts.parts is None:
        yield from ((market, lag_bands(entries.timelines, market, window=window)) for market in markets)
        return
    counts = counts_in(parts, window=window)
    sums = parts.summed(partial(_all_band_sums, counts=counts))
    for at, market in enumerate(markets):
        own = {name: values[at] for name, values in sums.items()}
        yield market, bands_of(markets, market, _ends_of(counts, at), own)


def artist_transitions(entries: "Entries", *, window: int) -> csr_array:
    """Return `diffusion.pairs.counts.cluster_transitions` of all entries: transitions by artist and pair."""
    parts = in_parts(entries)
    return artist_transitions_in(parts, window=window)


def artist_transitions_in(parts: EntryParts, *, window: int, chosen: Choice = all_of) -> csr_array:
    """Return `diffusion.pairs.counts.cluster_transitions` of all tracks that are chosen.

    Row i is cluster i of the chosen `Entries.timelines`. From the parts come the cells that are not 0.
    """
    lines = chosen(parts.entries.timelines)
    if parts.parts is None:
        return cluster_transitions(lines, window=window)
    found = parts.results(partial(_transitions, window=window, chosen=chosen))
    cells = pa.concat_tables(tables["cells"] for tables in found).combine_chunks()
    track, pair, number = (cells[name] for name in ("track_id", "pair", "tracks"))
    cluster = lines.cluster[pc.index_in(track.cast(pa.string()), pa.array(lines.track_ids, pa.string())).to_numpy()]
    shape = (int(lines.cluster.max(initial=-1)) + 1, len(lines.markets) ** 2)
    table = coo_array((number.to_numpy(), (cluster.astype(np.int32), pair.to_numpy())), shape=shape).tocsr()
    table.sum_duplicates()
    return table


def _pair_counts(entries: "Entries", *, window: int, chosen: Choice) -> Arrays:
    counts = pair_counts(chosen(entries.timelines), window=window)
    return {name: getattr(counts, name) for name in ("entered", "censored", "joint")}


def _clusters(entries: "Entries", *, counts: PairCounts, chosen: Choice) -> Arrays:
    found = clusters_of_several(chosen(entries.timelines), counts)
    return {one.name: getattr(found, one.name) for one in fields(found)}


def _ends(entries: "Entries", *, source: str, window: int) -> Arrays:
    return Exposed.of(entries.timelines, source, window).ends()


def _band_sums(entries: "Entries", *, source: str, window: int, targets: Sequence[int], ends: Arrays) -> Arrays:
    return Exposed.of(entries.timelines, source, window).sums(**ends, targets=targets)


def _all_band_sums(entries: "Entries", *, counts: PairCounts) -> Arrays:
    """Return the sums of `Exposed.sums` of every source, one after the other."""
    every = range(len(counts.markets))
    found = [
        _band_sums(entries, source=market, window=counts.window, targets=every, ends=_ends_of(counts, at))
        for at, market in enumerate(counts.markets)
    ]
    return {name: np.stack([sums[name] for sums in found]) for name in found[0]}


def _ends_of(counts: PairCounts, source: int) -> dict[str, Ints]:
    return {"entered": counts.entered[source], "censored": counts.censored[source]}


def _transitions(entries: "Entries", *, window: int, chosen: Choice) -> Tables:
    """Return the filled cells of `cluster_transitions`; a track stands for its cluster, whose number is of the part."""
    lines = chosen(entries.timelines)
    cells = cluster_transitions(lines, window=window).tocoo()
    track = np.zeros(cells.shape[0], np.int64)
    track[lines.cluster] = np.arange(len(lines.cluster))
    ids = pa.array(lines.track_ids, pa.string()).take(pa.array(track[cells.row]))
    return {"cells": pa.table({"track_id": ids, "pair": cells.col, "tracks": cells.data})}
