"""Steps in parts: those of disjoint sets of artists. What is counted in every part adds up to the whole."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from diffusion.arrays import Days, Flags, Ints
from diffusion.engine import Parts, Tables, Work
from diffusion.entries import Entries
from diffusion.errors import DataSaysNoError
from diffusion.parts import Arrays, as_tables, in_parts, summed
from diffusion.timelines import distinct, primary_artists
from graphs.baseline.likeness import Kinds, Likeness, past_days
from graphs.baseline.steps import Steps, blocks_of, steps

Choice: TypeAlias = Callable[[Steps], slice | Flags]
"""Which of some steps to take, a slice or (k,) flags; it can be pickled where there are workers."""

ROWS: Final = ("track", "market", "entry", "day", "age", "artist")
"""What steps have one of each."""

CELLS: Final = ("since", "entered", "lag")
"""What steps have one of for each market."""

MOST_CELLS: Final = 1_000_000_000
"""Steps × markets that workers' steps may be brought into this process for: 15 million steps in 67 markets."""


@dataclass(frozen=True, slots=True)
class StepPart:
    """Steps of a part, and what is known of the markets among which they were choices.

    Attributes
    ----------
    steps
        Steps of whole artists.
    kinds
        (k, m): kind of every market at every step, as `Likeness` numbers kinds.
    more
        Further arrays, (k, m) each, by name: what `StepParts.with_cells` has added.
    """

    steps: Steps
    kinds: Kinds
    more: Arrays = field(default_factory=dict)

    def only(self, choice: Choice) -> "StepPart":
        """Return some of the steps."""
        kept = choice(self.steps)
        more = {name: cells[kept] for name, cells in self.more.items()}
        return StepPart(self.steps.only(kept), self.kinds[kept], more)


class StepParts(Protocol):
    """Steps of entries and their kinds, in one part in this process, or in several on the workers of the entries.

    Attributes
    ----------
    markets
        Codes of the markets.
    here
        The only part, where it is in this process; None where there are workers.
    whole
        All steps as one part in this process: (steps × markets) arrays, also where there are workers. DataSaysNoError
        where workers have more than `MOST_CELLS` of these.
    """

    markets: tuple[str, ...]
    here: StepPart | None

    @property
    def whole(self) -> StepPart: ...

    @property
    def days(self) -> tuple[Days, Ints]:
        """Days with steps, in order, and the number of steps on each."""

    def __len__(self) -> int:
        """Return the number of steps."""

    def only(self, choice: Choice) -> "StepParts":
        """Return some of the steps."""

    def with_cells(self, work: Callable[[StepPart], Arrays]) -> "StepParts":
        """Return the steps with further arrays, (k, m) each, that `work` makes of every part; they stay there."""

    def results(self, work: Callable[[StepPart], Arrays]) -> list[dict[str, NDArray[Any]]]:
        """Return the arrays that `work` makes of every part."""

    def summed(self, work: Callable[[StepPart], Arrays]) -> dict[str, NDArray[Any]]:
        """Return the sums over the parts of the arrays that `work` makes; their shapes are the same in every part."""


def step_parts(entries: Entries, likeness: Likeness, *, horizon: int) -> StepParts:
    """Return the steps of all tracks up to `horizon` days after their debut, and their kinds, in parts.

    What workers keep is freed when nothing refers to the steps any more.

    Raises
    ------
    SettingError
        When the horizon is not between 1 and 36,500 days.
    """
    make = partial(_part, likeness=likeness, horizon=horizon)
    if entries.workers is None:
        return StepsHere(make(entries))
    parts = in_parts(_numbered(entries))
    if parts.parts is None:
        return StepsHere(make(entries))
    kept = parts.kept(partial(_made, make))
    return _StepsOnWorkers(kept, entries.timelines.markets, partial(make, entries))


