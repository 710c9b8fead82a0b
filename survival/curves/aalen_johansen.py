"""Aalen–Johansen: the probability of each state by day, from the numbers at risk and of moves between states.

A wait is charting (its track is on some market's chart, or was lately), left (its track has left every chart), or
entered. It may go from charting to left and back; from entered it goes nowhere.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from diffusion import SettingError
from diffusion.arrays import Flags, Floats, Ints
from diffusion.display import Displayed
from diffusion.risk.kaplan_meier import KaplanMeier


@dataclass(frozen=True, slots=True, repr=False)
class StateCounts(Displayed):
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

    Examples
    --------
    >>> counts = [np.array(row) for row in ([0, 4, 2], [0, 0, 1], [0, 1, 0], [0, 0, 0], [0, 1, 0], [0, 0, 1])]
    >>> StateCounts(*counts).at_risk
    array([0, 4, 3])
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

    def _facts(self) -> str:
        last = self.charting.shape[-1] - 1
        return f": {int(self.entered.sum()):,} entries, days 0 to {last}"

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
