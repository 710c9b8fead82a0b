"""The default forecaster: boosted trees of whether, which and when, joined and calibrated."""

from dataclasses import dataclass, field, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from diffusion import DataSaysNoError
from diffusion.arrays import Flags, Floats, Ints
from pipelines.models.boosting import Ensemble, Trees
from pipelines.models.calibration import Calibration, later_part, log_odds
from pipelines.models.examples import Examples, Forecast
from pipelines.models.timing import Timing

BY_DAYS: Final = (7, 14, 28)
"""Days by which probabilities are given, beside the horizon."""

LEAST_ENTRIES: Final = 50
"""Entries below which every market has its base rate."""

LEAST_SPREADING: Final = 100
"""Observations with an entry below which no model is fitted on them alone, and below which nothing is calibrated."""

LEAST_SAMPLED: Final = 200_000
"""Candidates below which all are kept."""

PRIOR: Final = 200.0
"""Candidates that a market's base rate is pulled with towards the rate of all."""

LEVEL_TREES: Final = Trees(rounds=230, leaves=24, rate=0.06, least_rows=100, columns=0.3, ridge=10)
ORDER_TREES: Final = Trees(rounds=160, rate=0.06, columns=0.4, ridge=10)
RANK_TREES: Final = Trees(rounds=120, rate=0.05, columns=0.4, ridge=10)
FOREST_TREES: Final = Trees(rounds=100, leaves=600, least_rows=20, columns=0.08, rows=0.5)
DAYS_TREES: Final = Trees(rounds=100, leaves=7, rate=0.05, columns=0.4, ridge=10)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of the default forecaster.

    Attributes
    ----------
    all_tracks, forest, spreading, ranking, days
        Trees of entry on all observations, boosted and as a random forest, of entry and of the order on observations
        with an entry, and of the days.
    weights
        Weights in the order of a track's markets: of the mean score of the first two, and of the next two; their sum
        does not matter.
    kept_spreading, kept_others
        Share of the candidates without an entry that the first trees are grown on, where the track entered another
        market and where it entered none; those kept count for the others too.
    bags
        Number of seeds whose scores are averaged.
    later
        Share of the rows that calibration is learned from.
    slope, level
        Shares of the learned calibration that are applied, as in `Calibration.fit`: 0 none, 1 all of it.
    """

    all_tracks: Trees = LEVEL_TREES
    forest: Trees = FOREST_TREES
    spreading: Trees = ORDER_TREES
    ranking: Trees = RANK_TREES
    days: Trees = DAYS_TREES
    weights: tuple[float, float, float] = (0.4, 0.2, 0.4)
    kept_spreading: float = 1.0
    kept_others: float = 0.15
    bags: int = 2
    later: float = 0.2
    slope: float = 0.25
    level: float = 0.0


@dataclass(frozen=True, slots=True)
class Scores:
    """Fitted scores of candidates.

    Attributes
    ----------
    all_tracks, forest
        Log-odds of entry by boosted trees, and its probability by a random forest, fitted on all observations: the mean
        of both log-odds is the level.
    spreading, ranking
        Log-odds and order, fitted on observations with an entry; None where there were too few.
    weights
        As in `Recipe`.
    """

    all_tracks: Ensemble
    forest: Ensemble
    spreading: Ensemble | None
    ranking: Ensemble | None
    weights: tuple[float, float, float]

    @classmethod
    def fit(cls, examples: Examples, chosen: Flags, recipe: Recipe, *, seed: int, threads: int) -> Self:
        """Return scores fitted on the chosen rows."""
        number, spreads = examples.number, examples.spreading
        entries = int(examples.entered[chosen].sum())
        seeds = range(seed, seed + recipe.bags)
        rows, weights = _drawn(examples, chosen, recipe, seed)
        all_tracks = Ensemble.fit(
            examples.values[rows], examples.entered[rows], "binary", recipe.all_tracks.for_entries(entries),
            seeds=seeds, threads=threads, weights=weights,
        )  # fmt: skip
        forest = Ensemble.fit(
            examples.values[rows], examples.entered[rows], "forest", recipe.forest.for_entries(entries),
            seeds=[seed], threads=threads, weights=weights,
        )  # fmt: skip
        rows = np.flatnonzero(chosen & spreads)
        values, entered = examples.values[rows], examples.entered[rows]
        _, group, sizes = np.unique(number[rows], return_inverse=True, return_counts=True)
        if len(sizes) < LEAST_SPREADING:
            return cls(all_tracks, forest, None, None, recipe.weights)
        # a track with many entries counts more, but not as many times more
        weights = examples.weights()[rows] / np.sqrt(np.bincount(group, entered))[group]
        spreading = Ensemble.fit(
            values, entered, "binary", recipe.spreading.for_entries(entries),
            seeds=seeds, threads=threads, weights=weights,
        )  # fmt: skip
        ranking = Ensemble.fit(
            values, entered, "lambdarank", recipe.ranking.for_entries(entries),
            seeds=seeds, threads=threads, groups=sizes,
        )  # fmt: skip
        return cls(all_tracks, forest, spreading, ranking, recipe.weights)

    def predict(self, examples: Examples) -> Floats:
        """Return probabilities: the order is that of all three, the sum over a track's markets that of the level."""
        level = (self.all_tracks.score(examples.values) + log_odds(self.forest.share(examples.values))) / 2
        if self.spreading is None or self.ranking is None:
            p: Floats = expit(level)
            return p
        scores = (level, self.spreading.score(examples.values), self.ranking.score(examples.values))
        order = np.average(scores, axis=0, weights=self.weights)
        return with_level(order, expit(level), examples.observation)

    def contributions(self, values: NDArray[np.float32]) -> Floats:
        """Return, (k, f), what each feature adds to the mean score of the first seeds; the forest is left out."""
        fitted = [self.all_tracks, self.spreading, self.ranking]
        parts = [(one.contributions(values), weight) for one, weight in zip(fitted, self.weights, strict=True) if one]
        found: Floats = np.average([part for part, _ in parts], axis=0, weights=[weight for _, weight in parts])
        return found


