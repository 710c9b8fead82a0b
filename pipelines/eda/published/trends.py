"""Trends of weekly series that remember: change per year with an interval that holds under autocorrelation."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from diffusion import DataSaysNoError
from diffusion.arrays import Floats
from diffusion.conventions import CONFIDENCE, FDR

YEAR: Final = 365.25
"""Days."""

LEAST_DAYS: Final = 728
"""Days, two years of weeks, below which a trend cannot be told from a season."""

SLOWEST: Final = 2
"""Half-cycles of the slowest cosine; a slower one is almost a straight line."""

MOST_COSINES: Final = 4
"""Cosines, which are the degrees of freedom; with more of them, series that remember for months look too sure."""

SEASONS: Final = (1, 2)
"""Cycles per year of the season that is held fixed."""

LEAST_WEEKS: Final = 26
"""Weeks of a calendar year from which its level is given; of fewer it would be the level of a season."""

POWER: Final = 0.8
"""Probability with which a change of the detectable size is found."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The straight line through a series, beside its season.

    Attributes
    ----------
    change
        Change per year, in the series' unit.
    error
        Its standard error.
    freedom
        Degrees of freedom.
    noise
        Long-run variance of one value: n values far apart in time have a mean with variance noise / n.
    weeks
        Number of values.
    """

    change: float
    error: float
    freedom: int
    noise: float
    weeks: int

    @property
    def reach(self) -> float:
        """Half the width of the 95 % interval."""
        return float(stats.t.ppf((1 + CONFIDENCE) / 2, self.freedom) * self.error)

    @property
    def p(self) -> float:
        """Two-sided probability of such a change without a trend."""
        return float(2 * stats.t.sf(abs(self.change) / self.error, self.freedom)) if self.error > 0 else 1.0

    @property
    def detectable(self) -> float:
        """Change per year that is found with a probability of 80 %."""
        return float((stats.t.ppf(1 - FDR / 2, self.freedom) + stats.t.ppf(POWER, self.freedom)) * self.error)


def yearly_trend(day: Floats, value: Floats) -> Trend:
    """Return the trend of a weekly series.

    Parameters
    ----------
    day
        (n,): days, ascending.
    value
        (n,): values; NaN where there is none.

    Raises
    ------
    DataSaysNoError
        When the values span less than two years.

    Notes
    -----
    Least squares on a line and two waves of the year. The error is that of the slow movements of the rest: its products
    with two to four cosines that are slower than the year and orthogonal to line and season. Under a series that
    forgets within a few months these are as variable as the slope's own noise, so that the ratio has Student's
    distribution with as many degrees of freedom [1]_. A series that wanders without a fixed level has trends of its
    own, which no test tells from lasting ones.

    References
    ----------
    .. [1] Sun, Y. (2011). Robust trend inference with series variance estimator and testing-optimal smoothing
    parameter.
       Journal of Econometrics 164, 345-366. doi 10.1016/j.jeconom.2011.06.017.

    Examples
    --------
    >>> day = np.arange(0.0, 1096, 7)
    >>> round(yearly_trend(day, 2 * day / YEAR + np.cos(2 * np.pi * day / YEAR)).change, 6)
    2.0
    """
    known = np.isfinite(value)
    day, value = day[known], value[known]
    days = int(day[-1] - day[0]) if len(day) else 0
    if days < LEAST_DAYS:
        raise DataSaysNoError(f"the series spans {days} days; a trend beside the season needs {LEAST_DAYS}")
    time = (day - day.mean()) / YEAR
    waves = [wave(2 * np.pi * cycles * time) for cycles in SEASONS for wave in (np.cos, np.sin)]
    # slower than the year, whose waves are taken out
    number = min(MOST_COSINES, int(np.ceil(2 * days / YEAR)) - SLOWEST)
    place = (day - day[0]) / (day[-1] - day[0])
    slow = [np.cos(np.pi * half * place) for half in range(SLOWEST, SLOWEST + number)]
    columns = np.column_stack([np.ones(len(day)), *waves, time, *slow])
    basis, size = np.linalg.qr(columns)
    along = columns.shape[1] - number - 1
    noise = float(np.mean((basis[:, along + 1 :].T @ value) ** 2))
    length = float(size[along, along])
    return Trend(float(basis[:, along] @ value) / length, float(np.sqrt(noise)) / abs(length), number, noise, len(day))


def yearly_levels(day: Floats, value: Floats, trend: Trend | None) -> pd.DataFrame:
    """Return the mean of every calendar year with enough weeks: `year`, `weeks`, `level`, `low`, `high`.

    Parameters
    ----------
    day, value
        As in `yearly_trend`; days count from 1970-01-01.
    trend
        Trend of the series, whose long-run variance gives the 95 % intervals; None for no intervals (NaN).
    """
    year = day.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    levels = pd.DataFrame({"year": year, "value": value}).dropna().groupby("year")["value"].agg(["size", "mean"])
    levels = levels[levels["size"] >= LEAST_WEEKS].reset_index()
    levels.columns = pd.Index(["year", "weeks", "level"])
    reach = np.full(len(levels), np.nan)
    if trend is not None:
        reach = stats.t.ppf((1 + CONFIDENCE) / 2, trend.freedom) * np.sqrt(trend.noise / levels["weeks"].to_numpy())
    return levels.assign(low=levels["level"] - reach, high=levels["level"] + reach)
