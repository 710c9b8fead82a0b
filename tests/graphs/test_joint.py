"""The joint fit, its errors and credits: equal slow twins and R, silent where nobody follows anybody, and then not."""

import random
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from diffusion import SettingError, open_charts
from diffusion.simulation.process_worlds import world
from graphs.baseline import Baseline, baseline, clout, direct_table, edge_table, entry_credits, joint_fit, steps
from graphs.baseline.credits import _Additive
from graphs.baseline.likeness import kind_design
from graphs.baseline.solver import Point, Problem, maximum
from graphs.baseline.terms import Terms
from graphs.contracts import CLOUT, CREDITS, INFLUENCE
from tests import twins_baseline as twin
from tests.graphs.test_baseline import case, in_order
from tests.process_worlds import SILENT, Process, draw, languages
from tests.random_charts import Study, examples, studies

REFERENCE = Path(__file__).parents[1] / "reference"

OUTSIDE_TOLERANCE = 1e-6
"""R and Newton's method, both converged; kernels are held in single precision, and the ridge is 1e-9."""

SLOPE_TOLERANCE = 1e-3
"""Differences over steps of 1e-4 of a log-likelihood of some dozens, whose gradient is 0 at the fit."""

SINGLE = 1e-4
"""Relative: P and kernels are held in single precision."""


def test_agrees_with_r() -> None:
    rows = pd.read_csv(REFERENCE / "joint_clogit_rows.csv")
    answers = pd.read_csv(REFERENCE / "joint_clogit_answers.csv").set_index("term")["value"]
    taken = steps(draw(Process(falling=True, popularity=True, influence=0.5), tracks=1200, seed=3, markets=4).entries)
    once = ~pd.DataFrame({"track": taken.track, "day": taken.day}).duplicated(keep=False).to_numpy()
    own = taken.only(once)
    own = replace(own, age=np.ones(len(own), np.int32))
    # the rows that R was given are these steps, but for those with one market left
    open_ = own.since > 0
    step, market = np.nonzero(open_ & (open_.sum(axis=1, keepdims=True) > 1))
    assert rows[["step", "market"]].to_numpy().tolist() == np.stack([step, market + 1], axis=1).tolist()
    assert rows["chosen"].to_numpy().tolist() == (own.market[step] == market).astype(int).tolist()
    terms = Terms.of(own, window=60, halving=5.0, cadence=1).with_columns(np.ones((len(own), 1), np.float32))
    problem = Problem(own, np.zeros(own.since.shape, np.int16), terms, 1e-9)
    many = kind_design().shape[1]
    found = maximum(problem, Point(np.zeros((5, 4)), np.zeros(many)), np.eye(many))
    raw = found.point.effects
    for sender, target in product(range(4), repeat=2):
        name, first = f"beta{sender + 1}{target + 1}", 1 if sender == 0 else 0
        if target not in (sender, first):
            assert raw[sender, target] - raw[sender, first] == pytest.approx(answers[name], abs=OUTSIDE_TOLERANCE)
    assert raw[4, 1:] - raw[4, 0] == pytest.approx(answers[["size2", "size3", "size4"]], abs=OUTSIDE_TOLERANCE)


# ── against twins ────────────────────────────────────────────────────────────────────────────────────────────────────


def small(drawn: Study, seed: int) -> tuple[Baseline, list[twin.Step], dict[str, str]] | None:
    """Return a baseline of random charts, its steps and artists, where there are any."""
    entries, lost, artists = case(drawn, seed)
    found = in_order(entries, twin.steps(drawn, lost, horizon=180))
    if not found or len(entries.calendar.markets) < 2:
        return None
    return baseline(entries), found, artists


