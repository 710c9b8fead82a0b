"""Simulated entries with known survival: tracks and artists differ in popularity, and artists have homes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import diffusion
from tests.random_charts import Study

MARKETS = ("AT", "BR", "DE", "ES", "FR", "GB", "IT", "JP", "MX", "NL", "SE", "US")
SPAN, LAST_DEBUT = 200, 150
CHECKED = [7, 30, 60, 90, 120]
"""Days on which survival is held against the truth."""

WORLDS: dict[str, dict[str, Any]] = {
    "artists": {"artists": 300, "pace": 0.002},
    "few artists": {"artists": 60, "pace": 0.002},
    "rare entries": {"artists": 300, "pace": 0.0002},
    "homes": {"artists": 300, "pace": 0.001, "home": 8.0},
    "one of a third": {"artists": 300, "pace": 0.002, "giant": True},
}
"""Worlds in which tracks and artists differ in popularity. A home market is entered eight times as fast."""


def observed() -> diffusion.Calendar:
    """Twelve markets, each observed on 200 days."""
    return Study({market: range(SPAN) for market in MARKETS}, [], 0).open().calendar


def popularity(generator: np.random.Generator, owner: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the popularity of tracks: gamma of shape .7, times that of their artist, gamma of shape 2; mean 1."""
    artist = generator.gamma(2, 1 / 2, int(owner.max()) + 1)
    return generator.gamma(0.7, 1 / 0.7, len(owner)) * artist[owner]


def speeds(
    generator: np.random.Generator, owner: NDArray[np.int64], *, pace: float, home: float = 1.0, sizes: float = 1.0
) -> NDArray[np.float64]:
    """Return the rate per day at which each track enters each market; `sizes` is how far market sizes differ."""
    size = np.exp(sizes * np.linspace(-1, 1, len(MARKETS)))
    at_home = generator.integers(0, len(MARKETS), int(owner.max()) + 1)[owner]
    return pace * np.outer(popularity(generator, owner), size) * np.where(np.arange(12) == at_home[:, None], home, 1.0)


def drawn_entries(
    generator: np.random.Generator,
    calendar: diffusion.Calendar,
    *,
    artists: int,
    pace: float,
    home: float = 1.0,
    giant: bool = False,
    sizes: float = 1.0,
    released: int = 1,
) -> diffusion.Entries:
    """Return entries of tracks released in some markets and entering the others after exponential times, in days.

    With `giant`, a third of all tracks is of one artist.
    """
    owner = np.repeat(np.arange(artists), generator.geometric(0.5, artists))
    if giant:
        owner = np.where(generator.random(len(owner)) < 1 / 3, 0, owner)
    rate = speeds(generator, owner, pace=pace, home=home, sizes=sizes)
    lag = np.ceil(generator.exponential(1, rate.shape) / rate)
    lag[np.arange(len(owner))[:, None], generator.random(rate.shape).argsort(axis=1)[:, :released]] = 0
    day = generator.integers(0, LAST_DEBUT, len(owner))[:, None] + lag
    track, market = np.nonzero(day < SPAN)
    dates = (pd.Timestamp(calendar.first_date) + pd.to_timedelta(day[track, market], unit="D")).to_numpy(
        "datetime64[D]"
    )
    ids = np.array([f"t{number:05d}" for number in range(len(owner))])
    table = pd.DataFrame(
        {
            "track_id": ids[track],
            "market": np.array(MARKETS)[market],
            "chart": calendar.chart,
            "entry": dates,
            "last_without": dates - np.timedelta64(1, "D"),
            "rank": 1,
            "streams": None,
            "left_censored": False,
        }
    )
    artists = pd.DataFrame({"track_id": ids, "artist": [f"artist {number}" for number in owner]})
    return diffusion.Entries.from_frame(table, calendar=calendar, washout=0, tracks=artists)


def true_survival(days: Sequence[int] | range, *, pace: float, home: float = 1.0) -> NDArray[np.float64]:
    """Return the expected survival of a wait on some days, by market, (days, m): a mean over 200,000 artists of one
    track each."""
    rate = speeds(np.random.default_rng(1), np.arange(200_000), pace=pace, home=home)
    return np.array([np.exp(-rate * day).mean(axis=0) for day in days])
