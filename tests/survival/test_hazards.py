"""Hazards by day: equal to rows one by one, right on simulated truth, kind to bad input."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.duration.hazard_regression import PHReg

import diffusion
from diffusion import DataSaysNoError, SettingError
from survival import HazardFit, discrete_hazard, frame_waits, waits
from survival.counting.frame import FrameWaits
from survival.hazards.baseline import CUTS, Baseline
from survival.hazards.maximum import maximise
from survival.hazards.model import Model
from survival.hazards.robust import influences
from tests.survival.simulated_waits import END, World, counted, with_effects

SAME = 1e-8
"""Two ways to the same maximum."""

LINKS = {"cloglog": sm.families.links.CLogLog(), "logit": sm.families.links.Logit()}


def daily(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row per wait and day at risk, with the day and whether the wait ends then with an entry."""
    rows = frame.loc[frame.index.repeat(frame["days"] - frame["start"])].copy()
    rows["day"] = rows.groupby(level=0).cumcount() + rows["start"] + 1
    rows["entry"] = (rows["entered"] & (rows["day"] == rows["days"])).astype(float)
    return rows


@pytest.fixture(scope="module")
def world() -> pd.DataFrame:
    """Return waits on daily charts without missed ones, in which artists differ and a covariate has many values."""
    frame = World(alike=0.5, tracks=150).draw(1)
    frame["after"] = frame["days"] - 1
    frame["size"] = np.random.default_rng(1).normal(size=len(frame)).round(1)
    return frame


def by_rows(
    frame: pd.DataFrame, columns: Callable[[pd.DataFrame], list[np.ndarray]], baseline: Baseline, link: str
) -> sm.GLM:
    """Return a generalised linear model of the rows by day."""
    rows = daily(frame)
    design = np.column_stack([*columns(rows), baseline.columns[baseline.period[rows["day"]]]])
    return sm.GLM(rows["entry"], design, family=sm.families.Binomial(LINKS[link]))


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("baseline", ["periods", "spline"])
def test_equal_to_rows_by_day(world: pd.DataFrame, link: str, baseline: str) -> None:
    """Counts by cell and day give the maximum, likelihood and errors of statsmodels on one row per wait and day."""
    fit = discrete_hazard(counted(world), "pair + size", link=link, baseline=baseline)
    model = by_rows(world, lambda rows: [rows["pair"], rows["size"]], fit.layout.baseline, link)
    peer = model.fit(method="newton", tol=1e-12, maxiter=100)
    assert fit.found.coefs == pytest.approx(peer.params.to_numpy(), abs=SAME)
    assert fit.log_likelihood_ == pytest.approx(peer.llf, rel=SAME)
    assert pytest.approx(peer.aic, rel=SAME) == fit.AIC_
    alone = discrete_hazard(counted(world), "pair + size", link=link, baseline=baseline, cluster="independent")
    errors = np.sqrt(np.diag(alone.covariance.matrix))
    assert errors == pytest.approx(peer.bse.to_numpy(), rel=1e-6)
    assert alone.summary["p"].to_numpy() == pytest.approx(peer.pvalues[:2].to_numpy(), abs=1e-6)


@pytest.mark.parametrize("link", LINKS)
def test_influences_make_the_sandwich_of_rows(world: pd.DataFrame, link: str) -> None:
    """The plain sandwich is statsmodels' without its factor for small samples; ours is a jackknife, and no smaller."""
    fit = discrete_hazard(counted(world), "pair + size", link=link)
    model = by_rows(world, lambda rows: [rows["pair"], rows["size"]], fit.layout.baseline, link)
    groups = {"groups": daily(world)["artist"].to_numpy(), "use_correction": False}
    peer = model.fit(method="newton", tol=1e-12, maxiter=100, cov_type="cluster", cov_kwds=groups)
    own = Model.of(counted(world), "pair + size", link=link, baseline="periods", cluster="artist")
    assert own.waits.clusters is not None
    influence, share = influences(own.waits, own.waits.clusters, own.layout.baseline, own.likelihood, fit.found)
    assert influence.T @ influence == pytest.approx(peer.cov_params().to_numpy(), rel=1e-6, abs=1e-12)
    assert share.sum(axis=0) == pytest.approx(1.0)
    assert (fit.standard_errors_.to_numpy() >= peer.bse[:2].to_numpy()).all()


