"""Bootstrap intervals of the scores: clusters of tracks are drawn with replacement and the graph is counted again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import rankdata

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Floats
from diffusion.conventions import CONFIDENCE
from graphs.leaders.hierarchy import Counts
from graphs.leaders.scores import OF_LAGS, Flows, Measure, scores

SIGNS: Final = 2_000_000
"""Pairs of markets compared at a time, over all measures and replicates. It takes five arrays of that size."""

DEFAULT: Final[tuple[Measure, ...]] = (
    "net_flow",
    "out_share",
    "pagerank",
    "hub",
    "authority",
    "springrank",
    "bradley_terry",
)
"""Measures without lags, which are computed where no others are asked for."""

BROAD: Final = 400
"""Rows with more non-zero cells are multiplied as dense rows, which is faster for them than sparse multiplication."""

WEIGHTS_AT_ONCE: Final = 100_000_000
"""Weights held at a time, two bytes each."""

SUMS: Final = 8_000_000
"""Counts of pairs scored at a time. It takes a dozen arrays of that size, eight bytes a value."""

DENSE_ROWS, NARROW = 2_048, 128
"""Rows of a dense product, and replicates of a sparse one, at a time: so many fit into the processor's cache."""

WHOLE_32: Final = 1 << 24
"""Float32 holds whole numbers below it exactly. Terms are ≥ 0, so a sum below it had only exact partial sums."""


@dataclass(frozen=True, slots=True)
class Leaders:
    """Scores with bootstrap intervals.

    Attributes
    ----------
    table
        One row per measure and market, best first: `market`, `measure`, `score`; `low`, `high` (percentiles of the
        replicates, nominally 95 %); `bias` (mean of the replicates minus `score`; `low` and `high` are shifted by about
        as much in the same direction); `rank` (1 is the highest score; ties share the better rank), `rank_low`,
        `rank_high` (percentiles of the ranks in the replicates); `group` (see `rank_groups`). Missing where a market
        has no score.
    agreement
        One row per pair of measures: `measure`, `other`, `tau` (Kendall's τ-b over the markets that have both scores),
        `low`, `high` (percentiles of the replicates; they lie nearer to 0 than `tau`, because resampling adds noise to
        both measures).
    replicates
        Number of bootstrap replicates.
    """

    table: pd.DataFrame
    agreement: pd.DataFrame
    replicates: int


def bootstrap_leaders(
    transitions: csr_array,
    markets: Sequence[str],
    *,
    lags: Floats | None = None,
    replicates: int = 1000,
    seed: int = 0,
    measures: Sequence[str] | None = None,
) -> Leaders:
    """Return the markets' scores with bootstrap intervals, ranks, groups, and agreement between the measures.

    Parameters
    ----------
    transitions
        (clusters, m²): every cluster's transitions, as `diffusion.pairs.counts.cluster_transitions` returns them.
    markets
        Codes of the m markets.
    lags
        (m, m): median lag of every pair in days, for `closeness` and `betweenness`. Only the counts are resampled, the
        lags stay as observed, so the intervals of these two measures are too narrow.
    replicates
        Bootstrap replicates (default 1,000).
    seed
        Seed of the random draws (default 0).
    measures
        Names from `graphs.leaders.scores.MEASURES` (default: `DEFAULT`, and those of lags where `lags` is given).

    Raises
    ------
    SettingError
        When there are fewer than 2 replicates or a measure is unknown.
    DataSaysNoError
        When there are fewer than two markets or no transition.

    Notes
    -----
    A replicate draws as many clusters as there are, with replacement, and counts the whole graph again; the counts are
    exact. On a pair of markets a cluster votes for the one from which more of its tracks made the transition within the
    window; it has no vote where both directions have equally many. Clusters are taken as independent of each other.

    References
    ----------
    Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap, ch. 13. doi 10.1201/9780429246593.
    """
    m = len(markets)
    if replicates < 2:
        raise SettingError(f"{replicates} replicates give no interval; give 2 or more, better 1,000")
    if m < 2 or not transitions.nnz:
        raise DataSaysNoError(f"no transition between {m} markets; leaders need two markets and a track that travels")
    chosen = list(measures or (*DEFAULT, *(() if lags is None else OF_LAGS)))
    tables = [transitions, *([cluster_votes(transitions)] if "bradley_terry" in chosen else [])]
    totals: list[Counts] = [np.asarray(table.sum(axis=0), np.int64)[None] for table in tables]
    point = {name: score[0] for name, score in scores(_flows(totals, m, lags), chosen).items()}
    drawn = replicate_counts(tables, replicates=replicates, generator=np.random.default_rng(seed))
    parts = [scores(_flows(sums, m, lags), chosen) for sums in drawn]
    draws = {name: np.concatenate([part[name] for part in parts]) for name in chosen}
    table = pd.concat([_rows(name, markets, point[name], draws[name]) for name in chosen], ignore_index=True)
    return Leaders(table, _agreement(point, draws), replicates)


