"""Scores that rank pairs of markets: the product's, and others beside it."""

import numpy as np

from diffusion import transitions
from diffusion.arrays import Flags, Floats
from graphs.netinf import netinf, track_cascades
from graphs.summed_hazard import summed_hazard
from pipelines.recovery.simulated import Simulated


def ranked(simulated: Simulated) -> dict[str, Floats]:
    """Return, by name, scores of the pairs of `Simulated.lifts`: higher means more likely an influence.

    `credits per entry` is the product's, `alpha` and `p of alpha` are of the summed hazard, `netinf` is the gain with
    which greedy inference adds a pair.
    """
    entries = simulated.world.entries
    model, pairs = summed_hazard(entries).table, transitions(entries)
    inferred = netinf(track_cascades(entries.timelines), edges=len(simulated.lifts))
    return {
        "credits per entry": simulated.scores(simulated.influence, "credits_per_entry"),
        "alpha": simulated.scores(model, "alpha"),
        "p of alpha": -simulated.scores(model, "p"),
        "counts": simulated.scores(pairs, "tracks"),
        "rate": simulated.scores(pairs, "rate"),
        "netinf": simulated.scores(inferred, "gain"),
    }


def average_precision(scores: Floats, true: Flags) -> float:
    """Return the area under precision by recall, 0 … 1; pairs without a score come last.

    Examples
    --------
    >>> average_precision(np.array([3.0, np.nan, 1.0]), np.array([True, False, True]))
    1.0
    """
    from sklearn.metrics import average_precision_score  # not at the top, where every command would wait for it

    places = np.zeros(len(scores))
    known = ~np.isnan(scores)
    places[known] = np.unique(scores[known], return_inverse=True)[1] + 1.0
    return float(average_precision_score(true, places))
