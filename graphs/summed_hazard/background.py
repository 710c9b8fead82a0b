"""The background: entries attributed to no other market, with a hazard by calendar period and age of the track."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Days, Floats
from diffusion.errors import SettingError

Periods = Literal["year", "quarter", "none"]

DAY_BITS: Final = 21
"""Bits that hold any number of days: three make one number."""

AGES: Final = (0, 7, 28, 90)
"""Days after the debut at which the background hazard changes."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of period and age within which the hazard is constant.

    Attributes
    ----------
    names
        (p,): the periods, "2021", "2021Q2", or "all".
    periods
        (p + 1,): the day (from 1970-01-01) before each period's first, and the last period's last day.
    ages
        (a + 1,): days after the debut at which the classes begin, and the horizon.
    """

    names: tuple[str, ...]
    periods: Days
    ages: Days

    @classmethod
    def of(cls, first: int, last: int, *, periods: Periods, ages: Sequence[int], horizon: int) -> Self:
        """Return the cells of the days from `first` to `last`.

        Raises
        ------
        SettingError
            When `periods` is unknown, or `ages` do not begin with 0 and rise.
        """
        if periods not in ("year", "quarter", "none"):
            raise SettingError(f"periods is '{periods}'; allowed are 'year', 'quarter' and 'none'")
        steps = [*ages]
        if not steps or steps[0] != 0 or any(low >= high for low, high in pairwise(steps)):
            raise SettingError(f"the ages {', '.join(map(str, steps)) or '(none)'} must begin with 0 and rise")
        edges = np.array([age for age in steps if age < horizon] + [horizon], np.int32)
        if periods == "none":
            return cls(("all",), np.array([first - 1, last], np.int32), edges)
        unit = "Y" if periods == "year" else "3M"
        days = np.array([first, last], "datetime64[D]")
        months = days.astype("datetime64[M]").astype(np.int64) // (12 if unit == "Y" else 3)
        numbers = np.arange(months[0], months[1] + 1)
        starts = (numbers * (12 if unit == "Y" else 3)).astype("datetime64[M]").astype("datetime64[D]")
        year = 1970 + numbers // (1 if unit == "Y" else 4)
        names = [str(y) if unit == "Y" else f"{y}Q{n % 4 + 1}" for y, n in zip(year, numbers, strict=True)]
        bounds = np.append(starts.astype(np.int64) - 1, last).astype(np.int32)
        return cls(tuple(names), bounds, edges)

    @property
    def count(self) -> int:
        """Cells, period by period."""
        return len(self.names) * (len(self.ages) - 1)

    def exposure(self, debut: Days, begin: Days, end: Days) -> Floats:
        """Return the days that the intervals (begin, end] of tracks spend in every cell, (n, cells)."""
        low = np.maximum(begin[:, None], debut[:, None] + self.ages[:-1])[:, None, :]
        high = np.minimum(end[:, None], debut[:, None] + self.ages[1:])[:, None, :]
        low = np.maximum(low, self.periods[:-1][None, :, None])
        high = np.minimum(high, self.periods[1:][None, :, None])
        days: Floats = np.maximum(high - low, 0).reshape(len(debut), self.count).astype(np.float64)
        return days

    def exposures(self, debut: Days, begin: Days, end: Days) -> tuple[Floats, NDArray[np.intp]]:
        """Return the different rows of `exposure`, (u, cells), and which is each track's, (n,)."""
        if not len(debut):
            return np.zeros((0, self.count)), np.zeros(0, np.intp)
        lowest = int(min(debut.min(), begin.min()))
        parts = (part.astype(np.int64) - lowest for part in (debut, begin, end))
        code = np.zeros(len(debut), np.int64)
        for part in parts:
            code = code << DAY_BITS | part
        _, first, which = np.unique(code, return_index=True, return_inverse=True)
        return self.exposure(debut[first], begin[first], end[first]), which
