"""The difference of two curves of time to breakthrough: of two cohorts, periods or studies that may share artists."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Self

import numpy as np
import pandas as pd
from scipy.special import stdtr

from diffusion import Entries
from diffusion.arrays import Flags, Floats, Ints
from diffusion.comparable import check_alike, common_markets, numbered_artists
from diffusion.conventions import HORIZON
from diffusion.display import Displayed
from diffusion.pairs.differences import Estimate, difference_interval, scaled
from diffusion.parts import Arrays
from diffusion.risk.clocks import Clock
from diffusion.risk.influence import left_out
from diffusion.risk.kaplan_meier import KaplanMeier
from survival.counting.source import waits
from survival.curves.areas import Area
from survival.curves.bands import FEW, Spreads, Steps, band, spreads
from survival.curves.clustered import Clustered, summed_by_group
from survival.curves.grouping import Groups, grouped

ARTISTS_AT_ONCE: Final = 1 << 15
"""Artists in both whose curves are followed day by day at once."""


@dataclass(frozen=True, slots=True, repr=False)
class CurveDifference(Displayed):
    """Share of waits that have entered, on two sides, and its difference.

    Attributes
    ----------
    table
        One row per day, from 0 to the last day that both are followed: `days`, `at_risk_a`, `at_risk_b` (waits),
        `share_a`, `low_a`, `high_a`, `share_b`, `low_b`, `high_b` (share entered by the end of the day, with its 95 %
        band), `difference` (of a less b), `low`, `high` (95 % band, for each day by itself).
    days
        Last day.
    p
        Two-sided, of the hypothesis that both shares are the same on that day; NaN where too few artists are behind one
        of them, or all is the same.
    artists_a, artists_b
        Effective numbers of artists behind the curves on that day; NaN where nobody entered.
    markets
        Number of markets that both have; only waits for these are counted.

    Examples
    --------
    >>> may = entries.subset(debut=("2021-05-01", "2021-05-31"))
    >>> survival.curve_difference(may, entries, horizon=28).days
    28
    """

    table: pd.DataFrame
    days: int
    p: float
    artists_a: float
    artists_b: float
    markets: int

    def _facts(self) -> str:
        last = self.table.iloc[-1]
        return (
            f" by day {self.days}: {last['share_a']:.1%} − {last['share_b']:.1%} = "
            f"{last['difference']:+.1%} ({last['low']:+.1%} to {last['high']:+.1%})"
        )

    def _shown(self) -> pd.DataFrame:
        return self.table


def curve_difference(a: Entries, b: Entries, *, horizon: int = HORIZON) -> CurveDifference:
    """Return the share of waits that have entered by day on two sides, and the difference with its band.

    Parameters
    ----------
    a, b
        Entries made with the same settings: of two cohorts, periods or studies. They may share tracks and artists.
    horizon
        Days of follow-up after the debut, the bound included (default 180).

    Raises
    ------
    SettingError
        When chart, cadence, or a rule of what counts as an entry differs, or the horizon is out of range.
    DataSaysNoError
        When they have fewer than two markets in common, or nobody is at risk on a side.

    Notes
    -----
    Only waits for markets that both have are counted. The curves and their bands are those of
    `survival.breakthrough`. The band of the difference is built from both and their correlation over artists, matched
    by name (`diffusion.pairs.differences.difference_interval`); where both sides are the same it is 0 to 0. Bands hold
    for each day by itself: that one leaves 0 on some day says little. `p` is of the last day alone, by a t test with
    the variance by artist and Satterthwaite's degrees of freedom.

    Examples
    --------
    >>> import diffusion
    >>> with diffusion.open_sample() as charts:
    ...     entries = charts.entries()
    >>> curve_difference(entries, entries, horizon=60)
    <CurveDifference by day 60: 0.7% − 0.7% = +0.0% (+0.0% to +0.0%)>
    """
    check_alike(a, b)
    markets = common_markets(a, b)
    one, other = (
        Curve.of(each, numbers, markets, horizon) for each, numbers in zip((a, b), numbered_artists(a, b), strict=True)
    )
    last = min(int(each.groups.followed[0]) for each in (one, other))
    estimates = [each.estimate() for each in (one, other)]
    products, differing = _together(one, other)
    squares = [each.spread.survival.variance[0] for each in (one, other)]
    low, high = difference_interval(estimates[0], estimates[1], scaled(products, squares[0], squares[1]))
    same = np.isclose(differing, 0) & one.equals(other)
    low, high = np.where(same, 0.0, low), np.where(same, 0.0, high)
    columns: dict[str, Floats | Ints] = {"days": np.arange(len(low))}
    for name, curve in (("a", one), ("b", other)):
        at_risk = curve.groups.at_risk[0].copy()
        at_risk[0] = curve.groups.opened[0, 0]
        columns[f"at_risk_{name}"] = at_risk
    for name, estimate in zip(("a", "b"), estimates, strict=True):
        columns |= {f"share_{name}": estimate.value, f"low_{name}": estimate.low, f"high_{name}": estimate.high}
    columns |= {"difference": estimates[0].value - estimates[1].value, "low": low, "high": high}
    table = pd.DataFrame(columns).iloc[: last + 1]
    artists = [float(each.spread.effective[0]) for each in (one, other)]
    tested = min(np.nan_to_num(artists)) >= FEW and not same[last]
    p = _p(one, other, last, float(differing[last])) if tested else np.nan
    return CurveDifference(table, last, p, artists[0], artists[1], len(markets))


@dataclass(frozen=True, slots=True)
class Curve:
    """The curve of one side.

    Attributes
    ----------
    groups
        The waits, in one group.
    curve
        Kaplan–Meier, (1, t + 1).
    spread
        Its spread by artist.
    artist
        (c,): number of the primary artist of each cluster, the same on both sides for the same name.
    """

    groups: Groups
    curve: KaplanMeier
    spread: Spreads
    artist: Ints

    @classmethod
    def of(cls, entries: Entries, artists: Ints, markets: tuple[str, ...], horizon: int) -> Self:
        """Return the curve of the waits for some markets; `artists`, (n,), has the number of every track's artist."""
        some = pd.DataFrame({"market": list(markets), "side": "both"})
        groups = grouped(waits(entries, horizon=horizon), some, horizon=horizon, cluster="artist")
        curve = KaplanMeier.of(groups.at_risk, groups.entered)
        clusters = groups.counted.clusters
        assert clusters is not None  # the waits were counted by artist
        of_cluster = np.full(clusters.number + 1, -1)
        of_cluster[clusters.cluster] = artists[Clock.since_debut(entries.timelines).track]
        return cls(groups, curve, spreads(groups, curve, Area.of(curve, int(groups.followed[0]))), of_cluster[:-1])

    def estimate(self) -> Estimate:
        """Return the share entered by day with its band, (t + 1,) each."""
        low, high = band(self.curve, self.spread.survival)
        return Estimate(self.curve.incidence[0], 1 - high[0], 1 - low[0])

    def equals(self, other: "Curve") -> bool:
        """Return whether as many waits begin, end and end with an entry on each day."""
        return all(
            np.array_equal(getattr(self.groups, part), getattr(other.groups, part))
            for part in ("opened", "closed", "entered")
        )

    def changes(self, wanted: Ints) -> Floats:
        """Return, (t + 1, k), by how much the logarithm of survival changes when each of k artists is left out.

        `wanted` are numbers of artists, ascending; an artist without a wait changes nothing.
        """
        return summed_by_group(self.groups, partial(_changes, Steps.of(self.curve), self.artist, wanted))["changes"]


