"""The report: one self-contained HTML file, with a section for each step."""

import base64
from collections.abc import Sequence
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from diffusion.foreign_text import replaced
from pipelines.folders.folder import Folder
from pipelines.formatting import cell, html_table
from pipelines.study.results import Results
from pipelines.study.step import Step
from pipelines.study.steps.entries import cohort_words

MOST_SOURCES = 50
"""Most files of charts that the report lists."""


def report_html(title: str, steps: Sequence[Step], results: Results, folder: Folder) -> str:
    """Return the report as HTML; the figures of `steps` must be in `folder` already."""
    sections = [
        {
            "name": step.name,
            "title": step.title,
            "template": f"{step.name}.html",
            "content": content,
            "findings": step.findings(results) if step.findings is not None else [],
            "pictures": _pictures(step, results, folder),
        }
        for step in steps
        if step.section is not None and (content := step.section(results))
    ]
    sources = folder.parameters("entries")["inputs"]
    return (
        environment()
        .get_template("page.html")
        .render(
            title=title,
            sections=sections,
            reading=folder.notes("entries"),
            cohort=cohort_words(folder.notes("entries")),
            not_made=[pair for step in steps for pair in gaps_of(step, folder).items()],
            caveats=[line for step in steps if step.caveats is not None for line in step.caveats(results)],
            sources=html_table(pd.DataFrame(sources[:MOST_SOURCES])),
            more_sources=max(len(sources) - MOST_SOURCES, 0),
            tool=folder.manifest()["tool"],
        )
    )


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


def gaps_of(step: Step, folder: Folder) -> dict[str, str]:
    """Return table or figure → why it was not made, for one step."""
    gaps: dict[str, str] = {}
    for name in step.manifest_names:
        gaps |= folder.notes(name)["not_made"]
    return gaps


def _pictures(step: Step, results: Results, folder: Folder) -> dict[str, dict[str, Any]]:
    """Return name → source (a data URI) and alternative text, for the figures of a step that were drawn."""
    if step.drawings is None:
        return {}
    return {
        name: {"source": picture(folder.read(f"figures/{name}.png")), "alt": drawing.alt}
        for name, drawing in step.drawings(results).items()
        if folder.holds(f"figures/{name}.png")
    }


def picture(png: bytes) -> str:
    """Return a PNG as a data URI."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
