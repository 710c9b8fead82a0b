"""Scores of leadership, one value per market, computed from the counts of one graph or of many graphs at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import igraph
import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Floats
from diffusion.display import Displayed
from graphs.leaders.hierarchy import Counts, bradley_terry, springrank

Measure = Literal[
    "out_tracks",
    "in_tracks",
    "net_flow",
    "out_share",
    "pagerank",
    "hub",
    "authority",
    "springrank",
    "bradley_terry",
    "closeness",
    "betweenness",
]

OF_COUNTS: Final[tuple[Measure, ...]] = (
    "out_tracks",
    "in_tracks",
    "net_flow",
    "out_share",
    "pagerank",
    "hub",
    "authority",
    "springrank",
)
"""Measures that need counts only."""

OF_LAGS: Final[tuple[Measure, ...]] = ("closeness", "betweenness")
"""Measures that need counts and median lags."""

MEASURES: Final[tuple[Measure, ...]] = (*OF_COUNTS, "bradley_terry", *OF_LAGS)
"""All measures; `bradley_terry` needs votes."""

DAMPING: Final = 0.85
"""Damping of PageRank."""

LEAST_TRACKS: Final = 5
"""Tracks that an edge needs to be part of a path; otherwise single fast tracks would decide the fastest paths."""

SETTLED: Final = 1e-8
"""Largest change of HITS hubs between n and 2n steps at which they have converged; the next change is its square."""

FEWEST_DOUBLINGS, MOST_DOUBLINGS = 6, 30
"""Doublings of the number of steps. Singular values closer than a relative 1e-10 count as equal after 2⁶ steps."""


@dataclass(frozen=True, slots=True, repr=False)
class Flows(Displayed):
    """Counts, votes and lags from which scores are computed: one graph of m markets, or many.

    Attributes
    ----------
    counts
        (…, m, m): tracks from the row's market to the column's, 0 on the diagonal.
    votes
        (…, m, m): clusters in which the row's market was before the column's; None where they were not counted.
    lags
        (m, m) or (…, m, m): median lag in days, NaN where there is no transition; None where not known.
    """

    counts: Counts
    votes: Counts | None = None
    lags: Floats | None = None

    def _facts(self) -> str:
        return f" between {self.counts.shape[-1]} markets"


def out_tracks(counts: Counts) -> Counts:
    """Return the tracks that each market sent on, counted once per receiving market, (…, m)."""
    sent: Counts = counts.sum(axis=-1)
    return sent


def in_tracks(counts: Counts) -> Counts:
    """Return the tracks that each market received, counted once per sending market, (…, m)."""
    received: Counts = counts.sum(axis=-2)
    return received


def net_flow(counts: Counts) -> Counts:
    """Return transitions sent minus received, (…, m)."""
    return out_tracks(counts) - in_tracks(counts)


def out_share(counts: Counts) -> Floats:
    """Return sent / (sent + received) transitions of each market, (…, m); NaN where it has none."""
    sent, received = out_tracks(counts), in_tracks(counts)
    with np.errstate(invalid="ignore"):
        share: Floats = np.asarray(sent / (sent + received), float)
    return share


def pagerank(counts: Counts) -> Floats:
    """Return PageRank on the reversed flow (damping 0.85), (…, m): high for sources of markets that are sources too.

    The scores add up to 1. A market that received nothing passes its score on to all markets in equal parts. The
    linear system is solved directly, without iteration.

    References
    ----------
    Brin, S. & Page, L. (1998). The anatomy of a large-scale hypertextual web search engine. doi
    10.1016/S0169-7552(98)00110-X.
    """
    received = counts.sum(axis=-2, keepdims=True)
    shares = counts / np.where(received > 0, received, 1)
    m = counts.shape[-1]
    # jumps, and the scores of markets that received nothing, spread equally: they only set the scale
    rank = np.linalg.solve(np.eye(m) - DAMPING * shares, np.ones((m, 1)))[..., 0]
    score: Floats = rank / rank.sum(axis=-1, keepdims=True)
    return score


def hits(counts: Counts) -> tuple[Floats, Floats]:
    """Return HITS hub (sends to good receivers) and authority scores (receives from good senders), (…, m) each.

    Each adds up to 1; all are 0 in a graph without edges. Where the leading singular value is not simple, as in a graph
    of equal separate parts, the scores are the limit of the usual iteration from equal scores.

    Notes
    -----
    The matrix of the iteration is squared repeatedly; n squarings equal 2ⁿ steps.

    References
    ----------
    Kleinberg, J. (1999). Authoritative sources in a hyperlinked environment. doi 10.1145/324133.324140.
    """
    flows = np.asarray(counts, float)
    m = flows.shape[-1]
    each = flows.reshape(-1, m, m)
    hubs = _leading(each @ each.swapaxes(-1, -2)).reshape(flows.shape[:-1])
    return hubs, _shares((flows.swapaxes(-1, -2) @ hubs[..., None])[..., 0])


def _leading(matrices: Floats) -> Floats:
    """Return the limit of the power iteration from equal values, (n, m); matrices are symmetric, with values ≥ 0."""
    power = _scaled(matrices)
    values = _shares(power.sum(axis=-1))
    moving = np.arange(len(power))
    for doubling in range(1, MOST_DOUBLINGS + 1):
        power = _scaled(power @ power)
        fresh = _shares(power.sum(axis=-1))
        still = np.abs(fresh - values[moving]).max(axis=-1, initial=0) > SETTLED
        values[moving] = fresh
        if doubling >= FEWEST_DOUBLINGS:
            power, moving = power[still], moving[still]
        if not len(moving):
            break
    return values


def _scaled(matrices: Floats) -> Floats:
    """Return matrices divided by their traces, (n, m, m)."""
    trace = np.trace(matrices, axis1=-2, axis2=-1)
    scaled: Floats = matrices / np.where(trace > 0, trace, 1)[:, None, None]
    return scaled


def _shares(values: Floats) -> Floats:
    """Return values divided by their sum along the last axis, 0 where that is 0."""
    total = values.sum(axis=-1, keepdims=True)
    shares: Floats = values / np.where(total > 0, total, 1)
    return shares


def closeness(counts: Counts, lags: Floats, *, least_tracks: int = LEAST_TRACKS) -> Floats:
    """Return closeness by lag, per day, (…, m): the mean over other markets of 1 / days of the fastest path to them.

    Parameters
    ----------
    counts
        (…, m, m): tracks from the row's market to the column's.
    lags
        (m, m) or (…, m, m): median lag in days, which is the length of an edge; NaN where there is none.
    least_tracks
        Edges with fewer tracks are not used (default 5).

    Notes
    -----
    A market that cannot be reached counts as 0. With one market the score is 0.

    References
    ----------
    Marchiori, M. & Latora, V. (2000). Harmony in the small-world. doi 10.1016/S0378-4371(00)00311-3.
    """
    days = _lengths(counts, lags, least_tracks)
    m = days.shape[-1]
    for via in range(m):
        np.minimum(days, days[..., :, via, None] + days[..., via, None, :], out=days)
    speed: Floats = (1 / np.where(days > 0, days, np.inf)).sum(axis=-1) / max(m - 1, 1)
    return speed


def lag_betweenness(counts: Counts, lags: Floats, *, least_tracks: int = LEAST_TRACKS) -> Floats:
    """Return betweenness by lag, (…, m): the share of the fastest paths between other markets through each market.

    Parameters
    ----------
    counts
        (…, m, m): tracks from the row's market to the column's.
    lags
        (m, m) or (…, m, m): median lag in days, which is the length of an edge; NaN where there is none.
    least_tracks
        Edges with fewer tracks are not used (default 5): the median lag of few tracks is noisy, and an edge counts
        the same whatever its number of tracks.

    Notes
    -----
    Paths of equal length share the count. With fewer than three markets the score is 0.

    References
    ----------
    Brandes, U. (2001). A faster algorithm for betweenness centrality. doi 10.1080/0022250X.2001.9990249.
    """
    m = counts.shape[-1]
    days = _lengths(counts, lags, least_tracks)
    others = max((m - 1) * (m - 2), 1)
    through = [_lag_graph(one).betweenness(directed=True, weights="days") for one in days.reshape(-1, m, m)]
    shares: Floats = np.array(through, float).reshape(days.shape[:-1]) / others
    return shares


def _lag_graph(days: Floats) -> igraph.Graph:
    """Return the graph of the edges with a finite length above 0."""
    source, target = np.nonzero(np.isfinite(days) & (days > 0))
    edges = np.column_stack((source, target)).tolist()
    return igraph.Graph(len(days), edges, directed=True, edge_attrs={"days": days[source, target].tolist()})


def _lengths(counts: Counts, lags: Floats, least_tracks: int) -> Floats:
    """Return days along every edge, (…, m, m): 0 on the diagonal, infinite where no edge is used."""
    m = counts.shape[-1]
    there = (counts >= max(least_tracks, 1)) & np.isfinite(lags)
    return np.where(np.eye(m, dtype=bool), 0.0, np.where(there, lags, np.inf))


def scores(flows: Flows, measures: Sequence[str] = MEASURES) -> dict[str, Floats]:
    """Return measure → scores, (…, m) each.

    Parameters
    ----------
    flows
        One graph or many.
    measures
        Names of measures (default: all).

    Raises
    ------
    SettingError
        When a measure is unknown, or needs votes or lags that `flows` lacks.
    """
    _check(flows, measures)
    found: dict[str, Floats] = {}
    if {"hub", "authority"} & set(measures):
        found["hub"], found["authority"] = hits(flows.counts)
    for name in measures:
        if name not in found:
            found[name] = _score(flows, name)
    return {name: found[name] for name in measures}


def _check(flows: Flows, measures: Sequence[str]) -> None:
    for name in measures:
        if name not in MEASURES:
            raise SettingError(f"unknown measure '{name}'; known are {', '.join(MEASURES)}")
        if name in OF_LAGS and flows.lags is None:
            raise SettingError(f"'{name}' needs the median lags of the edges; pass lags=, or leave it out")
        if name == "bradley_terry" and flows.votes is None:
            raise SettingError("'bradley_terry' needs votes (clusters in which a market was first); pass votes=")


def _score(flows: Flows, name: str) -> Floats:
    if name == "bradley_terry":
        assert flows.votes is not None
        return bradley_terry(flows.votes)
    if name in OF_LAGS:
        assert flows.lags is not None
        measure = closeness if name == "closeness" else lag_betweenness
        return measure(flows.counts, flows.lags)
    simple = {
        "out_tracks": out_tracks,
        "in_tracks": in_tracks,
        "net_flow": net_flow,
        "out_share": out_share,
        "pagerank": pagerank,
        "springrank": springrank,
    }
    return np.asarray(simple[name](flows.counts), float)


def score_table(flows: Flows, markets: Sequence[str], measures: Sequence[str] | None = None) -> pd.DataFrame:
    """Return one row per market, in the order given: `market` and one column per measure.

    Parameters
    ----------
    flows
        One graph.
    markets
        Codes of its m markets.
    measures
        Names of measures (default: all that can be computed from `flows`). `out_tracks`, `in_tracks` and `net_flow`
        are whole numbers of tracks.
    """
    if measures is None:
        lacking = {*(OF_LAGS if flows.lags is None else ()), *(("bradley_terry",) if flows.votes is None else ())}
        measures = [name for name in MEASURES if name not in lacking]
    table = pd.DataFrame({"market": list(markets), **scores(flows, measures)})
    whole = [name for name in ("out_tracks", "in_tracks", "net_flow") if name in measures]
    return table.astype(dict.fromkeys(whole, "int64"))


def edge_flows(edges: pd.DataFrame, markets: Sequence[str]) -> Flows:
    """Return the flows of an edge table: `tracks` as counts and `lag_median` as lags, markets in the order given.

    Parameters
    ----------
    edges
        `source`, `target`, `tracks`, `lag_median` (days, missing where there is no track). A pair without a row has 0
        tracks.
    markets
        Codes of the m markets.

    Raises
    ------
    DataSaysNoError
        When an edge has a market that is not in `markets`.
    """
    number = pd.Index(list(markets))
    source, target = (number.get_indexer(pd.Index(edges[side])) for side in ("source", "target"))
    if (source < 0).any() or (target < 0).any():
        unknown = (set(edges["source"]) | set(edges["target"])) - set(markets)
        raise DataSaysNoError(f"edges of {', '.join(sorted(unknown))}, which are not among the markets")
    counts = np.zeros((len(number), len(number)), np.int64)
    lags = np.full(counts.shape, np.nan)
    counts[source, target] = edges["tracks"].to_numpy(np.int64)
    lags[source, target] = edges["lag_median"].to_numpy(float, na_value=np.nan)
    return Flows(counts, lags=lags)
