"""Zip archives: the members of one, and a member's bytes."""

import struct
import zipfile
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Final

from diffusion.errors import SourceError

MOST_EXPANSION: Final = 200
"""A member that unpacks to more times its packed size is no chart: text of charts reaches about 20."""

ALWAYS_READ: Final = 1 << 26
"""Bytes: a member that unpacks to fewer is read however small it was packed."""

UNREADABLE: Final = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
"""What reading a damaged archive, or one that cannot be unpacked, may raise."""


def members(path: Path) -> Sequence[str]:
    """Return the names of the files in an archive.

    Raises
    ------
    SourceError
        When the archive cannot be read, or needs a password.
    """
    found = [info for info in _archive(path).infolist() if not info.is_dir()]
    if any(info.flag_bits & 1 for info in found):
        raise SourceError(f"'{path}' is encrypted; unpack it with its password and give the files")
    return list(dict.fromkeys(info.filename for info in found))


def open_member(path: Path, member: str) -> IO[bytes]:
    """Return a member of an archive, open for reading.

    Raises
    ------
    SourceError
        When the archive cannot be read, or the member unpacks to too much.
    """
    archive = _archive(path)
    try:
        info = archive.getinfo(member)
        if info.file_size > max(ALWAYS_READ, MOST_EXPANSION * info.compress_size):
            raise SourceError(
                f"'{member}' in '{path}' unpacks from {info.compress_size:,} to {info.file_size:,} bytes, which no "
                "chart does; unpack it yourself if it is one"
            )
        return archive.open(info)
    except KeyError as error:
        raise SourceError(f"'{path}' has no '{member}'; it has changed") from error


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        facts = path.stat()
        return _opened(path, facts.st_mtime_ns, facts.st_size)
    except UNREADABLE as error:
        raise SourceError(f"cannot read '{path}' as zip: {str(error) or type(error).__name__}") from error


@lru_cache(maxsize=1)
def _opened(path: Path, changed: int, size: int) -> zipfile.ZipFile:
    """Return an open archive; the last one is kept, as its list of members takes long to read for each of them."""
    return zipfile.ZipFile(path)
