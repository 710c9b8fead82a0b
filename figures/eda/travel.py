"""How far tracks travel: reach, the share that crosses a border by size of the debut, and by year."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from diffusion import DataSaysNoError
from figures.page.checks import checked
from figures.page.scales import in_percent
from figures.page.style import BLUE, INK, Page, applied

_ALL: Final = "all"
_WIDE: Final = 0.66
"""Width of a bar, of the room that it has."""


def travel_chart(travel: pd.DataFrame, reach: pd.DataFrame, debut_sizes: pd.DataFrame, *, window: int) -> Figure:
    """Return three panels: markets reached, and the share of tracks that travel by footprint and by year of debut.

    Table: `travel`, `reach` and `debut_sizes` of `pipelines.eda.travel.travel_tables`; a study has them as tables.

    Parameters
    ----------
    travel
        One row per year of debuts, and ``all``: `debuted`, `tracks`, `travelled` (share) with `travelled_low`,
        `travelled_high` (NaN for none).
    reach
        One row per year, and ``all``, and class: `debuted`, `reach` (name of the class), `least`, `share` with
        `share_low`, `share_high`.
    debut_sizes
        One row per class of footprint: `footprint`, `least`, `tracks`, and `travelled` as above.
    window
        Days after the debut within which entries count.

    Raises
    ------
    DataSaysNoError
        When there is no track.
    SettingError
        When a column is missing.

    Examples
    --------
    >>> bounds = {"travelled": 0.2, "travelled_low": 0.1, "travelled_high": 0.3}
    >>> travel = pd.DataFrame([{"debuted": "2020", "tracks": 40} | bounds, {"debuted": "all", "tracks": 40} | bounds])
    >>> reach = pd.DataFrame({"debuted": ["all"], "reach": ["1"], "least": [1], "share": [1.0], "share_low": [0.9],
    ...     "share_high": [1.0]})
    >>> sizes = pd.DataFrame([{"footprint": "1", "least": 1, "tracks": 40} | bounds])
    >>> [ax.get_xlabel() for ax in travel_chart(travel, reach, sizes, window=60).axes]
    ['markets', 'footprint: markets on day 0', 'year of debut']
    """
    shares = ["travelled", "travelled_low", "travelled_high"]
    years = checked(travel, "travel", texts=["debuted"], numbers=["tracks", *shares])
    classes = checked(reach, "reach", texts=["debuted", "reach"], numbers=["least", "share", "share_low", "share_high"])
    sizes = checked(debut_sizes, "debut_sizes", texts=["footprint"], numbers=["least", "tracks", *shares])
    if not years["tracks"].sum() > 0:
        raise DataSaysNoError("there is no track to draw; the table 'travel' is empty")
    everyone = classes[classes["debuted"] == _ALL].sort_values("least")
    count = int(years.loc[years["debuted"] == _ALL, "tracks"].iloc[0])
    by_year = years[years["debuted"] != _ALL].sort_values("debuted")
    sizes = sizes.sort_values("least")
    with applied():
        page = Page(f"How far tracks travel within {window} days of their debut", _notes(count), height=2.7)
        first, second, third = page.constrain().subplots(1, 3, width_ratios=[1.2, 1.2, 1])
        _bars(first, everyone["reach"].tolist(), everyone[["share", "share_low", "share_high"]].to_numpy())
        _bars(second, sizes["footprint"].tolist(), sizes[shares].to_numpy())
        _bars(third, by_year["debuted"].tolist(), by_year[shares].to_numpy())
        for ax, title, x, y in (
            (first, "markets reached", "markets", "share of tracks"),
            (second, "travel, by markets on day 0", "footprint: markets on day 0", "share that enters another market"),
            (third, "travel, by year of debut", "year of debut", "share that enters another market"),
        ):
            ax.set_title(title)
            ax.set_xlabel(x)
            ax.set_ylabel(y)
        return page.done()


def _bars(ax: Axes, names: Sequence[str], values: np.ndarray) -> None:
    """Draw shares as bars from zero, with their intervals where there are any."""
    places = np.arange(len(names))
    share, low, high = values.T
    known = np.isfinite(low) & np.isfinite(high)
    ax.bar(places, share, width=_WIDE, color=np.where(known, BLUE, "white"), edgecolor=BLUE, linewidth=0.8)
    ax.vlines(places[known], low[known], high[known], color=INK, linewidth=1.0)
    ax.set_xticks(places, names)
    ax.set_xlim(-0.6, len(names) - 0.4)
    top = float(np.nanmax(np.concatenate([share, high, [0.0]])))
    ax.set_ylim(0, min(1.02, 1.06 * top) if top > 0 else 1)
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    in_percent(ax.yaxis)
    ax.grid(axis="y")


def _notes(tracks: int) -> list[str]:
    return [
        f"{tracks:,} tracks with a timed debut and a whole window. Lines: 95 % intervals, by artist; "
        "hollow: too few artists for one. Entries "
        "within a market's washout are left out. A track that is still charting may travel later."
    ]
