"""Files as Spark is told of them."""

import os
import posixpath
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from diffusion.engine.spark.failures import clear
from diffusion.errors import SettingError, SourceError

SCHEME: Final = "^[A-Za-z][A-Za-z0-9+.-]*:(//[^/]*)?"
"""Scheme and host at the beginning of an address, as Python and Java read it."""

_GLOB_SIGN = re.compile(r"([\[\]{}*?\\])")


def spark_location(path: Path | str) -> str:
    """Return the address of a file or folder; a path is local, whatever file system Spark has by default.

    Examples
    --------
    >>> spark_location(Path("/data/charts [1].parquet"))
    'file:///data/charts [1].parquet'
    """
    return path if isinstance(path, str) else f"file://{local_path(path)}"


def local_path(path: Path) -> str:
    """Return the whole path of a file or folder; links stay."""
    return os.path.normpath(path.absolute())


def without_scheme(address: str) -> str:
    """Return the path of an address in its file system.

    Examples
    --------
    >>> [without_scheme(address) for address in ("s3a://bucket/a b", "file:/a", "s3a://bucket")]
    ['/a b', '/a', '']
    """
    return re.sub(SCHEME, "", address)


def below_scheme(place: Path | str) -> str:
    """Return the path of a folder in its file system, without a slash at the end."""
    path = local_path(place) if isinstance(place, Path) else posixpath.normpath(f"/{without_scheme(place)}")
    return path.replace("//", "/").rstrip("/")


def read_files(session: SparkSession, files: Sequence[Path | str]) -> DataFrame:
    """Return the rows of Parquet files; their names are no patterns."""
    return session.read.parquet(*map(escaped, files))


def file_content(session: SparkSession, address: str) -> bytes:
    """Return the content of a file.

    Raises
    ------
    SourceError
        When it cannot be read.
    SettingError
        When Spark lacks what reaches it.
    """
    try:
        (row,) = session.read.format("binaryFile").load(escaped(address)).select("content").collect()
    except (PySparkException, ValueError) as error:
        if isinstance(found := clear(error, [address]), SettingError):
            raise found from error
        raise SourceError(f"cannot read '{address}': {str(error).splitlines()[0]}") from error
    return bytes(row["content"])


def escaped(file: Path | str) -> str:
    """Return the address of a file, in which no sign makes a pattern."""
    return _GLOB_SIGN.sub(r"\\\1", spark_location(file))
