"""Intervals of the descriptive scores: artists are drawn with replacement and the graph is counted again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.sparse import csr_array

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Floats
from diffusion.conventions import CONFIDENCE
from diffusion.display import Displayed
from graphs.leaders.groups import LEAST_ARTISTS, effective_number
from graphs.leaders.hierarchy import Counts
from graphs.leaders.scores import OF_LAGS, Flows, Measure, scores

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

Scale = tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]
"""A scale on which errors are alike, and the way back."""


def _squared(values: Floats) -> Floats:
    return np.square(np.maximum(values, 0))


def _same(values: Floats) -> Floats:
    return values


_PLAIN: Final[Scale] = (_same, _same)

SCALES: Final[Mapping[str, Scale]] = {
    "pagerank": (np.log, np.exp),
    **dict.fromkeys(("hub", "authority", "closeness", "betweenness"), (np.sqrt, _squared)),
}
"""Scales of measures that cannot be negative: logarithms, or roots where the score may be 0."""

LAG_REPLICATES: Final = 100
"""Replicates of the measures of lags at most: a thousand graphs of 249 markets take minutes."""

ROUNDING: Final = 1e-12
"""Standard deviation of replicates that are equal but for rounding."""

BROAD: Final = 400
"""Rows with more non-zero cells are multiplied as dense rows, which is faster for them than sparse multiplication."""

WEIGHTS_AT_ONCE: Final = 100_000_000
"""Weights held at a time, two bytes each."""

SUMS: Final = 4_000_000
"""Counts of pairs scored at a time. It takes a dozen arrays of that size, eight bytes a value."""

DENSE_ROWS, NARROW = 2_048, 128
"""Rows of a dense product, and replicates of a sparse one, at a time: so many fit into the processor's cache."""

WHOLE_32: Final = 1 << 24
"""Float32 holds whole numbers below it exactly. Terms are ≥ 0, so a sum below it had only exact partial sums."""


@dataclass(frozen=True, slots=True, repr=False)
class Leaders(Displayed):
    """Scores that describe who comes first in the charts, with intervals; they hold nothing against chance.

    Attributes
    ----------
    table
        One row per measure and market, best first: `market`, `measure`, `score`; `low`, `high` (95 %, by artist);
        `artists` (effective number of artists behind the market's transitions); `rank` (1 is the highest score; ties
        share the better rank). Where the effective number is below `LEAST_ARTISTS` there is no interval and no rank.
    agreement
        One row per pair of measures: `measure`, `other`, `tau` (Kendall's τ-b over the markets that have both scores).
    replicates
        Number of bootstrap replicates; measures of lags have `LAG_REPLICATES` at most.

    Examples
    --------
    >>> graph.bootstrap(replicates=20)  # graph = graphs.market_graph(entries)
    <Leaders of 67 markets by 9 measures, 20 replicates>
    """

    table: pd.DataFrame
    agreement: pd.DataFrame
    replicates: int

    def _facts(self) -> str:
        markets, measures = (self.table[name].nunique() for name in ("market", "measure"))
        return f" of {markets} markets by {measures} measures, {self.replicates:,} replicates"

    def _shown(self) -> pd.DataFrame:
        return self.table


