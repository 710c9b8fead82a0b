"""Time to breakthrough: time until a track enters a market, by Kaplan–Meier with delayed entry, by group."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from scipy.special import stdtrit

from diffusion import Entries
from diffusion.arrays import Floats, Ints
from diffusion.conventions import HORIZON
from diffusion.display import Displayed
from diffusion.risk.kaplan_meier import NORMAL, TAIL, KaplanMeier, log_log_bounds
from survival.counting.counted import Cluster, WaitSource
from survival.counting.source import waits
from survival.curves.areas import Area
from survival.curves.bands import FEW, band, spreads
from survival.curves.grouping import By, Groups, grouped, name_of
from survival.curves.lifelines_fits import kaplan_meier_fits

LISTED: Final = 8
"""Most groups that a note names."""

HALF: Final = 0.5
"""Survival at the median."""


@dataclass(frozen=True, slots=True, repr=False)
class Breakthrough(Displayed):
    """Survival curves of waits, by group.

    Attributes
    ----------
    curves
        One row per group and day, from 0 to the last day at risk or the horizon, in order of group and day: `group`,
        `days` (of the clock), `at_risk` (waits at risk on that day; on day 0, waits at risk from the start), `events`
        (entries on that day), `survival` (share not entered by the end of the day), `low`, `high` (95 % band, for each
        day by itself), `share_entered`, `share_low`, `share_high` (one minus these), `cumulative_hazard` (Nelson and
        Aalen's), `hazard_low`, `hazard_high`.
    summary
        One row per group: `by`, `group`, `waits`, `events`, `median_days` (first day on which half have entered; null
        where they never do), `median_low`, `median_high` (first day on which the band is at one half or below; null
        where it never is), `share_entered` (share of waits that end with an entry by day `restricted_to`),
        `share_low`, `share_high`, `restricted_mean_days` (mean days without an entry, up to `restricted_to`),
        `restricted_mean_low`, `restricted_mean_high` (null where nobody entered), `restricted_to` (days; the same for
        all groups, so that they can be compared), `followed_to` (last day at risk, at most the horizon),
        `effective_clusters` (effective number of clusters behind the band on that day; null where waits are taken as
        independent, or none ended with an entry).
    groups
        One row per group: `group`, and the value of each variable it is made of.
    by
        Name of the grouping.
    horizon
        Longest follow-up in days.
    cluster
        What the band takes as independent of each other.
    absent
        Groups in which nobody is at risk; they have no curve.
    not_grouped
        What is in no group, and in no curve: ``waits``, and ``tracks`` or ``markets`` where these were grouped → how
        many. Empty where everything is in a group.

    Examples
    --------
    >>> frame = pd.DataFrame({"days": [3, 5, 5, 8], "entered": [1, 1, 0, 1], "chart": [*"aabb"], "rank": [1, 2, 2, 3]})
    >>> waits = survival.frame_waits(frame, days="days", entered="entered")
    >>> found = survival.breakthrough(waits, by="chart")
    >>> found
    <Breakthrough by chart: 2 groups, 4 waits, 3 entries within 8 days>
    >>> found.survival_function_.loc[5].tolist()
    [0.0, 1.0]
    """

    curves: pd.DataFrame
    summary: pd.DataFrame
    groups: pd.DataFrame
    by: str
    horizon: int
    cluster: Cluster
    absent: tuple[str, ...]
    not_grouped: Mapping[str, int]

    def _facts(self) -> str:
        waits, events = (int(self.summary[name].sum()) for name in ("waits", "events"))
        return (
            f" by {self.by}: {len(self.summary)} groups, {waits:,} waits, {events:,} entries within {self.horizon} days"
        )

    def _shown(self) -> pd.DataFrame:
        return self.summary

    @property
    def survival_function_(self) -> pd.DataFrame:
        """Survival by day and group, as lifelines names it; missing after the follow-up of a group."""
        return self._wide("survival")

    @property
    def cumulative_hazard_(self) -> pd.DataFrame:
        """Cumulative hazard by day and group, as lifelines names it."""
        return self._wide("cumulative_hazard")

    @property
    def confidence_interval_(self) -> pd.DataFrame:
        """Bounds of survival by day and group, with lifelines' names of columns."""
        bounds = {"lower": self._wide("low"), "upper": self._wide("high")}
        return pd.concat([wide.add_suffix(f"_{bound}_0.95") for bound, wide in bounds.items()], axis=1)

    @property
    def median_survival_time_(self) -> "pd.Series[float]":
        """Median by group, as lifelines names it; infinite where half never enter."""
        medians = self.summary.set_index("group")["median_days"]
        return medians.astype("Float64").fillna(np.inf).astype(float).rename("median_survival_time_")

    def to_lifelines(self) -> dict[str, KaplanMeierFitter]:
        """Return a fit of lifelines for each group; see `survival.curves.lifelines_fits.kaplan_meier_fits`."""
        return kaplan_meier_fits(self.curves)

    def _wide(self, column: str) -> pd.DataFrame:
        wide = self.curves.set_index(["days", "group"])[column].unstack()  # noqa: PD010 (each place has one value)
        return wide.rename_axis(index="timeline", columns=None)[self.summary["group"].tolist()]

    def notes(self) -> list[str]:
        """Return warnings for readers of these curves, one line each."""
        which = "overall" if self.by == "none" else f"by {self.by}"
        short = self.summary[self.summary["followed_to"] < self.horizon]
        lines = []
        if len(short):
            ends = [
                f"{_listed(groups['group']) if len(groups) < len(self.summary) else 'every curve'} on day {day}"
                for day, groups in short.groupby("followed_to")
            ]
            lines.append(f"{which}: follow-up ends before the horizon of {self.horizon} days; stopped: {_some(ends)}")
        few = self.summary[self.summary["effective_clusters"] < FEW]
        if len(few):
            rest = [f"'{group.group}' {group.effective_clusters:.1f}" for group in few.itertuples()]
            lines.append(
                f"{which}: these bands may be too narrow, because few {self.cluster}s make the curve (effective number "
                f"below {FEW}): {_some(rest)}"
            )
        if self.absent:
            lines.append(f"{which}: nobody is at risk in {_listed(self.absent)}")
        if self.not_grouped:
            counts = " and ".join(f"{number:,} {what}" for what, number in self.not_grouped.items())
            lines.append(f"{which}: not grouped, so in no curve: {counts}")
        gone = self.curves[(self.curves["survival"] == 0) & (self.curves["at_risk"] > 0) & (self.curves["events"] == 0)]
        if len(gone):
            lines.append(
                f"{which}: a curve that fell to 0 before other waits began says nothing after that: "
                f"{_listed(gone['group'].unique())}"
            )
        return lines


def _listed(names: Iterable[str]) -> str:
    """Return names in quotes."""
    return _some([f"'{name}'" for name in names])


def _some(parts: list[str]) -> str:
    """Return the first parts, and how many more there are."""
    more = len(parts) - LISTED
    return ", ".join(parts[:LISTED]) + (f" and {more:,} more" if more > 0 else "")


def breakthrough(
    source: Entries | WaitSource, *, by: By = "none", horizon: int | None = None, cluster: Cluster = "artist"
) -> Breakthrough:
    """Return the share of waits without an entry, by day.

    A wait is one track in one market outside its footprint. It is at risk from the debut, or from the end of the
    market's washout if that is later (delayed entry), until the track enters, the market's coverage ends, or the
    horizon.

    Parameters
    ----------
    source
        Entries, for waits since the debut; or waits with another clock or other settings (`survival.waits`), or those
        of a frame (`survival.frame_waits`).
    by
        Grouping: ``none`` (default; one group, ``all``); a variable of the waits, such as ``continent`` (of the
        market), ``language_match`` (whether some market of the footprint shares an official language with the market)
        or ``origin``; ``footprint_size`` (number of markets entered on day 0, in four classes); several variables, such
        as ``("origin", "market")``; or groups of your own: a column of the table of tracks, of markets or of pairs; a
        mapping from markets, tracks or artists to groups; a table with one column of groups beside `market`,
        `track_id`, `artist`, `source` and `target`, or `track_id` and `market`; or a function of the table of tracks or
        markets (`diffusion.groups.groups_of` explains them). By ``origin``, or by pairs of markets, a wait counts once
        for each market of its footprint. What has no group is not grouped, and counted as such.
    horizon
        Days, the bound included (default: that of the waits; 180 for entries).
    cluster
        What the band takes as independent of each other: ``artist`` (default; waits of all tracks whose artist named
        first is the same may depend on each other), ``track`` (waits of one track may) or ``independent`` (no wait
        depends on another: too narrow, because waits of one track do). The curve is the same.

    Notes
    -----
    The band is on the log(−log) scale (`survival.curves.bands.band`). Its variance is the jackknife by cluster, to
    first order (`survival.curves.bands.spreads`), and at least Greenwood's. With ``independent`` it is Greenwood's, and
    the quantile is normal. What all artists share, such as a season, is not in the band. Where few artists make the
    curve, `notes` say so: such a band may be too narrow. The band of the cumulative hazard is made alike, on the log
    scale. Medians have the interval of Brookmeyer and Crowley: the days on which the band crosses one half.

    Raises
    ------
    SettingError
        When a variable or `cluster` is unknown, groups of your own cannot be used, or the horizon is not between 1 and
        36,500 days.
    DataSaysNoError
        When no track is at risk in any market.

    References
    ----------
    Kaplan, E. L. & Meier, P. (1958). Nonparametric estimation from incomplete observations. doi
    10.1080/01621459.1958.10501452. With delayed entry: Klein & Moeschberger (2003), Survival Analysis, §4.6. Nelson
    1972, doi 10.1080/00401706.1972.10488991; Aalen 1978, doi 10.1214/aos/1176344247. Brookmeyer & Crowley 1982, doi
    10.2307/2530286.

    Examples
    --------
    >>> import survival
    >>> frame = pd.DataFrame({"days": [3, 5, 5, 8], "entered": [1, 1, 0, 1], "chart": ["a", "a", "b", "b"]})
    >>> waiting = survival.frame_waits(frame, days="days", entered="entered")
    >>> breakthrough(waiting, by="chart").summary[["group", "waits", "events", "median_days"]]
      group  waits  events  median_days
    0     a      2       2            3
    1     b      2       1            8
    """
    waiting = source_of(source, horizon)
    groups = grouped(waiting, by, horizon=horizon, cluster=cluster)
    curves = KaplanMeier.of(groups.at_risk, groups.entered)
    area = Area.of(curves, int(groups.known_to(curves).min()))
    columns, effective, mean_bounds = _bounds(groups, curves, area)
    table = _table(groups, curves, columns)
    name = name_of(by)
    summary = _summary(groups, area, columns, mean_bounds)
    summary.insert(0, "by", name)
    summary["effective_clusters"] = effective
    last = groups.counted.horizon if horizon is None else min(horizon, groups.counted.horizon)
    kinds = groups.values.assign(group=groups.names)[["group", *groups.values]]
    return Breakthrough(table, summary, kinds, name, last, cluster, groups.absent, groups.not_grouped)


def source_of(source: Entries | WaitSource, horizon: int | None) -> WaitSource:
    """Return the waits of a source; of entries, those since the debut."""
    if isinstance(source, Entries):
        return waits(source, horizon=HORIZON if horizon is None else horizon)
    return source


Bounds = tuple[Floats, Floats]


def _bounds(groups: Groups, curves: KaplanMeier, area: Area) -> tuple[dict[str, Floats], Floats, Bounds]:
    """Return the bands by column of the table, the effective number of clusters, and the bounds of the areas."""
    hazard = groups.entered / np.maximum(groups.at_risk, 1)
    least = np.cumsum(hazard * (1 - hazard) / np.maximum(groups.at_risk, 1), axis=1)
    cumulative = np.cumsum(hazard, axis=1)
    if groups.counted.clusters is None:
        low, high = log_log_bounds(curves.staying, curves.variance, NORMAL)
        low, high = np.where(curves.over, 0.0, 1 - high), np.where(curves.over, 0.0, 1 - low)
        reach, effective = NORMAL * np.sqrt(least), np.full(len(groups.names), np.nan)
        mean = area.interval(area.greenwood, np.full(len(groups.names), np.inf))
    else:
        spread = spreads(groups, curves, area)
        low, high = band(curves, spread.survival)
        quantile = stdtrit(np.maximum(spread.survival.freedom, 1), 1 - TAIL)
        reach, effective = (
            np.asarray(quantile, np.float64) * np.sqrt(np.maximum(spread.hazard, least)),
            spread.effective,
        )
        mean = area.interval(np.maximum(spread.area.squares, area.greenwood), spread.area.freedom)
    went = cumulative > 0
    with np.errstate(over="ignore", divide="ignore"):  # nothing known: from 0 to infinity
        factor = np.exp(np.where(went, reach / np.where(went, cumulative, 1.0), 0.0))
        most = np.where(went, cumulative * factor, -np.log(low))
    columns = {
        "survival": curves.survival,
        "low": low,
        "high": high,
        "share_entered": curves.incidence,
        "share_low": 1 - high,
        "share_high": 1 - low,
        "cumulative_hazard": cumulative,
        "hazard_low": cumulative / factor,
        "hazard_high": most,
    }
    return columns, effective, mean


def _table(groups: Groups, curves: KaplanMeier, columns: dict[str, Floats]) -> pd.DataFrame:
    """Return one row per group and day, up to the last day at risk."""
    at_risk = curves.at_risk.copy()
    at_risk[:, 0] = groups.opened[:, 0]
    days = np.arange(at_risk.shape[1])
    kept = days <= groups.followed[:, None]
    row, day = np.nonzero(kept)
    table = {"group": np.array(groups.names, object)[row], "days": day}
    table |= {"at_risk": at_risk[kept], "events": groups.entered[kept]}
    return pd.DataFrame(table | {name: values[kept] for name, values in columns.items()})


def _summary(groups: Groups, area: Area, columns: dict[str, Floats], mean: Bounds) -> pd.DataFrame:
    """Return one row per group."""
    medians = {"median_days": "survival", "median_low": "low", "median_high": "high"}
    return pd.DataFrame(
        {
            "group": groups.names,
            "waits": groups.opened.sum(axis=1),
            "events": groups.entered.sum(axis=1),
            **{name: _first_at_half(columns[column], groups.followed) for name, column in medians.items()},
            **{name: columns[name][:, area.days] for name in ("share_entered", "share_low", "share_high")},
            "restricted_mean_days": area.mean,
            "restricted_mean_low": mean[0],
            "restricted_mean_high": mean[1],
            "restricted_to": area.days,
            "followed_to": groups.followed,
        }
    )


def _first_at_half(survival: Floats, followed: Ints) -> "pd.Series[int]":
    """Return the first day on which survival is one half or less; null where that is after the follow-up."""
    reached = survival <= HALF
    first = reached.argmax(axis=1)
    known = reached.any(axis=1) & (first <= followed)
    return pd.Series(first, dtype="Int64").where(known)
