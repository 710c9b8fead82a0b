"""One simulation: its settings, and everything its charts are made from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from diffusion.arrays import Floats, Ints
from diffusion.errors import SettingError
from diffusion.markets import reference_table
from diffusion.simulation import rates
from diffusion.simulation.catalogue import Catalogue, draw_catalogue
from diffusion.simulation.charts import (
    ChartMaker,
    Plan,
    Rows,
    draw_dates,
    draw_stays,
    mean_log_streams,
    plan_chart,
    repertoire_size,
)
from diffusion.simulation.network import ALL_ON, Network, Switches, draw_network
from diffusion.simulation.spread import CHUNK, Arrivals, Releases, draw_debuts, draw_releases, spread

Cadence = Literal["daily", "weekly"]
Tell = Callable[[float], None]
"""Function that is told the share of rows made so far, 0 … 1."""

_DAYS: Final = {"daily": 1, "weekly": 7}
_BLOCK_ROWS: Final = 800_000
"""Rows per block; bounds the memory."""

_MOST_TRACKS, _MOST_DAYS = 50_000_000, 36_500


@dataclass(frozen=True, slots=True)
class Simulation:
    """Settings of a simulation.

    Attributes
    ----------
    tracks, markets, days
        Number of debuts, markets and days observed.
    seed
        Seed of the random generators, 0 or more.
    start
        First date.
    density
        Share of ordered pairs with α > 0, 0 … 1.
    cadence
        ``daily`` or ``weekly`` charts.
    charts
        Kinds of charts: ``top200``, ``viral50`` or both.
    depth
        Rows of a full chart; None for the depths of real charts.
    aggregate
        Whether the chart of all markets together is made too.
    switches
        Features of real charts that are simulated.
    """

    tracks: int = 2_000
    markets: int = 20
    days: int = 180
    seed: int = 1
    start: date = date(2017, 1, 1)
    density: float = 0.10
    cadence: Cadence = "daily"
    charts: tuple[str, ...] = ("top200",)
    depth: int | None = None
    aggregate: bool = False
    switches: Switches = ALL_ON

    def __post_init__(self) -> None:
        for name, value, most in (("tracks", self.tracks, _MOST_TRACKS), ("days", self.days, _MOST_DAYS)):
            if not 1 <= value <= most:
                raise SettingError(f"{value} {name} cannot be simulated; give 1 to {most:,}")
        if self.seed < 0:
            raise SettingError(f"the seed {self.seed} is negative; give 0 or more")
        if self.cadence not in _DAYS:
            raise SettingError(f"unknown cadence '{self.cadence}'; known are {', '.join(_DAYS)}")
        if self.depth is not None and self.depth < 1:
            raise SettingError(f"a chart of depth {self.depth} has no rows; give 1 or more")
        if not self.charts or set(self.charts) - set(rates.CHARTS) or len(set(self.charts)) < len(self.charts):
            raise SettingError(f"charts {', '.join(self.charts) or 'none'}: give {' or '.join(rates.CHARTS)}, or both")
        try:
            _ = self.start + timedelta(days=self.days)
        except OverflowError:
            raise SettingError(f"{self.days} days from {self.start} end after the year 9999; start earlier") from None


FULL: Final = Simulation(
    tracks=191_000, markets=69, days=1826, start=date(2017, 1, 1), charts=("top200", "viral50"), aggregate=True
)
"""The size of the real charts: five years, 69 markets and their aggregate, 26 million rows."""


def full_scale(days: int = FULL.days, *, seed: int = 1) -> Simulation:
    """Return the settings of `FULL` for fewer days, with as many tracks per day.

    Examples
    --------
    >>> full_scale(365).tracks
    38179
    """
    return replace(FULL, days=days, tracks=max(1, round(FULL.tracks * days / FULL.days)), seed=seed)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Everything that the rows of a simulation are made from.

    Attributes
    ----------
    network
        The true network.
    arrivals
        Chart → all entries of new tracks; tracks are numbered as in the catalogue.
    makers
        Makers of rows, one per chart.
    catalogue
        Fields of each track: old tracks first, then the others by date of release.
    """

    network: Network
    arrivals: dict[str, Arrivals]
    makers: tuple[ChartMaker, ...]
    catalogue: Catalogue


