"""What models are fitted on and what they return."""

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Days, Flags, Floats, Ints
from pipelines.features.history import History
from pipelines.features.observations import Observations, Outcomes, debuts
from pipelines.features.registry import Feature
from pipelines.features.table import FeatureTable


@dataclass(frozen=True, slots=True)
class Examples:
    """Candidates of observations in order of observation, then market: k rows.

    Attributes
    ----------
    features
        The f features, in order of columns.
    values
        (k, f): values of the features, NaN where missing.
    observation
        (k,): number of the observation; candidates of one observation compete.
    market, track, artist
        (k,): index of the market, codes of track and primary artist.
    day
        (k,): day of the observation, since 1970-01-01.
    debut
        (k,): day of the track's debut.
    entered
        (k,): whether the track entered within the horizon. Not read by `predict`.
    days
        (k,): days from the observation to that entry, NaN where it did not enter. Not read by `predict`.
    horizon
        Days within which entries count.
    weight
        (k,): number of candidates that each stands for, where observations were drawn; None: one each.
    """

    features: tuple[Feature, ...]
    values: NDArray[np.float32]
    observation: NDArray[np.int32]
    market: NDArray[np.int16]
    track: Ints
    artist: Ints
    day: Days
    debut: Days
    entered: Flags
    days: NDArray[np.float32]
    horizon: int
    weight: NDArray[np.float32] | None = None

    @classmethod
    def of(
        cls, history: History, observations: Observations, table: FeatureTable, outcomes: Outcomes, horizon: int
    ) -> Self:
        """Return the examples of a table of features; candidates that were not followed to the horizon are left out."""
        followed = outcomes.followed[table.observation, table.market]
        observation, market = table.observation[followed], table.market[followed]
        track = observations.track[observation]
        return cls(
            features=table.features,
            values=table.values if followed.all() else table.values[followed],
            observation=observation,
            market=market,
            track=track,
            artist=history.artist[track],
            day=observations.day[observation],
            debut=debuts(history)[track],
            entered=outcomes.entered[observation, market],
            days=outcomes.days[observation, market],
            horizon=horizon,
        )

    def __len__(self) -> int:
        return len(self.observation)

    @property
    def number(self) -> Ints:
        """(k,): number of the observation, from 0 without gaps."""
        return np.cumsum(np.diff(self.observation, prepend=-1) != 0) - 1

    @property
    def first(self) -> Ints:
        """(n,): first row of each of the n observations."""
        return np.flatnonzero(np.diff(self.observation, prepend=-1))

    @property
    def spreading(self) -> Flags:
        """(k,): whether the candidate is of an observation with an entry."""
        number = self.number
        spreads: Flags = (np.bincount(number, self.entered) > 0)[number]
        return spreads

    @property
    def names(self) -> list[str]:
        """Names of the columns of `values`."""
        return [feature.name for feature in self.features]

    def column(self, name: str) -> NDArray[np.float32]:
        """Return, (k,), the values of one feature."""
        return self.values[:, self.names.index(name)]

    def where(self, chosen: Flags | Ints | slice) -> Self:
        """Return the rows that are chosen, by flags, numbers or a slice; a slice copies nothing."""
        arrays = ("values", "observation", "market", "track", "artist", "day", "debut", "entered", "days")
        weight = None if self.weight is None else self.weight[chosen]
        return replace(self, **{name: getattr(self, name)[chosen] for name in arrays}, weight=weight)

    def weights(self) -> Floats:
        """Return, (k,), the number of candidates that each stands for."""
        return np.ones(len(self)) if self.weight is None else self.weight.astype(np.float64)

    def only(self, features: tuple[Feature, ...]) -> Self:
        """Return the same rows with some of the features."""
        at = [self.features.index(feature) for feature in features]
        return replace(self, features=features, values=self.values[:, at])


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a model says of k candidates.

    Attributes
    ----------
    p
        (k,): probability of entry within the horizon.
    expected_days
        (k,): median days to the entry, given that it enters within the horizon.
    by
        (k, h): probability of entry by each of the `days`, not falling from left to right; None where the model has
        none. The last is `p`.
    days
        The h numbers of days, the last the horizon.
    interval
        (k, 2): days between which the entry lies with a probability of 80 %, given that it enters within the horizon;
        None where the model has none.
    """

    p: Floats
    expected_days: Floats
    by: Floats | None = None
    days: tuple[int, ...] = ()
    interval: Floats | None = None


class Model(Protocol):
    """A model of entries, fitted on examples."""

    def fit(self, examples: Examples) -> Self:
        """Return this model, fitted."""

    def predict(self, examples: Examples) -> Forecast:
        """Return what the model says of the candidates; their outcomes are not read."""
