"""Simulated worlds of the recovery study: switches, network, observed dates and tracks."""

from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from typing import Final, Literal

import numpy as np

from diffusion import SettingError
from diffusion.arrays import Floats, Ints
from diffusion.conventions import WINDOW_DAILY, WINDOW_WEEKLY
from diffusion.simulation import Network, Switches, draw_network, spread
from diffusion.simulation.charts import draw_dates
from diffusion.simulation.network import MEDIAN_LAGS
from diffusion.simulation.observed import ObservedDates
from diffusion.simulation.rates import LAG_MEDIAN
from diffusion.simulation.spread import CHUNK, draw_debuts, draw_releases

Cadence = Literal["daily", "weekly"]

START: Final = date(2018, 1, 1)
"""First date of every simulation."""

LONG_LAG: Final = 12.0
"""Days: typical median lag of an edge that daily charts resolve well, four times that of real charts."""

FINE: Final = 0.1
"""Largest cadence, as a share of the typical median lag, at which α counts as well specified."""

POPULARITY: Final = (0.1, 0.4, 1.0, 2.5)
"""Factors on a track's hazards where tracks differ in popularity; equally frequent, mean 1."""

_DAYS: Final = {"daily": 1, "weekly": 7}
_WINDOWS: Final = {"daily": WINDOW_DAILY, "weekly": WINDOW_WEEKLY}
_DENSITY: Final = 0.10
_NETWORK, _SAMPLE, _POPULATION = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the recovery table: the switches of its simulations.

    Attributes
    ----------
    ties
        Whether tracks can be released in several markets at once, mostly on Fridays.
    background
        Whether tracks also enter without an earlier entry as cause.
    gaps
        Whether dates are missing.
    cadence
        ``daily`` or ``weekly``.
    lag
        Days: typical median lag of an edge (default 3, as in real charts).
    frailty
        Whether tracks differ in popularity, which no method observes.
    """

    ties: bool = True
    background: bool = True
    gaps: bool = True
    cadence: Cadence = "daily"
    lag: float = LAG_MEDIAN
    frailty: bool = False

    def __post_init__(self) -> None:
        if self.cadence not in _DAYS:
            raise SettingError(f"unknown cadence '{self.cadence}'; known are {', '.join(_DAYS)}")
        if not MEDIAN_LAGS[0] <= self.lag <= MEDIAN_LAGS[1]:
            raise SettingError(f"a lag of {self.lag:g} days; give {MEDIAN_LAGS[0]:g} to {MEDIAN_LAGS[1]:g}")

    @property
    def name(self) -> str:
        """Name of the cell, such as ``daily-lag3-ties-background-gaps``."""
        flags = [flag for flag in ("ties", "background", "gaps", "frailty") if getattr(self, flag)]
        return "-".join([self.cadence, f"lag{self.lag:g}", *flags])

    @property
    def days(self) -> int:
        """Days from one chart to the next."""
        return _DAYS[self.cadence]

    @property
    def window(self) -> int:
        """Days within which a transition must happen: the default window of the cadence."""
        return _WINDOWS[self.cadence]

    @property
    def well_specified(self) -> bool:
        """Whether the likelihood of direct edges holds: a cadence that is fine compared to the lags, and no frailty."""
        return self.days <= FINE * self.lag and not self.frailty


CELLS: Final = (
    *(
        Cell(ties, background, gaps, lag=lag)
        for lag in (LAG_MEDIAN, LONG_LAG)
        for ties, background, gaps in product((False, True), repeat=3)
    ),
    Cell(cadence="weekly"),
    Cell(cadence="weekly", lag=LONG_LAG),
    Cell(lag=LONG_LAG, frailty=True),
)
"""The default table: every switch at real and at long lags, then weekly charts, then frailty."""


@dataclass(frozen=True, slots=True)
class Size:
    """Size of one simulation.

    Attributes
    ----------
    tracks
        Number of debuts.
    markets
        Number of markets, at least 4.
    days
        Days observed, at least 120.
    """

    tracks: int = 2_000
    markets: int = 12
    days: int = 365

    def __post_init__(self) -> None:
        for name, value, least in (("tracks", self.tracks, 1), ("markets", self.markets, 4), ("days", self.days, 120)):
            if value < least:
                raise SettingError(f"{value} {name} are too few for a recovery study; give at least {least}")


@dataclass(frozen=True, slots=True)
class World:
    """One simulation: its network, its observed dates, and the seeds of its tracks.

    Attributes
    ----------
    cell, size
        Switches and size.
    network
        The true network, with markets in order of their codes.
    watch
        The observed dates.
    seed
        First numbers of the seeds of its tracks.
    """

    cell: Cell
    size: Size
    network: Network
    watch: ObservedDates
    seed: tuple[int, ...]

    def sample(self) -> Floats:
        """Return, (tracks, m), days after the start when tracks enter, up to the last date; infinite without entry."""
        return self._tracks(np.random.default_rng([*self.seed, _SAMPLE]), self.size.tracks, self.end)

    def population(self, tracks: int, *, days: int) -> Floats:
        """Return the same as `sample` for `tracks` tracks with releases on the same dates, followed for `days` more."""
        return self._tracks(np.random.default_rng([*self.seed, _POPULATION]), tracks, self.end + days)

    @property
    def end(self) -> int:
        """Day after the last date."""
        return int(self.watch.dates[-1]) + 1

    def _tracks(self, rng: np.random.Generator, tracks: int, end: int) -> Floats:
        friday = (4 - START.weekday()) % 7
        releases = draw_releases(rng, tracks=tracks, days=self.end, friday=friday, switches=_switches(self.cell))
        debuts = draw_debuts(rng, self.network, releases, rng.random(tracks))
        entered = np.empty((tracks, self.size.markets))
        popularity = rng.permutation(tracks) % len(POPULARITY)
        for kind, factor in enumerate(POPULARITY if self.cell.frailty else (1.0,)):
            network = replace(
                self.network, alpha=self.network.alpha * factor, background=self.network.background * factor
            )
            chosen = np.flatnonzero(popularity == kind) if self.cell.frailty else np.arange(tracks)
            for part in np.array_split(chosen, 1 + len(chosen) // CHUNK):
                own = replace(debuts, time=debuts.time[part], footprint=debuts.footprint[part])
                entered[part] = spread(rng, network, own, end=end)
        return entered


def draw_world(cell: Cell, size: Size, *, seed: int, simulation: int) -> World:
    """Return simulation number `simulation` of a cell; the same number has the same network in every cell.

    Some markets launch late in every cell.
    """
    root = (seed, simulation)
    rng = np.random.default_rng([*root, _NETWORK])
    drawn = draw_network(
        rng, markets=size.markets, days=size.days, start=START, density=_DENSITY, switches=_switches(cell)
    )
    lag = (drawn.median_lag * (cell.lag / LAG_MEDIAN)).clip(*MEDIAN_LAGS)
    network = _in_order(replace(drawn, median_lag=lag))
    dates = draw_dates(rng, days=size.days, cadence=cell.days, gaps=cell.gaps)
    first = np.searchsorted(dates, network.launch)
    return World(cell, size, network, ObservedDates(network.markets, START, dates, first), root)


def _switches(cell: Cell) -> Switches:
    return Switches(ties=cell.ties, background=cell.background, gaps=cell.gaps)


def _in_order(network: Network) -> Network:
    """Return the network with its markets in order of their codes, as in `Timelines`."""
    order: Ints = np.argsort(np.array(network.markets))
    return replace(
        network,
        markets=tuple(network.markets[at] for at in order),
        alpha=network.alpha[np.ix_(order, order)],
        median_lag=network.median_lag[np.ix_(order, order)],
        background=network.background[order],
        launch=network.launch[order],
        debut_weight=network.debut_weight[order],
    )
