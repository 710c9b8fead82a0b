"""Leader scores against networkx, igraph, SpringRank's own package and slow twins; slices and rolling leaders."""

from datetime import date

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import statsmodels.api as sm
from scipy.stats import kendalltau

import diffusion
from diffusion.arrays import Floats, Ints
from diffusion.pairs.counts import cluster_transitions, pair_counts
from diffusion.simulation.process_worlds import world
from graphs.baseline import Baseline, baseline
from graphs.baseline.step_parts import steps_of
from graphs.journeys.slices import (
    Period,
    calendar_periods,
    debuts_in,
    footprint_classes,
    footprint_sizes,
    of_tracks,
    rolling_periods,
    track_groups,
)
from graphs.leaders import scores as leaders
from graphs.leaders.asymmetry import Leads
from graphs.leaders.bootstrap import bootstrap_leaders, kendall
from graphs.leaders.hierarchy import bradley_terry, springrank
from graphs.leaders.rolling import observed_in, period_leaders, rolling_leaders
from graphs.leaders.scores import Flows
from tests.conftest import REFERENCE
from tests.simulated_leaders import simulated_timelines

TOLERANCE = 1e-6
"""Two iterative solvers agree to about their own stopping rules, not to the last digit."""

SOLVED = 1e-9
"""Direct solutions of well-conditioned systems."""


