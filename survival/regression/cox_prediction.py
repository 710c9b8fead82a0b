"""Predictions of a Cox model, with the error of its baseline."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Flags, Floats, Ints
from diffusion.risk.influence import left_out
from survival.regression.cox_data import CoxData
from survival.regression.newton import Maximum
from survival.regression.partial_likelihood import Point
from survival.regression.robust import Influence, quantile


def standardised(data: CoxData, values: pd.DataFrame) -> Floats:
    """Return, (n, p), the covariates of other values, in standard deviations from the mean of the model's."""
    return data.scale.standardise(data.design.of_others(values))


def survival(
    data: CoxData, point: Point, values: pd.DataFrame, times: Sequence[float] | None, conditional_after: float
) -> pd.DataFrame:
    """Return the survival after `conditional_after`; see `CoxFit.predict_survival_function`."""
    ratio = np.exp(standardised(data, values) @ point.coefficients)
    stratum = strata_of(data, point, values)
    if times is None:
        later = point.sums.times.time - conditional_after
        after = np.unique(np.append(0.0, later[np.isin(point.sums.times.stratum, stratum) & (later > 0)]))
    else:
        after = np.asarray(times, np.float64)
    for number in np.unique(stratum).tolist():
        _check_times(point, number, np.append(conditional_after, conditional_after + after))
    hazard = np.stack([_hazard(point, number, conditional_after, after) for number in range(len(data.levels))], axis=1)
    found = np.exp(-ratio * hazard[:, stratum])
    return pd.DataFrame(found, after if times is None else list(times), values.index)


def probability(
    data: CoxData,
    maximum: Maximum,
    influence: Influence | None,
    covariance: Floats | None,
    values: pd.DataFrame,
    day: float,
    conditional_after: float,
) -> pd.DataFrame:
    """Return the probability of entering; see `CoxFit.probability`."""
    if not day > conditional_after:
        raise SettingError(f"day {day:g} is not after day {conditional_after:g}, up to which the waits have lasted")
    point = maximum.point
    x = standardised(data, values)
    ratio, stratum = np.exp(x @ point.coefficients), strata_of(data, point, values)
    found = np.full((len(values), 3), np.nan)
    for number in np.unique(stratum).tolist():
        _check_times(point, number, np.array([conditional_after, day]))
        which, times = stratum == number, point.sums.times
        window = (times.stratum == number) & (times.time > conditional_after) & (times.time <= day)
        hazard = point.risk[window].sum()
        found[which, 0] = -np.expm1(-ratio[which] * hazard)
        if covariance is None or hazard == 0:
            continue
        error, freedom = _error(point, influence, covariance, x[which], window)
        reach = quantile(freedom) * error
        for at, bound in ((1, -reach), (2, reach)):
            found[which, at] = -np.expm1(-ratio[which] * hazard * np.exp(bound))
    return pd.DataFrame(found, values.index, ["estimate", "low", "high"])


def strata_of(data: CoxData, point: Point, values: pd.DataFrame) -> Ints:
    """Return, (n,), the stratum of each row of values.

    Raises
    ------
    SettingError
        When a variable is not there, or no wait had its values.
    DataSaysNoError
        When nobody entered in a stratum.
    """
    if not data.strata:
        return np.zeros(len(values), np.int64)
    names = list(data.strata)
    for name in names:
        if name not in values:
            raise SettingError(f"no column '{name}' in the values; the model has strata by {', '.join(names)}")
    known = pd.MultiIndex.from_frame(data.levels[names])
    asked = pd.MultiIndex.from_frame(values[names])
    found: Ints = np.asarray(known.get_indexer(asked), np.int64)
    if (found < 0).any():
        raise SettingError(f"no wait was in the stratum {_shown(asked[int(np.argmin(found))], names)}")
    silent = ~np.isin(found, point.sums.times.stratum)
    if silent.any():
        raise DataSaysNoError(
            f"nobody entered in the stratum {_shown(asked[int(np.argmax(silent))], names)}: it has no baseline"
        )
    return found


def _shown(level: Sequence[object], names: Sequence[str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(names, level, strict=True))


def _check_times(point: Point, stratum: int, times: Floats) -> None:
    """Refuse times that nobody was followed to."""
    last = point.sums.followed[stratum]
    if (times > last).any():
        raise SettingError(f"day {times.max():g} is beyond the follow-up, which ends on day {last:g}; ask for less")
    if not (times >= times[0]).all() or times[0] < 0:
        raise SettingError(f"the times must be 0 or more, not {times.min():g}")


def _hazard(point: Point, stratum: int, after: float, times: Floats) -> Floats:
    """Return the baseline hazard of a stratum, summed up from `after` to `after` plus each time."""
    within = point.sums.times.stratum == stratum
    so_far = np.append(0.0, np.cumsum(point.risk[within]))
    at, begin = (np.searchsorted(point.sums.times.time[within], when, side="right") for when in (after + times, after))
    found: Floats = so_far[at] - so_far[begin]
    return found


def _error(
    point: Point, influence: Influence | None, covariance: Floats, x: Floats, window: Flags
) -> tuple[Floats, Floats]:
    """Return, (n,) each, the standard error of the log cumulative hazard in a window, and its degrees of freedom.

    `window` says which event times count, (T,). A cluster changes the cumulative hazard of x by what it changes the
    baseline, and by what it changes the coefficients times the derivative, x · hazard − Σ mean of x. The degrees of
    freedom of the sum are Satterthwaite's.

    References
    ----------
    Therneau & Grambsch 2000, Modeling Survival Data, §10.2.1, doi 10.1007/978-1-4757-3294-8.
    """
    hazard = point.risk[window].sum()
    slope = (x * hazard - point.mean_x[0][window].sum(axis=0)) / hazard
    of_slopes = np.einsum("ij,jk,ik->i", slope, covariance, slope)
    own = slope**2 * np.diag(covariance)
    if influence is None:
        variance = point.inverses.sums(2, 0)[window].sum() / hazard**2 + of_slopes
        return np.sqrt(variance), np.full(len(x), np.inf)
    change, freedom = _baseline_change(point, window)
    of_baseline = change @ change
    both = 2 * slope @ (influence.left_out.T @ change)
    parts = (of_baseline**2 / freedom) + (own**2 / influence.freedom).sum(axis=1)
    return np.sqrt(of_baseline + both + of_slopes), (of_baseline + own.sum(axis=1)) ** 2 / parts


def _baseline_change(point: Point, window: Flags) -> tuple[Floats, float]:
    """Return, (c,), what each cluster changes in the log baseline hazard of a window, and the degrees of freedom."""
    hazard, inverses, times = point.hazard, point.inverses, point.sums.times
    second, third = (inverses.sums(2, order) * window for order in range(2))
    risk, entry = point.risk * window, point.entry * window
    of_event = [(np.ones_like(hazard), risk / times.weight), (hazard, third)]
    change, expected = point.sums.by_cluster(
        [lambda: ([(-hazard, second)], of_event), lambda: ([(hazard, risk)], [(-hazard, entry)])]
    ).T
    share = expected / times.weight[window].sum()
    found: Floats = left_out(change / point.risk[window].sum(), share)
    return found, float(1 / (share**2).sum() - 1)
