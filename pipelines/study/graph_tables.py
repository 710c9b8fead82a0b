"""Tables of a graph's steps: its leaders, its structure, and who is followed directly."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from diffusion import DataSaysNoError, Entries
from diffusion.pairs.counts import cluster_transitions
from graphs import MarketGraph, direct_edges
from graphs.backbone import backbone_by_q, disparity
from graphs.communities import agreement, communities, known_groups, stability
from graphs.distance import Distances, gravity, mantel, mrqap, rate_matrix, symmetrised
from graphs.leaders.bootstrap import replicate_counts
from graphs.leaders.rolling import rolling_leaders
from graphs.leaders.validity import leader_validity

Tables = dict[str, pd.DataFrame]

TERMS: Final = ("log_km", "common_language", "cultural_distance")
"""Distances that are asked whether they explain the flows, together."""

ROLLING: Final = ("out_share", "pagerank", "springrank")
"""Measures that are followed over time."""

STABILITY_REPLICATES: Final = 100
"""Graphs on which communities are searched anew."""

YEAR: Final = 365
QUARTER: Final = 91


class Gaps(dict[str, str]):
    """Table that the data could not give → why."""

    def take(self, name: str, make: Callable[[], Tables]) -> Tables:
        """Return the tables that `make` makes, none where the data says no."""
        try:
            return make()
        except DataSaysNoError as error:
            self[name] = str(error)
            return {}


def leader_tables(graph: MarketGraph, entries: Entries, *, replicates: int, seed: int) -> tuple[Tables, Gaps]:
    """Return the leaders with intervals, the agreement of measures, leaders over time, and what they predict.

    Returns
    -------
    tuple
        `leaders`, `agreement`, `rolling`, `validity`, `validity_pairs`, as `bootstrap`, `rolling` and `validity`
        in `graphs.leaders` describe them (by half-year of debut); and those that the data could not give.
    """
    gaps = Gaps()
    found = graph.bootstrap(replicates=replicates, seed=seed)
    tables = {"leaders": found.table, "agreement": found.agreement}
    tables |= gaps.take("rolling", lambda: {"rolling": _rolling(graph, replicates, seed)})
    return tables | gaps.take("validity", lambda: _validity(graph, entries, seed)), gaps


def _rolling(graph: MarketGraph, replicates: int, seed: int) -> pd.DataFrame:
    spans = graph.timelines
    days = int(spans.span_last.max() - spans.span_first.min()) + 1
    if days < YEAR + QUARTER:
        raise DataSaysNoError(f"{days} days of charts; leaders over time need {YEAR + QUARTER}")
    return rolling_leaders(
        spans, window=graph.window, width=YEAR, step=QUARTER, replicates=replicates, seed=seed, measures=ROLLING
    )


def _validity(graph: MarketGraph, entries: Entries, seed: int) -> Tables:
    # half-years: a few years of charts make too few pairs of years
    depth = entries.calendar.by_market().set_index("market")["depth_median"].astype(float)
    found = leader_validity(
        graph.timelines,
        entries.artists.to_pandas(),
        window=graph.window,
        by="half",
        depth={str(market): rows for market, rows in depth.items()},
        seed=seed,
    )
    return {"validity": found.table, "validity_pairs": found.pairs}


def structure_tables(graph: MarketGraph, *, replicates: int, seed: int) -> tuple[Tables, Gaps]:
    """Return the backbone, the communities, and whether distances explain the flows.

    Returns
    -------
    tuple
        `backbone` (edges with q ≤ .05 and their disparity), `infomap` (communities on it), `communities` (Leiden, as
        `graphs.communities.Stability.markets`), `community_agreement`, `mantel`, `mrqap` (on the square root of the
        rate), `gravity`; and those that the data could not give.
    """
    gaps = Gaps()
    edges, markets = graph.edges, list(graph.nodes["market"])
    tables = gaps.take("backbone", lambda: {"backbone": backbone_by_q(disparity(edges))})
    tables |= gaps.take("infomap", lambda: {"infomap": _infomap(tables, markets, seed)})
    tables |= gaps.take("communities", lambda: _communities(graph, markets, replicates, seed))
    distances = Distances.of(markets)
    outcome = rate_matrix(edges, markets, scale="root")
    tables |= gaps.take(
        "mantel", lambda: {"mantel": mantel(symmetrised(outcome), distances, terms=TERMS, given=(), seed=seed)}
    )
    tables |= gaps.take("mrqap", lambda: {"mrqap": mrqap(outcome, distances, terms=TERMS, seed=seed)})
    return tables | gaps.take("gravity", lambda: _gravity(edges, distances)), gaps


def _gravity(edges: pd.DataFrame, distances: Distances) -> Tables:
    # many small decompositions: with more threads than free cores they take ten times as long
    with threadpool_limits(limits=1, user_api="blas"):
        return {"gravity": gravity(edges, distances, terms=TERMS).table}


def _communities(graph: MarketGraph, markets: list[str], replicates: int, seed: int) -> Tables:
    flows = graph.counts.counts
    transitions = cluster_transitions(graph.timelines, window=graph.window)
    drawn = replicate_counts(
        [transitions],
        replicates=min(replicates, STABILITY_REPLICATES),
        generator=np.random.default_rng(seed),
    )
    draws = np.concatenate([sums[0] for sums in drawn]).reshape(-1, *flows.shape)
    labels = communities(flows, seed=seed)
    firm = stability(labels, draws, markets, seed=seed)
    groups = known_groups(markets)
    given = {name: groups[name].tolist() for name in ("continent", "subregion", "language")}
    agreed = agreement(labels, given, replicates=firm.labels, seed=seed)
    return {"communities": firm.markets, "community_agreement": agreed}


def _infomap(tables: Tables, markets: list[str], seed: int) -> pd.DataFrame:
    """Return the communities that Infomap finds on the backbone; on all flows it finds a single one."""
    if "backbone" not in tables:
        raise DataSaysNoError("there is no backbone to search on")
    kept = tables["backbone"]
    number = {market: place for place, market in enumerate(markets)}
    flows: NDArray[np.float64] = np.zeros((len(markets), len(markets)))
    flows[kept["source"].map(number), kept["target"].map(number)] = kept["tracks"]
    return pd.DataFrame({"market": markets, "community": communities(flows, method="infomap", seed=seed)})


def direct_tables(entries: Entries, *, window: int | None, horizon: int) -> tuple[Tables, Gaps]:
    """Return direct influence, as `graphs.direct_edges` fits it.

    Returns
    -------
    tuple
        `influence`, `credits` (per entry), `background`, `clout`; nothing where the data says no, and why.
    """
    gaps = Gaps()

    def fitted() -> Tables:
        found = direct_edges(entries, window=window, horizon=horizon)
        return {
            "influence": found.table,
            "credits": found.entry_credits(),
            "background": found.background,
            "clout": found.scores(),
        }

    return gaps.take("influence", fitted), gaps
