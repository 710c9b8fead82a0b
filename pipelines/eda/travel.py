"""How far tracks travel: debut size, markets entered after the debut, and the share that ever crosses a border."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, Entries
from diffusion.arrays import Ints
from pipelines.eda.intervals import clustered_means, clustered_shares

CLASSES: Final = (1, 2, 4, 8, 16, 32)
"""Least number of markets of each class of reach."""

ALL: Final = "all"
"""Year of debuts that stands for all years."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Tracks with a timed debut whose window was over before the charts end, n of them.

    Attributes
    ----------
    track
        (n,): index in the timelines of the entries.
    year
        (n,): year of the debut.
    cluster
        (n,): number of the artist.
    footprint
        (n,): markets entered on day 0.
    further
        (n,): markets entered after day 0, within the window.
    """

    track: Ints
    year: Ints
    cluster: Ints
    footprint: Ints
    further: Ints

    @classmethod
    def of(cls, entries: Entries, window: int) -> Self:
        """Return the tracks that were followed for a window.

        Parameters
        ----------
        entries
            Entries of tracks.
        window
            Days after the debut.

        Raises
        ------
        DataSaysNoError
            When there is no such track.
        """
        lines = entries.timelines
        age = lines.day - lines.debut[lines.track]
        kept = ~lines.debut_censored & (lines.debut + window <= int(lines.span_last.max(initial=0)))
        if not kept.any():
            raise DataSaysNoError(f"no track has a timed debut {window} days before the charts end")
        ordered = lines.last_without >= lines.debut[lines.track]
        later = ordered & (age > 0) & (age <= window) & ~lines.left_censored
        footprint, further = (
            np.bincount(lines.track[chosen], minlength=len(kept))[kept] for chosen in (age == 0, later)
        )
        year = lines.debut[kept].astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
        return cls(np.flatnonzero(kept), year, lines.cluster[kept], footprint, further)


def travel_tables(entries: Entries, *, window: int) -> dict[str, pd.DataFrame]:
    """Return the tables `travel`, `reach` and `debut_sizes`; columns as in `pipelines.contracts.travel`.

    A track travels when it enters a market after the day of its debut, within the window: an event that the charts show
    as crossing a border. Left out are entries within a market's washout, whose day is unknown, and those that may have
    been before the debut, because the market's charts were missing.

    Parameters
    ----------
    entries
        Entries of tracks.
    window
        Days after the debut within which entries count.

    Raises
    ------
    DataSaysNoError
        When no track has a timed debut a window before the charts end.
    """
    tracks = Followed.of(entries, window)
    years = np.unique(tracks.year)
    names = [*map(str, years), ALL]
    # every track counts in its year and in all years
    group = np.concatenate([np.searchsorted(years, tracks.year), np.full(len(tracks.year), len(years))])
    parts = tracks.track, tracks.year, tracks.cluster, tracks.footprint, tracks.further
    twice = Followed(*(np.tile(part, 2) for part in parts))
    return {
        "travel": _travel(twice, group, names, _markets_observed(entries)),
        "reach": _reach(twice, group, names),
        "debut_sizes": _debut_sizes(tracks),
    }


def _markets_observed(entries: Entries) -> dict[str, int]:
    """Return year, or all → markets observed in it."""
    observed = entries.calendar.to_pandas()
    by_year = observed.groupby(observed["date"].dt.year)["market"].nunique()
    return {**{str(year): int(count) for year, count in by_year.items()}, ALL: observed["market"].nunique()}


def _travel(tracks: Followed, group: Ints, names: list[str], markets: dict[str, int]) -> pd.DataFrame:
    number = len(names)
    travelled = clustered_shares(tracks.further > 0, group, tracks.cluster, number)
    further = clustered_means(tracks.further.astype(np.float64), group, tracks.cluster, number)
    home = clustered_shares(tracks.footprint == 1, group, tracks.cluster, number)
    table = pd.DataFrame({"debuted": names}).join(travelled[["tracks", "artists"]])
    for name, found in (("travelled", travelled), ("further", further), ("at_home", home)):
        table = table.join(_named(found, name))
    table["footprint_median"] = pd.Series(tracks.footprint).groupby(group).median()
    table["markets"] = [markets[name] for name in names]
    return table


def _reach(tracks: Followed, group: Ints, names: list[str]) -> pd.DataFrame:
    reached, rows = class_of(tracks.footprint + tracks.further), []
    for place, least in enumerate(CLASSES):
        found = clustered_shares(reached == place, group, tracks.cluster, len(names))
        counts = (found["mean"] * found["tracks"]).round().astype(int)
        own = pd.DataFrame({"debuted": names, "reach": class_name(place), "least": least, "tracks": counts})
        rows.append(own.join(_named(found, "share")))
    return pd.concat(rows).sort_values(["debuted", "least"], ignore_index=True)


def _debut_sizes(tracks: Followed) -> pd.DataFrame:
    size, number = class_of(tracks.footprint), len(CLASSES)
    everyone = np.zeros(len(size), dtype=int)
    shares = [clustered_shares(size == place, everyone, tracks.cluster, 1) for place in range(number)]
    travelled = clustered_shares(tracks.further > 0, size, tracks.cluster, number)
    table = pd.DataFrame({"footprint": [class_name(place) for place in range(number)], "least": CLASSES})
    table = table.join(travelled[["tracks", "artists"]]).join(_named(pd.concat(shares, ignore_index=True), "share"))
    return table.join(_named(travelled, "travelled"))[travelled["tracks"] > 0].reset_index(drop=True)


def _named(found: pd.DataFrame, name: str) -> pd.DataFrame:
    return found[["mean", "low", "high"]].set_axis([name, f"{name}_low", f"{name}_high"], axis=1)


def class_of(markets: Ints) -> Ints:
    """Return the place in `CLASSES` of numbers of markets."""
    return np.searchsorted(CLASSES, markets, side="right") - 1


def class_name(place: int) -> str:
    """Return the name of a class of numbers of markets.

    Examples
    --------
    >>> [class_name(place) for place in range(len(CLASSES))]
    ['1', '2-3', '4-7', '8-15', '16-31', '32+']
    """
    least = CLASSES[place]
    if place == len(CLASSES) - 1:
        return f"{least}+"
    most = CLASSES[place + 1] - 1
    return str(least) if most == least else f"{least}-{most}"
