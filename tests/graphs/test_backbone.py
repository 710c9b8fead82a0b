"""The backbone against the definition written out, a worked example, and the definition's integral."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from diffusion import DataSaysNoError, SettingError
from graphs.backbone import backbone_by_disparity, backbone_by_q, disparity
from tests.random_charts import EXAMPLES

SAME = 1e-12
"""Sums of at most 36 numbers in another order."""


def edge_table(strength: dict[tuple[str, str], float]) -> pd.DataFrame:
    """Return edges with `tracks` from pair → strength."""
    return pd.DataFrame([(a, b, s) for (a, b), s in strength.items()], columns=["source", "target", "tracks"])


def twin(strength: dict[tuple[str, str], float]) -> dict[tuple[str, str], tuple[float, float]]:
    """Return pair → disparity of the source and of the target, on a networkx graph as the paper defines it."""
    graph = nx.DiGraph()
    graph.add_weighted_edges_from((a, b, s) for (a, b), s in strength.items() if s > 0)
    found = {}
    for a, b, s in graph.edges(data="weight"):
        out = (1 - s / graph.out_degree(a, weight="weight")) ** (graph.out_degree(a) - 1)
        into = (1 - s / graph.in_degree(b, weight="weight")) ** (graph.in_degree(b) - 1)
        found[a, b] = (out, into)
    return found


pairs = st.tuples(st.sampled_from("ABCDEÅ"), st.sampled_from("ABCDEÅ")).filter(lambda p: p[0] != p[1])


@EXAMPLES
@given(st.dictionaries(pairs, st.sampled_from([0, 1, 1, 2, 5, 40, 0.25]), min_size=1))
def test_disparity_is_the_twins(strength: dict[tuple[str, str], float]) -> None:
    found = disparity(edge_table(strength))
    expected = twin(strength)
    for row in found.itertuples():
        there = expected.get((row.source, row.target))
        if there is None:
            assert np.isnan([row.disparity_out, row.disparity_in, row.disparity]).all()
        else:
            assert (row.disparity_out, row.disparity_in) == pytest.approx(there, abs=SAME)
            assert row.disparity == min(row.disparity_out, row.disparity_in)


def test_worked_example() -> None:
    """Ten tracks from SE: 8, 1, 1. (1 − 8/10)² = 0.04, (1 − 1/10)² = 0.81. FI receives 1 and 9: 0.9, 0.1."""
    edges = edge_table({("SE", "NO"): 8, ("SE", "DK"): 1, ("SE", "FI"): 1, ("EE", "FI"): 9})
    found = disparity(edges).set_index(["source", "target"])
    assert found["disparity_out"].tolist() == pytest.approx([0.04, 0.81, 0.81, 1.0])
    assert found["disparity_in"].tolist() == pytest.approx([1.0, 1.0, 0.9, 0.1])
    kept = backbone_by_disparity(edges)
    assert kept[["source", "target", "tracks"]].to_numpy().tolist() == [["SE", "NO", 8]]
    assert len(backbone_by_disparity(edges, level=0.1)) == 2
    assert backbone_by_disparity(edges, level=0.1, side="in")["source"].tolist() == ["EE"]
    assert backbone_by_disparity(edges, level=0.1, side="out")["source"].tolist() == ["SE"]
    with pytest.raises(DataSaysNoError, match=r"no edge of 4 has disparity ≤ 0\.1 \(the smallest is 0\.9\)"):
        backbone_by_disparity(edges, level=0.1, side="both")


def test_disparity_is_the_integral_of_the_paper() -> None:
    """Serrano et al., eq. 2: 1 − (k − 1) ∫₀ˢ (1 − x)^(k − 2) dx."""
    edges = edge_table({("SE", market): s for market, s in zip("ABCDE", (1, 2, 3, 5, 9), strict=True)})
    for share, found in zip(edges["tracks"] / 20, disparity(edges)["disparity_out"], strict=True):
        area, _ = integrate.quad(lambda x: 4 * (1 - x) ** 3, 0, share)
        assert found == pytest.approx(1 - area, abs=1e-10)


def test_under_its_null_the_level_is_kept() -> None:
    """Shares from a uniformly cut stick are below the level as often as the level says, for each side."""
    cuts = np.random.default_rng(4).dirichlet(np.ones(10), size=4_000)
    edges = pd.DataFrame(
        {
            "source": np.repeat(np.arange(4_000).astype(str), 10),
            "target": np.arange(40_000).astype(str),
            "rate": cuts.ravel(),
        }
    )
    below = (disparity(edges, by="rate")["disparity_out"] <= 0.05).mean()
    assert below == pytest.approx(0.05, abs=0.005)


def test_missing_strength_is_no_edge() -> None:
    edges = pd.DataFrame({"source": list("AAA"), "target": list("BCD"), "rate": [0.5, None, 0.5]})
    found = disparity(edges, by="rate")
    assert found["disparity_out"].tolist() == pytest.approx([0.5, np.nan, 0.5], nan_ok=True)
    assert backbone_by_disparity(edges, by="rate", level=0.5)["target"].tolist() == ["B", "D"]


def test_q_keeps_the_order_and_the_columns() -> None:
    edges = pd.DataFrame({"source": list("CAB"), "target": list("ABC"), "tracks": [3, 2, 1], "q": [0.05, np.nan, 0.04]})
    kept = backbone_by_q(edges)
    assert kept.columns.tolist() == edges.columns.tolist()
    assert kept["source"].tolist() == ["C", "B"]
    assert kept["tracks"].dtype == edges["tracks"].dtype
    assert backbone_by_q(edges.astype({"q": "Float64"}))["source"].tolist() == ["C", "B"]


def test_nothing_kept_is_said() -> None:
    edges = edge_table({("A", "B"): 1, ("B", "A"): 1})
    with pytest.raises(SettingError, match="no column q"):
        backbone_by_q(edges)
    with pytest.raises(DataSaysNoError, match="none has a value"):
        backbone_by_q(edges.assign(q=np.nan))
    with pytest.raises(DataSaysNoError, match=r"the smallest is 1\)"):
        backbone_by_disparity(edges)
    with pytest.raises(DataSaysNoError, match="no edge of 0"):
        backbone_by_disparity(edges.iloc[:0])


def test_settings_that_cannot_be_right() -> None:
    edges = edge_table({("A", "B"): 1})
    for level in (0, 1.5, -1, float("nan")):
        with pytest.raises(SettingError, match="above 0 and up to 1"):
            backbone_by_disparity(edges, level=level)
    with pytest.raises(SettingError, match="no column 'alpha'"):
        disparity(edges, by="alpha")
    with pytest.raises(SettingError, match="below 0 or infinite"):
        disparity(edges.assign(tracks=-1))
    with pytest.raises(SettingError, match="side is one of either, both, out, in, not 'left'"):
        backbone_by_disparity(edges, side="left")  # type: ignore[arg-type]
