"""Waits of a user's own frame, one row per wait, as survival packages have them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Flags, Floats, Ints
from diffusion.display import Displayed
from survival.counting.counted import CLUSTERS, BlockSums, Cluster, ClusterWaits, CountedWaits, Events

CELLS_AT_ONCE = 200_000_000
"""Most cells times days that are counted."""

CLUSTERS_AT_ONCE = 1_024
"""Clusters per block of waits."""


@dataclass(frozen=True, slots=True)
class FrameClusters:
    """Clusters of the rows of a frame; see `survival.counting.counted.Clusters`.

    Attributes
    ----------
    cluster, cell, start, days, event
        (n,): number of the row's cluster, its cell, its time at risk, and the index of its kind of event, −1 where the
        row has none.
    """

    cluster: Ints
    cell: Ints
    start: Ints
    days: Ints
    event: Ints

    @property
    def number(self) -> int:
        """Number of clusters."""
        return int(self.cluster.max(initial=-1)) + 1

    def sums(self, risk: Floats, event: Floats) -> Floats:
        """Return, (c, p), sums over each cluster's waits."""
        value = risk[self.cell, self.days] - risk[self.cell, self.start]
        went = self.event >= 0
        value[went] += event[self.event[went]]
        return np.column_stack([np.bincount(self.cluster, part, self.number) for part in value.T])

    def summed(self, work: BlockSums) -> dict[str, NDArray[Any]]:
        """Return the sums that `work` makes of all clusters."""
        return dict(work(self.waits()))

    def waits(self) -> Iterator[ClusterWaits]:
        """Yield all times at risk and entries, block by block."""
        order = np.argsort(self.cluster, kind="stable")
        heads = np.searchsorted(self.cluster[order], np.arange(0, self.number + CLUSTERS_AT_ONCE, CLUSTERS_AT_ONCE))
        for low, high in pairwise(heads):
            rows = order[low:high]
            went = rows[self.event[rows] >= 0]
            yield ClusterWaits(
                self.cluster[rows],
                self.cell[rows],
                self.start[rows],
                self.days[rows],
                np.ones(len(rows), np.int64),
                self.cluster[went],
                self.cell[went],
                self.days[went],
            )


@dataclass(frozen=True, repr=False)
class FrameWaits(Displayed):
    """Waits of a frame, checked; made by `frame_waits`."""

    frame: pd.DataFrame
    start: Ints
    after: Ints
    days: Ints
    entered: Flags
    groups: Ints | None

    def _facts(self) -> str:
        return f": {len(self.frame):,} rows, {int(self.entered.sum()):,} entries, up to day {int(self.days.max())}"

    def _shown(self) -> pd.DataFrame:
        return self.frame

    def counted(self, variables: tuple[str, ...], *, cluster: Cluster = "artist") -> CountedWaits:
        """Return the waits counted by columns of the frame; `cluster` matters only as ``independent`` or not.

        Raises
        ------
        SettingError
            When the frame has no such column, or it has a missing value.
        DataSaysNoError
            When there are too many cells and days to count.
        """
        if cluster not in CLUSTERS:
            raise SettingError(f"clusters are {', '.join(CLUSTERS)}, not '{cluster}'")
        check_columns(self.frame, variables)
        for name in variables:
            if self.frame[name].isna().any():
                raise SettingError(
                    f"the column '{name}' has {self.frame[name].isna().sum():,} missing values; leave these rows out"
                )
        if variables:
            cell = numbered(self.frame, variables)
            values = self.frame[list(variables)].iloc[np.unique(cell, return_index=True)[1]].reset_index(drop=True)
        else:
            cell, values = np.zeros(len(self.frame), np.int64), pd.DataFrame(index=[0])
        length = int(self.days.max()) + 1
        if len(values) * length > CELLS_AT_ONCE:
            raise DataSaysNoError(
                f"{len(values):,} combinations of values and {length:,} days are too many to count; "
                f"put the variables in classes, or use `survival.cox_rows`"
            )
        opened, closed = (
            np.bincount(cell * length + at, minlength=len(values) * length).reshape(len(values), length)
            for at in (self.start, self.days)
        )
        kinds, event, count = np.unique(
            np.stack([cell, self.days, self.after])[:, self.entered], axis=1, return_inverse=True, return_counts=True
        )
        index = np.full(len(cell), -1)
        index[self.entered] = event.ravel()
        clusters = None
        if cluster != "independent" and self.groups is not None:
            clusters = FrameClusters(self.groups, cell, self.start, self.days, index)
        return CountedWaits(
            values,
            opened,
            closed,
            Events(kinds[0], kinds[2], kinds[1], count.astype(np.int64)),
            clusters,
            cluster if clusters is not None else "independent",
        )


