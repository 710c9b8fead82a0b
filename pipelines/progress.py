"""Progress on a terminal, quiet when piped."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Report(Protocol):
    """Told what is about to be done."""

    def __call__(self, doing: str) -> None:
        """Say what begins now."""


@contextmanager
def progress(steps: int) -> Iterator[Report]:
    """Show what is being done, out of `steps`, on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda doing: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=steps)
        begun = 0

        def report(doing: str) -> None:
            nonlocal begun
            bar.update(task, description=doing, completed=begun)
            begun += 1

        yield report
