"""Weights of markets in the choice of the next one: sizes by class of age and period, times factors of likeness."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from threadpoolctl import threadpool_limits

from diffusion.arrays import Days, Floats, Ints
from diffusion.display import Displayed
from diffusion.errors import DataSaysNoError
from graphs.baseline.likeness import Kinds, class_sums, kind_design
from graphs.baseline.steps import Steps, blocks_of

AGES: Final = (1, 2, 4, 8, 15, 29, 61)
"""Days after the debut at which the classes of age begin."""

RIDGE: Final = 0.5
"""Precision of the normal prior of every logarithm of a weight: a cell never seen stays near its market's size."""

TOLERANCE: Final = 1e-8
"""How far the penalised log-likelihood may be below its maximum, by Newton's estimate, before the last step."""

ROUNDS: Final = 100
"""Newton steps after which the fit has failed; 5 to 10 are usual."""


@dataclass(frozen=True, slots=True, repr=False)
class Weights(Displayed):
    """Fitted weights of m markets: ``log w = size[age class, period, market] + factor[kind]``.

    Attributes
    ----------
    starts
        (p,): first day of every period; an earlier day is of the first, a later one of the last.
    ages
        Days after the debut at which the classes of age begin.
    size
        (a, p, m): logarithms. They are an effect of the market, one of its class of age and one of its period, added.
    factor
        (c,): logarithm by kind, as `graphs.baseline.likeness` numbers kinds; all 0 where likeness is left out.
    classes
        (f,): logarithm of every class that is not the first of its trait; `factor` is their sum.
    effects
        The market, age and period effects that `size` is the sum of, one after the other: where a later fit starts.
    log_likelihood
        Of the steps, without the penalty.
    rounds
        Newton steps taken.
    precision
        Negative Hessian of the penalised log-likelihood at `effects` and `classes`, in that order.

    Examples
    --------
    >>> base.full  # base = graphs.baseline.baseline(entries)
    <Weights of 67 markets, 7 classes of age, 1 periods>
    """

    starts: Days
    ages: tuple[int, ...]
    size: Floats
    factor: Floats
    classes: Floats
    effects: Floats
    log_likelihood: float
    rounds: int
    precision: Floats

    def _facts(self) -> str:
        ages, periods, markets = self.size.shape
        return f" of {markets} markets, {ages} classes of age, {periods} periods"

    def cell(self, day: Days, age: Days) -> tuple[Ints, Ints]:
        """Return the numbers of class of age and period, (k,) each."""
        return np.searchsorted(self.ages, age, side="right") - 1, period_of(self.starts, day)

    def relative(self, day: Days, age: Days, kinds: Kinds | None, exposure: NDArray[np.integer]) -> Floats:
        """Return the weights of markets, (k, m), relative to each other in a row; 0 where not at risk."""
        log = self.size[self.cell(day, age)]
        if kinds is not None:
            log = log + self.factor[kinds]
        log = np.where(exposure > 0, log, -np.inf)
        top = log.max(axis=1, keepdims=True, initial=-700.0)
        weights: Floats = np.exp(log - top) * exposure
        return weights

    def chances(self, day: Days, age: Days, kinds: Kinds | None, exposure: NDArray[np.integer]) -> Floats:
        """Return P(b | R) of markets, (k, m): weights that add up to 1 in every row."""
        weights = self.relative(day, age, kinds, exposure)
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        return weights


def period_of(starts: Days, day: Days) -> Ints:
    """Return the number of the period of every day."""
    return np.maximum(np.searchsorted(starts, day, side="right") - 1, 0)


def fitted_weights(
    steps: Steps,
    kinds: Kinds | None,
    starts: Days,
    *,
    ages: tuple[int, ...] = AGES,
    ridge: float = RIDGE,
    start: Weights | None = None,
) -> Weights:
    """Return the weights that make the steps most likely, under a light ridge penalty.

    Parameters
    ----------
    kinds
        (k, m), as `graphs.baseline.likeness.Likeness.kinds` returns them; None leaves likeness out.
    starts
        First day of every period.
    ages
        Days after the debut at which the classes of age begin, the first being 1.
    ridge
        Precision of the normal prior (default ½: a market's effect of one unit costs a fourth of a log unit).
    start
        Where to start from, if it has as many sizes (default: sizes that are the numbers of entries).

    Raises
    ------
    DataSaysNoError
        When the fit does not converge.

    Notes
    -----
    Newton's method on a concave function: sizes have a Hessian of (m, m) blocks, one of every class of age and period.
    """
    problem = _Problem.of(steps, kinds, starts, ages)
    theta = problem.begin(steps, start)
    # products of small blocks: threads would wait for each other longer than they work
    with threadpool_limits(limits=1, user_api="blas"):
        return _climbed(problem, steps, kinds, theta, ridge)


def _climbed(problem: "_Problem", steps: Steps, kinds: Kinds | None, theta: Floats, ridge: float) -> Weights:
    """Return the weights at the maximum, by Newton's method with halved steps where the value would fall."""
    value, slope, bend, log_likelihood = problem.derivatives(steps, kinds, theta, ridge)
    for turn in range(ROUNDS):
        move = linalg.solve(bend, slope, assume_a="pos")
        if slope @ move / 2 < TOLERANCE:
            return problem.weights(theta + move, log_likelihood, turn, bend)
        scale = 1.0
        while scale > 1e-6:
            ahead = problem.derivatives(steps, kinds, theta + scale * move, ridge)
            if ahead[0] >= value:
                break
            scale /= 2
        theta, (value, slope, bend, log_likelihood) = theta + scale * move, ahead
    raise DataSaysNoError(f"the baseline did not converge in {ROUNDS} steps on {len(steps):,} entries after a debut")


