"""A finished study, opened from its folder."""

from pathlib import Path

from pipelines.folders.finished import FinishedFolder
from pipelines.study.results import SHAPES, Results
from pipelines.study.steps import made_by


def open_study(place: str | Path) -> Results:
    """Return the results in a folder that ``run``, ``graph``, ``survival`` or ``demo`` made, without its charts.

    The files of a step are compared with the manifest when the step is first read.

    Raises
    ------
    SettingError
        When there is no manifest; and later, when a table is missing or was changed.
    """
    makers = made_by()
    made = {name: (maker.computed, maker.command) for name, maker in makers.items()}
    return Results(FinishedFolder(Path(place), SHAPES, made), makers)
