"""Weights of markets in the choice of the next one: sizes by class of age and period, times factors of likeness."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from threadpoolctl import threadpool_limits

from diffusion.arrays import Days, Floats, Ints
from diffusion.display import Displayed
from diffusion.errors import DataSaysNoError
from diffusion.parts import Arrays
from graphs.baseline.likeness import Kinds, class_sums, kind_design
from graphs.baseline.step_parts import StepPart, StepParts
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

    def without_precision(self) -> "Weights":
        """Return the weights alone, which are small: what chances are computed from."""
        return replace(self, precision=np.empty((0, 0)))


def period_of(starts: Days, day: Days) -> Ints:
    """Return the number of the period of every day."""
    return np.maximum(np.searchsorted(starts, day, side="right") - 1, 0)


def fitted_weights(
    steps: StepParts,
    starts: Days,
    *,
    likeness: bool,
    ages: tuple[int, ...] = AGES,
    ridge: float = RIDGE,
    start: Weights | None = None,
) -> Weights:
    """Return the weights that make the steps most likely, under a light ridge penalty.

    Parameters
    ----------
    starts
        First day of every period.
    likeness
        Whether the kinds of the steps count, or sizes alone.
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
    Value, gradient and blocks are sums over steps.
    """
    problem = _Problem(starts, ages, len(steps.markets), likeness)
    theta = problem.begin(steps, start)
    # products of small blocks: threads would wait for each other longer than they work
    with threadpool_limits(limits=1, user_api="blas"):
        return _climbed(problem, steps, theta, ridge)


def _climbed(problem: "_Problem", steps: StepParts, theta: Floats, ridge: float) -> Weights:
    """Return the weights at the maximum, by Newton's method with halved steps where the value would fall."""
    value, slope, bend, log_likelihood = problem.derivatives(steps, theta, ridge)
    for turn in range(ROUNDS):
        move = linalg.solve(bend, slope, assume_a="pos")
        if slope @ move / 2 < TOLERANCE:
            return problem.weights(theta + move, log_likelihood, turn, bend)
        scale = 1.0
        while scale > 1e-6:
            ahead = problem.derivatives(steps, theta + scale * move, ridge)
            if ahead[0] >= value:
                break
            scale /= 2
        theta, (value, slope, bend, log_likelihood) = theta + scale * move, ahead
    raise DataSaysNoError(f"the baseline did not converge in {ROUNDS} steps on {len(steps):,} entries after a debut")


@dataclass(frozen=True, slots=True)
class _Piece:
    """What some steps of a stratum (class of age and period) add to the derivatives.

    Attributes
    ----------
    log_likelihood
        Of the steps.
    excess, more
        Gradient of the sizes, (m,), and of the classes of likeness, (f,).
    block, across, within
        Negative Hessian of the sizes, (m, m), of sizes and classes, (m, f), and of the classes, (f, f).
    """

    log_likelihood: Floats
    excess: Floats
    more: Floats
    block: Floats
    across: Floats
    within: Floats


