"""Cultural distances between countries: the long table, the five nearest of each country, and a summary."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final

import pyarrow as pa

from diffusion import SourceError
from diffusion.contracts import Contract
from pipelines.contracts.auxiliary import LONG, TOP5
from pipelines.reference.distance_sources import Pair, read_pairs
from pipelines.reference.territories import territory, territory_key

NEAREST: Final = 5
"""Number of nearest countries in `cultural_distance_top5`."""


@dataclass(frozen=True, slots=True)
class CulturalDistances:
    """Cultural distances of one source.

    Attributes
    ----------
    long
        One row per ordered pair with a distance, in order of names; columns as in `LONG`.
    top5
        The five nearest countries of each source; columns as in `TOP5`.
    named
        Codes of the territories that the source names, with or without distances.
    notes
        Facts about the source: `cells` = `pairs` + `self_pairs` + `missing` + `duplicate_pairs`; names that are not
        countries; spellings of one country; pairs whose directions differ.
    """

    long: pa.Table
    top5: pa.Table
    named: frozenset[str]
    notes: Mapping[str, Any]


def cultural_distances(path: str | Path) -> CulturalDistances:
    """Return the distances of a square matrix or a long list.

    Self pairs and cells without a distance are left out. Of several distances for one ordered pair of territories, the
    smallest is kept. Directions that differ are both kept. A name that is not a country is kept, without a market.

    Raises
    ------
    SourceError
        When the source cannot be read (see `read_pairs`), has no pair with a distance, or names no country.
    """
    source = read_pairs(path)
    smallest, counts = _smallest(source.pairs)
    if not smallest:
        raise SourceError(f"'{path}' has no pair of two countries with a distance; give a table that has")
    names = _spellings(source.pairs)
    unknown = sorted(spellings[0] for spellings in names.values() if territory(spellings[0]) is None)
    if len(unknown) == len(names):
        raise SourceError(f"'{path}' names no country, but {', '.join(unknown[:3])}; give names or ISO codes")
    shown = {key: spellings[0] for key, spellings in names.items()}
    rows = sorted((shown[a], shown[b], territory(shown[a]), territory(shown[b]), d) for (a, b), d in smallest.items())
    notes = {
        "file": Path(path).name,
        "encoding": source.encoding,
        "layout": source.layout,
        "countries": len(names) - len(unknown),
        "unknown_names": unknown,
        "taken_for_one": {shown[key]: spellings[1:] for key, spellings in names.items() if len(spellings) > 1},
        "cells": len(source.pairs),
        "pairs": len(rows),
        **counts,
        **_asymmetry(smallest),
    }
    named = frozenset(code for name in shown.values() if (code := territory(name)))
    return CulturalDistances(_table(LONG, rows), _table(TOP5, _nearest(rows)), named, notes)


def summary_by_market(long: pa.Table, top5: pa.Table) -> pa.Table:
    """Return a summary of the distances of each source market to all others.

    Returns
    -------
    Table
        One row per `market` in order of code: `cultural_distance_mean`, `_median`, `_min`, `_max` (in the source's
        unit), `cultural_distance_count` (partners), `cultural_top5_targets` (names of the nearest, joined by ``|``).
    """
    distances, targets = defaultdict(list), defaultdict(list)
    for row in long.to_pylist():
        if row["source_market"]:
            distances[row["source_market"]].append(row["cultural_distance"])
    for row in sorted(top5.to_pylist(), key=lambda row: row["rank_within_source"]):
        if row["source_market"]:
            targets[row["source_market"]].append(row["target_country"])
    columns: dict[str, pa.Array] = {"market": pa.array(sorted(distances), pa.string())}
    for name, measure in (("mean", fmean), ("median", median), ("min", min), ("max", max)):
        values = [float(measure(distances[market])) for market in sorted(distances)]
        columns[f"cultural_distance_{name}"] = pa.array(values, pa.float64())
    counts = [len(distances[market]) for market in sorted(distances)]
    columns["cultural_distance_count"] = pa.array(counts, pa.int64())
    joined = ["|".join(targets[market]) for market in sorted(distances)]
    return pa.table(columns | {"cultural_top5_targets": pa.array(joined, pa.string())})


def _smallest(pairs: Sequence[Pair]) -> tuple[dict[tuple[str, str], float], dict[str, int]]:
    """Return the smallest distance of each ordered pair of territories, and the counts of cells left out."""
    smallest: dict[tuple[str, str], float] = {}
    counts = {"self_pairs": 0, "missing": 0, "duplicate_pairs": 0}
    for pair in pairs:
        key = (territory_key(pair.source), territory_key(pair.target))
        if key[0] == key[1]:
            counts["self_pairs"] += 1
        elif pair.distance is None:
            counts["missing"] += 1
        elif key in smallest:
            counts["duplicate_pairs"] += 1
            smallest[key] = min(smallest[key], pair.distance)
        else:
            smallest[key] = pair.distance
    return smallest, counts


def _spellings(pairs: Sequence[Pair]) -> dict[str, list[str]]:
    """Return territory → its names in order of appearance."""
    names: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(name for pair in pairs for name in (pair.source, pair.target)):
        names[territory_key(name)].append(name)
    return names


def _asymmetry(smallest: Mapping[tuple[str, str], float]) -> dict[str, float | int]:
    """Return how much the two directions of pairs differ."""
    differences = [abs(d - smallest[b, a]) for (a, b), d in smallest.items() if a < b and (b, a) in smallest]
    return {
        "asymmetric_pairs": sum(1 for difference in differences if difference > 0),
        "largest_asymmetry": max(differences, default=0.0),
        "pairs_in_one_direction": sum(1 for a, b in smallest if (b, a) not in smallest),
    }


def _nearest(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the first `NEAREST` rows of each source by distance and name, with their rank."""
    by_source: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        by_source[row[0]].append(row)
    return [
        (*row, rank)
        for source in sorted(by_source)
        for rank, row in enumerate(sorted(by_source[source], key=lambda row: (row[4], row[1]))[:NEAREST], start=1)
    ]


def _table(contract: Contract, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return contract.conform(pa.table(dict(zip(contract.names, columns, strict=True)), schema=contract.schema))
