"""Steps of a study that ask how long it takes: what they make, what they say, and what they refuse."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import survival
from diffusion import DataSaysNoError, Entries, SettingError, open_sample
from pipelines.folders.folder import Folder
from pipelines.progress import quiet
from pipelines.study.covariates import covariate
from pipelines.study.run import Run
from pipelines.study.settings import Study, read_study
from pipelines.study.steps import SURVIVAL_SET
from pipelines.study.steps.cured import came_later
from pipelines.study.steps.effects import read, strongest
from pipelines.study.steps.survival import groupings_of, read_groups
from pipelines.study.steps.validation import Split

GROUPS = "market,taste\nSE,North\nNO,North\nUS,America\nNA,Africa\nMX,\n"


@pytest.fixture(scope="module")
def entries() -> Entries:
    with open_sample() as charts:
        return charts.entries()


def run(study: Study, place: Path, names: tuple[str, ...]) -> Path:
    with Folder(place) as folder:
        Run(study, folder).make(names, quiet)
    return place


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all steps of survival on the packaged charts, with groups of our own."""
    place = tmp_path_factory.mktemp("made")
    (place / "groups.csv").write_text(GROUPS)
    file = place / "study.toml"
    file.write_text('[charts]\npath = "sample"\n[survival]\nby = "language_match"\ngroups = "groups.csv"\n')
    return run(read_study(file), place / "out", SURVIVAL_SET)


def table(made: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(made / f"{name}.parquet")


# -- curves -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_groups_of_ones_own_have_curves_tests_and_a_figure(made: Path, entries: Entries) -> None:
    curves = table(made, "survival")
    assert set(curves["by"]) == {"language_match", "taste"}
    own = survival.breakthrough(entries, by=pd.DataFrame({"market": ["SE", "NO", "US"], "taste": ["N", "N", "A"]}))
    north = curves[curves["group"] == "North"]
    assert north["events"].sum() == own.summary.set_index("group").loc["N", "events"]
    tests = table(made, "log_rank")
    assert set(tests.loc[tests["by"] == "taste", "group"]) == {"all groups"}
    assert (made / "figures" / "survival_groups.png").is_file()
    report = (made / "report.html").read_text(encoding="utf-8")
    assert 'alt="Time to breakthrough, by taste"' in report
    assert "By taste: nobody is at risk in &#39;Africa&#39;." in report
    assert "groups.csv" in (made / "manifest.json").read_text(encoding="utf-8")


def test_the_code_of_namibia_is_no_missing_value(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text(GROUPS)
    read_back = read_groups(str(tmp_path / "groups.csv"))
    assert read_back["market"].tolist() == ["SE", "NO", "US", "NA", "MX"]
    assert read_back["taste"].isna().tolist() == [False, False, False, False, True]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no file .*groups.csv' with groups"),
        ("market,taste\nSE,a\nSE,b\n", "more than once"),
        ("market,language_match\nSE,a\nNO,b\n", "called 'language_match', as a grouping of the study"),
        ("country,taste\nSE,a\n", "a table of groups has one column of groups"),
    ],
    ids=["no file", "a market twice", "a name that is taken", "no key"],
)
def test_groups_that_cannot_be_used_are_refused(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "groups.csv").write_text(content)
    study = Study("sample", by=("language_match",), groups=str(tmp_path / "groups.csv"))
    with pytest.raises(SettingError, match=message):
        run(study, tmp_path / "out", ("survival",))


def test_groups_of_ones_own_may_be_named_among_thegroupings_of() -> None:
    own = pd.DataFrame({"market": ["SE"], "taste": ["a"]})
    for by in (("none",), ("none", "taste")):
        assert groupings_of(Study("sample", by=by), own)[:-1] == ["none"]
    assert groupings_of(Study("sample", by=("taste",)), own) == [own]
    assert groupings_of(Study("sample", by=("none",)), None) == ["none"]


# -- hazard ratios ----------------------------------------------------------------------------------------------------


