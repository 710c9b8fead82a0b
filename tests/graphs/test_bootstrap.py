"""The bootstrap of leaders: exact counts in every replicate, intervals that cover, agreement."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.stats import beta, chisquare, kendalltau
from scipy.stats import t as student

import diffusion
from diffusion.arrays import Ints
from diffusion.pairs.counts import cluster_transitions, pair_counts
from diffusion.simulation.process_worlds import draw_sample, draw_structure
from graphs.leaders import bootstrap
from graphs.leaders import scores as leaders
from graphs.leaders.bootstrap import bootstrap_leaders, cluster_votes, replicate_counts, share_interval
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
        known = rows.dropna(subset=["low"])
        assert (known["low"] < known["high"]).all()
        assert ((known["low"] <= known["score"]) & (known["score"] <= known["high"])).all()
    assert list(found.table) == ["market", "measure", "score", "low", "high", "artists", "rank"]
    assert set(found.table["measure"]) == {*bootstrap.DEFAULT, "closeness", "betweenness"}
    again = bootstrap_leaders(cluster_transitions(lines, window=60), lines.markets, lags=lags, replicates=30, seed=1)
    assert again.table.equals(found.table)


def test_intervals_and_agreement_by_hand() -> None:
    table = random_table(6, rows=300)
    drawn = slow_replicates(table, 99, seed=2).reshape(-1, 6, 6)
    net = (drawn.sum(axis=2) - drawn.sum(axis=1)).astype(float)
    found = bootstrap_leaders(table, NAMES[:6], replicates=99, seed=2, measures=["net_flow", "out_tracks", "hub"])
    rows = found.table[found.table["measure"] == "net_flow"].set_index("market").loc[NAMES[:6]]
    own = table.toarray().reshape(-1, 6, 6)
    each = (own.sum(axis=2) + own.sum(axis=1)).astype(float)
    number = (each**2).sum(axis=0) ** 2 / (each**4).sum(axis=0)
    np.testing.assert_allclose(rows["artists"], number)
    reach = student.ppf(0.975, number - 1) * net.std(axis=0, ddof=1)
    np.testing.assert_allclose(rows["high"], rows["score"] + reach)
    hubs = found.table[found.table["measure"] == "hub"].set_index("market").loc[NAMES[:6]]
    roots = np.sqrt(leaders.hits(drawn)[0]).std(axis=0, ddof=1) * student.ppf(0.975, number - 1)
    np.testing.assert_allclose(hubs["low"], np.maximum(np.sqrt(hubs["score"]) - roots, 0) ** 2)
    point = {name: rows.set_index("market")["score"][NAMES[:6]] for name, rows in found.table.groupby("measure")}
    pair = found.agreement.to_dict("records")[0]
    assert (pair["measure"], pair["other"]) == ("net_flow", "out_tracks")
    assert pair["tau"] == pytest.approx(kendalltau(point["net_flow"], point["out_tracks"]).statistic)


def test_measures_of_lags_have_fewer_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    table, lags = random_table(3, rows=400, density=0.3), np.full((6, 6), 5.0)
    options = {"lags": lags, "seed": 4, "measures": ["net_flow", "closeness"]}
    few, many = (bootstrap_leaders(table, NAMES[:6], replicates=n, **options).table for n in (20, 60))  # type: ignore[arg-type]
    monkeypatch.setattr(bootstrap, "LAG_REPLICATES", 20)
    capped = bootstrap_leaders(table, NAMES[:6], replicates=60, **options).table  # type: ignore[arg-type]
    of_lags = capped["measure"] == "closeness"
    assert capped[of_lags].equals(few[few["measure"] == "closeness"])
    assert capped[~of_lags].equals(many[many["measure"] == "net_flow"])


def test_a_share_has_an_interval_within_0_and_1_and_of_some_width() -> None:
    part, whole = np.zeros((40, 3)), np.full((40, 3), 2.0)
    part[:, 1], part[:, 2] = 2, np.tile([0, 2], 20)
    artists, low, high = share_interval(part, whole)
    np.testing.assert_allclose(artists, 40)
    # 0 of 40 and 40 of 40 artists, less what t takes off: Jeffreys' intervals
    number = 40 * (1.959964 / student.ppf(0.975, 39)) ** 2
    assert (low[0], high[0]) == pytest.approx(beta.ppf([0.025, 0.975], 0.5, number + 0.5))
    assert (low[1], high[1]) == pytest.approx(beta.ppf([0.025, 0.975], number + 0.5, 0.5))
    # artists agree with themselves: 80 transitions are worth 39 (40, one of them for the mean)
    number *= 39 / 40
    assert (low[2], high[2]) == pytest.approx(beta.ppf([0.025, 0.975], number / 2 + 0.5, number / 2 + 0.5))


def test_few_artists_give_no_interval_and_no_rank() -> None:
    counts = np.zeros((200, 3, 3), np.int32)
    counts[:100, 0, 1] = counts[100:, 1, 0] = 1
    counts[:3, 2, 0] = 5
    found = bootstrap_leaders(csr_array(counts.reshape(200, 9)), NAMES[:3], replicates=50).table
    few = found[found["market"] == "M02"]
    assert few[["low", "high", "rank"]].isna().all(axis=None) and (few["artists"] < 10).all()
    assert few["score"].notna().all()
    known = found.dropna(subset=["low"])
    assert (known["low"] < known["high"]).all() and set(known["market"]) == {"M00", "M01"}


def test_a_market_without_tracks_has_no_share_and_no_interval() -> None:
    counts = np.zeros((40, 3, 3), np.int32)
    counts[:25, 0, 1] = counts[25:, 1, 0] = 1
    found = bootstrap_leaders(csr_array(counts.reshape(40, 9)), ["SE", "NO", "🏝"], replicates=50)
    rows = found.table[found.table["market"] == "🏝"].set_index("measure")
    assert rows[["low", "high", "rank"]].isna().all(axis=None)
    assert rows.loc["net_flow", "score"] == 0
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
            rows = found[found["measure"] == name].dropna(subset=["low"]).set_index("market")
            true = pd.Series(truth[name], NAMES)[rows.index]
            hits[name] += ((rows["low"] <= true) & (true <= rows["high"])).to_list()
    return {name: float(np.mean(hit)) for name, hit in hits.items()}


@pytest.mark.parametrize("clusters", [each_alone, in_albums])
def test_intervals_cover_in_a_few_simulations(clusters: Clusters) -> None:
    for share in coverage(20, clusters).values():
        assert share > 0.85


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [each_alone, in_albums])
def test_intervals_cover_as_often_as_they_say(clusters: Clusters) -> None:
    """3,200 intervals of 400 simulations each."""
    for share in coverage(400, clusters).values():
        assert 0.93 <= share <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("tracks", [800, 2000])
def test_shares_of_artists_with_homes_are_covered(tracks: int) -> None:
    structure = draw_structure("homes", np.random.default_rng(5), markets=8)

    def table(seed: int, many: int) -> csr_array:
        drawn = draw_sample(structure, np.random.default_rng(seed), tracks=many)
        return cluster_transitions(drawn.entries.timelines, window=60)

    truth = np.sum([table(10**6 + part, 40_000).sum(axis=0) for part in range(8)], axis=0).reshape(8, 8)
    share = leaders.out_share(truth)
    inside: list[bool] = []
    for seed in range(400):
        found = bootstrap_leaders(table(seed, tracks), NAMES, replicates=2, measures=["out_share"]).table
        known = found.dropna(subset=["low"]).set_index("market")
        true = pd.Series(share, NAMES)[known.index]
        inside += ((known["low"] <= true) & (true <= known["high"])).to_list()
    assert len(inside) > 400
    assert 0.93 <= np.mean(inside) <= 0.97
