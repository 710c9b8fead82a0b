"""Leaders by period: scores of the tracks that debut in each period, with intervals."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from diffusion import DataSaysNoError
from diffusion.entry_pairs import artist_transitions_in
from diffusion.parts import in_parts
from diffusion.timelines import Timelines
from graphs.baseline import Baseline
from graphs.baseline.step_parts import steps_of
from graphs.journeys.slices import Period, day_number, debuting, debuts_in, rolling_periods
from graphs.leaders.asymmetry import MEASURE, Leads, lead_table
from graphs.leaders.bootstrap import DEFAULT, bootstrap_leaders

SCORE_COLUMNS: Final = ["score", "low", "high", "artists", "rank"]
"""Columns of a market and period, as in `graphs.contracts.LEADERS`."""


def rolling_leaders(
    fit: Baseline,
    leads: Leads,
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
    fit, leads, window
        As in `period_leaders`.
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
    periods = rolling_periods(fit.entries.timelines, width=width, step=step)
    return period_leaders(fit, leads, periods, window=window, replicates=replicates, seed=seed, measures=measures)


def period_leaders(
    fit: Baseline,
    leads: Leads,
    periods: Sequence[Period],
    *,
    window: int,
    replicates: int = 1000,
    seed: int = 0,
    measures: Sequence[str] = DEFAULT,
) -> pd.DataFrame:
    """Return the leaders among the tracks that debut in each period, `lead_excess` first.

    Parameters
    ----------
    fit
        The baseline, fitted to all tracks.
    leads
        Its leads (`graphs.leaders.asymmetry`).
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
        (dates, both included), `market`, `measure`, `score`, `low`, `high` (95 % interval), `artists`, `rank`,
        `transitions` (all transitions of the period). The score is missing, not 0, where the market was not in coverage
        and past its washout on any day of the period, where no track of the period has a timed entry there, and where
        the period has no transition. Such markets are not in the graph of the period.

    Raises
    ------
    DataSaysNoError
        When there is no period, or no track makes a transition in any.

    Notes
    -----
    Overlapping periods share tracks, and tracks of one artist are in several periods, so scores are not independent.
    """
    parts = in_parts(fit.entries)
    moves = [artist_transitions_in(parts, window=window, chosen=partial(debuting, period=period)) for period in periods]
    tables = [
        _of_period(fit, leads, period, own, replicates, seed + number, list(measures))
        for number, (period, own) in enumerate(zip(periods, moves, strict=True))
    ]
    if not any(table["transitions"].any() for table in tables):
        raise DataSaysNoError(
            f"no track makes a transition within {window} days in any of {len(tables)} periods; try longer ones"
        )
    return pd.concat(tables, ignore_index=True)


def _of_period(
    fit: Baseline, leads: Leads, period: Period, moves: csr_array, replicates: int, seed: int, measures: list[str]
) -> pd.DataFrame:
    """Return the rows of one period, by measure and market; `moves` are its transitions by artist and pair."""
    timelines = fit.entries.timelines
    mine = debuts_in(timelines, period)
    entered = np.unique(timelines.market[timelines.timed & mine[timelines.track]])
    there = np.intersect1d(entered, np.flatnonzero(observed_in(timelines, period)))
    m = len(timelines.markets)
    own = moves[:, (there[:, None] * m + there).ravel()]
    rows = pd.MultiIndex.from_product([[MEASURE, *measures], list(timelines.markets)], names=["measure", "market"])
    if own.nnz:
        names = [timelines.markets[number] for number in there]
        found = bootstrap_leaders(own, names, replicates=replicates, seed=seed, measures=measures).table
        tested = lead_table(leads.only(steps_of(mine)), replicates=replicates, seed=seed)
        both = pd.concat([tested[tested["market"].isin(names)], found])
        table = both.set_index(["measure", "market"])[SCORE_COLUMNS].reindex(rows)
    else:
        table = pd.DataFrame(np.nan, index=rows, columns=SCORE_COLUMNS).astype({"rank": "Int64"})
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
