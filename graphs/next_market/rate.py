"""How many markets come next, given the footprint: a Poisson regression on windows that are over."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize

from diffusion.arrays import Flags, Floats, Ints
from diffusion.errors import DataSaysNoError
from graphs.next_market.choices import Journeys, Seen

REACHES: Final = (1, 2, 3, 5, 10, 20)
"""Numbers of markets entered at which the classes of reach begin."""

POWER: Final = 0.5
"""Markets entered count 1 / number ^ power each."""

RIDGE: Final = 3.0
"""Precision of the normal prior of the coefficient of every market entered."""

REACH_RIDGE: Final = 0.01
"""Precision of the normal prior of the coefficient of every class of reach."""

HIGHEST: Final = 8.0
"""Upper limit of the logarithm of entries per market at risk, so that the search cannot overflow."""


@dataclass(frozen=True, slots=True)
class StepRate:
    """Expected number of entries within the horizon after the debut.

    ``log mean = level + log(markets at risk) + Σ_a x[a] · coefficient[a] + reach``, with ``x[a]`` = 1 / number ^ ½ for
    the markets entered.

    Attributes
    ----------
    level
        Logarithm of entries per market at risk, over all tracks.
    coefficient
        (m,): of each market entered.
    reach
        (6,): of each class of the number of markets entered.
    arrived
        (horizon + 1,): share of the entries within the horizon that had come by each day after the debut.
    """

    level: float
    coefficient: Floats
    reach: Floats
    arrived: Floats

    def expected(self, entered: Flags, at_risk: Ints) -> Floats:
        """Return, (n,), the expected number of entries.

        Parameters
        ----------
        entered
            (n, m): markets entered.
        at_risk
            (n,): number of markets that may be entered.
        """
        linear = rate_design(entered) @ np.append(self.coefficient, self.reach)
        found: Floats = np.exp(np.minimum(self.level + linear, HIGHEST)) * at_risk
        return found


def rate_design(entered: Flags) -> Floats:
    """Return, (n, m + 6), 1 / number ^ ½ at the markets entered, and 1 at the class of their number."""
    number = entered.sum(axis=1)
    shares = entered / np.maximum(number, 1)[:, None] ** POWER
    reach = np.maximum(np.searchsorted(REACHES, number, side="right") - 1, 0)
    return np.hstack([shares, np.eye(len(REACHES))[reach]])


def step_rate(seen: Seen, *, horizon: int) -> StepRate:
    """Return how many entries tracks had within the horizon after their debut, by footprint.

    Parameters
    ----------
    seen
        Entries and coverage; tracks count whose horizon was over on the last day of the charts.
    horizon
        Days after the debut within which entries count.

    Raises
    ------
    DataSaysNoError
        When no window is over, or no track entered a market within its window.
    """
    journeys = Journeys.of(seen, least=1)
    journeys = journeys.where(journeys.debut + horizon <= seen.chart_day[-1:].max(initial=0))
    at_risk, chosen = journeys.first_choices(seen, horizon)
    followed = at_risk.any(axis=1)
    if not chosen.any():
        raise DataSaysNoError(f"no track enters a market in the {horizon} days after a debut whose window is over")
    ages = (journeys.day - journeys.debut[:, None])[chosen]
    arrived = np.bincount(ages, minlength=horizon + 1).cumsum() / len(ages)
    footprint = journeys.day[followed] == journeys.debut[followed, None]
    # tracks of one footprint have one rate: their sums are all that the likelihood needs
    _, first, group = np.unique(np.packbits(footprint, axis=1), axis=0, return_index=True, return_inverse=True)
    number, free = (np.bincount(group.ravel(), part[followed].sum(axis=1)) for part in (chosen, at_risk))
    return _fitted(rate_design(footprint[first]), number.astype(np.float64), free.astype(np.float64), arrived)


def _fitted(design: Floats, number: Floats, at_risk: Floats, arrived: Floats) -> StepRate:
    """Return the Poisson regression of numbers of entries on a design, with ridge penalties."""
    m = design.shape[1] - len(REACHES)
    level = float(np.log(number.sum() / at_risk.sum()))
    penalty = np.append(np.full(m, RIDGE), np.full(len(REACHES), REACH_RIDGE))

    def loss(values: Floats) -> tuple[float, Floats]:
        linear = np.minimum(level + design @ values, HIGHEST)
        mean = at_risk * np.exp(linear)
        slope: Floats = design.T @ (mean - number) + penalty * values
        return float((mean - number * linear).sum() + 0.5 * penalty @ np.square(values)), slope

    best = optimize.minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B", options={"ftol": 1e-9}).x
    return StepRate(level, best[:m], best[m:], arrived)
