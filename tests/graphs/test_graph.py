"""The market graph: its value, its leaders against networkx, its exports read back."""

import io
import math
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest

import diffusion
from diffusion import SettingError
from graphs import MarketGraph, market_graph
from tests.conftest import WriteCsv, steady

HALF_WAY = {
    "United States": {"x": 30, "y": 31, "z": 35},
    "Sweden": {"x": 33, "y": 31, "z": 36},
    "Simulated XA": {"x": 40},
}
"""x goes US → SE → XA, y enters US and SE on one day, z goes US → SE."""


@pytest.fixture(scope="module")
def sample() -> MarketGraph:
    with diffusion.open_sample() as charts:
        return market_graph(charts.entries())


Small = Callable[..., MarketGraph]


@pytest.fixture
def small(write_csv: WriteCsv) -> Small:
    """Return a function that makes the graph of a few steady charts."""

    def make(entries: dict[str, dict[str, int]], days: int = 90, **options: int) -> MarketGraph:
        with diffusion.open_charts(write_csv(steady(days, entries))) as charts:
            return market_graph(charts.entries(), **options)

    return make


def test_a_worked_example(small: Small) -> None:
    graph = small(HALF_WAY)
    edges = graph.edges.set_index(["source", "target"])
    assert len(edges) == 6
    assert edges.loc[("US", "SE"), ["tracks", "joint", "exposed"]].tolist() == [2, 1, 2]
    assert edges.loc[("US", "SE"), "rate"] == 1.0
    assert edges.loc[("US", "SE"), "lag_median"] == 2.0  # of 1 and 3 days
    assert edges.loc[("SE", "US"), ["tracks", "joint", "exposed"]].tolist() == [0, 1, 0]
    assert math.isnan(edges.loc[("SE", "US"), "rate"])
    assert edges.loc[("US", "XA"), ["tracks", "exposed"]].tolist() == [1, 3]
    # y and z are followed for 59 and 55 days without an entry, x enters after 10: nobody is censored before it
    assert edges.loc[("US", "XA"), "rate"] == pytest.approx(1 / 3)
    scores = graph.scores().set_index("market")
    assert scores.loc["US", ["out_tracks", "in_tracks", "net_flow"]].tolist() == [3, 0, 3]
    assert scores["net_flow"].sum() == 0


def test_the_window_includes_its_bound(small: Small) -> None:
    assert small(HALF_WAY, window=10).edges.set_index(["source", "target"]).loc[("US", "XA"), "tracks"] == 1
    assert small(HALF_WAY, window=9).edges.set_index(["source", "target"]).loc[("US", "XA"), "tracks"] == 0


def test_flow_next_and_largest_agree_with_the_edges(sample: MarketGraph) -> None:
    flow = sample.flow("USA", "Canada")
    assert flow.edge["tracks"] == flow.curve["entered"].sum()
    assert flow.curve["incidence"].iloc[-1] == pytest.approx(flow.edge["rate"])
    assert flow.back["source"] == "CA"
    following = sample.next_from("Sweden")
    assert following["rate"].is_monotonic_decreasing
    assert len(following) == 66
    assert sample.largest("rate")["exposed"].min() >= 30
    assert sample.largest("tracks")["tracks"].iloc[0] == sample.edges["tracks"].max()
    with pytest.raises(diffusion.SettingError, match="not 'size'"):
        sample.largest("size")
    with pytest.raises(diffusion.DataSaysNoError, match="AD is not observed"):
        sample.flow("Andorra", "Sweden")
    with pytest.raises(diffusion.DataSaysNoError, match="two markets"):
        sample.flow("SE", "Sweden")


def test_a_bare_frame_needs_its_calendar() -> None:
    with diffusion.open_sample() as charts:
        entries = charts.entries()
    frame = entries.to_pandas()
    with pytest.raises(diffusion.SettingError, match="pass calendar="):
        market_graph(frame)
    with pytest.raises(diffusion.SettingError, match="carry their calendar"):
        market_graph(entries, calendar=entries.calendar)
    with pytest.warns(UserWarning, match="no artists, licences or rules"):
        one, other = market_graph(entries), market_graph(frame, calendar=entries.calendar)
    by_artist = ["rate_low", "rate_high"]  # a bare frame does not say whose the tracks are
    pd.testing.assert_frame_equal(one.edges.drop(columns=by_artist), other.edges.drop(columns=by_artist))


def test_the_graph_is_never_changed_from_outside(sample: MarketGraph) -> None:
    before, nodes = sample.edges, sample.nodes
    for table in (sample.edges, sample.nodes, sample.lags):
        table.iloc[:, -1] = 0
    flows = sample.to_igraph()
    flows.delete_vertices(0)
    pd.testing.assert_frame_equal(sample.edges, before)
    pd.testing.assert_frame_equal(sample.nodes, nodes)
    assert sample.to_igraph().vcount() == 67


def test_tables_that_do_not_fit_are_refused(sample: MarketGraph) -> None:
    parts = {"lags": sample.lags, "window": 60, "chart": "top50", "entries": sample.entries}
    with pytest.raises(ValueError, match="not the ordered pairs"):
        MarketGraph(sample.nodes, sample.edges.iloc[1:], **parts)
    with pytest.raises(ValueError, match="twice among the nodes"):
        MarketGraph(pd.concat([sample.nodes, sample.nodes.head(1)]), sample.edges, **parts)
    with pytest.raises(ValueError, match="'transitions' has nulls in 'tracks'"):
        MarketGraph(sample.nodes, sample.edges.assign(tracks=None), **parts)


