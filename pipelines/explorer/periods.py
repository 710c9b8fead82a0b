"""Counts and rates of each pair, over the tracks that debut in each period."""

from functools import partial
from typing import Any, Final, get_args

import numpy as np
import pandas as pd

from diffusion import Entries
from diffusion.entry_pairs import counts_in, transitions_in
from diffusion.parts import EntryParts, in_parts
from diffusion.timelines import Timelines
from graphs.journeys.slices import By, Period, calendar_periods, debuting, debuts_in

LEAST_PERIODS: Final = 3
"""Least number of periods: the longest kind of period of which there are so many is taken."""

COUNTED: Final = (
    "tracks", "joint", "exposed", "rate", "rate_low", "rate_high", "rate_if_ties", "lag_median", "followed_to",
)  # fmt: skip
"""Columns of `diffusion.contracts.TRANSITIONS` that exist by period."""


def suited(timelines: Timelines) -> list[Period]:
    """Return the years, half-years, quarters or months in which tracks have a timed debut."""
    for by in get_args(By):
        periods = [one for one in calendar_periods(timelines, by) if debuts_in(timelines, one).any()]
        if len(periods) >= LEAST_PERIODS:
            break
    return periods


def period_rows(periods: list[Period], timelines: Timelines) -> list[dict[str, Any]]:
    """Return name, first and last date of each period, and the number of tracks with a timed debut in it."""
    return [
        {
            "name": one.name,
            "start": one.start.isoformat(),
            "end": one.end.isoformat(),
            "tracks": int(debuts_in(timelines, one).sum()),
        }
        for one in periods
    ]


def period_table(periods: list[Period], entries: Entries, window: int) -> pd.DataFrame:
    """Return all ordered pairs of each period in turn, in the order of `transition_table`, with columns `COUNTED`."""
    parts = in_parts(entries)
    tables = [_counted(parts, one, window) for one in periods]
    empty = pd.DataFrame({name: np.zeros(0, np.int64) for name in COUNTED})
    return pd.concat(tables, ignore_index=True) if tables else empty


def _counted(parts: EntryParts, period: Period, window: int) -> pd.DataFrame:
    chosen = partial(debuting, period=period)
    table = transitions_in(parts, counts_in(parts, window=window, chosen=chosen), chosen=chosen)
    frame: pd.DataFrame = table.select(list(COUNTED)).to_pandas()
    return frame
