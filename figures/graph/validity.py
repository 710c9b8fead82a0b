"""Correlation of the scores of one period with the lead of the next, per pair of periods and joint."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from diffusion import DataSaysNoError, SettingError
from figures.graph.measures import titled
from figures.page.checks import checked
from figures.page.style import BLUE, GROUP_STYLES, INK, MUTED, SMALL_SIZE, TEXT_SIZE, Page, applied, say_empty
from figures.page.text import shortened, shown

_HEAD: Final = 0.2
"""Height in inches of the line of the joint value of a measure."""

_LINE: Final = 0.05
"""Height in inches of the line of a pair of periods below it; of more than `_LINES` pairs the lines are closer."""

_LINES: Final = 10

_MARKERS: Final = ("o", "s", "^", "v", "P", "X", "h", "*")
"""Shapes of single pairs of periods; where there are more pairs, all have one shape and colour."""

_MEASURES: Final = 16
_PANELS: Final = 3
_MANY: Final = (BLUE, "o", 6.0)
"""Look of single pairs where there are more than `_MARKERS`."""

Look = tuple[str, str, float]
"""Colour, marker and area of a dot."""


def validity_chart(table: pd.DataFrame, pairs: pd.DataFrame) -> Figure:
    """Return the rank correlations of scores with the lead in the next period, a panel per set of controls.

    Every measure has a row: the joint correlation of all pairs of periods with its interval and p, and below it a dot
    per pair, each on a line of its own. Up to eight pairs have a colour and shape each; more pairs are small dots of
    one colour, the first on top.

    Table: `table` and `pairs` of `graphs.validity.leader_validity`.

    Parameters
    ----------
    table
        One row per measure and set of controls: `measure`, `given` (variables held fixed: "nothing", "size" …), `rho`
        (partial Spearman correlation, −1 … 1, NaN where not defined), `low`, `high` (its interval, may be NaN), `p`
        (may be NaN). Measures and panels are in order of appearance; the first 16 measures and 3 panels are drawn.
    pairs
        One row per measure, set of controls and pair of periods: `measure`, `given`, `period`, `next_period`, `rho`.
        Rows without a counterpart in `table` are left out.

    Raises
    ------
    DataSaysNoError
        When `table` has no known correlation.
    SettingError
        When a column is missing, a correlation is outside −1 … 1, or a row occurs twice.

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
    measures, controls = rows["measure"].unique()[:_MEASURES], rows["given"].unique()[:_PANELS]
    shown_rows, shown_parts = (
        table[table["measure"].isin(measures) & table["given"].isin(controls)] for table in (rows, parts)
    )
    if shown_rows["rho"].isna().all():
        raise DataSaysNoError("there is no correlation to draw; the table 'validity' has no known rho")
    with applied():
        return _drawn(shown_rows, shown_parts, _cut(rows, len(measures), len(controls)))


def _refuse(rows: pd.DataFrame, parts: pd.DataFrame) -> None:
    if (rows[["rho", "low", "high"]].abs() > 1).any(axis=None) or (parts["rho"].abs() > 1).any():
        raise SettingError("a correlation in 'validity' or 'pairs' is outside −1 … 1")
    if rows.duplicated(["measure", "given"]).any():
        raise SettingError("the table 'validity' has more than one row for a measure and what is given")
    if parts.duplicated(["measure", "given", "periods"]).any():
        raise SettingError("the table 'pairs' has more than one row for a measure, control and pair of periods")


def _cut(rows: pd.DataFrame, measures: int, controls: int) -> list[str]:
    """Return a note on what is not drawn because the page is full; empty where all is drawn."""
    counts = {"measures": (measures, rows["measure"].nunique()), "controls": (controls, rows["given"].nunique())}
    parts = [f"the first {drawn} of {there} {noun}" for noun, (drawn, there) in counts.items() if drawn < there]
    return [f"Drawn are {' and '.join(parts)}."] if parts else []


