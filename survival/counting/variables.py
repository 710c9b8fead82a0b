"""Variables of waits by name: of the market, the track, its artist, and the markets entered so far."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from diffusion import Entries, SettingError
from diffusion.arrays import Flags, Floats, Ints
from diffusion.groups import OwnGroups
from diffusion.market_groups import group_pairs, market_table
from diffusion.timelines import NOT_ENTERED, Timelines, primary_artists

Combine = Literal["sum", "mean", "smallest", "largest"]
COMBINE: tuple[Combine, ...] = get_args(Combine)

Values = NDArray[Any]
"""Values of a variable: numbers, or texts with None where it is not known."""

OF_MARKETS: Final = ("continent", "subregion", "population", "area_km2", "latitude", "longitude")
"""Packaged variables of the market; besides, ``market`` is its code."""

OF_TRACKS: Final = ("footprint", "debut_year", "debut_month", "debut_weekday", "artist_tracks")
"""Variables of the track: markets entered on day 0, the debut's date, and earlier tracks of the artist."""

OF_ENTERED: Final = ("entered_markets", "single_origin")
"""Variables of the markets entered so far: their number, and the one market where it is only one."""

OF_PAIRS: Final[Mapping[str, Combine]] = {
    "distance_km": "smallest",
    "contiguous": "largest",
    "language_overlap": "largest",
    "cultural_distance": "smallest",
}
"""Packaged numbers of pairs, and how those of the markets entered so far are combined."""

MATCH: Final = ("language_match", "continent_match")
"""Whether some market entered so far shares an official language, or the continent, with the market."""

ARTIST_HERE: Final = "artist_here"
"""Whether the artist entered the market with another track before the track's debut."""

ORIGIN: Final = "origin"
"""Variable with one value for each market entered so far: a wait is counted once for each of them."""

OF_TABLES: Final = {
    "markets": ["market"], "pairs": ["source", "target"], "tracks": ["track_id"], "artists": ["artist"]
}  # fmt: skip
"""Table of a user's own → its key."""

TAKEN: Final = (ORIGIN, "footprint")
"""Variables that groups are made of; a table cannot give them another meaning."""

SEVERAL: Final = "several"
"""Value of ``single_origin`` where a track has entered several markets."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Tables with variables of a user's own; see `survival.waits`. `groups` are further variables by name."""

    markets: pd.DataFrame | None = None
    pairs: pd.DataFrame | None = None
    tracks: pd.DataFrame | None = None
    artists: pd.DataFrame | None = None
    combine: Mapping[str, Combine] = field(default_factory=dict)
    groups: Mapping[str, OwnGroups] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, keys in OF_TABLES.items():
            table = getattr(self, name)
            if table is not None:
                _check_table(name, keys, table)
        for column, how in self.combine.items():
            if how not in COMBINE:
                raise SettingError(f"numbers of pairs are combined by {', '.join(COMBINE)}, not by '{how}'")
            if column not in self.columns("pairs"):
                raise SettingError(f"combine names '{column}', which is no column of the table of pairs")

    def columns(self, name: str) -> list[str]:
        """Return the names of the variables in one of the tables."""
        table: pd.DataFrame | None = getattr(self, name)
        keys = ("market", "source", "target", "track_id", "artist")
        return [] if table is None else [str(column) for column in table if column not in keys]


def _check_table(name: str, keys: list[str], table: pd.DataFrame) -> None:
    """Refuse a table of a user's own that cannot be read in one way only."""
    if not isinstance(table, pd.DataFrame):
        raise SettingError(f"the table of {name} is a {type(table).__name__}; it must be a DataFrame of pandas")
    unnamed = [column for column in table if not isinstance(column, str) or (table.columns == column).sum() > 1]
    if unnamed:
        raise SettingError(f"the table of {name} has the column {unnamed[0]!r}; each needs a text of its own as name")
    missing = [key for key in keys if key not in table]
    if missing:
        raise SettingError(f"the table of {name} has no column '{missing[0]}'; it has {', '.join(map(str, table))}")
    if table.duplicated(keys).any():
        row = table[table.duplicated(keys)].iloc[0]
        raise SettingError(f"the table of {name} has {', '.join(str(row[key]) for key in keys)} more than once")
    if name == "artists" and pd.api.types.infer_dtype(table["artist"], skipna=True) not in ("string", "empty"):
        raise SettingError("the column 'artist' of the table of artists must have names, as text")
    for column in table.columns.difference(keys):
        values = table[column]
        if column in TAKEN:
            raise SettingError(f"the table of {name} has a column '{column}', a name that is taken; rename it")
        if name == "pairs" and not _finite(values):
            raise SettingError(f"the column '{column}' of the table of pairs must have finite numbers")
        if values.dtype == object and not values.map(pd.api.types.is_hashable).all():
            raise SettingError(f"the column '{column}' of the table of {name} must have numbers, texts or flags")


