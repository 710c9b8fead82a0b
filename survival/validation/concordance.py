"""Whether waits that end sooner were given the higher risk: concordance indices, and the area under the ROC curve."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Floats, Ints
from survival.validation.outcomes import Censoring, Outcomes


def harrell_c(days: ArrayLike, entered: ArrayLike, risk: ArrayLike, *, counts: ArrayLike | None = None) -> float:
    """Return Harrell's C: share of pairs in which the wait that enters first was given the higher risk.

    Parameters
    ----------
    days, entered
        (n,): last day at risk, and whether the wait ended with an entry.
    risk
        (n,): predicted risk; higher is sooner.
    counts
        (n,): number of such waits (default: 1).

    Notes
    -----
    A pair is a wait with an entry and a wait known to be without one on that day. Equal risks count one half: a
    constant prediction has C = 0.5. The work grows with n log n.

    Raises
    ------
    DataSaysNoError
        When there is no such pair.

    References
    ----------
    Harrell, Lee & Mark 1996, doi 10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4.

    Examples
    --------
    >>> harrell_c([1, 2, 3], [True, True, False], [0.9, 0.1, 0.5])
    0.6666666666666666
    """
    outcomes = Outcomes.of(days, entered, counts)
    return _index(outcomes, concordant_pairs(outcomes, _checked(risk, outcomes), np.inf, np.ones(len(outcomes.days))))


def uno_c(
    days: ArrayLike,
    entered: ArrayLike,
    risk: ArrayLike,
    *,
    until: float | None = None,
    counts: ArrayLike | None = None,
    censoring: Censoring | None = None,
) -> float:
    """Return Uno's C: `harrell_c` with entries weighted by 1 / P(followed to the entry)², so that censoring cancels.

    Parameters
    ----------
    until
        Day up to which entries are compared, the bound included (default: all).
    censoring
        Probability of being followed (default: of these waits).

    Raises
    ------
    DataSaysNoError
        When there is no pair.

    References
    ----------
    Uno et al. 2011, doi 10.1002/sim.4154.

    Examples
    --------
    >>> uno_c([1, 2, 3], [True, True, False], [0.9, 0.1, 0.5])
    0.6666666666666666
    """
    outcomes = Outcomes.of(days, entered, counts, censoring)
    last = np.inf if until is None else until
    return _index(
        outcomes, concordant_pairs(outcomes, _checked(risk, outcomes), last, outcomes.entry_weights(last) ** 2)
    )


def dynamic_auc(
    days: ArrayLike,
    entered: ArrayLike,
    risk: ArrayLike,
    at: Sequence[float],
    *,
    counts: ArrayLike | None = None,
    censoring: Censoring | None = None,
) -> Floats:
    """Return, (m,), the cumulative/dynamic AUC on each day.

    It is the probability that a wait with an entry by the day was given a higher risk than one without.

    Parameters
    ----------
    risk
        (n,), or (n, m) where it differs by day.
    at
        (m,): days.
    censoring
        Probability of being followed (default: of these waits).

    Raises
    ------
    DataSaysNoError
        When nobody, or everybody, has entered by a day.

    References
    ----------
    Uno et al. 2007, doi 10.1198/016214507000000149. Hung & Chiang 2010, doi 10.1002/cjs.10046.

    Examples
    --------
    >>> dynamic_auc([1, 2, 3], [True, True, False], [0.9, 0.1, 0.5], [1, 2]).tolist()
    [1.0, 0.5]
    """
    outcomes = Outcomes.of(days, entered, counts, censoring)
    given = np.asarray(risk, np.float64)
    risks = given if given.ndim == 2 else np.broadcast_to(given[:, None], (len(given), len(at)))
    if risks.shape != (len(outcomes.days), len(at)):
        raise SettingError(f"risk must be one per wait, or one per wait and day; it has the shape {given.shape}")
    return np.array(
        [
            _index(outcomes, separated_pairs(outcomes, _checked(risks[:, column], outcomes), day))
            for column, day in enumerate(at)
        ]
    )


def concordant_pairs(outcomes: Outcomes, risk: Floats, until: float, weight: Floats) -> Floats:
    """Return, (n, 2), weighted pairs of one wait of each kind: those in the right order, and all.

    Parameters
    ----------
    risk
        (n,): predicted risk.
    until
        Last day of the entries that are compared.
    weight
        (n,): weight of the pairs of an entry.

    Notes
    -----
    Each pair counts for both of its waits, so the sums over all waits are twice the number of pairs. The index is their
    ratio, and the part of a cluster of waits is what the index would lose without it.
    """
    case = np.flatnonzero(outcomes.entered & (outcomes.days <= until))
    n = len(outcomes.days)
    # on one day: entries as later ends of others, then entries with what they are compared with, then censored waits
    kind = np.concatenate([np.where(outcomes.entered, 0, 2), np.ones(len(case), np.int64)])
    wait = np.concatenate([np.arange(n), case])
    order = np.lexsort((kind, outcomes.days[wait]))
    rank = np.unique(risk, return_inverse=True)[1].ravel()[wait][order]
    later = np.where(kind == 1, 0.0, outcomes.count[wait])[order]
    first = np.where(kind == 1, (outcomes.count * weight)[wait], 0.0)[order]
    won = np.empty((len(order), 2))
    won[:, 0] = smaller_after(rank, later)
    won[:, 1] = smaller_after(int(rank.max()) - rank[::-1], first[::-1])[::-1]
    pairs = np.empty((len(order), 2))
    pairs[:, 0] = later.sum() - np.cumsum(later)
    pairs[:, 1] = np.cumsum(first)
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    total = np.column_stack([won[back[:n], 1], pairs[back[:n], 1]])
    own = weight[case, None] * np.column_stack([won[back[n:], 0], pairs[back[n:], 0]])
    total[case] += own
    return total


def smaller_after(rank: Ints, weight: Floats) -> Floats:
    """Return, (n,), the weight of what comes later and has a smaller rank; equal ranks count one half.

    Notes
    -----
    Ranks are sorted bit by bit from the highest, keeping the order of time. Two ranks part at one bit: what comes later
    there, in the half with the smaller ranks, is a difference of cumulative sums.
    """
    total = np.zeros(len(rank))
    order = np.arange(len(rank))
    for bit in reversed(range(int(rank.max(initial=0)).bit_length())):
        sorted_rank = rank[order]
        upper = (sorted_rank >> bit) & 1 == 1
        total[order] += np.where(upper, _rest(sorted_rank >> (bit + 1), np.where(upper, 0.0, weight[order])), 0.0)
        order = order[np.argsort(sorted_rank >> bit, kind="stable")]
    total[order] += _rest(rank[order], weight[order]) / 2
    return total


def _rest(key: Ints, weight: Floats) -> Floats:
    """Return, (n,), the weight of what comes later with the same key; keys are sorted."""
    sums = np.cumsum(weight)
    ends = np.append(np.flatnonzero(np.diff(key)), len(key) - 1)
    rest: Floats = np.repeat(sums[ends], np.diff(ends, prepend=-1)) - sums
    return rest


def separated_pairs(outcomes: Outcomes, risk: Floats, day: float) -> Floats:
    """Return, (n, 2), weighted pairs of one wait of each kind, as `concordant_pairs`, for the AUC on a day.

    A pair is a wait with an entry by the day and one without.
    """
    entry, free = outcomes.entry_weights(day), outcomes.free_weights(day)
    values, rank = np.unique(risk, return_inverse=True)
    entries, others = (np.bincount(rank, outcomes.count * part, len(values)) for part in (entry, free))
    below = np.cumsum(others) - others / 2
    above = entries.sum() - np.cumsum(entries) + entries / 2
    won = entry * below[rank] + free * above[rank]
    return np.column_stack([won, entry * others.sum() + free * entries.sum()])


def _index(outcomes: Outcomes, pairs: Floats) -> float:
    won, total = outcomes.count @ pairs
    if not total > 0:
        raise DataSaysNoError(
            f"no pair to compare: {int(outcomes.count @ outcomes.entered):,} of {int(outcomes.waits):,} waits end with "
            f"an entry, and a pair needs one with an entry and one without at that time"
        )
    return float(won / total)


def _checked(risk: ArrayLike, outcomes: Outcomes) -> Floats:
    """Return the predicted risks, (n,), checked."""
    given = np.asarray(risk, np.float64)
    if given.shape != outcomes.days.shape or not np.isfinite(given).all():
        raise SettingError(
            f"risk must be one number per wait; it has the shape {given.shape} for {len(outcomes.days):,} waits and "
            f"{(~np.isfinite(given)).sum():,} values that are not finite"
        )
    return given
