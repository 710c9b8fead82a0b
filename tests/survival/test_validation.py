"""Scores, calibration and comparison: equal to other programs and to single rows, honest in worlds with known truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import lifelines
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import survival
from diffusion import DataSaysNoError, SettingError
from diffusion.simulation import process_worlds
from diffusion.timelines import primary_artists
from survival.counting.frame import FrameWaits
from survival.validation.calibration import recalibration
from survival.validation.comparison import NO_COVARIATES, Scores
from survival.validation.concordance import smaller_after
from survival.validation.held_out import HeldOut
from survival.validation.shares import entered_shares
from tests.conftest import REFERENCE

SAME = 1e-12
"""Sums of the same terms in another order."""

HORIZON = 60
FRAILTY = 0.5
"""Variance of the gamma frailty that tracks of one artist share."""


def rates(values: pd.DataFrame) -> np.ndarray:
    """Return the daily hazard of a wait with an average artist."""
    return 0.004 * np.exp(0.8 * values["size"].to_numpy() + 0.3 * (values["market"].astype(int).to_numpy() - 2))


def world(seed: int, *, artists: int = 150, heavy: int = 0, alike: bool = False) -> pd.DataFrame:
    """Return waits of artists with a hazard in common, drawn one by one.

    `heavy` artists have a large part of all waits. Where all are `alike`, no variable matters.
    """
    rng = np.random.default_rng(seed)
    tracks = rng.integers(1, 8, artists)
    tracks[:heavy] = np.linspace(150, 60, heavy)
    artist = np.repeat(np.arange(artists), tracks)
    frame = pd.DataFrame(
        {
            "artist": artist,
            "size": rng.integers(0, 3, len(artist)),
            "market": rng.integers(0, 6, len(artist)).astype(str),
            "noise": rng.integers(0, 4, artists)[artist],
        }
    )
    hazard = np.full(len(frame), 0.006) if alike else rates(frame)
    day = np.ceil(rng.exponential(1 / (hazard * rng.gamma(1 / FRAILTY, FRAILTY, artists)[artist])))
    return frame.assign(days=np.minimum(day, HORIZON).astype(int), entered=day <= HORIZON)


def waits_of(frame: pd.DataFrame) -> FrameWaits:
    return survival.frame_waits(frame, days="days", entered="entered", cluster="artist")


@dataclass(frozen=True)
class Truth:
    """The survival of `world` over all artists, or the same with other odds or at another pace."""

    odds: float = 1.0
    pace: float = 1.0
    variables: tuple[str, ...] = ("size", "market")

    def predict_survival_function(
        self, values: pd.DataFrame, times: Sequence[int] | None = None, conditional_after: int = 0
    ) -> pd.DataFrame:
        assert times is not None
        asked = np.append(np.array(times) + conditional_after, conditional_after)
        time = HORIZON * (asked / HORIZON) ** self.pace
        whole = (1 + FRAILTY * np.outer(time, rates(values))) ** (-1 / FRAILTY)
        staying = whole[:-1] / whole[-1]
        return pd.DataFrame(staying / (staying + self.odds * (1 - staying)), index=times, columns=values.index)


# Scores on arrays


@pytest.mark.parametrize("sample", ["continuous", "weighted", "days"])
def test_scores_are_those_of_scikit_survival(sample: str) -> None:
    every = pd.read_csv(REFERENCE / "survival_scores_waits.csv")
    answers = pd.read_csv(REFERENCE / "survival_scores_answers.csv").query("sample == @sample").set_index("score")
    waits = every[every["sample"] == sample.replace("weighted", "continuous")]
    days, entered, risk = waits["days"], waits["entered"], waits["risk"]
    other = every[every["sample"] == "censoring"]
    censoring = survival.Censoring.of(other["days"], other["entered"]) if sample == "weighted" else None
    at = [5, 10, 20, 30]
    predicted = np.exp(-np.array(at) / waits[["scale"]].to_numpy())

    found = {
        "brier": survival.brier_score(days, entered, predicted, at, censoring=censoring),
        "integrated_brier": survival.integrated_brier_score(days, entered, predicted, at, censoring=censoring),
        "auc": survival.dynamic_auc(days, entered, risk, at, censoring=censoring),
        "harrell_c": survival.harrell_c(days, entered, risk),
        "uno_c": [survival.uno_c(days, entered, risk, until=day, censoring=censoring) for day in (10.25, 30.25)],
    }
    for score, values in found.items():
        np.testing.assert_allclose(values, answers.loc[score, "value"], rtol=SAME)


def test_equal_waits_may_be_counted() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"days": rng.integers(1, 9, 300), "entered": rng.random(300) < 0.5, "risk": rng.integers(0, 4, 300)}
    )
    counted = frame.value_counts().reset_index()
    counts = counted["count"]
    survived = 1 - frame[["risk"]] / 5, 1 - counted[["risk"]] / 5
    for single, together in (
        (
            survival.brier_score(frame["days"], frame["entered"], survived[0], [4]),
            survival.brier_score(counted["days"], counted["entered"], survived[1], [4], counts=counts),
        ),
        (
            survival.uno_c(frame["days"], frame["entered"], frame["risk"]),
            survival.uno_c(counted["days"], counted["entered"], counted["risk"], counts=counts),
        ),
        (
            survival.dynamic_auc(frame["days"], frame["entered"], frame["risk"], [4]),
            survival.dynamic_auc(counted["days"], counted["entered"], counted["risk"], [4], counts=counts),
        ),
        (
            survival.d_calibration(frame["entered"], survived[0]["risk"]).p,
            survival.d_calibration(counted["entered"], survived[1]["risk"], counts=counts).p,
        ),
    ):
        np.testing.assert_allclose(together, single, rtol=SAME)


@pytest.mark.parametrize("seed", range(5))
def test_later_and_smaller_is_counted_as_by_hand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank, weight = rng.integers(0, rng.integers(1, 40), 60), rng.random(60)
    smaller = (rank[None, :] < rank[:, None]) + 0.5 * (rank[None, :] == rank[:, None])
    np.testing.assert_allclose(smaller_after(rank, weight), np.triu(smaller, 1) @ weight, rtol=1e-9, atol=SAME)


def test_d_calibration_is_the_formula_of_the_paper() -> None:
    rng = np.random.default_rng(8)
    entered, predicted, bins = rng.random(200) < 0.6, rng.random(200), 10
    expected = np.zeros(bins)
    for went, value in zip(entered, predicted, strict=True):
        own = int(value * bins)
        if went:
            expected[own] += 1
        else:
            expected[own] += (value - own / bins) / value
            expected[:own] += 1 / (bins * value)
    found = survival.d_calibration(entered, predicted)
    np.testing.assert_allclose(found.observed, expected, rtol=SAME)
    assert found.statistic == pytest.approx(((expected - 20) ** 2 / 20).sum(), rel=SAME)


def test_d_calibration_of_entries_between_two_days_spreads_them() -> None:
    found = survival.d_calibration([True], [0.1], survival_before=[0.5], bins=10)
    np.testing.assert_allclose(found.observed, [0, 0.25, 0.25, 0.25, 0.25, 0, 0, 0, 0, 0], atol=SAME)


def test_right_predictions_are_d_calibrated_and_others_are_not() -> None:
    rng = np.random.default_rng(4)
    p = {}
    for factor in (1.0, 1.5):
        found = []
        for _ in range(300):
            times = rng.exponential(size=400)
            found.append(survival.d_calibration(np.ones(400), np.exp(-factor * times)).p)
        p[factor] = np.mean(np.array(found) < 0.05)
    assert 0.02 <= p[1.0] <= 0.09
    assert p[1.5] > 0.95


# Waits in cells


def by_hand(frame: pd.DataFrame, model: Truth, day: int, **censoring: object) -> dict[str, float]:
    """Return scores from single rows, by the functions on arrays."""
    grid = [0, *sorted(set(frame.loc[frame["entered"] & (frame["days"] < day), "days"])), day]
    predicted = model.predict_survival_function(frame, times=grid).to_numpy().T
    risk = 1 - predicted[:, -1]
    outcome = frame["days"], frame["entered"]
    return {
        "brier": survival.brier_score(*outcome, predicted[:, [-1]], [day], **censoring)[0],
        "integrated_brier": survival.integrated_brier_score(*outcome, predicted, grid, **censoring),
        "auc": survival.dynamic_auc(*outcome, risk, [day], **censoring)[0],
        "uno_c": survival.uno_c(*outcome, risk, until=day, **censoring),
    }


def test_scores_of_cells_are_those_of_rows() -> None:
    frame, model = world(1), Truth()
    table = survival.compare({"truth": model}, waits_of(frame), train=waits_of(world(2)), days=(7, 28)).set_index(
        ["model", "day"]
    )
    for day in (7, 28):
        row = table.loc[("truth", day)]
        for name, value in by_hand(frame, model, day).items():
            assert row[name] == pytest.approx(value, rel=1e-10), name
        assert row["harrell_c"] == row["uno_c"]
        entered = frame["entered"] & (frame["days"] <= day)
        risk = 1 - model.predict_survival_function(frame, times=[day]).to_numpy()[0]
        assert row["expected_observed"] == pytest.approx(risk.sum() / entered.sum(), rel=1e-10)
        reference = table.loc[(NO_COVARIATES, day), "brier"]
        assert row["brier_skill"] == pytest.approx(1 - row["brier"] / reference, rel=1e-10)


def censored(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return waits that are followed less long, in the market of the highest hazard above all."""
    end = np.ceil(np.random.default_rng(seed).uniform(0, np.where(frame["market"] == "5", 50, 300)))
    days = np.minimum(frame["days"], end).astype(int)
    return frame.assign(days=days, entered=frame["entered"] & (frame["days"] <= end))


