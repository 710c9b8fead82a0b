"""Hazard of an entry by day, from counts by cell and day."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from diffusion import SettingError
from diffusion.arrays import Floats
from diffusion.display import Displayed
from survival.counting.checks import check_penalizer
from survival.counting.counted import Cluster, CountedWaits, WaitSource
from survival.hazards.baseline import BaselineName
from survival.hazards.columns import Layout
from survival.hazards.likelihood import Exposure, Link, Rate
from survival.hazards.maximum import Maximum, maximise, maximise_effects
from survival.hazards.model import Model
from survival.hazards.prediction import check_day, checked_times, log_log_interval, wald
from survival.hazards.robust import Covariance, covariance


@dataclass(frozen=True, repr=False)
class HazardFit(Displayed):
    """A fitted hazard by day.

    Attributes
    ----------
    layout
        Covariates, effects and baseline.
    link
        ``cloglog``: exp(coef) is a hazard ratio; ``logit``: exp(coef) is a ratio of odds per day.
    found
        The maximum of the likelihood.
    covariance
        Covariance of all coefficients, and their degrees of freedom.
    deviations
        Standard deviation of each family of effects.
    penalizer
        Penalty on the covariates; with one, no interval is claimed for anything.
    cluster
        What the errors are robust to: ``artist``, ``track`` or ``independent``.

    Examples
    --------
    >>> waits = survival.waits(entries, horizon=60)  # entries = diffusion.open_sample().entries()
    >>> survival.discrete_hazard(waits, "log(footprint)")
    <HazardFit of footprint: 1 coefficients, errors by artist>
    """

    layout: Layout
    link: Link
    found: Maximum
    covariance: Covariance
    deviations: dict[str, float]
    penalizer: float
    cluster: Cluster

    def _facts(self) -> str:
        return f" of {', '.join(self.variables)}: {len(self.params_)} coefficients, errors by {self.cluster}"

    def _shown(self) -> pd.DataFrame:
        return self.summary

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that predictions read."""
        return tuple(dict.fromkeys([*self.layout.design.variables, *self.layout.levels]))

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Coefficients of the covariates with intervals and p-values, NaN with a penalizer; named as in lifelines."""
        places = self._covariates
        table = wald(
            self.found.coefs[places],
            np.sqrt(np.diag(self.covariance.matrix)[places]),
            self.covariance.freedom[places],
            [self.layout.names[at] for at in places],
        )
        if self.penalizer:
            table.loc[:, ~table.columns.isin(["coef", "exp(coef)"])] = np.nan
        return table

    @property
    def params_(self) -> pd.Series:
        """Coefficients of the covariates."""
        return self.summary["coef"]

    @property
    def hazard_ratios_(self) -> pd.Series:
        """exp(coef) of the covariates."""
        return self.summary["exp(coef)"]

    @property
    def standard_errors_(self) -> pd.Series:
        """Standard errors of the covariates' coefficients."""
        return self.summary["se(coef)"]

    @property
    def variance_matrix_(self) -> pd.DataFrame:
        """Covariance of the covariates' coefficients."""
        places = self._covariates
        names = [self.layout.names[at] for at in places]
        return pd.DataFrame(self.covariance.matrix[np.ix_(places, places)], index=names, columns=names)

    @property
    def log_likelihood_(self) -> float:
        """Log-likelihood of the waits at the coefficients, without penalties."""
        return self.found.log_likelihood

    @property
    def AIC_(self) -> float:
        """Akaike's criterion, with the effective number of coefficients where some are drawn to zero."""
        return 2 * self.found.degrees - 2 * self.found.log_likelihood

    @property
    def effects_(self) -> pd.DataFrame:
        """Effects, drawn to zero: one row per variable and value. No interval is claimed for them."""
        kinds = np.array(self.layout.kinds)
        rows = []
        for name, values in self.layout.levels.items():
            own = self.found.coefs[kinds == name]
            table = pd.DataFrame({"variable": name, "value": values, "effect": own, "exp(effect)": np.exp(own)})
            rows.append(table.assign(deviation=self.deviations[name]))
        return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()

    @property
    def baseline_cumulative_hazard_(self) -> pd.DataFrame:
        """Cumulated baseline hazard −log S by day, where all covariates and effects are 0."""
        baseline = self.layout.baseline
        rate = Rate.of(baseline.columns @ self.found.coefs[np.array(self.layout.kinds) == "baseline"], self.link)
        days = np.arange(baseline.last + 1)
        summed = baseline.overlap(np.zeros_like(days), days) @ rate.value
        return pd.DataFrame({"baseline cumulative hazard": summed}, index=pd.Index(days, name="days"))

    def predict_survival_function(
        self, values: pd.DataFrame, times: Sequence[int] | None = None, conditional_after: int = 0
    ) -> pd.DataFrame:
        """Return the share of waits that last, by days after `conditional_after` (rows) and row of `values` (columns).

        Parameters
        ----------
        values
            One row per wait, with the model's `variables`.
        times
            Days after `conditional_after` (default: all up to the end of the follow-up).
        conditional_after
            Day until which the waits have lasted already.

        Raises
        ------
        SettingError
            When a day is outside the follow-up.
        """
        days = checked_times(self.layout.baseline, times, conditional_after)
        after = np.full_like(days, conditional_after)
        overlap = self.layout.baseline.overlap(after, conditional_after + days)
        staying = np.exp(-overlap @ self._rate(values).value.T)
        return pd.DataFrame(staying, index=pd.Index(days, name="days"), columns=values.index)

    def probability(self, values: pd.DataFrame, day: int, *, conditional_after: int = 0) -> pd.DataFrame:
        """Return the chance of an entry by a day, given none by `conditional_after`, with 95 % intervals.

        Returns
        -------
        DataFrame
            Columns ``estimate``, ``low``, ``high``, one row per row of `values`. The interval is made on the log(−log)
            scale with the covariance of all coefficients, and the t quantile of the coefficient with the fewest degrees
            of freedom among those that matter to the row. NaN with a penalizer.

        Raises
        ------
        SettingError
            When a day is outside the follow-up, or not after `conditional_after`.
        """
        baseline = self.layout.baseline
        check_day(baseline, conditional_after)
        check_day(baseline, day)
        if day <= conditional_after:
            raise SettingError(f"day {day} is not after day {conditional_after}")
        (overlap,) = baseline.overlap(np.array([conditional_after]), np.array([day]))
        columns = self.layout.columns(values, self.layout.design.of_others(values))
        rate = Rate.of(columns.predictor(self.found.coefs), self.link)
        cumulated = rate.value @ overlap
        by_time = ((rate.slope * overlap) @ columns.times) / cumulated[:, None]
        gradient = by_time[:, columns.time_of] * columns.cells.tocsc()[:, columns.cell_of].toarray()
        with np.errstate(invalid="ignore"):
            error = np.sqrt(((gradient @ self.covariance.matrix) * gradient).sum(axis=1))
        error[bool(self.penalizer) | np.isnan(error)] = np.nan
        freedom = np.where(gradient != 0, self.covariance.freedom, np.inf).min(axis=1)
        low, high = log_log_interval(np.exp(-cumulated), error, freedom)
        return pd.DataFrame({"estimate": -np.expm1(-cumulated), "low": low, "high": high}, index=values.index)

    def expected_entries(self, source: WaitSource, by: Sequence[str] = ("market",)) -> pd.DataFrame:
        """Return how many entries the model expects among waits, beside those that happened, by variables.

        Parameters
        ----------
        source
            Waits, those of the fit or others.
        by
            Names of variables.

        Returns
        -------
        DataFrame
            One row per combination of `by`, with ``waits`` (times at risk that begin), ``entered``, ``expected`` and
            ``ratio``, entered over expected.

        Raises
        ------
        SettingError
            When waits are at risk on a day that the model does not know.

        Notes
        -----
        Expected is the hazard cumulated over each wait, until the entry where there is one. Within the interval of an
        entry it is averaged over when the entry may have been. Under the model it is right on average on every grid,
        whatever ended the follow-up.
        """
        waits = source.counted(tuple(dict.fromkeys([*self.variables, *by])), cluster="independent")
        check_day(self.layout.baseline, int(np.flatnonzero(waits.at_risk.any(axis=0)).max(initial=0)))
        cells = pd.concat([waits.values, self._entries(waits)], axis=1)
        numbers = ["waits", "entered", "expected"]
        table = cells.groupby(list(by), observed=True)[numbers].sum().reset_index()
        return table.assign(ratio=table["entered"] / table["expected"])

    def _entries(self, waits: CountedWaits) -> pd.DataFrame:
        """Return the numbers of waits, entries, and expected entries of each cell."""
        exposure = Exposure.of(waits, self.layout.baseline)
        rate = self._rate(waits.values).value
        interval = exposure.in_intervals(rate)
        passed = exposure.count * (1 - interval / np.expm1(interval))
        expected = (exposure.survived * rate).sum(axis=1) + np.bincount(exposure.cell, passed, len(rate))
        begun, entered = waits.opened.sum(axis=1), waits.entered.sum(axis=1)
        return pd.DataFrame({"waits": begun, "entered": entered, "expected": expected})

    @property
    def _covariates(self) -> list[int]:
        return [at for at, kind in enumerate(self.layout.kinds) if kind == "covariate"]

    def _rate(self, values: pd.DataFrame) -> Rate:
        """Return the rate by row of values and period."""
        columns = self.layout.columns(values, self.layout.design.of_others(values))
        return Rate.of(columns.predictor(self.found.coefs), self.link)


