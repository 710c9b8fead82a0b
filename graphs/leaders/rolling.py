"""Who leads when: leaders of one period after another, with intervals."""

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
SAID: Final = ["score", "low", "high", *WHOLE]
"""What is said of a market in a period, as in `graphs.leaders.bootstrap.Leaders.table`."""


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
    window
        Days of a transition.
    width, step
        Days that a period lasts, and from the start of one to the next (default 365 and 91).
    replicates, seed, measures
        As in `graphs.leaders.bootstrap.bootstrap_leaders`.

    Raises
    ------
    SettingError
        When the width is more than the coverage.
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
    periods
        As `graphs.journeys.slices` makes them.
    window
        Days of a transition.
    replicates, seed, measures
        As in `graphs.leaders.bootstrap.bootstrap_leaders`; measures that need lags cannot be had.

    Returns
    -------
    DataFrame
        One row per period, measure and market, in the order of periods, measures and markets: `period`, `start`, `end`
        (dates, both included), `market`, `measure`, `score`, `low`, `high` (95 %), `rank`, `rank_low`, `rank_high`,
        `group`, `transitions` (of the period in all). A market has no score when it was not watched
        past its washout on any day of the period, or none of the period's tracks has a timed entry there, and no market
        has one in a period without transitions: those are missing, not 0. Scores are of the graph of the other markets.

    Raises
    ------
    DataSaysNoError
        When there is no period, or no track makes a transition in any.

    Notes
    -----
    The clusters of tracks of overlapping periods are in part the same, so their rows go up and down together.
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
    there = np.intersect1d(entered, np.flatnonzero(watched_in(timelines, period)))
    m = len(timelines.markets)
    # clusters are of one debut, so all their tracks are of the period or none is
    own = transitions[np.unique(timelines.cluster[mine])][:, (there[:, None] * m + there).ravel()]
    rows = pd.MultiIndex.from_product([measures, list(timelines.markets)], names=["measure", "market"])
    if own.nnz:
        names = [timelines.markets[number] for number in there]
        found = bootstrap_leaders(own, names, replicates=replicates, seed=seed, measures=measures)
        table = found.table.set_index(["measure", "market"])[SAID].reindex(rows)
    else:
        table = pd.DataFrame(np.nan, index=rows, columns=SAID).astype(dict.fromkeys(WHOLE, "Int64"))
    start, end = pd.Timestamp(period.start), pd.Timestamp(period.end)
    table = table.assign(period=period.name, start=start, end=end, transitions=int(own.sum())).reset_index()
    return table[["period", "start", "end", "market", "measure", *SAID, "transitions"]]


def watched_in(timelines: Timelines, period: Period) -> NDArray[np.bool_]:
    """Return the markets that were in coverage and past their washout on some day of the period, (m,) flags."""
    first, last = day_number(period.start), day_number(period.end)
    seen = (timelines.span_first + timelines.washout <= np.minimum(last, timelines.span_last)) & (
        timelines.span_last >= first
    )
    watched = np.zeros(len(timelines.markets), np.bool_)
    watched[timelines.span_market[seen]] = True
    return watched
