"""Communities by known groups of markets, such as languages: a grid with the markets of each combination."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffusion import DataSaysNoError, SettingError, market_names
from figures.page.checks import checked
from figures.page.style import INK, INNER, NO_DATA_HATCH, SMALL_SIZE, TEXT_SIZE, Page, applied
from figures.page.text import by_size, community_name, counted, labels, shortened, width

_COLUMNS: Final = 8
_ROWS: Final = 48
_REST: Final = "other"
_NONE: Final = "not known"

_NAMES: Final = 96.0
"""Width of the name of a group in points."""

_LINE: Final = 9.0
"""Height of a line of a cell in points."""

_WRITTEN_OUT: Final = 90.0
"""Width of a cell in points from which on the names of markets and communities are written out."""

_TINT: Final = np.array([0.0, 0.447, 0.698])
_STRONGEST: Final = 0.55


def community_grid(markets: pd.DataFrame, *, label: str = "language", names: Mapping[str, str] | None = None) -> Figure:
    """Return a grid of groups (rows) by communities (columns) with the markets in each cell.

    Markets have their names, or their codes where the communities are many. The more markets a cell has, the darker it
    is. If the groups explained the communities, each row would have all its markets in one cell.

    Table: `markets` of `graphs.communities.stability`, with the `group` of `graphs.communities.known_groups`.

    Parameters
    ----------
    markets
        One row per market: `market`, `community`, `group` (any text or number, missing where not known).
    label
        Name of the grouping (default ``language``).
    names
        Code → name of a market (default: the English names).

    Raises
    ------
    DataSaysNoError
        When there is no market.
    SettingError
        When a column is missing or a market has two rows.

    Examples
    --------
    >>> markets = pd.DataFrame({"market": ["SE", "NO", "US"], "community": [1, 1, 2], "group": ["sv", "no", "en"]})
    >>> [tick.get_text() for tick in community_grid(markets).axes[0].get_yticklabels()]
    ['no', 'sv', 'en']
    """
    table = checked(markets, "markets", texts=["market"])
    for column in ("community", "group"):
        if column not in markets.columns:
            raise SettingError(f"the table 'markets' lacks {column}; it has {', '.join(map(str, markets.columns))}")
    if table.empty:
        raise DataSaysNoError("there is no market to place; the table 'markets' is empty")
    if table["market"].duplicated().any():
        twice = table["market"][table["market"].duplicated()].iloc[0]
        raise SettingError(f"the table 'markets' has more than one row for '{twice}'")
    table["community"], columns = _folded(labels(markets["community"]), table["market"], _COLUMNS)
    table["group"], rows = _folded(labels(markets["group"]), table["market"], _ROWS)
    known = market_names(table["market"]) | dict(names or {})
    with applied():
        return _drawn(table.assign(name=table["market"].map(known)), rows, columns, label)


def _folded(names: list[str], markets: "pd.Series[str]", most: int) -> tuple[list[str], list[str]]:
    """Return every market's group and all groups, the largest first; groups beyond `most` are joined into one."""
    ranked = by_size(names, markets)
    kept = ranked if len(ranked) <= most else ranked[: most - 1]
    folded = [_NONE if not name else name if name in kept else _REST for name in names]
    return folded, [*kept, *(name for name in (_REST, _NONE) if name in folded and name not in kept)]


def _drawn(table: pd.DataFrame, rows: list[str], columns: list[str], label: str) -> Figure:
    room = (INNER * 72 - _NAMES - 40) / len(columns)
    written = "name" if room >= _WRITTEN_OUT else "market"
    cells = {
        (row, column): _broken(sorted(part[written]), room - 6)
        for (row, column), part in table.groupby(["group", "community"], sort=False)
    }
    lines = [max(len(cells.get((row, column), "")) for column in columns) for row in rows]
    heights = np.array([_LINE * max(count, 1) + 5 for count in lines])
    ends = np.concatenate([[0.0], np.cumsum(heights)])
    page = Page(f"Communities of markets by {label}", _notes(table, written), height=float(ends[-1]) / 72 + 0.75)
    ax = page.constrain().add_subplot()
    counts = table.groupby(["group", "community"]).size()
    for place, row in enumerate(rows):
        for across, column in enumerate(columns):
            shade = 1 - (1 - _TINT) * _STRONGEST * np.sqrt(counts.get((row, column), 0) / counts.max())
            ax.fill_between([across, across + 1], ends[place], ends[place + 1], color=shade, linewidth=0)
            text = "\n".join(cells.get((row, column), []))
            middle = (ends[place] + ends[place + 1]) / 2
            ax.text(across + 0.5, middle, text, size=SMALL_SIZE, ha="center", va="center", parse_math=False)
    sizes = table.groupby("community").size()
    heads = [
        f"{community_name(name) if room >= _WRITTEN_OUT else name}\n{counted(int(sizes[name]))}" for name in columns
    ]
    _frame(ax, rows, heads, ends, label, room)
    return page.done()


def _broken(names: list[str], room: float) -> list[str]:
    """Return the names with commas between them, in lines at most `room` points wide."""
    lines = [""]
    for name in (shortened(name, size=SMALL_SIZE, room=room - 4) for name in names):
        longer = f"{lines[-1]}, {name}" if lines[-1] else name
        if width(f"{longer},", SMALL_SIZE) <= room or not lines[-1]:
            lines[-1] = longer
        else:
            lines[-1] += ","
            lines.append(name)
    return lines


def _frame(
    ax: Axes,
    rows: list[str],
    heads: list[str],
    ends: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    label: str,
    room: float,
) -> None:
    ax.set(xlim=(0, len(heads)), ylim=(ends[-1], 0))
    ax.vlines(range(len(heads) + 1), 0, ends[-1], color=NO_DATA_HATCH, linewidth=0.5, clip_on=False)
    ax.hlines(ends, 0, len(heads), color=NO_DATA_HATCH, linewidth=0.5, clip_on=False)
    names = [shortened(row, size=TEXT_SIZE, room=_NAMES) for row in rows]
    ax.set_yticks((ends[:-1] + ends[1:]) / 2, names, size=TEXT_SIZE, parse_math=False)
    lines = ["\n".join(shortened(line, size=TEXT_SIZE, room=room - 4) for line in head.split("\n")) for head in heads]
    ax.set_xticks(np.arange(len(heads)) + 0.5, lines, size=TEXT_SIZE, parse_math=False)
    ax.tick_params(length=0, labelcolor=INK)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("community (numbers have no meaning)")
    ax.set_ylabel(shortened(label, size=TEXT_SIZE, room=float(ends[-1]) + 20), parse_math=False)


def _notes(table: pd.DataFrame, written: str) -> list[str]:
    by_code = "" if written == "name" else ", by ISO code"
    notes = [f"{counted(len(table))}{by_code}. Cells with more markets are darker. Rows and columns: largest first."]
    if (table[["community", "group"]] == _REST).any(axis=None):
        notes.append(f"The smallest are joined as '{_REST}'.")
    return [" ".join(notes)]
