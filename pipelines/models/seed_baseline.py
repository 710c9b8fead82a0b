"""The seed baseline, and what our features are worth beside it: R² of linear models of chart rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, KFold, train_test_split

from diffusion.arrays import Floats, Ints
from pipelines.features.history import History
from pipelines.features.registry import Family, Feature
from pipelines.features.same_market import SameMarket
from pipelines.models.draws import short_seed
from pipelines.models.fit_scores import gain, r_squared, rmse
from pipelines.models.gradient_descent import learning_curves
from pipelines.models.linear import GRID, coefficient_paths, fitted_grid
from pipelines.models.preparation import Columns, preparation
from pipelines.models.seed_columns import AUDIO, SeedColumns
from pipelines.models.summaries import summary
from pipelines.models.targets import ROWS, ChartRows, Target, dates_before, with_features
from pipelines.models.time_folds import TimeFolds, later

Split = Literal["random", "artists", "later"]
"""Which rows are tested: a random quarter, those of a quarter of the artists, or the last quarter in time."""

SEED: Final = 42
"""Seed of the prior study's random numbers."""

TESTED: Final = 0.25
"""Share of the rows that are tested."""

FOLDS: Final = 5
"""Folds of the training rows."""

PRIOR: Final = {"r2": 0.0391, "rmse": 1.4336, "cv_r2": 0.0409, "cv_r2_sd": 0.0053}
"""The prior study's linear model: 37,480 rows of a random 50,000, daily Top 200 of 68 markets, 2017 to 2021."""

COUNTS: Final = frozenset(
    ["artists", "charts", "days", "entries", "ids", "markets", "minutes", "times", "tracks", "words", "km"]
)
"""Units of features that enter by their logarithm."""

GAINS: Final = (
    ("market", "seed"),
    ("without last chart", "market"),
    ("last chart", "market"),
    ("ours", "last chart"),
    ("ours", "seed"),
)
"""Sets of columns that are compared on the same rows."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One set of columns on one set of rows and split.

    Attributes
    ----------
    rows, split, features
        Their names, as in `pipelines.contracts.regression.SEED_BASELINE`.
    frame
        (k rows): the columns.
    target
        (k,): what is predicted.
    artist
        (k,): code of the primary artist.
    day
        (k,): day of the row.
    purge
        Days between the last training row and the first test row of a split in time, at least: one chart date, as that
        is how far ahead the features look.
    """

    rows: str
    split: Split
    features: str
    frame: pd.DataFrame
    target: Floats
    artist: Ints
    day: Ints
    purge: int

    @property
    def keys(self) -> dict[str, str]:
        """The names, for rows of tables."""
        return {"rows": self.rows, "split": self.split, "features": self.features}

    def halves(self, seed: int) -> tuple[Ints, Ints]:
        """Return the rows of training and test."""
        if self.split == "random":
            train, test = train_test_split(np.arange(len(self.target)), test_size=TESTED, random_state=short_seed(seed))
            return train, test
        if self.split == "artists":
            groups = GroupShuffleSplit(1, test_size=TESTED, random_state=short_seed(seed))
            train, test = next(groups.split(self.target, groups=self.artist))
            return train, test
        first, last = later(self.day.astype(np.int32), share=TESTED, purge=self.purge)
        return np.flatnonzero(first), np.flatnonzero(last)

    def folds(self, train: Ints) -> Iterator[tuple[Ints, Ints]]:
        """Yield training and test rows of folds of the training rows, of the kind of the split."""
        groups = {"random": None, "artists": self.artist[train], "later": self.day[train]}[self.split]
        kinds: dict[Split, Any] = {
            "random": KFold(FOLDS), "artists": GroupKFold(FOLDS), "later": TimeFolds(FOLDS, self.purge)
        }  # fmt: skip
        for fitted, held in kinds[self.split].split(train, groups=groups):
            yield train[fitted], train[held]


@dataclass(frozen=True, slots=True)
class SeedBaseline:
    """The tables of a regression of chart rows; their contracts are in `pipelines.contracts.regression`.

    Attributes
    ----------
    scores
        Every model on every set of columns, rows and split.
    gains
        What sets of columns add to others.
    coefficients
        Coefficients with p-values, of the seed's columns and of ours.
    paths
        Coefficients by weight of the penalty, of the same.
    learning_rates
        Loss of gradient descent by learning rate, on the seed's columns.
    left_out
        Column of the seed baseline that the charts do not have or that is constant → why.
    facts
        Numbers of rows and tracks.
    """

    scores: pd.DataFrame
    gains: pd.DataFrame
    coefficients: pd.DataFrame
    paths: pd.DataFrame
    learning_rates: pd.DataFrame
    left_out: dict[str, str] = field(default_factory=dict)
    facts: dict[str, int] = field(default_factory=dict)


