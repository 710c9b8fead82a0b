"""What a folder of artifacts has of its steps: those of the manifest, and those of the run."""

import platform
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from diffusion import OutputError
from diffusion.display import Displayed
from pipelines.folders.manifest import Shape, artifacts_of, digest_of_step, fits

LIBRARIES = ("duckdb", "igraph", "matplotlib", "networkx", "numpy", "pandas", "polars", "pyarrow", "scipy")


class Records(Displayed):
    """The steps of a folder, each with its artifacts, as they were before a run and as the run makes them.

    Parameters
    ----------
    place
        Folder, or its address.
    before
        Manifest before the run.
    """

    def __init__(self, place: Path | str, before: dict[str, Any]) -> None:
        self.place = place
        self._before = before
        self._steps: dict[str, dict[str, Any]] = {}
        self._outdated: frozenset[str] = frozenset()
        self._owners: dict[str, str] = {}
        self._carried: set[str] = set()

    def _facts(self) -> str:
        return f" {self.place}"

    def previous(self, step: str, shape: Shape = dict) -> dict[str, Any] | None:
        """Return a step's entry in the manifest before this run.

        None if there was none, it was changed by hand, or it does not have the shape.
        """
        before: dict[str, Any] | None = self._before["steps"].get(step)
        return before if before and before["digest"] == digest_of_step(before) and fits(before, shape) else None

    def whole(self, step: str, name: str) -> bool:
        """Return whether the step has the artifact from before this run, with the size and SHA-256 of the manifest."""
        before = self.previous(step) or {"artifacts": []}
        return any(artifact["path"] == name and self._intact(artifact) for artifact in before["artifacts"])

    def unchanged(self, step: str, fingerprint: str, shape: Shape = dict) -> bool:
        """Return whether the folder has all artifacts of the step, made with the same fingerprint and not changed.

        An entry in the manifest that does not have the `shape` does not count.
        """
        if step in self._steps:
            return bool(self._steps[step]["fingerprint"] == fingerprint)
        before = self.previous(step, shape)
        return before is not None and before["fingerprint"] == fingerprint and self._kept(step, before)

    def fingerprint(self, step: str) -> str:
        """Return the fingerprint of a step of this run."""
        fingerprint: str = self._steps[step]["fingerprint"]
        return fingerprint

    def begin(
        self,
        step: str,
        fingerprint: str,
        *,
        parameters: Mapping[str, Any],
        notes: Mapping[str, Any],
        outdates: Sequence[str] = (),
    ) -> None:
        """Begin a step; artifacts that are put with its name belong to it.

        Steps in `outdates` that this run does not make again are removed from the folder. Notes hold facts, but no
        times, which go to `log`.
        """
        self._outdated |= set(outdates)
        self._steps[step] = {
            "fingerprint": fingerprint,
            "parameters": dict(parameters),
            "notes": dict(notes),
            "artifacts": [],
        }
        self._steps[step]["digest"] = digest_of_step(self._steps[step])

    def check_free(self, step: str, names: Iterable[str]) -> None:
        """Check that artifacts of these names belong to no other step of the folder that stays.

        Raises
        ------
        OutputError
            When one does.
        """
        owners = {
            artifact["path"]: name
            for name, before in self._before["steps"].items()
            if name not in (step, *self._outdated)
            for artifact in before["artifacts"]
        }
        for name in names:
            if name in owners:
                raise OutputError(f"'{self.place}/{name}' belongs to the results of {owners[name]}; name another --out")

    def carry(self, step: str, names: Iterable[str]) -> None:
        """Keep artifacts of the step from before this run in the step that has begun.

        Raises
        ------
        OutputError
            When the step had no such artifact, or the file is not as the manifest says.
        """
        before = {artifact["path"]: artifact for artifact in (self.previous(step) or {"artifacts": []})["artifacts"]}
        for name in names:
            if not self.whole(step, name):
                raise OutputError(f"'{self.place}/{name}' is not what the manifest says; make the folder again")
            self._owners[name] = step
            self._carried.add(name)
            self._register(step, before[name], None)

    def holds(self, name: str) -> bool:
        """Return whether a step of this run has the artifact."""
        return any(artifact["path"] == name for step in self._steps.values() for artifact in step["artifacts"])

    def parameters(self, step: str) -> dict[str, Any]:
        """Return the parameters of a step."""
        parameters: dict[str, Any] = self._steps[step]["parameters"]
        return parameters

    def notes(self, step: str) -> dict[str, Any]:
        """Return the notes of a step."""
        notes: dict[str, Any] = self._steps[step]["notes"]
        return notes

    def changes(self) -> dict[str, list[str]]:
        """Return the artifacts that the run makes, leaves unchanged, and removes as outdated."""
        ours = {artifact["path"] for step in self._steps.values() for artifact in step["artifacts"]}
        made = {
            artifact["path"]
            for name, step in self._steps.items()
            if step is not self._before["steps"].get(name)
            for artifact in step["artifacts"]
        } - self._carried
        gone = {a["path"] for a in artifacts_of(self._before)} - {a["path"] for a in artifacts_of(self.manifest())}
        return {"made": sorted(made), "unchanged": sorted(ours - made), "removed": sorted(gone)}

    def made_again(self) -> list[str]:
        """Return the artifacts that the run makes because the files were not as the manifest said."""
        return []

    def made_lines(self) -> list[str]:
        """Return lines for the screen on the artifacts: made, unchanged, removed."""
        changes = self.changes()
        kept = f"; {len(changes['unchanged'])} unchanged" if changes["unchanged"] else ""
        lines = [f"made      {len(changes['made'])} files in {self.place}{kept}"]
        if again := self.made_again():
            were = "was" if len(again) == 1 else "were"
            lines.append(f"again     made again: {', '.join(again)}, which {were} not as the manifest says")
        if changes["removed"]:
            gone = [name for name in changes["removed"] if not name.endswith(".svg")]
            lines.append(f"removed   {', '.join(gone)}")
        return lines

    def manifest(self) -> dict[str, Any]:
        """Return the manifest to write: steps of this run, and steps of earlier runs that are not outdated."""
        left = {name: step for name, step in self._before["steps"].items() if name not in self._outdated}
        return {
            "tool": {"chart-diffusion": version("chart-diffusion"), "python": platform.python_version()}
            | {name: version(name) for name in LIBRARIES},
            "steps": dict(sorted((left | self._steps).items())),
        }

    def _kept(self, step: str, before: dict[str, Any]) -> bool:
        """Take a step as it was before this run, where its artifacts are whole; return whether they are."""
        whole = [self._intact(artifact) for artifact in before["artifacts"]]
        if all(whole):
            self._steps[step] = before
        return all(whole)

    @abstractmethod
    def _intact(self, artifact: Mapping[str, Any]) -> bool:
        """Return whether an artifact from before this run is as its manifest says."""

    def _register(self, step: str, facts: Mapping[str, Any], rows: int | None) -> None:
        others = [artifact for artifact in self._steps[step]["artifacts"] if artifact["path"] != facts["path"]]
        self._steps[step]["artifacts"] = [*others, dict(facts) | ({} if rows is None else {"rows": rows})]