def test_hazard_ratios_are_those_of_the_model_and_a_logarithm_is_read_for_a_doubling(
    made: Path, entries: Entries
) -> None:
    formula = "language_match + continent_match + log(footprint) + artist_here"
    fit = survival.cox(survival.waits(entries), formula, strata=("market",))
    ratios = table(made, "hazard_ratios").set_index("covariate")
    assert ratios["coef"].to_dict() == pytest.approx(fit.params_.to_dict())
    doubled = np.exp(np.log(2) * fit.params_["log(footprint)"])
    assert ratios.loc["log(footprint)", "hazard_ratio"] == pytest.approx(doubled)
    assert ratios.loc["log(footprint)", ["variable", "level"]].tolist() == ["markets entered on day 0", "twice as many"]
    bounds = fit.summary.loc["language_match[T.yes]", ["exp(coef) lower 95%", "exp(coef) upper 95%"]]
    assert ratios.loc["language_match[T.yes]", ["low", "high"]].tolist() == pytest.approx(bounds.tolist())
    assert ratios["p_holm"].min() == pytest.approx(ratios["p"].min() * len(ratios), rel=1e-6)
    periods = table(made, "hazard_ratio_periods")
    same = periods.drop_duplicates("covariate")
    assert same["p_same_holm"].min() == pytest.approx(same["p_same"].min() * len(same), rel=1e-6)
    assert periods["after"].unique().tolist() == [0, 7, 28]  # follow-up ends on day 69
    assert table(made, "proportionality")["term"].tolist()[-1] == "all"


def test_the_strongest_ratio_is_that_whose_interval_is_furthest_from_one_and_it_is_read_in_words() -> None:
    rows = pd.DataFrame(
        {
            "variable": ["a", "b", "c", "d", "e"],
            "level": "yes",
            "reference": ["no", "no", None, "no", "no"],
            "hazard_ratio": [9.0, 2.0, 0.25, 1.1, 1.5],
            "low": [1.1, 1.8, 0.2, 0.9, 1.01],
            "high": [70.0, 2.2, 0.3, 1.3, 2.2],
            "p_holm": [0.04, 1e-9, 1e-9, 0.4, 0.06],
        }
    )
    told = strongest(rows)
    assert [row["variable"] for row in told] == ["c", "b", "a"]
    assert read(told[1]) == "b, yes: enters 2.0 times as fast (1.8–2.2) as no"
    assert read(told[0]) == "c, yes: enters 0.25 times as fast (0.20–0.30)"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("continent[T.Asia]", ("continent of the market", "Asia", "Africa")),
        ("C(continent)[T.Asia]", ("continent of the market", "Asia", "Africa")),
        ("log(size)", ("size", "twice as many", None)),
        ("size", ("size", "one more", None)),
        ("continent[T.Asia]:size", ("continent[T.Asia]:size", "one more", None)),
    ],
)
def test_covariates_are_read_in_words(name: str, words: tuple[str, str, str | None]) -> None:
    values = pd.DataFrame({"continent": ["Asia", "Africa"], "size": [1.0, 2.0]})
    found = covariate(name, values)
    assert (found.variable, found.level, found.reference) == words


@pytest.mark.slow
def test_an_unknown_variable_is_the_users_mistake_and_a_constant_one_is_left_out(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="unknown variable 'langage'"):
        run(Study("sample", effects=("langage",)), tmp_path / "wrong", ("effects",))
    with pytest.raises(SettingError, match="cannot read the formula"):
        Study("sample", effects=("log(",))
    with pytest.raises(SettingError, match="effects is an empty list"):
        Study("sample", effects=())
    place = run(Study("sample", effects=("language_match", "debut_year")), tmp_path / "out", ("effects",))
    assert table(place, "hazard_ratios")["covariate"].tolist() == ["language_match[T.yes]"]
    assert "being the same for all waits or not known: debut_year." in (place / "report.html").read_text()


# -- what else --------------------------------------------------------------------------------------------------------


