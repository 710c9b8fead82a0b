"""Intervals of metrics, and of differences between forecasts, by resampling clusters of observations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np
import pandas as pd

from diffusion import SettingError
from diffusion.arrays import Floats, Ints
from diffusion.conventions import CONFIDENCE
from pipelines.backtest.held_out import HeldOut
from pipelines.backtest.metrics import METRICS, Additive, Ranked
from pipelines.models.examples import Examples, Forecast

REPLICATES: Final = 1000
"""Draws of clusters."""

RANKED_REPLICATES: Final = 100
"""Draws, the first ones, for metrics that compare candidates across observations, which are slow."""

Cluster = Literal["artist and debut", "artist"]
"""What counts as independent: releases (tracks of an artist that debut on one day), or artists."""


@dataclass(frozen=True, slots=True)
class Draws:
    """How many times each observation is taken, in all clusters as they are and in draws of clusters.

    Attributes
    ----------
    cluster
        (n,): number of the cluster of each observation.
    times
        (1 + r, c): how many times each cluster is taken; once each in the first row.
    """

    cluster: Ints
    times: Floats

    @classmethod
    def of(cls, cluster: Ints, *, replicates: int = REPLICATES, seed: int = 0) -> Self:
        """Return draws of clusters; with the same seed, the same for every forecast."""
        if replicates < 2:
            raise SettingError(f"replicates: {replicates}; give 2 or more")
        number = pd.factorize(cluster)[0].astype(np.int64)
        c = int(number.max(initial=-1)) + 1
        drawn = np.random.default_rng(seed).multinomial(c, np.full(c, 1 / c), size=replicates)
        return cls(number, np.vstack([np.ones((1, c)), drawn]))

    def values(self, held: HeldOut, forecast: Forecast) -> dict[str, Floats]:
        """Return metric → its values in the draws, the first that of all observations."""
        sums = Additive.of(held, forecast)
        by_cluster = Additive({name: self._summed(part) for name, part in sums.parts.items()}, sums.slope)
        few = self.times[: 1 + RANKED_REPLICATES]
        ranked = Ranked.of(held, forecast.p)
        whole = Ranked(self.cluster[ranked.observation], ranked.entered, ranked.last)
        sizes = np.bincount(self.cluster).astype(np.float64)
        return by_cluster.metrics(self.times) | whole.metrics(few, sizes)

    def _summed(self, part: Floats) -> Floats:
        if part.ndim == 1:
            return np.bincount(self.cluster, part, self.times.shape[1]).astype(np.float64)
        return np.stack([self._summed(column) for column in part.T], axis=1)


def clusters(examples: Examples, by: Cluster = "artist and debut") -> Ints:
    """Return, (n,), the cluster of each observation of examples."""
    first = examples.first
    artist = examples.artist[first]
    if by == "artist":
        return artist
    return pd.factorize(pd.MultiIndex.from_arrays([artist, examples.debut[first]]))[0].astype(np.int64)


def score_table(values: Mapping[str, Floats], names: Sequence[str] = METRICS) -> pd.DataFrame:
    """Return `metric`, `value`, `low`, `high` (95 % interval) from the values of `Draws.values`."""
    rows = [(name, values[name][0], *bounds(values[name][1:])) for name in names]
    return pd.DataFrame(rows, columns=["metric", "value", "low", "high"])


def difference_table(values: Mapping[str, Floats], other: Mapping[str, Floats]) -> pd.DataFrame:
    """Return the table of `score_table` of the differences of two forecasts of the same draws."""
    return score_table({name: values[name] - other[name] for name in METRICS})


def bounds(drawn: Floats) -> tuple[float, float]:
    """Return the 95 % interval of drawn values; NaN where none is known."""
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        return np.nan, np.nan
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
