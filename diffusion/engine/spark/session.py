"""The Spark session that engines are opened on: the one there is, else a new one."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from diffusion.engine.spark.engine import SparkEngine
from diffusion.engine.spark.workers import SparkWorkers

if TYPE_CHECKING:
    from diffusion.engine.door import Engine

MEMORY_LIMIT = "1GB"


class SparkEngines:
    """Opens engines on one Spark session: the active one, else a new one with the settings given.

    Parameters
    ----------
    settings
        ``spark.master`` and other settings of Spark by name (default: those of the environment).
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        builder = SparkSession.builder.appName("chart-diffusion")
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # executors of this machine have these packages
        for name, value in (settings or {}).items():
            builder = builder.config(name, value)
        self.session = SparkSession.getActiveSession() or builder.getOrCreate()
        self.workers = SparkWorkers(self.session)

    def __call__(self, *, memory_limit: str = MEMORY_LIMIT) -> "Engine":
        """Return a new engine; its tables are its own. Spark's settings say how much memory there is."""
        return SparkEngine(self.session, self.workers)
