"""What was watched, market by market and day by day: where a null may put an entry, and what it would then see."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffusion.timelines import NEVER, Timelines

Table = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Watch:
    """What an entry into a market on a day would be: allowed or not, and preceded by what. Days count from `first`.

    Attributes
    ----------
    first
        Day (from 1970-01-01) that is day 0 here: the first day of coverage.
    allowed
        (d, m): the market is in coverage and past its washout, so that an entry of that day is timed.
    without
        (d, m): the market's observed day before; for the day of a real entry it is that entry's `last_without`.
    """

    first: int
    allowed: NDArray[np.bool_]
    without: Table


def watch(timelines: Timelines) -> Watch:
    """Return what was watched, as far as stretches of coverage and entries tell.

    A day is taken as observed in a market when some market is known to have been observed that day, the market was in
    coverage, and no entry of the market shows that it was not: nothing was observed between an entry and its
    `last_without`. A gap after which no track entered is thus missed; the days of real entries are always right.
    """
    first = int(timelines.span_first.min())
    length = int(timelines.span_last.max()) - first + 1
    shape = (length, len(timelines.markets))
    market, begin = timelines.span_market.astype(np.intp), timelines.span_first - first
    past = begin + timelines.washout
    span = _painted(shape, market, begin, timelines.span_last - first, np.arange(1, len(market) + 1))
    allowed = _painted(shape, market, past, timelines.span_last - first, np.ones(len(market), np.int64)) > 0
    observed = (span > 0) & _known(timelines, first, length)[:, None] & ~_gaps(timelines, first, shape)
    latest = np.where(observed, np.arange(length, dtype=np.int32)[:, None], NEVER)
    without = np.full(shape, NEVER, np.int32)
    without[1:] = np.maximum.accumulate(latest, axis=0)[:-1]
    return Watch(first, allowed, without)


def _painted(
    shape: tuple[int, int],
    market: NDArray[np.intp],
    begin: NDArray[np.int32],
    end: NDArray[np.int32],
    value: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return a (d, m) table that holds `value` from `begin` to `end`, 0 elsewhere; empty stretches paint nothing."""
    steps = np.zeros((shape[0] + 1, shape[1]), np.int64)
    real = begin <= end
    np.add.at(steps, (begin[real], market[real]), value[real])
    np.add.at(steps, (end[real] + 1, market[real]), -value[real])
    return steps.cumsum(axis=0)[:-1]


def _known(timelines: Timelines, first: int, length: int) -> NDArray[np.bool_]:
    """Return the days on which some market is known to have been observed."""
    known = np.zeros(length, np.bool_)
    before = timelines.last_without[timelines.last_without != NEVER]
    for days in (timelines.day, before, timelines.span_first, timelines.span_last):
        known[days - first] = True
    return known


def _gaps(timelines: Timelines, first: int, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the days on which an entry shows that its market was not observed."""
    here = timelines.last_without != NEVER
    begin, end = timelines.last_without[here] - first + 1, timelines.day[here] - first - 1
    market = timelines.market[here].astype(np.intp)
    return _painted(shape, market, begin, end, np.ones(len(market), np.int64)) > 0
