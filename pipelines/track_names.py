"""Finding a track by its id, url or title."""

import re
from typing import Any

import pandas as pd

from diffusion import DataSaysNoError
from pipelines.formatting import cell, many, records


def wanted_track(wanted: str, titles: pd.DataFrame) -> dict[str, Any]:
    """Return the row of the wanted track.

    Parameters
    ----------
    wanted
        Id, url or title.
    titles
        `track_id`, `title`, `artist` and `market_count`, with tracks in most markets first; further columns are
        returned too.

    Raises
    ------
    DataSaysNoError
        When no track or several are called so.
    """
    ident = re.sub(r"^.*track[/:]([^/?#\s]+).*$", r"\1", wanted.strip())
    by_id = titles[titles["track_id"] == ident]
    names = titles["title"].fillna("").str.casefold()
    found = by_id if len(by_id) else titles[names == wanted.strip().casefold()]
    if not len(found):
        near = titles[names.str.contains(wanted.strip().casefold(), regex=False)]["title"].drop_duplicates().head(3)
        hint = f"; did you mean {' or '.join(repr(title) for title in near)}?" if len(near) else ""
        raise DataSaysNoError(f"no track has the id or title '{wanted}'{hint}")
    if len(found) > 1:
        listed = "; ".join(
            f"{row.track_id} by {cell(row.artist) or 'nobody named'} ({many(row.market_count, 'market')})"
            for row in found.head(5).itertuples()
        )
        raise DataSaysNoError(
            f"{len(found)} tracks are called '{wanted}'; name one by its id, in most markets first: {listed}"
        )
    row: dict[str, Any] = records(found)[0]
    return row
