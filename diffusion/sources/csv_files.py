"""CSV files read as blocks of text columns, with the line of each record and all damaged lines.

polars parses; `diffusion.sources.csv_lines` decides what a record is. Blocks come in file order and have a bounded
size.
"""

import codecs
import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar, cast
from urllib.parse import unquote

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from diffusion.errors import NoChartError, SettingError, SourceError
from diffusion.sources.csv_lines import Damaged, Judged, judge, read_record

BLOCK_BYTES: Final = 1 << 24
"""Bytes read at a time."""

LONGEST_HEADER: Final = 1 << 16
"""Bytes: a longer first line is not a header."""

LONGEST_LINE: Final = 1 << 26
"""Bytes: a longer line is an error."""

_MARKS: Final = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

DAMAGED: Final = pa.schema({"file": pa.string(), "line": pa.int64(), "reason": pa.string(), "row": pa.string()})
"""Columns of a table of damaged lines."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a CSV file.

    Attributes
    ----------
    names
        Column names.
    text
        The line in UTF-8, without its line end.
    encoding
        Encoding of the file.
    line_end
        CR where all lines end in CR alone, LF otherwise.
    lines
        Physical lines up to and including the header; blank lines may come before it.
    """

    names: tuple[str, ...]
    text: bytes
    encoding: str
    line_end: bytes
    lines: int


@dataclass(frozen=True, slots=True)
class Block:
    """Some records of a file, in order.

    Attributes
    ----------
    rows
        One text column per column of the header; null where the field is empty.
    lines
        (n,): physical line on which each record begins, from 1.
    damaged
        Damaged lines in the same part of the file.
    """

    rows: pl.DataFrame
    lines: NDArray[np.int64]
    damaged: list[Damaged]

    def damaged_table(self, file: str) -> pa.Table:
        """Return the damaged lines as a table: `file`, `line`, `reason`, `row`."""
        lines = [{"file": file, "line": one.line, "reason": one.reason, "row": one.row} for one in self.damaged]
        return pa.Table.from_pylist(lines, DAMAGED)


def read_header(file: Path, *, encoding: str | None = None) -> Header:
    """Return the header of a CSV file.

    Parameters
    ----------
    file
        CSV, also .gz or .zst; UTF-8, or UTF-16 where the first bytes show it.
    encoding
        Name of the encoding, such as ``latin-1`` (default: UTF-8 or UTF-16, recognised).

    Raises
    ------
    SourceError
        When the file cannot be read, is empty, or its first line names no columns.
    SettingError
        When the encoding is unknown.
    """
    if encoding is not None:
        try:
            codecs.lookup(encoding)
        except LookupError as error:
            raise SettingError(
                f"unknown encoding '{encoding}'; known are for example latin-1, cp1252 and utf-16"
            ) from error
    encoding = encoding or _encoding_of(file)
    text = b""
    for chunk in _chunks(file, encoding, b"\n", LONGEST_HEADER):
        text += chunk
        if b"\n" in text.lstrip(b"\n") or len(text) > LONGEST_HEADER:
            break
    line_end = b"\r" if b"\r" in text and b"\n" not in text else b"\n"
    return _header_in(text.replace(line_end, b"\n"), file, encoding, line_end)


