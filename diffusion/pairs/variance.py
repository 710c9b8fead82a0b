"""Variance of the curves of ordered pairs when tracks of one cluster are dependent."""

from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Days, Flags, Floats, Ints
from diffusion.pairs.counts import PairCounts
from diffusion.risk.follow_up import UNSEEN, FollowUp
from diffusion.risk.influence import Terms, left_out
from diffusion.risk.kaplan_meier import KaplanMeier
from diffusion.risk.risk_set import exposure_risk
from diffusion.timelines import Timelines

CLUSTERS_AT_ONCE: Final = 4_096
"""Clusters per block."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Variance of the logarithm of a survival estimate, by clusters.

    Attributes
    ----------
    variance
        Sum over clusters of their squared `diffusion.risk.influence.left_out`.
    least
        Lower limit of the variance: Greenwood's, for pairs times the widening by the clusters of the source.
    freedom
        Degrees of freedom of the t distribution: number of clusters, or effective number, less one.
    at_risk
        Number of clusters with a track whose follow-up reaches the day.
    """

    variance: Floats
    least: Floats
    freedom: Floats
    at_risk: Ints


def rate_spread(counts: PairCounts, curves: KaplanMeier, several: "Several") -> Spread:
    """Return the spread of each pair on its last day: that of single tracks, corrected for clusters.

    Parameters
    ----------
    several
        Correction of all pairs: result of `clusters_of_several`.
    """
    greenwood, last = curves.variance[..., -1], np.maximum(curves.last, 0)
    ended = np.take_along_axis(counts.entered + counts.censored, last[..., None], axis=-1)[..., 0]
    tracks, exposed = counts.tracks, counts.exposed
    wider = [several.of_source(a).widening(tracks[a], exposed[a], greenwood[a]) for a in range(len(counts.markets))]
    return Spread(
        variance=_of_single_tracks(counts, curves) + several.left_out,
        least=greenwood * np.reshape(wider, greenwood.shape),
        freedom=(exposed - 1 - several.exposed).astype(np.float64),
        at_risk=ended - several.at_risk,
    )


def clusters_of_several(timelines: Timelines, counts: PairCounts) -> "Several":
    """Return the correction of all pairs for clusters of several tracks, (m, m) each.

    Parameters
    ----------
    timelines
        All tracks of `counts`, or some of the clusters: the corrections of disjoint sets of clusters add up.
    counts
        Pair counts of all tracks.
    """
    curves = KaplanMeier.of_ends(counts.entered, counts.censored)
    total = (counts.entered * curves.loss).sum(axis=-1)
    follow_up = FollowUp.of_exposures(timelines, counts.window)
    timed, last, found = np.flatnonzero(timelines.timed), curves.last, []
    for source in range(len(counts.markets)):
        entries = timed[timelines.market[timed] == source]
        places, heads = _clusters_of_several(timelines.cluster[timelines.track[entries]])
        if not len(places):
            found.append(Several.none(len(counts.markets)))
            continue
        risk = exposure_risk(timelines, follow_up, entries[places])
        curve = curves.variance[source], curves.loss[source], total[source], last[source]
        found.append(Several.of(risk.days, risk.entered, heads, *curve))
    return Several(*(np.stack([getattr(own, one.name) for own in found]) for one in fields(Several)))


def _of_single_tracks(counts: PairCounts, curves: KaplanMeier) -> Floats:
    """Return, (m, m), the variance if every track were a cluster."""
    total = (counts.entered * curves.loss).sum(axis=-1)
    share = curves.variance / np.where(total > 0, total, 1.0)[..., None]
    stayed, went = (left_out(curves.variance - lost, share) ** 2 for lost in (0.0, curves.loss))
    variance: Floats = (counts.censored * stayed + counts.entered * went).sum(axis=-1)
    return variance


@dataclass(frozen=True, slots=True)
class Several:
    """Correction for clusters of several tracks: sums over these clusters, for m targets of one source or of each.

    Attributes
    ----------
    influence
        Sum of the squared influence of the clusters, minus that of their single tracks.
    left_out
        The same of their influence when left out.
    pairs
        Number of ordered pairs of exposed tracks of one cluster.
    exposed
        Number of exposed tracks beyond the first of each cluster.
    at_risk
        The same of the tracks whose follow-up reaches the last day of the curve.
    """

    influence: Floats
    left_out: Floats
    pairs: Ints
    exposed: Ints
    at_risk: Ints

    @classmethod
    def none(cls, markets: int) -> Self:
        """Return the correction where no cluster has several tracks."""
        return cls(*np.zeros((2, markets)), *np.zeros((3, markets), np.int64))

    @classmethod
    def of(
        cls,
        days: Days,
        entered: Flags,
        heads: NDArray[np.int64],
        variance: Floats,
        loss: Floats,
        total: Floats,
        last: Ints,
    ) -> Self:
        """Return the correction from the tracks' follow-up, (k, m) each, and the curves of the targets, (m, days)."""
        cell = np.arange(len(loss)) * loss.shape[1] + np.maximum(days, 0)
        seen = days != UNSEEN
        own = np.where(seen, variance.ravel()[cell], 0.0)
        single = own - np.where(entered, loss.ravel()[cell], 0.0)
        own /= np.where(total > 0, total, 1.0)
        whole, shared = (np.add.reduceat(values, heads, axis=0) for values in (single, own))
        sizes = np.add.reduceat(seen.astype(np.int64), heads, axis=0)
        return cls(
            influence=(whole**2).sum(axis=0) - (single**2).sum(axis=0),
            left_out=(left_out(whole, shared) ** 2).sum(axis=0) - (left_out(single, own) ** 2).sum(axis=0),
            pairs=(sizes * (sizes - 1)).sum(axis=0),
            exposed=np.maximum(sizes - 1, 0).sum(axis=0),
            at_risk=_repeated(seen & (days == last), heads),
        )

    def of_source(self, source: int) -> "Several":
        """Return the correction of the targets of one source."""
        return Several(*(getattr(self, one.name)[source] for one in fields(self)))

    def widening(self, tracks: Ints, exposed: Ints, greenwood: Floats) -> Floats:
        """Return, (m,), the factor by which clusters widen Greenwood's variance; 1 where they do not.

        One tightness is estimated over all targets, weighted by their transitions.
        """
        there = greenwood > 0
        larger = self.pairs / np.maximum(exposed, 1)
        most = float((tracks * larger)[there].sum())
        shown = float((tracks[there] * self.influence[there] / greenwood[there]).sum())
        return 1 + (min(max(shown / most, 0.0), 1.0) if most else 0.0) * larger


