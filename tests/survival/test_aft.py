"""Accelerated failure time models against R, lifelines, plain sums over rows, and simulated truth."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import diffusion
from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Floats
from survival import AftFit, aft, compare_families, frame_waits, waits
from survival.counting.frame import FrameWaits
from survival.regression.cure import cure_law
from survival.regression.distributions import FAMILIES, NEAR_NORMAL, Family, Law, law_of, log_survival
from survival.regression.lifelines_aft import FITTERS, interval_rows

REFERENCE = Path(__file__).parents[1] / "reference"
FORMULA = "one + two + three"

SAME = 1e-8
"""R's survreg has the same likelihood, and both searches end at rounding."""

NUMERIC = 1e-6
"""Relative error of the numeric scores in parametric.R."""

SEARCHED = 2e-4
"""lifelines' search by BFGS stops when its likelihood is this flat in the coefficients."""

PEAK = 1e-6
"""A likelihood so near to its peak differs by the square of that."""


def reference_waits(data: str, *, late: bool = False) -> FrameWaits:
    """Return the waits of parametric_waits.csv; with `late`, every third begins late, as in parametric.py."""
    table = pd.read_csv(REFERENCE / "parametric_waits.csv")
    begins = np.minimum(table["after"].fillna(table["days"] - 1), 7)
    table["start"] = np.where(np.arange(len(table)) % 3 == 0, begins, 0)
    start = "start" if late else None
    rows = table[table["data"] == data]
    return frame_waits(rows, days="days", entered="entered", after="after", start=start, cluster="group")


def simulated(rng: np.random.Generator, size: int, family: str = "weibull", scale: float = 0.8) -> pd.DataFrame:
    """Return waits whose log time is 3 + 0.5 x − 0.4 y + scale · error, followed for 60 to 100 days."""
    error = {
        "weibull": lambda: np.log(rng.exponential(size=size)),
        "lognormal": lambda: rng.normal(size=size),
        "loglogistic": lambda: rng.logistic(size=size),
        "generalized_gamma": lambda: np.log(rng.gamma(4.0, size=size) / 4) * 2,  # shape 1/2
    }[family]()
    x, y = rng.integers(0, 2, size), rng.integers(-2, 3, size)
    time = np.ceil(np.exp(3 + 0.5 * x - 0.4 * y + scale * error)).clip(1)
    end, start = rng.choice([60, 80, 100], size), np.where(rng.random(size) < 0.2, rng.integers(0, 10, size), 0)
    frame = pd.DataFrame({"x": x, "y": y, "start": start, "days": np.minimum(time, end), "entered": time <= end})
    return frame[time > start].astype({"days": int})


def counted_by(frame: pd.DataFrame, **columns: str) -> FrameWaits:
    return frame_waits(frame, days="days", entered="entered", start="start", **columns)


@pytest.mark.parametrize("data", ["lung", "veteran"])
@pytest.mark.parametrize("family", ["weibull", "lognormal", "loglogistic"])
def test_estimates_and_errors_are_those_of_survreg(data: str, family: Family) -> None:
    """R's `survreg` with times known to an interval; see parametric.R."""
    answers = pd.read_csv(REFERENCE / "parametric_survreg.csv")
    answers = answers[(answers["data"] == data) & (answers["family"] == family)]
    fit = aft(reference_waits(data), FORMULA, family=family, cluster="independent")
    assert fit.cluster == "independent"
    np.testing.assert_allclose(fit.coefficients, answers["estimate"], rtol=SAME, atol=SAME)
    np.testing.assert_allclose(fit.standard_errors_, answers["se"], rtol=SAME)
    np.testing.assert_allclose(fit.log_likelihood_, answers["log_likelihood"], rtol=SAME)
    np.testing.assert_allclose(fit.summary["p"], np.exp(_log_p(fit.summary["z"])), rtol=1e-6)


def _log_p(z: pd.Series) -> Floats:
    from scipy.stats import norm

    return np.log(2) + np.asarray(norm.logsf(np.abs(z)))


