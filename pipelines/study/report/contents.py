"""What the report and the slides show: a part for each step, and the findings that open them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipelines.folders.folder import Folder
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.step import Step
from pipelines.study.steps.entries import cohort_words

FIRST: Final = ("baseline", "direct", "leaders", "changes", "travel", "effects", "forecast")
"""Steps whose findings open the report, the first first; findings of others follow in the order of the steps."""

MOST_OPENING: Final = 6
"""Most findings that open the report."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure that was drawn.

    Attributes
    ----------
    alt
        What it shows, for those who cannot see it.
    png
        The figure as PNG.
    """

    alt: str
    png: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """What there is to show of a step.

    Attributes
    ----------
    step
        The step.
    content
        What its template shows; empty where there is nothing.
    findings
        What it found.
    pictures
        Name → figure.
    caveats
        Warnings that no finding says already.
    gaps
        Table or figure → why it was not made.
    """

    step: Step
    content: Mapping[str, Any]
    findings: Sequence[Finding]
    pictures: Mapping[str, Picture]
    caveats: Sequence[str]
    gaps: Mapping[str, str]

    @property
    def shown(self) -> bool:
        """Whether the step has a section of its own."""
        return bool(self.content or self.findings)


def parts_of(steps: Sequence[Step], results: Results, folder: Folder) -> list[Part]:
    """Return what there is to show of each step; its figures must be in `folder` already."""
    return [_part(step, results, folder) for step in steps]


def _part(step: Step, results: Results, folder: Folder) -> Part:
    findings = step.findings(results) if step.findings is not None else []
    caveats = step.caveats(results) if step.caveats is not None else []
    drawings = step.drawings(results) if step.drawings is not None else {}
    return Part(
        step=step,
        content=step.section(results) if step.section is not None else {},
        findings=findings,
        pictures={
            name: Picture(drawing.alt, folder.read(f"figures/{name}.png"))
            for name, drawing in drawings.items()
            if folder.holds(f"figures/{name}.png")
        },
        caveats=[line for line in caveats if not any(line in finding.caveat for finding in findings)],
        gaps=dict(sorted(gaps_of(step, folder).items())),
    )


def gaps_of(step: Step, folder: Folder) -> dict[str, str]:
    """Return table or figure → why it was not made, for one step."""
    gaps: dict[str, str] = {}
    for name in step.manifest_names:
        gaps |= folder.notes(name)["not_made"]
    return gaps


def opening(parts: Sequence[Part]) -> list[tuple[Part, Finding]]:
    """Return the findings that open the report, at most `MOST_OPENING`, each with the part that it is from."""
    place = {name: number for number, name in enumerate(FIRST)}
    ordered = sorted(parts, key=lambda part: place.get(part.step.name, len(place)))
    found = [(part, finding) for part in ordered for finding in part.findings if finding.headline]
    return found[:MOST_OPENING]


def scope(reading: Mapping[str, Any]) -> str:
    """Return in a sentence which charts a study is about, from the notes of the step `entries`.

    Examples
    --------
    >>> day = {"first_date": "2020-01-03", "last_date": "2020-12-25"}
    >>> scope({"chart": "top200", "markets": 9, "tracks": 4100, "cohort": []} | day)
    'Chart top200, 2020-01-03 to 2020-12-25, 9 markets, 4,100 tracks.'
    """
    said = (
        f"Chart {reading['chart']}, {reading['first_date']} to {reading['last_date']}, {reading['markets']} markets, "
        f"{reading['tracks']:,} tracks."
    )
    return f"{said} Of a cohort: {cohort_words(reading)}." if reading["cohort"] else said
