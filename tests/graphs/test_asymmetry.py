"""Which markets lead beyond the baseline: sums equal a slow twin, groups hold over all pairs, worlds stay silent."""

from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from diffusion.simulation.process_worlds import ProcessWorld, world
from diffusion.simulation.recipes import WORLDS
from graphs.baseline import Baseline, PairSums, baseline
from graphs.baseline.step_parts import StepPart, StepsHere
from graphs.baseline.steps import Steps
from graphs.contracts import LEADERS
from graphs.leaders import asymmetry
from graphs.leaders.asymmetry import (
    LEAST_ARTISTS,
    Leads,
    established,
    halves,
    lead_table,
    middle_artist,
    shrunk,
    some_steps,
)
from graphs.leaders.groups import effective_number, rank_bounds, rank_groups, told_apart
from tests.process_worlds import Process, draw, languages

SINGLE = 1e-4
"""Leads of steps are kept in single precision; here some hundreds of them are added."""

ALIKE = [name for name, recipe in WORLDS.items() if recipe.exchangeable]
"""Worlds in which no market leads another, if all have one size."""


def fitted(drawn: ProcessWorld) -> Baseline:
    """Return the baseline of a world, with its own likeness."""
    return baseline(drawn.entries, pairs=drawn.pairs)


def leads_in(drawn: ProcessWorld) -> pd.DataFrame:
    """Return the table of the tested measure."""
    fit = fitted(drawn)
    return lead_table(Leads.of(fit, window=fit.entries.calendar.default_window), replicates=400)


def several_groups(table: pd.DataFrame) -> bool:
    """Return whether markets are in more than one rank group."""
    return bool((table["group"].dropna() > 1).any())


# ── the sums ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def slow_leads(fit: Baseline, window: int, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return lead, moves and variance of every step and market, step by step and partner by partner."""
    steps, chance, m = fit.steps, fit.probabilities(), len(fit.steps.markets)
    whole = PairSums.of(fit, window=window)
    lead, moves, model = np.zeros((3, len(steps), m))
    both = halves(middle_artist(fit.parts))
    for half, other in zip(both, reversed(both), strict=True):
        pairs = established(PairSums.of(some_steps(fit, other), window=window))
        for step in np.arange(len(steps))[half(steps)]:
            gain = np.zeros((m, m))  # what the lead of the row's market gains if the step goes into the column's
            for a, b in product(range(m), repeat=2):
                lag, since = int(steps.lag[step, a]), int(steps.since[step, b])
                if a == b or not 0 < lag <= window or since > lag:
                    continue
                either = whole.expected[a, b] + whole.expected[b, a]
                share_back = whole.expected[b, a] / either if either else 0.0
                if b == steps.market[step]:
                    moves[step, a] += 1
                    moves[step, b] += 1
                if pairs[a, b]:
                    gain[a, b] += share_back
                    gain[b, b] -= share_back
                    lift = (whole.observed[a, b] + whole.observed[b, a]) / either
                    lead[step, a] -= lift * share_back * chance[step, b]
                    lead[step, b] += lift * share_back * chance[step, b]
            lead[step] += gain[:, steps.market[step]]
            model[step] = gain**2 @ chance[step] - (gain @ chance[step]) ** 2
    return lead, moves, model


@pytest.mark.parametrize(("cadence", "threshold"), [(1, 1.0), (7, 1.0), (1, 0.3)])
def test_leads_equal_the_slow_twin(monkeypatch: pytest.MonkeyPatch, cadence: int, threshold: float) -> None:
    monkeypatch.setattr(asymmetry, "ESTABLISHED", threshold)
    drawn = draw(Process(falling=True, homes=True, cadence=cadence), tracks=150, seed=3, markets=5)
    fit = baseline(drawn.entries, pairs=pd.DataFrame(languages(drawn.tongue)))
    found = Leads.of(fit, window=30)
    assert 0 < found.partners.sum() <= 20 and (threshold == 1) == (found.partners.sum() == 20)
    added = found.steps.whole.more
    for name, slow in zip(("lead", "moves", "model"), slow_leads(fit, 30, threshold), strict=True):
        np.testing.assert_allclose(added[name], slow, atol=SINGLE)
    np.testing.assert_allclose(added["lead"].sum(axis=1), 0, atol=SINGLE)  # what a market leads, its partners are led
    some = found.only(lambda steps: steps.age > 10)
    assert len(some.steps) == (fit.steps.age > 10).sum() and some.partners is found.partners