def test_censored_waits_are_weighted_by_group() -> None:
    frame, model, day = censored(world(1), 3), Truth(), 28
    train = waits_of(world(2))
    with pytest.raises(DataSaysNoError, match=r"waits are censored before day 28; take survival.waits\(..., complete"):
        survival.compare({"truth": model}, waits_of(frame), train=train, days=(day,))

    row = survival.compare({"truth": model}, waits_of(frame), train=train, days=(day,), weights=()).set_index("model")
    for name, value in by_hand(frame, model, day).items():
        assert row.loc["truth", name] == pytest.approx(value, rel=1e-10), name

    row = survival.compare({"truth": model}, waits_of(frame), train=train, days=(day,), weights=("market",))
    brier = sum(by_hand(part, model, day)["brier"] * len(part) for _, part in frame.groupby("market")) / len(frame)
    assert row.set_index("model").loc["truth", "brier"] == pytest.approx(brier, rel=1e-10)


def test_weights_make_up_for_censoring() -> None:
    """Where the easy waits are censored early, only the weights by market come back to the scores of all waits."""
    frame, train = (
        pd.concat([world(seed).assign(artist=lambda f, s=seed: f["artist"] + 1000 * s) for seed in range(30)]),
        world(99),
    )
    models, day = {"truth": Truth()}, (28,)
    whole = survival.compare(models, waits_of(frame), train=waits_of(train), days=day).set_index("model").loc["truth"]
    seen = waits_of(censored(frame, 5))
    by_market = (
        survival.compare(models, seen, train=waits_of(train), days=day, weights=("market",))
        .set_index("model")
        .loc["truth"]
    )
    by_none = (
        survival.compare(models, seen, train=waits_of(train), days=day, weights=()).set_index("model").loc["truth"]
    )
    assert by_market["brier"] == pytest.approx(whole["brier"], rel=0.01)
    assert by_market["expected_observed"] == pytest.approx(whole["expected_observed"], rel=0.02)
    assert abs(by_none["brier"] / whole["brier"] - 1) > 0.02


