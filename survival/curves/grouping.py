"""Groups of waits: by a variable, by several, or by a table of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Self, get_args

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Flags, Ints
from diffusion.risk.kaplan_meier import KaplanMeier
from survival.counting.checks import check_source, check_whole
from survival.counting.counted import CLUSTERS, Cluster, CountedWaits, WaitSource
from survival.counting.source import Waits
from survival.counting.variables import ORIGIN, Tables

Grouping = Literal["none", "continent", "language_match", "footprint_size"]
GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)

FOOTPRINTS: Final = {
    1: "footprint 1 market",
    2: "footprint 2-3 markets",
    4: "footprint 4-7 markets",
    8: "footprint 8+ markets",
}
"""Least number of markets entered on day 0 → name of the group."""

LANGUAGES: Final = {"yes": "shared language", "no": "no shared language"}

UNKNOWN: Final = {"language_match": "language not known"}
"""Variable → name of the group where it is not known (default: ``VARIABLE not known``)."""

VARIABLES: Final = {"footprint_size": "footprint"}
"""Grouping → variable that it puts in classes."""

TABLES: Final = {("market",): "markets", ("track_id",): "tracks", ("artist",): "artists", ("source", "target"): "pairs"}
"""Keys of a table of groups → what it groups."""

KEYS: Final = ("market", "source", "target", "track_id", "artist")
"""Columns of a table of groups that say what is grouped."""

By = str | Sequence[str] | pd.DataFrame
"""``none``, a variable, several variables, or a table of one's own."""


@dataclass(frozen=True)
class Groups:
    """Waits counted by group and day; a wait may be in several groups.

    Attributes
    ----------
    names
        Names of the g groups.
    values
        g rows: the value of each variable.
    of_cell
        Group of each cell of `counted`, −1 where its waits are in none.
    counted
        The waits by cell.
    opened, closed, entered
        (g, t + 1): as in `CountedWaits`, by group, up to the last day that counts.
    absent
        Names of groups in which nobody is at risk.
    """

    names: list[str]
    values: pd.DataFrame
    of_cell: Ints
    counted: CountedWaits
    opened: Ints
    closed: Ints
    entered: Ints
    absent: tuple[str, ...]

    @classmethod
    def of(cls, counted: CountedWaits, labels: pd.DataFrame, horizon: int, expected: Sequence[str] = ()) -> Self:
        """Return the groups of waits with the same labels, in order of the labels; only those with anybody at risk.

        Parameters
        ----------
        labels
            One row per cell; missing where its waits are in no group.
        horizon
            Last day that counts.
        expected
            Names of groups that should be there.
        """
        of_cell: Ints = np.zeros(len(labels), np.int64)
        values = labels.iloc[:1]
        if labels.shape[1]:
            places = labels.groupby(list(labels), sort=True, observed=True).ngroup().fillna(-1)
            of_cell = np.asarray(places, np.int64)
            there, first = np.unique(of_cell, return_index=True)
            values = labels.iloc[first[there >= 0]]
        counts = (_by_group(part, of_cell, len(values)) for part in (counted.opened, counted.closed, counted.entered))
        opened, closed, entered = (part[:, : horizon + 1] for part in counts)
        opened[:, horizon] = 0  # begins on the last day: never at risk
        closed[:, horizon] = opened.sum(axis=1) - closed[:, :horizon].sum(axis=1)
        kept: Flags = np.asarray(opened.any(axis=1))
        of_cell = np.where(of_cell >= 0, np.where(kept, np.cumsum(kept) - 1, -1)[np.maximum(of_cell, 0)], -1)
        names = _names(values)
        absent = [name for name, there in zip(names, kept, strict=True) if not there]
        absent += [name for name in expected if name not in names]
        return cls(
            [name for name, there in zip(names, kept, strict=True) if there],
            values.loc[kept].reset_index(drop=True),
            of_cell,
            counted,
            opened[kept],
            closed[kept],
            entered[kept],
            tuple(absent),
        )

    @property
    def at_risk(self) -> Ints:
        """(g, t + 1): waits at risk on each day; 0 on day 0."""
        at_risk = np.zeros_like(self.opened)
        np.cumsum((self.opened - self.closed)[:, :-1], axis=1, out=at_risk[:, 1:])
        return at_risk

    @property
    def followed(self) -> Ints:
        """(g,): last day on which a wait is at risk."""
        days: Ints = (self.closed > 0).cumsum(axis=1).argmax(axis=1)
        return days

    def known_to(self, curves: KaplanMeier) -> Ints:
        """Return, (g,), the last day on which each curve is known; a curve that has fallen to 0 stays there."""
        return np.where(curves.over[:, -1], self.opened.shape[1] - 1, self.followed)