def quiet(share: float) -> None:
    """Ignore the share of rows made."""


def draw(simulation: Simulation) -> Drawn:
    """Return everything that the rows are made from."""
    s = simulation
    rng = np.random.default_rng([s.seed, 1])
    network = draw_network(rng, markets=s.markets, days=s.days, start=s.start, density=s.density, switches=s.switches)
    dates = draw_dates(rng, days=s.days, cadence=_DAYS[s.cadence], gaps=s.switches.gaps)
    plans = [plan_chart(network, chart, dates, cadence=_DAYS[s.cadence], depth=s.depth) for chart in s.charts]
    old = max(map(repertoire_size, plans))
    end = int(dates[-1]) + 1
    friday = (4 - s.start.weekday()) % 7
    releases = draw_releases(rng, tracks=s.tracks, days=end, friday=friday, switches=s.switches)
    arrivals = _arrivals(rng, network, plans, releases, old, end)
    population = _populations(network.markets)
    makers = []
    for plan in plans:
        plan, stays = draw_stays(rng, plan, arrivals[plan.chart], np.arange(old))
        streams = mean_log_streams(rng, population, _DAYS[s.cadence])
        makers.append(ChartMaker(plan, stays, streams, s.aggregate, np.random.default_rng(rng.integers(1 << 62))))
    released = np.datetime64(s.start) + np.concatenate([-rng.integers(29, 12_000, old), releases.day])
    catalogue = draw_catalogue(rng, released, network.markets)
    return Drawn(network, arrivals, tuple(makers), catalogue)


def _arrivals(
    rng: np.random.Generator, network: Network, plans: list[Plan], releases: Releases, old: int, end: int
) -> dict[str, Arrivals]:
    """Return chart → its entries; a track of both charts has one release, and debuts at the same time in both."""
    tracks = len(releases.day)
    kind = rng.choice(3, tracks, p=rates.BOTH_CHARTS)
    on = [kind <= 1, kind >= 1] if len(plans) == 2 else [kind >= 0]
    parts: list[list[Arrivals]] = [[] for _ in plans]
    for begin in range(0, tracks, CHUNK):
        hour = rng.random(min(CHUNK, tracks - begin))
        for part, there in zip(parts, on, strict=True):
            chosen = begin + np.flatnonzero(there[begin : begin + CHUNK])
            debuts = draw_debuts(
                rng, network, Releases(releases.day[chosen], releases.breadth[chosen]), hour[chosen - begin]
            )
            entered = spread(rng, network, debuts, end=end)
            row, market = np.nonzero(np.isfinite(entered))
            part.append(Arrivals(chosen[row] + old, market, entered[row, market]))
    return {plan.chart: _one(part) for plan, part in zip(plans, parts, strict=True)}


def _one(parts: list[Arrivals]) -> Arrivals:
    return Arrivals(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("track", "market", "time")))


def _populations(markets: tuple[str, ...]) -> Floats:
    """Return, (m,), the population of each market; simulated markets are small."""
    known = reference_table().dropna(subset="population").set_index("market")["population"].to_dict()
    return np.array([float(known.get(market, 1_000_000)) for market in markets])


def blocks(drawn: Drawn, simulation: Simulation, tell: Tell = quiet) -> Iterator[tuple[str, Rows]]:
    """Yield name and rows of each chart, in blocks of a month or less."""
    dates = drawn.makers[0].plan.dates
    spans = _spans(simulation.start, dates, sum(int(maker.plan.depth.sum()) for maker in drawn.makers))
    for begin, end in spans:
        for maker in drawn.makers:
            yield maker.plan.name, maker.rows(begin, end)
        tell(end / len(dates))


def _spans(start: date, dates: Ints, rows_a_date: int) -> list[tuple[int, int]]:
    """Return ranges of date indices, each within one month and with at most `_BLOCK_ROWS` rows if possible."""
    months = (np.datetime64(start) + dates).astype("datetime64[M]").astype(np.int64)
    most = max(1, _BLOCK_ROWS // max(1, rows_a_date))
    cuts = [0, *(np.flatnonzero(np.diff(months)) + 1).tolist(), len(dates)]
    return [(at, min(at + most, end)) for begin, end in pairwise(cuts) for at in range(begin, end, most)]
