"""Times at risk counted straight from first entries: tracks that do not enter are counted, not listed.

The time at risk of a track that never enters depends only on the day from which it is followed, the market, and the
limits of its episode. Episodes alike in these are counted together. Each entry then corrects one time at risk.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from scipy.sparse import csr_array

from diffusion.arrays import Days, Flags, Floats, Ints
from diffusion.risk.clocks import Clock
from diffusion.risk.follow_up import FollowUp
from diffusion.risk.risk_set import OwnEntries, fates
from diffusion.timelines import Timelines, expanded
from survival.counting.counted import Events

CELLS_AT_ONCE: Final = 1 << 21
"""Most waits, or values of them, in one block."""

LARGEST: Final = 1 << 62
"""Largest whole number that a combination of keys may become."""


@dataclass(frozen=True, slots=True)
class Episodes:
    """Stretches of the clock on which a track's variables do not change; arrays are (k,), days count from the anchor.

    A track has one episode, or one after the other when its variables change, or several at once when it is counted in
    several groups.

    Attributes
    ----------
    track, anchor, passed
        As in `diffusion.risk.clocks.Clock`.
    since, until
        The track is at risk in this episode on the days ``since < day ≤ until``.
    kind
        Row of the table of cells: the combination of the track's variables.
    """

    track: Ints
    anchor: Days
    passed: Days
    since: Ints
    until: Ints
    kind: Ints


@dataclass(frozen=True, slots=True)
class Field:
    """Follow-up of tracks that never enter, and the cell of each wait.

    Attributes
    ----------
    follow_up
        Follow-up by day of the anchor and market.
    cell
        (kinds, m): cell of a track of each kind in each market, −1 where the wait is left out.
    complete
        Whether only waits count that are followed from the begin to the end of their episode.
    """

    follow_up: FollowUp
    cell: Ints
    complete: bool

    def at(self, alike: "Alike", market: Ints) -> tuple[Ints, Ints, Ints, Flags]:
        """Return cell, start, stop (days from the anchor), and whether there is time at risk, for broadcast indices."""
        first, last = self.follow_up.start[alike.row, market], self.follow_up.days[alike.row, market]
        start, stop = np.maximum(first, alike.since), np.minimum(last, alike.until)
        cell = self.cell[alike.kind, market]
        there = (stop > start) & (cell >= 0)
        if self.complete:
            there &= (first <= alike.since) & (last >= alike.until)
        return cell, start, stop, there


@dataclass(frozen=True, slots=True)
class Alike:
    """What episodes share: row of the follow-up, limits, days passed at the anchor, and kind; arrays of one shape."""

    row: Ints
    since: Ints
    until: Ints
    passed: Ints
    kind: Ints

    def pick(self, at: Ints) -> "Alike":
        """Return those at the given places."""
        return Alike(*(part[at] for part in self.parts()))

    def parts(self) -> tuple[Ints, ...]:
        """Return the arrays, in order."""
        return self.row, self.since, self.until, self.passed, self.kind


@dataclass(frozen=True, slots=True)
class Corrections:
    """Times at risk that differ because the track enters or has no licence; arrays are (c,), days count on the clock.

    Attributes
    ----------
    episode, market, cell
        Episode, market, and cell of the wait.
    start, stop
        Time at risk.
    sign
        1 where this time at risk is added, −1 where it is taken away.
    """

    episode: Ints
    market: Ints
    cell: Ints
    start: Ints
    stop: Ints
    sign: Ints


@dataclass(frozen=True, slots=True)
class Spans:
    """Times at risk of all waits, counted.

    Attributes
    ----------
    alike
        (u,): distinct combinations of what episodes share.
    which
        (k,): combination of each episode.
    field
        Follow-up and cells.
    corrections
        What entries and licences change.
    events
        Entries by cell and interval.
    event_episode, event_market, event_kind
        (e,): episode and market of each entry, and its index in `events`.
    """

    alike: Alike
    which: Ints
    field: Field
    corrections: Corrections
    events: Events
    event_episode: Ints
    event_market: Ints
    event_kind: Ints

    @classmethod
    def of(
        cls, timelines: Timelines, clock: Clock, episodes: Episodes, field: Field, withheld: csr_array | None = None
    ) -> Self:
        """Return the times at risk of episodes.

        Parameters
        ----------
        withheld
            Result of `diffusion.risk.risk_set.withheld_markets` (default: all tracks are licensed everywhere).
        """
        row = _first_alike(field.follow_up)[field.follow_up.row(episodes.anchor)]
        each = Alike(row, episodes.since, episodes.until, episodes.passed.astype(np.int64), episodes.kind)
        shared, which = distinct_columns(np.stack(each.parts()))
        own = OwnEntries.of(timelines, episodes.track)
        barred = (np.empty(0, np.int64), np.empty(0, np.int64))
        if withheld is not None:
            episode, market = withheld[episodes.track].nonzero()
            barred = (episode.astype(np.int64), market.astype(np.int64))
            markets = len(timelines.markets)
            licensed = ~np.isin(own.row * markets + own.market, barred[0] * markets + barred[1])
            own = OwnEntries(own.row[licensed], own.market[licensed], own.entry[licensed])
        places = (row[own.row], own.market)
        anchor = episodes.anchor[own.row]
        lag = (timelines.day[own.entry] - anchor).astype(np.int64)
        there = clock.there(timelines, own.entry) - anchor
        early, went = fates(there, lag, field.follow_up.start[places], field.follow_up.days[places])
        out = early | went
        removed = _corrected(each, field, np.append(own.row[out], barred[0]), np.append(own.market[out], barred[1]), -1)
        added = _corrected(each, field, own.row[went], own.market[went], 1, lag[went])
        last = lag[went] + each.passed[own.row[went]]
        ended = added.there & (last == added.stop)
        before = (timelines.last_without[own.entry[went]] - anchor[went]).astype(np.int64) + each.passed[own.row[went]]
        before = np.clip(before, added.start, np.maximum(last - 1, added.start))
        kinds, kind = distinct_columns(np.stack([added.cell, last, before])[:, ended])
        return cls(
            Alike(*shared),
            which,
            field,
            Corrections(*(np.concatenate(pair) for pair in zip(removed.kept(), added.kept(), strict=True))),
            Events(kinds[0], kinds[2], kinds[1], np.bincount(kind, minlength=kinds.shape[1])),
            own.row[went][ended],
            own.market[went][ended],
            kind,
        )

    def blocks(self, width: int) -> Iterator[tuple[Ints, Ints, Ints, Ints, Flags]]:
        """Yield the times at risk of combinations in all markets: index, cell, start, stop on the clock, whether any.

        `width` is how many numbers are made of each wait, to limit the size of a block.
        """
        markets = self.field.cell.shape[1]
        step = max(CELLS_AT_ONCE // (markets * width), 1)
        for first in range(0, len(self.alike.row), step):
            index = np.arange(first, min(first + step, len(self.alike.row)))
            alike = Alike(*(part[index, None] for part in self.alike.parts()))
            cell, start, stop, there = self.field.at(alike, np.arange(markets))
            yield index, cell, start + alike.passed, stop + alike.passed, there

    def opened_closed(self, cells: int, length: int) -> tuple[Ints, Ints]:
        """Return, (cells, length) each, the times at risk that begin after each day, and that end with it."""
        number = np.bincount(self.which, minlength=len(self.alike.row)).astype(np.float64)
        sums = np.zeros((2, cells * length))
        for index, cell, start, stop, there in self.blocks(1):
            weights = np.broadcast_to(number[index, None], cell.shape)[there]
            for total, day in zip(sums, (start, stop), strict=True):
                total += np.bincount((cell * length + day)[there], weights, cells * length)
        other = self.corrections
        for total, day in zip(sums, (other.start, other.stop), strict=True):
            total += np.bincount(other.cell * length + day, other.sign, cells * length)
        opened, closed = np.rint(sums).astype(np.int64).reshape(2, cells, length)
        return opened, closed

    def waits(self) -> Ints:
        """Return, (k,), the number of times at risk of each episode."""
        each = np.zeros(len(self.alike.row), np.int64)
        for index, _, _, _, there in self.blocks(1):
            each[index] = there.sum(axis=1)
        other = self.corrections
        more = np.bincount(other.episode, other.sign, len(self.which))
        return each[self.which] + np.rint(more).astype(np.int64)

    def renumbered(self, kept: Ints) -> Self:
        """Return these times at risk with the cell numbers ``kept[cell]``; cells with −1 are left out."""
        # −1, for waits that are left out already, stays −1: it is the place that is appended
        there = kept[self.corrections.cell] >= 0
        parts = (getattr(self.corrections, name) for name in Corrections.__slots__)
        corrections = Corrections(*(part[there] for part in parts))
        return replace(
            self,
            field=replace(self.field, cell=np.append(kept, -1)[self.field.cell]),
            corrections=replace(corrections, cell=kept[corrections.cell]),
            events=replace(self.events, cell=kept[self.events.cell]),
        )

    def listed(self, episodes: Ints) -> tuple[Ints, Ints, Ints, Ints, Flags]:
        """Return, (k, m) each, the times at risk of some episodes: cell, start, stop, index in `events` or −1, any."""
        alike = Alike(*(part[:, None] for part in self.alike.pick(self.which[episodes]).parts()))
        markets = self.field.cell.shape[1]
        cell, start, stop, there = self.field.at(alike, np.arange(markets))
        start, stop, event = start + alike.passed, stop + alike.passed, np.full(cell.shape, -1)
        at = np.full(len(self.which), -1)
        at[episodes] = np.arange(len(episodes))
        other = self.corrections
        for sign in (-1, 1):
            own = (at[other.episode] >= 0) & (other.sign == sign)
            place = (at[other.episode[own]], other.market[own])
            there[place] = sign > 0
            if sign > 0:
                start[place], stop[place] = other.start[own], other.stop[own]
        went = at[self.event_episode] >= 0
        event[at[self.event_episode[went]], self.event_market[went]] = self.event_kind[went]
        return cell, start, stop, event, there

    def counted(self, combination: Ints) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Return the times at risk of combinations, before corrections, counted where alike.

        `combination` is (q,). Returned are arrays (w,), in order: index in `combination`, cell, start, stop, number.
        """
        once, which = np.unique(combination, return_inverse=True)
        alike = Alike(*(part[:, None] for part in self.alike.pick(once).parts()))
        cell, start, stop, there = self.field.at(alike, np.arange(self.field.cell.shape[1]))
        row = np.nonzero(there)[0]
        table = np.stack([row, *(part[there] for part in (cell, start + alike.passed, stop + alike.passed))])
        kinds, kind = distinct_columns(table)
        heads = np.searchsorted(kinds[0], np.arange(len(once) + 1))
        place, sizes = expanded(heads[which], heads[which + 1])
        index = np.repeat(np.arange(len(combination)), sizes)
        return index, *kinds[1:, place], np.bincount(kind, minlength=kinds.shape[1])[place]

    def sums(self, group: Ints, groups: int, risk: Floats, event: Floats) -> Floats:
        """Return, (groups, p), sums over the waits of each group of episodes; `risk`, `event` as in `Clusters.sums`.

        `group` is (k,): group of each episode.
        """
        length, width = risk.shape[1:]
        each, flat = np.empty((len(self.alike.row), width)), risk.reshape(-1, width)
        for index, cell, start, stop, there in self.blocks(1):
            # where there is no time at risk, both are the first place, and nothing is added
            ends, begins = (np.where(there, cell * length + day, 0).ravel() for day in (stop, start))
            heads, ones = np.arange(len(index) + 1) * cell.shape[1], np.ones(cell.size)
            each[index] = csr_array((ones, ends, heads), shape=(len(index), len(flat))) @ flat
            each[index] -= csr_array((ones, begins, heads), shape=(len(index), len(flat))) @ flat
        other = self.corrections
        more = (risk[other.cell, other.stop] - risk[other.cell, other.start]) * other.sign[:, None]
        total = np.empty((groups, width))
        for at in range(width):
            total[:, at] = np.bincount(group, each[self.which, at], groups)
            total[:, at] += np.bincount(group[other.episode], more[:, at], groups)
            total[:, at] += np.bincount(group[self.event_episode], event[self.event_kind, at], groups)
        return total


