"""Cleaning: the relations of ``sql/`` turn source rows into observations and tracks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from diffusion.contracts.star import ANY_RANK, AVAILABILITY, DEPTHS, FILE_BREAK, TRACKS
from diffusion.engine import Engine
from diffusion.errors import SourceError
from diffusion.markets import resolve_all, resolve_known, unmatched_names
from diffusion.sources.dates import NO_VALUE, find_forms, read_chart_date
from diffusion.sources.numbers import MARKED, STREAMS, Marks, read_rank
from diffusion.sources.track_ids import BARE_ID, LINK, named_ids

NO_DATE = 0
"""Year of rows whose date cannot be read."""

LAST_YEAR = 9999

_MIXED = {"nan": "NaN", "nat": "NaT"}

NO_IDS = pa.schema({"id_text": pa.string(), "track_id": pa.string()}).empty_table()
"""Ids made of title and artist, of a source that has ids."""

LONGEST_LIST = 1_000
"""Most artists or markets that are read from one track's list."""


@dataclass(frozen=True, slots=True)
class Names:
    """Files and unknown markets of the source's rows.

    Attributes
    ----------
    files
        File → number of its rows, in reading order.
    unknown_markets
        Unknown market name → message about it.
    date_forms
        File → format of its dates, as of `diffusion.sources.dates.read_date`.
    unmatched
        Additional market names that no row has.
    by_title
        Whether no row has an id or link of a track, so that tracks are told apart by title and artist.
    """

    files: dict[str, int]
    unknown_markets: dict[str, str]
    date_forms: dict[str, str]
    unmatched: list[str]
    by_title: bool

    def said(self) -> tuple[str, ...]:
        """Return a line about each additional market name that no row has, and one where tracks have no ids."""
        unmatched = [f"no row has the market name '{name}' that was given" for name in self.unmatched]
        return (*unmatched, *(["no ids of tracks: they are told apart by title and artist"] if self.by_title else []))


def learn_names(
    engine: Engine,
    *,
    order: Sequence[str] = (),
    charts: Mapping[str, str],
    market_names: Mapping[str, str] | None,
    unknown_aside: bool = False,
    date_format: str | None = None,
    date_forms: Mapping[str, str] | None = None,
    first_rank: int = 1,
) -> Names:
    """Return the files and unknown markets of `source_rows`, and give the engine codes for all names and dates.

    Parameters
    ----------
    engine
        Engine that holds `source_rows`.
    order
        Files in reading order; the others follow in order of name.
    charts
        File → name of its chart where its rows do not give one; ``""`` stands for all other files.
    market_names
        Additional market names → a known name or code.
    unknown_aside
        Whether rows of an unknown market are set aside (default False: they are an error).
    date_format
        Format of all dates, as of `diffusion.sources.dates.check_format` (default: judged from the dates).
    date_forms
        File → format of its dates, where it is known from before.
    first_rank
        The best rank in the source, 1 (default) or 0.

    Raises
    ------
    UnknownMarketError
        When a market is unknown and `unknown_aside` is False.
    SourceError
        When the order of day and month cannot be told, most dates cannot be read, or ranks start at 0 though
        `first_rank` is 1.
    """
    counts = _columns(engine, "source_files")
    rows = dict(zip(counts["file"], counts["source_rows"], strict=True))
    files = [file for file in order if file in rows]
    files += sorted(set(rows) - set(files))
    defaults = [charts.get(file, charts.get("", "top200")) for file in files]
    engine.keep("files", pa.table({"file": _text(files), "source": _numbers(len(files)), "chart": _text(defaults)}))
    engine.view("placed_rows")
    engine.create("misplaced_rows")
    engine.view("identified_rows")
    _learn_ranks(engine, first_rank)
    _learn_marks(engine, len(files))
    unknown, unmatched = _learn_markets(engine, market_names or {}, unknown_aside=unknown_aside)
    names = _columns(engine, "source_charts")["chart"]
    depths = pa.array([DEPTHS.get(name, ANY_RANK) for name in names], pa.int32())
    engine.keep(
        "chart_codes",
        pa.table({"code": _numbers(len(names)).cast(pa.int16()), "chart": _text(names), "deepest": depths}),
    )
    forms = _learn_dates(engine, files, date_format, date_forms or {})
    engine.create("file_spans", break_days=FILE_BREAK)
    engine.create("days")
    by_title = engine.fetch("some_id").num_rows == 0
    return Names({file: rows[file] for file in files}, unknown, forms, unmatched, by_title)


