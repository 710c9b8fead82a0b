"""Recordings: which track ids are the same recording, because a re-release is not a debut."""

from typing import Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion.frames import frame_of

Identity = Literal["track", "recording"]

# Parts of a title that differ between ids of one recording: guest credits and remaster notes.
_CREDITS: Final = r"\s*[\(\[](feat\.?|ft\.?|featuring|with|con)\s[^\)\]]*[\)\]]"
_EDITION: Final = r"\s+-\s+[^-]*\bremaster(ed)?\b[^-]*$|\s*[\(\[][^\)\]]*\bremaster(ed)?\b[^\)\]]*[\)\]]"
_OPEN_CREDITS: Final = r"\s+(?:-\s+)?(?:feat\.|ft\.|featuring\s)[^()\[\]]*?(\s+-\s.*|\s*[(\[].*)?$"
"""Guest credits without brackets; what follows them, such as a remix, stays."""

_VERSIONS: Final = r"\b(remix|rmx|live|acoustic|instrumental|demo|karaoke|unplugged|sped up|slowed|cover)\b"
"""Words that part recordings, also within credits and notes."""

_BETWEEN_ARTISTS: Final = r"\s*[,;&]\s*|\s+[x×]\s+|\s+(?:feat\.?|ft\.?|featuring|with|vs\.?)\s+"

_ACCENTS: Final = r"([\p{Latin}\p{Greek}])[\x{0300}-\x{036f}]+"
"""Accents of scripts in which they part no words; in others, marks are part of the letters."""

_LETTERS: Final = {
    "ς": "σ",
    "ø": "o",
    "đ": "d",
    "ł": "l",
    "ı": "i",
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "’": "'",
    "‘": "'",
}


def identities(tracks: pd.DataFrame, identity: Identity) -> pd.DataFrame:
    """Return for each track id the id that it counts as.

    Parameters
    ----------
    tracks
        `track_id`, `title` and `artist`.
    identity
        ``track``: each id counts as itself. ``recording``: ids with the same title (NFKC, lower case, without accents,
        guest credits and remaster notes) and the same first credited artist, or the same artists in another order,
        count as the smallest of them; an id without title or artist counts as itself. Live, acoustic and remixed
        versions are other recordings.

    Returns
    -------
    DataFrame
        `track_id`, `identity`: one row per track id.

    Examples
    --------
    >>> titles = ["Fever", "FEVER (feat. B)", "Féver", "Fever - Live"]
    >>> tracks = pd.DataFrame({"track_id": [*"bacd"], "title": titles, "artist": ["A & B", "A", "B, A", "A"]})
    >>> identities(tracks, "recording")["identity"].tolist()
    ['a', 'a', 'a', 'd']
    """
    columns = {name: pa.array(tracks[name], pa.string(), from_pandas=True) for name in ("track_id", "title", "artist")}
    return frame_of(identity_table(pa.table(columns), identity))


def identity_table(tracks: pa.Table, identity: Identity) -> pa.Table:
    """Return the table of `identities` as Arrow, from an Arrow table."""
    ids = tracks["track_id"]
    if identity == "track":
        return pa.table({"track_id": ids, "identity": ids})
    keys = recording_keys(tracks["title"], tracks["artist"])
    leads = keys.filter(pc.is_valid(keys["credits"])).group_by("credits").aggregate([("key", "min")])
    lead = leads["key_min"].take(pc.index_in(keys["credits"], leads["credits"].combine_chunks(), skip_nulls=True))
    keyed = pa.table({"track_id": ids, "key": pc.coalesce(lead, keys["key"], ids)})
    first = keyed.group_by("key").aggregate([("track_id", "min")])
    joined = keyed.join(first, "key")
    order = pc.index_in(ids, joined["track_id"])
    return joined.take(order).select(["track_id", "track_id_min"]).rename_columns(["track_id", "identity"])


