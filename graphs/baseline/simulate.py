"""Entries drawn from a fitted baseline: what charts would show if no market followed another."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from diffusion.arrays import Days, Flags, Ints
from diffusion.contracts import ENTRIES
from diffusion.entries import Entries
from diffusion.errors import SettingError
from diffusion.timelines import NOT_ENTERED, Timelines, distinct, primary_artists
from graphs.baseline.availability import Availability
from graphs.baseline.fit import Baseline


def simulated_entries(baseline: Baseline, *, seed: int = 0) -> Entries:
    """Return entries on the same step dates, into markets drawn from the baseline.

    Held are the dates on which every track takes steps and how many it takes, and all entries that are no steps: the
    footprint, left-censored entries and those beyond the horizon. Markets are drawn in order of date, without
    replacement within a date; likeness follows what the track and the artist's other tracks have been drawn to do. An
    entry that is held gives way where the track was drawn to be there before, and a step is lost where no market is
    left at risk: both are rare.

    Parameters
    ----------
    seed
        Where chance starts from (default 0).

    Returns
    -------
    Entries
        With the calendar, rules, licences and artists of the baseline's entries. Ranks are those of the steps that the
        entries stand for; streams are not known.

    Examples
    --------
    >>> graphs.baseline.simulated_entries(base, seed=1)  # base = graphs.baseline.baseline(entries)
    <Entries of top50: 11,235 in 67 markets; first appearance at any rank, washout 28 days>
    """
    if seed < 0:
        raise SettingError(f"the seed {seed} is negative; give 0 or more")
    generator = np.random.default_rng(seed)
    steps, world = baseline.steps, _World.of(baseline)
    order = np.argsort(steps.day, kind="stable")
    dates = np.flatnonzero(np.diff(steps.day[order], prepend=-(1 << 30)))
    market, since = np.full(len(steps), -1), np.zeros(len(steps), np.int32)
    for rows in np.split(order, dates[1:]):
        market[rows], since[rows] = world.day(baseline, rows, generator)
    return entries_with(baseline, world.still_held(world.held), market, since)


@dataclass(frozen=True, slots=True)
class _World:
    """What has happened so far; `there` and `past` change in place.

    Attributes
    ----------
    there
        (n, m): day of every track's entry, drawn or held; `NOT_ENTERED` where there is none.
    past
        (artists, m): entries so far.
    held
        Numbers of the entries that are no steps, by day.
    added
        (1,): how many of them have been added to `past`.
    """

    lines: Timelines
    availability: Availability
    artist: Ints
    there: Days
    past: NDArray[np.int16]
    held: Ints
    added: Ints

    @classmethod
    def of(cls, baseline: Baseline) -> Self:
        lines = baseline.entries.timelines
        artist = distinct(primary_artists(lines.track_ids, baseline.entries.described))
        held = np.setdiff1d(np.arange(len(lines.track)), baseline.steps.entry)
        held = held[np.argsort(lines.day[held], kind="stable")]
        there = np.full((len(lines.track_ids), len(lines.markets)), NOT_ENTERED)
        there[lines.track[held], lines.market[held]] = lines.day[held]
        past = np.zeros((int(artist.max(initial=-1)) + 1, len(lines.markets)), np.int16)
        availability = Availability.of(baseline.entries, horizon=baseline.horizon)
        return cls(lines, availability, artist, there, past, held, np.zeros(1, np.int64))

    def still_held(self, entries: Ints) -> Ints:
        """Return those of some held entries that no drawn one came before."""
        lines = self.lines
        stands: Flags = self.there[lines.track[entries], lines.market[entries]] == lines.day[entries]
        return entries[stands]

    def day(self, baseline: Baseline, rows: Ints, generator: np.random.Generator) -> tuple[Ints, Days]:
        """Draw the markets of all steps of one date.

        Returns
        -------
        tuple of arrays
            (k,): market of every step, −1 where none is left; days since that market's previous chart.
        """
        steps = baseline.steps
        date = int(steps.day[rows[0]])
        self._remember(date)
        tracks, first, row = np.unique(steps.track[rows], return_index=True, return_inverse=True)
        day, age = steps.day[rows][first], steps.age[rows][first]
        entered = self.there[tracks] < date
        since = self.availability.since(tracks, day, entered)
        kinds = baseline.likeness.kinds(entered, self.past[self.artist[tracks]])
        weights = baseline.full.relative(day, age, kinds, np.minimum(since, age[:, None]))
        # the largest of log w + Gumbel noise is a draw by w, the next largest one from the rest
        with np.errstate(divide="ignore"):
            keys = np.log(weights) + generator.gumbel(size=weights.shape)
        ranked = np.argsort(-keys, axis=1, kind="stable")
        place = _running(row)
        drawn = ranked[row, np.minimum(place, weights.shape[1] - 1)]
        lost = (place >= weights.shape[1]) | (weights[row, drawn] == 0)
        kept = ~lost
        self.there[tracks[row[kept]], drawn[kept]] = date
        np.add.at(self.past, (self.artist[tracks[row[kept]]], drawn[kept]), 1)
        return np.where(lost, -1, drawn), since[row, drawn].astype(np.int32)

    def _remember(self, date: int) -> None:
        """Add held entries before a date to the artists' past."""
        end = int(np.searchsorted(self.lines.day[self.held], date))
        new = self.still_held(self.held[self.added[0] : end])
        np.add.at(self.past, (self.artist[self.lines.track[new]], self.lines.market[new]), 1)
        self.added[0] = end