@dataclass(frozen=True, slots=True)
class _Corrected:
    """Times at risk of single waits, before those without any are left out."""

    episode: Ints
    market: Ints
    cell: Ints
    start: Ints
    stop: Ints
    there: Flags
    sign: int

    def kept(self) -> tuple[Ints, ...]:
        parts = (self.episode, self.market, self.cell, self.start, self.stop)
        return (*(part[self.there] for part in parts), np.full(self.there.sum(), self.sign))


def _corrected(
    each: Alike, field: Field, episode: Ints, market: Ints, sign: int, lag: Ints | None = None
) -> _Corrected:
    """Return the time at risk of episodes in a market, up to their entry after `lag` days where given."""
    alike = each.pick(episode)
    cell, start, stop, there = field.at(alike, market)
    if lag is not None:
        stop = np.minimum(stop, lag)
        there &= stop > start
    return _Corrected(episode, market, cell, start + alike.passed, stop + alike.passed, there, sign)


def distinct_columns(keys: Ints) -> tuple[Ints, Ints]:
    """Return the distinct columns of a table of whole numbers ≥ 0, in order, and which of them each column is."""
    codes, most = np.zeros(keys.shape[1], np.int64), 1
    for key in keys:
        size = int(key.max(initial=0)) + 1
        if most * size > LARGEST:
            codes = np.unique(codes, return_inverse=True)[1]
            most = int(codes.max(initial=0)) + 1
        codes, most = codes * size + key, most * size
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    return keys[:, first], which.astype(np.int64)


def _first_alike(follow_up: FollowUp) -> Ints:
    """Return for each row of the follow-up the first row that is the same in all markets."""
    rows = np.ascontiguousarray(np.hstack([follow_up.start, follow_up.days]))
    whole = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, which = np.unique(whole, return_index=True, return_inverse=True)
    return first[which].astype(np.int64)
