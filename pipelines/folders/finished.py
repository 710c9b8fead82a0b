"""Reading a finished folder, with a check of each file against the manifest."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from diffusion import SettingError
from diffusion.display import Displayed
from diffusion.files import read_table
from pipelines.folders.manifest import MANIFEST, Shape, digest_of_step, fits, intact, read_manifest


class FinishedFolder(Displayed):
    """The artifacts of a finished folder; the artifacts of a step are checked when the step is first used.

    Parameters
    ----------
    place
        Folder.
    shapes
        Step → shape of its entry in the manifest (default: any).

    Raises
    ------
    SettingError
        When the folder has no manifest.
    """

    def __init__(self, place: Path, shapes: Mapping[str, Shape] | None = None) -> None:
        if not (place / MANIFEST).is_file():
            raise SettingError(f"no {MANIFEST} in '{place}'; make one first: chart-diffusion run CHARTS --out {place}")
        self.place = place
        self._steps: dict[str, dict[str, Any]] = read_manifest(place)["steps"]
        self._owner = {artifact["path"]: name for name, step in self._steps.items() for artifact in step["artifacts"]}
        self._shapes = shapes or {}
        self._checked: set[str] = set()

    def _facts(self) -> str:
        return f" {self.place}"

    def holds(self, name: str) -> bool:
        """Return whether the manifest lists the artifact."""
        return name in self._owner

    def read_table(self, name: str) -> pa.Table:
        """Return an artifact as a table.

        Raises
        ------
        SettingError
            When the manifest does not list it, or an artifact of its step was changed.
        """
        if name not in self._owner:
            raise SettingError(f"'{self.place}' holds no {name}: not asked for, or 'not made' in its report says why")
        self._step(self._owner[name])
        return read_table(self.place / name)

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
            command = f"chart-diffusion run CHARTS --out {self.place}"
            raise SettingError(f"'{self.place}' holds no {step}; make it first: {command}")
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
