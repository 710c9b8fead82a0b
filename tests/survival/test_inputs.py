"""What bad input gets: a named error in one line, or a convention; never a warning."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

import diffusion
import survival
from diffusion import DataSaysNoError, Entries, SettingError
from survival import WEIGHTS, frame_waits, waits
from survival.counting.frame import FrameWaits

N = 60


def waiting(**columns: Any) -> FrameWaits:
    """Return waits of 60 rows and 12 artists, with columns replaced."""
    return frame_waits(rows(**columns), days="days", entered="entered", cluster="artist")


def rows(**columns: Any) -> pd.DataFrame:
    """Return 60 rows."""
    random = np.random.default_rng(0)
    made = {
        "days": random.integers(1, 30, N),
        "entered": random.integers(0, 2, N),
        "x": random.normal(size=N),
        "group": random.choice(list("abc"), N),
        "artist": random.integers(0, 12, N),
    }
    return pd.DataFrame(made | columns)


@pytest.fixture(scope="module")
def entries() -> Entries:
    with diffusion.open_sample() as charts:
        return charts.entries()


def test_groups_that_cannot_be_compared_are_said() -> None:
    """All at risk enter at once: there is no difference, and no 0 / 0 either."""
    clusters: tuple[survival.Cluster, ...] = ("artist", "independent")
    for cluster in clusters:
        with pytest.raises(DataSaysNoError, match="whenever somebody enters, all at risk do"):
            survival.log_rank(waiting(days=1, entered=1), "group", cluster=cluster)
    with pytest.raises(SettingError, match="must be 0 or more, and finite"):
        survival.log_rank(waiting(), "group", weights="fleming-harrington", p=np.nan)
    assert "fleming-harrington" in WEIGHTS


def test_a_test_of_proportionality_needs_entries_on_several_days() -> None:
    with pytest.raises(DataSaysNoError, match="nothing says whether the hazard ratio of 'x' changes in time"):
        survival.proportionality(survival.cox(waiting(days=5), "x"))


def test_differences_of_one_cluster_are_not_known() -> None:
    found = survival.restricted_mean(waiting(artist=0), by="group")
    assert np.isinf(found.table["standard_error"]).all()
    assert found.table["low"].eq(0).all() and found.table["high"].eq(found.days).all()
    assert found.differences[["standard_error", "low", "high", "p"]].isna().all(axis=None)


@pytest.mark.parametrize("baseline", [[np.nan], ["a"], None, -30, [1.5, 20], [0, 5], [5, 3]])
def test_periods_that_cannot_be(baseline: Any) -> None:
    with pytest.raises(SettingError, match="periods must end on whole days"):
        survival.discrete_hazard(waiting(), "x", baseline=baseline)


@pytest.mark.parametrize("penalizer", [-1.0, np.nan, np.inf, "a", None])
def test_penalizers_that_cannot_be(penalizer: Any) -> None:
    for fit in (survival.cox, survival.discrete_hazard):
        with pytest.raises(SettingError, match=r"the penalizer is .*; it must be 0 or more, and finite"):
            fit(waiting(), "x", penalizer=penalizer)


def test_an_effect_is_named_once() -> None:
    for formula, effects in (("group", ["group"]), ("x", ["group", "group"])):
        with pytest.raises(SettingError, match="'group' cannot be an effect twice"):
            survival.discrete_hazard(waiting(), formula, effects=effects)
    fit = survival.discrete_hazard(waiting(group=[1, "a"] * 30), "x", effects=["group"])
    assert fit.effects_["value"].tolist() == [1, "a"]


def test_one_text_is_no_list() -> None:
    """Its letters would be taken for names."""
    for make in (
        lambda: survival.cox(waiting(), "x", strata="group"),
        lambda: survival.cox_rows(rows(), "x", days="days", entered="entered", strata="group"),
        lambda: survival.follow_up_test(waiting(), by="group"),
        lambda: survival.cure(waiting(), "x", follow_up_by="group"),
        lambda: survival.group_curves(waiting(), "group"),  # type: ignore[arg-type]
    ):
        with pytest.raises(SettingError, match=r"is 'group'; it must be a list of names, such as \['group'\]"):
            make()


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"group": [[1], [2]] * 30}, {"strata": ["group"]}, "cannot be put in order"),
        ({"group": [date(2020, 1, 1), 1.0] * 30}, {"strata": ["group"]}, "cannot be put in order"),
        ({"artist": [None, 1.0] * 30}, {}, "'artist' has 30 missing values"),
        ({"days": pd.to_timedelta(np.arange(1, N + 1), unit="D")}, {}, "timedelta64.* values"),
        ({}, {"cluster": "label"}, "by artist, track, independent, not by 'label'"),
    ],
)
def test_frames_that_cannot_be(columns: dict[str, Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        survival.cox(waiting(**columns), "x", **options)


def test_columns_that_are_there_twice_are_refused() -> None:
    for name in ("days", "x"):
        twice = pd.concat([rows(), rows()[[name]]], axis=1)
        with pytest.raises(SettingError, match=f"several columns '{name}'"):
            survival.cox(frame_waits(twice, days="days", entered="entered"), "x")


@pytest.mark.parametrize("weight", [1e200, 1e-200])
def test_weights_beyond_what_can_be_squared(weight: float) -> None:
    with pytest.raises(SettingError, match="rescale them"):
        survival.cox_rows(rows(w=weight), "x", days="days", entered="entered", weights="w")


def test_a_message_names_a_few_covariates_only() -> None:
    with pytest.raises(DataSaysNoError, match=r"and \d+ more has no end") as error:
        survival.cox_rows(rows(), "C(x)", days="days", entered="entered")
    assert len(str(error.value)) < 400


def test_waits_are_not_their_entries(entries: Entries) -> None:
    fits: tuple[Callable[..., Any], ...] = (survival.cox, survival.aft, survival.cure, survival.discrete_hazard)
    for fit in fits:
        with pytest.raises(SettingError, match=r"Entries are no waits; make them by survival.waits\(entries\)"):
            fit(entries, "language_match")
    with pytest.raises(SettingError, match="DataFrame are no waits"):
        survival.breakthrough(rows())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 1.5}, "horizon is 1.5; it must be a whole number"),
        ({"landmark": None}, "landmark is None; it must be a whole number"),
        ({"classes": np.nan}, "classes is nan; it must be a whole number"),
        ({"debut": ("2021-04-01", "2021-05-01")}, "must be a pair of dates"),
        ({"debut": (date(2021, 4, 1),)}, "must be a pair of dates"),
        ({"until": "2021-05-01"}, "until is '2021-05-01'; it must be a date"),
        ({"combine": {"likeness": "mean"}}, "combine names 'likeness', which is no column of the table of pairs"),
    ],
)
def test_settings_of_waits_that_cannot_be(entries: Entries, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        waits(entries, **options)


@pytest.mark.parametrize(
    ("name", "table", "message"),
    [
        ("markets", {"market": ["SE"]}, "is a dict; it must be a DataFrame"),
        ("markets", pd.DataFrame({"market": ["SE"], 5: [1]}), "has the column 5"),
        ("markets", pd.DataFrame([["SE", 1, 2]], columns=["market", "z", "z"]), "has the column 'z'"),
        ("markets", pd.DataFrame({"market": ["SE"], "origin": ["x"]}), "'origin', a name that is taken"),
        ("tracks", pd.DataFrame({"track_id": ["a"], "footprint": [1]}), "'footprint', a name that is taken"),
        ("markets", pd.DataFrame({"market": ["SE"], "z": [[1]]}), "must have numbers, texts or flags"),
        ("artists", pd.DataFrame({"artist": [5], "z": [1]}), "must have names, as text"),
        ("pairs", pd.DataFrame({"source": ["SE"], "target": ["NO"], "z": ["a"]}), "must have finite numbers"),
        ("pairs", pd.DataFrame({"source": ["SE"], "target": ["NO"], "z": [np.inf]}), "must have finite numbers"),
    ],
)
def test_own_tables_that_cannot_be(entries: Entries, name: str, table: Any, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        waits(entries, **{name: table})


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"market": ["XX"], "kind": ["a"]}),
        pd.DataFrame({"market": ["SE"], "kind": [None]}),
        pd.DataFrame({"market": [], "kind": []}),
        pd.DataFrame({"track_id": [1], "kind": ["a"]}),
        pd.DataFrame({"source": ["SE"], "target": ["SE"], "kind": ["a"]}),
    ],
)
def test_groups_without_any_wait_are_said(entries: Entries, table: pd.DataFrame) -> None:
    with pytest.raises(SettingError, match="no wait is in a group of the table"):
        survival.breakthrough(entries, by=table, horizon=10)


def test_groups_by_number_have_whole_names(entries: Entries) -> None:
    """A column of whole numbers with gaps is one of fractions in pandas."""
    table = pd.DataFrame({"market": ["SE", "NO", "FI", "XX"], "kind": [1, None, 2, 3]})
    found = survival.breakthrough(entries, by=table, horizon=10)
    assert found.summary["group"].tolist() == ["1", "2"]
    assert found.absent == ("3",)


@pytest.mark.parametrize("fit", [survival.cox, survival.aft, survival.discrete_hazard])
def test_predictions_that_a_model_cannot_make(fit: Callable[..., Any]) -> None:
    model = fit(waiting(), "x + group")
    values = rows().head(2)
    with pytest.raises(SettingError, match=r"'x' is 1e\+06, far outside the"):
        model.probability(values.assign(x=1e6), 10)
    with pytest.raises(SettingError, match="categories outside"):
        model.probability(values.assign(group=1.0), 10)
    with pytest.raises(SettingError, match=r"not nan|whole days"):
        model.predict_survival_function(values, [np.nan])
    with pytest.raises(SettingError):
        model.predict_survival_function(values, conditional_after=np.nan)
    assert model.probability(values.head(0), 10).empty
    assert model.predict_survival_function(values.head(0), [3]).shape == (1, 0)


def test_times_are_not_cut_to_whole_days() -> None:
    for fit in (survival.aft, survival.discrete_hazard):
        with pytest.raises(SettingError, match="whole days"):
            fit(waiting(), "x").predict_survival_function(rows().head(1), [1.5])  # type: ignore[list-item]


def test_scores_of_one_cluster_have_no_interval() -> None:
    train = waiting(days=rows()["days"].where(rows()["entered"] == 1, 30))
    test = waiting(days=rows()["days"].where(rows()["entered"] == 1, 30), artist=0)
    table = survival.compare({"cox": survival.cox(train, "x")}, test, train=train, days=(20,), baselines=())
    assert table["auc_gain"].notna().all() and table["auc_gain_low"].isna().all()
    with pytest.raises(SettingError, match=r"in a list such as .*; found 7"):
        survival.compare({}, test, train=train, days=7, baselines=())  # type: ignore[arg-type]


def test_absences_last_whole_charts() -> None:
    with diffusion.open_sample() as charts, pytest.raises(SettingError, match="an absence lasts at least one chart"):
        charts.absences(periods=1.5)  # type: ignore[arg-type]
