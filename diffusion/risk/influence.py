"""Influence of clusters of dependent subjects on a Kaplan–Meier curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from diffusion.arrays import Floats, Ints
from diffusion.risk.kaplan_meier import KaplanMeier

ALONE: Final = 1 - 1e-9
"""Share of the hazard from which on a cluster is the whole curve, up to rounding."""

Counted = tuple[Ints, Ints]
"""Subjects at risk and entries by cluster, curve and day, (c, g, days) each."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of the influence on the logarithm of survival, by curve and day, (g, days) each.

    Attributes
    ----------
    gain
        What one subject at risk adds: d / (r · (r − d)), where d of the r at risk enter.
    loss
        What one entry takes off: 1 / (r − d).
    total
        Sum of the gain of all at risk, up to and including the day.
    """

    gain: Floats
    loss: Floats
    total: Floats

    @classmethod
    def of(cls, curves: Sequence[KaplanMeier]) -> Self:
        """Return the terms of curves; 0 after the end of a curve, and on one day more than the longest has."""
        shape = len(curves), max(len(curve.staying) for curve in curves) + 1
        gain, loss, total = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for at, curve in enumerate(curves):
            days = len(curve.staying)
            gain[at, :days] = np.diff(curve.variance, prepend=0.0)
            loss[at, :days] = curve.loss
            total[at, :days] = np.cumsum(curve.at_risk * gain[at, :days])
        return cls(gain, loss, total)

    def influence(self, counted: Counted) -> tuple[Floats, Floats]:
        """Return, (c, g, days) each, the influence of each cluster by the day, and its share of the hazard so far.

        The influence is the derivative of the logarithm of survival by the cluster's weight.
        """
        at_risk, entered = counted
        own = np.cumsum(at_risk * self.gain, axis=-1)
        influence = own - np.cumsum(entered * self.loss, axis=-1)
        own /= np.where(self.total > 0, self.total, 1.0)
        return influence, own


def left_out(influence: Floats, share: Floats) -> Floats:
    """Return, to first order, by how much the logarithm of survival changes when a cluster is left out.

    Parameters
    ----------
    influence, share
        Influence of each cluster, and its share of the hazard so far; see `Terms.influence`.

    Notes
    -----
    This is influence / (1 − share). A cluster with a large share draws the curve to itself, and its influence is too
    small by that factor. Infinite for a cluster that is the whole curve.

    References
    ----------
    Lin & Wei 1989 (variance by cluster), doi 10.1080/01621459.1989.10478874. Bell & McCaffrey 2002, Survey Methodology
    28, 169–181 (the divisor).
    """
    changed: Floats = influence / np.maximum(1 - share, 1 - ALONE)
    alone = share >= ALONE
    if alone.any():
        changed[alone] = np.inf
    return changed
