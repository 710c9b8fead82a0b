"""Files as Spark is told of them."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

_GLOB_SIGN = re.compile(r"([\[\]{}*?\\])")


def spark_location(path: Path) -> str:
    """Return where a file or folder is, for Spark: local, whatever Spark's own file system is.

    Examples
    --------
    >>> spark_location(Path("/data/charts [1].parquet"))
    'file:///data/charts [1].parquet'
    """
    return f"file://{local_path(path)}"


def local_path(path: Path) -> str:
    """Return the whole path of a file or folder; links stay."""
    return os.path.normpath(path.absolute())


def read_files(session: SparkSession, files: Sequence[Path]) -> DataFrame:
    """Return the rows of Parquet files; their names are no patterns."""
    return session.read.parquet(*(_GLOB_SIGN.sub(r"\\\1", spark_location(file)) for file in files))
