"""Columns of the user's own, such as playlists or spend, each row known from a date on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DiffusionError, SettingError, resolve
from diffusion.arrays import Days
from pipelines.features.history import History
from pipelines.features.registry import Feature, Values
from pipelines.features.scene import Scene
from pipelines.own_tables import read_own_table

KEYS: Final = ("track_id", "market", "known")
"""Columns that say what a row is about; all others are values."""

EVERYWHERE: Final = ""
"""Market of a row that is about all markets."""


@dataclass(frozen=True, slots=True)
class OwnColumns:
    """Rows of the user's table, in order of the date on which they are known.

    Attributes
    ----------
    names
        Names of the v value columns.
    track
        (r,): ids of the tracks.
    market
        (r,): codes of the markets, empty for a row about all markets.
    known
        (r,): day from which on the row is known, since 1970-01-01.
    values
        (r, v): values, NaN where missing.
    """

    names: tuple[str, ...]
    track: NDArray[np.str_]
    market: NDArray[np.str_]
    known: Days
    values: NDArray[np.float32]

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Return the columns of a CSV or Parquet file: `track_id`, `known` (date), perhaps `market`, and numbers.

        Raises
        ------
        SettingError
            When the file cannot be read, lacks a column, or has a cell that cannot be right.
        """
        return cls.of(read_own_table(path, what="columns of your own"), where=str(path))

    @classmethod
    def of(cls, frame: pd.DataFrame, *, where: str = "the table") -> Self:
        """Return the columns of a frame; errors name `where` it is from."""
        lacking = [name for name in ("track_id", "known") if name not in frame]
        names = tuple(str(name) for name in frame if name not in KEYS)
        if lacking or not names:
            what = f"no column {' and no column '.join(lacking)}" if lacking else "no column of values"
            raise SettingError(f"{what} in {where}; it needs track_id, known (a date), perhaps market, and numbers")
        if len(set(names)) < len(names):
            raise SettingError(f"{where} has a column twice: {', '.join(names)}")
        track = frame["track_id"].astype("string").fillna("").str.strip().to_numpy(str)
        if (track == "").any():
            raise SettingError(f"row {1 + int(np.argmax(track == ''))} of {where} has no track_id")
        frame = frame.assign(
            track_id=track,
            market=_markets(frame["market"], where) if "market" in frame else EVERYWHERE,
            known=_days(frame["known"], where),
        )
        twice = frame.duplicated(list(KEYS))
        if twice.any():
            row = frame[twice].iloc[0]
            raise SettingError(
                f"{where} has two rows of track '{row['track_id']}', market '{row['market']}' and one day; keep one"
            )
        # rows about all markets come before those of one market on the same day, which then stand
        frame = frame.sort_values(["known", "market", "track_id"], kind="stable")
        values = np.stack([_numbers(frame[name], name, where) for name in names], axis=1)
        return cls(
            names,
            frame["track_id"].to_numpy(str),
            frame["market"].to_numpy(str),
            frame["known"].to_numpy(np.int32),
            values,
        )

    def until(self, day: int) -> "OwnColumns":
        """Return the rows known by the end of a day."""
        kept = self.known <= day
        return OwnColumns(self.names, self.track[kept], self.market[kept], self.known[kept], self.values[kept])


