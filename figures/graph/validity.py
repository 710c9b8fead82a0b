"""Do the leaders of one period predict who is first in the next: correlations per pair of periods, and together."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from diffusion import DataSaysNoError, SettingError
from figures.graph.measures import titled
from figures.page.checks import checked
from figures.page.style import GROUP_STYLES, INK, MUTED, SMALL_SIZE, TEXT_SIZE, Page, applied, say_empty
from figures.page.text import shortened, shown

_ROW: Final = 0.34
"""Height of a measure in inches."""

_TOGETHER: Final = -0.28
"""Where in its row the value of all pairs stands; those of single pairs stand below."""

_MARKERS: Final = ("o", "s", "^", "v", "P", "X", "h", "*")
_MEASURES: Final = 16
_PANELS: Final = 3


def validity_chart(table: pd.DataFrame, pairs: pd.DataFrame) -> Figure:
    """Return the rank correlations of leader scores with who is first in the next period, a panel per control.

    Every measure has a row: the value of all pairs of periods together with its interval and p, and below it a dot per
    pair.

    Parameters
    ----------
    table
        One row per measure and control: `measure`, `given` (what is held fixed: "nothing", "size" …), `rho` (partial
        Spearman correlation, −1 … 1, NaN where not defined), `low`, `high` (its interval, NaN where none), `p` (NaN
        where none). Measures and controls stand in order of appearance; at most sixteen and three.
    pairs
        One row per measure, control and pair of periods: `measure`, `given`, `period`, `next_period`, `rho`; at most
        eight pairs. What `table` does not know is left out.

    Raises
    ------
    DataSaysNoError
        When `table` has no known correlation.
    SettingError
        When a column is missing, a correlation is outside −1 … 1, a row stands there twice, or there are too many
        measures, controls or pairs.

    Examples
    --------
    >>> table = pd.DataFrame({"measure": "net_flow", "given": ["nothing", "size"], "rho": [0.3, 0.2],
    ...     "low": [0.1, -0.1], "high": [0.5, 0.5], "p": [0.01, 0.2]})
    >>> pairs = pd.DataFrame({"measure": "net_flow", "given": ["nothing", "size"], "period": "2018",
    ...     "next_period": "2019", "rho": [0.3, 0.2]})
    >>> [ax.get_title(loc="left") for ax in validity_chart(table, pairs).axes]
    ['given nothing', 'given size']
    """
    rows = checked(table, "validity", texts=["measure", "given"], numbers=["rho", "low", "high", "p"])
    parts = checked(pairs, "pairs", texts=["measure", "given", "period", "next_period"], numbers=["rho"])
    parts = parts.assign(periods=parts["period"] + " → " + parts["next_period"])
    _refuse(rows, parts)
    with applied():
        return _drawn(rows, parts)


def _refuse(rows: pd.DataFrame, parts: pd.DataFrame) -> None:
    if rows["rho"].isna().all():
        raise DataSaysNoError("there is no correlation to draw; the table 'validity' has no known rho")
    if (rows[["rho", "low", "high"]].abs() > 1).any(axis=None) or (parts["rho"].abs() > 1).any():
        raise SettingError("a correlation in 'validity' or 'pairs' is outside −1 … 1")
    if rows.duplicated(["measure", "given"]).any():
        raise SettingError("the table 'validity' has more than one row for a measure and what is given")
    if parts.duplicated(["measure", "given", "periods"]).any():
        raise SettingError("the table 'pairs' has more than one row for a measure, control and pair of periods")
    limits = {"measures": ("measure", _MEASURES), "controls": ("given", _PANELS)}
    counts = {noun: (rows[column].nunique(), most) for noun, (column, most) in limits.items()}
    counts["pairs of periods"] = (parts["periods"].nunique(), len(_MARKERS))
    for noun, (count, most) in counts.items():
        if count > most:
            raise SettingError(f"{count} {noun} are too many for a page; at most {most} are drawn")


def _drawn(rows: pd.DataFrame, parts: pd.DataFrame) -> Figure:
    measures, controls = list(rows["measure"].unique()), list(rows["given"].unique())
    periods = list(parts["periods"].unique())
    title = "Do the leaders of one period predict who is first in the next?"
    legend = 0.08 + 0.17 * -(-(len(periods) + 1) // 4)
    page = Page(title, _notes(rows, measures), height=0.85 + legend + _ROW * max(len(measures), 2))
    figure = page.constrain(above=legend)
    axes = list(figure.subplots(1, len(controls), sharey=True, squeeze=False).flat)
    limit = _limit(rows, parts)
    for ax, given in zip(axes, controls, strict=True):
        _panel(ax, rows[rows["given"] == given], parts[parts["given"] == given], measures, periods)
        ax.set_title(shortened(f"given {given}", size=8, room=300 / len(controls)), parse_math=False)
        ax.set_xlim(-limit, limit)
        ax.xaxis.set_major_locator(MultipleLocator(_step(limit, len(controls))))
        ax.set_xlabel("partial rank correlation ρ")
    names = [shortened(titled(measure)[0], size=TEXT_SIZE, room=110) for measure in measures]
    axes[0].set_yticks(range(len(measures)), names, parse_math=False)
    axes[0].set_ylim(max(len(measures), 2) - 0.5, -0.5)
    for ax in axes:
        ax.set_ylabel("measure" if ax is axes[0] else "")
    _legend(page, axes[0], periods)
    return page.done()


def _limit(rows: pd.DataFrame, parts: pd.DataFrame) -> float:
    """Return how far the axis reaches to both sides of zero."""
    values = np.concatenate([rows[["rho", "low", "high"]].to_numpy().ravel(), parts["rho"].to_numpy()])
    return float(np.clip(np.ceil(np.nanmax(np.abs(values)) * 10.5) / 10, 0.3, 1.05))


def _step(limit: float, panels: int) -> float:
    return 0.5 if limit > 0.5 and panels > 1 else 0.25 if limit > 0.3 else 0.1


def _panel(ax: Axes, rows: pd.DataFrame, parts: pd.DataFrame, measures: Sequence[str], periods: Sequence[str]) -> None:
    places = {measure: place for place, measure in enumerate(measures)}
    ax.axvline(0, color=MUTED, linewidth=0.6)
    for place in range(1, len(measures)):
        ax.axhline(place - 0.5, color="#eeeeee", linewidth=0.6, zorder=0)
    known = parts[parts["measure"].isin(measures)].dropna(subset=["rho"])
    for place, period in enumerate(periods):
        mine = known[known["periods"] == period]
        heights = mine["measure"].map(places).to_numpy(dtype=float) + _TOGETHER + 0.2 + 0.48 * place / len(periods)
        colour = GROUP_STYLES[place][0]
        ax.scatter(mine["rho"], heights, color=colour, marker=_MARKERS[place], s=13, linewidth=0)
    together = rows.dropna(subset=["rho"])
    heights = together["measure"].map(places).to_numpy(dtype=float) + _TOGETHER
    ax.hlines(heights, together["low"], together["high"], color=INK, linewidth=1.4)
    ax.scatter(together["rho"], heights, color=INK, marker="D", s=18, zorder=3)
    for measure, chance in together[["measure", "p"]].dropna().itertuples(index=False):
        words, across = _probability(chance), ax.get_yaxis_transform()
        ax.text(1.01, places[measure] + _TOGETHER, words, size=SMALL_SIZE, va="center", transform=across)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    if together.empty:
        say_empty(ax, "not defined")


def _probability(chance: float) -> str:
    return f"p {chance:.3f}" if chance >= 0.001 else "p < 0.001"


def _legend(page: Page, ax: Axes, periods: Sequence[str]) -> None:
    """Draw the legend of all panels above them; names are set afterwards, because matplotlib hides those with ``_``."""
    marks = [ax.scatter([], [], color=INK, marker="D", s=18)]
    for place in range(len(periods)):
        marks.append(ax.scatter([], [], color=GROUP_STYLES[place][0], marker=_MARKERS[place], s=13, linewidth=0))
    names = ["all pairs, with interval", *(shortened(period, size=TEXT_SIZE, room=85) for period in periods)]
    top = page.rect[0], page.rect[1] + page.rect[3]
    legend = page.figure.legend(marks, ["period"] * len(marks), loc="upper left", bbox_to_anchor=top, ncols=4)
    legend.set_in_layout(False)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(name)


def _notes(rows: pd.DataFrame, measures: Sequence[str]) -> list[str]:
    notes = ["ρ: partial Spearman correlation, over markets, of the score with who is first in the next period."]
    notes.append("At 0 the leaders of one period say nothing of the next.")
    undefined = [measure for measure in measures if rows.loc[rows["measure"] == measure, "rho"].isna().any()]
    if undefined:
        names = ", ".join(shown(titled(measure)[0])[:40] for measure in undefined)
        notes.append(f"Not defined everywhere: {names}.")
    return [" ".join(notes)]
