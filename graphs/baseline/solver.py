"""The maximum of the joint conditional likelihood: Newton's method, its steps by conjugate gradients."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from diffusion.arrays import Floats
from diffusion.errors import DataSaysNoError
from graphs.baseline.likeness import Kinds, kind_design
from graphs.baseline.steps import Steps, blocks_of
from graphs.baseline.terms import Columns, Terms

TOLERANCE: Final = 1e-8
"""How far the penalised log-likelihood may be below its maximum, by Newton's estimate, before the last step."""

ROUNDS: Final = 50
"""Newton steps after which the fit has failed; 4 to 8 are usual."""

TURNS: Final = 100
"""Steps of conjugate gradients within one of Newton's at most."""

EXACT: Final = 0.05
"""Relative error of a Newton step at most; it shrinks as the gradient does."""


FARTHEST: Final = 2.0
"""Log units by which an effect changes in one step at most: far from the maximum, Newton's steps are too long."""


@dataclass(frozen=True, slots=True)
class Point:
    """Parameters, or a direction or gradient among them: `effects` (p, m) of terms, `classes` (f,) of likeness."""

    effects: Floats
    classes: Floats

    def __add__(self, other: "Point") -> "Point":
        return Point(self.effects + other.effects, self.classes + other.classes)

    def __mul__(self, factor: float) -> "Point":
        return Point(factor * self.effects, factor * self.classes)

    def contrasts(self) -> "Point":
        """Return effects less their mean over markets, that of a sender over its targets: P feels no more of them."""
        m = self.effects.shape[1]
        targets = np.ones(self.effects.shape)
        np.fill_diagonal(targets[:m], 0)
        mean = (self.effects * targets).sum(axis=1, keepdims=True) / targets.sum(axis=1, keepdims=True)
        return Point((self.effects - mean) * targets, self.classes)

    def dot(self, other: "Point") -> float:
        """Return the inner product."""
        return float(np.vdot(self.effects, other.effects) + self.classes @ other.classes)


@dataclass(frozen=True, slots=True)
class Found:
    """The maximum.

    Attributes
    ----------
    point
        Where it is.
    chance
        (k, m): P(b | R) there.
    log_likelihood
        Of the steps, without the penalty.
    rounds
        Newton steps taken.
    """

    point: Point
    chance: Columns
    log_likelihood: float
    rounds: int


@dataclass(frozen=True, slots=True)
class _Slope:
    """Penalised value, log-likelihood, gradient, and P(b | R), at a point."""

    value: float
    log_likelihood: float
    gradient: Point
    chance: Columns


@dataclass(frozen=True, slots=True)
class Problem:
    """Steps with their kinds and terms, and the precision of the normal prior of every parameter."""

    steps: Steps
    kinds: Kinds
    terms: Terms
    ridge: float

    def chances(self, point: Point, rows: slice) -> Floats:
        """Return P(b | R) of some steps, (r, m)."""
        exposure = self.steps.exposure(rows)
        log = self.terms.spread(point.effects, rows) + (kind_design() @ point.classes)[self.kinds[rows]]
        log = np.where(exposure > 0, log, -np.inf)
        weights: Floats = np.exp(log - log.max(axis=1, keepdims=True, initial=-700.0)) * exposure
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        return weights

    def excess(self, chance: Columns, rows: slice) -> Floats:
        """Return 1 for the market that was entered and 0 for others, less P, of some steps (r, m)."""
        excess = -chance[rows].astype(np.float64)
        excess[np.arange(len(excess)), self.steps.market[rows]] += 1
        return excess

    def slope(self, point: Point) -> _Slope:
        """Return value and gradient."""
        design, log_likelihood = kind_design(), 0.0
        effects, by_kind = np.zeros(point.effects.shape), np.zeros(len(design))
        chance = np.empty(self.steps.since.shape, np.float32)
        for rows in blocks_of(len(self.steps)):
            own = self.chances(point, rows)
            chosen = np.arange(len(own)), self.steps.market[rows]
            log_likelihood += float(np.log(own[chosen]).sum())
            chance[rows] = own
            excess = -own
            excess[chosen] += 1
            effects += self.terms.gathered(excess, rows)
            by_kind += np.bincount(self.kinds[rows].ravel(), excess.ravel(), minlength=len(design))
        gradient = Point(effects, by_kind @ design) + point * -self.ridge
        value = log_likelihood - self.ridge / 2 * point.dot(point)
        return _Slope(value, log_likelihood, gradient.contrasts(), chance)

    def curved(self, chance: Columns, move: Point) -> Point:
        """Return the negative Hessian times a direction."""
        design = kind_design()
        of_kind, along = (design @ move.classes).astype(np.float32), move.effects.astype(np.float32)
        effects, by_kind = np.zeros(move.effects.shape), np.zeros(len(design))
        for rows in blocks_of(len(self.steps)):
            kinds = self.kinds[rows]
            change = self.terms.spread(along, rows) + of_kind[kinds]
            own = chance[rows]
            change -= np.einsum("km,km->k", own, change)[:, None]
            change *= own
            effects += self.terms.gathered(change, rows)
            by_kind += np.bincount(kinds.ravel(), change.ravel(), minlength=len(design))
        return (Point(effects, by_kind @ design) + move * self.ridge).contrasts()

    def inverse(self, weight: Columns) -> Floats:
        """Return for every market b the inverse of ``Σ weight_b x x' + ridge``, x being terms: (m, p, p)."""
        p, m = self.terms.columns.shape[1], weight.shape[1]
        blocks = np.zeros((p, p, m))
        for rows in blocks_of(len(self.steps)):
            blocks += self.terms.products(weight[rows], rows)
        return np.linalg.inv(blocks.transpose(2, 0, 1) + self.ridge * np.eye(p)).astype(np.float64)


