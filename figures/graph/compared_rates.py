"""Rates of the pairs on two sides against each other, and the pairs that differ."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from diffusion import DataSaysNoError, SettingError, market_names
from diffusion.conventions import FDR
from figures.page.checks import checked
from figures.page.scales import in_percent
from figures.page.style import BLUE, MUTED, SMALL_SIZE, TEXT_SIZE, VERMILION, Page, applied
from figures.page.text import shortened, wrapped

_CROSSES: Final = 60
"""Most pairs whose intervals are all drawn in the scatter; of more, those of the listed ones."""

_MANY: Final = 400
"""Pairs from which on points are small."""

_LISTED: Final = 15
"""Most pairs that are listed."""

_ROOM: Final = 128.0
"""Width of the name of a pair in points."""

_APART: Final = 0.03
"""Least distance of two numbers in the scatter, as a share of its width; a number nearer to another is left out."""


def compared_rates(
    edges: pd.DataFrame, *, a: str = "a", b: str = "b", names: Mapping[str, str] | None = None
) -> Figure:
    """Return the rates of two sides against each other, and a list of pairs with the difference and its interval.

    Listed are the pairs that differ at q ≤ .05, the smallest q first; where none does, those with the smallest p. Their
    numbers stand in both panels, where there is room.

    Table: `edges` of `graphs.compare`.

    Parameters
    ----------
    edges
        One row per ordered pair: `source`, `target`, `rate_a`, `low_a`, `high_a`, `rate_b`, `low_b`, `high_b` (0 … 1),
        `difference`, `low`, `high`, `p`, `q` (missing where a pair is not tested), as `graphs.compare` returns them.
        Only the pairs that are tested are drawn.
    a, b
        Names of the two sides.
    names
        Code → name of a market (default: the English names).

    Raises
    ------
    DataSaysNoError
        When no pair is tested.
    SettingError
        When a column is missing, or a rate is outside 0 … 1.

    Examples
    --------
    >>> edges = pd.DataFrame({"source": ["SE"], "target": ["NO"], "rate_a": [0.3], "low_a": [0.2], "high_a": [0.4],
    ...     "rate_b": [0.1], "low_b": [0.05], "high_b": [0.2], "difference": [0.2], "low": [0.1], "high": [0.3],
    ...     "p": [0.001], "q": [0.001]})
    >>> [tick.get_text() for tick in compared_rates(edges, a="2018", b="2019").axes[1].get_yticklabels()]
    ['1  Sweden → Norway']
    """
    numbers = [f"{part}_{side}" for side in ("a", "b") for part in ("rate", "low", "high")]
    columns = [*numbers, "difference", "low", "high", "p", "q"]
    rows = checked(edges, "edges", texts=["source", "target"], numbers=columns)
    tested = rows.dropna(subset=["q"])
    if tested.empty:
        raise DataSaysNoError("no pair of markets has enough tracks and artists on both sides to be tested")
    if not tested[["rate_a", "rate_b"]].apply(lambda rate: rate.between(0, 1)).all(axis=None):
        raise SettingError("the table 'edges' has a rate outside 0 … 1")
    known = market_names(pd.unique(tested[["source", "target"]].to_numpy().ravel())) | dict(names or {})
    tested = tested.assign(differs=tested["q"] <= FDR).sort_values(["q", "p", "source", "target"], ignore_index=True)
    listed = tested[tested["differs"]] if tested["differs"].any() else tested
    with applied():
        return _drawn(tested, listed[:_LISTED], known, a, b)


def _drawn(tested: pd.DataFrame, listed: pd.DataFrame, names: Mapping[str, str], a: str, b: str) -> Figure:
    page = Page("Rates of pairs on both sides", _notes(tested, listed, a, b), height=3.7)
    left, right = page.place(0.5, 0.5, 2.8, 3.1), page.place(5.4, 0.5, 1.85, 3.1)
    crossed = tested if len(tested) <= _CROSSES else listed
    _scatter(left, tested, crossed, listed)
    left.set_xlabel(shortened(f"rate, {b}", size=TEXT_SIZE, room=200), parse_math=False)
    left.set_ylabel(shortened(f"rate, {a}", size=TEXT_SIZE, room=200), parse_math=False)
    _list(right, listed, names)
    across = wrapped(f"{a} less {b}, in points of %", size=TEXT_SIZE, room=130, lines=2)
    if across[-1].endswith("…"):
        across = ["difference, in points of %"]
    right.set_xlabel("\n".join(across), parse_math=False)
    return page.done()


def _scatter(ax: Axes, tested: pd.DataFrame, crossed: pd.DataFrame, listed: pd.DataFrame) -> None:
    colours = np.where(crossed["differs"], VERMILION, MUTED)
    ax.hlines(crossed["rate_a"], crossed["low_b"], crossed["high_b"], color=colours, linewidth=0.5, alpha=0.5)
    ax.vlines(crossed["rate_b"], crossed["low_a"], crossed["high_a"], color=colours, linewidth=0.5, alpha=0.5)
    for flag, colour, order in ((False, BLUE, 3), (True, VERMILION, 4)):
        own = tested[tested["differs"] == flag]
        ax.scatter(
            own["rate_b"],
            own["rate_a"],
            s=9 if len(tested) <= _MANY else 4,
            facecolor=colour if flag else "white",
            edgecolor=colour,
            linewidth=0.7,
            zorder=order,
        )
    most = float(
        np.nanmax([tested[["rate_a", "rate_b"]], *([crossed[["high_a", "high_b"]]] if len(crossed) else [])][0])
    )
    top = min(1.02, 1.15 * most) or 1.0
    numbered: list[tuple[float, float]] = []
    for number, row in enumerate(listed.to_dict("records"), start=1):
        place = row["rate_b"], row["rate_a"]
        if all(np.hypot(place[0] - x, place[1] - y) >= _APART * top for x, y in numbered):
            ax.annotate(str(number), place, (2.5, 2), textcoords="offset points", size=SMALL_SIZE, zorder=5)
            numbered.append(place)
    ax.plot([0, top], [0, top], color=MUTED, linewidth=0.6, linestyle=(0, (4, 3)), zorder=1)
    ax.set_xlim(0, top)
    ax.set_ylim(0, top)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5))
        in_percent(axis)
    ax.grid()


def _list(ax: Axes, listed: pd.DataFrame, names: Mapping[str, str]) -> None:
    places = np.arange(len(listed))
    colours = np.where(listed["differs"], VERMILION, BLUE)
    ax.hlines(places, listed["low"], listed["high"], color=colours, linewidth=1.2)
    filled = np.where(listed["differs"], VERMILION, "white")
    ax.scatter(listed["difference"], places, c=filled, edgecolor=colours, linewidth=0.9, s=13, zorder=3)
    ax.axvline(0, color=MUTED, linewidth=0.6)
    ax.set_ylim(max(len(listed), 6) - 0.4, -0.6)
    pairs = [
        f"{number}  {_pair(names[row['source']], names[row['target']])}"
        for number, row in enumerate(listed.to_dict("records"), start=1)
    ]
    ax.set_yticks(places, pairs, size=TEXT_SIZE, parse_math=False)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(4, symmetric=True))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{100 * value:+.3g}".replace("-", "−") if value else "0")
    )
    ax.grid(axis="x")


def _pair(source: str, target: str) -> str:
    each = _ROOM / 2 - 7
    return " → ".join(shortened(name, size=TEXT_SIZE, room=each) for name in (source, target))


def _notes(tested: pd.DataFrame, listed: pd.DataFrame, a: str, b: str) -> list[str]:
    differ = int(tested["differs"].sum())
    found = f"{differ:,} of {len(tested):,} pairs that can be tested differ at q ≤ .05"
    more = f", of which the first {len(listed)} by q are listed" if differ > len(listed) else ""
    other = "" if differ else "; listed are those with the smallest p"
    return [
        f"{found}{more}{other}. Full marks: pairs that differ. Points above the broken line: a higher rate of a, {a}, "
        f"than of b, {b}. Differences are of a less b. Lines: 95 % intervals by artist, of the rates on the left, of "
        "the differences on the right."
    ]
