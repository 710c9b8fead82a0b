"""What happens to the process of a command: signals at any moment, errors that nobody foresaw, odd surroundings."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from pipelines.commands.entry import wrong_threads
from pipelines.commands.unforeseen import unforeseen_line, without_secrets
from pipelines.folders.manifest import STAGING

SLOW: Final = pytest.mark.slow

ROOT: Final = Path(__file__).parents[2]

MAIN: Final = "from pipelines.commands.entry import main; main()"

STOPPED: Final = "chart-diffusion: stopped\n"

Ended = tuple[int, str, str]


def python(code: str, *arguments: object, path: str = "", **environment: str) -> subprocess.Popen[str]:
    """Start Python with a piece of code; `path` comes before all packages."""
    search = os.pathsep.join([*filter(None, [path]), str(ROOT)])
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": search, **environment},
    )


def command(*arguments: object, **environment: str) -> Ended:
    """Run a command in a process of its own: exit code, output, errors."""
    process = python(MAIN, *arguments, **environment)
    output, errors = process.communicate()
    return process.returncode, output, errors


def interrupted(process: subprocess.Popen[str], *numbers: signal.Signals) -> Ended:
    """Send one signal for every line that a process writes; return exit code, rest of the output, errors."""
    assert process.stdout is not None
    for number in numbers:
        process.stdout.readline()
        process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    return process.returncode, output, errors


def processes_of(process: subprocess.Popen[str]) -> list[str]:
    """Return the numbers of the processes that a process has started."""
    return [
        number
        for children in Path(f"/proc/{process.pid}/task").glob("*/children")
        for number in children.read_text().split()
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_libraries_are_imported_is_one_line(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "duckdb.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    process = python(MAIN, "--version", path=str(tmp_path))
    assert interrupted(process, number) == (128 + number, "", STOPPED)


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_a_signal_during_the_work_is_one_line_and_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    process = python(MAIN, "graph", "sample", "--out", tmp_path / "out", TMPDIR=str(tmp_path))
    while not list(tmp_path.glob(f"out/{STAGING}*")) and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (128 + number, "", STOPPED)
    assert list(tmp_path.iterdir()) == []


WORKING = """
import time
from pipelines.commands.signals import Signals, Stopped

def wait(what):
    print(what, flush=True)
    time.sleep(60)

signals = Signals()
try:
    with signals.working(lambda: None):
        {work}
except Stopped:
    {cleaning}
    signals.say()
    raise SystemExit(signals.code)
"""


def test_a_second_signal_while_cleaning_up_ends_at_once() -> None:
    process = python(WORKING.format(work="wait('working')", cleaning="wait('cleaning')"))
    assert interrupted(process, signal.SIGINT, signal.SIGINT) == (130, "", STOPPED)


def test_a_signal_in_a_finaliser_is_not_lost() -> None:
    work = "type('Slow', (), {'__del__': lambda self: wait('finalising')})(); time.sleep(60)"
    process = python(WORKING.format(work=work, cleaning="pass"))
    assert interrupted(process, signal.SIGTERM) == (143, "", STOPPED)


UNFORESEEN: Final = """
import click
from pipelines.commands import entry, main
from pipelines.progress import progress

@main.cli.command()
def odd():
    with progress() as tell:
        tell("reading charts.csv")
        raise {error}

entry.main()
"""


@pytest.mark.parametrize(
    "error",
    [pytest.param("ZeroDivisionError('by\\n zero')", marks=SLOW), "__import__('polars').exceptions.PanicException"],
)
def test_an_error_that_nobody_foresaw_is_one_line_and_a_file(tmp_path: Path, error: str) -> None:
    process = python(UNFORESEEN.format(error=error), "odd", TMPDIR=str(tmp_path), SOME_TOKEN="charts.csv")
    output, errors = process.communicate()
    assert (process.returncode, output, errors.count("\n")) == (70, "", 1)
    assert errors.startswith("chart-diffusion: an error that was not foreseen in odd while reading <SOME_TOKEN>: ")
    (file,) = tmp_path.iterdir()
    assert f"its traceback is in '{file}'" in errors
    assert "report" in errors
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text(encoding="utf-8")
    assert "Traceback (most recent call last)" in text
    assert "charts.csv" not in text


def test_the_file_of_an_error_holds_no_logins() -> None:
    environment = {"AWS_SECRET_ACCESS_KEY": "wJalrXUtn", "HOME": "/home/me", "PASSWORD": ""}
    said = without_secrets("https://me:pw@store/wJalrXUtn in /home/me", environment)
    assert said == "https://<login>@store/<AWS_SECRET_ACCESS_KEY> in /home/me"


def test_an_error_whose_file_cannot_be_written_is_one_line_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    line = unforeseen_line(MemoryError(), ["chart-diffusion", "--x"])
    assert "in chart-diffusion: MemoryError; its traceback could not be written (FileNotFoundError);" in line


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are listed in /proc")
def test_a_signal_to_all_processes_of_a_terminal_is_one_line(tmp_path: Path) -> None:
    options = ["--world", "falling", "--tracks", 300, "--markets", 4, "--samples", 0, "--workers", 2]
    process = python(MAIN, "recovery", *options, "--out", tmp_path / "out")
    while len(children := processes_of(process)) < 3 and process.poll() is None:  # two workers and what tracks them
        time.sleep(0.05)
    time.sleep(0.5)  # the workers import
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (130, "", STOPPED)
    late = time.monotonic() + 10
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < late, "a process was left behind"
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    "encoding", ["cp1252", *(pytest.param(name, marks=SLOW) for name in ("latin-1", "ascii", "utf-8"))]
)
def test_what_an_output_cannot_spell_is_replaced(encoding: str) -> None:
    code, output, errors = command("graph", "中文–ü.csv", "--out", "x", PYTHONIOENCODING=encoding)
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith("chart-diffusion: no file, folder or glob match at '")


@pytest.mark.parametrize("value", ["0", "-1", "all", ""])
def test_a_number_of_threads_that_is_none_is_one_line(value: str) -> None:
    code, output, errors = command("--version", POLARS_MAX_THREADS=value)
    assert (code, output) == (2, "")
    assert errors == (
        f"chart-diffusion: POLARS_MAX_THREADS is {value!r} in the environment; give a whole number, 1 or more, "
        "or unset it\n"
    )


def test_numbers_of_threads_are_those_of_the_libraries() -> None:
    assert wrong_threads({"OMP_NUM_THREADS": "4,2", "POLARS_MAX_THREADS": "1", "MY_THREADS": "none"}) is None


@pytest.mark.slow
def test_raw_of_damaged_lines_alone_is_refused_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text('title,rank,date,artist,url,region,chart,trend,streams\n"never,1\na,b\n')
    raw = tmp_path / "raw"
    assert command("ingest", tmp_path / "c.csv", "--out", raw)[0] == 0
    code, output, errors = command("clean", raw, "--out", tmp_path / "clean", "--quiet")
    assert (code, output) == (2, "")
    assert errors == (
        f"chart-diffusion: '{raw}' has no rows, only damaged lines (damaged.parquet lists them); mend the source\n"
    )
