"""Waits by state, counted straight from first entries and absences."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from diffusion import Absences
from diffusion.arrays import Floats, Ints
from diffusion.parts import Arrays
from diffusion.timelines import NEVER, NOT_ENTERED, Timelines, expanded
from survival.counting.cells import Cells
from survival.counting.counted import ClusterWaits
from survival.counting.spans import Episodes
from survival.curves.aalen_johansen import AalenJohansen, StateCounts
from survival.curves.grouping import Groups
from survival.curves.state_bands import ClusterCounts, influence_sums

PART: Final = "part of the time"
"""Name of the column that says the part of each cell."""

PARTS: Final = ("all", "away", "leaving", "returning", "after")
"""All time at risk; time away; the days of leaving, and of coming back; and all time after the first leaving."""

IN_STATES: Final = 4
"""The first parts: those that probabilities of states are made of."""

AT_ONCE: Final = 1_024
"""Pairs of a cluster and a group in one block of days."""


@dataclass(frozen=True, slots=True)
class TimesAway:
    """When tracks are away from every market's chart, as parts of their time; arrays are (a,), in order.

    Attributes
    ----------
    track
        Index of the track in `Timelines`.
    left, back
        Day from 1970-01-01 on which it left, and on which it is back; `NOT_ENTERED` where it is not seen again.
    terminal
        Whether tracks that have left are no longer at risk.
    """

    track: Ints
    left: Ints
    back: Ints
    terminal: bool

    @classmethod
    def of(cls, timelines: Timelines, absences: Absences, *, terminal: bool) -> Self:
        """Return the absences of tracks as they were known on the last day of `timelines`."""
        table, until = absences.table, int(timelines.span_last.max(initial=NEVER))
        at = pc.index_in(table["track_id"], pa.array(timelines.track_ids, pa.string()))
        track = pc.fill_null(at, -1).to_numpy().astype(np.int64)
        left, back = (
            pc.fill_null(table[name].cast(pa.int32()), int(NOT_ENTERED)).to_numpy().astype(np.int64)
            for name in ("left_on", "back_on")
        )
        known = (track >= 0) & (left <= until)
        order = np.lexsort((left[known], track[known]))
        back = np.where(back <= until, back, NOT_ENTERED)
        track, left, back = (part[known][order] for part in (track, left, back))
        return cls(track, left, back, terminal)

    def divided(self, timelines: Timelines, episodes: Episodes, cells: Cells) -> tuple[Episodes, Cells]:
        """Return the episodes of all `PARTS`, and cells whose values say the part too."""
        absence, sizes = expanded(
            *(np.searchsorted(self.track, episodes.track, side=side) for side in ("left", "right"))
        )
        episode = np.repeat(np.arange(len(sizes)), sizes)
        left, back = (part[absence] - episodes.anchor[episode] for part in (self.left, self.back))
        kept = back > 0
        episode, left, back = episode[kept], left[kept], back[kept]
        first = np.diff(episode, prepend=-1) > 0
        once, when = episode[first], left[first]
        until = episodes.until.copy()
        if self.terminal:
            until[once] = np.minimum(until[once], when)
            limits = {"leaving": (once, when - 1, when)}
        else:
            limits = {"away": (episode, left, back), "leaving": (episode, left - 1, left)}
            limits |= {"returning": (episode, back - 1, back), "after": (once, when, until[once])}
        limits["all"] = (np.arange(len(sizes)), episodes.since, until)
        nothing = (np.zeros(0, np.int64),) * 3
        return _joined(episodes, [_within(episodes, *limits.get(name, nothing)) for name in PARTS], cells)


def _within(episodes: Episodes, episode: Ints, since: Ints, until: Ints) -> tuple[Ints, Ints, Ints]:
    """Return episode, since, until of parts of episodes, without those that have no day."""
    since, until = np.maximum(since, episodes.since[episode]), np.minimum(until, episodes.until[episode])
    there = since < until
    return episode[there], since[there], until[there]


def _joined(episodes: Episodes, parts: list[tuple[Ints, Ints, Ints]], cells: Cells) -> tuple[Episodes, Cells]:
    """Return the parts of episodes as episodes of their own, with kinds and cells of their own."""
    kinds, number = len(cells.cell), len(cells.values)
    of = np.concatenate([episode for episode, _, _ in parts])
    shift = np.repeat(np.arange(len(parts)), [len(episode) for episode, _, _ in parts])
    kind = episodes.kind[of] + shift * kinds
    since, until = (np.concatenate([part[at] for part in parts]) for at in (1, 2))
    cell = np.concatenate([np.where(cells.cell >= 0, cells.cell + at * number, -1) for at in range(len(parts))])
    values = pd.concat([cells.values.assign(**{PART: name}) for name in PARTS], ignore_index=True)
    found = Episodes(episodes.track[of], episodes.anchor[of], episodes.passed[of], since, until, kind)
    return found, Cells(kind, cell, values)


@dataclass(frozen=True)
class StateGroups:
    """Waits by group and part of the time.

    Attributes
    ----------
    groups
        Waits by group, counted in `PARTS`.
    place
        Of each cell: index of the part times the number of groups, plus the index of the group; −1 for no group.
    horizon
        Last day that counts.
    """

    groups: Groups
    place: Ints
    horizon: int

    @classmethod
    def of(cls, groups: Groups) -> Self:
        """Return the groups of waits that were counted in parts."""
        part = pd.Index(PARTS).get_indexer(pd.Index(groups.counted.values[PART]))
        place = np.where(groups.of_cell >= 0, part * len(groups.names) + groups.of_cell, -1)
        return cls(groups, place, groups.opened.shape[1] - 1)

    def summed(self, counts: Ints) -> Ints:
        """Return counts of cells, (cells, days), by part and group, (parts, g, days up to the horizon)."""
        total = np.zeros((len(PARTS) * len(self.groups.names), self.horizon + 1), np.int64)
        kept = self.place >= 0
        np.add.at(total, self.place[kept], counts[kept, : self.horizon + 1])
        return total.reshape(len(PARTS), len(self.groups.names), -1)

    def counts(self) -> tuple[StateCounts, Ints]:
        """Return waits at risk and moves by group and day, and entries of tracks that had left once, (g, t + 1)."""
        at_risk, entered = (self.summed(part) for part in (self.groups.counted.at_risk, self.groups.counted.entered))
        return StateCounts(*_states(at_risk, entered)), entered[PARTS.index("after")]

    def influences(self, fit: AalenJohansen) -> Arrays:
        """Return `influence_sums` of all clusters."""
        clusters = self.groups.counted.clusters
        assert clusters is not None  # the waits were counted by clusters
        return clusters.summed(partial(_influences, fit, self.place, len(self.groups.names), self.horizon + 1))


@dataclass(frozen=True, slots=True)
class Absent:
    """Absences of any tracks; they divide the time of those tracks that are counted, as `TimesAway`.

    Attributes
    ----------
    absences
        When tracks left every chart.
    terminal
        As in `TimesAway`.
    """

    absences: Absences
    terminal: bool

    def divided(self, timelines: Timelines, episodes: Episodes, cells: Cells) -> tuple[Episodes, Cells]:
        """Return the episodes of all `PARTS`, and cells whose values say the part too."""
        return TimesAway.of(timelines, self.absences, terminal=self.terminal).divided(timelines, episodes, cells)


def _influences(fit: AalenJohansen, place: Ints, groups: int, length: int, blocks: Iterator[ClusterWaits]) -> Arrays:
    return influence_sums(fit, (pairs for waits in blocks for pairs in by_pair(waits, place, groups, length)))


def _states(at_risk: NDArray[Any], entered: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return the counts of `StateCounts` from those at risk and entered in the first `PARTS`."""
    every, away, leaving, returning = at_risk[:IN_STATES]
    entered_away = entered[1]
    return every - away, away, leaving, returning - entered[3], entered[0] - entered_away, entered_away