@examples(30)
@given(drawn=studies(), seed=st.integers(0, 99), window=st.sampled_from([1, 7, 60]))
def test_fit_equals_twin(drawn: Study, seed: int, window: int) -> None:
    known = small(drawn, seed)
    if known is None:
        return
    fit, found, artists = known
    joint = joint_fit(fit, window=window)
    markets = fit.steps.markets
    senders = twin.Senders(window, joint.halving, fit.entries.calendar.cadence)
    age, period = fit.full.cell(fit.steps.day, fit.steps.age)
    ages = len(fit.full.size)

    def weights(raw: np.ndarray, sizes: np.ndarray, classes: np.ndarray) -> list[dict[str, float]]:
        cells = sizes[0] + sizes[1 + age] + sizes[1 + ages + period] + (kind_design() @ classes)[fit.kinds]
        effects = {(a, b): raw[i, j] for (i, a), (j, b) in product(enumerate(markets), repeat=2)}
        return [
            {b: float(np.exp(row[j] + senders.added(step, b, effects))) for j, b in enumerate(markets)}
            for step, row in zip(found, cells, strict=True)
        ]

    def value(*point: np.ndarray) -> float:
        return twin.log_likelihood(found, weights(*point)) - sum(0.25 * float((part**2).sum()) for part in point)

    own = [joint.beta, joint.sizes, joint.classes]
    assert twin.log_likelihood(found, weights(*own)) == pytest.approx(joint.log_likelihood, abs=1e-4)
    assert joint.log_scores().sum() == pytest.approx(joint.log_likelihood, abs=1e-4)
    for move in directions(own, np.random.default_rng(seed)):
        up, down = ([part + sign * 1e-4 * by for part, by in zip(own, move, strict=True)] for sign in (1, -1))
        assert abs(value(*up) - value(*down)) / 2e-4 < SLOPE_TOLERANCE
    chance = joint.probabilities()
    assert chance.sum(axis=1) == pytest.approx(1)
    assert variances_equal(joint.variance, fit, found, artists, senders, chance)


def directions(point: list[np.ndarray], rng: np.random.Generator) -> list[list[np.ndarray]]:
    """Return directions in which no sender, and no size, adds the same to all markets."""
    moves = []
    for _ in range(10):
        raw, sizes, classes = (rng.normal(size=part.shape) for part in point)
        m = len(raw)
        np.fill_diagonal(raw, 0)
        raw -= (1 - np.eye(m)) * raw.sum(axis=1, keepdims=True) / (m - 1)
        moves.append([raw, sizes - sizes.mean(axis=1, keepdims=True), classes])
    return moves


def variances_equal(
    variance: np.ndarray,
    fit: Baseline,
    found: list[twin.Step],
    artists: dict[str, str],
    senders: twin.Senders,
    chance: np.ndarray,
) -> bool:
    """Return whether all variances are those of the twin."""
    markets = fit.steps.markets
    age, period = fit.full.cell(fit.steps.day, fit.steps.age)
    cells = [[1, *(age[i] == np.arange(7)), *(period[i] == np.arange(len(fit.full.starts)))] for i in range(len(found))]
    values = [
        {b: [senders.value(step, a, b) if a in step.lag else 0.0 for a in markets] + cell for b in markets}
        for step, cell in zip(found, cells, strict=True)
    ]
    rows = [dict(zip(markets, row, strict=True)) for row in chance.tolist()]
    expected = twin.block_variance(found, rows, values, artists, markets, ridge=0.5)
    own = {(a, b): variance[i, j] for (i, a), (j, b) in product(enumerate(markets), repeat=2) if a != b}
    return own == pytest.approx(expected, rel=SINGLE)


@examples(25)
@given(drawn=studies(), seed=st.integers(0, 99))
def test_credits_equal_twin(drawn: Study, seed: int) -> None:
    known = small(drawn, seed)
    if known is None:
        return
    fit, found, _ = known
    joint = joint_fit(fit, halving=5.0)
    markets, m = fit.steps.markets, len(fit.steps.markets)
    problem, rng = _Additive.of(joint), np.random.default_rng(seed)
    now = problem.start() * rng.uniform(0.5, 2, problem.start().shape)
    alpha = {(a, b): now[i, j] for (i, a), (j, b) in product(enumerate(markets), repeat=2)}
    size = {(age, b): now[m + age, j] for age in range(7) for j, b in enumerate(markets)}
    bases = [dict(zip(markets, row, strict=True)) for row in problem.weight.tolist()]
    senders = twin.Senders(joint.window, 5.0, fit.entries.calendar.cadence)
    update = twin.additive_update(found, bases, problem.age.tolist(), alpha, size, senders)
    ahead, value = problem.updated(now)
    assert value == pytest.approx(update[2], rel=SINGLE, abs=SINGLE)
    assert {key: ahead[markets.index(key[0]), markets.index(key[1])] for key in alpha} == pytest.approx(
        update[0], rel=SINGLE
    )
    assert {key: ahead[m + key[0], markets.index(key[1])] for key in size} == pytest.approx(update[1], rel=SINGLE)
    assert problem.updated(ahead)[1] >= value - SINGLE
    credits = entry_credits(joint)
    assert np.bincount(credits.step, credits.credit, minlength=len(found)) == pytest.approx(1, rel=1e-5)
    for step, source in zip(credits.step, credits.source, strict=True):
        assert source < 0 or twin.follows(found[step], markets[source], found[step].market, joint.window)
    CREDITS.conform(pa.Table.from_pandas(credits.table(), preserve_index=False))


