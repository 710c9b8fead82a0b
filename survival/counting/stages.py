"""Stages of a track: stretches of its clock on which the set of markets entered so far does not change."""

from dataclasses import dataclass

import numpy as np

from diffusion.arrays import Flags, Ints
from diffusion.risk.clocks import Clock
from diffusion.risk.risk_set import OwnEntries
from diffusion.timelines import Timelines


@dataclass(frozen=True, slots=True)
class Stages:
    """Stages of the tracks of a clock, in order of track and day; arrays are (j,), days count from the anchor.

    Attributes
    ----------
    track
        Index of the track in the clock.
    since, until
        The set of markets holds on the days ``since < day ≤ until``.
    """

    track: Ints
    since: Ints
    until: Ints


def stages_of(
    timelines: Timelines, clock: Clock, landmark: int, horizon: int, *, updated: bool
) -> tuple[Stages, Flags]:
    """Return the stages of all tracks and, (j, m), whether a market was entered by the start of each stage.

    Parameters
    ----------
    landmark
        Day of the clock on which the first stage begins; at the earliest with the anchor.
    horizon
        Last day of the clock.
    updated
        Whether each later day with an entry begins a stage; else every track has one.
    """
    own = OwnEntries.of(timelines, clock.track)
    passed = clock.passed.astype(np.int64)
    begin = np.maximum(landmark - passed, 0)
    lag = timelines.day[own.entry].astype(np.int64) - clock.anchor[own.row]
    later = (lag > begin[own.row]) & (lag < horizon - passed[own.row]) & updated
    row, day = own.row[later], lag[later]
    new = np.r_[np.ones(min(len(row), 1), np.bool_), (row[1:] != row[:-1]) | (day[1:] != day[:-1])]
    number = np.bincount(row[new], minlength=len(clock.track))
    base = np.arange(len(clock.track)) + np.cumsum(number) - number
    stage = row + np.cumsum(new)
    known = lag <= begin[own.row]
    # whole numbers of 16 bits wrap around, and their differences stay right
    seen = np.zeros((len(base) + int(number.sum()), len(timelines.markets)), np.uint16)
    seen[base[own.row[known]], own.market[known]] = 1
    seen[stage, own.market[later]] = 1
    track = np.repeat(np.arange(len(base)), number + 1)
    since = begin[track]
    since[stage] = day
    until = np.r_[since[1:], 0]
    until[np.append(base[1:], len(since)) - 1] = horizon
    if not updated:
        return Stages(track, since, until), seen > 0
    np.cumsum(seen, axis=0, out=seen)
    before = np.vstack([np.zeros_like(seen[:1]), seen])[base]
    return Stages(track, since, until), (seen - before[track]) > 0
