"""The candidates of a truth file: who is learned from, and who is to be predicted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from diffusion import SettingError, UnknownMarketError, resolve
from diffusion.arrays import Days, Flags, Ints
from diffusion.conventions import LONGEST
from pipelines.features.history import History
from pipelines.features.observations import Observations, Outcomes
from pipelines.formatting import many

TRAIN, TEST = "train", "test"

ASKED: Final = ("track_id", "market", "debut", "part")
"""Columns that are read of every row."""

OUTCOMES: Final = ("track_id", "market", "entered", "days")
"""Columns that are read of training rows, and of no other."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Candidates of a truth file, in the file's order within each part.

    Attributes
    ----------
    train
        `track_id`, `market` (code), `debut` (date), `entered`, `days` (NaN where it did not enter).
    test
        `track_id`, `market` (code), `debut`, and `spelling` (the market as in the file).
    """

    train: pd.DataFrame
    test: pd.DataFrame

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the candidates of a file.

        Parameters
        ----------
        file
            Parquet file with the columns `track_id`, `market` (any known name or code), `debut`, `part` (``train`` or
            ``test``), `entered` and `days` (to the entry; null where there is none). Of test rows, `entered` and `days`
            are not read.

        Raises
        ------
        SettingError
            When the file is not such a table.
        """
        if not file.is_file():
            raise SettingError(f"no file '{file}' with the truth")
        asked = _read(file, ASKED)
        for name in ASKED:
            if asked[name].isna().any():
                raise SettingError(f"'{file}' has nulls in '{name}'")
        strange = sorted(set(asked["part"]) - {TRAIN, TEST})
        if strange:
            raise SettingError(f"'{file}' has the part '{strange[0]}'; allowed are {TRAIN} and {TEST}")
        asked["spelling"] = asked["market"]
        asked["market"] = asked["market"].map(_codes(asked["market"].unique(), file))
        asked["debut"] = _dates(asked["debut"], file)
        twice = asked.duplicated(["track_id", "market"])
        if twice.any():
            track, market = asked.loc[twice, ["track_id", "spelling"]].iloc[0]
            raise SettingError(f"'{file}' has the pair of '{track}' and '{market}' more than once")
        debuts = asked[["track_id", "debut"]].drop_duplicates()
        if debuts["track_id"].duplicated().any():
            raise SettingError(f"'{file}' has a track with more than one debut")
        parts = {part: asked[asked["part"] == part].drop(columns="part") for part in (TRAIN, TEST)}
        for part, rows in parts.items():
            if rows.empty:
                raise SettingError(f"'{file}' has no {part} rows")
        learned = _read(file, OUTCOMES, pc.field("part") == TRAIN)
        outcomes = _outcomes(learned, file)
        train = parts[TRAIN].drop(columns="spelling").reset_index(drop=True).join(outcomes)
        return cls(train, parts[TEST].reset_index(drop=True))

    def horizon(self, cadence: int) -> int:
        """Return the longest time to an entry of the training rows, rounded up to whole periods of `cadence` days."""
        return int(-(-self.train["days"].max() // cadence) * cadence)


def _read(file: Path, columns: Sequence[str], rows: pc.Expression | None = None) -> pd.DataFrame:
    try:
        with pq.ParquetFile(file) as opened:
            there = opened.schema_arrow.names
        missing = [name for name in columns if name not in there]
        if missing:
            raise SettingError(f"'{file}' lacks {', '.join(missing)}; it has {', '.join(there)}")
        table = pq.read_table(file, columns=list(columns), filters=rows, use_threads=False, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise SettingError(f"'{file}' is no truth as the benchmark writes it: {error}") from error
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _codes(names: Iterable[str], file: Path) -> dict[str, str]:
    codes = {}
    for name in names:
        try:
            codes[name] = resolve(str(name))
        except UnknownMarketError as error:
            raise SettingError(f"'{file}': {error}") from error
    if len(set(codes.values())) < len(codes):
        code = next(code for code in codes.values() if sum(code == other for other in codes.values()) > 1)
        raise SettingError(f"'{file}' spells {code} in more than one way: {[n for n in codes if codes[n] == code]}")
    return codes


def _dates(debut: "pd.Series[pd.Timestamp]", file: Path) -> "pd.Series[pd.Timestamp]":
    try:
        return pd.to_datetime(debut).astype("datetime64[s]")
    except (ValueError, TypeError) as error:
        raise SettingError(f"'{file}' has a 'debut' that is no date: {error}") from error


def _outcomes(learned: pd.DataFrame, file: Path) -> pd.DataFrame:
    try:
        entered = learned["entered"].astype("boolean")
        days = pd.to_numeric(learned["days"]).astype(np.float32)
    except (ValueError, TypeError) as error:
        raise SettingError(f"'{file}': entered must be true or false, and days a number: {error}") from error
    if entered.isna().any():
        raise SettingError(f"'{file}' has nulls in 'entered' of training rows")
    if not entered.any():
        raise SettingError(f"'{file}' has no training row with an entry, so there is nothing to learn from")
    wrong = entered.to_numpy(np.bool_) & ~(days.to_numpy() > 0)
    if wrong.any():
        raise SettingError(f"'{file}' has a training row with an entry, but not the days to it (above 0)")
    return pd.DataFrame({"entered": entered.to_numpy(np.bool_), "days": days.where(entered.to_numpy(np.bool_))})


@dataclass(frozen=True, slots=True)
class Asked:
    """Observations of a truth file, as of the file's debuts, and where its rows are.

    Attributes
    ----------
    observations
        Tracks of both parts.
    outcomes
        What the training rows say; candidates of test rows are followed, without an entry.
    train
        (n,): whether the observation is in the training part.
    test_rows
        (t, 2): observation and market of every test row of the file, in its order.
    """

    observations: Observations
    outcomes: Outcomes
    train: Flags
    test_rows: Ints

    @classmethod
    def of(cls, history: History, truth: Truth) -> Self:
        """Return the observations of a truth file.

        Raises
        ------
        SettingError
            When the charts do not have a track or market of the file, or no chart on a debut.
        """
        both = pd.concat([truth.train, truth.test], ignore_index=True)
        track = _placed(pd.Index(history.tracks["track_id"]), both["track_id"], "track")
        market = _placed(pd.Index(history.markets), both["market"], "market")
        day = both["debut"].to_numpy().astype("datetime64[D]").astype(np.int32)
        _check_days(history, both["track_id"], track, day)
        pairs = pd.DataFrame({"day": day, "track": track})
        tracks = pairs.drop_duplicates().sort_values(["day", "track"])
        row = pd.MultiIndex.from_frame(tracks).get_indexer(pd.MultiIndex.from_frame(pairs)).astype(np.int64)
        shape = len(tracks), len(history.markets)
        candidates, entered = np.zeros((2, *shape), np.bool_)
        days = np.full(shape, np.nan, np.float32)
        learned = len(truth.train)
        candidates[row, market] = True
        entered[row[:learned], market[:learned]] = truth.train["entered"].to_numpy()
        days[row[:learned], market[:learned]] = truth.train["days"].to_numpy()
        train = np.zeros(len(tracks), np.bool_)
        train[row[:learned]] = True
        if train[row[learned:]].any():
            raise SettingError("the truth file has a track in both parts, train and test")
        observations = Observations(tracks["track"].to_numpy(), tracks["day"].to_numpy(), candidates)
        outcomes = Outcomes(entered, days, np.ones(shape, np.bool_))
        return cls(observations, outcomes, train, np.stack([row[learned:], market[learned:]], axis=1))


def _placed(known: "pd.Index[str]", asked: "pd.Series[str]", thing: str) -> Ints:
    at = known.get_indexer(pd.Index(asked)).astype(np.int64)
    if (at < 0).any():
        missing = asked[at < 0].unique()
        raise SettingError(
            f"the charts do not have {many(len(missing), thing)} of the truth file, such as '{missing[0]}'; give the "
            "charts that it was made from"
        )
    return at


def _check_days(history: History, ids: "pd.Series[str]", track: Ints, day: Days) -> None:
    strange = np.setdiff1d(day, history.observed.day)
    if len(strange):
        raise SettingError(
            f"the truth file has a debut on {np.datetime64(int(strange[0]), 'D')}, on which there is no chart; give "
            "the charts that it was made from"
        )
    early = day < history.first_seen[track]
    if early.any():
        raise SettingError(
            f"the truth file has the debut of '{ids[early].iloc[0]}' before the track is on any chart; give the charts "
            "that it was made from"
        )


def checked_horizon(horizon: int | None, truth: Truth, cadence: int) -> int:
    """Return the horizon in days: as asked, or the longest time to an entry of the training rows in whole periods.

    Raises
    ------
    SettingError
        When it is out of range, or shorter than the time to an entry of the file.
    """
    longest = truth.horizon(cadence)
    if horizon is None:
        return longest
    if not 1 <= horizon <= LONGEST:
        raise SettingError(f"horizon: {horizon}; give 1 to {LONGEST:,} days")
    if horizon < truth.train["days"].max():
        raise SettingError(f"horizon: {horizon}; the truth file has entries after {truth.train['days'].max():.0f} days")
    return horizon
