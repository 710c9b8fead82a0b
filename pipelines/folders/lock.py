"""Locks on folders: one run writes at a time, and no run writes while others read."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import ReadWriteLock, Timeout

from diffusion import OutputError

if sys.platform != "win32":
    import fcntl

Release = Callable[[], None]
"""A function that releases a lock."""


@contextmanager
def reading(place: Path) -> Iterator[None]:
    """Prevent runs from writing into a folder during the block.

    Raises
    ------
    OutputError
        When a run is writing into the folder.
    """
    release = _lock(place, shared=True, wait=False)
    try:
        yield
    finally:
        release()


def claim(place: Path, *, wait: bool = False) -> tuple[Release, tuple[Path, ...]]:
    """Lock a folder for writing; return how to release it, and the folders that were made for it, outermost first.

    The lock belongs to the process, leaves no file in the folder, and ends with the process.

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


def unmake(folders: tuple[Path, ...]) -> None:
    """Remove empty folders, innermost first."""
    with suppress(OSError):
        for folder in reversed(folders):
            folder.rmdir()


def lock_beside(place: Path, *, shared: bool, wait: bool) -> Release:
    """Lock a file in the temporary directory that stands for the folder: for systems that cannot lock folders.

    Raises
    ------
    OutputError
        When another run holds the lock, or it cannot be had.
    FileNotFoundError
        When the folder does not exist.
    """
    if not place.is_dir():
        raise FileNotFoundError(f"no folder '{place}'")
    name = hashlib.sha256(os.fsencode(os.path.normcase(place.resolve()))).hexdigest()
    home = Path(tempfile.gettempdir(), "chart-diffusion-locks")
    try:
        home.mkdir(exist_ok=True)
        lock = ReadWriteLock(home / f"{name}.lock", blocking=wait, is_singleton=False)
        (lock.acquire_read if shared else lock.acquire_write)()
    except Timeout as error:
        raise _busy(place, shared=shared) from error
    except OSError as error:
        raise OutputError(f"cannot lock '{place}' by a file in '{home}': {error.strerror}") from error
    if place.is_dir():
        return lock.close
    lock.close()  # the folder was removed meanwhile
    raise FileNotFoundError(f"no folder '{place}'")


if sys.platform == "win32":
    _lock = lock_beside
else:

    def _lock(place: Path, *, shared: bool, wait: bool) -> Release:
        while True:
            try:
                handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
            except PermissionError as error:
                raise OutputError(f"cannot read '{place}': {error.strerror}") from error
            try:
                kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
                fcntl.flock(handle, kind if wait else kind | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(handle), place.stat()):
                    return lambda: _unlock(handle)
                os.close(handle)  # the folder was removed and made again meanwhile
            except BlockingIOError as error:
                os.close(handle)
                raise _busy(place, shared=shared) from error
            except FileNotFoundError:
                os.close(handle)
                raise
            except OSError as error:
                os.close(handle)
                if shared:  # where the file system has no locks, what is read is still compared with the manifest
                    return lambda: None
                raise OutputError(f"cannot lock '{place}': {error.strerror}; name a folder on a local disk") from error

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)  # also for copies of the handle in forked processes
        os.close(handle)


def _busy(place: Path, *, shared: bool) -> OutputError:
    other = "; wait for it" if shared else "; wait for it or name another folder"
    return OutputError(f"another run is at work in '{place}'{other}")


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
