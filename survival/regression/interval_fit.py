"""Parametric models fitted to counted waits: what they say, and what they predict."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import stdtr

from diffusion import SettingError
from diffusion.arrays import Floats
from diffusion.display import Displayed
from survival.counting.checks import whole_days
from survival.counting.counted import Cluster
from survival.counting.formula import Design
from survival.regression.distributions import Law
from survival.regression.interval_likelihood import parameters_at
from survival.regression.robust import quantile
from survival.regression.uncertainty import Uncertainty


@dataclass(frozen=True, eq=False, repr=False)
class IntervalFit(Displayed):
    """Parametric model fitted to counted waits. Attributes with an underscore at the end are named as in lifelines.

    Attributes
    ----------
    law
        Distribution of the time.
    designs
        Covariates of each of its parameters; None where it is one constant.
    names
        (p,): name of each coefficient.
    coefficients
        (p,): estimates.
    uncertainty
        Uncertainty of the estimates.
    log_likelihood_
        Logarithm of the interval-censored likelihood; comparable between all families on the same waits.
    centre
        (1, p_i) for each parameter: mean of its covariates over waits.
    horizon
        Last day of follow-up.
    cluster
        What waits may depend within: ``artist``, ``track`` or ``independent``.
    """

    law: Law
    designs: tuple[Design | None, ...]
    names: tuple[str, ...]
    coefficients: Floats
    uncertainty: Uncertainty = field(repr=False)
    log_likelihood_: float
    centre: tuple[Floats, ...] = field(repr=False)
    horizon: int
    cluster: Cluster

    def _facts(self) -> str:
        terms = f"{len(self.coefficients)} coefficients, log-likelihood {self.log_likelihood_:,.1f}"
        return f": {terms}, up to {self.horizon} days, errors by {self.cluster}"

    def _shown(self) -> pd.DataFrame:
        return self.summary

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that predictions read from values."""
        return tuple(sorted({name for design in self.designs if design for name in design.variables}))

    @property
    def params_(self) -> pd.Series:
        """Coefficients by name."""
        return pd.Series(self.coefficients, pd.Index(self.names, name="covariate"), name="coef")

    @property
    def variance_matrix_(self) -> pd.DataFrame:
        """Covariance matrix of the coefficients."""
        return pd.DataFrame(self.uncertainty.variance, list(self.names), list(self.names))

    @property
    def standard_errors_(self) -> pd.Series:
        """Standard errors of the coefficients by name."""
        return pd.Series(np.sqrt(np.diag(self.uncertainty.variance)), self.params_.index, name="se")

    @property
    def AIC_(self) -> float:
        """Akaike's criterion: twice the number of coefficients less twice the log-likelihood."""
        return 2 * len(self.coefficients) - 2 * self.log_likelihood_

    @property
    def summary(self) -> pd.DataFrame:
        """Coefficients with standard errors, 95 % intervals and p-values, in the columns of lifelines.

        Intervals and p-values are those of the t distribution; its degrees of freedom come from how the information is
        spread over clusters (`Uncertainty`). Where waits are independent it is the normal distribution. Where a handful
        of artists have much, intervals of covariates held the truth in 93 to 98 % of simulated samples, those of the
        log scale in 88 to 93 %.
        """
        coef, error, freedom = self.coefficients, self.standard_errors_.to_numpy(), self.uncertainty.freedom
        half, z = quantile(freedom) * error, coef / error
        low, high = coef - half, coef + half
        with np.errstate(over="ignore"):
            columns = {
                "coef": coef,
                "exp(coef)": np.exp(coef),
                "se(coef)": error,
                "coef lower 95%": low,
                "coef upper 95%": high,
                "exp(coef) lower 95%": np.exp(low),
                "exp(coef) upper 95%": np.exp(high),
                "z": z,
                "p": 2 * stdtr(freedom, -np.abs(z)),
            }
        return pd.DataFrame(columns, self.params_.index)

    def predict_survival_function(
        self, values: pd.DataFrame, times: Sequence[int] | None = None, conditional_after: int = 0
    ) -> pd.DataFrame:
        """Return the probability of no entry by each time, one column per row of values.

        Parameters
        ----------
        values
            Rows with the model's `variables`.
        times
            Days after `conditional_after` (default: all days of follow-up).
        conditional_after
            Days waited already without an entry (default 0).

        Raises
        ------
        SettingError
            When a time is negative, or beyond follow-up.
        """
        if not conditional_after >= 0:
            raise SettingError(f"conditional_after is {conditional_after}; it must be a day, 0 or more")
        last = self.horizon - conditional_after
        days = np.arange(last + 1) if times is None else whole_days(times)
        if conditional_after > self.horizon or (days > last).any():
            raise SettingError(
                f"day {max(conditional_after, conditional_after + int(days.max(initial=0)))} is beyond the follow-up, "
                f"which ends on day {self.horizon}"
            )
        parameters = self.parameters(values)
        begun = self.law.log_survival(np.full(len(values), float(conditional_after)), parameters).value
        curves = [
            self.law.log_survival(np.full(len(values), float(conditional_after + day)), parameters).value
            for day in days
        ]
        survival = np.exp(np.array(curves).reshape(len(days), len(values)) - begun)
        return pd.DataFrame(survival, pd.Index(days, name="days"), values.index)

    def probability(self, values: pd.DataFrame, day: int, *, conditional_after: int = 0) -> pd.DataFrame:
        """Return the probability of an entry by a day, with its 95 % interval.

        Parameters
        ----------
        day
            Day of the clock, after `conditional_after`.
        conditional_after
            Day by which there was no entry (default 0).

        Notes
        -----
        The interval is on the log(−log) scale of survival, by the delta method. In worlds of 60 and 300 artists, a
        handful of whom have much, it held the truth in 92 to 98 % of samples.

        Raises
        ------
        SettingError
            When the day is not after `conditional_after`, or beyond follow-up.
        """
        if not 0 <= conditional_after < day <= self.horizon:
            raise SettingError(
                f"no probability by day {day} for waits without an entry by day {conditional_after}: follow-up ends on "
                f"day {self.horizon}, and the day must be later than the days waited"
            )
        begun, ended = (self.log_survival_by_coefficient(values, at) for at in (conditional_after, day))
        value, gradient = ended[0] - begun[0], ended[1] - begun[1]
        half = self.uncertainty.half_width(gradient / value[:, None])
        with np.errstate(over="ignore"):
            estimate, low, high = (-np.expm1(value * np.exp(by)) for by in (0.0, -half, half))
        return pd.DataFrame({"estimate": estimate, "low": low, "high": high}, values.index)

    def predict_median(self, values: pd.DataFrame, *, conditional_after: int = 0) -> pd.Series:
        """Return the day after `conditional_after` by which half of such waits end with an entry, (n,).

        It is infinite where that day is beyond follow-up: what no wait has shown is not predicted.

        Raises
        ------
        SettingError
            When `conditional_after` is negative or beyond follow-up.
        """
        if not 0 <= conditional_after <= self.horizon:
            raise SettingError(f"no median after {conditional_after} days: follow-up is from day 0 to {self.horizon}")
        days = self._median(self.parameters(values), conditional_after)
        return pd.Series(days, values.index, name="median")

    @property
    def median_survival_time_(self) -> float:
        """Median day of an entry at the mean of the covariates; infinite where it is beyond follow-up."""
        return float(self._median(parameters_at(self.centre, self.coefficients), 0)[0])

    def _median(self, parameters: Floats, after: int) -> Floats:
        begun = np.exp(self.law.log_survival(np.full(len(parameters), float(after)), parameters).value)
        days = self.law.day_of(begun / 2, parameters)
        return np.where(days <= self.horizon, days - after, np.inf)

    def parameters(self, values: pd.DataFrame) -> Floats:
        """Return, (n, k), the parameters of rows of values."""
        return parameters_at(matrices(self.designs, values), self.coefficients)

    def log_survival_by_coefficient(self, values: pd.DataFrame, day: int) -> tuple[Floats, Floats]:
        """Return the logarithm of survival by a day, (n,), and its derivatives by the coefficients, (n, p)."""
        made = matrices(self.designs, values)
        terms = self.law.log_survival(np.full(len(values), float(day)), parameters_at(made, self.coefficients))
        return terms.value, np.column_stack([terms.first[:, [at]] * design for at, design in enumerate(made)])


def matrices(designs: tuple[Design | None, ...], values: pd.DataFrame) -> tuple[Floats, ...]:
    """Return the covariates of each parameter with a constant in front, (n, p_i) each."""
    constant = np.ones((len(values), 1))
    return tuple(
        constant if design is None else np.column_stack([constant, design.of_others(values)]) for design in designs
    )
