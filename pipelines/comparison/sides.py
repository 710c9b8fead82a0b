"""The two sides of a comparison: finished folders, read back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diffusion import Entries
from diffusion.comparable import refuse_different
from diffusion.conventions import HORIZON
from pipelines.comparison.selection import chosen
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
    def of(cls, place: Path, conditions: Sequence[str] = (), *, alone: bool = False) -> "Side":
        """Return what a finished folder holds, or the tracks of it that fulfil conditions.

        Parameters
        ----------
        place
            Folder.
        conditions
            As `pipelines.comparison.selection.chosen` takes them (default: all tracks).
        alone
            Whether the other side is of the same folder, so that the name of chosen tracks need not have that of the
            folder (default: no).

        Raises
        ------
        SettingError
            When it is no finished folder, was changed by hand, or a condition cannot be read.
        DataSaysNoError
            When no track fulfils the conditions.
        """
        results = open_study(place)
        entries = chosen(results.entries, conditions)
        words = "; ".join(entries.cohort[len(results.entries.cohort) :])
        name = place.resolve().name
        return cls(
            (words if alone else f"{name}: {words}") if words else name,
            str(place),
            entries,
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
