"""The default forecaster on drawn candidates: what must hold of its probabilities and days, and what it must find."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit

from diffusion import DataSaysNoError
from pipelines.features.registry import Feature
from pipelines.models.boosting import Trees
from pipelines.models.calibration import Calibration, later_part
from pipelines.models.examples import Examples
from pipelines.models.forecaster import LEAST_ENTRIES, Forecaster, Recipe, with_level
from pipelines.models.timing import Timing

HORIZON = 28
MARKETS = 12
SMALL = Trees(rounds=25, leaves=7, rate=0.1, least_rows=10)
QUICK = Recipe(SMALL, SMALL, SMALL, SMALL, SMALL)
NAMES = ("pull", "push", "slow", "noise")


def drawn(tracks: int, seed: int, *, level: float = -3.0, days: tuple[int, ...] = (7, 14, 21, 28)) -> Examples:
    """Return candidates whose entry depends on `pull` (of the market) and `push` (of the track), its day on `slow`."""
    rng = np.random.default_rng(seed)
    n = tracks * MARKETS
    track = np.repeat(np.arange(tracks), MARKETS)
    values = rng.normal(size=(n, len(NAMES))).astype(np.float32)
    values[:, 1] = rng.normal(size=tracks)[track]
    entered = rng.random(n) < expit(level + 1.5 * values[:, 0] + values[:, 1])
    late = rng.random(n) < expit(2 * values[:, 2])
    half = len(days) // 2
    when = np.where(late, rng.choice(days[half:], n), rng.choice(days[:half], n))
    start = (track * 3 // 4).astype(np.int32)
    return Examples(
        features=tuple(Feature(name, "", f"{name}.", (), "as of", "track") for name in NAMES),
        values=values,
        observation=track.astype(np.int32),
        market=np.tile(np.arange(MARKETS), tracks).astype(np.int16),
        track=track,
        artist=track,
        day=start,
        debut=start,
        entered=entered,
        days=np.where(entered, when, np.nan).astype(np.float32),
        horizon=HORIZON,
    )


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    return Forecaster(QUICK).fit(drawn(800, 1))


@pytest.fixture(scope="module")
def later() -> Examples:
    return drawn(400, 2)


def test_probabilities_lie_between_0_and_1_and_do_not_fall_with_the_days(fitted: Forecaster, later: Examples) -> None:
    found = fitted.predict(later)
    assert found.by is not None
    assert found.days == (7, 14, 28)
    assert found.p.min() > 0
    assert found.p.max() < 1
    assert (np.diff(found.by, axis=1) >= 0).all()
    assert np.array_equal(found.by[:, -1], found.p)


def test_as_many_entries_are_expected_as_there_are(fitted: Forecaster, later: Examples) -> None:
    assert fitted.predict(later).p.sum() == pytest.approx(later.entered.sum(), rel=0.2)


def test_outcomes_are_not_read_by_predict(fitted: Forecaster, later: Examples) -> None:
    other = replace(later, entered=~later.entered, days=np.full(len(later), 3, np.float32))
    assert np.array_equal(fitted.predict(later).p, fitted.predict(other).p)


def test_it_finds_what_entries_and_days_depend_on(fitted: Forecaster, later: Examples) -> None:
    found = fitted.predict(later)
    odds = -3.0 + 1.5 * later.column("pull") + later.column("push")
    assert np.corrcoef(logit(found.p), odds)[0, 1] > 0.8
    days, slow = later.days[later.entered], later.column("slow")[later.entered]
    assert np.abs(found.expected_days[later.entered] - days).mean() < np.abs(np.median(days) - days).mean() - 0.5
    assert (
        found.expected_days[later.entered][slow > 1].mean() > found.expected_days[later.entered][slow < -1].mean() + 5
    )


def test_four_of_five_entries_lie_in_the_interval_of_days(fitted: Forecaster, later: Examples) -> None:
    found = fitted.predict(later)
    assert found.interval is not None
    low, high = found.interval[later.entered].T
    days = later.days[later.entered]
    assert ((low <= days) & (days <= high)).mean() >= 0.8
    assert (low <= found.expected_days[later.entered]).all()


def test_the_same_seed_gives_the_same_forecast(later: Examples) -> None:
    few = drawn(300, 3)
    first, again = (Forecaster(QUICK, seed=5).fit(few).predict(later) for _ in range(2))
    assert np.array_equal(first.p, again.p)
    assert np.array_equal(first.expected_days, again.expected_days)


def test_too_few_entries_give_base_rates_and_a_note(later: Examples) -> None:
    sparse = drawn(40, 4, level=-6.0)
    assert 0 < sparse.entered.sum() < LEAST_ENTRIES
    model = Forecaster(QUICK).fit(sparse)
    found = model.predict(later)
    assert len(np.unique(found.p)) <= MARKETS
    assert "too few" in model.notes[0]


def test_without_any_entry_nothing_can_be_learned() -> None:
    never = drawn(50, 5)
    never = replace(never, entered=np.zeros(len(never), np.bool_), days=np.full(len(never), np.nan, np.float32))
    with pytest.raises(DataSaysNoError, match="none of the 600 candidates entered within 28 days"):
        Forecaster(QUICK).fit(never)


def test_the_sum_of_probabilities_is_kept_and_so_is_the_order_of_scores() -> None:
    rng = np.random.default_rng(0)
    observation = np.repeat([3, 4, 9], [5, 1, 7])
    scores, p = rng.normal(0, 3, 13), rng.random(13) * 0.3
    found = with_level(scores, p, observation)
    for own in (3, 4, 9):
        here = observation == own
        assert found[here].sum() == pytest.approx(p[here].sum(), abs=1e-9)
        assert np.array_equal(np.argsort(found[here]), np.argsort(scores[here]))


def overconfident(n: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return probabilities whose log-odds are twice too far from 0, and outcomes that are half as likely."""
    rng = np.random.default_rng(1)
    odds = rng.normal(-2, 1.5, n)
    return expit(2 * odds), rng.random(n) < expit(odds)