def identity_codes(tracks: pa.Table, same: pa.Table) -> pa.Table:
    """Return `track` and `identity`: each track's code, and the code of the track that it counts as.

    Parameters
    ----------
    tracks
        `track`, `track_id`.
    same
        Result of `identity_table` for these tracks.
    """
    stands_for = pc.index_in(same["identity"], tracks["track_id"])
    return pa.table({"track": tracks["track"], "identity": tracks["track"].take(stands_for)})


def recording_keys(titles: pa.ChunkedArray, artists: pa.ChunkedArray) -> pa.Table:
    """Return the keys of each track's recording.

    Tracks with equal `key` are the same recording. Tracks with equal `credits` have the same title and the same artists
    in any order: all of them then count under the smallest of their keys. Keys depend on nothing but their own row, so
    that keys of many tracks can be made in batches.

    Parameters
    ----------
    titles, artists
        Title and credited artists of each track (text, null where not known), both as arrays or both in chunks.

    Returns
    -------
    Table
        Text, in the order of the titles: `key`, the normalised title and first artist, null where title or artist is
        missing, so that nothing can be said; and `credits`, the title and all artists in order of the alphabet, null
        for a single artist.
    """
    title = short_titles(folded(titles))
    names = credited_names(folded(artists))
    artist = pc.list_element(names, 0)
    known = pc.and_(pc.greater(pc.utf8_length(title), 0), pc.greater(pc.utf8_length(artist), 0))
    key = pc.if_else(known, pc.binary_join_element_wise(title, artist, "\x1f"), None)
    several = pc.and_(known, pc.greater(pc.list_value_length(names), 1))
    together = pc.binary_join_element_wise(title, pc.binary_join(_sorted(names), "\x1f"), "\x1f")
    return pa.table({"key": key, "credits": pc.if_else(several, together, None)})


def short_titles(titles: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Return folded titles without guest credits and remaster notes, as recordings are told apart by."""
    return _without(_without(titles, f"{_CREDITS}|{_EDITION}", ""), _OPEN_CREDITS, r"\1")


def _without(titles: pa.ChunkedArray, notes: str, rest: str) -> pa.ChunkedArray:
    """Return titles without some notes; a title whose notes name another version stays as it is."""
    short = _trimmed(pc.replace_substring_regex(titles, notes, rest))
    same = pc.equal(*(pc.count_substring_regex(text, _VERSIONS) for text in (titles, short)))
    return pc.if_else(same, short, titles)


def credited_names(artists: pa.ChunkedArray | pa.Array) -> pa.ListArray:
    """Return the names of the credited artists, in order of the credits; ``""`` where there is none."""
    whole = artists.combine_chunks() if isinstance(artists, pa.ChunkedArray) else artists
    one = pc.replace_substring_regex(pc.fill_null(whole, ""), _BETWEEN_ARTISTS, "\x1f")
    return pc.split_pattern(pc.utf8_trim(one, "\x1f "), "\x1f")


def _sorted(names: pa.ListArray) -> pa.ListArray:
    """Return lists of names with each list in order."""
    rows, flat = pc.list_parent_indices(names), pc.list_flatten(names)
    order = pc.sort_indices(pa.table({"row": rows, "name": flat}), [("row", "ascending"), ("name", "ascending")])
    offsets = np.concatenate([[0], np.cumsum(pc.list_value_length(names).to_numpy(zero_copy_only=False))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), flat.take(order))


def folded(text: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Return text in NFKC and lower case, without the accents of Latin and Greek letters, and with single spaces."""
    apart = pc.utf8_normalize(pc.utf8_lower(pc.utf8_normalize(text, "NFKC")), "NFKD")
    plain = pc.utf8_normalize(pc.replace_substring_regex(apart, _ACCENTS, r"\1"), "NFKC")
    for written, letter in _LETTERS.items():
        plain = pc.replace_substring(plain, written, letter)
    return _trimmed(plain)


def _trimmed(text: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(text, r"\s+", " "))