class StepsHere(StepParts):
    """All steps in one part, in this process."""

    def __init__(self, own: StepPart) -> None:
        self.markets = own.steps.markets
        self.here: StepPart = own

    @property
    def whole(self) -> StepPart:
        return self.here

    @property
    def days(self) -> tuple[Days, Ints]:
        days, counts = np.unique(self.here.steps.day, return_counts=True)
        return days, counts

    def __len__(self) -> int:
        return len(self.here.steps)

    def only(self, choice: Choice) -> "StepsHere":
        return StepsHere(self.here.only(choice))

    def with_cells(self, work: Callable[[StepPart], Arrays]) -> "StepsHere":
        return StepsHere(replace(self.here, more=work(self.here)))

    def results(self, work: Callable[[StepPart], Arrays]) -> list[dict[str, NDArray[Any]]]:
        return [dict(work(self.here))]

    def summed(self, work: Callable[[StepPart], Arrays]) -> dict[str, NDArray[Any]]:
        return dict(work(self.here))


class _StepsOnWorkers(StepParts):
    """Steps that workers keep, and which of them are looked at."""

    here = None

    def __init__(
        self, kept: Parts, markets: tuple[str, ...], make: Callable[[], StepPart], choices: tuple[Choice, ...] = ()
    ) -> None:
        self.markets = markets
        self._kept, self._make, self._choices = kept, make, choices

    @cached_property
    def whole(self) -> StepPart:
        # all are made before some are chosen
        steps_, markets = len(self._all), len(self.markets)
        if steps_ * markets > MOST_CELLS:
            raise DataSaysNoError(
                f"it needs all {steps_:,} steps in one process, where there is room for {MOST_CELLS // markets:,} with "
                f"{markets} markets; take fewer markets or a shorter time"
            )
        return _chosen(self._make(), self._choices)

    @cached_property
    def days(self) -> tuple[Days, Ints]:
        found = self.results(_days)
        days, place = np.unique(np.concatenate([part["day"] for part in found]), return_inverse=True)
        counts = np.zeros(len(days), np.int64)
        np.add.at(counts, place, np.concatenate([part["steps"] for part in found]))
        return days, counts

    @property
    def _all(self) -> "_StepsOnWorkers":
        return _StepsOnWorkers(self._kept, self.markets, self._make)

    def __len__(self) -> int:
        return int(self.days[1].sum())

    def only(self, choice: Choice) -> "_StepsOnWorkers":
        return _StepsOnWorkers(self._kept, self.markets, self._make, (*self._choices, choice))

    def with_cells(self, work: Callable[[StepPart], Arrays]) -> "_StepsOnWorkers":
        kept = self._kept.kept(partial(_of_tables, partial(_with_cells, work), self._choices))
        return _StepsOnWorkers(kept, self.markets, partial(_of_whole, self, work))

    def results(self, work: Callable[[StepPart], Arrays]) -> list[dict[str, NDArray[Any]]]:
        return [summed([tables]) for tables in self._kept.results(self._on_steps(work))]

    def summed(self, work: Callable[[StepPart], Arrays]) -> dict[str, NDArray[Any]]:
        return summed(self._kept.results(self._on_steps(work)))

    def _on_steps(self, work: Callable[[StepPart], Arrays]) -> Work:
        return partial(_of_tables, partial(_packed, work), self._choices)


def _part(entries: Entries, likeness: Likeness, horizon: int) -> StepPart:
    taken = steps(entries, horizon=horizon)
    return StepPart(taken, step_kinds(entries, taken, likeness))


def step_kinds(entries: Entries, taken: Steps, likeness: Likeness) -> Kinds:
    """Return the kind of every market at every step, (k, m): the artist's past as of the day before."""
    lines = entries.timelines
    before = past_days(lines, distinct(primary_artists(lines.track_ids, entries.described)))
    kinds = np.empty(taken.since.shape, np.int16)
    for rows in blocks_of(len(taken)):
        past = (before[:, taken.artist[rows]] < taken.day[rows, None]).sum(axis=0)
        kinds[rows] = likeness.kinds(taken.entered[rows], past)
    return kinds