def test_calibration_finds_the_slope_and_the_level() -> None:
    p, entered = overconfident(20_000)
    whole = Calibration.fit(p, entered, np.ones(len(p)), slope=1, level=1)
    assert whole.slope == pytest.approx(0.5, abs=0.03)
    assert whole.apply(p).mean() == pytest.approx(entered.mean(), rel=1e-6)


def test_calibration_part_of_the_way_keeps_the_mean_without_a_share_of_the_level() -> None:
    p, entered = overconfident(20_000)
    none = Calibration.fit(p, entered, np.ones(len(p)), slope=0, level=0)
    half = Calibration.fit(p, entered, np.ones(len(p)), slope=0.5, level=0)
    assert (none.intercept, none.slope) == pytest.approx((0, 1), abs=1e-9)
    assert half.slope == pytest.approx(0.75, abs=0.015)
    assert half.apply(p).mean() == pytest.approx(p.mean(), rel=1e-6)


def test_the_later_part_begins_after_the_horizon_of_the_earlier_one() -> None:
    examples = drawn(400, 6)
    earlier, later = later_part(examples, 0.2)
    assert examples.day[earlier].max() + HORIZON < examples.day[later].min()
    assert 0.15 < later.mean() < 0.25


@pytest.mark.parametrize("days", [(7, 14, 21, 28), tuple(range(1, 29))])
def test_days_are_those_on_which_entries_came_if_they_are_few(days: tuple[int, ...]) -> None:
    examples = drawn(500, 7, days=days)
    here = examples.entered
    timing = Timing.fit(examples.values[here], examples.days[here], HORIZON, SMALL)
    found = timing.predict(examples.values, (7, 10, 14, 28))
    assert set(np.unique(found.median)) <= set(days)
    assert (np.diff(found.by, axis=1) >= 0).all()
    assert (found.by[:, -1] == 1).all()
    assert np.array_equal(found.by[:, 0], found.by[:, 1]) == (len(days) == 4)  # nothing comes between weekly charts


def test_weights_count_candidates_that_were_not_drawn(later: Examples) -> None:
    examples = drawn(600, 8)
    spreads = np.bincount(examples.observation, examples.entered) > 0
    kept = spreads | (np.random.default_rng(0).random(len(spreads)) < 0.25)
    rows = kept[examples.observation]
    weight = np.where(spreads, 1.0, 4.0)[examples.observation].astype(np.float32)
    part = replace(examples, weight=weight).where(rows)
    assert Forecaster(QUICK).fit(part).predict(later).p.mean() == pytest.approx(
        Forecaster(QUICK).fit(examples).predict(later).p.mean(), rel=0.1
    )