def test_credits_are_numbers_where_nearly_all_senders_are_in_no_observed_order() -> None:
    """What rounding left of senders in no observed order once drove α beyond all numbers: credits were NaN."""
    rng, begin = random.Random(396329), date(1925, 6, 1)
    rows: dict[tuple[str, str, int], str] = {}
    for _ in range(2_000):
        track, day = rng.randrange(1_500), begin + timedelta(rng.randrange(99 * 365))
        rows.setdefault((day.isoformat(), rng.choice(["SE", "NO"]), rng.randint(1, 50)), f"{track:022d}")
    table = pd.DataFrame(list(rows), columns=["date", "market", "rank"]).assign(
        track_id=list(rows.values()),
        title=list(rows.values()),
        artist=[f"A{int(track) % 50}" for track in rows.values()],
    )
    with open_charts(table, accept=["holes", "set-aside"]) as charts:
        credits = entry_credits(joint_fit(baseline(charts.entries(washout=0)), window=365))
    assert len(credits.baseline.steps) == 2
    assert np.bincount(credits.step, credits.credit) == pytest.approx(1)
    assert np.isfinite(credits.alpha).all()


# ── in worlds ────────────────────────────────────────────────────────────────────────────────────────────────────────


def verdict(fit: Baseline) -> pd.DataFrame:
    """Return the verdict on all pairs of a baseline."""
    joint = joint_fit(fit)
    return direct_table(fit, joint, edge_table(fit), entry_credits(joint))


def with_truth(table: pd.DataFrame, alpha: np.ndarray) -> pd.DataFrame:
    """Return the table with what is true of every pair."""
    codes = sorted(set(table["source"]))
    true = [alpha[codes.index(a), codes.index(b)] for a, b in zip(table["source"], table["target"], strict=True)]
    return table.assign(alpha=true, true=np.array(true) > 0)


def process_verdict(process: Process, *, tracks: int, seed: int, markets: int = 12) -> pd.DataFrame:
    """Return the verdict in a plain world, by the languages of its markets."""
    drawn = draw(process, tracks=tracks, seed=seed, markets=markets)
    table = verdict(baseline(drawn.entries, pairs=pd.DataFrame(languages(drawn.tongue))))
    return with_truth(table, drawn.alpha)


def named_verdict(name: str, *, tracks: int, seed: int, markets: int = 12) -> pd.DataFrame:
    """Return the verdict in a named world."""
    drawn = world(name, tracks=tracks, seed=seed, markets=markets)
    return with_truth(verdict(baseline(drawn.entries, pairs=drawn.pairs)), drawn.truth.alpha)


def rates(table: pd.DataFrame, column: str) -> tuple[float, float]:
    """Return the share of the pairs with influence that are found, and of the found that have none."""
    return float(table.loc[table["true"], column].mean()), float(1 - table.loc[table[column], "true"].mean())


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    """A world with influence, 8,000 tracks."""
    return named_verdict("influence-sparse", tracks=8000, seed=1)


def test_tables_are_as_contracted(found: pd.DataFrame) -> None:
    table = found.drop(columns=["alpha", "true"])
    assert INFLUENCE.conform(pa.Table.from_pandas(table, preserve_index=False)).column_names == INFLUENCE.names
    sums = clout(table, sorted(set(table["source"])))
    CLOUT.conform(pa.Table.from_pandas(sums, preserve_index=False))
    direct = table[table["direct"]]
    assert sums["targets"].sum() == sums["sources"].sum() == len(direct) > 0
    assert sums["sent"].sum() == pytest.approx(direct["credits"].sum())
    assert sums["received"].sum() == pytest.approx(direct["credits"].sum())
    nothing = clout(table[~table["direct"]], ["XA"])
    assert nothing.drop(columns="market").to_numpy().tolist() == [[0, 0, 0, 0, 0, 0]]


def test_the_verdict_follows_its_parts(found: pd.DataFrame) -> None:
    assert found["beta"].groupby(found["source"]).mean().to_numpy() == pytest.approx(0)
    assert (found["ordered"] <= found["direct"]).all()
    assert ((found["q_joint"] <= 0.05) & (found["beta_low"] > 0))[found["direct"]].all()
    assert not found["direct"][found["beta_low"] <= 0].any()
    # what would have been found is larger than what is not told from nothing
    assert (np.log(found["detectable"]) > found["beta_high"] - found["beta"]).all()


