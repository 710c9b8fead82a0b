"""Rolling origins: models are fitted on what was over before a time begins, and tested on tracks that debut in it."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Days, Flags
from pipelines.features.history import History
from pipelines.formatting import many

FOLDS: Final = 3
"""Times on which models are tested."""

DAILY_POINTS: Final = (0, 1, 3, 7, 14)
"""Days after the debut at which tracks are looked at, on daily charts."""

WEEKLY_POINTS: Final = (0, 1, 2, 4)
"""Charts after the debut at which tracks are looked at, on charts that come less often."""


@dataclass(frozen=True, slots=True)
class Fold:
    """One time of testing.

    Attributes
    ----------
    number
        1 for the first.
    first, last
        First and last debut of the tracks tested, in days since 1970-01-01.
    horizon
        Days within which entries count.
    """

    number: int
    first: int
    last: int
    horizon: int

    def train(self, day: Days) -> Flags:
        """Return which observations may be fitted on: those whose horizon was over before the test begins."""
        over: Flags = day + self.horizon < self.first
        return over

    def test(self, debut: Days) -> Flags:
        """Return which observations are tested: those of tracks that debut in the time."""
        inside: Flags = (debut >= self.first) & (debut <= self.last)
        return inside

    def words(self) -> str:
        """Return the dates of the debuts tested."""
        return f"{np.datetime64(self.first, 'D')} to {np.datetime64(self.last, 'D')}"


def points_of(cadence: int) -> tuple[int, ...]:
    """Return the days after the debut at which tracks are looked at.

    Examples
    --------
    >>> points_of(1), points_of(7)
    ((0, 1, 3, 7, 14), (0, 7, 14, 28))
    """
    return DAILY_POINTS if cadence == 1 else tuple(cadence * point for point in WEEKLY_POINTS)


def rolling_folds(history: History, horizon: int, *, folds: int = FOLDS, points: tuple[int, ...] = (0,)) -> list[Fold]:
    """Return the times of testing, in order: equal parts of the later half of the debuts that can be used.

    Debuts can be used from the end of the washout of the charts until the horizon of the last observation point is over
    within the charts.

    Raises
    ------
    SettingError
        When `folds` or `horizon` is below 1.
    DataSaysNoError
        When the charts are too short: no observation is over before the first test.
    """
    for name, value in (("folds", folds), ("horizon", horizon)):
        if value < 1:
            raise SettingError(f"{name}: {value}; give 1 or more")
    begin = history.first_day + history.rules.washout
    end = history.last_day - horizon - max(points)
    bounds = np.linspace((begin + end) // 2, end + 1, folds + 1).astype(int)
    if bounds[0] - horizon <= begin or (np.diff(bounds) < history.cadence).any():
        raise DataSaysNoError(
            f"the charts cover {history.last_day - history.first_day + 1} days, too few to fit on some tracks and test "
            f"{many(folds, 'time')} on later ones with a horizon of {horizon} days; give a shorter --horizon or fewer "
            "--folds"
        )
    return [
        Fold(number + 1, int(first), int(after) - 1, horizon) for number, (first, after) in enumerate(pairwise(bounds))
    ]
