"""Leader validity: partial rank correlation, and the whole question in worlds with and without leaders."""

from datetime import date, timedelta
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress, rankdata, spearmanr

import diffusion
from diffusion.simulation.process_worlds import world
from graphs.baseline import Baseline, PairSums, baseline
from graphs.baseline.step_parts import steps_of
from graphs.journeys.slices import Period, day_number, debuts_in
from graphs.leaders.asymmetry import Leads, some_steps
from graphs.leaders.partial_ranks import RankPair, _within, association, curves, fisher_z
from graphs.leaders.scores import Flows, scores
from graphs.leaders.validity import BASELINES, DESCRIPTIVE, GIVEN, fresh_debuts, leader_validity, small_by_chance
from tests.simulated_leaders import simulated_timelines

SAME = 1e-9
"""Both sides solve small least squares."""


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
        made.append(ranked(kept, values[0, kept], values[1, kept], values[2:, kept].T))
    return made


def ranked(
    market: np.ndarray, score: np.ndarray, outcome: np.ndarray, fixed: np.ndarray, drawn: np.ndarray | None = None
) -> RankPair:
    """Return a pair of periods; without draws of the outcome, noise decides nothing about p."""
    none = np.empty((0, len(market)))
    return RankPair(market, score, outcome, fixed, none if drawn is None else drawn)


