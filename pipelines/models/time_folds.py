"""Splits in order of time, with a gap between training and test that no outcome reaches across."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Days, Flags, Ints
from pipelines.formatting import many


@dataclass(frozen=True, slots=True)
class TimeFolds:
    """Folds in order of time, for scikit-learn: every fold is tested on later days than it is trained on.

    The days are cut into ``folds + 1`` stretches with about equally many rows. Fold i is tested on stretch i + 1, and
    trained on all rows more than `purge` days before its first day. An outcome within `purge` days of a training row
    is thus over before the test begins.

    Attributes
    ----------
    folds
        Number of folds.
    purge
        Days between the last training row and the first test row, at least; the horizon of the outcome.

    Examples
    --------
    >>> day = np.arange(12)
    >>> [(train.tolist(), test.tolist()) for train, test in TimeFolds(2, purge=1).split(day, groups=day)]
    [([0, 1, 2], [4, 5, 6, 7]), ([0, 1, 2, 3, 4, 5, 6], [8, 9, 10, 11])]
    """

    folds: int = 5
    purge: int = 0

    def split(self, X: object, y: object = None, groups: ArrayLike | None = None) -> Iterator[tuple[Ints, Ints]]:
        """Yield the rows of training and test of every fold; `groups` is the day of every row.

        Raises
        ------
        SettingError
            When the days are not given.
        DataSaysNoError
            When there are too few days for the folds and the gaps.
        """
        if groups is None:
            raise SettingError("give the day of every row as groups")
        day = np.asarray(groups)
        for first, last in self._stretches(day):
            train = np.flatnonzero(day < first - self.purge)
            if not len(train):
                raise DataSaysNoError(
                    f"the charts are too short for {self.folds} folds in time with {many(self.purge, 'day')} between "
                    "training and test"
                )
            yield train, np.flatnonzero((day >= first) & (day <= last))

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return the number of folds."""
        return self.folds

    def _stretches(self, day: Days) -> list[tuple[int, int]]:
        """Return first and last day of the stretches that are tested."""
        days, rows = np.unique(day, return_counts=True)
        stretch = ((np.cumsum(rows) - rows) * (self.folds + 1)) // len(day)
        tested = [days[stretch == number] for number in range(1, self.folds + 1)]
        if any(not len(part) for part in tested):
            raise DataSaysNoError(f"the charts are too short: {many(len(days), 'date')} for {self.folds} folds in time")
        return [(int(part[0]), int(part[-1])) for part in tested]


def later(day: Days, *, share: float, purge: int) -> tuple[Flags, Flags]:
    """Return which rows are trained on and which are tested, with the later rows for the test.

    Parameters
    ----------
    day
        (k,): day of every row.
    share
        Share of the rows that are tested, about: rows of one day stay together.
    purge
        Days between the last training row and the first test row, at least.

    Raises
    ------
    DataSaysNoError
        When no row is left on one of the sides.
    """
    first = np.quantile(day, 1 - share, method="higher")
    train, test = day < first - purge, day >= first
    if not train.any() or not test.any():
        raise DataSaysNoError(f"the charts are too short for a test {many(purge, 'day')} after the training")
    return train, test
