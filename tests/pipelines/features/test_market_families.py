"""Regional, cross-border, graph and survival features: worked by hand, and the same however they are computed."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusion import open_charts, open_sample
from graphs import next_market_choice
from pipelines.features.crossborder import CrossBorder
from pipelines.features.graph import CUTOFF, Graph
from pipelines.features.history import History
from pipelines.features.market import Market
from pipelines.features.observations import Observations
from pipelines.features.regional import Regional
from pipelines.features.registry import Family
from pipelines.features.scene import EntryIndex, Scene
from pipelines.features.survival import Survival
from pipelines.features.table import features
from pipelines.features.windows import closed_windows
from tests.conftest import WriteCsv, steady

HORIZON = 4
SINGLE = 1e-6
"""Relative error of numbers kept in single precision."""

ENTRIES = {
    "Norway": {"A": 4, "B": 3, "D": 6},
    "Sweden": {"A": 2, "B": 2, "C": 3},
    "USA": {"B": 2},
}
NO, SE, US = range(3)
MAKERS: tuple[Callable[[int], Family], ...] = (lambda _: Regional(), Market, CrossBorder, Graph, Survival)


@pytest.fixture
def small(write_csv: WriteCsv) -> History:
    """Return ten days of three markets whose first day is washed out; each has a filler that is always there."""
    charts = open_charts(write_csv(steady(10, ENTRIES)))
    return History.of(charts, charts.entries(washout=1))


@pytest.fixture(scope="module")
def real() -> History:
    charts = open_sample()
    return History.of(charts, charts.entries(washout=7))


def code(history: History, track: str) -> int:
    return int(np.flatnonzero(history.tracks["track_id"] == track)[0])


def seen(history: History, family: Family, track: str, day: int) -> dict[str, NDArray[np.float32]]:
    """Return name → (m,) of a track's features on a day of the history, the first being 0."""
    for number in range(day + 1):
        family.advance(history.until(history.first_day + number), history.first_day + number)
    at = history.first_day + day
    known = history.until(at)
    scene = Scene.of(known, EntryIndex.of(history), at, np.array([code(history, track)]))
    found = family.observe(known, scene)
    m = len(history.markets)
    return {
        name: np.broadcast_to(values[0] if values.shape != (m,) else values, m).copy() for name, values in found.items()
    }


def test_windows_say_where_tracks_began_and_what_they_entered(small: History) -> None:
    first = small.first_day
    windows = closed_windows(small.until(first + 7), first, first + 3, HORIZON)
    ids = small.tracks["track_id"].to_numpy()[windows.track]
    own = dict(zip(ids, range(len(ids)), strict=True))
    assert set(own) == {"A", "B", "C"}, "fillers are left-censored, D's horizon is not over"
    assert windows.senders[own["B"]].tolist() == [False, True, True]
    assert windows.at_risk[own["A"]].tolist() == [True, False, True]
    assert windows.at_risk[own["B"]].tolist() == [True, False, False]
    assert windows.entered[own["A"]].tolist() == [True, False, False]
    np.testing.assert_array_equal(windows.days[own["B"]], [1, 0, 0])
    np.testing.assert_array_equal(windows.days[own["C"]], [np.nan, 0, np.nan])


def test_regional_by_hand(small: History) -> None:
    found = seen(small, Regional(), "B", 2)  # in SE and US
    assert found["distance_least"][NO] == pytest.approx(417.6, rel=SINGLE)
    assert found["distance_mean"][NO] == pytest.approx((417.6 + 5916.7) / 2, rel=SINGLE)
    assert found["neighbours"][NO] == 1
    assert found["same_continent"][NO] == 0.5
    assert found["in_europe"].tolist() == [1, 1, 0]
    assert found["population"][NO] == pytest.approx(math.log10(5_347_896), rel=1e-3)
    assert found["culture_least"][NO] == pytest.approx(0.076049, rel=SINGLE)
    # B is last of three in SE and last of two in US: ½ + ⅓, and ½ + ½
    weighted = (5 / 6 * 0.076049 + 1 * 0.113222) / (5 / 6 + 1)
    assert found["culture_weighted"][NO] == pytest.approx(weighted, rel=1e-5)


