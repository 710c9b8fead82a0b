"""Fit of the choice of the next market: a conditional logit with ridge penalties."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from diffusion.arrays import Flags, Floats
from diffusion.display import Displayed
from diffusion.errors import DataSaysNoError
from graphs.next_market.choices import Choices

POWER: Final = 0.75
"""Markets entered before count 1 / number ^ power each: 1 would be their mean, 0 their sum."""

SIZE_RIDGE: Final = 1.0
"""Ridge of a market's size, towards the logarithm of the rate at which it is chosen."""

SMOOTHING: Final = 5.0
"""Choices at the rate of all markets that are added to those of a market in that rate."""

TOLERANCE: Final = 1e-6
"""Relative fall of the penalised loss from one round to the next at which the fit stops."""

ROUNDS: Final = 500
"""Rounds of L-BFGS after which the fit has failed; 10 to 40 are usual."""

BARRED: Final = np.float32(-1e9)
"""Added to the logarithm of the weight of a market that is not at risk."""

AT_ONCE: Final = 2_048
"""Choices that are looked at side by side, so that the work stays in the processor's cache."""

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True, repr=False)
class Preferences(Displayed):
    """Preferences of tracks among m markets: ``log weight of b = size[b] + Σ_a x[a] · affinity[a, b]``.

    ``x[a]`` is 1 / number ^ `POWER` for each of the markets entered before, and 0 for the others.

    Attributes
    ----------
    size
        (m,): logarithm of how much each market is preferred by a track that has entered none.
    affinity
        (m, m): what an entry into the row's market adds to the logarithm of the weight of the column's; 0 on the
        diagonal.
    """

    size: Floats
    affinity: Floats

    def _facts(self) -> str:
        return f" among {len(self.size)} markets"

    def log_weights(self, entered: Flags) -> Values:
        """Return, (n, m), logarithms of the markets' weights for tracks that entered some markets, (n, m)."""
        found: Values = shares(entered) @ self.affinity.astype(np.float32) + self.size.astype(np.float32)
        return found

    def chances(self, entered: Flags, at_risk: Flags) -> Values:
        """Return, (n, m), the chance of each market to be next among those at risk, (n, m) or (m,); 0 for the others.

        A row without a market at risk is 0.
        """
        log = np.where(at_risk, self.log_weights(entered), -np.inf)
        weights = np.exp(log - np.max(log, axis=1, keepdims=True, initial=-1e30))
        found: Values = weights / np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return found


