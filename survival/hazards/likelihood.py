"""Likelihood of counted waits under a hazard by day."""

from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np

from diffusion.arrays import Floats, Ints
from survival.counting.counted import CountedWaits
from survival.hazards.baseline import Baseline
from survival.hazards.columns import Columns

Link = Literal["cloglog", "logit"]
LINKS: tuple[Link, ...] = get_args(Link)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the likelihood needs of waits: days survived by cell and period, and entries by interval.

    An entry's interval is cut into pieces, one per period.

    Attributes
    ----------
    survived
        (g, k): days at risk that surely passed without an entry.
    cell, count
        (e,): cell of each kind of entry, and number of entries.
    event, slot, days
        (pieces,): kind of entry that a piece belongs to, its place cell × k + period, and its number of days.
    """

    survived: Floats
    cell: Ints
    count: Ints
    event: Ints
    slot: Ints
    days: Ints

    @classmethod
    def of(cls, waits: CountedWaits, baseline: Baseline) -> Self:
        """Return the exposure of waits by the periods of a baseline."""
        events, periods = waits.events, len(baseline.ends)
        period = baseline.period
        first, last = period[events.after + 1], period[events.days]
        pieces = last - first + 1
        event = np.repeat(np.arange(len(pieces)), pieces)
        at = first[event] + np.arange(len(event)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        begins = np.append(0, baseline.ends[:-1])
        days = np.minimum(events.days[event], baseline.ends[at]) - np.maximum(events.after[event], begins[at])
        slot = events.cell[event] * periods + at
        size = len(waits.values) * periods
        at_risk = np.add.reduceat(waits.at_risk[:, 1 : baseline.last + 1], begins, axis=1)
        used = np.bincount(slot, events.count[event] * days, size).reshape(-1, periods)
        return cls(at_risk - used, events.cell, events.count, event, slot, days)

    def in_intervals(self, value: Floats) -> Floats:
        """Return, (e,), the sum of a value by cell and period over the days of each entry's interval."""
        weight = self.days * value.ravel()[self.slot]
        return np.asarray(np.bincount(self.event, weight, len(self.cell)), np.float64)

    def all_in_intervals(self, values: Floats) -> Floats:
        """Return, (e, p), the same for p values, (g, k, p)."""
        return np.column_stack([self.in_intervals(values[..., at]) for at in range(values.shape[2])])

    def to_slots(self, value: Floats) -> Floats:
        """Return, (g, k), the sum of a value by kind of entry, (e,), over the days of the intervals."""
        weight = self.days * value[self.event]
        summed = np.asarray(np.bincount(self.slot, weight, self.survived.size), np.float64)
        return summed.reshape(self.survived.shape)


@dataclass(frozen=True, slots=True)
class Rate:
    """Rate −log(1 − h) of an entry per day, where h is the hazard, and its derivatives by the linear predictor."""

    value: Floats
    slope: Floats
    bend: Floats

    @classmethod
    def of(cls, predictor: Floats, link: Link) -> Self:
        """Return the rate."""
        if link == "cloglog":
            rate = np.exp(predictor)
            return cls(rate, rate, rate)
        hazard = 1 / (1 + np.exp(-predictor))
        return cls(np.logaddexp(0.0, predictor), hazard, hazard * (1 - hazard))


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Log-likelihood of counted waits, exact on every grid.

    Notes
    -----
    With the rate r = −log(1 − h), a wait passes days without an entry with probability exp(−Σ r), and an entry falls in
    its interval (after, days] with probability 1 − exp(−Σ r) over the days of the interval. On daily charts every
    interval is one day, and this is the binomial likelihood of the entries among those at risk on each day. On weekly
    charts, the days between two charts are not days without an entry: only the interval is known.
    """

    columns: Columns
    exposure: Exposure
    link: Link

    def rate(self, coefs: Floats) -> Rate:
        """Return the rate by cell and period."""
        return Rate.of(self.columns.predictor(coefs), self.link)

    def value(self, coefs: Floats) -> float:
        """Return the log-likelihood; −∞ or NaN far from the maximum."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            rate = self.rate(coefs).value
            entered = np.log(-np.expm1(-self.exposure.in_intervals(rate)))
            return float(self.exposure.count @ entered - (self.exposure.survived * rate).sum())

    def derivatives(self, coefs: Floats) -> tuple[Floats, Floats]:
        """Return the score, (p,), and the information, (p, p): the negative second derivative."""
        exposure, times = self.exposure, self.columns.times
        rate = self.rate(coefs)
        cumulated = exposure.in_intervals(rate.value)
        with np.errstate(over="ignore"):
            pull = exposure.count / np.expm1(cumulated)
        score = self.columns.totals(exposure.to_slots(pull) * rate.slope - exposure.survived * rate.slope)
        own = (exposure.survived - exposure.to_slots(pull)) * rate.bend
        moved = np.column_stack([exposure.in_intervals(rate.slope * column) for column in times.T])
        bend = pull / -np.expm1(-cumulated)
        return score, self.columns.products(own, exposure.cell, bend, moved)