def _changes(steps: Steps, artist: Ints, wanted: Ints, blocks: Iterator[Clustered]) -> Arrays:
    """Return `changes` as `Curve.changes`; those of artists that are not in the blocks are 0."""
    length = len(steps.gain)
    changes = np.zeros((length, len(wanted)))
    for clustered in blocks:
        own = artist[clustered.cluster]
        there: Flags = np.isin(own, wanted)
        if there.any():
            changes[:, np.searchsorted(wanted, own[there])] = _followed(clustered.pick(there), steps, length)
    return {"changes": changes}


def _followed(waits: Clustered, steps: Steps, length: int) -> Floats:
    """Return, (t + 1, p), the changes of clusters of one group."""
    changed, entered = waits.daily(length)
    own = np.cumsum(np.cumsum(changed, axis=0) * steps.gain, axis=0)
    return left_out(own - np.cumsum(entered * steps.loss, axis=0), own / steps.total)


def _together(a: Curve, b: Curve) -> tuple[Floats, Floats]:
    """Return, (t + 1,) each, sums over artists: of the product of what they change on both sides, and of the squared
    difference of what they change in the shares entered."""
    products, differing = np.zeros((2, a.curve.staying.shape[1]))
    staying = [each.curve.survival[0][:, None] for each in (a, b)]
    every = np.union1d(a.artist, b.artist)
    for first in range(0, len(every), ARTISTS_AT_ONCE):
        some = every[first : first + ARTISTS_AT_ONCE]
        one, other = (np.nan_to_num(each.changes(some), posinf=0.0) for each in (a, b))
        products += (one * other).sum(axis=1)
        differing += ((staying[0] * one - staying[1] * other) ** 2).sum(axis=1)
    return products, differing


def _p(a: Curve, b: Curve, day: int, differing: float) -> float:
    """Return p of the hypothesis that the shares on a day are the same; `differing` is the variance by artist."""
    own, free = [], []
    for each in (a, b):
        spread = each.spread.survival
        own.append(float(spread.variance[0, day] * each.curve.survival[0, day] ** 2))
        free.append(max(float(spread.freedom[0, day]), 1.0))
    difference = float(a.curve.incidence[0, day] - b.curve.incidence[0, day])
    df = sum(own) ** 2 / sum(variance**2 / number for variance, number in zip(own, free, strict=True))
    return float(2 * stdtr(df, -abs(difference) / np.sqrt(differing)))
