"""Candidates that no model was fitted on, with what came of them."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion.arrays import Flags, Floats, Ints
from pipelines.features.history import History
from pipelines.models.examples import Examples


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Candidates of n observations, k rows in order of observation.

    Attributes
    ----------
    observation
        (k,): number of the observation, 0 … n − 1; candidates of one observation are ranked together.
    entered
        (k,): whether the track entered the market within the horizon.
    days
        (k,): days to that entry, NaN where it did not enter.
    tie
        (k,): order of candidates with equal probabilities; a hash of the pair, so that it favours no market.
    period
        Days from one chart to the next.
    usual_days
        Median of the days to an entry in the training part, the forecast of days that models must beat.
    """

    observation: Ints
    entered: Flags
    days: Floats
    tie: NDArray[np.uint64]
    period: int
    usual_days: float

    @classmethod
    def of(cls, history: History, examples: Examples, usual_days: float) -> Self:
        """Return the candidates of examples."""
        return cls(
            observation=numbered(examples.observation),
            entered=examples.entered,
            days=examples.days.astype(np.float64),
            tie=hashes(
                history.tracks["track_id"].to_numpy()[examples.track], np.array(history.markets)[examples.market]
            ),
            period=history.cadence,
            usual_days=usual_days,
        )

    def __len__(self) -> int:
        return int(self.observation[-1]) + 1 if len(self.observation) else 0

    def late(self) -> Flags:
        """(k,): whether the candidate did not enter in the first period."""
        after: Flags = ~(self.days <= self.period)
        return after

    def where(self, chosen: Flags) -> Self:
        """Return the rows that are chosen; observations of which none is chosen are gone."""
        arrays = {name: getattr(self, name)[chosen] for name in ("entered", "days", "tie")}
        return replace(self, observation=numbered(self.observation[chosen]), **arrays)


def numbered(sorted_values: NDArray[np.integer]) -> Ints:
    """Return the numbers of values in order, from 0, such as 0, 0, 1 for 5, 5, 9."""
    new = np.zeros(len(sorted_values), np.int64)
    new[1:] = np.diff(sorted_values) != 0
    return np.cumsum(new)


def hashes(track_id: NDArray[np.object_], market: NDArray[np.object_]) -> NDArray[np.uint64]:
    """Return a hash of each pair of track and market."""
    pairs = pd.DataFrame({"track_id": track_id, "market": market})
    return pd.util.hash_pandas_object(pairs, index=False).to_numpy(np.uint64)
