"""The bootstrap of leaders: exact counts in every replicate, intervals that cover, groups, agreement."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import chisquare, kendalltau

import diffusion
from diffusion.arrays import Ints
from diffusion.pairs.counts import cluster_transitions, pair_counts
from graphs.leaders import bootstrap
from graphs.leaders import scores as leaders
from graphs.leaders.bootstrap import bootstrap_leaders, cluster_votes, rank_groups, replicate_counts
from graphs.leaders.scores import Flows
from tests.simulated_leaders import simulated_timelines

LEAD = np.linspace(-0.8, 0.8, 8)
NAMES = [f"M{number:02}" for number in range(8)]
COVERED = ("net_flow", "out_share")


def random_table(seed: int, *, rows: int = 60, markets: int = 6, density: float = 0.1, most: int = 3) -> csr_array:
    """Return a table of clusters and pairs, without pairs of a market with itself; some rows are empty."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, most + 1, (rows, markets, markets)) * (rng.random((rows, markets, markets)) < density)
    counts *= rng.random((rows, 1, 1)) < 0.7
    counts[:, np.arange(markets), np.arange(markets)] = 0
    return csr_array(counts.reshape(rows, -1).astype(np.int32))


def slow_replicates(table: csr_array, replicates: int, seed: int) -> Ints:
    """Draw the filled rows one after the other and add them up; Python's whole numbers know no limit."""
    rng = np.random.default_rng(seed)
    dense = table.toarray().tolist()
    filled = [row for row in dense if any(row)]
    sums = []
    for _ in range(replicates):
        total = [0] * len(dense[0])
        for drawn in rng.integers(0, len(filled), rng.binomial(len(dense), len(filled) / len(dense))):
            total = [a + b for a, b in zip(total, filled[drawn], strict=True)]
        sums.append(total)
    return np.array(sums)


@pytest.mark.parametrize("broad", [0, 4, 10_000])
@pytest.mark.parametrize("most", [1, 3, 2_000_000_000])
def test_every_replicate_counts_its_clusters_exactly(monkeypatch: pytest.MonkeyPatch, broad: int, most: int) -> None:
    """Whatever goes the dense way, the sparse way, in 32 or in 64 bits, and in blocks of whatever size."""
    table = random_table(1, most=most)
    expected = slow_replicates(table, 11, seed=5)
    assert (expected.max() >= bootstrap.WHOLE_32) == (most > 3)
    monkeypatch.setattr(bootstrap, "BROAD", broad)
    monkeypatch.setattr(bootstrap, "DENSE_ROWS", 7)
    monkeypatch.setattr(bootstrap, "NARROW", 3)
    for cells in (1, 200, bootstrap.WEIGHTS_AT_ONCE):
        monkeypatch.setattr(bootstrap, "WEIGHTS_AT_ONCE", cells)
        drawn = replicate_counts([table, 1 * (table > 1)], replicates=11, generator=np.random.default_rng(5))
        sums, others = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
        np.testing.assert_array_equal(sums, expected)
    expected = slow_replicates(csr_array(table.toarray()), 11, seed=5)
    assert (others <= expected).all()


def test_all_tables_are_given_the_same_rows() -> None:
    table = random_table(2)
    (drawn,) = replicate_counts([table, 3 * table], replicates=20, generator=np.random.default_rng(0))
    np.testing.assert_array_equal(drawn[1], 3 * drawn[0])


