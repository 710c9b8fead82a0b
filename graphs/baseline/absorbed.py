"""How much of what is beyond the baseline its fitted weights take up."""

from functools import partial
from typing import Final

import numpy as np
from scipy import linalg

from diffusion.arrays import Floats, Ints
from diffusion.parts import Arrays
from graphs.baseline.fit import Baseline
from graphs.baseline.likeness import Kinds, class_sums, kind_design
from graphs.baseline.step_parts import StepPart
from graphs.baseline.steps import Steps, blocks_of
from graphs.baseline.weights import Weights

LEAST_KEPT: Final = 0.1
"""Share of a variance that is taken to be left at least: below it, a pair is all but fixed by the fitted weights."""

CELLS_AT_ONCE: Final = 1_000_000
"""Covariances of the steps after some senders that are held together, of every part."""


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
    m, parameters = len(baseline.markets), len(baseline.full.precision)
    root = linalg.cholesky(baseline.full.precision, lower=True)
    taken = np.zeros(model.shape)
    steps = baseline.parts.with_cells(baseline.chances().cells)
    for senders in blocks_of(m, max(CELLS_AT_ONCE // (m * parameters), 1)):
        work = partial(_together, weights=baseline.full.without_precision(), window=window, senders=senders)
        for source, together in enumerate(steps.summed(work)["together"], senders.start):
            taken[source] = (linalg.solve_triangular(root, together.T, lower=True) ** 2).sum(axis=0)
    return np.clip(1 - taken / np.where(model > 0, model, 1), LEAST_KEPT, 1.0)


def _together(own: StepPart, weights: Weights, window: int, senders: slice) -> Arrays:
    """Return the covariance of some senders' observed steps into every market with all parameters, (r, m, f)."""
    steps, found = own.steps, []
    for source in range(senders.start, senders.stop):
        rows, ordered = steps.followed(source, window)
        chance = own.more["chance"][rows]
        after = chance * ordered
        of_classes = _of_likeness(own.kinds[rows], after, chance)
        found.append(np.concatenate([_of_sizes(weights, steps, rows, after, chance), of_classes], axis=1))
    return {"together": np.stack(found)}


def _of_sizes(weights: Weights, steps: Steps, rows: Ints, after: Floats, chance: Floats) -> Floats:
    """Return the covariance of one sender's observed steps into every market with all sizes, (m, f)."""
    m = chance.shape[1]
    together = np.zeros((m, len(weights.effects)))
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
