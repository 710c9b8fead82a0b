"""CSV files read as blocks of text columns, with the line of each record and all damaged lines.

polars parses; `diffusion.sources.csv_lines` decides what a record is. Blocks come in file order and have a bounded
size.
"""

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar, cast

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from diffusion.errors import SourceError
from diffusion.sources.csv_form import CsvForm
from diffusion.sources.csv_lines import NOT_UTF8, Damaged, Judged, judge
from diffusion.sources.listing import ListedFile
from diffusion.sources.text_chunks import text_chunks

BLOCK_BYTES: Final = 1 << 24
"""Bytes read at a time."""

LONGEST_LINE: Final = 1 << 26
"""Bytes: a longer line is an error."""

_NEWLINE: Final = b"\n"[0]

DAMAGED: Final = pa.schema({"file": pa.string(), "line": pa.int64(), "reason": pa.string(), "row": pa.string()})
"""Columns of a table of damaged lines."""

Item = TypeVar("Item")


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


def read_blocks(file: ListedFile, form: CsvForm, *, block: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield the records of a CSV file, block by block.

    Raises
    ------
    SourceError
        When the file cannot be read to its end.
    """
    schema = dict.fromkeys(form.names, pl.String())
    first_line, rest = 1 + form.lines, b""
    for chunk in _rows_text(file, form, block):
        text, final = rest + chunk, not chunk  # the last chunk is empty
        cut = len(text) if final else text.rfind(b"\n") + 1
        if len(text) - cut > LONGEST_LINE:
            raise SourceError(
                f"line {first_line:,} of '{file.place}' is longer than {LONGEST_LINE:,} bytes; it is not a chart"
            )
        judge_block = partial(
            judge,
            text[:cut],
            columns=len(schema),
            header=form.header,
            separator=form.separator,
            first_line=first_line,
            final=final,
        )
        judged = judge_block(thorough=False)
        try:
            rows = _rows(judged, schema, form)
        except (pl.exceptions.ComputeError, pl.exceptions.SchemaError):  # `thorough` finds these lines
            judged = judge_block(thorough=True)
            rows = _rows(judged, schema, form)
        rest = text[judged.used if judged.used < cut else cut :]
        first_line += judged.lines
        yield _merged(rows, judged, schema, form.encoding)


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


def _rows_text(file: ListedFile, form: CsvForm, size: int) -> Iterator[bytes]:
    """Yield a file's text below its header; the last chunk is empty."""
    above = form.lines
    for chunk in text_chunks(file, form.encoding, form.line_end, size):
        if not above or not chunk:
            yield chunk
            continue
        ends = np.flatnonzero(np.frombuffer(chunk, np.uint8) == _NEWLINE)
        if len(ends) >= above and (below := chunk[ends[above - 1] + 1 :]):
            yield below
        above -= min(above, len(ends))


def _rows(judged: Judged, schema: dict[str, pl.String], form: CsvForm) -> pl.DataFrame:
    """Return well-formed lines, which hold one record each, as columns."""
    count = len(judged.plain_lines)
    if not count:
        return pl.DataFrame(schema=schema)
    separator = form.separator.decode()
    rows = pl.read_csv(judged.plain, has_header=False, schema=schema, encoding="utf8", separator=separator)
    if rows.height != count:
        raise AssertionError(f"{count} records were read as {rows.height}")
    return rows


def _merged(rows: pl.DataFrame, judged: Judged, schema: dict[str, pl.String], encoding: str) -> Block:
    """Return plain and special records together, in order of their lines."""
    damaged = judged.damaged
    if encoding != "utf-8":
        reasons = {NOT_UTF8: f"not {encoding}"}
        damaged = [replace(one, reason=reasons.get(one.reason, one.reason)) for one in damaged]
    if not judged.special:
        return Block(rows, judged.plain_lines, damaged)
    special = [[field or None for field in fields] for fields in judged.special.values()]
    both = pl.concat([rows, pl.DataFrame(special, schema=schema, orient="row")])
    lines = np.concatenate([judged.plain_lines, np.fromiter(judged.special, np.int64, len(special))])
    order = np.argsort(lines, kind="stable")
    return Block(both[order], lines[order], damaged)