def grouped(source: WaitSource, by: By, *, horizon: int | None, cluster: Cluster) -> Groups:
    """Return the waits of a source by group.

    Parameters
    ----------
    by
        ``none``, ``footprint_size``, a variable, several, or a table of one's own; see `survival.breakthrough`.
    horizon
        Last day that counts (default: the last day of the source).

    Raises
    ------
    SettingError
        When a variable or the cluster is unknown, the table cannot be used, or the horizon is below 1.
    DataSaysNoError
        When nobody is at risk.
    """
    if cluster not in CLUSTERS:
        raise SettingError(f"bands are by {', '.join(CLUSTERS)}, not by '{cluster}'")
    if horizon is not None:
        check_whole("horizon", horizon)
    if horizon is not None and horizon < 1:
        raise SettingError(f"horizon is {horizon} days; it must be 1 or more")
    check_source(source)
    if isinstance(by, pd.DataFrame):
        counted, labels = _by_table(source, by, cluster)
        expected = list(_texts(by[labels.columns[0]]).dropna().unique())
    else:
        names = _variables(by)
        counted = source.counted(tuple(VARIABLES.get(name, name) for name in names), cluster=cluster)
        columns = {name: _labels(name, counted.values[VARIABLES.get(name, name)]) for name in names}
        labels, expected = pd.DataFrame(columns, index=range(len(counted.values))), []
    last = counted.horizon if horizon is None else min(horizon, counted.horizon)
    found = Groups.of(counted, labels, last, expected)
    if not found.names:
        raise DataSaysNoError(f"nobody is at risk in a group in the first {last} days: there is no curve")
    return found


def name_of(by: By) -> str:
    """Return the name of a grouping: its variables, or the column of a table with the groups."""
    if isinstance(by, pd.DataFrame):
        return next(str(name) for name in by if name not in KEYS)
    return ", ".join(_variables(by)) or "none"


def _variables(by: str | Sequence[str]) -> tuple[str, ...]:
    """Return the variables of a grouping, each once."""
    return tuple(dict.fromkeys(name for name in ((by,) if isinstance(by, str) else by) if name != "none"))


def _by_table(source: WaitSource, table: pd.DataFrame, cluster: Cluster) -> tuple[CountedWaits, pd.DataFrame]:
    """Return the waits counted by what a table groups, and the group of each cell."""
    keys = [name for name in KEYS if name in table]
    group = [str(name) for name in table if name not in keys]
    if tuple(keys) not in TABLES or len(group) != 1:
        raise SettingError(
            f"a table of groups has one column of groups beside 'market', 'track_id', 'artist', or 'source' and "
            f"'target'; this one has {', '.join(map(str, table))}"
        )
    if not isinstance(source, Waits):
        raise SettingError("a table of groups is for waits of charts; of a frame, name the column with the groups")
    if group[0] not in table or not table[group[0]].map(pd.api.types.is_hashable).all():
        raise SettingError(f"the column '{group[0]}' of the table of groups must have a name and groups as text")
    texts = table.assign(**{group[0]: _texts(table[group[0]])})
    if keys != ["source", "target"]:
        known: dict[str, Any] = {TABLES[tuple(keys)]: texts}
        tables = Tables(**known)
        counted = replace(source, tables=tables).counted((group[0],), cluster=cluster)
        return counted, _some_group(table, counted.values[[group[0]]])
    if table.duplicated(keys).any():
        row = table[table.duplicated(keys)].iloc[0]
        raise SettingError(f"the table of groups has {row['source']}, {row['target']} more than once")
    counted = source.counted((ORIGIN, "market"), cluster=cluster)
    pair = pd.MultiIndex.from_frame(counted.values[[ORIGIN, "market"]])
    found = texts.set_index(keys)[group[0]].reindex(pair).to_numpy(object)
    return counted, _some_group(table, pd.DataFrame({group[0]: found}))


def _some_group(table: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return the groups of cells, one of them at least."""
    if labels.isna().all(axis=None):
        rows = f"such as '{', '.join(map(str, table.iloc[0]))}'" if len(table) else "which has no row"
        raise SettingError(f"no wait is in a group of the table, {rows}; its keys must be those of the charts")
    return labels


def _texts(groups: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return groups as texts."""
    return groups.map(_shown, na_action="ignore")


def _labels(name: str, values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the groups of the values of a variable."""
    if name == "footprint_size":
        at = np.searchsorted([*FOOTPRINTS], values.to_numpy(np.float64), side="right") - 1
        return pd.Series(np.array([*FOOTPRINTS.values()], object)[at])
    if name == "language_match":
        values = values.map(LANGUAGES)
    if not values.isna().any():
        return values
    known = values.map(_shown, na_action="ignore").astype(object)
    return known.where(values.notna(), UNKNOWN.get(name, f"{name} not known"))


def _names(values: pd.DataFrame) -> list[str]:
    """Return the names of groups: ``all``, the value, or the values, joined."""
    if not values.shape[1]:
        return ["all"]
    joint = " → " if list(values) == [ORIGIN, "market"] else ", "
    columns = [values[name].map(_shown) for name in values]
    return [joint.join(row) for row in zip(*columns, strict=True)]


def _shown(value: object) -> str:
    """Return a value as text; whole numbers without a fraction."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _by_group(counts: Ints, of_cell: Ints, groups: int) -> Ints:
    """Return counts of cells, (cells, days), summed up by group, (groups, days)."""
    kept = of_cell >= 0
    cells = csr_array((np.ones(kept.sum(), np.int64), (of_cell[kept], np.flatnonzero(kept))), (groups, len(of_cell)))
    summed: Ints = cells @ counts
    return summed