@pytest.mark.parametrize("data", ["lung", "veteran"])
@pytest.mark.parametrize("family", ["weibull", "lognormal", "loglogistic"])
def test_scores_by_cluster_make_the_robust_errors_of_r(data: str, family: Family) -> None:
    """Without the correction for clusters that weigh much, the sandwich is that of parametric.R."""
    answers = pd.read_csv(REFERENCE / "parametric_survreg.csv")
    answers = answers[(answers["data"] == data) & (answers["family"] == family)]
    fit = aft(reference_waits(data), FORMULA, family=family)
    likelihood = fit.uncertainty.likelihood
    inverse = np.linalg.inv(-likelihood.at(fit.coefficients).hessian)
    clusters = likelihood.counted.clusters
    assert clusters is not None
    daily = likelihood.daily(fit.coefficients)
    moved = likelihood.scores(daily, clusters) @ inverse
    information = likelihood.information(daily, inverse, clusters)
    np.testing.assert_allclose(np.sqrt((moved**2).sum(axis=0)), answers["robust"], rtol=NUMERIC)
    np.testing.assert_allclose(information.sum(axis=0), np.diag(inverse), rtol=1e-9)
    assert (fit.standard_errors_ > answers["robust"].to_numpy()).all()


@pytest.mark.parametrize("data", ["lung", "veteran"])
@pytest.mark.parametrize("family", FAMILIES)
def test_delayed_entry_is_that_of_lifelines(data: str, family: Family) -> None:
    """lifelines from its own start; see parametric.py, which says where it finds no Weibull."""
    answers = pd.read_csv(REFERENCE / "parametric_lifelines.csv")
    answers = answers[(answers["data"] == data) & (answers["family"] == family)]
    assert len(answers) or (data, family) == ("lung", "weibull")
    fit = aft(reference_waits(data, late=True), FORMULA, family=family)
    for answer in answers.itertuples():
        name = str(answer.name)
        assert fit.params_[name] == pytest.approx(answer.estimate, abs=SEARCHED), name
        assert fit.log_likelihood_ == pytest.approx(answer.log_likelihood, abs=PEAK)
        assert fit.log_likelihood_ >= answer.log_likelihood - 1e-10


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fit_converts_to_lifelines(family: Family) -> None:
    fit = aft(reference_waits("veteran", late=True), "C(two) + one", family=family, cluster="independent")
    theirs = fit.to_lifelines()
    name, location, scale, sign = FITTERS[family]
    assert type(theirs).__name__ == name
    assert theirs.log_likelihood_ == pytest.approx(fit.log_likelihood_, abs=PEAK)
    for covariate in ("Intercept", "C(two)[T.2]", "one"):
        assert theirs.params_[location, covariate] == pytest.approx(fit.params_[covariate], abs=SEARCHED)
    assert sign * theirs.params_[scale, "Intercept"] == pytest.approx(fit.params_["log(scale)"], abs=SEARCHED)
    error = theirs.summary.loc[(location, "one"), "se(coef)"]
    rough = 0.1 if family == "generalized_gamma" else 1e-3  # lifelines takes numeric derivatives by the shape, twice
    assert error == pytest.approx(fit.standard_errors_["one"], rel=rough)


def test_rows_for_lifelines_are_the_counts() -> None:
    source = counted_by(simulated(np.random.default_rng(2), 400))
    counted = source.counted(("x", "y"))
    rows = interval_rows(counted)
    assert (rows["start"] <= rows["lower"]).all()
    assert (rows["lower"] < rows["upper"]).all()
    opened, closed = np.zeros_like(counted.opened), np.zeros_like(counted.closed)
    ends = rows["upper"].where(np.isfinite(rows["upper"]), rows["lower"]).astype(int)
    np.add.at(opened, (rows["cell"], rows["start"]), rows["waits"])
    np.add.at(closed, (rows["cell"], ends), rows["waits"])
    assert (opened == counted.opened).all()
    assert (closed == counted.closed).all()
    entered = rows[np.isfinite(rows["upper"])].groupby(["cell", "lower", "upper"])["waits"].sum()
    assert (
        entered.tolist()
        == counted.events.count[np.lexsort((counted.events.days, counted.events.after, counted.events.cell))].tolist()
    )


