"""Survival features: how soon tracks of this age and reach enter the market, from all that were at risk so far."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Days, Floats, Ints
from diffusion.conventions import LONG_GAP
from pipelines.features.history import History
from pipelines.features.observations import timed_debuts
from pipelines.features.registry import Feature, Values
from pipelines.features.scene import Scene

REACHES: Final = (1, 2, 5, 10)
"""Numbers of markets entered so far at which the classes of reach begin."""

FRACTIONS: Final = (0.0, 0.125, 0.25, 0.5, 1.0)
"""Ages, as parts of the horizon, after which the classes of age begin; tracks are followed for two horizons."""

PRIOR: Final = 5.0
"""Entries, as many as expected, that are added to those of a market, and to those of a class in a market."""

POINTS: Final = 32
"""Points of the horizon at which the hazards are added up."""


def _survival(name: str, unit: str, meaning: str) -> Feature:
    return Feature(name, unit, meaning, ("charts",), "as of", "survival")


class Survival:
    """Discrete-time hazards of entry by market, class of age and class of reach, and what follows from them.

    On every chart, a track at risk of a market was so for the days since the market's previous chart. The hazard of a
    class is entries per day at risk. That of a class in a market is shrunk to the product of the class's hazard over
    all markets and the market's ratio to it.

    Parameters
    ----------
    horizon
        Days within which entries count.
    """

    features: Final = (
        _survival(
            "hazard_chance", "0 … 1", "Chance of entry within the horizon, by the hazards of the market from the "
            "track's age on, at its present reach (markets entered: 1, 2–4, 5–9, 10 or more).",
        ),
        _survival("hazard_chance_soon", "0 … 1", "The same within a quarter of the horizon."),
        _survival("hazard_days", "days", "Median days to entry given entry within the horizon, by those hazards."),
        _survival("hazard_now", "per day", "Hazard of entry into the market at the track's age and reach."),
        _survival(
            "spread_chance", "0 … 1", "Chance that a track of this age and reach enters any market within the horizon."
        ),
        _survival("spread_entries", "entries", "Sum of `hazard_chance` over the open markets not entered."),
    )  # fmt: skip

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self.starts = np.array(FRACTIONS) * horizon
        self._tables: dict[str, Floats] = {}

    def advance(self, known: History, day: int) -> None:
        """Take in the charts of a day."""
        m, classes = len(known.markets), len(FRACTIONS) * len(REACHES)
        if not self._tables:
            shapes = {"entries": (classes, m), "at_risk": (classes, m), "any": (classes,), "any_at_risk": (classes,)}
            self._tables = {name: np.zeros(shape) for name, shape in shapes.items()}
        track, debut = self._followed(known, day)
        entries = known.entries.between(int(debut.min(initial=day)), day)
        at = np.searchsorted(track, entries.track)
        ours = at < len(track)
        ours[ours] = track[at[ours]] == entries.track[ours]
        row, market, new = at[ours], entries.market[ours], entries.day[ours] == day
        reach = np.bincount(row[~new], minlength=len(track))
        group = self._group(day - debut, reach)
        days = _since_previous(known, day)
        counts = np.bincount(group, minlength=classes)[:, None] - _table(group[row[~new]], market[~new], classes, m)
        tables = self._tables
        tables["at_risk"] += counts * days
        tables["entries"] += _table(group[row[new]], market[new], classes, m) * (days > 0)
        tables["any_at_risk"] += np.bincount(group, minlength=classes) * days.max(initial=0)
        tables["any"] += np.bincount(group[np.unique(row[new])], minlength=classes)

    def _followed(self, known: History, day: int) -> tuple[Ints, Days]:
        """Return the tracks with a timed debut within two horizons before the day, and their debuts."""
        track, debut = timed_debuts(known)
        kept = (debut < day) & (debut >= day - 2 * self.horizon)
        return track[kept], debut[kept]

    def _group(self, age: NDArray[np.number], reach: NDArray[np.integer]) -> Ints:
        """Return the number of the class of age and reach; an age belongs to the class that begins before it."""
        old = np.maximum(np.searchsorted(self.starts, age, side="left") - 1, 0)
        wide = np.maximum(np.searchsorted(REACHES, reach, side="right") - 1, 0)
        return old * len(REACHES) + wide

    def hazards(self) -> Floats:
        """Return, (a, r, m), entries per day at risk by class of age, class of reach and market, shrunk."""
        entries, at_risk = self._tables["entries"], self._tables["at_risk"]
        common = (entries.sum(axis=1) / np.maximum(at_risk.sum(axis=1), 1))[:, None]
        expected = at_risk * common
        own = (entries.sum(axis=0) + PRIOR) / (expected.sum(axis=0) + PRIOR)
        cell = (entries + PRIOR) / (expected * own + PRIOR)
        hazards: Floats = common * own * cell
        return hazards.reshape(len(FRACTIONS), len(REACHES), -1)

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the tracks of a day."""
        reach = np.searchsorted(REACHES, scene.entered.sum(axis=1), side="right") - 1
        reach = np.maximum(reach, 0)
        ages, row = np.unique(scene.age, return_inverse=True)
        hazards = self.hazards()
        spread = (self._tables["any"] / np.maximum(self._tables["any_at_risk"], 1)).reshape(len(FRACTIONS), -1, 1)
        total = self._cumulated(hazards, ages)
        chance = -np.expm1(-total)  # by age, point, reach, market
        now = hazards[np.maximum(np.searchsorted(self.starts, ages + 1, side="left") - 1, 0)]
        everywhere = -np.expm1(-self._cumulated(spread, ages)[:, -1, :, 0])
        own = chance[row, -1, reach]
        return {
            "hazard_chance": own.astype(np.float32),
            "hazard_chance_soon": chance[row, POINTS // 4 - 1, reach].astype(np.float32),
            "hazard_days": self._median_days(chance)[row, reach].astype(np.float32),
            "hazard_now": now[row, reach].astype(np.float32),
            "spread_chance": everywhere[row, reach].astype(np.float32),
            "spread_entries": np.where(scene.open & ~scene.entered, own, 0).sum(axis=1).astype(np.float32),
        }

    def _cumulated(self, hazards: Floats, ages: NDArray[np.float32]) -> Floats:
        """Return, (ages, points, r, m), the hazards added up from each age over the points of the horizon."""
        step = self.horizon / POINTS
        middle = ages[:, None] + (np.arange(POINTS) + 0.5) * step
        classes = np.maximum(np.searchsorted(self.starts, middle, side="left") - 1, 0)
        return np.cumsum(hazards[classes] * step, axis=1)

    def _median_days(self, chance: Floats) -> Floats:
        """Return, (ages, r, m), the days by which half of the chance at the horizon is reached; NaN where it is 0."""
        half = chance[:, -1:] / 2
        at = (chance < half).sum(axis=1)
        upper = np.take_along_axis(chance, at[:, None], axis=1)[:, 0]
        before = np.take_along_axis(chance, np.maximum(at - 1, 0)[:, None], axis=1)[:, 0]
        lower = np.where(at > 0, before, 0)
        part = (half[:, 0] - lower) / np.where(upper > lower, upper - lower, np.nan)
        median: Floats = (at + part) * self.horizon / POINTS
        return median

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return name → array: everything learned so far."""
        return {name: table.copy() for name, table in self._tables.items()}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state that `state` returned."""
        self._tables = {name: np.array(table, np.float64) for name, table in state.items()}


def _table(group: Ints, market: NDArray[np.integer], groups: int, markets: int) -> Ints:
    """Return, (groups, markets), how often each pair occurs."""
    counts = np.bincount(group * markets + market, minlength=groups * markets)
    return counts.reshape(groups, markets)


def _since_previous(known: History, day: int) -> Ints:
    """Return, (m,), days since the previous chart of each market that has one on the day; 0 if none, or in washout."""
    rows = known.observed.between(day - LONG_GAP, day)
    previous = np.full(len(known.markets), -1, np.int64)
    earlier = rows.day < day
    previous[rows.market[earlier]] = rows.day[earlier]
    days = np.zeros(len(known.markets), np.int64)
    here = ~earlier & (rows.datable.astype(np.int64) + known.rules.washout <= day) & (previous[rows.market] >= 0)
    days[rows.market[here]] = day - previous[rows.market[here]]
    return days
