"""Streams of one chart: how often each number is met, the level of every chart, and sums by track."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from diffusion.contracts import CHART_SUMS, STREAM_COUNTS, TRACK_SUMS
from diffusion.display import Displayed
from diffusion.engine import Engine
from diffusion.errors import DataSaysNoError


@dataclass(frozen=True, slots=True, repr=False)
class Streams(Displayed):
    """Streams of the rows of one chart, without Global; made by `Charts.streams`.

    Attributes
    ----------
    counts
        One row per number of streams; columns as in `diffusion.contracts.STREAM_COUNTS`.
    charts
        One row per market and date; columns as in `diffusion.contracts.CHART_SUMS`.
    tracks
        One row per track; columns as in `diffusion.contracts.TRACK_SUMS`.
    chart
        Name of the chart.
    """

    counts: pa.Table
    charts: pa.Table
    tracks: pa.Table
    chart: str

    def __post_init__(self) -> None:
        for name, contract in (("counts", STREAM_COUNTS), ("charts", CHART_SUMS), ("tracks", TRACK_SUMS)):
            object.__setattr__(self, name, contract.conform(getattr(self, name)))

    def _facts(self) -> str:
        return f" of {self.chart}: {self.counts.num_rows:,} numbers, {self.tracks.num_rows:,} tracks"

    @classmethod
    def of(cls, engine: Engine, chart: str) -> "Streams":
        """Return the streams of a chart whose observations the engine holds.

        Raises
        ------
        DataSaysNoError
            When the chart has no row of a market.
        """
        charts = engine.fetch("chart_sums", chart=chart)
        if not charts.num_rows:
            raise DataSaysNoError(f"the chart '{chart}' has no row of a market")
        engine.keep("levels", _levels(charts))
        return cls(engine.fetch("stream_counts", chart=chart), charts, engine.fetch("track_sums", chart=chart), chart)


def _levels(charts: pa.Table) -> pa.Table:
    """Return the mean log10 streams and log10 position of every chart, in ten-thousandths, as whole numbers."""
    rows = np.maximum(charts["streamed_rows"].to_numpy(), 1)
    means = {name: np.rint(charts[name].to_numpy() / rows).astype(np.int64) for name in ("log", "log_rank")}
    return pa.table({"market": charts["market"], "date": charts["date"], **means})
