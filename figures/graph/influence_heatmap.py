"""Direct influence between markets as a heatmap."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError, market_names
from figures.graph.transition_matrix import label_cells
from figures.page.checks import checked
from figures.page.scales import log_ticks
from figures.page.style import NO_DATA, NO_DATA_HATCH, Page, add_colorbar, applied

_COLOURS: Final = ListedColormap(colormaps["viridis_r"](np.linspace(0.12, 1.0, 256)))
_ZERO: Final = "#f3f3f3"
_DIM: Final = 0.4
"""Share of its colour that a cell keeps where α does not differ significantly from 0."""

_DECADES: Final = 3.0
"""Powers of ten on the colour scale; a smaller α has the colour of its low end."""


def influence_heatmap(
    alphas: pd.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    order: Sequence[str] | None = None,
    most: int = 80,
) -> Figure:
    """Return the heatmap of α: entries into a market (column) expected per entry into another (row).

    The colour scale is logarithmic. Cells whose α does not differ significantly from 0 are pale, cells with α = 0 are
    grey, pairs without an estimate are hatched; the diagonal is white.

    Parameters
    ----------
    alphas
        One row per ordered pair: `source`, `target`, `alpha` (entries per entry, 0 or more, NaN where not estimated),
        `low` (lower bound of its interval). Cells are significant where the column `direct` (bool) is true or, without
        that column, where `low` is above 0.
    names
        Code → name for the row labels (default: the English names).
    order
        Codes from the top; markets not in it are left out. Default: by clout, the sum of the row, the largest first.
    most
        Markets drawn at most (default 80), the first in order.

    Raises
    ------
    DataSaysNoError
        When there are fewer than two markets.
    SettingError
        When a column is missing, a pair has two rows, an alpha is negative, or `order` names a market twice.

    Examples
    --------
    >>> alphas = pd.DataFrame({"source": ["SE", "NO"], "target": ["NO", "SE"], "alpha": [0.2, 0.3], "low": [0.1, 0.0]})
    >>> [tick.get_text() for tick in influence_heatmap(alphas).axes[0].get_yticklabels()]
    ['Norway', 'Sweden']
    """
    if most < 2:
        raise SettingError(f"most is {most}, but a matrix has 2 markets or more")
    table = _pairs(alphas)
    everywhere = sorted({*table["source"], *table["target"]})
    codes = _ordered(table, everywhere, order)
    cells = _square(table, codes[:most], "alpha")
    direct = _square(table, codes[:most], "direct").fillna(0).to_numpy(dtype=bool)
    known = market_names(codes) | dict(names or {})
    notes = _notes(direct, cells, by_clout=order is None, left_out=len(everywhere) - len(cells))
    with applied():
        return _drawn(cells, direct, [known[code] for code in cells.index], notes)


def _pairs(alphas: pd.DataFrame) -> pd.DataFrame:
    table = checked(alphas, "alphas", texts=["source", "target"], numbers=["alpha", "low"])
    direct = alphas["direct"].to_numpy() if "direct" in alphas.columns else table["low"] > 0
    table = table.assign(direct=pd.Series(direct, index=table.index).fillna(False).astype(float))
    table = table[table["source"] != table["target"]]
    if table.duplicated(["source", "target"]).any():
        raise SettingError("the table 'alphas' has more than one row for a pair; one row per ordered pair is drawn")
    if (table["alpha"] < 0).any():
        raise SettingError("the table 'alphas' has a negative alpha")
    if table.empty:
        raise DataSaysNoError("a heatmap needs two markets; the table 'alphas' has no pair of them")
    return table


def _ordered(table: pd.DataFrame, everywhere: list[str], order: Sequence[str] | None) -> list[str]:
    if order is None:
        clout = table.groupby("source")["alpha"].sum().reindex(everywhere, fill_value=0)
        return [str(code) for code in clout.sort_values(ascending=False, kind="stable").index]
    if len({*order}) < len(order):
        raise SettingError("the order names a market twice")
    listed = [code for code in order if code in everywhere]
    if len(listed) < 2:
        raise DataSaysNoError(f"the order names {len(listed)} of the {len(everywhere)} markets; a heatmap needs two")
    return listed


def _square(table: pd.DataFrame, markets: list[str], column: str) -> pd.DataFrame:
    by_pair = table.set_index(["source", "target"])[column]
    square: pd.DataFrame = by_pair.unstack("target")  # noqa: PD010, one value per pair: nothing to aggregate
    return square.reindex(index=markets, columns=markets)


def _drawn(cells: pd.DataFrame, direct: NDArray[np.bool_], names: list[str], notes: list[str]) -> Figure:
    count = len(names)
    height = float(np.clip(count * 7.4 / 72, 2.2, 8.0)) + 1.0
    page = Page("Estimated influence α: entries expected in one market per entry into another", notes, height=height)
    figure = page.constrain()
    ax = figure.add_subplot()
    values = cells.to_numpy(dtype=float)
    scale = ScalarMappable(_norm(values), _COLOURS)
    _paint(ax, values, direct, scale)
    label_cells(ax, list(cells.columns), names, float(np.clip(420 / count, 6.0, 8.0)))
    shrink, ticks = min(0.85, 2.6 / page.height), log_ticks(*scale.get_clim())
    bar = add_colorbar(figure, scale, ax, "α (entries per entry)", shrink=shrink, ticks=ticks, format="%g")
    bar.minorticks_off()
    _legend(bar, values, direct)
    return page.done()


def _norm(values: NDArray[np.float64]) -> LogNorm:
    positive = values[np.isfinite(values) & (values > 0)]
    if not positive.size:
        return LogNorm(0.001, 1)
    high = float(positive.max())
    return LogNorm(max(float(positive.min()), high / 10**_DECADES) * 0.999, high * 1.001, clip=True)


def _paint(ax: Axes, values: NDArray[np.float64], direct: NDArray[np.bool_], scale: ScalarMappable) -> None:
    """Draw the cells on a hatched background: pale where not `direct`, grey where 0; the diagonal is white."""
    ax.patch.set(facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch="/" * 5, linewidth=0)
    positive = np.nan_to_num(values) > 0
    cells = np.asarray(scale.to_rgba(np.where(positive, values, 1.0)))
    cells[~direct, :3] = 1 - _DIM * (1 - cells[~direct, :3])
    cells[~positive, :3] = int(_ZERO[1:3], 16) / 255
    cells[np.isnan(values), 3] = 0
    cells[np.diag_indices(len(values))] = 1
    ax.imshow(cells, interpolation="none", aspect="auto")


def _legend(bar: Axes, values: NDArray[np.float64], direct: NDArray[np.bool_]) -> None:
    off = ~np.eye(len(values), dtype=bool)
    red, green, blue = (1 - _DIM * (1 - part) for part in _COLOURS(0.5)[:3])
    keys = []
    if (off & ~direct & (np.nan_to_num(values) > 0)).any():
        keys.append(Patch(facecolor=(red, green, blue), label="pale: not\nsignificant"))
    if (off & (values == 0)).any():
        keys.append(Patch(facecolor=_ZERO, edgecolor=NO_DATA_HATCH, linewidth=0.5, label="α = 0"))
    if (off & np.isnan(values)).any():
        hatch = "/" * 5
        keys.append(Patch(facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch=hatch, linewidth=0, label="not estimated"))
    if keys:
        bar.legend(handles=keys, loc="upper left", bbox_to_anchor=(0, -0.08), borderaxespad=0, borderpad=0)


def _notes(direct: NDArray[np.bool_], cells: pd.DataFrame, *, by_clout: bool, left_out: int) -> list[str]:
    known = int(cells.notna().to_numpy().sum())
    order = ", by clout (the sum of the row)" if by_clout else ""
    said = (
        "α: entries into the target expected per entry into the source, within the window, under the model. Rows and "
        f"columns have the same order{order}. Of {known:,} estimated pairs, {int(direct.sum()):,} differ "
        "significantly from 0 and have full colour. The colour scale is logarithmic; values below it have its lowest "
        "colour."
    )
    cut = f"Shown are the first {len(cells)} markets; {left_out} more are left out."
    return [said, cut] if left_out else [said]
