"""The graph in other tools' terms: networkx, and GraphML as Gephi reads it."""

import io
from collections.abc import Hashable
from datetime import date

import networkx as nx
import pandas as pd
from networkx.readwrite.graphml import write_graphml_xml

GEPHI_NAMES = {"name": "label", "latitude": "lat", "longitude": "lon"}
"""Our columns → the attributes that Gephi looks for."""

PLAIN = (str, bool, int, float)


def networkx_graph(nodes: pd.DataFrame, edges: pd.DataFrame) -> "nx.DiGraph[str]":
    """Return a directed graph keyed by market code.

    Nodes carry the columns of `nodes`, `name` as `label`, `latitude` and `longitude` as `lat` and `lon`; edges those of
    `edges` and `weight`, equal to `tracks`. Values are str, bool, int or float; what is missing is no attribute.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    for node in nodes.rename(columns=GEPHI_NAMES).to_dict("records"):
        graph.add_node(str(node.pop("market")), **_attributes(node))
    for edge in edges.to_dict("records"):
        graph.add_edge(
            str(edge.pop("source")), str(edge.pop("target")), weight=float(edge["tracks"]), **_attributes(edge)
        )
    return graph


def graphml(graph: "nx.DiGraph[str]") -> bytes:
    """Return `graph` as GraphML, with the attributes' names as key ids."""
    content = io.BytesIO()
    write_graphml_xml(graph, content, prettyprint=True, named_key_ids=True)
    return content.getvalue()


def _attributes(record: dict[Hashable, object]) -> dict[str, str | bool | int | float]:
    return {str(name): _plain(value) for name, value in record.items() if not pd.isna(value)}  # type: ignore[call-overload]


def _plain(value: object) -> str | bool | int | float:
    """Return `value` as one of the types that GraphML has; numpy's scalars are unpacked, dates become ISO text."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, date):
        return value.isoformat()[:10]
    if not isinstance(value, PLAIN):
        raise TypeError(f"GraphML has no type for {value!r}")
    return value