def jackknife(values: np.ndarray) -> float:
    """Return the standard error from a statistic with each cluster left out."""
    return float(np.sqrt((len(values) - 1) * values.var()))


def test_errors_are_the_jackknife_by_artist() -> None:
    frame, day = world(5, artists=60, heavy=2), 28
    counted = waits_of(frame).counted(("market", "size"))
    held = HeldOut.of(counted, weights=None)
    scores = Scores.of(held.predicted("truth", Truth(), held.needed([day])), day)
    left_out = []
    for artist in frame["artist"].unique():
        rest = frame[frame["artist"] != artist]
        entered = rest["entered"] & (rest["days"] <= day)
        risk = 1 - Truth().predict_survival_function(rest, times=[day]).to_numpy()[0]
        left_out.append({**by_hand(rest, Truth(), day), "expected_observed": risk.sum() / entered.sum()})
    left = pd.DataFrame(left_out)
    ratio = scores.ratio("expected", "entered")
    exact = np.sqrt(59 / 60 * ((left["expected_observed"] - ratio.value) ** 2).sum())
    assert ratio.error == pytest.approx(exact, rel=1e-9)
    assert scores.ratio("separated", "both").error == pytest.approx(jackknife(left["auc"]), rel=0.1)
    assert scores.ratio("won", "pairs").error == pytest.approx(jackknife(left["uno_c"]), rel=0.1)


