"""Chances of markets at a step: P(b | R), by one version of the weights."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from diffusion.arrays import Floats
from diffusion.parts import Arrays
from graphs.baseline.step_parts import StepPart
from graphs.baseline.steps import blocks_of
from graphs.baseline.weights import Weights

Version = Literal["uniform", "sizes", "likeness"]
"""All markets at risk alike, sizes alone, or sizes with likeness."""


@dataclass(frozen=True, slots=True)
class Chances:
    """What P(b | R) of steps is computed from: small, so that it can be sent to workers.

    Attributes
    ----------
    weights
        Fitted weights, without their precision; None where all markets at risk are alike.
    likeness
        Whether the kinds of the steps count.
    """

    weights: Weights | None
    likeness: bool

    def of(self, own: StepPart, rows: slice) -> Floats:
        """Return P(b | R) of some steps, (r, m), which need not be those that the weights were fitted to."""
        steps, exposure = own.steps, own.steps.exposure(rows)
        if self.weights is None:
            open_ = (exposure > 0).astype(np.float64)
            open_ /= np.maximum(open_.sum(axis=1, keepdims=True), 1)
            return open_
        kinds = own.kinds[rows] if self.likeness else None
        return self.weights.chances(steps.day[rows], steps.age[rows], kinds, exposure)

    def of_all(self, own: StepPart) -> Floats:
        """Return P(b | R) of all steps, (k, m)."""
        found = np.empty(own.steps.since.shape)
        for rows in blocks_of(len(own.steps)):
            found[rows] = self.of(own, rows)
        return found

    def cells(self, own: StepPart) -> Arrays:
        """Return P(b | R) of all steps as `chance`, for `StepParts.with_cells`."""
        return {"chance": self.of_all(own)}

    def log_scores(self, own: StepPart) -> Floats:
        """Return log P of the market that was entered, of every step, (k,)."""
        scores = np.empty(len(own.steps))
        for rows in blocks_of(len(scores)):
            chance = self.of(own, rows)
            scores[rows] = np.log(chance[np.arange(len(chance)), own.steps.market[rows]])
        return scores
