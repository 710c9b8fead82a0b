"""Progress on standard error: a bar on a terminal, otherwise a line as each step ends."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipelines.formatting import printable

SHORTEST: Final = 1.0
"""Seconds that must have passed since the line before for work that is no step to get a line."""


class Report(Protocol):
    """A function that is told what begins or continues."""

    def __call__(self, doing: str, share: float | None = None) -> None:
        """Report what begins or continues, and the share done, 0 … 1, if known."""


class StepReport(Report, Protocol):
    """A report that is also told when a step has ended."""

    def ended(self, step: str, *, unchanged: bool = False) -> None:
        """Report that a step has ended; `unchanged` if there was nothing to do."""


class _Quiet:
    def __call__(self, doing: str, share: float | None = None) -> None:
        pass

    def ended(self, step: str, *, unchanged: bool = False) -> None:
        pass


quiet: Final[StepReport] = _Quiet()
"""Reports nothing."""


@contextmanager
def progress(*, silent: bool = False, by_step: bool = False, about: str = "") -> Iterator[StepReport]:
    """Show on standard error what is being done.

    On a terminal a bar shows it, with the time it takes and the share done if known; the bar is removed when the block
    ends. Otherwise a line is written for what has ended, with the seconds since the line before. An error in the block
    gets a note that says what was being done.

    Parameters
    ----------
    silent
        Show nothing (default False).
    by_step
        Write a line for each step, however short (default: for all work of a second or more).
    about
        Line written before the others (default: none).
    """
    with _shown(silent, by_step, about) as shown:
        noted = _Noted(shown)
        try:
            yield noted
        except BaseException as error:
            if noted.begun:
                error.add_note(f"while {noted.begun}")
            raise


class _Noted:
    """Passes reports on, and keeps what began last."""

    def __init__(self, shown: StepReport) -> None:
        self.begun = ""
        self._shown = shown

    def __call__(self, doing: str, share: float | None = None) -> None:
        self.begun = doing
        self._shown(doing, share)

    def ended(self, step: str, *, unchanged: bool = False) -> None:
        self._shown.ended(step, unchanged=unchanged)


@contextmanager
def _shown(silent: bool, by_step: bool, about: str) -> Iterator[StepReport]:
    if silent:
        yield quiet
    elif sys.stderr is not None and sys.stderr.isatty():
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            yield _Bar(bar)
    else:
        lines = _Lines(by_step)
        if about:
            lines.write(about)
        yield lines
        lines.close()


class _Bar:
    """Shows on a terminal what is being done."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)

    def __call__(self, doing: str, share: float | None = None) -> None:
        known = share is not None
        self._bar.update(self._task, description=doing, total=1.0 if known else None, completed=share if known else 0.0)

    def ended(self, step: str, *, unchanged: bool = False) -> None:
        pass


class _Lines:
    """Writes a line for each step that has ended, or for each work that took a second or more."""

    def __init__(self, by_step: bool) -> None:
        self._by_step = by_step
        self._since = time.monotonic()
        self._doing = ""

    def __call__(self, doing: str, share: float | None = None) -> None:
        if doing != self._doing:
            self.close()
            self._doing = doing

    def ended(self, step: str, *, unchanged: bool = False) -> None:
        now = time.monotonic()
        took = "unchanged" if unchanged else f"{now - self._since:,.1f} s"
        self._since = now
        self.write(f"{step:<10}  {took:>9}")

    def close(self) -> None:
        """Write the line of the work that has ended, unless lines are of steps."""
        if self._doing and not self._by_step and time.monotonic() - self._since >= SHORTEST:
            self.ended(self._doing)

    def write(self, line: str) -> None:
        """Write a line on standard error; the work goes on where nobody reads it."""
        with suppress(OSError):
            click.echo(printable(line), err=True)
