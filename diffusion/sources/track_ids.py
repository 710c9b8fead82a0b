"""Ids of tracks: in columns, in links, and made of title and artist where a source has none."""

import hashlib
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from diffusion.recordings import recording_keys

LINK: Final = r"(?:track[/:]|[?&][vi]=|youtu[.]be/|/shorts/)([^/?#& \t\n\x0B\f\r]+)"
"""Pattern of a link with an id: of Spotify (also as URI), YouTube and Apple Music."""

BARE_ID: Final = r"^ *([0-9A-Za-z]{22}) *\z"
"""Pattern of an id of Spotify in place of a link."""

BETWEEN: Final = "|||"
"""What stands before title and artist, and between them, in the texts of rows without an id."""

LONGEST: Final = 200
"""Characters of an id made of title and artist; a longer one is cut and ends in a hash."""

_NO_SIGNS: Final = r"[\p{Cc}\p{Cf}\p{Co}]"


def title_ids(titles: pa.ChunkedArray, artists: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ids made of title and artist, such as ``bad guy · billie eilish``; null where one is missing.

    They are the keys of recordings (`diffusion.recordings.recording_keys`), so that spelling does not part tracks and
    versions do. They depend on nothing but their own row.

    Examples
    --------
    >>> title_ids(pa.array(["Bad Guy (feat. B)", "No artist"]), pa.array(["Billie Eilish, B", ""])).to_pylist()
    ['bad guy · billie eilish', None]
    """
    plain = (
        pc.replace_substring(pc.replace_substring_regex(text, _NO_SIGNS, " "), "·", ".") for text in (titles, artists)
    )
    ids = pc.replace_substring(recording_keys(*plain)["key"], "\x1f", " · ")
    long = pc.greater(pc.utf8_length(ids), LONGEST)
    if not pc.any(long).as_py():
        return ids
    return pa.chunked_array([pa.array([_cut(text) for text in ids.to_pylist()], pa.string())])


def named_ids(texts: pa.ChunkedArray) -> pa.Table:
    """Return `id_text` and `track_id` of texts ``|||title|||artist``."""
    sides = pc.split_pattern(pc.utf8_slice_codeunits(texts, len(BETWEEN)), BETWEEN, max_splits=1)
    titles, artists = (pc.list_element(sides, at) for at in (0, 1))
    return pa.table({"id_text": texts.cast(pa.string()), "track_id": title_ids(titles, artists)})


def _cut(text: str | None) -> str | None:
    if text is None or len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST - 18]}… {hashlib.sha256(text.encode()).hexdigest()[:16]}"
