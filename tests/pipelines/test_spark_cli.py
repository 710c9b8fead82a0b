"""The command line on Spark: the settings that choose it, equal results, signals, executors that die."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from diffusion import SettingError
from pipelines.study.settings import Study, read_study
from pipelines.study.steps import STEPS
from tests.pipelines.conftest import Shell
from tests.same_results import differences

ROOT: Final = Path(__file__).parents[2]

SECRET: Final = "sesame-opens"

SPARK: Final = ("--engine", "spark", "--spark", "spark.driver.memory=1g", "--spark", f"spark.my.secret={SECRET}")

QUICK: Final = ("--replicates", "20")

CHARTS: Final = '[charts]\npath = "sample"\n'


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ('spark.master = "local[2]"\nspark.ui.enabled = false\nspark.sql.shuffle.partitions = 4', ""),
        ("", '[spark]\nmaster = "local[2]"\nui.enabled = false\n"spark.sql.shuffle.partitions" = "4"'),
        ("", '[spark]\nspark = { master = "local[2]", ui.enabled = false, sql.shuffle.partitions = 4 }'),
    ],
)
def test_a_study_file_names_the_engine_and_any_setting(tmp_path: Path, above: str, below: str) -> None:
    (tmp_path / "study.toml").write_text(f'engine = "spark"\n{above}\n{CHARTS}{below}')
    study = read_study(tmp_path / "study.toml")
    assert study.engine == "spark"
    assert study.spark == {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "4",
    }


def test_options_win_over_the_study_file_setting_by_setting() -> None:
    study = Study("sample", engine="spark", spark={"spark.master": "local[2]", "spark.executor.memory": "1g"})
    more = study.override(spark={"spark.executor.memory": "2g"})
    assert more.spark == {"spark.master": "local[2]", "spark.executor.memory": "2g"}
    other = study.override(engine="duckdb")
    assert (other.engine, other.spark) == ("duckdb", {})
    with pytest.raises(SettingError, match="but the engine is duckdb"):
        study.override(engine="duckdb", spark={"spark.master": "local[2]"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('engine = "flink"', "engine is 'flink'; there are duckdb and spark"),
        ("engine = 3", "engine is 3; there are duckdb and spark"),
        ('spark.master = "local"', 'spark.master is given, but the engine is duckdb; add engine = "spark"'),
        ('engine = "spark"\nspark = "local"', "'spark' is no setting of Spark; give one such as spark.master"),
        (f'engine = "spark"\nspark.my.secret = ["{SECRET}"]', "^spark.my.secret must be a text, a number, or true"),
    ],
)
def test_what_a_study_file_may_not_say_of_the_engine(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "study.toml").write_text(f"{text}\n{CHARTS}")
    with pytest.raises(SettingError, match=said) as error:
        read_study(tmp_path / "study.toml")
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--spark", "spark.master=local"], "spark.master is given, but the engine is duckdb"),
        (["--engine", "spark", "--spark", "master=local"], "'master' is no setting of Spark"),
        (["--engine", "spark", "--spark", "spark.master"], "--spark is not of the form LEFT=RIGHT"),
        (["--engine", "flink"], "'flink' is not one of 'duckdb', 'spark'"),
    ],
)
@pytest.mark.parametrize("command", ["run", "graph", "survival", "eda"])
def test_options_that_cannot_be_right(shell: Shell, command: str, options: list[str], said: str) -> None:
    code, output, errors = shell(command, "sample", "--out", "out", *options)
    assert (code, output) == (2, "")
    assert said in errors
    assert errors.count("\n") == 1
    assert not Path("out").exists()


def test_no_result_depends_on_the_engine_or_holds_its_settings() -> None:
    assert not [step.name for step in STEPS if {"engine", "spark"} & set(step.settings)]


def command(*arguments: object, **environment: str) -> "subprocess.Popen[str]":
    """Start a command in a process of its own."""
    pytest.importorskip("pyspark", reason="Spark is not installed: pip install 'chart-diffusion[spark]'")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not on the path")
    return python("from pipelines.commands.entry import main; main()", *arguments, **environment)


def python(code: str, *arguments: object, **environment: str) -> "subprocess.Popen[str]":
    """Start Python with a piece of code."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


@pytest.mark.slow
def test_a_study_on_spark_is_that_on_duckdb(tmp_path: Path, shell: Shell) -> None:
    code, *_ = shell("run", "sample", "--out", tmp_path / "duckdb", "--quiet", *QUICK)
    assert code == 0
    options = ("--out", tmp_path / "spark", "--quiet", "--json", *QUICK)
    process = command("run", "sample", *options, *SPARK, "--spark", "spark.master=local[2]")
    output, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert json.loads(output)["out"] == str(tmp_path / "spark")
    assert differences(tmp_path / "duckdb", tmp_path / "spark") == []
    files = [file for file in (tmp_path / "spark").rglob("*") if file.is_file()]
    assert not [file for file in files if SECRET.encode() in file.read_bytes()]


STOPPED: Final = """
from pipelines.commands.entry import main
from diffusion.engine.spark.engine import SparkEngine

def fetch(self, name, **parameters):
    print(self._session.sparkContext._gateway.proc.pid, flush=True)
    self._session.range(10**14).selectExpr("sum(id % 7)").toArrow()

SparkEngine.fetch = fetch
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_work_of_spark_and_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    pytest.importorskip("pyspark", reason="Spark is not installed: pip install 'chart-diffusion[spark]'")
    process = python(STOPPED, "graph", "sample", "--out", tmp_path / "out", *SPARK, TMPDIR=str(tmp_path))
    assert process.stdout is not None
    java = int(process.stdout.readline())
    os.killpg(process.pid, number)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (128 + number, "", "chart-diffusion: stopped\n")
    with pytest.raises(ProcessLookupError):
        os.kill(java, 0)
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(("chart-diffusion", "out"))]


KILLING: Final = """
import os
from functools import partial
from pathlib import Path
import pyarrow as pa
from diffusion.engine import engines

def killing(times, place, tables):
    # ends its executor, the parent of the daemon that it was forked from, so many times
    import os, time
    from pathlib import Path
    killed = len(list(Path(place).iterdir()))
    if killed < times:
        Path(place, str(killed)).touch()
        daemon = int(Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(daemon, 9)
        time.sleep(60)
    return {"rows": tables["rows"]}

settings = {"spark.master": "local-cluster[2,1,1024]", "spark.driver.memory": "512m", "spark.executor.memory": "512m"}
opened = engines("spark", spark=settings)
with opened.workers.spread([{"rows": pa.table({"a": [1]})}, {"rows": pa.table({"a": [2]})}]) as parts:
    try:
        print([tables["rows"]["a"].to_pylist() for tables in parts.results(partial(killing, TIMES, "PLACE"))])
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Path]:
    """Return an empty folder."""
    (tmp_path / "killed").mkdir()
    yield tmp_path / "killed"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("times", "said"), [(1, "[[1], [2]]"), (99, "EngineError an executor of Spark was lost more often than Spark")]
)
def test_work_goes_on_after_an_executor_is_lost_or_ends_in_one_line(killed: Path, times: int, said: str) -> None:
    pytest.importorskip("pyspark", reason="Spark is not installed: pip install 'chart-diffusion[spark]'")
    process = python(KILLING.replace("TIMES", str(times)).replace("PLACE", str(killed)))
    output, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (0, "")
    assert output.startswith(said)
    assert output.count("\n") == 1
