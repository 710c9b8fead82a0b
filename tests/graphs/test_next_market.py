"""The choice of the next market: against statsmodels and plain loops, and where there is nothing to be found."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pyarrow.compute as pc
import pytest
from scipy import optimize
from statsmodels.discrete.conditional_models import ConditionalLogit
from statsmodels.genmod.families import Poisson
from statsmodels.genmod.generalized_linear_model import GLM

from diffusion import DataSaysNoError, Entries, SettingError, open_sample
from diffusion.arrays import Floats
from graphs import next_market_choice
from graphs.next_market import Choices, Preferences, Seen, fitted, footprint_choices, step_choices, step_rate
from graphs.next_market import fit as fit_module
from graphs.next_market import rate as rate_module
from graphs.next_market.choices import Journeys
from graphs.next_market.rate import rate_design

STATSMODELS_TOLERANCE = 2e-3
"""Difference of a chance: ours are kept in single precision, and have a light ridge."""

POISSON_TOLERANCE = 0.03
"""Relative difference of an expected number: the regularised search of statsmodels ends early."""

EXACT = 1e-10
"""Tolerance of the search, where the loss allows it."""

HORIZON = 14
WASHOUT = 7


@pytest.fixture(scope="module")
def entries() -> Entries:
    return open_sample().entries(washout=WASHOUT)


def drawn(size: Floats, affinity: Floats, number: int, seed: int) -> Choices:
    """Return choices drawn from preferences: one or two markets entered, one chosen among the others."""
    generator = np.random.default_rng(seed)
    m = len(size)
    order = generator.random((number, m)).argsort(axis=1)
    entered = order < generator.integers(1, 3, number)[:, None]
    chance = Preferences(size, affinity).chances(entered, ~entered).astype(float)
    chosen = (chance.cumsum(axis=1) > generator.random(number)[:, None]).argmax(axis=1)
    return Choices(entered, np.eye(m, dtype=np.bool_)[chosen], ~entered, np.ones(number))


def log_score(fit: Preferences, choices: Choices) -> float:
    """Return the mean log chance of the market that was chosen."""
    chance = fit.chances(choices.entered, choices.at_risk)[choices.chosen]
    return float(np.log(chance).mean())


def test_without_ridge_it_is_the_conditional_logit_of_statsmodels(monkeypatch: pytest.MonkeyPatch) -> None:
    m, number = 4, 500
    generator = np.random.default_rng(5)
    choices = drawn(generator.normal(size=m), generator.normal(size=(m, m)), number, seed=6)
    monkeypatch.setattr(fit_module, "SIZE_RIDGE", 1e-6)
    ours = fitted(choices, ridge=1e-6, tolerance=EXACT)

    row, market = np.nonzero(choices.at_risk)
    number_entered = choices.entered.sum(axis=1)
    share = choices.entered / number_entered[:, None] ** 0.75
    columns = [(market == b).astype(float) for b in range(1, m)]
    # of the affinities of a sender only differences between its receivers can be told
    for a in range(m):
        receivers = [b for b in range(m) if b != a]
        columns += [share[row, a] * (market == b) for b in receivers[1:]]
    design = np.column_stack(columns)
    theirs = ConditionalLogit(choices.chosen[row, market].astype(int), design, groups=row)
    params = theirs.fit(disp=0, maxiter=300).params
    weight = np.zeros(choices.at_risk.shape)
    weight[row, market] = np.exp(design @ params)
    # a sender's first receiver has affinity 0 in theirs; that moves the market against those not entered by no choice
    # observed, so chances are compared and not coefficients
    chance = weight / weight.sum(axis=1, keepdims=True)
    got = ours.chances(choices.entered, choices.at_risk)
    np.testing.assert_allclose(got, chance, atol=STATSMODELS_TOLERANCE)


def plain_loss(size: Floats, affinity: Floats, choices: Choices, ridge: float, rate: Floats) -> float:
    """Return the penalised loss by loops over choices and markets."""
    loss = 0.0
    m = len(size)
    for row in range(len(choices)):
        entered = [a for a in range(m) if choices.entered[row, a]]
        weights = {
            b: np.exp(size[b] + sum(affinity[a, b] for a in entered) / len(entered) ** 0.75)
            for b in range(m)
            if choices.at_risk[row, b]
        }
        for b in range(m):
            if choices.chosen[row, b]:
                loss -= choices.weight[row] * np.log(weights[b] / sum(weights.values()))
    loss += 0.5 * ridge * sum(affinity[a, b] ** 2 for a in range(m) for b in range(m) if a != b)
    return float(loss + 0.5 * sum((size - rate) ** 2))


def test_the_penalised_fit_is_that_of_a_plain_loss() -> None:
    m, ridge = 4, 2.0
    generator = np.random.default_rng(0)
    choices = drawn(generator.normal(size=m), generator.normal(size=(m, m)), 60, seed=1)
    chosen = choices.chosen.copy()
    chosen[:5] = choices.at_risk[:5]  # several markets of one date
    choices = replace(choices, chosen=chosen, weight=np.where(np.arange(60) % 2, 0.5, 1.0))
    made = (chosen * choices.weight[:, None]).sum(axis=0)
    offered = (choices.at_risk * choices.weight[:, None]).sum(axis=0)
    rate = np.log((made + 5) / (offered + 5 * offered.sum() / made.sum()))
    off = ~np.eye(m, dtype=bool)

    def loss(values: Floats) -> float:
        affinity = np.zeros((m, m))
        affinity[off] = values[m:]
        return plain_loss(values[:m], affinity, choices, ridge, rate)

    best = optimize.minimize(loss, np.append(rate, np.zeros(m * (m - 1))), method="BFGS")
    ours = fitted(choices, ridge=ridge, tolerance=EXACT)
    np.testing.assert_allclose(ours.size, best.x[:m], atol=5e-3)
    np.testing.assert_allclose(ours.affinity[off], best.x[m:], atol=5e-3)
    assert (np.diag(ours.affinity) == 0).all()


def test_the_start_of_the_search_makes_no_difference() -> None:
    choices = drawn(np.zeros(5), np.random.default_rng(1).normal(size=(5, 5)), 400, seed=2)
    cold = fitted(choices, ridge=1.0, tolerance=EXACT)
    away = Preferences(np.ones(5), np.full((5, 5), 0.5) - 0.5 * np.eye(5))
    warm = fitted(choices, ridge=1.0, start=away, tolerance=EXACT)
    np.testing.assert_allclose(warm.affinity, cold.affinity, atol=5e-3)


def test_affinities_that_are_there_are_found() -> None:
    m = 8
    generator = np.random.default_rng(3)
    affinity = generator.normal(size=(m, m)) * (1 - np.eye(m))
    size = generator.normal(size=m)
    ours = fitted(drawn(size, affinity, 30_000, seed=4), ridge=1.0)
    off = ~np.eye(m, dtype=bool)
    # what a sender adds to all its receivers alike cannot be told
    theirs = affinity - affinity.sum(axis=1, keepdims=True) / (m - 1)
    own = ours.affinity - ours.affinity.sum(axis=1, keepdims=True) / (m - 1)
    assert np.corrcoef(own[off], theirs[off])[0, 1] > 0.95


def test_where_entries_are_dealt_at_random_it_is_the_base_rate() -> None:
    """Where a track goes has nothing to do with where it was: no gain over the sizes, and hardly a loss."""
    m = 20
    size = np.random.default_rng(7).normal(size=m)
    fit = fitted(drawn(size, np.zeros((m, m)), 3000, seed=8), ridge=4.0)
    later = drawn(size, np.zeros((m, m)), 3000, seed=9)
    truth = log_score(Preferences(size, np.zeros((m, m))), later)
    base = log_score(Preferences(fit.size, np.zeros((m, m))), later)
    gain = log_score(fit, later) - base
    assert -0.05 < gain < 0.005
    assert truth - log_score(fit, later) < 0.05
    affinity = np.random.default_rng(2).normal(size=(m, m)) * (1 - np.eye(m))
    linked = fitted(drawn(size, affinity, 3000, seed=8), ridge=4.0)
    later = drawn(size, affinity, 3000, seed=9)
    assert log_score(linked, later) - log_score(Preferences(linked.size, np.zeros((m, m))), later) > 0.1


def as_sets(choices: Choices, markets: tuple[str, ...]) -> list[tuple[frozenset[str], ...]]:
    """Return the choices as sets of market codes, in order."""
    names = np.array(markets)
    parts = (choices.entered, choices.chosen, choices.at_risk)
    return sorted(
        (tuple(frozenset(names[part[row]].tolist()) for part in parts) for row in range(len(choices))),
        key=lambda sets: [sorted(one) for one in sets],
    )


def plain_choices(entries: Entries) -> dict[str, list[tuple[frozenset[str], ...]]]:
    """Return the choices of every kind by loops over tracks and dates."""
    table = entries.table.to_pandas(date_as_object=True)
    coverage = entries.calendar.coverage.to_pandas(date_as_object=True)
    charts: dict[str, dict[date, date]] = {}
    for (market, _), span in coverage.groupby(["market", "span"]):
        charts.setdefault(str(market), {}).update(dict.fromkeys(span["date"].tolist(), span["date"].min()))

    @cache
    def open_(market: str, day: date) -> bool:
        lately = [each for each in charts[market] if day - timedelta(28) <= each <= day]
        return bool(lately) and charts[market][max(lately)] + timedelta(WASHOUT) <= day

    found: dict[str, list[tuple[frozenset[str], ...]]] = {"footprint": [], "first": [], "later": []}
    for _, own in table.groupby("track_id"):
        day = dict(zip(own["market"], own["entry"], strict=True))
        debut = min(day.values())
        if own.loc[own["entry"] == debut, "left_censored"].all() or len(day) < 2:
            continue
        footprint = frozenset(market for market in day if day[market] == debut)
        then = frozenset(market for market in charts if open_(market, debut))
        if len(footprint) > 1:
            for market in footprint & then:
                rest = footprint - {market}
                found["footprint"].append((rest, frozenset([market]), then - rest))
        last = debut + timedelta(HORIZON)
        entered = frozenset(market for market in then if debut < day.get(market, date.min) <= last)
        if entered:
            found["first"].append((footprint, entered, then - footprint))
        for today in sorted({each for each in day.values() if debut < each <= last}):
            before = frozenset(market for market in day if day[market] < today)
            at_risk = frozenset(market for market in charts if open_(market, today)) - before
            chosen = frozenset(market for market in at_risk if day.get(market) == today)
            if chosen and before > footprint:
                found["later"].append((before, chosen, at_risk))
    return {name: sorted(rows, key=lambda sets: [sorted(one) for one in sets]) for name, rows in found.items()}


def test_choices_are_those_of_loops_over_tracks_and_dates(entries: Entries) -> None:
    seen = Seen.of(entries)
    plain = plain_choices(entries)
    assert as_sets(footprint_choices(seen), seen.markets) == plain["footprint"]
    steps = step_choices(seen, HORIZON)
    whole = Choices(*(getattr(steps, name)[steps.weight == 1] for name in steps.__slots__))
    half = Choices(*(getattr(steps, name)[steps.weight == 0.5] for name in steps.__slots__))
    assert as_sets(whole, seen.markets) == plain["first"]
    assert as_sets(half, seen.markets) == plain["later"]
    assert len(plain["footprint"]) > 500
    assert min(len(plain["first"]), len(plain["later"])) > 100


def test_the_choices_of_one_footprint_weigh_one_together(entries: Entries) -> None:
    seen = replace(Seen.of(entries), washout=0)
    choices = footprint_choices(seen)
    whole = choices.entered | choices.chosen
    np.testing.assert_allclose(choices.weight, 1 / whole.sum(axis=1))


def test_markets_without_a_licence_are_not_at_risk(entries: Entries) -> None:
    seen = Seen.of(entries)
    every = np.stack([np.arange(seen.track.max() + 1), np.full(seen.track.max() + 1, 3)]).astype(np.int64)
    entered = step_choices(replace(seen, withheld=every), HORIZON)
    assert not entered.at_risk[:, 3].any()
    assert not entered.chosen[:, 3].any()
    assert step_choices(seen, HORIZON).at_risk[:, 3].any()


def test_the_number_of_steps_is_the_poisson_regression_of_statsmodels(
    entries: Entries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_module, "RIDGE", 0.5)
    monkeypatch.setattr(rate_module, "REACH_RIDGE", 0.5)
    seen = Seen.of(entries)
    ours = step_rate(seen, horizon=HORIZON)
    journeys = Journeys.of(seen, least=1)
    journeys = journeys.where(journeys.debut + HORIZON <= seen.chart_day.max())
    at_risk, chosen = journeys.first_choices(seen, HORIZON)
    footprint = journeys.day == journeys.debut[:, None]
    number, free = chosen.sum(axis=1), at_risk.sum(axis=1)
    design = rate_design(footprint)
    model = GLM(number, design, Poisson(), offset=np.log(free) + ours.level)
    # statsmodels divides the likelihood by the number of rows
    theirs = model.fit_regularized(alpha=0.5 / len(number), L1_wt=0.0).params
    expected = np.exp(design @ theirs + ours.level) * free
    np.testing.assert_allclose(ours.expected(footprint, free), expected, rtol=POISSON_TOLERANCE)
    assert ours.arrived[0] == 0
    assert ours.arrived[-1] == 1
    age = (journeys.day - journeys.debut[:, None])[chosen]
    assert ours.arrived[3] == pytest.approx((age <= 3).mean())
    assert ours.expected(footprint, free).sum() == pytest.approx(number.sum(), rel=0.02)


def test_without_an_entry_after_a_debut_no_rate_is_known(entries: Entries) -> None:
    with pytest.raises(DataSaysNoError, match="no track enters a market in the 365 days after a debut"):
        step_rate(Seen.of(entries), horizon=365)


def test_fitted_to_real_entries_it_says_more_than_sizes(entries: Entries) -> None:
    model = next_market_choice(entries, horizon=HORIZON)
    table = model.table()
    assert len(table) == len(model.markets) * (len(model.markets) - 1)
    assert table["affinity"].notna().all()
    pairs = table.set_index(["source", "target"])["together"]
    near = [pairs[pair] for pair in (("AT", "DE"), ("DE", "AT"), ("AR", "UY"), ("NO", "SE"))]
    assert min(near) > table["together"].quantile(0.9)
    chance = model.next.chances(np.eye(len(model.markets), dtype=bool), ~np.eye(len(model.markets), dtype=bool))
    np.testing.assert_allclose(chance.sum(axis=1), 1, rtol=1e-5)


def test_what_cannot_be_fitted_is_a_clear_error(entries: Entries) -> None:
    with pytest.raises(SettingError, match="horizon is 0; it must be between 1 and 36,500 days"):
        next_market_choice(entries, horizon=0)
    with pytest.raises(SettingError, match="ridge is -1; it must be above 0"):
        next_market_choice(entries, ridge=-1)
    first = entries.table.filter(pc.field("entry") == pc.min(entries.table["entry"]))
    with pytest.raises(DataSaysNoError, match="no track enters a market after another"):
        next_market_choice(replace(entries, table=first))
