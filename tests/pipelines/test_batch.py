"""Several studies in one run, and the lines on their progress."""

import json
import os
import sys
from pathlib import Path

import pytest

from diffusion import DataSaysNoError, SettingError
from pipelines import progress as shown
from pipelines.commands.batch import Closing, Outcome, expanded, folders_of, run_each, table_lines
from pipelines.commands.signals import Stopped
from pipelines.commands.unforeseen import UNFORESEEN
from pipelines.progress import progress
from tests.conftest import WriteCsv
from tests.pipelines.conftest import Shell
from tests.pipelines.test_cli import PROGRESS, ROWS

ENDS = {"one.toml": None, "two.toml": DataSaysNoError("too few\nmarkets"), "three.toml": ZeroDivisionError("by zero")}
"""Study → the error that it ends with."""


def end(study: str, folder: Path) -> Closing:
    if (error := ENDS.get(study, Stopped(2))) is not None:
        raise error
    return Closing([f"made      {folder}"], {"out": str(folder)})


def test_one_that_fails_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = list(run_each(folders_of(["three.toml", "two.toml", "one.toml"], Path("out")), end))
    outcomes = [outcome for outcome, _ in ended]
    assert [(one.state, one.exit_code) for one in outcomes] == [("failed", UNFORESEEN), ("refused", 1), ("done", 0)]
    assert outcomes[1].error == "too few markets"
    assert ended[2][1].lines == [f"made      {Path('out', 'one')}"]
    failed, refused = capsys.readouterr().err.splitlines()
    assert failed.startswith("chart-diffusion: three.toml: an error that was not foreseen in ")
    assert refused == "chart-diffusion: two.toml: too few markets"
    assert "ZeroDivisionError" in next(tmp_path.iterdir()).read_text()


def test_a_signal_stops_all() -> None:
    ended = run_each(folders_of(["one.toml", "stopped.toml", "two.toml"], Path("out")), end)
    assert next(iter(ended))[0].state == "done"
    with pytest.raises(Stopped):
        list(ended)


def test_the_table_says_how_each_ended() -> None:
    lines = table_lines(
        [
            Outcome("a.toml", "done", 0, 1234.5, "out/a", None, None),
            Outcome("studies/b.toml", "refused", 2, 0.04, "out/b", "no file", None),
        ]
    )
    assert lines == [
        "study           state      seconds  folder or error",
        "a.toml          done       1,234.5  out/a",
        "studies/b.toml  refused        0.0  no file",
    ]


def test_globs_of_study_files_are_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.toml", "a.toml", "[x].toml"):
        (tmp_path / name).touch()
    assert expanded(["charts/*.csv", "?.toml", "a.toml", "[x].toml"]) == [
        "charts/*.csv",
        "a.toml",
        "b.toml",
        "[x].toml",
    ]
    with pytest.raises(SettingError, match=r"no study file matches 'z\*\.toml'"):
        expanded(["z*.toml"])


def test_two_studies_of_one_name_are_refused_before_the_work(shell: Shell, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"'a/X y\.toml' and 'b/x_Y\.csv' would share the folder 'out/x_Y'"):
        folders_of(["a/X y.toml", "b/x_Y.csv"], Path("out"))
    code, out, err = shell("run", "a/x.toml", "b/x.toml", "--out", "made")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert list(tmp_path.iterdir()) == []


def test_run_says_of_every_study_how_it_ended(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[chart]")
    code, out, err = shell("run", "*.toml", "none.csv", "--out", "made")
    assert code == 2
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [["bad.toml", "refused"], ["none.csv", "refused"]]
    assert "none.csv: no file, folder or glob match at 'none.csv'" in err.splitlines()[-1]
    assert not (tmp_path / "made").exists()
    code, out, err = shell("run", "bad.toml", "none.csv", "--json", "--quiet")
    answer = json.loads(out)
    assert (code, answer["exit_code"], err.count("\n")) == (2, 2, 2)
    assert [(one["study"], one["state"], one["result"]) for one in answer["studies"]] == [
        ("bad.toml", "refused", None),
        ("none.csv", "refused", None),
    ]


@pytest.mark.slow
def test_a_batch_makes_what_each_study_makes_alone(shell: Shell, write_csv: WriteCsv, tmp_path: Path) -> None:
    write_csv(ROWS, "charts.csv")
    options = ("--replicates", 20, "--no-direct", "--by", "none", "--horizon", 90)
    (tmp_path / "mine.toml").write_text('[charts]\npath = "charts.csv"\n[graph]\ndirect = true\n')
    code, out, err = shell("run", "mine.toml", "none.csv", "charts.csv", *options, "--out", "made")
    assert code == 2
    assert [line.split()[1] for line in out.splitlines()[-3:]] == ["done", "refused", "done"]
    assert "not made  influence: it was not asked for; --direct asks for it" in out
    lines = [line for line in err.splitlines() if not PROGRESS.fullmatch(line)]
    assert lines[:2] == ["mine.toml", "none.csv"]
    assert lines[3:] == ["charts.csv"]
    assert shell("run", "charts.csv", *options, "--out", "alone")[0] == 0
    assert (tmp_path / "alone/manifest.json").read_bytes() == (tmp_path / "made/charts/manifest.json").read_bytes()
    assert "influence.parquet" not in {path.name for path in (tmp_path / "alone").iterdir()}
    answer = json.loads(shell("run", "mine.toml", "charts.csv", *options, "--out", "made", "--json")[1])
    assert [one["result"]["out"] for one in answer["studies"]] == ["made/mine", "made/charts"]


def test_a_step_that_has_ended_gets_a_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with progress(by_step=True, about="mine\x1b.toml") as tell:
        tell("reading charts", 0.5)
        tell("reading more charts")
        tell.ended("entries")
        tell.ended("graph", unchanged=True)
        assert capsys.readouterr().err.splitlines() == ["mine�.toml", "entries         0.0 s", "graph       unchanged"]
    with progress() as tell:
        tell("reading a.csv")
        tell("reading a.csv", 0.5)
        monkeypatch.setattr(shown, "SHORTEST", 0.0)
        tell("writing")
    assert capsys.readouterr().err.splitlines() == ["reading a.csv      0.0 s", "writing         0.0 s"]
    with progress(silent=True, by_step=True, about="mine.toml") as tell:
        tell("reading charts")
        tell.ended("entries")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("silent", [False, True])
def test_an_error_is_told_what_was_being_done(silent: bool) -> None:
    with pytest.raises(KeyError) as error, progress(silent=silent) as tell:
        tell("reading charts")
        raise KeyError
    assert error.value.__notes__ == ["while reading charts"]


def test_the_work_goes_on_where_nobody_reads_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering=1) as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        with progress(by_step=True) as tell:
            tell.ended("entries")
            tell.ended("graph")
        with pytest.raises(BrokenPipeError):
            stream.close()


def test_quiet_leaves_the_error_alone(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text('title,rank,date,artist,url,region,chart,trend,streams\n"never,1\na,b\n')
    code, out, err = shell("ingest", "bad.csv", "--out", "raw", "--quiet")
    assert (code, err) == (0, "")
    code, out, err = shell("graph", "none.csv", "--out", "made", "--quiet")
    assert (code, out, err) == (2, "", "chart-diffusion: no file, folder or glob match at 'none.csv'\n")