def test_first_order_jackknife_is_near_the_jackknife(world: pd.DataFrame) -> None:
    """Errors are close to those of fits without one artist at a time."""
    fit = discrete_hazard(counted(world), "own + pair", baseline=[END])
    left = [
        discrete_hazard(counted(world[world["artist"] != artist]), "own + pair", baseline=[END]).params_
        for artist in world["artist"].unique()
    ]
    jackknife = np.sqrt(((np.array(left) - fit.params_.to_numpy()) ** 2).sum(axis=0))
    assert fit.standard_errors_.to_numpy() == pytest.approx(jackknife, rel=0.1)


def test_effects_by_period_equal_interactions(world: pd.DataFrame) -> None:
    """A term with one coefficient per period is an interaction of the rows with the period."""
    fit = discrete_hazard(counted(world), "pair + size", by_period=["pair"], baseline=[7, 28])
    rows = daily(world)
    period = np.eye(3)[fit.layout.baseline.period[rows["day"]]]
    design = np.column_stack([rows["size"], period, period * rows["pair"].to_numpy()[:, None]])
    peer = sm.GLM(rows["entry"], design, family=sm.families.Binomial(LINKS["cloglog"]))
    params = peer.fit(method="newton", tol=1e-12, maxiter=100).params.to_numpy()
    assert list(fit.params_.index) == ["size", "pair:days 1–7", "pair:days 8–28", f"pair:days 29–{END}"]
    assert fit.params_.to_numpy() == pytest.approx(params[[0, 4, 5, 6]], abs=SAME)


def test_one_level_per_day_is_near_cox(world: pd.DataFrame) -> None:
    """With a level for each day of entry, the model is Cox's for grouped times."""
    fit = discrete_hazard(counted(world), "own + pair", baseline=range(1, END), cluster="independent")
    cox = PHReg(world["days"], world[["own", "pair"]], world["entered"], entry=world["start"], ties="efron").fit()
    assert fit.params_.to_numpy() == pytest.approx(cox.params, abs=0.02 * min(cox.bse))
    assert fit.standard_errors_.to_numpy() == pytest.approx(cox.bse, rel=0.01)


def by_hand(frame: pd.DataFrame, fit: HazardFit) -> float:
    """Return the log-likelihood of waits one by one: the hazard is cumulated day by day."""
    level = fit.baseline_cumulative_hazard_["baseline cumulative hazard"]
    total = 0.0
    for wait in frame.itertuples():
        summed = level[[wait.start, wait.after, wait.days]].to_numpy() * np.exp(fit.params_ @ [wait.own, wait.pair])
        if wait.entered:
            total += np.log(-np.expm1(summed[1] - summed[2])) + summed[0] - summed[1]
        else:
            total += summed[0] - summed[2]
    return float(total)


def test_weekly_likelihood_is_that_of_the_intervals() -> None:
    """On weekly charts with missed ones and late starts, entries count by their intervals, and periods by weeks."""
    frame = World(cadence=7).draw(2)
    fit = discrete_hazard(counted(frame), "own + pair")
    assert fit.log_likelihood_ == pytest.approx(by_hand(frame, fit), rel=SAME)
    assert set((frame["days"] - frame["after"])[frame["entered"]]) > {7}
    assert fit.layout.baseline.ends.tolist() == [7, 14, 28, 60, 84]
    score, _ = Model.of(counted(frame), "own + pair", baseline="periods", cluster="artist").likelihood.derivatives(
        fit.found.coefs
    )
    assert score == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("link", LINKS)
def test_derivatives_of_intervals_over_several_periods(link: str) -> None:
    """Score and information are the differences of the likelihood and the score, on intervals that cross periods."""
    frame = World(cadence=7, tracks=60).draw(3)
    model = Model.of(
        counted(frame), "own + pair", link=link, baseline=[7, 18, 30, 45], by_period=["own"], cluster="artist"
    )
    generator = np.random.default_rng(1)
    at = model.start() + generator.normal(0, 0.3, len(model.layout.names))
    score, information = model.likelihood.derivatives(at)
    steps = 1e-5 * np.eye(len(at))
    values = [(model.likelihood.value(at + step) - model.likelihood.value(at - step)) / 2e-5 for step in steps]
    scores = [
        (model.likelihood.derivatives(at + step)[0] - model.likelihood.derivatives(at - step)[0]) / 2e-5
        for step in steps
    ]
    assert score == pytest.approx(np.array(values), rel=1e-5, abs=1e-5)
    assert information == pytest.approx(-np.array(scores), rel=1e-5, abs=1e-5)


