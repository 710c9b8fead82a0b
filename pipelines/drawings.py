"""Which figures a run draws, and from what."""

from collections.abc import Callable, Mapping

import pandas as pd

import figures
from diffusion import DataSaysNoError, market_names
from diffusion.schema import LEAST_EXPOSED
from graphs import MarketGraph
from graphs.communities import known_groups
from pipelines.report import TITLES
from survival import Breakthrough

Drawing = Callable[[], figures.Figure]

MOST_CURVES = 4
"""Pairs whose lag curves are drawn: those of the highest rates."""

SHOWN = ("net_flow", "out_share", "pagerank", "springrank")
"""Measures whose intervals are drawn."""

DRAWN = (
    "leaders",
    "backbone",
    "communities",
    "influence",
    "clout",
    "rolling",
    "validity",
    "validity_pairs",
)
"""Tables that are drawn, where they were made."""


def graph_figures(graph: MarketGraph) -> dict[str, Drawing]:
    """Return name → how to draw it, for every figure of a graph."""
    edges, nodes, lags = graph.edges, graph.nodes, graph.lags
    by_days = lags.groupby("days")["entered"].sum().rename("transitions").reset_index()
    joint = int(edges["joint"].sum()) // 2
    names = market_names(nodes["market"])
    return {
        "transition_matrix": lambda: figures.transition_matrix(edges, names=names),
        "leaders": lambda: figures.leader_chart(graph.scores()),
        "lags": lambda: figures.lag_distribution(by_days, joint=joint, window=graph.window),
        "flow_map": lambda: figures.flow_map(edges, nodes),
    }


def tested_figures(graph: MarketGraph, tables: Mapping[str, pd.DataFrame]) -> dict[str, Drawing]:
    """Return name → how to draw it, for the figures of leaders, backbone, communities and direct edges.

    Parameters
    ----------
    graph
        With tested edges.
    tables
        Artifact → table, those of `DRAWN` that there are.
    """
    nodes, names = graph.nodes, market_names(graph.nodes["market"])
    drawings: dict[str, Drawing] = {"lag_curves": lambda: _lag_curves(graph, names)}
    if "leaders" in tables:
        table = tables["leaders"]
        shown = table[table["measure"].isin(SHOWN)]
        drawings["leader_intervals"] = lambda: figures.leader_intervals(shown, names=names)
    if "backbone" in tables:
        drawings["backbone_map"] = lambda: figures.backbone_map(graph.edges, nodes)
    if "influence" in tables:
        influence, clout = tables["influence"], tables["clout"]
        order = clout.sort_values("clout", ascending=False)["market"].tolist()
        drawings["influence_heatmap"] = lambda: figures.influence_heatmap(influence, names=names, order=order)
    if "communities" in tables:
        found = tables["communities"].merge(nodes[["market", "name", "latitude", "longitude"]], on="market")
        drawings["community_map"] = lambda: figures.community_map(found)
        spoken = found.merge(known_groups(found["market"].tolist()), on="market").rename(columns={"language": "group"})
        drawings["community_grid"] = lambda: figures.community_grid(spoken[["market", "community", "group"]])
    if "rolling" in tables:
        drawings["rolling_leaders"] = lambda: figures.rolling_leaders(tables["rolling"], names=names)
    if "validity" in tables:
        drawings["validity"] = lambda: figures.validity_chart(tables["validity"], tables["validity_pairs"])
    return drawings


def _lag_curves(graph: MarketGraph, names: Mapping[str, str]) -> figures.Figure:
    strongest = graph.largest("rate").head(MOST_CURVES)
    if strongest.empty:
        raise DataSaysNoError(f"no pair with a transition has {LEAST_EXPOSED} exposed tracks")
    curves = [
        graph.flow(pair["source"], pair["target"]).curve.assign(source=pair["source"], target=pair["target"])
        for pair in strongest.to_dict("records")
    ]
    return figures.lag_curves(pd.concat(curves), names=names)


def survival_figures(curves: tuple[Breakthrough, ...]) -> dict[str, Drawing]:
    """Return name → how to draw it, for every grouping of survival curves."""

    def drawing(part: Breakthrough) -> Drawing:
        return lambda: figures.survival_curves(part.curves, title=TITLES[part.by], horizon=part.horizon)

    return {f"survival_{part.by}": drawing(part) for part in curves}
