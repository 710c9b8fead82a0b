"""What the lag curves of one source and their bands are made of: sums over disjoint sets of whole clusters."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Days, Flags, Ints
from diffusion.pairs.variance import daily_sums, source_correction
from diffusion.risk.follow_up import UNSEEN, FollowUp
from diffusion.risk.kaplan_meier import KaplanMeier
from diffusion.risk.risk_set import exposure_risk
from diffusion.timelines import Timelines


@dataclass(frozen=True, slots=True)
class Exposed:
    """Follow-up of the k timed entries into one source, in m targets.

    Attributes
    ----------
    days, entered
        (k, m): as in `diffusion.risk.risk_set.RiskSet`.
    cluster
        (k,): clusters of the entries' tracks.
    longest
        Longest follow-up in days.
    """

    days: Days
    entered: Flags
    cluster: NDArray[np.int64]
    longest: int

    @classmethod
    def of(cls, timelines: Timelines, source: str, window: int) -> Self:
        """Return the follow-up after the timed entries into a market, by its code."""
        follow_up = FollowUp.of_exposures(timelines, window)
        entries = np.flatnonzero(timelines.timed & (timelines.market == timelines.markets.index(source)))
        risk = exposure_risk(timelines, follow_up, entries)
        return cls(risk.days, risk.entered, timelines.cluster[timelines.track[entries]], follow_up.longest)

    def ends(self) -> dict[str, Ints]:
        """Return the numbers of tracks ``entered`` and ``censored`` by target and day of follow-up, (m, days) each."""
        markets, length, seen = self.days.shape[1], self.longest + 1, self.days != UNSEEN
        cell = ((self.entered * markets + np.arange(markets)) * length + self.days)[seen]
        censored, entered = np.bincount(cell, minlength=2 * markets * length).reshape(2, markets, length)
        return {"entered": entered, "censored": censored}

    def sums(self, entered: Ints, censored: Ints, targets: Sequence[int]) -> dict[str, NDArray[Any]]:
        """Return the sums over clusters that the bands of some targets need.

        Parameters
        ----------
        entered, censored
            Sums of `ends` over all clusters.

        Returns
        -------
        dict
            The fields of `diffusion.pairs.variance.Several`, (m,) each; and by target and day, (m, days), ``variance``
            and ``there`` (clusters at risk), with ``clusters``, (m,), as `daily_sums` returns them.
        """
        several = source_correction(self.days, self.entered, self.cluster, entered, censored)
        variance, there = np.zeros(entered.shape), np.zeros(entered.shape, np.int64)
        clusters = np.zeros(len(entered), np.int64)
        for target in targets:
            seen = self.days[:, target] != UNSEEN
            if seen.any():
                curve = curve_of(entered[target], censored[target])
                own = slice(len(curve.staying))
                variance[target, own], there[target, own], clusters[target] = daily_sums(
                    self.days[seen, target], self.entered[seen, target], self.cluster[seen], curve
                )
        corrections = {one.name: getattr(several, one.name) for one in fields(several)}
        return {**corrections, "variance": variance, "there": there, "clusters": clusters}


def curve_of(entered: Ints, censored: Ints) -> KaplanMeier:
    """Return the curve of one pair up to its last day of follow-up, from all days."""
    length = int(np.flatnonzero(entered + censored)[-1]) + 1
    return KaplanMeier.of_ends(entered[:length], censored[:length])
