"""The temporary folder of an engine: locked while the engine is open; those that killed runs left are removed."""

import os
import shutil
import stat
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

PREFIX: Final = "chart-diffusion-"
LOCK: Final = "lock"
DATABASE: Final = "engine.duckdb"
SPILL: Final = "spill"
SCRATCH: Final = "scratch"

_NAMES: Final = {LOCK, DATABASE, f"{DATABASE}.wal", SPILL, SCRATCH}


class TemporaryFolder:
    """A new folder for the files of one engine, locked until `remove`.

    The lock ends with the process. The first folder that a process makes removes the folders that ended runs left.

    Attributes
    ----------
    place
        The folder.
    """

    def __init__(self) -> None:
        _remove_left(tempfile.gettempdir())
        self.place = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = FileLock(self.place / LOCK, thread_local=False)
        self._lock.acquire()

    def remove(self) -> None:
        """Remove the folder; its files must be closed."""
        self._lock.release()
        shutil.rmtree(self.place, ignore_errors=True)


@cache
def _remove_left(place: str) -> None:
    """Remove the folders of engines below `place` that belong to this user and to no running process."""
    for folder in Path(place).glob(f"{PREFIX}*"):
        try:
            if _is_engines(folder):
                with FileLock(folder / LOCK, blocking=False):
                    pass
                shutil.rmtree(folder, ignore_errors=True)
        except (Timeout, OSError):  # an engine is open there, or another run removes it
            continue


def _is_engines(folder: Path) -> bool:
    """Return whether a folder is this user's, no link, and has an engine's files alone.

    The database, or the folder for scratch files, is made when the lock is held, so that a folder that has one of them
    and a free lock is one that was left.
    """
    found = folder.lstat()
    ours = found.st_uid == os.getuid() if hasattr(os, "getuid") else True
    if not ours or not stat.S_ISDIR(found.st_mode):
        return False
    names = {path.name for path in folder.iterdir()}
    whole = LOCK in names and not names.isdisjoint({DATABASE, SCRATCH})
    return whole and names <= _NAMES and not (folder / LOCK).is_symlink()
