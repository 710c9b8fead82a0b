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
        (k,): whether the track entered the market within the horizon, as far as the market was observed.
    days
        (k,): days to that entry, NaN where it did not enter.
    follow_up
        (k,): days for which the market was observed.
    tie
        (k,): order of candidates with equal probabilities; a hash of the pair, so that it favours no market.
    size
        Number of observations n.
    horizon
        Days within which entries count.
    period
        Days from one chart to the next.
    usual_days
        Median of the days to an entry in the training part, the forecast of days that models must beat.
    """

    observation: Ints
    entered: Flags
    days: Floats
    follow_up: Floats
    tie: NDArray[np.uint64]
    size: int
    horizon: int
    period: int
    usual_days: float

    @classmethod
    def of(cls, history: History, examples: Examples, follow_up: Floats, usual_days: float) -> Self:
        """Return the candidates of examples; `follow_up`, (k,), are the days for which each market was observed."""
        observation = examples.number
        ids, codes = history.tracks["track_id"].to_numpy(), np.array(history.markets, object)
        return cls(
            observation=observation,
            entered=examples.entered,
            days=examples.days.astype(np.float64),
            follow_up=follow_up,
            tie=hashes(ids[examples.track], codes[examples.market]),
            size=int(observation[-1]) + 1 if len(observation) else 0,
            horizon=examples.horizon,
            period=history.cadence,
            usual_days=usual_days,
        )

    @property
    def followed(self) -> Flags:
        """(k,): whether it is known if the track entered within the horizon."""
        known: Flags = self.entered | (self.follow_up >= self.horizon)
        return known

    @property
    def late(self) -> Flags:
        """(k,): whether the track did not enter in the first period."""
        after: Flags = ~(self.days <= self.period)
        return after

    def where(self, chosen: Flags) -> Self:
        """Return the rows that are chosen, with the numbers of their observations."""
        arrays = ("observation", "entered", "days", "follow_up", "tie")
        return replace(self, **{name: getattr(self, name)[chosen] for name in arrays})


def hashes(track_id: NDArray[np.object_], market: NDArray[np.object_]) -> NDArray[np.uint64]:
    """Return a hash of each pair of track and market."""
    pairs = pd.DataFrame({"track_id": track_id, "market": market})
    return np.asarray(pd.util.hash_pandas_object(pairs, index=False), np.uint64)