def test_independent_waits_are_clusters_of_their_own() -> None:
    frame = world(6)
    alone = waits_of(frame.assign(artist=range(len(frame))))
    own = survival.compare({"truth": Truth()}, alone, train=alone, days=(28,))
    none = survival.compare({"truth": Truth()}, alone, train=alone, days=(28,), cluster="independent")
    pd.testing.assert_frame_equal(own, none, rtol=1e-9)


def test_recalibration_is_a_logistic_regression() -> None:
    frame, day = world(7), 28
    held = HeldOut.of(waits_of(frame).counted(("market", "size"), cluster="independent"), weights=None)
    model = Truth(odds=1.5)
    risk = 1 - held.predicted("truth", model, held.needed([day])).survival(np.array([day]))[held.cell, 0]
    found = recalibration(held, risk, day, np.inf)
    single = 1 - model.predict_survival_function(frame, times=[day]).to_numpy()[0]
    x = np.log(single / (1 - single))
    entered = (frame["entered"] & (frame["days"] <= day)).to_numpy(float)
    answer = sm.GLM(entered, sm.add_constant(x), family=sm.families.Binomial()).fit(cov_type="HC0")
    offset = sm.GLM(entered, np.ones(len(x)), offset=x, family=sm.families.Binomial()).fit()
    assert found.slope == pytest.approx(answer.params[1], rel=1e-6)
    assert found.intercept == pytest.approx(offset.params[0], rel=1e-6)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * answer.bse[1], rel=0.02)


def test_predictions_that_part_entries_from_others_have_no_slope() -> None:
    frame = pd.DataFrame({"days": [5] * 20 + [60] * 20, "entered": [True] * 20 + [False] * 20, "artist": range(40)})
    waits = waits_of(frame.assign(sure=frame["entered"], size=0, market="0"))
    held = HeldOut.of(waits.counted(("sure",)), weights=None)
    found = recalibration(held, np.where(held.outcomes.entered, 0.6, 0.4), 28, np.inf)
    assert np.isnan([found.slope, found.low, found.high]).all()
    assert found.intercept == pytest.approx(0, abs=1e-9)


def test_a_prediction_that_hardly_differs_has_a_slope() -> None:
    frame = world(26)
    held = HeldOut.of(waits_of(frame).counted(("market", "size"), cluster="independent"), weights=None)
    risk = 1 - held.predicted("truth", Truth(), held.needed([28])).survival(np.array([28]))[held.cell, 0]
    x = np.log(risk / (1 - risk))
    flat = 1 / (1 + np.exp(-(x / 1000 - 1)))
    found, whole = (recalibration(held, values, 28, np.inf) for values in (flat, risk))
    assert found.slope == pytest.approx(1000 * whole.slope, rel=1e-6)
    assert found.low == pytest.approx(1000 * whole.low, rel=1e-6)


def test_predictions_after_a_landmark_are_conditional() -> None:
    whole = world(8)
    later = whole[whole["days"] > 10].assign(landmark=10)
    test = survival.frame_waits(later, days="days", entered="entered", start="landmark", cluster="artist")
    train = survival.frame_waits(later, days="days", entered="entered", start="landmark", cluster="artist")
    row = survival.compare({"truth": Truth()}, test, train=train, days=(28,)).set_index("model").loc["truth"]
    predicted = Truth().predict_survival_function(later, times=[18], conditional_after=10).to_numpy()[0]
    entered = later["entered"] & (later["days"] <= 28)
    assert row["brier"] == pytest.approx(((predicted - ~entered) ** 2).mean(), rel=1e-10)
    assert row["expected_observed_low"] < 1 < row["expected_observed_high"]


def test_models_are_compared_in_pairs() -> None:
    frame, train = world(9), waits_of(world(10))
    models = {"truth": Truth(), "double": Truth(odds=2)}
    table = survival.compare(models, waits_of(frame), train=train, days=(28,), reference="truth").set_index("model")
    own, other = table.loc["truth"], table.loc["double"]
    assert own["brier_skill"] == own["brier_skill_low"] == own["brier_skill_high"] == 0
    # the order of the waits is the same, and so is the AUC of every cluster
    assert other["auc_gain"] == pytest.approx(0, abs=SAME)
    assert other["auc_gain_high"] == pytest.approx(0, abs=SAME)
    assert other["brier_skill"] == pytest.approx(1 - other["brier"] / own["brier"], rel=1e-9)


# Calibration by group


