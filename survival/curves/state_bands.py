"""Bands of the share of waits that entered, by Aalen–Johansen, when waits of one artist or track are dependent."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from diffusion.arrays import Floats, Ints
from diffusion.display import Displayed
from diffusion.pairs.curves import independent_interval
from diffusion.pairs.variance import Spread
from diffusion.parts import Arrays
from diffusion.risk.influence import left_out
from survival.curves.aalen_johansen import AalenJohansen
from survival.curves.bands import ROUNDING, band


@dataclass(frozen=True, slots=True, repr=False)
class ClusterCounts(Displayed):
    """Counts of p clusters by day, (t + 1, p) each, as in `StateCounts`; each cluster belongs to one of the curves.

    Attributes
    ----------
    curve
        (p,): index of the curve.
    charting, left, leave, come_back, enter_charting, enter_left
        As in `StateCounts`.

    Examples
    --------
    >>> import numpy as np
    >>> ClusterCounts(np.zeros(2, int), *[np.zeros((61, 2))] * 6)
    <ClusterCounts of 2 clusters, days 0 to 60>
    """

    curve: Ints
    charting: Floats
    left: Floats
    leave: Floats
    come_back: Floats
    enter_charting: Floats
    enter_left: Floats

    def _facts(self) -> str:
        days, clusters = self.charting.shape
        return f" of {clusters:,} clusters, days 0 to {days - 1}"


def influence(fit: AalenJohansen, clusters: ClusterCounts) -> tuple[Floats, Floats]:
    """Return, (t + 1, p) each, the influence of clusters on `entered` by day, and their share of the entries expected.

    The influence is the derivative of the probability by the cluster's weight.

    Parameters
    ----------
    fit
        g curves; arrays are (g, t + 1).

    References
    ----------
    Infinitesimal jackknife, as in R's `survfit`: Therneau, Crowson & Atkinson 2024, Multi-state models and competing
    risks (vignette of the package survival), https://cran.r-project.org/package=survival.
    """
    curve, counts = clusters.curve, fit.counts
    chance = {key: np.ascontiguousarray(part.T) for key, part in fit.chance.items()}
    weight = {
        name: np.where(at_risk > 0, np.roll(getattr(fit, name), 1, axis=1) / np.maximum(at_risk, 1), 0.0).T
        for name, at_risk in (("charting", counts.charting), ("left", counts.left))
    }
    found, share = np.zeros_like(clusters.charting), np.zeros_like(clusters.charting)
    of_charting, of_left = _at_start(fit, clusters)
    found[0] = -of_charting - of_left
    for day in range(1, len(found)):
        move = {key: part[day, curve] for key, part in chance.items()}
        one, two = weight["charting"][day, curve], weight["left"][day, curve]
        there, away = clusters.charting[day], clusters.left[day]
        go = one * (clusters.leave[day] - there * move["charting", "left"])
        back = two * (clusters.come_back[day] - away * move["left", "charting"])
        enter = one * (clusters.enter_charting[day] - there * move["charting", "entered"])
        enter_left = two * (clusters.enter_left[day] - away * move["left", "entered"])
        of_charting, of_left = (
            of_charting * move["charting", "charting"] + of_left * move["left", "charting"] - go - enter + back,
            of_charting * move["charting", "left"] + of_left * move["left", "left"] + go - back - enter_left,
        )
        found[day] = -of_charting - of_left
        expected = one * there * move["charting", "entered"] + two * away * move["left", "entered"]
        share[day] = share[day - 1] + expected
    total = fit.entered.T[:, curve]
    share /= np.where(total > 0, total, 1.0)
    return found, share


def _at_start(fit: AalenJohansen, clusters: ClusterCounts) -> tuple[Floats, Floats]:
    """Return, (p,) each, the influence on the shares charting and left at the start."""
    first, at = fit.counts.first[clusters.curve], np.arange(len(clusters.curve))
    number = np.maximum(fit.counts.at_risk[clusters.curve, first], 1)
    charting, left = clusters.charting[first, at], clusters.left[first, at]
    start = fit.charting[clusters.curve, 0]
    one: Floats = (charting - start * (charting + left)) / number
    return one, -one


def entered_band(fit: AalenJohansen, clusters: Iterable[ClusterCounts] | None) -> tuple[Floats, Floats, Floats]:
    """Return the 95 % band of `entered` by day, (g, t + 1) each, and the effective number of clusters, (g,).

    Parameters
    ----------
    fit
        g curves; arrays are (g, t + 1).
    clusters
        All clusters, in blocks in order of curve; each cluster of a curve is in one block only. None where waits are
        independent; the effective number is then not known.

    Notes
    -----
    This is `survival.curves.bands.band` with the influence of clusters on `entered`: its squares, each divided by one
    minus the cluster's share of the entries expected, are summed up to the variance. Degrees of freedom and the
    effective number are as in `survival.curves.bands.spreads`. With independent waits the variance is that of
    `AalenJohansen`, and the quantile is normal.
    """
    if clusters is None:
        return *independent_interval(fit.kaplan_meier(fit.variance)), np.full(len(fit.entered), np.nan)
    return band_of_sums(fit, influence_sums(fit, clusters))


def influence_sums(fit: AalenJohansen, clusters: Iterable[ClusterCounts]) -> Arrays:
    """Return sums over clusters, by group and day, (g, t + 1): of squared influences (`variance`) and shares
    (`shares`), and of clusters at risk (`at_risk`); and of influences on the last day to the powers 2 and 4, (g,)
    (`squares`, `fourths`)."""
    variance, shares, at_risk = np.zeros_like(fit.entered), np.zeros_like(fit.entered), np.zeros_like(fit.counts.left)
    squares, fourths = np.zeros(len(fit.entered)), np.zeros(len(fit.entered))
    for block in clusters:
        found, share = influence(fit, block)
        heads = np.flatnonzero(np.diff(block.curve, prepend=-1))
        of = block.curve[heads]
        there = (block.charting + block.left > 0).astype(np.int64)
        for total, part in ((variance, left_out(found, share) ** 2), (shares, share**2), (at_risk, there)):
            total[of] += np.add.reduceat(part, heads, axis=1).T
        for last, power in ((squares, 2), (fourths, 4)):
            last[of] += np.add.reduceat(found[-1] ** power, heads)
    return {"variance": variance, "shares": shares, "at_risk": at_risk, "squares": squares, "fourths": fourths}


def band_of_sums(fit: AalenJohansen, sums: Arrays) -> tuple[Floats, Floats, Floats]:
    """Return the result of `entered_band` from the sums over all clusters, of `influence_sums`."""
    curves = fit.kaplan_meier(fit.variance)
    shares, squares, fourths = sums["shares"], sums["squares"], sums["fourths"]
    freedom = 1 / np.where(shares > 0, shares, 1.0) - 1
    spread = Spread(fit.kaplan_meier(sums["variance"]).variance, curves.variance, freedom, sums["at_risk"])
    low, high = band(curves, spread)
    least = fit.variance[:, -1]
    differ = squares > ROUNDING * least
    effective = np.where(differ, squares, 1.0) ** 2 / np.where(differ, fourths, 1.0)
    return 1 - high, 1 - low, np.where(least > 0, effective, np.nan)
