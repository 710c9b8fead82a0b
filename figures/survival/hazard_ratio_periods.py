"""Hazard ratios by period of the clock, a panel per covariate."""

from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from diffusion import SettingError
from figures.page.given import ratios_given
from figures.page.style import BLUE, INNER, MUTED, TEXT_SIZE, Page, applied, say_empty
from figures.page.text import shortened, wrapped
from figures.survival.confidence import confidence
from figures.survival.ratios import ratios_of, reach, set_ratio_ticks

_PANELS: Final = 12
"""Panels drawn at most."""

_PANEL: Final = 1.45
"""Height of a row of panels in inches."""


def hazard_ratio_periods(
    table: pd.DataFrame, *, title: str = "Does the difference last?", cluster: str = "artist", since: str = "debut"
) -> Figure:
    """Return the hazard ratio of each covariate by period of the clock, a panel per covariate, on one logarithmic axis.

    Where hazards are proportional, a ratio is the same in all periods.

    Table: `hazard_ratio_periods` of a study, in words; or `survival.hazard_ratios_by_period`.

    Parameters
    ----------
    table
        One row per covariate and period: `variable`, `level`, `reference` (missing for numbers), `after`, `days` (the
        period is after < day ≤ days), `hazard_ratio` (above 0; NaN where it could not be estimated), `low`, `high` (its
        95 % interval; NaN where there is none). Panels are in order of appearance; the first twelve are drawn.
        Or the table of `survival.hazard_ratios_by_period`.
    title
        Title; markup in it has no effect.
    cluster
        What the intervals take as independent: ``artist`` (default), ``track`` or ``independent``; for the note.
    since
        Start of the clock, for the axis (default ``debut``).

    Raises
    ------
    DataSaysNoError
        When no ratio is known.
    SettingError
        When a column is missing, a period ends before it begins or occurs twice for a level, a ratio or bound is not
        above 0, or a ratio is outside its interval.

    Examples
    --------
    >>> table = pd.DataFrame({"variable": "language", "level": "shared", "reference": "not shared", "after": [0, 7],
    ...     "days": [7, 60], "hazard_ratio": [2.4, 1.2], "low": [1.8, 0.9], "high": [3.2, 1.6]})
    >>> [ax.get_title(loc="left") for ax in hazard_ratio_periods(table).axes]
    ['language: shared, against not shared']
    """
    key = ["variable", "level", "after"]
    rows = ratios_of(ratios_given(table), "hazard_ratio_periods", key=key, numbers=["after", "days"])
    if not (rows["after"] < rows["days"]).all():
        raise SettingError("the table 'hazard_ratio_periods' has a period that ends before it begins, or without days")
    panels = [part for _, part in rows.groupby(["variable", "level"], sort=False)]
    with applied():
        return _drawn(panels[:_PANELS], title, cluster, since, of=len(panels))


def _drawn(panels: list[pd.DataFrame], title: str, cluster: str, since: str, *, of: int) -> Figure:
    rows = pd.concat(panels)
    low, high = reach(rows)
    columns = min(len(panels), 3 if len(panels) != 4 else 2)
    lines = -(-len(panels) // columns)
    page = Page(title, _notes(rows, low, high, cluster, len(panels), of), height=0.3 + (_PANEL + 0.5) * lines)
    figure = page.constrain()
    axes = list(figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flat)
    for ax, part in zip(axes, panels, strict=False):
        _panel(ax, part, (low, high), room=INNER * 72 / columns - 40)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    axes[0].set_xlim(0, float(rows["days"].max()) * 1.02)
    axes[0].xaxis.set_major_locator(MaxNLocator(5, integer=True))
    for ax in axes[max(len(panels) - columns, 0) : len(panels)]:
        ax.tick_params(axis="x", labelbottom=True)
        ax.set_xlabel(shortened(f"days since {since}", size=TEXT_SIZE, room=150), parse_math=False)
    for ax in axes[::columns]:
        ax.set_ylabel("hazard ratio")
    return page.done()


def _panel(ax: Axes, part: pd.DataFrame, ends: tuple[float, float], *, room: float) -> None:
    low, high = ends
    first = part.iloc[0]
    compared = f", against {first['reference']}" if first["reference"] else ""
    name = f"{first['variable']}: {first['level']}{compared}"
    ax.set_title("\n".join(wrapped(name, size=TEXT_SIZE, room=room, lines=2)), size=TEXT_SIZE, parse_math=False)
    ax.set_yscale("log")
    ax.set_ylim(low / 1.08, high * 1.08)
    set_ratio_ticks(ax.yaxis, low, high, most=6)
    ax.axhline(1, color=MUTED, linewidth=0.8)
    known = part.dropna(subset=["hazard_ratio"])
    middle = (known["after"] + known["days"]) / 2
    ax.hlines(known["hazard_ratio"], known["after"], known["days"], color=BLUE, linewidth=1.6)
    ax.vlines(middle, known["low"].clip(low), known["high"].clip(upper=high), color=BLUE, linewidth=1.0)
    for beyond, end, marker in ((known["low"] < low, low, "v"), (known["high"] > high, high, "^")):
        ax.scatter(middle[beyond], [end] * int(beyond.sum()), color=BLUE, marker=marker, s=14, linewidth=0)
    if known.empty:
        say_empty(ax, "not estimated")


def _notes(rows: pd.DataFrame, low: float, high: float, cluster: str, drawn: int, of: int) -> list[str]:
    notes = [
        "Each ratio is of one period, the other variables being equal; with proportional hazards they would agree.",
        confidence(rows, "Vertical lines", cluster, each="ratio"),
    ]
    if ((rows["low"] < low) | (rows["high"] > high)).any():
        notes.append("An arrow marks an interval that goes on.")
    if rows["hazard_ratio"].isna().any():
        notes.append("A period without a line had too few entries.")
    if drawn < of:
        notes.append(f"Drawn are the first {drawn} of {of} covariates.")
    return [" ".join(filter(None, notes))]
