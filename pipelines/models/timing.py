"""When a track enters, given that it enters within the horizon."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from diffusion.arrays import Floats
from pipelines.models.boosting import Ensemble, Trees

MOST_TIMES = 14
"""Most days at which the distribution is fitted."""

LEAST_ENTRIES = 100
"""Entries below which all candidates share one distribution."""

ALWAYS = (7, 14, 28)
"""Days at which it is fitted in any case, if they lie within the horizon."""

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
    """Distribution of the days to entry: a boosted model of the entry by each of some days, made not to fall.

    Attributes
    ----------
    times
        (t,): days at which the distribution is fitted, in order; the last is the horizon.
    exact
        Whether entries came on these days alone; else the probability rises in a straight line between them.
    shares
        (t − 1,): share of the entries that came by each day but the last.
    trees
        Boosters of the entry by each of these days; empty where there were too few entries for them.
    """

    times: NDArray[np.float64]
    exact: bool
    shares: Floats
    trees: tuple[Ensemble, ...]

    @classmethod
    def fit(
        cls,
        values: NDArray[np.float32],
        days: NDArray[np.float32],
        horizon: int,
        trees: Trees,
        *,
        seeds: Sequence[int] = (0,),
        threads: int = 1,
    ) -> Self:
        """Return the distribution fitted on entries.

        Parameters
        ----------
        values, days
            (k, f) features and (k,) days to entry.
        horizon
            Days within which entries count.
        """
        times = np.unique(days).astype(np.float64)
        exact = len(times) <= MOST_TIMES
        if not exact:
            middle = np.quantile(days, np.linspace(0, 1, MOST_TIMES)[1:-1], method="nearest")
            times = np.unique(np.array([*middle, *ALWAYS], np.float64))
        times = np.append(times[times < horizon], float(horizon))
        early = [days <= time for time in times[:-1]]
        shares = np.array([by_then.mean() for by_then in early])
        if len(days) < LEAST_ENTRIES:
            return cls(times, exact, shares, ())
        sized = trees.for_entries(len(days))
        fitted = [Ensemble.fit(values, one, "binary", sized, seeds=seeds, threads=threads) for one in early]
        return cls(times, exact, shares, tuple(fitted))

    def predict(self, values: NDArray[np.float32], days: Sequence[int]) -> Days:
        """Return the distribution of each candidate, and its probabilities by some days up to the horizon."""
        n = len(values)
        by, quantiles = np.zeros((n, len(days))), np.full((3, n), np.nan)
        before, last = np.zeros(n), 0.0
        for number, time in enumerate(self.times):
            now = np.maximum(before, self._by(number, values))
            for column, day in enumerate(days):
                if last < day <= time:
                    by[:, column] = before + (now - before) * self._part(day, last, time)
            for found, level in zip(quantiles, (TAIL, 0.5, 1 - TAIL), strict=True):
                here = np.isnan(found) & (now >= level)
                part = (level - before[here]) / (now - before)[here]
                found[here] = time if self.exact else np.ceil(last + part * (time - last))
            before, last = now, time
        return Days(quantiles[0], quantiles[1], quantiles[2], by)

    def _by(self, number: int, values: NDArray[np.float32]) -> Floats:
        """Return, (k,), the probability of entry by one of the times."""
        if number == len(self.shares):
            return np.ones(len(values))
        if not self.trees:
            return np.full(len(values), self.shares[number])
        chance: Floats = expit(self.trees[number].score(values))
        return chance

    def _part(self, day: float, last: float, time: float) -> float:
        """Return the part of the rise between two times that lies before a day."""
        return float(day == time) if self.exact else (day - last) / (time - last)
