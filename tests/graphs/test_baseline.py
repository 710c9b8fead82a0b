"""The baseline: steps and sums equal slow twins, weights an outside answer."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.discrete.conditional_models import ConditionalLogit

from diffusion import DataSaysNoError, Entries, SettingError
from diffusion.conventions import FDR
from graphs.baseline import Baseline, PairSums, baseline, edge_table, simulated_entries, steps
from graphs.baseline.absorbed import kept_variance
from graphs.baseline.edges import LEAST_EXPECTED, affinity, order_p, presence_p
from graphs.baseline.fit import period_starts
from graphs.baseline.lead_share import LEAST_ARTISTS, effective_artists, lead_columns
from graphs.baseline.likeness import CLASSES, Likeness, kind_design, sizes
from graphs.baseline.step_parts import StepPart, StepsHere, step_kinds
from graphs.baseline.sums import Kernel, Ties
from graphs.baseline.weights import Weights, fitted_weights
from graphs.contracts import LIFTS
from graphs.market_graph import market_graph
from tests import twins_baseline as twin
from tests.process_worlds import SILENT, Drawn, Process, draw, languages
from tests.random_charts import COMMON_LANGUAGE, Study, examples, studies, study

SUM_TOLERANCE = 1e-9
"""Both sides add some dozens of chances."""

SLOPE_TOLERANCE = 1e-3
"""Differences over steps of 1e-4 of a log-likelihood of some dozens, whose gradient is 0 at the fit."""

OUTSIDE_TOLERANCE = 1e-6
"""statsmodels and Newton's method, both converged; the ridge is 1e-9."""

SMALL_SIZE = 0.06
"""Largest share of p of at most .05 where nothing is to be found."""


def with_artists(entries: Entries, names: Mapping[str, str]) -> Entries:
    """Return entries whose tracks have artists."""
    columns = {"track_id": pa.array(list(names), pa.string()), "artist": pa.array(list(names.values()), pa.string())}
    return replace(entries, described=pa.table(columns))


# ── steps and sums, against twins ────────────────────────────────────────────────────────────────────────────────────


def case(drawn: Study, seed: int) -> tuple[Entries, set[tuple[str, str]], dict[str, str]]:
    """Return entries with licences and artists drawn, the pairs without licence, and the artist of every track."""
    rng, entries = np.random.default_rng(seed), drawn.open()
    ids = entries.timelines.track_ids.tolist()
    lost = {pair for pair in product(ids, entries.calendar.markets) if rng.random() < 0.1}
    artists = {name: str(rng.choice(["a", "b"])) for name in ids if rng.random() < 0.8}
    table = pa.table({"track_id": [a for a, _ in lost], "market": [b for _, b in lost]}) if lost else entries.withheld
    return with_artists(replace(entries, withheld=table), artists), lost, artists


def in_order(entries: Entries, found: list[twin.Step]) -> list[twin.Step]:
    """Return the twin's steps in the order of the arrays."""
    taken = steps(entries)
    places = {
        (entries.timelines.track_ids[track], taken.markets[market]): at
        for at, (track, market) in enumerate(zip(taken.track, taken.market, strict=True))
    }
    return sorted((s for s in found if (s.track, s.market) in places), key=lambda s: places[s.track, s.market])


@examples(60)
@given(drawn=studies(), seed=st.integers(0, 99), horizon=st.sampled_from([5, 40, 180]))
def test_steps_equal_twin(drawn: Study, seed: int, horizon: int) -> None:
    entries, lost, artists = case(drawn, seed)
    taken = steps(entries, horizon=horizon)
    expected = {(s.track, s.market): s for s in twin.steps(drawn, lost, horizon=horizon)}
    keys = [(entries.timelines.track_ids[t], taken.markets[b]) for t, b in zip(taken.track, taken.market, strict=True)]
    assert sorted(keys) == sorted(expected)
    kinds = step_kinds(entries, taken, Likeness.of(taken.markets))
    for at, key in enumerate(keys):
        step = expected[key]
        assert taken.day[at] == (step.day - date(1970, 1, 1)).days
        assert taken.age[at] == step.age
        since = {m: int(s) for m, s in zip(taken.markets, taken.since[at], strict=True) if s}
        assert since == {m: 32_767 if s is None else s for m, s in step.since.items()}
        assert {m: int(d) for m, d in zip(taken.markets, taken.lag[at], strict=True) if d} == step.lag
        assert {m for m, e in zip(taken.markets, taken.entered[at], strict=True) if e} == step.entered
        for market, kind in zip(taken.markets, kinds[at], strict=True):
            classes = dict(zip(CLASSES, np.unravel_index(int(kind), sizes()), strict=True))
            shared = sum(COMMON_LANGUAGE.get((other, market), False) for other in step.entered)
            assert CLASSES["language"][classes["language"]] == twin.language_class(shared, len(step.entered))
            assert CLASSES["past"][classes["past"]] == twin.past_class(drawn, artists, step, market)


