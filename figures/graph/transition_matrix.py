"""The transition matrix as a heatmap, with markets that exchange many tracks side by side."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from diffusion import DataSaysNoError, SettingError, market_names
from diffusion.conventions import LEAST_EXPOSED
from figures.page.checks import checked
from figures.page.given import Graph, table_in
from figures.page.style import NO_DATA, NO_DATA_HATCH, Page, add_colorbar, applied
from figures.page.text import shortened

_COLOURS = "viridis"
_PALE = 0.35
"""Share of its colour that a cell with few exposed tracks keeps."""

_NAME_ROOM = 82.0
"""Width of a market's name in points."""


def transition_matrix(edges: pd.DataFrame | Graph, *, names: Mapping[str, str] | None = None, most: int = 80) -> Figure:
    """Return the heatmap of the rates at which tracks go from one market (row) to another (column) in the window.

    Rows and columns have the same order: average-linkage clustering, with optimal leaf order, of the mean rate of both
    directions. So markets that exchange many tracks are adjacent. Pairs without a rate are hatched; pairs with fewer
    than 30 exposed tracks are pale.

    Table: `edges` of `graphs.market_graph`, or the graph itself.

    Parameters
    ----------
    edges
        One row per ordered pair: `source`, `target`, `exposed` (tracks), `rate` (0 … 1, NaN where unknown). Pairs
        without a row are drawn as unknown. Or a graph.
    names
        Code → name for the row labels (default: the English names).
    most
        Markets drawn at most (default 80): those with the largest sum of `exposed` as source.

    Raises
    ------
    DataSaysNoError
        When there are fewer than two markets.
    SettingError
        When a column is missing, a pair has two rows, or a rate is outside 0 … 1.

    References
    ----------
    Bar-Joseph, Gifford & Jaakkola 2001, fast optimal leaf ordering, doi 10.1093/bioinformatics/17.suppl_1.S22.

    Examples
    --------
    >>> edges = pd.DataFrame({"source": ["SE", "NO"], "target": ["NO", "SE"], "exposed": [9, 0], "rate": [0.5, None]})
    >>> [tick.get_text() for tick in transition_matrix(edges).axes[0].get_yticklabels()]
    ['Norway', 'Sweden']
    """
    if most < 2:
        raise SettingError(f"most is {most}, but a matrix has 2 markets or more")
    table = checked(table_in(edges, "edges"), "edges", texts=["source", "target"], numbers=["exposed", "rate"])
    everywhere = sorted({*table["source"], *table["target"]})
    rates = _square(table, _largest(table, everywhere, most), "rate")
    rates = rates.loc[(order := seriated(rates)), order]
    few = _square(table, order, "exposed").to_numpy() < LEAST_EXPOSED
    names = market_names(order) | dict(names or {})
    with applied():
        return _drawn(rates, few, [names[code] for code in order], left_out=len(everywhere) - len(order))


def seriated(rates: pd.DataFrame) -> list[str]:
    """Return the markets in the order of the leaves of their clustering; unknown rates count as average.

    Parameters
    ----------
    rates
        (m, m), source in rows and target in columns, in order of code; NaN where unknown.

    Examples
    --------
    >>> codes = ["AR", "NO", "MX", "SE"]
    >>> close = [[0, 0.1, 0.9, 0.1], [0.1, 0, 0.1, 0.9], [0.9, 0.1, 0, 0.2], [0.1, 0.9, 0.2, 0]]
    >>> seriated(pd.DataFrame(close, index=codes, columns=codes))
    ['AR', 'MX', 'SE', 'NO']
    """
    distances = _distances(rates.to_numpy(dtype=float))
    if len(rates) < 3 or np.ptp(distances) == 0:
        return list(rates.index)
    tree = hierarchy.linkage(distances, method="average", optimal_ordering=True)
    return [str(rates.index[int(leaf)]) for leaf in hierarchy.leaves_list(tree)]


def _distances(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return distances between markets in scipy's condensed form: the largest mean rate minus that of the pair."""
    known = np.isfinite(np.stack([rates, rates.T]))
    sums = np.where(known, np.stack([rates, rates.T]), 0).sum(axis=0)
    counts = known.sum(axis=0)
    close = squareform(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan), checks=False)
    if not np.isfinite(close).any():
        return np.zeros(len(close))
    close = np.where(np.isfinite(close), close, np.nanmean(close))
    distances: NDArray[np.float64] = close.max() - close
    return distances


def _largest(table: pd.DataFrame, markets: list[str], most: int) -> list[str]:
    if len(markets) < 2:
        raise DataSaysNoError("a transition matrix needs two markets; the table 'edges' has no pair of them")
    exposed = table.groupby("source")["exposed"].sum().reindex(markets, fill_value=0)
    return sorted(exposed.sort_values(ascending=False, kind="stable").index[:most])


