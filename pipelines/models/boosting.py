"""Boosted trees: the one door to LightGBM, with threads and seeds stated."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from diffusion import SettingError
from diffusion.arrays import Floats, Ints
from pipelines.models.draws import short_seed

Objective = Literal["binary", "lambdarank", "forest"]
"""What trees are fitted to; ``forest`` is a random forest, read by `Ensemble.share`."""

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Trees:
    """How trees are grown.

    Attributes
    ----------
    rounds
        Number of trees.
    leaves
        Largest number of leaves of a tree.
    rate
        Learning rate.
    least_rows
        Least number of rows in a leaf.
    columns, rows
        Share of the features, and of the rows, that each tree sees.
    bins
        Number of bins of a feature.
    ridge
        L2 penalty on the values of leaves.
    truncation
        Place down to which lambdarank looks at the order.
    """

    rounds: int = 300
    leaves: int = 15
    rate: float = 0.05
    least_rows: int = 60
    columns: float = 0.5
    rows: float = 0.8
    bins: int = 63
    ridge: float = 5.0
    truncation: int = 20

    def for_entries(self, entries: int) -> "Trees":
        """Return trees small enough for a number of entries: at least 40 entries per leaf and 4 per tree."""
        return replace(
            self,
            rounds=min(self.rounds, max(entries // 4, 10)),
            leaves=min(self.leaves, max(entries // 40, 3)),
            least_rows=min(self.least_rows, max(entries // 4, 5)),
        )


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Boosters that differ only in their seed; their raw scores are averaged.

    Attributes
    ----------
    boosters
        LightGBM boosters.
    threads
        Number of threads of a prediction.
    """

    boosters: tuple[Any, ...]
    threads: int = 1

    @classmethod
    def fit(
        cls,
        values: Values,
        labels: NDArray[np.generic],
        objective: Objective,
        trees: Trees,
        *,
        seeds: Iterable[int],
        threads: int = 1,
        weights: Floats | None = None,
        groups: Ints | None = None,
    ) -> Self:
        """Return an ensemble fitted on rows.

        Parameters
        ----------
        values, labels
            (k, f) features, NaN where missing, and (k,) labels.
        objective, trees
            What is fitted, and how trees are grown.
        seeds
            One seed per booster.
        threads
            Number of threads of a fit.
        weights
            (k,): weights of the rows (default: all 1).
        groups
            Sizes of the groups of rows that compete, in order of rows; for lambdarank.
        """
        lightgbm = _lightgbm()
        fixed = {"deterministic": True, "force_row_wise": True, "num_threads": threads, "verbose": -1}
        data = lightgbm.Dataset(
            values, labels.astype(np.float32), weight=weights, group=groups,
            params=fixed | {"max_bin": trees.bins, "feature_pre_filter": False}, free_raw_data=True,
        )  # fmt: skip
        grown: dict[str, object] = {
            "objective": objective,
            "num_leaves": trees.leaves,
            "learning_rate": trees.rate,
            "min_data_in_leaf": trees.least_rows,
            "feature_fraction": trees.columns,
            "bagging_fraction": trees.rows,
            "bagging_freq": 1,
            "lambda_l2": trees.ridge,
            "max_bin": trees.bins,
            "feature_pre_filter": False,
        }
        if objective == "lambdarank":
            grown["lambdarank_truncation_level"] = trees.truncation
        if objective == "forest":  # features are drawn at every split, leaves hold mean labels
            grown |= {"objective": "regression", "boosting": "rf", "lambda_l2": 0.0}
            grown |= {"feature_fraction": 1.0, "feature_fraction_bynode": trees.columns}
        boosters = [lightgbm.train(fixed | grown | {"seed": short_seed(seed)}, data, trees.rounds) for seed in seeds]
        return cls(tuple(boosters), threads)

    @classmethod
    def read(cls, texts: Iterable[str], *, threads: int = 1) -> Self:
        """Return an ensemble from the texts of `write`.

        Raises
        ------
        SettingError
            When a text is not a model of LightGBM.
        """
        lightgbm = _lightgbm()
        try:
            boosters = [lightgbm.Booster(model_str=text) for text in texts]
        except lightgbm.basic.LightGBMError as error:
            raise SettingError(f"a text is not a model of LightGBM: {error}") from error
        return cls(tuple(boosters), threads)

    def write(self) -> tuple[str, ...]:
        """Return the text of every booster, in LightGBM's format."""
        return tuple(booster.model_to_string() for booster in self.boosters)

    def score(self, values: Values) -> Floats:
        """Return, (k,), the mean raw score: log-odds for probabilities, any scale for ranks."""
        total = np.zeros(len(values))
        for booster in self.boosters:
            total += booster.predict(values, raw_score=True, num_threads=self.threads)
        return total / len(self.boosters)

    def share(self, values: Values) -> Floats:
        """Return, (k,), the mean share of entries in the leaves of forests, 0 … 1.

        A raw score of a forest is the sum over its trees; LightGBM divides by their number here alone.
        """
        shares: Floats = np.mean([one.predict(values, num_threads=self.threads) for one in self.boosters], axis=0)
        return shares

    def contributions(self, values: Values) -> Floats:
        """Return, (k, f), what every feature adds to the raw score of the first booster (TreeSHAP)."""
        parts: Floats = self.boosters[0].predict(values, pred_contrib=True, num_threads=self.threads)
        return parts[:, :-1]


def _lightgbm() -> ModuleType:
    """Return LightGBM, imported when it is first needed.

    Raises
    ------
    SettingError
        When it cannot be imported.
    """
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        raise SettingError(
            f"LightGBM cannot be loaded ({error}); install lightgbm, and libgomp (apt install libgomp1)"
        ) from error
    module: ModuleType = lightgbm
    return module