@examples(25)
@given(
    drawn=studies(),
    seed=st.integers(0, 99),
    window=st.sampled_from([1, 7, 60]),
    kernel=st.sampled_from(["indicator", "decaying"]),
    ties=st.sampled_from(["apart", "first", "last"]),
)
def test_sums_and_weights_equal_twin(drawn: Study, seed: int, window: int, kernel: Kernel, ties: Ties) -> None:
    entries, lost, artists = case(drawn, seed)
    found = in_order(entries, twin.steps(drawn, lost, horizon=180))
    if not found or len(entries.calendar.markets) < 2:
        with pytest.raises(DataSaysNoError, match="nothing can be said of which market comes next"):
            baseline(entries)
        return
    fit = baseline(entries)
    chance = fit.probabilities()
    assert chance.sum(axis=1) == pytest.approx(1)
    markets = fit.steps.markets
    rows = [dict(zip(markets, row, strict=True)) for row in chance]
    sums = PairSums.of(fit, window=window, kernel=kernel, ties=ties)
    clustered, order = sums.clustered(1.0), sums.clustered_order(1.5, np.array(0.3))
    for (i, a), (j, b) in product(enumerate(markets), repeat=2):
        if i == j:
            continue
        here, there = (
            twin.terms(found, rows, *pair, window=window, kernel=kernel, ties=ties) for pair in ((a, b), (b, a))
        )
        own = {name: getattr(sums, name)[i, j] for name in ("observed", "expected", "model")}
        own["clustered"] = clustered[i, j]
        assert own == pytest.approx(twin.pair_sums(here, artists), abs=SUM_TOLERANCE)
        variance = twin.order_variance(here, there, artists, lift=1.5, share=0.3)
        assert order[i, j] == pytest.approx(variance, abs=SUM_TOLERANCE)
        assert effective_artists(sums)[i, j] == pytest.approx(twin.lead_artists(here, there, artists))
    assert no_slope(fit, found)


def no_slope(fit: Baseline, found: list[twin.Step]) -> bool:
    """Return whether the twin's penalised likelihood rises nowhere from the fitted sizes, by differences."""
    size, ridge, h = fit.sizes, 0.5, 1e-4
    effects = size.effects.reshape(-1, len(fit.steps.markets))
    age, period = size.cell(fit.steps.day, fit.steps.age)

    def value(theta: np.ndarray) -> float:
        log = theta[0] + theta[1 + age] + theta[8 + period]
        weights = [dict(zip(fit.steps.markets, np.exp(row).tolist(), strict=True)) for row in log]
        return twin.log_likelihood(found, weights) - ridge / 2 * float((theta**2).sum())

    moved = np.eye(effects.size).reshape(-1, *effects.shape) * h
    slopes = np.array([(value(effects + move) - value(effects - move)) / (2 * h) for move in moved])
    return bool(np.abs(slopes).max() < SLOPE_TOLERANCE)


def test_licences_gaps_and_late_markets_by_hand() -> None:
    late = [*range(0, 40), *range(44, 100)]
    drawn = study({"SE": range(100), "FI": late, "US": range(60, 100)}, {"t": {"SE": 30, "FI": 44}}, washout=28)
    entries = drawn.open()
    taken = steps(entries)
    assert taken.markets == ("FI", "SE", "US")
    # Finland had no chart for four days, so that the entry fell into five; the United States begin later
    assert taken.since.tolist() == [[5, 0, 0]]
    assert taken.lag.tolist() == [[0, 14, 0]]
    withheld = pa.table({"track_id": ["t"], "market": ["FI"]})
    assert len(steps(replace(entries, withheld=withheld))) == 0


