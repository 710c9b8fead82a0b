"""Missing values by column and year: structural, where a whole chart lacks the column, or real."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from diffusion import DataSaysNoError
from figures.page.checks import checked
from figures.page.scales import in_percent
from figures.page.style import INK, NO_DATA, NO_DATA_HATCH, SMALL_SIZE, Page, add_colorbar, applied

_REAL: Final = ListedColormap(colormaps["Oranges"](np.linspace(0.0, 0.65, 256)))
_NUMBERS: Final = ["year", "chart_rows", "structural", "real"]


def null_chart(nulls: pd.DataFrame) -> Figure:
    """Return the missing values of each chart as a grid of columns by years.

    A cell is hatched where no row of any chart has the column, and coloured by the share of rows that lack it although
    another row of the same chart, market and date has it.

    Table: `nulls` of `pipelines.eda.nulls.null_tables`; a study has it as a table.

    Parameters
    ----------
    nulls
        One row per chart, market, year and column: `chart`, `column`, `year`, `chart_rows` (rows), `structural` and
        `real` (rows without a value, of either kind).

    Raises
    ------
    DataSaysNoError
        When there is no row.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> rows = {"chart": "top50", "column": ["title", "streams"], "year": 2021, "chart_rows": 50, "structural": [0, 50]}
    >>> figure = null_chart(pd.DataFrame(rows | {"real": [5, 0]}))
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['10 %', 'none']
    """
    table = checked(nulls, "nulls", texts=["chart", "column"], numbers=_NUMBERS)
    if not len(table):
        raise DataSaysNoError("there is no chart to draw; the table 'nulls' is empty")
    sums = table.groupby(["chart", "column", "year"], sort=False)[_NUMBERS[1:]].sum()
    charts, columns = sorted(table["chart"].unique()), list(dict.fromkeys(table["column"]))
    years = {chart: sorted(table.loc[table["chart"] == chart, "year"].unique()) for chart in charts}
    with applied():
        page = Page("What the rows of the charts lack, by year", _notes(), height=0.19 * len(columns) + 1.1)
        axes = page.constrain().subplots(
            1, len(charts), squeeze=False, sharey=True, width_ratios=[len(years[chart]) for chart in charts]
        )[0]
        for ax, chart in zip(axes, charts, strict=True):
            own = sums.loc[chart].reindex(pd.MultiIndex.from_product([columns, years[chart]]), fill_value=0)
            _grid(ax, own.to_numpy().reshape(len(columns), len(years[chart]), 3))
            ax.set_title(chart, parse_math=False)
            ax.set_xticks(range(len(years[chart])), [f"{year:.0f}" for year in years[chart]])
        axes[0].set_yticks(range(len(columns)), [name.replace("_", " ") for name in columns], parse_math=False)
        label = "share of rows that lack it where others of the chart have it"
        shade = ScalarMappable(Normalize(0, 1), _REAL)
        bar = add_colorbar(page.figure, shade, axes, label, location="bottom", shrink=0.5, aspect=40)
        in_percent(bar.xaxis)
        absent = Patch(facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch="/" * 5, linewidth=0, label="no chart has it")
        bar.legend(handles=[absent], loc="center left", bbox_to_anchor=(1.04, 0.5), borderaxespad=0)
        return page.done()


def _grid(ax: Axes, cells: NDArray[np.float64]) -> None:
    """Draw cells of rows, structural and real missing values, with the share of missing values as text."""
    rows, structural, real = np.moveaxis(cells, -1, 0)
    with np.errstate(invalid="ignore"):
        missing, share = (structural + real) / rows, real / rows
    colours = _REAL(np.nan_to_num(share))
    ax.imshow(colours, aspect="auto", interpolation="nearest")
    for row, column in np.ndindex(share.shape):
        whole = structural[row, column] == rows[row, column]
        if whole:
            corner = column - 0.5, row - 0.5
            ax.add_patch(
                Rectangle(corner, 1, 1, facecolor=NO_DATA, edgecolor=NO_DATA_HATCH, hatch="/" * 5, linewidth=0)
            )
        if missing[row, column] > 0:
            said = "none" if whole else _percent(missing[row, column])
            ax.text(column, row, said, ha="center", va="center", size=SMALL_SIZE, color=INK)
    ax.set_xticks(np.arange(share.shape[1] + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(share.shape[0] + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="white")
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)


def _percent(share: float) -> str:
    return "< 0.1 %" if share < 0.001 else f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def _notes() -> list[str]:
    return [
        "Numbers: share of all rows without a value, of markets and Global; blank: every row has one. Of a column that "
        "a chart never shows (streams of a viral chart) nothing can be learnt there; values that are missing beside "
        "others can make the rows that have them a choice."
    ]
