"""Hazard ratios with their intervals, by variable, read in words."""

from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.page.given import Fit, ratios_given
from figures.page.style import BLUE, INK, INNER, MUTED, TEXT_SIZE, Page, applied
from figures.page.text import shortened
from figures.survival.confidence import confidence
from figures.survival.pace import pace
from figures.survival.ratios import ratios_of, reach, set_ratio_ticks

_ROW: Final = 0.17
"""Height of a row in inches."""

_NAMES: Final = 2.05
"""Width of the names of levels in inches."""

_WORDS: Final = 2.45
"""Width of the reading in inches."""

_FOOT: Final = 0.42
"""Height of the axis and its label in inches."""

_MOST: Final = 60
"""Ratios drawn at most."""


def hazard_ratios(table: pd.DataFrame | Fit, *, title: str = "Who enters faster", cluster: str = "artist") -> Figure:
    """Return a forest plot: each hazard ratio with its interval on a logarithmic axis, and what it says in words.

    Ratios are grouped by variable; the heading of a group names the value that the others are compared with.

    Table: `hazard_ratios` of a study, in words; or a fit, such as that of `survival.cox`.

    Parameters
    ----------
    table
        One row per covariate: `variable`, `level` (value of the variable, or how much more of it), `reference` (value
        that it is compared with; missing for numbers), `hazard_ratio` (above 0; NaN where it could not be estimated),
        `low`, `high` (its 95 % interval; NaN where there is none). Variables and levels are in order of appearance;
        the first 60 rows are drawn. Or a fit, or its
        `summary`, with the names of lifelines.
    title
        Title; markup in it has no effect.
    cluster
        What the intervals take as independent: ``artist`` (default), ``track`` or ``independent``; for the note.

    Raises
    ------
    DataSaysNoError
        When no ratio is known.
    SettingError
        When a column is missing, a variable has a level twice, a ratio or bound is not above 0, or a ratio is outside
        its interval.

    Examples
    --------
    >>> table = pd.DataFrame({"variable": "language", "level": ["shared"], "reference": ["not shared"],
    ...     "hazard_ratio": [1.84], "low": [1.5], "high": [2.2]})
    >>> [text.get_text() for text in hazard_ratios(table).axes[0].texts]
    ['language, compared with not shared', 'shared', 'enters 1.8 times as fast (1.5–2.2)']
    """
    rows = ratios_of(ratios_given(table), "hazard_ratios", key=["variable", "level"])
    with applied():
        return _drawn(rows[:_MOST], title, cluster, of=len(rows))


def _drawn(rows: pd.DataFrame, title: str, cluster: str, *, of: int) -> Figure:
    groups = list(rows.groupby(["variable", "reference"], sort=False))
    height = _ROW * (len(rows) + len(groups))
    low, high = reach(rows)
    page = Page(title, _notes(rows, low, high, cluster, of), height=_FOOT + height)
    ax = page.place(_NAMES, _FOOT, INNER - _NAMES - _WORDS, height)
    ax.set_xscale("log")
    ax.set_xlim(low / 1.04, high * 1.04)
    set_ratio_ticks(ax.xaxis, low, high, most=6)
    ax.axvline(1, color=MUTED, linewidth=0.8)
    place = 0
    for (variable, reference), part in groups:
        compared = f", compared with {reference}" if reference else ""
        _write(ax, place, f"{variable}{compared}", inches=-_NAMES, room=_NAMES + 2.5, colour=MUTED)
        bounds = part[["hazard_ratio", "low", "high"]].to_numpy()
        for at, (level, interval) in enumerate(zip(part["level"], bounds, strict=True), start=place + 1):
            _write(ax, at, level, inches=-_NAMES + 0.12, room=_NAMES - 0.2, colour=INK)
            _interval(ax, at, *map(float, interval), ends=(low, high))
        place += len(part) + 1
    ax.set_ylim(place - 0.5, -0.5)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("hazard ratio (times as fast)")
    return page.done()


def _write(ax: Axes, place: int, line: object, *, inches: float, room: float, colour: str) -> None:
    """Write a line beside the axes, a number of inches from their left end, in a room of inches."""
    width = (INNER - _NAMES - _WORDS) * 72
    text = shortened(line, size=TEXT_SIZE, room=room * 72)
    across = ax.get_yaxis_transform()
    x = inches * 72 / width
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    ax.text(x, place, text, color=colour, va="center", parse_math=False, transform=across, bbox=ground)


def _interval(ax: Axes, place: int, ratio: float, low: float, high: float, *, ends: tuple[float, float]) -> None:
    """Draw one ratio with its interval and its reading; an arrow head where the interval goes on beyond the axis."""
    least, most = ends
    ax.hlines(place, max(low, least), min(high, most), color=BLUE, linewidth=1.3)
    ax.plot(ratio, place, color=BLUE, marker="o", markersize=4)
    for beyond, end, marker in ((low < least, least, "<"), (high > most, most, ">")):
        if beyond:
            ax.plot(end, place, color=BLUE, marker=marker, markersize=4)
    _write(ax, place, pace(ratio, low, high), inches=INNER - _NAMES - _WORDS + 0.12, room=_WORDS - 0.12, colour=INK)


def _notes(rows: pd.DataFrame, low: float, high: float, cluster: str, of: int) -> list[str]:
    notes = [
        "Each ratio compares waits that are equal in the other variables, on the same day. It is an association; what "
        "makes tracks enter is not tested.",
        confidence(rows, "Lines", cluster, each="ratio"),
    ]
    if ((rows["low"] < low) | (rows["high"] > high)).any():
        notes.append("An arrow marks an interval that goes on.")
    if len(rows) < of:
        notes.append(f"Drawn are the first {len(rows)} of {of} ratios.")
    return [" ".join(filter(None, notes))]
