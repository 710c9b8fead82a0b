"""Own groups of tracks, markets, pairs, or tracks in markets: by a column, a mapping, a table or a function."""

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion.display import Displayed
from diffusion.errors import SettingError
from diffusion.market_groups import group_pairs, market_table
from diffusion.markets import resolve_known
from diffusion.recordings import folded
from diffusion.timelines import primary_artists

if TYPE_CHECKING:
    from diffusion.entries import Entries

By = str | Mapping[Any, Any] | pd.DataFrame | Callable[[pd.DataFrame], Any]
"""What groups are made of; see `groups_of`."""

KEYS: Final = ("track_id", "artist", "market", "source", "target")
"""Columns of a table of groups that say what is grouped."""

GROUPED: Final = (("track_id",), ("artist",), ("market",), ("source", "target"), ("track_id", "market"))
"""Columns that may be the key of a table of groups, together."""

MOST: Final = 50
"""Most different values of a column of numbers or dates that are groups as they are."""

CLEAR: Final = 2
"""How many times as many keys of a mapping must be of one kind as of any other, for it to be of that kind."""

NAMED: Final = 8
"""Markets in no group that are named."""

_HIDDEN: Final = ("market", "track_id", "source", "target", "origin", "aliases", "languages", "official_languages")
"""Columns of the packaged tables that are no groups: keys, sources, and lists."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OwnGroups:
    """Groups of tracks, markets, pairs of markets, or tracks in markets.

    Attributes
    ----------
    name
        Name of the grouping.
    keys
        Columns that say what is grouped: `track_id`; `market`; `source` and `target`; or `track_id` and `market`.
    table
        One row per key in a group: the keys, and `group`.
    names
        All groups, in order; also those of keys that the charts do not have.
    missing
        Tracks or markets of the entries that are in no group; empty for pairs, and for tracks in markets.
    of
        Number of tracks or markets of the entries; 0 for pairs, and for tracks in markets.
    """

    name: str
    keys: tuple[str, ...]
    table: pd.DataFrame
    names: tuple[str, ...]
    missing: tuple[str, ...]
    of: int

    @property
    def what(self) -> str:
        """What is grouped, in the plural."""
        kinds = {("track_id",): "tracks", ("market",): "markets", ("source", "target"): "pairs of markets"}
        return kinds.get(self.keys, "tracks in markets")

    def said(self) -> str:
        """Return how many tracks or markets are in no group, in words; empty where none is."""
        if not self.missing:
            return ""
        some = len(self.missing) <= NAMED and self.keys == ("market",)
        which = f" ({', '.join(self.missing)})" if some else ""
        return f"{len(self.missing):,} of {self.of:,} {self.what} are in no group{which}"


@dataclass(frozen=True, repr=False)
class ByGroup(Displayed, Mapping[str, T], Generic[T]):
    """What was made of each group of tracks: name of the group → value, in order of the names.

    Attributes
    ----------
    parts
        Group → value.
    name
        Name of the grouping.
    not_grouped
        Number of tracks that are in no group.
    not_made
        Group → why nothing could be made of it.

    Examples
    --------
    >>> ByGroup({"2020": 3, "2021": 5}, "year", not_grouped=2)["2021"]
    5
    """

    parts: Mapping[str, T]
    name: str
    not_grouped: int
    not_made: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, group: str) -> T:
        return self.parts[group]

    def __iter__(self) -> Iterator[str]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def _facts(self) -> str:
        left = f"; not made: {', '.join(self.not_made)}" if self.not_made else ""
        return f" {self.name}: {', '.join(self.parts)}; {self.not_grouped:,} tracks not grouped{left}"

    def _shown(self) -> pd.DataFrame:
        return pd.DataFrame({"group": list(self.parts), "value": [repr(value) for value in self.parts.values()]})


def groups_of(entries: "Entries", by: By, *, others: Collection[str] = ()) -> OwnGroups:
    """Return groups of the tracks or markets of entries.

    Parameters
    ----------
    by
        A column of the table of tracks (`Entries.tracks`), of markets (`reference_table`) or of pairs (`pair_table`); a
        mapping from markets (names or codes), tracks or artists to groups; a table with one column of groups beside
        `track_id`, `artist`, `market`, `source` and `target`, or `track_id` and `market`; or a function of the table of
        tracks that returns the group of each row. A function that asks for columns that this table lacks is given the
        table of markets. An artist stands for the tracks where it is named first. What has no group, or a missing one,
        is in no group.
    others
        Other names that `by` could have been, for the message about an unknown one.

    Raises
    ------
    SettingError
        When `by` cannot be read: no such column, a column of too many numbers or dates, keys that could be markets or
        artists, a key with two groups.
    """
    if isinstance(by, pd.DataFrame):
        return _of_table(entries, by)
    if isinstance(by, str):
        return _of_column(entries, by, others)
    if isinstance(by, Mapping):
        return _of_mapping(entries, by)
    if callable(by):
        return _of_function(entries, by)
    raise SettingError(f"groups are by a column, a mapping, a DataFrame or a function, not by a {type(by).__name__}")


def grouping_name(by: By) -> str:
    """Return the name of a grouping: the column, or the name of the function; ``groups`` where there is none."""
    if isinstance(by, str):
        return by
    if isinstance(by, pd.DataFrame):
        return next((str(name) for name in by if name not in KEYS), "groups")
    name = getattr(by, "__name__", "groups")
    return "groups" if name == "<lambda>" else str(name)


def _of_column(entries: "Entries", name: str, others: Collection[str]) -> OwnGroups:
    """Return the groups that a column of the tables of tracks, markets or pairs makes."""
    tables = {
        ("track_id",): entries.tracks(),
        ("market",): _markets(entries),
        ("source", "target"): group_pairs(entries.groups),
    }
    there = {keys: [str(column) for column in table if column not in _HIDDEN] for keys, table in tables.items()}
    for keys, columns in there.items():
        if name in columns:
            table = tables[keys]
            _check_values(name, table[name])
            return _of_table(entries, table[[*keys, name]].rename(columns={name: "group"}), name)
    known = list(dict.fromkeys([*others, *(column for columns in there.values() for column in columns)]))
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
    raise SettingError(f"unknown variable '{name}'; {hint}")


def _check_values(name: str, values: "pd.Series[Any]") -> None:
    """Refuse a column whose numbers or dates are no groups."""
    if values.isna().all():
        raise SettingError(f"the column '{name}' has no value here, so it makes no groups")
    text = pd.api.types.infer_dtype(values, skipna=True) in ("string", "boolean")
    if not text and (number := values.nunique()) > MOST:
        raise SettingError(
            f"the column '{name}' has {number:,} different values, too many for groups; put them in classes by a "
            f"function, such as lambda table: table['{name}'] > {_shown(values.dropna().iloc[0])!r}"
        )


def _of_mapping(entries: "Entries", mapping: Mapping[Any, Any]) -> OwnGroups:
    """Return the groups of a mapping, whose keys are markets, tracks or artists: what most of them match."""
    keys = pd.Series(list(mapping), dtype=object).map(str)
    tracks = entries.tracks()["track_id"]
    artists = pa.array(_artists(entries, tracks).unique())
    found = {
        "market": _codes(entries, keys).isin(entries.calendar.markets),
        "track_id": keys.isin(tracks),
        "artist": pd.Series(pc.is_in(_folded(keys), artists).to_numpy(zero_copy_only=False), dtype=bool),
    }
    number = {kind: int(flags.sum()) for kind, flags in found.items()}
    first, second, _ = sorted(number, key=lambda kind: -number[kind])
    if not number[first]:
        example = f", such as '{keys.iloc[0]}'" if len(keys) else ""
        raise SettingError(f"the keys of the groups are no markets, tracks or artists of the charts{example}")
    if number[first] < CLEAR * number[second]:
        raise SettingError(
            f"of the {len(keys):,} keys of the groups, {number['market']:,} are markets, {number['track_id']:,} tracks "
            f"and {number['artist']:,} artists; give a DataFrame with a column 'market', 'track_id' or 'artist'"
        )
    return _of_table(entries, pd.DataFrame({first: keys, "groups": pd.Series(list(mapping.values()), dtype=object)}))


def _of_function(entries: "Entries", function: Callable[[pd.DataFrame], Any]) -> OwnGroups:
    """Return the groups that a function makes of the table of tracks, or else of that of markets."""
    name, tables = grouping_name(function), {"track_id": entries.tracks(), "market": _markets(entries)}
    for key, table in tables.items():
        try:
            found = function(table.copy())
        except (KeyError, AttributeError):
            continue
        values = pd.Series(np.asarray(found), dtype=object) if np.ndim(found) == 1 else pd.Series(dtype=object)
        if len(values) != len(table):
            raise SettingError(
                f"the function must return a group for each of the {len(table):,} rows of its table; it returned "
                f"{len(values):,}"
            )
        return _of_table(entries, pd.DataFrame({key: table[key], "group": values}), name)
    listed = "; ".join(f"{', '.join(map(str, table))}" for table in tables.values())
    raise SettingError(f"the function asks for a column that neither table has: of tracks or of markets: {listed}")


def _of_table(entries: "Entries", table: pd.DataFrame, name: str | None = None) -> OwnGroups:
    """Return the groups of a table that has one column of groups beside its key."""
    keys = tuple(key for key in KEYS if key in table)
    columns = [column for column in table if column not in keys]
    if keys not in GROUPED or len(columns) != 1 or len(set(table)) < len(list(table)):
        raise SettingError(
            "a table of groups has one column of groups beside 'track_id', 'artist', 'market', 'source' and 'target', "
            f"or 'track_id' and 'market'; this one has {', '.join(map(str, table))}"
        )
    groups = table[columns[0]]
    if not isinstance(columns[0], str) or not groups.map(pd.api.types.is_hashable).all():
        raise SettingError(f"the column '{columns[0]}' of the table of groups must have a name and groups as text")
    found = table[list(keys)].assign(group=groups.map(_shown, na_action="ignore").astype(object))
    for key in set(keys) & {"market", "source", "target"}:
        found[key] = _codes(entries, found[key])
    names = tuple(found["group"].dropna().unique())
    if keys == ("artist",):
        found, keys = _of_artists(entries, found), ("track_id",)
    found = found.drop_duplicates().reset_index(drop=True)
    if (again := found.duplicated(list(keys))).any():
        row = found[again].iloc[0]
        raise SettingError(f"the table of groups has {', '.join(str(row[key]) for key in keys)} more than once")
    found = found.dropna(subset="group").reset_index(drop=True)
    missing, number = _missing(entries, keys, found)
    return OwnGroups(name or str(columns[0]), keys, found, names, missing, number)


def _missing(entries: "Entries", keys: tuple[str, ...], table: pd.DataFrame) -> tuple[tuple[str, ...], int]:
    """Return the tracks or markets that a table lacks, and how many there are."""
    if len(keys) > 1:
        return (), 0
    tracks = pc.unique(entries.table["track_id"]).to_pandas()
    there = pd.Series(entries.calendar.markets) if keys == ("market",) else tracks
    return tuple(there[~there.isin(table[keys[0]])]), len(there)


def _of_artists(entries: "Entries", table: pd.DataFrame) -> pd.DataFrame:
    """Return the groups of artists as those of their tracks: where they are named first."""
    if pd.api.types.infer_dtype(table["artist"], skipna=True) not in ("string", "empty"):
        raise SettingError("the column 'artist' of the table of groups must have names, as text")
    plain = table[["group"]].assign(artist=_folded(table["artist"]).to_pandas()).dropna(subset="artist")
    plain = plain.drop_duplicates()
    if (again := plain["artist"].duplicated()).any():
        artist = table.loc[plain.index[again][0], "artist"]
        raise SettingError(f"the table of groups has {artist} more than once")
    tracks = entries.tracks()[["track_id"]]
    return tracks.assign(group=_artists(entries, tracks["track_id"]).map(plain.set_index("artist")["group"]))


def _artists(entries: "Entries", tracks: "pd.Series[str]") -> "pd.Series[str]":
    """Return the artist named first of each track, in the form of `folded`."""
    names: pd.Series[str] = folded(primary_artists(tracks.to_numpy(object), entries.described)).to_pandas()
    return names


def _folded(names: "pd.Series[Any]") -> pa.Array:
    """Return the artist named first in each text, in the form of `folded`."""
    first = pc.replace_substring_regex(pa.array(names, pa.string(), from_pandas=True), r",.*$", "")
    return folded(pc.utf8_trim_whitespace(first))


def _codes(entries: "Entries", names: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return markets by code where the names are known; other names as they are."""
    there = set(entries.calendar.markets)
    texts = [name for name in names.unique() if isinstance(name, str) and name not in there]
    codes = resolve_known(texts)[0]
    return names.map(lambda name: codes.get(name, name)).astype(object)


def _markets(entries: "Entries") -> pd.DataFrame:
    """Return what the reference table knows of the markets of entries, one row each."""
    known = market_table(entries.groups).set_index("market")
    return known.reindex(entries.calendar.markets).rename_axis("market").reset_index()


def _shown(value: object) -> str:
    """Return a group as text; whole numbers without a fraction, and days without a time."""
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