def test_influence_is_found(found: pd.DataFrame) -> None:
    power, false = rates(found, "direct")
    assert power >= 0.7
    assert false <= 0.1
    assert rates(found, "ordered")[0] >= 0.6
    assert average_precision_score(found["true"], found["credits_per_entry"]) >= 0.9
    ratio = (found["credits_per_entry"] / found["alpha"])[found["true"]]
    assert 0.6 <= ratio.median() <= 1
    # the lags of all influence have a median of 5 days
    assert 4 <= found.loc[found["true"], "lag_median"].median() <= 7


def test_what_is_the_same_for_all_markets_is_not_seen() -> None:
    fit = baseline(draw(Process(falling=True), tracks=300, seed=1, markets=5).entries)
    joint = joint_fit(fit)
    shifted = replace(joint, beta=joint.beta + np.array([[1.0], [0], [0], [0], [0]]) * (1 - np.eye(5)))
    assert shifted.probabilities() == pytest.approx(joint.probabilities())
    other = replace(joint, beta=joint.beta + np.eye(5)[[1]] * [[1.0], [0], [0], [0], [0]])
    assert np.abs(other.probabilities() - joint.probabilities()).max() > 0.01


def test_steps_held_back_are_scored() -> None:
    drawn = world("influence-extra", tracks=4000, seed=2)
    cut = int(np.quantile(steps(drawn.entries).day, 0.7))
    fit = baseline(drawn.entries, pairs=drawn.pairs, before=date(1970, 1, 1) + timedelta(cut))
    later, kinds = fit.other_steps(drawn.entries)
    held = later.day >= cut
    others = later.only(held), kinds[held]
    gained = joint_fit(fit).log_scores(others) - fit.log_scores("likeness", others)
    assert len(gained) > 300
    assert gained.mean() > 0.01


def test_a_window_is_a_day_at_least() -> None:
    fit = baseline(draw(Process(), tracks=100, seed=1, markets=4).entries)
    with pytest.raises(SettingError, match="window is 0 days; it must be at least 1"):
        joint_fit(fit, window=0)


@pytest.mark.parametrize("name", ["falling", "surge", "main artist", "damaged", "weekly", "taste"])
def test_silent_worlds_stay_silent(name: str) -> None:
    tables = [process_verdict(SILENT[name], tracks=1000, seed=seed) for seed in range(2)]
    assert not any(table["direct"].any() for table in tables)
    assert np.mean([(table["p_joint"] <= 0.05).mean() for table in tables]) <= 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tracks", "markets"),
    [*product(SILENT, [2000, 8000], [12]), *product(["both", "homes", "taste"], [2000], [40])],
)
def test_silent_worlds_stay_silent_at_the_stated_rate(name: str, tracks: int, markets: int) -> None:
    tables = [process_verdict(SILENT[name], tracks=tracks, seed=seed, markets=markets) for seed in range(10)]
    assert sum(table["direct"].any() for table in tables) <= 2
    assert not any(table["ordered"].any() for table in tables)


def test_a_taste_that_no_table_knows_is_taken_for_direct_but_has_no_order() -> None:
    tables = [process_verdict(Process(falling=True, across=True), tracks=2000, seed=seed) for seed in range(3)]
    # nothing in the data tells such a taste from influence: a limit of the method, not of this test
    assert all(table["direct"].any() for table in tables)
    assert sum(table["ordered"].any() for table in tables) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["influence-sparse", "influence-dense", "influence-extra", "influence-taste"])
def test_influence_is_found_at_the_stated_rate(name: str) -> None:
    tables = [named_verdict(name, tracks=8000, seed=seed) for seed in range(10)]
    power, false = np.mean([rates(table, "direct") for table in tables], axis=0)
    # with influence in 35 % of the pairs, contrasts within a sender are smaller
    assert power >= (0.6 if name == "influence-dense" else 0.7)
    assert false <= 0.1
    power, false = np.nanmean([rates(table, "ordered") for table in tables], axis=0)
    assert power >= (0.5 if name == "influence-dense" else 0.6)
    assert false <= 0.05
    precision = [average_precision_score(table["true"], table["credits_per_entry"]) for table in tables]
    assert np.mean(precision) >= 0.95
