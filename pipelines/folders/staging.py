"""Staging: files of a run wait in a hidden folder until the run ends, fails or is killed."""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from diffusion import OutputError
from pipelines.folders.lock import claim, unmake
from pipelines.folders.manifest import MANIFEST, STAGING, artifacts_of, intact, leads_out, read_manifest

_NEW, _OLD = "new", "old"

_OURS = re.compile(re.escape(STAGING) + r"[0-9]+-[0-9a-z_]+")
"""Names of staging folders: process, and what `tempfile.mkdtemp` adds."""


class Staging:
    """A folder locked for writing, with a hidden folder in which new files wait until all are complete.

    A killed run leaves its hidden folder. The next run moves the files that the manifest lists to their places and
    removes the rest, so that a commit is either completed or undone.

    Parameters
    ----------
    place
        Folder; it is made if it does not exist, and removed again if nothing is written into it.
    wait
        Whether to wait for another run in the folder (default False: another run is an error).
    adopt
        Artifacts to take over from the hidden folders of earlier runs, if complete (default: none).

    Raises
    ------
    OutputError
        When the folder cannot be written, or another run is at work in it.
    """

    def __init__(self, place: Path, *, wait: bool = False, adopt: Sequence[Mapping[str, Any]] = ()) -> None:
        self.place = place
        self._release, self._made = claim(place, wait=wait)
        self._decided = False
        try:
            with writing(place):
                self.before = read_manifest(place)
                left = _settle(place, artifacts_of(self.before))
                if not adopt:
                    _discard(left)  # now, because it may fill the disk
                self._aside = Path(tempfile.mkdtemp(prefix=f"{STAGING}{os.getpid()}-", dir=place))
                _rescue(left, self._aside / _NEW, adopt)
                _discard(left)
        except BaseException:
            self._leave()
            raise

    def path(self, name: str) -> Path:
        """Return the path of a staged file, and make its folder."""
        path = self._aside / _NEW / name
        with writing(self.place):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def holds(self, artifact: Mapping[str, Any]) -> bool:
        """Return whether the artifact is staged and complete."""
        return (self._aside / _NEW / artifact["path"]).is_file() and intact(self._aside / _NEW, artifact)

    def commit(self, content: bytes, *, made: Sequence[str], removed: Iterable[str], overwrite: bool = False) -> None:
        """Move everything into place: removed files go aside, then the manifest and then new files are moved in.

        An error before the manifest is in place puts the removed files back. A file to remove that was edited since it
        was made stays.

        Raises
        ------
        OutputError
            When a name leads out of the folder, a file that no manifest listed would be overwritten, or the disk fails.
        """
        named = {artifact["path"]: artifact for artifact in artifacts_of(self.before)}
        self.check(made, overwrite=overwrite)
        with writing(self.place):
            manifest = self.place / MANIFEST
            leaving = [name for name in removed if intact(self.place, named[name])]
            if not made and not leaving and manifest.is_file() and manifest.read_bytes() == content:
                self._made = ()
                return
            (self._aside / MANIFEST).write_bytes(content)
            sync(self._aside / MANIFEST)
            self._decide(made, leaving)
            for name in made:
                (self.place / name).parent.mkdir(parents=True, exist_ok=True)  # it went if all that it had is leaving
                (self._aside / _NEW / name).replace(self.place / name)
            for folder in {self.place, *((self.place / name).parent for name in made)}:
                sync(folder)
            self._decided, self._made = False, ()

    def check(self, names: Iterable[str], *, overwrite: bool = False) -> None:
        """Check that files can be moved to their places: no file of others is there, and no link leads out.

        Raises
        ------
        OutputError
            When a file cannot be moved to its place.
        """
        named = {artifact["path"] for artifact in artifacts_of(self.before)}
        for name in names:
            _check_target(self.place, name, foreign=not overwrite and name not in named)

    def close(self, *, keep: bool = False) -> None:
        """Remove files that were not committed, unless they are to `keep` for a later run, and release the folder."""
        try:
            if self._decided:  # stopped while moving files: complete the commit
                _discard(_settle(self.place, artifacts_of(read_manifest(self.place))))
            elif not keep or not any(path.is_file() for path in self._aside.rglob("*")):
                shutil.rmtree(self._aside, ignore_errors=True)
        finally:
            self._leave()

    def _decide(self, made: Sequence[str], leaving: Sequence[str]) -> None:
        """Move files in `leaving` aside and the manifest into place, or leave everything as it was."""
        aside = self._aside / _OLD
        try:
            for name in made:
                (self.place / name).parent.mkdir(parents=True, exist_ok=True)
            for folder in [self._aside, *(path for path in self._aside.rglob("*") if path.is_dir())]:
                sync(folder)
            for name in leaving:
                (aside / name).parent.mkdir(parents=True, exist_ok=True)
                (self.place / name).replace(aside / name)
            (self._aside / MANIFEST).replace(self.place / MANIFEST)
            self._decided = True
        except BaseException:
            self._decided = not (self._aside / MANIFEST).exists()
            if not self._decided:
                for name in leaving:
                    if (aside / name).is_file():
                        (aside / name).replace(self.place / name)
                _remove_empty(self.place, made)
            raise
        _remove_empty(self.place, leaving)

    def _leave(self) -> None:
        unmake(self._made)
        self._release()


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Raise errors of the system as one clear line.

    Raises
    ------
    OutputError
        When the block cannot write below `place`.
    """
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise no_space(place) from error
        raise OutputError(f"cannot write into '{place}': {error.strerror or error}") from error


def no_space(place: Path) -> OutputError:
    """Return the error for a full disk."""
    return OutputError(f"no space left in '{place}' or for temporary files; nothing was changed")


def is_full(error: BaseException | None) -> bool:
    """Return whether an error, or its cause, is a full disk; some libraries say so only in the message."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if isinstance(error, Exception) and "no space left on device" in str(error).lower():
            return True
        error = error.__cause__ or error.__context__
    return False


