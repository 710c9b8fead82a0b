"""The truth that methods should find: the network, and rates and lag curves of a large population of tracks."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from diffusion.risk.kaplan_meier import KaplanMeier
from diffusion.simulation.network import SPAN, lag_rate
from diffusion.simulation.observed import ObservedDates
from diffusion.simulation.worlds import World

DAYS: Final = (7, 14, 28, 56)
"""Lags in days at which lag curves are compared with the truth."""

POPULATION: Final = 40
"""Tracks of the population per track of the sample; its sampling error adds 1/40 to the variance of an error."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of one world, by source (row) and target (column); rates are NaN on the diagonal.

    Attributes
    ----------
    alpha
        (m, m): α of the network.
    alpha_late
        (m, m): the part of α later than the source's chart period, averaged over the time of entry within it; earlier
        entries are observed as ties.
    clout
        (m,): sum of a market's α over targets.
    rate
        (m, m): P(target within the window | exposed); NaN where the population has no exposed track.
    curve
        (m, m, c): the same probability within each of `DAYS`.
    transitions
        (m, m): expected transitions in a sample if all its tracks were followed through the window.
    credits
        (m, m): expected entries into the target caused by the source after its own date, in a sample; each exposed
        track is followed until it enters or the dates end.
    """

    alpha: Floats
    alpha_late: Floats
    clout: Floats
    rate: Floats
    curve: Floats
    transitions: Floats
    credits: Floats


def draw_truth(world: World, *, population: int = POPULATION) -> Truth:
    """Return the truth of a world; its rates are those of `population` times as many tracks with full follow-up.

    The population has the network, releases and dates of the sample, and regular dates after the last one until every
    exposed track is followed through the window. Kaplan–Meier estimates these rates if censoring is independent of the
    lag. Ties and missing dates are as in the sample.
    """
    window, cell = world.cell.window, world.cell
    times = world.population(population * world.size.tracks, days=window + cell.days)
    watch = world.watch.extended(window, cell.days)
    seen = see(watch, times, dates=len(world.watch.dates))
    entered, censored = follow_up(seen, window=window)
    curve = KaplanMeier.of_ends(entered, censored).incidence
    exposed = (entered + censored).sum(axis=2)
    rate = np.where(exposed > 0, curve[..., -1], np.nan)
    return Truth(
        alpha=world.network.alpha,
        alpha_late=world.network.alpha * _late_share(world),
        clout=world.network.alpha.sum(axis=1),
        rate=rate,
        curve=np.where(exposed[..., None] > 0, curve[..., list(DAYS)], np.nan),
        transitions=np.where(exposed > 0, rate * exposed, 0.0) / population,
        credits=expected_credits(world, seen, times) / population,
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """Entries of n tracks as they are observed.

    Attributes
    ----------
    watch
        The observed dates.
    index
        (n, m): index of the date of the entry, by `ObservedDates.seen`.
    source
        (n, m): whether entry and debut are timed, and the entry is on one of the dates on which exposure may begin.
    """

    watch: ObservedDates
    index: Ints
    source: NDArray[np.bool_]

    def exposed(self, source: int) -> tuple[Ints, NDArray[np.bool_]]:
        """Return the r tracks timed in the source, and (r, m) whether each is then exposed to each market."""
        rows = np.flatnonzero(self.source[:, source])
        index, here = self.index[rows], self.index[rows, source]
        # by date and market: whether it is in coverage and past its washout
        open_ = (self.watch.dates >= self.watch.timed_from).T & (
            np.arange(len(self.watch.dates))[:, None] >= self.watch.first
        )
        return rows, open_[here] & (index > here[:, None])


def see(watch: ObservedDates, times: Floats, *, dates: int) -> Seen:
    """Return entries at the given times as they are observed; exposure begins on one of the first `dates` dates."""
    index = watch.seen(times)
    last = len(watch.dates)
    market = np.arange(len(watch.markets))
    at = np.minimum(index, last - 1)
    timed = (index < last) & (watch.dates[at] >= watch.timed_from[market, at])
    timed_debut = (timed & (index == index.min(axis=1)[:, None])).any(axis=1)
    return Seen(watch, index, timed & timed_debut[:, None] & (index < dates))


def follow_up(seen: Seen, *, window: int) -> tuple[Ints, Ints]:
    """Return the numbers of exposed tracks of each pair that entered and that were censored, by lag.

    Parameters
    ----------
    window
        Days: longest follow-up.

    Returns
    -------
    tuple of arrays
        (m, m, window + 1) each, by source, target and days; the diagonal is empty.
    """
    watch = seen.watch
    markets = len(watch.markets)
    span_last = watch.dates[np.searchsorted(watch.stretch, watch.stretch, side="right") - 1]
    entered = np.zeros((markets, markets, window + 1), np.int64)
    censored = np.zeros_like(entered)
    never = watch.dates[-1] + window + 1
    day = np.append(watch.dates, never)[seen.index]
    for source in range(markets):
        rows, exposed = seen.exposed(source)
        start = day[rows, source][:, None]
        follow = np.minimum(window, span_last[seen.index[rows, source]][:, None] - start)
        lag = day[rows] - start
        happens = exposed & (lag <= follow)
        for counts, flags, days in ((entered, happens, lag), (censored, exposed & ~happens, follow)):
            at, target = np.nonzero(flags)
            key = target * (window + 1) + np.broadcast_to(days, flags.shape)[at, target]
            counts[source] += np.bincount(key, minlength=markets * (window + 1)).reshape(markets, window + 1)
    return entered, censored


def _late_share(world: World) -> Floats:
    """Return, (m, m), the mean of 1 − F(x) over x from 0 to the cadence, where F is the integral of the lag density."""
    network, days = world.network, world.cell.days
    theta = lag_rate(np.where(network.alpha > 0, network.median_lag, 1.0))
    soon = (1 + np.expm1(-theta * days) / (theta * days)) / -np.expm1(-theta * SPAN)
    return np.asarray(1 - soon)


def expected_credits(world: World, seen: Seen, times: Floats) -> Floats:
    """Return, (m, m), expected entries into the target caused by the source, for the tracks of `times`, up to the end.

    This is the sum over exposed tracks of α times the integral of the lag density, from the end of the source's date
    until the track enters the target or the dates end: the mean of the count of caused entries. A target entered before
    the end of that date is a tie, not exposed.
    """
    network = world.network
    theta = lag_rate(np.where(network.alpha > 0, network.median_lag, 1.0))
    found = np.zeros_like(network.alpha)
    for source, target in zip(*np.nonzero(network.alpha), strict=True):
        rows, exposed = seen.exposed(source)
        rows = rows[exposed[:, target]]
        begun = seen.watch.dates[seen.index[rows, source]] + 1.0
        ended = np.minimum(times[rows, target], world.end)
        rate, entry = theta[source, target], times[rows, source]
        until, since = (
            np.expm1(-rate * (time - entry).clip(0, SPAN)) / np.expm1(-rate * SPAN) for time in (ended, begun)
        )
        found[source, target] = network.alpha[source, target] * (until - since).clip(0).sum()
    return found