def test_a_missing_distance_stays_missing(write_csv: WriteCsv) -> None:
    charts = open_charts(write_csv(steady(6, {"Simulated XA": {"A": 2}, "Sweden": {"A": 3}, "Norway": {}})))
    history = History.of(charts, charts.entries(washout=1))
    at_xa = seen(history, Regional(), "A", 2)
    norway, xa = history.markets.index("NO"), history.markets.index("XA")
    assert np.isnan(at_xa["distance_least"][norway])
    assert np.isnan(at_xa["culture_mean"][norway])
    assert np.isnan(at_xa["population"][xa])
    both = seen(history, Regional(), "A", 3)
    assert both["distance_mean"][norway] == pytest.approx(417.6, rel=SINGLE), "the pair without a distance is left out"


def test_cross_border_by_hand(small: History) -> None:
    found = seen(small, CrossBorder(HORIZON), "C", 6)  # in SE; the windows of A and B are over
    everywhere = 2 / 3  # two entries of three chances: A in NO and US, B in NO
    norway, usa = (2 + 10 * everywhere) / 12, (0 + 10 * everywhere) / 11
    chance = (1 + 0.5 + 10 * norway) / (2 + 10)  # A gives SE a whole credit, B half of one
    usa_chance = (0 + 10 * usa) / (1 + 10)
    assert found["transition_chance"][NO] == pytest.approx(chance, rel=SINGLE)
    assert found["transition_chance"][US] == pytest.approx(usa_chance, rel=SINGLE)
    assert found["transition_total"][NO] == pytest.approx(chance + usa_chance, rel=SINGLE)
    assert found["transition_share"][NO] == pytest.approx(chance / (chance + usa_chance), rel=SINGLE)
    rate = (2 + 10 * norway) / 12
    assert found["transition_rate_most"][NO] == pytest.approx(rate, rel=SINGLE)
    assert found["transition_lift"][NO] == pytest.approx(rate / norway, rel=SINGLE)
    # C is last of four on the chart of SE: ½ + ¼
    weighted = 1 - (1 - chance) ** 0.75
    assert found["transition_chance_weighted"][NO] == pytest.approx(weighted, rel=SINGLE)
    assert found["transition_lag"][NO] == 1  # lags 1 and 2, and five at the market's own
    assert found["tie_share"][US] == pytest.approx(1 / (4 + 10), rel=SINGLE)  # of filler, A, B and C, B came to both

    def decay(days: int) -> float:
        return float(0.5 ** (days / (2 * HORIZON)))

    flow = decay(2) + 0.5 * decay(3)  # A on day 4; B on day 3, from SE and US
    entries = decay(6) + 2 * decay(4) + decay(3)
    assert found["step_flow"][NO] == pytest.approx(flow / (entries + 10), rel=SINGLE)


def test_chances_of_several_markets_combine_as_independent(small: History) -> None:
    family = CrossBorder(HORIZON)
    found = seen(small, family, "B", 6)
    rates = family._transitions["all"].credit_rates()
    # B is in all three; its chance of SE as if it came from NO, SE and US
    expected = 1 - np.prod(1 - rates, axis=0)
    np.testing.assert_allclose(found["transition_chance"], expected, rtol=SINGLE)


def test_market_state_by_hand(small: History) -> None:
    found = seen(small, Market(HORIZON), "C", 6)
    assert found["newcomers_few"][NO] == 3 / 4  # B on day 3, A on day 4, D on day 6
    assert found["imports_few"][NO] == 2 / 4
    assert found["import_age"][NO] == 1.5
    assert found["import_share"][NO] == 2 / 4  # of filler, B, A and D
    assert found["chart_depth"].tolist() == [4, 4, 2]
    assert found["turnover"][NO] == 3 / (2 + 3 + 3 + 4)
    assert found["market_rate"][NO] == pytest.approx((2 + 10 * 2 / 3) / 12, rel=SINGLE)
    assert np.isnan(found["import_age"][US])


