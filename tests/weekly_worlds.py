"""Weekly charts drawn by a process of their own: places that are kept or given to songs of all countries or of one."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from diffusion.compared_charts import ComparedCharts, in_turn
from diffusion.engine import open_engine
from pipelines.eda.published.weekly import RECENT, WeeklyCharts

FIRST_DAY = 17_167
"""The first of January 2017, in days from 1970-01-01."""

POOL = 3
"""Places per chart in the songs of all countries of one week."""

ARTISTS = 30
"""Artists of every market, and of all countries."""


@dataclass(frozen=True)
class Weekly:
    """What a world is; shares are about these levels, on the scale of log-odds.

    Attributes
    ----------
    kept
        Share of the places whose song stays for the next week.
    common
        Share of the new songs that are of all countries.
    memory
        How much of a deviation from the level is left a week later.
    spread
        Standard deviation of the deviations.
    kept_trend, common_trend
        Change of the levels per year, in log-odds.
    shuffle
        Standard deviation of the noise that orders the songs that stay anew; 1 is that of all songs.
    """

    kept: float = 0.7
    common: float = 0.4
    memory: float = 0.8
    spread: float = 0.2
    kept_trend: float = 0.0
    common_trend: float = 0.0
    shuffle: float = 0.3


def weekly_charts(
    world: Weekly, seed: int, *, weeks: int = 160, markets: int = 8, depth: int = 20, missing: float = 0.0
) -> WeeklyCharts:
    """Return the charts of a world, of which a share is `missing`."""
    rng = np.random.default_rng(seed)
    kept, common = (
        _share(rng, level, world, weeks, trend)
        for level, trend in ((world.kept, world.kept_trend), (world.common, world.common_trend))
    )
    charts = np.empty((weeks, markets, depth), np.int64)
    score = rng.normal(size=(markets, depth))
    song = np.arange(markets * depth).reshape(markets, depth)
    born = markets * depth
    for week in range(-20, weeks):
        at = max(week, 0)
        stays = rng.random((markets, depth)) < kept[at]
        of_all = rng.random((markets, depth)) < common[at]
        pool = born + rng.permuted(np.tile(np.arange(POOL * depth), (markets, 1)), axis=1)[:, :depth]
        own = born + POOL * depth + np.arange(markets * depth).reshape(markets, depth)
        born += (POOL + markets) * depth
        song = np.where(stays, song, np.where(of_all, pool, own))
        score = np.where(stays, score + world.shuffle * rng.normal(size=score.shape), rng.normal(size=score.shape))
        charts[at] = np.take_along_axis(song, np.argsort(score, axis=1), axis=1)
    return _rows(charts, rng.random((weeks, markets)) >= missing, rng)


def _share(rng: np.random.Generator, level: float, world: Weekly, weeks: int, trend: float) -> NDArray[np.float64]:
    """Return a share for every week that wanders about its level, which may change."""
    deviation = np.empty(weeks)
    now = rng.normal(scale=world.spread)
    for week in range(weeks):
        now = world.memory * now + np.sqrt(1 - world.memory**2) * rng.normal(scale=world.spread)
        deviation[week] = now
    odds = np.log(level / (1 - level)) + deviation + trend * (np.arange(weeks) - weeks / 2) * 7 / 365.25
    share: NDArray[np.float64] = 1 / (1 + np.exp(-odds))
    return share


def _rows(charts: NDArray[np.int64], seen: NDArray[np.bool_], rng: np.random.Generator) -> WeeklyCharts:
    _, markets, depth = charts.shape
    songs, track = np.unique(charts, return_inverse=True)
    date, market, rank = np.indices(charts.shape).reshape(3, -1)
    kept = np.flatnonzero(seen[date, market])
    # of the songs of a week, the first are of all countries, then those of every market
    place = (songs - markets * depth) % ((POOL + markets) * depth) // depth - POOL
    singer = ARTISTS * np.where(songs < markets * depth, songs // depth, np.maximum(place, -1))
    rows = pa.table(
        {
            "market": pa.array(np.array([f"M{number}" for number in range(markets)])[market[kept]]),
            "date": pa.array(FIRST_DAY + 7 * date[kept], pa.int32()).cast(pa.date32()),
            "track": pa.array(track.ravel()[kept], pa.int32()),
            "rank": pa.array(rank[kept] + 1, pa.int32()),
        }
    )
    artist = ARTISTS + singer + rng.integers(0, ARTISTS, len(songs))
    artists = pa.table({"track": pa.array(range(len(songs)), pa.int32()), "artist": pa.array(artist, pa.int32())})
    return counted(rows, artists, [f"M{number}" for number in range(markets)])


def counted(rows: pa.Table, artists: pa.Table, markets: list[str]) -> WeeklyCharts:
    """Return the weekly charts of rows.

    Parameters
    ----------
    rows
        `market`, `date`, `track`, `rank`.
    artists
        `track` and `artist`, numbers of both.
    markets
        Codes of the markets.
    """
    depths = rows.group_by(["market", "date"]).aggregate([([], "count_all")]).rename_columns({"count_all": "depth"})
    placed = in_turn(rows).append_column("track", rows["track"]).append_column("rank", rows["rank"])
    with open_engine() as engine:
        engine.keep("compared_rows", placed)
        engine.keep("track_artists", artists)
        compared = ComparedCharts.of(engine, recent=RECENT)
    return WeeklyCharts.counted(depths, compared, markets, step=7)
