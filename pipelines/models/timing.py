"""When a track enters, given that it enters within the horizon."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from diffusion.arrays import Floats
from pipelines.models.boosting import Ensemble, Trees
from pipelines.models.calibration import logistic

MOST_TIMES = 60
"""Most days at which the distribution is fitted."""

FOLDS = 3
"""Parts of the entries; each is scored by trees fitted on the others."""

LEAST_ENTRIES = 100
"""Entries below which all candidates share one distribution."""

TAIL = 0.1
"""Probability on either side of the interval, which so covers 80 %."""


@dataclass(frozen=True, slots=True)
class Days:
    """Distribution of the days to entry of k candidates, given entry within the horizon.

    Attributes
    ----------
    low, median, high
        (k,): 10 %, 50 % and 90 % quantiles, in days.
    by
        (k, h): probability of entry by each day asked for, given entry within the horizon.
    """

    low: Floats
    median: Floats
    high: Floats
    by: Floats


@dataclass(frozen=True, slots=True)
class Timing:
    """Distribution of the days to entry: trees order the candidates, and each time has its own logistic curve.

    Attributes
    ----------
    times
        (t,): days at which the distribution is fitted, in order; the last is the horizon.
    curves
        (t − 1, 2): intercept and slope of the log-odds of entry by each time but the last, on the score of lateness.
    trees
        Boosters of the score of lateness; None where there were too few entries, and all candidates score 0.
    """

    times: NDArray[np.float64]
    curves: NDArray[np.float64]
    trees: Ensemble | None

    @classmethod
    def fit(
        cls,
        values: NDArray[np.float32],
        days: NDArray[np.float32],
        group: NDArray[np.generic],
        horizon: int,
        trees: Trees,
        *,
        seed: int = 0,
        threads: int = 1,
    ) -> Self:
        """Return the distribution fitted on entries.

        Parameters
        ----------
        values, days
            (k, f) features and (k,) days to entry.
        group
            (k,): entries of one group are scored by trees that saw none of it.
        horizon
            Days within which entries count.
        """
        times = np.unique(days)
        if len(times) > MOST_TIMES:
            times = np.unique(np.quantile(days, np.linspace(0, 1, MOST_TIMES), method="nearest"))
        times = np.append(times[times < horizon], horizon).astype(np.float64)
        if len(days) < LEAST_ENTRIES:
            return cls(times, _curves(times, np.zeros(len(days)), days), None)
        late = (
            (np.searchsorted(np.sort(days), days) + np.searchsorted(np.sort(days), days, side="right")) / 2 / len(days)
        )
        sized = trees.for_entries(len(days))
        fold = _folds(group, seed)
        score = np.zeros(len(days))
        for part in range(FOLDS):
            rest = fold != part
            fitted = Ensemble.fit(values[rest], late[rest], "cross_entropy", sized, seeds=[seed], threads=threads)
            score[~rest] = fitted.score(values[~rest])
        whole = Ensemble.fit(values, late, "cross_entropy", sized, seeds=[seed], threads=threads)
        return cls(times, _curves(times, score, days), whole)

    def predict(self, values: NDArray[np.float32], days: Sequence[int]) -> Days:
        """Return the distribution of each candidate, and its probabilities by some days.

        Between fitted times probabilities rise in a straight line; from 0 on day 0.
        """
        score = np.zeros(len(values)) if self.trees is None else self.trees.score(values)
        by = np.zeros((len(score), len(days)))
        quantiles = np.full((3, len(score)), np.nan)
        before, last = np.zeros(len(score)), 0.0
        for number, time in enumerate(self.times):
            now = np.ones(len(score))
            if number < len(self.curves):
                now = np.maximum(before, expit(self.curves[number, 0] + self.curves[number, 1] * score))
            for column, day in enumerate(days):
                if last < day <= time:
                    by[:, column] = before + (now - before) * (day - last) / (time - last)
            for row, level in enumerate((TAIL, 0.5, 1 - TAIL)):
                reached = np.isnan(quantiles[row]) & (now >= level)
                quantiles[row, reached] = time
            before, last = now, time
        by[:, np.array(days) > last] = 1.0
        return Days(quantiles[0], quantiles[1], quantiles[2], by)


def _curves(times: NDArray[np.float64], score: Floats, days: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return intercept and slope of each time but the last; a slope that would order against the score is 0."""
    curves = np.zeros((len(times) - 1, 2))
    for number, time in enumerate(times[:-1]):
        early = days <= time
        share = (early.sum() + 0.5) / (len(days) + 1)
        curves[number, 0] = np.log(share / (1 - share))
        fitted = logistic(score, early, np.ones(len(days))) if len(days) >= LEAST_ENTRIES else None
        if fitted is not None and fitted[1] < 0:
            curves[number] = fitted
    return curves


def _folds(group: NDArray[np.generic], seed: int) -> NDArray[np.intp]:
    """Return a fold per row, the same for all rows of a group."""
    _, number = np.unique(group, return_inverse=True)
    return np.random.default_rng(seed).integers(FOLDS, size=number.max() + 1)[number]