def by_pair(waits: ClusterWaits, place: Ints, groups: int, length: int) -> Iterator[ClusterCounts]:
    """Yield the counts of pairs of a group and a cluster, in order, block by block."""
    at, event = place[waits.cell], place[waits.event_cell]
    kept = (at >= 0) & (at < IN_STATES * groups) & (waits.start < length - 1)
    went = (event >= 0) & (event < IN_STATES * groups) & (waits.event_days < length)
    part, group = np.divmod(at[kept], groups)
    event_part, event_group = np.divmod(event[went], groups)
    number = int(waits.cluster.max(initial=0)) + 1
    keys, pair = np.unique(group * number + waits.cluster[kept], return_inverse=True)
    event_pair = np.searchsorted(keys, event_group * number + waits.event_cluster[went])
    days = np.minimum(waits.days[kept], length - 1)
    risks, events = (
        columns[:, np.argsort(columns[0], kind="stable")]
        for columns in (
            np.stack([pair, part, waits.start[kept], days, waits.count[kept]]),
            np.stack([event_pair, event_part, waits.event_days[went]]),
        )
    )
    for first in range(0, len(keys), AT_ONCE):
        shape = (IN_STATES, length, min(AT_ONCE, len(keys) - first))
        own, ours = (
            columns[:, slice(*np.searchsorted(columns[0], [first, first + AT_ONCE]))] for columns in (risks, events)
        )
        own[0] -= first
        ours[0] -= first
        yield ClusterCounts(keys[first : first + AT_ONCE] // number, *_states(*_daily(own, ours, shape)))


def _daily(risks: Ints, events: Ints, shape: tuple[int, int, int]) -> tuple[Floats, Floats]:
    """Return waits at risk and entries by part, day and pair, from pair, part, start, days and count; and part, day."""
    _, length, pairs = shape
    pair, part, start, days, count = risks
    row = part * length
    opened = np.bincount((row + start) * pairs + pair, count, int(np.prod(shape)))
    opened -= np.bincount((row + days) * pairs + pair, count, int(np.prod(shape)))
    at_risk, began = np.zeros(shape), opened.reshape(shape)
    for day in range(1, length):  # quicker than a sum along this axis
        np.add(at_risk[:, day - 1], began[:, day - 1], out=at_risk[:, day])
    pair, part, day_of = events
    entered = np.bincount((part * length + day_of) * pairs + pair, minlength=int(np.prod(shape)))
    return at_risk, entered.reshape(shape).astype(np.float64)
