"""Structure of the graph: pairs beyond the baseline, communities, and whether distances explain the flows."""

from typing import Any, Final

import numpy as np
import pandas as pd
from babel import Locale
from numpy.typing import NDArray

import figures
from diffusion import DataSaysNoError
from diffusion.entry_pairs import artist_transitions
from diffusion.market_groups import group_pairs, market_table
from graphs import MarketGraph, contracts
from graphs.backbone import backbone_by_q, disparity
from graphs.communities import agreement, communities, known_groups, stability
from graphs.contracts.edges import BEYOND
from graphs.distance import Distances, gravity, mantel, mrqap, rate_matrix, symmetrised
from graphs.leaders.bootstrap import replicate_counts
from graphs.leaders.groups import LEAST_ARTISTS
from pipelines.formatting import html_table, many
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step

TERMS: Final = ("log_km", "common_language", "cultural_distance")
"""Distances that are tested together as explanations of the flows."""

STABILITY_REPLICATES: Final = 100
"""Most replicates of the graph on which communities are searched again."""

REPORTED: Final = {
    "community_agreement": ["grouping", "ami", "ami_low", "ami_high", "p", "markets", "communities"],
    "mrqap": ["term", "estimate", "low", "high", "p", "markets"],
    "gravity": ["term", "estimate", "jackknife_low", "jackknife_high", "jackknife_p", "markets"],
}
"""Table → its columns in the report."""

TERM_WORDS: Final = {
    "log_km": "distance (log km)",
    "common_language": "common language",
    "cultural_distance": "cultural distance",
}
"""Term of a model of distances → its words in the report."""


def _make(study: Study, results: Results) -> Output:
    graph, gaps = results.graph, Gaps()
    edges, markets = graph.edges, list(graph.nodes["market"])
    tables = gaps.take("backbone", lambda: {"backbone": backbone_by_q(disparity(_with_lifts(results).edges))})
    tables |= gaps.take("infomap", lambda: {"infomap": _infomap(tables, markets, study.seed)})
    tables |= gaps.take("communities", lambda: _communities(graph, _known(results, markets), study))
    distances = Distances.of(markets, group_pairs(results.entries.groups))
    outcome = rate_matrix(edges, markets, scale="root")
    tables |= gaps.take(
        "mantel", lambda: {"mantel": mantel(symmetrised(outcome), distances, terms=TERMS, given=(), seed=study.seed)}
    )
    tables |= gaps.take("mrqap", lambda: {"mrqap": mrqap(outcome, distances, terms=TERMS, seed=study.seed)})
    tables |= gaps.take("gravity", lambda: {"gravity": gravity(edges, distances, terms=TERMS).table})
    return Output(tables, not_made=gaps)


def _with_lifts(results: Results) -> MarketGraph:
    """Return the graph with what the baseline says of its pairs."""
    if not results.holds("lifts"):
        raise DataSaysNoError("no pair was held against the baseline")
    return results.graph.with_columns(edges=results.table("lifts")[["source", "target", *BEYOND]])


def _known(results: Results, markets: list[str]) -> pd.DataFrame:
    """Return continent, subregion and language of markets, also of groups of markets."""
    return known_groups(markets, market_table(results.entries.groups))


def _communities(graph: MarketGraph, groups: pd.DataFrame, study: Study) -> dict[str, pd.DataFrame]:
    flows, by_artist = graph.counts.counts, artist_transitions(graph.entries, window=graph.window)
    artists = int(np.count_nonzero(np.diff(by_artist.indptr)))
    if artists < LEAST_ARTISTS:
        raise DataSaysNoError(
            f"all transitions are of {many(artists, 'artist')}; how firm communities are is told by drawing artists, "
            f"which needs {LEAST_ARTISTS}"
        )
    drawn = replicate_counts(
        [by_artist],
        replicates=min(study.replicates, STABILITY_REPLICATES),
        generator=np.random.default_rng(study.seed),
    )
    draws = np.concatenate([sums[0] for sums in drawn]).reshape(-1, *flows.shape)
    labels = communities(flows, seed=study.seed)
    firm = stability(labels, draws, groups["market"].tolist(), seed=study.seed)
    given = {name: groups[name].tolist() for name in ("continent", "subregion", "language")}
    agreed = agreement(labels, given, replicates=firm.labels, seed=study.seed)
    return {"communities": firm.markets, "community_agreement": agreed}


def _infomap(tables: dict[str, pd.DataFrame], markets: list[str], seed: int) -> pd.DataFrame:
    """Return the communities that Infomap finds on the backbone; on all flows it finds a single one."""
    if "backbone" not in tables:
        raise DataSaysNoError("there is no backbone to find communities on")
    kept = tables["backbone"]
    number = {market: place for place, market in enumerate(markets)}
    flows: NDArray[np.float64] = np.zeros((len(markets), len(markets)))
    flows[kept["source"].map(number), kept["target"].map(number)] = kept["tracks"]
    return pd.DataFrame({"market": markets, "community": communities(flows, method="infomap", seed=seed)})


def _drawings(results: Results) -> dict[str, Drawing]:
    graph = results.graph
    nodes = graph.nodes
    drawings = {}
    if results.holds("backbone"):
        drawings["backbone_map"] = Drawing(
            "Pairs beyond the baseline (q ≤ .05): more tracks follow than market sizes and likeness expect.",
            lambda: figures.backbone_map(_with_lifts(results).edges, nodes),
        )
    if results.holds("communities"):
        found = results.table("communities").merge(nodes[["market", "name", "latitude", "longitude"]], on="market")
        drawings["community_map"] = Drawing(
            "Communities of markets by their flows (Leiden).", lambda: figures.community_map(found)
        )
        groups = _known(results, found["market"].tolist())
        spoken = found.merge(groups.assign(group=_language_names(groups["language"])), on="market")
        drawings["community_grid"] = Drawing(
            "The same communities by language.",
            lambda: figures.community_grid(spoken[["market", "community", "group"]]),
        )
    return drawings


def _language_names(codes: "pd.Series[str]") -> "pd.Series[str]":
    """Return the English names of languages; a code without a name stays as it is."""
    known = Locale("en").languages
    return codes.map(lambda code: known.get(code, code), na_action="ignore")


def _section(results: Results) -> dict[str, Any]:
    return {
        name: html_table(in_words(results.table(name)[columns])) if results.holds(name) else None
        for name, columns in REPORTED.items()
    }


def in_words(effects: pd.DataFrame) -> pd.DataFrame:
    """Return a table of effects of distances, with their terms and bounds by the names that a report shows."""
    bounds = {f"jackknife_{name}": name for name in ("low", "high", "p")}
    return effects.replace({"term": TERM_WORDS}).rename(columns=bounds)


STRUCTURE = Step(
    name="structure",
    title="Structure: backbone, communities, distance",
    doing="finding communities and testing whether distance explains the flows",
    version=2,
    tables={
        "backbone": contracts.BACKBONE,
        "infomap": contracts.INFOMAP,
        "communities": contracts.COMMUNITIES,
        "community_agreement": contracts.COMMUNITY_AGREEMENT,
        "mantel": contracts.MANTEL,
        "mrqap": contracts.MRQAP,
        "gravity": contracts.GRAVITY,
    },
    make=_make,
    needs=("entries", "graph", "baseline"),
    settings=("replicates", "seed"),
    drawings=_drawings,
    section=_section,
)
