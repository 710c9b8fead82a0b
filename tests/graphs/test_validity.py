"""Leader validity: lead shares, partial rank correlation, and the whole question on charts with and without leaders."""

from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress, rankdata, spearmanr

import diffusion
from diffusion.timelines import Timelines
from graphs.journeys.slices import of_tracks
from graphs.leaders.lead_shares import lead_shares
from graphs.leaders.partial_ranks import RankPair, _within, association, fisher_z
from graphs.leaders.validity import BASELINES, GIVEN, fresh_debuts, leader_validity
from graphs.nulls import order_days, timed_slots, watch
from tests.simulated_leaders import equal_periods, own_artists, simulated_timelines

SAME = 1e-9
"""Both sides solve small least squares."""

SPREAD = 0.092
"""Standard deviation over simulations of the share of small p; the rows of one table are of the same charts. Measured
on 500 simulations without leaders, other than the test's; the share itself was .045 ± .004 there."""


# ── lead shares ──────────────────────────────────────────────────────────────────────────────────────────────────────


def albums(seed: int, tracks: int = 60) -> Timelines:
    """Return tracks of which some are of one cluster and agree or disagree on who was first."""
    rng = np.random.default_rng(seed)
    lines = simulated_timelines(rng, np.array([0.9, 0, 0, -0.5, 0]), tracks=tracks, days=20)
    clusters = np.unique(rng.integers(0, tracks // 2, tracks), return_inverse=True)[1]
    return Timelines(**{name: getattr(lines, name) for name in lines.__slots__} | {"cluster": clusters})


def slow_votes(lines: Timelines) -> tuple[list[int], list[int]]:
    """Count for every market the votes it won and was part of, track by track."""
    balance: dict[tuple[int, int, int], int] = {}
    for i in range(len(lines.track_ids)):
        own = range(lines.starts[i], lines.starts[i + 1])
        for a, b in combinations(sorted(own, key=lambda e: int(lines.market[e])), 2):
            key = int(lines.cluster[i]), int(lines.market[a]), int(lines.market[b])
            ahead = int(lines.day[a] <= lines.last_without[b]) - int(lines.day[b] <= lines.last_without[a])
            balance[key] = balance.get(key, 0) + ahead
    won, met = [0] * len(lines.markets), [0] * len(lines.markets)
    for (_, a, b), ahead in balance.items():
        if ahead:
            won[a if ahead > 0 else b] += 1
            met[a] += 1
            met[b] += 1
    return won, met


@pytest.mark.parametrize("seed", range(4))
def test_lead_shares_are_those_of_a_slow_count(seed: int) -> None:
    lines = albums(seed)
    watched = watch(lines)
    slots = timed_slots(lines, watched)
    found = lead_shares(slots, watched, permutations=7, generator=np.random.default_rng(seed))
    won, met = slow_votes(lines)
    assert found.votes.tolist() == met
    np.testing.assert_allclose(found.share, np.array(won) / np.array(met))
    chance = np.zeros((2, 5))
    dated = slots.of_tracks(slots.dated())
    for day in order_days(dated, watched, permutations=7, generator=np.random.default_rng(seed)):
        at = (day + watched.first).astype(np.int32)
        order = np.lexsort((dated.market, at, dated.track))
        moved = Timelines(
            **{name: getattr(lines, name) for name in lines.__slots__}
            | {
                "track_ids": np.arange(dated.tracks).astype(object),
                "starts": np.searchsorted(dated.track, np.arange(dated.tracks + 1)),
                "track": dated.track[order],
                "market": dated.market[order].astype(np.int16),
                "day": at[order],
                "last_without": at[order] - 1,
                "cluster": dated.cluster.astype(np.int64),
            }
        )
        chance += slow_votes(moved)
    np.testing.assert_allclose(found.expected, chance[0] / chance[1])


def test_chance_has_every_market_first_half_the_time() -> None:
    lines = simulated_timelines(np.random.default_rng(0), np.array([2.0, 0, 0, 0]), tracks=800, days=60)
    watched = watch(lines)
    found = lead_shares(timed_slots(lines, watched), watched, permutations=60, generator=np.random.default_rng(1))
    np.testing.assert_allclose(found.expected, 0.5, atol=0.02)
    assert found.share[0] > 0.75
    assert found.excess.argmax() == 0


def test_no_votes_no_share() -> None:
    lines = simulated_timelines(np.random.default_rng(0), np.zeros(3), tracks=30, days=10)
    alone = of_tracks(lines, np.diff(lines.starts) == 1)
    watched = watch(lines)
    found = lead_shares(timed_slots(alone, watched), watched, generator=np.random.default_rng(0))
    assert found.votes.tolist() == [0, 0, 0]
    assert np.isnan(found.share).all() and np.isnan(found.excess).all()


# ── partial rank correlation ─────────────────────────────────────────────────────────────────────────────────────────


def random_pairs(
    seed: int, *, markets: int = 12, pairs: int = 4, fixed: int = 2, effect: float = 0.0, stays: float = 0.8
) -> list[RankPair]:
    """Return pairs of periods of one process; `stays` is how much of a market's values is the same in all."""
    rng = np.random.default_rng([seed, 41])
    own = rng.standard_normal((2 + fixed, markets))
    made = []
    for _ in range(pairs):
        values = stays * own + np.sqrt(1 - stays**2) * rng.standard_normal(own.shape)
        values[1] += effect * values[0]
        kept = np.sort(rng.permutation(markets)[: markets - rng.integers(0, 2)])
        made.append(RankPair(kept, values[0, kept], values[1, kept], values[2:, kept].T))
    return made


def slow_partial(pair: RankPair) -> float:
    """Correlate what straight lines through the ranks leave, one held variable after the other (Gram–Schmidt)."""
    values = [rankdata(x) for x in (*pair.fixed.T, pair.score, pair.outcome)]
    while len(values) > 2:
        held, *others = values
        lines = [linregress(held, x) for x in others]
        values = [x - line.intercept - line.slope * held for x, line in zip(others, lines, strict=True)]
    return float(np.corrcoef(values[0], values[1])[0, 1])


@pytest.mark.parametrize("fixed", [0, 1, 3])
def test_partial_spearman_agrees_with_scipy_and_with_straight_lines(fixed: int) -> None:
    pairs = random_pairs(fixed, fixed=fixed, effect=0.6)
    found = association(pairs, markets=12, shuffles=19, seed=0)
    np.testing.assert_allclose(found.by_pair, [slow_partial(pair) for pair in pairs], atol=SAME)
    if not fixed:
        np.testing.assert_allclose(found.by_pair, [spearmanr(p.score, p.outcome).statistic for p in pairs], atol=SAME)
    free = np.array([len(pair.market) - fixed - 3 for pair in pairs])
    joined = np.tanh((np.arctanh(found.by_pair) * free).sum() / free.sum())
    assert found.rho == pytest.approx(joined)
    without = [
        (np.arctanh([slow_partial(pair.without(m)) for pair in pairs]), [pair.without(m) for pair in pairs])
        for m in range(12)
    ]
    others = []
    for z, left in without:
        weight = np.array([len(pair.market) - fixed - 3 for pair in left])
        others.append((z * weight).sum() / weight.sum())
    error = np.sqrt(11 / 12 * np.square(np.array(others) - np.mean(others)).sum())
    assert np.arctanh(found.high) - np.arctanh(found.low) == pytest.approx(2 * 2.200985 * error, rel=1e-6)


def test_permutations_leave_markets_out_of_their_cycles() -> None:
    rng = np.random.default_rng(0)
    sigma = rng.permuted(np.tile(np.arange(7), (20, 1)), axis=1)
    there = np.array([0, 2, 3, 6])
    for own, found in zip(sigma.tolist(), _within(sigma, there).tolist(), strict=True):
        expected = []
        for market in there.tolist():
            market = own[market]
            while market not in there:
                market = own[market]
            expected.append(there.tolist().index(market))
        assert found == expected and sorted(found) == [0, 1, 2, 3]


def test_a_perfect_order_of_few_markets_does_not_drown_the_other_pairs() -> None:
    assert fisher_z(1.0, 8) == pytest.approx(np.arctanh(1 - 6 / 504))
    assert fisher_z(np.array([-1.0, 0.5]), 8).tolist() == pytest.approx([-np.arctanh(1 - 6 / 504), np.arctanh(0.5)])
    values = np.arange(8.0)
    swapped = values[[1, 0, *range(2, 8)]]
    pairs = [RankPair(np.arange(8), values, other, np.empty((8, 0))) for other in (values, swapped, swapped, values)]
    found = association(pairs, markets=8, shuffles=99, seed=0)
    assert 0.97 < found.rho < 1
    assert found.low > 0.9


def test_p_is_the_share_of_all_permutations_that_reach_it() -> None:
    """With nothing held fixed and the same five markets, p tends to what all 120 permutations give."""
    rng = np.random.default_rng(3)
    pairs = [RankPair(np.arange(5), *rng.standard_normal((2, 5)), np.empty((5, 0))) for _ in range(3)]
    z = []
    for order in map(list, permutations(range(5))):
        rho = [spearmanr(pair.score[order], pair.outcome).statistic for pair in pairs]
        z.append(fisher_z(np.array(rho), 5).sum())
    exact = np.mean(np.abs(z) >= abs(z[0]) - 1e-9)
    found = association(pairs, markets=5, shuffles=20_000, seed=1)
    assert found.p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))