@dataclass(slots=True)
class Forecaster:
    """Which markets a track enters within the horizon, how likely, and when: the default forecaster.

    Boosted trees and a random forest score entry among all tracks, two more boosted models entry among tracks that
    entered anything, and the order among those (lambdarank). Their weighted sum orders a track's markets; the sum of a
    track's probabilities is that of the first two. Log-odds are then corrected by what the later part of the training
    tracks did, part of the way. The days to entry have a model of their own, fitted on entries.

    With few entries trees are smaller, and the models of tracks that entered anything are left out; below
    `LEAST_ENTRIES` every market has its base rate. `notes` say so.

    Attributes
    ----------
    recipe
        Settings.
    seed, threads
        Seed of samples and trees, and number of threads.
    horizon
        Days within which entries count, as fitted.
    scores
        Fitted scores; None where there were too few entries.
    rates
        (m,): base rates of the markets.
    calibration
        Correction of the log-odds.
    timing
        Distribution of the days to entry.
    notes
        What was left out for want of data.
    """

    recipe: Recipe = field(default_factory=Recipe)
    seed: int = 0
    threads: int = 1
    horizon: int = field(default=0, init=False)
    scores: Scores | None = field(default=None, init=False)
    rates: Floats = field(default_factory=lambda: np.zeros(0), init=False)
    calibration: Calibration = field(default_factory=Calibration, init=False)
    timing: Timing | None = field(default=None, init=False)
    notes: tuple[str, ...] = field(default=(), init=False)

    def fit(self, examples: Examples) -> Self:
        """Return this forecaster, fitted.

        Raises
        ------
        DataSaysNoError
            When no candidate entered: there is nothing to learn from.
        """
        entries = int(examples.entered.sum())
        if not entries:
            raise DataSaysNoError(
                f"none of the {len(examples):,} candidates entered within {examples.horizon} days: nothing to learn"
            )
        self.horizon = examples.horizon
        self.rates = base_rates(examples)
        self.timing = Timing.fit(
            examples.values[examples.entered], examples.days[examples.entered], examples.horizon, self.recipe.days,
            seeds=range(self.seed, self.seed + self.recipe.bags), threads=self.threads,
        )  # fmt: skip
        self.scores, self.calibration, self.notes = None, Calibration(), ()
        if entries < LEAST_ENTRIES:
            self.notes = (f"{entries} entries are too few for a model; every market has its base rate",)
            return self
        self.calibration = self._calibration(examples)
        self.scores = self._scores(examples, np.ones(len(examples), np.bool_), self.recipe)
        if self.scores.spreading is None:
            self.notes += (f"fewer than {LEAST_SPREADING} observations with an entry; no model of these alone",)
        return self

    def predict(self, examples: Examples) -> Forecast:
        """Return probabilities by 7, 14 and 28 days and the horizon, and the distribution of the days to entry."""
        if self.timing is None:
            raise ValueError("fit the forecaster first")
        raw = self.rates[examples.market] if self.scores is None else self.scores.predict(examples)
        p = self.calibration.apply(raw)
        days = (*(day for day in BY_DAYS if day < self.horizon), self.horizon)
        when = self.timing.predict(examples.values, days)
        return Forecast(
            p=p,
            expected_days=when.median,
            by=p[:, None] * when.by,
            days=days,
            interval=np.stack([when.low, when.high], axis=1),
        )

    def contributions(self, values: NDArray[np.float32]) -> Floats:
        """Return, (k, f), what each feature adds to the log-odds of candidates; zeros where there are base rates."""
        return np.zeros(values.shape) if self.scores is None else self.scores.contributions(values)

    def _scores(self, examples: Examples, chosen: Flags, recipe: Recipe) -> Scores:
        return Scores.fit(examples, chosen, recipe, seed=self.seed, threads=self.threads)

    def _calibration(self, examples: Examples) -> Calibration:
        """Return the correction learned from the later tracks with scores fitted on the earlier ones."""
        earlier, later = later_part(examples, self.recipe.later)
        enough = all(examples.entered[part].sum() >= LEAST_SPREADING for part in (earlier, later))
        if not enough:
            self.notes += ("too few entries before and after for a calibration; probabilities are as fitted",)
            return Calibration()
        held_out = examples.where(later)
        one_bag = replace(self.recipe, bags=1)
        p = self._scores(examples, earlier, one_bag).predict(held_out)
        return Calibration.fit(
            p, held_out.entered, held_out.weights(), slope=self.recipe.slope, level=self.recipe.level
        )


