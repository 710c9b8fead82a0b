"""DOT, the language of Graphviz."""

from collections.abc import Mapping

import networkx as nx

from graphs.exports.values import Value, identity, spelled, types


def dot(graph: "nx.DiGraph[str]") -> str:
    """Return `graph` in the DOT language, every id and text in quotes.

    Parameters
    ----------
    graph
        As `networkx_graph` makes it: every name of one type, missing values no attributes.

    Raises
    ------
    ValueError
        When a node's id is empty or holds control characters.
    TypeError
        When a name has two types, or one that files have no word for.

    Notes
    -----
    The file asks for the layout of `sfdp`: that of `dot`, for hierarchies, takes minutes for thousands of edges.
    DOT has no types: numbers and truth values come back as text. Characters that XML cannot hold become U+FFFD here
    too. Backslashes are doubled, as Graphviz wants them in labels; a line end in a text becomes ``\\n``, its escape.

    Examples
    --------
    >>> print(dot(nx.DiGraph([("SE", "NO", {"weight": 3.0})])), end="")
    digraph "markets" {
      layout="sfdp";
      "SE";
      "NO";
      "SE" -> "NO" ["weight"="3.0"];
    }
    """
    types(data for _, data in graph.nodes(data=True))
    types(data for _, _, data in graph.edges(data=True))
    nodes = [f"  {quoted(identity(code))}{_attributes(data)};" for code, data in graph.nodes(data=True)]
    edges = [f"  {quoted(a)} -> {quoted(b)}{_attributes(data)};" for a, b, data in graph.edges(data=True)]
    return "\n".join(['digraph "markets" {', '  layout="sfdp";', *nodes, *edges, "}", ""])


def quoted(value: Value) -> str:
    """Return `value` as a quoted text of DOT."""
    escaped = spelled(value).replace("\\", "\\\\").replace('"', '\\"')
    for end in ("\r\n", "\n", "\r"):
        escaped = escaped.replace(end, "\\n")
    return f'"{escaped}"'


def _attributes(data: Mapping[str, Value]) -> str:
    pairs = ", ".join(f"{quoted(name)}={quoted(value)}" for name, value in data.items())
    return f" [{pairs}]" if pairs else ""
