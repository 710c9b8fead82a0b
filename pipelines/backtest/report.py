"""The fits that a backtest needs, and its tables from their forecasts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from diffusion.arrays import Flags, Floats, Ints
from pipelines.backtest import tables
from pipelines.backtest.contenders import DEFAULT, Contender
from pipelines.backtest.held_out import HeldOut
from pipelines.backtest.importance import importance
from pipelines.backtest.intervals import REPLICATES, Cluster, difference_table, score_table
from pipelines.backtest.jobs import Job, Jobs
from pipelines.backtest.panel import Panel, Plan
from pipelines.backtest.splits import Fold
from pipelines.backtest.tables import Tested
from pipelines.models.baselines import usual_days
from pipelines.models.examples import Forecast
from pipelines.progress import Report

ALL: Final = "all"
"""Name of all folds together."""

SHARES: Final = (0.125, 0.25, 0.5, 1.0)
"""Shares of the training tracks of the learning curve."""

IMPORTANCE_OBSERVATIONS: Final = 1_000
"""Observations tested that importance is measured on, at most."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a backtest tells beside the scores.

    Attributes
    ----------
    models
        Names of models; None: all.
    cluster
        What the intervals take as independent.
    replicates
        Draws of the intervals.
    """

    models: tuple[str, ...] | None = None
    cluster: Cluster = "artist and debut"
    replicates: int = REPLICATES


class Comparison:
    """The fits that a backtest needs, and its tables from their forecasts."""

    def __init__(self, panel: Panel, jobs: Jobs, chosen: Sequence[Contender], plan: Plan, wanted: Wanted) -> None:
        self.panel, self.kept, self.chosen, self.plan, self.wanted = panel, jobs, chosen, plan, wanted
        self.last = panel.folds[-1]
        self.default = next((each for each in chosen if each.name == DEFAULT), None)
        self.usual = {fold.number: usual_days(panel.train(fold)) for fold in panel.folds}

    def jobs(self) -> list[Job]:
        """Return all fits: of every fold, then of the learning curve and the ablation."""
        compared = [Job(fold, contender) for fold in self.panel.folds for contender in self.chosen]
        if self.default is None:
            return compared
        return [*compared, *self._learning()[:-1], *self._ablation()[1:]]

    def _learning(self) -> list[Job]:
        assert self.default is not None
        return [Job(self.last, self.default, share) for share in SHARES]

    def _ablation(self) -> list[Job]:
        assert self.default is not None
        families = dict.fromkeys(feature.family for feature in self.panel.examples.features)
        return [Job(self.last, self.default), *(Job(self.last, self.default, without=name) for name in families)]

    def tables(self, tell: Report) -> dict[str, pd.DataFrame]:
        """Return name → table; those of the default model alone where it is not among the models have no row."""
        found = {"backtest_scores": self._scores(tell)}
        everywhere = self._tested(self.panel.folds, 0)
        pooled = self._pooled(0)
        markets = self.panel.history.markets
        found["backtest_calibration"] = tables.calibration(everywhere, pooled, markets)
        found["backtest_markets"] = tables.market_errors(everywhere, pooled, markets)
        if self.default is not None:
            found["backtest_learning"] = self._learning_table()
            found["backtest_ablation"] = self._ablation_table()
            found["backtest_importance"] = self._importance(tell)
        return found

    def notes(self) -> dict[str, Any]:
        """Return what the backtest was made on."""
        examples = self.panel.examples
        return {
            "horizon": examples.horizon,
            "points": list(self.panel.points),
            "tracks": len(np.unique(examples.track)),
            "features": len(examples.features),
            "folds": [
                {
                    "fold": fold.number,
                    "debuts": fold.words(),
                    "training_tracks": len(np.unique(self.panel.train(fold).track)),
                    "tested_tracks": len(np.unique(examples.track[self._rows([fold], None)])),
                }
                for fold in self.panel.folds
            ],
            "models": {contender.name: contender.words for contender in self.chosen},
        }

    def _rows(self, folds: Sequence[Fold], point: int | None) -> Ints:
        """Return the rows of the panel tested in folds at a point (None: at all), fold after fold."""
        at = self.panel.point
        return np.concatenate(
            [np.flatnonzero(self.kept.tested(fold) & ((at == point) | (point is None))) for fold in folds]
        )

    def _tested(self, folds: Sequence[Fold], point: int) -> Tested:
        rows = self._rows(folds, point)
        return Tested.of(
            self.panel.history,
            self.panel.examples.where(rows),
            self.panel.follow_up[rows],
            usual_days=float(np.median([self.usual[fold.number] for fold in folds])),
            cluster=self.wanted.cluster,
            replicates=self.wanted.replicates,
            seed=self.plan.seed,
        )

    def _at(self, job: Job, forecast: Forecast, point: int) -> Forecast:
        """Return the part of a job's forecast that is of one point."""
        return part(forecast, self.panel.point[self.kept.tested(job.fold)] == point)

    def _pooled(self, point: int) -> dict[str, Forecast]:
        """Return model → its forecasts of all folds at a point."""
        found = {}
        for contender in self.chosen:
            jobs = [Job(fold, contender) for fold in self.panel.folds]
            found[contender.name] = together(
                [self._at(job, forecast, point) for job, forecast in self.kept.forecasts(jobs)]
            )
        return found

    def _scores(self, tell: Report) -> pd.DataFrame:
        simple = [contender.name for contender in self.chosen if contender.simple]
        parts = []
        for number, point in enumerate(self.panel.points):
            tell("scoring", number / len(self.panel.points))
            if self._rows(self.panel.folds, point).size:
                pooled = tables.scores(self._tested(self.panel.folds, point), self._pooled(point), simple)
                parts.append(pooled.assign(fold=ALL, point=point))
            for fold in self.panel.folds:
                if self._rows([fold], point).size:
                    jobs = [Job(fold, contender) for contender in self.chosen]
                    own = {job.contender.name: self._at(job, each, point) for job, each in self.kept.forecasts(jobs)}
                    scored = tables.scores(self._tested([fold], point), own, simple)
                    parts.append(scored.assign(fold=str(fold.number), point=point))
        return pd.concat(parts, ignore_index=True)

    def _values(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, dict[str, Floats]]]:
        """Yield the metrics of jobs of the last fold, looked at on the debut, in the same draws."""
        tested = self._tested([self.last], 0)
        for job, forecast in self.kept.forecasts(jobs):
            yield job, tested.values(self._at(job, forecast, 0))

    def _learning_table(self) -> pd.DataFrame:
        parts = []
        for job, values in self._values(self._learning()):
            tracks = len(np.unique(self.kept.training(job).track))
            parts.append(score_table(values).assign(model=job.contender.name, share=job.share, tracks=tracks))
        return pd.concat(parts, ignore_index=True)

    def _ablation_table(self) -> pd.DataFrame:
        parts, whole = [], None
        for job, values in self._values(self._ablation()):
            whole = whole or values
            change = difference_table(values, whole)
            left = sum(feature.family != job.without for feature in self.panel.examples.features)
            table = score_table(values).assign(without=job.without or "", features=left, change=change["value"])
            parts.append(table.assign(change_low=change["low"], change_high=change["high"]))
        return pd.concat(parts, ignore_index=True)

    def _importance(self, tell: Report) -> pd.DataFrame:
        """Return the importance of features to the default model, fitted once more on the last fold."""
        assert self.default is not None
        rows = self._rows([self.last], 0)
        observations = np.unique(self.panel.examples.observation[rows])
        if len(observations) > IMPORTANCE_OBSERVATIONS:
            rng = np.random.default_rng(self.plan.seed)
            observations = rng.choice(observations, IMPORTANCE_OBSERVATIONS, replace=False)
        rows = rows[np.isin(self.panel.examples.observation[rows], observations)]
        test = self.panel.examples.where(rows)
        held = HeldOut.of(self.panel.history, test, self.panel.follow_up[rows], self.usual[self.last.number])
        train = self.kept.training(Job(self.last, self.default))
        model = self.default.make(self.panel.history, self.plan.seed, self.plan.threads).fit(train)
        return importance(model, test, held, seed=self.plan.seed, tell=lambda share: tell("exchanging features", share))


def part(forecast: Forecast, chosen: Flags) -> Forecast:
    """Return the chosen rows of a forecast with a curve."""
    assert forecast.by is not None
    return Forecast(forecast.p[chosen], forecast.expected_days[chosen], forecast.by[chosen], forecast.days)


def together(forecasts: Sequence[Forecast]) -> Forecast:
    """Return forecasts with curves by the same days as one, row after row."""
    curves = [forecast.by for forecast in forecasts if forecast.by is not None]
    p, days = (np.concatenate([getattr(each, name) for each in forecasts]) for name in ("p", "expected_days"))
    return Forecast(p, days, np.concatenate(curves), forecasts[0].days)
