"""What is simulated: cells of a world and a size, for the claims of the product or for its intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from zlib import crc32

import numpy as np

from diffusion import SettingError
from diffusion.simulation.recipes import WORLDS, Recipe

Question = Literal["claims", "intervals"]

TRACKS: Final = (2_000, 8_000)
"""Tracks per simulation: every world is drawn with both."""

MARKETS, MANY = 12, 40
"""Markets per simulation, in every world, and in `BROAD`."""

BROAD: Final = ("popularity-falling", "taste-language", "homes", "influence-sparse")
"""Worlds that are drawn with 40 markets too."""

HELD: Final = ("popularity-falling", "homes", "giant-artist", "weekly", "influence-sparse")
"""Worlds in which intervals are held against the truth."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One world and size.

    Attributes
    ----------
    question
        ``claims``: every simulation has a structure of its own, and shows what the product claims in it.
        ``intervals``: all simulations are samples of one structure, and show whether intervals cover its truth.
    world
        Name of the world, one of `diffusion.simulation.recipes.WORLDS`.
    tracks, markets
        Size of a simulation.
    """

    question: Question
    world: str
    tracks: int
    markets: int

    @property
    def name(self) -> str:
        """Name of the cell, such as ``claims-flat-2000-12``."""
        return f"{self.question}-{self.world}-{self.tracks}-{self.markets}"

    @property
    def recipe(self) -> Recipe:
        """What is on in the world."""
        return WORLDS[self.world]

    @property
    def keys(self) -> dict[str, object]:
        """First columns of the cell's tables."""
        return {"world": self.world, "tracks": self.tracks, "markets": self.markets}

    def rng(self, *seed: int) -> np.random.Generator:
        """Return a generator that no other cell has."""
        return np.random.default_rng([crc32(self.name.encode()), *seed])


def cells_of(
    worlds: Sequence[str] = (), tracks: Sequence[int] = (), markets: Sequence[int] = (), *, intervals: bool = True
) -> list[Cell]:
    """Return the cells of a study: those of claims in order of the worlds, then those of intervals.

    Parameters
    ----------
    worlds
        Names of worlds (default: all).
    tracks, markets
        Sizes; every world is drawn in all of them (default: `TRACKS`, `MARKETS`, and `MANY` markets in `BROAD`).
    intervals
        Whether intervals are held against the truth too, in the smallest size and those worlds that are in `HELD`.

    Raises
    ------
    SettingError
        When a world is unknown, or a size too small.
    """
    for name in worlds:
        if name not in WORLDS:
            raise SettingError(f"unknown world '{name}'; known are {', '.join(WORLDS)}")
    for what, numbers, least in (("tracks", tracks, 1), ("markets", markets, 4)):
        if min(numbers, default=least) < least:
            raise SettingError(f"{min(numbers)} {what} are too few; give {least} or more")
    chosen, own = [name for name in WORLDS if name in worlds or not worlds], tuple(tracks) or TRACKS
    cells = [
        Cell("claims", name, number, many)
        for name in chosen
        for many in markets or ((MARKETS, MANY) if name in BROAD else (MARKETS,))
        for number in own
    ]
    held = [name for name in chosen if intervals and name in HELD]
    return cells + [Cell("intervals", name, min(own), min(markets, default=MARKETS)) for name in held]
