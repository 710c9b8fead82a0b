"""Every model of the time to an entry, fitted to real charts of 2017 and 2018, scored on these and on later debuts."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import diffusion
import survival
from diffusion import Entries
from survival.counting.counted import WaitSource

HORIZON = 56
FORMULA = "language_match + log(footprint)"

MODELS: dict[str, Callable[[survival.Waits], survival.SurvivalModel]] = {
    "cox": lambda waits: survival.cox(waits, FORMULA, strata=("continent",)),
    "weibull": lambda waits: survival.aft(waits, FORMULA, family="weibull"),
    "lognormal": lambda waits: survival.aft(waits, FORMULA, family="lognormal"),
    "loglogistic": lambda waits: survival.aft(waits, FORMULA, family="loglogistic"),
    "generalized_gamma": lambda waits: survival.aft(waits, FORMULA, family="generalized_gamma"),
    "cure": lambda waits: survival.cure(waits, "log(footprint)", cured="language_match"),
    "cloglog": lambda waits: survival.discrete_hazard(waits, FORMULA),
    "logit": lambda waits: survival.discrete_hazard(waits, FORMULA, link="logit", effects=("continent",)),
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def entries(real_data: Path) -> Entries:
    with diffusion.open_charts(real_data / "viral50-weekly-2017-2020" / "viral50_weekly.parquet") as charts:
        return charts.entries()


def waits(entries: Entries, first: int, last: int, **settings: object) -> survival.Waits:
    """Return the waits of debuts of these years, for markets whose variables are known."""
    debut = date(first, 1, 1), date(last, 12, 31)
    made: survival.Waits = survival.waits(entries, horizon=HORIZON, debut=debut, leave_out_missing=True, **settings)
    return made


def fitted(train: survival.Waits) -> dict[str, survival.SurvivalModel]:
    return {name: fit(train) for name, fit in MODELS.items()}


def scores(models: dict[str, survival.SurvivalModel], test: WaitSource, train: survival.Waits) -> pd.DataFrame:
    """Return the table of scores by model and day."""
    table = survival.compare(models, test, train=train, baselines=("continent",), days=(7, 28, HORIZON))
    return table.set_index(["model", "day"])


def test_models_expect_as_many_entries_as_they_were_fitted_to(entries: Entries) -> None:
    """Likelihood, prediction and score fit together: a model is right on the whole about the waits it was fitted to."""
    same = waits(entries, 2017, 2018, complete=True)
    found = scores(fitted(same), same, same).xs(HORIZON, level="day").loc[list(MODELS)]
    assert (abs(found["expected_observed"] - 1) < 0.02).all()
    assert (abs(found["calibration_slope"] - 1) < 0.05).all()
    assert (found["brier_skill_low"] > 0).all()
    assert (abs(found["calibration_intercept"]) < 0.05).all()
    # no family of distributions has the days of these entries; models without one do
    assert (found.loc[["cox", "cloglog", "logit"], "d_calibration_p"] > 0.05).all()
    assert (found.loc[["weibull", "lognormal", "loglogistic", "generalized_gamma"], "d_calibration_p"] < 0.01).all()


def test_models_have_skill_on_later_debuts_and_miss_that_entries_rose(entries: Entries) -> None:
    """In 2019 more tracks went on to further markets than before, and every model expects too few entries."""
    train = waits(entries, 2017, 2018, until=date(2018, 12, 31))
    models = fitted(train)
    there = frozenset(train.counted(("market",)).values["market"])
    later = survival.SeenWaits(waits(entries, 2019, 2019, complete=True), {"market": there})
    found = scores(models, later, train)
    assert (found.loc[list(MODELS), "brier_skill_low"] > 0.02).all()
    assert (found.loc[list(MODELS), "auc_gain_low"] > 0.25).all()
    assert (found["expected_observed_high"] < 0.95).all()
    assert (found["effective_clusters"] > 100).all()
    by_market = survival.calibration({"cox": models["cox"]}, later, by="market", day=28)
    assert len(by_market) > 55 and set(by_market["group"]) <= there
    low = by_market["predicted"] < by_market["low"]
    assert low.mean() > 0.5
