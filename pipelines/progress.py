"""Progress on a terminal, quiet when piped."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Report(Protocol):
    """Told what is about to be done."""

    def __call__(self, doing: str, share: float | None = None) -> None:
        """Say what begins now, or what goes on and how much of it is done, 0 … 1."""


@contextmanager
def progress(steps: int) -> Iterator[Report]:
    """Show what is being done, out of `steps`, on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda doing, share=None: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=steps)
        begun = 0

        def report(doing: str, share: float | None = None) -> None:
            nonlocal begun
            if share is None:
                bar.update(task, description=doing, completed=begun)
                begun += 1
            else:
                bar.update(task, description=f"{doing} ({share:.0%})")

        yield report
