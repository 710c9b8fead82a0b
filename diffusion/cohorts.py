"""Cohorts: which tracks a study is about, chosen by id, artist, debut, first markets, or a condition of one's own."""

import difflib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion.arrays import Flags
from diffusion.errors import DataSaysNoError, SettingError
from diffusion.finding import artist_names, track_id_in, tracks_by
from diffusion.markets import market_names, resolve
from diffusion.recordings import folded

Where = pd.DataFrame | Callable[[pd.DataFrame], Any]
"""A table keyed by track or artist, or a function of the table of tracks that returns a flag for each row."""

_KEYS: Final = ("track_id", "artist")
"""Columns by which a table of one's own names tracks; the first that it has is used."""

_MOST_NAMED: Final = 5
"""Names that a cohort's description or an error lists."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions that a track must fulfil, all of them; fields as the parameters of `Entries.subset`."""

    tracks: Collection[str] | None = None
    artists: Collection[str] | None = None
    credited: bool = False
    debut: tuple[date | str | None, date | str | None] | None = None
    markets: Collection[str] | None = None
    where: Where | None = None

    def __post_init__(self) -> None:
        for name in ("tracks", "artists", "markets"):
            given = getattr(self, name)
            if isinstance(given, str):
                raise SettingError(f"{name} is the text {given!r}; give a list, such as [{given!r}]")
        if self.credited and self.artists is None:
            raise SettingError("credited artists are asked for, but no artists are named; name some (artists=)")
        if self.debut is not None and (isinstance(self.debut, str) or len(self.debut) != 2):
            raise SettingError(f"debut is {self.debut!r}; give its first and last day, such as ('2019-01-01', None)")

    def of(self, described: pd.DataFrame, footprints: pa.Table, recordings: pa.Table) -> tuple[Flags, tuple[str, ...]]:
        """Return which tracks are chosen, and what was chosen in words.

        Parameters
        ----------
        described
            One row per track: result of `Entries.tracks`.
        footprints
            As `diffusion.contracts.FOOTPRINTS`.
        recordings
            As `Entries.recordings`.

        Raises
        ------
        SettingError
            When a condition cannot be read.
        DataSaysNoError
            When a named artist has no track here, or no track fulfils all conditions.
        """
        kept, words = np.ones(len(described), bool), []
        parts: dict[str, Callable[[Any], tuple[Flags, str]]] = {
            "tracks": lambda ids: _listed_tracks(described, ids, recordings),
            "artists": lambda names: _by_artist(described, names, credited=self.credited),
            "debut": lambda days: _debuted(described, *days),
            "markets": lambda names: _first_in(described, footprints, names),
            "where": lambda where: _where(described, where, recordings),
        }
        for name, choose in parts.items():
            if (wanted := getattr(self, name)) is not None:
                chosen, said = choose(wanted)
                kept &= chosen
                words.append(said)
                if not kept.any():
                    raise DataSaysNoError(f"no track fulfils: {'; '.join(words)}; {len(described):,} tracks are there")
        return kept, tuple(words)


def _listed_tracks(described: pd.DataFrame, tracks: Collection[str], recordings: pa.Table) -> tuple[Flags, str]:
    wanted = _counted_as(pd.Series([track_id_in(str(track)) for track in tracks], dtype=object), recordings)
    chosen = described["track_id"].isin(wanted).to_numpy()
    listed = wanted.nunique()
    there = f", of which {int(chosen.sum()):,} are on the charts" if chosen.sum() < listed else ""
    return chosen, f"a list of {listed:,} tracks{there}"


def _counted_as(ids: "pd.Series[str]", recordings: pa.Table) -> "pd.Series[str]":
    """Return ids of tracks as the ids that they count as."""
    known = dict(zip(*(recordings[name].to_pylist() for name in ("track_id", "recording")), strict=True))
    return ids.map(lambda name: known.get(name, name))


def _by_artist(described: pd.DataFrame, artists: Collection[str], *, credited: bool) -> tuple[Flags, str]:
    names = [str(name).strip() for name in artists]
    credits, wanted = _credits(described), folded(pa.array(names, pa.string()))
    there = artist_names(credits, credited=credited)[0].unique().to_pylist()
    known = set(there)
    for name, plain in zip(names, wanted.to_pylist(), strict=True):
        if plain not in known:
            raise DataSaysNoError(f"no track of the artist '{name}' here{_near(plain, there)}")
    chosen = tracks_by(credits, wanted, credited=credited)
    kind = ("artist" if len(names) == 1 else "artists") + (", also credited second" if credited else "")
    return chosen, f"{kind}: {_some(names)}"


