"""An artist's tracks: when they debuted, which markets they entered and how fast, and where they began."""

from dataclasses import dataclass, replace

import pandas as pd
import pyarrow as pa

from diffusion import DataSaysNoError, Entries, market_names
from diffusion.display import Displayed
from diffusion.finding import as_one, tracks_by
from diffusion.recordings import folded, identity_table


@dataclass(frozen=True, slots=True, repr=False)
class ArtistJourney(Displayed):
    """The journeys of an artist's recordings, of which several ids are one.

    Attributes
    ----------
    artist
        Name as it was asked for.
    tracks
        One row per recording, the earliest first: `track_id` (the id that it counts as), `title`, `artist` (credits),
        `ids` (tuple), `debut`, `left_censored` (it may have been there before), `markets` (number entered).
    steps
        One row per recording and market, in order: `title`, `track_id`, `step` (ties share one), `market`, `name`,
        `entry`, `days` (after the debut), `rank`, `left_censored`.
    markets
        One row per market entered, those with most debuts first: `market`, `name`, `tracks` (recordings that entered),
        `debuts` (of those with a timed debut: that entered it on that day), `alone` (that entered no other market on
        that day), `lag_median` (days after the debut, median of the timed entries after that day; missing where there
        is none), `first_entry`.
    timed
        Number of recordings with a timed debut.

    Examples
    --------
    >>> graphs.artist_journey(entries, "dua lipa")
    <ArtistJourney of dua lipa: 6 recordings in 59 markets>
    """

    artist: str
    tracks: pd.DataFrame
    steps: pd.DataFrame
    markets: pd.DataFrame
    timed: int

    def _facts(self) -> str:
        return f" of {self.artist}: {len(self.tracks):,} recordings in {len(self.markets):,} markets"

    def _shown(self) -> pd.DataFrame:
        return self.markets


def artist_journey(entries: Entries, artist: str, *, credited: bool = False) -> ArtistJourney:
    """Return the journeys of an artist's recordings.

    Parameters
    ----------
    entries
        Each track's first event in each market, with the names of the tracks.
    artist
        Name; case and accents do not matter.
    credited
        Whether recordings count that credit the artist after others (default: the artist is named first).

    Raises
    ------
    DataSaysNoError
        When no track is by the artist.

    Examples
    --------
    >>> import diffusion
    >>> with diffusion.open_sample() as charts:
    ...     found = artist_journey(charts.entries(), "maneskin")
    >>> found.timed, len(found.tracks)
    (19, 23)
    >>> found.markets[["market", "tracks", "debuts", "alone"]].head(1).values.tolist()
    [['LT', 23, 19, 17]]
    """
    known = entries.described
    own = known.filter(
        pa.array(tracks_by(known["artist"].combine_chunks(), folded(pa.array([artist])), credited=credited))
    )
    if not own.num_rows:
        raise DataSaysNoError(
            f"no track is by '{artist}'{'' if credited else ', named first in the credits'}; "
            "find shows how artists are written"
        )
    named = own if "title" in own.column_names else own.append_column("title", pa.nulls(own.num_rows, pa.string()))
    same = identity_table(named, "recording")
    joined = as_one(entries.table, *(same[name].combine_chunks() for name in ("track_id", "identity")))
    steps = replace(entries, table=joined).journeys()
    steps = steps.sort_values(["track_id", "step", "rank", "market"], ignore_index=True)
    steps.insert(3, "name", steps["market"].map(market_names(steps["market"])))
    tracks = _tracks(steps, named.to_pandas(), same.to_pandas())
    order = pd.Index(tracks.index)
    steps = steps.assign(place=order.get_indexer(steps["track_id"])).sort_values("place", kind="stable")
    steps.insert(0, "title", steps["track_id"].map(tracks["title"]))
    timed = steps[~steps["track_id"].map(tracks["left_censored"]).astype(bool)]
    return ArtistJourney(
        artist,
        tracks.reset_index(),
        steps.drop(columns=["place", "last_without"]).reset_index(drop=True),
        _markets(steps, timed),
        int((~tracks["left_censored"]).sum()),
    )


def _tracks(steps: pd.DataFrame, names: pd.DataFrame, same: pd.DataFrame) -> pd.DataFrame:
    """Return one row per recording by its id, the earliest first; title and credits are those of that id."""
    first = steps[steps["days"] == 0].groupby("track_id").agg(debut=("entry", "min"), censored=("left_censored", "all"))
    entered = steps.groupby("track_id")["market"].count()
    ids = same.sort_values("track_id").groupby("identity")["track_id"].agg(tuple)
    table = names.set_index("track_id")[["title", "artist"]].join(first, how="inner")
    table = table.assign(ids=ids, markets=entered).rename(columns={"censored": "left_censored"})
    table = table.sort_values(["debut", "markets", "title"], ascending=[True, False, True])
    return table[["title", "artist", "ids", "debut", "left_censored", "markets"]]


def _markets(steps: pd.DataFrame, timed: pd.DataFrame) -> pd.DataFrame:
    """Return one row per market of the steps; debuts and lags are those of the timed ones."""
    began = timed[(timed["days"] == 0) & ~timed["left_censored"]]
    sizes = timed[timed["days"] == 0].groupby("track_id")["market"].transform("count")
    later = timed[(timed["days"] > 0) & ~timed["left_censored"]]
    table = steps.groupby("market").agg(name=("name", "first"), tracks=("track_id", "count"), first=("entry", "min"))
    table = table.assign(
        debuts=began["market"].value_counts(),
        alone=began.loc[sizes.loc[began.index] == 1, "market"].value_counts(),
        lag_median=later.groupby("market")["days"].median(),
    )
    table = table.fillna({"debuts": 0, "alone": 0}).astype({"debuts": int, "alone": int}).reset_index()
    table = table.sort_values(["debuts", "tracks", "market"], ascending=[False, False, True], ignore_index=True)
    table = table.rename(columns={"first": "first_entry"})
    return table[["market", "name", "tracks", "debuts", "alone", "lag_median", "first_entry"]]
