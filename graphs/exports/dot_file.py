"""DOT, the language of Graphviz."""

from collections.abc import Mapping

import networkx as nx

from diffusion.foreign_text import replaced
from graphs.exports.values import Value, identity, spelled, types


def dot(graph: "nx.DiGraph[str]") -> str:
    """Return `graph` in the DOT language, with all ids and texts in quotes.

    Parameters
    ----------
    graph
        As `networkx_graph` returns it: each attribute has one type, missing values are left out.

    Raises
    ------
    ValueError
        When a node's id is empty or holds control characters.
    TypeError
        When an attribute has two types, or a type other than text, truth value or number.

    Notes
    -----
    The file sets the layout program `sfdp`, because `dot`, which draws hierarchies, takes minutes for thousands of
    edges. DOT has no types: numbers and truth values are read back as text. Characters that XML cannot hold become
    U+FFFD, as in the other formats; so do all other control characters, which the other formats write by number.
    Backslashes are doubled, as Graphviz expects in labels; a line end in a text becomes ``\\n``.

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
    """Return `value` as quoted text in DOT."""
    escaped = spelled(value).replace("\\", "\\\\").replace('"', '\\"')
    for end in ("\r\n", "\n", "\r"):
        escaped = escaped.replace(end, "\\n")
    return f'"{replaced(escaped)}"'


def _attributes(data: Mapping[str, Value]) -> str:
    pairs = ", ".join(f"{quoted(name)}={quoted(value)}" for name, value in data.items())
    return f" [{pairs}]" if pairs else ""
