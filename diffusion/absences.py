"""Absences: when tracks left every market's chart, and when they came back."""

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from diffusion.contracts import ABSENCES
from diffusion.display import HEAD, Displayed
from diffusion.errors import SettingError
from diffusion.frames import frame_of
from diffusion.recordings import Identity


@dataclass(frozen=True, repr=False)
class Absences(Displayed):
    """Absences of tracks from every market's chart; made by `Charts.absences`.

    Attributes
    ----------
    table
        One row per track and absence; columns as in `diffusion.contracts.ABSENCES`.
    chart
        Name of the chart.
    periods
        Number of periods without the track after which it has left.
    identity
        Whether ids of one recording are one track; see `Charts.entries`.

    Examples
    --------
    >>> from datetime import date
    >>> days = {"last_on": [date(2021, 5, 1)], "left_on": [date(2021, 5, 29)], "back_on": [None]}
    >>> Absences(pa.table({"track_id": ["a"], **days}), "top50", 28)
    <Absences from top50 for 28 charts or more: 1>
    """

    table: pa.Table
    chart: str
    periods: int
    identity: Identity = "track"

    def __post_init__(self) -> None:
        if not isinstance(self.periods, int) or self.periods < 1:
            raise SettingError(f"periods is {self.periods}, but an absence lasts at least one chart")
        object.__setattr__(self, "table", ABSENCES.conform(self.table))

    def _facts(self) -> str:
        return f" from {self.chart} for {self.periods} charts or more: {len(self):,}"

    def _shown(self) -> pd.DataFrame:
        return frame_of(self.table.slice(0, HEAD))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a frame, with dates as ``datetime64``."""
        return frame_of(self.table)