def test_too_many_rows_for_lifelines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("survival.regression.lifelines_aft.MOST_ROWS", 10)
    with pytest.raises(DataSaysNoError, match="more than 10: leave out variables"):
        aft(reference_waits("veteran"), "one").to_lifelines()


LAWS = [
    *((law_of(family), (3.0, -0.2)) for family in FAMILIES[:3]),
    *((law_of("generalized_gamma"), (3.0, -0.2, shape)) for shape in (1.0, -0.7, 0.0, 0.005, -0.02, 2.5)),
    *((cure_law(family), (0.8, 3.0, -0.2)) for family in FAMILIES[:3]),
    (cure_law("generalized_gamma"), (0.8, 3.0, -0.2, 0.6)),
]


@pytest.mark.parametrize(("law", "parameters"), LAWS)
def test_derivatives_are_those_of_differences(law: Law, parameters: tuple[float, ...]) -> None:
    days, step = np.arange(60.0), 1e-5
    here = np.tile(parameters, (len(days), 1))
    terms = law.log_survival(days, here)
    assert terms.value[0] == 0
    assert (terms.first[0] == 0).all()
    for at in range(here.shape[1]):
        move = step * (np.arange(here.shape[1]) == at)
        more, less = law.log_survival(days, here + move), law.log_survival(days, here - move)
        np.testing.assert_allclose(terms.first[:, at], (more.value - less.value) / (2 * step), atol=1e-6)
        np.testing.assert_allclose(terms.second[:, :, at], (more.first - less.first) / (2 * step), atol=1e-5)
    back = law.day_of(np.exp(terms.value[1:]), here[1:])
    np.testing.assert_allclose(back, days[1:], rtol=1e-5)


@pytest.mark.parametrize(("family", "shape"), [("weibull", 1.0), ("lognormal", 0.0)])
def test_the_generalized_gamma_contains_others(family: Family, shape: float) -> None:
    days = np.arange(1.0, 200.0)
    plain = np.tile([4.0, 0.3], (len(days), 1))
    theirs = log_survival(family, days, plain)
    ours = log_survival("generalized_gamma", days, np.column_stack([plain, np.full(len(days), shape)]))
    np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-9)
    np.testing.assert_allclose(ours.first[:, :2], theirs.first, rtol=1e-8, atol=1e-15)