@dataclass(frozen=True, slots=True)
class _Problem:
    """Layout of the parameters, and the steps by stratum (class of age and period)."""

    starts: Days
    ages: tuple[int, ...]
    markets: int
    design: Floats
    order: Ints
    bounds: Ints

    @classmethod
    def of(cls, steps: Steps, kinds: Kinds | None, starts: Days, ages: tuple[int, ...]) -> Self:
        stratum = (np.searchsorted(ages, steps.age, side="right") - 1) * len(starts) + period_of(starts, steps.day)
        order = np.argsort(stratum, kind="stable")
        bounds = np.searchsorted(stratum[order], np.arange(len(ages) * len(starts) + 1))
        design = kind_design() if kinds is not None else np.zeros((1, 0))
        return cls(starts, ages, len(steps.markets), design, order, bounds)

    @property
    def sizes(self) -> int:
        """Parameters of sizes; those of likeness come after them."""
        return self.markets * (1 + len(self.ages) + len(self.starts))

    def begin(self, steps: Steps, start: Weights | None) -> Floats:
        theta = np.zeros(self.sizes + self.design.shape[1])
        if start is not None and len(start.effects) == self.sizes:
            theta[: self.sizes] = start.effects
            theta[self.sizes :] = start.classes if len(start.classes) == self.design.shape[1] else 0
            return theta
        wins = np.bincount(steps.market, minlength=self.markets) + 0.5
        seen = np.maximum((steps.since > 0).sum(axis=0), 1)
        theta[: self.markets] = np.log(wins / seen) - np.log(wins / seen).mean()
        return theta

    def size(self, theta: Floats) -> Floats:
        main, age, period = np.split(theta[: self.sizes].reshape(-1, self.markets), [1, 1 + len(self.ages)])
        size: Floats = main[:, None] + age[:, None] + period[None]
        return size

    def weights(self, theta: Floats, log_likelihood: float, rounds: int, precision: Floats) -> Weights:
        effects, classes = np.split(theta, [self.sizes])
        size, factor = self.size(theta), self.design @ classes
        return Weights(self.starts, self.ages, size, factor, classes, effects, log_likelihood, rounds, precision)

    def places(self, stratum: int) -> tuple[slice, slice, slice]:
        """Return where the parameters of a stratum stand: of the markets, of the class of age and of the period."""
        age, period = divmod(stratum, len(self.starts))
        rows = (0, 1 + age, 1 + len(self.ages) + period)
        first, second, third = (slice(row * self.markets, (row + 1) * self.markets) for row in rows)
        return first, second, third

    def strata(self) -> Iterator[tuple[int, Ints]]:
        """Yield numbers of strata and those of their steps, in blocks."""
        for stratum in np.flatnonzero(np.diff(self.bounds)):
            own = self.order[self.bounds[stratum] : self.bounds[stratum + 1]]
            for rows in blocks_of(len(own)):
                yield int(stratum), own[rows]

    def derivatives(
        self, steps: Steps, kinds: Kinds | None, theta: Floats, ridge: float
    ) -> tuple[float, Floats, Floats, float]:
        """Return penalised log-likelihood, its gradient, its negative Hessian, and the log-likelihood itself."""
        now = self.weights(theta, 0.0, 0, np.empty((0, 0)))
        log_likelihood, last = 0.0, slice(self.sizes, None)
        slope, bend = -ridge * theta, ridge * np.eye(len(theta))
        for stratum, rows in self.strata():
            own = None if kinds is None else kinds[rows]
            chance = now.chances(steps.day[rows], steps.age[rows], own, steps.exposure(rows))
            market = steps.market[rows]
            log_likelihood += float(np.log(chance[np.arange(len(rows)), market]).sum())
            block = np.diag(chance.sum(axis=0)) - chance.T @ chance
            excess = np.bincount(market, minlength=self.markets) - chance.sum(axis=0)
            if own is not None:
                more, across, within = self._of_likeness(chance, own, market)
                slope[last] += more
                bend[last, last] += within
            for place in self.places(stratum):
                slope[place] += excess
                for other in self.places(stratum):
                    bend[place, other] += block
                if own is not None:
                    bend[place, last] += across
                    bend[last, place] += across.T
        return log_likelihood - ridge / 2 * float(theta @ theta), slope, bend, log_likelihood

    def _of_likeness(self, chance: Floats, own: Kinds, market: Ints) -> tuple[Floats, Floats, Floats]:
        """Return gradient of the factors, and their part of the negative Hessian: with sizes, (m, f), and (f, f)."""
        rows, many = len(own), len(self.design)
        by_market = np.bincount(
            (np.arange(self.markets) * many + own).ravel(), chance.ravel(), minlength=self.markets * many
        ).reshape(self.markets, many)
        chosen = np.bincount(own[np.arange(rows), market], minlength=many)
        expected, mean = by_market.sum(axis=0), class_sums(own, chance)
        within = self.design.T @ (expected[:, None] * self.design) - mean.T @ mean
        return (chosen - expected) @ self.design, by_market @ self.design - chance.T @ mean, within
