"""Whether follow-up is long enough to tell those who never enter from those who enter late."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Self

import numpy as np
import pandas as pd
from scipy.special import stdtr

from diffusion import SettingError
from diffusion.arrays import Floats, Ints
from diffusion.parts import Arrays
from diffusion.risk.influence import Terms, left_out
from diffusion.risk.kaplan_meier import KaplanMeier
from survival.counting.checks import check_list, check_source
from survival.counting.counted import CLUSTERS, Cluster, CountedWaits, WaitSource
from survival.curves.clustered import Clustered, pair_sums
from survival.curves.comparisons import add_adjusted

TO_COME: Final = 0.05
"""Share of those who ever enter that may still come after the end of follow-up that is called long enough."""

LEVEL: Final = 0.05
"""Level of the test."""

LATE: Final = 0.2
"""Part of the entries that the two stretches at the end hold at least."""

ADDED: Final = 2.0
"""Entries added to the last stretch, so that none there is not taken for proof of none later."""


def follow_up_test(source: WaitSource, *, by: Sequence[str] = (), cluster: Cluster = "artist") -> pd.DataFrame:
    """Return whether follow-up is long enough to speak of a share that never enters, by group.

    Parameters
    ----------
    by
        Variables whose combinations of values are the groups (default: all waits are one group).
    cluster
        What the test takes as independent of each other: ``artist`` (default), ``track`` or ``independent``.

    Returns
    -------
    DataFrame
        Index: the group. Columns: `waits`, `events`, `last_day` at risk, `last_entry` (day), `near_end` (entries in the
        stretch before the last entry that is as long as the stretch after it), `q` (share of waits that these are),
        `alpha` (Maller and Zhou's: (1 − q)^waits), `entered` (share by the last day), `to_come` (share of those who
        ever enter that is estimated to come later), `p` (of the hypothesis that `to_come` is 5 % or more),
        `p_holm`, `p_bh` (adjusted for all groups: by Holm, and by Benjamini and Hochberg), `sufficient` (`p_bh` < .05:
        of all groups that are called so, 5 % at most are expected to be called so wrongly).

    Notes
    -----
    Maller and Zhou's `alpha` asks whether the curve is flat at its end: small where the last entry is long before the
    last day, but many entries are just before it. It takes waits as independent and times as continuous; with many
    waits, or on weekly charts, some entry is nearly always at the end, and alpha is near 1 even where hardly anybody is
    still to come. It also keeps no level (it is below .05 in about a quarter of worlds whose entries go on evenly). It
    is shown, and nothing is concluded from it.

    The test compares two stretches of equal length at the end of follow-up: the last half of it, or more where that
    holds less than a fifth of the entries. Let the shares d₁ and d₂ enter in them. If d₂ < d₁, and entries thin out at
    this rate or faster from then on, the share d₂² / (d₁ − d₂) at most enters later. This is the extrapolation of Xie
    and others for exponential tails; where the tail is heavier (a power of time), more come later than it says: on
    weekly viral charts of three years, it called 180 days long enough in 11 of 66 markets, and in all 11 more than 5 %
    of the entries came after them; with 540 days in 24, of which one; with 730 days in 50, of which none. So take the
    longest horizon that the charts have, not that of another question. The stretches are whole steps of the charts'
    grid. The variance is by cluster, and at least Greenwood's; `ADDED` entries are added to the second stretch, times
    how much clusters enlarge the variance.

    Raises
    ------
    SettingError
        When a variable or the cluster is unknown.

    References
    ----------
    Maller & Zhou 1996, Survival Analysis with Long-Term Survivors, §4.3. Xie, Escobar-Bach & Van Keilegom 2023, arXiv
    2309.00868 (extrapolation). Yuen & Musta 2024, arXiv 2403.16832 (long enough in practice).

    Examples
    --------
    >>> waits = survival.waits(entries, horizon=60)  # entries = diffusion.open_sample().entries()
    >>> follow_up_test(waits)[["waits", "events", "last_day"]].values.tolist()
    [[144886, 892, 60]]
    """
    if cluster not in CLUSTERS:
        raise SettingError(f"unknown cluster '{cluster}'; there are {', '.join(CLUSTERS)}")
    check_list("by", by)
    check_source(source)
    return follow_up_of(source.counted(tuple(by), cluster=cluster), tuple(by))


def follow_up_of(counted: CountedWaits, by: tuple[str, ...]) -> pd.DataFrame:
    """Return the result of `follow_up_test` from counted waits whose variables hold `by`."""
    group, values = groups_of(counted.values, by)
    groups = len(values)
    at_risk, entered, opened = (
        summed(part, group, groups) for part in (counted.at_risk, counted.entered, counted.opened)
    )
    step = int(np.gcd.reduce(counted.events.days)) if len(counted.events.days) else 1
    rows = [_near_end(*parts) for parts in zip(at_risk, entered, opened.sum(axis=1), strict=True)]
    table = pd.DataFrame(rows, values)
    curves = [KaplanMeier.of(*parts) for parts in zip(at_risk, entered, strict=True)]
    days = np.array([_stretches(*parts, step) for parts in zip(entered, table["last_day"], strict=True)])
    greenwood, clustered, freedom = _spread(counted, group, curves, days)
    ends = [_Ends.of(curve, at) for curve, at in zip(curves, days, strict=True)]
    table["entered"] = [end.entered for end in ends]
    table["to_come"] = [end.to_come for end in ends]
    table["p"] = [
        end.p(*parts) if events else 1.0
        for end, events, *parts in zip(ends, table["events"], greenwood, clustered, freedom, strict=True)
    ]
    add_adjusted(table)
    table["sufficient"] = table["p_bh"] < LEVEL
    return table


def groups_of(values: pd.DataFrame, by: tuple[str, ...]) -> tuple[Ints, pd.Index]:
    """Return the group of each cell, (g,), and the groups by their values of `by`."""
    if not by:
        return np.zeros(len(values), np.int64), pd.Index(["all"], name="group")
    grouped = values.groupby(list(by), sort=True, observed=True)
    found = np.asarray(grouped.ngroup(), np.int64)
    first = values[list(by)].iloc[np.unique(found, return_index=True)[1]]
    return found, pd.MultiIndex.from_frame(first) if len(by) > 1 else pd.Index(first[by[0]])


def summed(cells: Ints, group: Ints, groups: int) -> Ints:
    """Return, (groups, t + 1), counts of cells by day, summed over each group."""
    found = np.zeros((groups, cells.shape[1]), np.int64)
    np.add.at(found, group, cells)
    return found


def _near_end(at_risk: Ints, entered: Ints, waits: int) -> dict[str, float]:
    """Return what Maller and Zhou look at in one group."""
    last_day = int(np.flatnonzero(at_risk)[-1])
    if not entered.any():
        return {"waits": waits, "events": 0, "last_day": last_day, "last_entry": np.nan} | dict.fromkeys(
            ("near_end", "q", "alpha"), np.nan
        )
    last_entry = int(np.flatnonzero(entered)[-1])
    near = int(entered[max(2 * last_entry - last_day, 0) + 1 : last_entry + 1].sum())
    q = near / waits
    return {
        "waits": waits,
        "events": int(entered.sum()),
        "last_day": last_day,
        "last_entry": last_entry,
        "near_end": near,
        "q": q,
        "alpha": (1 - q) ** waits,
    }


def _stretches(entered: Ints, last: int, step: int) -> tuple[int, int, int]:
    """Return the days where the two stretches begin, meet and end, in whole steps of the grid."""
    early = int(np.argmax(np.cumsum(entered) >= (1 - LATE) * entered.sum()))
    width = max((last - min(early, last // 2)) // (2 * step), 1) * step
    return max(last - 2 * width, 0), max(last - width, 0), last


@dataclass(frozen=True, slots=True)
class _Ends:
    """Survival of one group where its stretches begin, meet and end, (3,), and one entry's share of it at the end."""

    survival: Floats
    one: float

    @classmethod
    def of(cls, curve: KaplanMeier, days: Ints) -> Self:
        """Return the ends of a curve."""
        survival = curve.survival[days]
        return cls(survival, float(survival[1] / max(int(curve.at_risk[days[2]]), 1)))

    @property
    def entered(self) -> float:
        """Share entered by the end."""
        return float(1 - self.survival[2])

    @property
    def to_come(self) -> float:
        """Estimated share to come of those who ever enter; 1 where entries do not thin out."""
        first, second = -np.diff(self.survival)
        if first <= second:
            return 1.0
        later = second**2 / (first - second)
        return float(later / max(self.entered + later, np.finfo(np.float64).tiny))

    def p(self, greenwood: Floats, clustered: Floats, freedom: float) -> float:
        """Return the p-value of `TO_COME` or more from covariance matrices of log survival, (3, 3).

        The share in the second stretch is compared with that which `TO_COME` would leave, given the rest of the curve.
        It is 1 where one cluster is all there is, or nobody entered by the end.
        """
        if not self.entered or not np.isfinite(clustered).all():
            return 1.0
        first, second = -np.diff(self.survival)
        level = TO_COME / (1 - TO_COME)
        share = level * self.entered
        root = np.sqrt(share**2 + 4 * share * first)
        by_first, by_share = share / root, ((share + 2 * first) / root - 1) / 2
        slope = np.array([-by_first, by_first + 1, level * by_share - 1]) * self.survival
        larger = max(clustered[2, 2] / max(greenwood[2, 2], np.finfo(np.float64).tiny), 1.0)
        added = ADDED * larger * self.one
        variance = max(slope @ greenwood @ slope, slope @ clustered @ slope) + added * larger * self.one
        excess = second + added - (root - share) / 2
        return float(stdtr(freedom, excess / np.sqrt(variance)))


