"""Lift of every pair over the baseline as a heatmap: what is left of the transition matrix without chance."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from diffusion import DataSaysNoError, market_names
from figures.graph.transition_matrix import seriated
from figures.page.checks import checked
from figures.page.matrix import matrix_height, name_cells
from figures.page.style import INK, NO_DATA, NO_DATA_HATCH, Page, add_colorbar, applied

_COLOURS: Final = colormaps["PuOr_r"]

_MOST: Final = 4.0
"""Lift at the ends of the scale, up and down."""

_TICKS: Final = (0.25, 0.5, 1.0, 2.0, 4.0)


def lift_matrix(exchange: pd.DataFrame, *, names: Mapping[str, str] | None = None, most: int = 80) -> Figure:
    """Return the heatmap of the lift of each pair, source in rows and target in columns.

    White is as expected by market sizes and likeness, orange is more, violet is less; a dot is beyond the baseline
    (q ≤ .05). Rows and columns have the order of `transition_matrix`.

    Table: `exchange` of `pipelines.eda.exchange.exchange_table`; a study has it as a table.

    Parameters
    ----------
    exchange
        One row per ordered pair: `source`, `target`, `exposed` (tracks), `rate` (0 … 1), `lift` (ratio) and `q` (NaN
        where the pair was not tested).
    names
        Code → name (default: the English names).
    most
        Markets drawn at most (default 80): those with the most exposed tracks as source.

    Raises
    ------
    DataSaysNoError
        When no pair was held against the baseline.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> pairs = {"source": ["SE", "NO"], "target": ["NO", "SE"], "exposed": [9, 9], "rate": [0.5, 0.1]}
    >>> figure = lift_matrix(pd.DataFrame(pairs | {"lift": [2.0, 0.5], "q": [0.01, 0.8]}))
    >>> [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    ['Norway', 'Sweden']
    """
    numbers = ["exposed", "rate", "lift", "q"]
    table = checked(exchange, "exchange", texts=["source", "target"], numbers=numbers)
    if not table["q"].notna().any():
        raise DataSaysNoError("no pair was held against the baseline")
    exposed = table.groupby("source")["exposed"].sum().sort_values(ascending=False, kind="stable")
    chosen = sorted(exposed.index[:most])
    codes = seriated(_square(table, chosen, "rate"))
    lift, q = (_square(table, codes, name).to_numpy(dtype=float) for name in ("lift", "q"))
    shown = market_names(codes) | dict(names or {})
    with applied():
        return _drawn(lift, q, [shown[code] for code in codes], left_out=len(exposed) - len(codes))


def _square(table: pd.DataFrame, markets: list[str], column: str) -> pd.DataFrame:
    square: pd.DataFrame = table.set_index(["source", "target"])[column].unstack("target")  # noqa: PD010, one each
    return square.reindex(index=markets, columns=markets)


def _drawn(lift: NDArray[np.float64], q: NDArray[np.float64], names: list[str], *, left_out: int) -> Figure:
    page = Page("Pairs by their lift: tracks that follow / tracks expected", _notes(q, left_out), height=_height(names))
    ax = page.constrain().add_subplot()
    scale = ScalarMappable(LogNorm(1 / _MOST, _MOST, clip=True), _COLOURS)
    _paint(ax, lift, q, scale)
    name_cells(ax, names, rows="source: market entered first", columns="target: market that follows")
    options = {"location": "bottom", "shrink": 0.5, "aspect": 36, "pad": 0.015, "anchor": (0.0, 0.5)}
    bar = add_colorbar(page.figure, scale, ax, "lift (log scale, cut at its ends)", ticks=_TICKS, **options)
    bar.minorticks_off()
    bar.set_xticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    dot = Line2D([], [], linestyle="none", marker="o", color=INK, markersize=3, label="beyond the baseline (q ≤ .05)")
    hatch = "/" * 5
    untested = Patch(facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch=hatch, linewidth=0, label="not tested")
    keys = [dot] * bool((q <= 0.05).any()) + [untested]
    bar.legend(handles=keys, loc="center left", bbox_to_anchor=(1.05, 0.0), borderaxespad=0, borderpad=0)
    return page.done()


def _height(names: list[str]) -> float:
    return matrix_height(len(names)) + 0.75


def _paint(ax: Axes, lift: NDArray[np.float64], q: NDArray[np.float64], scale: ScalarMappable) -> None:
    """Draw tested pairs in colour over a hatched ground, with a dot where they are beyond the baseline."""
    ax.patch.set(facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch="/" * 5, linewidth=0)
    tested = np.isfinite(q)
    cells = np.asarray(scale.to_rgba(np.where(tested, np.nan_to_num(np.maximum(lift, 1 / _MOST), nan=1.0), 1.0)))
    cells[~tested, 3] = 0
    cells[np.diag_indices(len(lift))] = 1
    ax.imshow(cells, interpolation="none", aspect="auto")
    row, column = np.nonzero(np.nan_to_num(q, nan=1.0) <= 0.05)
    size = float(np.clip(90 / len(lift), 1.2, 4.0))
    ax.plot(column, row, linestyle="none", marker="o", markersize=size, color=INK, markeredgewidth=0)


def _notes(q: NDArray[np.float64], left_out: int) -> list[str]:
    tested, beyond = int(np.isfinite(q).sum()), int((q <= 0.05).sum())
    notes = [
        f"Of {tested:,} tested pairs {beyond:,} go beyond the baseline. Expected: market sizes and likeness, as if no "
        "market followed another. Rows and columns have the order of the transition matrix. A lift away from 1 "
        "without a dot may be chance."
    ]
    return [*notes, f"{left_out} markets with fewer exposed tracks are left out."] if left_out else notes
