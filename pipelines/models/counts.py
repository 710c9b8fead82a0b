"""How many markets a track enters within the horizon: Poisson and negative binomial regression."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, xlogy
from sklearn.compose import ColumnTransformer

from diffusion.arrays import Flags, Floats, Ints
from pipelines.models.examples import Examples
from pipelines.models.preparation import Columns, independent, preparation
from pipelines.models.summaries import fitted_table

Law = Literal["constant", "poisson", "negative binomial"]
"""Law of the counts. ``constant``: negative binomial with one rate per candidate for all tracks."""

LAWS: Final[tuple[Law, ...]] = ("constant", "poisson", "negative binomial")

_ROUNDS: Final = 25
"""Rounds at most in which coefficients and dispersion are fitted in turn."""

_SETTLED: Final = 1e-6
"""Relative change of the dispersion at which the rounds end."""


@dataclass(frozen=True, slots=True)
class TrackCounts:
    """Observations of tracks with the number of markets entered within the horizon: n rows.

    Attributes
    ----------
    frame
        (n rows): the features; of those that differ between candidates, the mean over the candidates.
    entered
        (n,): candidates entered.
    candidates
        (n,): candidates that were followed.
    artist
        (n,): code of the primary artist.
    """

    frame: pd.DataFrame
    entered: Ints
    candidates: Ints
    artist: Ints

    @classmethod
    def of(cls, examples: Examples) -> Self:
        """Return the observations of the examples."""
        numbers, first, back = np.unique(examples.observation, return_index=True, return_inverse=True)
        known = np.isfinite(examples.values)
        sums = np.zeros((len(numbers), examples.values.shape[1]))
        counts = np.zeros_like(sums)
        np.add.at(sums, back, np.where(known, examples.values, 0))
        np.add.at(counts, back, known)
        means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
        return cls(
            pd.DataFrame(means, columns=examples.names),
            np.bincount(back, examples.entered).astype(np.int64),
            np.bincount(back),
            examples.artist[first],
        )


class CountModel:
    """Regression of the number of markets entered, with the number of candidates as exposure.

    Parameters
    ----------
    law
        Law of the counts.

    Attributes
    ----------
    dispersion
        Excess of the variance of the negative binomial law: variance = mean + dispersion · mean²; 0 for Poisson.
    fit_
        The fit of statsmodels, with errors clustered by primary artist.

    Notes
    -----
    Columns that are sums of others are left out, so the coefficients have p-values (`summary`). The dispersion is that
    of the largest likelihood, fitted in turn with the coefficients.
    """

    dispersion: float
    fit_: Any

    def __init__(self, law: Law = "negative binomial") -> None:
        self.law = law

    def fit(self, counts: TrackCounts) -> Self:
        """Return this model, fitted."""
        columns = Columns(()) if self.law == "constant" else Columns.of(counts.frame)
        self._prepare: ColumnTransformer | None = preparation(columns) if columns.names else None
        matrix = np.zeros((len(counts.entered), 0))
        if self._prepare is not None:
            matrix = np.asarray(self._prepare.fit_transform(counts.frame), np.float64)
        self._kept: Flags = independent(matrix)
        design = _design(matrix, self._kept)
        self.dispersion = 0.0
        self.fit_ = self._fitted(design, counts)
        for _ in range(0 if self.law == "poisson" else _ROUNDS):
            before, self.dispersion = self.dispersion, dispersion(counts.entered, self.fit_.fittedvalues)
            self.fit_ = self._fitted(design, counts)
            if abs(self.dispersion - before) <= _SETTLED * max(before, _SETTLED):
                break
        return self

    def predict(self, counts: TrackCounts) -> Floats:
        """Return, (n,), the expected number of markets entered."""
        matrix = np.zeros((len(counts.candidates), 0))
        if self._prepare is not None:
            matrix = np.asarray(self._prepare.transform(counts.frame), np.float64)
        mean: Floats = counts.candidates * np.exp(_design(matrix, self._kept) @ np.asarray(self.fit_.params))
        return mean

    def summary(self) -> pd.DataFrame:
        """Return the coefficients, columns as in `pipelines.models.summaries.summary`; those of log rates."""
        terms: Sequence[str] = []
        if self._prepare is not None:
            terms = self._prepare.get_feature_names_out()[self._kept].tolist()
        return fitted_table(self.fit_, terms, self._artist)

    def _fitted(self, design: Floats, counts: TrackCounts) -> Any:
        from statsmodels.genmod.families import NegativeBinomial, Poisson
        from statsmodels.genmod.generalized_linear_model import GLM

        self._artist = counts.artist
        law = NegativeBinomial(alpha=self.dispersion) if self.dispersion else Poisson()
        model = GLM(counts.entered, design, family=law, offset=np.log(counts.candidates))
        return model.fit(cov_type="cluster", cov_kwds={"groups": counts.artist})


def count_scores(models: dict[Law, CountModel], counts: TrackCounts) -> pd.DataFrame:
    """Return how well models predict counts that they were not fitted on, beside the constant.

    Returns
    -------
    DataFrame
        One row per model: `law`, `log_likelihood` (mean per track), `deviance` (mean of the Poisson deviance), `skill`
        (share of the constant's deviance that is saved; NaN without it), `mean_error` (mean absolute, in markets), and
        `expected` and `entered`, the means.
    """
    rows = []
    for law, model in models.items():
        mean = model.predict(counts)
        rows.append(
            {
                "law": law,
                "log_likelihood": float(log_likelihood(counts.entered, mean, model.dispersion).mean()),
                "deviance": float(_deviance(counts.entered, mean).mean()),
                "mean_error": float(np.abs(counts.entered - mean).mean()),
                "expected": float(mean.mean()),
                "entered": float(counts.entered.mean()),
            }
        )
    table = pd.DataFrame(rows)
    constant = table.loc[table["law"] == "constant", "deviance"]
    table.insert(3, "skill", 1 - table["deviance"] / (constant.iloc[0] if len(constant) else np.nan))
    return table


def log_likelihood(entered: Ints, mean: Floats, spread: float) -> Floats:
    """Return, (n,), the log probability of counts: Poisson where `spread` is 0, else negative binomial."""
    if spread < _SETTLED:
        poisson: Floats = xlogy(entered, mean) - mean - gammaln(entered + 1)
        return poisson
    size = 1 / spread
    chances: Floats = (
        gammaln(entered + size) - gammaln(size) - gammaln(entered + 1)
        - size * np.log1p(spread * mean) + xlogy(entered, spread * mean / (1 + spread * mean))
    )  # fmt: skip
    return chances


def dispersion(entered: Ints, mean: Floats) -> float:
    """Return the dispersion with the largest likelihood, for counts with known means."""
    found = minimize_scalar(
        lambda log: -log_likelihood(entered, mean, float(np.exp(log))).sum(), bounds=(-12, 6), method="bounded",
        options={"xatol": 1e-8},
    )  # fmt: skip
    return float(np.exp(found.x))


def _design(matrix: Floats, kept: Flags) -> Floats:
    return np.column_stack([np.ones(len(matrix)), matrix[:, kept]])


def _deviance(entered: Ints, mean: Floats) -> Floats:
    deviance: Floats = 2 * (xlogy(entered, entered / mean) - (entered - mean))
    return deviance
