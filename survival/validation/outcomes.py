"""What became of waits, and the probability that a wait is followed to a day."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Flags, Floats, Ints
from diffusion.display import Displayed


@dataclass(frozen=True, slots=True, repr=False)
class Censoring(Displayed):
    """Probability of being followed to a day without being censored: Kaplan–Meier, with censoring as the event.

    A wait that is censored on a day was free of an entry until the end of that day. Entries of a day therefore come
    before its censoring, and a wait that ends with an entry on day t was followed with the probability of no censoring
    before t.

    Attributes
    ----------
    days
        (k,): days on which waits end, in order.
    followed
        (groups, k + 1): probability of not being censored on the first j of these days.
    last
        (groups,): last day on which a wait of the group is followed.

    Examples
    --------
    >>> Censoring.of([1, 2, 3, 4], [True, False, True, False])
    <Censoring: 4 days, followed to day 4>
    """

    days: Floats
    followed: Floats
    last: Floats

    @classmethod
    def of(cls, days: ArrayLike, entered: ArrayLike, *, counts: ArrayLike | None = None, group: ArrayLike = 0) -> Self:
        """Return the probabilities from waits that begin together.

        Parameters
        ----------
        days, entered
            (n,): last day at risk, and whether the wait ended with an entry.
        counts
            (n,): number of such waits (default: 1).
        group
            (n,): number of the group, from 0, where censoring differs between groups.

        Examples
        --------
        >>> censoring = Censoring.of([1, 2, 3, 4], [True, False, True, False])
        >>> censoring.until(np.array([2.0, 3.0])).round(3).tolist()
        [1.0, 0.667]
        """
        end, went, count = checked_outcomes(days, entered, counts)
        groups = np.broadcast_to(np.asarray(group, np.int64), end.shape)
        times, at = np.unique(end, return_inverse=True)
        shape = int(groups.max()) + 1, len(times)
        place = groups * len(times) + at
        ended, left = (np.bincount(place, part, shape[0] * shape[1]).reshape(shape) for part in (count, count * ~went))
        at_risk = np.cumsum(ended[:, ::-1], axis=1)[:, ::-1] - ended + left
        stay = 1 - left / np.where(at_risk > 0, at_risk, 1.0)
        followed = np.cumprod(np.column_stack([np.ones(shape[0]), stay]), axis=1, dtype=np.float64)
        last = np.array([times[np.flatnonzero(row)[-1]] if row.any() else 0.0 for row in ended])
        return cls(times, followed, last)

    def _facts(self) -> str:
        return f": {len(self.days):,} days, followed to day {np.max(self.last):g}"

    def until(self, day: Floats, group: Ints | int = 0) -> Floats:
        """Return the probability of not being censored before each day.

        Raises
        ------
        DataSaysNoError
            When a day is after the last day on which a wait of its group is followed.
        """
        late = day > self.last[group]
        if late.any():
            which = np.broadcast_to(group, late.shape)[late][0]
            raise DataSaysNoError(
                f"no wait is followed to day {day[late].max():g}; the last day with follow-up is "
                f"{self.last[which]:g}: take an earlier day"
            )
        found: Floats = self.followed[group, np.searchsorted(self.days, day, side="left")]
        return found


@dataclass(frozen=True, slots=True, repr=False)
class Outcomes(Displayed):
    """What became of waits that began together; one row per kind of wait.

    Attributes
    ----------
    days, entered
        (n,): last day at risk, and whether the wait ended with an entry on that day.
    count
        (n,): number of such waits.
    group
        (n,): group of the wait in `censoring`.
    censoring
        Probability of being followed.
    """

    days: Floats
    entered: Flags
    count: Floats
    group: Ints
    censoring: Censoring

    @classmethod
    def of(
        cls,
        days: ArrayLike,
        entered: ArrayLike,
        counts: ArrayLike | None = None,
        censoring: Censoring | None = None,
    ) -> Self:
        """Return the outcomes of arrays, checked; `censoring` is by default that of these waits."""
        end, went, count = checked_outcomes(days, entered, counts)
        followed = Censoring.of(end, went, counts=count) if censoring is None else censoring
        return cls(end, went, count, np.zeros(len(end), np.int64), followed)

    def _facts(self) -> str:
        return f" of {self.waits:,.0f} waits"

    @property
    def waits(self) -> float:
        """Number of waits."""
        return float(self.count.sum())

    def entry_weights(self, day: float) -> Floats:
        """Return, (n,), the weight of each wait with an entry by the day: 1 / P(followed to the entry), others 0."""
        case = self.entered & (self.days <= day)
        weight = np.zeros(len(self.days))
        weight[case] = 1 / self.censoring.until(self.days[case], self.group[case])
        return weight

    def free_weights(self, day: float) -> Floats:
        """Return, (n,), the weight of each wait known to be without an entry by the day, others 0."""
        free = (self.days > day) | ((self.days == day) & ~self.entered)
        weight = np.zeros(len(self.days))
        weight[free] = 1 / self.censoring.until(np.full(free.sum(), float(day)), self.group[free])
        return weight


def checked_outcomes(days: ArrayLike, entered: ArrayLike, counts: ArrayLike | None) -> tuple[Floats, Flags, Floats]:
    """Return last days, entries and counts as arrays, (n,) each.

    Raises
    ------
    SettingError
        When lengths differ, a day is not a number, or a count is not positive.
    DataSaysNoError
        When there is no wait.
    """
    end, went = np.asarray(days, np.float64), np.asarray(entered, np.bool_)
    count = np.ones(end.shape) if counts is None else np.asarray(counts, np.float64)
    if end.ndim != 1 or went.shape != end.shape or count.shape != end.shape:
        raise SettingError(
            f"days, entered and counts must have one value per wait; they have {end.shape}, {went.shape}, {count.shape}"
        )
    if not len(end):
        raise DataSaysNoError("there is no wait to score")
    if not np.isfinite(end).all():
        raise SettingError(f"days has {(~np.isfinite(end)).sum():,} values that are not numbers; leave these waits out")
    if not (np.isfinite(count).all() and (count > 0).all()):
        raise SettingError("counts must be positive numbers")
    return end, went, count
