"""Where a forecast errs: by market, the entries that it caught and how many it expected."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from diffusion import DataSaysNoError, SettingError, market_names
from figures.page.checks import checked
from figures.page.scales import in_percent
from figures.page.style import BLUE, MUTED, SMALL_SIZE, Page, applied
from figures.page.text import shortened

_ROW: Final = 0.13
"""Height of a market's row in inches."""

PANELS: Final = {
    "caught": ("Entries caught", "share among the five markets named", None),
    "auc": ("AUC", "share of pairs of tracks in the right order", 0.5),
    "excess": ("Expected over observed", "entries expected per entry", 1.0),
}
"""Column → title, unit, and the value at the line."""


def market_errors(
    table: pd.DataFrame,
    *,
    model: str,
    names: Mapping[str, str] | None = None,
    title: str = "Where the forecast errs",
) -> Figure:
    """Return the errors of one model by market: entries caught, order of tracks, and entries expected per entry.

    Table: `backtest_markets` of the folder that `chart-diffusion backtest` makes.

    Parameters
    ----------
    table
        One row per model and market: `model`, `market` (code), `entries`, and the columns of `PANELS` (NaN where not
        defined).
    model
        Model that is drawn.
    names
        Code of a market → name (default: the English names).
    title
        Title; markup in it has no effect.

    Raises
    ------
    DataSaysNoError
        When no market of the model has an entry.
    SettingError
        When a column is missing, or a market occurs twice.

    Examples
    --------
    >>> table = pd.DataFrame({"model": "default", "market": ["SE", "US"], "entries": [10, 20], "caught": [0.4, 0.2],
    ...     "auc": [0.9, 0.8], "excess": [1.1, 0.9]})
    >>> [tick.get_text() for tick in market_errors(table, model="default").axes[0].get_yticklabels()]
    ['Sweden', 'United States']
    """
    rows = checked(table, "backtest_markets", texts=["model", "market"], numbers=["entries", *PANELS])
    rows = rows[(rows["model"] == model) & (rows["entries"] > 0)]
    if rows.empty:
        raise DataSaysNoError(f"there is nothing to draw; no market of the model '{model[:40]}' has an entry")
    if rows["market"].duplicated().any():
        raise SettingError("the table 'backtest_markets' has more than one row for a market of the model")
    known = market_names(rows["market"]) | dict(names or {})
    rows = rows.sort_values("caught", ascending=False, kind="stable")
    labels = [shortened(known.get(code, code), size=SMALL_SIZE, room=100) for code in rows["market"]]
    with applied():
        note = f"Model: {model}. Markets in order of the share of their entries that was caught."
        page = Page(title, [note], height=0.7 + _ROW * max(len(rows), 4))
        axes = page.constrain().subplots(1, len(PANELS), sharey=True)
        for ax, (column, (name, unit, line)) in zip(axes, PANELS.items(), strict=True):
            _panel(ax, rows[column].to_numpy(), name, unit, line)
        in_percent(axes[0].xaxis)
        axes[0].set_yticks(range(len(rows)), labels, size=SMALL_SIZE, parse_math=False)
        axes[0].set_ylabel("market")
        axes[0].set_ylim(max(len(rows), 4) - 0.5, -0.5)
        return page.done()


def _panel(
    ax: Axes, values: np.ndarray[tuple[int], np.dtype[np.float64]], name: str, unit: str, line: float | None
) -> None:
    ax.scatter(values, np.arange(len(values)), color=BLUE, s=10, linewidth=0, zorder=3)
    if line is not None:
        ax.axvline(line, color=MUTED, linewidth=0.8)
    ax.set_title(name)
    ax.set_xlabel(unit)
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.grid(axis="both")
