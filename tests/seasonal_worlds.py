"""Charts of several years with or without seasons, drawn track by track, apart from how seasons are tested."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from diffusion import Entries
from diffusion.contracts import CHART_SUMS
from tests.process_worlds import MARKETS, ORIGIN, charted

Array = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """What a world is; everything else is drawn from the seed.

    Attributes
    ----------
    growth
        Logarithm of how much more is released, streamed and travels in a year.
    surges
        Standard deviation of a disturbance of all markets, with a memory of `memory` days.
    artists_grow
        Whether artists travel more with every release, up to four times as much.
    fridays
        Share of releases that wait for the next Friday.
    cadence
        Days between charts.
    damaged
        Whether one market launches late, one loses three months, and all of them lose days at random.
    december
        Factor of releases and streams in December.
    sundays
        Factor of streams on Sundays.
    july
        Factor of the chance to travel for releases of July.
    feasts
        Factor of entries in the seven days around the holidays.
    """

    growth: float = 0.0
    surges: float = 0.0
    memory: float = 10.0
    artists_grow: bool = False
    fridays: float = 0.0
    cadence: int = 1
    damaged: bool = False
    december: float = 1.0
    sundays: float = 1.0
    july: float = 1.0
    feasts: float = 1.0
    years: int = 5
    tracks: int = 4_000
    markets: int = 5


SILENT = {
    "flat": World(),
    "growing": World(growth=0.4, artists_grow=True),
    "surges": World(surges=0.3),
    "long surges": World(surges=0.3, memory=60.0),
    "fridays": World(fridays=0.7),
    "weekly": World(fridays=0.7, cadence=7, surges=0.2),
    "damaged": World(growth=0.2, damaged=True),
}
"""Worlds without a season of the year, where nothing goes with the weekday but the releases of some."""


@dataclass(frozen=True)
class Drawn:
    """A world that was drawn: entries with release dates, streams, and public holidays."""

    entries: Entries
    streams: pa.Table
    holidays: pd.DataFrame


def draw(world: World, seed: int) -> Drawn:
    """Return a world from the first of January 2017 on."""
    rng = np.random.default_rng(seed)
    days = round(365.25 * world.years)
    dates = pd.DatetimeIndex(ORIGIN + np.arange(days))
    wave = np.exp(world.growth * np.arange(days) / 365.25 + _disturbed(rng, world, days))
    yearly = np.where(dates.month == 12, world.december, 1.0)
    # three dates of every year, that of Christmas among them, the same in all markets
    feasts = dates.strftime("%m-%d").isin(["05-01", "08-15", "12-25"])
    near = np.convolve(feasts, np.ones(7), "same") > 0
    intensity = wave * yearly * np.where(near, world.feasts, 1.0)
    release = np.sort(rng.choice(days, world.tracks, p=intensity / intensity.sum()))
    waits = rng.random(world.tracks) < world.fridays
    release = np.where(waits, release + (4 - dates.dayofweek.to_numpy()[release]) % 7, release)
    release = np.minimum(release, days - 1)
    artist = rng.integers(0, world.tracks // 6, world.tracks)
    chance = (
        0.08
        * np.where(dates.month.to_numpy()[release] == 7, world.july, 1.0)
        * (1 + rng.gamma(0.5, 2.0, world.tracks // 6)[artist])
    )
    chance *= 1 + 3 * world.artists_grow * release / days
    home = rng.integers(0, world.markets, world.tracks)
    lag = rng.exponential(12.0, (world.tracks, world.markets))
    goes = rng.random((world.tracks, world.markets)) < np.minimum(chance, 0.9)[:, None]
    entered = np.where(goes, release[:, None] + lag, np.inf)
    entered[np.arange(world.tracks), home] = release
    charts = np.zeros((days, world.markets), np.bool_)
    charts[world.cadence - 1 :: world.cadence] = True
    if world.damaged:
        charts[: days // 2, 0] = charts[days // 3 : days // 3 + 90, 1] = False
        charts[rng.random(days) < 0.05] = False
    entries = charted(entered, MARKETS[: world.markets], charts)
    known = pa.table({
        "track_id": [f"t{number:07d}" for number in range(world.tracks)],
        "artist": [f"a{number}" for number in artist],
        "release_date": pa.array(ORIGIN + release, pa.date32()),
        "release_precision": ["day"] * world.tracks,
    })  # fmt: skip
    streams = _streams(rng, world, wave * yearly * np.where(dates.dayofweek == 6, world.sundays, 1.0), charts)
    named = [{"market": market, "date": day.date()} for market in MARKETS[: world.markets] for day in dates[feasts]]
    return Drawn(replace(entries, described=known), streams, pd.DataFrame(named))


def _disturbed(rng: np.random.Generator, world: World, days: int) -> Array:
    """Return a disturbance that forgets itself, (days,)."""
    keeps = np.exp(-1 / world.memory)
    noise, value = np.zeros(days), rng.normal()
    for day in range(days):
        noise[day] = value
        value = keeps * value + np.sqrt(1 - keeps**2) * rng.normal()
    return world.surges * noise


def _streams(rng: np.random.Generator, world: World, level: Array, charts: NDArray[np.bool_]) -> pa.Table:
    """Return the streams of every chart: the level, the market's size, and noise."""
    day, market = np.nonzero(charts)
    size = np.exp(rng.normal(10, 1, world.markets))
    streams = level[day] * size[market] * np.exp(rng.normal(0, 0.03, len(day)))
    return CHART_SUMS.conform(pa.table({
        "market": pa.array(np.array(MARKETS, object)[market], pa.string()),
        "date": pa.array(ORIGIN + day, pa.date32()),
        "chart_rows": np.full(len(day), 200),
        "streamed_rows": np.full(len(day), 200),
        "streams": streams.astype(np.int64),
        "log": np.zeros(len(day), np.int64),
        "log_rank": np.zeros(len(day), np.int64),
    }))  # fmt: skip
