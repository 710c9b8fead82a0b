"""Exports: what every reader finds in the files is what was written, and the files obey their formats."""

import csv as python_csv
import io
import json
import math
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffusion
from diffusion.foreign_text import read_csv_cell, read_csv_table, replaced
from graphs import market_graph
from graphs.exports import GEPHI_EDGES, csv, dot, gexf, graphml, igraph_graph, networkx_graph, parquet
from graphs.exports.values import SMALLEST_NUMBER, column_values, text
from graphs.journeys.stream import period_edges
from tests.conftest import REFERENCE
from tests.random_charts import EXAMPLES

Graph = nx.DiGraph
Attributes = dict[str, object]
Content = tuple[dict[str, Attributes], dict[tuple[str, str], Attributes]]

GRAPHOLOGY = REFERENCE / "graphology"
EXAMPLE_FILES = ("example.graphml", "example.gexf", "dynamic.gexf")

HOSTILE = [
    "plain",
    "say \"hi\" & <script>alert('x')</script>",
    "]]> <!-- --> <?xml?> &amp; &#13;",
    "😀 👩‍👩‍👧 é e\u0301",
    "שלום \u202eعربي\u200f",
    "a\tb\nc\rd\r\ne",
    "  at both ends  ",
    " ",
    "\n",
    "x" * 10_000,
    "true",
    "nan",
    "None",
    "0",
    '\\n "q\\" \\',
    "a\x85b\u2028c\x7f",
]
"""Texts that a reader might take for markup, for missing values or for line ends; all of them can be kept."""

CONTROLS = "\x00a\x08\x0b\x1f\ufffe\uffff\ud800"
"""Only the letter can be kept."""


def example() -> Graph:
    """Return a small graph with every type, things missing, and text that is hard to keep."""
    nodes = pd.DataFrame(
        {
            "market": ["SE", "NA", "US", "MT"],
            "name": ["Sweden", "<Namibia> & \"co\" 'x'", "États\tUnis\n\r😀 ש\u202eל \u2028\x85", None],
            "latitude": [62.0, -22.5, math.nan, 35.9],
            "longitude": [15.0, 17.0, math.nan, 14.4],
            "population": pd.array([10_379_295, None, 331_893_745, 519_562], dtype="Int64"),
            "first_date": pd.to_datetime(["2021-01-01", None, "2021-02-28", "2021-03-01"]),
            "shallow": [False, True, None, True],
            "out_tracks": [40, 10, 0, 0],
        }
    )
    edges = pd.DataFrame(
        {
            "source": ["SE", "SE", "NA"],
            "target": ["NA", "US", "SE"],
            "tracks": [30, 10, 10],
            "rate": [0.1 + 0.2, math.nan, 1e-300],
            "direct": [True, None, False],
            "note": ["", "]]> \\ \x00 \x1f", "  kept  "],
        }
    )
    return networkx_graph(nodes, edges)


def example_periods() -> pd.DataFrame:
    """Return the edges of `example` by half-year; Namibia → Sweden has none, Sweden → Namibia none in 2021-H2."""
    return pd.DataFrame(
        {
            "period": ["2020-H2", "2021-H1", "2022-H1", "2020-H2"],
            "start": pd.to_datetime(["2020-07-01", "2021-01-01", "2022-01-01", "2020-07-01"]),
            "end": pd.to_datetime(["2020-12-31", "2021-06-30", "2022-06-30", "2020-12-31"]),
            "source": ["SE", "SE", "SE", "SE"],
            "target": ["NA", "NA", "NA", "US"],
            "tracks": [15, 10, 5, 10],
            "lag_median": [3.5, math.nan, 2.0, 8.0],
        }
    )