def frame_waits(
    frame: pd.DataFrame,
    *,
    days: str,
    entered: str,
    start: str | None = None,
    after: str | None = None,
    cluster: str | None = None,
) -> FrameWaits:
    """Return the waits of a frame with one row per wait.

    Parameters
    ----------
    days, entered
        Columns with the last day at risk, and whether it ended with the entry.
    start
        Column with the day after which the wait is at risk (default: 0).
    after
        Column with the last day on which the entry had not happened, for rows with one (default: the day before).
    cluster
        Column that says which waits may depend on each other (default: all are independent).

    Raises
    ------
    SettingError
        When a column is missing, a day is missing, negative or not whole, or an entry is not after the start.
    DataSaysNoError
        When the frame has no row.

    Examples
    --------
    >>> frame = pd.DataFrame({"days": [3, 5, 5], "entered": [True, False, True], "sex": ["f", "f", "m"]})
    >>> frame_waits(frame, days="days", entered="entered").counted(("sex",)).at_risk.tolist()
    [[0, 2, 2, 2, 1, 1], [0, 1, 1, 1, 1, 1]]
    """
    check_columns(frame, (days, entered, start, after, cluster))
    if frame.empty:
        raise DataSaysNoError("the frame has no row: there is no wait to count")
    last, went = _whole(frame, days), flags(frame, entered)
    first = _whole(frame, start) if start is not None else np.zeros(len(frame), np.int64)
    if (first >= last).any():
        at = int(np.argmax(first >= last))
        raise SettingError(
            f"row {at} is at risk after day {first[at]} until day {last[at]}: a wait must last one day or more"
        )
    before = np.maximum(last - 1, first)
    if after is not None:
        given = frame[after].where(went, 0).rename(after).to_frame()
        before = np.where(went, np.maximum(_whole(given, after), first), before)
        if (before >= last)[went].any():
            raise SettingError(f"the column '{after}' has a day that is not before that of '{days}'")
    groups: Ints | None = None
    if cluster is not None:
        if frame[cluster].isna().any():
            raise SettingError(
                f"the column '{cluster}' has {frame[cluster].isna().sum():,} missing values; leave these rows out"
            )
        groups = numbered(frame, (cluster,))
    return FrameWaits(frame, first, before, last, went, groups)


def check_columns(frame: pd.DataFrame, names: Iterable[str | None]) -> None:
    """Refuse names of columns that the frame does not have, or has several times; None is no name."""
    for name in names:
        if name is not None and name not in frame:
            raise SettingError(f"no column '{name}' in the frame; it has {', '.join(map(str, frame))}")
        if name is not None and (frame.columns == name).sum() > 1:
            raise SettingError(f"there are several columns '{name}' in the frame; rename all but one")


def _whole(frame: pd.DataFrame, name: str) -> Ints:
    """Return a column of days, checked."""
    if frame[name].dtype.kind in "mMc":
        raise SettingError(f"the column '{name}' has {frame[name].dtype} values; it must have numbers of days")
    numbers = pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = ~(numbers >= 0) | (numbers != np.round(numbers)) | ~np.isfinite(numbers)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise SettingError(
            f"row {at} of the column '{name}' is {frame[name].iloc[at]}; it must be a whole number of days, 0 or more"
        )
    return numbers.astype(np.int64)


def numbered(frame: pd.DataFrame, names: Sequence[str]) -> Ints:
    """Return, (n,), the number of each combination of values of columns, in their order.

    Raises
    ------
    SettingError
        When values cannot be put in order, such as numbers and dates in one column, or lists.
    """
    table = frame[list(dict.fromkeys(names))].reset_index(drop=True)
    try:
        return np.asarray(table.groupby(list(table), sort=True, observed=True).ngroup(), np.int64)
    except TypeError as error:
        raise SettingError(f"values of {', '.join(names)} cannot be put in order: {error}") from error


def flags(frame: pd.DataFrame, name: str) -> Flags:
    """Return a column of flags, checked."""
    column = frame[name]
    if column.dtype != np.bool_ and (column.isna().any() or not column.isin([0, 1]).all()):
        raise SettingError(f"the column '{name}' must be true or false, or 1 or 0, in every row")
    return column.astype(np.bool_).to_numpy()
