"""Shares of markets in what is sent on both sides, from the same drawn artists: what differs, and by how much."""

from typing import Final

import numpy as np
import pandas as pd
from scipy import stats
from scipy.sparse import csr_array

from diffusion import SettingError
from diffusion.arrays import Floats
from diffusion.conventions import CONFIDENCE
from diffusion.pairs.counts import cluster_transitions
from graphs.comparison.sides import Side
from graphs.false_discovery import adjusted
from graphs.leaders.bootstrap import ROUNDING, replicate_counts, sent_and_received
from graphs.leaders.groups import LEAST_ARTISTS, effective_number
from graphs.leaders.scores import Flows, Measure, scores

MEASURES: Final[tuple[Measure, ...]] = ("out_share", "pagerank", "hub", "authority")
"""Measures that do not grow with the number of tracks, so that sides of unequal size can be compared."""

TESTED: Final[Measure] = "out_share"
"""The measure that is tested; the others describe."""


def share_table(markets: tuple[str, ...], a: Side, b: Side, *, window: int, replicates: int, seed: int) -> pd.DataFrame:
    """Return the shares of every market on both sides, one row per measure and market; see `graphs.compare`.

    Notes
    -----
    A replicate draws the artists of both sides together, with replacement, and counts both sides again, so that an
    artist in both moves both. The interval is the difference ± t times the standard deviation of its replicates; t has
    as many degrees of freedom as the smaller effective number of artists less one. p, of `out_share` alone, is that of
    the same t.
    """
    if replicates < 2:
        raise SettingError(f"{replicates} replicates give no interval; give 2 or more, better 1,000")
    m, number = len(markets), 1 + max(int(side.artist.max(initial=0)) for side in (a, b))
    tables = [_transitions(side, window, number) for side in (a, b)]
    together = (tables[0] + tables[1]).tocsr()
    point = [_scores(np.asarray(table.sum(axis=0), np.float64)[None], m) for table in tables]
    difference = {name: (point[0][name] - point[1][name])[0] for name in MEASURES}
    if together.nnz and abs(tables[0] - tables[1]).nnz:
        spread = _spreads([together, *tables], m, replicates, np.random.default_rng(seed))
    else:
        spread = {name: np.zeros(m) for name in MEASURES}
    artists = [effective_number(np.add(*sent_and_received(table, m))) for table in tables]
    parts = [
        _rows(name, markets, [each[name][0] for each in point], difference[name], spread[name], artists)
        for name in MEASURES
    ]
    table = pd.concat(parts, ignore_index=True)
    table["q"] = adjusted(table["p"].to_numpy(np.float64))
    return table


def _transitions(side: Side, window: int, artists: int) -> csr_array:
    """Return the transitions between the common markets, (artists, m²), by artist."""
    table = cluster_transitions(side.timelines, window=window)
    own = np.zeros(table.shape[0], np.int64)
    own[side.timelines.cluster] = side.artist
    every = len(side.timelines.markets)
    kept = table[:, (side.markets[:, None] * every + side.markets).ravel()]
    row = csr_array((np.ones(len(own), np.int32), (own, np.arange(len(own)))), shape=(artists, len(own)))
    moved: csr_array = (row @ kept).tocsr().astype(np.int32)
    return moved


def _scores(sums: Floats, markets: int) -> dict[str, Floats]:
    """Return measure → scores, (r, m), from column sums, (r, m²)."""
    return scores(Flows(sums.reshape(-1, markets, markets)), MEASURES)


def _spreads(
    tables: list[csr_array], markets: int, replicates: int, generator: np.random.Generator
) -> dict[str, Floats]:
    """Return measure → standard deviations, (m,), of the differences of replicates of both sides."""
    drawn: dict[str, list[Floats]] = {name: [] for name in MEASURES}
    for _, *sums in replicate_counts(tables, replicates=replicates, generator=generator):
        one, other = (_scores(part, markets) for part in sums)
        for name in MEASURES:
            drawn[name].append(one[name] - other[name])
    # a replicate without transitions of a market has no share of it
    return {
        name: np.asarray(np.ma.masked_invalid(np.concatenate(parts)).std(axis=0, ddof=1).filled(0))
        for name, parts in drawn.items()
    }


def _rows(
    measure: Measure,
    markets: tuple[str, ...],
    point: list[Floats],
    difference: Floats,
    spread: Floats,
    artists: list[Floats],
) -> pd.DataFrame:
    """Return the rows of one measure."""
    fewest = np.minimum(*artists)
    known = (fewest >= LEAST_ARTISTS) & (spread > ROUNDING)
    free = np.maximum(fewest - 1, 1)
    reach = np.where(known, stats.t.ppf((1 + CONFIDENCE) / 2, free) * spread, np.nan)
    p = 2 * stats.t.sf(np.abs(difference) / np.where(known, spread, 1.0), free)
    return pd.DataFrame(
        {
            "market": list(markets),
            "measure": measure,
            "score_a": point[0],
            "score_b": point[1],
            "artists_a": artists[0],
            "artists_b": artists[1],
            "difference": difference,
            "low": difference - reach,
            "high": difference + reach,
            "p": np.where(known & (measure == TESTED), p, np.nan),
        }
    )