LARGE = World(tracks=20_000, artists=20_000, own=-0.4, scale=60.0)


@pytest.mark.parametrize("cadence", [1, 7])
def test_finds_the_truth_on_every_grid(cadence: int) -> None:
    """With many waits, coefficients and baseline are those the waits were drawn with, gaps and late starts or not."""
    frame = replace(LARGE, cadence=cadence).draw(4)
    fit = discrete_hazard(counted(frame), "own + pair", cluster="independent")
    assert np.abs((fit.params_ - [-0.4, 0.5]) / fit.standard_errors_).max() < 3.5
    days = np.array([7, 14, 28, 60, 84])
    found = fit.baseline_cumulative_hazard_.loc[days, "baseline cumulative hazard"].to_numpy()
    assert found == pytest.approx((days / LARGE.scale) ** 0.6, rel=0.03)


def test_entries_on_weekly_charts_taken_for_daily_ones_would_be_wrong() -> None:
    """The test above can fail: if an entry were known to the day, days between two charts would count as survived."""
    frame = replace(LARGE, cadence=7).draw(4)
    fit = discrete_hazard(counted(frame.assign(after=frame["days"] - 1)), "own + pair", cluster="independent")
    found = fit.baseline_cumulative_hazard_.loc[7, "baseline cumulative hazard"]
    assert abs(found / (7 / LARGE.scale) ** 0.6 - 1) > 0.1


def test_counted_straight_from_entries_equals_rows() -> None:
    """Waits of charts counted from first entries give the fit of their rows."""
    with diffusion.open_sample() as charts:
        source = waits(charts.entries(), horizon=60)
    frame = source.rows(("market", "artist_here"))
    rows = frame_waits(frame, days="days", entered="entered", start="start", after="after", cluster="artist")
    one, other = (discrete_hazard(each, "artist_here", effects=["market"]) for each in (source, rows))
    assert one.found.coefs == pytest.approx(other.found.coefs, abs=1e-9)
    assert one.summary.to_numpy() == pytest.approx(other.summary.to_numpy(), rel=1e-6)


def test_effects_are_found_and_drawn_to_zero() -> None:
    """Effects have about the deviation they were drawn with, and err less than unshrunk ones."""
    frame, effect = with_effects(1, 0.5)
    fit = discrete_hazard(counted(frame), "pair", effects=["market"])
    own = fit.effects_["effect"].to_numpy()
    assert fit.deviations["market"] == pytest.approx(0.5, rel=0.35)
    free = discrete_hazard(counted(frame), "pair + C(market)").params_.to_numpy()
    free = np.append(0.0, free[free != fit.params_["pair"]][-29:])
    truth = effect - effect.mean()
    assert ((own - own.mean() - truth) ** 2).sum() < ((free - free.mean() - truth) ** 2).sum()
    assert np.abs(own).max() < np.abs(free - free.mean()).max()


def test_no_effects_are_found_where_none_are() -> None:
    """The deviation goes to zero, or is small, in most worlds without effects."""
    found = [
        discrete_hazard(counted(with_effects(seed, 0.0)[0]), "pair", effects=["market"], cluster="independent")
        for seed in range(10)
    ]
    assert np.median([fit.deviations["market"] for fit in found]) < 0.06


def test_deviation_maximises_the_marginal_likelihood() -> None:
    """The deviation is near the maximum of Laplace's approximation, computed at many deviations."""
    frame, _ = with_effects(2, 0.5)
    fit = discrete_hazard(counted(frame), "pair", effects=["market"])
    model = Model.of(counted(frame), "pair", baseline="periods", effects=["market"], cluster="artist")
    places, sizes, marginal = model.places("market"), np.arange(0.3, 0.8, 0.02), []
    for size in sizes:
        penalty = np.zeros(len(model.layout.names))
        penalty[places] = size**-2
        found = maximise(model.likelihood, model.start(), penalty, model.layout.names)
        _, determinant = np.linalg.slogdet(found.inverse)
        prior = -(found.coefs[places] ** 2).sum() / size**2 / 2 - len(places) * np.log(size)
        marginal.append(found.log_likelihood + prior + determinant / 2)
    assert fit.deviations["market"] == pytest.approx(sizes[int(np.argmax(marginal))], abs=0.02)


