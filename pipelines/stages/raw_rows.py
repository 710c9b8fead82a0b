"""Rows of RAW from one block of a chart file: as text in full, typed in slim."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from diffusion import UnknownMarketError, resolve
from diffusion.sources.csv_files import Block
from diffusion.sources.dates import read_chart_date
from diffusion.sources.layouts import AUDIO_COLUMNS, plain_name
from diffusion.sources.numbers import Marks, read_rank
from diffusion.sources.source import ChartFile
from pipelines.stages.column_forms import ColumnForms, date_texts, read_streams

SLIM: Final[Mapping[str, type[pl.DataType]]] = {
    "track_id": pl.String,
    "title": pl.String,
    "artist": pl.String,
    "region": pl.String,
    "chart": pl.String,
    "rank": pl.Int32,
    "streams": pl.Int64,
    "popularity": pl.Int32,
    "duration_ms": pl.Int64,
    "explicit": pl.Boolean,
    "release_date": pl.String,
    **dict.fromkeys(AUDIO_COLUMNS, pl.Float64),
}
"""Column for analysis → its type in slim; `region` is the market's name in the source."""

DERIVED: Final = ("observation_date", "year_month", "source_country_norm", "market", "source_file", "source_line")
"""Columns of full that are not the source's."""

UNKNOWN: Final = "unknown"
"""Year, or year and month, of a row whose date cannot be read."""

_LINK: Final = r"track[/:]([^/?#\s]+)"
_LINK_PLACE: Final = "https://open.spotify.com/track/"
_ID_BYTES: Final = 22
_NO_ID: Final = 4
"""Bytes: texts up to this length are not track ids (``nan``, ``None``, ``null``, ``<NA>``)."""


ADDED: Final = ("name_", "parsed_")
"""Prefixes of columns of full that ingest adds: facts from the names of files, and columns made from others."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Settings for reading the rows of one file.

    Attributes
    ----------
    file
        Name of the file in the rows.
    names
        Column of the file → its name in full.
    roles
        Name in full → our column, None if it is none; columns with facts included.
    facts
        Name in full of a column with a fact → the fact.
    columns
        Our column → its names in full; the first value that is not empty counts.
    chart
        Name of the chart where the file gives none.
    markets
        Market names seen so far → the name with single spaces, and its code, None if unknown; grows while blocks are
        read.
    forms
        What is judged from whole columns of the files.
    """

    file: str
    names: Mapping[str, str]
    roles: Mapping[str, str | None]
    facts: Mapping[str, str]
    columns: Mapping[str, Sequence[str]]
    chart: str
    markets: dict[str, tuple[str, str | None]]
    forms: ColumnForms

    @classmethod
    def of(
        cls,
        file: ChartFile,
        roles: Mapping[str, str | None],
        markets: dict[str, tuple[str, str | None]],
        forms: ColumnForms,
    ) -> "Reading":
        """Return how a file is read into RAW, whose columns have `roles` so far."""
        ours = {theirs: ours for ours, theirs in file.columns.items() if theirs}
        names = column_names(file.opened.names, ours, roles)
        made = {name: name for name in ours if name not in names}
        facts = {f"name_{ours}": value for ours, value in file.facts.items()}
        own = {name: ours.get(theirs) for theirs, name in (names | made).items()}
        own |= {name: name.removeprefix("name_") for name in facts}
        columns = {name: [column for column, role in own.items() if role == name] for name in file.columns}
        return cls(file.name, names, own, facts, columns, file.chart, markets, forms)


def column_names(
    header: Sequence[str], ours: Mapping[str, str] | None = None, roles: Mapping[str, str | None] | None = None
) -> dict[str, str]:
    """Return column of the file → its name in full: snake case, with a number added to equal names.

    Parameters
    ----------
    header
        Columns of the file.
    ours
        Column of the file → our column.
    roles
        Names in full of other files → our column, None if it is none; such a name is free only for the same column.

    Examples
    --------
    >>> column_names(["Track Name", "URL", "url", ""])
    {'Track Name': 'track_name', 'URL': 'url', 'url': 'url_2', '': 'unnamed'}
    >>> column_names(["rank", "name"], {"rank": "rank", "name": "title"}, {"rank": "rank", "name": "artist"})
    {'rank': 'rank', 'name': 'name_2'}
    """
    ours, roles = ours or {}, roles or {}
    names: dict[str, str] = {}
    for column in header:
        base = plain_name(column) or "unnamed"
        base = f"{base}_own" if base.startswith(ADDED) else base
        name, number = base, 2
        while (
            name in names.values() or name in (*DERIVED, "year") or (name in roles and roles[name] != ours.get(column))
        ):
            name, number = f"{base}_{number}", number + 1
        names[column] = name
    return names


def full_rows(block: Block, reading: Reading) -> pl.DataFrame:
    """Return the block's rows with all columns of the source as text, the derived columns, and `year`."""
    facts = [pl.lit(value).alias(name) for name, value in reading.facts.items()]
    rows = block.rows.rename(dict(reading.names)).with_columns(facts)
    region = _given(rows, reading, "market")
    _learn(reading.markets, region.unique().drop_nulls())
    names = {name: norm for name, (norm, _) in reading.markets.items()}
    codes = {name: code for name, (_, code) in reading.markets.items()}
    text = _dates(rows, reading)
    return rows.with_columns(
        text.alias("observation_date"),
        text.str.slice(0, 7).fill_null(UNKNOWN).alias("year_month"),
        region.replace_strict(names, default=None, return_dtype=pl.String).alias("source_country_norm"),
        region.replace_strict(codes, default=None, return_dtype=pl.String).alias("market"),
        pl.lit(reading.file).alias("source_file"),
        pl.Series("source_line", block.lines),
        text.str.slice(0, 4).fill_null(UNKNOWN).alias("year"),
    )


