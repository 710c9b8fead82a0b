"""The graph as the value of another library: networkx and igraph."""

import igraph
import networkx as nx
import pandas as pd

from graphs.exports.values import records

GEPHI_NAMES = {"name": "label", "latitude": "lat", "longitude": "lon"}
"""Our columns → the attributes that Gephi looks for."""


GEPHI_EDGES = (
    "tracks",
    "joint",
    "exposed",
    "rate",
    "lag_median",
    "distance_km",
    "contiguous",
    "common_language",
    "cultural_distance",
    "lift",
    "q",
    "lift_order",
    "q_order",
    "lead_share",
)
"""Columns of edges by which Gephi can filter, colour or size; their bounds, p-values and counts stand in GraphML."""


def networkx_graph(nodes: pd.DataFrame, edges: pd.DataFrame) -> "nx.DiGraph[str]":
    """Return a directed graph keyed by market code.

    Nodes carry the columns of `nodes`, `name` as `label`, `latitude` and `longitude` as `lat` and `lon`; edges those of
    `edges` and `weight`, equal to `tracks`. Values are str, bool, int or float, of one type for each name; what is
    missing, empty or not finite is no attribute.

    Examples
    --------
    >>> nodes = pd.DataFrame({"market": ["SE", "NO"], "name": ["Sweden", None]})
    >>> edges = pd.DataFrame({"source": ["SE"], "target": ["NO"], "tracks": [3], "rate": [float("nan")]})
    >>> networkx_graph(nodes, edges).edges(data=True)
    OutEdgeDataView([('SE', 'NO', {'weight': 3.0, 'tracks': 3})])
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    for node in records(nodes.rename(columns=GEPHI_NAMES)):
        graph.add_node(str(node.pop("market")), **node)
    for edge in records(edges):
        source, target = str(edge.pop("source")), str(edge.pop("target"))
        graph.add_edge(source, target, weight=float(edge["tracks"]), **edge)
    return graph


def igraph_graph(graph: "nx.DiGraph[str]") -> igraph.Graph:
    """Return the same graph for igraph: codes as `name`, all other attributes as they are, None where there is none."""
    codes = list(graph)
    number = {code: i for i, code in enumerate(codes)}
    there = igraph.Graph(n=len(codes), edges=[(number[a], number[b]) for a, b in graph.edges], directed=True)
    nodes, edges = [graph.nodes[code] for code in codes], [data for _, _, data in graph.edges(data=True)]
    there.vs["name"] = codes
    for sequence, elements in ((there.vs, nodes), (there.es, edges)):
        for name in dict.fromkeys(name for element in elements for name in element):
            sequence[name] = [element.get(name) for element in elements]
    return there