# ── the fit ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """A world with hidden taste and several tracks of an artist."""
    return draw(Process(falling=True, taste=True, homes=True), tracks=1500, seed=1)


@pytest.fixture(scope="module")
def fit(drawn: Drawn) -> Baseline:
    """Its baseline, with the languages of the markets."""
    return baseline(drawn.entries, pairs=pd.DataFrame(languages(drawn.tongue)))


def test_sizes_agree_with_conditional_logit() -> None:
    entries = draw(SILENT["falling"], tracks=300, seed=3, markets=4).entries
    taken = steps(entries)
    once = ~pd.DataFrame({"track": taken.track, "day": taken.day}).duplicated(keep=False).to_numpy()
    own = replace(taken.only(once), age=np.ones(int(once.sum()), np.int32))
    alone = StepsHere(StepPart(own, np.zeros(own.since.shape, np.int16)))
    size = fitted_weights(alone, own.day.min(keepdims=True), likeness=False, ridge=1e-9).size[0, 0]
    step, market = np.nonzero(own.since > 0)
    several = np.bincount(step)[step] > 1
    step, market = step[several], market[several]
    dummies = (market[:, None] == np.arange(1, 4)).astype(float)
    model = ConditionalLogit((own.market[step] == market).astype(float), dummies, groups=step)
    answer = model.fit(method="newton", disp=False, skip_hessian=True)
    assert size[1:] - size[0] == pytest.approx(answer.params, abs=OUTSIDE_TOLERANCE)


def test_likeness_is_worth_what_a_taste_is(fit: Baseline) -> None:
    score = fit.log_score().set_index("version")["log_score"]
    assert score["uniform"] < score["sizes"] < score["likeness"]
    assert score["likeness"] == pytest.approx(fit.log_scores("likeness").mean())
    factors = fit.factor_table().set_index(["trait", "kind"])["factor"]
    assert factors["language", "1, all"] > 2
    assert factors["past", "more often"] > 1.2
    # the table of pairs has no distances
    assert (factors["distance"] == 1).all()


def test_weights_have_mean_one(fit: Baseline) -> None:
    table = fit.weight_table()
    means = table.groupby(["age_from", "period_from"])["weight"].mean()
    assert means.to_numpy() == pytest.approx(1)
    assert len(table) == len(means) * len(fit.steps.markets)


def test_likeness_of_a_pair_is_that_of_a_step_after_its_source_alone(fit: Baseline) -> None:
    """Odds of two markets with likeness, over those by their weights, are the ratio of their likeness to the source."""
    table = fit.likeness_table().set_index(["source", "target"])["likeness"]
    markets = fit.steps.markets
    assert len(table) == len(markets) * (len(markets) - 1)
    assert table.min() == 1 < table.max()
    first = np.flatnonzero((fit.steps.entered.sum(axis=1) == 1) & ((fit.steps.since > 0).sum(axis=1) > 1))
    past = np.unravel_index(fit.kinds[first].astype(np.int64), sizes())[-1]
    whole, sized = fit.probabilities()[first], fit.full.size
    step = first[np.argmax((past == 0).sum(axis=1))]
    new = np.flatnonzero((fit.steps.since[step] > 0) & (past[first == step][0] == 0))[:2]
    source = markets[int(np.flatnonzero(fit.steps.entered[step])[0])]
    age = np.searchsorted(fit.full.ages, fit.steps.age[step], side="right") - 1
    period = np.searchsorted(fit.full.starts, fit.steps.day[step], side="right") - 1
    size = np.exp(sized[age, period][new]) * fit.steps.since[step][new]
    odds = whole[first == step][0][new]
    likeness = np.array([table[source, markets[at]] for at in new])
    assert odds[0] / odds[1] == pytest.approx(size[0] * likeness[0] / (size[1] * likeness[1]))