@pytest.mark.parametrize("shape", [NEAR_NORMAL, -NEAR_NORMAL])
def test_the_generalized_gamma_has_no_step_where_it_is_nearly_normal(shape: float) -> None:
    days = np.arange(1.0, 200.0)
    inside, outside = (
        log_survival("generalized_gamma", days, np.tile([4.0, 0.3, shape * by], (len(days), 1)))
        for by in (1 - 1e-9, 1 + 1e-9)
    )
    np.testing.assert_allclose(inside.value, outside.value, rtol=1e-9)
    np.testing.assert_allclose(inside.first, outside.first, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_likelihood_of_counts_is_that_of_rows(family: Family) -> None:
    frame = simulated(np.random.default_rng(3), 300)
    fit = aft(counted_by(frame), "x + y", family=family)
    parameters = fit.parameters(frame)
    start, days, after = (
        law_of(family).log_survival(np.asarray(column, np.float64), parameters).value
        for column in (frame["start"], frame["days"], np.maximum(frame["days"] - 1, frame["start"]))
    )
    rows = np.where(frame["entered"], np.log(np.exp(after) - np.exp(days)), days) - start
    assert fit.log_likelihood_ == pytest.approx(rows.sum(), rel=1e-9)
    assert pytest.approx(2 * len(fit.coefficients) - 2 * rows.sum()) == fit.AIC_


def test_a_wait_in_two_parts_is_one_wait() -> None:
    """A variable that changes in time closes a wait in one cell and opens it in another."""
    frame = simulated(np.random.default_rng(4), 300)
    long = frame["days"] > frame["start"] + 5
    first = frame[long].assign(days=frame["start"] + 3, entered=False)
    second = frame.assign(start=frame["start"].where(~long, frame["start"] + 3))
    one, two = (aft(counted_by(rows), "x + y") for rows in (frame, pd.concat([first, second])))
    np.testing.assert_allclose(one.coefficients, two.coefficients, rtol=1e-6)
    assert one.log_likelihood_ == pytest.approx(two.log_likelihood_)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("step", [1, 7])
def test_truth_is_found_on_daily_and_weekly_charts(family: Family, step: int) -> None:
    frame = simulated(np.random.default_rng(5), 8_000, family)
    frame["start"] = 0
    frame["days"] = np.maximum(np.where(frame["entered"], -(-frame["days"] // step), frame["days"] // step), 1) * step
    frame["after"] = frame["days"] - step
    fit = aft(counted_by(frame, after="after"), "x + y", family=family)
    shape = [0.5] if family == "generalized_gamma" else []
    truth = np.array([3, 0.5, -0.4, np.log(0.8), *shape])
    assert (np.abs(fit.coefficients - truth) < 4 * fit.standard_errors_.to_numpy()).all()


def test_families_are_compared_by_one_likelihood() -> None:
    frame = simulated(np.random.default_rng(6), 3_000, "loglogistic")
    table = compare_families(counted_by(frame), "x + y")
    assert table.index[0] == "loglogistic"
    assert table["delta_AIC"].iloc[0] == 0
    assert table["converged"].all()
    assert table.loc["generalized_gamma", "parameters"] == 5
    assert (
        table.loc["generalized_gamma", "log_likelihood"] >= table.loc[["weibull", "lognormal"], "log_likelihood"].max()
    )
    np.testing.assert_allclose(table["AIC"], 2 * table["parameters"] - 2 * table["log_likelihood"])


def test_a_family_that_cannot_be_fitted_is_said() -> None:
    """With two different days of entry, the generalised gamma has one parameter too many."""
    frame = pd.DataFrame({"days": [1, 1, 2, 2, 2, 2], "entered": [1, 1, 1, 0, 0, 0], "start": 0})
    table = compare_families(counted_by(frame), "1", families=("weibull", "generalized_gamma"))
    assert table["converged"].to_dict() == {"weibull": True, "generalized_gamma": False}
    assert pd.isna(table.loc["generalized_gamma", "AIC"])
    with pytest.raises(DataSaysNoError, match="do not bound"):
        compare_families(counted_by(frame), "1", families=("generalized_gamma",))


@pytest.fixture(scope="module")
def fit() -> AftFit:
    frame = simulated(np.random.default_rng(7), 2_000)
    frame["artist"] = np.arange(len(frame)) // 4
    return aft(counted_by(frame, cluster="artist"), "x + y")


VALUES = pd.DataFrame({"x": [0, 1, 1], "y": [0, 0, -2]}, index=["a", "b", "c"])


def test_predictions_fit_together(fit: AftFit) -> None:
    curves = fit.predict_survival_function(VALUES)
    assert curves.index.tolist() == list(range(fit.horizon + 1))
    assert curves.columns.tolist() == ["a", "b", "c"]
    assert (curves.loc[0] == 1).all()
    assert (curves.diff().dropna() <= 0).all().all()
    later = fit.predict_survival_function(VALUES, [0, 10], conditional_after=20)
    np.testing.assert_allclose(later.loc[10], curves.loc[30] / curves.loc[20])
    chance = fit.probability(VALUES, 30, conditional_after=20)
    np.testing.assert_allclose(chance["estimate"], 1 - later.loc[10])
    assert (chance["low"] < chance["estimate"]).all()
    assert (chance["estimate"] < chance["high"]).all()
    z = (np.log(30) - fit.parameters(VALUES)[:, 0]) / np.exp(fit.params_["log(scale)"])
    np.testing.assert_allclose(curves.loc[30], np.exp(-np.exp(z)))


def test_the_interval_of_a_probability_is_the_delta_method(fit: AftFit) -> None:
    """Against a numeric derivative of log(−log S) by each coefficient."""
    step, gradient = 1e-6, []
    for at in range(len(fit.coefficients)):
        moved = [fit.coefficients + by * step * (np.arange(len(fit.coefficients)) == at) for by in (1, -1)]
        more, less = (np.log(-np.log(_survival(fit, theta, 30))) for theta in moved)
        gradient.append((more - less) / (2 * step))
    change = np.array(gradient).T
    error = np.sqrt(np.einsum("np,pq,nq->n", change, fit.variance_matrix_.to_numpy(), change))
    found = fit.probability(VALUES, 30)
    width = np.log(-np.log1p(-found["high"])) - np.log(-np.log1p(-found["low"]))
    np.testing.assert_allclose(width, 2 * 1.96 * error, rtol=0.01)  # of the t distribution, with many clusters


def _survival(fit: AftFit, theta: Floats, day: float) -> Floats:
    location = theta[0] + VALUES.to_numpy() @ theta[1:3]
    return np.exp(-np.exp((np.log(day) - location) / np.exp(theta[3])))


def test_medians_end_with_follow_up(fit: AftFit) -> None:
    medians = fit.predict_median(VALUES)
    for row, median in medians.items():
        curve = fit.predict_survival_function(VALUES.loc[[row]])[row]
        assert np.interp(median, curve.index, curve) == pytest.approx(0.5, abs=0.002)
    slow = pd.DataFrame({"x": [1], "y": [-6]})
    assert fit.predict_median(slow).tolist() == [np.inf]
    later = fit.predict_median(VALUES, conditional_after=10)
    curve = fit.predict_survival_function(VALUES, conditional_after=10)["b"]
    assert np.interp(later["b"], curve.index, curve) == pytest.approx(0.5, abs=0.002)
    assert medians["a"] < fit.median_survival_time_ < medians["c"]


def test_the_summary_is_that_of_lifelines(fit: AftFit) -> None:
    table, theirs = fit.summary, fit.to_lifelines().summary
    assert table.index.name == "covariate"
    assert table.index.tolist() == ["Intercept", "x", "y", "log(scale)"]
    assert [column for column in theirs if column in table] == list(table)
    np.testing.assert_allclose(table["exp(coef)"], np.exp(fit.params_))
    assert (table["coef lower 95%"] < table["coef"]).all()
    assert fit.variables == ("x", "y")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            lambda fit: fit.predict_survival_function(VALUES, [200]),
            "day 200 is beyond the follow-up, which ends on day 100",
        ),
        (lambda fit: fit.predict_survival_function(VALUES, [50], conditional_after=60), "day 110 is beyond"),
        (lambda fit: fit.predict_survival_function(VALUES, conditional_after=101), "day 101 is beyond"),
        (lambda fit: fit.predict_survival_function(VALUES, [-1]), "must be whole days, 0 or more"),
        (lambda fit: fit.probability(VALUES, 101), "follow-up ends on day 100"),
        (lambda fit: fit.probability(VALUES, 20, conditional_after=20), "later than the days waited"),
        (lambda fit: fit.predict_median(VALUES, conditional_after=-1), "follow-up is from day 0 to 100"),
        (lambda fit: fit.predict_median(VALUES[["x"]]), "unknown variable 'y'"),
    ],
)
def test_what_cannot_be_predicted_is_said(fit: AftFit, asked: Any, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        asked(fit)


def rows(days: list[int], entered: list[int], x: list[int]) -> FrameWaits:
    return frame_waits(pd.DataFrame({"days": days, "entered": entered, "x": x}), days="days", entered="entered")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("source", "formula", "message"),
    [
        (rows([5, 9, 9], [0, 0, 0], [0, 1, 2]), "x", "none of 3 waits ended with an entry"),
        (rows([5], [1], [0]), "1", "converge|do not bound"),
        (rows([5, 5, 5], [1, 1, 1], [0, 0, 1]), "1", "converge|do not bound"),
        (rows([3, 4, 6, 9, 9, 9], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]), "x", "converge|do not bound"),
        (
            rows([3, 4, 6, 7, 8, 9, 9], [1, 1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 1, 1]),
            "C(x)",
            "'C\\(x\\)\\[T.1\\]'|converge",
        ),
    ],
)
def test_data_that_says_no(source: FrameWaits, formula: str, message: str, family: Family) -> None:
    with pytest.raises(DataSaysNoError, match=message):
        aft(source, formula, family=family)