def test_calibration_by_market_is_the_share_of_each_market() -> None:
    frame, day = world(11), 28
    table = survival.calibration({"truth": Truth()}, waits_of(frame), by="market", day=day).set_index("group")
    frame["came"] = frame["entered"] & (frame["days"] <= day)
    frame["risk"] = 1 - Truth().predict_survival_function(frame, times=[day]).to_numpy()[0]
    expected = frame.groupby("market").agg(
        waits=("came", "size"), observed=("came", "mean"), predicted=("risk", "mean")
    )
    for name in expected:
        np.testing.assert_allclose(table[name], expected[name], rtol=1e-10)
    assert (table["low"] < table["observed"]).all() and (table["observed"] < table["high"]).all()
    assert (table["effective_clusters"] <= frame.groupby("market")["artist"].nunique()).all()


def test_calibration_of_censored_waits_is_by_kaplan_meier() -> None:
    frame, day = censored(world(11), 3), 28
    table = survival.calibration({"truth": Truth()}, waits_of(frame), by="market", day=day, cluster="independent")
    for group, observed, low, high in table[["group", "observed", "low", "high"]].itertuples(index=False):
        part = frame[frame["market"] == group]
        fitted = lifelines.KaplanMeierFitter().fit(part["days"], part["entered"])
        assert observed == pytest.approx(1 - float(fitted.predict(day)), rel=1e-10)
        bounds = 1 - fitted.confidence_interval_.loc[:day].iloc[-1].to_numpy()
        np.testing.assert_allclose([high, low], bounds, rtol=1e-6)


def test_deciles_hold_equally_many_waits_and_keep_ties_together() -> None:
    frame = world(12)
    models = {"truth": Truth(), "one": survival.group_curves(waits_of(frame))}
    table = survival.calibration(models, waits_of(frame), day=28)
    truth = table[table["model"] == "truth"]
    assert (np.diff(truth["predicted"]) > 0).all() and truth["waits"].sum() == len(frame)
    assert truth["waits"].max() < 2.1 * len(frame) / 10
    one = table[table["model"] == "one"]
    assert one["waits"].tolist() == [len(frame)]
    assert one["observed"].iloc[0] == pytest.approx(one["predicted"].iloc[0], rel=1e-10)


# Worlds with known truth


@pytest.mark.parametrize("heavy", [0, 3])
def test_a_model_of_noise_shows_no_skill(heavy: int) -> None:
    """An interval above 0, or an AUC above one half, comes no more often than 1 in 40, up to chance (3 errors)."""
    skilled = separated = 0
    runs = 60
    for seed in range(runs):
        train, test = (waits_of(world(2 * seed + part, artists=100, heavy=heavy, alike=True)) for part in (0, 1))
        noise = {"noise": survival.group_curves(train, ("noise",))}
        row = survival.compare(noise, test, train=train, days=(28,)).set_index("model").loc["noise"]
        skilled += row["brier_skill_low"] > 0
        separated += row["auc_low"] > 0.5
    most = 0.025 * runs + 3 * np.sqrt(0.025 * runs)
    assert skilled <= most and separated <= most


def coverage(runs: int, heavy: int, artists: int) -> pd.Series:
    """Return how often intervals hold the truth, and how often the right and two wrong models are called wrong."""
    names = ("brier_skill", "integrated_skill", "auc", "harrell_c")
    train = waits_of(world(1_000_000, artists=1000))
    models = {"right": Truth(), "double": Truth(odds=2), "late": Truth(pace=1.5)}
    many = [world(2_000_000 + at, artists=artists, heavy=heavy) for at in range(100)]
    everyone = pd.concat([part.assign(artist=part["artist"] + at * artists) for at, part in enumerate(many)])
    truth = survival.compare(models, waits_of(everyone), train=train, days=(28,)).set_index("model").loc["right"]
    found = []
    for seed in range(runs):
        test = waits_of(world(seed, artists=artists, heavy=heavy))
        table = survival.compare(models, test, train=train, days=(28,)).set_index("model")
        right, double = table.loc["right"], table.loc["double"]
        found.append(
            {name: right[f"{name}_low"] <= truth[name] <= right[f"{name}_high"] for name in names}
            | {
                name: right[f"{name}_low"] <= 1 <= right[f"{name}_high"]
                for name in ("expected_observed", "calibration_slope")
            }
            | {"skilled": right["brier_skill_low"] > 0, "double called": double["expected_observed_low"] > 1}
            | {"late": right["d_calibration_p"] < 0.05, "late called": table.loc["late", "d_calibration_p"] < 0.05}
        )
    return pd.DataFrame(found).mean()


