"""Whether two sets of entries can be compared, and what they have in common."""

import numpy as np
import pyarrow as pa

from diffusion.arrays import Ints
from diffusion.entries import Entries
from diffusion.errors import DataSaysNoError, SettingError
from diffusion.timelines import distinct, primary_artists


def check_alike(a: Entries, b: Entries) -> None:
    """Check that two sets of entries were made with the same settings.

    Raises
    ------
    SettingError
        When chart, cadence, a rule of what counts as an entry, or the members of a group of markets differ; it names
        each.
    """
    for each in (a, b):
        if not isinstance(each, Entries):
            raise SettingError(f"entries are compared, not a value of the type {type(each).__name__}")
    rules = [
        (name, getattr(a.rules, name), getattr(b.rules, name))
        for name in ("chart", "top", "min_periods", "washout", "identity")
    ]
    groups = [
        (f"the group {name}", _members(a, name), _members(b, name))
        for name in sorted({*a.groups, *b.groups})
        if name in a.calendar.markets and name in b.calendar.markets
    ]
    refuse_different([*rules, ("cadence in days", a.calendar.cadence, b.calendar.cadence), *groups])


def _members(entries: Entries, group: str) -> str:
    return ", ".join(sorted(entries.groups[group]))


def refuse_different(pairs: list[tuple[str, object, object]]) -> None:
    """Refuse settings that differ.

    Parameters
    ----------
    pairs
        Name of each setting, and its two values.

    Raises
    ------
    SettingError
        When some differ; it names each.
    """
    differ = [f"{name} is {_said(one)} and {_said(other)}" for name, one, other in pairs if one != other]
    if differ:
        raise SettingError(f"the two cannot be compared: {'; '.join(differ)}; make both with the same settings")


def _said(value: object) -> str:
    return "any" if value is None else str(value)


def common_markets(a: Entries, b: Entries) -> tuple[str, ...]:
    """Return the markets that both calendars have, in order.

    Raises
    ------
    DataSaysNoError
        When there are fewer than two.
    """
    common = tuple(market for market in a.calendar.markets if market in set(b.calendar.markets))
    if len(common) < 2:
        raise DataSaysNoError(
            f"nothing to compare: two markets must be in both, and there is {f'only {common[0]}' if common else 'none'}"
        )
    return common


def numbered_tracks(a: Entries, b: Entries) -> tuple[Ints, Ints]:
    """Return the number of every track of `Timelines.track_ids`; a track in both has the same number in both."""
    ids = [each.timelines.track_ids for each in (a, b)]
    numbers = distinct(pa.array(np.concatenate(ids), pa.string()))
    return numbers[: len(ids[0])], numbers[len(ids[0]) :]


def numbered_artists(a: Entries, b: Entries) -> tuple[Ints, Ints]:
    """Return the number of every track's primary artist; the same name has the same number in both."""
    names = [
        pa.array(primary_artists(each.timelines.track_ids, each.described).to_pylist(), pa.string()) for each in (a, b)
    ]
    numbers = distinct(pa.concat_arrays(names))
    return numbers[: len(names[0])], numbers[len(names[0]) :]
