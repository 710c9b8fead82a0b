"""Draws of observations, where there are more candidates than a model is fitted on."""

import numpy as np

from diffusion.arrays import Flags, Floats, Ints
from pipelines.models.examples import Examples


def short_seed(seed: int) -> int:
    """Return a seed of 31 bits for LightGBM and scikit-learn, which take no longer ones; a shorter one is unchanged."""
    return seed % 2**31


def chances(size: Ints, enters: Flags, most: int) -> Floats:
    """Return, (n,), the chances with which observations are drawn, so that about `most` candidates are.

    Observations with an entry come first: they make half of the draw, or more where the others are fewer than half.

    Parameters
    ----------
    size, enters
        (n,): number of candidates of each observation, and whether it has an entry.
    most
        Number of candidates wanted.
    """
    entering, others = int(size[enters].sum()), int(size[~enters].sum())
    share = min(1.0, max(most / 2, most - others) / max(entering, 1))
    other = min(1.0, (most - share * entering) / max(others, 1))
    return np.where(enters, share, other)


def thinned(examples: Examples, most: int, seed: int) -> tuple[Ints, Floats]:
    """Return the rows of drawn observations, about `most` candidates, and the number that each stands for."""
    number = examples.number
    chance = chances(np.bincount(number), np.bincount(number, examples.entered) > 0, most)[number]
    drawn = np.random.default_rng(seed).random(len(examples.first))[number] < chance
    return np.flatnonzero(drawn), 1 / chance[drawn]