def _repeated(flags: Flags, heads: NDArray[np.int64]) -> Ints:
    """Return, per column, the number of true flags beyond the first in each group."""
    repeated: Ints = np.maximum(np.add.reduceat(flags.astype(np.int64), heads, axis=0) - 1, 0).sum(axis=0)
    return repeated


def _clusters_of_several(cluster: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of tracks in clusters of several, cluster by cluster, and where each cluster begins."""
    _, group, sizes = np.unique(cluster, return_inverse=True, return_counts=True)
    order = np.argsort(group, kind="stable")
    places = order[sizes[group[order]] > 1]
    return places, np.flatnonzero(np.diff(group[places], prepend=-1))


def source_widening(days: Days, entered: Flags, cluster: NDArray[np.int64]) -> Floats:
    """Return, (m,), the factor by which clusters widen Greenwood's variance, for each target of one source.

    Parameters
    ----------
    days, entered
        (k, m): follow-up of the source's k timed entries: result of `diffusion.risk.risk_set.exposure_risk`.
    cluster
        (k,): clusters of the entries' tracks.
    """
    markets, length = days.shape[1], int(days.max(initial=0)) + 1
    cell = ((entered * markets + np.arange(markets)) * length + days)[days != UNSEEN]
    censored, went = np.bincount(cell, minlength=2 * markets * length).reshape(2, markets, length)
    several = source_correction(days, entered, cluster, went, censored)
    greenwood = KaplanMeier.of_ends(went, censored).variance[:, -1]
    return several.widening(went.sum(axis=1), (went + censored).sum(axis=1), greenwood)


def source_correction(days: Days, entered: Flags, cluster: NDArray[np.int64], went: Ints, censored: Ints) -> Several:
    """Return the correction for clusters of several tracks, for each target of one source.

    Parameters
    ----------
    days, entered, cluster
        As in `source_widening`, of all tracks or of some of the clusters.
    went, censored
        (m, days): tracks of all clusters by the day on which their follow-up ended, with an entry or without.
    """
    places, heads = _clusters_of_several(cluster)
    if not len(places):
        return Several.none(len(went))
    curves = KaplanMeier.of_ends(went, censored)
    total = (went * curves.loss).sum(axis=-1)
    return Several.of(days[places], entered[places], heads, curves.variance, curves.loss, total, curves.last)


def daily_sums(days: Days, entered: Flags, cluster: NDArray[np.int64], curve: KaplanMeier) -> tuple[Floats, Ints, int]:
    """Return sums over clusters for one pair: the variance and the clusters at risk by day, and the clusters.

    The variance is the sum of squared `diffusion.risk.influence.left_out`.

    Parameters
    ----------
    days, entered, cluster
        (k,): follow-up of the exposed tracks in days, whether it ended with an entry, and their clusters; of all
        tracks of the curve, or of some of the clusters.
    """
    days, entered, cluster, alike = _alike(days, entered, cluster)
    length = len(curve.staying)
    terms = Terms.of([curve])
    variance, there = np.zeros(length + 1), np.zeros(length + 1, np.int64)
    for first in range(0, len(alike), CLUSTERS_AT_ONCE):
        number = alike[first : first + CLUSTERS_AT_ONCE, None, None]
        own = slice(*np.searchsorted(cluster, (first, first + len(number))))
        cell = (cluster[own] - first) * (length + 1) + days[own]
        ended, went = (
            np.bincount(cells, minlength=len(number) * (length + 1)).reshape(len(number), 1, length + 1)
            for cells in (cell, cell[entered[own]])
        )
        at_risk = np.cumsum(ended[..., ::-1], axis=-1)[..., ::-1]
        variance += (number * left_out(*terms.influence((at_risk, went))) ** 2).sum(axis=(0, 1))
        there += (number * (at_risk > 0)).sum(axis=(0, 1))
    return variance[:-1], there[:-1], int(alike.sum())


def _alike(
    days: Days, entered: Flags, cluster: NDArray[np.int64]
) -> tuple[Days, Flags, NDArray[np.int64], NDArray[np.int64]]:
    """Return the tracks with one cluster for all that are alike, in order of cluster, and how many each stands for.

    Clusters of one track are alike where these have the same follow-up and outcome.
    """
    cluster, sizes = np.unique(cluster, return_inverse=True, return_counts=True)[1:]
    alone = sizes[cluster] == 1
    kinds, alike = np.unique(days[alone] * 2 + entered[alone], return_counts=True)
    order = np.argsort(cluster[~alone], kind="stable")
    places = np.unique(cluster[~alone], return_inverse=True)[1][order] + len(kinds)
    return (
        np.concatenate([kinds // 2, days[~alone][order]]),
        np.concatenate([kinds % 2 == 1, entered[~alone][order]]),
        np.concatenate([np.arange(len(kinds)), places]),
        np.concatenate([alike, np.ones(int((sizes > 1).sum()), np.int64)]),
    )
