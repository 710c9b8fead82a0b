"""Waits that models were not fitted to, counted so that every model can be scored on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Floats, Ints
from survival.counting.checks import check_list, check_source
from survival.counting.counted import Cluster, CountedWaits, WaitSource
from survival.validation.models import SurvivalModel
from survival.validation.outcomes import Censoring, Outcomes

VALUES_AT_ONCE: Final = 20_000_000
"""Numbers handed to `survival.counting.counted.Clusters.sums` together."""

STRADDLING: Final = 0.05
"""Share of the entries by a day that may fall between a day before it and one after it."""

DIGITS: Final = 12
"""Decimals to which predicted probabilities are told apart."""


@dataclass(frozen=True)
class HeldOut:
    """Waits that begin on one day, counted by cells of variables; one row per kind of wait.

    Attributes
    ----------
    counted
        The waits by cell.
    start
        Day after which they are at risk.
    cell
        (n,): cell of each kind of wait; entries first, as in `CountedWaits.events`.
    after
        (n,): last day on which the wait is known to be without an entry.
    outcomes
        Last day, entry and number of each kind of wait.
    weighted
        Whether censored waits are made up for by weights.
    """

    counted: CountedWaits
    start: int
    cell: Ints
    after: Ints
    outcomes: Outcomes
    weighted: bool

    @classmethod
    def of(cls, counted: CountedWaits, *, weights: tuple[str, ...] | None) -> Self:
        """Return the waits as outcomes.

        Parameters
        ----------
        weights
            Variables by whose values the probability of being followed is estimated; None where no wait may be censored
            before the day of a score.

        Raises
        ------
        DataSaysNoError
            When there is no wait, or waits begin on different days.
        """
        begins = np.flatnonzero(counted.opened.sum(axis=0))
        if len(begins) != 1:
            found = f"waits begin on days {begins[0]} to {begins[-1]}" if len(begins) else "there is no wait"
            raise DataSaysNoError(
                f"{found}: scores need waits that begin on one day; take survival.waits(..., complete=True), and no "
                f"variables that change in time"
            )
        events, left = counted.events, counted.closed - counted.entered
        cell, day = np.nonzero(left)
        cells = np.concatenate([events.cell, cell])
        days = np.concatenate([events.days, day]).astype(np.float64)
        entered = np.arange(len(cells)) < len(events.cell)
        count = np.concatenate([events.count, left[cell, day]]).astype(np.float64)
        group = np.zeros(len(cells), np.int64)
        if weights:
            group = np.asarray(counted.values.groupby(list(weights), dropna=False).ngroup(), np.int64)[cells]
        censoring = Censoring.of(days, entered, counts=count, group=group)
        after = np.concatenate([np.maximum(events.after, begins[0]), day])
        outcomes = Outcomes(days, entered, count, group, censoring)
        return cls(counted, int(begins[0]), cells, after, outcomes, weights is not None)

    @property
    def waits(self) -> Ints:
        """(g,): waits of each cell."""
        return self.counted.opened[:, self.start]

    def checked_days(self, days: Sequence[int]) -> tuple[int, ...]:
        """Return days in order, on each of which waits can be scored.

        Raises
        ------
        SettingError
            When a day is not on the clock, or charts are too coarse to say what happened by it.
        DataSaysNoError
            When waits are censored before a day, or nobody or everybody has entered by it.
        """
        if not isinstance(days, Sequence) or isinstance(days, str) or not len(days):
            raise SettingError(f"scores need one day or more, in a list such as days=(7, 28); found {days!r}")
        for day in sorted(set(days)):
            if not self.start < day <= self.counted.horizon:
                raise SettingError(
                    f"day {day} is not among the days {self.start + 1} to {self.counted.horizon} of these waits"
                )
            self._check_day(day)
        return tuple(sorted(set(days)))

    def _check_day(self, day: int) -> None:
        outcomes = self.outcomes
        lost = outcomes.count @ (~outcomes.entered & (outcomes.days < day))
        if lost and not self.weighted:
            raise DataSaysNoError(
                f"{int(lost):,} of {int(outcomes.waits):,} waits are censored before day {day}; take "
                f"survival.waits(..., complete=True), or make up for them by weights, such as weights=('market',)"
            )
        by_day = outcomes.entered & (outcomes.days <= day)
        entries = outcomes.count @ by_day
        if entries in (0, outcomes.waits):
            who = "none" if entries == 0 else "all"
            raise DataSaysNoError(
                f"{who} of {int(outcomes.waits):,} waits entered by day {day}: models cannot be told apart on it; take "
                f"{'a later' if entries == 0 else 'an earlier'} day"
            )
        around = outcomes.entered & (self.after < day) & (outcomes.days > day)
        astride = outcomes.count @ around
        if astride > STRADDLING * entries:
            before, after = int(self.after[around].min()), int(outcomes.days[around].max())
            raise SettingError(
                f"these charts do not say who entered by day {day}: {int(entries):,} entries are by then, and "
                f"{int(astride):,} fall between a chart before it and one after it; take day {before} or {after}"
            )

    def grid(self, day: int) -> Ints:
        """Return the days until `day` on which entries are seen, and the day itself."""
        seen = self.outcomes.days[self.outcomes.entered & (self.outcomes.days < day)]
        grid: Ints = np.append(np.unique(seen), day).astype(np.int64)
        return grid

    def needed(self, days: Sequence[int]) -> Ints:
        """Return the days by which scores on some days need predictions: these, and all charts before the last."""
        ends = np.concatenate([self.outcomes.days.astype(np.int64), self.after])
        return np.unique(np.append(ends[ends < max(days)], days))

    def predicted(self, name: str, model: SurvivalModel, days: Ints) -> "Predicted":
        """Return the survival that a model predicts by each of the days, which are in order; `name` is for messages.

        Raises
        ------
        SettingError
            When the model cannot predict these waits, or predicts what is no survival.
        """
        values, row = _distinct(self.counted.values, tuple(model.variables))
        asked = (days - self.start).tolist()
        try:
            found = model.predict_survival_function(values, times=asked, conditional_after=self.start)
        except SettingError as error:
            raise SettingError(f"the model '{name}' cannot predict these waits: {error}") from error
        survival = found.to_numpy(np.float64).T
        wrong = ~((survival >= 0) & (survival <= 1))
        if survival.shape != (len(values), len(days)) or wrong.any():
            raise SettingError(
                f"the model '{name}' must predict survival between 0 and 1, one row per day and one column per row of "
                f"values; {wrong.sum():,} values are not, and the shape is {survival.T.shape}"
            )
        return Predicted(self, days, np.round(survival, DIGITS), row)

    def by_cluster(self, values: Floats) -> tuple[Floats, Floats]:
        """Return sums over clusters, (c, p), of the values, (n, p), of kinds of waits, and how many clusters a row is.

        Where waits are independent, each kind of wait is a row that stands for its waits.
        """
        counted, kinds = self.counted, len(self.counted.events.cell)
        if counted.clusters is None:
            return values, self.outcomes.count
        step = max(VALUES_AT_ONCE // counted.opened.size, 1)
        parts = []
        for first in range(0, values.shape[1], step):
            part = values[:, first : first + step]
            risk = np.zeros((*counted.opened.shape, part.shape[1]))
            ends = self.outcomes.days.astype(np.int64)
            risk[self.cell[kinds:], ends[kinds:]] = part[kinds:]
            parts.append(counted.clusters.sums(risk, part[:kinds] - risk[self.cell[:kinds], ends[:kinds]]))
        return np.concatenate(parts, axis=1), np.ones(counted.clusters.number)


@dataclass(frozen=True)
class Predicted:
    """Survival that a model predicts for held-out waits.

    Attributes
    ----------
    held_out
        The waits.
    days
        (m,): days, in order.
    staying
        (v, m): survival by each day, given none by the start, for distinct values of the model's variables.
    row
        (g,): row of `staying` of each cell.
    """

    held_out: HeldOut
    days: Ints
    staying: Floats
    row: Ints

    def survival(self, days: Ints) -> Floats:
        """Return, (g, len(days)), survival of each cell by some of the days."""
        return self.staying[:, np.searchsorted(self.days, days)][self.row]


def held_out_waits(
    source: WaitSource,
    models: Sequence[SurvivalModel],
    *,
    extra: tuple[str, ...] = (),
    weights: tuple[str, ...] | None,
    cluster: Cluster,
) -> HeldOut:
    """Return the waits of a source, counted by all variables that the models read and by others."""
    check_source(source)
    check_list("weights", weights)
    variables = {name for model in models for name in model.variables} | {*extra, *(weights or ())}
    return HeldOut.of(source.counted(tuple(sorted(variables)), cluster=cluster), weights=weights)


def _distinct(values: pd.DataFrame, variables: tuple[str, ...]) -> tuple[pd.DataFrame, Ints]:
    """Return the distinct values of variables, and the row of each cell in them."""
    if not variables:
        return pd.DataFrame(index=[0]), np.zeros(len(values), np.int64)
    row: Ints = np.asarray(values.groupby(list(variables), sort=False, dropna=False).ngroup(), np.int64)
    return values[list(variables)].drop_duplicates().reset_index(drop=True), row
