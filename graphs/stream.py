"""The graph in time: every transition as it happened, and the edges of every year or quarter."""

from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError
from diffusion.schema import LONGEST
from diffusion.timelines import NEVER, Days, Timelines

By = Literal["year", "quarter"]
Index = NDArray[np.intp]
Counts = NDArray[np.int64]

MONTHS: Final[dict[By, int]] = {"year": 12, "quarter": 3}

BLOCK: Final = 65_536
"""Entries compared with all markets at a time: tables of some ten megabytes."""


def transition_stream(timelines: Timelines, window: int) -> pd.DataFrame:
    """Return every timed transition in the order in which it was completed.

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
        `track_id`; `source`, `target`; `entry` (date of the first chart of the source with the track) and `arrival`
        (the same of the target); `lag` (days between them, 1 … window); `lag_low`, `lag_high` (days: the lag between
        the true entries lies strictly between them, as far as the charts before both tell; `lag_high` is missing where
        there was no chart of the source before). By pair, the rows are the `tracks` of `diffusion.transitions`.

    Raises
    ------
    SettingError
        When the window is no number of days from 1 on.
    DataSaysNoError
        When there is no transition.
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
    """Return the edges of every year or quarter: those of the tracks whose debut it saw.

    Parameters
    ----------
    timelines
        Entries as arrays.
    window
        Days within which the target must follow, the bound included. A transition counts to the period of its track's
        debut, even when it ends in a later one, so that every track is in one period and the counts of all periods
        add up to those of `diffusion.transitions`.
    by
        ``"year"`` or ``"quarter"``.

    Returns
    -------
    DataFrame
        One row per period and ordered pair with a transition, by `period`, `source`, `target`: `period` (``2021`` or
        ``2021-Q3``), `start` and `end` (its first and last date by the calendar), `source`, `target`, `tracks`,
        `joint`, `exposed` (as in `diffusion.transitions`), `lag_median` (days). `graphs.exports.gexf` takes it as it
        is. In the last period some follow-up is not complete yet: compare `tracks` with `exposed` there.

    Raises
    ------
    SettingError
        When `by` is something else, or the window is no number of days from 1 on.
    DataSaysNoError
        When there is no transition.
    """
    if by not in MONTHS:
        raise SettingError(f"periods are by 'year' or 'quarter', not '{by}'")
    first, second = transition_pairs(timelines, window)
    if not len(first):
        raise DataSaysNoError(_nothing(timelines, window))
    number, period = _periods(timelines.debut, MONTHS[by])
    m = len(timelines.markets)
    cell = (period[timelines.track[first]] * m + timelines.market[first]) * m + timelines.market[second]
    lags = pd.Series(timelines.day[second] - timelines.day[first]).groupby(cell).agg(["size", "median"])
    exposed, joint = (counts.ravel()[lags.index] for counts in _chances(timelines, period, len(number)))
    place, source, target = np.unravel_index(lags.index.to_numpy(), (len(number), m, m))
    markets, start = np.array(timelines.markets, dtype=object), number[place] * MONTHS[by]
    return pd.DataFrame(
        {
            "period": _names(number, by)[place],
            "start": start.astype("datetime64[M]").astype("datetime64[s]"),
            "end": ((start + MONTHS[by]).astype("datetime64[M]").astype("datetime64[D]") - 1).astype("datetime64[s]"),
            "source": markets[source],
            "target": markets[target],
            "tracks": lags["size"].to_numpy(np.int64),
            "joint": joint,
            "exposed": exposed,
            "lag_median": lags["median"].to_numpy(np.float64),
        }
    )


def transition_pairs(timelines: Timelines, window: int) -> tuple[Index, Index]:
    """Return the entries into source and target of every timed transition, as two arrays of their numbers.

    A transition is of one track: both entries timed, the second at most `window` days after the first and surely after
    it, the target's coverage past its washout on the day of the first and without a long gap from there to the second.
    """
    if not 1 <= window <= LONGEST:
        raise SettingError(f"window is {window} days; it must be between 1 and {LONGEST:,}")
    timed = np.flatnonzero(timelines.timed)
    day = timelines.day[timed].astype(np.int64)
    # entries are in order of track and day, so one number sorts them; days lie far within 2^31
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


def _chances(timelines: Timelines, period: Counts, periods: int) -> tuple[Counts, Counts]:
    """Return the exposed tracks of every period and ordered pair, and the ties: (p · m, m) each."""
    m = len(timelines.markets)
    exposed, joint = np.zeros((2, periods * m, m), np.int64)
    timed = np.flatnonzero(timelines.timed)
    group = period[timelines.track[timed]] * m + timelines.market[timed]
    order = np.argsort(group, kind="stable")
    entries, group = timed[order], group[order]
    days, without, counted = _by_market(timelines)
    opened, row = _open(timelines, timelines.day[entries])
    for at in range(0, len(entries), BLOCK):
        some = slice(at, at + BLOCK)
        mine, own = entries[some], timelines.track[entries[some]]
        day, before = timelines.day[mine, None], timelines.last_without[mine, None]
        there, after = counted[own], day <= without[own]
        timed_there = there == 1
        chance = opened[row[some]] & ((there == 0) | (timed_there & after))
        tied = timed_there & ~after & ~(days[own] <= before)
        here = np.arange(len(mine)), timelines.market[mine]
        chance[here] = tied[here] = False
        heads = np.flatnonzero(np.diff(group[some], prepend=-1))
        exposed[group[some][heads]] += np.add.reduceat(chance, heads, axis=0, dtype=np.int64)
        joint[group[some][heads]] += np.add.reduceat(tied, heads, axis=0, dtype=np.int64)
    return exposed, joint


def _by_market(timelines: Timelines) -> tuple[Days, Days, NDArray[np.int8]]:
    """Return for every track and market, (n, m) each: day, `last_without`, and 0 no, 1 a timed, 2 another entry."""
    days = timelines.matrix()
    without, kind = np.full(days.shape, NEVER, np.int32), np.zeros(days.shape, np.int8)
    at = timelines.track, timelines.market
    without[at] = timelines.last_without
    kind[at] = np.where(timelines.timed, 1, 2)
    return days, without, kind


def _open(timelines: Timelines, day: Days) -> tuple[NDArray[np.bool_], Index]:
    """Return which markets are past their washout on each day that occurs, (d, m), and the row of every day."""
    days, row = np.unique(day, return_inverse=True)
    market, when = (part.ravel() for part in np.meshgrid(np.arange(len(timelines.markets)), days))
    span = timelines.span_of(market, when)
    opened = (span >= 0) & (timelines.span_first[span] + timelines.washout <= when)
    return opened.reshape(len(days), len(timelines.markets)), row


def _periods(debut: Days, months: int) -> tuple[Counts, Counts]:
    """Return the periods that occur, counted from 1970, and the place of every debut's among them."""
    month = debut.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    number, place = np.unique(month // months, return_inverse=True)
    return number, place.astype(np.int64)


def _names(number: Counts, by: By) -> NDArray[np.object_]:
    """Return what periods counted from 1970 are called."""
    if by == "year":
        return np.array([f"{1970 + n}" for n in number], dtype=object)
    return np.array([f"{1970 + n // 4}-Q{n % 4 + 1}" for n in number], dtype=object)


def _dates(days: Days) -> "NDArray[np.datetime64]":
    return days.astype("datetime64[D]").astype("datetime64[s]")


def _nothing(timelines: Timelines, window: int) -> str:
    return (
        f"no transition between the {len(timelines.markets)} markets within {window} days among "
        f"{int(timelines.timed.sum()):,} timed entries; try a longer window or a shorter washout "
        f"({timelines.washout} days now)"
    )
