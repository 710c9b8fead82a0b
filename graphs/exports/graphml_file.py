"""GraphML as Gephi, networkx, igraph and graphology read it."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Final

import networkx as nx

from graphs.exports.values import Value, spelled, types

SPACE: Final = "http://graphml.graphdrawing.org/xmlns"
SCHEMA: Final = f"{SPACE} {SPACE}/1.0/graphml.xsd"
KINDS: Final = {str: "string", bool: "boolean", int: "long", float: "double"}
NOT_IN_TOKENS: Final = re.compile(r"[^\w.:·-]")
"""Characters not allowed in names of attributes and ids of nodes (a little stricter than NMTOKEN of XML Schema)."""

LINE_ENDS: Final = "\r\u0085\u2028"
"""Characters that XML readers turn into a line end: all readers the first, readers of XML 1.1 the others too."""


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
    """
    nodes: dict[str, Mapping[str, Value]] = {code: graph.nodes[code] for code in graph}
    edges = list(graph.edges(data=True))
    root = ET.Element("graphml", {"xmlns": SPACE, "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance"})
    root.set("xsi:schemaLocation", SCHEMA)
    node_keys = _keys(root, "node", types(nodes.values()), taken=set())
    edge_keys = _keys(root, "edge", types(data for _, _, data in edges), taken=set(node_keys.values()))
    inside = ET.SubElement(root, "graph", edgedefault="directed")
    for code, data in nodes.items():
        if not code or NOT_IN_TOKENS.search(code):
            raise ValueError(f"GraphML takes no node id like '{code}'; ids are letters, digits and .:-_")
        _data(ET.SubElement(inside, "node", id=code), data, node_keys)
    for source, target, data in edges:
        _data(ET.SubElement(inside, "edge", source=source, target=target), data, edge_keys)
    return document(root)


def document(root: ET.Element, *, indent: str = "  ") -> bytes:
    """Return a tree as an XML file with one line per element; `LINE_ENDS` are escaped so that readers keep them."""
    ET.indent(root, space=indent)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    for sign in LINE_ENDS:
        content = content.replace(sign.encode(), f"&#{ord(sign)};".encode())
    return content + b"\n"


def _keys(root: ET.Element, place: str, kinds: Mapping[str, type], *, taken: set[str]) -> dict[str, str]:
    """Declare the attributes of nodes or edges; return their key ids."""
    ids: dict[str, str] = {}
    for name, kind in kinds.items():
        token = NOT_IN_TOKENS.sub("_", name)
        ids[name] = f"{place}.{token}" if token in taken else token
        key = ET.SubElement(root, "key", {"id": ids[name], "for": place})
        key.attrib |= {"attr.name": token, "attr.type": KINDS[kind]}
    if len(set(ids.values()) | taken) < len(ids) + len(taken):
        raise ValueError(f"attributes of one {place} have the same name in GraphML: {', '.join(sorted(ids))}")
    return ids


def _data(element: ET.Element, data: Mapping[str, Value], keys: Mapping[str, str]) -> None:
    for name, value in data.items():
        ET.SubElement(element, "data", key=keys[name]).text = spelled(value)
