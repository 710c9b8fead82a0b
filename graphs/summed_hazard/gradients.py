"""Likelihood gradients (scores) per track and cluster for the robust variance, and expected entries per track."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from diffusion.arrays import Floats
from graphs.summed_hazard.background import Cells
from graphs.summed_hazard.design import Design
from graphs.summed_hazard.followup import ObservedRisk, Tracks, observed_risk
from graphs.summed_hazard.solver import Problem, odds


@dataclass(frozen=True, slots=True)
class Fitted:
    """A target's likelihood, its maximum (p,), and F of every sender (m, w + 1)."""

    task: Problem
    beta: Floats
    reach: Floats


QUIET: Final = 20_000
"""Clusters without an event in a market that are used; where there are more, these are weighted up for the others."""


def score_products(
    tracks: Tracks, cells: Cells, design: Design, fitted: Fitted, *, horizon: int, weight: Floats
) -> tuple[Floats, Floats]:
    """Return the sums of the outer products of scores, by track and by cluster, (p, p) each, in the units of the task.

    Parameters
    ----------
    weight
        (n,): what every track's hazard is multiplied by.
    """
    task, beta = fitted.task, fitted.beta
    members = np.bincount(tracks.cluster)
    if members.max(initial=1) == 1:
        return np.eye(len(task.unit)), np.eye(len(task.unit))
    per = np.divide(1.0, task.unit, out=np.zeros_like(task.unit), where=task.unit > 0)
    survived = _survived(tracks, cells, observed_risk(tracks, design.market, horizon), fitted.reach)
    survived.data *= per[survived.indices] * np.repeat(weight, np.diff(survived.indptr))
    row, sent = np.nonzero(task.events)
    score = (task.events * odds(task.events @ beta)[:, None])[row, sent]
    scores = sparse.csr_array((score, (design.track[row], sent)), shape=survived.shape) - survived
    stands_for = _stands_for(tracks, design)[tracks.cluster]
    single = np.flatnonzero((members[tracks.cluster] == 1) & (stands_for > 0))
    several = np.flatnonzero((members[tracks.cluster] > 1) & (stands_for > 0))
    alone, some = (_stretched(scores[those], stands_for[those]) for those in (single, several))
    _, group = np.unique(tracks.cluster[several], return_inverse=True)
    shape = (len(several), len(several))
    member = sparse.csr_array((np.ones(len(group)), (group, np.arange(len(group)))), shape=shape)
    apart = _square(alone)
    return apart + _square(some), apart + _square(member @ some)


def _stands_for(tracks: Tracks, design: Design) -> Floats:
    """Return the weight of every cluster: 1 with an event, above 1 for sampled clusters without one, else 0."""
    number = np.ones(int(tracks.cluster.max()) + 1)
    number[tracks.cluster[design.track]] = 0
    quiet = np.flatnonzero(number)
    taken = quiet[:: max(1, len(quiet) // QUIET)]
    number = 1 - number
    number[taken] = len(quiet) / max(len(taken), 1)
    return number


def _stretched(scores: sparse.csr_array, number: Floats) -> sparse.csr_array:
    """Return the rows multiplied by √`number`, so that their outer products count `number` times."""
    scores.data *= np.repeat(np.sqrt(number), np.diff(scores.indptr))
    return scores


def _square(scores: sparse.csr_array) -> Floats:
    """Return the sum of the outer products of rows."""
    square: Floats = (scores.T @ scores).toarray()
    return square


def expected_entries(
    tracks: Tracks, cells: Cells, market: int, alpha: Floats, hazard: Floats, reach: Floats, *, horizon: int
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return every track's integrated hazard of entering a market, to its entry or the end, and whether it entered.

    Parameters
    ----------
    alpha
        (m,): of the senders.
    hazard
        (q,): of the background cells.
    reach
        (m, w + 1): F.

    Returns
    -------
    tuple of arrays
        (n,) each.
    """
    follow = observed_risk(tracks, market, horizon)
    total: Floats = _survived(tracks, cells, follow, reach) @ np.concatenate([alpha, hazard])
    entered = np.zeros(len(total), np.bool_)
    entered[follow.track] = True
    return total, entered


def event_hazards(design: Design, alpha: Floats, hazard: Floats, reach: Floats) -> Floats:
    """Return the integrated hazard of every event's interval, (k,)."""
    both: Floats = design.events_by_sender(reach) @ alpha + design.event_days @ hazard
    return both


def _survived(tracks: Tracks, cells: Cells, follow: ObservedRisk, reach: Floats) -> sparse.csr_array:
    """Return every track's exposure without event to every sender and in every background cell, (n, m + q)."""
    number, senders = len(tracks.debut), len(reach)
    at, low, high = follow.sends_from(tracks, reach.shape[1] - 1)
    sender = tracks.sender_market[at]
    starts = np.searchsorted(tracks.sender_track[at], np.arange(number + 1))
    sent = sparse.csr_array((reach[sender, high] - reach[sender, low], sender, starts), shape=(number, senders))
    # those never at risk take the first row, which is empty
    risk = np.flatnonzero(follow.stop > follow.begin)
    rows, which = cells.exposures(tracks.debut[risk], follow.begin[risk], follow.stop[risk])
    mine = np.zeros(number, np.intp)
    mine[risk] = which + 1
    days = sparse.csr_array(np.vstack([np.zeros((1, cells.count)), rows]))[mine]
    return sparse.csr_array(sparse.hstack([sent, days], format="csr"))