def test_summed_over_all_partners_nothing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step goes to one market: with all partners, even a world of leaders has hardly a lead."""
    fit = fitted(world("influence-sparse", tracks=6000, seed=2))
    seen = lead_table(Leads.of(fit, window=60), replicates=50)
    monkeypatch.setattr(asymmetry, "ESTABLISHED", 1.0)
    unseen = lead_table(Leads.of(fit, window=60), replicates=50)
    assert (seen["q"] <= 0.05).sum() >= 4
    assert (unseen["q"] <= 0.05).sum() <= 1
    assert unseen["score"].abs().max() < 0.5 * seen["score"].abs().max()


def of_artists(artist: np.ndarray, **more: np.ndarray) -> StepsHere:
    """Return steps of which only the artist is known, and further arrays."""
    g, m = len(artist), next((values.shape[1] for values in more.values()), 1)
    cells, none = np.zeros((g, m), np.int16), np.zeros(g, np.int64)
    codes = tuple(f"M{place}" for place in range(m))
    steps = Steps(codes, none, none, none, none, none, artist, cells, cells > 0, cells)
    return StepsHere(StepPart(steps, cells, more))


@pytest.mark.parametrize(
    ("artist", "parts"),
    [
        ([0, 0, 0, 1, 4, 4, 5, 5, 5, 5], (slice(0, 6), slice(6, 10))),
        ([0, 0, 0, 0], (slice(0, 4), slice(4, 4))),
        ([], (slice(0, 0), slice(0, 0))),
    ],
)
def test_halves_are_of_whole_artists(artist: list[int], parts: tuple[slice, slice]) -> None:
    steps = of_artists(np.array(artist, np.int64))
    assert tuple(half(steps.here.steps) for half in halves(middle_artist(steps))) == parts


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def made(lead: np.ndarray, moves: np.ndarray, model: float) -> Leads:
    """Return leads of artists with one step each."""
    g, m = lead.shape
    steps = of_artists(np.arange(g), lead=lead, moves=moves, model=np.full((g, m), model / g))
    return Leads(steps, ~np.eye(m, dtype=bool))


def test_a_table_by_hand() -> None:
    lead = np.zeros((40, 3))
    lead[:, 0], lead[:, 1] = np.tile([0.5, 0.3], 20), np.tile([-0.5, -0.3], 20)
    lead[0, 2] = 1.0
    table = lead_table(made(lead, np.ones((40, 3)), 0.0)).set_index("market")
    assert table.loc["M0", "score"] == pytest.approx(0.4)
    error = np.sqrt(40 * 0.1**2) / 40
    assert table.loc["M0", "artists"] == pytest.approx(40)
    assert table.loc["M0", "high"] - table.loc["M0", "low"] == pytest.approx(2 * 2.0227 * error, rel=1e-4)
    assert table.loc[["M0", "M1"], "group"].tolist() == [1, 2]
    assert table.loc["M0", ["rank_low", "rank_high"]].tolist() == [1, 1]
    few = table.loc["M2"]
    assert few["artists"] < LEAST_ARTISTS and few["score"] == pytest.approx(1 / 40)
    assert few[["low", "high", "p", "q", "shrunk", "rank", "rank_low", "rank_high", "group"]].isna().all()
    # with a larger variance of the model the same scores are unsure
    wide = lead_table(made(lead, np.ones((40, 3)), 400.0)).set_index("market")
    assert wide.loc["M0", "high"] - wide.loc["M0", "low"] == pytest.approx(2 * 2.0227 * 0.5, rel=1e-4)
    assert wide.loc["M0", "p"] > 0.3 and wide.loc["M1", "group"] == 1


def test_scores_are_shrunk_by_what_their_errors_explain() -> None:
    score, enough = np.array([3.0, -1, 0.5]), np.array([True, True, False])
    found = shrunk(score, np.array([1.0, 2, 9]), enough)
    between = (9 + 1 - 1 - 4) / 2
    np.testing.assert_allclose(found[:2], [3 * between / (between + 1), -between / (between + 4)])
    assert (shrunk(score, np.array([9.0, 9, 9]), enough) == 0).all()


def test_the_table_fits_its_contract_and_no_interval_has_width_0() -> None:
    table = leads_in(world("influence-sparse", tracks=3000, seed=1))
    LEADERS.conform(pa.Table.from_pandas(table, preserve_index=False))
    known = table.dropna(subset=["low"])
    assert len(known) and (known["low"] < known["high"]).all()
    assert (known["shrunk"].abs() <= known["score"].abs()).all()
    assert (known["rank_low"] <= known["rank"]).all() and (known["rank"] <= known["rank_high"]).all()
    assert known["group"].is_monotonic_increasing and known["group"].iloc[0] == 1


# ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_groups_and_bounds_by_hand() -> None:
    score = np.array([9.0, 10, 3, 2.9, 5, 0])
    enough = np.array([True, True, True, True, False, True])
    own = np.random.default_rng(0).normal(0, 0.05, (100, 6))
    apart = told_apart(score, own, enough, replicates=400, seed=0)
    assert rank_groups(apart, score, enough)[[0, 1, 2, 3, 5]].tolist() == [1, 1, 2, 2, 3]
    assert np.isnan(rank_groups(apart, score, enough)[4]) and not apart[4].any() and not apart[:, 4].any()
    low, high = rank_bounds(apart, enough)
    assert low[[0, 1, 2, 3, 5]].tolist() == [1, 1, 3, 3, 5]
    assert high[[0, 1, 2, 3, 5]].tolist() == [2, 2, 4, 4, 5]
    shared = np.random.default_rng(1).normal(0, 0.5, (100, 1)) + np.random.default_rng(2).normal(0, 0.001, (100, 6))
    # what all markets share does not blur their order
    assert rank_groups(told_apart(score, shared, enough, replicates=400, seed=0), score, enough)[0] == 2
    nobody = np.zeros(6, bool)
    assert np.isnan(rank_groups(told_apart(score, own, nobody, replicates=10, seed=0), score, nobody)).all()


def test_steps_down_tell_more_apart_than_one_step() -> None:
    """Three markets far apart leave the bound of the other pairs to those alone."""
    own = np.random.default_rng(0).normal(0, 1, (400, 12))
    own /= np.sqrt(np.square(own).sum(axis=0))
    score = np.append(np.arange(10) * 100.0, [0.0, 3.5])
    apart = told_apart(score, own, np.ones(12, bool), replicates=2000, seed=0)
    assert apart[11, 10]


def test_effective_number_counts_artists_of_equal_weight() -> None:
    assert effective_number(np.array([[1.0, 0], [-1, 0], [1, 0], [0, 0]])).tolist() == [3, 0]


@pytest.mark.parametrize("heavy", [False, True])
def test_equal_markets_are_rarely_told_apart(heavy: bool) -> None:
    rng, apart = np.random.default_rng(8), 0
    for seed in range(200):
        weight = rng.pareto(2.5, (150, 1)) if heavy else 1.0
        data = weight * rng.normal(0, 1, (150, 12))
        enough = effective_number(data) >= LEAST_ARTISTS
        apart += told_apart(data.sum(axis=0), data, enough, replicates=200, seed=seed).any()
    assert apart <= 20  # of 200 at 5 %: 10 ± 3.1


# ── worlds ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_markets_alike_are_in_one_group() -> None:
    found = [leads_in(world(name, tracks=1500, alike=True, seed=7)) for name in ALIKE]
    assert sum(map(several_groups, found)) <= 1
    assert sum((table["q"] <= 0.05).any() for table in found) <= 1


def test_leaders_are_found_where_there_is_influence() -> None:
    drawn = world("influence-sparse", tracks=6000, seed=2)
    table = leads_in(drawn).set_index("market").loc[list(drawn.entries.calendar.markets)]
    alpha = drawn.truth.alpha
    clout = alpha.sum(axis=1) - alpha.sum(axis=0)
    assert (table["q"] <= 0.05).sum() >= 4 and several_groups(table)
    assert np.corrcoef(table["score"].rank(), pd.Series(clout).rank())[0, 1] > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("tracks", [2000, 8000])
def test_markets_alike_are_in_one_group_at_the_stated_rate(tracks: int) -> None:
    several, small, seen = [], 0, 0
    for name in ALIKE:
        tables = [leads_in(world(name, tracks=tracks, alike=True, seed=seed)) for seed in range(20)]
        several.append(sum(map(several_groups, tables)))
        small += sum(int((table["p"] <= 0.05).sum()) for table in tables)
        seen += sum(int(table["p"].notna().sum()) for table in tables)
    assert max(several) <= 4 and sum(several) <= 0.07 * 20 * len(ALIKE)
    assert small <= 0.06 * seen


@pytest.mark.slow
@pytest.mark.parametrize(("name", "false"), [("influence-sparse", 0.25), ("influence-dense", 0.5)])
def test_leaders_give_more_than_they_receive_at_the_stated_rate(name: str, false: float) -> None:
    """Only contrasts between targets are seen: where influence is dense, every third leader receives more."""
    wrong = found = 0
    for seed in range(12):
        drawn = world(name, tracks=8000, seed=100 + seed)
        table = leads_in(drawn).set_index("market").loc[list(drawn.entries.calendar.markets)]
        clout = drawn.truth.alpha.sum(axis=1) - drawn.truth.alpha.sum(axis=0)
        lead = ((table["q"] <= 0.05) & (table["score"] > 0)).to_numpy()
        found, wrong = found + lead.sum(), wrong + (lead & (clout < 0)).sum()
    assert found >= 15
    assert wrong <= false * found


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in WORLDS if not name.startswith("influence")])
def test_nobody_leads_where_nobody_influences(name: str) -> None:
    tables = [leads_in(world(name, tracks=2000, seed=seed)) for seed in range(20)]
    assert sum((table["q"] <= 0.05).any() for table in tables) <= 4


@pytest.mark.slow
def test_relabelled_markets_are_in_one_group() -> None:
    """Real clusters: every artist's contributions go to markets drawn at random."""
    drawn = world("homes", tracks=4000, seed=0)
    own = Leads.of(fitted(drawn), window=60).influence
    rng, apart = np.random.default_rng(0), 0
    for seed in range(200):
        dealt = rng.permuted(own, axis=1)
        enough = effective_number(dealt) >= LEAST_ARTISTS
        apart += told_apart(dealt.sum(axis=0), dealt, enough, replicates=300, seed=seed).any()
    assert apart <= 20
