"""What a run would replace: results of other settings or other data that its folder holds."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from diffusion import OutputError
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import fingerprint, fits, to_json
from pipelines.study.cohort import COHORT
from pipelines.study.results import SHAPES
from pipelines.study.settings import SAMPLE, Study, setting_words
from pipelines.study.step import Step, followers, with_needs

PLACES: Final = "places"
"""Fact in the log of a folder: step → path of its source files, relative to the folder."""

SOURCES: Final = {"path": "charts", "groups": "groups", "truth": "truth"}
"""Field of a study with a path → what the files there are."""

MOST_FILES: Final = 3
"""Most files that the message names."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a step is made from in a run.

    Attributes
    ----------
    fingerprint
        Fingerprint of everything the results depend on.
    parameters
        Settings and source files, as the manifest has them.
    place
        Path of the source files, relative to the folder; None where there are none.
    """

    fingerprint: str
    parameters: Mapping[str, Any]
    place: str | None


def check_kept(folder: Folder, steps: Sequence[Step], chosen: Sequence[Step], bases: Mapping[str, Basis]) -> None:
    """Check that a run loses no results of other settings or other data.

    Results are lost if the run makes them with other settings or of other data, and if it makes what they follow from
    again but not them. Source files that changed or were added at the same place are no other data, and a step whose
    version rose has no other settings.

    Parameters
    ----------
    folder
        The folder, before any step is made.
    steps
        All steps.
    chosen
        Steps that the run makes.
    bases
        Step → what it is made from in this run.

    Raises
    ------
    OutputError
        When results would be lost; the message says which, and what differs.
    """
    held = {step.name: before for step in steps if (before := folder.previous(step.name)) is not None}
    places = places_before(folder)
    causes: dict[str, list[str]] = {}
    for step in chosen:
        before, basis = held.get(step.name), bases[step.name]
        if before is not None and before["fingerprint"] != basis.fingerprint:
            causes[step.name] = list(_differences(step, before["parameters"], basis, places, folder.place))
    replaced = [name for name in causes if any(causes.get(need.name) for need in with_needs([name], steps))]
    later = {step.name for name in causes for step in followers(name, steps)} - {step.name for step in chosen}
    removed = [name for name in held if name in later]
    if replaced or removed:
        why = list(dict.fromkeys(words for found in causes.values() for words in found))
        raise OutputError(_message(folder.place, replaced, removed, why))


def has_grown(folder: Folder, steps: Sequence[Step], bases: Mapping[str, Basis]) -> bool:
    """Return whether all that differs from what the folder holds is that source files changed or were added.

    It is not so where the folder lacks a step, or has it from another version, not whole or unchanged.

    Parameters
    ----------
    folder
        The folder.
    steps
        Steps that a run makes again, with all that they need.
    bases
        Step → what it is made from in this run.
    """
    places, prints = places_before(folder), dict[str, str]()
    for step in steps:
        before, basis = folder.previous(step.name, SHAPES.get(step.name, dict)), bases[step.name]
        if before is None or before["fingerprint"] == basis.fingerprint:
            return False
        parameters = before["parameters"]
        prints[step.name] = fingerprint(step.name, step.version, parameters, [prints[need] for need in step.needs])
        same = prints[step.name] == before["fingerprint"]
        if not same or any(_differences(step, parameters, basis, places, folder.place)):
            return False
        if not all(folder.whole(step.name, artifact["path"]) for artifact in before["artifacts"]):
            return False
    return True


def places_before(folder: Folder) -> dict[str, str | None]:
    """Return step → path of its source files in the last run that said so."""
    places: dict[str, str | None] = {}
    for one in folder.logged(PLACES):
        if fits(one, {"*": (str, None)}):
            places |= one
    return places


def place_of(study: Study, step: Step, folder: Path) -> str | None:
    """Return the path of a step's source files, relative to the folder; None where the study names none."""
    path: str | None = getattr(study, step.source) if step.source else None
    if path is None or path == SAMPLE:
        return path
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return Path(path).absolute().as_posix()


def _shown(place: str | None, folder: Path) -> str | None:
    """Return the path of source files as seen from the working directory."""
    return place if place is None or place == SAMPLE else Path(os.path.normpath(folder / place)).as_posix()


def _differences(
    step: Step, before: Mapping[str, Any], basis: Basis, places: Mapping[str, str | None], folder: Path
) -> Iterator[str]:
    """Yield how the settings and the data of a step differ from those it was made with before, in words."""
    now, defaults = json.loads(to_json(basis.parameters)), json.loads(to_json(_defaults()))
    if step.source:
        named = tuple(_shown(place, folder) for place in (places.get(step.name), basis.place))
        yield from _other_files(step.source, before.get("inputs", []), now["inputs"], named)
    for name in step.settings:
        was = before.get(name, defaults[name])
        if was != now[name]:
            yield f"{name} was {setting_words(was)} and is now {setting_words(now[name])}"


def _other_files(
    source: str,
    before: Sequence[Mapping[str, Any]],
    now: Sequence[Mapping[str, Any]],
    places: tuple[str | None, ...],
) -> Iterator[str]:
    """Yield how source files differ in more than that files changed or were added at the same place."""
    listed, charts = zip(*(_parted(files) for files in (before, now)), strict=True)
    if listed[0] != listed[1]:
        yield "the file with the tracks of the cohort is another"
    if charts[0] == charts[1]:
        return
    (before, now), what, (was, here) = charts, SOURCES[source], places
    if was is None or was != here:
        yield f"the {what} were {_files(before) if was is None else was} and are now {here or 'none'}"
        return
    there = {one[fact] for one in now for fact in ("path", "sha256")}
    gone = [one for one in before if not there.intersection((one["path"], one["sha256"]))]
    if gone:
        yield f"the {what} no longer have {_files(gone)}"


def _parted(files: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the files that list the tracks of a cohort, and the others."""
    return [one for one in files if COHORT in one], [one for one in files if COHORT not in one]


def _defaults() -> dict[str, Any]:
    """Return the defaults of a study: what settings were where an earlier version did not know them."""
    return Study(SAMPLE).settings([spec.name for spec in fields(Study)])


def _files(facts: Sequence[Mapping[str, Any]]) -> str:
    names = [str(one["path"]) for one in facts]
    more = f" and {len(names) - MOST_FILES:,} more" if len(names) > MOST_FILES else ""
    return f"{', '.join(names[:MOST_FILES])}{more}" if names else "none"


def _message(place: Path, replaced: Sequence[str], removed: Sequence[str], why: Sequence[str]) -> str:
    would = [f"replace {', '.join(replaced)}"] * bool(replaced) + [f"remove {', '.join(removed)}"] * bool(removed)
    says = "; ".join(why) or "this command makes again what they follow from, but not them, which run does"
    return f"in '{place}' this would {' and '.join(would)}: {says}; name another --out, or give --replace"