def test_p_is_uniform_without_and_small_with_an_effect_though_markets_persist() -> None:
    p = np.array([association(random_pairs(s), markets=12, shuffles=99, seed=s).p for s in range(80)])
    assert (p <= 0.05).mean() <= 0.13  # 80 of them: .05 ± .024
    assert 0.33 <= (p <= 0.5).mean() <= 0.67
    planted = [association(random_pairs(s, effect=2.0), markets=12, shuffles=99, seed=s) for s in range(10)]
    assert np.mean([one.p <= 0.05 for one in planted]) >= 0.9
    assert all(one.rho > 0.3 for one in planted)


def test_too_little_says_nothing() -> None:
    pairs = random_pairs(0)
    tiny = RankPair(np.arange(3), np.arange(3.0), np.arange(3.0), np.empty((3, 0)))
    found = association([*pairs[:2], tiny], markets=12, shuffles=9, seed=0)
    assert np.isnan([found.rho, found.low, found.p, found.by_pair[2]]).all()
    assert found.row()["pairs"] == 2
    constant = [RankPair(p.market, np.ones_like(p.score), p.outcome, p.fixed) for p in pairs]
    assert np.isnan(association(constant, markets=12, shuffles=9, seed=0).by_pair).all()
    explained = [RankPair(p.market, p.fixed[:, 0], p.outcome, p.fixed) for p in pairs]
    assert np.isnan(association(explained, markets=12, shuffles=9, seed=0).rho)
    equal = [RankPair(p.market, p.score, p.outcome, np.c_[p.fixed, np.full(len(p.market), 50.0)]) for p in pairs]
    same = association(equal, markets=12, shuffles=9, seed=0)
    assert same.rho == pytest.approx(association(pairs, markets=12, shuffles=9, seed=0).rho)


