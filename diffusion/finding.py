"""Finding tracks by what people call them: accents, case and spacing do not matter, ids of one recording are one."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion.arrays import Flags, Ints
from diffusion.errors import DataSaysNoError, SettingError
from diffusion.frames import frame_of
from diffusion.recordings import credited_names, folded, identity_table, short_titles

MATCHES: Final = ("title", "artist", "start of title", "start of artist", "within title", "within artist")
"""What of a track is called as was asked, the nearest first."""

_EXACT, _START, _WITHIN, _NOT = range(4)

_BY_ID: Final = -1
"""Stands for a match by id where `MATCHES` have their place."""

_LINK: Final = re.compile(r"^.*track[/:]([^/?#\s]+).*$")
"""A link or URI of a track, with its id."""

_PARTS: Final = re.compile(r"\s+(?:by|-|–|—)\s+")
"""What stands between a title and an artist where both are given; the title comes first, except around a dash."""

_MOST_NAMED: Final = 5
"""Recordings that an error lists."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording that was found.

    Attributes
    ----------
    title, artist
        Of its first id; None where not known.
    ids
        Its ids that were asked for, in most markets first: all of them for a title, one for an id.
    others
        Its other ids, in most markets first; none for a title.
    markets
        Number of markets that `ids` were seen in.
    """

    title: str | None
    artist: str | None
    ids: tuple[str, ...]
    others: tuple[str, ...]
    markets: int

    def __str__(self) -> str:
        return f"{self.title or 'no title'} by {self.artist or 'nobody named'}"


def find_recordings(text: str, tracks: pa.Table, seen: pa.Table, *, artist: str | None = None) -> pd.DataFrame:
    """Return the recordings whose title or artist is called so.

    Parameters
    ----------
    text
        A title, an artist, a part of one, ``title by artist``, ``title - artist``, or the id or link of a track. Case,
        accents and spacing do not matter. A name such as "Stand by Me" is also taken as a whole.
    tracks
        `track_id`, `title`, `artist`: one row per track id.
    seen
        `track_id`, `market`, then a column of dates and one of ranks under any name: where the ids were seen.
    artist
        Only recordings with this in their credits (default: all).

    Returns
    -------
    DataFrame
        One row per recording that was seen: `title` and `artist` of its id in most markets, `ids` (tuple, in most
        markets first), the earliest date, `markets` (number of markets of all ids together), the best rank, `match`
        (one of `MATCHES`, or ``id``). In the order of `MATCHES`, then most markets first.

    Raises
    ------
    DataSaysNoError
        When nothing is called so.
    """
    names = _Names.of(tracks)
    by_id = pc.equal(tracks["track_id"], track_id_in(text))
    if pc.any(by_id).as_py():
        same = pc.is_in(names.recording, names.recording.filter(by_id.combine_chunks()))
        order = np.where(same.to_numpy(zero_copy_only=False), _BY_ID, len(MATCHES))
    else:
        meant = enumerate(readings(text, artist))
        order = np.min([names.matches(title, by, whole=at == 0) for at, (title, by) in meant], axis=0)
    found = _recordings(tracks, seen, names, order)
    if found.empty:
        raise DataSaysNoError(f"no track has the id or title '{text}', and no artist the name{names.near(text)}")
    return found


def one_recording(wanted: str, tracks: pa.Table, seen: pa.Table, *, artist: str | None = None) -> Recording:
    """Return the recording that is called exactly so.

    Parameters
    ----------
    wanted
        Id, link, title, ``title by artist`` or ``title - artist``.
    tracks, seen, artist
        As in `find_recordings`.

    Raises
    ------
    DataSaysNoError
        When no recording or several are called so; the message names those that are, or are nearly so.
    """
    ident = track_id_in(wanted)
    found = find_recordings(wanted, tracks, seen, artist=artist)
    first: dict[Any, Any] = found.to_dict("records")[0]
    if first["match"] == "id":
        own = pc.equal(tracks["track_id"], ident)
        title, by = (tracks[name].filter(own)[0].as_py() for name in ("title", "artist"))
        markets = pc.sum(pc.equal(seen["track_id"], ident)).as_py()
        others = tuple(other for other in first["ids"] if other != ident)
        return Recording(title, by, (ident,), others, int(markets or 0))
    named = found[found["match"] == MATCHES[0]]
    if named.empty:
        raise DataSaysNoError(f"no track has the id or title '{wanted}'; did you mean {listed(found)}?")
    if len(named) > 1:
        raise DataSaysNoError(
            f"{len(named):,} recordings are called '{wanted}'; add the artist, or name one by its id, in most markets "
            f"first: {listed(named)}"
        )
    return Recording(first["title"], first["artist"], first["ids"], (), int(first["markets"]))


def listed(found: pd.DataFrame) -> str:
    """Return the first recordings of a table of `find_recordings` in one line."""
    named = []
    for row in found.head(_MOST_NAMED).to_dict("records"):
        ids = row["ids"][0] + (f" and {len(row['ids']) - 1} more" if len(row["ids"]) > 1 else "")
        markets = f"{row['markets']} market{'' if row['markets'] == 1 else 's'}"
        named.append(f"'{row['title'] or ''}' by {row['artist'] or 'nobody named'} ({ids}, {markets})")
    more = f"; and {len(found) - _MOST_NAMED:,} more" if len(found) > _MOST_NAMED else ""
    return f"{'; '.join(named)}{more}"


def track_id_in(text: str) -> str:
    """Return the id in a link or URI of a track; a text that is neither stays as it is."""
    return _LINK.sub(r"\1", text.strip())


def readings(text: str, artist: str | None) -> Iterator[tuple[str, str | None]]:
    """Yield what a text may mean, the most likely first: title (or artist), and the artist where one is given."""
    if not text.strip():
        raise SettingError("the name to find is empty; give a title, an artist or an id")
    yield text, artist
    if artist is None:
        for between in _PARTS.finditer(text):
            first, last = text[: between.start()], text[between.end() :]
            yield first, last
            if between[0].strip() != "by":
                yield last, first


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of n tracks, made ready to be searched.

    Attributes
    ----------
    recording
        (n,): id that the track counts as.
    titles, short, credits
        (n,): folded title, title without guests and remaster notes, and credits; null where not known.
    name, name_row
        (k,): folded names of single artists, and the rows whose credits have them.
    """

    recording: pa.Array
    titles: pa.Array
    short: pa.Array
    credits: pa.Array
    name: pa.Array
    name_row: Ints

    @classmethod
    def of(cls, tracks: pa.Table) -> Self:
        titles, credits = (_whole(folded(tracks[name].cast(pa.string()))) for name in ("title", "artist"))
        names, rows = artist_names(credits, credited=True)
        recording = _whole(identity_table(tracks, "recording")["identity"])
        return cls(recording, titles, short_titles(titles), credits, names, rows)

    def matches(self, text: str, artist: str | None, *, whole: bool) -> Ints:
        """Return for each track the place in `MATCHES` of how it is called so; their number where it is not.

        With an artist only titles count, of tracks whose credits have the artist: anywhere where the text is `whole`,
        as one of the names where the text was parted into a title and an artist.
        """
        plain = _plain(text)
        title = np.minimum(_level(plain, self.titles), _level(plain, self.short))
        if artist is not None:
            by, names = _plain(artist), self._of_names(_plain(artist))
            there = pc.fill_null(pc.match_substring(self.credits, by), False).to_numpy(zero_copy_only=False)
            return 2 * np.where(there if whole else names == _EXACT, title, _NOT)
        names = self._of_names(plain)
        return 2 * np.minimum(title, names) + (names < title)

    def _of_names(self, plain: str) -> Ints:
        """Return how near the credits of each track, or one of the names in them, are to a name."""
        level = _level(plain, self.credits)
        np.minimum.at(level, self.name_row, _level(plain, self.name))
        return level

    def near(self, text: str) -> str:
        """Return titles and artists that are spelled nearly so, as the end of a message."""
        known = pc.unique(pa.concat_arrays([self.titles, self.name])).drop_null().to_pylist()
        found = difflib.get_close_matches(_plain(text), known, n=3)
        return f"; did you mean {' or '.join(map(repr, found))}?" if found else ""


