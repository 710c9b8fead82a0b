"""Lift of pairs over the baseline by the cultural distance of their markets."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from diffusion import DataSaysNoError
from figures.page.checks import checked
from figures.page.style import BLUE, MUTED, VERMILION, Page, applied

_NUMBERS = ["cultural_distance", "expected", "lift", "q"]


def lift_distance(exchange: pd.DataFrame) -> Figure:
    """Return the lift of every tested pair, on a log scale, by the cultural distance of its markets.

    Table: `exchange` of `pipelines.eda.exchange.exchange_table`; a study has it as a table.

    Parameters
    ----------
    exchange
        One row per ordered pair: `cultural_distance` (0 … 1), `expected` (tracks), `lift` (ratio) and `q` (NaN where
        the pair was not tested).

    Raises
    ------
    DataSaysNoError
        When no tested pair has a cultural distance.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> pairs = {"cultural_distance": [0.1, 0.3], "expected": [9.0, 4.0], "lift": [2.0, 0.5], "q": [0.01, 0.9]}
    >>> figure = lift_distance(pd.DataFrame(pairs))
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['beyond the baseline (q ≤ .05): 1 pair', 'not told from it: 1 pair']
    """
    table = checked(exchange, "exchange", numbers=_NUMBERS)
    tested = table[table["q"].notna() & table["cultural_distance"].notna()]
    if tested.empty:
        raise DataSaysNoError("no pair that was held against the baseline has a cultural distance")
    with applied():
        page = Page("Lift of pairs over the baseline, by cultural distance", _notes(table, tested), height=2.9)
        ax = page.constrain().add_subplot()
        _points(ax, tested)
        ax.set_xlabel("cultural distance of the two markets (0 … 1)")
        ax.set_ylabel("lift: observed / expected tracks")
        ax.legend(loc="upper right")
        return page.done()


def _points(ax: Axes, tested: pd.DataFrame) -> None:
    """Draw pairs as points; those without a transition stand on the lower edge."""
    surely = tested["q"] <= 0.05
    known = tested["lift"] > 0
    floor = float(tested.loc[known, "lift"].min()) / 1.5 if known.any() else 0.5
    lift = tested["lift"].where(known, floor)
    for chosen, label, inside, edge in (
        (surely, "beyond the baseline (q ≤ .05)", VERMILION, VERMILION),
        (~surely, "not told from it", "none", BLUE),
    ):
        count = int(chosen.sum())
        named = f"{label}: {count:,} pair{'' if count == 1 else 's'}"
        distance = tested.loc[chosen, "cultural_distance"]
        ax.scatter(distance, lift[chosen], s=8, label=named, facecolors=inside, edgecolors=edge, linewidths=0.5)
    ax.axhline(1, color=MUTED, linewidth=0.8)
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5), numticks=9))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_xlim(left=0)
    ax.set_ylim(floor / 1.2, max(float(np.nanmax(lift)) * 1.4, 1.5))
    ax.grid(axis="y")


def _notes(table: pd.DataFrame, tested: pd.DataFrame) -> list[str]:
    without = int(((tested["lift"] == 0) | tested["lift"].isna()).sum())
    on_edge = f"On the lower edge: {without:,} without a transition. " if without else ""
    left_out = len(table) - len(tested)
    return [
        "A point is an ordered pair of which one step or more is expected. The baseline holds distance, language and "
        "continent fixed, so this shows what cultural distance tells beyond them. "
        f"{on_edge}Left out: {left_out:,} pairs not tested, or without a cultural distance."
    ]