class Own:
    """The user's columns as features: for every track and market, the latest row known by the day.

    Parameters
    ----------
    columns
        The user's table.
    """

    def __init__(self, columns: OwnColumns) -> None:
        self._take(columns)

    def _take(self, columns: OwnColumns) -> None:
        """Keep the rows in order of track, then as given."""
        self._columns = columns
        self._ids, number = np.unique(columns.track, return_inverse=True)
        self._rows = np.argsort(number, kind="stable")
        self._starts = np.append(0, np.cumsum(np.bincount(number, minlength=len(self._ids))))

    @property
    def features(self) -> tuple[Feature, ...]:
        """One feature per value column."""
        return tuple(
            Feature(
                f"own_{name}", "as given", f"{name}, by the latest row known by the day.", ("own",), "own date", "own"
            )
            for name in self._columns.names
        )

    def advance(self, known: History, day: int) -> None:
        """Take in nothing: rows have dates of their own."""

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the tracks of a day."""
        own, m = self._columns, len(known.markets)
        ids = known.tracks["track_id"].iloc[scene.track].to_numpy(str)
        number = np.searchsorted(self._ids, ids)
        ours = np.flatnonzero(np.append(self._ids, "")[number] == ids)
        low, size = self._starts[number[ours]], np.diff(self._starts)[number[ours]]
        at = np.repeat(ours, size)
        row = self._rows[np.arange(len(at)) - np.repeat(np.cumsum(size) - size, size) + np.repeat(low, size)]
        market = pd.Index([*known.markets, EVERYWHERE]).get_indexer(pd.Index(own.market[row]))
        kept = (own.known[row] <= scene.day) & (market >= 0)
        at, row, market = at[kept], row[kept], market[kept]
        repeats = np.where(market == m, m, 1)  # a row about all markets is one row for each
        places = np.repeat(market, repeats)
        places[places == m] = np.tile(np.arange(m), int((market == m).sum()))
        found = np.full((len(own.names), len(ids), m), np.nan, np.float32)
        found[:, np.repeat(at, repeats), places] = own.values[np.repeat(row, repeats)].T  # of several, the last stays
        return {feature.name: values for feature, values in zip(self.features, found, strict=True)}

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the rows of the table."""
        own = self._columns
        return {
            "names": np.array(own.names),
            "track": own.track,
            "market": own.market,
            "known": own.known,
            "values": own.values,
        }

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state."""
        self._take(
            OwnColumns(
                tuple(map(str, state["names"])),
                state["track"].astype(str),
                state["market"].astype(str),
                state["known"].astype(np.int32),
                state["values"].astype(np.float32),
            )
        )


def no_columns() -> OwnColumns:
    """Return a table without rows and values, to restore a state into."""
    text = np.zeros(0, np.str_)
    return OwnColumns((), text, text, np.zeros(0, np.int32), np.zeros((0, 0), np.float32))


def _markets(names: "pd.Series[str]", where: str) -> NDArray[np.object_]:
    """Return the codes of market names, empty where there is none."""
    codes = {}
    for name in names.dropna().unique():
        try:
            codes[name] = resolve(str(name))
        except DiffusionError as error:
            raise SettingError(f"{where}: {error}") from error
    return names.map(codes).fillna(EVERYWHERE).to_numpy(object)


def _days(dates: "pd.Series[str]", where: str) -> NDArray[np.int64]:
    found = pd.to_datetime(dates, errors="coerce", format=None if dates.dtype.kind == "M" else "ISO8601")
    if found.isna().any():
        row = int(np.argmax(found.isna().to_numpy()))
        raise SettingError(f"row {row + 1} of {where}: known is '{dates.iloc[row]}'; give a date as YYYY-MM-DD")
    return found.dt.tz_localize(None).to_numpy("datetime64[D]").astype(np.int64)


def _numbers(column: "pd.Series[float]", name: str, where: str) -> NDArray[np.float32]:
    words = column.replace({"true": "1", "True": "1", "false": "0", "False": "0"}) if column.dtype == object else column
    numbers = pd.to_numeric(words, errors="coerce")
    wrong = numbers.isna() & column.notna()
    if wrong.any():
        raise SettingError(f"column '{name}' of {where} has '{column[wrong].iloc[0]}'; values must be numbers")
    values: NDArray[np.float32] = numbers.astype("Float32").to_numpy(np.float32, na_value=np.nan)
    if np.isinf(values).any():
        raise SettingError(f"column '{name}' of {where} has an infinite value")
    return values
