"""Locks on folders: one run writes at a time, and no run writes while others read."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from diffusion import OutputError

if sys.platform != "win32":
    import fcntl


@contextmanager
def reading(place: Path) -> Iterator[None]:
    """Prevent runs from writing into a folder during the block.

    Raises
    ------
    OutputError
        When a run is writing into the folder.
    """
    handle = _lock(place, shared=True, wait=False)
    try:
        yield
    finally:
        release(handle)


def claim(place: Path, *, wait: bool = False) -> tuple[int | None, tuple[Path, ...]]:
    """Return a lock for writing into a folder, and the folders that were made for it, outermost first.

    The lock belongs to the process, leaves no file, and ends with the process.

    Raises
    ------
    OutputError
        When the folder cannot be made or written, or another run is at work in it and `wait` is False.
    """
    made: tuple[Path, ...] = ()
    while True:
        try:
            made += _make(place)
            return _lock(place, shared=False, wait=wait), made
        except FileNotFoundError:  # another run made the folder, failed, and removed it
            continue
        except BaseException:
            unmake(made)
            raise


def release(handle: int | None) -> None:
    """Release a lock."""
    if handle is not None:
        if sys.platform != "win32":
            fcntl.flock(handle, fcntl.LOCK_UN)  # also for copies of the handle in forked processes
        os.close(handle)


def unmake(folders: tuple[Path, ...]) -> None:
    """Remove empty folders, innermost first."""
    with suppress(OSError):
        for folder in reversed(folders):
            folder.rmdir()


def _lock(place: Path, *, shared: bool, wait: bool) -> int | None:
    if sys.platform == "win32":
        return None  # folders cannot be locked there; runs must not overlap
    while True:
        try:
            handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        except PermissionError as error:
            raise OutputError(f"cannot read '{place}': {error.strerror}") from error
        try:
            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(handle, kind if wait else kind | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), place.stat()):
                return handle
            os.close(handle)  # the folder was removed and made again meanwhile
        except BlockingIOError as error:
            os.close(handle)
            other = "; wait for it" if shared else "; wait for it or name another folder"
            raise OutputError(f"another run is at work in '{place}'{other}") from error
        except FileNotFoundError:
            os.close(handle)
            raise
        except OSError as error:
            os.close(handle)
            raise OutputError(f"cannot lock '{place}': {error.strerror}; name a folder on a local disk") from error


def _make(place: Path) -> tuple[Path, ...]:
    """Make a folder if it does not exist, and return the folders made, after a check that it can be written."""
    absent = []
    for folder in (place, *place.absolute().parents):
        if folder.exists():
            ground = folder
            break
        absent.append(folder)
    if not ground.is_dir():
        raise OutputError(f"'{ground}' is a file; --out names a folder")
    # the superuser may write anywhere, but a read-only folder is refused all the same
    if not os.access(ground, os.W_OK | os.X_OK) or not ground.stat().st_mode & 0o222:
        raise OutputError(f"cannot write into '{place}': '{ground}' is read-only; name another folder with --out")
    made: list[Path] = []
    try:
        for folder in reversed(absent):
            with suppress(FileExistsError):
                folder.mkdir()
                made.append(folder)
    except FileNotFoundError:
        unmake(tuple(made))
        raise
    except OSError as error:
        unmake(tuple(made))
        raise OutputError(f"cannot make '{place}': {error.strerror}; name another folder with --out") from error
    return tuple(made)
