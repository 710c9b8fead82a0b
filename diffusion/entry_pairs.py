"""Pairs of markets counted over entries: part by part where the entries have workers, with the same array code."""

from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array, csr_array

from diffusion.engine import Tables
from diffusion.pairs.counts import PairCounts, cluster_transitions, pair_counts
from diffusion.pairs.transitions import transition_table
from diffusion.pairs.variance import Several, clusters_of_several
from diffusion.parts import Arrays, EntryParts, in_parts

if TYPE_CHECKING:
    from diffusion.entries import Entries


def counts_in(parts: EntryParts, *, window: int) -> PairCounts:
    """Return `diffusion.pairs.counts.pair_counts` of all entries."""
    return PairCounts(
        tuple(parts.entries.calendar.markets), window, **parts.summed(partial(_pair_counts, window=window))
    )


def transitions_in(parts: EntryParts, counts: PairCounts) -> pa.Table:
    """Return `diffusion.pairs.transitions.transition_table` of all entries, from their pair counts."""
    return transition_table(counts, Several(**parts.summed(partial(_clusters, counts=counts))))


def artist_transitions(entries: "Entries", *, window: int) -> csr_array:
    """Return `diffusion.pairs.counts.cluster_transitions` of all entries: transitions by artist and pair.

    Row i is cluster i of `Entries.timelines`.
    """
    with in_parts(entries) as parts:
        if parts.parts is None:
            return cluster_transitions(entries.timelines, window=window)
        found = parts.results(partial(_transitions, window=window))
    cells = pa.concat_tables(tables["cells"] for tables in found)
    lines, (track, pair, number) = entries.timelines, (cells[name] for name in ("track_id", "pair", "tracks"))
    cluster = lines.cluster[pc.index_in(track, pa.array(lines.track_ids, pa.string())).to_numpy()]
    shape = (int(lines.cluster.max(initial=-1)) + 1, len(lines.markets) ** 2)
    table = coo_array((number.to_numpy(), (cluster.astype(np.int32), pair.to_numpy())), shape=shape).tocsr()
    table.sum_duplicates()
    return table


def _pair_counts(entries: "Entries", *, window: int) -> Arrays:
    counts = pair_counts(entries.timelines, window=window)
    return {name: getattr(counts, name) for name in ("entered", "censored", "joint")}


def _clusters(entries: "Entries", *, counts: PairCounts) -> Arrays:
    found = clusters_of_several(entries.timelines, counts)
    return {one.name: getattr(found, one.name) for one in fields(found)}


def _transitions(entries: "Entries", *, window: int) -> Tables:
    """Return the filled cells of `cluster_transitions`; a track stands for its cluster, whose number is of the part."""
    lines = entries.timelines
    cells = cluster_transitions(lines, window=window).tocoo()
    track = np.zeros(cells.shape[0], np.int64)
    track[lines.cluster] = np.arange(len(lines.cluster))
    ids = pa.array(lines.track_ids, pa.string()).take(pa.array(track[cells.row]))
    return {"cells": pa.table({"track_id": ids.dictionary_encode(), "pair": cells.col, "tracks": cells.data})}
