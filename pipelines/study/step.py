"""A step of a study: one record that says all that the run, the screen and the report need to know of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa

import figures
from diffusion import DataSaysNoError
from diffusion.contracts import Contract
from pipelines.study.results import Results
from pipelines.study.settings import Study

Table: TypeAlias = pa.Table | pd.DataFrame


class Gaps(dict[str, str]):
    """Table that the data could not give → why."""

    def take(self, name: str, make: Callable[[], dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
        """Return the tables that `make` makes; none where the data says no, which is written down."""
        try:
            return make()
        except DataSaysNoError as error:
            self[name] = str(error)
            return {}


@dataclass(frozen=True, slots=True)
class Output:
    """What a step made.

    Attributes
    ----------
    tables
        Name → table.
    files
        Name with ending → content, for what is no table.
    notes
        What was found, for the manifest; JSON.
    not_made
        Table that the data could not give → why.
    """

    tables: Mapping[str, Table]
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    not_made: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure to draw.

    Attributes
    ----------
    alt
        What it shows, for readers who do not see it.
    draw
        Returns the figure.
    """

    alt: str
    draw: Callable[[], figures.Figure]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a study.

    Attributes
    ----------
    name
        Its name in the manifest; its section of the report is ``templates/NAME.html``.
    doing
        What is said while it is made.
    version
        Raised when the same input and settings give other numbers: the step and what follows from it are made again.
    tables
        Name → contract of the tables that it may make, written as ``NAME.parquet``.
    make
        Makes them from the settings and the results of the steps that it needs.
    needs
        Names of the steps whose results it reads.
    settings
        Fields of `Study` that it depends on.
    sources
        Returns path, size and SHA-256 of the files that it reads from outside; None for steps that read results alone.
    drawings
        Returns name → figure of its results.
    section
        Returns what its section of the report is filled with.
    lines
        Returns what is said of its results on screen.
    caveats
        Returns what a reader must know of its results before believing them, as sentences.
    data
        Returns what ``--json`` says of its results besides the manifest.
    ask
        Returns the words of a command that asks about its results, without ``--from``.
    """

    name: str
    doing: str
    version: int
    tables: Mapping[str, Contract]
    make: Callable[[Study, Results], Output]
    needs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    sources: Callable[[Study], list[dict[str, Any]]] | None = None
    drawings: Callable[[Results], dict[str, Drawing]] | None = None
    section: Callable[[Results], dict[str, Any]] | None = None
    lines: Callable[[Results], list[str]] | None = None
    caveats: Callable[[Results], list[str]] | None = None
    data: Callable[[Results], dict[str, Any]] | None = None
    ask: Callable[[Results], str] | None = None

    @property
    def figures_name(self) -> str:
        """Name in the manifest under which its figures stand."""
        return f"{self.name}_figures"

    @property
    def manifest_names(self) -> list[str]:
        """All names under which it stands in the manifest."""
        return [self.name] if self.drawings is None else [self.name, self.figures_name]


def with_needs(names: Sequence[str], steps: Sequence[Step]) -> list[Step]:
    """Return the steps of these names and all that they need, in order."""
    known = {step.name: step for step in steps}
    wanted = set(names)
    while more := {need for name in wanted for need in known[name].needs} - wanted:
        wanted |= more
    return [step for step in steps if step.name in wanted]


def followers(name: str, steps: Sequence[Step]) -> list[Step]:
    """Return the steps that need the results of a step, directly or through others, in order."""
    reached = {name}
    for step in steps:
        if reached.intersection(step.needs):
            reached.add(step.name)
    return [step for step in steps if step.name in reached - {name}]
