"""The maximum of the likelihood: concave, with all hazards at or above 0, by Newton steps within the bounds."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from diffusion.arrays import Floats

NEWTON_STEPS: Final = 100
"""Newton steps at most; a dozen is usual."""

WARM: Final = 15
"""EM steps before the first Newton step from nowhere."""

PRECISION: Final = 1e-9
"""Rise of the log-likelihood per step below which it is at its maximum."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One market's likelihood, Σᵢ log(1 − e^(−(Gβ)ᵢ)) − X·β. Coefficients are in units of expected entries.

    Attributes
    ----------
    events
        (k, p): G, exposure of the events' intervals, per unit of β; by column, as columns are what is picked.
    survived
        (p,): X, exposure without event, per unit of β.
    unit
        (p,): exposure in natural units, so that β / unit is the coefficient α or hazard; 0 where there is none.
    """

    events: Floats
    survived: Floats
    unit: Floats

    def value(self, beta: Floats) -> float:
        """Return the log-likelihood, −∞ where some event is impossible."""
        total = self.events @ beta
        with np.errstate(divide="ignore"):
            return float(np.log(-np.expm1(-total)).sum() - self.survived @ beta)

    def part(self, columns: NDArray[np.intp]) -> "Problem":
        """Return the problem of some coefficients, the others being 0."""
        return Problem(self.events[:, columns], self.survived[columns], self.unit[columns])


def problem(events: Floats, survived: Floats, penalty: Floats) -> Problem:
    """Return the problem in units of expected entries; coefficients without any exposure are to stay 0.

    Parameters
    ----------
    events, survived
        (k, p), (p,): exposure per unit of α or hazard.
    penalty
        (p,): rates of exponential priors on α or hazard: exposure without events that is added to what was seen.
    """
    unit = survived + events.sum(axis=0)
    per = np.divide(1.0, unit, out=np.zeros_like(unit), where=unit > 0)
    return Problem(np.asfortranarray(events * per), (survived + penalty) * per, unit)


def odds(total: Floats) -> Floats:
    """Return 1 / (e^x − 1), the derivative of log(1 − e^(−x))."""
    with np.errstate(over="ignore"):
        derivative: Floats = 1 / np.expm1(total)
    return derivative


def maximum(task: Problem, start: Floats | None = None, *, most: Floats, precision: float = PRECISION) -> Floats:
    """Return the coefficients at which the likelihood is highest, (p,).

    Each step goes towards the best point of the quadratic that touches the likelihood, among all at or above 0.

    Parameters
    ----------
    start
        (p,): where to begin (default: EM steps from equal shares).
    most
        (p,): upper bounds; only coefficients that explain every exposed track get there.
    precision
        Stop when a step raises the log-likelihood by less.

    References
    ----------
    Lee, J., Sun, Y. & Saunders, M. (2014). Proximal Newton-type methods for minimizing composite functions. doi
    10.1137/130921428.
    """
    if not len(task.events):
        return np.zeros(len(task.unit))
    beta = _equal_shares(task) if start is None else _possible(task, start)
    beta = np.minimum(beta, most)
    value, rise = task.value(beta), np.inf
    free = np.zeros(len(beta), np.bool_)
    for _ in range(NEWTON_STEPS):
        slope = odds(task.events @ beta)
        gradient = task.events.T @ slope - task.survived
        held = (task.unit <= 0) | ((beta >= most) & (gradient >= 0)) | ((beta <= 0) & (gradient <= 0))
        if rise < precision and not (~held & ~free).any():
            break
        free = ~held
        wanted = _best_nearby(task.events, slope, gradient, beta, free)
        moved, higher = _line_search(task, beta, wanted - beta, gradient, value, most)
        rise, beta, value = higher - value, moved, higher
    return beta


def _best_nearby(events: Floats, slope: Floats, gradient: Floats, beta: Floats, free: NDArray[np.bool_]) -> Floats:
    """Return where the quadratic at `beta` is highest, free coefficients at or above 0 and the others where they are.

    With H = RᵀR it is the non-negative least squares of R·β' against R⁻ᵀ(g + H·β).
    """
    columns = np.flatnonzero(free)
    if not len(columns):
        return beta
    own = information(events[:, columns], slope)
    root = np.linalg.cholesky(own, upper=True)
    goal = linalg.solve_triangular(root, gradient[columns] + own @ beta[columns], trans="T")
    found = beta.copy()
    found[columns] = optimize.nnls(root, goal)[0]
    return found


def information(events: Floats, slope: Floats) -> Floats:
    """Return the negative second derivative, with what keeps like columns apart."""
    scaled = events * np.sqrt(slope * (1 + slope))[:, None]
    matrix = scaled.T @ scaled
    matrix[np.diag_indices_from(matrix)] += 1e-9 * np.diagonal(matrix) + 1e-12
    return matrix


def _line_search(
    task: Problem, beta: Floats, step: Floats, gradient: Floats, value: float, most: Floats
) -> tuple[Floats, float]:
    """Return the first of ever shorter steps that rises enough, and the value there; no step if none does."""
    for halving in range(30):
        moved = np.minimum(beta + step * 0.5**halving, most)
        higher = task.value(moved)
        if higher >= value + 1e-4 * max(float(gradient @ (moved - beta)), 0.0):
            return moved, higher
    return beta, value


def _em_step(task: Problem, beta: Floats) -> Floats:
    """Return the coefficients after one EM step: each gets the entries that it is expected to have caused.

    The number of arrivals in an event's interval is Poisson given that there is one at least.
    """
    total = task.events @ beta
    arrivals = total / -np.expm1(-total)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total > 0, arrivals / total, 0.0)
    expected = beta * (task.events.T @ share)
    # in units of expected entries all exposure adds up to 1, apart from a penalty
    better: Floats = expected / np.maximum(task.survived + task.events.sum(axis=0), 1e-300)
    return better


def _equal_shares(task: Problem) -> Floats:
    start = np.where(task.unit > 0, len(task.events) / max(len(task.unit), 1), 0.0)
    for _ in range(WARM if len(task.events) else 0):
        start = _em_step(task, start)
    return start


def _possible(task: Problem, start: Floats) -> Floats:
    """Return the start, raised a little everywhere if some event would be impossible."""
    if np.all(task.events @ start > 0):
        return start
    raised: Floats = np.where(task.unit > 0, np.maximum(start, 1e-2), 0.0)
    return raised