def random_flows(seed: int, markets: int = 12, density: float = 0.4, graphs: int = 5) -> tuple[Ints, Floats]:
    """Return counts (graphs, m, m), and lags (m, m) known where any graph has tracks."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 41, (graphs, markets, markets)) * (rng.random((graphs, markets, markets)) < density)
    counts[:, np.arange(markets), np.arange(markets)] = 0
    lags = np.where(counts.any(axis=0), rng.integers(1, 60, (markets, markets)) / 2, np.nan)
    return counts, lags


def as_networkx(counts: Ints, lags: Floats, least: int = 1) -> "nx.DiGraph[int]":
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(counts)))
    for a, b in zip(*np.nonzero(counts >= least), strict=True):
        graph.add_edge(int(a), int(b), tracks=int(counts[a, b]), lag=float(lags[a, b]))
    return graph


@pytest.mark.parametrize("seed", range(6))
def test_scores_of_many_graphs_agree_with_networkx_on_each(seed: int) -> None:
    counts, lags = random_flows(seed, density=0.15 + 0.1 * seed)
    found = leaders.scores(Flows(counts, counts, lags))
    for at, one in enumerate(counts):
        graph = as_networkx(one, lags)
        sent, received = (dict(degree(weight="tracks")) for degree in (graph.out_degree, graph.in_degree))
        assert found["out_tracks"][at].tolist() == list(sent.values())
        assert found["net_flow"][at].tolist() == [sent[v] - received[v] for v in graph]
        rank = nx.pagerank(graph.reverse(), alpha=0.85, weight="tracks", tol=1e-13, max_iter=2000)
        np.testing.assert_allclose(found["pagerank"][at], [rank[v] for v in graph], atol=TOLERANCE)
        hubs, authorities = nx.hits(nx.DiGraph([(a, b, {"weight": t}) for a, b, t in graph.edges(data="tracks")]))
        np.testing.assert_allclose(found["hub"][at], [hubs.get(v, 0.0) for v in graph], atol=TOLERANCE)
        np.testing.assert_allclose(found["authority"][at], [authorities.get(v, 0.0) for v in graph], atol=TOLERANCE)
        sure = as_networkx(one, lags, leaders.LEAST_TRACKS)
        between = nx.betweenness_centrality(sure, weight="lag", normalized=True)
        np.testing.assert_allclose(found["betweenness"][at], [between[v] for v in sure], atol=TOLERANCE)
        near = nx.harmonic_centrality(sure.reverse(), distance="lag")
        expected = np.array([near[v] for v in sure]) / (len(one) - 1)
        np.testing.assert_allclose(found["closeness"][at], expected, atol=SOLVED)


@pytest.mark.parametrize("seed", range(3))
def test_pagerank_and_hits_agree_with_igraph(seed: int) -> None:
    counts, _ = random_flows(seed, density=0.5)
    for one in counts:
        graph = igraph.Graph.Weighted_Adjacency(one.T.tolist(), mode="directed")
        np.testing.assert_allclose(
            leaders.pagerank(one), graph.pagerank(damping=0.85, weights="weight"), atol=TOLERANCE
        )
        hub = np.array(graph.authority_score(weights="weight"))  # of the reversed graph
        np.testing.assert_allclose(leaders.hits(one)[0], hub / hub.sum(), atol=TOLERANCE)


def test_hits_is_the_leading_singular_vector_also_where_gaps_are_small() -> None:
    counts = np.random.default_rng(1).poisson(40.0, (6, 30, 30))
    counts[0, :15, 15:] = counts[0, 15:, :15] = 0  # two parts of nearly equal weight
    hubs, _ = leaders.hits(counts)
    for one, hub in zip(counts, hubs, strict=True):
        vector = np.abs(np.linalg.svd(one.astype(float))[0][:, 0])
        np.testing.assert_allclose(hub, vector / vector.sum(), atol=TOLERANCE)


def test_hits_without_a_single_leading_direction_is_the_limit_of_the_iteration() -> None:
    counts = np.zeros((6, 6), np.int64)
    counts[[0, 0, 3, 4], [1, 2, 5, 5]] = 1
    hubs = np.ones(6)
    for _ in range(50):
        authorities = counts.T @ hubs
        hubs = counts @ (authorities / authorities.sum())
    found = leaders.hits(counts)
    np.testing.assert_allclose(found[0], hubs / hubs.sum(), atol=TOLERANCE)
    np.testing.assert_allclose(found[1], [0, 0.25, 0.25, 0, 0, 0.5], atol=TOLERANCE)


def test_scores_of_a_graph_without_edges_are_zero_equal_or_missing() -> None:
    none = np.zeros((3, 3), np.int64)
    table = leaders.score_table(Flows(none, none, np.full((3, 3), np.nan)), ["SE", "日本", "US"])
    assert table["market"].to_list() == ["SE", "日本", "US"]
    for name in ("out_tracks", "net_flow", "hub", "authority", "springrank", "bradley_terry", "closeness"):
        assert (table[name] == 0).all(), name
    assert (table["betweenness"] == 0).all()
    np.testing.assert_allclose(table["pagerank"], 1 / 3)
    assert table["out_share"].isna().all()
    assert table["net_flow"].dtype == "int64"


def test_one_market_has_scores_of_its_own() -> None:
    one = leaders.scores(Flows(np.zeros((1, 1), np.int64), np.zeros((1, 1)), np.full((1, 1), np.nan)))
    assert one["pagerank"].tolist() == [1.0]
    assert {name: one[name].tolist() for name in ("closeness", "betweenness", "springrank")} == {
        "closeness": [0.0],
        "betweenness": [0.0],
        "springrank": [0.0],
    }


def test_springrank_agrees_with_its_package() -> None:
    edges = pd.read_csv(REFERENCE / "springrank_flows.csv")
    ranks = pd.read_csv(REFERENCE / "springrank_ranks.csv")
    counts = np.zeros((len(ranks),) * 2, np.int64)
    counts[edges["source"], edges["target"]] = edges["tracks"]
    for alpha in (0.5, 1.0, 20.0):
        np.testing.assert_allclose(springrank(counts, spring=alpha), ranks[f"alpha_{alpha:g}"], atol=SOLVED)
    np.testing.assert_allclose(springrank(counts, spring=1e-7), ranks["alpha_0"], atol=TOLERANCE)


def test_springrank_by_hand() -> None:
    """Two markets and n tracks one way: 2n (s − ½) + α s = 0 for the upper one, by its own definition."""
    counts = np.array([[0, 9], [0, 0]])
    np.testing.assert_allclose(springrank(counts, spring=2.0), [9 / (2 * 9 + 2), -9 / (2 * 9 + 2)])
    with pytest.raises(diffusion.SettingError, match="above 0"):
        springrank(counts, spring=0)


def regression_standings(votes: Ints, games: float) -> Floats:
    """Return what a logistic regression without constant finds: +1 and −1 for who meets, 1 alone for given votes."""
    m = len(votes)
    rows = [(a, b) for a in range(m) for b in range(m) if votes[a, b]]
    design = np.concatenate([np.zeros((len(rows), m)), np.eye(m), np.eye(m)])
    for at, (a, b) in enumerate(rows):
        design[at, a], design[at, b] = 1, -1
    won = np.concatenate([np.ones(len(rows)), np.ones(m), np.zeros(m)])
    times = np.concatenate([[votes[row] for row in rows], np.full(2 * m, games / 2)])
    fitted = sm.GLM(won, design, family=sm.families.Binomial(), freq_weights=times).fit(tol=1e-13)
    return np.asarray(fitted.params)


@pytest.mark.parametrize(("seed", "games"), [(0, 1.0), (1, 0.2), (2, 5.0)])
def test_bradley_terry_agrees_with_logistic_regression(seed: int, games: float) -> None:
    votes, _ = random_flows(seed, markets=6, density=0.5, graphs=3)
    votes[0, 0] = 0  # never first
    for one, standing in zip(votes, bradley_terry(votes, games=games), strict=True):
        np.testing.assert_allclose(standing, regression_standings(one, games), atol=TOLERANCE)


def test_bradley_terry_exists_where_a_market_always_leads_and_finds_the_truth() -> None:
    always = np.zeros((3, 3), np.int64)
    always[0, 1:] = 1_000_000
    standing = bradley_terry(always)
    assert np.isfinite(standing).all() and standing[0] > standing[1] == pytest.approx(standing[2])
    truth = np.array([1.0, 0.2, -0.4, -0.8])
    chance = 1 / (1 + np.exp(truth[None, :] - truth[:, None]))
    found = bradley_terry(np.where(np.eye(4), 0, 1e7 * chance))
    np.testing.assert_allclose(found - found[0], truth - truth[0], atol=1e-5)
    with pytest.raises(diffusion.SettingError, match="above 0"):
        bradley_terry(always, games=0)


def test_an_edge_of_few_tracks_is_no_way() -> None:
    counts = np.array([[0, 4, 90], [0, 0, 0], [0, 90, 0]])
    lags = np.array([[np.nan, 1, 10], [np.nan] * 3, [np.nan, 10, np.nan]])
    assert leaders.lag_betweenness(counts, lags).tolist() == [0, 0, 0.5]
    assert leaders.lag_betweenness(counts, lags, least_tracks=4).tolist() == [0, 0, 0]
    np.testing.assert_allclose(leaders.closeness(counts, lags), [(1 / 20 + 1 / 10) / 2, 0, 1 / 10 / 2])


def test_what_scores_cannot_be_had() -> None:
    counts = np.zeros((2, 2), np.int64)
    with pytest.raises(diffusion.SettingError, match="unknown measure 'page_rank'; known are out_tracks"):
        leaders.scores(Flows(counts), ["page_rank"])
    with pytest.raises(diffusion.SettingError, match="needs the median lags"):
        leaders.scores(Flows(counts), ["closeness"])
    with pytest.raises(diffusion.SettingError, match="needs votes"):
        leaders.scores(Flows(counts), ["bradley_terry"])
    assert list(leaders.score_table(Flows(counts), ["A", "B"])) == ["market", *leaders.OF_COUNTS]


def test_flows_of_an_edge_table() -> None:
    edges = pd.DataFrame({"source": ["SE", "US"], "target": ["US", "SE"], "tracks": [3, 0], "lag_median": [2.5, None]})
    flows = leaders.edge_flows(edges, ["MT", "SE", "US"])
    assert flows.counts.tolist() == [[0, 0, 0], [0, 0, 3], [0, 0, 0]]
    assert flows.lags is not None and flows.lags[1, 2] == 2.5 and np.isnan(flows.lags[2, 1])
    with pytest.raises(diffusion.DataSaysNoError, match="edges of US"):
        leaders.edge_flows(edges, ["MT", "SE"])


def test_kendall_agrees_with_scipy() -> None:
    values = np.random.default_rng(3).integers(0, 9, (70, 3, 15)).astype(float)
    values[:, 2, 4] = np.nan
    found = np.stack([kendall(own) for own in values])
    for own, tau in zip(values[::10], found[::10], strict=True):
        assert tau[0, 1] == pytest.approx(kendalltau(own[0], own[1]).statistic)
        there = ~np.isnan(own[2])
        assert tau[1, 2] == pytest.approx(kendalltau(own[1, there], own[2, there]).statistic)
    assert np.isnan(kendall(np.array([[1.0, 1, 1], [1, 2, 3]]))[0, 1])


# ── slices ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def entries() -> diffusion.Entries:
    """Entries of the packaged charts."""
    with diffusion.open_sample() as charts:
        return charts.entries()


def test_the_slice_of_some_tracks_is_what_their_entries_alone_would_be(entries: diffusion.Entries) -> None:
    lines = entries.timelines
    kept = np.random.default_rng(5).random(len(lines.track_ids)) < 0.3
    part = of_tracks(lines, kept)
    own = pc.is_in(entries.table["track_id"], pa.array(lines.track_ids[kept]))
    alone = diffusion.Entries(
        entries.table.filter(own), entries.calendar, entries.rules, described=entries.described
    ).timelines
    for name in ("track_ids", "starts", "track", "market", "day", "last_without", "debut", "debut_censored"):
        np.testing.assert_array_equal(getattr(part, name), getattr(alone, name), err_msg=name)
        assert getattr(part, name).dtype == getattr(alone, name).dtype
    pairs = set(zip(part.cluster.tolist(), alone.cluster.tolist(), strict=True))
    assert len(pairs) == len(set(part.cluster)) == len(set(alone.cluster))
    assert part.markets == lines.markets


def test_slices_by_debut_add_up(entries: diffusion.Entries) -> None:
    lines = entries.timelines
    whole = pair_counts(lines, window=60).tracks
    for by in ("month", "quarter", "year"):
        periods = calendar_periods(lines, by)
        flags = np.stack([debuts_in(lines, period) for period in periods])
        assert (flags.sum(axis=0) == ~lines.debut_censored).all()
        parts = [pair_counts(of_tracks(lines, own), window=60).tracks for own in flags]
        np.testing.assert_array_equal(sum(parts), whole)


def test_the_calendar_has_names() -> None:
    lines = simulated_timelines(np.random.default_rng(0), np.zeros(3), tracks=20, days=300)  # from 2019-03-15
    assert [p.name for p in calendar_periods(lines)] == ["2019", "2020"]
    assert [p.name for p in calendar_periods(lines, "half")] == ["2019H1", "2019H2", "2020H1"]
    assert [p.name for p in calendar_periods(lines, "quarter")][:2] == ["2019Q1", "2019Q2"]
    # to 2020-06-07: 108 of 181 days of the first half-year, 159 of 182 of the last
    assert [p.name for p in calendar_periods(lines, "half", least_seen=108 / 181)] == ["2019H1", "2019H2", "2020H1"]
    assert [p.name for p in calendar_periods(lines, "half", least_seen=0.6)] == ["2019H2", "2020H1"]
    assert [p.name for p in calendar_periods(lines, "half", least_seen=1.0)] == ["2019H2"]
    march = calendar_periods(lines, "month")[0]
    assert march == Period("2019-03", date(2019, 3, 1), date(2019, 3, 31))
    with pytest.raises(diffusion.SettingError, match="by 'week'"):
        calendar_periods(lines, "week")  # type: ignore[arg-type]


def test_rolling_periods_lie_wholly_in_coverage() -> None:
    lines = simulated_timelines(np.random.default_rng(0), np.zeros(3), tracks=20, days=50)
    covered = int(lines.span_last.max() - lines.span_first.min()) + 1
    periods = rolling_periods(lines, width=100, step=50)
    assert [(p.end - p.start).days for p in periods] == [99] * ((covered - 100) // 50 + 1)
    assert len(rolling_periods(lines, width=covered, step=1)) == 1
    with pytest.raises(diffusion.SettingError, match=f"only {covered} days"):
        rolling_periods(lines, width=covered + 1, step=1)
    with pytest.raises(diffusion.SettingError, match="1 or more"):
        rolling_periods(lines, width=10, step=0)


def test_footprints_and_groups(entries: diffusion.Entries) -> None:
    lines = entries.timelines
    frame = entries.to_pandas()
    debut = frame.groupby("track_id")["entry"].transform("min")
    sizes = frame[frame["entry"] == debut].groupby("track_id").size().loc[list(lines.track_ids)]
    assert footprint_sizes(lines).tolist() == sizes.to_list()
    classes = footprint_classes(lines)
    assert list(classes) == ["1", "2–4", "5+"]
    assert (np.stack(list(classes.values())).sum(axis=0) == 1).all()
    table = pd.DataFrame({"track_id": lines.track_ids[:3], "group": ["español", None, "العربية"]})
    groups = track_groups(lines, table)
    assert {name: np.flatnonzero(flags).tolist() for name, flags in groups.items()} == {"español": [0], "العربية": [2]}
    with pytest.raises(diffusion.SettingError, match="ascending"):
        footprint_classes(lines, (3, 1))
    with pytest.raises(diffusion.DataSaysNoError, match="several groups"):
        track_groups(lines, pd.concat([table, table]))
    with pytest.raises(diffusion.DataSaysNoError, match="none of the"):
        track_groups(lines, table.assign(track_id=["?", "!", "¿"]))


# ── rolling leaders ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def drifting() -> tuple[Baseline, Leads]:
    """The baseline of a world with influence, and its leads."""
    drawn = world("influence-sparse", tracks=2500, markets=8, seed=2)
    fit = baseline(drawn.entries, pairs=drawn.pairs)
    return fit, Leads.of(fit, window=60)


def test_leaders_of_a_period_are_those_of_its_tracks_alone(drifting: tuple[Baseline, Leads]) -> None:
    fit, leads = drifting
    lines = fit.entries.timelines
    measures = ("net_flow", "bradley_terry")
    table = rolling_leaders(fit, leads, window=60, width=120, step=120, replicates=40, seed=7, measures=measures)
    assert list(table) == [
        *("period", "start", "end", "market", "measure", "score", "low", "high", "artists", "rank", "transitions")
    ]
    periods = rolling_periods(lines, width=120, step=120)
    assert len(table) == len(periods) * 3 * 8
    assert table["measure"].iloc[0] == "lead_excess"
    second = table[table["period"] == periods[1].name]
    mine = debuts_in(lines, periods[1])
    alone = of_tracks(lines, mine)
    own = bootstrap_leaders(
        cluster_transitions(alone, window=60), alone.markets, replicates=40, seed=8, measures=measures
    ).table
    both = second.merge(own, on=["market", "measure"], suffixes=("", "_alone"))
    assert len(both) == 16
    pd.testing.assert_series_equal(both["score"], both["score_alone"], check_names=False)
    pd.testing.assert_series_equal(both["low"], both["low_alone"], check_names=False)
    assert (second["transitions"] == pair_counts(alone, window=60).tracks.sum()).all()
    tested = second[second["measure"] == "lead_excess"].set_index("market")["score"]
    part = leads.only(steps_of(mine))
    lead = part.steps.whole.more["lead"].sum(axis=0)
    np.testing.assert_allclose(tested[list(part.markets)], lead / part.moves, rtol=1e-4)


def test_who_was_not_watched_or_had_no_track_has_no_score() -> None:
    drawn = world("late-launch", tracks=1500, markets=6, seed=1)
    fit = baseline(drawn.entries, pairs=drawn.pairs)
    leads, lines = Leads.of(fit, window=60), fit.entries.timelines
    periods = rolling_periods(lines, width=100, step=100)
    seen = np.array([observed_in(lines, period) for period in periods])
    assert not seen[0].all() and seen[-1].all()
    empty = Period("before", date(2010, 1, 1), date(2010, 12, 31))
    table = period_leaders(fit, leads, [empty, *periods], window=60, replicates=10, measures=["net_flow"])
    assert table.loc[table["period"] == "before", "score"].isna().all()
    first = table[table["period"] == periods[0].name]
    late = np.array(lines.markets)[~seen[0]]
    assert set(first.loc[first["score"].isna(), "market"]) == set(late)
    assert table.loc[table["score"].isna(), ["low", "high", "rank"]].isna().all(axis=None)
    with pytest.raises(diffusion.DataSaysNoError, match="in any of 1 periods"):
        period_leaders(fit, leads, [empty], window=60, replicates=10)
