"""Choice of the prior on α: the rate with the best likelihood of held-out clusters."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from diffusion.arrays import Floats
from graphs.summed_hazard.design import Design
from graphs.summed_hazard.followup import Tracks
from graphs.summed_hazard.model import Fit

RATES: Final = (0.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Rates tried, in exposed tracks, weakest first."""

HALF: Final = 0.5
"""Fewest entries assumed in a background cell for prediction, so that no held-out entry has probability 0."""


def held_out_rate(tracks: Tracks, fit: Fit, designs_of: Callable[[Floats], Sequence[Design]]) -> float:
    """Return the rate of the prior with the best likelihood when each half of the clusters is predicted by the other.

    The median lags of `fit` are kept. Log-likelihoods of both ways are added.

    Parameters
    ----------
    designs_of
        Designs of all targets for weights of tracks, (n,).
    """
    half = tracks.cluster % 2 == 0
    parts = [replace(fit, designs=tuple(designs_of(side.astype(np.float64)))) for side in (half, ~half)]
    gains = np.zeros(len(RATES))
    for own, other in (parts, parts[::-1]):
        for number, rate in enumerate(RATES):
            own = own.fitted(penalty=rate)
            gains[number] += replace(other, coefficients=_possible(own)).value()
    return RATES[int(gains.argmax())]


def _possible(fit: Fit) -> Floats:
    """Return the coefficients, with background hazards raised to those of half an entry where they are lower."""
    coefficients, senders = fit.coefficients.copy(), len(fit.designs[0].survived)
    for target, design in enumerate(fit.designs):
        days = design.survived_days + design.event_days.sum(axis=0)
        coefficients[target, senders:] = np.maximum(coefficients[target, senders:], HALF / np.maximum(days, 1.0))
    return coefficients
