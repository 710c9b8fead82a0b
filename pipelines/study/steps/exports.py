"""Files for Gephi, Graphviz and other tools: the graph with its lifts, verdicts and communities."""

from typing import Final

from graphs import MarketGraph
from graphs.contracts.edges import BEYOND
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Output, Step

DIRECT: Final = ("beta", "direct", "ordered", "credits_per_entry")
"""Columns of the table `influence` that edges have in the files."""


def _make(study: Study, results: Results) -> Output:
    graph = results.graph
    for further in (_with_lifts, _with_direct, _with_leaders, _with_communities):
        graph = further(graph, results)
    return Output(
        {},
        {
            "graph.graphml": graph.graphml(),
            "graph.gexf": graph.gexf(),
            "graph.dot": graph.dot().encode(),
        },
    )


def _with_lifts(graph: MarketGraph, results: Results) -> MarketGraph:
    """Return the graph with lifts, and with the verdict `edge`: whether the pair goes beyond the baseline."""
    if not results.holds("lifts"):
        return graph
    return graph.with_columns(edges=results.table("lifts")[["source", "target", *BEYOND, "edge"]])


def _with_direct(graph: MarketGraph, results: Results) -> MarketGraph:
    """Return the graph with the verdicts `direct` and `ordered`, and the sizes behind them."""
    if not results.holds("influence"):
        return graph
    return graph.with_columns(edges=results.table("influence")[["source", "target", *DIRECT]])


def _with_leaders(graph: MarketGraph, results: Results) -> MarketGraph:
    """Return the graph with the measure of leadership that is tested, and its q."""
    table = results.table("leaders")
    tested = table[table["measure"] == "lead_excess"]
    if tested.empty:
        return graph
    nodes = tested[["market", "score", "q"]].rename(columns={"score": "lead_excess", "q": "lead_q"})
    return graph.with_columns(nodes=nodes)


def _with_communities(graph: MarketGraph, results: Results) -> MarketGraph:
    """Return the graph with communities as text: Gephi offers whole numbers as a ranking, not as groups."""
    if not results.holds("communities"):
        return graph
    return graph.with_columns(nodes=results.table("communities")[["market", "community"]].astype({"community": str}))


EXPORTS = Step(
    name="exports",
    doing="writing the graph for other tools",
    version=1,
    tables={},
    make=_make,
    needs=("entries", "graph", "baseline", "leaders", "structure", "direct"),
)
