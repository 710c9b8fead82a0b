"""Counts of pairs by period of the track's debut; those of disjoint sets of tracks add up."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from diffusion import Entries
from diffusion.arrays import Ints
from diffusion.engine import Tables
from diffusion.pairs.counts import pair_counts
from diffusion.pairs.transitions import lag_quantiles
from diffusion.parts import as_tables, summed
from diffusion.risk.follow_up import longest_exposure
from diffusion.timelines import Timelines
from graphs.journeys.slices import Period, debuts_in, of_tracks

CELL: Final = ("period", "source", "target", "lag")
"""Columns of a table of lags that are numbers of periods, of markets, and days."""


def period_counts(timelines: Timelines, window: int, periods: Sequence[Period]) -> Tables:
    """Return the counts of the tracks that debut in each of p periods.

    Returns
    -------
    Tables
        ``lags``: `tracks` with a transition by `CELL`; ``joint`` and ``exposed``: (p, m, m) arrays, as
        `diffusion.parts.as_tables` returns them.

    Raises
    ------
    SettingError
        When the window is not between 1 and 36,500 days.
    """
    longest_exposure(timelines, window)  # checks the window, also where no track debuts
    shape = len(periods), len(timelines.markets), len(timelines.markets)
    joint, exposed = np.zeros((2, *shape), np.int64)
    lags = [pa.table({name: np.zeros(0, np.int64) for name in (*CELL, "tracks")})]
    for number, period in enumerate(periods):
        tracks = debuts_in(timelines, period)
        if not tracks.any():
            continue
        counts = pair_counts(of_tracks(timelines, tracks), window=window)
        joint[number], exposed[number] = counts.joint, counts.exposed
        cells = np.nonzero(counts.entered)
        columns = (np.full(len(cells[0]), number), *cells, counts.entered[cells])
        lags.append(pa.table(dict(zip((*CELL, "tracks"), columns, strict=True))))
    return {"lags": pa.concat_tables(lags), **as_tables({"joint": joint, "exposed": exposed})}


def counts_of_entries(entries: Entries, *, window: int, periods: Sequence[Period]) -> Tables:
    """Return the counts of all tracks of some entries, as `period_counts` returns them."""
    return period_counts(entries.timelines, window, periods)


def edges_of(
    found: Iterable[Tables], periods: Sequence[Period], markets: Sequence[str], longest: int
) -> list[pd.DataFrame]:
    """Return the edges of each period with a transition, as `graphs.journeys.stream.period_edges` describes them.

    Parameters
    ----------
    found
        Counts of disjoint sets of tracks, as `period_counts` returns them.
    longest
        Longest lag in days.
    """
    lags: list[pa.Table] = []
    counts = summed(_arrays(found, lags))
    cells = pa.concat_tables(lags).group_by(list(CELL), use_threads=False).aggregate([("tracks", "sum")]).to_pandas()
    entered = np.zeros((len(markets), len(markets), longest + 1), np.int64)
    tables = []
    for number, own in cells.groupby("period"):
        entered[:] = 0
        entered[own["source"], own["target"], own["lag"]] = own["tracks_sum"]
        joint, exposed = (counts[name][number] for name in ("joint", "exposed"))
        tables.append(_edges(periods[number], markets, entered, joint=joint, exposed=exposed))
    return tables


def _arrays(found: Iterable[Tables], lags: list[pa.Table]) -> Iterator[Tables]:
    """Yield the arrays of each set of tracks, and append its lags to `lags`."""
    for tables in found:
        lags.append(tables["lags"])
        yield {name: tables[name] for name in ("joint", "exposed")}


def _edges(period: Period, markets: Sequence[str], entered: Ints, *, joint: Ints, exposed: Ints) -> pd.DataFrame:
    """Return the rows of one period from its tracks by lag, (m, m, lags), its ties and exposed tracks, (m, m)."""
    tracks = entered.sum(axis=2)
    source, target = np.nonzero(tracks)
    codes = np.array(markets, dtype=object)
    median = lag_quantiles(entered, {"lag_median": 0.5})["lag_median"]
    return pd.DataFrame(
        {
            "period": pd.Series([period.name] * len(source), dtype=object),
            "start": pd.Series([pd.Timestamp(period.start)] * len(source), dtype="datetime64[s]"),
            "end": pd.Series([pd.Timestamp(period.end)] * len(source), dtype="datetime64[s]"),
            "source": codes[source],
            "target": codes[target],
            "tracks": tracks[source, target],
            "joint": joint[source, target],
            "exposed": exposed[source, target],
            "lag_median": median[source, target],
        }
    )