def _flows(sums: Sequence[Counts], markets: int, lags: Floats | None) -> Flows:
    """Return the flows of r graphs from column sums, (r, m²) each: counts and, where given, votes."""
    counts, *votes = (part.reshape(-1, markets, markets) for part in sums)
    return Flows(counts, votes[0] if votes else None, lags)


def cluster_votes(transitions: csr_array) -> csr_array:
    """Return every cluster's votes, (clusters, m²): 1 where more of its tracks went this way than back, else 0."""
    m = round(transitions.shape[1] ** 0.5)
    back = np.arange(m * m).reshape(m, m).T.ravel()
    votes: csr_array = ((transitions - transitions[:, back]) > 0).astype(np.int32)
    return votes


def replicate_counts(
    tables: Sequence[csr_array], *, replicates: int, generator: np.random.Generator
) -> Iterator[list[Floats]]:
    """Yield the column sums of resampled tables, (r, columns) each, for some replicates at a time.

    Parameters
    ----------
    tables
        Tables of whole numbers ≥ 0 about the same rows. A row that is empty in the first is empty in the others. A
        replicate uses the same rows of all tables.
    replicates
        Number of replicates; each draws as many rows as there are, with replacement.
    generator
        Source of the random draws; they do not depend on how many replicates are made at a time.

    Notes
    -----
    Empty rows add nothing: the number of draws of other rows is binomial, and only these are drawn. Rows with many
    non-zero cells are multiplied as dense matrices, the others as sparse ones, in 32 bits where that is exact and in 64
    bits otherwise.
    """
    rows = tables[0].shape[0]
    filled = np.flatnonzero(np.diff(tables[0].indptr))
    parts = [table[filled] for table in tables]
    at_once = max(1, min(replicates, WEIGHTS_AT_ONCE // max(len(filled), 1), SUMS // tables[0].shape[1]))
    for begin in range(0, replicates, at_once):
        weights = np.empty((len(filled), min(at_once, replicates - begin)), np.uint16)
        for column in range(weights.shape[1]):
            drawn = generator.binomial(rows, len(filled) / rows)
            weights[:, column] = np.bincount(generator.integers(0, len(filled), drawn), minlength=len(filled))
        yield [_weighted(part, weights) for part in parts]


def _weighted(table: csr_array, weights: NDArray[np.uint16]) -> Floats:
    """Return the exact sums of the table's rows under every column of weights, (replicates, columns)."""
    short = _products(table, weights, np.float32)
    sums = short if short.max(initial=0) < WHOLE_32 else _products(table, weights, np.float64)
    return sums.astype(np.float64)


def _products(
    table: csr_array, weights: NDArray[np.uint16], number: type[np.float32 | np.float64]
) -> NDArray[np.floating]:
    """Return weightsᵀ × table, computed in the given type of number."""
    table = table.astype(number)
    size = np.diff(table.indptr)
    broad, narrow = np.flatnonzero(size > BROAD), np.flatnonzero(size <= BROAD)
    sums = np.zeros((weights.shape[1], table.shape[1]), number)
    for begin in range(0, len(broad), DENSE_ROWS):
        rows = broad[begin : begin + DENSE_ROWS]
        sums += weights[rows].T.astype(number) @ table[rows].toarray()
    across = table[narrow].T
    for begin in range(0, len(sums), NARROW):
        block = slice(begin, begin + NARROW)
        sums[block] += (across @ weights[narrow, block].astype(number)).T
    return sums


def _rows(measure: str, markets: Sequence[str], score: Floats, draws: Floats) -> pd.DataFrame:
    """Return one measure's rows of `Leaders.table`."""
    low, high = _percentiles(draws)
    ranks = rankdata(np.where(np.isnan(draws), np.inf, -draws), axis=1, method="min")
    table = pd.DataFrame(
        {
            "market": list(markets),
            "measure": measure,
            "score": score,
            "low": low,
            "high": high,
            "bias": _mean(draws) - score,
            "rank": pd.Series(-score).rank(method="min"),
            "rank_low": np.quantile(ranks, (1 - CONFIDENCE) / 2, axis=0, method="inverted_cdf"),
            "rank_high": np.quantile(ranks, (1 + CONFIDENCE) / 2, axis=0, method="inverted_cdf"),
            "group": rank_groups(score, draws),
        }
    )
    places = ["rank", "rank_low", "rank_high", "group"]
    table[places] = table[places].where(table["score"].notna(), other=np.nan)
    table = table.astype(dict.fromkeys(places, "Int64"))
    return table.sort_values(["rank", "market"], na_position="last")


def rank_groups(score: Floats, draws: Floats, *, level: float = CONFIDENCE) -> Floats:
    """Return the rank group of every market, (m,), 1 for the best.

    The markets of a group do not differ significantly from its first market.

    Parameters
    ----------
    score
        (m,): scores; NaN gives no group.
    draws
        (replicates, m): scores of the bootstrap replicates.
    level
        Confidence that all differences called significant are real, over all pairs together (default .95).

    Notes
    -----
    Two markets differ significantly when their scores differ by more than c standard errors of the difference; c is the
    `level` quantile of the largest such deviation over all pairs in a replicate (single-step max-t), so it allows for
    the number of pairs. Groups are formed from the best market downwards: the first market that differs significantly
    from the first of the current group opens the next group. A group compares its markets with its first only; markets
    of different groups need not differ significantly.

    References
    ----------
    Romano, J. P. & Wolf, M. (2005). Exact and approximate stepdown methods for multiple hypothesis testing. doi
    10.1198/016214504000000539.
    """
    groups = np.full(len(score), np.nan)
    order = np.argsort(-score, kind="stable")[: int((~np.isnan(score)).sum())]
    if not len(order):
        return groups
    values = draws[:, order]
    values = np.where(np.isnan(values), _mean(values), values)
    apart = _significantly_apart(score[order], values, level)
    first, group = 0, 1
    for place in range(len(order)):
        if apart[first, place]:
            first, group = place, group + 1
        groups[order[place]] = group
    return groups


def _significantly_apart(score: Floats, draws: Floats, level: float) -> NDArray[np.bool_]:
    """Return which pairs of markets differ significantly, (m, m)."""
    off = draws - draws.mean(axis=0)
    shared = off.T @ off / (len(draws) - 1)
    own = np.diag(shared)
    error = np.sqrt(np.maximum(own[:, None] + own[None, :] - 2 * shared, 0))
    size = max(float(np.abs(score).max()), 1.0)
    firm = error <= 1e-12 * size
    largest = np.zeros(len(draws))
    for market in range(len(score)):
        deviation = np.abs(off[:, [market]] - off) / np.where(firm[market], np.inf, error[market])
        largest = np.maximum(largest, deviation.max(axis=1))
    difference = np.abs(score[:, None] - score[None, :])
    apart: NDArray[np.bool_] = difference > np.maximum(np.quantile(largest, level) * error, 1e-9 * size)
    return apart


def _percentiles(draws: Floats) -> tuple[Floats, Floats]:
    """Return the bounds of the middle `CONFIDENCE` share of the replicates (first axis); NaN where none has a value."""
    empty = np.isnan(draws).all(axis=0)
    low, high = np.nanquantile(np.where(empty, 0, draws), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def _mean(draws: Floats) -> Floats:
    """Return the mean over the replicates with a value, NaN where none has one."""
    there = ~np.isnan(draws)
    count = there.sum(axis=0)
    mean: Floats = np.where(count > 0, np.where(there, draws, 0).sum(axis=0) / np.maximum(count, 1), np.nan)
    return mean


def _agreement(point: dict[str, Floats], draws: dict[str, Floats]) -> pd.DataFrame:
    """Return `Leaders.agreement`."""
    names = list(point)
    one, other = np.triu_indices(len(names), 1)
    tau = kendall(np.stack([point[name] for name in names])[None])[0]
    low, high = _percentiles(kendall(np.stack([draws[name] for name in names], axis=1)))
    return pd.DataFrame(
        {
            "measure": [names[i] for i in one],
            "other": [names[i] for i in other],
            "tau": tau[one, other],
            "low": low[one, other],
            "high": high[one, other],
        }
    )


def kendall(values: Floats) -> Floats:
    """Return Kendall's τ-b between k measures, (r, k, k), from their values for m markets, (r, k, m).

    Markets without one of the two values are left out. NaN where a measure is equal for all markets.

    References
    ----------
    Kendall, M. G. (1945). The treatment of ties in ranking problems. doi 10.1093/biomet/33.3.239.

    Examples
    --------
    >>> kendall(np.array([[[1.0, 2, 3, 4], [1, 3, 2, 4]]]))[0, 0].round(3).tolist()
    [1.0, 0.667]
    """
    measures, markets = values.shape[1:]
    at_once = max(1, SIGNS // max(measures * markets * (markets - 1) // 2, 1))
    return np.concatenate([_kendall(values[at : at + at_once]) for at in range(0, len(values), at_once)])


def _kendall(values: Floats) -> Floats:
    one, other = np.triu_indices(values.shape[-1], 1)
    sign = np.sign(values[..., one] - values[..., other])
    known = (~np.isnan(sign)).astype(float)
    sign = np.where(np.isnan(sign), 0.0, sign)
    agree = sign @ sign.swapaxes(-1, -2)
    untied = (sign * sign) @ known.swapaxes(-1, -2)
    pairs = np.sqrt(untied * untied.swapaxes(-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        tau: Floats = agree / pairs
    return tau
