"""The simulated process: when each track enters each market, in continuous time and without approximation.

A track's debut is given: a time, and the market or markets of its release. After its debut it enters market b, once b
has launched, with the hazard

    hazard_b(t) = background_b(period, t − debut) + Σ_a α_ab · f_ab(t − entry_a)

over all markets a entered before t. f_ab is an exponential density cut off at `SPAN` days that integrates to 1, so an
entry into a alone leads to an entry into b with probability 1 − exp(−α_ab). Entries are found in order of time, and
each adds its own risks when it happens (as in Dijkstra's algorithm), so cycles and indirect paths are included. An
event due before the market's launch does not happen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from diffusion.simulation import rates
from diffusion.simulation.network import SPAN, Network, Switches, lag_rate

CHUNK = 16_384
"""Tracks per block."""


@dataclass(frozen=True, slots=True)
class Debuts:
    """Times and markets in which tracks are released.

    Attributes
    ----------
    time
        (n,): days after the start.
    footprint
        (n, m): whether the track is released in the market; at least one market each, all launched by then.
    """

    time: Floats
    footprint: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Entries, one element each, in order of track.

    Attributes
    ----------
    track, market
        Numbers of track and market.
    time
        Days after the start.
    """

    track: Ints
    market: Ints
    time: Floats


@dataclass(frozen=True, slots=True)
class Releases:
    """Days on which tracks are released, in order, and the share of markets.

    Attributes
    ----------
    day
        (n,): whole days after the start.
    breadth
        (n,): share of the other markets in which the track is released too; 0 for a single market.
    """

    day: Ints
    breadth: Floats


def draw_releases(rng: np.random.Generator, *, tracks: int, days: int, friday: int, switches: Switches) -> Releases:
    """Return releases; many are on Fridays, most of all those in many markets.

    Parameters
    ----------
    tracks
        Number of tracks.
    days
        Releases are on days 0 … `days` − 1.
    friday
        Day of the first Friday, 0 … 6.
    switches
        Without `ties`, each release is in one market.
    """
    broad = rng.random(tracks) < rates.FOOTPRINT_SHARE * switches.ties
    share, quantile = zip(*rates.FOOTPRINT_SIZES, strict=True)
    size = np.where(broad, np.interp(rng.random(tracks), share, quantile), 1.0)
    fridays = np.arange(days) % 7 == friday
    day = np.empty(tracks, dtype=np.int64)
    sizes, shares = zip(*rates.FRIDAYS, strict=True)
    for kind, friday_share in enumerate(shares):
        chosen = np.searchsorted(sizes, size, side="right") - 1 == kind
        weight = np.where(fridays, friday_share, (1 - friday_share) / 6)
        day[chosen] = rng.choice(days, size=int(chosen.sum()), p=weight / weight.sum())
    order = np.argsort(day, kind="stable")
    return Releases(day[order], (size[order] - 1) / (rates.FOOTPRINT_MARKETS - 1))


def draw_debuts(rng: np.random.Generator, network: Network, releases: Releases, hour: Floats) -> Debuts:
    """Return debuts at the given times of the release days (0 … 1), in the share of markets given by the breadth.

    Launched markets are drawn without replacement, with probability proportional to their weight.
    """
    n, m = len(releases.day), len(network.markets)
    there = network.launch[None, :] <= releases.day[:, None]
    keys = np.where(there, rng.standard_exponential((n, m)) / network.debut_weight, np.inf)
    footprint = np.zeros((n, m), dtype=bool)
    footprint[np.arange(n), keys.argmin(axis=1)] = True
    broad = np.flatnonzero(releases.breadth)
    others = np.maximum(1, np.rint(releases.breadth[broad] * (m - 1)))
    place = keys[broad].argsort(axis=1).argsort(axis=1)
    footprint[broad] = (place <= others[:, None]) & there[broad]
    return Debuts(releases.day + hour, footprint)


