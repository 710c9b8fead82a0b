"""The transition matrix as a heatmap, with markets that exchange many tracks side by side."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from diffusion import DataSaysNoError, SettingError, market_names
from diffusion.conventions import LEAST_EXPOSED
from figures.page.checks import checked
from figures.page.given import Graph, table_in
from figures.page.matrix import matrix_height, name_cells
from figures.page.scales import classes, percent
from figures.page.style import MUTED, NO_DATA, NO_DATA_HATCH, Page, add_colorbar, applied

_CLASSES: Final = 9
"""Colours at most."""

_DIAGONAL: Final = "#a8a8a8"


def transition_matrix(
    edges: pd.DataFrame | Graph,
    *,
    window: int | None = None,
    names: Mapping[str, str] | None = None,
    most: int = 80,
) -> Figure:
    """Return the heatmap of the rates at which tracks go from one market (row) to another (column) in the window.

    Rows and columns have the same order: average-linkage clustering, with optimal leaf order, of the mean rate of both
    directions. So markets that exchange many tracks are adjacent. The bounds of the colours are quantiles of the rates;
    a rate of zero is white. Pairs without a rate are hatched; pairs with fewer than 30 exposed tracks have a dot.

    Table: `edges` of `graphs.market_graph`, or the graph itself.

    Parameters
    ----------
    edges
        One row per ordered pair: `source`, `target`, `exposed` (tracks), `rate` (0 … 1, NaN where unknown). Pairs
        without a row are drawn as unknown. Or a graph.
    window
        Days within which a track must follow, for the title (default: that of the graph).
    names
        Code → name (default: the English names).
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
    within = getattr(edges, "window", None) if window is None else window
    with applied():
        return _drawn(rates, few, [names[code] for code in order], within, left_out=len(everywhere) - len(order))


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


def _drawn(
    rates: pd.DataFrame, few: NDArray[np.bool_], names: list[str], window: int | None, *, left_out: int
) -> Figure:
    count, values = len(names), rates.to_numpy(dtype=float)
    within = "the window" if window is None else f"{window} days"
    title = f"Share of the tracks in one market that enter another within {within}"
    page = Page(title, _notes(values, left_out), height=matrix_height(count) + 0.75)
    ax = page.constrain().add_subplot()
    edges = classes(values[values > 0], most=_CLASSES)
    scale = ScalarMappable(BoundaryNorm(edges, len(edges) - 1), colours_of(len(edges) - 1))
    _cells(ax, values, few, scale)
    name_cells(ax, names, rows="source: market the track was in first", columns="target: market that follows")
    options = {"location": "bottom", "shrink": 0.62, "aspect": 36, "pad": 0.015, "anchor": (0.0, 0.5)}
    bar = add_colorbar(page.figure, scale, ax, "rate: share of the exposed tracks", ticks=edges, **options)
    bar.set_xticks(edges, [percent(edge) for edge in edges])
    _add_legend(bar, values, few)
    return page.done()


def colours_of(count: int) -> ListedColormap:
    """Return the colours of so many classes of rates, from light to dark.

    Examples
    --------
    >>> colours_of(9).N
    9
    """
    return ListedColormap(colormaps["viridis_r"](np.linspace(0.1, 1.0, count)))


def _cells(ax: Axes, rates: NDArray[np.float64], few: NDArray[np.bool_], scale: ScalarMappable) -> None:
    """Draw the known rates on a hatched background, with a dot where few tracks are exposed; zero is white."""
    ax.patch.set(facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch="/" * 5, linewidth=0)
    cells = np.asarray(scale.to_rgba(np.nan_to_num(rates)))
    cells[rates == 0] = 1
    cells[np.isnan(rates), 3] = 0
    cells[np.diag_indices(len(rates))] = to_rgba(_DIAGONAL)
    ax.imshow(cells, interpolation="none", aspect="auto")
    row, column = np.nonzero(few & np.isfinite(rates) & ~np.eye(len(rates), dtype=bool))
    size = float(np.clip(90 / len(rates), 1.3, 3.0))
    ax.plot(column, row, linestyle="none", marker="o", markersize=size, color=MUTED, markeredgewidth=0)


def _add_legend(bar: Axes, rates: NDArray[np.float64], few: NDArray[np.bool_]) -> None:
    """Say at the right of the colours what white, dots and hatching mean, as far as they are there."""
    pairs = ~np.eye(len(rates), dtype=bool)
    white = Patch(facecolor="white", edgecolor=NO_DATA_HATCH, linewidth=0.5, label="0: no track followed")
    dot = Line2D(
        [], [], linestyle="none", marker="o", markersize=3, color=MUTED, label=f"under {LEAST_EXPOSED} exposed"
    )
    hatched = Patch(facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch="/" * 5, linewidth=0, label="no data")
    there = (rates == 0, few & np.isfinite(rates), np.isnan(rates))
    keys = [key for key, where in zip((white, dot, hatched), there, strict=True) if (where & pairs).any()]
    if keys:
        bar.legend(handles=keys, loc="center left", bbox_to_anchor=(1.04, 0.0), borderaxespad=0, borderpad=0)


def _notes(rates: NDArray[np.float64], left_out: int) -> list[str]:
    known = int(np.isfinite(rates).sum()) - int(np.isfinite(np.diag(rates)).sum())
    said = (
        f"{known:,} pairs of {len(rates)} markets. The darker a colour, the fewer pairs have it. Rows and columns have "
        "the same order: average-linkage clustering, with optimal leaf order, of the mean rate of both directions; "
        f"markets that exchange many tracks are adjacent. Rates of under {LEAST_EXPOSED} exposed tracks are uncertain."
    )
    cut = f"Shown are the {len(rates)} markets with the most exposed tracks; {left_out} more are left out."
    return [said, cut] if left_out else [said]