def hostile_graph() -> Graph:
    """Return a graph whose labels and notes are hostile, with numbers at the ends of their ranges."""
    count = len(HOSTILE)
    codes = [f"{chr(65 + i)}X" for i in range(count)]
    nodes = pd.DataFrame(
        {
            "market": codes,
            "name": HOSTILE,
            "size": [2**53 - 1, -(2**53) + 1, *range(count - 2)],
            "share": [1.7976931348623157e308, -SMALLEST_NUMBER, 0.1, *np.linspace(-1, 1, count - 3)],
            "flag": [True, False] * (count // 2),
            "nothing": [None] * count,
        }
    )
    pairs = {"source": codes[:-1], "target": codes[1:], "tracks": range(count - 1), "note": HOSTILE[1:]}
    return networkx_graph(nodes, pd.DataFrame(pairs))


@pytest.fixture(scope="module")
def entries() -> diffusion.Entries:
    """Entries of the packaged charts."""
    with diffusion.open_sample() as charts:
        return charts.entries()


@pytest.fixture(scope="module")
def sample(entries: diffusion.Entries) -> Graph:
    """The flows between a dozen markets of the packaged charts."""
    flows = market_graph(entries).to_networkx()
    return flows.subgraph(sorted(flows)[::6]).copy()


@pytest.fixture(scope="module")
def periods(entries: diffusion.Entries, sample: Graph) -> pd.DataFrame:
    """The edges of `sample` by quarter."""
    table = period_edges(entries.timelines, 60, "quarter")
    return table[[sample.has_edge(a, b) for a, b in zip(table["source"], table["target"], strict=True)]]


# ── what readers find ────────────────────────────────────────────────────────────────────────────────────────────────


def content(graph: Graph) -> Content:
    """Return nodes and edges with their attributes."""
    return dict(graph.nodes(data=True)), {(a, b): data for a, b, data in graph.edges(data=True)}


def cleaned(graph: Graph) -> Content:
    """Return the content of a graph with the characters that XML cannot hold replaced."""

    def clean(data: Attributes) -> Attributes:
        return {name: text(value) if isinstance(value, str) else value for name, value in data.items()}

    nodes, edges = content(graph)
    return {n: clean(data) for n, data in nodes.items()}, {e: clean(data) for e, data in edges.items()}


def types_of(found: Content) -> list[dict[str, type]]:
    """Return the types of all attributes, for 1 == 1.0 == True."""
    return [{name: type(value) for name, value in data.items()} for part in found for data in part.values()]


def by_networkx_graphml(graph: Graph) -> Content:
    return content(nx.read_graphml(io.BytesIO(graphml(graph))))


def by_networkx_gexf(graph: Graph) -> Content:
    """Return what networkx reads in GEXF, without what the format adds; a code stands for a missing label."""
    nodes, edges = content(nx.read_gexf(io.BytesIO(gexf(graph))))
    for code, data in nodes.items():
        data.pop("viz", None)
        if "label" not in graph.nodes[code]:
            assert data.pop("label") == code
    for data in edges.values():
        data.pop("id")
    return nodes, edges


def by_igraph(graph: Graph, path: Path) -> Content:
    """Return what igraph reads in GraphML; what is missing is left out where igraph can say so."""
    path.write_bytes(graphml(graph))
    read = igraph.Graph.Read_GraphML(str(path))
    assert read.is_directed()
    names = read.vs["id"] if read.vcount() else []
    nodes = {vertex["id"]: {k: v for k, v in vertex.attributes().items() if k != "id"} for vertex in read.vs}
    return nodes, {(names[edge.source], names[edge.target]): edge.attributes() for edge in read.es}


def as_igraph(graph: Graph) -> Content:
    """Return what igraph can know: numbers are floats, and what is missing is NaN, empty or false."""
    nodes, edges = cleaned(graph)
    empty_nodes, empty_edges = _nothing(nodes.values()), _nothing(edges.values())
    return (
        {code: {**empty_nodes, **_in_floats(data)} for code, data in nodes.items()},
        {pair: {**empty_edges, **_in_floats(data)} for pair, data in edges.items()},
    )


def _nothing(elements: Iterable[Attributes]) -> Attributes:
    nothing = {str: "", bool: False, int: math.nan, float: math.nan}
    return {name: nothing[type(value)] for data in elements for name, value in data.items()}  # type: ignore[index]


def _in_floats(data: Attributes) -> Attributes:
    return {name: float(value) if type(value) is int else value for name, value in data.items()}


def assert_same(found: Content, expected: Content) -> None:
    """Compare two contents, NaN equal to NaN."""
    for here, there in zip(found, expected, strict=True):
        assert list(map(str, here)) == list(map(str, there))
        for key, data in there.items():
            assert here[key].keys() == data.keys()
            for name, value in data.items():
                assert here[key][name] == value or (value != value and here[key][name] != here[key][name])


GRAPHS = [example, hostile_graph, Graph, lambda: Graph([("SE", "NO")]), lambda: nx.DiGraph({"SE": {}, "NO": {}})]


@pytest.mark.parametrize("make", GRAPHS)
def test_networkx_reads_what_was_written(make: Callable[[], Graph]) -> None:
    graph = make()
    for found in (by_networkx_graphml(graph), by_networkx_gexf(graph)):
        assert found == cleaned(graph)
        assert types_of(found) == types_of(cleaned(graph))


@pytest.mark.parametrize("make", GRAPHS)
def test_igraph_reads_what_was_written(make: Callable[[], Graph], tmp_path: Path) -> None:
    graph = make()
    assert_same(by_igraph(graph, tmp_path / "graph.graphml"), as_igraph(graph))


def test_the_graph_of_the_sample_comes_back(sample: Graph, tmp_path: Path) -> None:
    assert by_networkx_graphml(sample) == content(sample)
    assert by_networkx_gexf(sample) == content(sample)
    assert_same(by_igraph(sample, tmp_path / "graph.graphml"), as_igraph(sample))


TEXTS = st.text(st.characters(exclude_categories=()), max_size=12)
ROWS = st.lists(
    st.tuples(
        TEXTS | st.none(),
        st.integers(-(2**63) + 1, 2**63 - 1) | st.none(),
        st.floats() | st.none(),
        st.booleans() | st.none(),
    ),
    min_size=1,
    max_size=3,
)


@settings(EXAMPLES, max_examples=40)
@given(rows=ROWS)
def test_any_values_come_back(rows: list[tuple[object, ...]], tmp_path_factory: pytest.TempPathFactory) -> None:
    names = ["words", "whole", "number", "flag"]
    values = pd.DataFrame(rows, columns=names, dtype=object)
    nodes = values.assign(market=[f"M{number}" for number in range(len(rows))])
    edges = values.assign(source=nodes["market"], target=nodes["market"].shift(-1, fill_value="M0"), tracks=1)
    graph = networkx_graph(nodes, edges)
    for data in graph.nodes.values():
        for name, kind in zip(names, (str, int, float, bool), strict=True):
            assert name not in data or type(data[name]) is kind
    for found in (by_networkx_graphml(graph), by_networkx_gexf(graph)):
        assert found == cleaned(graph)
        assert types_of(found) == types_of(cleaned(graph))
    assert_same(by_igraph(graph, tmp_path_factory.getbasetemp() / "any.graphml"), as_igraph(graph))


def test_characters_that_xml_cannot_hold_are_replaced() -> None:
    assert text(CONTROLS) == "\ufffda" + "\ufffd" * 6
    assert all(text(word) == word for word in HOSTILE)
    graph = networkx_graph(
        pd.DataFrame({"market": ["SE"], "name": [CONTROLS]}), pd.DataFrame(columns=["source", "target", "tracks"])
    )
    assert by_networkx_graphml(graph)[0]["SE"]["label"] == text(CONTROLS)
    assert by_networkx_gexf(graph)[0]["SE"]["label"] == text(CONTROLS)
    assert text(CONTROLS) in dot(graph)


def test_the_igraph_object_is_the_same_graph() -> None:
    graph = example()
    there = igraph_graph(graph)
    names = there.vs["name"]
    nodes = {v["name"]: {k: x for k, x in v.attributes().items() if k != "name" and x is not None} for v in there.vs}
    edges = {
        (names[e.source], names[e.target]): {k: x for k, x in e.attributes().items() if x is not None} for e in there.es
    }
    assert (nodes, edges) == content(graph)
    assert types_of((nodes, edges)) == types_of(content(graph))
    assert igraph_graph(Graph()).vcount() == 0


# ── graphology ───────────────────────────────────────────────────────────────────────────────────────────────────────


def example_files() -> dict[str, bytes]:
    """Return the files that graphology has read."""
    graph = example()
    return dict(zip(EXAMPLE_FILES, (graphml(graph), gexf(graph), gexf(graph, example_periods())), strict=True))


def read_by_graphology(files: Mapping[str, bytes], folder: Path) -> dict[str, dict[str, object]]:
    """Return what graphology's parsers find in files, or skip where node or the packages are not here."""
    packages = Path(os.environ.get("GRAPHOLOGY_FOLDER", GRAPHOLOGY))
    if shutil.which("node") is None or not (packages / "node_modules" / "graphology").is_dir():
        pytest.skip(
            f"graphology is not here: npm install in {GRAPHOLOGY.relative_to(REFERENCE.parents[1])}, "
            "or name the folder of its node_modules in GRAPHOLOGY_FOLDER"
        )
    for name, data in files.items():
        (folder / name).write_bytes(data)
    command = ["node", str(GRAPHOLOGY / "read.mjs"), *(str(folder / name) for name in files)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, encoding="utf-8")
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    return found


def graphology_content(found: Mapping[str, object]) -> Content:
    """Return what graphology found, without the positions and sizes that GEXF adds."""
    nodes = {node["id"]: node["attributes"] for node in found["nodes"]}  # type: ignore[attr-defined]
    edges = {(edge["source"], edge["target"]): edge["attributes"] for edge in found["edges"]}  # type: ignore[attr-defined]
    return nodes, edges


def assert_graphology_read(graph: Graph, found: Mapping[str, object], *, periods: pd.DataFrame | None = None) -> None:
    """Check that graphology found a graph; JavaScript has one kind of number, and GEXF no node without a label."""
    nodes, edges = graphology_content(found)
    expected_nodes, expected_edges = cleaned(graph)
    assert found["type"] == ("directed" if edges else found["type"])
    assert nodes.keys() == expected_nodes.keys()
    for code, data in expected_nodes.items():
        added = set(nodes[code]) - set(data)
        assert added <= {"x", "y", "z", "size", "label"}
        assert {name: nodes[code][name] for name in data} == data
        assert "x" not in nodes[code] or nodes[code]["x"] == pytest.approx(10 * data["lon"], abs=1e-3)  # type: ignore[operator]
    assert edges.keys() == expected_edges.keys()
    last = {} if periods is None else {(p.source, p.target): p for p in periods.sort_values("start").itertuples()}
    for pair, data in expected_edges.items():
        own = dict(data)
        if pair in last:  # the types of dynamic attributes are not known to graphology
            own |= {"weight": f"{float(last[pair].tracks)}"}
        assert edges[pair] == own


def test_graphology_reads_the_example_as_it_did(tmp_path: Path) -> None:
    found = read_by_graphology(example_files(), tmp_path)
    assert found == json.loads((GRAPHOLOGY / "answers.json").read_text(encoding="utf-8"))


def test_graphology_reads_what_was_written(tmp_path: Path, sample: Graph) -> None:
    graphs = {"example": example(), "hostile": hostile_graph(), "sample": sample, "empty": Graph()}
    files = {f"{name}.graphml": graphml(graph) for name, graph in graphs.items()}
    files |= {f"{name}.gexf": gexf(graph) for name, graph in graphs.items()}
    for file, found in read_by_graphology(files, tmp_path).items():
        assert_graphology_read(graphs[file.split(".")[0]], found)


def test_the_files_are_still_those_that_graphology_read() -> None:
    """Where node is missing, equal bytes and graphology's answers of then prove the same."""
    answers = json.loads((GRAPHOLOGY / "answers.json").read_text(encoding="utf-8"))
    for name, data in example_files().items():
        assert data == (GRAPHOLOGY / name).read_bytes()
        periods = example_periods() if name == "dynamic.gexf" else None
        assert_graphology_read(example(), answers[name], periods=periods)


# ── formats ──────────────────────────────────────────────────────────────────────────────────────────────────────────

TOKEN = re.compile(r"[\w.:·-]+")
SPELLINGS = {
    "string": re.compile(r".*", re.DOTALL),
    "boolean": re.compile("true|false"),
    "long": re.compile(r"-?\d+"),
    "double": re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?"),
}
G = "{http://graphml.graphdrawing.org/xmlns}"
X = "{http://gexf.net/1.3}"
VIZ = "{http://gexf.net/1.3/viz}"


def _is_spelled(kind: str | None, value: str) -> bool:
    return kind in SPELLINGS and SPELLINGS[kind].fullmatch(value) is not None


def broken_in_graphml(data: bytes) -> list[str]:
    """Return which rules of GraphML 1.0 and of Gephi a file breaks."""
    root = ET.fromstring(data)
    broken = [] if root.tag == f"{G}graphml" else ["root"]
    keys = {key.get("id", ""): key for key in root.findall(f"{G}key")}
    (graph,) = root.findall(f"{G}graph")
    broken += ["order"] * ([child.tag for child in root] != [f"{G}key"] * len(keys) + [f"{G}graph"])
    broken += ["edgedefault"] * (graph.get("edgedefault") != "directed")
    broken += [f"key {id}" for id in keys if not TOKEN.fullmatch(id)]
    broken += ["key ids"] * (len(keys) < len(root.findall(f"{G}key")))
    broken += [f"type of {id}" for id, key in keys.items() if key.get("attr.type") not in SPELLINGS]
    broken += [f"label is {id}" for id, k in keys.items() if (k.get("attr.name") == "label") != (id == "label")]
    ids = [node.get("id", "") for node in graph.findall(f"{G}node")]
    broken += ["node ids"] * (len(set(ids)) < len(ids)) + [f"node {id}" for id in ids if not TOKEN.fullmatch(id)]
    for element in graph:
        place = element.tag.removeprefix(G)
        ends = {element.get("source"), element.get("target")} if place == "edge" else {element.get("id")}
        broken += [f"end of {place}"] * (not ends <= set(ids))
        used = [item.get("key", "") for item in element]
        broken += [f"twice in {place}"] * (len(set(used)) < len(used))
        for item in element:
            key = keys.get(item.get("key", ""))
            if item.tag != f"{G}data" or key is None or key.get("for") != place:
                broken.append(f"data of {place}")
            elif not _is_spelled(key.get("attr.type"), item.text or ""):
                broken.append(f"value {item.text}")
    return broken


def broken_in_gexf(data: bytes) -> list[str]:
    """Return which rules of GEXF 1.3 and of Gephi a file breaks."""
    root = ET.fromstring(data)
    broken = [] if (root.tag, root.get("version")) == (f"{X}gexf", "1.3") else ["root"]
    broken += ["order"] * ([child.tag for child in root] != [f"{X}meta", f"{X}graph"])
    (graph,) = root.findall(f"{X}graph")
    mode = graph.get("mode", "static")
    broken += ["mode"] * ((mode == "dynamic") != (graph.get("timeformat") == "date"))
    blocks = {(b.get("class"), b.get("mode", "static")): b for b in graph.findall(f"{X}attributes")}
    broken += ["attributes"] * (len(blocks) < len(graph.findall(f"{X}attributes")))
    declared = {(block[0], a.get("id")): (block[1], a.get("type")) for block, b in blocks.items() for a in b}
    broken += ["attribute ids"] * (len(declared) < sum(len(block) for block in blocks.values()))
    broken += [f"type {kind}" for _, kind in declared.values() if kind not in SPELLINGS]
    broken += [f"weight {m}" for (_, id), (m, kind) in declared.items() if id == "weight" and (m, kind) != W]
    nodes, edges = ([*graph.iter(f"{X}{name}")] for name in ("node", "edge"))
    ids = [node.get("id") for node in nodes]
    broken += ["ids"] * (len(set(ids)) < len(ids) or len({edge.get("id") for edge in edges}) < len(edges))
    broken += ["end"] * any({edge.get("source"), edge.get("target")} - set(ids) for edge in edges)
    broken += ["label"] * any(not node.get("label") for node in nodes)
    for place, elements in (("node", nodes), ("edge", edges)):
        for element in elements:
            broken += _broken_values(place, element, declared) + _broken_shape(place, element)
    times = [element for element in root.iter() if "start" in element.attrib or "end" in element.attrib]
    broken += ["time"] * (bool(times) and mode == "static")
    for element in times:
        start, end = (date.fromisoformat(element.get(side, "")) for side in ("start", "end"))
        inside = graph.get("start", "") <= str(start) <= str(end) <= graph.get("end", "")
        broken += ["interval"] * (not inside)
    return broken


W = ("dynamic", "double")
"""Where and as what GEXF reserves the name weight for an attribute."""


def _broken_values(
    place: str, element: ET.Element, declared: Mapping[tuple[str | None, str | None], tuple[str, str | None]]
) -> list[str]:
    """Return what is wrong with the attribute values of an element: undeclared, misspelled, twice, or overlapping."""
    broken, seen = [], dict[str, str]()
    for item in element.iterfind(f"{X}attvalues/{X}attvalue"):
        name, value = item.get("for", ""), item.get("value", "")
        mode, kind = declared.get((place, name), ("none", ""))
        if mode == "none" or not _is_spelled(kind, value):
            broken.append(f"value of {name}")
        if (mode == "dynamic") != ("start" in item.attrib):
            broken.append(f"time of {name}")
        if name in seen and item.get("start", "") <= seen[name]:
            broken.append(f"again {name}")
        seen[name] = item.get("end", "9999-12-31")
    return broken


def _broken_shape(place: str, element: ET.Element) -> list[str]:
    """Return what is wrong with the children of an element."""
    allowed = {"node": {f"{X}attvalues", f"{VIZ}size", f"{VIZ}position"}, "edge": {f"{X}attvalues", f"{X}spells"}}
    tags = [child.tag for child in element]
    broken = ["children"] * (not set(tags) <= allowed[place] or len(set(tags)) < len(tags))
    sizes = [float(size.get("value", "")) for size in element.iterfind(f"{VIZ}size")]
    spells = [(s.get("start", ""), s.get("end", "")) for s in element.iterfind(f"{X}spells/{X}spell")]
    broken += ["size"] * any(size < 0 for size in sizes)
    return broken + ["spells"] * any(then[0] <= first[1] for first, then in pairwise(spells))


@pytest.mark.parametrize("make", GRAPHS)
def test_files_obey_their_formats(make: Callable[[], Graph]) -> None:
    graph = make()
    assert broken_in_graphml(graphml(graph)) == []
    assert broken_in_gexf(gexf(graph)) == []


def test_the_files_of_the_sample_obey_their_formats(sample: Graph, periods: pd.DataFrame) -> None:
    assert broken_in_graphml(graphml(sample)) == []
    assert broken_in_gexf(gexf(sample)) == []
    assert broken_in_gexf(gexf(sample, periods)) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b'edgedefault="directed"', b'edgedefault="both"', "edgedefault"),
        (b'<key id="lat"', b'<key id="l t"', "key l t"),
        (b'<key id="lat"', b'<key id="lon"', "key ids"),
        (b'<key id="label"', b'<key id="d3"', "label is d3"),
        (b'attr.name="tracks" attr.type="long"', b'attr.name="tracks" attr.type="date"', "type of tracks"),
        (b'<node id="NA"', b'<node id="SE"', "node ids"),
        (b'source="SE"', b'source="XX"', "end of edge"),
        (b">62.0<", b">62,0<", "value 62,0"),
        (b'<data key="lat">62.0', b'<data key="tracks">62.0', "data of node"),
    ],
)
def test_broken_graphml_is_seen(old: bytes, new: bytes, rule: str) -> None:
    data = graphml(example())
    assert old in data
    assert rule in broken_in_graphml(data.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b'version="1.3"', b'version="1.2"', "root"),
        (b'timeformat="date"', b'timeformat="double"', "mode"),
        (b'title="lat" type="double"', b'title="lat" type="number"', "type number"),
        (b'id="SE-US"', b'id="SE-NA"', "ids"),
        (b'target="US"', b'target="XX"', "end"),
        (b'label="Sweden"', b'label=""', "label"),
        (b'for="lat" value="62.0"', b'for="north" value="62.0"', "value of north"),
        (b'for="shallow" value="false"', b'for="shallow" value="False"', "value of shallow"),
        (b'value="10.0" start="2021-01-01"', b'value="10.0" start="2020-01-01"', "again weight"),
        (b'<spell start="2022-01-01"', b'<spell start="2020-01-01"', "spells"),
        (b'<spell start="2022-01-01"', b'<spell start="1921-01-01"', "interval"),
        (b'viz:size value="40', b'viz:size value="-40', "size"),
        (b'id="weight" title="weight" type="double"', b'id="weight" title="weight" type="string"', "weight dynamic"),
    ],
)
def test_broken_gexf_is_seen(old: bytes, new: bytes, rule: str) -> None:
    data = gexf(example(), example_periods())
    assert old in data
    assert rule in broken_in_gexf(data.replace(old, new))