def read_blocks(file: Path, header: Header, *, block: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield the records of a CSV file below its header, block by block.

    Raises
    ------
    SourceError
        When the file cannot be read to its end.
    """
    schema = dict.fromkeys(header.names, pl.String())
    first_line, rest = 1, b""
    for chunk in _chunks(file, header.encoding, header.line_end, block):
        text, final = rest + chunk, not chunk  # the last chunk is empty
        if first_line == 1:
            if text.count(b"\n") < header.lines and not final:
                rest = text
                continue
            text, first_line = _below(text, header.lines), 1 + header.lines
        cut = len(text) if final else text.rfind(b"\n") + 1
        if len(text) - cut > LONGEST_LINE:
            raise SourceError(
                f"line {first_line:,} of '{file}' is longer than {LONGEST_LINE:,} bytes; it is not a chart"
            )
        judge_block = partial(
            judge, text[:cut], columns=len(schema), header=header.text, first_line=first_line, final=final
        )
        judged = judge_block(thorough=False)
        try:
            rows = _rows(judged.plain, len(judged.plain_lines), schema)
        except (pl.exceptions.ComputeError, pl.exceptions.SchemaError):  # `thorough` finds these lines
            judged = judge_block(thorough=True)
            rows = _rows(judged.plain, len(judged.plain_lines), schema)
        rest = text[judged.used if judged.used < cut else cut :]
        first_line += judged.lines
        yield _merged(rows, judged, schema)


def folder_values(file: Path) -> dict[str, str]:
    """Return name → value of the folders above a file that are called ``name=value``."""
    pairs = (part.split("=", 1) for part in file.parent.parts if "=" in part)
    return {name: unquote(value) for name, value in pairs}


def ahead(items: Iterator[Item], *, depth: int = 1) -> Iterator[Item]:
    """Yield `items` in order, while another thread makes up to `depth` more."""
    ready: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(depth)
    stopped = threading.Event()

    def put(item: Item | None, error: BaseException | None) -> None:
        while not stopped.is_set():
            with suppress(queue.Full):
                return ready.put((item, error), timeout=0.1)

    def work() -> None:
        try:
            for item in items:
                put(item, None)
                if stopped.is_set():
                    return
            put(None, StopIteration())
        except BaseException as error:  # noqa: BLE001 -- passed on to the reading thread, which raises it
            put(None, error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield cast(Item, item)
    finally:
        stopped.set()
        thread.join()


def _chunks(file: Path, encoding: str, line_end: bytes, size: int) -> Iterator[bytes]:
    """Yield a file's text as UTF-8 with LF line ends; the last chunk is empty."""
    decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)(errors="surrogatepass")
    held = b""
    for number, (chunk, final) in enumerate(_raw_chunks(file, size)):
        if decoder is not None:
            text = decoder.decode(chunk, final)
            chunk = (text.removeprefix("\ufeff") if number == 0 else text).encode("utf-8", errors="surrogatepass")
        elif number == 0:
            chunk = chunk.removeprefix(codecs.BOM_UTF8)
        chunk = held + chunk
        held = b"\r" if chunk.endswith(b"\r") and not final else b""  # an LF may follow
        chunk = chunk.removesuffix(held)
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(line_end, b"\n")
        if chunk:
            yield chunk
    yield b""


def _raw_chunks(file: Path, size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield a file's bytes, decompressed, with a flag on the last."""
    try:
        with pa.input_stream(str(file), compression="detect") as stream:
            while chunk := stream.read(size):
                yield chunk, False
            yield b"", True
    except OSError as error:
        raise SourceError(f"cannot read '{file}' as csv: {str(error).splitlines()[0]}") from error


def _encoding_of(file: Path) -> str:
    """Return the encoding of a file, by its first bytes."""
    first = next(_raw_chunks(file, 4096))[0]
    for mark, encoding in _MARKS.items():
        if first.startswith(mark):
            return encoding
    zeros = first[0::2].count(0), first[1::2].count(0)
    if max(zeros) > len(first) / 5:
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    return "utf-8"


def _header_in(text: bytes, file: Path, encoding: str, line_end: bytes) -> Header:
    body = text.lstrip(b"\n")
    if not body.strip():
        raise NoChartError(f"'{file}' is empty: its first line must name the columns")
    record = read_record(body if b"\n" in body else body + b"\n", 0, 0)
    end = body.find(b"\n") if record.open_ended or not record.fields else record.end
    line = body[: end if end >= 0 else len(body)]
    names = tuple(field.decode("utf-8", errors="replace").strip() for field in record.fields)
    joined = "".join(names)
    if "\0" in joined or "\N{REPLACEMENT CHARACTER}" in joined:
        raise SourceError(f"'{file}' is not UTF-8 text; name its encoding, such as --encoding latin-1")
    if len(names) == 1 and (sign := next((sign for sign in ";\t|" if sign in joined), None)):
        raise SourceError(
            f"the fields of '{file}' are separated by {sign!r}; only commas are read, so convert it first"
        )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SourceError(f"'{file}' has two columns called '{twice}'")
    return Header(names, line, encoding, line_end, len(text) - len(body) + line.count(b"\n") + 1)


def _below(text: bytes, lines: int) -> bytes:
    """Return the text after the first `lines` lines."""
    at = 0
    for _ in range(lines):
        end = text.find(b"\n", at)
        if end < 0:
            return b""
        at = end + 1
    return text[at:]


def _rows(plain: bytes, count: int, schema: dict[str, pl.String]) -> pl.DataFrame:
    """Return well-formed lines, which hold one record each, as columns."""
    if not count:
        return pl.DataFrame(schema=schema)
    rows = pl.read_csv(plain, has_header=False, schema=schema, encoding="utf8")
    if rows.height != count:
        raise AssertionError(f"{count} records were read as {rows.height}")
    return rows


def _merged(rows: pl.DataFrame, judged: Judged, schema: dict[str, pl.String]) -> Block:
    """Return plain and special records together, in order of their lines."""
    if not judged.special:
        return Block(rows, judged.plain_lines, judged.damaged)
    special = [[field or None for field in fields] for fields in judged.special.values()]
    both = pl.concat([rows, pl.DataFrame(special, schema=schema, orient="row")])
    lines = np.concatenate([judged.plain_lines, np.fromiter(judged.special, np.int64, len(special))])
    order = np.argsort(lines, kind="stable")
    return Block(both[order], lines[order], judged.damaged)
