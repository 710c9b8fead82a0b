"""Which markets lead: scores of a flow graph, one value per market.

Every function takes a directed igraph graph whose edges point from the market a track was in first to the one that
followed, and returns an array in the order of its vertices.
"""

import igraph
import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

DAMPING = 0.85

SINGULAR_DRAW = 1e-9
"""Relative distance below which two singular values are one: far above rounding, far below any difference of counts."""


def out_tracks(flows: igraph.Graph) -> NDArray[np.int64]:
    """Return the tracks that each market sent on, counted once per receiving market."""
    return np.asarray(flows.strength(mode="out", weights="tracks"), dtype=np.int64)


def in_tracks(flows: igraph.Graph) -> NDArray[np.int64]:
    """Return the tracks that each market received, counted once per sending market."""
    return np.asarray(flows.strength(mode="in", weights="tracks"), dtype=np.int64)


def net_flow(flows: igraph.Graph) -> NDArray[np.int64]:
    """Return tracks sent minus tracks received."""
    return out_tracks(flows) - in_tracks(flows)


def pagerank(flows: igraph.Graph) -> Scores:
    """Return PageRank on the reversed flow (damping 0.85, weights `tracks`): whom do followed markets follow?

    The scores add up to 1.

    References
    ----------
    Brin, S. & Page, L. (1998). The anatomy of a large-scale hypertextual web search engine. doi
    10.1016/S0169-7552(98)00110-X.
    """
    backwards = flows.copy()
    backwards.reverse_edges()
    return np.asarray(backwards.pagerank(damping=DAMPING, weights="tracks"))


def hits(flows: igraph.Graph) -> tuple[Scores, Scores]:
    """Return HITS hub (sends to good receivers) and authority scores (receives from good senders), weights `tracks`.

    Each adds up to 1; all are 0 in a graph without edges. Where the leading singular value is not simple, as in a graph
    of equal separate parts, the scores are the limit of the usual iteration from equal scores.

    References
    ----------
    Kleinberg, J. (1999). Authoritative sources in a hyperlinked environment. doi 10.1145/324133.324140.
    """
    if not flows.ecount():
        return np.zeros(flows.vcount()), np.zeros(flows.vcount())
    tracks = np.asarray(flows.get_adjacency(attribute="tracks").data, dtype=float)
    left, singular, _ = np.linalg.svd(tracks)
    leading = singular > singular[0] * (1 - SINGULAR_DRAW)
    hubs = left[:, leading] @ left[:, leading].sum(axis=0)
    authorities = tracks.T @ hubs
    return hubs / hubs.sum(), authorities / authorities.sum()


def lag_betweenness(flows: igraph.Graph) -> Scores:
    """Return the share of fastest paths between other markets that run through each market.

    The length of an edge is its median lag in days; a draw between fastest paths is split. 0 with fewer than three
    markets. An edge of few tracks counts as much as one of many, so read this score with the counts.

    References
    ----------
    Brandes, U. (2001). A faster algorithm for betweenness centrality. doi 10.1080/0022250X.2001.9990249.
    """
    others = (flows.vcount() - 1) * (flows.vcount() - 2)
    if others <= 0 or not flows.ecount():
        return np.zeros(flows.vcount())
    between: Scores = np.asarray(flows.betweenness(directed=True, weights="lag_median")) / others
    return between
