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
"""Units of Gephi's plane per degree of longitude or latitude."""

SMALLEST, LARGEST = 4.0, 40.0
"""Diameter of a node without tracks sent, and of the node that sent most."""

TIMED_WEIGHT: Final = {"weight": float}
"""The edge attribute with values in time, and its type. GEXF reserves the name `weight`."""

Span = tuple[date, date]
Row = dict[str, Value]


def gexf(graph: "nx.DiGraph[str]", periods: pd.DataFrame | None = None) -> bytes:
    """Return `graph` as GEXF 1.3; with periods, as a dynamic graph for Gephi's timeline.

    Parameters
    ----------
    graph
        As `networkx_graph` returns it: each attribute has one type, missing values are left out.
    periods
        Edges by period, as `graphs.period_edges` returns them: `start`, `end` (first and last day), `source`, `target`,
        `tracks`; other columns are not written. The periods of one edge must not overlap. Default: none, for a static
        graph.

    Raises
    ------
    ValueError
        When a period has an edge that the graph lacks, ends before it starts, or overlaps another period of its edge;
        when an id is empty or holds control characters; when two edges have the same id.
    TypeError
        When an attribute has two types, or a type other than text, truth value or number.

    Notes
    -----
    Nodes have `viz:position` (longitude and latitude times 10, where known) and `viz:size` (the larger `out_tracks`,
    the larger the area). Edges have `weight`.

    With periods, every edge has the dynamic attribute `weight`, its `tracks` in each period, which Gephi's timeline can
    draw as the width of the edge. It also has spells: one for each run of periods without a gap. The static attributes
    and the XML attribute `weight` refer to the whole time. networkx reads the spells and the weight of the whole time.
    graphology has no time and reads one list of types only: it needs the option `allowUndeclaredAttributes`, and then
    has the weight of the last period, as text.

    Lines are not indented; a file with many periods is a tenth smaller so.

    Text is read back unchanged, except that characters that XML cannot hold become U+FFFD.

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
    # the static attributes of edges come last, because graphology keeps only the types of the last list
    _declare(inside, "node", "static", types(nodes.values()), without="label")
    _declare(inside, "edge", "dynamic", TIMED_WEIGHT if weights else {})
    _declare(inside, "edge", "static", types(data for _, _, data in edges), without="weight")
    most = max((float(data.get("out_tracks", 0)) for data in nodes.values()), default=0.0)
    _nodes(ET.SubElement(inside, "nodes"), nodes, most)
    _edges(ET.SubElement(inside, "edges"), edges, weights)
    return document(root, indent="")


def _by_edge(periods: pd.DataFrame, graph: "nx.DiGraph[str]") -> dict[tuple[str, str], list[tuple[Span, float]]]:
    """Return edge → its periods in order, with the tracks of each."""
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


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order; spans that follow each other without a gap are joined into one.

    Examples
    --------
    >>> spans = [(date(2021, 1, first), date(2021, 1, last)) for first, last in ((1, 3), (4, 5), (7, 8))]
    >>> [(first.day, last.day) for first, last in _joined(spans)]
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
    """Declare attributes; the id is the name, because every reader keeps such an id."""
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
        raise ValueError("two edges have the same id: joined by '-', their nodes' ids give the same text; rename nodes")
    for source, target, data in edges:
        edge = ET.SubElement(block, "edge", id=f"{source}-{target}", source=source, target=target)
        if "weight" in data:
            edge.set("weight", spelled(data["weight"]))
        own = weights.get((source, target), [])
        fixed = [(name, value, None) for name, value in data.items() if name != "weight"]
        _values(edge, [*fixed, *(("weight", weight, span) for span, weight in own)])
        if own:
            block_of_spells = ET.SubElement(edge, "spells")
            for span in _joined(span for span, _ in own):
                ET.SubElement(block_of_spells, "spell", _times(span))


def _values(element: ET.Element, values: Sequence[tuple[str, Value, Span | None]]) -> None:
    """Write attribute values, with their span of time where they have one."""
    if values:
        block = ET.SubElement(element, "attvalues")
        for name, value, span in values:
            times = {} if span is None else _times(span)
            ET.SubElement(block, "attvalue", {"for": name, "value": spelled(value), **times})


def _times(span: Span) -> dict[str, str]:
    return {"start": span[0].isoformat(), "end": span[1].isoformat()}
