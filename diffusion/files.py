"""Files read without threads, hashed, and written atomically."""

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from diffusion.errors import OutputError, SourceError


def read_table(source: str | Path | io.BytesIO) -> pa.Table:
    """Return a Parquet table, read without threads.

    Arrow's reading threads sometimes abort a process that ends soon after (seen with pyarrow 23 to 26). Use it for
    small tables.

    Raises
    ------
    SourceError
        When it is not Parquet, or damaged.
    """
    try:
        table = pq.read_table(source, use_threads=False, pre_buffer=False)
        table.validate(full=True)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, pa.ArrowException) as error:
        named = "a table" if isinstance(source, io.BytesIO) else f"'{source}'"
        raise SourceError(f"cannot read {named} as parquet: {str(error).splitlines()[0]}") from error
    return table


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def write_whole(path: str | Path, content: bytes) -> None:
    """Write `content` to `path` atomically: a reader sees the old file or the new one, never a part.

    Raises
    ------
    OutputError
        When the folder does not exist or cannot be written.
    """
    with whole_file(path) as file:
        file.write(content)


@contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file for a block; it appears at `path` when the block ends without error.

    Raises
    ------
    OutputError
        When the folder does not exist or cannot be written.
    """
    path = Path(path)
    try:
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    except OSError as error:
        raise OutputError(f"cannot write '{path}': {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(aside).chmod(0o644)
        Path(aside).replace(path)
    except OSError as error:
        Path(aside).unlink(missing_ok=True)
        raise OutputError(f"cannot write '{path}': {error.strerror}") from error
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
