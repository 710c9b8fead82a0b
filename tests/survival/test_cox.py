"""Cox models: counts against rows, penalties, predictions, conversion to lifelines, and what bad input gets."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from numpy.typing import NDArray

import diffusion
from diffusion import DataSaysNoError, SettingError
from survival import CoxFit, cox, cox_rows, frame_waits, hazard_ratios_by_period, log_log, proportionality, waits
from survival.regression.partial_likelihood import TieMethod
from tests.conftest import REFERENCE

SAME = 1e-8
"""Counts and rows add the same terms in another order."""

LUNG = pd.read_csv(REFERENCE / "cox_lung.csv")
NAMES = {"days": "month", "entered": "died"}


NAMES_OF_LIFELINES = (
    "params_",
    "hazard_ratios_",
    "standard_errors_",
    "variance_matrix_",
    "confidence_intervals_",
    "baseline_cumulative_hazard_",
    "baseline_survival_",
)


def random_frame(seed: int, rows: int = 300, days: int = 12) -> pd.DataFrame:
    """Return rows with delayed entry, heavy ties, three strata and clusters of unequal size."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": generator.integers(0, 4, rows),
            "near": generator.integers(0, 2, rows),
            "kind": generator.choice(["a", "b", "c"], rows),
            "place": generator.integers(0, 3, rows),
            "artist": np.floor(generator.pareto(1, rows)).clip(0, 30),
            "start": generator.integers(0, 4, rows) * generator.integers(0, 2, rows),
        }
    )
    rate = 0.1 * np.exp(0.3 * frame["x"] - 0.5 * frame["near"])
    wait = np.ceil(generator.exponential(1 / rate)).astype(int)
    frame["days"] = frame["start"] + wait.clip(1, days)
    frame["entered"] = wait <= days
    return frame


def both(frame: pd.DataFrame, formula: str, ties: TieMethod, strata: tuple[str, ...], cluster: bool) -> list[CoxFit]:
    """Return the fits to counts and to rows."""
    names: dict[str, Any] = {"days": "days", "entered": "entered", "start": "start"}
    if cluster:
        names["cluster"] = "artist"
    return [
        cox(frame_waits(frame, **names), formula, strata=strata, ties=ties),
        cox_rows(frame, formula, strata=strata, ties=ties, **names),
    ]