def discrete_hazard(
    source: WaitSource,
    formula: str,
    *,
    link: Link = "cloglog",
    baseline: BaselineName | Sequence[int] = "periods",
    by_period: Sequence[str] = (),
    effects: Sequence[str] = (),
    penalizer: float = 0.0,
    cluster: Cluster = "artist",
) -> HazardFit:
    """Return a hazard by day, fitted to counts by cell and day; the waits never exist as rows.

    Parameters
    ----------
    source
        Waits, such as `survival.waits` or `survival.frame_waits` return them.
    formula
        Covariates, such as ``language_match + log(footprint)``; ``1`` for none.
    link
        ``cloglog``: hazards of two waits are in one ratio on all days (proportional hazards); ``logit``: the odds of an
        entry on a day are.
    baseline
        ``periods``, ``spline`` (in the logarithm of the day), or the last days of your own periods; see
        `survival.hazards.baseline.Baseline.of`.
    by_period
        Terms of the formula with one coefficient per column of the baseline: per period, or along the spline.
    effects
        Variables with one effect per value, such as ``market``, drawn to zero as by a normal distribution whose
        variance the data chooses; see `survival.hazards.maximum.maximise_effects`.
    penalizer
        Ridge penalty on the covariates, on lifelines' scale: penalizer / 2 × Σ (coef × standard deviation)² is taken
        from the log-likelihood per wait.
    cluster
        Waits of which unit may depend on each other; see `survival.hazards.robust.covariance`.

    Raises
    ------
    SettingError
        When an option, the formula or an effect cannot be right.
    DataSaysNoError
        When there is no entry, nobody survives a day, or a coefficient has no maximum (separation).

    Notes
    -----
    The likelihood is exact on every grid: an entry is known by its interval between two charts, and the link holds for
    each day; see `survival.hazards.likelihood.Likelihood`.

    An effect stands for what its values have in common beyond the covariates. A covariate that is constant within the
    values of an effect, such as the continent of a market, is then compared across values, and its interval covers what
    another draw of values would give.

    References
    ----------
    Prentice & Gloeckler 1978 (grouped proportional hazards), doi 10.2307/2529588.

    Examples
    --------
    >>> from survival.counting.frame import frame_waits
    >>> frame = pd.DataFrame({"days": [1, 2, 2, 3, 3, 3], "entered": [1, 1, 0, 1, 0, 0], "sex": [*"ababab"]})
    >>> fit = discrete_hazard(frame_waits(frame, days="days", entered="entered"), "sex", baseline=[3])
    >>> fit.summary["exp(coef)"].round(3).to_dict()
    {'sex[T.b]': 1.578}
    """
    check_penalizer(penalizer)
    model = Model.of(
        source, formula, link=link, baseline=baseline, by_period=by_period, effects=effects, cluster=cluster
    )
    likelihood, names = model.likelihood, model.layout.names
    penalty = np.zeros(len(names))
    covariates = model.places("covariate")
    penalty[covariates] = penalizer * model.waits.opened.sum() * model.spread()[covariates] ** 2
    families = [model.places(name) for name in effects]
    deviations: Floats = np.zeros(0)
    if families:
        found, deviations = maximise_effects(likelihood, model.start(), penalty, families, names)
    else:
        found = maximise(likelihood, model.start(), penalty, names)
    model.check_separation(found)
    return HazardFit(
        model.layout,
        link,
        found,
        covariance(model.waits, model.layout.baseline, likelihood, found, families),
        dict(zip(effects, deviations.tolist(), strict=True)),
        penalizer,
        cluster if model.waits.clusters is not None else "independent",
    )
