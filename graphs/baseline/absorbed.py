"""How much of what is beyond the baseline its fitted weights take up."""

from typing import Final

import numpy as np
from scipy import linalg

from diffusion.arrays import Floats, Ints
from graphs.baseline.fit import Baseline
from graphs.baseline.likeness import Kinds, class_sums, kind_design
from graphs.baseline.steps import Steps
from graphs.baseline.weights import Weights

LEAST_KEPT: Final = 0.1
"""Share of a variance that is taken to be left at least: below it, a pair is all but fixed by the fitted weights."""


def kept_variance(baseline: Baseline, model: Floats, *, window: int) -> Floats:
    """Return the share of the variance of every pair's observed steps that the fitted weights leave, (m, m).

    Weights are fitted to the same steps, so that what a market has beyond the baseline is 0 over all senders together,
    and a pair that makes up most of a market's steps scatters less than independent steps would.

    Parameters
    ----------
    model
        (m, m): variance of independent steps, as `PairSums.model`; rows are senders.
    window
        Days within which the sender was entered before, the bound included.

    Returns
    -------
    array
        Shares, from `LEAST_KEPT` to 1.
    """
    steps, chance = baseline.steps, baseline.probabilities()
    root = linalg.cholesky(baseline.full.precision, lower=True)
    taken = np.zeros(model.shape)
    for source in range(len(steps.markets)):
        rows, ordered = steps.followed(source, window)
        after = chance[rows] * ordered
        together = _of_sizes(baseline.full, steps, rows, after, chance[rows])
        together[:, len(baseline.full.effects) :] = _of_likeness(baseline.kinds[rows], after, chance[rows])
        taken[source] = (linalg.solve_triangular(root, together.T, lower=True) ** 2).sum(axis=0)
    return np.clip(1 - taken / np.where(model > 0, model, 1), LEAST_KEPT, 1.0)


def _of_sizes(weights: Weights, steps: Steps, rows: Ints, after: Floats, chance: Floats) -> Floats:
    """Return the covariance of one sender's observed steps into every market with all sizes, (m, f)."""
    m = chance.shape[1]
    together = np.zeros((m, len(weights.precision)))
    age, period = weights.cell(steps.day[rows], steps.age[rows])
    stratum = age * len(weights.starts) + period
    order = np.argsort(stratum, kind="stable")
    heads = np.flatnonzero(np.diff(stratum[order], prepend=-1))
    for own in np.split(order, heads[1:]) if len(rows) else []:
        block = np.diag(after[own].sum(axis=0)) - after[own].T @ chance[own]
        for row in (0, 1 + age[own[0]], 1 + len(weights.ages) + period[own[0]]):
            together[:, row * m : (row + 1) * m] += block
    return together


def _of_likeness(kinds: Kinds, after: Floats, chance: Floats) -> Floats:
    """Return the covariance of one sender's observed steps into every market with the classes of likeness, (m, c)."""
    design, m = kind_design(), chance.shape[1]
    of_market = (np.arange(m) * len(design) + kinds).ravel()
    by_market = np.bincount(of_market, after.ravel(), minlength=m * len(design)).reshape(m, len(design))
    together: Floats = by_market @ design - after.T @ class_sums(kinds, chance)
    return together
