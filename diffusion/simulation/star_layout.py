"""Chart rows as the star of tables that cleaning makes."""

import io
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from diffusion.arrays import Ints
from diffusion.files import write_whole
from diffusion.simulation.catalogue import Catalogue
from diffusion.simulation.charts import TRENDS, Rows
from diffusion.simulation.study import Drawn, Simulation, Tell, blocks
from diffusion.sources.layouts import AUDIO_COLUMNS

ROW_GROUP: Final = 1_000_000
_TRACK_CHUNK: Final = 5_000

_CODED: Final = pa.dictionary(pa.int32(), pa.string())
_OBSERVATIONS: Final = pa.schema(
    [
        pa.field("track", pa.int32(), nullable=False),
        pa.field("track_id", _CODED, nullable=False),
        pa.field("market", _CODED, nullable=False),
        pa.field("date", pa.date32(), nullable=False),
        pa.field("chart", _CODED, nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("streams", pa.int64()),
        pa.field("trend", _CODED),
    ]
)
"""Text columns are dictionary-coded in memory and plain text in the file, because the Arrow schema is not stored."""

_OPTIONS: Final = {
    "compression": "zstd",
    "store_schema": False,
    "use_dictionary": ["track", "track_id", "market", "date", "chart", "rank", "trend"],
    "dictionary_pagesize_limit": 16_000_000,
}
_QUARANTINE: Final = pa.schema(
    [("file", pa.string()), ("line", pa.int64()), ("reason", pa.string()), ("row", pa.string())]
)


def write_star(drawn: Drawn, simulation: Simulation, folder: Path, *, tell: Tell) -> int:
    """Write ``observations/`` by year and the other tables into `folder`; return the number of chart rows."""
    written = 0
    for year, parts in _years(drawn, simulation, tell):
        place = folder / "observations" / f"year={year}"
        place.mkdir(parents=True)
        written += _write_year(drawn, simulation, parts, place / "part-00000.parquet")
    catalogue = drawn.catalogue
    tables = {
        "tracks.parquet": _tracks(catalogue, drawn, simulation.start),
        "artists.parquet": _credits(catalogue),
        "recordings.parquet": _recordings(catalogue),
        "quarantine.parquet": pa.table({"file": [], "line": [], "reason": [], "row": []}, schema=_QUARANTINE),
    }
    for name, table in tables.items():
        write_whole(folder / name, parquet_bytes(table))
    _write_availability(catalogue, folder / "availability.parquet")
    counts = {"raw_rows": written, "kept_rows": written, "duplicate_rows": 0, "quarantined_rows": 0, "repaired_rows": 0}
    lines = "".join(f"{name},{rows}\n" for name, rows in counts.items())
    write_whole(folder / "row_accounting.csv", f"metric,value\n{lines}".encode())
    return written


def parquet_bytes(table: pa.Table) -> bytes:
    """Return the table as the bytes of a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _years(drawn: Drawn, simulation: Simulation, tell: Tell) -> Iterator[tuple[int, list[tuple[str, Rows]]]]:
    """Yield each calendar year with rows, and its blocks."""
    start = np.datetime64(simulation.start)
    year, parts = None, []
    for chart, rows in blocks(drawn, simulation, tell):
        if not len(rows.day):
            continue
        own = int(str((start + int(rows.day[0])).astype("datetime64[Y]")))
        if year is not None and own != year:
            yield year, parts
            parts = []
        year = own
        parts.append((chart, rows))
    if year is not None:
        yield year, parts


def _write_year(drawn: Drawn, simulation: Simulation, parts: list[tuple[str, Rows]], path: Path) -> int:
    """Write a year's rows in order of chart, market, date and rank, in groups of a million."""
    names = [*drawn.network.markets, "Global"]
    ids = drawn.catalogue.track_id
    written, waiting, held = 0, [], 0
    with pq.ParquetWriter(path, _OBSERVATIONS, **_OPTIONS) as writer:
        for piece in _pieces(parts, names):
            waiting.append(piece)
            held += len(piece[2].day)
            if held >= ROW_GROUP:
                written += _write_group(writer, waiting, ids, simulation.start)
                waiting, held = [], 0
        if waiting:
            written += _write_group(writer, waiting, ids, simulation.start)
    return written


def _pieces(parts: list[tuple[str, Rows]], names: list[str]) -> Iterator[tuple[str, str, Rows]]:
    """Yield the rows by chart and market; the rows of each block are in order of market already."""
    places = sorted(range(len(names)), key=names.__getitem__)
    bounds = {id(rows): np.searchsorted(rows.market, [-1, *range(len(names))]) for _, rows in parts}
    for chart in sorted({chart for chart, _ in parts}):
        for place in places:
            at = (place + 1) % len(names)
            for other, rows in parts:
                low, high = bounds[id(rows)][at : at + 2]
                if other == chart and high > low:
                    yield chart, names[place], _slice(rows, int(low), int(high))


def _slice(rows: Rows, low: int, high: int) -> Rows:
    return Rows(
        rows.market[low:high],
        rows.day[low:high],
        rows.track[low:high],
        rows.rank[low:high],
        rows.streams[low:high] if rows.streams is not None else None,
        rows.trend[low:high],
    )


def _write_group(writer: pq.ParquetWriter, pieces: list[tuple[str, str, Rows]], ids: pa.Array, start: date) -> int:
    track = np.concatenate([rows.track for _, _, rows in pieces])
    day = np.concatenate([rows.day for _, _, rows in pieces]) + np.datetime64(start).astype(np.int32)
    sizes = [len(rows.day) for _, _, rows in pieces]
    streams = np.concatenate(
        [np.zeros(n, np.int64) if r.streams is None else r.streams for (_, _, r), n in zip(pieces, sizes, strict=True)]
    )
    unknown = np.repeat([rows.streams is None for _, _, rows in pieces], sizes)
    present, at = np.unique(track, return_inverse=True)
    table = pa.table(
        {
            "track": track,
            "track_id": _coded(at, ids.take(pa.array(present))),
            "market": _repeated([market for _, market, _ in pieces], sizes),
            "date": pa.array(day).cast(pa.date32()),
            "chart": _repeated([chart for chart, _, _ in pieces], sizes),
            "rank": np.concatenate([rows.rank for _, _, rows in pieces]),
            "streams": pa.array(streams, mask=unknown),
            "trend": _coded(np.concatenate([rows.trend for _, _, rows in pieces]), pa.array(TRENDS)),
        }
    )
    writer.write_table(table.cast(_OBSERVATIONS), row_group_size=ROW_GROUP)
    return len(track)


def _coded(codes: NDArray[np.integer], values: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), values)