def _square(table: pd.DataFrame, markets: list[str], column: str) -> pd.DataFrame:
    if table.duplicated(["source", "target"]).any():
        raise SettingError("the table 'edges' has more than one row for a pair; one row per ordered pair is drawn")
    if not table["rate"].dropna().between(0, 1).all():
        raise SettingError("the table 'edges' has rates outside 0 … 1")
    pairs = table[table["source"] != table["target"]]
    by_pair = pairs.set_index(["source", "target"])[column]
    square: pd.DataFrame = by_pair.unstack("target")  # noqa: PD010, one value per pair: nothing to aggregate
    return square.reindex(index=markets, columns=markets)


def _drawn(rates: pd.DataFrame, few: NDArray[np.bool_], names: list[str], *, left_out: int) -> Figure:
    count = len(names)
    size = float(np.clip(420 / count, 6.0, 8.0))
    page = Page(
        "How often a track in one market enters another within the window",
        _notes(count, left_out),
        height=float(np.clip(count * 7.4 / 72, 2.2, 8.0)) + 1.0,
    )
    figure = page.constrain()
    ax = figure.add_subplot()
    top = _top(rates)
    norm = PowerNorm(0.5, 0, top)
    _cells(ax, rates.to_numpy(dtype=float), few, norm)
    label_cells(ax, list(rates.columns), names, size)
    scale = ScalarMappable(norm, _COLOURS)
    label = "P(target in window | source)"
    bar = add_colorbar(figure, scale, ax, label, shrink=min(0.85, 2.6 / page.height), ticks=_ticks(top), format="%g")
    if int(rates.isna().to_numpy().sum()) > count:
        _add_legend(bar)
    return page.done()


def _top(rates: pd.DataFrame) -> float:
    known = rates.to_numpy(dtype=float)
    known = known[np.isfinite(known)]
    return float(known.max()) if known.size and known.max() > 0 else 1.0


def _ticks(top: float) -> list[float]:
    """Return round rates from 0 to `top` as ticks that do not overlap on a square-root scale."""
    ticks: list[float] = []
    for value in (digit / 10**place for place in range(8) for digit in (10, 5, 2)):
        if value <= top and (not ticks or np.sqrt(ticks[-1] / top) - np.sqrt(value / top) >= 0.1):
            ticks.append(value)
    return [0.0, *(tick for tick in reversed(ticks) if np.sqrt(tick / top) >= 0.1)]


def _cells(ax: Axes, rates: NDArray[np.float64], few: NDArray[np.bool_], norm: Normalize) -> None:
    """Draw the known rates on a hatched background, pale where few tracks are exposed; the diagonal is white."""
    ax.patch.set(facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch="/" * 5, linewidth=0)
    cells = colormaps[_COLOURS](norm(np.nan_to_num(rates)))
    cells[few, :3] = 1 - _PALE * (1 - cells[few, :3])
    cells[np.isnan(rates), 3] = 0
    cells[np.diag_indices(len(rates))] = 1
    ax.imshow(cells, interpolation="none", aspect="auto")


def label_cells(ax: Axes, codes: list[str], names: list[str], size: float) -> None:
    """Label rows with names and columns with codes; many codes alternate between two or three lines."""
    places = range(len(codes))
    rows = [shortened(name, size=size, room=_NAME_ROOM) for name in names]
    lines = 1 + (len(codes) > 24) + (len(codes) > 48)
    columns = [shortened(code, size=size, room=max(lines * 400 / len(codes) - 2, 12)) for code in codes]
    ax.set_yticks(places, rows, size=size, parse_math=False)
    ax.set_xticks(places, columns, size=size, parse_math=False)
    ax.tick_params(length=0, pad=2)
    for place, tick in enumerate(ax.xaxis.get_major_ticks()):
        tick.set_pad(2 + size * 1.1 * (place % lines))
    ax.spines[:].set(visible=True, edgecolor=NO_DATA_HATCH)
    ax.set_ylabel("source: market the track was in first")
    ax.set_xlabel("target: market that follows (ISO code)")


def _add_legend(bar: Axes) -> None:
    hatched = Patch(facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch="/" * 5, linewidth=0, label="no data")
    bar.legend(handles=[hatched], loc="upper left", bbox_to_anchor=(0, -0.08), borderaxespad=0, borderpad=0)


def _notes(count: int, left_out: int) -> list[str]:
    order = (
        "Rows and columns have the same order: average-linkage clustering, with optimal leaf order, of the mean rate "
        "of both directions. Markets that exchange many tracks are adjacent. The diagonal is white. The colours have a "
        f"square-root scale. Cells with fewer than {LEAST_EXPOSED} exposed tracks are pale: their rates are uncertain."
    )
    cut = f"Shown are the {count} markets with the most exposed tracks; {left_out} more are left out."
    return [order, cut] if left_out else [order]
