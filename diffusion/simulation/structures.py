"""What all samples of a named world have in common: its markets, how they are watched, and who influences whom."""

from dataclasses import dataclass
from datetime import date
from itertools import cycle, islice
from typing import Final

import numpy as np
import pandas as pd

from diffusion import SettingError
from diffusion.arrays import Flags, Floats, Ints
from diffusion.conventions import HORIZON, WASHOUT
from diffusion.markets import SIMULATED
from diffusion.simulation.chart_dates import ChartDates
from diffusion.simulation.network import Network, simulated_markets
from diffusion.simulation.recipes import WORLDS, Recipe

START: Final = date(2018, 1, 1)
"""First date of every world."""

DAYS: Final = 365 + WASHOUT
"""Days observed by default: a year of releases after the washout of the first charts."""

MEDIAN_LAG: Final = 5.0
"""Days: median lag of all influence."""

GAP: Final = 50
"""Days without charts, where a market has a gap."""

DEPTHS: Final = (200, 100)
"""Rows of a chart, and of one with half the rows."""

LANGUAGES: Final = (4, 3, 2, 1, 1, 1)
"""Markets per language, over and over."""

TASTE_GROUPS: Final = 3
"""Groups of markets for hidden tastes that cut across languages."""


@dataclass(frozen=True, slots=True)
class Structure:
    """The structure of a world; its samples differ in tracks and artists.

    Attributes
    ----------
    name
        The world's name in `WORLDS`.
    charts
        Dates and depth of the charts.
    days
        Length of the time observed.
    share
        (m,), adds up to 1: sizes of the markets.
    fall, onset
        (m,): fall of the hazards per day of age; delay in days of each market's onset, where age shapes differ.
    language
        (m,): number of the market's language.
    group
        (m,): number of the market's group of taste, where taste is hidden: its language, or a group across languages.
    celebrated
        (m,): whether the market has Christmas.
    place
        (m, 2) km: position of the market.
    network
        α and lags. It holds no hazards of entry by itself.
    """

    name: str
    charts: ChartDates
    days: int
    share: Floats
    fall: Floats
    onset: Floats
    language: Ints
    group: Ints
    celebrated: Flags
    place: Floats
    network: Network

    @property
    def recipe(self) -> Recipe:
        """What is on."""
        return WORLDS[self.name]

    @property
    def languages(self) -> dict[str, str]:
        """The language of every market."""
        return dict(zip(self.charts.markets, (f"language {number}" for number in self.language), strict=True))

    @property
    def pairs(self) -> pd.DataFrame:
        """Likeness of all ordered pairs, with the columns of `diffusion.pair_table`; cultural distances are missing."""
        source, target = np.nonzero(~np.eye(len(self.language), dtype=bool))
        codes = np.array(self.charts.markets, dtype=object)
        same = self.language[source] == self.language[target]
        away = np.linalg.norm(self.place[source] - self.place[target], axis=1)
        return pd.DataFrame(
            {
                "source": codes[source],
                "target": codes[target],
                "distance_km": away.round(1),
                "contiguous": (away < 1000).astype(np.int64),
                "common_language": same.astype(np.int64),
                "language_overlap": same.astype(np.float64),
                "cultural_distance": np.nan,
            }
        )


def draw_structure(
    name: str, rng: np.random.Generator, *, markets: int = 12, days: int = DAYS, alike: bool = False
) -> Structure:
    """Return the structure of a named world.

    Parameters
    ----------
    name
        One of `WORLDS`.
    rng
        Random generator.
    markets
        Number of markets, at least 4 (default 12). Their codes are user-assigned ones first, which no table of real
        distances knows.
    days
        Length of the time observed, at least 180 (default a year and the washout before it).
    alike
        Whether all markets have one size (default: sizes as the recipe says).

    Raises
    ------
    SettingError
        When the name is not known, or there are too few markets or days.
    """
    if name not in WORLDS:
        raise SettingError(f"unknown world '{name}'; known are {', '.join(WORLDS)}")
    if markets < 4 or days < HORIZON:
        raise SettingError(f"{markets} markets and {days} days are too few; give 4 and {HORIZON} at least")
    recipe = WORLDS[name]
    language = rng.permutation(np.repeat(np.arange(markets), list(islice(cycle(LANGUAGES), markets)))[:markets])
    size = rng.permutation(np.geomspace(1, 1 if alike else recipe.sizes, markets))
    decay = rng.permutation(np.geomspace(4, 60, markets)) if recipe.shapes else np.full(markets, recipe.decay or np.inf)
    charts = _charts(rng, recipe, markets, days)
    return Structure(
        name=name,
        charts=charts,
        days=days,
        share=size / size.sum(),
        fall=1 / decay,
        onset=rng.permutation(np.geomspace(1, 20, markets)),
        language=language,
        group=language if recipe.taste == "language" else _across(rng, language),
        celebrated=rng.permutation(markets) < markets / 2,
        place=rng.uniform(0, 10_000, (markets, 2)),
        network=_network(charts.markets, _alpha(rng, recipe, markets)),
    )


def _across(rng: np.random.Generator, language: Ints) -> Ints:
    """Return, (m,), groups that divide the markets of every language."""
    order = np.lexsort((rng.random(len(language)), language))
    group = np.empty_like(language)
    group[order] = np.arange(len(language)) % TASTE_GROUPS
    return group


def _charts(rng: np.random.Generator, recipe: Recipe, markets: int, days: int) -> ChartDates:
    """Return the dates of charts: all regular ones, but for a late launch and gaps."""
    known = dict.fromkeys((*SIMULATED, *simulated_markets(max(1, markets - len(SIMULATED)))))
    dates = np.arange(recipe.cadence - 1, days, recipe.cadence)
    charted = np.ones((markets, len(dates)), dtype=bool)
    order = rng.permutation(markets)
    if recipe.late:
        charted[order[0]] = dates >= 0.4 * days
    broken = order[: round(recipe.gaps * markets)]
    begins = rng.integers(2 * WASHOUT, days - 2 * GAP, len(broken))[:, None]
    charted[broken] &= (dates < begins) | (dates >= begins + GAP)
    depth = np.full(markets, DEPTHS[0])
    if recipe.half:
        depth[order[0]] = DEPTHS[1]
    return ChartDates(tuple(sorted(list(known)[:markets])), START, dates, charted, depth=depth)


def _alpha(rng: np.random.Generator, recipe: Recipe, markets: int) -> Floats:
    """Return α: uniform on as many pairs as the density says, 0 elsewhere."""
    alpha = np.zeros((markets, markets))
    pairs = np.flatnonzero(~np.eye(markets, dtype=bool))
    chosen = rng.choice(pairs, round(recipe.density * len(pairs)), replace=False)
    alpha.flat[chosen] = rng.uniform(*recipe.alpha, len(chosen))
    return alpha


def _network(markets: tuple[str, ...], alpha: Floats) -> Network:
    m, start = len(markets), np.zeros(1, np.int64)
    return Network(
        markets=markets,
        alpha=alpha,
        median_lag=np.where(alpha > 0, MEDIAN_LAG, np.nan),
        background=np.zeros((m, 1, 1)),
        periods=start,
        ages=start,
        launch=np.zeros(m, np.int64),
        debut_weight=np.full(m, 1 / m),
    )