def maximum(problem: Problem, start: Point, of_classes: Floats) -> Found:
    """Return the maximum of the penalised likelihood.

    Parameters
    ----------
    start
        Where to start from.
    of_classes
        (f, f): negative Hessian of the classes of likeness, roughly.

    Raises
    ------
    DataSaysNoError
        When the fit does not converge.

    Notes
    -----
    The Hessian of all pairs is too large to be kept, and is only ever multiplied. Its blocks by target, with P in the
    place of P (1 − P), lead the conjugate gradients: where the markets at risk and P are the same at all steps, they
    have the inverse of the Hessian but for what adds the same to all markets, which P does not feel.
    """
    point = start.contrasts()
    now = problem.slope(point)
    classes = np.linalg.inv(of_classes).astype(np.float64)
    first, exact = 0.0, EXACT
    for turn in range(ROUNDS):
        if exact == EXACT:  # later on, P hardly moves, and neither do the blocks
            inverse = problem.inverse(now.chance)
        steep = now.gradient.dot(_led(inverse, classes, now.gradient))
        first = first or steep
        exact = min(EXACT, float(np.sqrt(steep / max(first, np.finfo(float).tiny))))
        move = _newton(problem, now, inverse, classes, exact)
        gain = now.gradient.dot(move) / 2
        if gain < TOLERANCE:
            return Found(point + move, now.chance, now.log_likelihood, turn)
        scale = min(1.0, FARTHEST / float(np.abs(move.effects).max()))
        while scale > 1e-6:
            ahead = problem.slope(point + move * scale)
            if ahead.value >= now.value:
                break
            scale /= 2
        point, now = point + move * scale, ahead
    raise DataSaysNoError(f"the joint fit did not converge in {ROUNDS} steps on {len(problem.steps):,} entries")


def _newton(problem: Problem, now: _Slope, inverse: Floats, classes: Floats, exact: float) -> Point:
    """Return the Newton step by conjugate gradients, up to a relative error of `exact`."""
    left = now.gradient
    led = _led(inverse, classes, left)
    found, along, rest = left * 0.0, led, left.dot(led)
    goal = exact**2 * rest
    for _ in range(TURNS):
        if rest <= goal:
            break
        bent = problem.curved(now.chance, along)
        length = rest / along.dot(bent)
        found, left = found + along * length, left + bent * -length
        led = _led(inverse, classes, left)
        before, rest = rest, left.dot(led)
        along = led + along * (rest / before)
    return found


def _led(inverse: Floats, classes: Floats, slope: Point) -> Point:
    """Return a gradient times the inverse of the blocks."""
    effects = np.matmul(inverse, slope.effects.T[:, :, None])[:, :, 0].T
    return Point(effects, classes @ slope.classes).contrasts()