def _finite(values: "pd.Series[Any]") -> bool:
    """Return whether all known values are finite numbers."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return bool((np.isfinite(numbers) | values.isna().to_numpy()).all())


@dataclass(frozen=True)
class Variables:
    """Values of variables by name, for the markets and tracks of entries."""

    entries: Entries
    tables: Tables

    @property
    def names(self) -> list[str]:
        """Names of all variables, without repetition."""
        own = [name for table in ("markets", "tracks", "artists", "pairs") for name in self.tables.columns(table)]
        packaged = ["market", *OF_MARKETS, "track_id", *OF_TRACKS, ORIGIN, *OF_ENTERED, *OF_PAIRS, *MATCH, ARTIST_HERE]
        return list(dict.fromkeys([*packaged, *own, *self.tables.groups]))

    def check(self, names: tuple[str, ...]) -> None:
        """Raise a `SettingError` for a name that is no variable."""
        for name in names:
            if name not in self.names:
                near = difflib.get_close_matches(name, self.names, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(self.names)}"
                raise SettingError(f"unknown variable '{name}'; {hint}")

    def fixed(self, names: tuple[str, ...]) -> bool:
        """Return whether none of the variables depends on the markets entered so far."""
        moving = {ORIGIN, *OF_ENTERED, *OF_PAIRS, *MATCH, *self.tables.columns("pairs")}
        return not moving.intersection(names)

    def in_classes(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of variables whose numbers, where they have any, are put in classes."""
        own = {name for table in ("tracks", "artists", "pairs") for name in self.tables.columns(table)}
        return tuple(name for name in names if name in own or name in OF_PAIRS)

    def of_market(self, name: str) -> Values | None:
        """Return, (m,), a variable of the market; None where the name is none."""
        codes = pd.Index(self.timelines.markets)
        if (group := self._groups(name, "market")) is not None:
            return _looked_up(group, codes)
        if name in self.tables.columns("markets"):
            assert self.tables.markets is not None
            return _looked_up(self.tables.markets.set_index("market")[name], codes)
        if name == "market":
            return np.array(codes, object)
        return _looked_up(self._reference.set_index("market")[name], codes) if name in OF_MARKETS else None

    def of_track(self, name: str) -> Values | None:
        """Return, (n,), a variable of the track or its artist; None where the name is none."""
        lines = self.timelines
        if (group := self._groups(name, "track_id")) is not None:
            return _looked_up(group, pd.Index(lines.track_ids))
        if name in self.tables.columns("tracks"):
            assert self.tables.tracks is not None
            return _looked_up(self.tables.tracks.set_index("track_id")[name], pd.Index(lines.track_ids))
        if name in self.tables.columns("artists"):
            assert self.tables.artists is not None
            known = self.tables.artists.assign(artist=_folded(self.tables.artists["artist"])).set_index("artist")[name]
            return _looked_up(known[~known.index.duplicated()], pd.Index(self._artists()))
        if name == "track_id":
            return lines.track_ids
        if name == "footprint":
            first = lines.track[lines.day == lines.debut[lines.track]]
            return np.bincount(first, minlength=len(lines.track_ids)).astype(np.float64)
        if name == "artist_tracks":
            return _earlier_tracks(lines)
        if name in OF_TRACKS:
            dates = pd.DatetimeIndex(lines.debut.astype("datetime64[D]"))
            return np.asarray(getattr(dates, name.removeprefix("debut_")), np.float64)
        return None

    def of_entered(self, name: str, entered: Flags) -> Values | None:
        """Return, (s,), a variable of sets of markets, (s, m); None where the name is none."""
        number: Ints = entered.sum(axis=1)
        if name == "entered_markets":
            return number.astype(np.float64)
        if name == "single_origin":
            codes: Values = np.array([*self.timelines.markets, SEVERAL], object)
            at = np.where(number == 1, entered.argmax(axis=1), len(codes) - 1)
            return np.asarray(codes[at])
        return None

    def of_both(self, name: str) -> tuple[Values, Ints] | None:
        """Return groups of tracks in markets, and which each is in, (n, m); None where the name is none.

        The last group is None: of all that are in no group.
        """
        if (group := self._groups(name, "track_id", "market")) is None:
            return None
        lines = self.timelines
        levels, codes = np.unique(group.to_numpy(str), return_inverse=True)
        track = pd.Index(lines.track_ids).get_indexer(group.index.get_level_values(0))
        market = pd.Index(lines.markets).get_indexer(group.index.get_level_values(1))
        there = (track >= 0) & (market >= 0)
        table = np.full((len(lines.track_ids), len(lines.markets)), len(levels))
        table[track[there], market[there]] = codes[there]
        return np.array([*levels, None], object), table

    def of_pairs(self, name: str, entered: Flags) -> Values:
        """Return, (s, m), a variable of sets of markets and the market waited for."""
        if name in self.tables.columns("pairs"):
            assert self.tables.pairs is not None
            return _combined(self._matrix(self.tables.pairs, name), entered, self.tables.combine.get(name, "sum"))
        if name in OF_PAIRS:
            return _combined(self._matrix(self._packaged_pairs, name), entered, OF_PAIRS[name])
        if name == "language_match":
            return _any(self._matrix(self._packaged_pairs, "common_language") == 1, self._with_language(), entered)
        continent = _looked_up(self._reference.set_index("market")["continent"], pd.Index(self.timelines.markets))
        known = np.array([value is not None for value in continent])
        return _any((continent[:, None] == continent) & known, known, entered)

    @property
    def timelines(self) -> Timelines:
        """The entries as arrays."""
        return self.entries.timelines

    def artist_before(self) -> Flags:
        """Return, (n, m), whether the artist entered the market with another track before the track's debut."""
        lines = self.timelines
        first = np.full((int(lines.cluster.max(initial=-1)) + 1, len(lines.markets)), NOT_ENTERED)
        np.minimum.at(first, (lines.cluster[lines.track], lines.market), lines.day)
        before: Flags = first[lines.cluster] < lines.debut[:, None]
        return before

    @property
    def _reference(self) -> pd.DataFrame:
        return market_table(self.entries.groups)

    @property
    def _packaged_pairs(self) -> pd.DataFrame:
        return group_pairs(self.entries.groups)

    def _groups(self, name: str, *keys: str) -> "pd.Series[Any] | None":
        """Return the groups of this name by key; None where they have other keys."""
        own = self.tables.groups.get(name)
        return own.table.set_index(list(keys))["group"] if own is not None and own.keys == keys else None

    def _artists(self) -> Values:
        names: Values = primary_artists(self.timelines.track_ids, self.entries.described).to_numpy(zero_copy_only=False)
        return names

    def _with_language(self) -> Flags:
        known = self._packaged_pairs.dropna(subset="common_language")["source"]
        return np.isin(np.array(self.timelines.markets, object), known.to_numpy(object))

    def _matrix(self, table: pd.DataFrame, name: str) -> Floats:
        """Return, (m, m), a number of pairs from the entered market to the one waited for; NaN where not known."""
        codes = pd.Index(self.timelines.markets)
        source, target = (codes.get_indexer(pd.Index(table[side])) for side in ("source", "target"))
        there = (source >= 0) & (target >= 0)
        numbers = pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        matrix = np.full((len(codes), len(codes)), np.nan)
        matrix[source[there], target[there]] = numbers[there]
        return matrix


