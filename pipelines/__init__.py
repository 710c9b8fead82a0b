"""Studies and their steps, queries on the results, data pipelines, and the command line.

The names are imported when they are first used, so that the command line listens for signals before all else.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.folders.folder import Folder
    from pipelines.study.finished import open_study
    from pipelines.study.results import Results
    from pipelines.study.run import Run
    from pipelines.study.settings import Study, read_study
    from pipelines.study.steps import STEPS

__all__ = ["STEPS", "Folder", "Results", "Run", "Study", "open_study", "read_study"]

_HOMES = {
    "STEPS": "pipelines.study.steps",
    "Folder": "pipelines.folders.folder",
    "Results": "pipelines.study.results",
    "Run": "pipelines.study.run",
    "Study": "pipelines.study.settings",
    "open_study": "pipelines.study.finished",
    "read_study": "pipelines.study.settings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pipelines' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
