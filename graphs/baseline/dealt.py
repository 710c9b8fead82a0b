"""Entries whose markets are dealt anew among steps of one week and class of age: the slow check of the baseline."""

from typing import Final

import numpy as np

from diffusion.arrays import Ints
from diffusion.entries import Entries
from graphs.baseline.availability import Availability, Since
from graphs.baseline.fit import Baseline
from graphs.baseline.simulate import entries_with
from graphs.baseline.steps import blocks_of

EXCHANGES: Final = 60
"""Exchanges that a step is offered, about: rounds per mean number of steps of a track."""

WEEK: Final = 7
"""Days whose steps exchange their markets; on weekly charts those are of one date."""


def dealt_entries(baseline: Baseline, *, seed: int = 0) -> Entries:
    """Return entries on the same step dates, the markets of steps of one week and class of age dealt anew.

    Held are how many steps every market has in every week, by class of age; the dates of every track's steps and how
    many they are; and all entries that are no steps. Likeness and influence are not. Other than
    `graphs.baseline.simulated_entries` this needs no fitted weights. A step that finds none to exchange with stays.

    Parameters
    ----------
    seed
        Where chance starts from (default 0).

    Returns
    -------
    Entries
        With the calendar, rules, licences and artists of the baseline's entries. Ranks are those of the steps that the
        entries stand for; streams are not known.

    Notes
    -----
    In every round, steps of one week and class of age are paired at random. A pair exchanges its markets where each is
    at risk for the other track on the date of its step and the track enters it at no other time; a track takes part
    once in a round. Pairs do not depend on the markets, so that in the long run all arrangements are equally likely.
    Dates instead of weeks would leave most steps of daily charts without another to exchange with.

    Examples
    --------
    >>> graphs.baseline.dealt_entries(base, seed=1)  # base = graphs.baseline.baseline(entries)
    <Entries of top50: 11,235 in 67 markets; first appearance at any rank, washout 28 days>
    """
    generator = np.random.default_rng(seed)
    steps, lines = baseline.steps, baseline.entries.timelines
    there = np.zeros((len(lines.track_ids), len(lines.markets)), np.bool_)
    there[lines.track, lines.market] = True
    open_, stratum, market = _open(baseline), _strata(baseline), steps.market.copy()
    for _ in range(EXCHANGES * len(steps) // len(np.unique(steps.track))):
        one, other = _pairs(stratum, steps.track, generator)
        allowed = (open_[one, market[other]] > 0) & (open_[other, market[one]] > 0)
        allowed &= ~there[steps.track[one], market[other]] & ~there[steps.track[other], market[one]]
        both = np.concatenate([one[allowed], other[allowed]])
        there[steps.track[both], market[both]] = False
        market[both] = market[np.concatenate([other[allowed], one[allowed]])]
        there[steps.track[both], market[both]] = True
    held = np.setdiff1d(np.arange(len(lines.track)), steps.entry)
    return entries_with(baseline, held, market, open_[np.arange(len(steps)), market].astype(np.int32))


def _open(baseline: Baseline) -> Since:
    """Return, (k, m), days since the previous chart of every market at risk, whether or not it was entered before."""
    steps = baseline.steps
    availability = Availability.of(baseline.entries, horizon=baseline.horizon)
    open_ = np.empty_like(steps.since)
    for rows in blocks_of(len(steps)):
        nothing = np.zeros_like(steps.entered[rows])
        open_[rows] = availability.since(steps.track[rows], steps.day[rows], nothing)
    return open_


def _strata(baseline: Baseline) -> Ints:
    """Return the number of every step's week and class of age, (k,)."""
    steps = baseline.steps
    age, _ = baseline.full.cell(steps.day, steps.age)
    return (steps.day.astype(np.int64) // WEEK) * len(baseline.full.ages) + age


def _pairs(stratum: Ints, track: Ints, generator: np.random.Generator) -> tuple[Ints, Ints]:
    """Return steps paired at random within strata, no track in two pairs."""
    order = generator.permutation(len(stratum))
    order = order[np.argsort(stratum[order], kind="stable")]
    place = np.arange(len(order)) - np.searchsorted(stratum[order], stratum[order])
    first = np.flatnonzero((place[:-1] % 2 == 0) & (stratum[order[1:]] == stratum[order[:-1]]))
    generator.shuffle(first)
    pairs = np.stack([order[first], order[first + 1]], axis=1)
    # the earliest pair of every track: of several writes to one place the last one stays
    earliest = np.empty(int(track.max()) + 1, np.int64)
    number = np.arange(len(pairs))[:, None]
    earliest[track[pairs[::-1]]] = number[::-1]
    once = (earliest[track[pairs]] == number).all(axis=1) & (track[pairs[:, 0]] != track[pairs[:, 1]])
    return pairs[once, 0], pairs[once, 1]
