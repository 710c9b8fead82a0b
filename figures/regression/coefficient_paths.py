"""Coefficients of linear models by the weight of their penalty, a panel per model."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullLocator

from diffusion import DataSaysNoError, SettingError
from figures.page.checks import checked
from figures.page.step_lines import legend_above
from figures.page.style import GROUP_STYLES, NO_DATA_HATCH, Page, applied
from figures.page.text import shortened

_MODELS: Final = 3
"""Models drawn at most."""

_NAME_ROOM: Final = 110.0
"""Width of the name of a term in points."""


def coefficient_paths(paths: pd.DataFrame, *, title: str = "Coefficients by the weight of the penalty") -> Figure:
    """Return the coefficients of each model by alpha, the largest alpha on the left.

    The terms with the largest coefficients are coloured, the same in all panels; the others are grey.

    Table: `coefficient_paths` of the folder that `chart-diffusion regress` makes.

    Parameters
    ----------
    paths
        One row per model, alpha and term: `model`, `alpha` (above 0), `term`, `coefficient`. Models are in order of
        appearance; the first three are drawn.
    title
        Title; markup in it has no effect.

    Raises
    ------
    DataSaysNoError
        When there is no row.
    SettingError
        When a column is missing, an alpha is not above 0, a number is missing, or a term of a model and alpha occurs
        twice.

    Examples
    --------
    >>> paths = pd.DataFrame({"model": "ridge", "alpha": [10.0, 1.0], "term": "tempo", "coefficient": [0.1, 0.2]})
    >>> [ax.get_title(loc="left") for ax in coefficient_paths(paths).axes]
    ['ridge']
    """
    rows = checked(paths, "paths", texts=["model", "term"], numbers=["alpha", "coefficient"])
    if rows.empty:
        raise DataSaysNoError("there is no coefficient path to draw; the table 'paths' is empty")
    if not (rows["alpha"] > 0).all() or rows["coefficient"].isna().any():
        raise SettingError("the table 'paths' has an alpha that is not above 0, or no coefficient")
    if rows.duplicated(["model", "alpha", "term"]).any():
        raise SettingError("the table 'paths' has more than one row for a term of a model and alpha")
    with applied():
        return _drawn(rows, title)


def _drawn(rows: pd.DataFrame, title: str) -> Figure:
    models = list(rows["model"].unique())
    largest = rows.assign(size=rows["coefficient"].abs()).groupby("term", sort=False)["size"].max()
    named = list(largest.sort_values(ascending=False, kind="stable").index[: len(GROUP_STYLES)])
    page = Page(title, _notes(len(largest), len(named), models), height=2.7)
    axes = page.constrain(above=0.3).subplots(1, min(len(models), _MODELS), sharey=True, squeeze=False)[0]
    for ax, model in zip(axes, models, strict=False):
        lines = _panel(ax, rows[rows["model"] == model], named)
        ax.set_title(shortened(model, size=8, room=120), parse_math=False)
    axes[0].set_ylabel("coefficient")
    figure = page.done()
    legend_above(axes[0], lines, left=40)
    axes[0].get_legend().set_bbox_to_anchor((0, 1.12))
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, named: list[str]) -> list[tuple[str, Line2D]]:
    wide = rows.pivot_table("coefficient", "alpha", "term").sort_index(ascending=False)
    others = [term for term in wide if term not in named]
    if others:
        grey = [np.column_stack([wide.index, wide[term]]) for term in others]
        ax.add_collection(LineCollection(grey, colors=NO_DATA_HATCH, linewidths=0.5, zorder=1))
    lines: list[tuple[str, Line2D]] = []
    for term, (colour, dash) in zip(named, GROUP_STYLES, strict=False):
        values = wide[term] if term in wide else pd.Series(np.nan, wide.index)
        (line,) = ax.plot(wide.index, values, color=colour, linestyle=dash, linewidth=1.2)
        lines.append((shortened(term, size=7.5, room=_NAME_ROOM), line))
    ax.autoscale_view()
    ax.set_xscale("log")
    ax.invert_xaxis()
    ax.xaxis.set_major_locator(LogLocator(numticks=5))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.set_xlabel("weight of the penalty, alpha")
    ax.grid(axis="y")
    return lines


def _notes(terms: int, named: int, models: list[str]) -> list[str]:
    notes = ["Columns are standardised; the scales of alpha differ between models."]
    if named < terms:
        notes.append(f"Coloured are the {named} of {terms} terms with the largest coefficients.")
    if len(models) > _MODELS:
        notes.append(f"Drawn are the first {_MODELS} of {len(models)} models.")
    return [" ".join(notes)]
