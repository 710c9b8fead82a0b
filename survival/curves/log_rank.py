"""Log-rank tests: whether groups of waits enter at the same pace, weighted or not, robust to clusters."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import chdtrc, fdtrc

from diffusion import DataSaysNoError, Entries, SettingError
from diffusion.arrays import Floats
from diffusion.display import Displayed
from diffusion.parts import Arrays
from survival.counting.counted import Cluster, WaitSource
from survival.counting.frame import FrameWaits
from survival.counting.variables import ORIGIN
from survival.curves.breakthrough import source_of
from survival.curves.clustered import Clustered, summed_by_group
from survival.curves.grouping import By, Groups, grouped, name_of
from survival.curves.log_rank_pairs import SMALLEST, WEIGHTS, Weight, Weights, draw_variance, f_of, pair_tests


@dataclass(frozen=True, slots=True, repr=False)
class LogRank(Displayed):
    """Tests of whether groups of waits enter at the same pace.

    Attributes
    ----------
    overall
        One row, for all groups at once: `by`, `weights`, `groups`, `clusters` (with waits at risk on a day on which
        somebody entered and two groups were at risk), `statistic`, `df`, `p`.
    pairs
        One row per pair of groups: `group`, `other`, `observed`, `expected` (entries of `group`, weighted, and those
        expected if the two entered at the same pace), `clusters`, `statistic`, `p`, `p_holm`, `p_bh` (adjusted for all
        pairs: by Holm, and by Benjamini and Hochberg). `p` is null where nobody of the two entered while both were at
        risk, or where fewer than two clusters were.
    groups
        One row per group: `group`, `waits`, `events`, `observed`, `expected` (weighted, if all groups entered at the
        same pace).
    cluster
        What is taken as independent of each other.

    `statistic` is F with `df` and `clusters` − `df` degrees of freedom (1 in `pairs`); with independent waits it is
    chi-squared with `df`, and `clusters` is null.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"days": [3, 5, 5, 8], "entered": [1, 1, 0, 1], "chart": [*"aabb"], "rank": [1, 2, 2, 3]})
    >>> waits = survival.frame_waits(frame, days="days", entered="entered")
    >>> survival.log_rank(waits, by="chart")
    <LogRank of 2 groups, 1 pairs, by independent>
    """

    overall: pd.DataFrame
    pairs: pd.DataFrame
    groups: pd.DataFrame
    cluster: Cluster

    def _facts(self) -> str:
        return f" of {len(self.groups)} groups, {len(self.pairs)} pairs, by {self.cluster}"

    def _shown(self) -> pd.DataFrame:
        return self.overall


def log_rank(
    source: Entries | WaitSource,
    by: By,
    *,
    weights: Weights = "log-rank",
    p: float = 1.0,
    q: float = 0.0,
    horizon: int | None = None,
    cluster: Cluster = "artist",
) -> LogRank:
    """Return tests of whether groups of waits enter at the same pace: all groups at once, and each pair.

    Parameters
    ----------
    source, by, horizon
        As in `survival.breakthrough`. Groups may share waits, artists and tracks.
    weights
        What a difference on a day counts, with n waits at risk in all groups compared: ``log-rank`` (default; 1),
        ``wilcoxon`` (n, Gehan's), ``tarone-ware`` (√n), ``peto`` (survival, Peto and Peto's) or ``fleming-harrington``
        (survival before the day to the power `p`, times one minus it to the power `q`). ``wilcoxon``, ``peto`` and
        ``fleming-harrington`` with q = 0 look at early differences more.
    p, q
        Powers of ``fleming-harrington`` (default 1 and 0).
    cluster
        What is taken as independent of each other; as in `survival.breakthrough`.

    Notes
    -----
    For each group, U = Σ w (d_g − r_g d / r) adds up entries less those expected, given that d of the r waits at risk
    on a day entered. A cluster's part of it is Σ w (1_g − r_g / r) (dN − Y d / r), over its entries N and its waits at
    risk Y. These parts add up to U; the variance of U is the sum of their squares, Q = U' V⁻¹ U. If groups do not
    differ, the parts have mean 0. The statistic is F = Q (c − k) / ((c − Q) k) with k and c − k degrees of freedom for
    c clusters and k + 1 groups: Hotelling's, exact for parts that are normal and alike. Q never exceeds c, so no single
    cluster, however large, makes a test significant: where one artist makes much of the data, the test finds less, not
    too much. The tests measure this.

    With ``independent`` the variance is hypergeometric, and the statistic chi-squared, as in R's ``survdiff`` and in
    lifelines. It takes waits of one track as independent, which they are not.

    Raises
    ------
    SettingError
        As in `survival.breakthrough`; when the weights are unknown or a power is negative; for more than 200 groups;
        for groups that share waits with ``independent``.
    DataSaysNoError
        When there are fewer than two groups, nobody entered, nobody entered while others were at risk in two groups, or
        there are no more clusters than groups.

    References
    ----------
    Mantel 1966; Peto & Peto 1972, doi 10.2307/2344317; Tarone & Ware 1977, doi 10.1093/biomet/64.1.156; Harrington &
    Fleming 1982, doi 10.1093/biomet/69.3.553. By clusters: Lin & Wei 1989, doi 10.1080/01621459.1989.10478874; Lee, Wei
    & Ying 1993, doi 10.1080/01621459.1993.10476384. Holm 1979; Benjamini & Hochberg 1995, doi
    10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> import survival
    >>> frame = pd.DataFrame({"days": [3, 5, 5, 8], "entered": [1, 1, 0, 1], "chart": ["a", "a", "b", "b"]})
    >>> waiting = survival.frame_waits(frame, days="days", entered="entered")
    >>> log_rank(waiting, "chart").groups[["group", "observed", "expected"]].round(3)
      group  observed  expected
    0     a       2.0     0.833
    1     b       1.0     2.167
    """
    if weights not in WEIGHTS:
        raise SettingError(f"weights are {', '.join(WEIGHTS)}, not '{weights}'")
    if not (0 <= p < np.inf and 0 <= q < np.inf):
        raise SettingError(f"the powers are p = {p} and q = {q}; they must be 0 or more, and finite")
    waiting = source_of(source, horizon)
    groups = grouped(waiting, by, horizon=horizon, cluster=cluster)
    if groups.counted.clusters is None and not isinstance(waiting, FrameWaits) and ORIGIN in groups.counted.values:
        raise SettingError("groups that share waits cannot be compared as independent; cluster by artist or track")
    _check(groups)
    weight = Weight(weights, p, q)
    counts = _Counts.of(groups, weight)
    overall = pd.DataFrame({"by": [name_of(by)], "weights": [weights], "groups": [len(groups.names)]})
    for name, value in _overall(groups, counts).items():
        overall[name] = [value]
    table = pd.DataFrame(
        {
            "group": groups.names,
            "waits": groups.opened.sum(axis=1),
            "events": groups.entered.sum(axis=1),
            "observed": counts.entered @ counts.weight,
            "expected": counts.share @ (counts.weight * counts.entered.sum(axis=0)),
        }
    )
    return LogRank(overall, pair_tests(groups, weight), table, groups.counted.cluster)


def _check(groups: Groups) -> None:
    if len(groups.names) < 2:
        raise DataSaysNoError(f"only '{groups.names[0]}' has waits at risk: a comparison needs two groups")
    if not groups.entered.any():
        raise DataSaysNoError("no wait ended in an entry: there is nothing to compare")


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counts of g groups by day: entries, share of the waits at risk, (g, t + 1); weight, hazard of all, (t + 1,).

    `once` is the variance of one draw, (r − d) / (r − 1), times d: of entries among those at risk.
    """

    entered: Floats
    share: Floats
    weight: Floats
    hazard: Floats
    once: Floats

    @classmethod
    def of(cls, groups: Groups, weight: Weight) -> "_Counts":
        entered = groups.entered.astype(np.float64)
        at_risk = groups.at_risk.astype(np.float64)
        all_at_risk, went = at_risk.sum(axis=0), entered.sum(axis=0)
        return cls(
            entered,
            at_risk / np.maximum(all_at_risk, 1),
            weight.of(all_at_risk, went),
            went / np.maximum(all_at_risk, 1),
            draw_variance(all_at_risk, went),
        )


