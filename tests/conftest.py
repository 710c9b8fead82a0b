"""What several test modules need: charts written as files, and the real data where it is."""

import csv
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

KAGGLE_COLUMNS = ("title", "rank", "date", "artist", "url", "region", "chart", "trend", "streams")
REFERENCE = Path(__file__).parent / "reference"
REAL_DATA = Path(__file__).parents[2] / "shared" / "data"
START = date(2021, 1, 1)


def day(number: int) -> date:
    """Return day `number` of a small example, 0 for the first."""
    return START + timedelta(days=number)


def kaggle_rows(charts: Mapping[tuple[str, int], Iterable[str]]) -> list[dict[str, Any]]:
    """Return chart rows from (region, day) → track ids in order of rank."""
    return [
        {
            "title": f"Title of {track}",
            "rank": rank,
            "date": day(number).isoformat(),
            "artist": "Artist",
            "url": f"https://open.spotify.com/track/{track}",
            "region": region,
            "chart": "top200",
            "trend": "SAME_POSITION",
            "streams": 1000 * (100 - rank),
        }
        for (region, number), tracks in charts.items()
        for rank, track in enumerate(tracks, start=1)
    ]


def steady(days: int, entries: Mapping[str, Mapping[str, int]], filler: str = "old") -> list[dict[str, Any]]:
    """Return daily rows of regions in which a filler is always there and tracks stay from their day on.

    `entries` maps region → track → day of entry.
    """
    return kaggle_rows(
        {
            (region, number): [f"{filler}{region}", *(track for track, entry in tracks.items() if entry <= number)]
            for region, tracks in entries.items()
            for number in range(days)
        }
    )


WriteCsv = Callable[..., Path]


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    """Return a function that writes rows as CSV and returns the path."""

    def write(rows: list[dict[str, Any]], name: str = "charts.csv", columns: Iterable[str] | None = None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(columns or rows[0]), extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real charts, or skip where it is not beside the checkout."""
    if not REAL_DATA.is_dir():
        pytest.skip("the real charts that may not be shipped are not here (../shared/data)")
    return REAL_DATA


SPARK = {
    "spark.master": "local[2]",
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "4",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""Settings of the session of the tests: two tasks at a time in this process's own JVM."""


REMOTE = os.environ.get("CHART_DIFFUSION_SPARK_REMOTE")
"""Server of Spark Connect on which the tests of Spark run (``sc://host:port``); None for a session of their own."""


@pytest.fixture(scope="session")
def spark() -> Iterator["SparkEngines"]:
    """Return the function that opens engines on Spark, one session for all tests; skip where Spark cannot run."""
    pytest.importorskip("pyspark", reason="Spark is not installed: pip install 'chart-diffusion[spark]'")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not on the path")
    from diffusion.engine.spark import SparkEngines

    engines = SparkEngines({"spark.remote": REMOTE} if REMOTE else SPARK)
    if REMOTE is None:
        engines.session.sparkContext.setLogLevel("OFF")
    yield engines
    engines.session.stop()


@pytest.fixture(scope="session")
def java_spark(spark: "SparkEngines") -> "SparkEngines":
    """Return `spark`; skip where this process does not reach its Java process."""
    if REMOTE:
        pytest.skip("this test looks into the Java process of Spark, which Spark Connect does not show")
    return spark
