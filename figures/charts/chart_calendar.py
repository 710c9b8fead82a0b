"""Charts by market and date as a heatmap: how deep they are, which have holes, which are absent."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError, market_names
from figures.page.checks import checked
from figures.page.style import INK, MUTED, NO_DATA, NO_DATA_HATCH, SMALL_SIZE, Page, add_colorbar, applied
from figures.page.text import shortened, width

_WHOLE: Final = ListedColormap(colormaps["Blues"](np.linspace(0.2, 0.95, 256)))
_HOLES: Final = ListedColormap(colormaps["Oranges"](np.linspace(0.35, 0.95, 256)))

_NAMES: Final = 110.0
"""Width of the name of a market in points."""

_ROW: Final = 0.115
"""Height of a row in inches."""

_SIZE: Final = 6.8
"""Size of the names in points."""

_INCHES: Final = 5.6
"""Width of the calendar in inches, about."""

_DAY: Final = pd.Timedelta(days=1)

_STRETCHES: Final[dict[str, tuple[Any, str, float, float]]] = {
    "drop-out": ((0, (6, 1.5)), "long gap", -0.38, 0.38),
    "stale": ((0, (3, 1)), "stale: as the chart before", 0.0, 0.0),
    "shallow": ((0, (1, 1)), "shallow for this chart", 0.38, 0.38),
}
"""Event that is drawn as a line → dash, name in the legend, and the two heights in its row."""

_NUMBERS: Final = ["dates", "expected", "depth", "missing", "holes"]


def chart_calendar(
    cells: pd.DataFrame,
    *,
    days: int,
    deepest: int,
    events: pd.DataFrame | None = None,
    names: Mapping[str, str] | None = None,
    most: int = 90,
) -> Figure:
    """Return the heatmap of charts: markets by time, blue where they are whole, orange where they have holes.

    The deeper a whole chart, the darker it is; the more ranks are missing, the darker the orange. What is absent is
    hatched; where a part of the dates of a cell is absent, its colour is paler. Launches and ends have their dates;
    drop-outs, stale and shallow charts have a mark each.

    Table: `pipelines.stages.inspection.calendar_cells`; `chart-diffusion inspect --figure` draws it.

    Parameters
    ----------
    cells
        One row per chart, market and stretch of time, from the market's first chart to its last: `chart`, `market`,
        `start` (first day of the stretch), `dates` and `expected` (charts there and due), `depth` (mean number of
        rows), `missing` (mean share of missing ranks, 0 … 1) and `holes` (1 where this is more than a chart may lack).
    days
        Length of a stretch in days.
    deepest
        Deepest rank of all charts, at which the scale of depths ends.
    events
        One row per event: `market`, `event` (``launch``, ``end``, ``drop-out``, ``stale`` or ``shallow``; others are
        not drawn), `first_date`, `last_date` (of the stretch; before the first chart for a launch, after the last one
        for an end). Default: none is marked.
    names
        Market code → name (default: the English names).
    most
        Rows drawn at most (default 90), the first in order.

    Raises
    ------
    DataSaysNoError
        When there is no chart.
    SettingError
        When a column is missing, or a chart and market has two rows for one stretch.

    Examples
    --------
    >>> cells = pd.DataFrame({"chart": "top50", "market": "SE", "start": pd.to_datetime(["2021-01-01", "2021-01-02"])})
    >>> cells = cells.assign(dates=[1, 0], expected=1, depth=[50, 0], missing=0, holes=0)
    >>> [tick.get_text() for tick in chart_calendar(cells, days=1, deepest=50).axes[0].get_yticklabels()]
    ['Sweden']
    """
    table = checked(cells, "cells", texts=["chart", "market"], numbers=_NUMBERS)
    if "start" not in cells.columns:
        raise SettingError("the table 'cells' lacks start")
    table["start"] = pd.to_datetime(cells["start"]).to_numpy()
    if table.empty:
        raise DataSaysNoError("there is no chart to draw")
    if table.duplicated(["chart", "market", "start"]).any():
        raise SettingError("the table 'cells' has two rows for one chart, market and stretch of time")
    rows = sorted(set(zip(table["chart"], table["market"], strict=True)))
    shown = rows[:most]
    known = {"Global": "Global", **market_names(sorted({market for _, market in rows} - {"Global"})), **(names or {})}
    several = len({chart for chart, _ in rows}) > 1
    labels = [f"{known[market]} ({chart})" if several else known[market] for chart, market in shown]
    marks = _marks(events, [market for _, market in shown])
    with applied():
        return _drawn(table, shown, labels, marks, days, deepest, len(rows) - len(shown))


def _marks(events: pd.DataFrame | None, markets: list[str]) -> pd.DataFrame:
    """Return the events of the markets drawn, with their rows; a market with several charts has several."""
    if events is None:
        return pd.DataFrame(columns=["market", "event", "first", "last", "row"])
    found = checked(events, "events", texts=["market", "event"])
    lacking = {"first_date", "last_date"} - {*events.columns}
    if lacking:
        raise SettingError(f"the table 'events' lacks {', '.join(sorted(lacking))}")
    first, last = (pd.to_datetime(events[column]).to_numpy() for column in ("first_date", "last_date"))
    places = pd.DataFrame({"market": markets, "row": range(len(markets))})
    return found.assign(first=first, last=last).merge(places, on="market")


def _drawn(
    table: pd.DataFrame,
    rows: list[tuple[str, str]],
    labels: list[str],
    marks: pd.DataFrame,
    days: int,
    deepest: int,
    left_out: int,
) -> Figure:
    charts, with_holes = ", ".join(sorted({chart for chart, _ in rows})), bool(table["holes"].any())
    height = max(len(rows) * _ROW, 0.6) + (1.7 if with_holes else 1.2)
    page = Page(f"Charts by market and date: {charts}", _notes(table, days, len(rows), left_out), height=height)
    ax = page.constrain().add_subplot()
    starts = pd.date_range(table["start"].min(), table["start"].max(), freq=f"{days}D")
    squares = {name: _square(table, rows, starts, name) for name in _NUMBERS}
    depth, holes = ScalarMappable(Normalize(0, deepest), _WHOLE), ScalarMappable(Normalize(0, 1), _HOLES)
    ends = date2num([starts[0], starts[-1] + pd.Timedelta(days=days)])  # type: ignore[no-untyped-call]
    _paint(ax, squares, depth, holes, (float(ends[0]), float(ends[1])))
    _label(ax, labels)
    kinds = [*_mark_holes(ax, squares["holes"], starts, days), *_mark(ax, marks)]
    options = {"location": "bottom", "shrink": 0.42, "aspect": 32, "pad": 0.02, "anchor": (0.0, 0.5)}
    if with_holes:
        add_colorbar(page.figure, holes, ax, "share of ranks missing in a chart with holes", **options)
    bar = add_colorbar(page.figure, depth, ax, "rows of a whole chart", **options)
    absent = Patch(facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch="/" * 5, linewidth=0, label="no chart")
    keys = [absent, *kinds]
    legend = bar.legend(handles=keys, ncols=2, loc="center left", bbox_to_anchor=(1.06, 0.0), borderaxespad=0)
    legend.set_in_layout(False)
    return page.done()


def _label(ax: Axes, labels: list[str]) -> None:
    """Label rows with the names of markets, and columns with dates."""
    names = [shortened(label, size=_SIZE, room=_NAMES) for label in labels]
    ax.set_yticks(range(len(names)), names, size=_SIZE, parse_math=False)
    ax.set_ylabel("market")
    ax.tick_params(axis="y", length=0)
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _mark_holes(ax: Axes, holes: NDArray[np.float64], starts: pd.DatetimeIndex, days: int) -> list[Line2D]:
    """Draw a line through the cells with holes, which colour alone does not tell in grey; return its key."""
    row, cell = np.nonzero(np.nan_to_num(holes) > 0)
    if not len(row):
        return []
    left = date2num(starts[cell])  # type: ignore[no-untyped-call]
    ends = np.stack([np.stack([left, row], axis=1), np.stack([left + days, row], axis=1)], axis=1)
    ax.add_collection(LineCollection(list(ends), colors=INK, linewidths=0.8), autolim=False)
    return [Line2D([], [], color=INK, linewidth=0.8, label="with holes")]


def _mark(ax: Axes, marks: pd.DataFrame) -> list[Line2D]:
    """Draw the events: dates where a market comes and goes, lines for stretches; return the keys of the lines."""
    left, right = ax.get_xlim()
    point = (right - left) / (_INCHES * 72)
    for event, row, first, last in marks[["event", "row", "first", "last"]].itertuples(index=False):
        words = {"launch": f"from {last + _DAY:%Y-%m-%d}", "end": f"until {first - _DAY:%Y-%m-%d}"}.get(event, "")
        start, end = _days(first, last)
        if words and width(words, SMALL_SIZE) + 6 <= (min(end, right) - max(start, left)) / point:
            x, side = (end - 3 * point, "right") if event == "launch" else (start + 3 * point, "left")
            ax.text(x, row, words, size=SMALL_SIZE, color=MUTED, ha=side, va="center")
    drawn = [event for event in _STRETCHES if (marks["event"] == event).any()]
    for event in drawn:
        _mark_stretches(ax, marks[marks["event"] == event], event, least=2 * point)
    ax.set_xlim(left, right)
    return [
        Line2D([], [], color=INK, linewidth=1.0, linestyle=_STRETCHES[event][0], label=_STRETCHES[event][1])
        for event in drawn
    ]


def _mark_stretches(ax: Axes, marks: pd.DataFrame, event: str, *, least: float) -> None:
    """Draw the stretches of one event as lines that are `least` days long or more."""
    dash, _, *heights = _STRETCHES[event]
    halo = [withStroke(linewidth=2.4, foreground="white")]
    for row, first, last in marks[["row", "first", "last"]].itertuples(index=False):
        start, end = _days(first, last)
        more = max((least - (end - start)) / 2, 0)
        for height in {*heights}:
            line = [start - more, end + more], [row + height] * 2
            ax.plot(*line, color=INK, linewidth=1.0, linestyle=dash, path_effects=halo)


def _days(first: pd.Timestamp, last: pd.Timestamp) -> tuple[float, float]:
    """Return the ends of a stretch on the axis: the last day is in it."""
    start, end = date2num([first, last + _DAY])  # type: ignore[no-untyped-call]
    return float(start), float(end)


def _square(
    table: pd.DataFrame, rows: list[tuple[str, str]], starts: pd.DatetimeIndex, column: str
) -> NDArray[np.float64]:
    """Return a column as (rows, stretches); NaN before a market's first chart and after its last."""
    by_row: pd.DataFrame = table.set_index(["chart", "market", "start"])[column].unstack("start")  # noqa: PD010, one value each
    square: NDArray[np.float64] = by_row.reindex(index=rows, columns=starts).to_numpy(dtype=float)
    return square