def test_a_start_elsewhere_ends_in_the_same_place(fit: Baseline, drawn: Drawn) -> None:
    pairs = pd.DataFrame(languages(drawn.tongue))
    again = baseline(drawn.entries, pairs=pairs, start=baseline(simulated_entries(fit), pairs=pairs))
    assert again.full.size == pytest.approx(fit.full.size, abs=1e-4)
    assert again.full.log_likelihood == pytest.approx(fit.full.log_likelihood, abs=1e-4)


def test_other_steps_are_scored_by_their_own_days(fit: Baseline, drawn: Drawn) -> None:
    own = fit.other_steps(drawn.entries)
    assert fit.log_scores("likeness", own) == pytest.approx(fit.log_scores("likeness"))
    fewer = draw(SILENT["flat"], tracks=300, seed=3, markets=4).entries
    with pytest.raises(DataSaysNoError, match="other markets"):
        fit.other_steps(fewer)


def test_later_steps_are_scored_out_of_sample(fit: Baseline, drawn: Drawn) -> None:
    turn = date(2017, 10, 1)
    early = baseline(drawn.entries, pairs=pd.DataFrame(languages(drawn.tongue)), before=turn)
    others = early.other_steps(drawn.entries)
    later = others[0].day >= (turn - date(1970, 1, 1)).days
    assert len(early.steps) == (~later).sum()
    assert len(others[0]) == len(fit.steps)
    score = {version: early.log_scores(version, others)[later].mean() for version in ("uniform", "sizes", "likeness")}
    assert score["uniform"] < score["sizes"] < score["likeness"] < fit.log_scores("likeness")[later].mean()


def test_periods_are_as_fine_as_the_steps_allow(fit: Baseline) -> None:
    assert fit.full.starts.astype("datetime64[D]").astype(str).tolist() == [
        "2017-01-01",
        "2017-04-01",
        "2017-07-01",
        "2017-10-01",
        "2018-01-01",
    ]
    few = fit.parts.only(lambda steps: np.arange(len(steps)) % 20 == 0)
    assert len(period_starts(few)) < 5


def test_a_table_of_pairs_says_what_it_has(drawn: Drawn) -> None:
    with pytest.raises(SettingError, match="this one has source, target, km"):
        baseline(drawn.entries, pairs=pd.DataFrame({"source": ["SE"], "target": ["NO"], "km": [400]}))


# ── edges ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_edges_fit_their_contract(fit: Baseline) -> None:
    edges = edge_table(fit)
    table = LIFTS.conform(pa.Table.from_pandas(edges, preserve_index=False))
    assert table.column_names == LIFTS.names
    assert table.num_rows == 12 * 11
    known = edges[edges["expected"] > 0]
    assert (known["lift_low"] <= known["lift"]).all()
    assert (known["lift"] < known["lift_high"]).all()
    assert (edges["detectable"].dropna() > 1).all()
    assert (edges["q_by"] >= edges["q"]).sum() == edges["q"].notna().sum()
    assert (edges["edge"] == (edges["q"] <= FDR)).all()
    assert (edges["ordered"] == (edges["edge"] & (edges["q_order"] <= FDR))).all()


def test_the_interval_says_what_the_test_says() -> None:
    edges = edge_table(baseline(draw(SILENT["falling"], tracks=200, seed=5).entries))
    assert ((edges["lift_low"] <= 1) | (edges["p"] <= 0.025)).all()
    # by their variance alone the intervals of these would begin above 1
    assert (edges["lift_low"] == 1).any()
    assert edges["affinity"].isna().equals(edges["lift_low"].isna())
    assert ((edges["affinity"] > 1) == (edges["lift_low"] > 1)).all()


def test_affinity_is_the_e_value() -> None:
    # the example of VanderWeele & Ding 2017: a risk ratio of 3.9 with the interval 1.8 to 8.7
    assert affinity(np.array([1.8, 3.9, 0.5])) == pytest.approx([3.0, 7.26, 1.0], abs=0.005)


def test_pairs_are_tested_by_what_is_expected() -> None:
    edges = edge_table(baseline(draw(SILENT["falling"], tracks=120, seed=5).entries))
    tested = edges["q"].notna()
    assert 0 < tested.sum() < len(edges)
    assert (tested == (edges["expected"] >= LEAST_EXPECTED)).all()
    assert (edges["detectable"].notna() == tested).all()


