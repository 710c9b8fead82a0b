"""Time from the debut to the first, second and third further market."""

from typing import Final

import numpy as np
import pandas as pd

from diffusion.arrays import Ints
from graphs.leaders.groups import LEAST_ARTISTS
from pipelines.eda.intervals import clustered_shares
from pipelines.eda.journeys.followed import Journeys
from pipelines.eda.travel import ALL, class_name, class_of
from survival import Breakthrough, breakthrough, frame_waits

EXTRA: Final = (1, 2, 3)
"""Which further markets are followed."""

QUARTILES: Final = {"lag_q25": 0.25, "lag_median": 0.5, "lag_q75": 0.75}
"""Column → share of the entries by the end of follow-up."""


def first_market_tables(journeys: Journeys, *, horizon: int) -> dict[str, pd.DataFrame]:
    """Return the tables `first_markets` and `first_market_lags`; columns as in `pipelines.contracts.journeys`.

    Parameters
    ----------
    journeys
        Journeys of tracks.
    horizon
        Longest follow-up in days.

    Notes
    -----
    One minus Kaplan–Meier of the day of the n-th entry after the debut. A track is censored when the coverage of a
    market ends that was observed at its debut and is not in its footprint: from then on an entry could go unseen. Bands
    are by artist (`survival.breakthrough`).
    """
    keys, members = _groups(journeys)
    until = np.minimum(journeys.until, horizon)
    tracks = np.concatenate(members)
    group = np.repeat(np.arange(len(members)), [len(own) for own in members])
    curves, lags = [], []
    for extra in EXTRA:
        day = journeys.day_of(extra)
        frame = pd.DataFrame({"group": group, "artist": journeys.artist[tracks]})
        frame["days"] = np.minimum(day, until)[tracks]
        frame["entered"] = (day <= until)[tracks]
        waits = frame_waits(frame, days="days", entered="entered", cluster="artist")
        at_once = clustered_shares((journeys.footprint > extra)[tracks], group, journeys.artist[tracks], len(members))
        own = _curves(breakthrough(waits, by="group", horizon=horizon), at_once["artists"], extra)
        curves.append(own)
        lags.append(_lags(own).join(_at_once(at_once, keys), on="place"))
    return {
        "first_markets": _named(pd.concat(curves), keys, ["extra", "days"]),
        "first_market_lags": _named(pd.concat(lags), keys, ["extra"]),
    }


def _groups(journeys: Journeys) -> tuple[pd.DataFrame, list[Ints]]:
    """Return `by`, `group` and `place` (their order), and the tracks of each group."""
    size, every = class_of(journeys.footprint), np.arange(len(journeys.until))
    rows, members = [(ALL, ALL, 0)], [every]
    for by, values, name in (
        ("footprint", size, class_name),
        ("debuted", journeys.year, str),
    ):
        for value in np.unique(values).tolist():
            rows.append((by, name(value), len(rows)))
            members.append(np.flatnonzero(values == value))
    return pd.DataFrame(rows, columns=["by", "group", "place"]), members


def _curves(found: Breakthrough, artists: "pd.Series[float]", extra: int) -> pd.DataFrame:
    """Return the curves by `place`, without bands where there are few artists."""
    columns = ["days", "at_risk", "events", "share", "share_low", "share_high"]
    table = found.curves.rename(columns={"share_entered": "share"})[columns]
    table = table.assign(place=found.curves["group"].astype(int), extra=extra)
    few = table["place"].map(artists) < LEAST_ARTISTS
    return table.assign(**{bound: table[bound].mask(few) for bound in ("share_low", "share_high")})


def _lags(curves: pd.DataFrame) -> pd.DataFrame:
    """Return one row per curve: tracks, those that entered, their share at the end of follow-up, and lags."""
    groups = curves.groupby("place")
    last = groups.last()[["extra", "share", "share_low", "share_high"]]
    table = last.assign(
        tracks=groups["at_risk"].first(), entered=groups["events"].sum(), followed_to=groups["days"].last()
    )
    whole = groups["share"].transform("last")
    for name, share in QUARTILES.items():
        reached = curves[(curves["share"] >= share * whole) & (whole > 0)]
        table[name] = reached.groupby("place")["days"].first().astype("Int64")
    return table.reset_index()


def _at_once(found: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """Return the shares that debut in further markets, null by footprint, which says it already."""
    names = {"mean": "at_once", "low": "at_once_low", "high": "at_once_high"}
    shares = found.rename(columns=names)[["artists", *names.values()]]
    shares.loc[keys["by"] == "footprint", list(names.values())] = np.nan
    return shares


def _named(table: pd.DataFrame, keys: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Return a table with the names of its groups, in order."""
    named = keys.merge(table, on="place", validate="one_to_many")
    return named.sort_values(["place", *order], ignore_index=True).drop(columns="place")
