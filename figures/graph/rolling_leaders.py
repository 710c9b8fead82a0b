"""Scores of the leading markets by period, with intervals."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from diffusion import DataSaysNoError, SettingError, market_names
from figures.graph.measures import titled
from figures.page.checks import checked
from figures.page.step_lines import legend_above
from figures.page.style import GROUP_STYLES, MUTED, TEXT_SIZE, Page, applied, say_empty
from figures.page.text import shortened, wrapped

_NAME_ROOM: Final = 96.0
"""Width of a market's name in the legend, in points."""

_OFFSETS: Final = ["", "%Y", "%Y", "%Y-%m-%d", "%Y-%m-%d", "%Y-%m-%d"]
"""Text at the right of the axis, where its labels are years, months, days, hours, minutes, seconds."""

_PANELS: Final = 4
"""Panels drawn at most."""

_MANY: Final = 40
"""Number of periods from which lines and dots are smaller."""

_PANEL: Final = 2.1
"""Height of a panel in inches."""


def rolling_leaders(table: pd.DataFrame, *, names: Mapping[str, str] | None = None, most: int = 5) -> Figure:
    """Return a panel per measure with a line and intervals per leading market; a period is drawn at its last day.

    Table: `graphs.rolling.rolling_leaders`.

    Parameters
    ----------
    table
        One row per period, measure and market: `start`, `end` (first and last day of the period), `market`, `measure`,
        `score` (NaN where not defined: the line has a gap), `low`, `high` (NaN where there is no interval), `rank`
        (1 leads). Panels are in order of appearance; the first four are drawn.
    names
        Code → name (default: the English names).
    most
        Markets drawn, 1 … 8 (default 5): those with the smallest mean rank over all periods and measures drawn, the
        same in every panel.

    Raises
    ------
    DataSaysNoError
        When no row has a rank.
    SettingError
        When a column is missing, `most` is not 1 … 8, a market has two rows for one last day and measure, or a date
        cannot be read.

    Examples
    --------
    >>> table = pd.DataFrame({"start": ["2020-01-01", "2020-04-01"], "end": ["2020-06-30", "2020-09-30"],
    ...     "market": "SE", "measure": "net_flow", "score": [4, 6], "low": [1, 2], "high": [7, 9], "rank": 1})
    >>> [ax.get_ylabel() for ax in rolling_leaders(table).axes]
    ['Net flow\\ntransitions sent minus received']
    """
    if not 1 <= most <= len(GROUP_STYLES):
        raise SettingError(f"most is {most}, but 1 to {len(GROUP_STYLES)} markets can be drawn")
    rows = checked(table, "rolling", texts=["market", "measure"], numbers=["score", "low", "high", "rank"])
    rows = rows.assign(start=_dates(table, "start"), end=_dates(table, "end"))
    if rows.duplicated(["end", "market", "measure"]).any():
        raise SettingError("the table 'rolling' has more than one row for a market and measure on a last day")
    measures = list(rows["measure"].unique())
    cut = f"Drawn are the first {_PANELS} of {len(measures)} measures." if len(measures) > _PANELS else ""
    measures = measures[:_PANELS]
    rows = rows[rows["measure"].isin(measures)]
    ranks = rows.groupby("market")["rank"].mean().dropna().sort_index().sort_values(kind="stable")
    if ranks.empty:
        raise DataSaysNoError("there is no leader to draw; the table 'rolling' has no row with a rank")
    drawn = [str(market) for market in ranks.index[:most]]
    known = market_names(drawn) | dict(names or {})
    with applied():
        return _drawn(rows, measures, {market: known[market] for market in drawn}, cut)


def _dates(table: pd.DataFrame, column: str) -> "pd.Series[pd.Timestamp]":
    if column not in table.columns:
        raise SettingError(f"the table 'rolling' lacks {column}; it has {', '.join(map(str, table.columns))}")
    try:
        dates = pd.to_datetime(table[column]).reset_index(drop=True)
    except (TypeError, ValueError) as error:
        raise SettingError(f"the column '{column}' of 'rolling' holds something that is no date") from error
    if dates.isna().any():
        raise SettingError(f"the column '{column}' of 'rolling' has missing values")
    return dates