def test_all_entries_can_be_fitted() -> None:
    days = np.ceil(np.exp(2 + 0.5 * np.log(np.random.default_rng(8).exponential(size=300)))).astype(int)
    fit = aft(rows(days.tolist(), [1] * 300, [0] * 300), "1")
    assert fit.params_["Intercept"] == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"family": "gompertz"}, "unknown family 'gompertz'; there are weibull, lognormal"),
        ({"cluster": "label"}, "unknown cluster 'label'; there are artist"),
    ],
)
def test_wrong_settings(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        aft(reference_waits("lung"), "one", **options)


def test_collinear_covariates() -> None:
    with pytest.raises(SettingError, match="combination of the covariates before it"):
        aft(rows([3, 4, 5, 6], [1, 1, 0, 1], [0, 1, 2, 3]), "x + I(2 * x)")


def test_one_cluster_has_no_robust_error() -> None:
    frame = simulated(np.random.default_rng(9), 200).assign(artist=1)
    with pytest.raises(DataSaysNoError, match="all that is known of 'Intercept' comes from one artist"):
        aft(counted_by(frame, cluster="artist"), "x")


def test_waits_of_entries_are_fitted_with_every_cluster() -> None:
    with diffusion.open_sample() as charts:
        source = waits(charts.entries(), horizon=60)
    fits = [
        aft(source, "language_match + log(footprint)", cluster=cluster)
        for cluster in ("artist", "track", "independent")
    ]
    assert [fit.cluster for fit in fits] == ["artist", "track", "independent"]
    np.testing.assert_allclose(fits[0].coefficients, fits[2].coefficients)
    assert fits[0].params_["log(footprint)"] < 0
    assert fits[0].standard_errors_["log(footprint)"] > fits[2].standard_errors_["log(footprint)"]


def by_artist(rng: np.random.Generator, artists: int) -> pd.DataFrame:
    """Return waits of artists, of which a handful have much; each artist has a speed of its own, that no model has."""
    size = np.minimum(np.ceil(rng.pareto(1.3, artists) * 4), 150).astype(int)
    artist = np.repeat(np.arange(artists), size)
    x, y = (rng.random(artists) < 0.5)[artist].astype(int), rng.integers(-1, 2, len(artist))
    speed = rng.normal(size=artists)[artist]
    time = np.floor(np.exp(4.5 + 0.5 * x - 0.4 * y + speed + np.log(rng.exponential(size=len(artist))))) + 1
    end = np.where(rng.random(len(artist)) < 0.7, 180, rng.integers(60, 180, len(artist)))
    start = np.where(rng.random(len(artist)) < 0.1, rng.integers(0, 20, len(artist)), 0)
    frame = pd.DataFrame({"artist": artist, "x": x, "y": y, "start": start, "days": np.minimum(time, end).astype(int)})
    return frame.assign(entered=time <= end)[time > start]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["weibull", "lognormal"])
def test_intervals_by_artist_keep_their_rate(family: Family) -> None:
    """The truth is the limit of a large sample, since the speeds of artists are in no family."""
    limit = aft(counted_by(by_artist(np.random.default_rng(10**6), 40_000)), "x + y", family=family)
    truth, chance = limit.coefficients, limit.probability(VALUES, 90)["estimate"]
    worlds = 400
    coefficients, chances = np.zeros((worlds, len(truth))), np.zeros((worlds, len(VALUES)))
    for seed in range(worlds):
        found = aft(counted_by(by_artist(np.random.default_rng(seed), 300), cluster="artist"), "x + y", family=family)
        table, by_day = found.summary, found.probability(VALUES, 90)
        coefficients[seed] = (table["coef lower 95%"] <= truth) & (table["coef upper 95%"] >= truth)
        chances[seed] = (by_day["low"] <= chance) & (by_day["high"] >= chance)
    held = [*coefficients.mean(axis=0)[:3], *chances.mean(axis=0)]
    assert min(held) >= 0.915  # 93 %, less a standard error of 400 worlds
    assert max(held) <= 0.985