def artist_names(credits: pa.Array, *, credited: bool) -> tuple[pa.Array, Ints]:
    """Return the folded names by which the artists of tracks are known, and the row of each.

    Credits are parted at commas and also at other signs, as recordings are: both "A & B" and "A" name the first artist
    of "A & B, C". Neighbours between commas are a name too, as a name may hold a comma: "Tyler, The Creator".

    Parameters
    ----------
    credits
        (n,) credited artists in one text; null where not known.
    credited
        Whether all artists count, or the one named first alone.
    """
    parted, at_commas = credited_names(credits), pc.split_pattern(pc.fill_null(credits, ""), ",")
    row = pc.list_parent_indices(parted).to_numpy()
    kept = np.ones(len(row), bool) if credited else np.diff(row, prepend=-1) > 0
    parts, rows = [pc.list_flatten(parted).filter(pa.array(kept))], [row[kept]]
    sizes = pc.list_value_length(at_commas).to_numpy()
    most = sizes.max(initial=0)
    for first in range(most if credited else min(most, 1)):
        for last in range(first + 1, most + 1):
            there = np.flatnonzero(sizes >= last)
            parts.append(pc.binary_join(pc.list_slice(at_commas.take(pa.array(there)), first, last), ","))
            rows.append(there)
    names, row = folded(pa.concat_arrays(parts)), np.concatenate(rows).astype(np.int64)
    named = pc.greater(pc.utf8_length(names), 0)
    return names.filter(named), row[named.to_numpy(zero_copy_only=False)]


