"""Calibration: whether as many waits enter as models predict, by decile of risk, by market, and in time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import f as fisher

from diffusion import SettingError
from diffusion.arrays import Floats, Ints
from survival.counting.counted import Cluster, WaitSource
from survival.validation.held_out import HeldOut, Predicted, held_out_waits
from survival.validation.intervals import Ratio, t_quantile
from survival.validation.models import SurvivalModel
from survival.validation.scores import spread_over
from survival.validation.shares import Shares, entered_shares

DECILES: Final = 10
"""Groups of waits by predicted risk."""

DAY_BINS: Final = 5
"""Bins of the predicted day of entry."""

NEVER: Final = 1e-6
"""Predicted probability that stands for smaller ones, and one minus it for larger ones, in a logit."""

ROUNDING: Final = 1e-12
"""Variance of deviations, by squared entries, up to which they are rounding."""

STEPS: Final = 50
"""Most steps of Newton's method."""

SMALL_STEP: Final = 1e-10
"""Step at which Newton's method ends."""


def calibration(
    models: Mapping[str, SurvivalModel],
    test: WaitSource,
    *,
    by: str = "decile",
    day: int,
    cluster: Cluster = "artist",
) -> pd.DataFrame:
    """Return predicted and observed shares of waits with an entry by a day, by group.

    Parameters
    ----------
    models
        Fitted models by name.
    test
        Waits that they were not fitted to, which all begin on one day.
    by
        ``decile`` (default; ten groups of equally many waits by each model's own predicted risk; equal predictions stay
        together, so there may be fewer), or a variable, such as ``market``.
    cluster
        What the intervals take as independent of each other.

    Returns
    -------
    DataFrame
        One row per model and group: `model`, `kind` (`by`), `day`, `group` (1 … 10 from the lowest risk, or the value),
        `waits`, `predicted` (mean probability), `observed` (by Kaplan–Meier; where no wait is censored, entries divided
        by waits), `low`, `high` (95 % interval of `observed`), `effective_clusters` (behind the interval).

    Raises
    ------
    SettingError
        When there is no model, one cannot predict these waits, or the day is not among theirs.
    DataSaysNoError
        When waits begin on different days, or nobody or everybody enters by the day.

    Examples
    --------
    >>> from datetime import date
    >>> earlier = survival.waits(entries, horizon=30, debut=(date(2021, 4, 22), date(2021, 5, 10)))
    >>> later = survival.waits(entries, horizon=30, debut=(date(2021, 5, 11), date(2021, 5, 30)), complete=True)
    >>> models = {"Cox": survival.cox(earlier, "log(footprint)")}
    >>> calibration(models, later, day=28).columns.tolist()[:5]
    ['model', 'kind', 'day', 'group', 'waits']
    """
    if not models:
        raise SettingError("there is no model to calibrate; give models by name, such as {'cox': fit}")
    extra = () if by == "decile" else (by,)
    # the observed share is a Kaplan–Meier curve of each group, which needs no weights
    held = held_out_waits(test, list(models.values()), extra=extra, weights=(), cluster=cluster)
    held.checked_days([day])
    shared = None
    if by != "decile":
        group, labels = pd.factorize(held.counted.values[by], sort=True, use_na_sentinel=False)
        shared = Observed.of(held, np.asarray(group, np.int64), labels, day)
    tables = []
    for name, model in models.items():
        risk = 1 - held.predicted(name, model, np.array([day])).survival(np.array([day]))[:, 0]
        observed = shared or Observed.of(held, *deciles(risk, held.waits), day)
        tables.append(observed.table(name, held.waits * risk))
    found = pd.concat(tables, ignore_index=True)
    found.insert(1, "kind", by)
    found.insert(2, "day", day)
    return found


