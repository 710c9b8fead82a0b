"""GEXF 1.3 as Gephi reads it: positions, sizes, and edges whose weight changes from period to period."""

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import networkx as nx
import pandas as pd

from graphs.exports.graphml_file import document
from graphs.exports.values import Value, identity, spelled, text, types

SPACE: Final = "http://gexf.net/1.3"
KINDS: Final = {str: "string", bool: "boolean", int: "long", float: "double"}

DEGREE: Final = 10.0
"""Length of a degree of longitude or latitude in Gephi's plane."""

SMALLEST, LARGEST = 4.0, 40.0
"""Diameters of a node without tracks sent, and of the one that sent most."""

TIMED_WEIGHT: Final = {"weight": float}
"""The one edge attribute with values in time, and its type; GEXF reserves the name."""

Span = tuple[date, date]
Row = dict[str, Value]


def gexf(graph: "nx.DiGraph[str]", periods: pd.DataFrame | None = None) -> bytes:
    """Return `graph` as GEXF 1.3; with periods, as a dynamic graph for Gephi's timeline.

    Parameters
    ----------
    graph
        As `networkx_graph` makes it: every name of one type, missing values no attributes.
    periods
        Edges by period, as `graphs.period_edges` makes them: `start`, `end` (first and last day), `source`,
        `target`, `tracks`; other columns are not written. The periods of one edge must not overlap. Default: none,
        the graph is static.

    Raises
    ------
    ValueError
        When a period has an edge that the graph lacks, ends before it starts, or overlaps another of its edge; when an
        id is empty or holds control characters, or two edges have the same.
    TypeError
        When a name has two types, or one that GEXF has no word for.

    Notes
    -----
    Nodes have `viz:position` (longitude and latitude times 10; none where not known) and `viz:size` (its area grows
    with `out_tracks`). Edges carry `weight`.

    With periods, every edge has its `tracks` of each period as the dynamic attribute `weight`, both days included,
    which Gephi's timeline can draw as the edge's width; and a spell for every stretch of days with periods that follow
    each other without a gap. The static attributes and the XML attribute `weight` still say what holds of the whole
    time. networkx reads the spells and the weight of the whole time. graphology, which knows no time and only one list
    of types, takes the file with its option `allowUndeclaredAttributes`; it then has the last period's weight, as text.

    Lines are not indented, which keeps a file of many periods a tenth smaller.

    Text comes back as it was, but for characters that XML cannot hold, which become U+FFFD.

    References
    ----------
    GEXF 1.3 primer and schema, https://gexf.net.
    """
    nodes: dict[str, Row] = {code: graph.nodes[code] for code in graph}
    edges = list(graph.edges(data=True))
    weights = {} if periods is None else _by_edge(periods, graph)
    root = ET.Element("gexf", {"xmlns": SPACE, "xmlns:viz": f"{SPACE}/viz", "version": "1.3"})
    root.set("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
    root.set("xsi:schemaLocation", f"{SPACE} {SPACE}/gexf.xsd")
    ET.SubElement(ET.SubElement(root, "meta"), "creator").text = "chart-diffusion"
    inside = ET.SubElement(root, "graph", mode="dynamic" if weights else "static", defaultedgetype="directed")
    if weights:
        spans = [span for own in weights.values() for span, _ in own]
        inside.attrib |= {"timeformat": "date", "timerepresentation": "interval"}
        inside.attrib |= _times((min(first for first, _ in spans), max(last for _, last in spans)))
    # the static names of edges come last: graphology keeps only the types of the last list
    _declare(inside, "node", "static", types(nodes.values()), without="label")
    _declare(inside, "edge", "dynamic", TIMED_WEIGHT if weights else {})
    _declare(inside, "edge", "static", types(data for _, _, data in edges), without="weight")
    most = max((float(data.get("out_tracks", 0)) for data in nodes.values()), default=0.0)
    _nodes(ET.SubElement(inside, "nodes"), nodes, most)
    _edges(ET.SubElement(inside, "edges"), edges, weights)
    return document(root, indent="")


def _by_edge(periods: pd.DataFrame, graph: "nx.DiGraph[str]") -> dict[tuple[str, str], list[tuple[Span, float]]]:
    """Return every edge's periods in order, with the tracks of each."""
    ordered = periods.sort_values(["source", "target", "start"], ignore_index=True)
    starts, ends = (pd.to_datetime(ordered[side]).dt.date for side in ("start", "end"))
    tracks = ordered["tracks"].astype(float)
    found: dict[tuple[str, str], list[tuple[Span, float]]] = {}
    for source, target, first, last, weight in zip(
        ordered["source"], ordered["target"], starts, ends, tracks, strict=True
    ):
        own = found.setdefault((source, target), [])
        if not graph.has_edge(source, target):
            raise ValueError(f"a period has the edge {source}→{target}, which the graph lacks")
        if last < first:
            raise ValueError(f"a period of {source}→{target} ends on {last}, before it starts on {first}")
        if own and first <= own[-1][0][1]:
            raise ValueError(f"periods of {source}→{target} overlap on {first}; GEXF holds one value at a time")
        own.append(((first, last), weight))
    return found


def _stretches(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order with those joined that follow each other without a gap.

    Examples
    --------
    >>> spans = [(date(2021, 1, first), date(2021, 1, last)) for first, last in ((1, 3), (4, 5), (7, 8))]
    >>> [(first.day, last.day) for first, last in _stretches(spans)]
    [(1, 5), (7, 8)]
    """
    joined: list[Span] = []
    for first, last in spans:
        if joined and first - joined[-1][1] == timedelta(days=1):
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def _declare(inside: ET.Element, place: str, mode: str, kinds: Mapping[str, type], *, without: str = "") -> None:
    """Declare attributes by name; an id that is a name is kept by every reader."""
    names = [name for name in kinds if name != without]
    if names:
        block = ET.SubElement(inside, "attributes", {"class": place, "mode": mode})
        for name in names:
            ET.SubElement(block, "attribute", id=identity(name), title=name, type=KINDS[kinds[name]])


def _nodes(block: ET.Element, nodes: Mapping[str, Row], most: float) -> None:
    for code, data in nodes.items():
        node = ET.SubElement(block, "node", id=identity(code), label=text(str(data.get("label", code))))
        _values(node, [(name, value, None) for name, value in data.items() if name != "label"])
        if "out_tracks" in data and most > 0:
            share = math.sqrt(max(float(data["out_tracks"]), 0.0) / most)
            ET.SubElement(node, "viz:size", value=f"{SMALLEST + (LARGEST - SMALLEST) * share:.2f}")
        if "lat" in data and "lon" in data:
            x, y = float(data["lon"]) * DEGREE, float(data["lat"]) * DEGREE
            ET.SubElement(node, "viz:position", x=f"{x:.3f}", y=f"{y:.3f}", z="0.0")


def _edges(
    block: ET.Element,
    edges: Sequence[tuple[str, str, Row]],
    weights: Mapping[tuple[str, str], list[tuple[Span, float]]],
) -> None:
    if len({f"{source}-{target}" for source, target, _ in edges}) < len(edges):
        raise ValueError("two edges have the same id; the ids of nodes are too alike to be joined by '-'")
    for source, target, data in edges:
        edge = ET.SubElement(block, "edge", id=f"{source}-{target}", source=source, target=target)
        if "weight" in data:
            edge.set("weight", spelled(data["weight"]))
        own = weights.get((source, target), [])
        fixed = [(name, value, None) for name, value in data.items() if name != "weight"]
        _values(edge, [*fixed, *(("weight", weight, span) for span, weight in own)])
        if own:
            block_of_spells = ET.SubElement(edge, "spells")
            for span in _stretches(span for span, _ in own):
                ET.SubElement(block_of_spells, "spell", _times(span))


def _values(element: ET.Element, values: Sequence[tuple[str, Value, Span | None]]) -> None:
    """Write attribute values, each with its span of time if it has one."""
    if values:
        block = ET.SubElement(element, "attvalues")
        for name, value, span in values:
            times = {} if span is None else _times(span)
            ET.SubElement(block, "attvalue", {"for": name, "value": spelled(value), **times})


def _times(span: Span) -> dict[str, str]:
    return {"start": span[0].isoformat(), "end": span[1].isoformat()}