def _drawn(rows: pd.DataFrame, parts: pd.DataFrame, cut: list[str]) -> Figure:
    measures, controls = list(rows["measure"].unique()), list(rows["given"].unique())
    looks = _looks(list(parts["periods"].unique()))
    keys = _keys(looks)
    title = "Do the scores of one period predict who leads in the next?"
    legend = 0.08 + 0.17 * -(-len(keys) // 4)
    notes = [" ".join([*_notes(rows, measures), *cut])]
    page = Page(title, notes, height=0.85 + legend + _row(len(looks)) * max(len(measures), 2))
    figure = page.constrain(above=legend)
    axes = list(figure.subplots(1, len(controls), sharey=True, squeeze=False).flat)
    limit = _limit(rows, parts)
    for ax, given in zip(axes, controls, strict=True):
        _panel(ax, rows[rows["given"] == given], parts[parts["given"] == given], measures, looks)
        ax.set_title(shortened(f"given {given}", size=8, room=300 / len(controls)), parse_math=False)
        ax.set_xlim(-limit, limit)
        ax.xaxis.set_major_locator(MultipleLocator(_step(limit, len(controls))))
        ax.set_xlabel("partial rank correlation ρ")
    names = [shortened(titled(measure)[0], size=TEXT_SIZE, room=110) for measure in measures]
    axes[0].set_yticks(range(len(measures)), names, parse_math=False)
    axes[0].set_ylim(max(len(measures), 2) - 0.5, -0.5)
    for ax in axes:
        ax.set_ylabel("measure" if ax is axes[0] else "")
    _legend(page, axes[0], keys)
    return page.done()


def _row(periods: int) -> float:
    """Return the height in inches of a measure's row with so many pairs of periods."""
    return max(0.34, _HEAD + _LINE * min(periods, _LINES) + 0.03)


def _joint(periods: int) -> float:
    """Return the position of the joint value in a row, from -0.5 at its upper end to 0.5."""
    return 0.5 * _HEAD / _row(periods) - 0.5


def _single(place: int, periods: int) -> float:
    """Return the position of a pair of periods in a row: a line of its own below the joint value."""
    row = _row(periods)
    return (_HEAD + (row - _HEAD - 0.03) * (place + 0.5) / periods) / row - 0.5


def _looks(periods: Sequence[str]) -> dict[str, Look]:
    """Return pair of periods → look of its dots, in order."""
    if len(periods) > len(_MARKERS):
        return dict.fromkeys(periods, _MANY)
    return {name: (GROUP_STYLES[place][0], _MARKERS[place], 13.0) for place, name in enumerate(periods)}


def _keys(looks: Mapping[str, Look]) -> list[tuple[str, Look]]:
    """Return name and look of each entry of the legend."""
    together = ("all pairs, with interval", (INK, "D", 30.0))
    if len({*looks.values()}) < len(looks):
        return [together, (f"single pairs of periods ({len(looks)}), the first on top", _MANY)]
    return [together, *((shortened(name, size=TEXT_SIZE, room=85), look) for name, look in looks.items())]


def _limit(rows: pd.DataFrame, parts: pd.DataFrame) -> float:
    """Return the bound of the axis on both sides of zero."""
    values = np.concatenate([rows[["rho", "low", "high"]].to_numpy().ravel(), parts["rho"].to_numpy()])
    return float(np.clip(np.ceil(np.nanmax(np.abs(values)) * 10.5) / 10, 0.3, 1.05))


def _step(limit: float, panels: int) -> float:
    return 0.5 if limit > 0.5 and panels > 1 else 0.25 if limit > 0.3 else 0.1


def _panel(
    ax: Axes, rows: pd.DataFrame, parts: pd.DataFrame, measures: Sequence[str], looks: Mapping[str, Look]
) -> None:
    places = {measure: place for place, measure in enumerate(measures)}
    ax.axvline(0, color=MUTED, linewidth=0.6)
    for place in range(1, len(measures)):
        ax.axhline(place - 0.5, color="#eeeeee", linewidth=0.6, zorder=0)
    known = parts[parts["measure"].isin(measures)].dropna(subset=["rho"])
    for place, (period, (colour, marker, size)) in enumerate(looks.items()):
        mine = known[known["periods"] == period]
        heights = mine["measure"].map(places).to_numpy(dtype=float) + _single(place, len(looks))
        ax.scatter(mine["rho"], heights, color=colour, marker=marker, s=size, linewidth=0)
    together = rows.dropna(subset=["rho"])
    joint = _joint(len(looks))
    heights = together["measure"].map(places).to_numpy(dtype=float) + joint
    ax.hlines(heights, together["low"], together["high"], color=INK, linewidth=1.4)
    ax.scatter(together["rho"], heights, color=INK, marker="D", s=30, linewidth=0, zorder=3)
    for measure, chance in together[["measure", "p"]].dropna().itertuples(index=False):
        words, across = _probability(chance), ax.get_yaxis_transform()
        ax.text(1.01, places[measure] + joint, words, size=SMALL_SIZE, va="center", transform=across)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    if together.empty:
        say_empty(ax, "not defined")


def _probability(chance: float) -> str:
    return f"p {chance:.3f}" if chance >= 0.001 else "p < 0.001"


def _legend(page: Page, ax: Axes, keys: Sequence[tuple[str, Look]]) -> None:
    """Draw one legend above all panels; names are set afterwards, because matplotlib hides names with ``_``."""
    marks = [ax.scatter([], [], color=colour, marker=marker, s=size, linewidth=0) for _, (colour, marker, size) in keys]
    top = page.rect[0], page.rect[1] + page.rect[3]
    legend = page.figure.legend(marks, ["period"] * len(marks), loc="upper left", bbox_to_anchor=top, ncols=4)
    legend.set_in_layout(False)
    for text, (name, _) in zip(legend.get_texts(), keys, strict=True):
        text.set_parse_math(False)
        text.set_text(name)


def _notes(rows: pd.DataFrame, measures: Sequence[str]) -> list[str]:
    notes = [
        "ρ: partial Spearman correlation, over markets, of the score with the lead in the next, both beyond baseline."
    ]
    notes.append("p: two-sided, the larger of that by permuted markets and of that by signs of artists drawn.")
    undefined = [measure for measure in measures if rows.loc[rows["measure"] == measure, "rho"].isna().any()]
    if undefined:
        names = ", ".join(shown(titled(measure)[0])[:40] for measure in undefined)
        notes.append(f"Not defined everywhere: {names}.")
    return notes