# ── the question ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_outcomes_are_of_artists_not_seen_the_period_before() -> None:
    lines = simulated_timelines(np.random.default_rng(0), np.zeros(3), tracks=6, days=10)
    artists = pd.DataFrame({"track_id": ["t0", "t1", "t2", "t3", "t4"], "artist": ["Ö, B", "C", "ö", "D,c", None]})
    first = np.array([True, True, False, False, False, False])
    second = np.array([False, False, True, True, True, True])
    (fresh,) = fresh_debuts(lines, artists, [first, second])
    assert not fresh.any()  # ö and c are known, t4 and t5 have no artist
    (fresh,) = fresh_debuts(lines, artists, [first & (np.arange(6) < 1), second])
    assert np.flatnonzero(fresh).tolist() == [3]
    assert not fresh_debuts(lines, artists.head(0), [first, second])[0].any()


def question(seed: int, strength: float, *, tracks: int = 1200, markets: int = 12, **options: int) -> pd.DataFrame:
    """Return the validity table of four periods of charts whose leaders are so strong, 0 for none."""
    rng = np.random.default_rng([seed, 7])
    lines = simulated_timelines(rng, strength * rng.standard_normal(markets), tracks=tracks, days=360)
    return leader_validity(
        lines,
        own_artists(lines),
        window=60,
        by=equal_periods(4, 360),
        permutations=8,
        shuffles=199,
        seed=seed,
        **options,  # type: ignore[arg-type]
    ).table


