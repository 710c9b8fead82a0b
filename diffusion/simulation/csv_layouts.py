"""Chart rows as CSV, with the 9 columns of Kaggle's "Spotify Charts" or 28 with the catalogue on every row.

The text of a track is made once, with its quotes; rows then join these texts.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from diffusion.markets import market_names
from diffusion.simulation.catalogue import Catalogue
from diffusion.simulation.charts import TRENDS, Rows
from diffusion.simulation.damage import Damage
from diffusion.simulation.study import Drawn, Simulation, Tell, blocks
from diffusion.sources.layouts import AUDIO_COLUMNS

CORE_COLUMNS: Final = ("title", "rank", "date", "artist", "url", "region", "chart", "trend", "streams")
RAW_COLUMNS: Final = (
    *CORE_COLUMNS,
    "track_id",
    "album",
    "popularity",
    "duration_ms",
    "explicit",
    "release_date",
    "available_markets",
    *AUDIO_COLUMNS,
)
_DAMAGED_ROWS: Final = 20_000
"""Rows held as text while some of them are damaged."""

URL: Final = "https://open.spotify.com/track/"


def write_csv(
    drawn: Drawn,
    simulation: Simulation,
    path: Path,
    *,
    full: bool,
    damage: float,
    rng: np.random.Generator,
    tell: Tell,
) -> tuple[int, pa.Table | None]:
    """Write all chart rows by date, market and rank; return their number, and the table of damage if there is any.

    Parameters
    ----------
    full
        Whether every row has the catalogue (28 columns).
    damage
        Share of rows to damage, 0 … 1.
    """
    header = ",".join(RAW_COLUMNS if full else CORE_COLUMNS)
    damages = Damage(header, damage, rng) if damage else None
    pieces = _core_pieces(drawn.catalogue)
    regions = pl.Series([*market_names(drawn.network.markets).values(), "Global"])
    written = 0
    with path.open("wb") as file:
        file.write(f"{header}\n".encode())
        for chart, rows in blocks(drawn, simulation, tell):
            order = np.argsort(rows.day, kind="stable")
            frame = _frame(simulation, chart, rows, order, pieces, regions)
            if full:
                catalogue = _catalogue_piece(drawn.catalogue, rows.track[order])
                frame = frame.with_columns(pl.col("streams").cast(pl.Float64), catalogue)
            _write(frame, file, damages)
            written += len(frame)
    return written, damages.table(path.name) if damages else None


def _frame(
    simulation: Simulation, chart: str, rows: Rows, order: Ints, pieces: Mapping[str, pl.Series], regions: pl.Series
) -> pl.DataFrame:
    """Return the rows, in the given order, as columns of CSV text."""
    track = pl.Series(rows.track[order])
    epoch = np.datetime64(simulation.start).astype(np.int32)
    if rows.streams is None:
        streams = pl.Series([None], dtype=pl.Int64).new_from_index(0, len(track))
    else:
        streams = pl.Series(rows.streams[order])
    return pl.DataFrame(
        {
            "title": pieces["title"].gather(track),
            "rank": rows.rank[order],
            "date": pl.Series(rows.day[order] + epoch).cast(pl.Date),
            "artist,url": pieces["artist,url"].gather(track),
            "region": regions.gather(pl.Series(rows.market[order].astype(np.int64) % len(regions))),
            "chart": pl.Series([chart]).new_from_index(0, len(track)),
            "trend": pl.Series(TRENDS).gather(pl.Series(rows.trend[order].astype(np.int64))),
            "streams": streams,
        }
    )


def _write(frame: pl.DataFrame, file: BinaryIO, damages: Damage | None) -> None:
    if damages is None:
        frame.write_csv(file, include_header=False, quote_style="never")
        return
    for part in frame.iter_slices(_DAMAGED_ROWS):
        text = io.BytesIO()
        part.write_csv(text, include_header=False, quote_style="never")
        file.write(damages.damage(text.getvalue()))


def _core_pieces(catalogue: Catalogue) -> dict[str, pl.Series]:
    """Return the texts that depend only on the track, in the 9 columns."""
    url = pc.binary_join_element_wise(URL, catalogue.track_id, "")
    credit = pc.binary_join_element_wise(quoted(catalogue.artist), url, ",")
    return {"title": _series(quoted(catalogue.title)), "artist,url": _series(credit)}


def _catalogue_piece(catalogue: Catalogue, track: NDArray[np.int32]) -> pl.Series:
    """Return, for each row, the 19 further columns of the raw layout as one text."""
    present, at = np.unique(track, return_inverse=True)
    return _series(_catalogue_text(catalogue, present)).gather(pl.Series(at)).alias("catalogue")


def _catalogue_text(catalogue: Catalogue, chosen: NDArray[np.integer]) -> pa.Array:
    index = pa.array(chosen)
    release = np.where(
        catalogue.precision[chosen] == 1,
        catalogue.release[chosen].astype("datetime64[Y]").astype(str),
        catalogue.release[chosen].astype("datetime64[D]").astype(str),
    )
    licences = pa.array([f'"[{", ".join(repr(code) for code in codes)}]"' for codes in catalogue.licences])
    fields = [
        catalogue.track_id.take(index),
        quoted(catalogue.album.take(index)),
        _decimal(catalogue.popularity[chosen].astype(np.float64)),
        _decimal(catalogue.duration_ms[chosen].astype(np.float64)),
        pa.array(np.where(catalogue.explicit[chosen], "true", "false")),
        pa.array(release),
        licences.take(pa.array(catalogue.licence[chosen])),
        *(_decimal(catalogue.audio[name][chosen]) for name in AUDIO_COLUMNS),
    ]
    joined = pc.binary_join_element_wise(*fields, ",")
    return pc.if_else(pa.array(catalogue.unlisted[chosen]), "," * (len(fields) - 1), joined)


def quoted(text: pa.Array) -> pa.Array:
    """Return CSV fields; only those with a comma, a quote or a line end are quoted."""
    wrapped = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(pc.match_substring_regex(text, '[",\r\n]'), wrapped, text)


def _decimal(values: Floats) -> pa.Array:
    """Return numbers as text, always with a decimal point, as pandas writes them."""
    return pa.array([repr(value) for value in values.tolist()])


def _series(text: pa.Array) -> pl.Series:
    series = pl.from_arrow(text)
    assert isinstance(series, pl.Series)
    return series