def _drawn(rows: pd.DataFrame, measures: list[str], names: Mapping[str, str], cut: str) -> Figure:
    notes = [f"{_notes(rows, len(names))} {cut}"]
    page = Page("Scores of the leading markets, by period", notes, height=0.5 + _PANEL * len(measures))
    figure = page.constrain()
    axes = list(figure.subplots(len(measures), 1, sharex=True, squeeze=False).flat)
    ends = pd.DatetimeIndex(np.sort(rows["end"].unique()))
    for ax, measure in zip(axes, measures, strict=True):
        lines = _panel(ax, rows[rows["measure"] == measure], measure, names, ends)
    legend_above(axes[0], lines, left=60)
    locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    axes[-1].xaxis.set_major_locator(locator)
    concise = ConciseDateFormatter(locator, offset_formats=_OFFSETS)  # type: ignore[no-untyped-call]
    axes[-1].xaxis.set_major_formatter(concise)
    axes[-1].set_xlabel("last day of the period")
    reach = (ends[-1] - ends[0]) * 0.02 or pd.Timedelta(days=10)
    axes[-1].set_xlim(ends[0] - reach, ends[-1] + reach)
    figure.align_ylabels()
    return page.done()


def _panel(
    ax: Axes, rows: pd.DataFrame, measure: str, names: Mapping[str, str], ends: pd.DatetimeIndex
) -> list[tuple[str, Line2D]]:
    title, unit = titled(measure)
    label = [*wrapped(title, size=TEXT_SIZE, room=140, lines=1), *wrapped(unit, size=TEXT_SIZE, room=140, lines=2)]
    ax.set_ylabel("\n".join(label), parse_math=False)
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    ax.grid(axis="y")
    lines: list[tuple[str, Line2D]] = []
    step = pd.Timedelta((ends[1:] - ends[:-1]).min() if len(ends) > 1 else pd.Timedelta(days=30))
    line_width, mark = (1.4, 2.5) if len(ends) < _MANY else (0.9, 1.2)
    for place, ((market, name), (colour, dash)) in enumerate(zip(names.items(), GROUP_STYLES, strict=False)):
        days = ends + step * 0.12 * (place - (len(names) - 1) / 2)  # beside each other, so that none hides another
        mine = rows[rows["market"] == market].set_index("end")[["score", "low", "high"]].reindex(ends)
        ax.vlines(days, mine["low"], mine["high"], color=colour, linewidth=0.6 * line_width, alpha=0.8)
        (line,) = ax.plot(
            days, mine["score"], color=colour, linestyle=dash, marker="o", linewidth=line_width, markersize=mark
        )
        lines.append((shortened(name, size=TEXT_SIZE, room=_NAME_ROOM), line))
    if rows[rows["market"].isin([*names])]["score"].isna().all():
        ax.set_ylim(0, 1)
        say_empty(ax, "not defined for any of these markets")
    elif ax.get_ylim()[0] < 0 < ax.get_ylim()[1]:
        ax.axhline(0, color=MUTED, linewidth=0.6)
    return lines


def _notes(rows: pd.DataFrame, drawn: int) -> str:
    periods = rows.drop_duplicates("end").sort_values("end")
    days = sorted({int(length.days) + 1 for length in periods["end"] - periods["start"]})
    width = f"{days[0]} days" if len(days) == 1 else f"{days[0]} to {days[-1]} days"
    count = f"{len(periods)} period{'s' if len(periods) != 1 else ''}"
    notes = [f"{count} of {width}."]
    if (periods["start"] <= periods["end"].shift()).any():
        notes.append("Consecutive periods overlap, so their scores are not independent.")
    of = rows["market"].nunique()
    if drawn < of:
        notes.append(f"Drawn are {drawn} of {of} markets, those with the smallest mean rank.")
    notes.append("Vertical lines: 95 % interval of each market and period; none where artists are too few.")
    if rows["score"].isna().any():
        notes.append("A line has a gap where a score is not defined.")
    return " ".join(notes)