def _running(group: Ints) -> Ints:
    """Return for every element how many of its group come before it."""
    order = np.argsort(group, kind="stable")
    heads = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.diff(heads, append=len(group))
    place = np.empty(len(group), np.int64)
    place[order] = np.arange(len(group)) - np.repeat(heads, sizes)
    return place


def entries_with(baseline: Baseline, held: Ints, market: Ints, since: Days) -> Entries:
    """Return entries that are held, and steps that went elsewhere, together.

    Parameters
    ----------
    held
        Numbers of the entries of a baseline that stay as they are.
    market
        (k,): new market of every step; −1 where it is lost.
    since
        (k,): days since the previous chart of that market.
    """
    lines, own, steps = baseline.entries.timelines, baseline.entries, baseline.steps
    kept = market >= 0
    track = np.append(lines.track[held], steps.track[kept])
    day = np.append(lines.day[held], steps.day[kept])
    before = np.append(lines.last_without[held], (steps.day - since)[kept])
    rank = _ranks(baseline)[np.append(held, steps.entry[kept])]
    table = {
        "track_id": pa.array(lines.track_ids, pa.string()).take(pa.array(track)),
        "market": pa.array(lines.markets, pa.string()).take(pa.array(np.append(lines.market[held], market[kept]))),
        "chart": pa.array(np.full(len(track), own.rules.chart, object), pa.string()),
        "entry": pa.array(day).cast(pa.date32()),
        "last_without": pa.array(before, mask=before < int(lines.span_first.min())).cast(pa.date32()),
        "rank": pa.array(rank),
        "streams": pa.nulls(len(track), pa.int64()),
        "left_censored": np.append(lines.left_censored[held], np.zeros(int(kept.sum()), np.bool_)),
    }
    entries = ENTRIES.conform(pa.table(table)).sort_by([(name, "ascending") for name in ENTRIES.key])
    return replace(own, table=entries)


def _ranks(baseline: Baseline) -> NDArray[np.int32]:
    """Return the rank of every entry, by its number in `Timelines`."""
    table = baseline.entries.table.sort_by([("track_id", "ascending"), ("entry", "ascending"), ("market", "ascending")])
    rank: NDArray[np.int32] = table["rank"].to_numpy()
    return rank
