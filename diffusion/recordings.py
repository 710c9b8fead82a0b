"""Recordings: which track ids are the same recording, because a re-release is not a debut."""

from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

Identity = Literal["track", "recording"]

# Parts of a title that differ between ids of one recording: guest credits and remaster notes.
_CREDITS = r"\s*[\(\[](feat\.?|ft\.?|featuring|with|con)\s[^\)\]]*[\)\]]"
_EDITION = r"\s+-\s+[^-]*\bremaster(ed)?\b[^-]*$|\s*[\(\[][^\)\]]*\bremaster(ed)?\b[^\)\]]*[\)\]]"


def identities(tracks: pa.Table, identity: Identity) -> pa.Table:
    """Return for each track id the id that it counts as.

    Parameters
    ----------
    tracks
        `track_id`, `title` and `artist`.
    identity
        ``track``: each id counts as itself. ``recording``: ids with the same title (NFKC, lower case, without guest
        credits and remaster notes) and the same first credited artist count as the smallest of them; an id without
        title or artist counts as itself. Live, acoustic and remixed versions are other recordings.

    Returns
    -------
    Table
        `track_id`, `identity`: one row per track id.

    Examples
    --------
    >>> titles = ["Fever", "FEVER (feat. B)", "Fever - Live"]
    >>> tracks = pa.table({"track_id": ["b", "a", "c"], "title": titles, "artist": ["A", "A, B", "A"]})
    >>> identities(tracks, "recording").to_pydict()
    {'track_id': ['b', 'a', 'c'], 'identity': ['a', 'a', 'c']}
    """
    ids = tracks["track_id"]
    if identity == "track":
        return pa.table({"track_id": ids, "identity": ids})
    keys = recording_keys(tracks["title"], tracks["artist"])
    keyed = pa.table({"track_id": ids, "key": pc.coalesce(keys, ids)})
    first = keyed.group_by("key").aggregate([("track_id", "min")])
    joined = keyed.join(first, "key")
    order = pc.index_in(ids, joined["track_id"])
    return joined.take(order).select(["track_id", "track_id_min"]).rename_columns(["track_id", "identity"])


def recording_keys(titles: pa.ChunkedArray, artists: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the key of each track's recording: tracks with equal keys are the same recording.

    A key depends on nothing but its own row, so that keys of many tracks can be made in batches.

    Parameters
    ----------
    titles, artists
        Title and credited artists of each track (text, null where not known), both as arrays or both in chunks.

    Returns
    -------
    ChunkedArray
        Text, in the order of the titles; null where title or artist is missing, so that nothing can be said.
    """
    title = _folded(pc.replace_substring_regex(_folded(titles), f"{_CREDITS}|{_EDITION}", ""))
    artist = _folded(pc.replace_substring_regex(_folded(artists), r",.*$", ""))
    known = pc.and_(pc.greater(pc.utf8_length(title), 0), pc.greater(pc.utf8_length(artist), 0))
    return pc.if_else(known, pc.binary_join_element_wise(title, artist, "\x1f"), None)


def _folded(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text in NFKC and lower case, with final sigma as sigma and without the combining dot of a capital İ."""
    lower = pc.utf8_lower(pc.utf8_normalize(text, "NFKC"))
    for written, plain in (("\u03c2", "\u03c3"), ("\u0307", "")):
        lower = pc.replace_substring(lower, written, plain)
    return pc.utf8_trim_whitespace(lower)
