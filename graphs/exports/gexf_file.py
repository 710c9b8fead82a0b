"""GEXF 1.3 as Gephi reads it: positions, sizes, and edges whose weight changes from period to period."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import Final

import networkx as nx
import pandas as pd

from graphs.exports.values import Value, identity, spelled, text, types
from graphs.exports.xml_lines import document, element, leaf

SPACE: Final = "http://gexf.net/1.3"
NAMESPACES: Final = {
    "xmlns": SPACE,
    "xmlns:viz": f"{SPACE}/viz",
    "version": "1.3",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:schemaLocation": f"{SPACE} {SPACE}/gexf.xsd",
}
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

    Examples
    --------
    >>> gexf(graph.to_networkx())[:38]  # graph = graphs.market_graph(entries)
    b"<?xml version='1.0' encoding='utf-8'?>"
    """
    nodes: dict[str, Row] = {code: graph.nodes[code] for code in graph}
    weights = {} if periods is None else _by_edge(periods, graph)
    of_graph = {"mode": "dynamic" if weights else "static", "defaultedgetype": "directed"}
    if weights:
        spans = [span for own in weights.values() for span, _ in own]
        of_graph |= {"timeformat": "date", "timerepresentation": "interval"}
        of_graph |= _times((min(first for first, _ in spans), max(last for _, last in spans)))
    most = max((float(data.get("out_tracks", 0)) for data in nodes.values()), default=0.0)
    edge_kinds = types(data for _, _, data in graph.edges(data=True))
    inside = chain(
        # the static attributes of edges come last, because graphology keeps only the types of the last list
        _declared("node", "static", types(nodes.values()), without="label"),
        _declared("edge", "dynamic", TIMED_WEIGHT if weights else {}),
        _declared("edge", "static", edge_kinds, without="weight"),
        element("nodes", {}, _nodes(nodes, most)),
        element("edges", {}, _edges(graph, weights)),
    )
    meta = element("meta", {}, [leaf("creator", {}, "chart-diffusion")])
    return document(element("gexf", NAMESPACES, chain(meta, element("graph", of_graph, inside))))


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


def _declared(place: str, mode: str, kinds: Mapping[str, type], *, without: str = "") -> Iterator[str]:
    """Yield the list of attributes; the id is the name, because every reader keeps such an id."""
    kept = {identity(name): KINDS[kind] for name, kind in kinds.items() if name != without}
    listed = (element("attribute", {"id": name, "title": name, "type": kind}) for name, kind in kept.items())
    if kept:
        yield from element("attributes", {"class": place, "mode": mode}, chain.from_iterable(listed))


def _nodes(nodes: Mapping[str, Row], most: float) -> Iterator[str]:
    for code, data in nodes.items():
        inside = [*_values([(name, value, None) for name, value in data.items() if name != "label"])]
        if "out_tracks" in data and most > 0:
            share = math.sqrt(max(float(data["out_tracks"]), 0.0) / most)
            inside += element("viz:size", {"value": f"{SMALLEST + (LARGEST - SMALLEST) * share:.2f}"})
        if "lat" in data and "lon" in data:
            x, y = float(data["lon"]) * DEGREE, float(data["lat"]) * DEGREE
            inside += element("viz:position", {"x": f"{x:.3f}", "y": f"{y:.3f}", "z": "0.0"})
        yield from element("node", {"id": identity(code), "label": text(str(data.get("label", code)))}, inside)


def _edges(graph: "nx.DiGraph[str]", weights: Mapping[tuple[str, str], list[tuple[Span, float]]]) -> Iterator[str]:
    if len({f"{source}-{target}" for source, target in graph.edges}) < graph.number_of_edges():
        raise ValueError("two edges have the same id: joined by '-', their nodes' ids give the same text; rename nodes")
    for source, target, data in graph.edges(data=True):
        ends = {"id": f"{source}-{target}", "source": source, "target": target}
        whole = {"weight": spelled(data["weight"])} if "weight" in data else {}
        own = weights.get((source, target), [])
        fixed = [(name, value, None) for name, value in data.items() if name != "weight"]
        values = _values([*fixed, *(("weight", weight, span) for span, weight in own)])
        spells = (element("spell", _times(span)) for span in _joined(span for span, _ in own))
        timed = element("spells", {}, chain.from_iterable(spells)) if own else ()
        yield from element("edge", ends | whole, chain(values, timed))


def _values(values: Sequence[tuple[str, Value, Span | None]]) -> Iterator[str]:
    """Yield attribute values, with their span of time where they have one."""
    listed = (
        element("attvalue", {"for": name, "value": spelled(value)} | ({} if span is None else _times(span)))
        for name, value, span in values
    )
    if values:
        yield from element("attvalues", {}, chain.from_iterable(listed))


def _times(span: Span) -> dict[str, str]:
    return {"start": span[0].isoformat(), "end": span[1].isoformat()}
