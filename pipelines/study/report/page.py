"""The page: one self-contained HTML file that opens with what was found."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from diffusion.foreign_text import replaced
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import artifacts_of
from pipelines.formatting import cell, html_table
from pipelines.study.findings import Finding
from pipelines.study.report.contents import Part, opening, scope
from pipelines.study.settings import setting_words
from pipelines.study.steps.entries import cohort_words

MOST_SOURCES: Final = 50
"""Most files of charts that the page lists."""

EXPLORER: Final = "explorer.html"
"""Page to explore the same results, to which the report links where the folder holds it."""

BESIDES: Final = ("inputs", "before")
"""Parameters of a step in the manifest that are no settings."""


def report_html(title: str, parts: Sequence[Part], folder: Folder, *, printed: bool = False) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    title
        Heading of the page.
    parts
        What there is to show of each step.
    folder
        Folder of the results.
    printed
        Whether it is for a print, in which everything is open and files beside the page are named without a link
        (default False).
    """
    manifest, reading, sources = folder.manifest(), folder.notes("entries"), folder.parameters("entries")["inputs"]
    return (
        environment()
        .get_template("page.html")
        .render(
            title=title,
            scope=scope(reading),
            cohort=cohort_words(reading),
            opening=[(part.step, finding) for part, finding in opening(parts)],
            sections=[_section(part, manifest["steps"], folder) for part in parts if part.shown],
            hidden=[part for part in parts if not part.shown],
            files=[file for part in parts if not part.shown for file in _files(part, manifest["steps"])],
            sources=_sources(sources[:MOST_SOURCES]),
            more_sources=max(len(sources) - MOST_SOURCES, 0),
            tool=manifest["tool"],
            explorer=EXPLORER if has_explorer(folder) else "",
            printed=printed,
        )
    )


def has_explorer(folder: Folder) -> bool:
    """Return whether the folder holds the explorer, of this run or of one before."""
    return any(artifact["path"] == EXPLORER for artifact in artifacts_of(folder.manifest()))


def _section(part: Part, entries: Mapping[str, Any], folder: Folder) -> dict[str, Any]:
    """Return what the template shows of a part."""
    step = part.step
    settings = {name: value for name, value in sorted(folder.parameters(step.name).items()) if name not in BESIDES}
    return {
        "name": step.name,
        "title": step.title,
        "template": f"{step.name}.html" if part.content else "",
        "content": part.content,
        "findings": part.findings,
        "verdicts": verdicts(part.findings),
        "pictures": {name: {"source": source(one.png), "alt": one.alt} for name, one in part.pictures.items()},
        "caveats": part.caveats,
        "gaps": part.gaps,
        "version": step.version,
        "fingerprint": folder.fingerprint(step.name),
        "settings": {name: setting_words(value) for name, value in settings.items()},
        "files": _files(part, entries),
    }


def _files(part: Part, entries: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the artifacts of a step and its figures, as the manifest lists them, without those that the page holds."""
    files = [artifact for name in part.step.manifest_names for artifact in entries[name]["artifacts"]]
    return [file for file in files if not file["path"].endswith(".png")]


def _sources(files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the files that were read as a table, with the path first."""
    table = pd.DataFrame(files)
    return html_table(table[["path", *sorted(table.columns.drop("path"))]])


def verdicts(findings: Sequence[Finding]) -> str:
    """Return the verdicts of findings in words, each with its number where it occurs more than once.

    Examples
    --------
    >>> tested = Finding("Flows", "None flows.", "", "", "not found")
    >>> verdicts([tested, tested, Finding("Ties", "Half are ties.", "", "", "described")])
    '2 not found, described'
    """
    counts = pd.Series([finding.verdict for finding in findings], dtype=object).value_counts(sort=False)
    return ", ".join(f"{count} {verdict}" if count > 1 else str(verdict) for verdict, count in counts.items())


def environment() -> Environment:
    """Return the templates of pages, which show values as tables do and no control characters."""
    templates = Environment(
        loader=PackageLoader("pipelines.study"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=_shown,
    )
    templates.filters["cell"] = cell
    return templates


def _shown(value: Any) -> Any:
    """Return text without control characters; what is HTML already has none."""
    return replaced(value) if type(value) is str else value


def source(png: bytes) -> str:
    """Return a PNG as a data URI."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