def test_survival_and_probability_agree(world: pd.DataFrame) -> None:
    """P(entry by d | none by c) is one minus the survival from c on, and the chain rule holds."""
    fit = discrete_hazard(counted(world), "own + pair")
    rows = pd.DataFrame({"own": [0, 1], "pair": [1, 0]}, index=["a", "b"])
    curve = fit.predict_survival_function(rows)
    assert curve.shape == (END + 1, 2) and list(curve) == ["a", "b"]
    later = fit.predict_survival_function(rows, [0, 10, 40], conditional_after=20)
    assert later.to_numpy() == pytest.approx((curve.loc[[20, 30, 60]] / curve.loc[20]).to_numpy())
    found = fit.probability(rows, 60, conditional_after=20)
    assert found["estimate"].to_numpy() == pytest.approx(1 - later.loc[40].to_numpy())
    assert ((found["low"] < found["estimate"]) & (found["estimate"] < found["high"])).all()
    assert -np.log(curve["a"].to_numpy()) == pytest.approx(
        fit.baseline_cumulative_hazard_.to_numpy()[:, 0] * fit.hazard_ratios_["pair"]
    )


@pytest.mark.parametrize("cadence", [1, 7])
def test_expected_entries_are_calibrated(cadence: int) -> None:
    """Among the waits of the fit as many entries are expected as happened; among others about as many."""
    simulated = World(cadence=cadence, tracks=1000)
    fit = discrete_hazard(counted(simulated.draw(5)), "own + pair", effects=["market"])
    table = fit.expected_entries(counted(simulated.draw(5)), by=["pair"])
    assert table["expected"].to_numpy() == pytest.approx(table["entered"].to_numpy(), rel=1e-6)
    other = fit.expected_entries(counted(simulated.draw(6)))
    assert (np.abs(other["entered"] - other["expected"]) < 4 * np.sqrt(other["expected"])).all()


def test_penalizer_draws_to_zero_and_claims_no_interval(world: pd.DataFrame) -> None:
    """The penalty is lifelines': per wait, on standardised covariates."""
    fit = discrete_hazard(counted(world), "own + size", penalizer=0.1, baseline=[END])
    model = Model.of(counted(world), "own + size", baseline=[END], cluster="artist")
    score, _ = model.likelihood.derivatives(fit.found.coefs)
    spread = np.array([world["own"].std(ddof=0), world["size"].std(ddof=0)])
    assert score[:2] == pytest.approx(0.1 * len(world) * spread**2 * fit.params_.to_numpy(), rel=1e-6)
    assert fit.summary[["se(coef)", "p"]].isna().all(axis=None)
    assert fit.probability(pd.DataFrame({"own": [0], "size": [0.0]}), 30)[["low", "high"]].isna().all(axis=None)
    assert 2 * 3 - 2 * fit.log_likelihood_ > fit.AIC_


def simple(**columns: Sequence[float] | np.ndarray) -> FrameWaits:
    """Return waits with `days` and `entered`; clusters by `artist` if given."""
    frame = pd.DataFrame(columns)
    return frame_waits(frame, days="days", entered="entered", cluster="artist" if "artist" in columns else None)


DAYS = np.tile(np.arange(1, 31), 20)
ENTERED = (np.arange(600) * 7 % 10 < 3).astype(int)
HALF = np.arange(600) // 300


@pytest.mark.parametrize("baseline", ["periods", "spline"])
def test_data_without_a_hazard(baseline: str) -> None:
    """No entry, or entries of all at the first chance, have no estimate."""
    with pytest.raises(DataSaysNoError, match="no wait ends with an entry"):
        discrete_hazard(simple(days=DAYS, entered=0 * ENTERED), "1", baseline=baseline)
    with pytest.raises(DataSaysNoError, match="enters at its first chance"):
        discrete_hazard(simple(days=[1, 1], entered=[1, 1]), "1", baseline=baseline)


def test_every_wait_with_an_entry_and_one_wait() -> None:
    """If all enter, at different times, the hazard is that of the days; and one wait has a rate."""
    fit = discrete_hazard(simple(days=DAYS, entered=np.ones(600)), "1", baseline=[30])
    hazard = -np.expm1(-fit.baseline_cumulative_hazard_.iloc[1, 0])
    assert hazard == pytest.approx(600 / DAYS.sum())
    fit = discrete_hazard(simple(days=[5], entered=[1]), "1")
    assert -np.expm1(-fit.baseline_cumulative_hazard_.iloc[1, 0]) == pytest.approx(1 / 5)