def _paint(
    ax: Axes,
    squares: Mapping[str, NDArray[np.float64]],
    depth: ScalarMappable,
    holes: ScalarMappable,
    ends: tuple[float, float],
) -> None:
    """Draw cells in colour over a hatched ground, which shows where charts are absent; before and after is white."""
    ax.patch.set(facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch="/" * 5, linewidth=0)
    with_holes = np.nan_to_num(squares["holes"]) > 0
    whole = np.asarray(depth.to_rgba(np.nan_to_num(squares["depth"])))
    colours = np.where(with_holes[..., None], holes.to_rgba(np.nan_to_num(squares["missing"])), whole)
    share = squares["dates"] / np.maximum(squares["expected"], 1)
    colours[..., 3] = np.clip(np.nan_to_num(share), 0, 1)
    colours[np.isnan(squares["expected"])] = 1.0
    extent = (*ends, len(colours) - 0.5, -0.5)
    ax.imshow(colours, extent=extent, aspect="auto", interpolation="nearest")
    ax.xaxis_date()
    ax.spines[:].set(visible=True, edgecolor=NO_DATA_HATCH)


def _notes(table: pd.DataFrame, days: int, drawn: int, left_out: int) -> list[str]:
    cell = "A cell is one day" if days == 1 else f"A cell is {days} days"
    paler = "; it is paler where some of its dates have no chart" if table["expected"].max() > 1 else ""
    absent = int((table["expected"] - table["dates"]).clip(lower=0).sum())
    notes = [
        f"{drawn} rows, {table['dates'].sum():,.0f} charts; {absent:,} are missing between a market's first and last. "
        f"{cell}{paler}. Before its first chart and after its last a market is white."
    ]
    return [*notes, f"{left_out} more rows are left out."] if left_out else notes
