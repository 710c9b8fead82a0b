"""States of waits: charting, left every chart, entered, by Aalen–Johansen with delayed entry, by group."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from diffusion import Absences, Entries, SettingError
from diffusion.arrays import Floats, Ints
from diffusion.conventions import HORIZON
from diffusion.display import Displayed
from survival.counting.counted import Cluster
from survival.counting.source import Waits, waits
from survival.curves.aalen_johansen import AalenJohansen, StateCounts
from survival.curves.bands import FEW
from survival.curves.grouping import By, Groups, grouped, name_of
from survival.curves.state_bands import ClusterCounts, band_of_sums, entered_band
from survival.curves.times_away import Absent, StateGroups

SHARES: Final = ("charting", "left", "entered", "low", "high", "entered_after_left")
"""Columns of the curves that are shares of waits."""


@dataclass(frozen=True, slots=True, repr=False)
class States(Displayed):
    """Shares of waits in each state, by group and day.

    Attributes
    ----------
    curves
        One row per group and day, from 0 to the last day at risk or the horizon, in order of group and day: `by`,
        `group`, `days` (of the clock), `at_risk` (waits at risk on that day; on day 0, waits at risk from the start),
        `at_risk_charting`, `at_risk_left` (those whose track is charting, or has left every chart), `leave`,
        `come_back` (moves from charting to left and back), `enter_charting`, `enter_left` (entries from both),
        `charting`, `left`, `entered` (shares of waits in each state at the end of the day; their sum is 1), `low`,
        `high` (95 % band of `entered`, for each day by itself), `entered_after_left` (share that entered after the
        track had left every chart for the first time, a part of `entered`).
    summary
        One row per group: `by`, `group`, `waits`, `events`, `events_after_left`, `share_entered` (by day
        `restricted_to`), `share_low`, `share_high`, `share_entered_before_left`, `share_entered_after_left` (its two
        parts), `share_charting`, `share_left` (those not entered, by state), `restricted_to` (days; the same for all
        groups), `followed_to` (last day at risk, at most the horizon), `effective_clusters` (effective number of
        clusters behind the band on that day; null where waits are taken as independent, or none ended with an entry).
    by
        Name of the grouping.
    horizon
        Longest follow-up in days.
    cluster
        What the band takes as independent of each other.
    periods
        Number of periods without the track after which it has left.
    terminal
        Whether waits of tracks that have left are no longer at risk.

    Examples
    --------
    >>> curves = pd.DataFrame({"group": "all", "days": [0, 1], "entered": [0.0, 0.1]})
    >>> summary = pd.DataFrame({"group": ["all"], "share_left": [0.2]})
    >>> States(curves, summary, "none", 180, "artist", 28, terminal=False)
    <States by none: 1 groups, 180 days, absent for 28 charts or more>
    """

    curves: pd.DataFrame
    summary: pd.DataFrame
    by: str
    horizon: int
    cluster: Cluster
    periods: int
    terminal: bool

    def _facts(self) -> str:
        return (
            f" by {self.by}: {len(self.summary)} groups, {self.horizon} days, absent for {self.periods} charts or more"
        )

    def _shown(self) -> pd.DataFrame:
        return self.summary

    def notes(self) -> list[str]:
        """Return warnings for readers of these curves, one line each."""
        which = "overall" if self.by == "none" else f"by {self.by}"
        lines = []
        if (self.summary["share_left"] == 0).all():
            lines.append(f"{which}: no track left every chart for {self.periods} periods while it was at risk")
        few = self.summary[self.summary["effective_clusters"] < FEW]
        if len(few):
            rest = ", ".join(f"'{group.group}' {group.effective_clusters:.1f}" for group in few.itertuples())
            lines.append(
                f"{which}: these bands may be too narrow, because few {self.cluster}s make the curve (effective number "
                f"below {FEW}): {rest}"
            )
        return lines


def states(
    source: Entries | Waits,
    absences: Absences,
    *,
    by: By = "none",
    horizon: int | None = None,
    cluster: Cluster = "artist",
    terminal: bool = False,
) -> States:
    """Return the shares of waits that are charting, have left every chart, and have entered, by day.

    A wait is one track in one market that it has not entered, as for `survival.breakthrough`. It is *charting* until
    its track was on no market's chart for so many periods as `absences` says; on the last of them it has *left*. It
    is charting again from the day after the track comes back to any chart. A track that comes back by entering the
    market enters after it had left. A wait that ends otherwise is censored.

    Parameters
    ----------
    source
        Entries, for waits since the debut; or waits with another clock or other settings (`survival.waits`).
    absences
        When tracks left every chart, of the same charts: result of `Charts.absences`.
    by, horizon, cluster
        As in `survival.breakthrough`.
    terminal
        Whether leaving every chart ends a wait for good (default: no). Then `entered` is the share that enters before
        its track leaves, with leaving as a competing end, and entries after it do not count.

    Notes
    -----
    Probabilities are Aalen and Johansen's: all that happens on a day happens at
    once. Shares of states are right also where the chance to enter depends on more than the present state (Datta and
    Satten). Where no wait is censored, `entered` is one minus Kaplan–Meier, as in `survival.breakthrough`.
    Otherwise the two differ a little: censored waits are taken to go on as those in the same state, not as all others.

    The band is made as that of `survival.breakthrough`, from the influence of clusters on `entered`: on the log(−log)
    scale, with the jackknife by cluster, to first order, and at least the variance of independent waits
    (`survival.curves.state_bands.entered_band`).

    Raises
    ------
    SettingError
        When the absences are of another chart or identity, the waits are complete ones or their variables change, or as
        in `survival.breakthrough`.
    DataSaysNoError
        When no track is at risk in any market.

    References
    ----------
    Aalen & Johansen 1978, Scandinavian Journal of Statistics 5, 141–150. Datta & Satten 2001, doi
    10.1016/S0167-7152(01)00155-9. Putter, Fiocco & Geskus 2007, doi 10.1002/sim.2712.

    Examples
    --------
    >>> import diffusion
    >>> with diffusion.open_sample() as charts:
    ...     found = states(charts.entries(), charts.absences(periods=7), horizon=60)
    >>> found.summary[["waits", "events", "events_after_left"]].to_numpy().tolist()
    [[144886, 892, 10]]
    """
    waiting = waits(source, horizon=HORIZON if horizon is None else horizon) if isinstance(source, Entries) else source
    _check(waiting, absences)
    groups = grouped(replace(waiting, parts=Absent(absences, terminal)), by, horizon=horizon, cluster=cluster)
    counted = StateGroups.of(groups)
    counts, after = counted.counts()
    fit = AalenJohansen.of(counts)
    if groups.counted.clusters is None:
        low, high, effective = entered_band(fit, None)
    else:
        low, high, effective = band_of_sums(fit, counted.influences(fit))
    columns = {"charting": fit.charting, "left": fit.left, "entered": fit.entered, "low": low, "high": high}
    columns["entered_after_left"] = _after_left(fit, after)
    followed = (counts.at_risk > 0).cumsum(axis=1).argmax(axis=1)
    name = name_of(by)
    summary = _summary(groups, counted, columns, after, followed)
    summary.insert(0, "by", name)
    summary["effective_clusters"] = effective
    table = _table(groups.names, counts, counted, columns, followed)
    table.insert(0, "by", name)
    return States(table, summary, name, counted.horizon, cluster, absences.periods, terminal)


def aalen_johansen(counts: StateCounts, clusters: Iterable[ClusterCounts] | None = None) -> pd.DataFrame:
    """Return the probability of each state by day, with a 95 % band of entry.

    Parameters
    ----------
    counts
        Numbers by day, (t + 1,) each.
    clusters
        Counts of all clusters of dependent waits, in blocks, with `curve` 0 (default: waits are independent).

    Returns
    -------
    DataFrame
        One row per day: `days`, `at_risk_charting`, `at_risk_left`, `charting`, `left`, `entered` (probabilities; their
        sum is 1), `low`, `high` (band of `entered`, for each day by itself).

    Notes
    -----
    See `survival.curves.aalen_johansen.AalenJohansen.of` and `survival.curves.state_bands.entered_band`.

    Examples
    --------
    >>> counts = [np.array(row) for row in ([0, 4, 2], [0, 0, 1], [0, 1, 0], [0, 0, 0], [0, 1, 0], [0, 0, 1])]
    >>> aalen_johansen(StateCounts(*counts))[["days", "charting", "left", "entered"]]
       days  charting  left  entered
    0     0       1.0  0.00     0.00
    1     1       0.5  0.25     0.25
    2     2       0.5  0.00     0.50
    """
    fit = AalenJohansen.of(StateCounts(*(np.asarray(getattr(counts, name))[None] for name in StateCounts.__slots__)))
    low, high, _ = entered_band(fit, clusters)
    columns = {"charting": fit.charting, "left": fit.left, "entered": fit.entered, "low": low, "high": high}
    return pd.DataFrame(
        {
            "days": np.arange(len(counts.charting)),
            "at_risk_charting": counts.charting,
            "at_risk_left": counts.left,
            **{name: values[0] for name, values in columns.items()},
        }
    )


def _check(waiting: Waits, absences: Absences) -> None:
    rules = waiting.entries.rules
    for name, own, other in (("chart", rules.chart, absences.chart), ("identity", rules.identity, absences.identity)):
        if own != other:
            raise SettingError(f"the entries have {name} '{own}', the absences '{other}'; they must be the same")
    if waiting.complete or waiting.updated:
        raise SettingError("states are counted of waits without 'complete' and 'updated'; leave these settings out")


def _after_left(fit: AalenJohansen, after: Ints) -> Floats:
    """Return the share that entered after its track had left once; `after` has these entries by day."""
    counts = fit.counts
    later = after - counts.enter_left
    into = np.zeros_like(fit.entered)
    for state, number, at_risk in (
        (fit.charting, later, counts.charting),
        (fit.left, counts.enter_left, counts.left),
    ):
        into[:, 1:] += state[:, :-1] * (number / np.maximum(at_risk, 1))[:, 1:]
    return np.cumsum(into, axis=1)


def _table(
    names: list[str], counts: StateCounts, counted: StateGroups, columns: dict[str, Floats], followed: Ints
) -> pd.DataFrame:
    """Return one row per group and day, up to the last day at risk."""
    at_risk, charting, left = counts.at_risk.copy(), counts.charting.copy(), counts.left
    at_risk[:, 0] = charting[:, 0] = counted.summed(counted.groups.counted.opened)[0, :, 0]
    kept = np.arange(at_risk.shape[1]) <= followed[:, None]
    row, day = np.nonzero(kept)
    numbers = {"at_risk": at_risk, "at_risk_charting": charting, "at_risk_left": left}
    numbers |= {name: getattr(counts, name) for name in ("leave", "come_back", "enter_charting", "enter_left")}
    table = {"group": np.array(names, object)[row], "days": day}
    return pd.DataFrame(table | {name: values[kept] for name, values in (numbers | columns).items()})


def _summary(
    groups: Groups, counted: StateGroups, columns: dict[str, Floats], after: Ints, followed: Ints
) -> pd.DataFrame:
    """Return one row per group."""
    day = int(followed.min())
    last = {name: columns[name][:, day] for name in SHARES}
    return pd.DataFrame(
        {
            "group": groups.names,
            "waits": counted.summed(groups.counted.opened)[0, :, : counted.horizon].sum(axis=1),
            "events": counted.summed(groups.counted.entered)[0].sum(axis=1),
            "events_after_left": after.sum(axis=1),
            "share_entered": last["entered"],
            "share_low": last["low"],
            "share_high": last["high"],
            "share_entered_before_left": last["entered"] - last["entered_after_left"],
            "share_entered_after_left": last["entered_after_left"],
            "share_charting": last["charting"],
            "share_left": last["left"],
            "restricted_to": day,
            "followed_to": followed,
        }
    )
