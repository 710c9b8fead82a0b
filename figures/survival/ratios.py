"""Tables of hazard ratios, checked, and their logarithmic axis."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.axis import Axis
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from diffusion import DataSaysNoError, SettingError
from figures.page.checks import checked
from figures.page.scales import log_ticks

_BEYOND: Final = 4.0
"""Times beyond the smallest and the largest ratio at which the axis ends, where intervals go on."""


def ratios_of(table: pd.DataFrame, name: str, *, key: Sequence[str], numbers: Sequence[str] = ()) -> pd.DataFrame:
    """Return the columns of a table of hazard ratios, checked; `reference` is empty where it is missing.

    Raises
    ------
    DataSaysNoError
        When no ratio is known.
    SettingError
        When a column is missing, a row of `key` occurs twice, a ratio or bound is not above 0, or a ratio is outside
        its interval.
    """
    rows = checked(table, name, texts=["variable", "level"], numbers=["hazard_ratio", "low", "high", *numbers])
    if "reference" not in table.columns:
        raise SettingError(f"the table '{name}' lacks reference; it has {', '.join(map(str, table.columns))}")
    rows["reference"] = table["reference"].fillna("").astype(str).to_numpy()
    bounds = rows[["hazard_ratio", "low", "high"]]
    if (bounds <= 0).any(axis=None):
        raise SettingError(f"the table '{name}' has a ratio or a bound that is not above 0")
    if ((bounds["hazard_ratio"] < bounds["low"]) | (bounds["hazard_ratio"] > bounds["high"])).any():
        raise SettingError(f"the table '{name}' has a ratio outside its interval")
    if rows.duplicated([*key]).any():
        raise SettingError(f"the table '{name}' has more than one row for a level of a variable")
    if bounds["hazard_ratio"].isna().all():
        raise DataSaysNoError(f"there is no hazard ratio to draw; the table '{name}' has none that is known")
    return rows


def reach(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of an axis with all ratios, one, and the intervals up to a few times beyond the ratios.

    Examples
    --------
    >>> reach(pd.DataFrame({"hazard_ratio": [0.5, 2.0], "low": [0.4, 1e-9], "high": [0.6, 3.0]}))
    (0.125, 3.0)
    """
    ratios = rows["hazard_ratio"]
    low = max(float(rows["low"].min()), float(ratios.min()) / _BEYOND) if rows["low"].notna().any() else 1.0
    high = min(float(rows["high"].max()), float(ratios.max()) * _BEYOND) if rows["high"].notna().any() else 1.0
    return min(low, float(ratios.min()), 0.8), max(high, float(ratios.max()), 1.25)


def set_ratio_ticks(axis: Axis, low: float, high: float, *, most: int) -> None:
    """Set at most `most` ticks with round ratios from `low` to `high` on a logarithmic axis."""
    ticks = log_ticks(low, high, most=most)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FixedFormatter([f"{tick:,.6g}" for tick in ticks]))
    axis.grid(visible=True)
