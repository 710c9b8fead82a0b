"""The steps of tracks: every timed entry after the debut, and the markets among which it was a choice."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Days, Flags, Ints
from diffusion.conventions import HORIZON
from diffusion.display import Displayed
from diffusion.entries import Entries
from diffusion.risk.risk_set import OwnEntries
from diffusion.timelines import NOT_ENTERED, Timelines, distinct, primary_artists
from graphs.baseline.availability import Availability, Since

STEPS_AT_ONCE: Final = 2_048
"""Steps that are looked at side by side, so that the work stays in the processor's cache."""


@dataclass(frozen=True, slots=True, repr=False)
class Steps(Displayed):
    """k steps of tracks through m markets, by artist, track, day and market.

    A step is one timed entry after the debut of a track with a timed debut. Several markets entered on one date are as
    many steps, each a choice from the same markets (Breslow), and no sender of each other.

    Attributes
    ----------
    markets
        Codes of the m markets.
    track
        (k,): number of the track in `Timelines`.
    market
        (k,): number of the market that was entered.
    entry
        (k,): number of the entry in `Timelines`.
    day
        (k,): day of the entry, from 1970-01-01.
    age
        (k,): days since the debut.
    artist
        (k,): number of the artist named first, from 0; a track without one has a number of its own.
    since
        (k, m): days since the previous chart of each market at risk, 0 where a market is not at risk: the entry fell
        within those days, so that the weight of a market grows with them.
    entered
        (k, m): whether the track had entered the market before that day.
    lag
        (k, m): days since the timed entry into each market before that day, 0 where there is none.

    Examples
    --------
    >>> base.steps  # base = graphs.baseline.baseline(entries)
    <Steps: 892 of 221 tracks in 67 markets>
    """

    markets: tuple[str, ...]
    track: Ints
    market: Ints
    entry: Ints
    day: Days
    age: Days
    artist: Ints
    since: Since
    entered: Flags
    lag: Days

    def __len__(self) -> int:
        return len(self.track)

    def _facts(self) -> str:
        return f": {len(self):,} of {len(np.unique(self.track)):,} tracks in {len(self.markets)} markets"

    def only(self, kept: slice | Flags) -> "Steps":
        """Return some of the steps, a slice or (k,) flags."""
        own = {field.name: getattr(self, field.name)[kept] for field in fields(self) if field.name != "markets"}
        return replace(self, **own)

    def exposure(self, rows: slice | Ints) -> NDArray[np.int32]:
        """Return for some steps the days, after the debut, within which each market's entry would fall, (r, m)."""
        exposure: NDArray[np.int32] = np.minimum(self.since[rows], self.age[rows, None])
        return exposure

    def followed(self, source: int, window: int, within: slice = slice(None)) -> tuple[Ints, Flags]:
        """Return the steps that follow an entry into a market, and into which markets in observed order.

        Parameters
        ----------
        source
            Number of the market.
        window
            Days within which it was entered before.
        within
            Steps to look at (default: all); the numbers returned count from its start.

        Returns
        -------
        tuple of arrays
            (r,): numbers of steps; (r, m): whether the sender's entry was not after the market's previous chart.
        """
        lag = self.lag[within, source]
        rows = np.flatnonzero((lag > 0) & (lag <= window))
        ordered: Flags = self.since[within][rows] <= lag[rows, None]
        return rows, ordered


def steps(entries: Entries, *, horizon: int = HORIZON) -> Steps:
    """Return the steps of all tracks, up to `horizon` days after their debut.

    A market is at risk when it has a chart on the date, is in the stretch of coverage in which `diffusion.risk` follows
    the track there, past its washout, licensed, and was not entered before.

    Raises
    ------
    SettingError
        When the horizon is not between 1 and 36,500 days.

    Examples
    --------
    >>> graphs.baseline.steps(entries, horizon=28)
    <Steps: 822 of 210 tracks in 67 markets>
    """
    lines = entries.timelines
    availability = Availability.of(entries, horizon=horizon)
    artist = distinct(primary_artists(lines.track_ids, entries.described))
    later = np.flatnonzero(lines.timed & (lines.day > lines.debut[lines.track]))
    # entries stand by track, day and market; the sort keeps that order within an artist
    later = later[np.argsort(artist[lines.track[later]], kind="stable")]
    blocks = [_block(lines, availability, later[rows]) for rows in blocks_of(len(later))]
    entry, since, entered, lag = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    track = lines.track[entry].astype(np.int64)
    return Steps(
        markets=lines.markets,
        track=track,
        market=lines.market[entry].astype(np.int64),
        entry=entry,
        day=lines.day[entry],
        age=lines.day[entry] - lines.debut[track],
        artist=artist[track],
        since=since,
        entered=entered,
        lag=lag,
    )


def blocks_of(length: int, size: int = STEPS_AT_ONCE) -> Iterator[slice]:
    """Yield slices of at most `size` that cover `length` places; one empty slice where there are none."""
    for begin in range(0, max(length, 1), size):
        yield slice(begin, min(begin + size, length))


def _block(lines: Timelines, availability: Availability, entry: Ints) -> tuple[Ints, Since, Flags, Days]:
    """Return those of some entries that are steps: number, and `since`, `entered` and `lag` as `Steps` has them."""
    tracks, row = np.unique(lines.track[entry], return_inverse=True)
    own = OwnEntries.of(lines, tracks)
    there = np.full((len(tracks), len(lines.markets)), NOT_ENTERED)
    there[own.row, own.market] = lines.day[own.entry]
    sends = np.zeros(there.shape, np.bool_)
    sends[own.row, own.market] = lines.timed[own.entry]
    day, there = lines.day[entry], there[row]
    entered = there < day[:, None]
    since = availability.since(lines.track[entry], day, entered)
    lag = np.where(entered & sends[row], day[:, None] - there, 0)
    kept = since[np.arange(len(entry)), lines.market[entry]] > 0
    return entry[kept], since[kept], entered[kept], lag[kept]
