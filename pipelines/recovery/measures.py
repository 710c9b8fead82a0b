"""Measures of how well scores find edges and leaders, and of how often intervals cover the truth."""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from diffusion import DataSaysNoError
from diffusion.arrays import Flags, Floats


@dataclass(frozen=True, slots=True)
class Recovered:
    """How well one method recovered the truth of one simulation.

    Attributes
    ----------
    average_precision
        Area under precision by recall of the edges, 0 … 1; a random guess has the share of pairs that are edges.
    auc
        P(an edge has a higher score than a pair that is not an edge), ties count half; a random guess has .5.
    leaders_tau
        Kendall's τ-b of the method's leaders with the true clout, −1 … 1; NaN if all leaders are equal.
    """

    average_precision: float
    auc: float
    leaders_tau: float


def recovered(edges: Floats, leaders: Floats, *, alpha: Floats) -> Recovered:
    """Return how well scores find the edges (α > 0) and the leaders.

    Parameters
    ----------
    edges
        (m, m): score by source and target; higher means more likely an edge. NaN where the method has no score ranks
        below all others. The diagonal is ignored.
    leaders
        (m,): score of the markets; higher means more of a leader. NaN as in `edges`.
    alpha
        (m, m): true α.

    Raises
    ------
    DataSaysNoError
        When no pair is an edge, or every pair is.
    """
    pairs = ~np.eye(len(alpha), dtype=bool)
    truth = alpha[pairs] > 0
    if truth.all() or not truth.any():
        raise DataSaysNoError(
            f"{int(truth.sum())} of {len(truth)} pairs are edges; edges cannot be ranked against other pairs"
        )
    score = ranks(edges[pairs])
    return Recovered(
        average_precision=float(average_precision_score(truth, score)),
        auc=float(roc_auc_score(truth, score)),
        leaders_tau=float(stats.kendalltau(ranks(leaders), alpha.sum(axis=1)).statistic),
    )


def ranks(scores: Floats) -> Floats:
    """Return the ranks of scores, from 1 upwards, equal for equal scores; 0 for NaN.

    Examples
    --------
    >>> ranks(np.array([3.0, np.nan, -np.inf, 3.0])).tolist()
    [2.0, 0.0, 1.0, 2.0]
    """
    there = ~np.isnan(scores)
    places = np.zeros(scores.shape)
    places[there] = np.unique(scores[there], return_inverse=True)[1] + 1.0
    return places


@dataclass(frozen=True, slots=True)
class Held:
    """How often intervals of one kind covered the truth in one simulation.

    Attributes
    ----------
    intervals
        Number of intervals.
    below
        Number of intervals below the truth.
    above
        Number of intervals above the truth.
    """

    intervals: int
    below: int
    above: int


def held(low: Floats, high: Floats, truth: Floats, *, where: Flags) -> Held:
    """Return how often intervals cover the truth, over the pairs in `where` with known bounds and truth."""
    chosen = where & ~np.isnan(low) & ~np.isnan(high) & ~np.isnan(truth)
    below, above = (high < truth) & chosen, (low > truth) & chosen
    return Held(int(chosen.sum()), int(below.sum()), int(above.sum()))


def mean_interval(values: Floats, *, level: float = 0.95) -> tuple[float, float, float]:
    """Return the mean of one value per simulation and its t-interval; the bounds of a single value are NaN.

    NaN values are left out.

    Examples
    --------
    >>> [round(x, 3) for x in mean_interval(np.array([0.4, 0.6, np.nan]))]
    [0.5, -0.771, 1.771]
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return np.nan, np.nan, np.nan
    mean = float(known.mean())
    if len(known) == 1:
        return mean, np.nan, np.nan
    reach = stats.t.ppf((1 + level) / 2, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known))
    return mean, float(mean - reach), float(mean + reach)


def share_interval(hits: Floats, trials: Floats, *, level: float = 0.95) -> tuple[float, float, float]:
    """Return the share of hits over all simulations and its interval; trials of one simulation are dependent.

    Parameters
    ----------
    hits, trials
        (s,): one element per simulation.

    Notes
    -----
    This is Wilson's interval with an effective number of trials. That number gives the variance of the share between
    simulations (a ratio estimator), and is at most the number of trials. A single simulation uses its number of trials.
    """
    total = float(trials.sum())
    if total == 0:
        return np.nan, np.nan, np.nan
    share = float(hits.sum()) / total
    effective, used = total, int((trials > 0).sum())
    if used > 1 and 0 < share < 1:
        variance = used / (used - 1) * float(((hits - share * trials) ** 2).sum()) / total**2
        effective = min(total, share * (1 - share) / variance) if variance > 0 else total
    z = float(stats.norm.ppf((1 + level) / 2))
    scale = 1 + z**2 / effective
    centre = (share + z**2 / (2 * effective)) / scale
    reach = z / scale * np.sqrt(share * (1 - share) / effective + z**2 / (4 * effective**2))
    return share, max(0.0, float(centre - reach)), min(1.0, float(centre + reach))