@given(st.integers(0, 10**6), st.sampled_from(["efron", "breslow"]), st.sampled_from([(), ("place",)]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_counts_give_the_numbers_of_rows(seed: int, ties: TieMethod, strata: tuple[str, ...], cluster: bool) -> None:
    frame = random_frame(seed)
    counts, rows = both(frame, "x + near * C(kind)", ties, strata, cluster)
    assert len(counts.params_) == 6
    for name in (
        "params_",
        "variance_matrix_",
        "degrees_of_freedom_",
        "baseline_cumulative_hazard_",
        "log_likelihood_",
    ):
        np.testing.assert_allclose(getattr(counts, name), getattr(rows, name), rtol=SAME, atol=SAME)
    for transform in ("km", "rank"):
        np.testing.assert_allclose(proportionality(counts, transform), proportionality(rows, transform), rtol=1e-6)
    people = frame.head(5)
    for after, day in ((0, 6), (3, 8)):
        np.testing.assert_allclose(
            counts.probability(people, day, conditional_after=after),
            rows.probability(people, day, conditional_after=after),
            rtol=SAME,
            atol=SAME,
        )


def uncorrected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the influence of clusters as it is, without the correction of large ones."""
    as_it_is = property(lambda self: self.change, lambda self, _: None)
    monkeypatch.setattr("survival.regression.robust.Influence.left_out", as_it_is)


@pytest.mark.parametrize(
    ("formula", "strata", "updated"),
    [("language_match + log(footprint)", ("continent",), False), ("log(entered_markets) + language_match", (), True)],
)
def test_waits_of_charts_give_the_numbers_of_their_rows(formula: str, strata: tuple[str, ...], updated: bool) -> None:
    with diffusion.open_sample() as charts:
        source = waits(charts.entries(), horizon=60, updated=updated)
    counts = cox(source, formula, strata=strata)
    frame = source.rows(counts.variables)
    rows = cox_rows(frame, formula, days="days", entered="entered", start="start", cluster="artist", strata=strata)
    for name in ("params_", "standard_errors_", "lin_wei_matrix_", "degrees_of_freedom_", "log_likelihood_"):
        np.testing.assert_allclose(getattr(counts, name), getattr(rows, name), rtol=SAME)
    np.testing.assert_allclose(counts.probability(frame.head(4), 30), rows.probability(frame.head(4), 30), rtol=SAME)


# ── errors by cluster ────────────────────────────────────────────────────────────────────────────────────────────────


def test_errors_by_cluster_are_made_of_derivatives_by_its_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("survival.regression.cox_prediction.left_out", lambda change, _: change)
    uncorrected(monkeypatch)
    monkeypatch.setattr("survival.regression.cox_prediction.quantile", np.ones_like)
    frame, step = random_frame(3), 1e-5
    names = {"days": "days", "entered": "entered", "start": "start", "cluster": "artist", "weights": "weight"}
    people, cluster = frame.head(4), frame.groupby("artist").ngroup()

    def fitted(weight: Any) -> tuple[CoxFit, NDArray[np.float64]]:
        """Return the fit, and the log cumulative hazard of people between two days, with its error."""
        fit = cox_rows(frame.assign(weight=weight), "x + near", strata=["place"], **names)
        return fit, np.log(-np.log1p(-fit.probability(people, 8, conditional_after=2).to_numpy()))

    fit, hazard = fitted(1.0)
    changes = []
    for number in range(cluster.max() + 1):
        heavier, more = fitted(1 + step * (cluster == number))
        changes.append(np.append(heavier.params_ - fit.params_, more[:, 0] - hazard[:, 0]) / step)
    errors = np.sqrt(np.square(changes).sum(axis=0))
    np.testing.assert_allclose(np.append(fit.standard_errors_, hazard[:, 2] - hazard[:, 0]), errors, rtol=1e-3)


def test_shares_of_clusters_sum_to_one_and_few_clusters_widen() -> None:
    frame = random_frame(4)
    fit = both(frame, "x + near", "efron", (), True)[0]
    assert fit.influence is not None
    np.testing.assert_allclose(fit.influence.share.sum(axis=0), 1)
    assert (np.diag(fit.variance_matrix_) > np.diag(fit.lin_wei_matrix_)).all()
    # one artist has most waits, so there are fewer effective clusters than artists
    assert (fit.degrees_of_freedom_ < frame["artist"].nunique() - 1).all()


# ── predictions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_predictions_are_conditional_on_the_wait_so_far() -> None:
    frame = random_frame(5)
    fit = both(frame, "x + near", "efron", ("place",), True)[0]
    people = frame.head(6)
    whole = fit.predict_survival_function(people, [0, 3, 8])
    later = fit.predict_survival_function(people, [0, 5], conditional_after=3)
    np.testing.assert_allclose(later.loc[5], whole.loc[8] / whole.loc[3])
    assert (whole.loc[0] == 1).all()
    found = fit.probability(people, 8, conditional_after=3)
    np.testing.assert_allclose(found["estimate"], 1 - later.loc[5])
    assert ((found["low"] < found["estimate"]) & (found["estimate"] < found["high"])).all()
    with pytest.raises(SettingError, match="day 3 is not after day 3"):
        fit.probability(people, 3, conditional_after=3)
    assert list(later.columns) == list(people.index)


def test_the_baseline_is_the_prediction_at_the_mean() -> None:
    fit = cox_rows(LUNG, "age + sex", days="time", entered="died")
    mean = LUNG[["age", "sex"]].mean().to_frame().T
    curve = fit.predict_survival_function(mean)
    np.testing.assert_allclose(curve[0], fit.baseline_survival_["baseline survival"])
    assert fit.predict_partial_hazard(mean).to_numpy() == pytest.approx(1)
    assert list(fit.baseline_cumulative_hazard_.columns) == ["baseline cumulative hazard"]


def test_a_formula_without_covariates_gives_the_nelson_aalen_curve() -> None:
    fit = cox_rows(LUNG, "1", days="month", entered="died", ties="breslow")
    died = LUNG[LUNG["died"] == 1].groupby("month").size()
    at_risk = np.array([(LUNG["month"] >= month).sum() for month in died.index])
    hazard = fit.baseline_cumulative_hazard_["baseline cumulative hazard"].loc[died.index]
    np.testing.assert_allclose(hazard, (died / at_risk).cumsum())
    for cluster in (None, "inst"):
        again = cox_rows(LUNG, "1", days="month", entered="died", ties="breslow", cluster=cluster)
        found = again.probability(LUNG.head(1), 12).iloc[0]
        assert found["low"] < found["estimate"] < found["high"]


def test_the_last_day_bounds_predictions() -> None:
    fit = both(random_frame(6), "x", "efron", (), False)[0]
    with pytest.raises(SettingError, match=r"day 40 is beyond the follow-up, which ends on day 1\d"):
        fit.probability(pd.DataFrame({"x": [1]}), 40)
    with pytest.raises(SettingError, match="beyond the follow-up"):
        fit.predict_survival_function(pd.DataFrame({"x": [1]}), [5], conditional_after=12)
    with pytest.raises(SettingError, match="0 or more"):
        fit.predict_survival_function(pd.DataFrame({"x": [1]}), [-1])


def test_strata_that_nobody_was_in_or_entered_in_have_no_prediction() -> None:
    frame = random_frame(7)
    frame["entered"] &= frame["place"] != 2
    fit = both(frame, "x", "efron", ("place",), True)[0]
    assert list(fit.baseline_cumulative_hazard_) == [0, 1]
    with pytest.raises(DataSaysNoError, match="nobody entered in the stratum place=2"):
        fit.probability(pd.DataFrame({"x": [1, 1], "place": [0, 2]}), 3)
    with pytest.raises(SettingError, match="no wait was in the stratum place=7"):
        fit.probability(pd.DataFrame({"x": [1], "place": [7]}), 3)
    with pytest.raises(SettingError, match="no column 'place' in the values"):
        fit.probability(pd.DataFrame({"x": [1]}), 3)


# ── penalties ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("penalizer", [0.01, 0.5])
def test_ridge_is_that_of_lifelines(penalizer: float) -> None:
    columns = LUNG[["month", "died", "age", "sex", "ecog"]]
    theirs = CoxPHFitter(penalizer=penalizer).fit(columns, "month", "died", fit_options={"precision": 1e-12})
    for fit in (
        cox_rows(LUNG, "age + sex + ecog", penalizer=penalizer, **NAMES),
        cox(frame_waits(LUNG, **NAMES), "age + sex + ecog", penalizer=penalizer),
    ):
        np.testing.assert_allclose(fit.params_, theirs.params_, rtol=1e-6)


@pytest.mark.parametrize(("penalizer", "ratio", "kept"), [(0.02, 0.5, 3), (0.12, 1.0, 2), (5.0, 1.0, 0)])
def test_elastic_net_fulfils_the_conditions_of_its_maximum(penalizer: float, ratio: float, kept: int) -> None:
    fit = cox(frame_waits(LUNG, **NAMES), "age + sex + ecog", penalizer=penalizer, l1_ratio=ratio)
    coefficients, gradient = fit.maximum.point.coefficients, fit.maximum.point.gradient()
    slope = gradient / len(LUNG) - penalizer * (1 - ratio) * coefficients
    there = coefficients != 0
    assert there.sum() == kept
    np.testing.assert_allclose(slope[there], penalizer * ratio * np.sign(coefficients[there]), rtol=1e-8)
    assert (np.abs(slope[~there]) <= penalizer * ratio).all()


def test_a_penalised_fit_claims_no_errors() -> None:
    fit = cox(frame_waits(LUNG, **NAMES, cluster="inst"), "age + sex", penalizer=0.1)
    assert list(fit.summary) == ["coef", "exp(coef)"]
    with pytest.raises(SettingError, match="a penalised fit has no errors"):
        _ = fit.standard_errors_
    found = fit.probability(LUNG.head(2), 5)
    assert found["estimate"].notna().all()
    assert found[["low", "high"]].isna().all(axis=None)
    with pytest.raises(SettingError, match="without a penalizer"):
        proportionality(fit)


@pytest.mark.parametrize(("penalizer", "ratio"), [(-1.0, 0.0), (np.inf, 0.0), (1.0, 1.5), (1.0, -0.1), (np.nan, 0.0)])
def test_penalties_out_of_range_are_refused(penalizer: float, ratio: float) -> None:
    with pytest.raises(SettingError, match="must be"):
        cox_rows(LUNG, "age", penalizer=penalizer, l1_ratio=ratio, **NAMES)


# ── lifelines ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_lifelines_agrees_and_has_the_names() -> None:
    frame = random_frame(8)
    for strata in ((), ("place",)):
        for fit in both(frame, "x + near", "efron", strata, True):
            theirs = fit.to_lifelines()
            np.testing.assert_allclose(fit.params_, theirs.params_, rtol=1e-4)
            np.testing.assert_allclose(fit.log_likelihood_, theirs.log_likelihood_, rtol=1e-8)
            model = np.sqrt(np.diag(np.linalg.inv(fit.maximum.information))) / fit.data.scale.deviation
            np.testing.assert_allclose(model, theirs.standard_errors_, rtol=1e-4)
            ratio = fit.predict_partial_hazard(frame) / theirs.predict_partial_hazard(frame)
            np.testing.assert_allclose(ratio, 1, rtol=1e-4)
            assert set(fit.summary) <= set(theirs.summary)
            assert fit.summary.index.equals(theirs.summary.index)
            for name in NAMES_OF_LIFELINES:
                assert isinstance(getattr(fit, name), type(getattr(theirs, name))), name


def test_weights_and_penalties_go_to_lifelines() -> None:
    frame = random_frame(9).assign(weight=lambda frame: 1 + frame["x"] % 2)
    for options in ({"weights": "weight"}, {"penalizer": 0.1}):
        fit = cox_rows(frame, "x + near", days="days", entered="entered", **options)
        np.testing.assert_allclose(fit.params_, fit.to_lifelines().params_, rtol=1e-4)


def test_variables_called_like_times_do_not_go_to_lifelines() -> None:
    frame = random_frame(9).assign(time=lambda frame: frame["days"], weight=lambda frame: frame["x"])
    fit = cox_rows(frame, "weight", days="time", entered="entered")
    with pytest.raises(SettingError, match="the variable 'weight' has the name of a column"):
        fit.to_lifelines()


def test_lifelines_gets_no_more_than_it_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = both(random_frame(8), "x", "efron", (), False)[0]
    monkeypatch.setattr("survival.regression.to_lifelines.MOST", 100)
    with pytest.raises(SettingError, match="300 rows are too many for lifelines; 100 or fewer"):
        fit.to_lifelines()
    with pytest.raises(SettingError, match="ties after Efron only"):
        both(random_frame(8), "x", "breslow", (), False)[0].to_lifelines()


# ── periods and curves ───────────────────────────────────────────────────────────────────────────────────────────────


def test_ratios_by_period_are_those_of_the_model_with_all_products(monkeypatch: pytest.MonkeyPatch) -> None:
    uncorrected(monkeypatch)  # large clusters are corrected by period
    frame = random_frame(10, rows=2000)
    names = {"days": "days", "entered": "entered", "start": "start", "cluster": "artist"}
    found = hazard_ratios_by_period(frame_waits(frame, **names), "x + near", (0, 4, 8))
    assert found["events"].tolist() == 2 * [
        int(frame.query("entered and @low < days <= @high").shape[0]) for low, high in ((0, 4), (4, 8), (8, 99))
    ]
    parts = []
    for at, (low, high) in enumerate(((0, 4), (4, 8), (8, 99))):
        part = frame.query("days > @low and start < @high").copy()
        part["entered"] &= part["days"] <= high
        part["start"] = part["start"].clip(lower=low)
        part["days"] = part["days"].clip(upper=high)
        parts.append(part.assign(**{f"{name}{k}": part[name] * (k == at) for name in ("x", "near") for k in range(3)}))
    whole = cox_rows(pd.concat(parts), "x0 + x1 + x2 + near0 + near1 + near2", **names)
    np.testing.assert_allclose(found["coef"], whole.params_, rtol=SAME)
    np.testing.assert_allclose(found["se(coef)"], whole.standard_errors_, rtol=SAME)
    off = np.array([[-1, 1, 0], [0, -1, 1]]) @ whole.params_.to_numpy()[:3]
    spread = np.array([[-1, 1, 0], [0, -1, 1]]) @ whole.variance_matrix_.to_numpy()[:3, :3] @ [[-1, 0], [1, -1], [0, 1]]
    from scipy.stats import f as fisher

    assert whole.influence is not None
    moved = np.array([[-1, 1, 0], [0, -1, 1]]) @ (whole.influence.change / whole.data.scale.deviation)[:, :3].T
    share = np.diag(moved.T @ np.linalg.solve(spread, moved)) / 2
    freedom = min(whole.degrees_of_freedom_.iloc[:3].min(), 1 / (share**2).sum() - 1)
    statistic = off @ np.linalg.solve(spread, off) * (freedom - 1) / (2 * freedom)
    p = fisher.sf(statistic, 2, freedom - 1)
    assert found["p_same"].iloc[:3].to_numpy() == pytest.approx(p)


def test_a_ratio_that_changes_is_found() -> None:
    generator = np.random.default_rng(1)
    near = np.repeat([0, 1], 1500)
    # the hazard of those near is 3 times as large up to day 5, and the same after it
    early = generator.exponential(1 / (0.04 * np.where(near, 3, 1)))
    wait = np.ceil(np.where(early <= 5, early, 5 + generator.exponential(25, len(near))))
    frame = pd.DataFrame({"near": near, "days": wait.clip(max=30).astype(int), "entered": wait <= 30})
    source = frame_waits(frame, days="days", entered="entered")
    found = hazard_ratios_by_period(source, "near", (0, 5, 15), cluster="independent")
    assert found["exp(coef)"].round(1).tolist() == [3.0, 1.0, 0.9]
    assert found["p_same"].iloc[0] < 1e-9
    assert proportionality(cox(source, "near"))["p"].max() < 1e-9


def test_periods_must_be_in_order_and_have_entries() -> None:
    source = frame_waits(LUNG, **NAMES)
    for periods in ((0,), (5, 5), (-1, 4)):
        with pytest.raises(SettingError, match="two or more days in order"):
            hazard_ratios_by_period(source, "age", periods)
    assert hazard_ratios_by_period(source, "age", (0, 6, 90))["after"].tolist() == [0, 6]
    with pytest.raises(SettingError, match="two or more before day 35, the last at risk"):
        hazard_ratios_by_period(source, "age", (0, 90))
    with pytest.raises(DataSaysNoError, match="after day 33 until day 35: no wait ended with an entry"):
        hazard_ratios_by_period(source, "age", (0, 33))
    with pytest.raises(SettingError, match="no covariate"):
        hazard_ratios_by_period(source, "1")


def test_log_log_curves_are_those_of_kaplan_and_meier() -> None:
    frame = pd.DataFrame({"days": [1, 2, 2, 3, 4, 1], "entered": [1, 1, 0, 1, 0, 0], "near": [0, 0, 0, 0, 0, 1]})
    found = log_log(frame_waits(frame, days="days", entered="entered"), "near")
    assert found["group"].tolist() == [0, 0, 0]
    assert found["days"].tolist() == [1, 2, 3]
    survival = np.cumprod([4 / 5, 3 / 4, 1 / 2])
    np.testing.assert_allclose(found["log_minus_log"], np.log(-np.log(survival)))
    with pytest.raises(DataSaysNoError, match="nobody enters"):
        log_log(frame_waits(frame.assign(entered=0), days="days", entered="entered"), "near")


# ── what bad input gets ──────────────────────────────────────────────────────────────────────────────────────────────


def simple(**columns: Any) -> pd.DataFrame:
    """Return six rows that can be fitted, with other columns in the place of these."""
    frame = {"days": [1, 2, 3, 4, 5, 6], "entered": [1, 1, 0, 1, 1, 0], "x": [1, 0, 1, 0, 1, 0]}
    return pd.DataFrame(frame | columns)


def refused(frame: pd.DataFrame, formula: str = "x", **options: Any) -> list[str]:
    """Return the message for rows and for counts."""
    found = []
    for fit in (
        lambda: cox_rows(frame, formula, days="days", entered="entered", **options),
        lambda: cox(frame_waits(frame, days="days", entered="entered"), formula, **options),
    ):
        with pytest.raises((SettingError, DataSaysNoError)) as caught:
            fit()
        assert "\n" not in str(caught.value)
        found.append(str(caught.value))
    return found


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (simple(entered=0), "no wait ended with an entry"),
        (simple(days=3, entered=1), "whenever somebody enters, all at risk do"),
        (simple().head(1).assign(entered=1), "same value everywhere"),
        (simple(x=[1, 1, 0, 1, 1, 0]), "the hazard ratio of 'x' (to infinity) has no end"),
        (simple(x=[0, 0, 1, 0, 0, 1]), "the hazard ratio of 'x' (to 0) has no end"),
        (simple(x=[0, 1, 0, 0, 0, 0], entered=[0, 0, 1, 1, 1, 1], days=[1, 1, 3, 4, 5, 6]), "'x' does not differ"),
        (simple(x=2.0), "same value everywhere"),
        (simple(x=[1, 0, np.nan, 0, 1, 0]), "missing values"),
        (simple(days=[1, 2, -3, 4, 5, 6]), "row 2"),
        (simple(days=[1, 2, 0, 4, 5, 6]), "row 2"),
        (simple(days=[1, 2, np.nan, 4, 5, 6]), "row 2 of the column 'days' is nan"),
        (simple(entered=[1, 1, np.nan, 1, 1, 0]), "must be true or false"),
        (simple(entered=[1, 1, 2, 1, 1, 0]), "must be true or false"),
        (simple().head(0), "no row"),
    ],
)  # fmt: skip
def test_bad_data_gets_a_named_error(frame: pd.DataFrame, says: str) -> None:
    for message in refused(frame):
        assert says in message


def test_all_entries_are_allowed_as_long_as_somebody_is_left() -> None:
    fit = cox_rows(simple(entered=1), "x", days="days", entered="entered")
    assert np.isfinite(fit.standard_errors_["x"])
    # tied on one day, with others left
    tied = simple(days=[3, 3, 3, 6, 6, 6], entered=[1, 1, 1, 0, 0, 0])
    assert np.isfinite(cox_rows(tied, "x", days="days", entered="entered").params_["x"])


def test_collinear_covariates_and_those_that_strata_hold_are_named() -> None:
    frame = simple(y=[2, 0, 2, 0, 2, 0])
    for message in refused(frame, "x + y"):
        assert "'y'" in message
        assert "combination" in message
    for message in refused(frame, "x", strata=["y"]):
        assert "'x' does not differ among those at risk" in message
    for ratio in (0.0, 1.0):  # a penalty leaves it at 0
        fit = cox_rows(frame, "x", days="days", entered="entered", strata=["y"], penalizer=0.1, l1_ratio=ratio)
        assert fit.params_["x"] == pytest.approx(0, abs=1e-12)


def test_separation_by_several_categories_names_them() -> None:
    generator = np.random.default_rng(2)
    frame = pd.DataFrame({"days": generator.integers(1, 9, 90), "kind": np.repeat(["a", "b", "c"], 30)})
    frame["entered"] = (frame["kind"] != "b") & (generator.random(90) < 0.5)
    for message in refused(frame, "kind"):
        assert "'kind[T.b]' (to 0) has no end" in message
        assert "kind[T.c]" not in message
    fit = cox_rows(frame, "kind", days="days", entered="entered", penalizer=0.01)
    assert fit.params_["kind[T.b]"] < -1


def test_a_covariate_that_one_cluster_tells_all_of_has_no_error() -> None:
    frame = simple(artist=[0, 1, 2, 0, 1, 2]).assign(x=lambda frame: (frame["artist"] == 0) * 1.0)
    again = pd.concat([frame, frame.assign(artist=5, x=0.0)])
    fit = cox_rows(again, "x", days="days", entered="entered", cluster="artist")
    assert fit.degrees_of_freedom_["x"] < 2
    with pytest.raises(DataSaysNoError, match="all that is known of 'x' comes from one cluster"):
        cox_rows(frame.assign(artist=1), "x", days="days", entered="entered", cluster="artist")


def test_options_and_columns_that_are_not_there_are_named() -> None:
    with pytest.raises(SettingError, match="unknown variable 'xx'"):
        cox_rows(simple(), "xx", days="days", entered="entered")
    with pytest.raises(SettingError, match="no column 'gone' in the frame"):
        cox_rows(simple(), "x", days="gone", entered="entered")
    with pytest.raises(SettingError, match="ties are taken by efron or breslow, not by 'exact'"):
        cox_rows(simple(), "x", days="days", entered="entered", ties="exact")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="artist, track, independent, not by 'label'"):
        cox(frame_waits(simple(), days="days", entered="entered"), "x", cluster="label")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="time is taken by"):
        proportionality(cox_rows(simple(), "x", days="days", entered="entered"), "square")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="no error by cluster"):
        _ = cox_rows(simple(), "x", days="days", entered="entered").lin_wei_matrix_


def test_starts_weights_and_clusters_are_checked() -> None:
    names = {"days": "days", "entered": "entered"}
    late = simple(start=[0, 2, 0, 0, 0, 0])
    with pytest.raises(SettingError, match="row 1 is at risk after 2 until 2"):
        cox_rows(late, "x", start="start", **names)
    with pytest.raises(SettingError, match="row 3 of the column 'w' is not above 0"):
        cox_rows(simple(w=[1, 1, 1, 0, 1, 1]), "x", weights="w", **names)
    with pytest.raises(SettingError, match="the column 'who' has 1 missing values"):
        cox_rows(simple(who=[1, 2, 3, 4, 5, np.nan]), "x", cluster="who", **names)
    with pytest.raises(SettingError, match="the column 'who' has 1 missing values"):
        cox_rows(simple(who=[1, 2, 3, 4, 5, np.nan]), "x", strata=["who"], **names)


def test_episodes_of_one_subject_are_as_one_row() -> None:
    frame = random_frame(11)
    first = frame.assign(days=frame["start"] + 0.5, entered=False)
    rest = frame.assign(start=frame["start"] + 0.5)
    names = {"days": "days", "entered": "entered", "start": "start"}
    whole, parts = cox_rows(frame, "x", **names), cox_rows(pd.concat([first, rest]), "x", **names)
    np.testing.assert_allclose(whole.params_, parts.params_, rtol=SAME)
    np.testing.assert_allclose(whole.standard_errors_, parts.standard_errors_, rtol=SAME)


def test_far_off_covariates_lose_no_digits() -> None:
    frame = random_frame(12)
    near = cox_rows(frame, "x + near", days="days", entered="entered")
    far = cox_rows(frame.assign(x=frame["x"] + 1e6), "x + near", days="days", entered="entered")
    np.testing.assert_allclose(near.params_, far.params_, rtol=1e-7)
