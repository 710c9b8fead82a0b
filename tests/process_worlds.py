"""Worlds written as processes in continuous time, with a hazard per market and track: they know nothing of steps.

Every track is released at a time of its own. It enters market b at a hazard of ``size_b · popularity · shape(age)``,
with what the world adds; influence, where there is any, adds entries a few days after an entry elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from diffusion import Calendar, Entries, EventRules
from diffusion.contracts import COVERAGE, ENTRIES
from diffusion.conventions import LONG_GAP, WASHOUT
from diffusion.markets import chart_markets

Array = NDArray[np.float64]

MARKETS = tuple(chart_markets())
"""Codes; what is known of them plays no part."""

ORIGIN = np.datetime64("2017-01-01", "D")

LAG = 5.0
"""Days: mean lag of an entry that was brought."""


@dataclass(frozen=True)
class Process:
    """What a world is; everything else is drawn from the seed.

    Attributes
    ----------
    falling
        Whether hazards fall with age as exp(−age/10).
    popularity
        Whether tracks differ (gamma of shape .7).
    surge
        Whether every track has one week, the same everywhere, at twenty times the hazard.
    season
        Whether hazards follow a wave of 120 days.
    spread
        Largest size over smallest.
    own_shapes
        Whether the fall with age differs by market, from exp(−age/4) to exp(−age/40).
    taste
        Whether a track has a language, in whose markets the hazard is e² times as large.
    across
        The same for groups of markets that no table knows.
    fridays
        Whether tracks are released on one day of the week.
    homes
        Whether artists have several tracks and a home, with ten times the hazard there.
    main_artist
        Share of the tracks that are of one artist.
    festive
        Whether hazards are three times as large in half of the markets for thirty days.
    cadence
        Days between charts.
    damaged
        Whether one market launches late, one has no charts for 20 days, one has none for 45, and one misses every
        seventh.
    influence
        Share of ordered pairs in which an entry brings others, .05 to .3 of them.
    """

    falling: bool = False
    popularity: bool = False
    surge: bool = False
    season: bool = False
    spread: float = 4.0
    own_shapes: bool = False
    taste: bool = False
    across: bool = False
    fridays: bool = False
    homes: bool = False
    main_artist: float = 0.0
    festive: bool = False
    damaged: bool = False
    cadence: int = 1
    influence: float = 0.0


SILENT = {
    "flat": Process(),
    "falling": Process(falling=True),
    "popularity": Process(popularity=True),
    "both": Process(falling=True, popularity=True),
    "surge": Process(surge=True),
    "season": Process(season=True),
    "sizes": Process(falling=True, spread=40.0),
    "shapes": Process(own_shapes=True),
    "fridays": Process(falling=True, fridays=True),
    "homes": Process(falling=True, homes=True),
    "main artist": Process(falling=True, homes=True, main_artist=0.33),
    "festive": Process(festive=True),
    "damaged": Process(popularity=True, damaged=True),
    "weekly": Process(falling=True, cadence=7),
    "taste": Process(falling=True, taste=True),
}
"""Worlds where no market follows another."""


@dataclass(frozen=True)
class Drawn:
    """A world that was drawn: entries, language of every market (number), and influence (m, m)."""

    entries: Entries
    tongue: NDArray[np.int64]
    alpha: Array


def draw(process: Process, *, tracks: int, seed: int, days: int = 400, markets: int = 12) -> Drawn:
    """Return a world observed on charts every `cadence` days."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.permutation(np.linspace(0, np.log(process.spread), markets)))
    tongue = rng.permutation(np.arange(markets) % 3)
    artist = np.sort(rng.choice(tracks // 8, tracks, p=rng.dirichlet(np.full(tracks // 8, 0.5))))
    artist = np.where(rng.random(tracks) < process.main_artist, 0, artist)
    release = rng.uniform(0, days - 20, tracks)
    release = release // 7 * 7 if process.fridays else release
    rate = np.tile(size / size.mean(), (tracks, 1))
    if process.popularity:
        rate *= rng.gamma(0.7, 1 / 0.7, tracks)[:, None]
    if process.taste:
        rate *= np.where(rng.integers(0, 3, tracks)[:, None] == tongue, np.exp(2.0), 1.0)
    if process.across:
        hidden = rng.permutation(np.arange(markets) % 3)
        rate *= np.where(rng.integers(0, 3, tracks)[:, None] == hidden, np.exp(2.0), 1.0)
    if process.homes:
        rate *= np.where(rng.integers(0, markets, artist.max() + 1)[artist][:, None] == np.arange(markets), 10.0, 1.0)
    entered = release[:, None] + _ages(process, rng, release, rate)
    alpha = np.where(rng.random((markets, markets)) < process.influence, rng.uniform(0.05, 0.3, (markets, markets)), 0)
    np.fill_diagonal(alpha, 0)
    if process.influence:
        entered = brought(entered, alpha, rng)
    charts = np.zeros((days, markets), bool)
    charts[process.cadence - 1 :: process.cadence] = True
    if process.damaged:
        charts[:200, 0] = charts[150:170, 1] = charts[200:245, 2] = charts[::7, 3] = False
    entries = charted(entered, MARKETS[:markets], charts)
    names = pa.table({"track_id": [f"t{n:07d}" for n in range(tracks)], "artist": [f"a{n}" for n in artist]})
    return Drawn(replace(entries, described=names) if process.homes else entries, tongue, alpha)


def _ages(process: Process, rng: np.random.Generator, release: Array, rate: Array) -> Array:
    """Return the age at which every track enters every market by itself, (n, m): the first point of its process."""
    tracks, markets = rate.shape
    grid = np.arange(0.0, 200.0)
    scale = np.geomspace(4, 40, markets) if process.own_shapes else np.full(markets, 10.0)
    ages = np.empty(rate.shape)
    wave = _wave(process, rng, release, grid)
    for market in range(markets):
        falls = np.exp(-grid / scale[market]) if process.falling or process.own_shapes else np.full(len(grid), 0.03)
        hazard = 0.03 * rate[:, market, None] * falls * wave * (1.0 if process.falling or process.own_shapes else 3.0)
        if process.festive and market % 2:
            hazard = hazard * np.where(np.abs(release[:, None] + grid - 250) < 15, 3.0, 1.0)
        summed = np.cumsum(hazard, axis=1)
        due = rng.exponential(size=(tracks, 1))
        day = (summed < due).sum(axis=1)
        ages[:, market] = np.where(day < len(grid), day + rng.random(tracks), np.inf)
    return ages


def _wave(process: Process, rng: np.random.Generator, release: Array, grid: Array) -> Array:
    """Return what multiplies all hazards of a track alike, (n, days)."""
    wave = np.ones((len(release), len(grid)))
    if process.season:
        wave *= 1 + 0.9 * np.sin(2 * np.pi * (release[:, None] + grid) / 120)
    if process.surge:
        since = grid - rng.uniform(0, 100, len(release))[:, None]
        wave *= np.where((since >= 0) & (since < 7), 20.0, 1.0)
    return wave


def brought(entered: Array, alpha: Array, rng: np.random.Generator) -> Array:
    """Return entries with those that other entries bring, in order of time; each brings at most one to a market."""
    entered, done = entered.copy(), np.zeros(entered.shape, bool)
    rows = np.arange(len(entered))
    for _ in range(entered.shape[1]):
        waiting = np.where(done, np.inf, entered)
        source = waiting.argmin(axis=1)
        time = waiting[rows, source]
        going = np.isfinite(time)
        done[rows[going], source[going]] = True
        brings = rng.random(entered.shape) < alpha[source]
        later = np.where(brings & going[:, None], time[:, None] + rng.exponential(LAG, entered.shape), np.inf)
        entered = np.where(done, entered, np.minimum(entered, later))
    return entered


def charted(entered: Array, markets: tuple[str, ...], charts: NDArray[np.bool_]) -> Entries:
    """Return what charts show of exact entries (days): every entry on the first chart of its market at or after it.

    Parameters
    ----------
    charts
        (days, m): whether a market has a chart on the day.
    """
    days = np.arange(len(charts))[:, None]
    upcoming = np.minimum.accumulate(np.where(charts, days, len(charts))[::-1], axis=0)[::-1]
    latest = np.maximum.accumulate(np.where(charts, days, -1), axis=0)
    previous = np.concatenate([np.full((1, len(markets)), -1), latest[:-1]])
    begins = charts & ((previous < 0) | (days - previous > LONG_GAP))
    first = np.maximum.accumulate(np.where(begins, days, -1), axis=0)
    track, market = np.nonzero(entered < len(charts))
    day = upcoming[np.floor(entered[track, market]).astype(int), market]
    track, market, day = (part[day < len(charts)] for part in (track, market, day))
    table = {
        "track_id": pa.array([f"t{number:07d}" for number in track], pa.string()),
        "market": pa.array(np.array(markets, object)[market], pa.string()),
        "chart": pa.array(["top200"] * len(day), pa.string()),
        "entry": pa.array(ORIGIN + day, pa.date32()),
        "last_without": pa.array(ORIGIN + previous[day, market], pa.date32(), mask=previous[day, market] < 0),
        "rank": pa.array(np.ones(len(day), np.int32)),
        "streams": pa.nulls(len(day), pa.int64()),
        "left_censored": day < first[day, market] + WASHOUT,
    }
    own, at = np.nonzero(charts.T)
    coverage = {
        "market": pa.array(np.array(markets, object)[own], pa.string()),
        "chart": pa.array(["top200"] * len(own), pa.string()),
        "date": pa.array(ORIGIN + at, pa.date32()),
        "depth": np.full(len(own), 200),
        "previous": pa.array(ORIGIN + previous[at, own], pa.date32(), mask=previous[at, own] < 0),
        "span": np.cumsum(begins, axis=0)[at, own],
        "stale": np.zeros(len(own), np.bool_),
    }
    calendar = Calendar(COVERAGE.conform(pa.table(coverage)))
    return Entries(ENTRIES.conform(pa.table(table)), calendar, EventRules("top200", washout=WASHOUT))


def languages(tongue: NDArray[np.int64], name: Callable[[int], str] = MARKETS.__getitem__) -> dict[str, list[object]]:
    """Return the pairs of markets and whether they share a language, as columns."""
    pairs = [(a, b) for a in range(len(tongue)) for b in range(len(tongue)) if a != b]
    return {
        "source": [name(a) for a, _ in pairs],
        "target": [name(b) for _, b in pairs],
        "common_language": [int(tongue[a] == tongue[b]) for a, b in pairs],
    }