def slim_rows(full: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Return the columns for analysis of rows in full, typed; values that cannot be read as their type are null."""
    given = {
        "track_id": _tracks(full, reading),
        "region": full["source_country_norm"],
        "chart": _charts(full, reading),
    }
    values = {name: given[name] if name in given else _given(full, reading, name) for name in SLIM}
    return pl.DataFrame(
        [
            full["observation_date"].str.to_date("%Y-%m-%d"),
            full["year_month"],
            *(_read(value, name, reading).alias(name) for name, value in values.items()),
            full["source_country_norm"],
            full["market"],
            full["year"],
        ]
    )


def _given(rows: pl.DataFrame, reading: Reading, ours: str) -> pl.Series:
    """Return one of our columns with the file's text; where that is empty, the fact."""
    names = reading.columns.get(ours)
    if not names:
        return pl.Series([None], dtype=pl.String).new_from_index(0, rows.height)
    text = rows[names[0]]
    for name in names[1:]:
        text = text.zip_with((text != "").fill_null(False), rows[name])
    return text


def _dates(rows: pl.DataFrame, reading: Reading) -> pl.Series:
    """Return the charts' dates as YYYY-MM-DD; the date of a weekly chart is its last day."""
    texts = date_texts(*(_given(rows, reading, name) for name in ("date", "week_start", "week_end")))
    distinct = texts.unique().drop_nulls()
    form = reading.forms.date_form(reading.file, distinct)
    days = [day.isoformat() if (day := read_chart_date(text, form)) else None for text in distinct]
    return texts.replace_strict(distinct, pl.Series(days, dtype=pl.String), default=None, return_dtype=pl.String)


def _tracks(full: pl.DataFrame, reading: Reading) -> pl.Series:
    """Return the track ids, from the links where the file gives no id."""
    track, url = _given(full, reading, "track_id"), _given(full, reading, "url")
    if not track.null_count() and (track.str.len_bytes() == _ID_BYTES).all():
        return track
    usual = (url.str.len_bytes() == len(_LINK_PLACE) + _ID_BYTES) & url.str.starts_with(_LINK_PLACE)
    link = url.str.slice(len(_LINK_PLACE)) if usual.all() and not url.null_count() else url.str.extract(_LINK)
    known = track.str.strip_chars().str.len_bytes() > _NO_ID
    return track.str.strip_chars().zip_with(known.fill_null(False), link)


def _charts(full: pl.DataFrame, reading: Reading) -> pl.Series:
    """Return the charts' names in lower case."""
    chart = _given(full, reading, "chart")
    names = {name: name.strip().lower() or reading.chart for name in chart.unique().drop_nulls()}
    return chart.replace_strict(names, default=reading.chart, return_dtype=pl.String)


def _read(text: pl.Series, name: str, reading: Reading) -> pl.Series:
    """Return the values of a column of slim."""
    if name == "rank":
        return _ranks(text, reading.forms.first_rank)
    if name == "streams":
        return _streams(text, reading)
    return _typed(text, SLIM[name])


def _ranks(text: pl.Series, first_rank: int) -> pl.Series:
    """Return ranks, from 1."""
    numbers = {word: read_rank(word) for word in text.unique().drop_nulls()}
    ranks = {word: number + 1 - first_rank for word, number in numbers.items() if number is not None}
    known = {word: rank for word, rank in ranks.items() if rank}
    return text.replace_strict(known, default=None, return_dtype=pl.Int32)


def _streams(text: pl.Series, reading: Reading) -> pl.Series:
    """Return numbers of streams."""
    values = text.cast(pl.Int64, strict=False)
    if values.null_count() == text.null_count():
        return values
    marked = text.str.contains("[.,]").any()
    return read_streams(text, reading.forms.marks(reading.file) if marked else Marks())


def _typed(text: pl.Series, kind: type[pl.DataType]) -> pl.Series:
    """Return text as another type, null where it cannot be read as that type."""
    if kind is pl.String:
        return text
    if kind is pl.Boolean:
        words = {word: word.strip().lower() in ("true", "1") for word in text.unique().drop_nulls()}
        known = {word: value for word, value in words.items() if value or word.strip().lower() in ("false", "0")}
        return text.replace_strict(known, default=None, return_dtype=pl.Boolean)
    values = text.cast(kind, strict=False)
    if values.null_count() == text.null_count():
        return values
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() > text.null_count():
        numbers = text.str.strip_chars().cast(pl.Float64, strict=False)
    whole = numbers == numbers.floor()
    return numbers if kind is pl.Float64 else numbers.set(~whole, None).cast(kind, strict=False)


def _learn(markets: dict[str, tuple[str, str | None]], names: Iterable[str]) -> None:
    """Add market names not seen before."""
    for name in names:
        if name not in markets:
            try:
                markets[name] = " ".join(name.split()), resolve(name)
            except UnknownMarketError:
                markets[name] = " ".join(name.split()), None
