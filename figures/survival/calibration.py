"""Predicted against observed shares, by tenth and by market, one column of panels per model."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from diffusion import DataSaysNoError, SettingError, market_names
from figures.page.checks import checked
from figures.page.scales import in_percent
from figures.page.style import BLUE, INNER, MUTED, SMALL_SIZE, VERMILION, Page, applied, say_empty
from figures.page.text import shortened, shown, width
from figures.survival.confidence import confidence

KINDS: Final = {"decile": "by tenth of the predictions", "market": "by market"}
"""Kind of the classes → title."""

_MODELS: Final = 4
"""Models drawn at most."""

_SIDE: Final = 240.0
"""Largest side of a panel in points."""

_NAMED: Final = 8
"""Markets of a panel that are named at most: those furthest off the line."""


def calibration(
    table: pd.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    title: str = "Do predictions come true?",
    cluster: str = "artist",
) -> Figure:
    """Return predicted against observed shares that enter, by tenth of the predictions and by market.

    Each model has a column of panels. The diagonal is where what was predicted was observed. Both axes are square-root
    axes, because most shares are small, the same in all panels of a kind. Markets whose interval is off the diagonal
    are named, the furthest first, as long as there is room.

    Table: `survival.calibration`.

    Parameters
    ----------
    table
        One row per model and class: `model`, `kind` (``decile`` or ``market``), `group` (number of the tenth, or code
        of the market), `day` (that the shares are about, the same in all rows), `predicted`, `observed` (0 … 1),
        `low`, `high` (95 % interval of the observed share, NaN where there is none). Models are in order of appearance;
        the first four are drawn.
    names
        Code of a market → name (default: the English names).
    title
        Title; markup in it has no effect.
    cluster
        What the intervals take as independent: ``artist`` (default), ``track`` or ``independent``; for the note.

    Raises
    ------
    DataSaysNoError
        When there is no row.
    SettingError
        When a column is missing, a kind is unknown, the rows are about different days, a class of a model occurs twice,
        or a share is outside 0 … 1.

    Examples
    --------
    >>> table = pd.DataFrame({"model": "cox", "kind": "decile", "group": ["1", "2"], "day": 60,
    ...     "predicted": [0.01, 0.04], "observed": [0.012, 0.05], "low": [0.008, 0.04], "high": [0.02, 0.07]})
    >>> [ax.get_title(loc="left") for ax in calibration(table).axes]
    ['cox\\nby tenth of the predictions']
    """
    shares = ["predicted", "observed", "low", "high"]
    rows = checked(table, "calibration", texts=["model", "kind", "group"], numbers=["day", *shares])
    rows = rows.dropna(subset=["predicted", "observed"])
    if rows.empty:
        raise DataSaysNoError("there is nothing to draw; the table 'calibration' has no known shares")
    _refuse(rows, shares)
    known = market_names(rows.loc[rows["kind"] == "market", "group"].unique()) | dict(names or {})
    rows = rows.assign(name=rows["group"].map(known).fillna(rows["group"]))
    models = list(rows["model"].unique())
    with applied():
        return _drawn(rows[rows["model"].isin(models[:_MODELS])], title, cluster, of=len(models))


def _refuse(rows: pd.DataFrame, shares: Sequence[str]) -> None:
    strange = [kind for kind in rows["kind"].unique() if kind not in KINDS]
    if strange:
        raise SettingError(f"the table 'calibration' has the kind '{strange[0][:40]}'; allowed are {', '.join(KINDS)}")
    if (rows["day"] != rows["day"].iloc[0]).any():
        raise SettingError("the rows of the table 'calibration' are about different days; give it one day")
    if rows.duplicated(["model", "kind", "group"]).any():
        raise SettingError("the table 'calibration' has more than one row for a class of a model")
    if (rows[[*shares]] < 0).any(axis=None) or (rows[[*shares]] > 1).any(axis=None):
        raise SettingError("the table 'calibration' has a share outside 0 … 1")


def _drawn(rows: pd.DataFrame, title: str, cluster: str, *, of: int) -> Figure:
    models, kinds = list(rows["model"].unique()), [kind for kind in KINDS if kind in set(rows["kind"])]
    side = min((INNER * 72 - 46) / len(models) - 14, _SIDE)
    page = Page(title, _notes(rows, cluster, len(models), of), height=(side + 58) / 72 * len(kinds))
    figure = page.constrain()
    axes = figure.subplots(len(kinds), len(models), sharex="row", sharey="row", squeeze=False)
    for line, kind in enumerate(kinds):
        here = rows[rows["kind"] == kind]
        top = float(np.nanmax(here[["predicted", "observed", "high"]].to_numpy()))
        top = min(1.0, 1.1 * top) if top > 0 else 1.0
        for ax, model in zip(axes[line], models, strict=True):
            _panel(ax, here[here["model"] == model], top, side=side)
            name = shortened(model, size=8, room=side)
            ax.set_title(f"{name}\n{KINDS[kind]}", parse_math=False)
            ax.set_xlabel("share predicted")
        axes[line, 0].set_ylabel("share observed")
    return page.done()


def _panel(ax: Axes, rows: pd.DataFrame, top: float, *, side: float) -> None:
    """Draw the classes of a model with their intervals, and name the markets off the diagonal."""
    for axis, scale in ((ax.xaxis, ax.set_xscale), (ax.yaxis, ax.set_yscale)):
        scale("function", functions=(_root, np.square))
        axis.set_major_locator(FixedLocator(_ticks(top, most=max(3, int(side / 42)))))
        axis.set_minor_locator(NullLocator())
        in_percent(axis)
    ax.set(xlim=(0, top), ylim=(0, top), box_aspect=1)
    ax.grid()
    ax.plot([0, top], [0, top], color=MUTED, linewidth=0.8)
    ax.vlines(rows["predicted"], rows["low"], rows["high"], color=BLUE, linewidth=0.9, alpha=0.7)
    ax.scatter(rows["predicted"], rows["observed"], color=BLUE, s=12, linewidth=0, zorder=3)
    if rows.empty:
        say_empty(ax, "not scored")
    _name(ax, rows, top, side)


def _root(values: Any) -> Any:
    """Return square roots; axes are drawn a little below zero too."""
    return np.sqrt(np.maximum(values, 0))


def _ticks(top: float, *, most: int) -> list[float]:
    """Return zero and round shares up to `top`, at least one part in `most` of a square-root axis apart.

    Examples
    --------
    >>> _ticks(0.05, most=4)
    [0.0, 0.002, 0.01, 0.02, 0.05]
    """
    ticks: list[float] = []
    powers = range(math.floor(math.log10(top)), -6, -1)
    for share in (float(f"{digit}e{power}") for power in powers for digit in (5, 2, 1)):
        apart = np.sqrt((ticks[-1] if ticks else 4) / top) - np.sqrt(share / top)
        if share <= top * (1 + 1e-9) and apart > 0.6 / most and np.sqrt(share / top) > 0.6 / most:
            ticks.append(share)
    return [0.0, *reversed(ticks)]


def _off(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Return whether the interval of a class leaves out what was predicted."""
    return (rows["predicted"] < rows["low"]) | (rows["predicted"] > rows["high"])


