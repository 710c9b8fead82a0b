"""Forecasts of charts on Spark are those of charts in this process."""

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from diffusion.simulation import Simulation, simulate
from pipelines.folders.folder import Folder
from pipelines.progress import quiet
from pipelines.study.run import Run
from pipelines.study.settings import Study

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines


@pytest.mark.slow
def test_forecasts_are_the_same_on_both_engines(tmp_path: Path, spark: "SparkEngines") -> None:
    """On Spark the active session is used: that of the fixture."""
    place = tmp_path / "simulated"
    simulate(Simulation(600, 6, 160, seed=5, density=0.5, depth=25, aggregate=True), place, layout="star")
    charts = str(place / "charts")
    studies = {"duckdb": Study(charts, window=14), "spark": Study(charts, window=14, engine="spark")}
    for name, study in studies.items():
        with Folder(tmp_path / name) as folder:
            Run(study, folder).make(("forecast",), quiet)
    for table in ("forecasts", "forecast_scores", "forecast_calibration"):
        one, other = (pq.read_table(tmp_path / name / f"{table}.parquet") for name in studies)
        assert one.num_rows
        assert one.equals(other), table
