"""Look-alikes of a track: tracks whose first steps were most like its own, and which markets they entered next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import betainc, betaincinv

from diffusion import DataSaysNoError, Entries, SettingError, market_names
from diffusion.arrays import Flags, Floats, Ints
from diffusion.conventions import CONFIDENCE, FDR, LONGEST
from diffusion.finding import as_one
from diffusion.risk.risk_set import withheld_markets
from diffusion.timelines import Timelines
from graphs.false_discovery import adjusted
from graphs.leaders.groups import LEAST_ARTISTS

DAYS: Final = 14
"""Days after the debut that count as first steps, if nothing else is said."""

HORIZON: Final = 28
"""Days after the first steps in which the next markets are counted, if nothing else is said."""

MOST: Final = 50
"""Look-alikes that are looked for, if nothing else is said."""

LEAST: Final = 0.5
"""Least similarity of a look-alike, if nothing else is said."""


@dataclass(frozen=True, slots=True)
class LookAlikes:
    """Tracks whose first steps were most like those of one track, and the markets that they entered next.

    Attributes
    ----------
    first
        First steps of the track, in order: `market`, `name`, `days` (after the debut).
    tracks
        Look-alikes, the most similar first: `track_id`, `similarity` (0 … 1: markets that both entered, of those that
        either entered), `shared` (number of those), `lag_difference` (days by which the lags into them differ, mean),
        `same_artist` (first in the credits), `debut`, `next_markets` (number entered within the horizon after).
    next
        One row per market that is not among the first steps, those most above the base first: `market`, `name`,
        `entered` and `followed` (look-alikes), `share` (of those followed) with `low` and `high` (95 % interval by
        artist), `artists` (effective number), `base_share` and `base_followed` (all tracks but the track itself), `p`
        and `q` of the difference (missing where fewer than ten artists are followed), `differs` (q ≤ .05).
    days, horizon
        Days after the debut that count as first steps, and days after these in which next markets are counted.
    candidates
        Number of tracks that were compared.
    """

    first: pd.DataFrame
    tracks: pd.DataFrame
    next: pd.DataFrame
    days: int
    horizon: int
    candidates: int


def look_alikes(
    entries: Entries,
    ids: Sequence[str],
    *,
    days: int = DAYS,
    horizon: int = HORIZON,
    most: int = MOST,
    least: float = LEAST,
) -> LookAlikes:
    """Return the tracks whose first steps were most like those of a track, and which markets they entered next.

    Parameters
    ----------
    entries
        Each track's first event in each market.
    ids
        Ids of the track; several, as those of one recording, count as one. Its entries after `days` are not used.
    days
        Days after the debut that count as first steps (default 14). Where the track debuted later than so many days
        before the last chart, the days since then.
    horizon
        Days after the first steps in which next markets are counted (default 28).
    most
        Number of look-alikes (default 50); tracks that are as similar as the last of them count as well.
    least
        Least similarity (default 0.5).

    Raises
    ------
    SettingError
        When a setting is out of range, or ids is a text.
    DataSaysNoError
        When the track has no entry, may have been on the charts before they began, or when nothing is so similar.

    Notes
    -----
    The similarity is Jaccard's [1]_: of the markets that either of two tracks entered by day `days` after its debut,
    the share that both did. Among equals the tracks with the smaller difference of lags come first. Compared are tracks
    with a timed debut of which `days` and `horizon` lie within the charts. Into a market they are followed if they had
    not entered it by then, have a licence, and its charts go on without a long gap, and past their washout, to the end
    of the horizon. The interval is Clopper and Pearson's [2]_ with the effective number of artists, (Σn)² / Σn² over
    the numbers n of an artist's tracks, in place of the number of tracks: as if all tracks of an artist did the same.
    The test is that of the same distribution against the base share.

    References
    ----------
    .. [1] Jaccard, P. (1912). The distribution of the flora in the alpine zone. New Phytologist 11, 37–50. doi
       10.1111/j.1469-8137.1912.tb05611.x.
    .. [2] Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of
       positive counts estimated from survey data. Survey Methodology 24, 193–201.

    Examples
    --------
    >>> import diffusion
    >>> with diffusion.open_sample() as charts:
    ...     found = look_alikes(charts.entries(), ["3Wrjm47oTz2sjIgck11l5e"], days=0)
    >>> found.first["market"].tolist(), found.candidates, len(found.tracks)
    (['LT'], 1333, 52)
    >>> found.next[["market", "entered", "followed"]].head(1).values.tolist()
    [['EE', 9, 52]]
    """
    if isinstance(ids, str):
        raise SettingError(f"ids is the text {ids!r}; give a list of ids, such as those that `Charts.find` returns")
    _check(days, horizon, most, least)
    timelines = entries.timelines
    own = _Own.of(entries, ids, days)
    compared = _compared(timelines, own, horizon)
    alike = _alike(own, compared, horizon=horizon, most=most, least=least)
    following = _Following.of(entries, own, compared["track"].to_numpy(), horizon)
    chosen = np.isin(following.track, alike["track"].to_numpy())
    cluster = timelines.cluster[following.track]
    steps = _next(own, following, chosen, cluster)
    went = pd.Series(following.entered.sum(axis=1), index=following.track)
    tracks = alike.assign(
        track_id=timelines.track_ids[alike["track"]],
        same_artist=np.isin(timelines.cluster[alike["track"]], own.clusters),
        debut=timelines.debut[alike["track"]].astype("datetime64[D]").astype("datetime64[s]"),
        next_markets=went[alike["track"]].to_numpy(),
    )
    columns = ["track_id", "similarity", "shared", "lag_difference", "same_artist", "debut", "next_markets"]
    return LookAlikes(own.table(), tracks[columns], steps, own.days, horizon, len(compared))


def _check(days: int, horizon: int, most: int, least: float) -> None:
    for name, value in (("days", days), ("horizon", horizon)):
        if not (0 if name == "days" else 1) <= value <= LONGEST:
            raise SettingError(f"{name} is {value}; it must be between {0 if name == 'days' else 1} and {LONGEST:,}")
    if most < 1:
        raise SettingError(f"most is {most}; at least one look-alike must be looked for")
    if not 0 < least <= 1:
        raise SettingError(f"least is {least}; a similarity is above 0 and at most 1")


@dataclass(frozen=True, slots=True)
class _Own:
    """First steps of the track: `lag` (m,) into each market, −1 elsewhere; codes of its ids and of their artists."""

    markets: tuple[str, ...]
    lag: Ints
    tracks: Ints
    clusters: Ints
    days: int

    @classmethod
    def of(cls, entries: Entries, ids: Sequence[str], days: int) -> Self:
        """Return the first steps of some ids as one track."""
        timelines, given = entries.timelines, pa.array(ids, pa.string())
        rows = as_one(entries.table, given, pa.array([ids[0]] * len(ids), pa.string())).to_pandas()
        if rows.empty:
            raise DataSaysNoError(f"track '{ids[0]}' has no entry in the chart '{entries.rules.chart}'")
        debut = rows["entry"].min()
        if rows.loc[rows["entry"] == debut, "left_censored"].all():
            raise DataSaysNoError(
                f"track '{ids[0]}' may have been on the charts before {debut}, within the washout; its first steps are "
                "not known"
            )
        days = min(days, (entries.calendar.last_date - debut).days)
        lags = pd.Series([(day - debut).days for day in rows["entry"]], index=rows["market"])
        lag = lags[lags <= days].reindex(list(timelines.markets), fill_value=-1).to_numpy(np.int64)
        tracks = np.flatnonzero(np.isin(timelines.track_ids, list(ids)))
        return cls(timelines.markets, lag, tracks, timelines.cluster[tracks], days)

    def table(self) -> pd.DataFrame:
        """Return the first steps in order."""
        table = pd.DataFrame({"market": self.markets, "days": self.lag}).query("days >= 0")
        table.insert(1, "name", table["market"].map(market_names(table["market"])))
        ordered: pd.DataFrame = table.sort_values(["days", "market"], ignore_index=True)
        return ordered


def _compared(timelines: Timelines, own: _Own, horizon: int) -> pd.DataFrame:
    """Return the tracks that can be compared: `track` (code), `similarity`, `shared`, `lag_difference`."""
    n = len(timelines.track_ids)
    lag = timelines.day - timelines.debut[timelines.track]
    early = lag <= own.days
    both = early & (own.lag[timelines.market] >= 0)
    shared = np.bincount(timelines.track[both], minlength=n)
    either = np.bincount(timelines.track[early], minlength=n) + (own.lag >= 0).sum() - shared
    apart = np.abs(lag[both] - own.lag[timelines.market[both]])
    difference = np.bincount(timelines.track[both], weights=apart, minlength=n) / np.maximum(shared, 1)
    whole = timelines.debut + own.days + horizon <= timelines.span_last.max()
    kept = whole & ~timelines.debut_censored
    kept[own.tracks] = False
    table = {"track": np.arange(n), "similarity": shared / either, "shared": shared, "lag_difference": difference}
    frame: pd.DataFrame = pd.DataFrame(table)[kept]
    return frame


def _alike(own: _Own, compared: pd.DataFrame, *, horizon: int, most: int, least: float) -> pd.DataFrame:
    """Return the most similar tracks and those as similar as the last of them, the most similar first."""
    near = compared[compared["similarity"] >= least]
    if near.empty:
        raise DataSaysNoError(
            f"of the tracks compared ({len(compared):,}) none has {least:.0%} of its first markets in common with this "
            f"one {own.days} days after the debut; compared are tracks of which the {horizon} days after that lie "
            "within the charts"
        )
    near = near.sort_values(["similarity", "lag_difference", "track"], ascending=[False, True, True])
    last = near.iloc[min(most, len(near)) - 1]
    further = (near["similarity"] == last["similarity"]) & (near["lag_difference"] <= last["lag_difference"])
    chosen: pd.DataFrame = near[(near["similarity"] > last["similarity"]) | further].reset_index(drop=True)
    return chosen


@dataclass(frozen=True, slots=True)
class _Following:
    """Whether tracks were followed into each market after their first steps, and entered it: (c, m) flags each."""

    track: Ints
    followed: Flags
    entered: Flags

    @classmethod
    def of(cls, entries: Entries, own: _Own, track: Ints, horizon: int) -> Self:
        timelines, size = entries.timelines, len(own.markets)
        start = timelines.debut[track].astype(np.int64) + own.days
        lag = (timelines.day - timelines.debut[timelines.track]).astype(np.int64)
        row = np.full(len(timelines.track_ids), -1)
        row[track] = np.arange(len(track))
        at, market = row[timelines.track], timelines.market
        early, later = (at >= 0) & (lag <= own.days), (at >= 0) & (lag > own.days) & (lag <= own.days + horizon)
        there, entered = np.zeros((2, len(track), size), bool)
        there[at[early], market[early]] = True
        entered[at[later], market[later]] = True
        followed = np.column_stack([_observed(timelines, number, start, horizon) for number in range(size)])
        followed &= ~there & ~withheld_markets(timelines, entries.withheld)[track].toarray() & (own.lag < 0)
        return cls(track, followed, entered & followed)


def _observed(timelines: Timelines, market: int, start: Ints, horizon: int) -> Flags:
    """Return whether a market's charts are past their washout on a day and go on to the horizon without a long gap."""
    span = timelines.span_of(np.full(len(start), market), start)
    first, last = timelines.span_first[span], timelines.span_last[span]
    return (span >= 0) & (first + timelines.washout <= start) & (start + horizon <= last)