def _numbered(entries: Entries) -> Entries:
    """Return entries whose tracks are described by their numbers among all: of track, artist and first entry."""
    lines = entries.timelines
    ids = pa.array(lines.track_ids, pa.string())
    artist = pa.nulls(len(ids), pa.string())
    if entries.described.num_rows:
        artist = entries.described["artist"].take(pc.index_in(ids, entries.described["track_id"]))
    described = {
        "track_id": ids,
        "artist": artist,
        "track": np.arange(len(ids)),
        "number": distinct(primary_artists(lines.track_ids, entries.described)),
        "start": lines.starts[:-1],
    }
    return replace(entries, described=pa.table(described))


def _made(make: Callable[[Entries], StepPart], entries: Entries) -> Tables:
    """Return the steps of a part of `_numbered` entries as tables, with the numbers that they have among all."""
    own, lines = make(entries), entries.timelines
    known = pc.index_in(pa.array(lines.track_ids, pa.string()), entries.described["track_id"])
    track, artist, start = (entries.described[name].take(known).to_numpy() for name in ("track", "number", "start"))
    place = own.steps.track
    entry = own.steps.entry - lines.starts[place] + start[place]
    taken = replace(own.steps, track=track[place], artist=artist[place], entry=entry)
    return _tables(replace(own, steps=taken))


def _tables(own: StepPart) -> Tables:
    """Return a part as tables: one row per step, and one per step and market."""
    taken = own.steps
    rows = pa.table({name: getattr(taken, name) for name in ROWS})
    cells = {name: np.ravel(getattr(taken, name)) for name in CELLS} | {"kinds": np.ravel(own.kinds)}
    cells["entered"] = cells["entered"].view(np.uint8)  # Arrow's flags are bits, which could not be read as they are
    cells |= {name: np.ravel(array) for name, array in own.more.items()}
    codes = pa.table({"market": pa.array(taken.markets, pa.string())})
    return {"steps": rows, "cells": pa.table(cells), "markets": codes}


def _of_tables(work: Callable[[StepPart], Tables], choices: tuple[Choice, ...], tables: Tables) -> Tables:
    """Return what `work` makes of a part that is given as tables."""
    markets, rows = tuple(tables["markets"]["market"].to_pylist()), tables["steps"]
    shape = rows.num_rows, len(markets)
    cells = {name: tables["cells"][name].to_numpy().reshape(shape) for name in tables["cells"].column_names}
    cells["entered"] = cells["entered"].view(np.bool_)
    columns = {name: rows[name].to_numpy() for name in ROWS} | {name: cells.pop(name) for name in CELLS}
    own = _chosen(StepPart(Steps(markets, **columns), cells.pop("kinds"), cells), choices)
    with threadpool_limits(limits=1, user_api="blas"):  # a worker has other parts beside this one
        return work(own)


def _chosen(own: StepPart, choices: tuple[Choice, ...]) -> StepPart:
    for choice in choices:
        own = own.only(choice)
    return own


def _packed(work: Callable[[StepPart], Arrays], own: StepPart) -> Tables:
    return as_tables(work(own))


def _with_cells(work: Callable[[StepPart], Arrays], own: StepPart) -> Tables:
    return _tables(replace(own, more=work(own)))


def _of_whole(steps: StepParts, work: Callable[[StepPart], Arrays]) -> StepPart:
    return replace(steps.whole, more=work(steps.whole))


def _days(own: StepPart) -> Mapping[str, NDArray[Any]]:
    day, steps_ = np.unique(own.steps.day, return_counts=True)
    return {"day": day, "steps": steps_}


def steps_of(flags: Flags) -> Choice:
    """Return the choice of the steps of some tracks, (n,) flags in the order of `Timelines`."""
    return partial(_of_tracks, np.packbits(flags))


def _of_tracks(packed: NDArray[np.uint8], steps: Steps) -> Flags:
    flags: Flags = np.unpackbits(packed)[steps.track].astype(np.bool_)
    return flags