def test_further_columns_are_in_every_export(small: Small) -> None:
    bare = small(HALF_WAY)
    pairs = bare.edges[["source", "target"]]
    edge = (pairs["source"] == "US").to_numpy()
    lifts = pairs.assign(lift=np.arange(len(pairs)) / 2, edge=edge)[1:]  # one pair has none
    graph = bare.with_columns(edges=lifts, nodes=pd.DataFrame({"market": ["SE", "US"], "community": ["0", "1"]}))
    assert "lift" not in bare.edges and "community" not in bare.nodes
    pd.testing.assert_frame_equal(graph.nodes.drop(columns="community"), bare.nodes)
    pd.testing.assert_frame_equal(graph.edges.drop(columns=["lift", "edge"]), bare.edges)
    for read in (nx.read_graphml(io.BytesIO(graph.graphml())), nx.read_gexf(io.BytesIO(graph.gexf()))):
        assert dict(read.nodes(data="community")) == {"XA": None, "SE": "0", "US": "1"}
        found = {(a, b): (data["lift"], data["edge"]) for a, b, data in read.edges(data=True) if "lift" in data}
        known = lifts.set_index(["source", "target"])
        assert found == {pair: tuple(known.loc[pair]) for pair in read.edges if pair in known.index}
        assert {kind for _, kind in found.values()} == {False, True}
    assert '"community"="1"' in graph.dot()


def test_further_columns_that_do_not_fit(small: Small) -> None:
    graph = small(HALF_WAY)
    with pytest.raises(SettingError, match="has a column 'rate' already"):
        graph.with_columns(edges=graph.edges[["source", "target", "rate"]])
    with pytest.raises(SettingError, match="has a column 'pagerank' already"):
        graph.with_columns(nodes=graph.nodes[["market", "pagerank"]])
    with pytest.raises(SettingError, match="one row for each source and target"):
        graph.with_columns(edges=pd.concat([graph.edges[["source", "target"]]] * 2))
    with pytest.raises(SettingError, match="one row for each market, named so"):
        graph.with_columns(nodes=pd.DataFrame({"code": ["SE"], "community": ["0"]}))


def test_every_edge_has_its_distances_and_gaps_are_named(sample: MarketGraph, small: Small) -> None:
    assert sample.unmatched == {}
    edge = sample.edges.set_index(["source", "target"]).loc[("SE", "NO")]
    known = diffusion.pair_table().set_index(["source", "target"]).loc[("SE", "NO")]
    assert edge["cultural_distance"] == known["cultural_distance"]
    unmatched = small(HALF_WAY).unmatched
    assert set(unmatched) == set(diffusion.distances.DISTANCES)
    assert unmatched["distance_km"] == [("SE", "XA"), ("US", "XA"), ("XA", "SE"), ("XA", "US")]


def test_graphml_is_read_back_by_networkx_and_igraph(sample: MarketGraph, tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    sample.to_graphml(path)
    written, again = sample.to_networkx(), nx.read_graphml(path)
    assert dict(written.nodes(data=True)) == dict(again.nodes(data=True))
    assert {(a, b): d for a, b, d in written.edges(data=True)} == {(a, b): d for a, b, d in again.edges(data=True)}
    by_igraph = igraph.Graph.Read_GraphML(str(path))
    assert sorted(by_igraph.vs["label"]) == sorted(sample.nodes["name"])
    assert by_igraph.es["weight"] == [float(tracks) for tracks in by_igraph.es["tracks"]]
    assert by_igraph.is_directed()


def test_graphml_is_as_gephi_wants_it(small: Small, tmp_path: Path) -> None:
    graph = small(HALF_WAY)  # XA has no position and no distances: its attributes must be absent, not empty
    path = tmp_path / "graph.graphml"
    graph.to_graphml(path)
    space = "{http://graphml.graphdrawing.org/xmlns}"
    root = ET.parse(path).getroot()
    keys = root.findall(f"{space}key")
    assert all(key.get("id") == key.get("attr.name") for key in keys)
    assert len({key.get("id") for key in keys}) == len(keys)
    assert {key.get("attr.type") for key in keys} <= {"string", "long", "double", "boolean"}
    names = {key.get("for", "") + ":" + key.get("id", "") for key in keys}
    assert names >= {"node:label", "node:lat", "node:lon", "edge:weight", "edge:rate", "edge:cultural_distance"}
    values = [data.text for data in root.iter(f"{space}data")]
    assert not {None, "", "None", "nan", "NaN", "NaT", "<NA>"} & set(values)
    nodes = {node.get("id"): {d.get("key"): d.text for d in node} for node in root.iter(f"{space}node")}
    assert nodes["XA"]["label"] == "Simulated XA"
    assert "lat" not in nodes["XA"]
    assert float(nodes["SE"]["lat"] or 0) > 55
    assert root.find(f"{space}graph").get("edgedefault") == "directed"  # type: ignore[union-attr]


def test_what_a_graph_cannot_be_made_of(write_csv: WriteCsv) -> None:
    with (
        diffusion.open_charts(write_csv(steady(60, {"us": {"x": 40}}))) as charts,
        pytest.raises(diffusion.DataSaysNoError, match="only one market"),
    ):
        market_graph(charts.entries())
    with (
        diffusion.open_charts(write_csv(steady(60, {"us": {"x": 40}, "se": {"x": 40}}))) as charts,
        pytest.raises(diffusion.DataSaysNoError, match=r"no transition .* 1 ties"),
    ):
        market_graph(charts.entries())
