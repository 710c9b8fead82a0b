"""Learning curves of gradient descent: the loss beyond the least one after every step, by learning rate."""

from typing import Final

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

from diffusion import DataSaysNoError, SettingError
from figures.page.checks import checked
from figures.page.step_lines import legend_above
from figures.page.style import GROUP_STYLES, Page, applied

_FLOOR: Final = 1e-12
"""Least loss beyond the least one that is drawn, as a share of the largest."""


def learning_rates(curves: pd.DataFrame, *, title: str = "Gradient descent by learning rate") -> Figure:
    """Return the loss beyond that of the closed form after every step, on a logarithmic axis, a line per rate.

    Table: `learning_rates` of the folder that `chart-diffusion regress` makes.

    Parameters
    ----------
    curves
        One row per rate and step: `rate`, `iteration` (from 0), `excess` (the loss beyond the least). The first eight
        rates are drawn, in order of appearance.
    title
        Title; markup in it has no effect.

    Raises
    ------
    DataSaysNoError
        When no loss is beyond the least one.
    SettingError
        When a column or a number is missing, or a step of a rate occurs twice.

    Examples
    --------
    >>> curves = pd.DataFrame({"rate": 0.1, "iteration": [0, 1], "excess": [1.0, 0.5]})
    >>> [ax.get_xlabel() for ax in learning_rates(curves).axes]
    ['steps']
    """
    rows = checked(curves, "curves", numbers=["rate", "iteration", "excess"])
    if rows.isna().any(axis=None) or rows.duplicated(["rate", "iteration"]).any():
        raise SettingError("the table 'curves' has a missing number, or more than one row for a step of a rate")
    if not (rows["excess"] > 0).any():
        raise DataSaysNoError("there is no learning curve to draw; no loss is beyond the least one")
    with applied():
        return _drawn(rows, title)


def _drawn(rows: pd.DataFrame, title: str) -> Figure:
    rates = list(rows["rate"].unique())
    notes = ["Mean squared error of the training rows after every step, less that of the closed form."]
    if len(rates) > len(GROUP_STYLES):
        notes.append(f"Drawn are the first {len(GROUP_STYLES)} of {len(rates)} rates.")
    page = Page(title, [" ".join(notes)], height=2.9)
    ax = page.constrain(above=0.2).subplots()
    floor = _FLOOR * rows["excess"].max()
    lines = []
    for rate, (colour, dash) in zip(rates, GROUP_STYLES, strict=False):
        curve = rows[rows["rate"] == rate].sort_values("iteration")
        (line,) = ax.plot(curve["iteration"], curve["excess"].clip(lower=floor), color=colour, linestyle=dash)
        lines.append((f"rate {rate:g}", line))
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(numticks=7))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    ax.set_xlabel("steps")
    ax.set_ylabel("loss beyond the least one")
    ax.grid(axis="y")
    figure = page.done()
    legend_above(ax, lines, left=40)
    return figure
