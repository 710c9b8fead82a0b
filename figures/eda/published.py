"""Published claims with the intervals of their estimates, and what weekly charts do from year to year."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from diffusion import DataSaysNoError
from figures.page.checks import checked
from figures.page.scales import in_percent
from figures.page.style import BLUE, INK, MUTED, SMALL_SIZE, VERMILION, Page, applied, say_empty
from figures.page.text import shortened

_STYLES: Final = {"holds": (BLUE, "o"), "does not hold": (VERMILION, "s"), "cannot be told here": (MUTED, "D")}
"""Verdict → colour and mark."""

_CLAIM_NOTES: Final = (
    "Lines: 95 % intervals, by artist, by permutation of markets or under autocorrelation; an arrow goes on beyond "
    "the axis. A claim holds where the line lies right of 0 (and q ≤ .05); it does not hold where the line lies left "
    "of what would be worth speaking of. Numbers of markets: tests at q ≤ .05.",
)
"""Notes of the claims."""

_ROW: Final = 0.2
"""Height of a claim in inches."""

_FAR: Final = 3.0
"""Estimates farther than so many half-widths of the interval are drawn at the edge."""

_PANELS: Final = (
    ("overlap", "what two charts share", "Jaccard index"),
    ("stay", "mean stay", "charts a week apart"),
    ("moved", "change of rank in a week", "share of the depth"),
    ("local", "places of local artists", "share of places"),
)
"""Measure, title and unit of the panels by year."""


def published_claims(published: pd.DataFrame) -> Figure:
    """Return a row per published claim: verdict, and where its estimate lies beside the bound from which it holds.

    Table: `published` of a study.

    Parameters
    ----------
    published
        One row per claim: `says`, `verdict`, `estimate`, `low`, `high`, `bound` (NaN for none), `claimed`
        (``more`` or ``less``: the side of the bound on which the claim holds; empty for none), `number`, `of`.

    Raises
    ------
    DataSaysNoError
        When there is no claim.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> row = {"says": "Local music gains", "verdict": "holds", "claimed": "more", "number": 150, "of": "weeks"}
    >>> numbers = {"estimate": 0.05, "low": 0.02, "high": 0.08, "bound": 0.0}
    >>> len(published_claims(pd.DataFrame([row | numbers])).axes)
    1
    """
    numbers = ["estimate", "low", "high", "bound", "number"]
    table = checked(published, "published", texts=["says", "verdict", "claimed", "of"], numbers=numbers)
    if table.empty:
        raise DataSaysNoError("there is no claim to draw; the table 'published' is empty")
    with applied():
        page = Page("Published claims on these charts", _CLAIM_NOTES, height=_ROW * len(table) + 0.55)
        ax = page.constrain().subplots()
        places = np.arange(len(table))[::-1]
        for place, row in zip(places, table.to_dict("records"), strict=True):
            _claim_row(ax, float(place), row)
        labels = [shortened(says, size=7.0, room=250) for says in table["says"]]
        ax.axvline(0, color=INK, linewidth=0.8)
        ax.set_yticks(places, labels)
        ax.set_ylim(-0.6, len(table) - 0.4)
        ax.set_xlim(-_FAR - 0.3, _FAR + 0.3)
        ax.set_xticks(range(-int(_FAR), int(_FAR) + 1))
        ax.set_xlabel("← against the claim      half-widths of the 95 % interval      for the claim →")
        for verdict, (colour, mark) in _STYLES.items():
            ax.plot([], [], mark, color=colour, markersize=4, label=verdict)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, handletextpad=0.2)
        return page.done()


def _claim_row(ax: Axes, place: float, row: dict[Any, Any]) -> None:
    """Draw a claim: its estimate beyond the bound in half-widths of the interval; a count of tests in words."""
    colour, mark = _STYLES[row["verdict"]]
    sign = 1 if row["claimed"] == "more" else -1
    half = (row["high"] - row["low"]) / 2
    if not np.isfinite(row["estimate"]):
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        ax.text(0, place, "nothing to test it on", size=SMALL_SIZE, color=MUTED, ha="center", va="center", bbox=ground)
    elif not half > 0:
        counted = f"{row['estimate']:.0f} of {row['number']:.0f} {row['of']}"
        ax.plot(0, place, mark, color=colour, markersize=4)
        ax.text(0.15, place, counted, size=SMALL_SIZE, color=INK, ha="left", va="center")
    else:
        ends = sorted(sign * (row[name] - row["bound"]) / half for name in ("low", "high"))
        at = sign * (row["estimate"] - row["bound"]) / half
        kept = np.clip([*ends, at], -_FAR, _FAR)
        ax.hlines(place, kept[0], kept[1], color=colour, linewidth=1.2)
        arrow = mark if abs(at) <= _FAR else ">" if at > 0 else "<"
        ax.plot(kept[2], place, arrow, color=colour, markersize=4)


def chart_years(chart_years: pd.DataFrame) -> Figure:
    """Return four panels by year: what charts share, mean stay, change of rank in a week, and places of local artists.

    Table: `chart_years` of a study.

    Parameters
    ----------
    chart_years
        One row per measure and year: `measure`, `year`, `weeks`, `markets`, `level` with `low`, `high` (NaN for none).

    Raises
    ------
    DataSaysNoError
        When there is no year.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> row = {"measure": "stay", "year": 2019, "weeks": 52, "markets": 57, "level": 2.1, "low": 1.9, "high": 2.3}
    >>> chart_years(pd.DataFrame([row])).axes[1].get_ylabel()
    'charts a week apart'
    """
    numbers = ["year", "weeks", "markets", "level", "low", "high"]
    table = checked(chart_years, "chart_years", texts=["measure"], numbers=numbers)
    if table.empty:
        raise DataSaysNoError("there is no year to draw; the table 'chart_years' is empty")
    with applied():
        page = Page("Charts from year to year", _year_notes(table), height=2.1)
        for ax, (measure, title, unit) in zip(page.constrain().subplots(1, len(_PANELS)), _PANELS, strict=True):
            _years(ax, table[table["measure"] == measure].sort_values("year"))
            ax.set_title(title)
            ax.set_ylabel(unit)
        return page.done()


def _years(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw the levels of a measure with their intervals."""
    if rows.empty:
        say_empty(ax, "no year of it")
        ax.set_xticks([])
        ax.set_yticks([])
        return
    year, level, low, high = rows[["year", "level", "low", "high"]].to_numpy(np.float64).T
    ax.plot(year, level, color=BLUE, linewidth=0.8, marker="o", markersize=4)
    known = np.isfinite(low) & np.isfinite(high)
    ax.vlines(year[known], low[known], high[known], color=INK, linewidth=1.0)
    ax.set_xticks(year, [f"{one:.0f}" for one in year])
    ax.set_xlim(year[0] - 0.5, year[-1] + 0.5)
    ax.set_ylim(0, 1.08 * float(np.nanmax(np.concatenate([level, high]))))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    if level.max() < 1:
        in_percent(ax.yaxis)
    ax.grid(axis="y")


def _year_notes(table: pd.DataFrame) -> list[str]:
    return [
        f"{table['markets'].max():.0f} markets that are on the charts for the whole time, one date a week; "
        "years with 26 weeks or more. Dots: means of weeks. Lines: 95 % intervals under autocorrelation (none with "
        "less than two years). Mean stay: one over the share of tracks that leave in a week."
    ]
