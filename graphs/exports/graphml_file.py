"""GraphML as Gephi, networkx, igraph and graphology read it."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

import networkx as nx

from graphs.exports.values import Value, spelled, types
from graphs.exports.xml_lines import document, element, leaf

SPACE: Final = "http://graphml.graphdrawing.org/xmlns"
NAMESPACES: Final = {
    "xmlns": SPACE,
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:schemaLocation": f"{SPACE} {SPACE}/1.0/graphml.xsd",
}
INDENT: Final = "  "
KINDS: Final = {str: "string", bool: "boolean", int: "long", float: "double"}
NOT_IN_TOKENS: Final = re.compile(r"[^\w.:·-]")
"""Characters not allowed in names of attributes and ids of nodes (a little stricter than NMTOKEN of XML Schema)."""


def graphml(graph: "nx.DiGraph[str]") -> bytes:
    """Return `graph` as GraphML; key ids are the names of the attributes, because Gephi looks for the id `label`.

    Parameters
    ----------
    graph
        As `networkx_graph` returns it: each attribute has one type, missing values are left out.

    Raises
    ------
    ValueError
        When a node's id is no XML name token, or two attributes have the same name in GraphML.
    TypeError
        When an attribute has two types, or a type other than text, truth value or number.

    Notes
    -----
    Text is read back unchanged, except that characters that XML cannot hold become U+FFFD. Spaces and other characters
    not allowed in names of attributes become ``_``. Ids are unique in a file, so an attribute of edges with the name of
    an attribute of nodes has the key id ``edge.<name>``. Readers without missing values replace them: igraph by NaN,
    empty text and, for truth values, false.

    References
    ----------
    Brandes, U. et al. (2002). GraphML progress report. doi 10.1007/3-540-45848-4_59.

    Examples
    --------
    >>> graphml(graph.to_networkx())[:38]  # graph = graphs.market_graph(entries)
    b"<?xml version='1.0' encoding='utf-8'?>"
    """
    nodes: dict[str, Mapping[str, Value]] = {code: graph.nodes[code] for code in graph}
    node_kinds, edge_kinds = types(nodes.values()), types(data for _, _, data in graph.edges(data=True))
    node_keys = _keys("node", node_kinds, taken=set())
    edge_keys = _keys("edge", edge_kinds, taken=set(node_keys.values()))
    for code in nodes:
        if not code or NOT_IN_TOKENS.search(code):
            raise ValueError(f"GraphML takes no node id like '{code}'; ids are letters, digits and .:-_")
    elements = chain(
        (_element("node", {"id": code}, data, node_keys) for code, data in nodes.items()),
        (_element("edge", {"source": a, "target": b}, data, edge_keys) for a, b, data in graph.edges(data=True)),
    )
    inside = chain(
        _declared("node", node_kinds, node_keys),
        _declared("edge", edge_kinds, edge_keys),
        element("graph", {"edgedefault": "directed"}, chain.from_iterable(elements), indent=INDENT),
    )
    return document(element("graphml", NAMESPACES, inside, indent=INDENT))


def with_tokens(graph: "nx.DiGraph[str]") -> "nx.DiGraph[str]":
    """Return `graph` with ids that GraphML can hold: ``_`` takes the place of other characters; labels stay.

    Examples
    --------
    >>> import networkx as nx
    >>> list(with_tokens(nx.DiGraph([("Latin America", "SE")])))
    ['Latin_America', 'SE']
    """
    named: nx.DiGraph[str] = nx.relabel_nodes(graph, {code: _token(code) for code in graph})
    return named


def _keys(place: str, kinds: Mapping[str, type], *, taken: set[str]) -> dict[str, str]:
    """Return the key ids of the attributes of nodes or edges."""
    ids: dict[str, str] = {}
    for name in kinds:
        token = _token(name)
        ids[name] = f"{place}.{token}" if token in taken else token
    if len(set(ids.values()) | taken) < len(ids) + len(taken):
        raise ValueError(f"attributes of one {place} have the same name in GraphML: {', '.join(sorted(ids))}")
    return ids


def _declared(place: str, kinds: Mapping[str, type], ids: Mapping[str, str]) -> Iterator[str]:
    for name, kind in kinds.items():
        key = {"id": ids[name], "for": place, "attr.name": _token(name), "attr.type": KINDS[kind]}
        yield from element("key", key)


def _token(name: str) -> str:
    return NOT_IN_TOKENS.sub("_", name)


def _element(name: str, place: Mapping[str, str], data: Mapping[str, Value], keys: Mapping[str, str]) -> Iterator[str]:
    """Return the lines of a node or an edge."""
    values = (leaf("data", {"key": keys[attribute]}, spelled(value)) for attribute, value in data.items())
    return element(name, place, values, indent=INDENT)