def _looked_up(known: "pd.Series[Any]", keys: "pd.Index[Any]") -> Values:
    """Return the values of keys: numbers with NaN, or texts and flags with None, where a key is not known."""
    found = known.reindex(keys)
    if pd.api.types.is_bool_dtype(known.dtype):
        found = found.map({True: "yes", False: "no"})
    elif pd.api.types.is_numeric_dtype(known.dtype):
        return found.to_numpy(np.float64, na_value=np.nan)
    values = found.astype(object).to_numpy()
    values[pd.isna(values)] = None
    return values


def _folded(names: "pd.Series[Any]") -> Values:
    """Return names of artists as `primary_artists` has them."""
    table = pa.table(
        {"track_id": pa.array(range(len(names))).cast(pa.string()), "artist": pa.array(names, pa.string())}
    )
    folded: Values = primary_artists(table["track_id"].to_numpy(), table).to_numpy(zero_copy_only=False)
    return folded


def _earlier_tracks(lines: Timelines) -> Floats:
    """Return, (n,), the number of tracks of the same artist with an earlier debut."""
    order = np.lexsort((lines.debut, lines.cluster))
    cluster, debut = lines.cluster[order], lines.debut[order]
    start = np.searchsorted(cluster, cluster)
    same = np.r_[True, (cluster[1:] != cluster[:-1]) | (debut[1:] != debut[:-1])]
    first = np.maximum.accumulate(np.where(same, np.arange(len(order)), 0))
    earlier = np.empty(len(order))
    earlier[order] = first - start
    return earlier


def _combined(matrix: Floats, entered: Flags, combine: Combine) -> Floats:
    """Return, (s, m), numbers of pairs combined over the entered markets; NaN where none of them is known."""
    known = ~np.isnan(matrix)
    there = entered.astype(np.float64) @ known
    if combine in ("sum", "mean"):
        total = np.zeros(entered.shape)
        for market, row in enumerate(np.where(known, matrix, 0.0)):  # a product would round as the other rows make it
            total[entered[:, market]] += row
        total = total / np.maximum(there, 1) if combine == "mean" else total
        return np.where(there > 0, total, np.nan)
    best = np.full(entered.shape, np.inf)
    sign = 1.0 if combine == "smallest" else -1.0
    for market, row in enumerate(np.where(known, sign * matrix, np.inf)):
        own = entered[:, market]
        best[own] = np.minimum(best[own], row)
    return np.where(there > 0, sign * best, np.nan)


def _any(shared: Flags, known: Flags, entered: Flags) -> Values:
    """Return, (s, m), "yes" where some entered market matches, "no" where none does, None where it is not known."""
    some = entered.astype(np.float32) @ shared.astype(np.float32) > 0
    sure = known & ~entered[:, ~known].any(axis=1, keepdims=True)
    found = np.full(entered.shape, None, object)
    found[sure], found[some] = "no", "yes"
    return found
