"""Commands on a server of Spark Connect, a process of its own: equal results, and what happens when it ends."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from tests.pipelines.conftest import Shell
from tests.pipelines.test_spark_addresses import ACCEPT, clean, nasty_rows, unlike, write_csv
from tests.pipelines.test_spark_cli import ROOT, command, python
from tests.same_results import differences

Server: TypeAlias = "tuple[str, subprocess.Popen[bytes]]"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("grpc") is None, reason="Spark Connect needs grpcio: pip install 'pyspark[connect]'"),
]

START: Final = 60
"""Seconds that a server has to start."""

HOLDING: Final = """
from pipelines.commands.entry import main
from diffusion.engine.spark.engine import SparkEngine
from diffusion.engine.spark.failures import reported

def fetch(self, name, **parameters):
    print("at work", flush=True)
    with reported():
        self._session.range(10**14).selectExpr("sum(id % 7)").toArrow()

SparkEngine.fetch = fetch
main()
"""
"""A command that works on Spark without end as soon as it asks for a table."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Start a server of Spark Connect, and return its address and its process."""
    pyspark = pytest.importorskip("pyspark", reason="Spark is not installed: pip install 'chart-diffusion[spark]'")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"spark.connect.grpc.binding.port": port, "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": 4}
    process = subprocess.Popen(
        [
            Path(pyspark.__file__).parent / "bin" / "spark-submit",
            *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
            *("--master", "local[2]", "--driver-memory", "1g"),
            *(word for name, value in settings.items() for word in ("--conf", f"{name}={value}")),
            "spark-internal",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(ROOT)},
    )
    try:
        _wait_for(port, process)
        yield f"sc://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(START * 10):
        assert process.poll() is None, "the server of Spark Connect did not start"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    pytest.fail("the server of Spark Connect does not answer")


def on(address: str) -> tuple[str, ...]:
    """Return the options of a command that name a server."""
    return ("--engine", "spark", "--spark", f"spark.remote={address}")


def test_a_graph_on_a_server_is_that_on_duckdb(server: Server, tmp_path: Path, shell: Shell) -> None:
    address, _ = server
    options = ("--quiet", "--replicates", "20")
    assert shell("graph", "sample", "--out", tmp_path / "duckdb", *options)[0] == 0
    process = command("graph", "sample", "--out", tmp_path / "spark", *options, *on(address))
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert differences(tmp_path / "duckdb", tmp_path / "spark") == []


def test_charts_cleaned_on_a_server_are_those_of_duckdb(server: Server, tmp_path: Path, shell: Shell) -> None:
    address, _ = server
    write_csv(tmp_path / "å b.csv", nasty_rows(seed=1, number=1_000))
    assert shell("ingest", tmp_path / "å b.csv", "--out", tmp_path / "raw")[0] == 0
    clean(tmp_path / "raw", tmp_path / "ours")
    accept = [part for what in ACCEPT for part in ("--accept", what)]
    process = command("clean", tmp_path / "raw", "--out", tmp_path / "theirs", "--quiet", *accept, *on(address))
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert unlike(tmp_path / "ours", tmp_path / "theirs") == []


def test_a_server_of_this_process_alone_is_quiet_and_ends_with_it(tmp_path: Path) -> None:
    code = "from diffusion.engine import engines; print(engines('spark').session.range(3).count())"
    process = python(code, SPARK_REMOTE="local[1]")
    assert (*process.communicate(timeout=120), process.returncode) == ("3\n", "", 0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 15002), 1)


def test_a_signal_ends_the_work_on_a_server(server: Server, tmp_path: Path) -> None:
    address, java = server
    process = python(HOLDING, "graph", "sample", "--out", tmp_path / "out", *on(address))
    assert process.stdout is not None and process.stdout.readline() == "at work\n"
    process.send_signal(signal.SIGINT)
    assert (*process.communicate(timeout=60), process.returncode) == ("", "chart-diffusion: stopped\n", 130)
    assert java.poll() is None, "the server is not ours to end"
    assert not (tmp_path / "out").exists()


def test_a_server_that_ends_in_the_middle_is_one_line(server: Server, tmp_path: Path) -> None:
    address, java = server
    process = python(HOLDING, "graph", "sample", "--out", tmp_path / "out", *on(address))
    assert process.stdout is not None and process.stdout.readline() == "at work\n"
    java.kill()
    output, errors = process.communicate(timeout=300)
    assert (process.returncode, output) == (2, "")
    assert "Spark ended in the middle" in errors and errors.count("\n") == 1
    assert not (tmp_path / "out").exists()
