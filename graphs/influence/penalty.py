"""How strong the prior on influence should be: as strong as foretells best what was held out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from diffusion.arrays import Floats
from graphs.influence.design import Design
from graphs.influence.followup import Tracks
from graphs.influence.model import Fit

RATES: Final = (0.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Rates looked at, in exposed tracks, weakest first."""

HALF: Final = 0.5
"""Entries at least in every background cell when others are foretold, so that none is impossible."""


def held_out_rate(tracks: Tracks, fit: Fit, designs_of: Callable[[Floats], Sequence[Design]]) -> float:
    """Return the rate of the prior under which each half of the clusters foretells the other best.

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
    """Return the coefficients, every background hazard that of half an entry at least."""
    coefficients, senders = fit.coefficients.copy(), len(fit.designs[0].survived)
    for target, design in enumerate(fit.designs):
        days = design.survived_days + design.event_days.sum(axis=0)
        coefficients[target, senders:] = np.maximum(coefficients[target, senders:], HALF / np.maximum(days, 1.0))
    return coefficients
