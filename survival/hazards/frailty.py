"""Hazard of an entry by day, with a gamma factor that all waits of a track share."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
import pandas as pd
from scipy.stats import chi2

from diffusion import SettingError
from diffusion.arrays import Floats, Ints
from diffusion.display import Displayed
from survival.counting.counted import WaitSource
from survival.hazards.baseline import BaselineName
from survival.hazards.columns import Columns, Layout
from survival.hazards.gamma import GammaLikelihood, exponent
from survival.hazards.gamma_maximum import highest, maximise_gamma
from survival.hazards.maximum import maximise
from survival.hazards.model import Model
from survival.hazards.prediction import check_day, checked_times, log_log_interval, wald
from survival.hazards.robust import Covariance, covariance, influences

STEP: Final = 1e-3
"""Relative step of the numeric derivative by θ."""


@dataclass(frozen=True, repr=False)
class FrailtyFit(Displayed):
    """A fitted hazard with a gamma factor by cluster.

    Attributes
    ----------
    layout
        Covariates and baseline.
    coefs
        (p,): coefficients, of the hazard given the factor.
    covariance
        Covariance of the coefficients and θ, the last one, robust by cluster.
    theta
        Variance θ of the factor, whose mean is 1; 0 when the data shows no sign of a shared factor.
    theta_interval
        95 % interval of θ.
    log_likelihood_
        Log-likelihood.
    without
        Log-likelihood without the factor.
    by
        What shares a factor: ``track`` or ``artist``.
    cluster
        What the errors are robust to: ``track`` or ``artist``.

    Examples
    --------
    >>> waits = survival.waits(entries, horizon=60)  # entries = diffusion.open_sample().entries()
    >>> survival.frailty_hazard(waits, "log(footprint)")
    <FrailtyFit by track: 1 coefficients, theta 18.9 (13.3 to 27.3)>
    """

    layout: Layout
    coefs: Floats
    covariance: Covariance
    theta: float
    theta_interval: tuple[float, float]
    log_likelihood_: float
    without: float
    by: Literal["track", "artist"]
    cluster: Literal["track", "artist"]

    def _facts(self) -> str:
        low, high = self.theta_interval
        return f" by {self.by}: {len(self.params_)} coefficients, theta {self.theta:.3g} ({low:.3g} to {high:.3g})"

    def _shown(self) -> pd.DataFrame:
        return self.summary

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that predictions read."""
        return self.layout.design.variables

    @property
    def p_no_frailty(self) -> float:
        """p-value of θ = 0 by the likelihood ratio; half of the time it is 0 without a factor, else chi-square.

        It takes tracks for independent.
        """
        ratio = 2 * (self.log_likelihood_ - self.without)
        return float(chi2.sf(ratio, 1) / 2) if ratio > 0 else 1.0

    @property
    def AIC_(self) -> float:
        """Akaike's criterion."""
        return 2 * (len(self.coefs) + 1) - 2 * self.log_likelihood_

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Coefficients of the covariates given the factor, with intervals and p-values; named as in lifelines."""
        places = self._covariates
        errors = np.sqrt(np.diag(self.covariance.matrix))[places]
        names = [self.layout.names[at] for at in places]
        return wald(self.coefs[places], errors, self.covariance.freedom[places], names)

    @property
    def params_(self) -> pd.Series:
        """Coefficients of the covariates given the factor."""
        return self.summary["coef"]

    @property
    def hazard_ratios_(self) -> pd.Series:
        """exp(coef) of the covariates: ratios between waits with one factor."""
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

    def hazard_ratios_on(self, day: int) -> pd.DataFrame:
        """Return hazard ratios on a day: between waits with one factor, and in the population.

        Returns
        -------
        DataFrame
            One row per covariate with one coefficient for all days: ``conditional`` compares waits with the same
            factor; ``population`` compares all waits that have lasted until the day. It is closer to 1, because of
            those with the higher hazard, the ones with a large factor have gone sooner. The other covariates are 0.
        """
        check_day(self.layout.baseline, day)
        (overlap,) = self.layout.baseline.overlap(np.array([0]), np.array([day]))
        level = self.layout.baseline.columns @ self.coefs[np.array(self.layout.kinds) == "baseline"]
        grown = self.theta * (overlap @ np.exp(level))
        places = np.flatnonzero((np.array(self.layout.kinds) == "covariate") & (self.layout.time_of == 0))
        ratio = np.exp(self.coefs[places])
        index = pd.Index([self.layout.names[at] for at in places], name="covariate")
        return pd.DataFrame(
            {"conditional": ratio, "population": ratio * (1 + grown) / (1 + grown * ratio)}, index=index
        )

    def predict_survival_function(
        self, values: pd.DataFrame, times: Sequence[int] | None = None, conditional_after: int = 0
    ) -> pd.DataFrame:
        """Return the share of waits that last, in the population: the factor of a wait is not known.

        Parameters and errors as in `survival.hazards.discrete.HazardFit.predict_survival_function`.
        """
        days = checked_times(self.layout.baseline, times, conditional_after)
        rate = self._rate(self._columns(values))
        zero, after = np.zeros_like(days), np.full_like(days, conditional_after)
        overlap = self.layout.baseline.overlap
        before = exponent(rate @ overlap(zero, after).T, np.array(0), self.theta)
        by_then = exponent(rate @ overlap(zero, conditional_after + days).T, np.array(0), self.theta)
        return pd.DataFrame(np.exp(before - by_then).T, index=pd.Index(days, name="days"), columns=values.index)

    def probability(self, values: pd.DataFrame, day: int, *, conditional_after: int = 0) -> pd.DataFrame:
        """Return the chance of an entry by a day, given none by `conditional_after`, with 95 % intervals.

        Each row stands for itself: nothing is known of other waits of its track. See `probability_given` for that.

        Returns
        -------
        DataFrame
            Columns ``estimate``, ``low``, ``high``, one row per row of `values`.

        Raises
        ------
        SettingError
            When a day is outside the follow-up, or not after `conditional_after`.
        """
        check_day(self.layout.baseline, conditional_after)
        own = np.arange(len(values))
        after = np.full(len(values), conditional_after)
        return self._given(values, own, np.zeros(len(values), np.int64), np.zeros_like(after), after, after, day)

    def probability_given(self, waits: pd.DataFrame, day: int) -> pd.DataFrame:
        """Return the chance of an entry by a day, given all that the waits of each track have done so far.

        Parameters
        ----------
        waits
            All waits of one track or more: the model's `variables`, the column ``track`` (``artist`` for a factor by
            artist), ``start`` (day after which the wait is at risk), ``days`` (last day known), ``entered`` (whether it
            ended then with an entry), and ``after`` if an entry is known by an interval (default: the day before).
        day
            Day of the clock, after the last known day of each wait without an entry.

        Returns
        -------
        DataFrame
            Columns ``estimate``, ``low``, ``high``, one row per wait without an entry so far.

        Raises
        ------
        SettingError
            When a column is missing, or the day is not after the days known.

        Notes
        -----
        A track with D entries and the cumulated hazard A has a factor with a gamma distribution of mean
        (1/θ + D) / (1/θ + A): tracks that have travelled more than expected go on to.
        """
        for name in (self.by, "start", "days", "entered"):
            if name not in waits:
                raise SettingError(f"no column '{name}' in the waits; it has {', '.join(map(str, waits))}")
        cluster = waits.groupby(self.by, sort=False).ngroup().to_numpy()
        entered = waits["entered"].to_numpy().astype(np.int64)
        start, days = (waits[name].to_numpy().astype(np.int64) for name in ("start", "days"))
        after = np.where(entered, waits["after"] if "after" in waits else days - 1, days)
        return self._given(waits, np.asarray(cluster, np.int64), entered, start, after, days, day)

    def _given(
        self, values: pd.DataFrame, cluster: Ints, entered: Ints, start: Ints, after: Ints, days: Ints, day: int
    ) -> pd.DataFrame:
        """Return the chances of an entry of the waits without one, given those of their cluster."""
        waiting = entered == 0
        check_day(self.layout.baseline, day)
        if (days[waiting] >= day).any():
            raise SettingError(f"day {day} is not after day {days[waiting].max()}, which is known already")
        columns, overlap = self._columns(values), self.layout.baseline.overlap
        past = (overlap(start, after) + overlap(start, days)) / 2
        future = overlap(days, np.full_like(days, day))
        ahead, ahead_moves = self._cumulated(columns, future)
        hazard, hazard_moves = self._cumulated(columns, past)
        size = int(cluster.max(initial=-1)) + 1
        sums = np.zeros((size, 1 + len(self.coefs)))
        np.add.at(sums, cluster, np.column_stack([hazard, hazard_moves]))
        went = np.bincount(cluster, entered, size).astype(np.int64)[cluster]
        own, moves = sums[cluster, 0], sums[cluster, 1:]
        theta = self.theta
        cumulated = exponent(own + ahead, went, theta) - exponent(own, went, theta)
        then, now = (1 + theta * went) / (1 + theta * (own + ahead)), (1 + theta * went) / (1 + theta * own)
        gradient = then[:, None] * ahead_moves + (then - now)[:, None] * moves
        gradient = np.column_stack([gradient, _by_theta(own, ahead, went, theta)]) / cumulated[:, None]
        error = np.sqrt(((gradient @ self.covariance.matrix) * gradient).sum(axis=1))
        freedom = np.where(gradient != 0, self.covariance.freedom, np.inf).min(axis=1)
        low, high = log_log_interval(np.exp(-cumulated), error, freedom)
        found = {"estimate": -np.expm1(-cumulated), "low": low, "high": high}
        return pd.DataFrame({name: column[waiting] for name, column in found.items()}, index=values.index[waiting])

    @property
    def _covariates(self) -> list[int]:
        return [at for at, kind in enumerate(self.layout.kinds) if kind == "covariate"]

    def _columns(self, values: pd.DataFrame) -> Columns:
        return self.layout.columns(values, self.layout.design.of_others(values))

    def _rate(self, columns: Columns) -> Floats:
        rate: Floats = np.exp(columns.predictor(self.coefs))
        return rate

    def _cumulated(self, columns: Columns, overlap: Floats) -> tuple[Floats, Floats]:
        """Return, (n,) and (n, p), the hazard cumulated over days by period, (n, k), and its derivative."""
        weighted = self._rate(columns) * overlap
        by_time = (weighted @ columns.times)[:, columns.time_of]
        return weighted.sum(axis=1), by_time * columns.cells.tocsc()[:, columns.cell_of].toarray()


def frailty_hazard(
    source: WaitSource,
    formula: str,
    *,
    baseline: BaselineName | Sequence[int] = "periods",
    by_period: Sequence[str] = (),
    by: Literal["track", "artist"] = "track",
    cluster: Literal["track", "artist"] = "artist",
) -> FrailtyFit:
    """Return a hazard by day in which all waits of a track share a factor, drawn from a gamma distribution.

    Parameters
    ----------
    source, formula, baseline, by_period
        See `survival.hazards.discrete.discrete_hazard`; the link is cloglog.
    by
        What shares a factor.
    cluster
        Waits of which unit may depend on each other beyond the factor. A frame of your own has one kind of cluster,
        which is both.

    Raises
    ------
    SettingError
        When an option or the formula cannot be right, or the source knows no clusters.
    DataSaysNoError
        When there is no entry, a coefficient has no maximum, or the variance of the factor has none.

    Notes
    -----
    The factor does not aggregate into cells. Each evaluation of the likelihood sums over all waits two values for each
    coefficient. A fit takes some 40 evaluations, and two more for each coefficient: with 8 coefficients on 4.7 million
    waits, 17 s of one core, where `discrete_hazard` takes 1 s. Time is linear in the number of waits; memory is some
    numbers per cluster and coefficient. See `survival.hazards.gamma.GammaLikelihood` for the likelihood.

    Errors of the coefficients are robust to what the factor leaves, cluster by cluster, as those of `discrete_hazard`,
    with the clusters' shares of its information. The interval of θ is made of the values at which the log-likelihood is
    at most half a chi-square quantile below its maximum, or more by the factor by which the robust variance of log θ is
    larger (where the estimate is 0: with the coefficients held).

    References
    ----------
    Clayton 1978, doi 10.1093/biomet/65.1.141. Self & Liang 1987 (the test at the bound), doi
    10.1080/01621459.1987.10478472.

    Examples
    --------
    >>> from survival.counting.frame import frame_waits
    >>> days, entered = [1, 1, 2, 1, 6, 6, 6, 6, 3, 6], [1, 1, 1, 1, 0, 0, 0, 0, 1, 0]
    >>> frame = pd.DataFrame({"days": days, "entered": entered, "track": [1, 1, 1, 1, 2, 2, 3, 3, 4, 4]})
    >>> fit = frailty_hazard(frame_waits(frame, days="days", entered="entered", cluster="track"), "1", baseline=[6])
    >>> round(fit.theta, 1)
    4.5
    """
    if by not in ("track", "artist"):
        raise SettingError(f"unknown by '{by}'; it is track or artist")
    if cluster not in ("track", "artist") or (by, cluster) == ("artist", "track"):
        raise SettingError(f"with a factor by {by}, errors are by {by} or artist, not '{cluster}'")
    model = Model.of(source, formula, baseline=baseline, by_period=by_period, cluster=by)
    clusters = model.waits.clusters
    outer = model.waits if by == cluster else source.counted(model.layout.design.variables, cluster=cluster)
    if clusters is None or outer.clusters is None:
        raise SettingError(f"the waits know no {by}s: name the column with them as cluster")
    without = maximise(model.likelihood, model.start(), np.zeros(len(model.layout.names)), model.layout.names)
    model.check_separation(without)
    robust = covariance(outer, model.layout.baseline, model.likelihood, without)
    freedom = np.append(robust.freedom, outer.clusters.number - 1.0)
    likelihood = GammaLikelihood(model, clusters)
    histories = likelihood.histories(without.coefs)
    if histories.slopes(0.0)[0].sum() <= 0:
        interval, value = (0.0, highest(histories)), without.log_likelihood
        held = Covariance(np.pad(robust.matrix, (0, 1)), freedom)
        return FrailtyFit(model.layout, without.coefs, held, 0.0, interval, value, value, by, cluster)
    _, share = influences(outer, outer.clusters, model.layout.baseline, model.likelihood, without)
    group = np.zeros(clusters.number + 1, np.int64)
    group[clusters.cluster] = outer.clusters.cluster
    found = maximise_gamma(likelihood, without, group[:-1], share)
    return FrailtyFit(
        model.layout,
        found.coefs,
        Covariance(found.matrix, freedom),
        found.theta,
        found.interval,
        found.log_likelihood,
        without.log_likelihood,
        by,
        cluster,
    )


def _by_theta(past: Floats, ahead: Floats, entered: Ints, theta: float) -> Floats:
    """Return the derivative by θ of −log of the chance of no entry, given what the cluster did in the past."""
    if theta == 0:
        return np.zeros_like(past)
    low, high = (
        exponent(past + ahead, entered, size) - exponent(past, entered, size)
        for size in (theta * (1 - STEP), theta * (1 + STEP))
    )
    slope: Floats = (high - low) / (2 * STEP * theta)
    return slope
