"""Aalen–Johansen: the probability of each state by day, from the numbers at risk and of moves between states.

A wait is charting (its track is on some market's chart, or was lately), left (its track has left every chart), or
entered. It may go from charting to left and back; from entered it goes nowhere.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from diffusion import SettingError
from diffusion.arrays import Flags, Floats, Ints
from diffusion.pairs.curves import independent_interval
from diffusion.risk.kaplan_meier import KaplanMeier


@dataclass(frozen=True, slots=True)
class StateCounts:
    """Waits at risk and their moves, by day; (…, t + 1) each, from day 0, on which nobody is at risk.

    Attributes
    ----------
    charting, left
        Waits at risk on the day in these states.
    leave
        Moves from charting to left on the day.
    come_back
        Moves from left to charting.
    enter_charting, enter_left
        Entries from these states.
    """

    charting: Ints
    left: Ints
    leave: Ints
    come_back: Ints
    enter_charting: Ints
    enter_left: Ints

    def __post_init__(self) -> None:
        for state, moves in (
            ("charting", self.leave + self.enter_charting),
            ("left", self.come_back + self.enter_left),
        ):
            if (moves > getattr(self, state)).any():
                raise SettingError(f"on some day more waits move from the state '{state}' than are in it")

    @property
    def at_risk(self) -> Ints:
        """Waits at risk on the day."""
        total: Ints = self.charting + self.left
        return total

    @property
    def entered(self) -> Ints:
        """Entries on the day."""
        total: Ints = self.enter_charting + self.enter_left
        return total

    @property
    def first(self) -> Ints:
        """First day with a wait at risk; 0 where there is none."""
        day: Ints = (self.at_risk > 0).argmax(axis=-1)
        return day


@dataclass(frozen=True, slots=True)
class AalenJohansen:
    """Probabilities of states by day, and what moves them; the last axis of every array is the day.

    Attributes
    ----------
    counts
        What they are made from.
    charting, left, entered
        Probability of each state at the end of the day.
    chance
        From and to state → share of those at risk in the first state that move to the second on the day; from
        ``charting`` and ``left`` to all three.
    variance
        Variance of `entered` where waits are independent.
    """

    counts: StateCounts
    charting: Floats
    left: Floats
    entered: Floats
    chance: dict[tuple[str, str], Floats]
    variance: Floats

    @classmethod
    def of(cls, counts: StateCounts) -> Self:
        """Return the probabilities from the numbers at risk in each state on each day, and of moves on it.

        Notes
        -----
        Delayed entry is allowed, and all that happens on one day happens at once: ties need no order. Before the first
        day with anybody at risk, the shares are those of that day. Where nobody is at risk in a state, its probability
        stays as it is.

        References
        ----------
        Aalen & Johansen 1978, Scandinavian Journal of Statistics 5, 141–150. The variance: Andersen, Borgan, Gill &
        Keiding 1993, Statistical Models Based on Counting Processes, §IV.4.1.3, doi 10.1007/978-1-4612-4348-9.

        Examples
        --------
        Of four waits one enters on day 1; one leaves on day 1, and enters on day 2:

        >>> zero = np.zeros(3, int)
        >>> counts = StateCounts(
        ...     charting=np.array([0, 4, 2]), left=np.array([0, 0, 1]), leave=np.array([0, 1, 0]), come_back=zero,
        ...     enter_charting=np.array([0, 1, 0]), enter_left=np.array([0, 0, 1]),
        ... )
        >>> fit = AalenJohansen.of(counts)
        >>> fit.charting.tolist(), fit.left.tolist(), fit.entered.tolist()
        ([1.0, 0.5, 0.5], [0.0, 0.25, 0.0], [0.0, 0.25, 0.5])
        """
        chance = _chances(counts)
        start = _start(counts)
        state = np.zeros((3, *counts.charting.shape))
        state[0, ..., 0], state[1, ..., 0] = start, 1 - start
        number = np.maximum(np.take_along_axis(counts.at_risk, counts.first[..., None], axis=-1)[..., 0], 1)
        variance = np.zeros(counts.charting.shape)
        spread = _multinomial([start, 1 - start, np.zeros_like(start)]) / number[..., None, None]
        variance[..., 0] = spread[..., 2, 2]
        for day in range(1, counts.charting.shape[-1]):
            move = np.zeros((*start.shape, 3, 3))
            move[..., 2, 2] = 1
            new = np.zeros_like(spread)
            for at, name in enumerate(("charting", "left")):
                row = [chance[name, to][..., day] for to in ("charting", "left", "entered")]
                move[..., at, :] = np.stack(row, axis=-1)
                weight = state[at, ..., day - 1] ** 2 / np.maximum(getattr(counts, name)[..., day], 1)
                new += weight[..., None, None] * _multinomial(row)
            state[..., day] = np.einsum("i...,...ij->j...", state[..., day - 1], move)
            spread = np.swapaxes(move, -1, -2) @ spread @ move + new
            variance[..., day] = spread[..., 2, 2]
        return cls(counts, state[0], state[1], state[2], chance, variance)

    @property
    def over(self) -> Flags:
        """Whether all have entered."""
        flags: Flags = self.charting + self.left == 0
        return flags

    def kaplan_meier(self, variance: Floats) -> KaplanMeier:
        """Return the probability of no entry as a Kaplan–Meier curve, for the intervals made of one.

        `variance` is a variance of `entered`.
        """
        day = np.arange(self.entered.shape[-1])
        last = np.maximum.accumulate(np.where(self.over, 0, day), axis=-1)
        staying, spread = (
            np.take_along_axis(values, last, axis=-1) for values in (self.charting + self.left, variance)
        )
        return KaplanMeier(self.counts.at_risk, staying, self.over, spread / staying**2, np.zeros_like(staying))


def _chances(counts: StateCounts) -> dict[tuple[str, str], Floats]:
    """Return the share of those at risk in a state that move to another, or stay."""
    chance = {}
    moves = {
        ("charting", "left"): (counts.leave, counts.enter_charting),
        ("left", "charting"): (counts.come_back, counts.enter_left),
    }
    for (state, other), (go, enter) in moves.items():
        at_risk = getattr(counts, state)
        some = np.maximum(at_risk, 1)
        chance[state, state] = np.where(at_risk > 0, (at_risk - go - enter) / some, 1.0)
        chance[state, other], chance[state, "entered"] = go / some, enter / some
    return chance


def _start(counts: StateCounts) -> Floats:
    """Return the share that is charting on the first day with anybody at risk; 1 where there is none."""
    charting, at_risk = (
        np.take_along_axis(part, counts.first[..., None], axis=-1)[..., 0] for part in (counts.charting, counts.at_risk)
    )
    return np.where(at_risk > 0, charting / np.maximum(at_risk, 1), 1.0)


def _multinomial(shares: list[Floats]) -> Floats:
    """Return, (…, 3, 3), the covariance of one draw with these probabilities."""
    row = np.stack(shares, axis=-1)
    own: Floats = row[..., None] * np.eye(3) - row[..., None] * row[..., None, :]
    return own


@dataclass(frozen=True, slots=True)
class ClusterCounts:
    """Counts of p clusters by day, (t + 1, p) each, as in `StateCounts`; each cluster belongs to one of the curves.

    Attributes
    ----------
    curve
        (p,): index of the curve.
    charting, left, leave, come_back, enter_charting, enter_left
        As in `StateCounts`.
    """

    curve: Ints
    charting: Floats
    left: Floats
    leave: Floats
    come_back: Floats
    enter_charting: Floats
    enter_left: Floats


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
        share[day] = one * there * move["charting", "entered"] + two * away * move["left", "entered"]
    total = fit.entered.T[:, curve]
    share = np.cumsum(share, axis=0) / np.where(total > 0, total, 1.0)
    return found, share


def _at_start(fit: AalenJohansen, clusters: ClusterCounts) -> tuple[Floats, Floats]:
    """Return, (p,) each, the influence on the shares charting and left at the start."""
    first, at = fit.counts.first[clusters.curve], np.arange(len(clusters.curve))
    number = np.maximum(fit.counts.at_risk[clusters.curve, first], 1)
    charting, left = clusters.charting[first, at], clusters.left[first, at]
    start = fit.charting[clusters.curve, 0]
    one: Floats = (charting - start * (charting + left)) / number
    return one, -one


def aalen_johansen(counts: StateCounts) -> pd.DataFrame:
    """Return the probability of each state by day, with the 95 % interval of entry, for independent waits.

    Parameters
    ----------
    counts
        Numbers by day, (t + 1,) each.

    Returns
    -------
    DataFrame
        One row per day: `days`, `at_risk_charting`, `at_risk_left`, `charting`, `left`, `entered` (probabilities; their
        sum is 1), `low`, `high` (bounds of `entered` on each day by itself, on the log(−log) scale).

    Notes
    -----
    See `AalenJohansen.of`. Waits of one track are dependent: `survival.states` has intervals by artist.
    """
    fit = AalenJohansen.of(counts)
    low, high = independent_interval(fit.kaplan_meier(fit.variance))
    return pd.DataFrame(
        {
            "days": np.arange(len(fit.entered)),
            "at_risk_charting": counts.charting,
            "at_risk_left": counts.left,
            "charting": fit.charting,
            "left": fit.left,
            "entered": fit.entered,
            "low": low,
            "high": high,
        }
    )