def test_weights_are_multinomial_over_all_clusters_the_empty_ones_too() -> None:
    """Four clusters, one of them empty: the chance of each (a, b, c) of draws by the multinomial formula."""
    table = csr_array(np.array([[0, 1, 0, 0], [0, 100, 0, 0], [0, 0, 0, 0], [0, 10_000, 0, 0]], np.int32))
    (drawn,) = replicate_counts([table], replicates=20_000, generator=np.random.default_rng(3))
    value = drawn[0][:, 1].astype(int)
    times = np.stack([value % 100, value // 100 % 100, value // 10_000], axis=1)
    ways = [(a, b, c) for a in range(5) for b in range(5 - a) for c in range(5 - a - b)]
    fact = [1, 1, 2, 6, 24]
    chance = [24 / (fact[a] * fact[b] * fact[c] * fact[4 - a - b - c]) / 4**4 for a, b, c in ways]
    seen = [int((times == way).all(axis=1).sum()) for way in ways]
    assert chisquare(seen, np.array(chance) * 20_000).pvalue > 0.001


def test_clusters_vote_once() -> None:
    counts = np.zeros((3, 3, 3), np.int32)
    counts[0, 0, 1], counts[0, 1, 0] = 15, 2  # an album
    counts[1, 1, 0] = 1
    counts[2, 0, 1] = counts[2, 1, 0] = 1  # in disagreement with itself
    votes = np.asarray(cluster_votes(csr_array(counts.reshape(3, 9))).sum(axis=0)).reshape(3, 3)
    assert votes.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_the_scores_are_those_of_the_graph() -> None:
    lines = simulated_timelines(np.random.default_rng(4), LEAD, tracks=400, days=200)
    counts = pair_counts(lines, window=60)
    lags = np.where(counts.tracks > 0, 5.0, np.nan)
    found = bootstrap_leaders(cluster_transitions(lines, window=60), lines.markets, lags=lags, replicates=30, seed=1)
    expected = leaders.score_table(Flows(counts.tracks, lags=lags), lines.markets).set_index("market")
    for measure, rows in found.table.groupby("measure", sort=False):
        if measure != "bradley_terry":  # of votes, which this graph's counts do not know
            np.testing.assert_allclose(rows.set_index("market")["score"], expected[measure].loc[rows["market"]])
        assert rows["rank"].is_monotonic_increasing
        assert (rows["low"] <= rows["high"]).all()
        assert (rows["rank_low"] <= rows["rank_high"]).all()
        assert rows["group"].is_monotonic_increasing and rows["group"].iloc[0] == 1
    assert list(found.table) == [
        *("market", "measure", "score", "low", "high", "bias", "rank", "rank_low", "rank_high", "group")
    ]
    assert set(found.table["measure"]) == {*bootstrap.DEFAULT, "closeness", "betweenness"}
    again = bootstrap_leaders(cluster_transitions(lines, window=60), lines.markets, lags=lags, replicates=30, seed=1)
    assert again.table.equals(found.table)


def test_percentiles_ranks_and_agreement_by_hand() -> None:
    table = random_table(6, rows=80)
    drawn = slow_replicates(table, 99, seed=2).reshape(-1, 6, 6)
    net = (drawn.sum(axis=2) - drawn.sum(axis=1)).astype(float)
    sent = drawn.sum(axis=2).astype(float)
    found = bootstrap_leaders(table, NAMES[:6], replicates=99, seed=2, measures=["net_flow", "out_tracks"])
    rows = found.table[found.table["measure"] == "net_flow"].set_index("market").loc[NAMES[:6]]
    np.testing.assert_allclose(rows[["low", "high"]].T, np.quantile(net, [0.025, 0.975], axis=0))
    np.testing.assert_allclose(rows["bias"], net.mean(axis=0) - rows["score"])
    ranks = np.array([[1 + sum(other > own for other in one) for own in one] for one in net])
    assert rows["rank_low"].to_list() == [sorted(own)[2] for own in ranks.T.tolist()]
    assert rows["rank_high"].to_list() == [sorted(own)[96] for own in ranks.T.tolist()]
    tau = [kendalltau(a, b).statistic for a, b in zip(net, sent, strict=True)]
    (pair,) = found.agreement.to_dict("records")
    assert (pair["measure"], pair["other"]) == ("net_flow", "out_tracks")
    assert (pair["low"], pair["high"]) == pytest.approx(tuple(np.quantile(tau, [0.025, 0.975])))


def test_groups_hold_who_cannot_be_told_from_the_first() -> None:
    rng = np.random.default_rng(0)
    score = np.array([9.0, 10, 3, 2.9, np.nan, 0])
    draws = score + rng.normal(0, 0.5, (1000, 6))
    assert rank_groups(score, draws)[:4].tolist() == [1, 1, 2, 2]
    assert np.isnan(rank_groups(score, draws)[4]) and rank_groups(score, draws)[5] == 3
    together = score + rng.normal(0, 0.5, (1000, 1)) + rng.normal(0, 0.01, (1000, 6))
    assert rank_groups(score, together).tolist()[:4] == [2, 1, 3, 4]  # what is shared does not blur the order
    equal = np.zeros(4)
    assert rank_groups(equal, np.zeros((50, 4))).tolist() == [1, 1, 1, 1]
    assert np.isnan(rank_groups(np.full(3, np.nan), np.full((50, 3), np.nan))).all()


def test_equal_markets_are_rarely_told_apart() -> None:
    """Twelve markets of one standing: in about one bootstrap of twenty some two are told apart, not in most."""
    rng = np.random.default_rng(8)
    apart = 0
    for _ in range(200):
        data = rng.normal(0, 1, (150, 12))
        weights = rng.multinomial(150, np.full(150, 1 / 150), 200)
        apart += rank_groups(data.mean(axis=0), weights @ data / 150).max() > 1
    assert apart <= 20  # of 200 at 5 %: 10 ± 3.1


def test_a_market_without_tracks_has_no_share_and_no_group() -> None:
    counts = np.zeros((40, 3, 3), np.int32)
    counts[:25, 0, 1] = counts[25:, 1, 0] = 1
    found = bootstrap_leaders(csr_array(counts.reshape(40, 9)), ["SE", "NO", "🏝"], replicates=50)
    rows = found.table[found.table["market"] == "🏝"].set_index("measure")
    assert rows.loc["out_share", ["score", "low", "high", "rank", "group"]].isna().all()
    assert rows.loc["net_flow", ["score", "low", "high"]].tolist() == [0, 0, 0]
    assert found.table["score"].isna().sum() == 1


def test_what_cannot_be_drawn() -> None:
    table = random_table(0)
    with pytest.raises(diffusion.SettingError, match="2 or more"):
        bootstrap_leaders(table, NAMES[:6], replicates=1)
    with pytest.raises(diffusion.SettingError, match="unknown measure 'fame'"):
        bootstrap_leaders(table, NAMES[:6], replicates=5, measures=["fame"])
    with pytest.raises(diffusion.SettingError, match="median lags"):
        bootstrap_leaders(table, NAMES[:6], replicates=5, measures=["closeness"])
    with pytest.raises(diffusion.DataSaysNoError, match="no transition between 6 markets"):
        bootstrap_leaders(csr_array((5, 36), dtype=np.int32), NAMES[:6])
    with pytest.raises(diffusion.DataSaysNoError, match="no transition between 1 markets"):
        bootstrap_leaders(csr_array((5, 1), dtype=np.int32), ["SE"])


# ── coverage ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def in_albums(rng: np.random.Generator, tracks: int) -> Ints:
    """Return clusters of three tracks on average."""
    return np.unique(rng.integers(0, tracks // 3, tracks), return_inverse=True)[1].astype(np.int64)


def each_alone(rng: np.random.Generator, tracks: int) -> None:
    """Return no clusters: every track is one."""


Clusters = Callable[[np.random.Generator, int], Ints | None]


def transitions_of(seed: int, tracks: int, clusters: Clusters) -> csr_array:
    rng = np.random.default_rng(seed)
    cluster = clusters(rng, tracks)
    return cluster_transitions(
        simulated_timelines(rng, LEAD, tracks=tracks, days=300, volume=0, cluster=cluster), window=60
    )


def coverage(simulations: int, clusters: Clusters, tracks: int = 300) -> dict[str, float]:
    """Return by measure the share of nominal 95 % intervals that cover the truth, which a large simulation tells."""
    many = 100_000
    counts = np.asarray(transitions_of(10**6, many, clusters).sum(axis=0)).reshape(1, 8, 8)
    truth = {name: score[0] for name, score in leaders.scores(Flows(counts), COVERED).items()}
    truth["net_flow"] = truth["net_flow"] * tracks / many
    hits: dict[str, list[bool]] = {name: [] for name in COVERED}
    for seed in range(simulations):
        found = bootstrap_leaders(
            transitions_of(seed, tracks, clusters), NAMES, replicates=300, seed=seed, measures=COVERED
        ).table
        for name in COVERED:
            rows = found[found["measure"] == name].set_index("market").loc[NAMES]
            hits[name] += ((rows["low"] <= truth[name]) & (truth[name] <= rows["high"])).to_list()
    return {name: float(np.mean(hit)) for name, hit in hits.items()}


@pytest.mark.parametrize("clusters", [each_alone, in_albums])
def test_intervals_cover_in_a_few_simulations(clusters: Clusters) -> None:
    for share in coverage(20, clusters).values():
        assert share > 0.85


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [each_alone, in_albums])
def test_intervals_cover_as_often_as_they_say(clusters: Clusters) -> None:
    """1,600 intervals of 200 simulations each."""
    for share in coverage(200, clusters).values():
        assert 0.90 <= share <= 0.98
