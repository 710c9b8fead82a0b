"""Restricted means: days without an entry up to a day, by group, and their differences, robust to clusters."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.special import stdtr, stdtrit

from diffusion import Entries, SettingError
from diffusion.arrays import Floats
from diffusion.display import Displayed
from diffusion.parts import Arrays
from diffusion.risk.kaplan_meier import TAIL, KaplanMeier
from survival.counting.checks import check_whole
from survival.counting.counted import Cluster, WaitSource
from survival.curves.areas import Area, AreaSums
from survival.curves.breakthrough import source_of
from survival.curves.clustered import Clustered, summed_by_group
from survival.curves.comparisons import add_adjusted, pairs_of
from survival.curves.grouping import By, Groups, grouped


@dataclass(frozen=True, slots=True, repr=False)
class RestrictedMean(Displayed):
    """Mean days without an entry, up to a day, by group.

    Attributes
    ----------
    table
        One row per group: `group`, `waits`, `events`, `restricted_mean_days`, `standard_error`, `low`, `high` (95 %
        interval), `clusters` (effective number). The last four are null where nobody entered; `clusters` also where
        waits are taken as independent. Where one cluster is all there is, `standard_error` is infinite, and the
        interval says nothing.
    differences
        One row per pair of groups: `group`, `other`, `difference` (days of `group` less those of `other`),
        `standard_error`, `low`, `high`, `p`, `p_holm`, `p_bh` (adjusted for all pairs: by Holm, and by Benjamini and
        Hochberg). Null where nobody entered in one of the two, or one cluster is all
        there is in it.
    days
        Last day.
    cluster
        What is taken as independent of each other.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"days": [3, 5, 5, 8], "entered": [1, 1, 0, 1], "chart": [*"aabb"], "rank": [1, 2, 2, 3]})
    >>> waits = survival.frame_waits(frame, days="days", entered="entered")
    >>> survival.restricted_mean(waits, by="chart")
    <RestrictedMean of 2 groups up to day 8, by independent>
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    days: int
    cluster: Cluster

    def _facts(self) -> str:
        return f" of {len(self.table)} groups up to day {self.days}, by {self.cluster}"

    def _shown(self) -> pd.DataFrame:
        return self.table


def restricted_mean(
    source: Entries | WaitSource, *, by: By = "none", days: int | None = None, cluster: Cluster = "artist"
) -> RestrictedMean:
    """Return the mean days without an entry, up to a day: the area below each group's survival curve.

    Parameters
    ----------
    source, by, cluster
        As in `survival.breakthrough`. Groups may share waits, artists and tracks.
    days
        Last day (default: the last day that the follow-up of every group reaches; a curve that has fallen to 0 stays
        there).

    Notes
    -----
    What leaving out a cluster changes in the area is, to first order, its influence over one minus its share
    (`diffusion.risk.influence.left_out`). The variance of an area is the sum of the squares, and at least that of
    independent waits. The covariance of two areas is the sum of the products, so that clusters, and waits, in both
    groups count for what they are. The quantile is that of the t distribution with the effective number of clusters
    less one; for differences by Satterthwaite's rule.

    Raises
    ------
    SettingError
        As in `survival.breakthrough`; when `days` is after the follow-up of a group, or more than 200 groups are
        compared.

    References
    ----------
    Royston & Parmar 2013, doi 10.1186/1471-2288-13-152. Satterthwaite 1946, doi 10.2307/3002019.

    Examples
    --------
    >>> import survival
    >>> frame = pd.DataFrame({"days": [3, 5, 5, 8], "entered": [1, 1, 0, 1], "chart": ["a", "a", "b", "b"]})
    >>> waiting = survival.frame_waits(frame, days="days", entered="entered")
    >>> restricted_mean(waiting, by="chart", days=5).table[["group", "restricted_mean_days"]]
      group  restricted_mean_days
    0     a                   4.0
    1     b                   5.0
    """
    waiting = source_of(source, days)
    groups = grouped(waiting, by, horizon=None, cluster=cluster)
    curves = KaplanMeier.of(groups.at_risk, groups.entered)
    followed = groups.known_to(curves)
    last = int(followed.min())
    if days is not None:
        check_whole("days", days)
    if days is not None and not 1 <= days <= last:
        name = groups.names[int(followed.argmin())]
        raise SettingError(
            f"restricted means to day {days}: choose a day from 1 to {last}, where the follow-up of '{name}' ends"
        )
    area = Area.of(curves, last if days is None else days)
    covariance, freedom = _covariance(groups, area)
    variance = np.diag(covariance)
    low, high = area.interval(variance, freedom)
    known = area.greenwood > 0
    table = pd.DataFrame(
        {
            "group": groups.names,
            "waits": groups.opened.sum(axis=1),
            "events": groups.entered.sum(axis=1),
            "restricted_mean_days": area.mean,
            "standard_error": np.where(known, np.sqrt(variance), np.nan),
            "low": low,
            "high": high,
            "clusters": np.where(known & np.isfinite(freedom), freedom + 1, np.nan),
        }
    )
    return RestrictedMean(table, _differences(groups, area, covariance, freedom), area.days, groups.counted.cluster)


def _covariance(groups: Groups, area: Area) -> tuple[Floats, Floats]:
    """Return the covariance of the areas, (g, g), variances at least those of independent waits; degrees of freedom."""
    if groups.counted.clusters is None:
        return np.diag(area.greenwood), np.full(len(area.mean), np.inf)
    found = summed_by_group(groups, partial(_products, area))
    covariance, sums = found["covariance"], AreaSums(found["squares"], found["shares"])
    np.fill_diagonal(covariance, np.maximum(np.diag(covariance), area.greenwood))
    return covariance, sums.freedom


def _products(area: Area, blocks: Iterator[Clustered]) -> Arrays:
    """Return the `covariance` of the areas by clusters, (g, g), and the sums of `AreaSums`, by name."""
    covariance, sums = np.zeros((len(area.mean), len(area.mean))), AreaSums.of(area)
    for clustered in blocks:
        sums.add(area, clustered)
        change, _ = area.left_out(clustered)
        row = np.unique(clustered.cluster, return_inverse=True)[1]
        parts = csr_array((change, (row, clustered.group)), (int(row.max(initial=-1)) + 1, len(area.mean)))
        covariance += (parts.T @ parts).toarray()
    return {"covariance": covariance, "squares": sums.squares, "shares": sums.shares}


def _differences(groups: Groups, area: Area, covariance: Floats, freedom: Floats) -> pd.DataFrame:
    """Return the differences of all pairs of groups."""
    one, two, table = pairs_of(groups)
    each = np.diag(covariance)
    each = np.where(np.isfinite(each), each, np.nan)  # one cluster is all there is
    variance = each[one] + each[two] - 2 * covariance[one, two]
    known = (area.greenwood[one] > 0) & (area.greenwood[two] > 0) & np.isfinite(variance) & (variance > 0)
    error = np.where(known, np.sqrt(np.where(known, variance, 1.0)), np.nan)
    parts = each[one] ** 2 / np.maximum(freedom[one], 1) + each[two] ** 2 / np.maximum(freedom[two], 1)
    both = np.where(parts > 0, (each[one] + each[two]) ** 2 / np.where(parts > 0, parts, 1.0), np.inf)
    difference = area.mean[one] - area.mean[two]
    reach = stdtrit(np.maximum(both, 1), 1 - TAIL) * error
    table["difference"], table["standard_error"] = difference, error
    table["low"], table["high"] = difference - reach, difference + reach
    table["p"] = 2 * stdtr(np.maximum(both, 1), -np.abs(difference) / error)
    add_adjusted(table)
    return table
