"""`backtest --protocol-truth`: fits on the training rows of a truth file and predicts its test rows."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from diffusion import Charts
from diffusion.arrays import Flags, Ints
from diffusion.files import digest_of_file
from pipelines.backtest.contenders import DEFAULT, THREADS, contenders
from pipelines.backtest.panel import digest
from pipelines.backtest.truth import Asked, Truth, checked_horizon
from pipelines.contracts.backtest import PREDICTIONS
from pipelines.features.families import families
from pipelines.features.history import History
from pipelines.features.table import features
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import fingerprint
from pipelines.models.examples import Examples, Forecast
from pipelines.progress import Report, quiet

STEP: Final = "protocol"

VERSION: Final = 1
"""Version of the command; raised when the same inputs give other predictions."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the command did.

    Attributes
    ----------
    horizon
        Days.
    train, test
        Rows of each part.
    features
        Number of features.
    seconds
        Name of what was done → seconds.
    files
        Model → its file.
    """

    horizon: int
    train: int
    test: int
    features: int
    seconds: dict[str, float]
    files: dict[str, str]

    def lines(self) -> list[str]:
        """Return what was done, in words."""
        return [
            f"fitted    {self.train:,} candidates of the training part, {self.features} features, entries within "
            f"{self.horizon} days",
            f"predicted {self.test:,} candidates of the test part",
            *(f"wrote     {file} ({model}, {self.seconds[model]:.0f} s)" for model, file in self.files.items()),
        ]


def predict_truth(
    charts: Charts,
    file: str | Path,
    place: str | Path,
    *,
    models: Sequence[str] = (DEFAULT,),
    horizon: int | None = None,
    seed: int = 0,
    threads: int = THREADS,
    tell: Report = quiet,
) -> Told:
    """Write the predictions of models for the test rows of a truth file.

    Models are fitted on the training rows. Features are as of the file's debuts: what is learned from other tracks goes
    on being learned up to each debut, but labels come from the training rows alone. Of the test rows, track, market,
    debut and part are read and nothing else.

    Parameters
    ----------
    charts
        Charts that the file was made from.
    file
        Truth file, as `pipelines.backtest.truth.Truth.read` takes it.
    place
        Folder for ``predictions.parquet``, the test rows in the file's order and spelling; with several models, for
        ``predictions-MODEL.parquet`` each.
    models
        Names of models (default: the default forecaster).
    horizon
        Days within which entries count (default: the longest time to an entry of the training rows, in whole periods).
    seed, threads
        Seed of the random numbers (default 0), and threads of the boosted models (default 2).
    tell
        Function that is told the progress.

    Raises
    ------
    SettingError
        When the file is not such a table, does not fit the charts, or a model is unknown.
    OutputError
        When the folder cannot be written.
    """
    chosen = contenders(models)
    truth = Truth.read(Path(file))
    clock = time.monotonic()
    tell("reading charts")
    history = History.of(charts, charts.entries())
    days = checked_horizon(horizon, truth, history.cadence)
    asked = Asked.of(history, truth)
    seconds = {"charts": time.monotonic() - clock}
    clock = time.monotonic()
    table = features(history, asked.observations, families(days), tell=lambda share: tell("making features", share))
    examples = Examples.of(history, asked.observations, table, asked.outcomes, days)
    del table
    seconds["features"] = time.monotonic() - clock
    train, test = (examples.where(rows) for rows in parted(asked.train[examples.observation]))
    names, width = examples.features, len(examples.features)
    del examples
    at = _rows(test, asked)
    files = {}
    parameters = {"horizon": days, "seed": seed, "features": [each.name for each in names]}
    inputs = [digest_of_file(Path(file)), digest(history)]
    for contender in chosen:
        tell(f"fitting {contender.name}")
        clock = time.monotonic()
        forecast = contender.make(history, seed, threads).fit(train).predict(test)
        frame = _table(truth, forecast, at)
        seconds[contender.name] = time.monotonic() - clock
        files[contender.name] = "predictions.parquet" if len(chosen) == 1 else f"predictions-{contender.name}.parquet"
        step = f"{STEP}-{contender.name}" if len(chosen) > 1 else STEP
        own = {**parameters, "model": contender.name}
        with Folder(place) as folder:
            folder.begin(step, fingerprint(step, VERSION, own, inputs), parameters=own, notes={})
            folder.put_table(step, files[contender.name], PREDICTIONS.conform(pa.Table.from_pandas(frame)))
    return Told(days, len(train), len(test), width, seconds, files)


def _table(truth: Truth, forecast: Forecast, at: Ints) -> pd.DataFrame:
    """Return the predictions of the file's test rows, of which `at` are the rows of the forecast."""
    return pd.DataFrame(
        {
            "track_id": truth.test["track_id"],
            "market": truth.test["spelling"],
            "p_enter": forecast.p[at],
            "expected_days": forecast.expected_days[at],
        }
    )


def parted(training: Flags) -> tuple[Flags | slice, Flags | slice]:
    """Return the rows of the training part and of the test part; slices, which copy nothing, where one is the first."""
    first = int(training.sum())
    if training[:first].all():
        return slice(0, first), slice(first, len(training))
    return training, ~training


def _rows(test: Examples, asked: Asked) -> Ints:
    """Return, (t,), the row of the test examples for every test row of the file."""
    m = int(max(asked.test_rows[:, 1].max(), test.market.max())) + 1
    key = test.observation.astype(np.int64) * m + test.market
    return np.searchsorted(key, asked.test_rows[:, 0] * m + asked.test_rows[:, 1])