@dataclass(frozen=True, slots=True)
class Observed:
    """Waits and share entered by a day, by group.

    Attributes
    ----------
    group
        (g,): group of each cell.
    labels
        Name of each group.
    waits
        Waits of each group.
    shares
        Share entered, with its interval.
    """

    group: Ints
    labels: "Ints | pd.Index[Any]"
    waits: Ints
    shares: Shares

    @classmethod
    def of(cls, held: HeldOut, group: Ints, labels: "Ints | pd.Index[Any]", day: int) -> Self:
        """Return what was observed by the day."""
        groups = len(labels)
        waits = np.bincount(group, held.waits, groups).astype(np.int64)
        return cls(group, labels, waits, entered_shares(held.counted, group, groups, after=held.start, day=day))

    def table(self, name: str, expected: Floats) -> pd.DataFrame:
        """Return the table of a model; `expected` are the entries that it predicts in each cell, (g,)."""
        return pd.DataFrame(
            {
                "model": name,
                "group": self.labels,
                "waits": self.waits,
                "predicted": np.bincount(self.group, expected, len(self.waits)) / self.waits,
                "observed": self.shares.share,
                "low": self.shares.low,
                "high": self.shares.high,
                "effective_clusters": self.shares.effective_clusters,
            }
        )


def deciles(risk: Floats, waits: Ints) -> tuple[Ints, Ints]:
    """Return the group of each cell by its risk, (g,), and the number 1 … 10 of each group."""
    values, at = np.unique(risk, return_inverse=True)
    held = np.bincount(at, waits, len(values))
    middle = np.cumsum(held) - held / 2
    number = np.minimum(middle * DECILES // held.sum(), DECILES - 1).astype(np.int64)
    found, group = np.unique(number[at], return_inverse=True)
    return group.astype(np.int64), found + 1


@dataclass(frozen=True, slots=True)
class Recalibration:
    """Logistic regression of the entries by a day on the logit of the predicted probability.

    Attributes
    ----------
    slope, low, high
        Slope and its 95 % interval: 1 where predictions are right, less where they are too extreme; NaN where all
        predictions are the same, or every entry has a higher one than all without.
    intercept
        Intercept at the slope 1: the logarithm of the odds that predictions miss on the whole, 0 where they are right.
    """

    slope: float
    low: float
    high: float
    intercept: float


def recalibration(held: HeldOut, risk: Floats, day: int, effective: float) -> Recalibration:
    """Return the recalibration of predicted probabilities, (n,) by kind of wait, on a day.

    Parameters
    ----------
    effective
        Effective number of clusters, for the quantile of the interval.

    Notes
    -----
    Probabilities closer to 0 or 1 than `NEVER` count as that. The interval is the jackknife by cluster, to first order.

    References
    ----------
    Cox 1958, doi 10.1093/biomet/45.3-4.562. Van Calster et al. 2016 (slope and intercept), doi
    10.1016/j.jclinepi.2015.12.005.
    """
    outcomes = held.outcomes
    entry, free = outcomes.entry_weights(day), outcomes.free_weights(day)
    weights = outcomes.count * entry, outcomes.count * free
    x = logit(np.clip(risk, NEVER, 1 - NEVER))
    ones = np.ones((len(x), 1))
    intercept = float(_fit(ones, x, *weights)[0])
    if np.ptp(x) == 0:
        return Recalibration(np.nan, np.nan, np.nan, intercept)
    scale = float(np.sqrt(np.cov(x, aweights=outcomes.count)))
    columns = np.column_stack([ones, (x - np.average(x, weights=outcomes.count)) / scale])
    coefficients = _fit(columns, np.zeros(len(x)), *weights)
    slope = float(coefficients[1]) / scale
    mean = expit(columns @ coefficients)
    residual, spread = entry - (entry + free) * mean, (entry + free) * mean * (1 - mean)
    products = columns[:, [0, 0, 1]] * columns[:, [0, 1, 1]] * spread[:, None]
    sums, counts = held.by_cluster(np.column_stack([columns * residual[:, None], products]))
    information = (counts @ sums[:, 2:] - sums[:, 2:])[:, [0, 1, 1, 2]].reshape(-1, 2, 2)
    number = counts.sum()
    if number < 2 or np.isnan(slope) or not (np.linalg.det(information) > 0).all():
        return Recalibration(slope, np.nan, np.nan, intercept)
    moved = np.linalg.solve(information, sums[:, :2, None])[:, 1, 0] / scale
    reach = t_quantile(effective) * float(np.sqrt(counts @ moved**2 * (number - 1) / number))
    return Recalibration(slope, slope - reach, slope + reach, intercept)


def _fit(columns: Floats, offset: Floats, entry: Floats, free: Floats) -> Floats:
    """Return the coefficients of a logistic regression of weighted entries; NaN where they have no end.

    Newton's method, with steps of at most 1.
    """
    coefficients = np.zeros(columns.shape[1])
    coefficients[0] = 0.0 if offset.any() else logit(entry.sum() / (entry.sum() + free.sum()))
    for _ in range(STEPS):
        mean = expit(columns @ coefficients + offset)
        gradient = columns.T @ (entry - (entry + free) * mean)
        information = (columns * ((entry + free) * mean * (1 - mean))[:, None]).T @ columns
        step = np.linalg.solve(information, gradient)
        coefficients += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < SMALL_STEP:
            return coefficients
    return np.full(columns.shape[1], np.nan)


def entry_day_p(predicted: Predicted, day: int) -> float:
    """Return the p-value of D-calibration among the entries by a day, robust to clusters.

    Notes
    -----
    Given an entry by the day h, (1 − S(t)) / (1 − S(h)) at the entry t is uniform between 0 and 1 if the predicted days
    are right. An entry known to fall between two days is spread evenly between both. Deviations from equal bins are
    summed over each cluster. Their sum is tested by Pearson's χ² divided by its mean under dependence, with an F
    distribution whose degrees of freedom match the variance (Rao and Scott's second correction), and the effective
    number of clusters by entries. It tests when waits enter, not how many; NaN where all entries fall between two days.

    References
    ----------
    Haider et al. 2020, JMLR 21 (85), §3.5 (for independent waits, without a horizon: `survival.d_calibration`). Rao &
    Scott 1984, doi 10.1214/aos/1176346391. Thomas & Rao 1987 (F), doi 10.1080/01621459.1987.10478475.
    """
    held = predicted.held_out
    outcomes = held.outcomes
    case = outcomes.entered & (outcomes.days <= day)
    ends = outcomes.days[case].astype(np.int64)
    days = np.unique(np.concatenate([[day], ends, held.after[case]]))
    risk = 1 - predicted.survival(days)
    cell = held.cell[case]
    whole = risk[cell, np.searchsorted(days, day)]
    low, high = (risk[cell, np.searchsorted(days, at)] for at in (held.after[case], ends))
    values = np.zeros((len(case), DAY_BINS))
    scale = np.where(whole > 0, whole, 1.0)
    weight = outcomes.entry_weights(day)[case, None]
    values[case] = weight * (spread_over(low / scale, high / scale, DAY_BINS) - 1 / DAY_BINS)
    sums, counts = held.by_cluster(np.column_stack([values, outcomes.entry_weights(day)]))
    return _uneven_p(sums[:, :-1], sums[:, -1], counts)


def _uneven_p(sums: Floats, entered: Floats, counts: Floats) -> float:
    """Return the p-value that deviations from equal bins, (c, bins) by cluster, have the mean 0."""
    variance = np.linalg.eigvalsh((sums * counts[:, None]).T @ sums)
    whole = float(variance.sum())
    effective = Ratio.of(entered, entered, counts).effective
    if whole <= ROUNDING * float(counts @ entered**2) or effective <= 1:
        return np.nan
    freedom = whole**2 / float((variance**2).sum())
    statistic = float(((counts @ sums) ** 2).sum()) / whole
    return float(fisher.sf(statistic, freedom, freedom * (effective - 1)))