def seed_baseline(
    history: History,
    described: pa.Table,
    families: Sequence[Family],
    *,
    target: Target = "streams",
    rows: int = ROWS,
    seed: int = SEED,
    tell: Callable[[str], None] = lambda doing: None,
) -> SeedBaseline:
    """Return the seed baseline of charts, and the same target with our features and a split in time.

    Parameters
    ----------
    history
        The charts.
    described
        Tracks with their audio features, as `diffusion.contracts.TRACKS`.
    families
        Families of our features; those of the row's own market are added.
    target
        ``streams`` (their logarithm, default) or ``rank``.
    rows
        Rows at most, each time (default 50,000, as in the prior study).
    seed
        Seed of the random numbers (default 42, the prior study's).
    tell
        Function that is told what begins.

    Raises
    ------
    DataSaysNoError
        When the chart has no streams though they are the target, or is too short for a split in time.
    """
    known = ChartRows.of(history).known(target)
    drawn, left_out = _drawn(history, described, known.drawn(rows, seed), target)
    followed = known.where(dates_before(history, known) >= 0).of_some_tracks(rows, seed)
    tell("making features")
    settings = [*drawn, *_followed(history, described, followed, families, target)]
    parts: list[pd.DataFrame] = []
    predictions: dict[str, Floats] = {}
    for setting in settings:
        tell(f"{setting.features}, {setting.split}")
        part, predicted = _scores(setting, seed)
        parts.append(part)
        if setting.split == "later":
            predictions[setting.features] = predicted
    shown = [setting for setting in settings if (setting.features, setting.split) in _SHOWN]
    tell("coefficients")
    prepared = {setting.features: _Prepared.of(setting, seed) for setting in shown}
    return SeedBaseline(
        scores=pd.concat(parts, ignore_index=True),
        gains=_gains(settings, predictions, seed),
        coefficients=pd.concat([one.coefficients() for one in prepared.values()], ignore_index=True),
        paths=pd.concat([one.paths() for one in prepared.values()], ignore_index=True),
        learning_rates=learning_curves(prepared["seed"].matrix, prepared["seed"].target),
        left_out=left_out,
        facts={
            "rows": len(known),
            "drawn": len(drawn[0].target),
            "followed": len(followed),
            "followed_tracks": len(np.unique(followed.track)),
        },
    )


_SHOWN: Final = (("seed", "random"), ("ours", "later"))
"""Columns and split whose coefficients are shown."""


def _drawn(
    history: History, described: pa.Table, rows: ChartRows, target: Target
) -> tuple[list[Setting], dict[str, str]]:
    """Return the prior study's setting, the same on other artists, and both with the numbers alone if there are any."""
    seed = SeedColumns.of(history, described, rows)
    complete = seed.complete().to_numpy()
    rows, frame = rows.where(complete), seed.frame[complete].reset_index(drop=True)
    sets = {"seed": frame, "audio": frame[[name for name in AUDIO if name in frame]]}
    splits: tuple[Split, ...] = ("random", "artists")
    settings = [
        Setting(
            "drawn", split, name, columns, rows.target(target), rows.artist, rows.day.astype(np.int64), history.cadence
        )
        for name, columns in sets.items()
        if columns.shape[1]
        for split in splits
    ]
    return settings, seed.left_out


def _followed(
    history: History, described: pa.Table, rows: ChartRows, families: Sequence[Family], target: Target
) -> list[Setting]:
    """Return all sets of columns on the same rows, tested on later days; ours on a random quarter as well."""
    described_features, values = with_features(history, rows, (*families, SameMarket()))
    market = np.array(history.markets, object)[rows.market]
    ours = pd.DataFrame(logged(values, described_features), columns=[one.name for one in described_features])
    sets = {
        "seed": SeedColumns.of(history, described, rows).filled(),
        "market": pd.DataFrame({"market": market}),
        "without last chart": ours.drop(columns=_SAME_MARKET).assign(market=market),
        "last chart": ours[_LAST_CHART].assign(market=market),
        "ours": ours.assign(market=market),
    }
    splits: tuple[tuple[str, Split], ...] = (*((name, "later") for name in sets), ("ours", "random"))
    return [
        Setting(
            "followed",
            split,
            name,
            sets[name],
            rows.target(target),
            rows.artist,
            rows.day.astype(np.int64),
            history.cadence,
        )
        for name, split in splits
    ]


_SAME_MARKET: Final = [feature.name for feature in SameMarket.features]
"""Features of the track in the row's own market."""