def tracks_by(credits: pa.Array, artists: pa.Array, *, credited: bool) -> Flags:
    """Return, (n,), which tracks are by one of the artists.

    Parameters
    ----------
    credits, credited
        As in `artist_names`.
    artists
        Names, folded.
    """
    names, rows = artist_names(credits, credited=credited)
    by = np.zeros(len(credits), bool)
    by[rows[pc.is_in(names, artists).to_numpy(zero_copy_only=False)]] = True
    return by


def _recordings(tracks: pa.Table, seen: pa.Table, names: _Names, order: Ints) -> pd.DataFrame:
    """Return one row per recording of the tracks whose order is below the number of `MATCHES`, in its order."""
    rows, (dated, ranked) = np.flatnonzero(order < len(MATCHES)), seen.column_names[2:4]
    known = tracks.select(["track_id", "title", "artist"]).take(rows).to_pandas()
    known = known.assign(recording=names.recording.take(pa.array(rows)).to_pandas(), order=order[rows])
    places = seen.filter(pc.is_in(seen["track_id"], pa.array(known["track_id"], pa.string())))
    frame = frame_of(places).merge(known, on="track_id")
    sizes = frame.groupby(["recording", "track_id"])["market"].count().reset_index()
    ids = sizes.sort_values(["market", "track_id"], ascending=[False, True]).groupby("recording")["track_id"]
    table = frame.groupby("recording").agg(
        **{dated: (dated, "min"), "markets": ("market", "nunique"), ranked: (ranked, "min"), "order": ("order", "min")}
    )
    table = table.assign(ids=ids.agg(tuple), track_id=ids.first()).merge(known[["track_id", "title", "artist"]])
    table = table.sort_values(["order", "markets", dated, "track_id"], ascending=[True, False, True, True])
    table["match"] = ["id" if number == _BY_ID else MATCHES[number] for number in table["order"]]
    shown: pd.DataFrame = table[["title", "artist", "ids", dated, "markets", ranked, "match"]]
    return shown.reset_index(drop=True)


def _level(plain: str, names: pa.Array) -> Ints:
    """Return 0 where a name is `plain`, 1 where it begins so, 2 where it has it within, and 3 elsewhere."""
    tests = (pc.equal(names, plain), pc.starts_with(names, plain), pc.match_substring(names, plain))
    flags = [pc.fill_null(test, False).to_numpy(zero_copy_only=False) for test in tests]
    return np.select(flags, [_EXACT, _START, _WITHIN], _NOT).astype(np.int64)


def _plain(text: str) -> str:
    return str(folded(pa.array([text]))[0].as_py())


def _whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def first_places(entries: pa.Table) -> pa.Table:
    """Return where tracks were seen by their entries, as `find_recordings` takes it: `first_date`, `entry_rank`."""
    columns = entries.select(["track_id", "market", "entry", "rank"])
    return columns.rename_columns(["track_id", "market", "first_date", "entry_rank"])


def as_one(entries: pa.Table, ids: pa.Array, counts_as: pa.Array) -> pa.Table:
    """Return the entries of some track ids, each under the id that it counts as.

    Of the ids that count as one, the earliest entry into each market counts, at equal dates the one with the best rank.

    Parameters
    ----------
    entries
        As `diffusion.contracts.ENTRIES`; entries of other ids are left out.
    ids, counts_as
        Ids, and for each the id that it counts as.
    """
    rows = entries.filter(pc.is_in(entries["track_id"], ids))
    place = rows.column_names.index("track_id")
    now = counts_as.take(pc.index_in(_whole(rows["track_id"]), ids))
    rows = rows.set_column(place, rows.schema.field(place), now)
    rows = rows.sort_by([(name, "ascending") for name in ("track_id", "market", "entry", "rank")])
    keys = rows.select(["track_id", "market"]).to_pandas()
    return rows.filter(pa.array(~keys.duplicated().to_numpy()))