def code_tracks(engine: Engine, *, known: Path | None = None, by_title: bool = False) -> None:
    """Give each track id of `source_rows` a code.

    Parameters
    ----------
    engine
        Engine that holds `source_rows`.
    known
        Folder of a star whose tracks keep their codes and fields (default: none).
    by_title
        Whether ids are made of title and artist (default False: a row without an id has no track).
    """
    for contract in (TRACKS, AVAILABILITY):
        if known is None:
            engine.keep(f"known_{contract.name}", contract.schema.empty_table())
        else:
            engine.keep_table(f"known_{contract.name}", [known / f"{contract.name}.parquet"])
    ids = named_ids(engine.fetch("named_texts")["id_text"]) if by_title else NO_IDS
    engine.keep("title_ids", ids)
    engine.create("id_texts", link=LINK, bare_id=BARE_ID)
    engine.create("track_codes")
    engine.create("id_codes")


def judge_rows(engine: Engine, *, first_year: int = NO_DATE, last_year: int = LAST_YEAR) -> None:
    """Read the rows of some years and decide on each; `outcomes` and `observations` then hold the result."""
    engine.create("readings", as_written=True, first_year=first_year, last_year=last_year, **STREAMS)
    engine.create("stream_bounds")
    engine.create("outliers")
    engine.create("repeats")
    engine.create("contested")
    engine.view("verdicts")
    engine.view("outcomes")


def read_fields(engine: Engine) -> None:
    """Create what `tracks`, `artists` and `availability` are made of: the fields of each track, as text."""
    keep_numbers(engine)
    engine.create("track_fields", as_written=True)


def keep_numbers(engine: Engine) -> None:
    """Give the engine the whole numbers that lists are split by, as `numbers`."""
    numbers = pa.array(range(1, LONGEST_LIST + 1), pa.int32())
    engine.keep("numbers", pa.table({"number": numbers}))


def _learn_ranks(engine: Engine, first_rank: int) -> None:
    """Give the engine the rank of each text, from 1, as `ranks`."""
    texts = _columns(engine, "source_ranks")
    numbers = [read_rank(text) for text in texts["rank_text"]]
    zeros = sum(rows for rows, number in zip(texts["source_rows"], numbers, strict=True) if number == 0)
    if first_rank == 0:
        numbers = [None if number is None else number + 1 for number in numbers]
    engine.keep("ranks", pa.table({"rank_text": _text(texts["rank_text"]), "rank": pa.array(numbers, pa.int32())}))
    if zeros and first_rank:
        _refuse_zeros(engine, next(t for t, n in zip(texts["rank_text"], numbers, strict=True) if n == 0))


def _refuse_zeros(engine: Engine, zero: str) -> None:
    """Raise an error where most charts have a rank 0."""
    counts = engine.fetch("zero_charts").to_pylist()[0]
    if 2 * counts["zero_charts"] <= counts["charts"]:
        return
    place = engine.fetch("first_lines", text=zero).to_pylist()[0]
    raise SourceError(
        f"ranks start at 0 ('{place['file']}', line {place['line']:,}, and {counts['zero_charts']:,} of "
        f"{counts['charts']:,} charts): read the files with --first-rank 0, which counts the best rank as 1, or name "
        "another column: --column rank=THEIRS"
    )