def shares(entered: Flags) -> Values:
    """Return, (n, m), 1 / number ^ `POWER` at the markets entered, 0 at the others.

    Examples
    --------
    >>> shares(np.array([[True, False, False], [False, False, False]])).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    number = np.maximum(entered.sum(axis=1, keepdims=True), 1).astype(np.float32)
    found: Values = entered.astype(np.float32) / number ** np.float32(POWER)
    return found


def fitted(
    choices: Choices,
    *,
    ridge: float,
    centre: Floats | None = None,
    start: Preferences | None = None,
    tolerance: float = TOLERANCE,
) -> Preferences:
    """Return the preferences that make the choices most likely, under ridge penalties.

    Parameters
    ----------
    ridge
        Precision of the normal prior of every affinity.
    centre
        (m, m): means of that prior (default: 0).
    start
        Preferences from which the search starts (default: the means of the priors); it saves time.
    tolerance
        Relative fall of the penalised loss from one round to the next at which the search ends (default 1e-6). Where it
        starts moves affinities by a small part of their errors then.

    Raises
    ------
    DataSaysNoError
        When there is no choice, or the search does not end.

    References
    ----------
    McFadden, D. (1974). Conditional logit analysis of qualitative choice behavior. In: Frontiers in Econometrics.

    Train, K. (2009). Discrete choice methods with simulation, 2nd ed., chapter 3. Cambridge University Press. doi
    10.1017/CBO9780511805271.
    """
    if not len(choices):
        raise DataSaysNoError("no track enters a market after another, so nothing can be said of which comes next")
    problem = _Problem.of(choices, ridge, centre)
    begin = problem.scaled(start) if start is not None else np.zeros(problem.scale.size)
    found = optimize.minimize(
        problem.loss,
        begin,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": ROUNDS, "maxcor": 10, "ftol": tolerance, "gtol": 1e-12},
    )
    if found.nit >= ROUNDS:
        raise DataSaysNoError(f"the choice of the next market did not settle in {ROUNDS} rounds; raise the ridge")
    return problem.preferences(found.x)


@dataclass(frozen=True, slots=True)
class _Problem:
    """Penalised loss as a function of scaled deviations from the means of the priors, (m + 1, m): affinities, sizes.

    The scale of each is the root of the inverse of its expected second derivative, so that the search is round.
    """

    entered: Values
    chosen: Values
    barred: Values
    ridge: float
    centre: Floats
    rate: Floats
    scale: Floats

    @classmethod
    def of(cls, choices: Choices, ridge: float, centre: Floats | None) -> "_Problem":
        m = choices.chosen.shape[1]
        weight = choices.weight[:, None]
        entered = shares(choices.entered)
        made, offered = (choices.chosen * weight).sum(axis=0), (choices.at_risk * weight).sum(axis=0)
        rate = np.log((made + SMOOTHING) / (offered + SMOOTHING * offered.sum() / made.sum()))
        number = choices.weight * choices.chosen.sum(axis=1)
        spread = made / made.sum() * (1 - made / made.sum())
        curvature = np.empty((m + 1, m))
        curvature[:m] = ridge + (number @ np.square(entered))[:, None] * spread
        curvature[m] = SIZE_RIDGE + number.sum() * spread
        return cls(
            entered=entered,
            chosen=(choices.chosen * weight).astype(np.float32),
            barred=np.where(choices.at_risk, 0, BARRED).astype(np.float32),
            ridge=ridge,
            centre=np.zeros((m, m)) if centre is None else centre,
            rate=rate,
            scale=1 / np.sqrt(curvature),
        )

    def preferences(self, scaled: Floats) -> Preferences:
        """Return the preferences at a point of the search."""
        deviation = scaled.reshape(self.scale.shape) * self.scale
        affinity = self.centre + deviation[:-1]
        np.fill_diagonal(affinity, 0)
        return Preferences(self.rate + deviation[-1], affinity)

    def scaled(self, start: Preferences) -> Floats:
        """Return the point of the search at some preferences."""
        deviation = np.vstack([start.affinity - self.centre, start.size - self.rate])
        np.fill_diagonal(deviation, 0)
        return (deviation / self.scale).ravel()

    def loss(self, scaled: Floats) -> tuple[float, Floats]:
        """Return the penalised negative log-likelihood and its gradient."""
        deviation = scaled.reshape(self.scale.shape) * self.scale
        at = self.preferences(scaled)
        affinity, size = at.affinity.astype(np.float32), at.size.astype(np.float32)
        slope = np.zeros(self.scale.shape)
        loss = 0.0
        for begin in range(0, len(self.entered), AT_ONCE):
            rows = slice(begin, begin + AT_ONCE)
            log = self.entered[rows] @ affinity
            log += size
            log += self.barred[rows]
            log -= log.max(axis=1, keepdims=True)
            chosen = self.chosen[rows]
            made = chosen.sum(axis=1, keepdims=True)
            loss -= float((chosen * log).sum(dtype=np.float64))
            np.exp(log, out=log)
            total = log.sum(axis=1, keepdims=True)
            loss += float((made * np.log(total)).sum(dtype=np.float64))
            log *= made / total
            log -= chosen
            slope[:-1] += self.entered[rows].T @ log
            slope[-1] += log.sum(axis=0, dtype=np.float64)
        penalty = np.append(np.full(len(size), self.ridge), SIZE_RIDGE)[:, None]
        free = np.ones(slope.shape)
        np.fill_diagonal(free, 0)  # no market is chosen by a track that has entered it
        loss += 0.5 * float((penalty * free * np.square(deviation)).sum())
        slope = (slope + penalty * deviation) * free * self.scale
        return loss, slope.ravel()
