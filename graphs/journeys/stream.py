"""Transitions in time: a table of all transitions, and the edges of each period."""

from collections.abc import Iterable
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DataSaysNoError, Entries, SettingError
from diffusion.arrays import Days
from diffusion.conventions import LONGEST
from diffusion.engine import Tables
from diffusion.parts import in_parts
from diffusion.risk.follow_up import longest_exposure
from diffusion.timelines import NEVER, Timelines
from graphs.journeys.period_counts import counts_of_entries, edges_of, period_counts
from graphs.journeys.slices import By, Period, calendar_periods

Index = NDArray[np.intp]


def transition_stream(timelines: Timelines, window: int) -> pd.DataFrame:
    """Return every timed transition, in the order of arrival in the target.

    Parameters
    ----------
    timelines
        Entries as arrays.
    window
        Days within which the target must follow, the bound included.

    Returns
    -------
    DataFrame
        One row per track and ordered pair of markets, by `arrival`, `entry`, `track_id`, `source`, `target`:
        `track_id`; `source`, `target`; `entry` (date of the source's first chart with the track); `arrival` (the same
        for the target); `lag` (days between them, 1 … window); `lag_low`, `lag_high` (days; the lag between the true
        entries lies strictly between these bounds, which follow from the last charts without the track; `lag_high` is
        missing where the source has no earlier chart). The number of rows of a pair is `tracks` in
        `diffusion.transitions`.

    Raises
    ------
    SettingError
        When the window is below 1 day.
    DataSaysNoError
        When there is no transition.

    Examples
    --------
    >>> stream = transition_stream(entries.timelines, 28)
    >>> len(stream), stream.columns.tolist()
    (9584, ['track_id', 'source', 'target', 'entry', 'arrival', 'lag', 'lag_low', 'lag_high'])
    """
    first, second = transition_pairs(timelines, window)
    if not len(first):
        raise DataSaysNoError(_nothing(timelines, window))
    ids, markets = timelines.track_ids, np.array(timelines.markets, dtype=object)
    track, source, target = timelines.track[first], timelines.market[first], timelines.market[second]
    entry, arrival = timelines.day[first], timelines.day[second]
    order = np.lexsort((target, source, track, entry, arrival))
    unknown = timelines.last_without[first] == NEVER
    longest = np.where(unknown, 0, arrival - timelines.last_without[first])
    table = pd.DataFrame(
        {
            "track_id": ids[track],
            "source": markets[source],
            "target": markets[target],
            "entry": _dates(entry),
            "arrival": _dates(arrival),
            "lag": (arrival - entry).astype(np.int64),
            "lag_low": (timelines.last_without[second] - entry).astype(np.int64),
            "lag_high": pd.arrays.IntegerArray(longest.astype(np.int64), unknown),
        }
    )
    return table.take(order).reset_index(drop=True)


def period_edges(timelines: Timelines, window: int, by: By = "year") -> pd.DataFrame:
    """Return the edges of every year, half-year, quarter or month, counted over the tracks that debut in it.

    Parameters
    ----------
    timelines
        Entries as arrays.
    window
        Days within which the target must follow, the bound included. A transition counts in the period of its track's
        debut, even when it ends in a later period: every track is in one period, and the counts of all periods add up
        to those of `diffusion.transitions`.
    by
        Length of a period, as in `graphs.journeys.slices.calendar_periods` (default ``year``).

    Returns
    -------
    DataFrame
        One row per period and ordered pair with a transition, by `start`, `source`, `target`: `period` (its name),
        `start` and `end` (its first and last date by the calendar), `source`, `target`, `tracks`, `joint`, `exposed`
        (as in `diffusion.transitions`), `lag_median` (days). `graphs.exports.gexf` accepts this table. Follow-up of the
        last period may be incomplete; compare `tracks` with `exposed` there.

    Raises
    ------
    SettingError
        When `by` is none of these lengths, or the window is below 1 day.
    DataSaysNoError
        When there is no transition.

    Examples
    --------
    >>> periods = period_edges(entries.timelines, 28, by="month")
    >>> periods.groupby("period")["tracks"].sum()
    period
    2021-04     865
    2021-05    6756
    2021-06    1963
    Name: tracks, dtype: int64
    """
    periods = calendar_periods(timelines, by)
    return _stacked([period_counts(timelines, window, periods)], timelines, window, periods)


def period_edges_of(entries: Entries, window: int, by: By = "year") -> pd.DataFrame:
    """Return `period_edges` of entries, counted part by part where they have workers."""
    periods = calendar_periods(entries.timelines, by)
    parts = in_parts(entries)
    found = parts.one_by_one(partial(counts_of_entries, window=window, periods=periods))
    return _stacked(found, entries.timelines, window, periods)


def _stacked(found: Iterable[Tables], timelines: Timelines, window: int, periods: list[Period]) -> pd.DataFrame:
    tables = edges_of(found, periods, timelines.markets, longest_exposure(timelines, window))
    if not tables:
        raise DataSaysNoError(_nothing(timelines, window))
    return pd.concat(tables, ignore_index=True)


def transition_pairs(timelines: Timelines, window: int) -> tuple[Index, Index]:
    """Return the numbers of the source's and the target's entry of every timed transition, (k,) each.

    A transition consists of two timed entries of one track. The second is at most `window` days after the first, and
    the order of both was observed. On the day of the first, the target is in coverage and past its washout; there is no
    long gap in its coverage between the two days.
    """
    if not 1 <= window <= LONGEST:
        raise SettingError(f"window is {window} days; it must be between 1 and {LONGEST:,}")
    timed = np.flatnonzero(timelines.timed)
    day = timelines.day[timed].astype(np.int64)
    # entries are in order of track and day, so one number sorts them; days are far below 2^31
    key = (timelines.track[timed].astype(np.int64) << 32) + day
    begin = np.searchsorted(key, key, side="right")
    following = np.searchsorted(key, key + window, side="right") - begin
    first = np.repeat(np.arange(len(timed)), following)
    second = np.arange(len(first)) - np.repeat(np.cumsum(following) - following, following) + begin[first]
    first, second = timed[first], timed[second]
    seen = timelines.day[first] <= timelines.last_without[second]
    first, second = first[seen], second[seen]
    span = timelines.span_of(timelines.market[second], timelines.day[first])
    watched = span >= 0
    watched &= timelines.span_first[span] + timelines.washout <= timelines.day[first]
    watched &= timelines.day[second] <= timelines.span_last[span]
    return first[watched], second[watched]


def _dates(days: Days) -> "NDArray[np.datetime64]":
    return days.astype("datetime64[D]").astype("datetime64[s]")


def _nothing(timelines: Timelines, window: int) -> str:
    return (
        f"no transition between the {len(timelines.markets)} markets within {window} days among "
        f"{int(timelines.timed.sum()):,} timed entries; try a longer window or a shorter washout "
        f"({timelines.washout} days now)"
    )