def _overall(groups: Groups, counts: _Counts) -> dict[str, float | int | None]:
    """Return the test of all groups."""
    score = (counts.entered - counts.share * counts.entered.sum(axis=0)) @ counts.weight
    clusters = None
    if groups.counted.clusters is None:
        daily = counts.weight**2 * counts.once
        variance = np.diag(counts.share @ daily) - (counts.share * daily) @ counts.share.T
    else:
        variance, clusters = _variance(groups, counts)
        if clusters <= len(groups.names):
            raise DataSaysNoError(
                f"{len(groups.names)} groups with waits of {clusters} {groups.counted.cluster}s cannot be compared; "
                f"there must be more of these than groups"
            )
    squares, rank = _squares(score, variance)
    if not rank:
        raise DataSaysNoError(
            "whenever somebody enters, all at risk do, or those of one group alone are: there is nothing to compare"
        )
    if clusters is None:
        return {"clusters": None, "statistic": squares, "df": rank, "p": float(chdtrc(rank, squares))}
    statistic = float(f_of(np.array(squares), rank, np.array(clusters, np.float64)))
    chance = float(fdtrc(rank, clusters - rank, statistic))
    return {"clusters": clusters, "statistic": statistic, "df": rank, "p": chance}


def _squares(score: Floats, variance: Floats) -> tuple[float, int]:
    """Return U' V⁻¹ U, and the rank of V: groups less one, less those that nobody entered while others were at risk."""
    values, vectors = np.linalg.eigh(variance)
    kept = values > max(SMALLEST * values[-1], np.finfo(np.float64).tiny)
    return float(((score @ vectors[:, kept]) ** 2 / values[kept]).sum()), int(kept.sum())


def _variance(groups: Groups, counts: _Counts) -> tuple[Floats, int]:
    """Return the variance of the score by clusters, (g, g), and the number of clusters that are compared."""
    found = summed_by_group(groups, partial(_variances, counts))
    return found["variance"], int(found["clusters"])


def _variances(counts: _Counts, blocks: Iterator[Clustered]) -> Arrays:
    """Return the `variance` of the score by clusters, (g, g), and the number of `clusters` that are compared."""
    weight = np.where(counts.share.max(axis=0) < 1, counts.weight, 0.0)  # one group alone is not compared
    own = np.cumsum(weight * counts.hazard)
    other = np.cumsum(weight * counts.hazard * counts.share, axis=1)
    number, shape = len(counts.share), counts.share.shape
    variance, clusters = np.zeros((number, number)), 0
    for clustered in blocks:
        each, cluster = np.unique(clustered.cluster, return_inverse=True)
        parts = np.zeros((len(each), number))
        at_risk, went = clustered.sums(np.broadcast_to(own, shape), np.broadcast_to(weight, shape))
        parts[cluster, clustered.group] = went - at_risk
        closed, entered = clustered.changes(cluster, shape[1])
        parts += closed @ other.T - entered @ (weight * counts.share).T
        variance += parts.T @ parts
        clusters += int((np.bincount(cluster, at_risk, len(each)) > 0).sum())
    return {"variance": variance, "clusters": np.array(clusters)}
