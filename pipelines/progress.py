"""Progress on a terminal, quiet when piped."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Report(Protocol):
    """Told what is about to be done."""

    def __call__(self, doing: str, share: float | None = None) -> None:
        """Say what begins now, or what goes on and how much of it is done, 0 … 1."""


def quiet(doing: str, share: float | None = None) -> None:
    """Say nothing."""


@contextmanager
def progress() -> Iterator[Report]:
    """Show what is being done, for how long, and how much of it is done where that is known.

    It stands on standard error where that is a terminal, and goes when the block ends.
    """
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
