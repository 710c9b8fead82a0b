"""Log-rank tests of pairs of groups, and the weights of days that all log-rank tests share."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from scipy.special import chdtrc, fdtrc

from diffusion.arrays import Flags, Floats, Ints
from diffusion.parts import Arrays
from survival.curves.clustered import Clustered, summed_by_group
from survival.curves.comparisons import add_adjusted, pairs_of
from survival.curves.grouping import Groups

Weights = Literal["log-rank", "wilcoxon", "tarone-ware", "peto", "fleming-harrington"]
WEIGHTS: tuple[Weights, ...] = get_args(Weights)

CLUSTERS_AT_ONCE: Final = 512
"""Clusters of which all pairs of groups are compared at once."""

SMALLEST: Final = 1e-10
"""Share of the largest eigenvalue below which one is rounding."""


@dataclass(frozen=True, slots=True)
class Weight:
    """Weights by day; fields as in `log_rank`."""

    name: Weights
    p: float
    q: float

    def of(self, at_risk: Floats, entered: Floats) -> Floats:
        """Return the weights from the waits at risk and entries of all groups compared; the last axis is the day."""
        if self.name == "wilcoxon":
            return at_risk
        if self.name == "tarone-ware":
            return np.asarray(np.sqrt(at_risk), np.float64)
        if self.name == "peto":
            return np.cumprod(1 - entered / (at_risk + 1), axis=-1, dtype=np.float64)
        if self.name == "fleming-harrington":
            survival = np.cumprod(1 - entered / np.maximum(at_risk, 1), axis=-1)
            before = np.concatenate([np.ones_like(survival[..., :1]), survival[..., :-1]], axis=-1)
            weight: Floats = before**self.p * (1 - before) ** self.q
            return weight
        return np.ones_like(at_risk)


def draw_variance(at_risk: Floats, entered: Floats) -> Floats:
    """Return the variance of the number of entries of one group, over its share and one minus it, by day."""
    return entered * (at_risk - entered) / np.maximum(at_risk - 1, 1)


def f_of(squares: Floats, df: int, clusters: Floats) -> Floats:
    """Return F for Q; NaN where the clusters are all alike."""
    left = np.where(clusters - squares > SMALLEST * clusters, clusters - squares, np.nan)
    f: Floats = squares * (clusters - df) / (left * df)
    return f


def pair_tests(groups: Groups, weight: Weight) -> pd.DataFrame:
    """Return the tests of all pairs of groups."""
    one, two, table = pairs_of(groups)
    at_risk, entered = groups.at_risk.astype(np.float64), groups.entered.astype(np.float64)
    observed, expected, once = (np.zeros(len(one)) for _ in range(3))
    for place, (a, b) in enumerate(zip(one, two, strict=True)):
        together, went = at_risk[a] + at_risk[b], entered[a] + entered[b]
        share, daily = at_risk[a] / np.maximum(together, 1), weight.of(together, went)
        observed[place], expected[place] = daily @ entered[a], (daily * share) @ went
        once[place] = (daily**2 * share * (1 - share)) @ draw_variance(together, went)
    table["observed"], table["expected"] = observed, expected
    score = observed - expected
    if groups.counted.clusters is None:
        table["clusters"] = pd.array([None] * len(one), "Int64")
        table["statistic"] = score**2 / np.where(once > 0, once, np.nan)
        table["p"] = chdtrc(1, table["statistic"])
    else:
        variances, numbers = _pair_variances(groups, weight)
        variance, clusters = variances[one, two], numbers[one, two]
        table["clusters"] = clusters
        squares = score**2 / np.where(variance > 0, variance, np.nan)
        table["statistic"] = f_of(squares, 1, clusters.astype(np.float64))
        table["p"] = np.where(clusters > 1, fdtrc(1, np.maximum(clusters - 1, 1), table["statistic"]), np.nan)
    add_adjusted(table)
    return table


def _pair_variances(groups: Groups, weight: Weight) -> tuple[Floats, Ints]:
    """Return, (g, g) each, the variance by clusters of the score of each pair, and the clusters compared in it."""
    found = summed_by_group(groups, partial(_variances, *_pair_values(groups, weight)))
    return found["variance"], found["clusters"]


def _variances(event: Floats, risk: Floats, blocks: Iterator[Clustered]) -> Arrays:
    """Return `variance` and `clusters` of each pair, (g, g) each; `event` and `risk` are those of `_pair_values`."""
    number = len(risk)
    variance, clusters = np.zeros((number, number)), np.zeros((number, number), np.int64)
    for clustered in blocks:
        for first in range(0, len(each := np.unique(clustered.cluster)), CLUSTERS_AT_ONCE):
            some = each[first : first + CLUSTERS_AT_ONCE]
            part = clustered.pick((clustered.cluster >= some[0]) & (clustered.cluster <= some[-1]))
            own, there = _own_parts(part, np.searchsorted(some, part.cluster), len(some), event, risk)
            variance += ((own - own.transpose(0, 2, 1)) ** 2).sum(axis=0)
            clusters += (there | there.transpose(0, 2, 1)).sum(axis=0)
    return {"variance": variance, "clusters": clusters}


def _pair_values(groups: Groups, weight: Weight) -> tuple[Floats, Floats]:
    """Return, (g, t + 1, g) each, by group, day and other group, what an entry adds to the score of the pair, and what
    being at risk from day 0 to the end of the day takes off."""
    at_risk, entered = groups.at_risk.astype(np.float64), groups.entered.astype(np.float64)
    event = np.empty((len(at_risk), at_risk.shape[1], len(at_risk)))
    risk = np.empty_like(event)
    for group in range(len(at_risk)):
        together, went = at_risk[group] + at_risk, entered[group] + entered
        value = weight.of(together, went) * at_risk / np.maximum(together, 1)
        event[group] = value.T
        risk[group] = np.cumsum(value * went / np.maximum(together, 1), axis=1).T
    return event, risk


def _own_parts(part: Clustered, cluster: Ints, clusters: int, event: Floats, risk: Floats) -> tuple[Floats, Flags]:
    """Return, (c, g, g) each, what the waits of a cluster in a group add to the score of the pair with each other
    group, and whether some of them are at risk when somebody of the two enters."""
    own = np.zeros((clusters, len(risk), len(risk)))
    there = np.zeros(own.shape, np.bool_)
    length = risk.shape[1]
    heads = np.searchsorted(part.group, np.arange(len(risk) + 1))
    changes, entered = part.changes(np.arange(len(part.group)), length)
    for group, (first, last) in enumerate(pairwise(heads)):
        at_risk = changes[first:last] @ risk[group]
        own[cluster[first:last], group] = entered[first:last] @ event[group] - at_risk
        there[cluster[first:last], group] = at_risk > 0
    return own, there
