"""Baseline of a hazard by day: constant within periods, or a natural cubic spline in the logarithm of the day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self, get_args

import numpy as np

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Floats, Ints
from survival.counting.counted import CountedWaits

BaselineName = Literal["periods", "spline"]
BASELINES: tuple[BaselineName, ...] = get_args(BaselineName)

CUTS: Final = (1, 3, 7, 14, 28, 60, 90, 180, 365, 730)
"""Last days of the periods of the baseline ``periods``."""

KNOTS: Final = (0.05, 0.275, 0.5, 0.725, 0.95)
"""Quantiles of the days of entry at which the spline has its knots (Harrell 2015, Regression Modeling Strategies)."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Periods of the clock and the columns that describe them. Within a period the hazard of a cell is constant.

    Attributes
    ----------
    ends
        (k,): last day of each period; period ``at`` has the days ``ends[at − 1] < day ≤ ends[at]``.
    columns
        (k, q): baseline columns; the baseline's linear predictor is their combination.
    names
        (q,): name of each column.
    first
        Day after which the first wait is at risk. Nothing is known of the days before.
    """

    ends: Ints
    columns: Floats
    names: tuple[str, ...]
    first: int

    @classmethod
    def of(cls, kind: BaselineName | Sequence[int], waits: CountedWaits) -> Self:
        """Return the baseline for the waits.

        Parameters
        ----------
        kind
            ``periods``: one level per period that ends on a day of `CUTS`; ``spline``: a natural cubic spline in the
            logarithm of the day, constant included, with knots at the quantiles `KNOTS` of the days of entry; or the
            last days of your own periods.

        Raises
        ------
        SettingError
            When the kind is unknown, or own periods do not end on whole days in increasing order.
        DataSaysNoError
            When there is no entry, or every wait enters at its first chance.

        Notes
        -----
        Periods are merged until each holds an entry whose whole interval is within it, and a day that somebody
        survived. Otherwise the level of the period is not determined: on weekly charts, nothing tells days 1 and 2 from
        days 3 to 7.
        """
        if not waits.events.count.sum():
            raise DataSaysNoError("no wait ends with an entry: there is no hazard to estimate")
        exposed = np.flatnonzero(waits.at_risk.any(axis=0))
        first, last = int(exposed[0]) - 1, int(exposed[-1])
        if isinstance(kind, str) and kind == "spline":
            days = np.arange(1, last + 1)
            columns, names = _spline(days, waits)
            _check_survived(waits)
            return cls(days, columns, names, first)
        ends = _merged(_cuts(kind, last), waits)
        begins = np.append(0, ends[:-1])
        names = tuple(
            f"days {begin + 1}–{end}" if end > begin + 1 else f"day {end}"
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        )
        return cls(ends, np.eye(len(ends)), names, first)

    @property
    def last(self) -> int:
        """Last day on which somebody is at risk."""
        return int(self.ends[-1])

    @property
    def period(self) -> Ints:
        """(last + 1,): period of each day; that of day 1 for day 0."""
        return np.searchsorted(self.ends, np.arange(self.last + 1))

    def overlap(self, after: Ints, days: Ints) -> Floats:
        """Return, (n, k), the number of days of each period in each interval (after, days]."""
        begins = np.append(0, self.ends[:-1])
        inside = np.minimum(days[:, None], self.ends) - np.maximum(after[:, None], begins)
        overlap: Floats = np.maximum(inside, 0).astype(np.float64)
        return overlap


def survived_days(waits: CountedWaits) -> Ints:
    """Return, (t + 1,), how many waits had surely not entered by the end of each day on which they were at risk."""
    events = waits.events
    change = np.zeros(waits.horizon + 2, np.int64)
    np.add.at(change, events.after + 1, events.count)
    np.add.at(change, events.days + 1, -events.count)
    survived: Ints = waits.at_risk.sum(axis=0) - np.cumsum(change)[:-1]
    return survived


def _cuts(kind: BaselineName | Sequence[int], last: int) -> list[int]:
    """Return the last days of the periods that are asked for, up to the last day at risk."""
    if isinstance(kind, str):
        if kind != "periods":
            raise SettingError(f"unknown baseline '{kind}'; it is one of {', '.join(BASELINES)}, or days")
        kind = CUTS
    cuts = [*kind] if isinstance(kind, Iterable) else [kind]
    whole = all(isinstance(cut, int | float | np.number) and cut >= 1 and cut % 1 == 0 for cut in cuts)
    if not whole or any(np.diff(cuts) <= 0):
        raise SettingError(f"periods must end on whole days from 1 on, in increasing order; found {kind}")
    return [cut for cut in map(int, cuts) if cut < last] + [last]


def _check_survived(waits: CountedWaits) -> None:
    if not survived_days(waits).any():
        raise DataSaysNoError("every wait enters at its first chance: the hazard has no upper bound")


def _merged(cuts: Sequence[int], waits: CountedWaits) -> Ints:
    """Return the last days of the periods, merged until each level is determined."""
    _check_survived(waits)
    survived, events = survived_days(waits), waits.events
    ends: list[int] = []
    begin = 0
    for end in cuts:
        inside = (events.after >= begin) & (events.days <= end)
        if inside.any() and survived[begin + 1 : end + 1].any():
            ends.append(end)
            begin = end
    return np.array([*ends[:-1], cuts[-1]])


def _spline(days: Ints, waits: CountedWaits) -> tuple[Floats, tuple[str, ...]]:
    """Return the columns of a natural cubic spline in the logarithm of the day, and their names."""
    events = waits.events
    order = np.argsort(events.days, kind="stable")
    share = np.cumsum(events.count[order]) / events.count.sum()
    knots = np.unique(np.log(events.days[order][np.searchsorted(share, KNOTS)]))
    x = np.log(days)
    columns = [np.ones(len(x)), x][: len(knots)]
    if len(knots) > 2:
        last, before = knots[-1], knots[-2]
        for knot in knots[:-2]:
            bend = _cube(x - knot) - _cube(x - before) * (last - knot) / (last - before)
            columns.append((bend + _cube(x - last) * (before - knot) / (last - before)) / (last - knots[0]) ** 2)
    names = ("constant", "log(day)", *(f"spline {number + 1}" for number in range(len(knots))))
    return np.column_stack(columns), names[: len(columns)]


def _cube(x: Floats) -> Floats:
    """Return x³ where x is positive, 0 elsewhere."""
    return np.maximum(x, 0.0) ** 3
