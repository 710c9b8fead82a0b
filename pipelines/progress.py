"""Progress on a terminal; nothing when standard error is piped."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Report(Protocol):
    """A function that is told what begins or continues."""

    def __call__(self, doing: str, share: float | None = None) -> None:
        """Report what begins or continues, and the share done, 0 … 1, if known."""


def quiet(doing: str, share: float | None = None) -> None:
    """Report nothing."""


@contextmanager
def progress() -> Iterator[Report]:
    """Show what is being done, the time it takes, and the share done if known.

    Progress is shown on standard error if it is a terminal, and removed when the block ends. An error in the block gets
    a note that says what was being done.
    """
    begun = ""

    def report(doing: str, share: float | None = None) -> None:
        nonlocal begun
        begun = doing
        show(doing, share)

    with _bar() as show:
        try:
            yield report
        except BaseException as error:
            if begun:
                error.add_note(f"while {begun}")
            raise


@contextmanager
def _bar() -> Iterator[Report]:
    """Show progress on standard error if it is a terminal."""
    if not sys.stderr.isatty():
        yield quiet
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def report(doing: str, share: float | None = None) -> None:
            known = share is not None
            bar.update(task, description=doing, total=1.0 if known else None, completed=share if known else 0.0)

        yield report
