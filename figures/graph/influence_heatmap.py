"""Direct pairs of markets as a heatmap."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError, market_names
from figures.page.checks import checked
from figures.page.matrix import matrix_height, name_cells
from figures.page.scales import log_ticks
from figures.page.style import NO_DATA, NO_DATA_HATCH, VERMILION, Page, add_colorbar, applied

_COLOURS: Final = ListedColormap(colormaps["viridis_r"](np.linspace(0.12, 1.0, 256)))
_NOT_SHOWN: Final = "#f3f3f3"

_DECADES: Final = 2.0
"""Powers of ten on the colour scale; fewer credits per entry have the colour of its low end."""


def influence_heatmap(
    influence: pd.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    order: Sequence[str] | None = None,
    most: int = 80,
) -> Figure:
    """Return the heatmap of direct pairs: entries into a market (column) owed to an entry into another (row).

    Direct pairs have the colour of their credits per entry, on a logarithmic scale, and a dot where they are ordered.
    Pairs that are not shown to be direct are grey, pairs that could not be tested are hatched, the diagonal is white.
    Only markets of at least one direct pair are drawn.

    Table: `graphs.baseline.direct_table`.

    Parameters
    ----------
    influence
        One row per ordered pair, as `graphs.contracts.INFLUENCE`: `source`, `target`, `q_joint` (missing where the pair
        was not tested), `direct` and `ordered` (bool), `credits_per_entry` (0 or more).
    names
        Code → name for the row labels (default: the English names).
    order
        Codes from the top; markets not in it are left out. Default: by clout, the sum of the credits per entry over the
        direct pairs of the row, the largest first.
    most
        Markets drawn at most (default 80), the first in order.

    Raises
    ------
    DataSaysNoError
        When no pair is direct, or none among the markets in `order`.
    SettingError
        When a column is missing, a pair has two rows, credits are negative, or `order` names a market twice.

    Examples
    --------
    >>> pairs = pd.DataFrame({"source": ["SE", "NO"], "target": ["NO", "SE"], "q_joint": [0.01, 0.4]})
    >>> pairs = pairs.assign(direct=[True, False], ordered=[True, False], credits_per_entry=[0.2, 0.1])
    >>> [tick.get_text() for tick in influence_heatmap(pairs).axes[0].get_yticklabels()]
    ['Sweden', 'Norway']
    """
    if most < 2:
        raise SettingError(f"most is {most}, but a matrix has 2 markets or more")
    table = _pairs(influence)
    codes = _ordered(table, order)[:most]
    shown = table[table["source"].isin(codes) & table["target"].isin(codes)]
    if not shown["direct"].any():
        raise DataSaysNoError(f"no pair of the {len(codes)} markets is direct")
    known = market_names(codes) | dict(names or {})
    with applied():
        return _drawn(shown, codes, [known[code] for code in codes], _notes(table, shown))


def _pairs(influence: pd.DataFrame) -> pd.DataFrame:
    table = checked(influence, "influence", texts=["source", "target"], numbers=["q_joint", "credits_per_entry"])
    lacking = {"direct", "ordered"} - set(influence.columns)
    if lacking:
        raise SettingError(f"the table 'influence' lacks {', '.join(sorted(lacking))}")
    table = table.assign(**{name: influence[name].to_numpy(dtype=bool) for name in ("direct", "ordered")})
    table = table[table["source"] != table["target"]]
    if table.duplicated(["source", "target"]).any():
        raise SettingError("the table 'influence' has more than one row for a pair; one row per ordered pair is drawn")
    if (table["credits_per_entry"] < 0).any():
        raise SettingError("the table 'influence' has negative credits")
    if not table["direct"].any():
        raise DataSaysNoError("no pair is direct")
    return table


def _ordered(table: pd.DataFrame, order: Sequence[str] | None) -> list[str]:
    """Return the markets of direct pairs in order."""
    direct = table[table["direct"]]
    everyone = sorted({*direct["source"], *direct["target"]})
    if order is None:
        clout = direct.groupby("source")["credits_per_entry"].sum().reindex(everyone, fill_value=0)
        return [str(code) for code in clout.sort_values(ascending=False, kind="stable").index]
    if len({*order}) < len(order):
        raise SettingError("the order names a market twice")
    return [code for code in order if code in everyone]


def _drawn(shown: pd.DataFrame, codes: list[str], names: list[str], notes: list[str]) -> Figure:
    count = len(codes)
    height = matrix_height(count) + 0.75
    page = Page("Direct pairs: entries into one market owed to an entry into another", notes, height=height)
    figure = page.constrain()
    ax = figure.add_subplot()
    values = _square(shown[shown["direct"]], codes, "credits_per_entry")
    tested = ~np.isnan(_square(shown, codes, "q_joint"))
    scale = ScalarMappable(_norm(values), _COLOURS)
    _paint(ax, values, tested, scale)
    _dot(ax, shown[shown["ordered"]], codes)
    name_cells(ax, names, rows="source: market entered first", columns="target: market entered then")
    options = {"location": "bottom", "shrink": 0.5, "aspect": 36, "pad": 0.015, "anchor": (0.0, 0.5)}
    ticks = log_ticks(*scale.get_clim())
    bar = add_colorbar(figure, scale, ax, "credits per entry", ticks=ticks, format="%g", **options)
    bar.minorticks_off()
    _legend(bar, values, tested, dots=bool(shown["ordered"].any()))
    return page.done()


def _square(table: pd.DataFrame, markets: list[str], column: str) -> NDArray[np.float64]:
    """Return a column as (m, m), rows sources; NaN where there is no value."""
    by_pair = table.set_index(["source", "target"])[column]
    square: pd.DataFrame = by_pair.unstack("target")  # noqa: PD010, one value per pair: nothing to aggregate
    return square.reindex(index=markets, columns=markets).to_numpy(dtype=float)


def _norm(values: NDArray[np.float64]) -> LogNorm:
    positive = values[np.nan_to_num(values) > 0]
    if not positive.size:
        return LogNorm(0.001, 1)
    high = float(positive.max())
    return LogNorm(max(float(positive.min()), high / 10**_DECADES) * 0.999, high * 1.001, clip=True)


def _paint(ax: Axes, values: NDArray[np.float64], tested: NDArray[np.bool_], scale: ScalarMappable) -> None:
    """Draw direct pairs (those with a value) in colour, others grey, untested hatched; the diagonal is white."""
    ax.patch.set(facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch="/" * 5, linewidth=0)
    direct = ~np.isnan(values)
    cells = np.asarray(scale.to_rgba(np.where(direct, values, 1.0)))
    cells[~direct, :3] = int(_NOT_SHOWN[1:3], 16) / 255
    cells[~direct & ~tested, 3] = 0
    cells[np.diag_indices(len(values))] = 1
    ax.imshow(cells, interpolation="none", aspect="auto")


def _dot(ax: Axes, ordered: pd.DataFrame, codes: list[str]) -> None:
    row, column = (pd.Index(codes).get_indexer(pd.Index(ordered[side])) for side in ("source", "target"))
    size = float(np.clip(120 / len(codes), 2.2, 5.0))
    ax.plot(
        column,
        row,
        linestyle="none",
        marker="o",
        markersize=size,
        color=VERMILION,
        markeredgewidth=0.5,
        markeredgecolor="white",
    )


def _legend(bar: Axes, values: NDArray[np.float64], tested: NDArray[np.bool_], *, dots: bool) -> None:
    other = np.isnan(values) & ~np.eye(len(values), dtype=bool)
    keys: list[Patch | Line2D] = []
    if dots:
        keys.append(Line2D([], [], linestyle="none", marker="o", color=VERMILION, label="more one way than the other"))
    if (other & tested).any():
        keys.append(Patch(facecolor=_NOT_SHOWN, edgecolor=NO_DATA_HATCH, linewidth=0.5, label="not shown to be direct"))
    if (other & ~tested).any():
        hatch = "/" * 5
        keys.append(Patch(facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch=hatch, linewidth=0, label="not tested"))
    if keys:
        bar.legend(handles=keys, loc="center left", bbox_to_anchor=(1.05, 0.0), borderaxespad=0, borderpad=0)


def _notes(table: pd.DataFrame, shown: pd.DataFrame) -> list[str]:
    direct, drawn = table[table["direct"]], shown[shown["direct"]]
    notes = [
        f"Of {table['q_joint'].notna().sum():,} tested pairs {len(direct):,} are direct and have a colour: entries "
        f"into the target attributed to the source, per entry into the source. {direct['ordered'].sum():,} of them go "
        "more one way than the other and have a dot. Rows and columns have the same order. The colour scale is "
        "logarithmic; values below it have its lowest colour."
    ]
    if idle := len({*table["source"], *table["target"]} - {*direct["source"], *direct["target"]}):
        notes.append(f"Markets without a direct pair are not drawn ({idle}).")
    if left := len(direct) - len(drawn):
        notes.append(f"Direct pairs of markets beyond those drawn are left out ({left}).")
    return notes
