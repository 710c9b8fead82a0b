"""Communities against brute force, other programs' answers, planted groups, and the definitions written out."""

import random
from collections import Counter
from collections.abc import Iterator

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import adjusted_mutual_info_score

from diffusion import DataSaysNoError, SettingError
from diffusion.markets import chart_markets
from graphs.communities import METHODS, Method, agreement, communities, known_groups, stability
from tests.conftest import REFERENCE

SAME = 1e-12
"""Sums of a few hundred numbers in another order."""


def planted(seed: int = 1, *, inside: float = 9, between: float = 0.5) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return flows between 18 markets in groups of 8, 6 and 4, and the groups."""
    groups = np.repeat([0, 1, 2], [8, 6, 4])
    mean = np.where(groups[:, None] == groups, inside, between)
    return np.random.default_rng(seed).poisson(mean), groups


def partitions(count: int) -> Iterator[list[int]]:
    """Yield every partition of `count` markets once."""
    if not count:
        yield []
        return
    for rest in partitions(count - 1):
        for own in range(max(rest, default=-1) + 2):
            yield [*rest, own]


def information(labels: NDArray[np.int64], group: NDArray[np.int64]) -> float:
    """Return the mutual information of two partitions, term by term."""
    count = Counter(zip(labels.tolist(), group.tolist(), strict=True))
    own, other = Counter(labels.tolist()), Counter(group.tolist())
    return sum(n / len(labels) * np.log(n * len(labels) / own[a] / other[b]) for (a, b), n in count.items())


def modularity(flows: NDArray[np.number], labels: list[int]) -> float:
    graph = nx.from_numpy_array(flows + flows.T)
    parts = [{i for i, own in enumerate(labels) if own == label} for label in set(labels)]
    return float(nx.community.modularity(graph, parts))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_leiden_finds_the_best_of_all_partitions(seed: int) -> None:
    """All 877 partitions of seven markets, on flows without clear groups."""
    flows = np.random.default_rng(seed).poisson(2, (7, 7))
    np.fill_diagonal(flows, 0)
    found = modularity(flows, communities(flows).tolist())
    assert found == pytest.approx(max(modularity(flows, one) for one in partitions(7)), abs=SAME)


@pytest.mark.parametrize("method", METHODS)
def test_planted_groups_are_found(method: Method) -> None:
    flows, groups = planted()
    assert communities(flows, method=method).tolist() == groups.tolist()
    # numbers depend on sizes and order alone
    turn = np.random.default_rng(2).permutation(18)
    again = communities(flows[np.ix_(turn, turn)], method=method)
    assert again.tolist() == groups[turn].tolist()


def test_other_programs_find_the_same() -> None:
    flows = np.loadtxt(REFERENCE / "communities_flows.csv", delimiter=",")
    found = pd.read_csv(REFERENCE / "communities_found.csv")
    for method, column in (("leiden", "leidenalg"), ("infomap", "infomap")):
        assert adjusted_mutual_info_score(communities(flows, method=method), found[column]) == pytest.approx(1)


def test_infomap_reads_the_direction() -> None:
    """Two rings of strong one-way flow, tied by weak flows: within a ring the walk stays."""
    flows = np.zeros((8, 8))
    for ring in (range(4), range(4, 8)):
        for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
            flows[a, b] = 10
    flows[0, 4] = flows[6, 2] = 1
    assert communities(flows, method="infomap").tolist() == [0] * 4 + [1] * 4


@pytest.mark.parametrize("method", METHODS)
def test_one_seed_one_answer_and_the_generator_is_put_back(method: Method) -> None:
    flows = np.random.default_rng(5).poisson(1, (30, 30))
    assert (communities(flows, method=method, seed=3) == communities(flows, method=method, seed=3)).all()
    random.seed(11)
    first = igraph.Graph.Erdos_Renyi(n=20, m=30).get_edgelist()
    random.seed(11)
    communities(flows, method=method)
    assert igraph.Graph.Erdos_Renyi(n=20, m=30).get_edgelist() == first


def test_the_diagonal_and_missing_flows_do_not_count() -> None:
    flows, groups = planted()
    odd = flows.astype(float)
    np.fill_diagonal(odd, 1e6)
    odd[odd == 0] = np.nan
    before = odd.copy()
    assert communities(odd).tolist() == groups.tolist()
    assert np.array_equal(odd, before, equal_nan=True)


def test_a_market_without_flows_is_alone() -> None:
    flows, groups = planted()
    flows[17], flows[:, 17] = 0, 0
    for method in METHODS:
        found = communities(flows, method=method)
        assert found[:17].tolist() == groups[:17].tolist()
        assert found[17] == 3


def test_stability_is_the_definition() -> None:
    flows, _ = planted(between=3)
    replicates = np.random.default_rng(3).poisson(flows, (20, 18, 18))
    labels = communities(flows)
    found = stability(labels, replicates, [f"m{i}" for i in range(18)], seed=4)
    assert found.labels.shape == (20, 18)
    assert (np.diag(found.together) == 1).all()
    for i in range(18):
        mine = {j for j in range(18) if labels[j] == labels[i]}
        overlap = []
        for one in found.labels:
            there = {j for j in range(18) if one[j] == one[i]}
            overlap.append(len(mine & there) / len(mine | there))
        together = [np.mean(found.labels[:, i] == found.labels[:, j]) for j in range(18)]
        row = found.markets.loc[i]
        assert row["stability"] == pytest.approx(np.mean(overlap), abs=SAME)
        assert row["within"] == pytest.approx(np.mean([together[j] for j in mine - {i}]), abs=SAME)
        assert row["outside"] == pytest.approx(np.mean([together[j] for j in set(range(18)) - mine]), abs=SAME)


def test_clear_groups_are_firm_and_none_are_not() -> None:
    flows, groups = planted()
    names = [f"m{i}" for i in range(18)]
    firm = stability(groups, np.random.default_rng(6).poisson(flows, (30, 18, 18)), names).markets
    assert (firm["stability"] == 1).all()
    noise = np.random.default_rng(6).poisson(2, (30, 18, 18))
    assert (stability(communities(noise[0]), noise[1:], names).markets["stability"] < 0.6).all()


def test_alone_or_all_in_one_is_missing_and_not_zero() -> None:
    flows, _ = planted()
    table = stability(np.zeros(18, np.int64), flows[None], [f"m{i}" for i in range(18)]).markets
    assert table["outside"].isna().all()
    table = stability(np.arange(18), np.zeros((1, 18, 18)), [f"m{i}" for i in range(18)]).markets
    assert table["within"].isna().all()
    assert (table["stability"] == 1).all()


def test_agreement_is_scikit_learns_and_p_the_permutations() -> None:
    generator = np.random.default_rng(8)
    labels = generator.integers(0, 3, 30)
    group = np.where(generator.random(30) < 0.25, labels, generator.integers(0, 4, 30))
    named = [f"ö{number}" for number in group]
    row = agreement(labels, {"language": named}, permutations=400, seed=1).loc[0]
    assert row["ami"] == pytest.approx(adjusted_mutual_info_score(labels, group), abs=SAME)
    again = np.random.default_rng(1)
    dealt = [information(labels, group[again.permutation(30)]) for _ in range(400)]
    assert row["p"] == (1 + sum(one >= information(labels, group) - SAME for one in dealt)) / 401
    assert 0.01 < row["p"] < 0.9
    assert row[["ami_low", "ami_high"]].isna().all()


def test_agreement_interval_and_unknown_markets() -> None:
    generator = np.random.default_rng(9)
    _, groups = planted()
    replicates = np.stack([np.where(generator.random(18) < 0.2, 0, groups) for _ in range(40)])
    known: list[str | None] = [f"g{number}" for number in groups]
    known[0] = None
    row = agreement(groups, {"a": known}, replicates=replicates, permutations=99).loc[0]
    assert (row["markets"], row["unknown"], row["communities"], row["groups"]) == (17, 1, 3, 3)
    assert row["ami"] == pytest.approx(1)
    assert row["p"] == 0.01
    spread = [adjusted_mutual_info_score(one[1:], groups[1:]) for one in replicates]
    assert (row["ami_low"], row["ami_high"]) == pytest.approx(tuple(np.quantile(spread, [0.025, 0.975])), abs=SAME)


def test_nobody_known_is_missing() -> None:
    row = agreement(np.array([0, 1]), {"language": [None, None]}, replicates=np.array([[0, 1]])).loc[0]
    assert row[["ami", "ami_low", "ami_high", "p"]].isna().all()
    assert (row["markets"], row["unknown"]) == (0, 2)


def test_p_is_uniform_where_nothing_agrees() -> None:
    generator = np.random.default_rng(10)
    labels = np.repeat([0, 1, 2], 12)
    p = np.array(
        [
            agreement(labels, {"x": list(generator.permutation(list("aabbccddeeff") * 3))}, permutations=99)["p"][0]
            for _ in range(60)
        ]
    )
    assert (p <= 0.1).mean() < 0.25
    assert 0.35 < p.mean() < 0.65


def test_known_groups() -> None:
    table = known_groups(chart_markets())
    assert table.columns.tolist() == ["market", "continent", "subregion", "language"]
    assert not table.isna().any().any()
    language = table.set_index("market")["language"]
    assert language[["SE", "BE", "CA", "TW", "HK", "PY", "MA", "LU"]].tolist() == [
        "sv", "nl", "en", "zh", "zh", "gn", "ar", "fr",
    ]  # fmt: skip
    assert known_groups(["AQ"]).loc[0].tolist() == ["AQ", "Antarctica", None, None]
    assert known_groups(["XA", "SE"]).loc[0, ["continent", "subregion", "language"]].tolist() == [None] * 3


def test_settings_that_cannot_be_right() -> None:
    flows, groups = planted()
    names = [f"m{i}" for i in range(18)]
    with pytest.raises(DataSaysNoError, match="no flow between the 3 markets"):
        communities(np.zeros((3, 3)))
    for strange in (np.zeros((1, 1)), np.zeros((2, 3)), np.zeros(4)):
        with pytest.raises(SettingError, match="square array of two markets or more"):
            communities(strange)
    for bad in (-1.0, np.inf):
        with pytest.raises(SettingError, match="0 or more and finite"):
            communities(np.array([[0, bad], [1, 0]]))
    with pytest.raises(SettingError, match="method is one of leiden, infomap, not 'louvain'"):
        communities(flows, method="louvain")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="one trial or more"):
        communities(flows, trials=0)
    with pytest.raises(SettingError, match="R ≥ 1"):
        stability(groups, flows, names)
    with pytest.raises(SettingError, match="17 labels, 18 markets"):
        stability(groups[1:], flows[None], names)
    with pytest.raises(SettingError, match="at least one grouping"):
        agreement(groups, {})
    with pytest.raises(SettingError, match="'x' has 1 markets, the communities 18"):
        agreement(groups, {"x": ["a"]})
    with pytest.raises(SettingError, match=r"an array \(R, 18\)"):
        agreement(groups, {"x": names}, replicates=groups)