def base_rates(examples: Examples) -> Floats:
    """Return, (m,), each market's share of candidates that entered, pulled towards the share of all."""
    weights = examples.weights()
    tried = np.bincount(examples.market, weights)
    entered = np.bincount(examples.market, examples.entered * weights, len(tried))
    rates: Floats = (entered + PRIOR * entered.sum() / tried.sum()) / (tried + PRIOR)
    return rates


def with_level(scores: Floats, p: Floats, observation: NDArray[np.integer]) -> Floats:
    """Return probabilities whose log-odds are `scores` plus a number per observation, so that their sum is that of `p`.

    Parameters
    ----------
    scores, p
        (k,): scores that order the candidates, and probabilities whose sums count.
    observation
        (k,): observation of the candidates, in order.
    """
    starts = np.flatnonzero(np.append(True, np.diff(observation) != 0))
    number = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(scores))))
    wanted = np.add.reduceat(p, starts)
    middle = log_odds(wanted / np.bincount(number))
    low = middle - np.maximum.reduceat(scores, starts)
    high = middle - np.minimum.reduceat(scores, starts)
    for _ in range(40):  # the sum rises with the number, so halving finds it
        shift = (low + high) / 2
        short = np.add.reduceat(expit(scores + shift[number]), starts) < wanted
        low, high = np.where(short, shift, low), np.where(short, high, shift)
    found: Floats = expit(scores + ((low + high) / 2)[number])
    return found


def _drawn(examples: Examples, chosen: Flags, recipe: Recipe, seed: int) -> tuple[Ints, Floats]:
    """Return chosen rows, all entries and a share of the other candidates, and the number that each stands for."""
    share = np.where(examples.entered, 1.0, np.where(examples.spreading, recipe.kept_spreading, recipe.kept_others))
    expected = share[chosen].sum()
    if expected < LEAST_SAMPLED:
        share = np.minimum(share * (LEAST_SAMPLED / expected), 1)
    share[examples.entered] = 1.0
    kept = chosen & (np.random.default_rng(seed).random(len(share)) < share)
    rows = np.flatnonzero(kept)
    return rows, examples.weights()[rows] / share[rows]
