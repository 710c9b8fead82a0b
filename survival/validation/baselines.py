"""The simplest models, which every other must beat: one Kaplan–Meier curve, and one for each value of a variable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Flags, Ints
from diffusion.display import Displayed
from diffusion.risk.kaplan_meier import KaplanMeier
from survival.counting.checks import check_list, check_source
from survival.counting.counted import Cluster, CountedWaits, WaitSource
from survival.validation.shares import entered_shares


@dataclass(frozen=True, repr=False)
class GroupCurves(Displayed):
    """Kaplan–Meier curves that predict survival by group; made by `group_curves`.

    Attributes
    ----------
    variables
        Variables whose values make the groups; none for a single curve.
    counted
        The waits, with one cell per group.
    others
        Curve of all waits, which predicts for groups that were not fitted or not followed long enough; None where such
        groups are refused.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"days": [3, 5, 5, 8], "entered": [1, 1, 0, 1], "chart": [*"aabb"], "rank": [1, 2, 2, 3]})
    >>> waits = survival.frame_waits(frame, days="days", entered="entered")
    >>> survival.group_curves(waits, ("chart",))
    <GroupCurves by chart: 2 groups>
    """

    variables: tuple[str, ...]
    counted: CountedWaits
    others: Self | None = None

    def _facts(self) -> str:
        return f" by {', '.join(self.variables) or 'nothing'}: {len(self.counted.values):,} groups"

    @property
    def cluster(self) -> Cluster:
        """What intervals take as independent."""
        return self.counted.cluster

    @property
    def followed_to(self) -> Ints:
        """(g,): last day on which a wait of the group is at risk."""
        there = self.counted.at_risk > 0
        last: Ints = there.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
        return last

    @property
    def survival_function_(self) -> pd.DataFrame:
        """Survival by day, one column per group."""
        curves = KaplanMeier.of(self.counted.at_risk, self.counted.entered).survival
        names = [", ".join(map(str, row)) for row in self.counted.values.itertuples(index=False)]
        return pd.DataFrame(curves.T, columns=names if self.variables else ["all"]).rename_axis("days")

    def predict_survival_function(
        self, values: pd.DataFrame, times: Sequence[int] | None = None, conditional_after: int = 0
    ) -> pd.DataFrame:
        """Return the probability of no entry within `times` more days, given none by the day `conditional_after`.

        Parameters
        ----------
        values
            One row per wait, with the variables.
        times
            Days after `conditional_after` (default: 0 to the last day).

        Raises
        ------
        SettingError
            When a time is beyond the follow-up of a group, or no wait with such values was fitted.
        """
        group = self._groups(values)
        last = int(self.followed_to[group].min(initial=self.counted.horizon)) - conditional_after
        asked = np.arange(last + 1) if times is None else np.asarray(times, np.int64)
        known = self._followed(group, asked, conditional_after)
        late = slice(conditional_after + 1, None)
        curves = KaplanMeier.of(self.counted.at_risk[:, late], self.counted.entered[:, late])
        survival = np.column_stack([np.ones(len(curves.survival)), curves.survival])
        predicted = np.empty((len(asked), len(values)))
        predicted[:, known] = survival[group[known]][:, asked].T
        if self.others is not None and not known.all():
            predicted[:, ~known] = self.others.predict_survival_function(
                values[~known], asked.tolist(), conditional_after
            )
        return pd.DataFrame(predicted, index=asked, columns=values.index)

    def probability(self, values: pd.DataFrame, day: int, *, conditional_after: int = 0) -> pd.DataFrame:
        """Return the probability of an entry by a day of the clock, given none by the day `conditional_after`.

        One row per row of `values`: `estimate`, `low`, `high` (95 % interval, robust to clusters).
        """
        if day <= conditional_after:
            raise SettingError(f"day {day} is not after day {conditional_after}, up to which the waits have lasted")
        group = self._groups(values)
        known = self._followed(group, np.array([day - conditional_after]), conditional_after)
        groups = np.arange(len(self.counted.values))
        found = entered_shares(self.counted, groups, len(groups), after=conditional_after, day=day)
        table = pd.DataFrame(
            {"estimate": found.share[group], "low": found.low[group], "high": found.high[group]}, index=values.index
        )
        if self.others is not None and not known.all():
            table[~known] = self.others.probability(values[~known], day, conditional_after=conditional_after)
        return table

    def _groups(self, values: pd.DataFrame) -> Ints:
        """Return, (n,), the group of each row of values, −1 where it was not fitted and others are predicted."""
        if not self.variables:
            return np.zeros(len(values), np.int64)
        missing = [name for name in self.variables if name not in values]
        if missing:
            raise SettingError(f"no variable '{missing[0]}' in the values; there are {', '.join(map(str, values))}")
        known = pd.MultiIndex.from_frame(self.counted.values[list(self.variables)])
        group: Ints = known.get_indexer(pd.MultiIndex.from_frame(values[list(self.variables)])).astype(np.int64)
        if self.others is None and (group < 0).any():
            row = values[list(self.variables)].iloc[int(np.argmax(group < 0))]
            raise SettingError(f"no wait with {self._named(row)} was fitted; leave such waits out, or fit on more")
        return group

    def _followed(self, group: Ints, times: Ints, after: int) -> Flags:
        """Return, (n,), whether each group was fitted and followed long enough; refuse those that were not."""
        if (times < 0).any() or after < 0:
            raise SettingError(f"times and conditional_after must be 0 or more days; found {min(*times, after)}")
        day = after + int(times.max(initial=0))
        last = np.where(group >= 0, self.followed_to[group], -1)
        if self.others is None and (last < day).any():
            at = int(np.argmin(last))
            named = self._named(self.counted.values.iloc[group[at]]) if self.variables else "the curve"
            raise SettingError(f"day {day} is beyond follow-up: the last day with waits of {named} is {last[at]}")
        followed: Flags = last >= day
        return followed

    def _named(self, row: "pd.Series[Any]") -> str:
        return ", ".join(f"{name} '{row[name]}'" for name in self.variables)


def group_curves(
    source: WaitSource, by: tuple[str, ...] = (), *, others: bool = False, cluster: Cluster = "artist"
) -> GroupCurves:
    """Return Kaplan–Meier curves by the values of variables, as a model that predicts survival.

    Parameters
    ----------
    by
        Variables, such as ``("market",)``; none (default) for one curve of all waits.
    others
        Whether the curve of all waits predicts for groups that were not fitted, such as a market that is new, or not
        followed long enough (default: no, they are refused).
    cluster
        What intervals take as independent.

    Raises
    ------
    DataSaysNoError
        When a group has no day at risk.

    Examples
    --------
    >>> from survival.counting.frame import frame_waits
    >>> frame = pd.DataFrame({"days": [2, 3, 3, 3], "entered": [1, 1, 0, 0], "market": ["SE", "US", "US", "US"]})
    >>> model = group_curves(frame_waits(frame, days="days", entered="entered"), ("market",))
    >>> model.predict_survival_function(pd.DataFrame({"market": ["US"]}), times=[2, 3]).round(3)[0].tolist()
    [1.0, 0.667]
    """
    check_source(source)
    check_list("by", by)
    counted = source.counted(by, cluster=cluster)
    there = counted.at_risk.any(axis=1)
    if not there.all():
        raise DataSaysNoError(f"{(~there).sum():,} of {there.size:,} groups by {', '.join(by)} have no day at risk")
    return GroupCurves(by, counted, group_curves(source, cluster=cluster) if others and by else None)
