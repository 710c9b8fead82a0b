"""How well single features alone tell what comes: a feature that tells too much has seen it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from diffusion.arrays import Flags, Floats
from diffusion.conventions import LONG_GAP
from pipelines.features.history import History
from pipelines.features.observations import Observations, Outcomes
from pipelines.features.registry import Feature, Values
from pipelines.features.scene import Scene
from pipelines.features.table import FeatureTable

BEST_KNOWN_AUC: Final = 0.944
"""AUC of the best model known, of all its features together (pointwise trees on five years of daily charts)."""

AUC_BOUND: Final = 1 - (1 - BEST_KNOWN_AUC) / 2
"""An AUC above this is too good for one feature: half as far from 1 as the best model with all features."""

R2_BOUND: Final = 0.9
"""An R² above this is too good for one feature, if it also leaves less than half of what the base features leave."""

FEWEST: Final = 20
"""Least number of entries, and of pairs on charts, from which a score is made."""

_Z: Final = 2.576
"""Standard errors that an AUC must lie above a bound: the lower end of a 99 % interval."""


class BaseFeatures:
    """What is plainly known: how often markets were entered, by the artist too, and where the track is. No state."""

    features: Final = tuple(
        Feature(name, unit, meaning, ("charts",), "as of", "artist")
        for name, unit, meaning in (
            ("base_market", "entries", "Entries into the market so far."),
            ("base_artist", "entries", "Entries of the artist's tracks into the market so far."),
            ("base_reach", "markets", "Markets that the track has entered."),
            ("base_place", "log", "Log streams on the market's latest chart; minus log rank where none are shown."),
        )
    )

    def __init__(self, history: History) -> None:
        self._artist = np.zeros((int(history.artist.max()) + 1, len(history.markets)), np.int32)

    def advance(self, known: History, day: int) -> None:
        """Count the entries of the day."""
        entries = known.entries.between(day, day)
        np.add.at(self._artist, (known.artist[entries.track], entries.market), 1)

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values for the tracks of a day."""
        return {
            "base_market": self._artist.sum(axis=0).astype(np.float32),
            "base_artist": self._artist[known.artist[scene.track]].astype(np.float32),
            "base_reach": scene.entered.sum(axis=1).astype(np.float32),
            "base_place": _place(scene.rank, scene.streams),
        }

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the counts."""
        return {"artist": self._artist}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from counts."""
        self._artist = state["artist"].astype(np.int32)


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of f single columns.

    Attributes
    ----------
    auc
        (f,): AUC of the column for entry within the horizon, in the better of both directions, missing values last or
        first; NaN with fewer than `FEWEST` entries.
    auc_bound
        AUC above which a column is too good: `AUC_BOUND`, or half as far from 1 as the best base feature.
    auc_low
        (f,): lower end of the interval of `auc`.
    r2
        (f,): squared correlation with log streams (minus log rank where none are shown) on the market's next chart, of
        values or of ranks, whichever is higher; NaN with fewer than `FEWEST` pairs.
    r2_bound
        R² above which a column is too good.
    """

    auc: Floats
    auc_bound: float
    auc_low: Floats
    r2: Floats
    r2_bound: float

    @property
    def too_good(self) -> Flags:
        """(f,): whether a score of the column is above its bound."""
        return np.greater(self.auc_low, self.auc_bound) | np.greater(self.r2, self.r2_bound)


def single_scores(
    history: History, entry: tuple[Observations, FeatureTable], chart: tuple[Observations, FeatureTable], horizon: int
) -> Scores:
    """Return the scores of single columns.

    Parameters
    ----------
    history
        The charts.
    entry
        Observations whose candidates may be entered, and their features; the last are `BaseFeatures`.
    chart
        Observations whose candidates are markets that have the track on their chart, and the same features.
    horizon
        Days within which entries count.
    """
    base = len(BaseFeatures.features)
    observations, table = entry
    outcomes = Outcomes.of(history, observations, horizon)
    at = table.observation, table.market
    followed = outcomes.followed[at]
    entered = outcomes.entered[at][followed]
    aucs = _each(table.values[followed], lambda column: area(column, entered), entered.sum() >= FEWEST)
    target = next_places(history, *chart)
    told = np.isfinite(target)
    values = chart[1].values[told]
    r2s = _each(values, lambda column: explained(column, target[told]), len(values) >= FEWEST)
    return Scores(
        auc=aucs[:-base],
        auc_bound=_bound(AUC_BOUND, aucs[-base:]),
        auc_low=aucs[:-base] - _Z * _standard_error(aucs[:-base], int(entered.sum()), int((~entered).sum())),
        r2=r2s[:-base],
        r2_bound=_bound(R2_BOUND, r2s[-base:]),
    )


def area(column: NDArray[np.floating], entered: Flags) -> float:
    """Return the AUC of a column in the better of both directions, with missing values below or above all others."""
    n, m = int(entered.sum()), int((~entered).sum())
    if not n or not m:
        return float("nan")
    missing = np.isnan(column)
    found = []
    for stand_in in (-np.inf, np.inf) if missing.any() else (0.0,):
        ranks = rankdata(np.where(missing, stand_in, column))
        one = (float(ranks[entered].sum()) - n * (n + 1) / 2) / (n * m)
        found += [one, 1 - one]
    return max(found)


def explained(column: NDArray[np.floating], target: Floats) -> float:
    """Return the squared correlation of a column with a target, of values or of ranks, where the column is known."""
    known = np.isfinite(column)
    x, y = column[known].astype(np.float64), target[known]
    if len(x) < FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    of_values, of_ranks = np.corrcoef(x, y)[0, 1], np.corrcoef(rankdata(x), rankdata(y))[0, 1]
    return float(max(of_values**2, of_ranks**2))


def next_places(history: History, observations: Observations, table: FeatureTable) -> Floats:
    """Return, (k,), the place of each candidate on its market's next chart; NaN where it is not on it.

    The place is log streams, or minus log rank. A next chart more than 28 days away is none.
    """
    n, m = len(history.tracks), len(history.markets)
    track, day = observations.track[table.observation], observations.day[table.observation]
    market = table.market.astype(np.int64)
    observed = history.observed
    chart = np.lexsort((observed.day, observed.market))
    keys = observed.market[chart].astype(np.int64) << 32 | observed.day[chart].astype(np.int64)
    at = np.searchsorted(keys, market << 32 | day.astype(np.int64), side="right")
    there = np.minimum(at, len(keys) - 1)
    after = observed.day[chart][there]
    known = (at < len(keys)) & (observed.market[chart][there] == market) & (after - day <= LONG_GAP)
    rows = history.positions
    own = rows.market < m
    place = (rows.day[own].astype(np.int64) * m + rows.market[own]) * n + rows.track[own]
    order = np.argsort(place)
    wanted = (after.astype(np.int64) * m + market) * n + track
    found = np.searchsorted(place[order], wanted).clip(max=len(place) - 1)
    row = np.flatnonzero(own)[order[found]]
    known &= place[order[found]] == wanted
    return np.where(known, _place(rows.rank[row].astype(np.float32), rows.streams[row]), np.nan).astype(np.float64)


def on_charts(history: History, days: Sequence[int], most: int, rng: np.random.Generator) -> Observations:
    """Return, for each day, at most so many tracks on charts of that day, with the markets that have them there."""
    m = len(history.markets)
    parts = []
    for day in days:
        rows = history.positions.between(day, day)
        rows_here = rows.market < m
        track, at = np.unique(rows.track[rows_here], return_inverse=True)
        there = np.zeros((len(track), m), np.bool_)
        there[at, rows.market[rows_here]] = True
        drawn = rng.choice(len(track), min(most, len(track)), replace=False)
        parts.append((track[drawn].astype(np.int64), np.full(len(drawn), day, np.int32), there[drawn]))
    return Observations(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _place(rank: NDArray[np.float32], streams: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(np.isfinite(streams), np.log1p(streams), -np.log(rank)).astype(np.float32)


def _each(values: NDArray[np.float32], score: Callable[[NDArray[np.float32]], float], enough: bool) -> Floats:
    if not enough:
        return np.full(values.shape[1], np.nan)
    return np.array([score(values[:, at]) for at in range(values.shape[1])])


def _bound(least: float, base: Floats) -> float:
    """Return the higher of a bound and the score half as far from 1 as the best base feature's."""
    best = float(np.nanmax(base)) if np.isfinite(base).any() else 0.0
    return max(least, 1 - (1 - best) / 2)


def _standard_error(auc: Floats, entries: int, others: int) -> Floats:
    """Return the standard error of AUCs (Hanley & McNeil 1982, doi 10.1148/radiology.143.1.7063747)."""
    if not entries or not others:
        return np.full(len(auc), np.nan)
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (entries - 1) * (q1 - auc**2) + (others - 1) * (q2 - auc**2)
    return np.sqrt(np.maximum(variance, 0) / (entries * others))
