"""Fits of a backtest: each is made once and its predictions are kept, so that a run that was stopped goes on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from diffusion import DataSaysNoError
from diffusion.arrays import Flags
from diffusion.files import read_table
from pipelines.backtest.censoring import times_of, with_curve
from pipelines.backtest.contenders import Contender
from pipelines.backtest.panel import Panel
from pipelines.backtest.splits import Fold
from pipelines.contracts.backtest import BACKTEST_PREDICTIONS
from pipelines.features.registry import FamilyName
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import fingerprint
from pipelines.models.examples import Examples, Forecast

VERSION: Final = 1
"""Version of the backtest; raised when the same inputs give other predictions."""


@dataclass(frozen=True, slots=True)
class Job:
    """One fit.

    Attributes
    ----------
    fold
        Time of testing.
    contender
        Model.
    share
        Share of the training tracks that it is fitted on.
    without
        Family of features that it is fitted without; None: all features.
    """

    fold: Fold
    contender: Contender
    share: float = 1.0
    without: FamilyName | None = None

    @property
    def name(self) -> str:
        """Name of the job in the folder."""
        parts = [f"fold-{self.fold.number}", self.contender.name]
        parts += [f"share-{self.share:g}"] if self.share < 1 else []
        parts += [f"without-{self.without}"] if self.without else []
        return "-".join(parts)

    @property
    def file(self) -> str:
        """File of its predictions."""
        return f"predictions/{self.name}.parquet"


class Jobs:
    """The fits of a backtest in a folder.

    Parameters
    ----------
    panel
        What is worked on.
    place
        Folder.
    inputs
        Everything that predictions depend on beside the job; a change makes them anew.
    seed, threads
        Seed of models and of shares of tracks, and threads of the boosted models.
    """

    def __init__(self, panel: Panel, place: Path, inputs: dict[str, Any], *, seed: int, threads: int) -> None:
        self.panel = panel
        self.place = place
        self.inputs = inputs
        self.seed = seed
        self.threads = threads

    def left(self, jobs: Sequence[Job]) -> list[Job]:
        """Return the jobs that the folder does not have."""
        with Folder(self.place) as folder:
            return [job for job in jobs if not folder.unchanged(job.name, self._key(job))]

    def make(self, job: Job) -> None:
        """Fit a model and keep its predictions."""
        test = self.panel.examples.where(self.tested(job.fold))
        forecast = self._forecast(job, test)
        at = np.array(self.panel.history.markets, object)[test.market]
        assert forecast.by is not None
        table = pa.table(
            {
                "track_id": pa.array(self.panel.history.tracks["track_id"].to_numpy()[test.track], pa.string()),
                "market": pa.array(at, pa.string()),
                "as_of": pa.array(test.day).cast(pa.date32()),
                "p_enter": forecast.p,
                "expected_days": forecast.expected_days,
                "p_by": pa.FixedSizeListArray.from_arrays(forecast.by.ravel(), forecast.by.shape[1]),
            }
        )
        with Folder(self.place) as folder:
            folder.begin(job.name, self._key(job), parameters={"days": list(forecast.days)}, notes={})
            folder.put_table(job.name, job.file, BACKTEST_PREDICTIONS.conform(table))

    def forecasts(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Forecast]]:
        """Yield the predictions of jobs that are made, in order."""
        for job in jobs:
            table = read_table(self.place / job.file)
            by = table["p_by"].combine_chunks().flatten().to_numpy().reshape(table.num_rows, -1)
            p, days = table["p_enter"].to_numpy(), table["expected_days"].to_numpy()
            yield job, Forecast(p, days, by, times_of(self.panel.examples.horizon, self.panel.history.cadence))

    def tested(self, fold: Fold) -> Flags:
        """Return, (k,), which candidates of the panel a fold tests."""
        return fold.test(self.panel.examples.debut)

    def training(self, job: Job) -> Examples:
        """Return the candidates that a job is fitted on."""
        train = self.panel.train(job.fold)
        if job.share < 1:
            tracks = np.random.default_rng(self.seed).permutation(np.unique(train.track))
            train = train.where(np.isin(train.track, tracks[: round(job.share * len(tracks))]))
        if not train.entered.any():
            raise DataSaysNoError(
                f"no entry to learn from before {job.fold.words()}; give a shorter --horizon or more tracks"
            )
        return train

    def _forecast(self, job: Job, test: Examples) -> Forecast:
        train = self.training(job)
        if job.without is not None:
            kept = tuple(feature for feature in train.features if feature.family != job.without)
            train, test = train.only(kept), test.only(kept)
        forecast = job.contender.make(self.panel.history, self.seed, self.threads).fit(train).predict(test)
        return with_curve(
            replace(forecast, p=np.asarray(forecast.p, np.float64)),
            train,
            times_of(train.horizon, self.panel.history.cadence),
        )

    def _key(self, job: Job) -> str:
        return fingerprint(job.name, VERSION, self.inputs, self.seed)
