"""Tracks and their journeys: those in most markets, with every entry in order."""

from typing import Any, Final

import pandas as pd

from diffusion.entries import Entries
from diffusion.foreign_text import replaced
from pipelines.explorer.columns import columns_of

MOST_TRACKS: Final = 5_000
"""Most tracks in the page: those in most markets."""

_EPOCH: Final = pd.Timestamp(0)


def track_content(
    entries: Entries, tracks: pd.DataFrame, markets: list[str], *, most: int = MOST_TRACKS
) -> dict[str, Any]:
    """Return the tracks in most markets.

    Parameters
    ----------
    tracks
        `track_id`, and where known `title` and `artist`, of the tracks.
    markets
        Codes in the order in which the page numbers them.
    most
        Most tracks (default 5,000).

    Returns
    -------
    dict
        `all` (number of tracks with an entry); `id`, `title`, `artist` of the tracks chosen; columns `debut` (days
        since 1970-01-01), `sizes` (number of entries); and of their entries, track by track and in order: `market`
        (number), `days` (after the debut), `rank`, `left_censored`.
    """
    journeys = entries.journeys()
    sizes = journeys.groupby("track_id", sort=True).size()
    chosen = sizes.sort_values(ascending=False, kind="stable").index[:most]
    kept = journeys[journeys["track_id"].isin(chosen)]
    kept = kept.assign(
        place=pd.Index(chosen).get_indexer(pd.Index(kept["track_id"])),
        number=pd.Index(markets).get_indexer(pd.Index(kept["market"])),
    ).sort_values(["place", "days", "rank", "number"], ignore_index=True)
    debut = kept.groupby("place")["entry"].min()
    names = tracks.set_index("track_id").reindex(chosen)
    shown = kept[["number", "days", "rank", "left_censored"]].rename(columns={"number": "market"})
    return {
        "all": len(sizes),
        "id": list(chosen),
        **{name: _texts(names, name) for name in ("title", "artist")},
        **columns_of(pd.DataFrame({"debut": (debut - _EPOCH).dt.days, "sizes": sizes[chosen].to_numpy()})),
        **columns_of(shown),
    }


def _texts(names: pd.DataFrame, column: str) -> list[str]:
    """Return texts without control characters; where they are not known, the id for a title, and nothing for others."""
    unknown = list(names.index) if column == "title" else [""] * len(names)
    known = list(names[column]) if column in names else unknown
    return [replaced(text if isinstance(text, str) else other) for text, other in zip(known, unknown, strict=True)]
