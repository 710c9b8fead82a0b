"""The two sides of a comparison: finished folders, read back."""

from dataclasses import dataclass
from pathlib import Path

from diffusion import Entries
from diffusion.comparable import refuse_different
from diffusion.conventions import HORIZON
from pipelines.study.finished import open_study
from pipelines.study.results import Results


@dataclass(frozen=True, slots=True)
class Side:
    """One side.

    Attributes
    ----------
    name
        Name for people.
    folder
        Folder that it was read from.
    entries
        Its entries.
    window
        Window of its graph in days; None where the folder holds no graph.
    horizon
        Horizon of its curves in days; None where it holds no curves.
    """

    name: str
    folder: str
    entries: Entries
    window: int | None
    horizon: int | None

    @classmethod
    def of(cls, place: Path) -> "Side":
        """Return what a finished folder holds.

        Raises
        ------
        SettingError
            When it is no finished folder, or was changed by hand.
        """
        results = open_study(place)
        return cls(
            place.resolve().name,
            str(place),
            results.entries,
            _noted(results, "edges", "graph", "window"),
            _noted(results, "survival", "survival", "horizon"),
        )


def _noted(results: Results, table: str, step: str, name: str) -> int | None:
    return int(results.notes(step)[name]) if results.holds(table) else None


def common_window(a: Side, b: Side) -> int:
    """Return the window of both sides in days; the default where neither has a graph.

    Raises
    ------
    SettingError
        When the windows differ.
    """
    known = [side.window for side in (a, b) if side.window is not None]
    if len(known) == 2:
        refuse_different([("window in days", known[0], known[1])])
    return known[0] if known else a.entries.calendar.default_window


def common_horizon(a: Side, b: Side) -> int:
    """Return the shorter horizon of both sides in days, at most the default."""
    return min(side.horizon or HORIZON for side in (a, b))
