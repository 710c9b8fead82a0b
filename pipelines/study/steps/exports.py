"""Files for Gephi, Graphviz and other tools: the graph with its lifts, verdicts and communities."""

from typing import Final

import pandas as pd

from graphs import MarketGraph
from graphs.contracts.edges import BEYOND
from graphs.leaders.asymmetry import MEASURE
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Output, Step

VERDICTS: Final = {"edge": "edge", "ordered": "edge_ordered"}
"""Verdict in the table `lifts` → its name in the files."""

DIRECT: Final = ("beta", "direct", "ordered", "credits_per_entry")
"""Columns of the table `influence` that edges have in the files; `ordered` is called `direct_ordered` there."""


def _make(study: Study, results: Results) -> Output:
    graph = results.graph
    graph = graph.with_columns(edges=_of_edges(graph, results), nodes=_of_nodes(graph, results))
    return Output(
        {},
        {
            "graph.graphml": graph.graphml(),
            "graph.gexf": graph.gexf(),
            "graph.dot": graph.dot().encode(),
        },
    )


def _of_edges(graph: MarketGraph, results: Results) -> pd.DataFrame:
    """Return lifts and verdicts of the pairs: beyond the baseline, more one way than the other, direct."""
    key = ["source", "target"]
    table = graph.edges[key]
    if results.holds("lifts"):
        table = table.merge(results.table("lifts")[[*key, *BEYOND, *VERDICTS]].rename(columns=VERDICTS), "left", key)
    if results.holds("influence"):
        influence = results.table("influence")[[*key, *DIRECT]]
        table = table.merge(influence.rename(columns={"ordered": "direct_ordered"}), "left", key)
    return table


def _of_nodes(graph: MarketGraph, results: Results) -> pd.DataFrame:
    """Return the tested leadership of the markets, its q, and communities.

    Communities are text: Gephi offers whole numbers as a ranking, not as groups.
    """
    table, leaders = graph.nodes[["market"]], results.table("leaders")
    tested = leaders[leaders["measure"] == MEASURE]
    if len(tested):
        named = tested[["market", "score", "q"]].rename(columns={"score": "lead_excess", "q": "lead_q"})
        table = table.merge(named, "left", "market")
    if results.holds("communities"):
        groups = results.table("communities")[["market", "community"]].astype({"community": str})
        table = table.merge(groups, "left", "market")
    return table


EXPORTS = Step(
    name="exports",
    title="Files for other tools",
    doing="writing the graph for other tools",
    version=1,
    tables={},
    make=_make,
    needs=("entries", "graph", "baseline", "leaders", "structure", "direct"),
)
