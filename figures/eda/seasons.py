"""Months, weekdays and the days around public holidays: how far each is from the level around it."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, FuncFormatter, MaxNLocator

from diffusion import DataSaysNoError
from figures.page.checks import checked
from figures.page.style import BLUE, MUTED, NO_DATA, SMALL_SIZE, Page, applied

_ROW: Final = 1.65
"""Height of a row of panels in inches."""

_COLUMNS: Final = 2


def _signed(scale: float, unit: str) -> FuncFormatter:
    """Return ticks with a sign, but for 0."""

    def text(value: float, _: object) -> str:
        shown = f"{scale * value:+.3g}".replace("-", "\N{MINUS SIGN}")
        return f"{'0' if float(f'{scale * value:.3g}') == 0 else shown}{unit}"

    return FuncFormatter(text)


_PERCENT: Final = FuncFormatter(lambda value, _: f"{100 * value:.3g} %")

_UNITS: Final[Mapping[str, tuple[str, Formatter]]] = {
    "relative": ("from the level around", _signed(100, " %")),
    "share": ("percentage points", _signed(100, "")),
    "markets": ("markets", _signed(1, "")),
}
"""Unit → label and ticks of the axis of effects."""

_LEVELS: Final[Mapping[str, tuple[str, Formatter | None]]] = {
    "relative": ("ratio to the average", None),
    "share": ("share of tracks", _PERCENT),
    "markets": ("markets", None),
}
"""Unit → label and ticks of the axis of levels."""


def season_chart(effects: pd.DataFrame, seasons: pd.DataFrame, *, names: Mapping[str, str], title: str) -> Figure:
    """Return a panel for every measure with the effect of every month, or weekday, and its interval.

    Table: `season_effects` and `seasons` of a study, the rows of one cycle.

    Parameters
    ----------
    effects
        One row per measure and place: `measure`, `name` of the place, `unit` (``relative``, ``share`` or ``markets``),
        `place`, `level`, and `effect`, `low`, `high` (NaN for none). Where a measure has no effect, its levels are
        drawn; with one place, nothing is.
    seasons
        One row per measure: `measure`, `repeats`, `q` (NaN where it was not tested).
    names
        Measure → title of its panel.
    title
        Title of the page.

    Raises
    ------
    DataSaysNoError
        When there is nothing to draw.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> effects = pd.DataFrame({"measure": "entries", "name": ["Jan", "Feb"], "unit": "relative", "place": [1, 2],
    ...     "level": [1.1, 0.9], "effect": [0.1, -0.1], "low": [0.05, -0.15], "high": [0.15, -0.05]})
    >>> seasons = pd.DataFrame({"measure": ["entries"], "repeats": [4], "q": [0.01]})
    >>> names = {"entries": "entries per chart"}
    >>> page = season_chart(effects, seasons, names=names, title="Months")
    >>> page.axes[0].get_title(loc="left")
    'entries per chart\\nq = 0.01; repeats: 4'
    """
    texts, numbers = ["measure", "name", "unit"], ["place", "level", "effect", "low", "high"]
    rows = checked(effects, "season_effects", texts=texts, numbers=numbers)
    tested = checked(seasons, "seasons", texts=["measure"], numbers=["repeats", "q"]).set_index("measure")
    rows = rows[rows.groupby("measure")["place"].transform("nunique") > 1]
    if rows.empty:
        raise DataSaysNoError("there is no season to draw; no measure of 'season_effects' has two months or weekdays")
    order = list(dict.fromkeys([*(name for name in names if name in set(rows["measure"])), *rows["measure"]]))
    with applied():
        page, panels = _panels(title, _season_notes(rows), len(order))
        for ax, measure in zip(panels, order, strict=True):
            own = rows[rows["measure"] == measure].sort_values("place")
            repeats, q = _numbers(tested, measure, ["repeats", "q"])
            said = "not tested" if np.isnan(q) else f"q {_probability(q)}"
            ax.set_title(f"{names.get(measure, measure)}\n{said}; repeats: {repeats:.0f}", parse_math=False)
            _places(ax, own)
        return page.done()


def _numbers(table: pd.DataFrame, measure: str, columns: list[str]) -> list[float]:
    """Return numbers of the row of a measure; the first is 0 and the others NaN where there is none."""
    if measure not in table.index:
        return [0.0, *[np.nan] * (len(columns) - 1)]
    return [float(table[column][measure]) for column in columns]


def _probability(q: float) -> str:
    return "< 0.001" if q < 0.001 else f"= {q:.2g}"


def _places(ax: Axes, own: pd.DataFrame) -> None:
    """Draw effects with their intervals, or levels where there are no effects."""
    unit, places = own["unit"].iloc[0], np.arange(len(own))
    if own["effect"].isna().all():
        label, ticks = _LEVELS.get(unit, (unit, None))
        ax.plot(places, own["level"], "s", color=MUTED, markerfacecolor="white", markersize=4)
        ax.set_ylabel(f"{label}\n(not adjusted)")
        ax.margins(y=0.15)
    else:
        label, ticks = _UNITS.get(unit, (unit, None))
        _marks(ax, places, own[["effect", "low", "high"]].to_numpy())
        ax.axhline(0, color=MUTED, linewidth=0.8)
        ax.set_ylabel(label)
    ax.set_xticks(places, own["name"].tolist(), size=SMALL_SIZE)
    ax.set_xlim(-0.6, len(own) - 0.4)
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    if ticks is not None:
        ax.yaxis.set_major_formatter(ticks)
    ax.grid(axis="y")


def _marks(ax: Axes, places: np.ndarray, values: np.ndarray) -> None:
    """Draw values with their intervals; hollow where there is none."""
    value, low, high = values.T
    known = np.isfinite(low) & np.isfinite(high)
    ax.vlines(places[known], low[known], high[known], color=BLUE, linewidth=1.3)
    for chosen, inner in ((known, BLUE), (~known, "white")):
        ax.plot(places[chosen], value[chosen], "o", color=BLUE, markerfacecolor=inner, markersize=4)


def _panels(title: str, notes: list[str], number: int) -> tuple[Page, list[Axes]]:
    rows = -(-number // _COLUMNS)
    page = Page(title, notes, height=_ROW * rows + 0.2)
    axes = page.constrain().subplots(rows, _COLUMNS, squeeze=False).ravel()
    for ax in axes[number:]:
        ax.remove()
    return page, list(axes[:number])


def _season_notes(rows: pd.DataFrame) -> list[str]:
    levels = rows.groupby("measure")["effect"].transform("count") == 0
    parts = []
    if not levels.all():
        parts.append("Points: mean deviation from the level around.")
    if rows["low"].notna().any():
        parts.append("Lines: 95 % intervals that hold for all places of a panel together.")
    if (rows["low"].isna() & ~levels).any():
        parts.append("Hollow: too few repeats to test.")
    if levels.any():
        parts.append("Squares: plain means, trend included, because no level around is known.")
    return [" ".join(parts)]


def holiday_chart(days: pd.DataFrame, weeks: pd.DataFrame, *, names: Mapping[str, str]) -> Figure:
    """Return a panel for every measure with the days around public holidays, against the same weekdays nearby.

    Table: `holiday_days` and `holiday_weeks` of a study.

    Parameters
    ----------
    days
        One row per measure and day: `measure`, `days` (from the holiday), `ratio`, and `low`, `high` (NaN for none).
    weeks
        One row per measure and market, of which those of ``all`` are used: `measure`, `market`, `holidays`, `q` (NaN
        where it was not tested).
    names
        Measure → title of its panel.

    Raises
    ------
    DataSaysNoError
        When there is nothing to draw.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> days = pd.DataFrame({"measure": "entries", "days": [-1, 0, 1], "ratio": [1.0, 0.8, 1.1], "low": [0.9, 0.7, 1.0],
    ...     "high": [1.1, 0.9, 1.2]})
    >>> weeks = pd.DataFrame({"measure": ["entries"], "market": ["all"], "holidays": [60], "q": [0.2]})
    >>> page = holiday_chart(days, weeks, names={"entries": "entries per chart"})
    >>> page.axes[0].get_title(loc="left")
    'entries per chart\\nweek q = 0.2; holidays: 60'
    """
    rows = checked(days, "holiday_days", texts=["measure"], numbers=["days", "ratio", "low", "high"])
    whole = checked(weeks, "holiday_weeks", texts=["measure", "market"], numbers=["holidays", "q"])
    if rows.empty:
        raise DataSaysNoError("there is no holiday to draw; the table 'holiday_days' is empty")
    whole = whole[whole["market"] == "all"].set_index("measure")
    order = list(dict.fromkeys(rows["measure"]))
    note = (
        "What happened over what the same weekdays one to four weeks before and after lead to expect, all "
        "markets together; shaded: the week that is tested. Lines: 95 % intervals that hold for all days of a panel "
        "together, weeks of the calendar as blocks; hollow: too few such weeks."
    )
    with applied():
        page, panels = _panels("The days around public holidays", [note], len(order))
        for ax, measure in zip(panels, order, strict=True):
            own = rows[rows["measure"] == measure].sort_values("days")
            holidays, q = _numbers(whole, measure, ["holidays", "q"])
            said = "not tested" if np.isnan(q) else f"week q {_probability(q)}"
            ax.set_title(f"{names.get(measure, measure)}\n{said}; holidays: {holidays:,.0f}", parse_math=False)
            around = own["days"].to_numpy()
            ax.axvspan(*((-3.5, 3.5) if np.diff(around).min(initial=1) < 7 else (-3, 3)), color=NO_DATA, linewidth=0)
            _marks(ax, around, own[["ratio", "low", "high"]].to_numpy())
            ax.axhline(1, color=MUTED, linewidth=0.8)
            ax.set_xticks(
                around,
                [f"{day:+.0f}".replace("-", "\N{MINUS SIGN}") if day else "0" for day in around],
                size=SMALL_SIZE,
            )
            ax.set_xlabel("days from the holiday")
            ax.set_ylabel("of what is expected")
            ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            ax.yaxis.set_major_formatter(_PERCENT)
            ax.grid(axis="y")
        return page.done()