def test_survival_by_hand(small: History) -> None:
    family = Survival(HORIZON)
    found = seen(small, family, "C", 6)
    state = family.state()
    second_day_alone = 2 * 4 + 0  # age above a quarter and up to half of the horizon, one market entered
    assert state["at_risk"][second_day_alone].tolist() == [2, 0, 2]  # A on day 4, C on day 5
    assert state["entries"][second_day_alone].tolist() == [1, 0, 0]  # A
    assert state["any"][second_day_alone] == 1
    assert state["any_at_risk"][second_day_alone] == 2
    first_day_two = 1 * 4 + 1  # age up to a quarter, two markets
    assert state["entries"][first_day_two].tolist() == [1, 0, 0]  # B
    # C is three days old: its next day is of the class above half, the following of the last
    hazards = family.hazards()[:, 0]
    total = hazards[3] * 1 + hazards[4] * 3
    np.testing.assert_allclose(found["hazard_chance"], 1 - np.exp(-total), rtol=SINGLE)
    np.testing.assert_allclose(found["hazard_now"], hazards[3], rtol=SINGLE)
    assert found["spread_entries"][0] == pytest.approx((1 - np.exp(-total))[[NO, US]].sum(), rel=SINGLE)
    rare = found["hazard_chance"] > 0
    assert ((found["hazard_days"][rare] > 0) & (found["hazard_days"][rare] <= HORIZON)).all()


def test_graph_by_hand(small: History) -> None:
    family = Graph(HORIZON)
    affinity = np.array([[0.0, 0.2, 0.1], [0.7, 0.0, -0.3], [0.4, 0.0, 0.0]])
    flows = np.array([0.25, 0.75, 0.5])
    family.restore(
        {
            "cutoffs": np.array(0), "size": np.log([1.0, 2.0, 3.0]), "affinity": affinity, "together": 2 * affinity,
            "together_size": np.zeros(3), "out_share": flows, "springrank": np.array([-1.0, 1.0, 0.0]),
            "pagerank": np.array([0.2, 0.5, 0.3]), "same_community": np.eye(3),
            "rate_level": np.array(math.log(0.1)), "coefficient": np.array([0.0, 0.5, 0.0]), "reach": np.zeros(6),
            "arrived": np.array([0.0, 0.5, 0.75, 1.0, 1.0]), "level.days": np.zeros(0), "level.expected": np.zeros(0),
            "level.seen": np.zeros(0),
        }
    )  # fmt: skip
    found = seen(small, family, "C", 6)  # in SE
    norway, usa = math.log(1) + 0.7, math.log(3) - 0.3
    assert found["choice_share"][NO] == pytest.approx(math.exp(norway) / (math.exp(norway) + math.exp(usa)), rel=SINGLE)
    assert np.isnan(found["choice_share"][SE])
    assert found["choice_score"][US] == pytest.approx(usa - (norway + usa) / 2, rel=1e-5)
    assert [found["choice_score_place"][at] for at in (NO, US)] == [2, 1]
    assert found["choice_together"][NO] == pytest.approx(1.4, rel=SINGLE)
    share = math.exp(usa) / (math.exp(norway) + math.exp(usa))
    entropy = -(share * math.log2(share) + (1 - share) * math.log2(1 - share))
    assert found["choice_focus"][0] == pytest.approx(1 - entropy, rel=1e-4)
    assert found["leader_springrank"][0] == 1
    assert found["target_out_share"][US] == 0.5
    assert found["same_community"].tolist() == [0, 1, 0]
    # C may enter two markets: 0.1 of each, times e^½; due are A, B (day 2) and C (day 3), from one or two markets
    rate = 2 * 0.1 * math.exp(0.5)
    assert found["step_rate"][0] == pytest.approx(rate, rel=SINGLE)
    of_two = 1 * 0.1 * math.exp(0.5 / math.sqrt(2))

    def weight(age: int) -> float:
        return float(0.5 ** (3 * age / HORIZON))

    due = weight(4) * (rate + of_two) + weight(3) * rate * 1.0
    level = (2 * weight(4) + 20) / (due + 20)  # A and B entered NO
    assert found["step_level"][0] == pytest.approx(level, rel=1e-5)
    assert found["step_any"][0] == pytest.approx(1 - math.exp(-rate * level), rel=1e-5)
    assert found["step_chance"][US] == pytest.approx(1 - math.exp(-rate * level * share), rel=1e-5)
    assert np.isnan(found["baseline_size"]).all(), "no baseline was fitted"


