"""Running a study: its steps are made in order; unchanged steps are skipped."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

import pyarrow as pa
from threadpoolctl import threadpool_limits

import figures
from diffusion import DataSaysNoError, SettingError
from diffusion.display import Displayed
from pipelines.explorer import explorer_html
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import fingerprint
from pipelines.folders.tables import put_views
from pipelines.formatting import every
from pipelines.progress import StepReport
from pipelines.study.finished import open_study
from pipelines.study.held_charts import HeldCharts
from pipelines.study.replacing import PLACES, Basis, check_kept, has_grown, place_of, places_before
from pipelines.study.report.contents import gaps_of
from pipelines.study.report.written import REPORT, put_report
from pipelines.study.results import SHAPES, Results
from pipelines.study.settings import Study
from pipelines.study.step import Step, followers, with_needs
from pipelines.study.steps import STEPS, made_by

KINDS: tuple[figures.Kind, ...] = ("png", "svg")

EXPLORER = "explorer"
"""Name of the explorer in the manifest."""

EXPLORER_VERSION = 2
"""Raised when the explorer of the same results looks or works otherwise."""

EXPLORED = ("entries", "graph", "baseline", "leaders", "structure", "direct", "placebo")
"""Steps whose results the explorer shows, where they were made; without a graph there is none."""

FIGURES_VERSION = 6
"""Raised when the figures of the same results look otherwise."""


class Run(Displayed):
    """One run of a study into a folder.

    Parameters
    ----------
    study
        Charts and settings.
    folder
        Folder for the results.
    steps
        All steps, each after the steps that it needs.

    Attributes
    ----------
    left_out
        Step that the last call of `make` left out → why.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place, Folder(f"{place}/out") as folder:
    ...     run = Run(Study("charts.csv"), folder)
    >>> run.study
    <Study 'How hits travel' of charts.csv>
    """

    def __init__(self, study: Study, folder: Folder, *, steps: Sequence[Step] = STEPS) -> None:
        self.study = study
        self.folder = folder
        self.results = Results(folder, made_by(steps))
        self._steps = steps
        self.left_out: dict[str, str] = {}
        self._prints: dict[str, str] = {}

    def _facts(self) -> str:
        return f" of '{self.study.title}' into {self.folder.place}"

    def make(self, names: Sequence[str], tell: StepReport, *, replace: bool = False, whole: bool = True) -> list[Step]:
        """Make the named steps and those they need, figures, explorer and report; return the steps in the report.

        The report also covers what earlier runs made of the same entries, also with other settings.

        Parameters
        ----------
        names
            Names of steps.
        tell
            Function that is told the progress.
        replace
            Whether results of other settings or other data may be replaced and removed (default False).
        whole
            Whether the run ends where the data do not hold what a step needs (default True). If not, such steps, and
            those that need them, are left out and named in `left_out`; entries are always needed.

        Raises
        ------
        OutputError
            When such results would be lost and `replace` is False, or another command's results have the name of one;
            nothing has been made then.
        DataSaysNoError
            When the data do not hold what a step needs, and the run is to be whole.
        """
        chosen = with_needs(names, self._steps)
        # on one thread of linear algebra the last digits are the same on any number of cores
        with threadpool_limits(limits=1, user_api="blas"), HeldCharts(self.study) as held:
            for step in chosen:
                self.folder.check_free(step.name, [f"{name}.parquet" for name in step.tables])
            if not replace:
                check_kept(self.folder, self._steps, chosen, {step.name: self._basis(step) for step in chosen})
            if any(step.compares and self._grown(step) for step in chosen):
                self.results.before = open_study(self.folder.place)
            self.results.charts = held.opened
            self.results.workers = self.study.workers
            rows_read = [step.name for step in chosen if step.reads_charts]
            self.left_out = {}
            for step in chosen:
                try:
                    self._check_needs(step)
                    tell.ended(step.name, unchanged=not self._make_step(step, tell))
                except DataSaysNoError as error:
                    if whole or not step.needs:
                        raise
                    self.left_out[step.name] = str(error)
                if step.name in rows_read[-1:]:
                    held.close()
            self.results.before = None
            chosen = [step for step in chosen if step.name not in self.left_out]
            self._log(chosen)
            reported = [step for step in self._steps if step in chosen or self._stands(step)]
            drawn = [self._make_figures(step, tell) for step in reported]
            tell.ended("figures", unchanged=not any(drawn))
            explored = [step.name for step in reported if step.name in EXPLORED]
            if "graph" in explored and self.results.holds("edges"):
                tell.ended(EXPLORER, unchanged=not self._make_explorer(explored, tell))
            written = put_report(self.folder, self.study.title, reported, self.results, tell)
            tell.ended(REPORT, unchanged=not written)
        put_views(self.folder, self.results.contracts)
        return reported

    def _check_needs(self, step: Step) -> None:
        """Check that no step that a step needs was left out."""
        for need in step.needs:
            if need in self.left_out:
                raise DataSaysNoError(self.left_out[need])

    def _basis(self, step: Step) -> Basis:
        return Basis(self._fingerprint(step), self._parameters(step), place_of(self.study, step, self.folder.place))

    def _log(self, steps: Sequence[Step]) -> None:
        """Log where the source files of the steps are, unless the log says so."""
        places = {step.name: place_of(self.study, step, self.folder.place) for step in steps if step.source}
        if not places.items() <= places_before(self.folder).items():
            self.folder.log("study", **{PLACES: places})

    def _stands(self, step: Step) -> bool:
        """Return whether the folder holds what the step would make, or what it made with settings of its own."""
        shape = SHAPES.get(step.name, dict)
        return self.folder.unchanged(step.name, self._fingerprint(step), shape) or self.folder.stands(step.name, shape)

    @property
    def prints(self) -> dict[str, str]:
        """Name of each step → fingerprint of everything its results depend on."""
        return {step.name: self._fingerprint(step) for step in self._steps}

    def _fingerprint(self, step: Step) -> str:
        if step.name not in self._prints:
            named = {other.name: other for other in self._steps}
            needs = [self._fingerprint(named[name]) for name in step.needs]
            self._prints[step.name] = fingerprint(step.name, step.version, self._parameters(step), needs)
        return self._prints[step.name]

    @cached_property
    def _sources(self) -> dict[str, list[dict[str, Any]]]:
        return {step.name: step.sources(self.study) for step in self._steps if step.sources is not None}

    def _parameters(self, step: Step) -> dict[str, Any]:
        """Return the settings of a step and the source files that it reads, for the manifest."""
        inputs = {"inputs": self._sources[step.name]} if step.sources is not None else {}
        before = {"before": self._compared_with(step)} if step.compares else {}
        return inputs | before | self.study.settings(step.settings)

    def _grown(self, step: Step) -> bool:
        """Return whether the folder holds what a step needs, with these settings, of charts that have grown since."""
        needed = with_needs(step.needs, self._steps)
        return has_grown(self.folder, needed, {need.name: self._basis(need) for need in needed})

    def _compared_with(self, step: Step) -> dict[str, str] | None:
        """Return need → fingerprint of the results that a step compares those of this run with; None for none.

        Where the folder holds the results of this run already, these are what they were compared with when made.
        """
        held = {one.name: entry for one in self._steps if (entry := self.folder.previous(one.name)) is not None}
        prints = {name: held[name]["fingerprint"] for name in step.needs if name in held}
        if self._grown(step):
            return prints
        same = prints == {one.name: self._fingerprint(one) for one in self._steps if one.name in step.needs}
        compared: dict[str, str] | None = held[step.name]["parameters"].get("before") if step.name in held else None
        return compared if same else None

    def _make_step(self, step: Step, tell: StepReport) -> bool:
        """Make a step unless it is unchanged; return whether it was made."""
        if self.folder.unchanged(step.name, self._fingerprint(step), SHAPES.get(step.name, dict)):
            return False
        tell(step.doing)
        output = step.make(self.study, self.results)
        later = followers(step.name, self._steps)
        self.folder.begin(
            step.name,
            self._fingerprint(step),
            parameters=self._parameters(step),
            notes={**output.notes, "not_made": dict(output.not_made)},
            outdates=[step.figures_name, *(name for other in later for name in other.manifest_names), EXPLORER, REPORT],
        )
        for name, table in output.tables.items():
            arrow = table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, preserve_index=False)
            self.folder.put_table(step.name, f"{name}.parquet", step.tables[name].conform(arrow))
        for name, content in output.files.items():
            self.folder.put(step.name, name, content)
        return True

    def _make_figures(self, step: Step, tell: StepReport) -> bool:
        """Draw what a step made unless it is unchanged; a figure that cannot be had is left out by name.

        Return whether figures were drawn.
        """
        key = fingerprint(step.figures_name, FIGURES_VERSION, self.folder.fingerprint(step.name))
        if step.drawings is None or self.folder.unchanged(step.figures_name, key):
            return False
        drawn: dict[str, figures.Figure] = {}
        not_made: dict[str, str] = {}
        drawings = step.drawings(self.results)
        for number, (name, drawing) in enumerate(drawings.items()):
            tell(f"drawing {name.replace('_', ' ')}", number / len(drawings))
            try:
                with self._about():
                    drawn[name] = drawing.draw()
            except (DataSaysNoError, SettingError) as error:
                not_made[f"figures/{name}"] = str(error)
        self.folder.begin(step.figures_name, key, parameters={}, notes={"not_made": not_made}, outdates=[REPORT])
        for name, figure in drawn.items():
            for kind in KINDS:
                self.folder.put(step.figures_name, f"figures/{name}.{kind}", figures.render(figure, kind))
        return True

    def _make_explorer(self, explored: Sequence[str], tell: StepReport) -> bool:
        """Write the explorer unless it is unchanged; return whether it was written."""
        prints = [self.folder.fingerprint(name) for name in explored]
        key = fingerprint(EXPLORER, EXPLORER_VERSION, self.study.title, prints)
        if self.folder.unchanged(EXPLORER, key):
            return False
        tell("writing the explorer")
        html = explorer_html(self.study.title, self.results)
        self.folder.begin(EXPLORER, key, parameters={"title": self.study.title}, notes={})
        self.folder.put(EXPLORER, "explorer.html", html.encode())
        return True

    def _about(self) -> AbstractContextManager[None]:
        """Return a context in which figures say of which charts they are."""
        if not self.results.holds("entries"):
            return nullcontext()
        notes = self.results.notes("entries")
        return figures.about(
            notes["chart"],
            notes["first_date"],
            notes["last_date"],
            markets=notes["markets"],
            tracks=notes["tracks"],
            every=every(notes["cadence_days"]),
        )


def closing_lines(
    folder: Folder, steps: Sequence[Step], results: Results, left_out: Mapping[str, str] = {}
) -> list[str]:
    """Return the lines on screen at the end: results, what was not made, files, and what to do next."""
    lines = [line for step in steps if step.lines is not None for line in step.lines(results)]
    lines += [f"not made  {name}: {why}" for step in steps for name, why in gaps_of(step, folder).items()]
    lines += [f"not made  {name}: {why}" for name, why in left_out.items()]
    lines += folder.made_lines()
    asked = [f"; or ask: chart-diffusion {step.ask(results)} --from {folder.place}" for step in steps if step.ask]
    return [*lines, f"next      open {folder.place / 'report.html'}{''.join(asked[:1])}"]


def closing_data(folder: Folder, steps: Sequence[Step], results: Results) -> dict[str, Any]:
    """Return the data that `--json` prints at the end."""
    found = {"out": str(folder.place), "files": folder.changes(), "steps": folder.manifest()["steps"]}
    for step in steps:
        if step.data is not None:
            found |= step.data(results)
    return found
