"""A step of a study: one record with everything that the run, the screen and the report need."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import pandas as pd
import pyarrow as pa

import figures
from diffusion import DataSaysNoError
from diffusion.contracts import Contract
from diffusion.display import Displayed
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study

Table: TypeAlias = pa.Table | pd.DataFrame

Made = TypeVar("Made", bound=Table)
"""Kind of the tables that are made."""


class Gaps(dict[str, str]):
    """Table that could not be made → why."""

    def take(self, name: str, make: Callable[[], dict[str, Made]]) -> dict[str, Made]:
        """Return the tables that `make` returns; none, with the reason noted, if it raises `DataSaysNoError`."""
        try:
            return make()
        except DataSaysNoError as error:
            self[name] = str(error)
            return {}


@dataclass(frozen=True, slots=True)
class Output:
    """The results of a step.

    Attributes
    ----------
    tables
        Name → table.
    files
        Name with ending → content, for files that are not tables.
    notes
        Facts for the manifest, as JSON.
    not_made
        Table that could not be made → why.
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
        Alternative text: what the figure shows.
    draw
        Function that returns the figure.
    """

    alt: str
    draw: Callable[[], figures.Figure]


@dataclass(frozen=True, slots=True, repr=False)
class Step(Displayed):
    """One step of a study.

    Attributes
    ----------
    name
        Name in the manifest; the section of the report is ``templates/NAME.html``.
    title
        Heading of that section.
    doing
        Text of the progress bar.
    version
        Version; raised when the same input and settings give other numbers, so that the step and its followers are made
        again.
    tables
        Name → contract, for the tables that the step may make; written as ``NAME.parquet``.
    make
        Function that makes the results from the settings and the results of the needed steps.
    needs
        Names of the steps whose results the step reads.
    settings
        Fields of `Study` that the results depend on.
    sources
        Function that returns path, size and SHA-256 of the source files; None for steps that read only results.
    source
        Field of `Study` with the path of those files.
    reads_charts
        Whether the step reads the rows of the charts (`Results.charts`).
    compares
        Whether the step reads what the folder held before the run, where the charts have grown (`Results.before`).
    drawings
        Function that returns name → figure.
    section
        Function that returns the content of the section of the report; empty where there is nothing to show.
    findings
        Function that returns what the step found, the most important first.
    lines
        Function that returns the lines on screen.
    caveats
        Function that returns warnings for the readers of the report, as sentences.
    data
        Function that returns the data that ``--json`` prints besides the manifest.
    ask
        Function that returns the arguments of a query command on the results, without ``--from``.
    """

    name: str
    title: str
    doing: str
    version: int
    tables: Mapping[str, Contract]
    make: Callable[[Study, Results], Output]
    needs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    sources: Callable[[Study], list[dict[str, Any]]] | None = None
    source: str = ""
    reads_charts: bool = False
    compares: bool = False
    drawings: Callable[[Results], dict[str, Drawing]] | None = None
    section: Callable[[Results], dict[str, Any]] | None = None
    findings: Callable[[Results], list[Finding]] | None = None
    lines: Callable[[Results], list[str]] | None = None
    caveats: Callable[[Results], list[str]] | None = None
    data: Callable[[Results], dict[str, Any]] | None = None
    ask: Callable[[Results], str] | None = None

    def _facts(self) -> str:
        return f" {self.name}: {self.doing}; makes {', '.join(self.tables)}"

    @property
    def figures_name(self) -> str:
        """Name of the figures in the manifest."""
        return f"{self.name}_figures"

    @property
    def manifest_names(self) -> list[str]:
        """Names of the step and its figures in the manifest."""
        return [self.name] if self.drawings is None else [self.name, self.figures_name]


def with_needs(names: Sequence[str], steps: Sequence[Step]) -> list[Step]:
    """Return the named steps and all steps that they need, in order."""
    known = {step.name: step for step in steps}
    wanted = set(names)
    while more := {need for name in wanted for need in known[name].needs} - wanted:
        wanted |= more
    return [step for step in steps if step.name in wanted]


def followers(name: str, steps: Sequence[Step]) -> list[Step]:
    """Return the steps that need a step, directly or through others, in order."""
    reached = {name}
    for step in steps:
        if reached.intersection(step.needs):
            reached.add(step.name)
    return [step for step in steps if step.name in reached - {name}]
