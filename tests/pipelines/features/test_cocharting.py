"""Co-charting and joint regressions, and places: worked by hand, and the same after a restart."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from diffusion import open_charts, open_sample
from pipelines.features.artist import Artist
from pipelines.features.cocharting import CoCharting, co_charting
from pipelines.features.history import History
from pipelines.features.joint import RIDGE, JointRegression, regressions
from pipelines.features.language import Language
from pipelines.features.places import places, shares_of_best
from pipelines.features.recording import Recording
from pipelines.features.registry import Family
from pipelines.features.scene import EntryIndex, Scene
from tests.conftest import WriteCsv, steady

HORIZON = 4
SINGLE = 1e-6
"""Relative error of numbers kept in single precision."""

ENTRIES = {"Norway": {"A": 4, "B": 3}, "Sweden": {"A": 2, "B": 2, "C": 3}, "USA": {"B": 2}}
NO, SE, US = range(3)
PAIR, TRIO = 1 / math.sqrt(2), 1 / math.sqrt(3)
"""What a track counts in two and in three markets."""


@pytest.fixture
def small(write_csv: WriteCsv) -> History:
    """Return ten days of three markets; each has a filler that is always there."""
    charts = open_charts(write_csv(steady(10, ENTRIES)))
    return History.of(charts, charts.entries(washout=1))


def advance(history: History, families: Sequence[Family], first: int, last: int) -> Scene:
    """Let families take in days, counted from the first of the history; return the first tracks on the last."""
    for day in range(history.first_day + first, history.first_day + last + 1):
        known = history.until(day)
        for family in families:
            family.advance(known, day)
    return Scene.of(known, EntryIndex.of(history), day, np.arange(min(len(known.tracks), 200)))


def joint_and_its_sources(horizon: int) -> Sequence[Family]:
    sources = Artist(horizon), Recording(), Language()
    return [*sources, JointRegression(horizon, *sources)]


def test_co_charting_by_hand(small: History) -> None:
    family = CoCharting(HORIZON)
    scene = advance(small, [family], 0, 3)
    # each market has its filler; A and C came to SE; B to SE and US on day 2, then to NO
    table = np.array([
        [1 + TRIO, TRIO, TRIO],
        [TRIO, 3 + PAIR, PAIR],
        [TRIO, PAIR, 1 + PAIR],
    ])  # fmt: skip
    state = family.state()
    np.testing.assert_allclose(np.asarray(state["lasting"], np.float64), table)
    half = float(0.5 ** (1 / (1.6 * HORIZON)))
    assert state["recent"][US, SE] == pytest.approx(PAIR * half)
    assert state["recent"][NO, SE] == pytest.approx(TRIO)
    found = family.observe(small.until(scene.day), scene)
    own = small.tracks["track_id"].tolist().index("A")  # in SE
    assert found["charting_cosine"][own, US] == pytest.approx(PAIR / math.sqrt((6 + PAIR) * (8 + PAIR)), rel=SINGLE)
    expected = co_charting(table, 0.02)[SE]
    np.testing.assert_allclose(found["charting_regression_lasting"][own], expected, rtol=1e-5)


def test_regressions_are_those_of_one_market_at_a_time() -> None:
    rows = np.random.default_rng(0).integers(0, 2, (40, 5)).astype(float)
    table = rows.T @ rows
    for found, ridge in ((co_charting(table, 0.1), 0.1 * (1 + np.trace(table) / 5)), (regressions(table, 5), RIDGE)):
        for market in range(5):
            others = np.delete(np.arange(5), market)
            direct = np.linalg.solve(table[np.ix_(others, others)] + ridge * np.eye(4), table[others, market])
            np.testing.assert_allclose(found[others, market], direct)
            assert found[market, market] == 0


def test_a_market_that_opens_later_changes_no_regression() -> None:
    table = np.array([[3.0, 1.0], [1.0, 2.0]])
    wide = np.zeros((3, 3))
    wide[:2, :2] = table
    np.testing.assert_allclose(co_charting(wide, 0.1)[:2, :2], co_charting(table, 0.1))
    assert not co_charting(wide, 0.1)[2].any()


def test_joint_regression_by_hand(small: History) -> None:
    families = joint_and_its_sources(HORIZON)
    scene = advance(small, families, 0, 3)
    joint = families[-1]
    table = joint.state()["joint_regression"]
    # three fillers, A and C in one market; B in two, then in three
    assert table[-1, -1] == pytest.approx(5 + PAIR + TRIO)
    assert table[SE, SE] == pytest.approx(3 + PAIR + TRIO)
    assert table[NO, US] == pytest.approx(TRIO)
    assert table[-1, NO] == pytest.approx(1 + TRIO)
    found = joint.observe(small.until(scene.day), scene)
    assert np.isfinite(found["joint_regression"]).all()
    advance(small, families, 4, 10 - 1)
    assert joint.state()["debut"].min() == small.first_day, "debuts count for 2.5 horizons"


def test_places_share_ties_and_leave_out_what_is_missing() -> None:
    scores = np.array([[0.2, 0.4, np.nan, 0.2], [-1, -2, -3, np.nan]], np.float32)
    np.testing.assert_array_equal(places(scores), [[2.5, 1, np.nan, 2.5], [1, 2, 3, np.nan]])
    np.testing.assert_allclose(shares_of_best(scores)[0], [0.5, 1, np.nan, 0.5], rtol=SINGLE)
    assert np.isnan(shares_of_best(scores)[1]).all()
    logarithms = shares_of_best(scores, logarithm=True)[1]
    np.testing.assert_allclose(logarithms, [1, math.exp(-1), math.exp(-2), np.nan], rtol=SINGLE)


def test_restored_families_go_on_where_they_were() -> None:
    charts = open_sample()
    history = History.of(charts, charts.entries(washout=7))
    going, restored = ([CoCharting(14), *joint_and_its_sources(14)] for _ in range(2))
    advance(history, going, 0, 12)
    for family, other in zip(going, restored, strict=True):
        other.restore({name: array.copy() for name, array in family.state().items()})
    scene = advance(history, going, 13, 15)
    advance(history, restored, 13, 15)
    known = history.until(scene.day)
    for family, other in zip(going, restored, strict=True):
        found = other.observe(known, scene)
        for name, values in family.observe(known, scene).items():
            np.testing.assert_array_equal(found[name], values, err_msg=name)
