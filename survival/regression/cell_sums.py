"""Sums over risk sets of counted waits: the rows never exist."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy import sparse

from diffusion.arrays import Floats, Ints
from survival.counting.counted import CountedWaits
from survival.regression.risk_sums import Column, Ends, EventTimes, Scale, Terms, Totals

VALUES_AT_ONCE: Final = 20_000_000
"""Most values by cell and day that sums by cluster are made of at once."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """Cells of one stratum with an event.

    Attributes
    ----------
    cells, times
        Where its cells and event times are in the arrays of `CellSums`.
    at_risk
        (cells, times): waits at risk.
    """

    cells: slice
    times: slice
    at_risk: Floats


@dataclass(frozen=True, slots=True)
class CellSums:
    """Sums over risk sets of counted waits; see `survival.regression.risk_sums.RiskSums`.

    Attributes
    ----------
    waits
        The waits.
    stratum
        (g,): number of the stratum of each of the g cells of `waits`.
    x
        (n, p): covariates of the cells in a stratum with an event, in order of stratum.
    times
        The event times.
    order
        (n,): index of the cell in `waits`.
    strata
        Strata with an event.
    entered
        (T, n): entries by event time and cell.
    place
        (e,): event time of each kind of `waits.events`; −1 where it does not count.
    """

    waits: CountedWaits
    stratum: Ints
    x: Floats
    times: EventTimes
    order: Ints
    strata: tuple[Stratum, ...]
    entered: sparse.csr_array
    place: Ints

    @classmethod
    def of(
        cls,
        waits: CountedWaits,
        stratum: Ints,
        matrix: Floats,
        scale: Scale,
        between: tuple[float, float] = (0.0, np.inf),
    ) -> Self:
        """Return the sums of waits with these covariates, (g, p), and strata, (g,).

        Only entries at times after the first of `between`, up to the second, count.
        """
        events, length = waits.events, waits.horizon + 1
        counts = (events.days > between[0]) & (events.days <= between[1]) & (events.count > 0)
        key, place_of = np.unique((stratum[events.cell] * length + events.days)[counts], return_inverse=True)
        place = np.full(len(events.cell), -1)
        place[counts] = place_of
        of_time, day = key // length, key % length
        order = np.argsort(stratum, kind="stable")
        order = order[np.isin(stratum[order], of_time)]
        strata = tuple(
            _stratum(waits, order, stratum[order], of_time, day, number) for number in np.unique(of_time).tolist()
        )
        cell = _inverse(order, len(stratum))[events.cell[counts]]
        entered = sparse.coo_array(
            (events.count[counts].astype(np.float64), (place_of, cell)),
            shape=(len(key), len(order)),
        ).tocsr()
        number = np.bincount(place_of, events.count[counts], len(key)).astype(np.float64, copy=False)
        at_risk = np.concatenate([part.at_risk.sum(axis=0) for part in strata] or [np.zeros(0)])
        times = EventTimes(of_time, day.astype(np.float64), number.astype(np.int64), number, at_risk < number + 0.5)
        return cls(waits, stratum, scale.standardise(matrix[order]), times, order, strata, entered, place)

    @property
    def entered_x(self) -> Floats:
        """(T, p): sum of x over the entries of each time."""
        found: Floats = self.entered @ self.x
        return found

    @property
    def followed(self) -> Floats:
        """(s,): last day at risk in each stratum."""
        days = np.arange(self.waits.horizon + 1)
        last = ((self.waits.at_risk > 0) * days).max(axis=1)
        followed = np.zeros(int(self.stratum.max()) + 1)
        np.maximum.at(followed, self.stratum, last)
        return followed

    def totals(self, hazard: Floats) -> Totals:
        """Return the totals of relative hazards, (n,)."""
        product = hazard[:, None] * self.x
        risk, risk_x = np.empty(len(self.times.time)), np.empty((len(self.times.time), self.x.shape[1]))
        for part in self.strata:
            risk[part.times] = hazard[part.cells] @ part.at_risk
            risk_x[part.times] = part.at_risk.T @ product[part.cells]
        return Totals(risk, risk_x, self.entered @ hazard, self.entered @ product)

    def exposure(self, risk: Floats, entry: Floats) -> Floats:
        """Return, (n,), the sum of `risk` over the event times at risk, less that of `entry` at the own entries."""
        found = np.concatenate([part.at_risk @ risk[part.times] for part in self.strata])
        found -= self.entered.T @ entry
        return found

    def by_cluster(self, columns: Sequence[Column]) -> Floats:
        """Return, (c, q), the sum of each of q columns by cluster."""
        clusters = self.waits.clusters
        assert clusters is not None
        at_once = max(1, VALUES_AT_ONCE // self.waits.opened.size)
        found = []
        for first in range(0, len(columns), at_once):
            made = [column() for column in columns[first : first + at_once]]
            by_day = np.stack([self._by_day(risk) for risk, _ in made], axis=-1)
            by_event = np.stack([self._by_event(entry) for _, entry in made], axis=-1)
            found.append(clusters.sums(by_day, by_event))
        return np.hstack(found)

    def _by_day(self, terms: Terms) -> Floats:
        """Return, (g, t + 1), terms summed up over the event times to the end of each day."""
        cells, length = self.waits.opened.shape
        found = np.zeros((cells, length))
        for part in self.strata:
            days, place = self.times.time[part.times].astype(np.int64), self.order[part.cells]
            for own, at_times in terms:
                so_far = np.zeros(length)
                so_far[days] = at_times[part.times]
                found[place] += np.outer(own[part.cells], np.cumsum(so_far))
        return found

    def _by_event(self, terms: Terms) -> Floats:
        """Return, (e,), terms at the entries of each kind."""
        found = np.zeros(len(self.place))
        counts = self.place >= 0
        cell = _inverse(self.order, len(self.stratum))[self.waits.events.cell[counts]]
        for own, at_times in terms:
            found[counts] += own[cell] * at_times[self.place[counts]]
        return found

    def ends(self) -> Ends:
        """Return the counts at each day on which a time at risk ends."""
        ended = self.waits.closed.sum(axis=0)
        day = np.flatnonzero(ended)
        at_risk, entered = self.waits.at_risk.sum(axis=0), self.waits.entered.sum(axis=0)
        return Ends(day.astype(np.float64), at_risk[day], entered[day], ended[day])


def _stratum(waits: CountedWaits, order: Ints, stratum: Ints, of_time: Ints, day: Ints, number: int) -> Stratum:
    """Return a stratum; `order` and `stratum` are of the cells, `of_time` and `day` of the event times."""
    cells = slice(*np.searchsorted(stratum, [number, number + 1]).tolist())
    times = slice(*np.searchsorted(of_time, [number, number + 1]).tolist())
    return Stratum(cells, times, waits.at_risk[np.ix_(order[cells], day[times])].astype(np.float64))


def _inverse(order: Ints, number: int) -> Ints:
    """Return, (number,), the place of each cell in `order`; −1 where it has none."""
    place = np.full(number, -1)
    place[order] = np.arange(len(order))
    return place
