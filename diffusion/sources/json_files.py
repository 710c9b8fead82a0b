"""JSON files read as blocks of text columns: records, ``{"date": …, "data": [records]}``, or one object per line."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from diffusion.errors import NoChartError, SourceError
from diffusion.sources.cells import bad_text, block_of, cell_text
from diffusion.sources.csv_files import BLOCK_BYTES, LONGEST_LINE, Block
from diffusion.sources.csv_lines import NOT_UTF8, Damaged, shown
from diffusion.sources.listing import ListedFile
from diffusion.sources.text_chunks import find_encoding, text_chunks, unreadable

LARGEST: Final = 1 << 27
"""Bytes of a JSON file that is not one object per line; it is held in memory."""

MOST_COLUMNS: Final = 2_000
"""Different keys of the records of one file."""

ROWS: Final = 1 << 16
"""Records per block."""

_BY_LINE: Final = (".jsonl", ".ndjson")

_DATA: Final = "data"
"""Key of the records of one chart in a list of charts."""

_NO_OBJECT: Final = "no JSON object"


@dataclass(frozen=True, slots=True)
class JsonForm:
    """How to read a JSON file.

    Attributes
    ----------
    names
        Keys of the records, in order of appearance; of a file with one object per line, those of its first part.
    encoding
        Encoding of the file.
    by_line
        Whether each line is one object.
    """

    names: tuple[str, ...]
    encoding: str
    by_line: bool


def read_json_form(file: ListedFile, *, encoding: str | None = None) -> JsonForm:
    """Return the form of a JSON file.

    Raises
    ------
    NoChartError
        When the file is empty or holds no records.
    SourceError
        When the file cannot be read.
    SettingError
        When `encoding` is no encoding of text files.
    """
    found = find_encoding(file, encoding)
    first = next(text_chunks(file, found, b"\n", BLOCK_BYTES))
    by_line = any(end in file.place.name.lower() for end in _BY_LINE) or _looks_by_line(first)
    records = [_object(line)[0] for line in first.splitlines()] if by_line else _records(file, found)
    names = dict.fromkeys(key for record in records if isinstance(record, dict) for key in record if not bad_text(key))
    if not names:
        raise NoChartError(
            f"'{file.place}' holds no records: read are a list of objects, a list of them under one key, and one "
            "object per line (pandas writes them with orient='records')"
        )
    if len(names) > MOST_COLUMNS:
        raise NoChartError(f"'{file.place}' has records with {len(names):,} different keys; it is not a chart")
    return JsonForm(tuple(names), found, by_line)


def read_json(file: ListedFile, form: JsonForm) -> Iterator[Block]:
    """Yield the records of a JSON file, block by block; without lines, the line of a record is its number.

    Raises
    ------
    SourceError
        When the file cannot be read to its end.
    """
    if form.by_line:
        yield from _line_blocks(file, form)
        return
    records = _records(file, form.encoding)
    for start in range(0, len(records), ROWS):
        part = dict(enumerate(records[start : start + ROWS], start + 1))
        strange = [number for number, record in part.items() if not isinstance(record, dict)]
        damaged = [Damaged(number, _NO_OBJECT, json.dumps(part.pop(number))) for number in strange]
        yield block_of(form.names, {number: _row(record, form.names) for number, record in part.items()}, damaged)


def _looks_by_line(first: bytes) -> bool:
    """Return whether the first line is an object of its own, and others follow."""
    line, _, rest = first.strip().partition(b"\n")
    return bool(rest.strip()) and _object(line)[0] is not None


def _line_blocks(file: ListedFile, form: JsonForm) -> Iterator[Block]:
    number, rest, known = 1, b"", set(form.names)
    for chunk in text_chunks(file, form.encoding, b"\n", BLOCK_BYTES):
        text = rest + chunk
        cut = text.rfind(b"\n") + 1 if chunk else len(text)
        if len(text) - cut > LONGEST_LINE:
            raise SourceError(f"line {number:,} of '{file.place}' is longer than {LONGEST_LINE:,} bytes")
        rows: dict[int, Sequence[str | None]] = {}
        damaged: list[Damaged] = []
        for line in text[:cut].split(b"\n"):
            record, problem = _object(line)
            if record is not None and not known.issuperset(record):
                problem = "a key that no earlier record has"
            if record is not None and not problem:
                rows[number] = _row(record, form.names)
            elif line.strip():
                damaged.append(Damaged(number, problem or _NO_OBJECT, shown(line)))
            number += 1
        number, rest = number - 1, text[cut:]  # after the last line end nothing follows
        yield block_of(form.names, rows, damaged)


def _row(record: Mapping[str, Any], names: Sequence[str]) -> list[str | None]:
    return [cell_text(record.get(name)) for name in names]


def _object(line: bytes) -> tuple[dict[str, Any] | None, str | None]:
    """Return a line's object, and why it has none."""
    try:
        found = json.loads(line.decode())
    except UnicodeDecodeError:
        return None, NOT_UTF8
    except (ValueError, RecursionError):
        return None, _NO_OBJECT
    return (found, None) if isinstance(found, dict) else (None, _NO_OBJECT)


def _records(file: ListedFile, encoding: str) -> list[Any]:
    """Return the records of a file that is one JSON value; scalars beside a list of records belong to each of them."""
    content = bytearray()
    for chunk in text_chunks(file, encoding, b"\n", BLOCK_BYTES):
        content += chunk
        if len(content) > LARGEST:
            raise SourceError(
                f"'{file.place}' has more than {LARGEST:,} bytes of JSON in one value; write one object per line"
            )
    if not content.strip():
        raise NoChartError(f"'{file.place}' is empty")
    try:
        whole = json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise unreadable(file, error) from error
    if isinstance(whole, dict):
        lists = [key for key, value in whole.items() if _is_table(value)]
        return _with_scalars(whole, lists[0]) if len(lists) == 1 else []
    if not isinstance(whole, list):
        return []
    if whole and all(isinstance(chart, dict) and _is_table(chart.get(_DATA)) for chart in whole):
        return [record for chart in whole for record in _with_scalars(chart, _DATA)]
    return whole


def _is_table(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(record, dict) for record in value)


def _with_scalars(chart: Mapping[str, Any], key: str) -> list[Any]:
    """Return the records under a key, each with the scalars beside them."""
    beside = {name: value for name, value in chart.items() if not isinstance(value, (list, dict))}
    return [beside | record if isinstance(record, dict) else record for record in chart[key]]
