"""The graph as an object of networkx or igraph."""

import igraph
import networkx as nx
import pandas as pd

from graphs.contracts.edges import BEYOND
from graphs.exports.values import records

GEPHI_NAMES = {"name": "label", "latitude": "lat", "longitude": "lon"}
"""Column → the attribute name that Gephi expects."""

GEPHI_EDGES = (
    "tracks",
    "joint",
    "exposed",
    "rate",
    "lag_median",
    "distance_km",
    "contiguous",
    "common_language",
    "language_overlap",
    "cultural_distance",
    *BEYOND,
    "edge",
    "edge_ordered",
    "direct",
    "direct_ordered",
    "credits_per_entry",
)
"""Columns of edges in GEXF, by which Gephi can filter, colour or size edges; GraphML has all columns."""


def networkx_graph(nodes: pd.DataFrame, edges: pd.DataFrame) -> "nx.DiGraph[str]":
    """Return a directed networkx graph keyed by market code.

    Nodes have the columns of `nodes` as attributes, with `name` as `label` and `latitude`, `longitude` as `lat`, `lon`.
    Edges have the columns of `edges`, and `weight`, equal to `tracks`. Values are str, bool, int or float; each
    attribute has one type. Missing values, empty texts and numbers that are not finite are left out.

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
    """Return the same graph as an igraph graph: codes as `name`, other attributes unchanged, None where missing.

    Examples
    --------
    >>> nodes = pd.DataFrame({"market": ["SE", "NO"], "name": ["Sweden", "Norway"]})
    >>> edges = pd.DataFrame({"source": ["SE"], "target": ["NO"], "tracks": [3]})
    >>> igraph_graph(networkx_graph(nodes, edges)).es["tracks"]
    [3]
    """
    codes = list(graph)
    number = {code: i for i, code in enumerate(codes)}
    there = igraph.Graph(n=len(codes), edges=[(number[a], number[b]) for a, b in graph.edges], directed=True)
    nodes, edges = [graph.nodes[code] for code in codes], [data for _, _, data in graph.edges(data=True)]
    there.vs["name"] = codes
    for sequence, elements in ((there.vs, nodes), (there.es, edges)):
        for name in dict.fromkeys(name for element in elements for name in element):
            sequence[name] = [element.get(name) for element in elements]
    return there