def moved(weights: Weights, place: int, by: float) -> Weights:
    """Return weights with one fitted number moved."""
    theta = np.concatenate([weights.effects, weights.classes])
    theta[place] += by
    effects, classes = np.split(theta, [len(weights.effects)])
    main, age, period = np.split(effects.reshape(-1, weights.size.shape[2]), [1, 1 + len(weights.ages)])
    return replace(weights, size=main[:, None] + age[:, None] + period[None], factor=kind_design() @ classes)


def test_what_the_fit_takes_up_is_how_the_expected_moves_with_it() -> None:
    fit = baseline(draw(SILENT["falling"], tracks=400, seed=2, markets=5).entries)
    sums, h = PairSums.of(fit, window=60), 1e-5
    places = range(len(fit.full.precision))
    ends = [[PairSums.of(replace(fit, full=moved(fit.full, at, by)), window=60) for at in places] for by in (-h, h)]
    slopes = np.array([(up.expected - down.expected) / (2 * h) for down, up in zip(*ends, strict=True)])
    taken = np.einsum("fab,fg,gab->ab", slopes, np.linalg.inv(fit.full.precision), slopes)
    kept = kept_variance(fit, sums.model, window=60)
    off = ~np.eye(len(kept), dtype=bool)
    assert kept[off] == pytest.approx((1 - taken / np.where(sums.model > 0, sums.model, 1))[off], abs=1e-6)
    assert 0.2 < kept[off].min() < kept[off].max() < 1


def independent(observed: float, back: float, expected: float, rare: float) -> PairSums:
    """Return the sums of two markets whose steps are all of different artists."""
    o = np.array([[0.0, observed], [back, 0.0]])
    e = np.where(o > 0, expected, 0.0)
    nothing = np.zeros_like(o)
    return PairSums(o, e, e * rare, e * rare, nothing, nothing, nothing, nothing, nothing)


def test_tails_are_those_of_the_counts() -> None:
    sums = independent(9, 3, 4.0, 1.0)
    normal = stats.norm.sf(5 / 2)
    assert presence_p(sums)[0, 1] == pytest.approx(max(stats.poisson.sf(8, 4.0), normal))
    assert order_p(sums)[0, 1] == pytest.approx(max(stats.binom.sf(8, 12, 0.5), stats.norm.sf(3 / np.sqrt(2))))
    assert presence_p(sums)[1, 0] > 0.5


def test_order_has_two_sides(fit: Baseline) -> None:
    edges = edge_table(fit).set_index(["source", "target"])
    back = edges.reorder_levels([1, 0]).loc[edges.index]
    assert edges["asymmetry"].to_numpy() == pytest.approx(-back["asymmetry"].to_numpy())
    sure = (edges["p_order"] < 0.5).to_numpy()
    assert (back["p_order"].to_numpy()[sure] > 0.5).all()


def test_lead_shares_are_those_of_independent_tracks_or_of_artists() -> None:
    sums = independent(30, 10, 20.0, 1.0)
    # each of forty artists has one track
    ones = replace(sums, oo=sums.observed, oo_back=np.zeros((2, 2)))
    lead = {name: values[0, 1] for name, values in lead_columns(ones).items()}
    assert lead["lead_share"] == 0.75
    assert lead["lead_expected"] == 0.5
    bounds = (lead["lead_share_low"], lead["lead_share_high"])
    assert bounds == pytest.approx(stats.beta.ppf([0.025, 0.975], 30.5, 10.5))
    # each of ten artists has four tracks, which go one way
    fours = replace(sums, oo=4 * sums.observed, oo_back=np.zeros((2, 2)))
    assert effective_artists(fours)[0, 1] == LEAST_ARTISTS
    few = {name: values[0, 1] for name, values in lead_columns(fours).items()}
    number = 10 * (stats.t.ppf(0.975, 39) / stats.t.ppf(0.975, 9)) ** 2
    bounds = (few["lead_share_low"], few["lead_share_high"])
    assert bounds == pytest.approx(stats.beta.ppf([0.025, 0.975], 0.75 * number + 0.5, 0.25 * number + 0.5))
    # each of eight artists has five
    assert np.isnan(lead_columns(replace(sums, oo=5 * sums.observed, oo_back=np.zeros((2, 2))))["lead_share_low"]).all()