def _next(own: _Own, following: _Following, chosen: Flags, cluster: Ints) -> pd.DataFrame:
    """Return one row per market into which look-alikes were followed, with their share and that of all tracks."""
    followed, entered = following.followed[chosen], following.entered[chosen]
    table = pd.DataFrame(
        {
            "market": own.markets,
            "entered": entered.sum(axis=0),
            "followed": followed.sum(axis=0),
            "artists": [_effective(cluster[chosen][flags]) for flags in followed.T],
            "base_entered": following.entered.sum(axis=0),
            "base_followed": following.followed.sum(axis=0),
        }
    ).query("followed > 0")
    share = (table["entered"] / table["followed"]).to_numpy()
    base = (table["base_entered"] / table["base_followed"]).to_numpy()
    artists = table["artists"].to_numpy()
    low, high = share_interval(share, artists)
    p = np.where(artists < LEAST_ARTISTS, np.nan, share_test(share, artists, base))
    q = adjusted(p)
    table = table.assign(share=share, low=low, high=high, base_share=base, p=p, q=q, differs=q <= FDR)
    table = table.assign(name=table["market"].map(market_names(table["market"])), above=share - base)
    table = table.sort_values(["above", "market"], ascending=[False, True], ignore_index=True)
    columns = ["market", "name", "entered", "followed", "share", "low", "high", "artists", "base_share"]
    return table[[*columns, "base_followed", "p", "q", "differs"]]