def bootstrap_leaders(
    transitions: csr_array,
    markets: Sequence[str],
    *,
    lags: Floats | None = None,
    replicates: int = 1000,
    seed: int = 0,
    measures: Sequence[str] | None = None,
) -> Leaders:
    """Return the markets' scores with intervals by artist, ranks, and the agreement of the measures.

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
    A replicate draws as many artists as there are, with replacement, and counts the whole graph again; the counts are
    exact. On a pair of markets an artist votes for the one from which more of the tracks made the transition within the
    window; there is no vote where both directions have equally many.

    An interval is the score ± t times the standard deviation of the replicates, on the scale that `SCALES` names; t has
    as many degrees of freedom as the effective number of artists less one. That of `out_share` is Jeffreys' for as many
    independent transitions as have the variance by artist, so that it lies within 0 … 1 and never has width 0. An
    interval of width 0 says that no replicate differed, not that the score is known: there is none then.

    References
    ----------
    Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap, ch. 12. doi 10.1201/9780429246593.

    Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data. Survey Methodology 24, 193–201.
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
    draws = _scores_of(drawn, m, lags, chosen)
    sent, received = sent_and_received(transitions, m)
    artists = effective_number(sent + received)
    parts = []
    for name in chosen:
        if name == "out_share":
            number, low, high = share_interval(sent, sent + received)
        else:
            number, (low, high) = artists, _interval(point[name], draws[name], artists, SCALES.get(name, _PLAIN))
        parts.append(_rows(name, markets, point[name], low, high, number))
    return Leaders(pd.concat(parts, ignore_index=True), _agreement(point), replicates)


def _scores_of(
    drawn: Iterator[list[Floats]], markets: int, lags: Floats | None, chosen: Sequence[str]
) -> dict[str, Floats]:
    """Return the scores of the replicates, (r, m) each; measures of lags of the first `LAG_REPLICATES`."""
    found: dict[str, list[Floats]] = {name: [] for name in chosen}
    done = 0
    for sums in drawn:
        quick = [name for name in chosen if name not in OF_LAGS]
        slow = [name for name in chosen if name in OF_LAGS]
        few = [part[: max(LAG_REPLICATES - done, 0)] for part in sums]
        for names, own in ((quick, sums), (slow, few)):
            for name, values in (scores(_flows(own, markets, lags), names) if len(own[0]) else {}).items():
                found[name].append(values)
        done += len(sums[0])
    return {name: np.concatenate(parts) for name, parts in found.items()}


def sent_and_received(transitions: csr_array, markets: int) -> tuple[Floats, Floats]:
    """Return the transitions of every cluster from and to every market, (clusters, m) each."""
    place, one = np.arange(markets**2), np.ones(markets**2)
    sides = (place // markets, place % markets)
    sent, received = (
        (transitions @ csr_array((one, (place, side)), shape=(markets**2, markets))).toarray() for side in sides
    )
    return sent, received


def share_interval(part: Floats, whole: Floats) -> tuple[Floats, Floats, Floats]:
    """Return effective number of artists and the bounds of the 95 % interval of Σ part / Σ whole, (m,) each.

    The number is the smaller one of those behind the share's deviation and behind the counts: an artist of a third of
    all tracks says little of other artists, however near its own share is to that of all.

    Parameters
    ----------
    part, whole
        (g, m): counts of every artist, `part` within `whole`.
    """
    total = whole.sum(axis=0)
    share = part.sum(axis=0) / np.where(total > 0, total, np.nan)
    own = np.where(total > 0, (part - np.nan_to_num(share) * whole) / np.maximum(total, 1), 0.0)
    variance, among = np.square(own).sum(axis=0), (whole > 0).sum(axis=0)
    varies = variance > 0
    artists = np.where(varies, np.minimum(effective_number(own), effective_number(whole)), effective_number(whole))
    variance *= among / np.maximum(among - 1, 1)
    number = np.where(varies, share * (1 - share) / np.where(varies, variance, 1), artists)
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(artists - 1, 1))
    number = np.minimum(number, total) * (stats.norm.ppf((1 + CONFIDENCE) / 2) / quantile) ** 2
    low, high = (
        stats.beta.ppf(tail, share * number + 0.5, (1 - share) * number + 0.5)
        for tail in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
    )
    return artists, low, high


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


def _interval(score: Floats, draws: Floats, artists: Floats, scale: Scale) -> tuple[Floats, Floats]:
    """Return the bounds of the 95 % interval of every market's score; NaN where no replicate differs."""
    there, back = scale
    error = there(draws).std(axis=0, ddof=1)
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(artists - 1, 1)) * np.where(error > ROUNDING, error, np.nan)
    return back(there(score) - reach), back(there(score) + reach)


def _rows(
    measure: str, markets: Sequence[str], score: Floats, low: Floats, high: Floats, artists: Floats
) -> pd.DataFrame:
    """Return one measure's rows of `Leaders.table`."""
    enough = artists >= LEAST_ARTISTS
    table = pd.DataFrame(
        {
            "market": list(markets),
            "measure": measure,
            "score": score,
            "low": np.where(enough, low, np.nan),
            "high": np.where(enough, high, np.nan),
            "artists": artists,
            "rank": pd.Series(np.where(enough, -score, np.nan)).rank(method="min").astype("Int64"),
        }
    )
    return table.sort_values(["rank", "market"], na_position="last")


def _agreement(point: dict[str, Floats]) -> pd.DataFrame:
    """Return `Leaders.agreement`."""
    names = list(point)
    one, other = np.triu_indices(len(names), 1)
    tau = kendall(np.stack([point[name] for name in names]))
    return pd.DataFrame(
        {"measure": [names[i] for i in one], "other": [names[i] for i in other], "tau": tau[one, other]}
    )


def kendall(values: Floats) -> Floats:
    """Return Kendall's τ-b between k measures, (k, k), from their values for m markets, (k, m).

    Markets without one of the two values are left out. NaN where a measure is equal for all markets.

    References
    ----------
    Kendall, M. G. (1945). The treatment of ties in ranking problems. doi 10.1093/biomet/33.3.239.

    Examples
    --------
    >>> kendall(np.array([[1.0, 2, 3, 4], [1, 3, 2, 4]]))[0, 1].round(3)
    np.float64(0.667)
    """
    one, other = np.triu_indices(values.shape[-1], 1)
    sign = np.sign(values[:, one] - values[:, other])
    known = (~np.isnan(sign)).astype(float)
    sign = np.nan_to_num(sign)
    untied = (sign * sign) @ known.T
    with np.errstate(invalid="ignore", divide="ignore"):
        tau: Floats = sign @ sign.T / np.sqrt(untied * untied.T)
    return tau


def tau_with_size(scores: pd.DataFrame, size: "pd.Series[float]") -> dict[str, float]:
    """Return measure → Kendall's τ-b of its scores with the size of the markets: how much of a ranking is size alone.

    Parameters
    ----------
    scores
        One row per market (the index), one column per measure; NaN where not defined.
    size
        Size of each market, such as its `entries`, by the same index.

    Examples
    --------
    >>> scores = pd.DataFrame({"hub": [0.5, 0.3, 0.2], "springrank": [0.1, 0.3, 0.2]}, index=["US", "GB", "SE"])
    >>> found = tau_with_size(scores, pd.Series([900, 700, 80], index=["US", "GB", "SE"]))
    >>> {measure: round(tau, 2) for measure, tau in found.items()}
    {'hub': 1.0, 'springrank': -0.33}
    """
    values = np.vstack([size.reindex(scores.index).to_numpy(float), scores.to_numpy(float).T])
    return dict(zip(scores.columns, kendall(values)[0, 1:].tolist(), strict=True))
