"""Several studies one after the other: one that fails does not stop the others."""

import glob
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import click

from diffusion import SettingError
from pipelines.commands.foreseen import foreseen
from pipelines.commands.signals import Stopped
from pipelines.commands.unforeseen import UNFORESEEN, unforeseen_line

OUT = Path("out")
"""Folder of the folders of studies, where no other is named."""


State: TypeAlias = Literal["done", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Closing:
    """What a study says at its end.

    Attributes
    ----------
    lines
        Lines on screen.
    data
        Data that `--json` prints; None where it was not asked for.
    """

    lines: Sequence[str]
    data: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one of several studies ended.

    Attributes
    ----------
    study
        Its file or its charts, as they were named.
    state
        ``done``; ``refused`` for an error of users, data or the system; ``failed`` for one that nobody foresaw.
    exit_code
        Exit code of the study alone.
    seconds
        Time that it took.
    out
        Its folder.
    error
        The line of its error; None without one.
    result
        Data that `--json` prints; None where it was not asked for, or after an error.
    """

    study: str
    state: State
    exit_code: int
    seconds: float
    out: str
    error: str | None
    result: Mapping[str, Any] | None


def name_of(study: str) -> str:
    """Return the name of a study's folder: that of its file or its charts, without ending."""
    return re.sub(r"[^\w.-]+", "_", Path(study).stem) or "study"


def expanded(studies: Iterable[str]) -> list[str]:
    """Return the studies named, each once, with globs of study files replaced by the files.

    Raises
    ------
    SettingError
        When a glob matches no file.
    """
    found: list[str] = []
    for study in studies:
        if not study.lower().endswith(".toml") or not re.search(r"[*?\[]", study) or Path(study).is_file():
            found.append(study)
        elif files := sorted(glob.glob(study, recursive=True)):
            found += files
        else:
            raise SettingError(f"no study file matches '{study}'")
    return list(dict.fromkeys(found))


def folders_of(studies: Sequence[str], out: Path) -> dict[str, Path]:
    """Return study → its own folder in `out`.

    Raises
    ------
    SettingError
        When two studies have one name, also where they differ in upper and lower case alone.
    """
    named: dict[str, str] = {}
    for study in studies:
        other = named.setdefault(name_of(study).casefold(), study)
        if other != study:
            raise SettingError(f"'{other}' and '{study}' would share the folder '{out / name_of(study)}'; rename one")
    return {study: out / name_of(study) for study in studies}


def run_each(folders: Mapping[str, Path], run: Callable[[str, Path], Closing]) -> Iterable[tuple[Outcome, Closing]]:
    """Run studies one after the other; yield how each ended, and what it says.

    An error is one line on standard error, and the next study is run; a signal to stop ends all.

    Parameters
    ----------
    folders
        Study → its folder.
    run
        Function that runs a study into a folder.
    """
    for study, folder in folders.items():
        begun = time.monotonic()
        closing, error, code = Closing((), None), None, 0
        state: State = "done"
        try:
            closing = run(study, folder)
        except (Stopped, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as raised:  # noqa: BLE001 -- whatever it is, it is no matter of the other studies
            error, code = foreseen(raised) or (unforeseen_line(raised, sys.argv), UNFORESEEN)
            state = "failed" if code == UNFORESEEN else "refused"
            click.echo(f"chart-diffusion: {study}: {error}", err=True)
        seconds = round(time.monotonic() - begun, 3)
        yield Outcome(study, state, code, seconds, str(folder), error, closing.data), closing


def table_lines(outcomes: Sequence[Outcome]) -> list[str]:
    """Return how each study ended, as lines of a table."""
    rows = [("study", "state", "seconds", "folder or error")]
    rows += [(one.study, one.state, f"{one.seconds:,.1f}", one.error or one.out) for one in outcomes]
    width = max(len(row[0]) for row in rows)
    return [f"{study:<{width}}  {state:<7}  {seconds:>9}  {end}" for study, state, seconds, end in rows]