def test_a_right_model_has_skill_and_is_calibrated_and_wrong_ones_are_called_so() -> None:
    rate = coverage(40, 3, 150)
    assert (rate.drop(["skilled", "double called", "late", "late called"]) >= 0.85).all()
    assert rate["skilled"] == 1
    assert rate["double called"] > 0.7
    assert rate["late"] <= 0.15 and rate["late called"] > 0.7


@pytest.mark.slow
@pytest.mark.parametrize(("heavy", "artists"), [(0, 300), (3, 300), (10, 300), (2, 60)])
def test_intervals_hold_the_truth_as_often_as_they_say(heavy: int, artists: int) -> None:
    """Between 93 and 97 %, up to two errors of the simulation; more where two of 60 artists have most of the waits."""
    runs = 400
    rate = coverage(runs, heavy, artists)
    error = 2 * np.sqrt(0.05 * 0.95 / runs)
    held = rate.drop(["skilled", "double called", "late", "late called"])
    assert (held >= 0.93 - error).all()
    if heavy < 10 and artists == 300:
        assert (held <= 0.97 + error).all()
    assert rate["late"] <= 0.05 + 1.5 * error


@pytest.mark.slow
@pytest.mark.parametrize("name", ["homes", "giant-artist"])
def test_noise_of_artists_shows_no_skill_on_charts(name: str) -> None:
    """The same in charts of artists with homes, and of one with a third of all tracks, fitted before a date."""
    runs, skilled, separated = 100, 0, 0
    for seed in range(runs):
        entries = process_worlds.world(name, tracks=3_000, seed=seed).entries
        artists = np.unique(primary_artists(entries.timelines.track_ids, entries.described))
        noise = pd.DataFrame({"artist": artists, "noise": np.random.default_rng(seed).integers(0, 4, len(artists))})
        middle = date(1970, 1, 1) + timedelta(int(np.quantile(entries.timelines.debut, 0.6)))
        train = survival.waits(entries, horizon=60, debut=(date.min, middle), until=middle, artists=noise)
        later = (middle + timedelta(1), date.max)
        test = survival.waits(entries, horizon=60, debut=later, complete=True, artists=noise)
        models = {"noise": survival.group_curves(train, ("noise",))}
        row = survival.compare(models, test, train=train, days=(28,)).set_index("model").loc["noise"]
        skilled += row["brier_skill_low"] > 0
        separated += row["auc_low"] > 0.5
    most = 0.025 * runs + 3 * np.sqrt(0.025 * runs)
    assert skilled <= most and separated <= most


# Conventions and errors


def test_a_constant_prediction_has_no_order() -> None:
    table = survival.compare({}, waits_of(world(13)), train=waits_of(world(14)), days=(28,)).set_index("model")
    row = table.loc[NO_COVARIATES]
    assert (row[["auc", "auc_low", "auc_high", "harrell_c", "uno_c"]] == 0.5).all()
    assert row["brier_skill"] == 0
    assert np.isnan(row["calibration_slope"])
    assert list(table.index) == [NO_COVARIATES, "market"]


def test_one_cluster_gives_no_interval() -> None:
    frame = world(15).assign(artist=0)
    row = survival.compare({"truth": Truth()}, waits_of(frame), train=waits_of(frame), days=(28,)).iloc[-1]
    assert row["brier_skill"] > 0
    assert np.isnan(
        [row["brier_skill_low"], row["auc_high"], row["expected_observed_low"], row["calibration_slope_low"]]
    ).all()
    assert np.isnan(row["d_calibration_p"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"days": (28, 90)}, "day 90 is not among the days 1 to 60 of these waits"),
        ({"days": ()}, "scores need one day or more"),
        ({"reference": "cox"}, "no model 'cox' to compare with; there are no covariates, market, truth"),
        ({"cluster": "label"}, "intervals are by artist, track, independent, not by 'label'"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], message: str) -> None:
    waits = waits_of(world(16))
    with pytest.raises(SettingError, match=message):
        survival.compare({"truth": Truth()}, waits, train=waits, **{"days": (28,), **settings})


