"""The joint fit, its errors and credits: equal slow twins and R, silent where nobody follows anybody, and then not."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.baseline import Baseline, baseline, entry_credits, joint_fit, steps
from graphs.baseline.credits import _Additive
from graphs.baseline.likeness import kind_design
from graphs.baseline.solver import Point, Problem, maximum
from graphs.baseline.terms import Terms
from graphs.contracts import CREDITS
from tests import twins_baseline as twin
from tests.graphs.test_baseline import case, in_order
from tests.process_worlds import Process, draw
from tests.random_charts import Study, examples, studies

REFERENCE = Path(__file__).parents[1] / "reference"

OUTSIDE_TOLERANCE = 1e-6
"""R and Newton's method, both converged; kernels are held in single precision, and the ridge is 1e-9."""

SLOPE_TOLERANCE = 1e-3
"""Differences over steps of 1e-4 of a log-likelihood of some dozens, whose gradient is 0 at the fit."""

SINGLE = 1e-4
"""Relative: P and kernels are held in single precision."""


def terms_of(steps_: object, halving: float = 5.0) -> Terms:
    return Terms.of(steps_, window=60, halving=halving, cadence=1)


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
    terms = terms_of(own).with_columns(np.ones((len(own), 1), np.float32))
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


# ── in worlds ────────────────────────────────────────────────────────────────────────────────────────────────────────