def test_where_follow_up_does_not_suffice_nobody_is_said_to_never_enter(made: Path, entries: Entries) -> None:
    cured = table(made, "cured").set_index("market")
    assert not cured["suffices"].any()
    assert set(cured["by_day"]) == {69}
    curve = survival.breakthrough(entries, by="market").summary.set_index("group")["share_entered"]
    # the model smooths: on the whole it has the shares of the curves
    weights = cured["waits"]
    assert np.average(1 - cured["share"], weights=weights) == pytest.approx(
        np.average(curve[cured.index], weights=weights), rel=0.1
    )
    assert "suffices in none of 67 markets" in (made / "report.html").read_text(encoding="utf-8")


def test_states_end_where_the_curve_ends(made: Path, entries: Entries) -> None:
    last = table(made, "states").iloc[-1]
    assert last[["charting", "left", "entered"]].sum() == pytest.approx(1)
    curve = survival.breakthrough(entries).curves.iloc[-1]
    assert last["entered"] == pytest.approx(curve["share_entered"], rel=0.01)
    assert 0 < last["entered_after_left"] < last["entered"]


def test_models_are_scored_on_tracks_that_debuted_after_all_that_they_know(made: Path, entries: Entries) -> None:
    split = Split.of(entries, horizon=180)
    assert split.days == (7,)
    assert split.last + timedelta(days=7) == entries.calendar.last_date
    assert entries.calendar.first_date + timedelta(days=28) < split.day < split.last
    scores = table(made, "model_scores")
    assert scores["model"].tolist()[:2] == ["one curve for all", "one curve per market"]
    assert set(scores["model"][2:]) == {"Cox", "discrete hazard", "AFT", "mixture cure"}
    assert scores.loc[0, "auc"] == 0.5
    debuts = entries.debuts()
    later = debuts[
        ~debuts["left_censored"] & debuts["debut"].between(pd.Timestamp(split.day), pd.Timestamp(split.last))
    ]
    assert scores["waits"].iloc[0] <= len(later) * (len(entries.calendar.markets) - 1)
    calibration = table(made, "calibration")
    assert set(calibration["kind"]) == {"decile", "market"}
    assert calibration.groupby(["model", "kind"])["waits"].sum().eq(scores["waits"].iloc[0]).all()


def test_charts_or_a_horizon_that_are_too_short_are_said(entries: Entries) -> None:
    with pytest.raises(DataSaysNoError, match="the horizon is 6 days"):
        Split.of(entries, horizon=6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"effects": ("language_match", "language_match")}, "effects is .*; name each once"),
        ({"strata": ("market", "market")}, "strata is .*; name each once"),
        ({"effects": ("1",)}, "the term '1' of effects has no variable"),
        ({"effects": ("-language_match",)}, "the term '-language_match' of effects has no variable"),
        ({"effects": ("",)}, "the formula is ''"),
    ],
)
def test_terms_that_cannot_be(settings: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Study("sample", **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", ["SE,a,b\nNO,a,b\n", "SE,a\nNO,a,b\n"])
def test_rows_of_groups_with_more_cells_than_the_header_are_refused(rows: str, tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text(f"market,team\n{rows}")
    with pytest.raises(SettingError, match="cannot read the groups in"):
        read_groups(str(tmp_path / "groups.csv"))


def test_entries_that_came_after_a_day_are_those_of_the_curve() -> None:
    with open_sample() as charts:
        entries = charts.entries()
    curves = survival.breakthrough(survival.waits(entries, horizon=97), by="market", cluster="independent").curves
    found = came_later(entries, 20)
    for market, curve in curves.groupby("group"):
        entered = curve.set_index("days")["share_entered"]
        last = curve.loc[curve["at_risk"] >= 100, "days"].max()
        expected = 1 - entered[20] / entered[last] if entered[last] else 0.0
        assert found[market] == pytest.approx(expected)
    assert found.max() > 0.3
    assert came_later(entries, 97).max() == 0