def test_planted_leaders_are_found_and_the_table_is_whole() -> None:
    table = question(1, 0.7)
    assert list(table) == ["measure", "given", "pairs", "rho", "low", "high", "p", "q"]
    assert len(table) == len(GIVEN) * (7 + len(BASELINES))
    by_size = table[table["given"] == "size"].set_index("measure")
    for measure in ("net_flow", "springrank", "bradley_terry"):
        assert by_size.loc[measure, "p"] <= 0.01
        assert by_size.loc[measure, "low"] > 0.3
    assert by_size.loc["authority", "rho"] < 0
    assert (by_size["pairs"] == 3).all()
    assert by_size.loc[list(BASELINES), "q"].isna().all()
    # a score in the very order of the last lead shares has nothing of its own left, or not without some market
    said = table.dropna(subset=["low"])
    held = said.dropna(subset=["low"])  # no interval where leaving out a market leaves nothing to rank
    assert len(held) >= len(said) - 3
    assert (held["low"] <= held["rho"]).all() and (held["rho"] <= held["high"]).all()
    assert table.loc[table["low"].isna(), "given"].isin(["size and outcome"]).all()


def test_without_leaders_little_is_found() -> None:
    tables = pd.concat([question(seed, 0.0) for seed in range(2)])
    scores = tables[(tables["given"] == "size and outcome") & tables["measure"].isin(["net_flow", "springrank"])]
    assert (scores["p"] <= 0.05).mean() <= 0.25
    assert scores["rho"].abs().mean() < 0.35


def test_what_cannot_be_asked() -> None:
    lines = simulated_timelines(np.random.default_rng(0), np.zeros(6), tracks=300, days=200)
    artists = own_artists(lines)
    with pytest.raises(diffusion.DataSaysNoError, match="validity needs 3 pairs of periods or more; there are 2"):
        leader_validity(lines, artists, window=60, by=equal_periods(3, 200))
    with pytest.raises(diffusion.DataSaysNoError, match="0 of 3 pairs of periods have enough markets with 9999"):
        leader_validity(lines, artists, window=60, by=equal_periods(4, 200), permutations=1, least_votes=9999)
    with pytest.raises(diffusion.DataSaysNoError, match="of 3 pairs"):  # nobody's artist is known
        leader_validity(lines, artists.head(0), window=60, by=equal_periods(4, 200), permutations=1)
    with pytest.raises(diffusion.SettingError, match="must be 1 or more"):
        leader_validity(lines, artists, window=60, by=equal_periods(4, 200), shuffles=0)
    with pytest.raises(diffusion.SettingError, match="unknown measure"):
        leader_validity(lines, artists, window=60, by=equal_periods(4, 200), permutations=1, measures=["fame"])


@pytest.mark.slow
def test_without_leaders_p_is_small_no_more_often_than_it_says() -> None:
    tables = pd.concat([question(100 + seed, 0.0) for seed in range(100)])
    small = tables.assign(small=tables["p"] <= 0.05).groupby(["given", "measure"])["small"].mean()
    assert small.max() <= 0.12  # 100 simulations: 5 ± 2.2, the largest of 26
    assert small.mean() <= 0.05 + 3 * SPREAD / np.sqrt(100)


@pytest.mark.slow
def test_planted_leaders_are_found_most_of_the_time() -> None:
    tables = pd.concat([question(200 + seed, 0.5) for seed in range(20)])
    found = tables.assign(found=tables["p"] <= 0.05).groupby(["given", "measure"])["found"].mean()
    for measure in ("net_flow", "out_share", "springrank", "bradley_terry"):
        assert found["size", measure] >= 0.9


@pytest.mark.slow
def test_real_leaders_stay(real_data: Path) -> None:
    with diffusion.open_charts(real_data / "viral50-weekly-2017-2020") as charts:
        entries = charts.entries()
    found = leader_validity(
        entries.timelines, entries.artists.to_pandas(), window=56, by="half", permutations=10, shuffles=999
    ).table
    given_size = found[found["given"] == "size"].set_index("measure")
    assert given_size.loc["springrank", "p"] == 0.001
    assert given_size.loc["springrank", "low"] > 0.4
