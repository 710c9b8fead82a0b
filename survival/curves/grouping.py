"""Groups of waits: by a variable, by several, or by groups of one's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Self, get_args

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Flags, Ints
from diffusion.groups import By as OwnBy
from diffusion.groups import OwnGroups, grouping_name, groups_of
from diffusion.risk.kaplan_meier import KaplanMeier
from survival.counting.checks import check_source, check_whole
from survival.counting.counted import CLUSTERS, Cluster, CountedWaits, WaitSource
from survival.counting.source import Waits
from survival.counting.variables import ORIGIN

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

PAIR: Final = ("source", "target")
"""Keys of groups of pairs of markets."""

VARIABLES: Final = {"footprint_size": "footprint"}
"""Grouping → variable that it puts in classes."""

GROUP: Final = "group of one's own"
"""Name of the variable that groups of one's own are counted by; no column can have it."""

By = str | Sequence[str] | OwnBy
"""``none``, a variable, several variables, or groups of one's own: a mapping, a table or a function."""


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
    not_grouped
        What is in no group: ``waits``, and ``tracks`` or ``markets`` where these were grouped → how many.
    """

    names: list[str]
    values: pd.DataFrame
    of_cell: Ints
    counted: CountedWaits
    opened: Ints
    closed: Ints
    entered: Ints
    absent: tuple[str, ...]
    not_grouped: Mapping[str, int]

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
        left_out = int(counted.opened[of_cell < 0, :horizon].sum())
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
            {"waits": left_out} if left_out else {},
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
        ``none``, ``footprint_size``, a variable, several, or groups of one's own; see `survival.breakthrough`.
    horizon
        Last day that counts (default: the last day of the source).

    Raises
    ------
    SettingError
        When a variable or the cluster is unknown, the groups cannot be used, or the horizon is below 1.
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
    counted, labels, used = _counted(source, by, cluster)
    last = counted.horizon if horizon is None else min(horizon, counted.horizon)
    expected = used[0].names if len(used) == 1 and labels.shape[1] == 1 else ()
    found = Groups.of(counted, labels, last, expected)
    if not found.names:
        raise DataSaysNoError(f"nobody is at risk in a group in the first {last} days: there is no curve")
    missing = {groups.what: len(groups.missing) for groups in used if groups.missing}
    return replace(found, not_grouped=missing | dict(found.not_grouped))


def name_of(by: By) -> str:
    """Return the name of a grouping: its variables, or that of groups of one's own."""
    return ", ".join(_variables(by)) or "none" if isinstance(by, str | Sequence) else grouping_name(by)


def _variables(by: str | Sequence[str]) -> tuple[str, ...]:
    """Return the variables of a grouping, each once."""
    return tuple(dict.fromkeys(name for name in ((by,) if isinstance(by, str) else by) if name != "none"))


Counted = tuple[CountedWaits, pd.DataFrame, list[OwnGroups]]
"""Counted waits, the group of each cell, and the groups of one's own among them."""


def _counted(source: WaitSource, by: By, cluster: Cluster) -> Counted:
    """Return the waits counted by what a grouping needs."""
    if not isinstance(by, str | Sequence):
        if not isinstance(source, Waits):
            raise SettingError(
                "groups of your own are for waits of charts; of a frame, name the column with the groups"
            )
        return _by_groups(source, groups_of(source.entries, by), cluster)
    names = _variables(by)
    columns: dict[str, OwnGroups] = {}
    if isinstance(source, Waits):
        known = {*source.variables, *GROUPINGS}
        columns = {
            name: groups_of(source.entries, name, others=(*GROUPINGS, *source.variables))
            for name in names
            if name not in known
        }
        if len(names) == 1 and columns:
            return _by_groups(source, columns[names[0]], cluster)
        if pairs := [name for name, groups in columns.items() if groups.keys == PAIR]:
            raise SettingError(f"'{pairs[0]}' is a column of pairs of markets; group by it alone")
        source = replace(source, tables=replace(source.tables, groups=columns))
    counted = source.counted(tuple(VARIABLES.get(name, name) for name in names), cluster=cluster)
    labels = {
        name: counted.values[name] if name in columns else _labels(name, counted.values[VARIABLES.get(name, name)])
        for name in names
    }
    return counted, pd.DataFrame(labels, index=range(len(counted.values))), list(columns.values())


def _by_groups(source: Waits, groups: OwnGroups, cluster: Cluster) -> Counted:
    """Return the waits counted by groups of one's own."""
    if groups.keys == PAIR:
        counted = source.counted((ORIGIN, "market"), cluster=cluster)
        pair = pd.MultiIndex.from_frame(counted.values[[ORIGIN, "market"]])
        found = groups.table.set_index(list(PAIR))["group"].reindex(pair).to_numpy(object)
    else:
        tables = replace(source.tables, groups={GROUP: groups})
        counted = replace(source, tables=tables).counted((GROUP,), cluster=cluster)
        found = counted.values[GROUP].to_numpy(object)
    labels = pd.DataFrame({groups.name: pd.Series(found, dtype=object)})
    if labels.isna().all(axis=None):
        rows = f"such as '{', '.join(map(str, groups.table.iloc[0]))}'" if len(groups.table) else "which has no row"
        raise SettingError(f"no wait is in a group of the table, {rows}; its keys must be those of the charts")
    return counted, labels, [groups]


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
