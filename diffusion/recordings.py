"""Recordings: which track ids are one recording, because a re-release is no debut."""

from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

Identity = Literal["track", "recording"]

# What titles say beside the work's name and another id of the same recording says differently or not at all.
_CREDITS = r"\s*[\(\[](feat\.?|ft\.?|featuring|with|con)\s[^\)\]]*[\)\]]"
_EDITION = r"\s+-\s+[^-]*\bremaster(ed)?\b[^-]*$|\s*[\(\[][^\)\]]*\bremaster(ed)?\b[^\)\]]*[\)\]]"


def identities(tracks: pa.Table, identity: Identity) -> pa.Table:
    """Return for every track id the id that stands for it.

    Parameters
    ----------
    tracks
        `track_id`, `title` and `artist`.
    identity
        ``track``: every id stands for itself. ``recording``: ids with the same title (NFKC, lower case, without guest
        credits and remaster notes) and the same first credited artist are one, and its smallest id stands for all; an
        id without title or artist stays alone. Live, acoustic and remixed versions are other recordings.

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
    title = _folded(pc.replace_substring_regex(_folded(tracks["title"]), f"{_CREDITS}|{_EDITION}", ""))
    artist = _folded(pc.replace_substring_regex(_folded(tracks["artist"]), r",.*$", ""))
    known = pc.and_(pc.greater(pc.utf8_length(title), 0), pc.greater(pc.utf8_length(artist), 0))
    work = pc.binary_join_element_wise(title, artist, "\x1f")
    keyed = pa.table({"track_id": ids, "work": pc.if_else(pc.fill_null(known, False), work, ids)})
    first = keyed.group_by("work").aggregate([("track_id", "min")])
    joined = keyed.join(first, "work")
    order = pc.index_in(ids, joined["track_id"])
    return joined.take(order).select(["track_id", "track_id_min"]).rename_columns(["track_id", "identity"])


def _folded(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text in NFKC and lower case, without what lower case leaves of Greek final sigmas and dotted capital I."""
    lower = pc.utf8_lower(pc.utf8_normalize(text, "NFKC"))
    for written, plain in (("\u03c2", "\u03c3"), ("\u0307", "")):
        lower = pc.replace_substring(lower, written, plain)
    return pc.utf8_trim_whitespace(lower)
