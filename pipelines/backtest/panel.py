"""What a backtest works on: features and outcomes of a sample of tracks at all observation points, and the folds."""

import hashlib
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from diffusion import SettingError
from diffusion.arrays import Floats, Ints
from diffusion.conventions import WINDOW_DAILY, WINDOW_WEEKLY
from pipelines.backtest.contenders import THREADS
from pipelines.backtest.splits import FOLDS, Fold, points_of, rolling_folds
from pipelines.features.families import families
from pipelines.features.history import History
from pipelines.features.observations import Observations, Outcomes, covered_until
from pipelines.features.table import features
from pipelines.models.examples import Examples
from pipelines.progress import Report, quiet

SAMPLE: Final = 10_000
"""Tracks of a backtest, unless all are asked for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings of a backtest.

    Attributes
    ----------
    horizon
        Days within which entries count; None: 60 on daily charts, 56 on others.
    folds
        Times of testing.
    sample
        Tracks drawn at random; None: all.
    seed
        Seed of the random numbers.
    threads
        Threads of the boosted models; the numbers do not depend on it.
    """

    horizon: int | None = None
    folds: int = FOLDS
    sample: int | None = SAMPLE
    seed: int = 0
    threads: int = THREADS


@dataclass(frozen=True, slots=True)
class Panel:
    """Candidates of tracks at all observation points.

    Attributes
    ----------
    history
        Charts.
    examples
        Candidates, whether or not their markets were observed to the horizon.
    follow_up
        (k,): days for which the market of each candidate was observed after the observation.
    point
        (k,): days after the debut at which the candidate's observation is, one of `points`.
    points
        Observation points, in days after the debut.
    folds
        Times of testing.
    """

    history: History
    examples: Examples
    follow_up: Floats
    point: Ints
    points: tuple[int, ...]
    folds: tuple[Fold, ...]

    @classmethod
    def of(cls, history: History, plan: Plan, *, tell: Report = quiet) -> Self:
        """Return the panel of a plan.

        Raises
        ------
        SettingError
            When a setting is out of range.
        DataSaysNoError
            When the charts are too short.
        """
        if plan.sample is not None and plan.sample < 1:
            raise SettingError(f"sample: {plan.sample}; give 1 or more tracks")
        horizon = horizon_of(history, plan)
        points = points_of(history.cadence)
        folds = rolling_folds(history, horizon, folds=plan.folds, points=points)
        begin = history.first_day + history.rules.washout
        observations = sampled(Observations.landmarks(history, points, first=begin, last=folds[-1].last), plan)
        outcomes = Outcomes.of(history, observations, horizon)
        every = Outcomes(outcomes.entered, outcomes.days, np.ones_like(outcomes.followed))
        table = features(history, observations, families(horizon), tell=lambda share: tell("making features", share))
        examples = Examples.of(history, observations, table, every, horizon)
        until = covered_until(history, observations.day)[examples.observation, examples.market]
        age = examples.day - examples.debut
        point = np.array(points)[np.searchsorted(points, age, side="right") - 1]
        follow_up = np.maximum(until - examples.day, 0).astype(np.float64)
        return cls(history, examples, follow_up, point, points, tuple(folds))

    def train(self, fold: Fold) -> Examples:
        """Return the candidates that a fold's models may be fitted on: followed to the horizon before the test."""
        known = self.examples.entered | (self.follow_up >= fold.horizon)
        return self.examples.where(known & fold.train(self.examples.day))


def horizon_of(history: History, plan: Plan) -> int:
    """Return the horizon of a plan in days."""
    return plan.horizon or (WINDOW_DAILY if history.cadence == 1 else WINDOW_WEEKLY)


def sampled(observations: Observations, plan: Plan) -> Observations:
    """Return the observations of the plan's sample of tracks."""
    tracks = np.unique(observations.track)
    if plan.sample is None or plan.sample >= len(tracks):
        return observations
    drawn = np.random.default_rng(plan.seed).choice(tracks, plan.sample, replace=False)
    kept = np.isin(observations.track, drawn)
    return Observations(observations.track[kept], observations.day[kept], observations.candidates[kept])


def digest(history: History) -> str:
    """Return a hash of everything that the charts say."""
    found = hashlib.blake2b(digest_size=16)
    for text in (*history.markets, *history.tracks.astype(str).to_numpy().ravel()):
        found.update(text.encode("utf-8", "surrogatepass") + b"\0")
    for part in (history.positions, history.entries, history.observed):
        for name in part.__slots__:
            found.update(np.ascontiguousarray(getattr(part, name)).tobytes())
    return found.hexdigest()
