"""Reading a finished folder, with a check of each file against the manifest."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from diffusion import SettingError
from diffusion.files import read_table
from pipelines.folders.manifest import MANIFEST, Shape, digest_of_step, fits, intact, read_manifest


class FinishedFolder:
    """The artifacts of a finished folder; the artifacts of a step are checked when the step is first used.

    Parameters
    ----------
    place
        Folder.
    shapes
        Step → shape of its entry in the manifest (default: any).
    made_by
        Step → what it is, as the subject of a sentence, and the command that makes it (default: run).

    Raises
    ------
    SettingError
        When the folder has no manifest.
    """

    def __init__(
        self,
        place: Path,
        shapes: Mapping[str, Shape] | None = None,
        made_by: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        if not (place / MANIFEST).is_file():
            raise SettingError(f"no {MANIFEST} in '{place}'; make one first: chart-diffusion run CHARTS --out {place}")
        self.place = place
        self._manifest = read_manifest(place)
        self._steps: dict[str, dict[str, Any]] = self._manifest["steps"]
        self._owner = {artifact["path"]: name for name, step in self._steps.items() for artifact in step["artifacts"]}
        self._shapes, self._made_by = shapes or {}, made_by or {}
        self._checked: set[str] = set()

    def manifest(self) -> dict[str, Any]:
        """Return the manifest."""
        return self._manifest

    def holds(self, name: str) -> bool:
        """Return whether the manifest lists the artifact."""
        return name in self._owner

    def read_table(self, name: str) -> pa.Table:
        """Return an artifact as a table; `path` says what is checked."""
        return read_table(self.path(name))

    def path(self, name: str) -> Path:
        """Return the path of an artifact.

        Raises
        ------
        SettingError
            When the manifest does not list it, or an artifact of its step was changed.
        """
        if name not in self._owner:
            raise SettingError(
                f"there is no {name} in '{self.place}': it was not asked for, or 'not made' in its report says why"
            )
        self._step(self._owner[name])
        return self.place / name

    def notes(self, step: str) -> dict[str, Any]:
        """Return the notes of a step."""
        notes: dict[str, Any] = self._step(step)["notes"]
        return notes

    def parameters(self, step: str) -> dict[str, Any]:
        """Return the parameters of a step."""
        parameters: dict[str, Any] = self._step(step)["parameters"]
        return parameters

    def _step(self, step: str) -> dict[str, Any]:
        """Return a step's entry in the manifest, after a check of the entry and of all its artifacts."""
        if step not in self._steps:
            what, command = self._made_by.get(step, (f"{step} was", "chart-diffusion run CHARTS"))
            raise SettingError(f"{what} not computed for '{self.place}'; make it with: {command} --out {self.place}")
        if step not in self._checked:
            entry = self._steps[step]
            if entry["digest"] != digest_of_step(entry) or not fits(entry, self._shapes.get(step, dict)):
                changed = f"'{self.place / MANIFEST}' was changed by hand: the step {step} is not as it was written"
                raise SettingError(f"{changed}; make it again first")
            for artifact in self._steps[step]["artifacts"]:
                if not intact(self.place, artifact):
                    path = self.place / artifact["path"]
                    raise SettingError(f"'{path}' is not what the manifest says; make it again first")
            self._checked.add(step)
        return self._steps[step]