@dataclass(frozen=True, slots=True)
class _Problem:
    """Layout of the parameters: sizes by market, class of age and period, then classes of likeness, if any."""

    starts: Days
    ages: tuple[int, ...]
    markets: int
    likeness: bool

    @property
    def design(self) -> Floats:
        """Classes of every kind; none without likeness."""
        return kind_design() if self.likeness else np.zeros((1, 0))

    @property
    def sizes(self) -> int:
        """Parameters of sizes; those of likeness come after them."""
        return self.markets * (1 + len(self.ages) + len(self.starts))

    @property
    def all_strata(self) -> int:
        """Classes of age times periods."""
        return len(self.ages) * len(self.starts)

    def begin(self, steps: StepParts, start: Weights | None) -> Floats:
        classes = self.design.shape[1]
        theta = np.zeros(self.sizes + classes)
        if start is not None and len(start.effects) == self.sizes:
            theta[: self.sizes] = start.effects
            theta[self.sizes :] = start.classes if len(start.classes) == classes else 0
            return theta
        counts = steps.summed(_counts)
        wins, seen = counts["wins"] + 0.5, np.maximum(counts["seen"], 1)
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

    def strata(self, steps: Steps) -> Iterator[tuple[int, Ints]]:
        """Yield numbers of strata and those of their steps, in blocks."""
        stratum = (np.searchsorted(self.ages, steps.age, side="right") - 1) * len(self.starts)
        stratum += period_of(self.starts, steps.day)
        order = np.argsort(stratum.astype(np.uint16), kind="stable")  # so small, they are sorted by counting
        bounds = np.searchsorted(stratum[order], np.arange(self.all_strata + 1))
        for number in np.flatnonzero(np.diff(bounds)):
            own = order[bounds[number] : bounds[number + 1]]
            for rows in blocks_of(len(own)):
                yield int(number), own[rows]

    def derivatives(self, steps: StepParts, theta: Floats, ridge: float) -> tuple[float, Floats, Floats, float]:
        """Return penalised log-likelihood, its gradient, its negative Hessian, and the log-likelihood itself."""
        log_likelihood, last = 0.0, slice(self.sizes, None)
        slope, bend = -ridge * theta, ridge * np.eye(len(theta))
        # in this process, blocks are added one by one; workers return the sum of each stratum
        own = self.pieces(steps.here, theta) if steps.here else self.by_stratum(steps, theta)
        for stratum, piece in own:
            log_likelihood += float(piece.log_likelihood)
            slope[last] += piece.more
            bend[last, last] += piece.within
            for place in self.places(stratum):
                slope[place] += piece.excess
                for other in self.places(stratum):
                    bend[place, other] += piece.block
                bend[place, last] += piece.across
                bend[last, place] += piece.across.T
        return log_likelihood - ridge / 2 * float(theta @ theta), slope, bend, log_likelihood

    def pieces(self, own: StepPart, theta: Floats) -> Iterator[tuple[int, _Piece]]:
        """Yield numbers of strata, and what blocks of their steps add."""
        now, steps, design = self.weights(theta, 0.0, 0, np.empty((0, 0))), own.steps, self.design
        for stratum, rows in self.strata(steps):
            kinds = own.kinds[rows] if self.likeness else None
            chance = now.chances(steps.day[rows], steps.age[rows], kinds, steps.exposure(rows))
            market = steps.market[rows]
            log_likelihood = np.log(chance[np.arange(len(rows)), market]).sum()
            block = np.diag(chance.sum(axis=0)) - chance.T @ chance
            excess = np.bincount(market, minlength=self.markets) - chance.sum(axis=0)
            more, across, within = np.zeros(0), np.zeros((self.markets, 0)), np.zeros((0, 0))
            if kinds is not None:
                more, across, within = _of_likeness(design, chance, kinds, market)
            yield stratum, _Piece(log_likelihood, excess, more, block, across, within)

    def by_stratum(self, steps: StepParts, theta: Floats) -> Iterator[tuple[int, _Piece]]:
        """Yield numbers of strata, and what all their steps on the workers add."""
        found = steps.summed(partial(_by_stratum, self, theta))
        for stratum in range(self.all_strata):
            yield stratum, _Piece(**{name: values[stratum] for name, values in found.items()})


def _by_stratum(problem: _Problem, theta: Floats, own: StepPart) -> Arrays:
    """Return what the steps of a part add, by stratum: the attributes of `_Piece`, stacked."""
    f, m, s = problem.design.shape[1], problem.markets, problem.all_strata
    shapes = {"log_likelihood": (), "excess": (m,), "more": (f,), "block": (m, m), "across": (m, f), "within": (f, f)}
    found = {name: np.zeros((s, *shape)) for name, shape in shapes.items()}
    for stratum, piece in problem.pieces(own, theta):
        for name, values in found.items():
            values[stratum] += getattr(piece, name)
    return found


def _counts(own: StepPart) -> Arrays:
    """Return steps into every market, and those that could have gone there, (m,) each."""
    steps = own.steps
    wins = np.bincount(steps.market, minlength=len(steps.markets))
    return {"wins": wins, "seen": (steps.since > 0).sum(axis=0)}


def _of_likeness(design: Floats, chance: Floats, own: Kinds, market: Ints) -> tuple[Floats, Floats, Floats]:
    """Return gradient of the factors, and their part of the negative Hessian: with sizes, (m, f), and (f, f)."""
    (rows, markets), many = own.shape, len(design)
    by_market = np.bincount(
        (np.arange(markets) * many + own).ravel(), chance.ravel(), minlength=markets * many
    ).reshape(markets, many)
    chosen = np.bincount(own[np.arange(rows), market], minlength=many)
    expected, mean = by_market.sum(axis=0), class_sums(own, chance)
    within = design.T @ (expected[:, None] * design) - mean.T @ mean
    return (chosen - expected) @ design, by_market @ design - chance.T @ mean, within
