"""The cohort of a study: which tracks it is about, by artist, list, debut, or market of the debut."""

from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from diffusion import Entries, SettingError, resolve
from pipelines.folders.manifest import file_facts
from pipelines.own_tables import read_own_table

COHORT: Final = "cohort"
"""Fact of a source file that is no chart: what of the cohort it holds."""

FLAGS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
"""Text of a flag in a CSV file, in lower case → its value; an empty cell is False."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """Conditions that the tracks of a study fulfil, all of them; None where there is none.

    Attributes
    ----------
    artists
        Names of artists.
    credited
        Whether a track belongs to all its credited artists, not only to the first.
    tracks
        CSV or Parquet file with a column `track_id` or `artist` and, if only some of its rows count, one column of
        flags; relative to the study file.
    debut
        First and last day of the debut, both included; empty for an open end.
    markets
        Names or codes: tracks that entered one of them on the day of their debut.
    """

    artists: tuple[str, ...] | None = None
    credited: bool = False
    tracks: str | None = None
    debut: tuple[str, str] | None = None
    markets: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("artists", "markets"):
            value = getattr(self, name)
            if value is not None and not (_texts(value) and value and all(text.strip() for text in value)):
                raise SettingError(f"{name} of the cohort is {_shown(value)}; it must be a list of names")
        for market in self.markets or ():
            resolve(market)
        if not isinstance(self.credited, bool):
            raise SettingError(f"credited is {self.credited!r}; it must be true or false")
        if self.credited and self.artists is None:
            raise SettingError("credited artists are asked for, but no artists are named; name some (--artist)")
        if self.tracks is not None and not (isinstance(self.tracks, str) and self.tracks):
            raise SettingError(f"tracks of the cohort is {self.tracks!r}; name a CSV or Parquet file")
        if self.debut is not None and not (_texts(self.debut) and len(self.debut) == 2 and any(self.debut)):
            raise SettingError(
                f'debut is {_shown(self.debut)}; give its first and last day, such as ["2019-01-01", "2019-12-31"], '
                'one of them "" for an open end'
            )
        for day in self.debut or ():
            _check_day(day)

    def __bool__(self) -> bool:
        return bool(self.given())

    def given(self) -> dict[str, Any]:
        """Return the conditions that there are, for a manifest; of the file of tracks its name alone."""
        conditions = {name: value for name, value in asdict(self).items() if value not in (None, False)}
        return conditions if self.tracks is None else conditions | {"tracks": Path(self.tracks).name}

    def of(self, entries: Entries) -> Entries:
        """Return the entries of the cohort.

        Raises
        ------
        SettingError
            When the file of tracks cannot be read.
        DataSaysNoError
            When a named artist has no track, or no track fulfils all conditions.
        """
        if not self:
            return entries
        begin, end = self.debut or ("", "")
        conditions: dict[str, Any] = {
            "artists": self.artists,
            "credited": self.credited,
            "debut": None if self.debut is None else (begin or None, end or None),
            "markets": self.markets,
        }
        if self.tracks is not None:
            listed = read_listed(self.tracks)
            name = next(iter(listed))
            conditions |= {"tracks": listed[name]} if name == "track_id" else {"where": listed}
        return entries.subset(**conditions)

    def sources(self) -> list[dict[str, Any]]:
        """Return path, size and SHA-256 of the file that the cohort reads, if it reads one."""
        if self.tracks is None:
            return []
        read_listed(self.tracks)
        return [{COHORT: "tracks", **facts} for facts in file_facts([Path(self.tracks)], Path(self.tracks).parent)]


COHORT_KEYS: Final = tuple(spec.name for spec in fields(Cohort))
"""Keys of the section of the study file."""


def read_listed(file: str) -> pd.DataFrame:
    """Return the rows of a file that count, in one column: `track_id`, or else `artist`.

    Raises
    ------
    SettingError
        When the file cannot be read, has no such column, more than one column of flags, or no row that counts.
    """
    table = read_own_table(file, what="tracks", section="cohort")
    key = next((name for name in ("track_id", "artist") if name in table), None)
    if key is None:
        raise SettingError(
            f"'{file}' has no column 'track_id' or 'artist'; it has {', '.join(map(str, table)) or 'none'}"
        )
    others = [name for name in table if name not in ("track_id", "artist")]
    if len(others) > 1:
        raise SettingError(
            f"'{file}' has several columns beside '{key}': {', '.join(map(str, others))}; keep at most one, with flags"
        )
    counts = table[key].notna()
    if others:
        counts &= _flags(table[others[0]], file)
    if not counts.any():
        raise SettingError(f"no row of '{file}' names a track that counts")
    listed: pd.DataFrame = table.loc[counts, [key]].astype(str)
    return listed


def _flags(column: "pd.Series[Any]", file: str) -> "pd.Series[bool]":
    texts = column.astype("string").str.strip().str.lower().fillna("no")
    strange = texts[~texts.isin(list(FLAGS))]
    if len(strange):
        raise SettingError(
            f"column '{column.name}' of '{file}' holds '{strange.iloc[0]}'; a flag is {', '.join(FLAGS)} or empty"
        )
    return texts.map(FLAGS).astype(bool)


def _texts(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(text, str) for text in value)


def _shown(value: Any) -> str:
    return repr(list(value) if isinstance(value, tuple) else value)


def _check_day(day: str) -> None:
    try:
        if day:
            date.fromisoformat(day)
    except ValueError:
        raise SettingError(f"debut names '{day}', which is no day; write it as 2019-12-31") from None
