"""Steps of a study: what each depends on, what is made again when something changes, and what cannot be drawn."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import pytest

import figures
from diffusion import DataSaysNoError
from pipelines.folders.folder import Folder
from pipelines.progress import quiet
from pipelines.study.run import Run, closing_lines
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Output, Results, Step, followers, with_needs
from pipelines.study.steps import GRAPH_SET, RUN_SET, STEPS, SURVIVAL_SET
from tests.conftest import WriteCsv, steady

ROWS = steady(90, {"United States": {"x": 30, "y": 31}, "Sweden": {"x": 33, "y": 31}, "Norway": {"x": 40}})

CHANGED = {
    "chart": "top200",
    "columns": {"rank": "rank"},
    "market_names": {"Swedenn": "SE"},
    "from_name": "{market}.csv",
    "encoding": "latin-1",
    "date_format": "day/month/year",
    "first_rank": 0,
    "accept": ("holes",),
    "top": 150,
    "min_periods": 2,
    "washout": 27,
    "cohort": {"artists": ("Artist",)},
    "market_groups": {"Nordics": ("SE", "NO")},
    "identity": "recording",
    "window": 30,
    "replicates": 21,
    "seed": 1,
    "direct": False,
    "by": ("none",),
    "horizon": 90,
    "effects": ("language_match",),
    "strata": (),
}
"""Field of a study → another value than that of `mine`."""

AFTER_GRAPH = [
    "baseline", "leaders", "changes", "structure", "exchange", "direct", "placebo", "published", "exports",
]  # fmt: skip
"""Steps that need the graph."""


@pytest.fixture
def mine(write_csv: WriteCsv) -> Study:
    return Study(str(write_csv(ROWS)), replicates=20, by=("none", "continent"))


def counted(steps: Sequence[Step], made: list[str]) -> list[Step]:
    """Return the steps without their figures; they add their names to `made` when they are made."""

    def counting(step: Step) -> Step:
        def make(study: Study, results: Results) -> Output:
            made.append(step.name)
            return step.make(study, results)

        return replace(step, make=make, drawings=None)

    return [counting(step) for step in steps]


def raised(name: str) -> list[Step]:
    """Return the steps, one of them with a higher version."""
    return [replace(step, version=step.version + 1) if step.name == name else step for step in STEPS]


def run(study: Study, place: Path, steps: Sequence[Step] = STEPS, names: Sequence[str] = RUN_SET) -> list[str]:
    """Run a study, whatever the folder holds, and return the names of the steps that were made."""
    made: list[str] = []
    with Folder(place) as folder:
        Run(study, folder, steps=counted(steps, made)).make(names, quiet, replace=True)
    return made


def test_every_step_comes_after_those_that_it_needs() -> None:
    names = [step.name for step in STEPS]
    assert len(set(names)) == len(names)
    for place, step in enumerate(STEPS):
        assert set(step.needs) <= set(names[:place])
    graph_steps = ["entries", "graph", *GRAPH_SET]
    assert [step.name for step in with_needs(GRAPH_SET, STEPS)] == graph_steps
    assert [step.name for step in with_needs(SURVIVAL_SET, STEPS)] == ["entries", *SURVIVAL_SET]
    assert [step.name for step in followers("graph", STEPS)] == [*AFTER_GRAPH, "known"]


def test_every_setting_matters_to_some_step() -> None:
    known = {spec.name for spec in fields(Study)}
    used = {name for step in STEPS for name in step.settings}
    # charts, truth and groups count by their content, the title stands in the report alone; results are the same on
    # every engine
    assert used == known - {"path", "title", "truth", "groups", "engine", "spark"}
    assert set(CHANGED) == used


@pytest.mark.parametrize("name", CHANGED)
def test_a_setting_changes_exactly_the_steps_that_depend_on_it(mine: Study, tmp_path: Path, name: str) -> None:
    with Folder(tmp_path / "out") as folder:
        before = Run(mine, folder).prints
        after = Run(mine.override(**{name: CHANGED[name]}), folder).prints
    own = {step.name for step in STEPS if name in step.settings}
    later = {step.name for own_name in own for step in followers(own_name, STEPS)}
    assert {step for step in before if before[step] != after[step]} == own | later


@pytest.mark.parametrize("name", [step.name for step in STEPS])
def test_a_raised_version_changes_exactly_the_step_and_what_follows(mine: Study, tmp_path: Path, name: str) -> None:
    with Folder(tmp_path / "out") as folder:
        before, after = Run(mine, folder).prints, Run(mine, folder, steps=raised(name)).prints
    assert {step for step in before if before[step] != after[step]} == {
        name, *(step.name for step in followers(name, STEPS)),
    }  # fmt: skip


def test_what_changed_is_made_again_and_nothing_else(mine: Study, write_csv: WriteCsv, tmp_path: Path) -> None:
    place = tmp_path / "out"
    assert run(mine, place) == list(RUN_SET)
    assert run(mine, place) == []
    assert run(mine, place, raised("graph")) == ["graph", *AFTER_GRAPH]
    changed = ["missing", "journeys", *SURVIVAL_SET]
    assert run(mine.override(horizon=90), place, raised("graph")) == changed
    assert run(mine.override(horizon=90), place, raised("graph"), SURVIVAL_SET) == []
    write_csv(ROWS[:-1])
    assert run(mine, place) == list(RUN_SET)


@pytest.mark.slow
def test_the_report_covers_what_earlier_runs_made_with_other_settings(mine: Study, tmp_path: Path) -> None:
    place = tmp_path / "out"
    run(mine, place)
    assert run(mine.override(horizon=90, replicates=21), place, names=SURVIVAL_SET) == list(SURVIVAL_SET)
    html = (place / "report.html").read_text(encoding="utf-8")
    assert "<h2>Leaders</h2>" in html  # of 20 replicates
    assert "censored where the market's coverage ends or after 90 days" in " ".join(html.split())
    assert run(mine.override(window=30), place, names=("baseline",)) == ["graph", "baseline"]
    html = (place / "report.html").read_text(encoding="utf-8")
    assert "<h2>Leaders</h2>" not in html  # of another window
    assert "<h2>Time to breakthrough</h2>" in html


def refusing(results: Results) -> dict[str, Drawing]:
    def no_figure() -> figures.Figure:
        raise DataSaysNoError("eleven dimensions do not fit a page")

    return {"hyperplane": Drawing("Nothing.", no_figure)}


def broken(results: Results) -> dict[str, Drawing]:
    def no_figure() -> figures.Figure:
        raise TypeError("our mistake")

    return {"hyperplane": Drawing("Nothing.", no_figure)}


def drawn_by(drawings: object) -> list[Step]:
    return [replace(step, drawings=drawings) if step.name == "graph" else step for step in STEPS]


def test_a_figure_that_cannot_be_had_is_left_out_by_name(mine: Study, tmp_path: Path) -> None:
    with Folder(tmp_path / "out") as folder:
        job = Run(mine, folder, steps=drawn_by(refusing))
        said = closing_lines(folder, job.make(GRAPH_SET, quiet), job.results)
    assert "not made  figures/hyperplane: eleven dimensions do not fit a page" in said
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Not made: figures/hyperplane: eleven dimensions do not fit a page." in html


def test_a_mistake_of_ours_is_no_gap(mine: Study, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="our mistake"), Folder(tmp_path / "out") as folder:
        Run(mine, folder, steps=drawn_by(broken)).make(GRAPH_SET, quiet)
    assert not (tmp_path / "out").exists()
