"""Likelihood of parametric models from counted waits: entries are known to an interval, waits may begin late."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np

from diffusion.arrays import Floats, Ints
from survival.counting.counted import Clusters, CountedWaits
from survival.regression.distributions import LogSurvival, Terms
from survival.regression.search import Curvature

POINTS_AT_ONCE: Final = 65_536
"""Cells times days whose survival is computed at once."""

NUMBERS_AT_ONCE: Final = 8_000_000
"""Numbers by cell and day that are handed to clusters at once."""


@dataclass(frozen=True, slots=True)
class Points:
    """Cells and days at which a likelihood needs survival, in order of cell and day.

    Attributes
    ----------
    cell, days
        (n,): cell and day of each point.
    weight
        (n,): how often the logarithm of survival counts: waits that end on the day without an entry, less those that
        begin after it.
    after, until
        (e,): points where the interval of each kind of entry begins and ends.
    count
        (e,): number of entries.
    cells
        Number g of cells.
    """

    cell: Ints
    days: Ints
    weight: Ints
    after: Ints
    until: Ints
    count: Ints
    cells: int

    @classmethod
    def of(cls, counted: CountedWaits) -> Self:
        """Return the points of counted waits."""
        events, length = counted.events, counted.opened.shape[1]
        after, until = events.cell * length + events.after, events.cell * length + events.days
        weight = (counted.closed - counted.opened).ravel()
        np.subtract.at(weight, until, events.count)
        weight[::length] = 0  # survival on day 0 is 1
        needed = weight != 0
        needed[after] = needed[until] = True
        place, flat = np.cumsum(needed) - 1, np.flatnonzero(needed)
        cell, days = np.divmod(flat, length)
        return cls(cell, days, weight[flat], place[after], place[until], events.count, len(counted.values))

    def blocks(self) -> Iterator["Points"]:
        """Yield points of whole cells, with their entries."""
        begins = np.searchsorted(self.cell, np.arange(self.cells + 1))
        first = 0
        while first < len(self.cell):
            cell = int(np.searchsorted(begins, first + POINTS_AT_ONCE, side="right")) - 1
            last = int(begins[max(cell, self.cell[first] + 1)])
            low, high = np.searchsorted(self.until, [first, last])
            part, entries = slice(first, last), slice(low, high)
            yield Points(
                self.cell[part],
                self.days[part],
                self.weight[part],
                self.after[entries] - first,
                self.until[entries] - first,
                self.count[entries],
                self.cells,
            )
            first = last


@dataclass(frozen=True)
class IntervalLikelihood:
    """Log-likelihood of counted waits: Σ log S(end) − Σ log S(start) + Σ log(S(after) − S(days)) over entries.

    Attributes
    ----------
    counted
        The waits.
    designs
        k matrices (g, p_i): the i-th parameter of a cell is its row times the coefficients of that parameter.
    log_survival
        Logarithm of survival from days and parameters.
    """

    counted: CountedWaits
    designs: tuple[Floats, ...]
    log_survival: LogSurvival

    @cached_property
    def points(self) -> Points:
        """Points at which survival is needed."""
        return Points.of(self.counted)

    def at(self, theta: Floats) -> Curvature:
        """Return the log-likelihood at coefficients, with derivatives."""
        parameters = parameters_at(self.designs, theta)
        cells, k = parameters.shape
        value, first, second = 0.0, np.zeros((cells, k)), np.zeros((cells, k, k))
        with np.errstate(all="ignore"):  # far off the data it is not finite, and the step is refused
            for block in self.points.blocks():
                terms = self.log_survival(block.days.astype(np.float64), parameters[block.cell])
                value += _add(block, terms, first, second)
            gradient = np.concatenate([design.T @ first[:, at] for at, design in enumerate(self.designs)])
            hessian = np.block(
                [
                    [one.T @ (second[:, at, to, None] * other) for to, other in enumerate(self.designs)]
                    for at, one in enumerate(self.designs)
                ]
            )
        return Curvature(value, gradient, hessian)

    def scores(self, daily: Terms, clusters: Clusters) -> Floats:
        """Return, (c, p), the score of each cluster; `daily` is the result of `daily` at the coefficients."""
        cell, after, until = self._intervals()
        share = _share(daily.value[after], daily.value[until])[:, None]
        slope = share * (daily.first[after] - daily.first[until])

        def columns() -> Iterator[tuple[Floats, Floats]]:
            for at, design in enumerate(self.designs):
                for column in design.T:
                    yield daily.first[..., at] * column[:, None], slope[:, at] * column[cell]

        return _sums(clusters, columns())

    def information(self, daily: Terms, directions: Floats, clusters: Clusters) -> Floats:
        """Return, (c, n), the information of each cluster along n directions, (p, n)."""
        cell, after, until = self._intervals()
        share = _share(daily.value[after], daily.value[until])
        slope = daily.first[after] - daily.first[until]

        def columns() -> Iterator[tuple[Floats, Floats]]:
            for direction in directions.T:
                along = parameters_at(self.designs, direction)
                bend = np.einsum("gtij,gi,gj->gt", daily.second, along, along, optimize=True)
                rise = (slope * along[cell]).sum(axis=1)
                yield -bend, share * (share - 1) * rise**2 - share * (bend[after] - bend[until])

        return _sums(clusters, columns())

    def _intervals(self) -> tuple[Ints, tuple[Ints, Ints], tuple[Ints, Ints]]:
        """Return the cell of each kind of entry, and where its interval begins and ends by cell and day."""
        events = self.counted.events
        return events.cell, (events.cell, events.after), (events.cell, events.days)

    def daily(self, theta: Floats) -> Terms:
        """Return log survival and its derivatives for every cell and day, (g, t + 1), (g, t + 1, k), …"""
        parameters, length = parameters_at(self.designs, theta), self.counted.opened.shape[1]
        cells, k = parameters.shape
        terms = Terms(np.empty((cells, length)), np.empty((cells, length, k)), np.empty((cells, length, k, k)))
        clock = np.arange(length, dtype=np.float64)
        step = max(1, POINTS_AT_ONCE // length)
        for first in range(0, cells, step):
            part = slice(first, min(first + step, cells))
            rows = parameters[part]
            found = self.log_survival(np.tile(clock, len(rows)), np.repeat(rows, length, axis=0))
            for whole, piece in ((terms.value, found.value), (terms.first, found.first), (terms.second, found.second)):
                whole[part] = piece.reshape(whole[part].shape)
        return terms


def parts_of(designs: tuple[Floats, ...]) -> list[slice]:
    """Return the place of each parameter's coefficients among all."""
    ends = np.cumsum([design.shape[1] for design in designs]).tolist()
    return [slice(first, last) for first, last in zip([0, *ends[:-1]], ends, strict=True)]