def test_a_model_that_cannot_predict_is_named() -> None:
    frame = world(17)
    short = frame.assign(days=frame["days"].clip(upper=20), entered=frame["entered"] & (frame["days"] <= 20))
    models = {"short": survival.group_curves(waits_of(short), ("size",))}
    with pytest.raises(SettingError, match=r"model 'short' cannot predict.* day 28 is beyond follow-up: .* is 20"):
        survival.compare(models, waits_of(frame), train=waits_of(frame), days=(28,))
    fewer = waits_of(frame[frame["market"] != "5"])
    models = {"by market": survival.group_curves(fewer, ("market",))}
    with pytest.raises(
        SettingError, match="'by market' cannot predict these waits: no wait with market '5' was fitted"
    ):
        survival.compare(models, waits_of(frame), train=waits_of(frame), days=(28,))
    with pytest.raises(SettingError, match="a model cannot have the name 'market' of a baseline"):
        survival.compare({"market": Truth()}, waits_of(frame), train=fewer, days=(28,))


def test_nobody_or_everybody_entered_is_said() -> None:
    frame, train = world(18), waits_of(world(19))
    with pytest.raises(DataSaysNoError, match=r"none of \d+ waits entered by day 28: .* take a later day"):
        survival.compare({}, waits_of(frame.assign(entered=False, days=60)), train=train, days=(28,))
    with pytest.raises(DataSaysNoError, match=r"all of \d+ waits entered by day 60: .* take an earlier day"):
        survival.compare({}, waits_of(frame.assign(entered=True)), train=train, days=(60,))
    with pytest.raises(DataSaysNoError, match="no pair to compare: 0 of 2 waits end with an entry"):
        survival.harrell_c([3, 4], [False, False], [0.1, 0.2])
    with pytest.raises(DataSaysNoError, match="no pair to compare"):
        survival.dynamic_auc([3, 4], [True, True], [0.1, 0.2], [5])
    with pytest.raises(DataSaysNoError, match="no wait is followed to day 9; the last day with follow-up is 4"):
        survival.brier_score(
            [3, 4, 9], [True, False, False], [[0.5]] * 3, [9], censoring=survival.Censoring.of([4], [False])
        )


def test_calibration_of_no_model_is_refused() -> None:
    with pytest.raises(SettingError, match="no model to calibrate"):
        survival.calibration({}, waits_of(world(18)), day=28)


def test_waits_that_begin_on_different_days_are_refused() -> None:
    frame = world(20).assign(start=0)
    frame.loc[:9, "start"] = 5
    late = frame[frame["days"] > frame["start"]]
    waits = survival.frame_waits(late, days="days", entered="entered", start="start", cluster="artist")
    with pytest.raises(DataSaysNoError, match="waits begin on days 0 to 5: scores need waits that begin on one day"):
        survival.compare({}, waits, train=waits, days=(28,))


