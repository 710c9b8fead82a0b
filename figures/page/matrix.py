"""Square matrices of markets: sizes that leave room for every name, and names on both sides."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from figures.page.style import NO_DATA_HATCH
from figures.page.text import shortened

_ROW_NAMES: Final = 86.0
_COLUMN_NAMES: Final = 76.0
"""Width of a name in points, of rows and of columns."""

_ACROSS: Final = 410.0
"""Width of all columns in points."""

_SMALLEST, _LARGEST = 6.5, 8.0
"""Size of the names in points."""


def name_size(count: int) -> float:
    """Return the size in points of the names of `count` markets."""
    return float(np.clip(_ACROSS / count, _SMALLEST, _LARGEST))


def matrix_height(count: int) -> float:
    """Return the height in inches of a matrix of `count` markets with the names of its columns."""
    sides = 2 if _alternate(count) else 1
    return max(count * 1.1 * name_size(count), 110) / 72 + (sides * _COLUMN_NAMES + 30) / 72


def name_cells(ax: Axes, names: Sequence[str], *, rows: str, columns: str) -> None:
    """Write names beside the rows and, turned, at the columns; where they are many, in turn below and above.

    Parameters
    ----------
    ax
        Axes with a cell per pair, row and column 0 first.
    names
        Names in the order of rows and columns.
    rows, columns
        What a row and a column is.
    """
    size, places = name_size(len(names)), range(len(names))
    beside, below = ([shortened(name, size=size, room=room) for name in names] for room in (_ROW_NAMES, _COLUMN_NAMES))
    ax.set_yticks(places, beside, size=size, parse_math=False)
    ax.set_xticks(places, below, size=size, rotation=90, parse_math=False)
    ax.tick_params(length=0, pad=2)
    if _alternate(len(names)):
        ax.tick_params(axis="x", labeltop=True, labelrotation=90)
        for place, tick in enumerate(ax.xaxis.get_major_ticks()):
            tick.label2.set(text=below[place], size=size, parse_math=False, visible=place % 2 == 1)
            tick.label1.set_visible(place % 2 == 0)
    ax.spines[:].set(visible=True, edgecolor=NO_DATA_HATCH)
    ax.set_ylabel(rows)
    ax.set_xlabel(columns)


def _alternate(count: int) -> bool:
    """Return whether the names of columns need the room of two."""
    return _ACROSS / count < 1.2 * name_size(count)
