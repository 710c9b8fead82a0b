"""Time to breakthrough: time until a track enters a market, by Kaplan–Meier with delayed entry."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DataSaysNoError, Entries, SettingError, pair_table, reference_table
from diffusion.arrays import Floats
from diffusion.conventions import HORIZON
from diffusion.risk.kaplan_meier import NORMAL, KaplanMeier, log_log_bounds
from diffusion.risk.waits import MATCHES, wait_blocks
from survival.bands import CLUSTERS, FEW, Cluster, band, clusters_of, spreads

Grouping = Literal["none", "continent", "language_match", "footprint_size"]
GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)

CURVE_COLUMNS = ("group", "days", "at_risk", "events", "survival", "low", "high")

FOOTPRINTS = {
    1: "footprint 1 market",
    2: "footprint 2-3 markets",
    4: "footprint 4-7 markets",
    8: "footprint 8+ markets",
}
"""Least number of markets entered on day 0 → name of the group."""

LANGUAGES = {True: "shared language", False: "no shared language"}


@dataclass(frozen=True, slots=True)
class Breakthrough:
    """Survival curves of waits, by group.

    Attributes
    ----------
    curves
        One row per group and day, from 0 to the last day at risk or the horizon, in order of group and day: `group`,
        `days` (since the debut), `at_risk` (waits at risk on that day; on day 0, waits at risk from the start),
        `events` (entries on that day), `survival` (share not entered by the end of the day), `low`, `high` (95 % band,
        for each day by itself).
    summary
        One row per group: `by`, `group`, `waits`, `events`, `median_days` (null where survival stays above one half),
        `share_entered` (share of waits that end with an entry by day `restricted_to`), `restricted_mean_days` (mean
        days without an entry, up to `restricted_to`), `restricted_to` (days; the same for all groups, so that they can
        be compared), `followed_to` (last day at risk, at most the horizon), `effective_clusters` (effective number of
        clusters behind the band on that day; null where waits are taken as independent, or none ended with an entry).
    by
        Grouping.
    horizon
        Longest follow-up in days.
    cluster
        What the band takes as independent of each other.
    """

    curves: pd.DataFrame
    summary: pd.DataFrame
    by: Grouping
    horizon: int
    cluster: Cluster

    def notes(self) -> list[str]:
        """Return warnings for readers of these curves, one line each."""
        short = self.summary[self.summary["followed_to"] < self.horizon]
        which = "overall" if self.by == "none" else f"by {self.by}"
        lines = []
        if len(short):
            ends = [
                (
                    "every curve"
                    if len(groups) == len(self.summary)
                    else ", ".join(f"'{name}'" for name in groups["group"])
                )
                + f" on day {day}"
                for day, groups in short.groupby("followed_to")
            ]
            lines.append(
                f"{which}: follow-up ends before the horizon of {self.horizon} days; stopped: {', '.join(ends)}"
            )
        few = self.summary[self.summary["effective_clusters"] < FEW]
        if len(few):
            rest = ", ".join(f"'{group.group}' {group.effective_clusters:.1f}" for group in few.itertuples())
            lines.append(
                f"{which}: these bands may be too narrow, because few {self.cluster}s make the curve (effective number "
                f"below {FEW}): {rest}"
            )
        gone = self.curves[(self.curves["survival"] == 0) & (self.curves["at_risk"] > 0) & (self.curves["events"] == 0)]
        lines += [
            f"the curve of '{group}' fell to 0 before other waits began; do not read it after that"
            for group in gone["group"].unique()
        ]
        return lines


def breakthrough(
    entries: Entries, *, by: Grouping = "none", horizon: int = HORIZON, cluster: Cluster = "artist"
) -> Breakthrough:
    """Return the share of waits without an entry, by day since the track's debut.

    A wait is one track in one market outside its footprint. It is at risk from the debut, or from the end of the
    market's washout if that is later (delayed entry), until the track enters, the market's coverage ends, or the
    horizon.

    Parameters
    ----------
    by
        Grouping: ``none`` (default; one group, ``all``), ``continent`` (of the market), ``language_match`` (whether
        some market of the footprint shares an official language with the market) or ``footprint_size`` (number of
        markets entered on day 0).
    horizon
        Days, the bound included (default 180).

    cluster
        What the band takes as independent of each other: ``artist`` (default; waits of all tracks whose artist named
        first is the same may depend on each other), ``track`` (waits of one track may) or ``independent`` (no wait
        depends on another: too narrow, because waits of one track do). The curve is the same.

    Notes
    -----
    The band is on the log(−log) scale (`survival.bands.band`). Its variance is the jackknife by cluster, to first order
    (`survival.bands.spreads`), and at least Greenwood's. With ``independent`` it is Greenwood's, and the quantile is
    normal. What all artists share, such as a season, is not in the band. Where few artists make the curve, `notes` say
    so: such a band may be too narrow.

    Raises
    ------
    SettingError
        When `by` or `cluster` is unknown or the horizon is not between 1 and 36,500 days.
    DataSaysNoError
        When no track is at risk in any market.

    References
    ----------
    Kaplan, E. L. & Meier, P. (1958). Nonparametric estimation from incomplete observations. doi
    10.1080/01621459.1958.10501452. With delayed entry: Klein & Moeschberger (2003), Survival Analysis, §4.6.
    """
    if by not in GROUPINGS:
        raise SettingError(f"curves are grouped by {', '.join(GROUPINGS)}, not by '{by}'")
    if cluster not in CLUSTERS:
        raise SettingError(f"bands are by {', '.join(CLUSTERS)}, not by '{cluster}'")
    counts = entries.wait_counts(horizon=horizon).to_pandas()
    if counts.empty:
        observed = len(entries.calendar.markets)
        raise DataSaysNoError(
            f"no track is at risk in any market on '{entries.calendar.chart}' ({observed} observed): curves need "
            f"tracks that debut after the washout of {entries.rules.washout} days, and a second market to wait for"
        )
    groups = {str(name): group for name, group in counts.groupby(_labels(counts, by), sort=True)}
    curves = {name: kaplan_meier(group, horizon=horizon) for name, group in groups.items()}
    effective = np.full(len(groups), np.nan)
    if cluster != "independent":
        effective = _widen(curves, entries, groups, horizon=horizon, cluster=cluster)
    followed = {name: int(curve["days"].iloc[-1]) for name, curve in curves.items()}
    shared = min(followed.values())
    summary = pd.DataFrame(
        [
            {
                "by": by,
                "group": name,
                "waits": int(groups[name]["waits"].sum()),
                "events": int(curve["events"].sum()),
                "median_days": _median(curve),
                "share_entered": 1 - float(curve["survival"].iloc[shared]),
                "restricted_mean_days": float(curve["survival"].iloc[:shared].sum()),
                "restricted_to": shared,
                "followed_to": followed[name],
            }
            for name, curve in curves.items()
        ]
    )
    summary["median_days"] = summary["median_days"].astype("Int64")
    summary["effective_clusters"] = effective
    table = pd.concat([curve.assign(group=name) for name, curve in curves.items()], ignore_index=True)
    return Breakthrough(table[list(CURVE_COLUMNS)], summary, by, horizon, cluster)


def _widen(
    curves: dict[str, pd.DataFrame],
    entries: Entries,
    groups: dict[str, pd.DataFrame],
    *,
    horizon: int,
    cluster: Literal["artist", "track"],
) -> Floats:
    """Replace the band of each group's curve by that of clusters; return the effective number of clusters, (g,).

    `groups` has the wait counts of each group.
    """
    markets = entries.timelines.markets
    place = np.zeros((len(markets), len(markets) + 1, len(MATCHES)), np.int64)
    for at, group in enumerate(groups.values()):
        match = group["language_match"].map({False: 0, True: 1}).fillna(2).to_numpy(np.int64)
        place[pd.Index(markets).get_indexer(pd.Index(group["market"])), group["footprint"], match] = at
    fits = [KaplanMeier.of(curve["at_risk"].to_numpy(), curve["events"].to_numpy()) for curve in curves.values()]
    number = clusters_of(entries, cluster)
    blocks = wait_blocks(entries.timelines, entries.withheld, pair_table(), horizon=horizon, cluster=number)
    found, effective = spreads(blocks, place, number, fits)
    for curve, fit, spread in zip(curves.values(), fits, found, strict=True):
        curve["low"], curve["high"] = band(fit, spread)
    return effective


def kaplan_meier(counts: pd.DataFrame, *, horizon: int) -> pd.DataFrame:
    """Return the Kaplan–Meier curve of counted waits, one row per day from 0 to the last day at risk.

    Parameters
    ----------
    counts
        `start` and `days` (at risk on day t when start < t ≤ days), `entered`, `waits` (number of such waits).
    horizon
        Days; no wait may be longer.

    Notes
    -----
    The band is Greenwood's on the log(−log) scale and takes waits as independent. The curve is exact: the tests compare
    it with lifelines and R, which fit single subjects. lifelines refuses a risk set that is empty for some days, as
    after a late market launch.
    """
    start, days, waits = (counts[name].to_numpy() for name in ("start", "days", "waits"))
    entered = counts["entered"].to_numpy()
    end = min(int(days.max()), horizon)
    opened, closed = (
        np.bincount(day + 1, weights=waits, minlength=end + 2).cumsum()[: end + 1].astype(np.int64)
        for day in (start, days)
    )
    events = np.bincount(days[entered], weights=waits[entered], minlength=end + 1).astype(np.int64)
    at_risk = opened - closed
    at_risk[0] = waits[start == 0].sum()
    curve = KaplanMeier.of(at_risk, events)
    low, high = log_log_bounds(curve.staying, curve.variance, NORMAL)
    return pd.DataFrame(
        {
            "days": np.arange(end + 1),
            "at_risk": at_risk,
            "events": events,
            "survival": curve.survival,
            "low": np.where(curve.over, 0.0, 1 - high),
            "high": np.where(curve.over, 0.0, 1 - low),
        }
    )


def _labels(counts: pd.DataFrame, by: Grouping) -> "pd.Series[str] | NDArray[np.str_]":
    if by == "none":
        return np.full(len(counts), "all")
    if by == "continent":
        continents = reference_table().set_index("market")["continent"]
        return counts["market"].map(continents).fillna("continent not known")
    if by == "language_match":
        return counts["language_match"].map(LANGUAGES).fillna("language not known")
    least = np.array(list(FOOTPRINTS))
    names = np.array(list(FOOTPRINTS.values()))
    return names[np.searchsorted(least, counts["footprint"].to_numpy(), side="right") - 1]


def _median(curve: pd.DataFrame) -> int | None:
    below = curve.loc[curve["survival"] <= 0.5, "days"]
    return int(below.iloc[0]) if len(below) else None