def spread(rng: np.random.Generator, network: Network, debuts: Debuts, *, end: float) -> Floats:
    """Return the time at which each track enters each market.

    Parameters
    ----------
    rng
        Random generator.
    network
        Parameters of the hazards.
    debuts
        Times and markets in which the n tracks are released.
    end
        Days after the start: end of the simulation.

    Returns
    -------
    array
        (n, m) days after the start; infinite where a track does not enter before `end`.
    """
    due = _background_entries(rng, network, debuts.time, end)
    due = np.where(debuts.footprint, debuts.time[:, None], due)
    return followed(rng, network, due, end=end)


def followed(rng: np.random.Generator, network: Network, due: Floats, *, end: float) -> Floats:
    """Return the time at which each track enters each market, by itself or because it entered another.

    Parameters
    ----------
    rng
        Random generator.
    network
        Gives α, median lags and launches.
    due
        (n, m) days after the start: when the track would enter by itself; infinite for never.
    end
        Days after the start: end of the simulation.

    Returns
    -------
    array
        (n, m) days after the start; infinite where a track does not enter before `end`.
    """
    theta = lag_rate(np.where(network.alpha > 0, network.median_lag, 1.0))
    reached = -np.expm1(-theta * SPAN)
    entered = np.full_like(due, np.inf)
    active = np.arange(len(due))
    while len(active):
        market = due.argmin(axis=1)
        time = due[np.arange(len(due)), market]
        alive = time < end
        active, market, time, due = active[alive], market[alive], time[alive], due[alive]
        entered[active, market] = time
        sent = time[:, None] + _lags(rng, network, theta, reached, market, time)
        due = np.where(np.isfinite(entered[active]), np.inf, np.minimum(due, sent))
    return entered


def _lags(
    rng: np.random.Generator, network: Network, theta: Floats, reached: Floats, market: Ints, time: Floats
) -> Floats:
    """Return, (k, m), the lag to each market after an entry into `market` at `time`; infinite where none follows.

    This is the first event of a Poisson process of intensity α·f(lag) after the target's launch. With F the integral of
    f, p₀ its value at the launch and e a standard exponential, the lag is F⁻¹(p₀ + e/α) if p₀ + e/α is below 1.
    """
    drawn = rng.standard_exponential((len(market), len(network.markets)))
    alpha, rate, most = network.alpha[market], theta[market], reached[market]
    waiting = (network.launch[None, :] - time[:, None]).clip(0, SPAN)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = -np.expm1(-rate * waiting) / most + drawn / alpha
        lag = -np.log1p(-share * most) / rate
    return np.where((alpha > 0) & (share < 1), lag, np.inf)


def _background_entries(rng: np.random.Generator, network: Network, debut: Floats, end: float) -> Floats:
    """Return, (n, m), times of the first entry by background alone; infinite where there is none before `end`."""
    due = np.full((len(debut), len(network.markets)), np.inf)
    drawn = rng.standard_exponential(due.shape)
    if not network.background.any():
        return due
    # hazards are constant between two knots, where the period or the age class changes
    knots = np.hstack(
        [
            debut[:, None] + network.ages,
            np.broadcast_to(network.periods, (len(debut), len(network.periods))),
            np.full((len(debut), 1), end),
        ]
    )
    knots = np.sort(knots.clip(debut[:, None], end), axis=1)
    middle = (knots[:, 1:] + knots[:, :-1]) / 2
    period = np.searchsorted(network.periods, middle, side="right") - 1
    age = np.searchsorted(network.ages, middle - debut[:, None], side="right") - 1
    kind = period * len(network.ages) + age
    width = np.diff(knots, axis=1)
    for market, launch in enumerate(network.launch):
        at = np.maximum(knots, launch) if launch else knots
        hazard = network.background[market].ravel()[kind]
        total = np.einsum("ij,ij->i", hazard, np.diff(at, axis=1) if launch else width)
        hit = np.flatnonzero(drawn[:, market] < total)
        passed = np.cumsum(hazard[hit] * np.diff(at[hit], axis=1), axis=1)
        wanted = np.minimum(drawn[hit, market], passed[:, -1])  # the two sums may differ in the last digit
        step = (passed < wanted[:, None]).sum(axis=1)
        left = passed[np.arange(len(hit)), step] - wanted
        due[hit, market] = at[hit, step + 1] - left / hazard[hit, step]
    return due