def _repeated(names: list[str], sizes: list[int]) -> pa.Array:
    values, codes = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
    return _coded(np.repeat(codes, sizes), pa.array(values.tolist(), pa.string()))


def _tracks(catalogue: Catalogue, drawn: Drawn, start: date) -> pa.Table:
    """Return one row per track, as cleaning makes them."""
    debut = _debuts(drawn, len(catalogue)) + np.datetime64(start)
    precision = pa.array(["day", "year"]).take(pa.array(catalogue.precision))
    audio: Mapping[str, NDArray[np.float64]] = catalogue.audio
    return pa.table(
        {
            "track": np.arange(len(catalogue), dtype=np.int32),
            "track_id": catalogue.track_id,
            "title": catalogue.title,
            "artist": catalogue.artist,
            "album": catalogue.album,
            "release_date": pa.array(catalogue.release.astype("datetime64[D]")),
            "release_precision": precision,
            "explicit": catalogue.explicit,
            "duration_ms": catalogue.duration_ms,
            "popularity": catalogue.popularity.astype(np.int32),
            **{name: audio[name] for name in AUDIO_COLUMNS},
            "zero_duration": catalogue.duration_ms == 0,
            "zero_tempo": audio["af_tempo"] == 0,
            "release_after_debut": catalogue.release > debut,
        }
    )


def _debuts(drawn: Drawn, tracks: int) -> Ints:
    """Return, (n,), the day of each track's first chart."""
    debut = np.full(tracks, np.iinfo(np.int64).max // 2)
    for maker in drawn.makers:
        np.minimum.at(debut, maker.stays.track, maker.plan.dates[maker.stays.first])
    debut = debut.clip(max=3_000_000)
    return debut


def _credits(catalogue: Catalogue) -> pa.Table:
    """Return one row per track and credited artist."""
    split = pc.split_pattern(catalogue.artist, ", ")
    track = pc.list_parent_indices(split).to_numpy()
    position = np.arange(len(track)) - np.searchsorted(track, np.arange(len(catalogue)))[track] + 1
    return pa.table(
        {
            "track": track.astype(np.int32),
            "track_id": catalogue.track_id.take(pa.array(track)),
            "position": position.astype(np.int32),
            "artist": pc.list_flatten(split),
        }
    )


def _recordings(catalogue: Catalogue) -> pa.Table:
    """Return one row per track, with the smallest id of its recording."""
    table = pa.table({"recording": catalogue.recording, "track_id": catalogue.track_id})
    least = table.group_by("recording", use_threads=False).aggregate([("track_id", "min")])
    smallest = np.empty(len(catalogue), dtype=object)
    smallest[least["recording"].to_numpy()] = least["track_id_min"].to_numpy(zero_copy_only=False)
    return pa.table(
        {
            "track": np.arange(len(catalogue), dtype=np.int32),
            "track_id": catalogue.track_id,
            "recording": pa.array(smallest[catalogue.recording], pa.string()),
        }
    )


def _write_availability(catalogue: Catalogue, path: Path) -> None:
    """Write one row per track and country in which it is licensed, in blocks of tracks."""
    schema = pa.schema([("track", pa.int32()), ("track_id", _CODED), ("market", _CODED)])
    countries = sorted({code for codes in catalogue.licences for code in codes})
    lists = [np.array([countries.index(code) for code in codes]) for codes in catalogue.licences]
    lengths = np.array([len(codes) for codes in lists])
    with pq.ParquetWriter(path, schema, compression="zstd", store_schema=False) as writer:
        for begin in range(0, len(catalogue), _TRACK_CHUNK):
            licence = catalogue.licence[begin : begin + _TRACK_CHUNK]
            at = np.repeat(np.arange(len(licence)), lengths[licence])
            table = pa.table(
                {
                    "track": (at + begin).astype(np.int32),
                    "track_id": _coded(at, catalogue.track_id.slice(begin, len(licence))),
                    "market": _coded(np.concatenate([lists[k] for k in licence]), pa.array(countries)),
                }
            )
            writer.write_table(table.cast(schema))