def test_a_day_between_two_charts_is_refused() -> None:
    frame = world(21)
    weekly = frame.assign(days=7 * np.ceil(frame["days"] / 7).astype(int))
    weekly["before"] = weekly["days"] - 7
    waits = survival.frame_waits(weekly, days="days", entered="entered", after="before", cluster="artist")
    with pytest.raises(SettingError, match=r"do not say who entered by day 30: .* take day 28 or 35"):
        survival.compare({"truth": Truth()}, waits, train=waits, days=(30,))
    row = survival.compare({"truth": Truth()}, waits, train=waits, days=(28,)).iloc[-1]
    assert row["expected_observed_low"] < 1 < row["expected_observed_high"]
    assert row["d_calibration_p"] > 0.05
    row = survival.compare({"truth": Truth()}, waits, train=waits, days=(7,)).iloc[-1]
    assert np.isnan(row["d_calibration_p"])  # one chart: nothing is known of the days


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: survival.brier_score([1, 2], [True], [[0.5]] * 2, [1]), "one value per wait"),
        (lambda: survival.brier_score([1, 2], [True, False], [[0.5]], [1]), r"must have the shape \(2, 1\)"),
        (lambda: survival.brier_score([1, 2], [True, False], [[0.5], [1.5]], [1]), "between 0 and 1; 1 values are not"),
        (lambda: survival.brier_score([1, np.nan], [True, False], [[0.5]] * 2, [1]), "1 values that are not numbers"),
        (lambda: survival.harrell_c([1, 2], [True, False], [0.5, np.inf]), "1 values that are not finite"),
        (lambda: survival.harrell_c([1, 2], [True, False], [1, 2], counts=[1, 0]), "counts must be positive"),
        (lambda: survival.integrated_brier_score([1, 2], [True, False], [[0.5]] * 2, [1]), "two days or more"),
        (lambda: survival.dynamic_auc([1, 2], [True, False], [[1.0], [2.0]], [1, 2]), "one per wait and day"),
        (lambda: survival.d_calibration([True], [0.5], bins=1), "two bins or more"),
        (lambda: survival.d_calibration([True], [0.5], survival_before=[0.2]), "must not be below"),
    ],
)
def test_bad_arrays_are_named(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(SettingError, match=message):
        call()


# Kaplan–Meier by group as a model


def test_group_curves_predict_kaplan_meier() -> None:
    frame = world(22)
    model = survival.group_curves(waits_of(frame), ("market",))
    assert model.variables == ("market",) and model.cluster == "artist"
    values = pd.DataFrame({"market": ["1", "0"]})
    predicted = model.predict_survival_function(values)
    assert predicted.index[-1] == HORIZON and (predicted.loc[0] == 1).all()
    for column, market in enumerate(values["market"]):
        part = frame[frame["market"] == market]
        fitted = lifelines.KaplanMeierFitter().fit(part["days"], part["entered"])
        np.testing.assert_allclose(predicted[column], fitted.predict(predicted.index), rtol=SAME)
        np.testing.assert_allclose(predicted[column], model.survival_function_[market], rtol=SAME)
    late = model.predict_survival_function(values, times=[10, 20], conditional_after=5)
    np.testing.assert_allclose(late, (predicted.loc[[15, 25]] / predicted.loc[5]).to_numpy(), rtol=SAME)


def test_groups_that_are_new_or_hardly_followed_have_the_curve_of_all() -> None:
    frame = world(25)
    short = (frame["market"] == "4") & (frame["days"] > 20)
    frame = frame.assign(days=frame["days"].where(~short, 20), entered=frame["entered"] & ~short)
    fitted = waits_of(frame[frame["market"] != "5"])
    model, everyone = survival.group_curves(fitted, ("market",), others=True), survival.group_curves(fitted)
    values = pd.DataFrame({"market": ["0", "4", "5"]})
    predicted, all_waits = (one.predict_survival_function(values, times=[10, 28]) for one in (model, everyone))
    pd.testing.assert_frame_equal(predicted[[1, 2]], all_waits[[1, 2]])
    assert (predicted[0] != all_waits[0]).all()
    shares, whole = (one.probability(values, 28) for one in (model, everyone))
    pd.testing.assert_frame_equal(shares.loc[[1, 2]], whole.loc[[1, 2]])
    assert shares.loc[0, "estimate"] == pytest.approx(1 - predicted.loc[28, 0])


def test_group_curves_have_intervals_by_artist() -> None:
    frame = world(23)
    values = pd.DataFrame({"market": ["2"]})
    by_artist, alone = (
        survival.group_curves(waits_of(frame), ("market",), cluster=cluster).probability(
            values, 28, conditional_after=10
        )
        for cluster in ("artist", "independent")
    )
    part = frame[(frame["market"] == "2") & (frame["days"] > 10)]
    share = (part["entered"] & (part["days"] <= 28)).mean()
    assert by_artist["estimate"].item() == alone["estimate"].item() == pytest.approx(share, rel=SAME)
    assert (by_artist["low"] <= alone["low"]).all() and (by_artist["high"] >= alone["high"]).all()
    with pytest.raises(SettingError, match="day 61 is beyond follow-up: the last day with waits of market '2' is 60"):
        survival.group_curves(waits_of(frame), ("market",)).probability(values, 61, conditional_after=10)
    with pytest.raises(SettingError, match="no variable 'market' in the values; there are size"):
        survival.group_curves(waits_of(frame), ("market",)).predict_survival_function(frame[["size"]])


def test_shares_have_the_error_of_the_jackknife() -> None:
    """On the log(−log) scale the bounds give back the standard error, here that of leaving out one artist at a time."""
    frame, day = censored(world(24, artists=80), 1), 28
    counted = waits_of(frame).counted(())
    found = entered_shares(counted, np.zeros(1, np.int64), 1, after=0, day=day)
    fits = lifelines.KaplanMeierFitter()
    left = []
    for artist in frame["artist"].unique():
        rest = frame[frame["artist"] != artist]
        left.append(np.log(float(fits.fit(rest["days"], rest["entered"]).predict(day))))
    logarithm = np.log(-np.log1p(-np.array([found.low[0], found.share[0], found.high[0]])))
    staying = -np.log1p(-found.share[0])
    quantile = {"reach": (logarithm[2] - logarithm[0]) / 2 * staying / jackknife(np.array(left))}
    assert quantile["reach"] == pytest.approx(2.0, abs=0.06)
