"""The driver's memory does not grow with the rows of the charts."""

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.spark_driver import MARKETS, TRACKS_ON, long_charts

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

ROOT = Path(__file__).parents[2]
SHORT, LONG = 500, 4000
"""Dates: 400,000 rows and 3.2 million."""

MORE = 24 * 1024**2
"""Bytes by which peak memory may differ: coverage has a row per market and date; a column of the rows is as large."""


def driven(folder: Path, dates: int) -> dict[str, Any]:
    """Return what a driver with little memory says of charts with so many dates."""
    folder.mkdir()
    long_charts(folder, dates)
    command = [sys.executable, "-m", "tests.spark_driver", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.slow
def test_memory_of_the_driver_does_not_grow_with_rows(tmp_path: Path, spark: "SparkEngines") -> None:
    """Nor does Spark let it collect more than four megabytes at a time, which would end the run."""
    short, long = driven(tmp_path / "short", SHORT), driven(tmp_path / "long", LONG)
    assert short["entries"] == long["entries"] == TRACKS_ON * len(MARKETS)
    assert long["rows"] == 8 * short["rows"] == LONG * TRACKS_ON * len(MARKETS)
    assert long["peak"] < short["peak"] + MORE
