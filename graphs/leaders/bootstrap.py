"""How sure one can be of who leads: every score recomputed on clusters of tracks drawn with replacement."""

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
"""Pairs of markets compared at a time, over all measures and replicates: five arrays of that size are needed for it."""

DEFAULT: Final[tuple[Measure, ...]] = (
    "net_flow",
    "out_share",
    "pagerank",
    "hub",
    "authority",
    "springrank",
    "bradley_terry",
)

BROAD: Final = 400
"""Pairs from which a cluster's row is multiplied as a dense one: it is quicker then, if less than a tenth is filled."""

WEIGHTS_AT_ONCE: Final = 100_000_000
"""Weights held at a time, two bytes each."""

SUMS: Final = 8_000_000
"""Counts of pairs scored at a time: a dozen arrays of that size, eight bytes each, are needed for it."""

DENSE_ROWS, NARROW = 2_048, 128
"""Dense rows and, for sparse ones, replicates that are multiplied at a time: they fit into the processor's cache."""

WHOLE_32: Final = 1 << 24
"""Whole numbers below it are exact in 32 bits. Sums only grow, so a result below it was exact all the way."""


@dataclass(frozen=True, slots=True)
class Leaders:
    """Scores with their uncertainty.

    Attributes
    ----------
    table
        One row per measure and market, best first: `market`, `measure`, `score`; `low`, `high` (percentiles of the
        replicates, nominally 95 %); `bias` (mean of the replicates minus `score`: percentiles are off by about as much,
        to the same side); `rank` (1 is the highest score; ties share the better rank), `rank_low`, `rank_high`
        (percentiles of the ranks in the replicates); `group` (see `rank_groups`). Missing where a market has no score.
    agreement
        One row per pair of measures: `measure`, `other`, `tau` (Kendall's τ-b between the scores of the markets that
        have both), `low`, `high` (percentiles of the replicates; these scatter about a value nearer to 0, because what
        chance adds to one measure it does not add to the other in the same way).
    replicates
        How many graphs were drawn.
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
        (m, m): median lag of every pair in days, for `closeness` and `betweenness`. It is held at what was observed
        while the counts that make an edge a way are drawn anew, so the intervals of those two are too narrow.
    replicates
        Graphs to draw (default 1,000).
    seed
        Where chance comes from.
    measures
        Which of `graphs.leaders.scores.MEASURES` (default: those of counts and votes, and of lags where given).

    Raises
    ------
    SettingError
        When there are fewer than 2 replicates or a measure is unknown.
    DataSaysNoError
        When there are fewer than two markets or no transition.

    Notes
    -----
    A replicate draws as many clusters as there are, with replacement, and counts the whole graph again: its counts are
    exact whole numbers. A cluster votes for the market from which more of its tracks made the transition within the
    window than back; it has no vote where they are as many. Clusters are taken as independent of each other.

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
    """Return the graphs of column sums, (r, m²): counts, and votes if there."""
    counts, *votes = (part.reshape(-1, markets, markets) for part in sums)
    return Flows(counts, votes[0] if votes else None, lags)


def cluster_votes(transitions: csr_array) -> csr_array:
    """Return every cluster's votes, (clusters, m²) of 0 and 1: more of its tracks went this way than back."""
    m = round(transitions.shape[1] ** 0.5)
    back = np.arange(m * m).reshape(m, m).T.ravel()
    votes: csr_array = ((transitions - transitions[:, back]) > 0).astype(np.int32)
    return votes


def replicate_counts(
    tables: Sequence[csr_array], *, replicates: int, generator: np.random.Generator
) -> Iterator[list[Floats]]:
    """Yield the column sums of tables whose rows are drawn with replacement, some replicates at a time, (r, columns).

    Parameters
    ----------
    tables
        Tables of whole numbers ≥ 0 with the same rows; the first has something wherever another has. All are given the
        same rows.
    replicates
        How often as many rows as there are shall be drawn.
    generator
        Where chance comes from; the draws do not depend on how many are made at a time.

    Notes
    -----
    How many of the draws fall on rows with something in them is binomial; only those are drawn one by one. Rows with
    many filled cells are multiplied as dense matrices, the others as sparse ones, in numbers of 32 bits where that is
    exact and of 64 bits where it is not.
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
    """Return weightsᵀ × table in one kind of number."""
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
    """Return the group of every market, (m,), 1 for the best; markets of one group cannot be told from its first.

    Parameters
    ----------
    score
        (m,); a market without a score, NaN, has no group.
    draws
        (replicates, m): its bootstrap.
    level
        Confidence with which all markets that are told apart are so rightly.

    Notes
    -----
    Two markets are told apart when their scores differ by more than c standard errors of the difference; c is the
    quantile of the largest such deviation over all pairs in a replicate (single-step max-t), so it allows for the
    number of pairs. From the best market on downwards, a market is in the group of the market that opened it until it
    is told apart from that one; it then opens the next. A market further down may be less sure, and be told apart from
    fewer above it, than its group says.

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
    apart = _told_apart(score[order], values, level)
    first, group = 0, 1
    for place in range(len(order)):
        if apart[first, place]:
            first, group = place, group + 1
        groups[order[place]] = group
    return groups


def _told_apart(score: Floats, draws: Floats, level: float) -> NDArray[np.bool_]:
    """Return which markets differ by more than chance, (m, m)."""
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
    """Return the bounds of the middle `CONFIDENCE` of the replicates along the first axis; NaN where there is none."""
    empty = np.isnan(draws).all(axis=0)
    low, high = np.nanquantile(np.where(empty, 0, draws), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def _mean(draws: Floats) -> Floats:
    """Return the mean of the replicates that have a value, NaN where none has."""
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
    """Return Kendall's τ-b between every two measures, (r, k, k), from their values for m markets, (r, k, m).

    Only markets that have both values count. NaN where a measure is the same for all of them.

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