def _settle(place: Path, named: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Move named files from the staging of ended runs to their places; return the folders of that staging."""
    left = [path for path in place.glob(f"{STAGING}*") if _is_staging(path)]
    _rescue(left, place, named)
    return left


def _is_staging(path: Path) -> bool:
    """Return whether a folder is the staging of a run, and not one of the user's with a similar name."""
    if path.is_symlink() or not path.is_dir() or not _OURS.fullmatch(path.name):
        return False
    return {one.name for one in path.iterdir()} <= {_NEW, _OLD, MANIFEST}


def _rescue(left: Sequence[Path], home: Path, artifacts: Sequence[Mapping[str, Any]]) -> None:
    """Move complete artifacts from `left` staging to their places in `home`, unless they are complete there."""
    for aside in (staging / kind for staging in left for kind in (_NEW, _OLD)):
        for artifact in artifacts:
            source, target = aside / artifact["path"], home / artifact["path"]
            if not source.is_file() or not intact(aside, artifact):
                continue
            if not leads_out(home, target) and not intact(home, artifact):
                target.parent.mkdir(parents=True, exist_ok=True)
                source.replace(target)


def _discard(left: Sequence[Path]) -> None:
    for staging in left:
        shutil.rmtree(staging, ignore_errors=True)


def _check_target(place: Path, name: str, *, foreign: bool) -> None:
    target = place / name
    if leads_out(place, target):
        raise OutputError(f"'{target}' leads out of the folder by a link; name another folder")
    if target.exists() and (foreign or not target.is_file()):
        raise OutputError(f"'{target}' is there and was not made by this tool; move it, or name another folder")
    if target.parent.exists() and not target.parent.is_dir():
        raise OutputError(f"'{target.parent}' is a file where a folder must be; move it, or name another folder")


def _remove_empty(place: Path, names: Iterable[str]) -> None:
    """Remove the folders of the named files below `place` that are empty now."""
    for name in names:
        with suppress(OSError):
            for folder in list(Path(name).parents)[:-1]:
                (place / folder).rmdir()


def sync(path: Path) -> None:
    """Write a file's content, or a folder's names, to disk."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
