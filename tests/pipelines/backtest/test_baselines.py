"""Simple forecasts, worked by hand and against other implementations."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from diffusion import SettingError, open_charts
from pipelines.features.history import History
from pipelines.features.registry import Feature
from pipelines.models.baselines import (
    PRIOR,
    Chance,
    Logit,
    MarketRates,
    NextMarket,
    Rule,
    TransitionTable,
    days_since_entries,
)
from pipelines.models.draws import thinned
from pipelines.models.examples import Examples
from pipelines.models.hazard import Hazard
from pipelines.models.prior_recipe import entry_ranks, hits
from tests.conftest import START, WriteCsv, steady

CLOSE = 1e-9


def feature(name: str) -> Feature:
    return Feature(name, "share", "For tests.", ("charts",), "as of", "graph")


def examples(observations: list[list[tuple[int, bool]]], **columns: list[float]) -> Examples:
    """Return examples of observations, each a list of (market, entered), with columns of features."""
    rows = [(number, market, entered) for number, each in enumerate(observations) for market, entered in each]
    observation, market, entered = (np.array(part) for part in zip(*rows, strict=True))
    k = len(rows)
    values = np.array(list(columns.values()), np.float32).T if columns else np.zeros((k, 0), np.float32)
    return Examples(
        features=tuple(feature(name) for name in columns),
        values=values,
        observation=observation.astype(np.int32),
        market=market.astype(np.int16),
        track=observation.astype(np.int64),
        artist=observation.astype(np.int64),
        day=np.full(k, 100, np.int32),
        debut=np.full(k, 100, np.int32),
        entered=entered.astype(np.bool_),
        days=np.where(entered, 7.0, np.nan).astype(np.float32),
        horizon=14,
    )


def many(seed: int, tracks: int = 400, markets: int = 6) -> Examples:
    """Return examples with two features, the first of which goes with entry, and the second with nothing."""
    rng = np.random.default_rng(seed)
    good, none = rng.normal(size=(2, tracks * markets))
    entered = rng.random(tracks * markets) < 1 / (1 + np.exp(3 - good))
    observed = entered.reshape(tracks, markets)
    found = examples([[(m, bool(row[m])) for m in range(markets)] for row in observed], good=good, none=none)
    days = np.where(found.entered, rng.integers(1, 15, len(found)), np.nan)
    return replace(found, days=days.astype(np.float32))


def test_market_rates_are_shrunk_shares() -> None:
    train = examples([[(0, True), (1, False)], [(0, True), (1, False)], [(0, False), (1, False)]])
    model = MarketRates().fit(train)
    overall = 2 / 6
    assert model.rates.tolist() == pytest.approx([(2 + PRIOR * overall) / (3 + PRIOR), PRIOR * overall / (3 + PRIOR)])
    later = examples([[(0, False), (4, False)]])
    assert model.predict(later).p.tolist() == pytest.approx([model.rates[0], overall])
    assert model.predict(later).expected_days.tolist() == [7, 7]


def test_chance_has_the_rate_and_an_order_that_depends_on_the_seed() -> None:
    train = many(0)
    first, again, other = (Chance(seed).fit(train).predict(train).p for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(np.argsort(first), np.argsort(other))
    assert first == pytest.approx(train.entered.mean(), rel=1e-5)


@pytest.fixture
def history(write_csv: WriteCsv) -> History:
    """Three tracks: a in SE and NO from day 3, b in SE from day 3, c in NO from day 5; then into US."""
    entries = {"Sweden": {"a": 3, "b": 3}, "Norway": {"a": 3, "c": 5}, "United States": {"a": 6, "b": 9}}
    file = write_csv(steady(20, entries))
    with open_charts(file) as charts:
        return History.of(charts, charts.entries(washout=0))


def observed(history: History, asked: dict[str, tuple[int, dict[str, bool]]]) -> Examples:
    """Return examples from track → (day, market → entered)."""
    ids, codes = history.tracks["track_id"].tolist(), list(history.markets)
    order = sorted(asked, key=lambda track: (asked[track][0], ids.index(track)))
    found = examples(
        [[(codes.index(market), entered) for market, entered in asked[track][1].items()] for track in order]
    )
    first = (START - date(1970, 1, 1)).days
    day = np.array([first + asked[track][0] for track in order], np.int32)
    track = np.array([ids.index(track) for track in order])
    return replace(found, day=day[found.observation], track=track[found.observation])


def test_transitions_by_hand(history: History) -> None:
    train = observed(history, {"a": (3, {"US": True}), "b": (3, {"NO": False, "US": True}), "c": (5, {"US": False})})
    market = MarketRates().fit(train)
    us = list(history.markets).index("US")
    no, se = (list(history.markets).index(code) for code in ("NO", "SE"))
    rate = market.of(np.array([us]))[0]
    plain = TransitionTable(history).fit(train)
    assert plain.rates[se, us] == pytest.approx((2 + PRIOR * rate) / (2 + PRIOR))
    assert plain.rates[no, us] == pytest.approx((1 + PRIOR * rate) / (2 + PRIOR))
    credited = TransitionTable(history, credited=True).fit(train)
    assert credited.rates[se, us] == pytest.approx((1.5 + PRIOR * rate) / (2 + PRIOR))
    test = observed(history, {"a": (3, {"US": False})})
    expected = 1 - (1 - credited.rates[se, us]) * (1 - credited.rates[no, us])
    assert credited.predict(test).p[0] == pytest.approx(expected)


def test_entries_after_the_day_are_not_known(history: History) -> None:
    _, since = days_since_entries(history, observed(history, {"a": (4, {"US": False}), "c": (5, {"US": False})}))
    known = dict(zip(history.markets, since[0], strict=True))
    assert (known["SE"], known["NO"]) == (1, 1)
    assert np.isnan(known["US"])
    later = days_since_entries(history, observed(history, {"a": (8, {"NO": False})}))[1]
    assert dict(zip(history.markets, later[0], strict=True))["US"] == 2


def test_positions_at_entry_are_those_of_markets_entered(history: History) -> None:
    asked = observed(history, {"a": (4, {"US": False}), "c": (5, {"US": False})})
    ranks = entry_ranks(history, asked, days_since_entries(history, asked)[1])
    of = [dict(zip(history.markets, row, strict=True)) for row in ranks]
    assert (of[0]["SE"], of[0]["NO"], of[0]["US"]) == (2, 2, 0)
    assert (of[1]["SE"], of[1]["NO"], of[1]["US"]) == (0, 3, 0)


def test_a_rule_multiplies_the_rate_by_the_lift_of_its_class() -> None:
    """All entries are of candidates that share a language, half of all: their lift is two, but for the prior."""
    observations = [[(0, True), (1, False)]] * 200
    train = examples(observations, shared=[1.0, 0.0] * 200)
    swapped = examples([[(1, True), (0, False)]] * 200, shared=[1.0, 0.0] * 200)
    both = Rule(("shared",)).fit(_joined(train, swapped))
    p = both.predict(examples([[(0, False), (1, False)]], shared=[0.9, 0.0])).p
    assert p[0] == pytest.approx(0.5 * (400 + PRIOR) / (200 + PRIOR), rel=1e-3)
    assert p[1] == pytest.approx(0.5 * PRIOR / (200 + PRIOR), rel=1e-3)


def _joined(first: Examples, second: Examples) -> Examples:
    names = ("values", "market", "track", "artist", "day", "debut", "entered", "days")
    arrays = {name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names}
    shifted = np.concatenate([first.observation, second.observation + first.observation[-1] + 1])
    return replace(first, observation=shifted, **arrays)


def test_the_level_is_a_logistic_regression() -> None:
    train = many(1)
    x = train.values[:, :1].astype(float)
    own = Logit.fit(x, train.entered)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(x, train.entered)
    assert own.beta == pytest.approx([theirs.intercept_[0], theirs.coef_[0, 0]], abs=1e-4)
    far = np.array([[1e6], [-1e6]])
    assert own.predict(far) == pytest.approx(own.predict(np.array([x.max(axis=0), x.min(axis=0)])))


def test_a_variable_that_goes_with_nothing_or_the_other_way_orders_nothing() -> None:
    train = many(2)
    x = train.values.astype(float)
    assert Logit.fit(x, train.entered).beta[2] == 0
    assert Logit.fit(-x[:, :1], train.entered).beta[1] == 0
    assert Logit.fit(np.ones((len(x), 1)), train.entered).predict(np.ones((1, 1))) == pytest.approx(
        train.entered.mean()
    )


def test_the_next_market_is_a_share_among_candidates() -> None:
    train = many(3)
    steps = np.exp(np.random.default_rng(0).normal(size=len(train)).astype(np.float32))
    values = np.concatenate([train.values, steps[:, None]], axis=1)
    with_steps = replace(train, values=values, features=(*train.features, feature("steps")))
    model = NextMarket(("good",), "steps").fit(with_steps)
    assert model.level.beta[1] > 0
    assert model.level.beta[2] == 0  # they are drawn by candidate, so go with nothing
    p = model.predict(with_steps).p
    order = np.lexsort((with_steps.column("good"), with_steps.observation))
    assert np.array_equal(np.lexsort((p, with_steps.observation)), order)


def test_a_feature_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingError, match="needs the feature 'choice_score'"):
        NextMarket(("choice_score",), "steps").fit(many(4))


def test_a_sample_keeps_what_spread_and_stands_for_the_whole() -> None:
    train = many(5, tracks=3_000)
    rows, weights = thinned(train, 6_000, seed=0)
    assert abs(len(rows) - 6_000) < 600
    assert weights.sum() == pytest.approx(len(train), rel=0.1)
    assert weights @ train.entered[rows] == pytest.approx(train.entered.sum(), rel=0.1)
    whole, weights = thinned(train, len(train), seed=0)
    assert len(whole) == len(train)
    assert (weights == 1).all()


def test_the_hazard_finds_the_odds_and_the_shares_by_day() -> None:
    train = many(6, tracks=4_000)
    forecast = Hazard(7).fit(train).predict(train)
    assert forecast.days == (7, 14)
    assert forecast.by is not None
    assert (np.diff(forecast.by, axis=1) >= 0).all()
    assert forecast.p == pytest.approx(forecast.by[:, -1])
    for column, day in enumerate(forecast.days):
        assert forecast.by[:, column].mean() == pytest.approx((train.days <= day).mean(), rel=0.05)
    top = train.column("good") > 1
    assert forecast.p[top].mean() == pytest.approx(train.entered[top].mean(), rel=0.1)


def test_hits_are_entries_among_the_first() -> None:
    rows = examples([[(0, True), (1, True), (2, False)], [(0, False), (1, True)]])
    score = np.array([3.0, 1.0, 2.0, 5.0, 4.0])
    assert hits(rows, score, top=1) == 1
    assert hits(rows, score, top=2) == 2
    assert rows.spreading.all()