def _effective(cluster: Ints) -> float:
    """Return the effective number of clusters: (Σn)² / Σn² over the numbers n of their tracks; 0 for none."""
    sizes = np.unique(cluster, return_counts=True)[1].astype(float)
    return float(sizes.sum() ** 2 / (sizes**2).sum()) if len(sizes) else 0.0


def share_interval(share: Floats, number: Floats) -> tuple[Floats, Floats]:
    """Return the bounds of Clopper and Pearson's 95 % interval of shares of an effective number of artists.

    Examples
    --------
    >>> [bound.round(4).tolist() for bound in share_interval(np.array([0.0, 0.2, 1.0]), np.array([10.0, 10.0, 10.0]))]
    [[0.0, 0.0252, 0.6915], [0.3085, 0.5561, 1.0]]
    """
    tail, some = (1 - CONFIDENCE) / 2, share * number
    low = betaincinv(np.maximum(some, 1e-300), number - some + 1, tail)
    high = betaincinv(some + 1, np.maximum(number - some, 1e-300), 1 - tail)
    return np.where(some > 0, low, 0.0), np.where(some < number, high, 1.0)


def share_test(share: Floats, number: Floats, base: Floats) -> Floats:
    """Return the two-sided p of shares of an effective number of artists, against base shares: twice the smaller tail.

    Examples
    --------
    >>> share_test(np.array([0.0, 0.2, 0.9]), np.array([10.0, 10.0, 10.0]), np.array([0.2, 0.2, 0.2])).round(4).tolist()
    [0.2147, 1.0, 0.0]
    """
    some = share * number
    above = np.where(some > 0, betainc(np.maximum(some, 1e-300), number - some + 1, base), 1.0)
    below = np.where(some < number, 1 - betainc(some + 1, np.maximum(number - some, 1e-300), base), 1.0)
    p: Floats = np.minimum(1.0, 2 * np.minimum(above, below))
    return p
