"""Entries of tracks into markets as processes in continuous time, none of them a choice between markets.

Track i enters market b by itself at age a (days since its debut) and time t with the hazard

    hazard_ib(t) = level_ib · exp(−fall_b · a) · rhythm_ib(t)

Candidates come from the hazard with the rhythm at its peak. On a clock of speed exp(−fall_b · a) they are a Poisson
process: sums of exponentials, which are turned into ages. Each candidate is kept with probability rhythm / peak, and
the first one kept is the entry (thinning). Nothing is approximated.

References
----------
Lewis, P. A. W. & Shedler, G. S. (1979). Simulation of nonhomogeneous Poisson processes by thinning. Naval Research
Logistics Quarterly 26, doi 10.1002/nav.3800260304.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

import numpy as np

from diffusion.arrays import Flags, Floats, Ints

FRIDAY: Final = 4
"""Number of the weekday, Monday being 0."""


class Rhythm(Protocol):
    """A factor of the hazards that changes with time, never above `peak`."""

    @property
    def peak(self) -> float:
        """Largest value."""

    def __call__(self, track: Ints, market: Ints, time: Floats) -> Floats:
        """Return the factor of each track and market at the time (days after the start)."""


@dataclass(frozen=True, slots=True)
class Steady:
    """No rhythm: the factor is 1."""

    peak: float = 1.0

    def __call__(self, track: Ints, market: Ints, time: Floats) -> Floats:
        return np.ones_like(time)


@dataclass(frozen=True, slots=True)
class Season:
    """A sine of period `days` around 1, the same everywhere; `swing` is its largest distance from 1."""

    days: float
    swing: float

    @property
    def peak(self) -> float:
        """Largest value."""
        return 1 + self.swing

    def __call__(self, track: Ints, market: Ints, time: Floats) -> Floats:
        wave: Floats = 1 + self.swing * np.sin(2 * np.pi * time / self.days)
        return wave


@dataclass(frozen=True, slots=True)
class Christmas:
    """A factor of `peak` from 4 December to 5 January in some markets, else 1.

    Attributes
    ----------
    start
        Date of day 0.
    celebrated
        (m,): whether the market has it.
    """

    start: date
    celebrated: Flags
    peak: float

    def __call__(self, track: Ints, market: Ints, time: Floats) -> Floats:
        day = np.datetime64(self.start, "D") + np.floor(time).astype(np.int64)
        of_year = (day - day.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
        return np.where(self.celebrated[market] & ((of_year >= 337) | (of_year < 5)), self.peak, 1.0)


@dataclass(frozen=True, slots=True)
class Fridays:
    """A factor of `peak` on Fridays and less on other days, 1 on average over a week."""

    start: date
    peak: float

    def __call__(self, track: Ints, market: Ints, time: Floats) -> Floats:
        return np.where(is_friday(self.start, time), self.peak, (7 - self.peak) / 6)


@dataclass(frozen=True, slots=True)
class Surges:
    """One surge of each track, the same in all markets: `floor` + `height` · exp(−|t − at| / width).

    Attributes
    ----------
    at
        (n,) days after the start: the middle of the track's surge.
    width
        Days.
    """

    at: Floats
    floor: float
    height: float
    width: float

    @property
    def peak(self) -> float:
        """Largest value."""
        return self.floor + self.height

    def __call__(self, track: Ints, market: Ints, time: Floats) -> Floats:
        surge: Floats = self.floor + self.height * np.exp(-np.abs(time - self.at[track]) / self.width)
        return surge


@dataclass(frozen=True, slots=True)
class Onset:
    """A factor of 1 − exp(−age / delay of the market): slow markets hear of a track late.

    Attributes
    ----------
    debut
        (n,) days after the start.
    delay
        (m,) days.
    """

    debut: Floats
    delay: Floats
    peak: float = 1.0

    def __call__(self, track: Ints, market: Ints, time: Floats) -> Floats:
        return -np.expm1(-(time - self.debut[track]) / self.delay[market])


@dataclass(frozen=True, slots=True)
class Hazards:
    """Hazards of n tracks entering m markets by themselves, as the module says.

    Attributes
    ----------
    debut
        (n,) days after the start: hazards are 0 before.
    level
        (n, m) per day.
    fall
        (m,) per day: 0 where the hazard does not fall with age.
    rhythm
        What else changes with time.
    """

    debut: Floats
    level: Floats
    fall: Floats
    rhythm: Rhythm = Steady()


def first_entries(rng: np.random.Generator, hazards: Hazards, *, end: float) -> Floats:
    """Return, (n, m) days after the start, when tracks enter markets by themselves; infinite if not before `end`."""
    level = hazards.level.ravel() * hazards.rhythm.peak
    entered = np.full(level.shape, np.inf)
    pending = np.flatnonzero(level > 0)
    clock = np.zeros(len(pending))
    while len(pending):
        track, market = np.divmod(pending, hazards.level.shape[1])
        clock += rng.standard_exponential(len(pending)) / level[pending]
        time = hazards.debut[track] + _age(clock, hazards.fall[market])
        alive = time < end
        pending, clock, time = pending[alive], clock[alive], time[alive]
        factor = hazards.rhythm(track[alive], market[alive], time)
        kept = rng.random(len(pending)) * hazards.rhythm.peak < factor
        entered[pending[kept]] = time[kept]
        pending, clock = pending[~kept], clock[~kept]
    return entered.reshape(hazards.level.shape)


def is_friday(start: date, time: Floats) -> Flags:
    """Return whether each time (days after `start`) is on a Friday."""
    friday: Flags = (np.floor(time) + start.weekday()) % 7 == FRIDAY
    return friday


def _age(clock: Floats, fall: Floats) -> Floats:
    """Return the age at which ∫ exp(−fall · a) da reaches `clock`, infinite where it never does."""
    passed = clock * fall
    with np.errstate(divide="ignore", invalid="ignore"):
        falling = -np.log1p(-np.minimum(passed, 1)) / fall
    return np.where(fall > 0, falling, clock)
