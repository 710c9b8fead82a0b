"""Values of JSON and Excel files as texts, and rows of them as blocks."""

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from diffusion.sources.csv_files import Block
from diffusion.sources.csv_lines import NOT_UTF8, NUL_BYTE, Damaged


def cell_text(value: object) -> str | None:
    """Return a value as text, None where it is missing; nested values become JSON, lists of plain ones are joined.

    Examples
    --------
    >>> [cell_text(value) for value in (5.0, 1.5, True, None, ["A", "B"], {"id": 1})]
    ['5', '1.5', 'true', None, 'A, B', '{"id": 1}']
    """
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return None if math.isnan(value) else str(int(value)) if value.is_integer() else repr(value)
        case dt.datetime():
            return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
        case dt.date() | dt.time():
            return value.isoformat()
        case list() if not any(isinstance(item, (list, dict)) for item in value):
            return ", ".join(cell_text(item) or "" for item in value)
        case list() | dict():
            return json.dumps(value, ensure_ascii=False)
    return str(value)


def bad_text(text: str) -> str | None:
    """Return why a text cannot be stored, None where it can: it has a NUL, or half of a character of UTF-16."""
    if "\0" in text:
        return NUL_BYTE
    try:
        text.encode()
    except UnicodeEncodeError:
        return NOT_UTF8
    return None


def block_of(names: Sequence[str], rows: Mapping[int, Sequence[str | None]], damaged: list[Damaged]) -> Block:
    """Return rows, by the line on which each begins, as a block; a row with a text that cannot be stored is damaged."""
    good: dict[int, Sequence[str | None]] = {}
    for line, row in rows.items():
        problem = next(filter(None, (bad_text(text) for text in row if text)), None)
        if problem is None:
            good[line] = row
        else:
            shown = json.dumps(dict(zip(names, row, strict=True)))
            damaged.append(Damaged(line, problem, shown))
    columns = zip(*good.values(), strict=True) if good else ([] for _ in names)
    table = pl.DataFrame(dict(zip(names, columns, strict=True)), dict.fromkeys(names, pl.String))
    return Block(table, np.fromiter(good, np.int64, len(good)), sorted(damaged, key=lambda one: one.line))