def test_periods_without_entries_are_merged() -> None:
    """Every period holds an entry and a survived day; the first and the last periods too."""
    fit = discrete_hazard(simple(days=[5, 20, 45, 50], entered=[1, 1, 1, 0]), "1")
    assert fit.layout.baseline.names == ("days 1–7", "days 8–28", "days 29–50")
    assert CUTS[:4] == (1, 3, 7, 14)
    fit = discrete_hazard(simple(days=[5, 20, 20], entered=[1, 1, 1]), "1", baseline=[5, 19])
    assert fit.layout.baseline.names == ("days 1–5", "days 6–20")


def test_separation_is_named() -> None:
    """A coefficient without a maximum is an error that names it; with a penalizer it is finite."""
    separated = simple(days=DAYS, entered=ENTERED * HALF, half=HALF, size=np.arange(600) % 9)
    with pytest.raises(DataSaysNoError, match="coefficient of 'half'"):
        discrete_hazard(separated, "size + half")
    size = np.arange(600) % 9
    with pytest.raises(DataSaysNoError, match=r"'C\(size\)\[T.4\]'"):
        discrete_hazard(simple(days=DAYS, entered=ENTERED * (size != 4), size=size), "C(size)")
    assert 0 < discrete_hazard(separated, "size + half", penalizer=0.01).params_["half"] < 10


def test_value_of_an_effect_without_an_entry_is_finite() -> None:
    """Shrinkage bounds the effect of a market without an entry."""
    market = np.arange(600) % 9
    fit = discrete_hazard(simple(days=DAYS, entered=ENTERED * (market != 4), market=market), "1", effects=["market"])
    effects = fit.effects_.set_index("value")["effect"]
    assert effects.idxmin() == 4 and -10 < effects[4] < -0.5


def test_covariate_of_one_artist_claims_nothing() -> None:
    """Where one artist is the whole evidence, the interval is everything and p is not small."""
    artist = np.arange(600) % 40
    fit = discrete_hazard(simple(days=DAYS, entered=ENTERED, artist=artist, star=(artist == 3) * 1), "star")
    assert fit.summary.loc["star", "exp(coef) lower 95%"] == 0 and fit.summary.loc["star", "p"] > 0.3


def test_one_artist_has_no_errors_by_artist() -> None:
    """Nothing is known of how much artists differ."""
    with pytest.raises(DataSaysNoError, match="all waits are of one artist"):
        discrete_hazard(simple(days=DAYS, entered=ENTERED, artist=0 * DAYS), "1")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formula": "half + twice"}, "combination"),
        ({"formula": "half + other"}, "other"),
        ({"formula": "half", "link": "probit"}, "unknown link 'probit'"),
        ({"formula": "half", "baseline": "period"}, "unknown baseline 'period'"),
        ({"formula": "half", "baseline": [7, 3]}, "increasing order"),
        ({"formula": "half", "by_period": ["other"]}, "no term of the formula"),
        ({"formula": "half", "by_period": "half"}, "list of names"),
        ({"formula": "half", "effects": ["one"]}, "single value"),
        ({"formula": "half", "penalizer": -1.0}, "0 or more"),
        ({"formula": "half", "cluster": "label"}, "unknown cluster 'label'"),
    ],
)
def test_settings_that_cannot_be(options: dict[str, object], message: str) -> None:
    """Each mistake is named."""
    source = simple(days=DAYS, entered=ENTERED, half=HALF, twice=2 * HALF, one=0 * HALF)
    with pytest.raises(SettingError, match=message):
        discrete_hazard(source, **options)  # type: ignore[arg-type]


def test_predictions_that_cannot_be(world: pd.DataFrame) -> None:
    """Days beyond the follow-up and unknown values are named."""
    fit = discrete_hazard(counted(world), "own", effects=["market"])
    rows = pd.DataFrame({"own": [0], "market": [1]})
    with pytest.raises(SettingError, match=f"day {END + 1} is outside the follow-up, .* to day {END}"):
        fit.probability(rows, END + 1)
    with pytest.raises(SettingError, match="outside the follow-up"):
        fit.predict_survival_function(rows, [80], conditional_after=20)
    with pytest.raises(SettingError, match="day 5 is not after day 9"):
        fit.probability(rows, 5, conditional_after=9)
    with pytest.raises(SettingError, match="value '77' of the effect 'market'"):
        fit.probability(rows.assign(market=77), 5)