def test_graphml_fits_its_schema(tmp_path: Path, sample: Graph) -> None:
    schema = os.environ.get("GRAPHML_SCHEMA", "")
    if shutil.which("xmllint") is None or not Path(schema).is_file():
        pytest.skip("no xmllint, or GRAPHML_SCHEMA does not name graphml.xsd with xlink.xsd beside it")
    for number, graph in enumerate([*(make() for make in GRAPHS), sample]):
        path = tmp_path / f"{number}.graphml"
        path.write_bytes(graphml(graph))
        command = ["xmllint", "--noout", "--nonet", "--schema", schema, str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


# ── GEXF in time ─────────────────────────────────────────────────────────────────────────────────────────────────────


Timed = dict[tuple[str, str], list[tuple[str | None, ...]]]


def timed_weights(data: bytes) -> Timed:
    """Return the weights in time of every edge that has some, as the file holds them; networkx does not read them."""
    found: Timed = {}
    for edge in ET.fromstring(data).iter(f"{X}edge"):
        for value in edge.iterfind(f"{X}attvalues/{X}attvalue[@start]"):
            assert value.get("for") == "weight"
            own = found.setdefault((edge.attrib["source"], edge.attrib["target"]), [])
            own.append((value.get("value"), value.get("start"), value.get("end")))
    return found


def test_weights_change_from_period_to_period() -> None:
    data = gexf(example(), example_periods())
    first = ("2020-07-01", "2020-12-31")
    assert timed_weights(data) == {
        ("SE", "NA"): [("15.0", *first), ("10.0", "2021-01-01", "2021-06-30"), ("5.0", "2022-01-01", "2022-06-30")],
        ("SE", "US"): [("10.0", *first)],
    }
    _, edges = content(nx.read_gexf(io.BytesIO(data)))
    namibia = edges["SE", "NA"]
    assert namibia["spells"] == [("2020-07-01", "2021-06-30"), ("2022-01-01", "2022-06-30")]
    assert (namibia["tracks"], namibia["weight"], namibia["rate"]) == (30, 30.0, 0.1 + 0.2)
    assert edges["SE", "US"]["spells"] == [first]
    assert "spells" not in edges["NA", "SE"]


def test_the_periods_of_the_sample_come_back(sample: Graph, periods: pd.DataFrame) -> None:
    data = gexf(sample, periods)
    written: Timed = {}
    for row in periods.sort_values("start").itertuples():
        span = (f"{float(row.tracks)}", str(row.start.date()), str(row.end.date()))
        written.setdefault((row.source, row.target), []).append(span)
    assert timed_weights(data) == written
    nodes, _ = content(nx.read_gexf(io.BytesIO(data)))
    for code, node in sample.nodes(data=True):
        assert nodes[code]["viz"]["position"]["y"] == pytest.approx(10 * node["lat"], abs=1e-3)  # type: ignore[index]


def test_the_graph_leaves_out_what_gephi_cannot_use(entries: diffusion.Entries) -> None:
    graph = market_graph(entries)
    _, edges = content(nx.read_gexf(io.BytesIO(graph.gexf())))
    flows = dict(content(graph.to_networkx())[1])
    assert edges.keys() == flows.keys()
    for pair, data in flows.items():
        kept = {name: value for name, value in data.items() if name in {"weight", *GEPHI_EDGES}}
        assert {name: value for name, value in edges[pair].items() if name not in {"id", "spells"}} == kept
    assert {"rate", "lag_median", "distance_km"} <= set().union(*edges.values())


def test_size_is_by_area() -> None:
    nodes, _ = content(nx.read_gexf(io.BytesIO(gexf(example()))))
    sizes = {code: data["viz"]["size"] for code, data in nodes.items()}  # type: ignore[index]
    assert sizes == {"SE": 40.0, "NA": 22.0, "US": 4.0, "MT": 4.0}  # 40, 10 and 0 tracks sent
    assert "position" not in nodes["US"]["viz"]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": ["MT", "NA", "NA", "US"]}, "SE→MT, which the graph lacks"),
        ({"end": pd.to_datetime(["2019-12-31", "2021-06-30", "2022-06-30", "2020-12-31"])}, "before it starts"),
        ({"end": pd.to_datetime(["2021-01-01", "2021-06-30", "2022-06-30", "2020-12-31"])}, "overlap on 2021-01-01"),
    ],
)
def test_periods_that_cannot_be(change: dict[str, list[object]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gexf(example(), example_periods().assign(**change))


# ── DOT, CSV, Parquet ────────────────────────────────────────────────────────────────────────────────────────────────

QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def read_dot(words: str) -> Content:
    """Return what a plain reader of our own kind of DOT finds: quoted texts, ``->``, ``=``."""
    nodes: dict[str, Attributes] = {}
    edges: dict[tuple[str, str], Attributes] = {}
    body = words.removeprefix('digraph "markets" {\n  layout="sfdp";\n').removesuffix("}\n")
    for line in body.splitlines(keepends=False) if "\x85" not in body else body.split("\n"):
        if not line:
            continue
        plain = QUOTED.sub("Q", line)
        texts = [re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], t) for t in QUOTED.findall(line)]
        ends = 2 if " -> " in plain else 1
        pairs = ", ".join(["Q=Q"] * ((len(texts) - ends) // 2))
        assert plain == f"  {' -> '.join('Q' * ends)}{f' [{pairs}]' if pairs else ''};"
        data: Attributes = dict(zip(texts[ends::2], texts[ends + 1 :: 2], strict=True))
        if ends == 2:
            edges[texts[0], texts[1]] = data
        else:
            nodes[texts[0]] = data
    return nodes, edges


@pytest.mark.parametrize("make", GRAPHS)
def test_dot_is_read_back(make: Callable[[], Graph]) -> None:
    graph = make()
    spelling = {True: "true", False: "false"}

    def spelled(data: Attributes) -> Attributes:
        return {
            name: replaced(re.sub("\r\n|\r", "\n", v))
            if isinstance(v, str)
            else spelling[v]
            if isinstance(v, bool)
            else repr(v)
            for name, v in data.items()
        }

    nodes, edges = cleaned(graph)
    found = read_dot(dot(graph))
    assert found == ({n: spelled(data) for n, data in nodes.items()}, {e: spelled(d) for e, d in edges.items()})


def hostile_table() -> pd.DataFrame:
    """Return a table with every kind of column, hostile text and missing values."""
    count = len(HOSTILE)
    return pd.DataFrame(
        {
            "market": ["NA", None, "", *HOSTILE[3:]],
            "tracks": pd.array([None, 2**62, *range(count - 2)], dtype="Int64"),
            "rate": [math.nan, 0.1 + 0.2, 5e-324, *np.linspace(0, 1, count - 3)],
            "direct": pd.array([True, None] * (count // 2), dtype="boolean"),
            "entry": pd.to_datetime(["2021-01-31", None] * (count // 2)),
        }
    )


def test_csv_is_read_back() -> None:
    table = hostile_table()
    data = csv(table)
    read = pyarrow.csv.read_csv(
        io.BytesIO(data),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False),
    )
    assert [cell and read_csv_cell(cell) for cell in read["market"].to_pylist()] == table["market"].to_list()
    assert read["tracks"].to_pylist() == [None if pd.isna(v) else v for v in table["tracks"]]
    assert read["rate"].to_pylist() == [None if pd.isna(v) else v for v in table["rate"]]
    assert read["direct"].to_pylist() == [None if pd.isna(v) else v for v in table["direct"]]
    assert read["entry"].to_pylist() == [None if pd.isna(v) else v.date() for v in table["entry"]]
    plain = [*python_csv.reader(io.StringIO(data.decode(), newline=""))]
    assert plain[0] == list(table.columns)
    assert [read_csv_cell(row[0]) for row in plain[1:]] == table["market"].fillna("").to_list()
    by_pandas = pd.read_csv(io.BytesIO(data), keep_default_na=False, lineterminator="\n")
    assert read_csv_table(by_pandas)["market"].to_list() == table["market"].fillna("").to_list()


def test_csv_keeps_the_time_of_day() -> None:
    table = pd.DataFrame({"at": pd.to_datetime(["2021-01-31 00:00", "2021-01-31 12:30"])})
    assert b"2021-01-31 12:30:00" in csv(table)


def test_parquet_is_read_back() -> None:
    table = hostile_table()
    pd.testing.assert_frame_equal(pq.read_table(io.BytesIO(parquet(table))).to_pandas(), table)
    empty = table.head(0)
    pd.testing.assert_frame_equal(pq.read_table(io.BytesIO(parquet(empty))).to_pandas(), empty)
    assert csv(empty) == b'"market","tracks","rate","direct","entry"\n'


# ── what cannot be exported ──────────────────────────────────────────────────────────────────────────────────────────


def test_values_become_one_of_four_types() -> None:
    def values(*column: object, **options: str) -> list[object]:
        return list(column_values(pd.Series(column, name="x", **options)))  # type: ignore[call-overload]

    assert values(1, 2.5, dtype="object") == [1.0, 2.5]
    assert values(np.int8(3), pd.NA, None, dtype="object") == [3, None, None]
    assert values(np.bool_(True), dtype="object") == [True]
    assert values(math.inf, -math.inf, math.nan, 0.5) == [None, None, None, 0.5]
    assert values(5e-324, -1e-310, 0.0) == [SMALLEST_NUMBER, -SMALLEST_NUMBER, 0.0]
    assert values("", "x") == [None, "x"]
    assert values(pd.Timestamp("2021-01-31 12:00"), pd.NaT) == ["2021-01-31", None]
    assert values(date(2021, 1, 31), np.datetime64("2021-01-31"), dtype="object") == ["2021-01-31"] * 2
    assert values("SE", None, dtype="category") == ["SE", None]
    for column in ([1, "x"], [True, 1], [[1]], [{}], [2**63], [1j]):
        with pytest.raises(TypeError, match="column 'x'"):
            values(*column, dtype="object")


def test_graphs_that_files_cannot_hold() -> None:
    two_types = Graph([("SE", "NO", {"x": 1}), ("NO", "SE", {"x": 1.0})])
    for write in (dot, gexf, graphml):
        with pytest.raises(TypeError, match="'x' is int in one place and float in another"):
            write(two_types)
        with pytest.raises(TypeError, match="no type for x"):
            write(Graph([("SE", "NO", {"x": [1]})]))
        for bad in ("", "S\x00E"):
            with pytest.raises(ValueError, match=r"no .*id like"):
                write(Graph([(bad, "NO")]))
    with pytest.raises(ValueError, match="no node id like 'S E'"):
        graphml(Graph([("S E", "NO")]))
    with pytest.raises(ValueError, match="the same name in GraphML"):
        graphml(Graph([("SE", "NO", {"a b": 1, "a c": 2, "a_b": 3})]))
    with pytest.raises(ValueError, match="two edges have the same id"):
        gexf(Graph([("A-B", "C"), ("A", "B-C")]))
    with pytest.raises(ValueError, match="two columns have the name 'label'"):
        networkx_graph(pd.DataFrame({"market": ["SE"], "name": ["a"], "label": ["b"]}), pd.DataFrame())
    shared = nx.read_graphml(io.BytesIO(graphml(two_names := Graph([("SE", "NO", {"x": 1})]))))
    assert content(shared) == content(two_names)


def test_nodes_and_edges_may_share_a_name() -> None:
    graph = Graph()
    graph.add_node("SE", entries=3, label="Sweden")
    graph.add_edge("SE", "SE", entries="many", label="loop")
    assert by_networkx_graphml(graph) == content(graph)
    assert by_networkx_gexf(graph)[1] == content(graph)[1]
