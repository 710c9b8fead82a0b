"""What the fits of hazards have in common: summary, checks of days, and days as table columns."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import t

from diffusion import SettingError
from diffusion.arrays import Floats, Ints
from survival.counting.checks import whole_days
from survival.hazards.baseline import Baseline

LEVEL = 0.95
"""Level of every interval."""


def wald(coefs: Floats, errors: Floats, freedom: Floats, names: Sequence[str]) -> pd.DataFrame:
    """Return coefficients with intervals and p-values, named as in lifelines.

    An infinite error gives the p-value 1.
    """
    quantile = t.ppf((1 + LEVEL) / 2, freedom)
    low, high = coefs - quantile * errors, coefs + quantile * errors
    z = coefs / errors
    with np.errstate(over="ignore"):
        columns = {
            "coef": coefs,
            "exp(coef)": np.exp(coefs),
            "se(coef)": errors,
            "coef lower 95%": low,
            "coef upper 95%": high,
            "exp(coef) lower 95%": np.exp(low),
            "exp(coef) upper 95%": np.exp(high),
            "z": z,
            "p": 2 * t.sf(np.abs(z), freedom),
        }
    return pd.DataFrame(columns, index=pd.Index(names, name="covariate"))


def checked_times(baseline: Baseline, times: Sequence[int] | None, after: int) -> Ints:
    """Return days after `after`, checked against the follow-up; all of them where `times` is None."""
    check_day(baseline, after)
    if times is None:
        return np.arange(baseline.last - after + 1)
    days = whole_days(times)
    if len(days):
        check_day(baseline, after + int(days.max()))
    return days


def check_day(baseline: Baseline, day: int) -> None:
    """Refuse a day that nobody was at risk on."""
    if not baseline.first <= day <= baseline.last:
        raise SettingError(
            f"day {day} is outside the follow-up, which goes from day {baseline.first} to day {baseline.last}"
        )


def log_log_interval(staying: Floats, error: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """Return the bounds of a probability 1 − exp(−H).

    Parameters
    ----------
    staying
        (n,): exp(−H).
    error
        (n,): standard error of log H. Where it is unknown, NaN, the bounds are NaN.
    freedom
        (n,): degrees of freedom.
    """
    quantile = t.ppf((1 + LEVEL) / 2, freedom) * error
    with np.errstate(over="ignore"):
        low, high = (-np.expm1(np.log(staying) * np.exp(sign * quantile)) for sign in (-1.0, 1.0))
    return low, high
