"""What a run would replace: results of other settings or other data stay unless they are to be replaced."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from diffusion import OutputError
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import LOG
from pipelines.progress import quiet
from pipelines.study.results import Results
from pipelines.study.run import Run
from pipelines.study.settings import Study
from pipelines.study.step import Output, Step, followers
from pipelines.study.steps import GRAPH_SET, RUN_SET, STEPS, SURVIVAL_SET
from tests.conftest import WriteCsv, steady
from tests.pipelines.conftest import Shell
from tests.pipelines.test_steps import CHANGED

ROWS = steady(60, {"United States": {"x": 30}, "Sweden": {"x": 33}, "Norway": {"x": 40}})


NOTES = {
    **dict.fromkeys(("layout", "chart", "first_date", "last_date", "events"), ""),
    **dict.fromkeys(("cadence_days", "markets", "tracks", "entries", "left_censored", "upper_top"), 0),
    **{"cohort": [], "tracks_of_all": 0, "artists_whole": True, "groups": {}, "absent": {}, "own": None},
    **dict.fromkeys(("window", "transitions", "ties", "exposed", "horizon"), 0),
    **dict.fromkeys(("caveats", "same", "of_artists", "strata"), ()),
    **{name: {} for name in ("other_charts", "unmatched", "missing")},
    "rows": {"read": 0, "kept": 0, "duplicates": 0, "aggregate": 0, "set_aside": {}},
}
"""What steps note when they find nothing."""


def empty(study: Study, results: Results) -> Output:
    return Output({}, notes=NOTES)


LIGHT = [
    replace(step, make=empty, drawings=None, section=None, findings=None, lines=None, caveats=None, data=None, ask=None)
    for step in STEPS
]
"""All steps, which make nothing: what is replaced does not depend on what is made."""


def make(
    study: Study, place: Path, names: Sequence[str] = RUN_SET, *, steps: Sequence[Step] = LIGHT, replacing: bool = False
) -> list[str]:
    """Run a study and return the steps in its manifest that were made anew."""
    with Folder(place) as folder:
        Run(study, folder, steps=steps).make(names, quiet, replace=replacing)
        now = folder.manifest()["steps"]
        return [step.name for step in steps if now.get(step.name) != folder.previous(step.name)]


def contents(place: Path) -> dict[str, bytes]:
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def refuses(study: Study, place: Path, *said: str, names: Sequence[str] = RUN_SET) -> None:
    """Assert that a run is refused with these words and changes nothing in its folder."""
    before = contents(place)
    with pytest.raises(OutputError) as refused:
        make(study, place, names)
    for words in (*said, "name another --out, or give --replace"):
        assert words in str(refused.value)
    assert contents(place) == before


@pytest.fixture
def mine(write_csv: WriteCsv) -> Study:
    return Study(str(write_csv(ROWS, "in/charts.csv")))


@pytest.fixture
def place(mine: Study, tmp_path: Path) -> Path:
    """Return a folder with all steps of a study."""
    make(mine, tmp_path / "out")
    return tmp_path / "out"


def test_every_other_setting_is_refused_and_named(mine: Study, place: Path) -> None:
    for name, value in CHANGED.items():
        own = [step.name for step in STEPS if name in step.settings]
        later = {step.name for one in own for step in followers(one, STEPS)} & {*RUN_SET}
        lost = ", ".join(step for step in RUN_SET if step in {*own} | later)
        refuses(mine.override(**{name: value}), place, f"this would replace {lost}: {name} was ", " and is now ")
    assert make(mine, place) == []


def test_what_a_command_does_not_touch_needs_no_consent(mine: Study, tmp_path: Path) -> None:
    place = tmp_path / "out"
    make(mine, place, GRAPH_SET)
    assert make(mine.override(horizon=90), place, SURVIVAL_SET) == list(SURVIVAL_SET)
    assert make(mine.override(title="Another", horizon=30), place, GRAPH_SET) == []
    refuses(mine.override(window=9), place, "window was not given and is now 9", names=GRAPH_SET)
    refuses(mine, place, "horizon was 90 and is now 180", names=SURVIVAL_SET)


def test_with_consent_results_are_replaced_and_removed(mine: Study, place: Path) -> None:
    other = mine.override(top=2)
    refuses(other, place, f"{', '.join(('entries', *SURVIVAL_SET))} and remove ", names=SURVIVAL_SET)
    assert set(make(other, place, SURVIVAL_SET, replacing=True)) == {*RUN_SET}  # made anew, or gone
    with Folder(place) as folder:
        assert {*folder.manifest()["steps"]} - {"report", "views"} == {"entries", *SURVIVAL_SET}


def test_charts_that_grew_are_the_same_charts(mine: Study, place: Path, write_csv: WriteCsv) -> None:
    write_csv(ROWS[:-1], "in/charts.csv")
    assert make(mine, place) == list(RUN_SET)
    write_csv(ROWS, "in/more.csv")
    refuses(replace(mine, path=str(Path(mine.path).parent)), place, "the charts were ", " and are now ")


def test_a_folder_may_gain_files_but_not_lose_them(mine: Study, tmp_path: Path, write_csv: WriteCsv) -> None:
    charts, place = replace(mine, path=str(tmp_path / "in")), tmp_path / "out"
    half = len(ROWS) // 2
    write_csv(ROWS[:half], "in/charts.csv")
    make(charts, place)
    later = write_csv(ROWS[half:], "in/later.csv")
    assert make(charts, place) == list(RUN_SET)
    later.rename(tmp_path / "in" / "renamed.csv")
    assert make(charts, place) == list(RUN_SET)
    (tmp_path / "in" / "renamed.csv").unlink()
    refuses(charts, place, "the charts no longer have renamed.csv")


def test_files_of_the_same_name_elsewhere_are_other_charts(
    mine: Study, place: Path, write_csv: WriteCsv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = Study(str(write_csv(ROWS[:-1], "elsewhere/charts.csv")))
    refuses(other, place, "the charts were ", "in/charts.csv and are now ", "elsewhere/charts.csv")
    shutil.copy(mine.path, other.path)
    assert make(other, place) == []  # the same bytes, from now on found here
    write_csv(ROWS[:-1], "elsewhere/charts.csv")
    assert make(replace(other, path="elsewhere/charts.csv"), place) == list(RUN_SET)


@pytest.mark.parametrize("log", [None, b'\xff{\n[1]\n{"places": 3}\n{"places": {"entries": 3}}\n'])
def test_where_the_log_does_not_say_where_charts_were_only_the_same_will_do(
    mine: Study, place: Path, write_csv: WriteCsv, log: bytes | None
) -> None:
    (place / LOG).unlink() if log is None else (place / LOG).write_bytes(log)
    write_csv(ROWS[:-1], "in/charts.csv")
    refuses(mine, place, "the charts were charts.csv and are now ")
    write_csv(ROWS, "in/charts.csv")
    assert make(mine, place) == []
    write_csv(ROWS[:-1], "in/charts.csv")
    assert make(mine, place) == list(RUN_SET)


def test_what_follows_from_grown_charts_is_not_removed_unasked(mine: Study, place: Path, write_csv: WriteCsv) -> None:
    write_csv(ROWS[:-1], "in/charts.csv")
    others = [name for name in RUN_SET if name not in {"entries", "graph", *GRAPH_SET}]
    said = f"this would remove {', '.join(others)}: this command makes again what they follow from"
    refuses(mine, place, said, "which run does", names=GRAPH_SET)


def test_a_raised_version_is_no_other_setting(mine: Study, place: Path) -> None:
    raised = [replace(step, version=99) if step.name == "graph" else step for step in LIGHT]
    assert make(mine, place, steps=raised) == [
        "graph",
        *(s.name for s in followers("graph", STEPS) if s.name in RUN_SET),
    ]


def test_a_setting_that_an_older_version_did_not_know_had_its_default(mine: Study, tmp_path: Path) -> None:
    place = tmp_path / "out"
    older = [replace(step, settings=tuple(name for name in step.settings if name != "direct")) for step in LIGHT]
    make(mine, place, GRAPH_SET, steps=older)
    refuses(mine.override(direct=False), place, "direct was on and is now off", names=GRAPH_SET)
    assert make(mine, place, GRAPH_SET) == ["direct", "placebo", "exports"]


def test_groups_of_ones_own_are_data_too(mine: Study, tmp_path: Path) -> None:
    groups, place = tmp_path / "groups.csv", tmp_path / "out"
    groups.write_text("market,taste\nSE,North\n")
    make(mine, place, SURVIVAL_SET)
    refuses(mine.override(groups=str(groups)), place, "the groups were none and are now ", names=SURVIVAL_SET)
    make(mine.override(groups=str(groups)), place, SURVIVAL_SET, replacing=True)
    groups.write_text("market,taste\nSE,North\nNO,North\n")
    assert make(mine.override(groups=str(groups)), place, SURVIVAL_SET) == ["survival"]
    refuses(mine, place, "groups.csv and are now none", names=SURVIVAL_SET)


def test_results_of_another_command_are_not_written_over(mine: Study, tmp_path: Path) -> None:
    place = tmp_path / "out"
    with Folder(place) as folder:
        folder.begin("clean", "print", parameters={}, notes={})
        folder.put("clean", "tracks.parquet", b"of charts")
    before = contents(place)
    with pytest.raises(OutputError, match=r"tracks\.parquet' belongs to the results of clean; name another --out"):
        make(mine, place, replacing=True)
    assert contents(place) == before


def test_raw_of_other_files_is_kept(shell: Shell, write_csv: WriteCsv, tmp_path: Path) -> None:
    write_csv(ROWS, "a.csv")
    write_csv(ROWS[:-3], "b.csv")
    assert shell("ingest", "a.csv", "--out", "raw")[0] == 0
    before = contents(tmp_path)
    code, _, err = shell("ingest", "b.csv", "--out", "raw")
    assert (code, contents(tmp_path)) == (2, before)
    assert "'raw' was made of 'a.csv', not given now; add to it with --append, name another --out, " in err
    code, _, err = shell("ingest", "a.csv", "--out", "raw", "--slim-only")
    assert (code, contents(tmp_path)) == (2, before)
    assert "'raw' was made with other options; name another --out, or give --replace" in err
    write_csv(ROWS[:-1], "a.csv")
    assert shell("ingest", "a.csv", "b.csv", "--out", "raw")[0] == 0
    assert shell("ingest", "b.csv", "--out", "raw", "--replace")[0] == 0
