"""Cleaning: the relations of ``sql/`` turn source rows into observations and tracks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from diffusion.contracts.star import ANY_RANK, AVAILABILITY, DAY_PATTERN, DEPTHS, FILE_BREAK, TRACKS
from diffusion.engine import Engine
from diffusion.markets import resolve_all, resolve_known

NO_DATE = 0
"""Year of rows whose date cannot be read."""

LAST_YEAR = 9999

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
    """

    files: dict[str, int]
    unknown_markets: dict[str, str]


def learn_names(
    engine: Engine,
    *,
    order: Sequence[str] = (),
    charts: Mapping[str, str],
    market_names: Mapping[str, str] | None,
    unknown_aside: bool = False,
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

    Raises
    ------
    UnknownMarketError
        When a market is unknown and `unknown_aside` is False.
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
    engine.create("ranks")
    unknown = _learn_markets(engine, market_names, unknown_aside=unknown_aside)
    names = _columns(engine, "source_charts")["chart"]
    depths = pa.array([DEPTHS.get(name, ANY_RANK) for name in names], pa.int32())
    engine.keep(
        "chart_codes",
        pa.table({"code": _numbers(len(names)).cast(pa.int16()), "chart": _text(names), "deepest": depths}),
    )
    engine.create("date_texts", day=DAY_PATTERN)
    engine.create("file_spans", break_days=FILE_BREAK)
    engine.create("days")
    return Names({file: rows[file] for file in files}, unknown)


def code_tracks(engine: Engine, *, known: Path | None = None) -> None:
    """Give each track id of `source_rows` a code; tracks of the star in folder `known` keep their codes and fields."""
    for contract in (TRACKS, AVAILABILITY):
        if known is None:
            engine.keep(f"known_{contract.name}", contract.schema.empty_table())
        else:
            engine.keep_table(f"known_{contract.name}", [known / f"{contract.name}.parquet"])
    engine.create("id_texts")
    engine.create("track_codes")
    engine.create("id_codes")


def judge_rows(engine: Engine, *, first_year: int = NO_DATE, last_year: int = LAST_YEAR) -> None:
    """Read the rows of some years and decide on each; `outcomes` and `observations` then hold the result."""
    engine.create("readings", as_written=True, first_year=first_year, last_year=last_year)
    engine.create("stream_bounds")
    engine.create("outliers")
    engine.create("repeats")
    engine.create("contested")
    engine.view("verdicts")
    engine.view("outcomes")


def read_fields(engine: Engine) -> None:
    """Create what `tracks`, `artists` and `availability` are made of: the fields of each track, as text."""
    numbers = pa.array(range(1, LONGEST_LIST + 1), pa.int32())
    engine.keep("numbers", pa.table({"number": numbers}))
    engine.create("track_fields", as_written=True)


def _learn_markets(engine: Engine, extra: Mapping[str, str] | None, *, unknown_aside: bool) -> dict[str, str]:
    names = _columns(engine, "source_markets")
    rows = dict(zip(names["name"], names["source_rows"], strict=True))
    codes, unknown = resolve_known(rows, extra=extra) if unknown_aside else (resolve_all(rows, extra=extra), {})
    markets = sorted(set(codes.values()))
    numbers = {market: number for number, market in enumerate(markets)}
    code = pa.array([*(numbers[market] for market in codes.values()), *(None for _ in unknown)], pa.int16())
    engine.keep("market_names", pa.table({"name": _text([*codes, *unknown]), "code": code}))
    engine.keep("market_codes", pa.table({"code": _numbers(len(markets)).cast(pa.int16()), "market": _text(markets)}))
    return {name: f"{why} ({rows[name]:,} rows)" for name, why in unknown.items()}


def _columns(engine: Engine, name: str) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = engine.fetch(name).to_pydict()
    return columns


def _text(values: Iterable[str]) -> pa.Array:
    return pa.array(list(values), pa.string())


def _numbers(count: int) -> pa.Array:
    return pa.array(range(count), pa.int64())
