"""Files at an address that an engine reaches."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa

OWN: Final = ".chart-diffusion-"
"""How names of hidden files and folders begin; sixteen hexadecimal digits follow."""

PARTS: Final = "part-charts"
"""How names of files begin that executors write; the number of the task and a name of the run follow."""


class RemoteFiles(Protocol):
    """Files below an address such as ``s3a://bucket/clean``; names are paths below it, with forward slashes.

    Each method raises a `DiffusionError` where the file system refuses, or does not answer.
    """

    address: str

    def sizes(self, below: str = "") -> dict[str, int]:
        """Return name → bytes of all files, or of those in a folder; none where there is no folder."""

    def read(self, name: str) -> bytes:
        """Return the content of a small file."""

    def schema(self, name: str) -> pa.Schema:
        """Return the columns of a Parquet file."""

    def digests(self, sizes: Mapping[str, int]) -> dict[str, str]:
        """Return name → SHA-256 of files, given with their sizes."""

    def write(self, name: str, content: bytes) -> None:
        """Write a small file; whoever reads it sees the file before, or the new one."""

    def put(self, path: Path, name: str) -> None:
        """Write a copy of a file of this machine."""

    def fetch(self, name: str, path: Path) -> None:
        """Write a copy of a file to this machine."""

    def copy(self, name: str, target: str) -> None:
        """Write a copy of a file beside it, in place of what has its name."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove files, and folders with everything in them; those that are not there are no error."""

    def join(self, files: Sequence[Path | str], name: str, *, filled: Sequence[str] = ()) -> int:
        """Write the rows of Parquet files, in order, to one Parquet file, and return their number.

        Columns that are `filled` have a value in each row, and are marked so. No two files have the same name.
        """
