"""Sums over risk sets of rows with times that need not be whole, such as episodes of time-varying covariates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import sparse

from diffusion.arrays import Flags, Floats, Ints
from survival.regression.risk_sums import Column, Ends, EventTimes, Scale, Totals


@dataclass(frozen=True, slots=True)
class Rows:
    """One row per time at risk ``start < time ≤ stop``; arrays are (n,).

    Attributes
    ----------
    start, stop
        When the time at risk begins and ends; `start` is None where it begins before every event.
    event
        Whether it ends with an event.
    weight
        Case weight.
    stratum
        Number of the stratum, from 0.
    cluster
        Number of the cluster, from 0; None where rows are independent.
    """

    start: Floats | None
    stop: Floats
    event: Flags
    weight: Floats
    stratum: Ints
    cluster: Ints | None

    def between(self, after: float, until: float) -> "Rows":
        """Return the rows with only the events at times ``after < time ≤ until``."""
        return replace(self, event=self.event & (self.stop > after) & (self.stop <= until))


@dataclass(frozen=True, slots=True)
class RiskSets:
    """Which of n rows, in order of `last`, are at risk at which of T event times.

    Attributes
    ----------
    first, last
        (n,): the row is at risk at the event times ``first ≤ j < last``.
    late
        Indices of the rows that are not at risk at the first event time of their stratum.
    bounds
        (T + 1,): the rows ``bounds[j]`` to ``bounds[j + 1]`` are at risk at j and not at j + 1.
    begin, after
        (T,): index of the first event time of the stratum, and of the next.
    """

    first: Ints
    last: Ints
    late: Ints
    bounds: Ints
    begin: Ints
    after: Ints

    @classmethod
    def of(cls, first: Ints, last: Ints, stratum: Ints) -> Self:
        """Return the risk sets where these are the strata of the event times, (T,)."""
        begin = np.searchsorted(stratum, stratum)
        late = np.flatnonzero(first > begin[last - 1])
        bounds = np.searchsorted(last, np.arange(1, len(stratum) + 2))
        return cls(first, last, late, bounds, begin, np.searchsorted(stratum, stratum, side="right"))

    def sums(self, value: Floats) -> Floats:
        """Return, (T,), the sum of values, (n,), over the rows at risk."""
        sums = np.add.reduceat(value, self.bounds[:-1])  # at each event time, those with the event leave: no empty sum
        if len(self.late):
            sums -= np.bincount(self.first[self.late] - 1, value[self.late], len(sums))
        return self._onward(sums)

    def products(self, value: Floats, x: Floats) -> Floats:
        """Return, (T, p), the sum of value · x over the rows at risk."""
        shape = len(self.after), len(value)
        sums = np.asarray(sparse.csr_array((value, np.arange(len(value)), self.bounds), shape=shape) @ x)
        if len(self.late):
            late = sparse.coo_array((value[self.late], (self.first[self.late] - 1, self.late)), shape=shape)
            sums -= np.asarray(late @ x)
        return self._onward(sums)

    def _onward(self, sums: Floats) -> Floats:
        """Return, for each event time, the sum from it to the last of its stratum."""
        onward = np.concatenate([np.cumsum(sums[::-1], axis=0)[::-1], np.zeros_like(sums[:1])])
        found: Floats = onward[:-1] - onward[self.after]
        return found

    def passed(self, value: Floats) -> Floats:
        """Return, (n,), the sum of a value by event time, (T,), over those at risk."""
        so_far = np.cumsum(value)
        so_far -= (so_far - value)[self.begin]
        found: Floats = np.repeat(so_far, np.diff(self.bounds))
        found[self.late] -= so_far[self.first[self.late] - 1]
        return found


@dataclass(frozen=True, slots=True)
class RowSums:
    """Sums over risk sets of rows; see `survival.regression.risk_sums.RiskSums`.

    Attributes
    ----------
    rows
        All rows.
    x
        (n, p): covariates of the rows at risk at some event time, in order of stratum and end.
    times
        The event times.
    sets
        Who is at risk when.
    order
        (n,): index of the row.
    weight
        (n,): case weight.
    event
        (d,): indices into x of those with an event.
    entered_x
        (T, p): sum of x over the events of each time, weighted by case.
    """

    rows: Rows
    x: Floats
    times: EventTimes
    sets: RiskSets
    order: Ints
    weight: Floats
    event: Ints
    entered_x: Floats

    @classmethod
    def of(cls, rows: Rows, matrix: Floats, scale: Scale) -> Self:
        """Return the sums of rows with these covariates, (n, p)."""
        order = np.lexsort((rows.stop, rows.stratum)) if rows.stratum.any() else np.argsort(rows.stop)
        stop, stratum, event = rows.stop[order], rows.stratum[order], rows.event[order]
        new = np.append(True, (np.diff(stop) > 0) | (np.diff(stratum) > 0))
        end = np.cumsum(new) - 1
        count = np.bincount(end, event).astype(np.int64)
        reached = np.flatnonzero(new)[count > 0]
        time, of_time, count_then = stop[reached], stratum[reached], count[count > 0]
        last = np.cumsum(count > 0)[end]
        first = _first(rows, order, time, of_time)
        there = last > first
        order, went = order[there], np.flatnonzero(event[there])
        sets, weight = RiskSets.of(first[there], last[there], of_time), rows.weight[order]
        alone = sets.sums(np.ones(len(order))) < count_then + 0.5
        entered = np.bincount(sets.last[went] - 1, weight[went], len(time)).astype(np.float64, copy=False)
        times = EventTimes(of_time, time, count_then, entered, alone)
        x = scale.standardise(np.take(matrix, order, axis=0))
        return cls(rows, x, times, sets, order, weight, went, _by_event(weight[went], went, times, x))

    @property
    def followed(self) -> Floats:
        """(s,): last time at risk in each stratum."""
        followed = np.zeros(int(self.rows.stratum.max()) + 1)
        np.maximum.at(followed, self.rows.stratum, self.rows.stop)
        return followed

    def totals(self, hazard: Floats) -> Totals:
        """Return the totals of relative hazards, (n,)."""
        weighted = hazard * self.weight
        of_events = weighted[self.event]
        return Totals(
            self.sets.sums(weighted),
            self.sets.products(weighted, self.x),
            np.add.reduceat(of_events, np.cumsum(self.times.count) - self.times.count),
            _by_event(of_events, self.event, self.times, self.x),
        )

    def exposure(self, risk: Floats, entry: Floats) -> Floats:
        """Return, (n,), the sum of `risk` over the event times at risk, less that of `entry` at the own event."""
        found = self.sets.passed(risk)
        found[self.event] -= entry[self.sets.last[self.event] - 1]
        found *= self.weight
        return found

    def by_cluster(self, columns: Sequence[Column]) -> Floats:
        """Return, (c, q), the sum of each of q columns by cluster."""
        assert self.rows.cluster is not None
        cluster, clusters = self.rows.cluster[self.order], int(self.rows.cluster.max()) + 1
        found, place = np.empty((clusters, len(columns))), self.sets.last[self.event] - 1
        for at, column in enumerate(columns):
            risk, entry = column()
            value = np.zeros(len(self.event))
            for own, at_times in entry:
                value += own[self.event] * at_times[place]
            found[:, at] = np.bincount(cluster[self.event], self.weight[self.event] * value, clusters)
            if risk:
                value = np.zeros(len(self.order))
                for own, at_times in risk:
                    value += own * self.sets.passed(at_times)
                found[:, at] += np.bincount(cluster, self.weight * value, clusters)
        return found

    def ends(self) -> Ends:
        """Return the counts at each time at which a time at risk ends."""
        time, end, ended = np.unique(self.rows.stop, return_inverse=True, return_counts=True)
        began = np.zeros(len(time) + 1, np.int64)
        if self.rows.start is None:
            began[0] = len(end)
        else:
            np.add.at(began, np.searchsorted(time, self.rows.start, side="right"), 1)
        at_risk = np.cumsum(began[:-1]) - np.append(0, np.cumsum(ended)[:-1])
        return Ends(time, at_risk, np.bincount(end, self.rows.event, len(time)).astype(np.int64), ended)


def _by_event(value: Floats, event: Ints, times: EventTimes, x: Floats) -> Floats:
    """Return, (T, p), the sum of value · x over the events of each time; rows are in order of their last event time."""
    bounds = np.append(0, np.cumsum(times.count))
    found: Floats = sparse.csr_array((value, event, bounds), shape=(len(times.time), len(x))) @ x
    return found


def _first(rows: Rows, order: Ints, time: Floats, of_time: Ints) -> Ints:
    """Return, for the rows in this order, the index of the first event time of its stratum after its start."""
    stratum = rows.stratum[order]
    if rows.start is None:
        return np.searchsorted(of_time, stratum)
    distinct, number = np.unique(time, return_inverse=True)
    passed = np.searchsorted(distinct, rows.start[order], side="right")
    length = len(distinct) + 1
    return np.searchsorted(of_time * length + number + 1, stratum * length + passed, side="right")
