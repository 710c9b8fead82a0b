"""Greedy network inference: the original program's edges, a plain twin, and tracks as cascades."""

import math

import numpy as np
import pandas as pd
import pytest

from diffusion import DataSaysNoError, SettingError
from graphs.netinf import EPSILON, netinf, track_cascades
from tests.conftest import REFERENCE
from tests.random_charts import study

GAIN_TOLERANCE = 1e-6
"""The reference is printed with six decimals."""

WORKED = pd.DataFrame(
    {
        "cascade": [1, 1, 1, 2, 2, 3, 3, 3, 4],
        "node": ["a", "b", "c", "a", "b", "b", "c", "a", "d"],
        "time": [0.0, 1.0, 3.0, 0.0, 2.0, 0.0, 1.0, 1.0, 5.0],
    }
)


def plain_netinf(cascades: pd.DataFrame, edges: int, rate: float) -> list[tuple[str, str, float]]:
    """Try every edge in every step, cascade by cascade."""
    stories = [dict(zip(own["node"], own["time"], strict=True)) for _, own in cascades.groupby("cascade")]
    best = [dict.fromkeys(story, math.log(EPSILON)) for story in stories]
    nodes, chosen = sorted(set(cascades["node"])), []
    for _ in range(edges):
        gains = {}
        for source in nodes:
            for target in nodes:
                gain = 0.0
                for story, known in zip(stories, best, strict=True):
                    if source in story and target in story and story[source] < story[target]:
                        chance = math.log(rate) - rate * (story[target] - story[source])
                        gain += max(chance - known[target], 0.0)
                gains[source, target] = gain
        (source, target), gain = max(gains.items(), key=lambda item: item[1])
        if gain <= 0:
            break
        chosen.append((source, target, gain))
        for story, known in zip(stories, best, strict=True):
            if source in story and target in story and story[source] < story[target]:
                known[target] = max(known[target], math.log(rate) - rate * (story[target] - story[source]))
    return chosen


def test_the_original_programs_edges() -> None:
    cascades = pd.read_csv(REFERENCE / "netinf_cascades.csv")
    edges = pd.read_csv(REFERENCE / "netinf_edges.csv").sort_values("marginal_gain", ascending=False)
    found = netinf(cascades, edges=len(edges))
    assert found["source"].to_list() == edges["origin_node"].to_list()
    assert found["target"].to_list() == edges["destination_node"].to_list()
    assert found["gain"].to_list() == pytest.approx(edges["marginal_gain"].to_list(), abs=GAIN_TOLERANCE)
    assert found["cascades"].to_list() == edges["volume"].to_list()


def test_worked_example() -> None:
    """a→b in two cascades at 1 and 2; b→c in two at 2 and 1; then b→a at 1; a→c explains c of 1 no better than b→c."""
    found = netinf(WORKED, edges=10)
    nothing = -math.log(EPSILON)
    assert found[["source", "target"]].to_numpy().tolist() == [["a", "b"], ["b", "c"], ["b", "a"]]
    assert found["gain"].to_list() == pytest.approx([2 * nothing - 3, 2 * nothing - 3, nothing - 1])
    assert found["cascades"].to_list() == [2, 2, 1]
    assert found["lag_median"].to_list() == [1.5, 1.5, 1.0]


def test_an_edge_gains_only_what_the_ones_before_left() -> None:
    events = pd.DataFrame({"cascade": 1, "node": ["a", "b", "c"], "time": [0.0, 1.0, 4.0]})
    found = netinf(pd.concat([events, events.assign(cascade=2).query("node != 'b'")]), edges=9)
    nothing = -math.log(EPSILON)
    assert found[["source", "target"]].to_numpy().tolist() == [["a", "c"], ["a", "b"], ["b", "c"]]
    assert found["gain"].to_list() == pytest.approx([2 * nothing - 8, nothing - 1, 1.0])


@pytest.mark.parametrize("seed", range(6))
def test_lazy_greedy_equals_plain_greedy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame(
            {"cascade": number, "node": rng.choice(list("abcdefg"), size, replace=False), "time": rng.random(size) * 9}
        )
        for number, size in enumerate(rng.integers(1, 7, 25))
    ]
    cascades = pd.concat(parts).sample(frac=1, random_state=seed)
    found, expected = netinf(cascades, edges=20, rate=0.7), plain_netinf(cascades, 20, 0.7)
    assert found[["source", "target"]].to_numpy().tolist() == [[source, target] for source, target, _ in expected]
    assert found["gain"].to_list() == pytest.approx([gain for _, _, gain in expected])
    assert (found["gain"].diff().dropna() <= 1e-9).all()


def test_many_pairs_are_made_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    cascades = pd.DataFrame({"cascade": np.repeat(range(30), 6), "node": list("abcdef") * 30, "time": rng.random(180)})
    whole = netinf(cascades, edges=8)
    monkeypatch.setattr("graphs.netinf.PAIRS", 7)
    pd.testing.assert_frame_equal(netinf(cascades, edges=8), whole)


def test_tracks_are_cascades_of_timed_entries() -> None:
    """FI is seen on every other day only: its entry on day 42 may have come before that of US on day 41."""
    days = range(120)
    tracks = {"é": {"SE": 40, "US": 41, "FI": 42}, "old": {"SE": 3, "US": 45}, "tie": {"SE": 50, "US": 50}}
    entries = study({"SE": days, "US": days, "FI": range(0, 120, 2)}, tracks, washout=28).open()
    cascades = track_cascades(entries.timelines)
    assert set(cascades["cascade"]) == {"é", "tie"}
    found = netinf(cascades, edges=9)
    assert set(zip(found["source"], found["target"], strict=True)) == {("SE", "US"), ("SE", "FI")}
    assert set(netinf(cascades.drop(columns="last_without"), edges=9)["target"]) == {"US", "FI"}


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({}, {"edges": 0}, "0 edges"),
        ({}, {"edges": 1, "rate": 0.0}, "rate is 0"),
        ({}, {"edges": 1, "epsilon": 1.0}, "epsilon is 1"),
        ({"node": "a"}, {"edges": 1}, "twice in cascade"),
        ({"time": np.nan}, {"edges": 1}, "missing or infinite"),
    ],
)
def test_what_cannot_be_says_so(change: dict[str, object], settings: dict[str, float], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        netinf(WORKED.assign(**change), **settings)  # type: ignore[arg-type]


def test_cascades_without_order_or_columns_say_so() -> None:
    with pytest.raises(SettingError, match="without a column node, time"):
        netinf(WORKED[["cascade"]], edges=1)
    with pytest.raises(DataSaysNoError, match="no event comes after another"):
        netinf(WORKED.assign(time=1.0), edges=1)
    with pytest.raises(DataSaysNoError, match="no event comes after another"):
        netinf(WORKED.iloc[:0], edges=1)
