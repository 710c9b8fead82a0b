"""Writing the report, its print and its slides into a folder, at the end of a run or afterwards."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from diffusion import SettingError
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import fingerprint
from pipelines.progress import Report
from pipelines.study.finished import open_study
from pipelines.study.report.contents import Part, parts_of
from pipelines.study.report.page import has_explorer, report_html
from pipelines.study.report.printing import printed_pdf
from pipelines.study.report.slides import slides_pptx
from pipelines.study.results import SHAPES, Results
from pipelines.study.step import Step
from pipelines.study.steps import STEPS, made_by

REPORT: Final = "report"
"""Name of the report in the manifest."""

REPORT_VERSION: Final = 10
"""Raised when the report of the same results reads otherwise."""

PAGE, PDF, SLIDES = "report.html", "report.pdf", "report.pptx"
"""Files of the report."""


def put_report(
    folder: Folder, title: str, steps: Sequence[Step], results: Results, tell: Report, *, files: Sequence[str] = (PAGE,)
) -> bool:
    """Put the report of steps into a folder unless it is there unchanged; return whether anything was written.

    Files of an earlier report stay only where they would be the same.

    Parameters
    ----------
    folder
        Folder with the results and figures of the steps.
    title
        Heading of the report.
    steps
        Steps that it is about.
    results
        Their results.
    tell
        Function that is told the progress.
    files
        Files of the report that are asked for (default: the page).
    """
    prints = [folder.fingerprint(name) for step in steps for name in step.manifest_names]
    key = fingerprint(REPORT, REPORT_VERSION, title, prints, has_explorer(folder))
    before = folder.previous(REPORT)
    same = before["artifacts"] if before is not None and before["fingerprint"] == key else []
    kept = [artifact["path"] for artifact in same if folder.whole(REPORT, artifact["path"])]
    folder.begin(REPORT, key, parameters={"title": title}, notes={})
    folder.carry(REPORT, kept)
    wanted = [name for name in files if name not in kept]
    if wanted:
        tell("writing the report")
        parts = parts_of(steps, results, folder)
        for name, make in _makers(title, parts, folder).items():
            if name in wanted:
                tell(f"writing {name}")
                folder.put(REPORT, name, make())
    return bool(wanted)


def _makers(title: str, parts: Sequence[Part], folder: Folder) -> Mapping[str, Callable[[], bytes]]:
    """Return file of the report → function that returns its content."""
    return {
        PAGE: lambda: report_html(title, parts, folder).encode(),
        SLIDES: lambda: slides_pptx(title, parts, folder.notes("entries")),
        PDF: lambda: printed_pdf(report_html(title, parts, folder, printed=True)),
    }


def write_report(place: Path, tell: Report, *, pdf: bool = False, slides: bool = False) -> list[str]:
    """Write the report of a finished folder into it again, and return what to say of it.

    Parameters
    ----------
    place
        Folder that run, graph, survival, eda or demo made.
    tell
        Function that is told the progress.
    pdf, slides
        Whether to write the report as PDF too, and as slides (default False).

    Raises
    ------
    SettingError
        When there are no such results, or a file was changed; when what makes a PDF or slides is not installed.
    OutputError
        When the folder cannot be written, or a browser makes no PDF.
    """
    steps = _held(place)
    with Folder(place) as folder:
        held = [step for step in steps if _stands(folder, step)]
        before = folder.previous(REPORT) or {"parameters": {}}
        files = [PAGE, *[PDF] * pdf, *[SLIDES] * slides]
        title = str(before["parameters"].get("title", place.name))
        put_report(folder, title, held, Results(folder, made_by()), tell, files=files)
        return [*folder.made_lines(), *(f"next      open {folder.place / name}" for name in files)]


def _held(place: Path) -> list[Step]:
    """Return the steps whose results a folder holds.

    Raises
    ------
    SettingError
        When it holds none, one was changed, or one was made by another version of this tool.
    """
    results, prints = open_study(place), dict[str, str]()
    made = results.folder.manifest()["steps"]
    held = [step for step in STEPS if step.name in made]
    if not held:
        results.notes("entries")
    for step in held:
        for name in step.manifest_names:
            results.notes(name)
        needs = [prints.get(need, "") for need in step.needs]
        prints[step.name] = fingerprint(step.name, step.version, results.parameters(step.name), needs)
        if prints[step.name] != made[step.name]["fingerprint"]:
            raise SettingError(f"{step.name} in '{place}' was made by another version; run the study again first")
    return held


def _stands(folder: Folder, step: Step) -> bool:
    """Return whether the folder holds the results and the figures of a step."""
    return all(folder.stands(name, SHAPES.get(name, dict)) for name in step.manifest_names)