def parameters_at(designs: tuple[Floats, ...], theta: Floats) -> Floats:
    """Return, (n, k), the parameters of n rows from coefficients, (p,)."""
    return np.column_stack([design @ theta[part] for design, part in zip(designs, parts_of(designs), strict=True)])


def _share(after: Floats, until: Floats) -> Floats:
    """Return S(after) / (S(after) − S(until)) from the logarithms of survival."""
    share: Floats = -1 / np.expm1(until - after)
    return share


def _add(points: Points, terms: Terms, first: Floats, second: Floats) -> float:
    """Add the derivatives of points to those of their cells; return the log-likelihood of the points."""
    after, until, count = points.after, points.until, points.count
    low, high = terms.value[after], terms.value[until]
    share = _share(low, high)
    weight = points.weight.astype(np.float64)
    value = weight @ terms.value + count @ (low - np.log(share))
    np.add.at(weight, after, count * share)
    np.subtract.at(weight, until, count * (share - 1))
    slope = terms.first[after] - terms.first[until]
    odds = count * share * (share - 1)
    cells, begins = np.unique(points.cell, return_index=True)
    first[cells] += np.add.reduceat(weight[:, None] * terms.first, begins)
    second[cells] += np.add.reduceat(weight[:, None, None] * terms.second, begins)
    if len(count):
        where, starts = np.unique(points.cell[until], return_index=True)
        second[where] -= np.add.reduceat(odds[:, None, None] * slope[:, :, None] * slope[:, None, :], starts)
    return float(value)


def _sums(clusters: Clusters, columns: Iterator[tuple[Floats, Floats]]) -> Floats:
    """Return, (c, p), sums of columns over each cluster's waits, a few columns at a time."""
    found: list[Floats] = []
    held: list[tuple[Floats, Floats]] = []
    for column in columns:
        held.append(column)
        if len(held) * column[0].size > NUMBERS_AT_ONCE:
            found.append(_handed(clusters, held))
            held = []
    if held:
        found.append(_handed(clusters, held))
    return np.concatenate([np.zeros((clusters.number, 0)), *found], axis=1)


def _handed(clusters: Clusters, columns: list[tuple[Floats, Floats]]) -> Floats:
    risk, event = (np.stack(parts, axis=-1) for parts in zip(*columns, strict=True))
    return clusters.sums(risk, event)