def _spread(counted: CountedWaits, group: Ints, curves: list[KaplanMeier], days: Ints) -> tuple[Floats, Floats, Floats]:
    """Return covariance matrices of log survival on three days by Greenwood and by cluster, and degrees of freedom."""
    groups, horizon = len(curves), counted.horizon
    variance = np.array([curve.variance[at] for curve, at in zip(curves, days, strict=True)])
    greenwood = np.minimum(variance[:, :, None], variance[:, None, :])
    if counted.clusters is None:
        return greenwood, np.zeros_like(greenwood), np.full(groups, np.inf)
    terms = Terms.of(curves)
    until = np.minimum(np.arange(horizon + 1), days.T[:, :, None])  # (3, groups, days)
    gain = np.cumsum(terms.gain, axis=1)
    risk = np.take_along_axis(gain[None], until, axis=2)
    loss = np.where(np.arange(horizon + 1) <= days.T[:, :, None], terms.loss[:, : horizon + 1], 0.0)
    total = np.take_along_axis(terms.total, days, axis=1)
    found = pair_sums(counted.clusters, partial(_sums, risk, loss, total), group, horizon)
    return greenwood, found["covariance"], np.maximum(1 / np.where(found["shares"] > 0, found["shares"], 1.0) - 1, 1.0)


def _sums(risk: Floats, loss: Floats, total: Floats, blocks: Iterator[Clustered]) -> Arrays:
    """Return the `covariance` by cluster of log survival on three days, (groups, 3, 3), and the squared `shares`."""
    groups = len(total)
    clustered, shares = np.zeros((groups, 3, 3)), np.zeros(groups)
    for pairs in blocks:
        at_risk, entered = np.transpose([pairs.sums(*parts) for parts in zip(risk, loss, strict=True)], (1, 2, 0))
        share = at_risk / np.where(total > 0, total, 1.0)[pairs.group]
        change = left_out(at_risk - entered, share)
        for one in range(3):
            for two in range(3):
                clustered[:, one, two] += np.bincount(pairs.group, change[:, one] * change[:, two], groups)
        shares += np.bincount(pairs.group, share[:, 2] ** 2, groups)
    return {"covariance": clustered, "shares": shares}