_LAST_CHART: Final = ["rank_here", "log_streams_here"]
"""Of these, what the market's last chart shows."""


def logged(values: Any, described: Sequence[Feature]) -> Floats:
    """Return the values with those of a unit in `COUNTS` replaced by the logarithm of 1 plus their size, signed."""
    numbers: Floats = values.astype(np.float64)
    at = np.array([feature.unit in COUNTS for feature in described], np.bool_)
    numbers[:, at] = np.sign(numbers[:, at]) * np.log1p(np.abs(numbers[:, at]))
    return numbers


def _scores(setting: Setting, seed: int) -> tuple[pd.DataFrame, Floats]:
    """Return the scores of all models, and what the best of them by the folds says of the test rows.

    The columns are prepared once for every fold: preparation and model are those of `Linear.pipeline`.
    """
    columns = Columns.of(setting.frame)
    train, test = setting.halves(seed)
    folds = [_fitted(setting, columns, *fold) for fold in setting.folds(train)]
    of_fold = np.array([[_r2(setting.target[held], predicted) for _, predicted, held in fold] for fold in folds])
    table, predictions = [], []
    for (fitted, predicted, _), model, cv in zip(_fitted(setting, columns, train, test), GRID, of_fold.T, strict=True):
        score = r_squared(setting.target[test], predicted, setting.artist[test])
        row = {"model": model.kind, "alpha": model.alpha, "l1_ratio": model.l1_ratio}
        row |= {"train_rows": len(train), "test_rows": len(test)}
        row |= {"train_r2": _r2(setting.target[train], fitted), "train_rmse": rmse(setting.target[train], fitted)}
        row |= {"r2": score.value, "r2_low": score.low, "r2_high": score.high}
        row |= {"rmse": rmse(setting.target[test], predicted), "cv_r2": cv.mean(), "cv_r2_sd": cv.std()}
        table.append(setting.keys | row)
        predictions.append(predicted)
    found = pd.DataFrame(table).astype({"alpha": "float64", "l1_ratio": "float64"})
    best = found.groupby("model")["cv_r2"].idxmax()
    exact = found["model"] != "gradient descent"  # after its 2,000 steps it may not be at the minimum yet
    return found.assign(chosen=found.index.isin(best)), predictions[int(found["cv_r2"].where(exact).idxmax())]


def _fitted(setting: Setting, columns: Columns, train: Ints, test: Ints) -> list[tuple[Floats, Floats, Ints]]:
    """Return, for every model of the grid, its predictions of training and test rows, and the test rows."""
    prepare = preparation(columns)
    matrix = np.asarray(prepare.fit_transform(setting.frame.iloc[train]), np.float64)
    tested = np.asarray(prepare.transform(setting.frame.iloc[test]), np.float64)
    intercepts, coefficients = fitted_grid(matrix, setting.target[train])
    both = [one @ coefficients.T + intercepts for one in (matrix, tested)]
    return [(fitted, predicted, test) for fitted, predicted in zip(both[0].T, both[1].T, strict=True)]


def _r2(target: Floats, predicted: Floats) -> float:
    return float(1 - ((target - predicted) ** 2).sum() / ((target - target.mean()) ** 2).sum())


def _gains(settings: Sequence[Setting], predictions: Mapping[str, Floats], seed: int) -> pd.DataFrame:
    """Return what sets of columns add to others on the same rows of later days."""
    setting = next(setting for setting in settings if setting.split == "later")
    _, test = setting.halves(seed)
    table = []
    for features, reference in GAINS:
        found = gain(setting.target[test], predictions[features], predictions[reference], setting.artist[test])
        row = {"features": features, "reference": reference, "r2_gain": found.value}
        table.append(setting.keys | row | {"low": found.low, "high": found.high, "artists": found.clusters})
    return pd.DataFrame(table)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Training rows of a setting, prepared."""

    setting: Setting
    matrix: Floats
    target: Floats
    artist: Ints
    terms: list[str]

    @classmethod
    def of(cls, setting: Setting, seed: int) -> "_Prepared":
        train, _ = setting.halves(seed)
        prepare = preparation(Columns.of(setting.frame))
        matrix = np.asarray(prepare.fit_transform(setting.frame.iloc[train]), np.float64)
        terms = [str(term) for term in prepare.get_feature_names_out()]
        return cls(setting, matrix, setting.target[train], setting.artist[train], terms)

    def coefficients(self) -> pd.DataFrame:
        return summary(self.matrix, self.target, self.terms, self.artist).assign(**self.setting.keys)

    def paths(self) -> pd.DataFrame:
        return coefficient_paths(self.matrix, self.target, self.terms).assign(**self.setting.keys)
