"""Simulated entries with known α, observed on regular charts: in memory, without ranks."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from diffusion import Calendar, Entries, EventRules
from diffusion.contracts import COVERAGE, ENTRIES
from diffusion.simulation.network import Network, Switches, draw_network
from diffusion.simulation.spread import draw_debuts, draw_releases, spread

START = date(2017, 1, 1)


@dataclass(frozen=True)
class World:
    """What is simulated: markets, tracks, days and days between charts; `lag` replaces all median lags (days)."""

    markets: int = 10
    tracks: int = 2000
    days: int = 400
    cadence: int = 1
    density: float = 0.15
    switches: Switches = Switches(ties=False, launches=False, gaps=False)  # noqa: RUF009
    lag: float | None = None
    strength: float = 1.0
    washout: int = 28


def simulated(world: World, seed: int) -> tuple[Entries, Network]:
    """Return entries as they would be observed, and the truth."""
    rng = np.random.default_rng(seed)
    network = draw_network(
        rng, markets=world.markets, days=world.days, start=START, density=world.density, switches=world.switches
    )
    alpha = network.alpha * world.strength
    network = replace(network, alpha=alpha)
    if world.lag is not None:
        network = replace(network, median_lag=np.where(alpha > 0, world.lag, np.nan))
    releases = draw_releases(rng, tracks=world.tracks, days=world.days, friday=5, switches=world.switches)
    debuts = draw_debuts(rng, network, releases, rng.random(world.tracks))
    entered = spread(rng, network, debuts, end=world.days)
    return observed(entered, network.markets, world), network


def observed(entered: NDArray[np.float64], markets: tuple[str, ...], world: World) -> Entries:
    """Return what charts every `cadence` days show of exact entries (days; infinite where there is none)."""
    last = world.days // world.cadence * world.cadence - 1
    dates = np.arange(world.cadence - 1, last + 1, world.cadence)
    track, market = np.nonzero(np.isfinite(entered) & (entered < last + 1))
    chart = np.floor(entered[track, market]).astype(np.int64) // world.cadence
    day, first = dates[chart], int(dates[0])
    origin = np.datetime64(START, "D")
    before = pa.array(origin + (day - world.cadence), pa.date32(), mask=chart == 0)
    names = np.array(markets, dtype=object)
    table = pa.table(
        {
            "track_id": pa.array([f"t{number:07d}" for number in track], pa.string()),
            "market": pa.array(names[market], pa.string()),
            "chart": pa.array(["top200"] * len(day), pa.string()),
            "entry": pa.array(origin + day, pa.date32()),
            "last_without": before,
            "rank": pa.array(np.ones(len(day), np.int32)),
            "streams": pa.nulls(len(day), pa.int64()),
            "left_censored": day < first + world.washout,
        }
    )
    grid = pd.MultiIndex.from_product([sorted(markets), range(len(dates))]).to_frame(index=False)
    at = grid[1].to_numpy()
    coverage = pa.table(
        {
            "market": pa.array(grid[0], pa.string()),
            "chart": pa.array(["top200"] * len(grid), pa.string()),
            "date": pa.array(origin + dates[at], pa.date32()),
            "depth": np.full(len(grid), 200),
            "previous": pa.array(origin + dates[at] - world.cadence, pa.date32(), mask=at == 0),
            "span": np.ones(len(grid), np.int64),
            "stale": np.zeros(len(grid), np.bool_),
        }
    )
    calendar = Calendar(COVERAGE.conform(coverage))
    return Entries(ENTRIES.conform(table), calendar, EventRules("top200", washout=world.washout))


def true_alpha(network: Network, entries: Entries) -> NDArray[np.float64]:
    """Return the network's α in the order of the calendar's markets, (m, m)."""
    order = [network.markets.index(market) for market in entries.calendar.markets]
    return network.alpha[np.ix_(order, order)]