def test_no_lead_share_has_an_interval_of_width_0() -> None:
    edges = edge_table(baseline(draw(SILENT["falling"], tracks=120, seed=5).entries))
    known = edges.dropna(subset="lead_share_low")
    assert (known["lead_share_low"] < known["lead_share_high"]).all()
    assert ((known["lead_share_low"] < known["lead_share"]) | (known["lead_share"] == 0)).all()
    assert edges["lead_share"].notna().sum() > len(known) > 0
    back = edges.set_index(["target", "source"]).reindex(pd.MultiIndex.from_frame(edges[["source", "target"]]))
    assert edges["lead_share"].to_numpy() == pytest.approx(1 - back["lead_share"].to_numpy(), nan_ok=True)
    assert edges["lead_share_low"].to_numpy() == pytest.approx(1 - back["lead_share_high"].to_numpy(), nan_ok=True)


# ── entries drawn from the baseline ──────────────────────────────────────────────────────────────────────────────────


def test_drawn_entries_hold_dates_and_what_is_no_step(fit: Baseline, drawn: Drawn) -> None:
    new = simulated_entries(fit, seed=2)
    columns = ["track_id", "entry"]
    assert new.to_pandas().value_counts(columns).equals(drawn.entries.to_pandas().value_counts(columns))
    assert not new.table.equals(drawn.entries.table)
    assert new.table.equals(simulated_entries(fit, seed=2).table)
    lines = drawn.entries.timelines
    held = np.setdiff1d(np.arange(len(lines.track)), fit.steps.entry)
    kept = set(zip(new.timelines.track, new.timelines.market, new.timelines.day, strict=True))
    assert set(zip(lines.track[held], lines.market[held], lines.day[held], strict=True)) <= kept
    again = steps(new)
    assert len(again) == len(fit.steps)
    assert pc.sum(new.table["left_censored"]) == pc.sum(drawn.entries.table["left_censored"])
    assert market_graph(new).edges["tracks"].sum() > 0


@examples(20)
@given(drawn=studies(), seed=st.integers(0, 99))
def test_drawn_entries_are_possible(drawn: Study, seed: int) -> None:
    entries, lost, _ = case(drawn, seed)
    taken = steps(entries)
    if not len(taken) or len(taken.markets) < 2:
        return
    new = simulated_entries(baseline(entries), seed=seed)
    rows = new.table.to_pylist()
    old = {(row["track_id"], row["market"], row["entry"]) for row in entries.table.to_pylist()}
    charts = {(row["market"], row["date"]): row["previous"] for row in drawn.coverage}
    for row in rows:
        if (row["track_id"], row["market"], row["entry"]) not in old:
            assert (row["track_id"], row["market"]) not in lost
            assert charts[row["market"], row["entry"]] == row["last_without"]


def test_the_baseline_describes_its_own_entries(fit: Baseline, drawn: Drawn) -> None:
    pairs = pd.DataFrame(languages(drawn.tongue))
    again = baseline(simulated_entries(fit, seed=4), pairs=pairs)
    edges = edge_table(again)
    assert (edges["p"] <= 0.05).mean() <= SMALL_SIZE
    assert not (edges["q"] <= 0.05).any()
    assert (edges["q_sizes"] <= 0.05).any()


def test_the_kind_of_a_step_does_not_depend_on_the_steps_beside_it(drawn: Drawn) -> None:
    """Of markets that are all alike, every mean of overlaps stands on the bounds of its classes."""
    pairs = pd.DataFrame(languages(drawn.tongue)).assign(language_overlap=0.1)
    likeness = Likeness.of(drawn.entries.timelines.markets, pairs)
    entered = np.random.default_rng(1).random((500, 12)) < 0.5
    past = np.zeros(entered.shape, np.int64)
    together = likeness.kinds(entered, past)
    alone = [likeness.kinds(entered[row : row + 1], past[row : row + 1]) for row in range(len(entered))]
    np.testing.assert_array_equal(together, np.concatenate(alone))
