"""How tracks go through charts: how they rise and fall, how long they stay, whether they come back."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import stdtr, stdtrit

import survival
from diffusion import DataSaysNoError, Entries
from diffusion.arrays import Flags, Floats, Ints
from diffusion.risk.kaplan_meier import TAIL
from graphs.false_discovery import adjusted
from pipelines.eda.intervals import clustered_means, clustered_shares

GROUPS: Final = ("all", "markets of the debut", "later markets")
"""Groups of trajectories: all, those that begin on the track's day 0, and those in markets that it entered later."""

SHAPES: Final = (
    "one chart alone",
    "best rank on the first chart, never again",
    "best rank on a chart between",
    "best rank on the last chart only",
    "best rank on the first and the last chart",
)
"""Kinds of trajectories, by when they are at their best rank; fixed definitions, which no data can change."""

DIRECTION: Final = "share with a shorter rise than fall, less share with a longer one"
STAYS: Final = "mean charts of the first stay: markets of the debut less later markets"
"""Names of the tests."""

LEVELS: Final = {"q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}
"""Column → quantile of a profile."""

LONG: Final = 180
"""Days away after which a return is counted by its month."""

BACK_WITHIN: Final = (28, 180)
"""Days after the first spell for which the share that has come back is told."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Trajectories of tracks with a timed debut and entry, n of them.

    Attributes
    ----------
    table
        (n rows): columns as in `diffusion.contracts.TRAJECTORIES`, without ids.
    cluster
        (n,): number of the artist.
    later
        (n,): whether the market is not of the debut.
    """

    table: pd.DataFrame
    cluster: Ints
    later: Flags

    @classmethod
    def of(cls, entries: Entries, trajectories: pa.Table) -> Self:
        """Return the trajectories of the tracks of entries whose debut and entry are timed.

        Raises
        ------
        DataSaysNoError
            When there is none.
        """
        lines = entries.timelines
        track = pc.index_in(trajectories["track_id"], pa.array(lines.track_ids, pa.string())).to_numpy()
        entry = trajectories["entry"].cast(pa.int32()).to_numpy()
        censored = trajectories["left_censored"].to_numpy(zero_copy_only=False)
        debut = np.full(len(lines.track_ids), np.iinfo(np.int32).max)
        np.minimum.at(debut, track, entry)
        at_debut = entry == debut[track]
        timed = np.zeros(len(debut), bool)
        timed[track[at_debut & ~censored]] = True
        kept = ~censored & timed[track]
        if not kept.any():
            raise DataSaysNoError("no track has a timed debut: every entry falls within the washout of its market")
        table = trajectories.drop_columns(["track_id", "market"]).filter(pa.array(kept)).to_pandas(date_as_object=False)
        return cls(table, lines.cluster[track[kept]], ~at_debut[kept])

    @property
    def twice(self) -> tuple[Ints, Ints]:
        """Rows and groups: every trajectory counts among all, and in its own group."""
        rows = np.arange(len(self.later))
        return np.tile(rows, 2), np.concatenate([np.zeros(len(rows), np.int64), 1 + self.later.astype(np.int64)])


def trajectory_tables(entries: Entries, trajectories: pa.Table, *, charts: int, days: int) -> dict[str, pd.DataFrame]:
    """Return the tables of a study on trajectories, without profiles; columns as in `pipelines.contracts.trajectories`.

    Parameters
    ----------
    entries
        Entries of the tracks, for their artists.
    trajectories
        As `diffusion.contracts.TRAJECTORIES`, of these tracks.
    charts
        Charts of the first spell up to which its curve goes.
    days
        Days after it up to which the curve of returns goes.

    Raises
    ------
    DataSaysNoError
        When no track has a timed debut.
    """
    ways = Ways.of(entries, trajectories)
    stays = _curves(_stays(ways), charts)
    tables = {
        "persistence": stays.curves,
        "persistence_summary": stays.summary,
        "trajectory_shares": shares(ways),
        "trajectory_tests": trajectory_tests(ways, charts),
        "returns_by_month": returns_by_month(ways),
    }
    if ways.table["first_ended"].any():
        back = _curves(_absences(ways), days).curves
        bounds = {"share_back": 1 - back["share"], "low": 1 - back["high"], "high": 1 - back["low"]}
        tables["comebacks"] = back.drop(columns="share").assign(**bounds)
    return tables


# ── profiles ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def profile_bands(profiles: pd.DataFrame) -> pd.DataFrame:
    """Return the quantiles of rank, and of streams, some charts after the entry, and before and after the best rank.

    All trajectories that were followed count on every chart: one that is off the chart is below every rank. A quantile
    that is off the chart is missing.

    Parameters
    ----------
    profiles
        Result of `Charts.profiles`.
    """
    rows = []
    for (aligned, measure, charts), own in profiles.groupby(["aligned", "measure", "charts"], sort=True):
        followed = int(own["followed"].iloc[0])
        better = own.sort_values("value", ascending=measure == "rank")
        reached = better["trajectories"].cumsum().to_numpy()
        values = better["value"].to_numpy(np.float64) / (1 if measure == "rank" else 100)
        row = {"aligned": aligned, "measure": measure, "charts": charts, "followed": followed}
        row["on_chart"] = reached[-1] / followed
        for name, level in LEVELS.items():
            at = int(np.searchsorted(reached, level * followed))
            row[name] = values[at] if at < len(values) else np.nan
        rows.append(row)
    columns = ["aligned", "measure", "charts", "followed", "on_chart", *LEVELS]
    return pd.DataFrame(rows, columns=columns)


# ── how long, and whether again ──────────────────────────────────────────────────────────────────────────────────────


def _stays(ways: Ways) -> pd.DataFrame:
    """Return the first spell of every trajectory as a wait for its end, counted in charts."""
    table = ways.table
    return _grouped(ways, table["first_charts"].to_numpy(), table["first_ended"].to_numpy())


def _absences(ways: Ways) -> pd.DataFrame:
    """Return the time after every first spell that ended, as a wait for the re-entry, in days."""
    table = ways.table[ways.table["first_ended"]]
    own = Ways(table, ways.cluster[table.index], ways.later[table.index])
    back = table["away"].notna().to_numpy()
    days = table["away"].fillna(table["followed"]).to_numpy(np.int64)
    return _grouped(own, days, back)


def _grouped(ways: Ways, days: Ints, ended: Flags) -> pd.DataFrame:
    rows, group = ways.twice
    columns = {"days": days[rows], "entered": ended[rows], "group": group, "cluster": ways.cluster[rows]}
    return pd.DataFrame(columns)


@dataclass(frozen=True, slots=True)
class Curves:
    """Curves of all groups, and a row for each.

    Attributes
    ----------
    curves
        `group`, `length`, `at_risk`, `ended`, `share` (of waits that go on), `low`, `high`.
    summary
        `group`, `trajectories`, `ended`, `artists`, `median`, `median_low`, `median_high`.
    """

    curves: pd.DataFrame
    summary: pd.DataFrame


def _curves(waits: pd.DataFrame, horizon: int) -> Curves:
    """Return Kaplan–Meier curves of every group, with bands by artist, up to the horizon."""
    source = survival.frame_waits(waits, days="days", entered="entered", cluster="cluster")
    found = survival.breakthrough(source, by="group", horizon=horizon)
    names = {str(number): name for number, name in enumerate(GROUPS)}
    curves = found.curves.rename(columns={"days": "length", "events": "ended", "survival": "share"})
    kept = ["group", "length", "at_risk", "ended", "share", "low", "high"]
    renamed = {"waits": "trajectories", "events": "ended", "effective_clusters": "artists", "median_days": "median"}
    told = ["group", *renamed.values(), "median_low", "median_high"]
    summary = found.summary.rename(columns=renamed)[told]
    return Curves(*(part.assign(group=part["group"].map(names)) for part in (curves[kept], summary)))


# ── shares ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def shares(ways: Ways) -> pd.DataFrame:
    """Return shares of trajectories with an interval by artist, by kind of share and group.

    Those of one group of tables are of the same trajectories: shapes and spells of those whose last spell ended;
    returns of those whose first spell ended so many days before the end of the stretch of coverage.
    """
    table = ways.table
    ended, first_ended = ~table["right_censored"].to_numpy(), table["first_ended"].to_numpy()
    away, followed = table["away"].to_numpy(np.float64, na_value=np.nan), table["followed"].to_numpy()
    spells = table["spells"].to_numpy()
    kinds: list[tuple[str, str, Flags, Flags]] = [
        ("shape", name, shape_of(table) == place, ended) for place, name in enumerate(SHAPES)
    ]
    kinds += [("spells", name, counted, ended) for name, counted in _counts_of(spells)]
    kinds += [("back", f"within {days} days", away <= days, first_ended & (followed >= days)) for days in BACK_WITHIN]
    rows = [_share(ways, what, name, flag, among) for what, name, flag, among in kinds if among.any()]
    columns = ["what", "name", "group", "trajectories", "artists", "share", "low", "high"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)


def _counts_of(spells: Ints) -> list[tuple[str, Flags]]:
    return [("1", spells == 1), ("2", spells == 2), ("3 or more", spells > 2)]


def shape_of(table: pd.DataFrame) -> Ints:
    """Return the number of each trajectory's kind, of `SHAPES`.

    Examples
    --------
    >>> dates = {"entry": [1, 1, 1, 1, 1], "best_on": [1, 1, 2, 4, 1], "best_until": [1, 3, 2, 4, 4]}
    >>> SHAPES[shape_of(pd.DataFrame(dates | {"last_date": [1, 4, 4, 4, 4], "one_chart": [True] + [False] * 4}))[1]]
    'best rank on the first chart, never again'
    """
    first, last = table["best_on"] == table["entry"], table["best_until"] == table["last_date"]
    kinds = [table["one_chart"], first & ~last, ~first & ~last, ~first & last, first & last]
    return np.select(kinds, range(len(SHAPES))).astype(np.int64)


def _share(ways: Ways, what: str, name: str, flag: Flags, among: Flags) -> pd.DataFrame:
    rows, group = ways.twice
    kept = among[rows]
    found = clustered_shares(flag[rows][kept], group[kept], ways.cluster[rows][kept], len(GROUPS))
    found = found.rename(columns={"tracks": "trajectories", "mean": "share"}).assign(what=what, name=name, group=GROUPS)
    return found[found["trajectories"] > 0]


# ── tests ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def trajectory_tests(ways: Ways, charts: int) -> pd.DataFrame:
    """Return what is tested: whether trajectories rise faster than they fall, and stay longer where they debut.

    Returns
    -------
    DataFrame
        One row per test that can be made: `test`, `value`, `low`, `high`, `trajectories`, `artists`, `p`, `q`.
    """
    rows = [row for row in (_direction(ways), _stay_difference(ways, charts)) if row is not None]
    columns = ["test", "value", "low", "high", "trajectories", "artists", "p"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(q=adjusted(table["p"].to_numpy(np.float64)))


def direction(table: pd.DataFrame) -> Floats:
    """Return 1 where a trajectory rose to its best rank in less time than it took from there to its end, −1 for more.

    The rise ends on the first date at the best rank and the fall begins on the last. Seen backwards, a trajectory has
    the opposite sign: of a process without a direction in time the mean is 0.
    """
    rise, fall = table["best_on"] - table["entry"], table["last_date"] - table["best_until"]
    signs: Floats = np.sign((fall - rise).dt.days.to_numpy(np.float64))
    return signs


def _direction(ways: Ways) -> dict[str, object] | None:
    kept = ~ways.table["right_censored"].to_numpy()
    signs = direction(ways.table[kept])
    if not signs.any():
        return None
    found = clustered_means(signs, np.zeros(len(signs), np.int64), ways.cluster[kept], 1).iloc[0]
    freedom = found["artists"] - 1
    error = (found["high"] - found["low"]) / 2 / stdtrit(freedom, 1 - TAIL)
    if not error > 0:
        return None
    return {
        "test": DIRECTION,
        "value": found["mean"],
        "low": found["low"],
        "high": found["high"],
        "trajectories": len(signs),
        "artists": found["artists"],
        "p": 2 * stdtr(freedom, -abs(found["mean"]) / error),
    }


def _stay_difference(ways: Ways, charts: int) -> dict[str, object] | None:
    stays = _stays(ways)
    stays = stays[stays["group"] > 0]
    if stays["group"].nunique() < 2:
        return None
    source = survival.frame_waits(stays, days="days", entered="entered", cluster="cluster")
    last = int(min(charts, stays.groupby("group")["days"].max().min()))
    found = survival.restricted_mean(source, by="group", days=last)
    row = found.differences.iloc[0]
    if not np.isfinite(row["standard_error"]):
        return None
    return {
        "test": STAYS,
        "value": row["difference"],
        "low": row["low"],
        "high": row["high"],
        "trajectories": len(stays),
        "artists": found.table["clusters"].min(),
        "p": row["p"],
    }


# ── when they come back ──────────────────────────────────────────────────────────────────────────────────────────────


def returns_by_month(ways: Ways) -> pd.DataFrame:
    """Return, for returns after a long time away, how many fell in each month of the year."""
    table = ways.table[ways.table["away"] >= LONG]
    month = (table["first_until"] + pd.to_timedelta(table["away"], unit="D")).dt.month.to_numpy()
    cluster = ways.cluster[table.index]
    everyone = np.zeros(len(table), np.int64)
    rows = [clustered_shares(month == number, everyone, cluster, 1) for number in range(1, 13)] if len(table) else []
    columns = ["tracks", "artists", "mean", "low", "high"]
    found = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns, dtype=np.float64)
    renamed = {"tracks": "returns", "mean": "share"}
    return found.rename(columns=renamed).assign(month=np.arange(1, len(found) + 1)).astype({"returns": np.int64})