def _credits(described: pd.DataFrame) -> pa.Array:
    return pa.array(described["artist"], pa.string(), from_pandas=True)


def _debuted(described: pd.DataFrame, first: date | str | None, last: date | str | None) -> tuple[Flags, str]:
    days = described["debut"]
    begin, end = (_day(day) for day in (first, last))
    if begin is not None and end is not None and begin > end:
        raise SettingError(f"debut goes from {begin:%Y-%m-%d} to {end:%Y-%m-%d}; give the earlier day first")
    chosen = np.ones(len(described), bool)
    if begin is not None:
        chosen &= (days >= begin).to_numpy()
    if end is not None:
        chosen &= (days <= end).to_numpy()
    bounds = [f"from {begin:%Y-%m-%d}" if begin is not None else "", f"to {end:%Y-%m-%d}" if end is not None else ""]
    return chosen, f"debut {' '.join(bound for bound in bounds if bound) or 'on any day'}"


def _day(day: date | str | None) -> pd.Timestamp | None:
    if day is None:
        return None
    if not isinstance(day, str | date | np.datetime64):
        raise SettingError(f"{day!r} is no day; write it as '2019-12-31'")
    try:
        return pd.Timestamp(f"{date.fromisoformat(day) if isinstance(day, str) else day:%Y-%m-%d}")
    except (ValueError, TypeError):
        raise SettingError(f"'{day}' is no day; write it as 2019-12-31") from None


def _first_in(described: pd.DataFrame, footprints: pa.Table, markets: Collection[str]) -> tuple[Flags, str]:
    known = set(footprints["market"].unique().to_pylist())
    codes = [name if name in known else resolve(name) for name in markets]
    there = footprints.filter(pc.is_in(footprints["market"], pa.array(codes, pa.string())))
    chosen = described["track_id"].isin(there["track_id"].to_pandas()).to_numpy()
    return chosen, f"debut in {_some(list(market_names(codes).values()))}"


def _where(described: pd.DataFrame, where: Where | None, recordings: pa.Table) -> tuple[Flags, str]:
    if isinstance(where, pd.DataFrame):
        return _in_table(described, where, recordings)
    if not callable(where):
        raise SettingError(f"where is a {type(where).__name__}; give a DataFrame or a function of the table of tracks")
    found = np.asarray(where(described.copy()))
    if found.shape != (len(described),) or found.dtype.kind not in "bO" or pd.isna(found).any():
        raise SettingError(
            f"where must return True or False for each of the {len(described):,} tracks; "
            f"it returned {found.dtype} of shape {found.shape}"
        )
    return found.astype(bool), "a condition of your own"


def _in_table(described: pd.DataFrame, table: pd.DataFrame, recordings: pa.Table) -> tuple[Flags, str]:
    """Return the tracks that a table names; a column of flags beside the key says which of its rows count."""
    key = next((name for name in _KEYS if name in table), None)
    others = [name for name in table if name not in _KEYS]
    if key is None or len(others) > 1 or (others and not pd.api.types.is_bool_dtype(table[others[0]])):
        raise SettingError(
            "a table of tracks has a column 'track_id' or 'artist', and at most one column of flags beside it; "
            f"this one has {', '.join(map(str, table))}"
        )
    named = table[table[others[0]].astype(bool)] if others else table
    if key == "track_id":
        chosen = described["track_id"].isin(_counted_as(named[key].astype(str), recordings)).to_numpy()
    else:
        listed = folded(pa.array(named[key].dropna().astype(str).str.strip(), pa.string()))
        chosen = tracks_by(_credits(described), listed, credited=False)
    return chosen, f"a table of {len(named):,} {'tracks' if key == 'track_id' else 'artists'}"


def _near(plain: str, there: Sequence[str]) -> str:
    found = difflib.get_close_matches(plain, [name for name in there if name], n=3)
    return f"; near it are {_some(found)}" if found else ""


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