def test_the_choice_learned_at_cut_offs_is_that_of_the_entries(real: History) -> None:
    """Where the search starts makes no difference that matters, and the arrays say what the entries say."""
    family = Graph(14)
    day = real.first_day + 4 * CUTOFF
    for each in map(int, np.unique(real.observed.day)):
        if each <= day:
            family.advance(real.until(each), each)
    last = real.until(day)
    direct = next_market_choice(last.as_entries(), horizon=14)
    place = [real.markets.index(market) for market in direct.markets]
    learned = family.state()["affinity"][np.ix_(place, place)]
    together = family.state()["together"][np.ix_(place, place)]
    off = ~np.eye(len(place), dtype=bool)
    # the affinities within footprints were last fitted some cut-offs ago
    assert np.corrcoef(together[off], direct.together.affinity[off])[0, 1] > 0.5
    assert np.corrcoef(learned[off], direct.next.affinity[off])[0, 1] > 0.7


@pytest.fixture(scope="module")
def observed(real: History) -> Observations:
    return Observations.landmarks(real, (0, 7), last=real.first_day + 60)


def all_families(horizon: int) -> Sequence[Family]:
    return [make(horizon) for make in MAKERS]


@pytest.mark.slow
def test_what_comes_later_changes_nothing(real: History, observed: Observations) -> None:
    day = int(observed.day[len(observed) // 2])
    by_then = observed.day <= day
    cut = Observations(observed.track[by_then], observed.day[by_then], observed.candidates[by_then])
    whole = features(real, observed, all_families(14))
    known = features(real.until(day), cut, all_families(14))
    earlier = whole.observation < by_then.sum()
    np.testing.assert_array_equal(whole.values[earlier], known.values)
    filled = np.isfinite(known.values).mean(axis=0)
    assert (filled > 0.25).all(), [f.name for f, share in zip(known.features, filled, strict=True) if share <= 0.25]


def test_a_restored_family_goes_on_where_it_was(real: History, observed: Observations) -> None:
    day = int(observed.day[len(observed) // 2])
    days = [int(each) for each in np.unique(real.observed.day) if each <= day + 3]
    going, restored = all_families(14), all_families(14)
    for each in days:
        known = real.until(each)
        for family in going:
            family.advance(known, each)
        if each == day:
            for family, other in zip(going, restored, strict=True):
                other.restore({name: array.copy() for name, array in family.state().items()})
        elif each > day:
            for family in restored:
                family.advance(known, each)
    known = real.until(days[-1])
    scene = Scene.of(known, EntryIndex.of(real), days[-1], np.unique(observed.track[observed.day <= day]))
    for family, other in zip(going, restored, strict=True):
        found: Mapping[str, NDArray[np.float32]] = other.observe(known, scene)
        for name, values in family.observe(known, scene).items():
            np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_every_feature_is_returned_in_single_precision_and_described(real: History) -> None:
    names: list[str] = []
    known = real.until(real.first_day + 40)
    scene = Scene.of(known, EntryIndex.of(real), real.first_day + 40, np.arange(20))
    for family in all_families(14):
        for each in map(int, np.unique(known.observed.day)):
            family.advance(real.until(each), each)
        found = family.observe(known, scene)
        assert set(found) == {feature.name for feature in family.features}
        assert all(values.dtype == np.float32 for values in found.values())
        names += found
    assert len(set(names)) == len(names)