def _name(ax: Axes, rows: pd.DataFrame, top: float, side: float) -> None:
    """Write the names of the markets furthest off the diagonal, away from it, where there is room."""
    places = _root(rows[["predicted", "observed"]].to_numpy() / top) * side
    named = np.flatnonzero((rows["kind"] == "market") & _off(rows))
    named = named[np.argsort(-np.abs(places[named, 0] - places[named, 1]), kind="stable")]
    taken: list[tuple[float, float, float]] = [(x, x, y) for x, y in places]
    for at in named[:_NAMED]:
        name = shortened(rows["name"].iloc[at], size=SMALL_SIZE, room=side / 2)
        (x, y), long = places[at], width(name, SMALL_SIZE)
        beside = [box for box in taken if abs(y - box[2]) < SMALL_SIZE + 2]
        sides = (x - long - 4, x + 4) if y > x else (x + 4, x - long - 4)
        for left in sides:
            crossed = any(left < end and left + long > start for start, end, _ in beside)
            if left >= 0 and left + long <= side and not crossed:
                taken.append((left, left + long, y))
                words = ax.text(left / side, y / side, name, size=SMALL_SIZE, color=VERMILION, va="center")
                words.set(parse_math=False, transform=ax.transAxes)
                break


def _notes(rows: pd.DataFrame, cluster: str, drawn: int, of: int) -> list[str]:
    notes = [f"Shares that entered by day {rows['day'].iloc[0]:.0f}; square-root axes."]
    notes.append(confidence(rows, "Lines, share observed", cluster, each="class"))
    markets = rows[rows["kind"] == "market"]
    off = _off(markets).groupby(markets["model"], sort=False).agg(["sum", "size"])
    if len(off):
        counts = [f"{shown(model)[:40]} {row['sum']} of {row['size']}" for model, row in off.iterrows()]
        notes.append(f"Markets whose interval is off the diagonal: {', '.join(counts)}; the furthest off are named.")
    if drawn < of:
        notes.append(f"Drawn are the first {drawn} of {of} models.")
    return [" ".join(filter(None, notes))]
