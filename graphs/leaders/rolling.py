"""Leaders by period: scores of the tracks that debut in each period, with intervals."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from diffusion import DataSaysNoError
from diffusion.pairs.counts import cluster_transitions
from diffusion.timelines import Timelines
from graphs.journeys.slices import Period, day_number, debuts_in, rolling_periods
from graphs.leaders.bootstrap import DEFAULT, bootstrap_leaders

WHOLE: Final = ["rank", "rank_low", "rank_high", "group"]
"""Columns of whole numbers among `SCORE_COLUMNS`."""

SCORE_COLUMNS: Final = ["score", "low", "high", *WHOLE]
"""Columns of a market and period, as in `graphs.leaders.bootstrap.Leaders.table`."""


def rolling_leaders(
    timelines: Timelines,
    *,
    window: int,
    width: int = 365,
    step: int = 91,
    replicates: int = 1000,
    seed: int = 0,
    measures: Sequence[str] = DEFAULT,
) -> pd.DataFrame:
    """Return the leaders of rolling periods, as `period_leaders` does.

    Parameters
    ----------
    timelines
        Entries as arrays.
    window
        Days within which the target must follow, the bound included.
    width
        Length of a period in days (default 365).
    step
        Days from the start of one period to the start of the next (default 91).
    replicates, seed, measures
        As in `graphs.leaders.bootstrap.bootstrap_leaders`.

    Raises
    ------
    SettingError
        When the width is longer than the coverage.
    DataSaysNoError
        When no track makes a transition in any period.
    """
    periods = rolling_periods(timelines, width=width, step=step)
    return period_leaders(timelines, periods, window=window, replicates=replicates, seed=seed, measures=measures)


def period_leaders(
    timelines: Timelines,
    periods: Sequence[Period],
    *,
    window: int,
    replicates: int = 1000,
    seed: int = 0,
    measures: Sequence[str] = DEFAULT,
) -> pd.DataFrame:
    """Return the leaders among the tracks that debut in each period.

    Parameters
    ----------
    timelines
        Entries as arrays.
    periods
        Periods, as `graphs.journeys.slices` makes them.
    window
        Days within which the target must follow, the bound included.
    replicates, seed, measures
        As in `graphs.leaders.bootstrap.bootstrap_leaders`; measures that need lags are not available.

    Returns
    -------
    DataFrame
        One row per period, measure and market, in the order of periods, measures and markets: `period`, `start`, `end`
        (dates, both included), `market`, `measure`, `score`, `low`, `high` (95 % interval), `rank`, `rank_low`,
        `rank_high`, `group`, `transitions` (all transitions of the period). The score is missing, not 0, where the
        market was not in coverage and past its washout on any day of the period, where no track of the period has a
        timed entry there, and where the period has no transition. Such markets are not in the graph of the period.

    Raises
    ------
    DataSaysNoError
        When there is no period, or no track makes a transition in any.

    Notes
    -----
    Overlapping periods share clusters of tracks, so their scores are not independent.
    """
    transitions = cluster_transitions(timelines, window=window)
    parts = [
        _of_period(timelines, transitions, period, replicates, seed + number, list(measures))
        for number, period in enumerate(periods)
    ]
    if not any(part["transitions"].any() for part in parts):
        raise DataSaysNoError(
            f"no track makes a transition within {window} days in any of {len(parts)} periods; try longer ones"
        )
    return pd.concat(parts, ignore_index=True)


def _of_period(
    timelines: Timelines,
    transitions: csr_array,
    period: Period,
    replicates: int,
    seed: int,
    measures: list[str],
) -> pd.DataFrame:
    """Return the rows of one period, by measure and market."""
    mine = debuts_in(timelines, period)
    entered = np.unique(timelines.market[timelines.timed & mine[timelines.track]])
    there = np.intersect1d(entered, np.flatnonzero(observed_in(timelines, period)))
    m = len(timelines.markets)
    # the tracks of a cluster have one debut, so they are all in the period or all outside
    own = transitions[np.unique(timelines.cluster[mine])][:, (there[:, None] * m + there).ravel()]
    rows = pd.MultiIndex.from_product([measures, list(timelines.markets)], names=["measure", "market"])
    if own.nnz:
        names = [timelines.markets[number] for number in there]
        found = bootstrap_leaders(own, names, replicates=replicates, seed=seed, measures=measures)
        table = found.table.set_index(["measure", "market"])[SCORE_COLUMNS].reindex(rows)
    else:
        table = pd.DataFrame(np.nan, index=rows, columns=SCORE_COLUMNS).astype(dict.fromkeys(WHOLE, "Int64"))
    start, end = pd.Timestamp(period.start), pd.Timestamp(period.end)
    table = table.assign(period=period.name, start=start, end=end, transitions=int(own.sum())).reset_index()
    return table[["period", "start", "end", "market", "measure", *SCORE_COLUMNS, "transitions"]]


def observed_in(timelines: Timelines, period: Period) -> NDArray[np.bool_]:
    """Return the markets that were in coverage and past their washout on some day of the period, (m,) flags."""
    first, last = day_number(period.start), day_number(period.end)
    seen = (timelines.span_first + timelines.washout <= np.minimum(last, timelines.span_last)) & (
        timelines.span_last >= first
    )
    observed = np.zeros(len(timelines.markets), np.bool_)
    observed[timelines.span_market[seen]] = True
    return observed