def slow_partial(pair: RankPair) -> float:
    """Correlate what curves through the ranks leave, one power of a held variable after the other (Gram–Schmidt)."""
    k, c = pair.fixed.shape
    powers = max(1, min(3, k // 3 // max(c, 1)))
    held = [(rankdata(x) - (k + 1) / 2) ** power for x in pair.fixed.T for power in range(1, powers + 1)]
    values = [*held, rankdata(pair.score), rankdata(pair.outcome)]
    while len(values) > 2:
        first, *others = values
        lines = [linregress(first, x) for x in others]
        values = [x - line.intercept - line.slope * first for x, line in zip(others, lines, strict=True)]
    return float(np.corrcoef(values[0], values[1])[0, 1])


@pytest.mark.parametrize("fixed", [0, 1, 3])
def test_partial_spearman_agrees_with_scipy_and_with_straight_lines(fixed: int) -> None:
    pairs = random_pairs(fixed, fixed=fixed, effect=0.6)
    found = association(pairs, markets=12, shuffles=19, seed=0)
    np.testing.assert_allclose(found.by_pair, [slow_partial(pair) for pair in pairs], atol=SAME)
    if not fixed:
        np.testing.assert_allclose(found.by_pair, [spearmanr(p.score, p.outcome).statistic for p in pairs], atol=SAME)
    free = np.array([len(pair.market) - curves(pair.fixed).shape[1] - 2 for pair in pairs])
    joined = np.tanh((np.arctanh(found.by_pair) * free).sum() / free.sum())
    assert found.rho == pytest.approx(joined)
    without = [
        (np.arctanh([slow_partial(pair.without(m)) for pair in pairs]), [pair.without(m) for pair in pairs])
        for m in range(12)
    ]
    others = []
    for z, left in without:
        weight = np.array([len(pair.market) - curves(pair.fixed).shape[1] - 2 for pair in left])
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
    pairs = [ranked(np.arange(8), values, other, np.empty((8, 0))) for other in (values, swapped, swapped, values)]
    found = association(pairs, markets=8, shuffles=99, seed=0)
    assert 0.97 < found.rho < 1
    assert found.low > 0.9


def test_p_is_the_share_of_all_permutations_that_reach_it() -> None:
    """With nothing held fixed and the same five markets, p tends to what all 120 permutations give."""
    rng = np.random.default_rng(3)
    pairs = [ranked(np.arange(5), *rng.standard_normal((2, 5)), np.empty((5, 0))) for _ in range(3)]
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
    tiny = ranked(np.arange(3), np.arange(3.0), np.arange(3.0), np.empty((3, 0)))
    found = association([*pairs[:2], tiny], markets=12, shuffles=9, seed=0)
    assert np.isnan([found.rho, found.low, found.p, found.by_pair[2]]).all()
    assert found.row()["pairs"] == 2
    constant = [ranked(p.market, np.ones_like(p.score), p.outcome, p.fixed) for p in pairs]
    assert np.isnan(association(constant, markets=12, shuffles=9, seed=0).by_pair).all()
    explained = [ranked(p.market, p.fixed[:, 0], p.outcome, p.fixed) for p in pairs]
    assert np.isnan(association(explained, markets=12, shuffles=9, seed=0).rho)
    equal = [ranked(p.market, p.score, p.outcome, np.c_[p.fixed, np.full(len(p.market), 50.0)]) for p in pairs]
    same = association(equal, markets=12, shuffles=9, seed=0)
    assert same.rho == pytest.approx(association(pairs, markets=12, shuffles=9, seed=0).rho)


def test_size_that_bends_is_held() -> None:
    """Both sides follow size along a curve; a straight line in ranks leaves it in both, powers of ranks do not."""
    rng = np.random.default_rng(5)
    found = []
    for _ in range(20):
        pairs = []
        for _ in range(4):
            size = rng.standard_normal(36)
            score, outcome = size**2 + 0.3 * rng.standard_normal((2, 36))
            pairs.append(ranked(np.arange(36), score, outcome, size[:, None]))
        found.append(association(pairs, markets=36, shuffles=99, seed=0))
    assert np.mean([one.p <= 0.05 for one in found]) <= 0.2
    assert abs(np.mean([one.rho for one in found])) < 0.2  # .9 with straight lines
    assert curves(np.empty((9, 0))).tolist() == curves(np.ones((9, 2))).tolist() == [[1.0]] * 9
    assert curves(rng.standard_normal((12, 2))).shape == (12, 5)


def test_noise_of_a_single_pair_of_markets_is_no_association() -> None:
    """What one market gains another loses and the rest is 0: permutations take that for an order, draws do not."""
    rng = np.random.default_rng(0)
    shape = np.zeros(12)
    shape[[2, 7]] = 1, -1
    plain, held = [], []
    for seed in range(30):
        drawn = rng.standard_normal((4, 200, 1)) * shape
        sides = rng.standard_normal((4, 2, 1)) * shape
        for pairs, chosen in ((plain, None), (held, drawn)):
            parts = [
                ranked(np.arange(12), *sides[at], np.empty((12, 0)), None if chosen is None else chosen[at])
                for at in range(4)
            ]
            pairs.append(association(parts, markets=12, shuffles=199, seed=seed).p)
    assert np.mean(np.array(plain) <= 0.05) > 0.5
    assert np.mean(np.array(held) <= 0.05) <= 0.2


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


def periods_of(fit: Baseline, number: int, width: int = 182) -> list[Period]:
    """Return periods of equal length from the end of the first washout on."""
    first = date(1970, 1, 1) + timedelta(int(fit.entries.timelines.span_first.min()) + 28)
    starts = [first + timedelta(at * width) for at in range(number)]
    return [Period(str(at), day, day + timedelta(width - 1)) for at, day in enumerate(starts)]


def asked(name: str, seed: int, *, tracks: int, periods: int = 4, markets: int = 12) -> Baseline:
    """Return the baseline of a world that lasts so many half-years."""
    drawn = world(name, tracks=tracks, markets=markets, days=periods * 182 + 28, seed=seed)
    return baseline(drawn.entries, pairs=drawn.pairs)


def test_leaders_who_stay_are_found_and_the_table_is_whole() -> None:
    fit = asked("influence-sparse", 0, tracks=10_000)
    found = leader_validity(fit, window=60, by=periods_of(fit, 4), shuffles=499)
    table = found.table
    assert list(table) == ["measure", "given", "pairs", "rho", "low", "high", "p", "q"]
    assert len(table) == len(GIVEN) * (len(DESCRIPTIVE) + len(BASELINES))
    by_size = table[table["given"] == "size"].set_index("measure")
    assert by_size.loc["lead_excess", "p"] <= 0.05 and by_size.loc["lead_excess", "rho"] > 0.3
    assert (by_size["pairs"] == 3).all()
    assert by_size.loc[list(BASELINES), "q"].isna().all()
    held = table.dropna(subset=["low"])
    assert (held["low"] <= held["rho"]).all() and (held["rho"] <= held["high"]).all()
    assert (found.markets[["moves", "next_moves"]] >= 20).all(axis=None)


def test_the_facts_of_a_period_are_those_of_its_tracks() -> None:
    fit = asked("influence-sparse", 1, tracks=4000)
    periods = periods_of(fit, 4)
    found = leader_validity(fit, window=60, by=periods, shuffles=9, measures=["net_flow"]).markets
    rows = found[found["period"] == periods[1].name].set_index("market")
    lines, leads = fit.entries.timelines, Leads.of(fit, window=60)
    mine = debuts_in(lines, periods[1])
    sums = PairSums.of(some_steps(fit, steps_of(mine)), window=60)
    net = (
        scores(Flows(sums.observed), ["net_flow"])["net_flow"] - scores(Flows(sums.expected), ["net_flow"])["net_flow"]
    )
    np.testing.assert_allclose(rows["net_flow"], pd.Series(net, lines.markets)[rows.index])
    debuts = [debuts_in(lines, period) for period in periods]
    after = fresh_debuts(lines, fit.entries.described.to_pandas(), debuts)[1]
    outcome = leads.only(steps_of(after))
    np.testing.assert_allclose(rows["next_lead"], pd.Series(outcome.score, lines.markets)[rows.index])
    for market, row in rows.iterrows():
        number = lines.markets.index(str(market))
        assert row["volume"] == sum(mine[t] for t in lines.track[lines.timed & (lines.market == number)])
        days = range(day_number(periods[1].start), day_number(periods[1].end) + 1)
        spans = [
            (int(first) + lines.washout, int(last))
            for m, first, last in zip(lines.span_market, lines.span_first, lines.span_last, strict=True)
            if m == number
        ]
        assert row["coverage"] == sum(any(first <= day <= last for first, last in spans) for day in days)


@pytest.mark.slow
def test_where_only_sizes_persist_little_is_found() -> None:
    tables = []
    for seed in range(4):
        fit = asked("sizes", seed, tracks=8000, markets=20)
        tables.append(leader_validity(fit, window=60, by=periods_of(fit, 4), shuffles=199, seed=seed).table)
    assert (pd.concat(tables)["p"].dropna() <= 0.05).mean() <= 0.15


def test_charts_drawn_from_the_baseline_show_the_size_of_the_test() -> None:
    fit = asked("influence-sparse", 0, tracks=5000)
    assert 0 <= small_by_chance(fit, window=60, by=periods_of(fit, 4), draws=2, shuffles=99) <= 0.3
    tiny = asked("flat", 0, tracks=60)
    assert np.isnan(small_by_chance(tiny, window=60, by=periods_of(tiny, 4), draws=1))


def test_what_cannot_be_asked() -> None:
    fit = asked("flat", 0, tracks=400)
    with pytest.raises(diffusion.DataSaysNoError, match="validity needs 3 pairs of periods or more; there are 2"):
        leader_validity(fit, window=60, by=periods_of(fit, 3))
    with pytest.raises(diffusion.DataSaysNoError, match="0 of 3 pairs of periods have enough markets with 9999"):
        leader_validity(fit, window=60, by=periods_of(fit, 4), least_moves=9999)
    with pytest.raises(diffusion.SettingError, match="must be 1 or more"):
        leader_validity(fit, window=60, by=periods_of(fit, 4), shuffles=0)
    with pytest.raises(diffusion.SettingError, match="unknown measure"):
        leader_validity(fit, window=60, by=periods_of(fit, 4), measures=["fame"])  # type: ignore[list-item]


@pytest.mark.slow
@pytest.mark.parametrize(("markets", "tracks", "simulations"), [(12, 8000, 20), (36, 16_000, 10)])
def test_where_only_sizes_persist_p_is_small_no_more_often_than_it_says(
    markets: int, tracks: int, simulations: int
) -> None:
    tables = []
    for seed in range(simulations):
        fit = asked("sizes", seed, tracks=tracks, periods=5, markets=markets)
        try:
            tables.append(leader_validity(fit, window=60, by=periods_of(fit, 5), shuffles=499, seed=seed).table)
        except diffusion.DataSaysNoError:  # of no market is an order established
            continue
    assert (pd.concat(tables)["p"].dropna() <= 0.05).mean() <= 0.07


@pytest.mark.slow
def test_leaders_who_stay_are_found_most_of_the_time() -> None:
    found = []
    for seed in range(10):
        fit = asked("influence-sparse", seed, tracks=16_000, periods=5)
        table = leader_validity(fit, window=60, by=periods_of(fit, 5), shuffles=499, seed=seed).table
        found.append(table.set_index(["given", "measure"]).loc[("size", "lead_excess"), ["p", "rho"]])
    both = pd.DataFrame(found)
    assert (both["p"] <= 0.05).mean() >= 0.5
    assert both["rho"].mean() > 0.4


@pytest.mark.slow
def test_real_leaders_stay(real_data: Path) -> None:
    with diffusion.open_charts(real_data / "viral50-weekly-2017-2020") as charts:
        fit = baseline(charts.entries())
    found = leader_validity(fit, window=56, by="half", shuffles=999).table
    lead = found[found["given"] == "size"].set_index("measure").loc["lead_excess"]
    assert lead["p"] <= 0.005 and lead["low"] > 0.2