def _learn_marks(engine: Engine, files: int) -> None:
    """Give the engine what the marks in each file's numbers of streams stand for, as `stream_marks`."""
    found = {form.pop("source"): Marks.judged(**form) for form in engine.fetch("stream_forms", **MARKED).to_pylist()}
    marks = [found.get(source, Marks()) for source in range(files)]
    table = {
        "source": _numbers(files),
        "dot_groups": pa.array([mark.dot_groups for mark in marks], pa.bool_()),
        "comma_groups": pa.array([mark.comma_groups for mark in marks], pa.bool_()),
    }
    engine.keep("stream_marks", pa.table(table))


def _learn_dates(
    engine: Engine, files: Sequence[str], date_format: str | None, known: Mapping[str, str]
) -> dict[str, str]:
    """Give the engine the date of each text as `date_texts`, and return file → format of its dates."""
    table = engine.fetch("source_dates")
    texts: dict[str, dict[str, int]] = {file: {} for file in files}
    for source, text, rows in zip(*(column.to_pylist() for column in table.columns), strict=True):
        texts[files[source]][text] = rows
    if date_format is None:
        forms = find_forms({file: own for file, own in texts.items() if file not in known}) | dict(known)
    else:
        forms = dict.fromkeys(files, date_format)
    days = [
        read_chart_date(text, forms[files[source]])
        for source, text in zip(table["source"].to_pylist(), table["day_text"].to_pylist(), strict=True)
    ]
    dated = table.append_column("date", pa.array(days, pa.date32()))
    _refuse_odd_dates(engine, dated)
    engine.keep("date_texts", dated)
    return forms


def _refuse_odd_dates(engine: Engine, texts: pa.Table) -> None:
    """Raise an error with a value and its place where most texts are no dates; empty ones do not count."""
    rows = texts.to_pylist()
    odd = [row for row in rows if row["date"] is None and row["day_text"].strip(" |").lower() not in NO_VALUE]
    count, read = (sum(row["source_rows"] for row in own) for own in (odd, [row for row in rows if row["date"]]))
    if count <= read:
        return
    text = max(odd, key=lambda row: row["source_rows"])["day_text"]
    place = engine.fetch("first_lines", text=text).to_pylist()[0]
    raise SourceError(
        f"'{text.strip('|')}' in '{place['file']}', line {place['line']:,}, is no date that is known, and {count:,} of "
        f"{count + read:,} rows have such; say how dates are written with --date-format, such as day/month/year or "
        "%d/%m/%Y, or name another column: --column date=THEIRS"
    )


def _learn_markets(
    engine: Engine, extra: Mapping[str, str], *, unknown_aside: bool
) -> tuple[dict[str, str], list[str]]:
    """Give the engine the markets' codes; return unknown names with messages, and additional names that no row has."""
    further = {name: code for name, code in extra.items() if name}
    names = _columns(engine, "source_markets")
    rows = dict(zip(names["name"], names["source_rows"], strict=True))
    codes, unknown = resolve_known(rows, extra=further) if unknown_aside else (resolve_all(rows, extra=further), {})
    if "" in extra:
        market = resolve_all({extra[""]: 1}, extra=further)[extra[""]]
        codes |= {
            spelled: market
            for name in NO_VALUE
            for spelled in (name, name.upper(), name.title(), _MIXED.get(name, name))
        }
    markets = sorted(set(codes.values()))
    numbers = {market: number for number, market in enumerate(markets)}
    code = pa.array([*(numbers[market] for market in codes.values()), *(None for _ in unknown)], pa.int16())
    engine.keep("market_names", pa.table({"name": _text([*codes, *unknown]), "code": code}))
    engine.keep("market_codes", pa.table({"code": _numbers(len(markets)).cast(pa.int16()), "market": _text(markets)}))
    return {name: f"{why} ({rows[name]:,} rows)" for name, why in unknown.items()}, unmatched_names(further, rows)


def _columns(engine: Engine, name: str) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = engine.fetch(name).to_pydict()
    return columns


def _text(values: Iterable[str]) -> pa.Array:
    return pa.array(list(values), pa.string())


def _numbers(count: int) -> pa.Array:
    return pa.array(range(count), pa.int64())
