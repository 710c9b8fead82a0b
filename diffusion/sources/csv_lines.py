"""Which physical lines of a CSV block are records, which records span lines, and which lines are damaged.

A record is well formed when each field is either quoted as a whole (``"…"``, with ``""`` for a quote within) or not
quoted at all, and when it has as many fields as the header. A quoted field may span lines. If the result is not well
formed, each physical line is judged alone, so that a quote that never closes costs only its own line.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LONGEST_RECORD: Final = 1 << 20
"""Bytes: a quoted field still open after this many never closes."""

NUL_BYTE: Final = "NUL byte"
"""Reason of a line with a NUL."""

NOT_UTF8: Final = "not UTF-8"
"""Reason of a line with bytes that are no text."""

_NEWLINE, _QUOTE = b'\n"'

_SPACE: Final = np.isin(np.arange(256), list(b" \t\n\r\x0b\x0c"))
"""(256,): whether a byte is white space."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """One physical line that is not a record.

    Attributes
    ----------
    line
        Number of the line in its file, from 1.
    reason
        What is wrong with it.
    row
        The line as text; bytes that are not UTF-8 are written ``\\xNN``.
    """

    line: int
    reason: str
    row: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The lines of a block, divided into records and damaged lines.

    Attributes
    ----------
    plain
        Bytes of the lines that are each one record.
    plain_lines
        (n,): line numbers of these in the file.
    special
        Line number → fields, for records that span lines or have quotes within an unquoted field.
    damaged
        The lines that are not records.
    used
        Bytes of the block that were judged; the rest may continue in the next block.
    lines
        Physical lines judged.
    """

    plain: bytes
    plain_lines: NDArray[np.int64]
    special: dict[int, list[str]]
    damaged: list[Damaged]
    used: int
    lines: int


@dataclass(frozen=True, slots=True)
class _Lines:
    """A block's physical lines: where each begins and ends, and whether it is one record."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    plain: NDArray[np.bool_]


def judge(
    block: bytes,
    *,
    columns: int,
    header: bytes,
    separator: bytes,
    first_line: int,
    final: bool,
    thorough: bool = True,
) -> Judged:
    """Return the records and the damaged lines of `block`.

    Parameters
    ----------
    block
        Bytes that begin at the start of a line and, unless `final`, end with a line end (LF).
    columns
        Number of fields of a record.
    header
        The header line, without its line end; a line equal to it is not a record. Empty where there is none.
    separator
        Byte between fields.
    first_line
        Number of the block's first line in the file.
    final
        Whether nothing follows the block.
    thorough
        Whether to look also for bytes that are not UTF-8 and for lines with 256 fields too many (default True). A
        parser that refuses both finds them faster.
    """
    if final and not block.endswith(b"\n"):
        block += b"\n"
    lines = _lines(block, columns, header, separator[0], thorough)
    if lines.plain.all():
        numbers = np.arange(first_line, first_line + len(lines.starts), dtype=np.int64)
        return Judged(block, numbers, {}, [], len(block), len(lines.starts))
    return _judge_one_by_one(block, lines, columns, header, separator, first_line, final)


def _lines(block: bytes, columns: int, header: bytes, separator: int, thorough: bool) -> _Lines:
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(text == _NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    if not len(ends):
        return _Lines(starts, ends, np.zeros(0, bool))
    quotes = np.flatnonzero(text == _QUOTE)
    line_of_quote = np.searchsorted(ends, quotes)
    quotes_before = np.searchsorted(quotes, starts)
    closing = (np.arange(len(quotes)) - quotes_before[line_of_quote]) % 2 == 1
    # marks are line starts and quotes in order; the separators between two marks either all count or are all quoted
    place_of_start = np.arange(len(starts)) + quotes_before
    place_of_quote = np.arange(len(quotes)) + line_of_quote + 1
    marks = np.empty(len(starts) + len(quotes), np.int64)
    marks[place_of_start], marks[place_of_quote] = starts, quotes
    # a byte overflows at 256 separators, but sums three times as fast
    wide = np.int32 if thorough else np.uint8
    signs = np.add.reduceat((text == separator).view(np.uint8), marks, dtype=wide)
    signs[place_of_quote[~closing]] = 0
    plain = np.add.reduceat(signs, place_of_start, dtype=wide) == columns - 1
    plain &= ends > starts
    # a quote must open at the start of a field, close at its end, or be half of a doubled quote
    before = np.where(quotes > 0, text[quotes - 1], _NEWLINE)
    beside = np.where(closing, text[np.minimum(quotes + 1, len(text) - 1)], before)
    plain[line_of_quote[(beside != separator) & (beside != _NEWLINE) & (beside != _QUOTE)]] = False
    plain[np.diff(quotes_before, append=len(quotes)) % 2 == 1] = False
    for sign in filter(None, (b"\0", header)):
        _mark_containing(plain, block, ends, sign)
    if thorough:
        _mark_undecodable(plain, block, starts, ends)
    return _Lines(starts, ends, plain)


def _mark_containing(plain: NDArray[np.bool_], block: bytes, ends: NDArray[np.int64], sign: bytes) -> None:
    """Mark the lines that contain `sign` as not plain."""
    at = block.find(sign)
    while at >= 0:
        line = int(np.searchsorted(ends, at))
        plain[line] = False
        at = block.find(sign, int(ends[line]))


def _mark_undecodable(
    plain: NDArray[np.bool_], block: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> None:
    """Mark the lines that are not UTF-8 as not plain."""
    try:
        block.decode("utf-8")
        return
    except UnicodeDecodeError as error:
        first = int(np.searchsorted(ends, error.start))
    high = np.flatnonzero(np.frombuffer(block, np.uint8) >= 0x80)
    for line in np.unique(np.searchsorted(ends, high)):
        if line >= first and not _is_utf8(block[starts[line] : ends[line]]):
            plain[line] = False


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _judge_one_by_one(
    block: bytes, lines: _Lines, columns: int, header: bytes, separator: bytes, first_line: int, final: bool
) -> Judged:
    starts, ends = lines.starts, lines.ends
    blank = _blank(block, lines)
    whole = ~blank
    special: dict[int, list[str]] = {}
    damaged: list[Damaged] = []
    free, used, count = 0, len(block), len(starts)
    for line in np.flatnonzero(~lines.plain & ~blank).tolist():
        if line < free:
            continue  # within a record that spans lines
        whole[line] = False
        start, end = int(starts[line]), int(ends[line])
        text = block[start:end]
        if text == header:
            damaged.append(Damaged(first_line + line, "header repeated", shown(text)))
            continue
        record = read_record(block, start, columns, separator)
        if record.open_ended and not final and len(block) - start < LONGEST_RECORD:
            whole[line:], used, count = False, start, line
            break
        problem = record.problem or _bad_bytes(block[start : record.end])
        if problem is None:
            free = int(np.searchsorted(ends, record.end)) + 1
            whole[line:free] = False
            special[first_line + line] = [field.decode("utf-8") for field in record.fields]
        else:
            damaged.append(Damaged(first_line + line, _bad_bytes(text) or problem, shown(text)))
    plain = _joined(block, lines, whole)
    return Judged(plain, first_line + np.flatnonzero(whole), special, damaged, used, count)


def _blank(block: bytes, lines: _Lines) -> NDArray[np.bool_]:
    """Return which lines have nothing but white space; a record of empty fields is not blank."""
    space = _SPACE[np.frombuffer(block, np.uint8)]
    last = np.logical_and.reduceat(space, lines.starts) if len(lines.starts) else np.zeros(0, bool)
    return last & ~lines.plain


def _joined(block: bytes, lines: _Lines, whole: NDArray[np.bool_]) -> bytes:
    """Return the bytes of the lines marked in `whole`."""
    change = np.diff(whole.astype(np.int8), prepend=0, append=0)
    begins, stops = lines.starts[change[:-1] == 1], lines.ends[np.flatnonzero(change == -1) - 1] + 1
    return b"".join(block[a:b] for a, b in zip(begins.tolist(), stops.tolist(), strict=True))


def _bad_bytes(text: bytes) -> str | None:
    if b"\0" in text:
        return NUL_BYTE
    return None if _is_utf8(text) else NOT_UTF8


def shown(text: bytes) -> str:
    """Return a damaged line as text."""
    return text.decode("utf-8", errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class Record:
    """One record read from a block.

    Attributes
    ----------
    fields
        Its fields, unquoted.
    end
        Index of its line end.
    problem
        What is wrong with it; None for a well-formed record.
    open_ended
        Whether a quote was still open where the block ended.
    """

    fields: list[bytes]
    end: int
    problem: str | None
    open_ended: bool = False


def read_record(block: bytes, start: int, columns: int | None, separator: bytes) -> Record:
    """Return the record that begins at `start`; a quote within an unquoted field is plain text.

    It has `columns` fields, or any number where that is None.
    """
    fields: list[bytes] = []
    at = start
    while True:
        if block[at : at + 1] == b'"':
            close = _closing_quote(block, at + 1, start + LONGEST_RECORD)
            if close < 0:
                return Record(fields, at, "quote never closes", open_ended=True)
            fields.append(block[at + 1 : close].replace(b'""', b'"'))
            stop = close + 1
            if block[stop : stop + 1] not in (separator, b"\n"):
                spans = b"\n" in block[start:stop]
                return Record(fields, stop, "quote never closes" if spans else "text after a closing quote")
        else:
            line_end = block.index(b"\n", at)
            sign = block.find(separator, at, line_end)
            stop = sign if sign >= 0 else line_end
            fields.append(block[at:stop])
        if block[stop : stop + 1] == b"\n":
            break
        at = stop + 1
    if columns in (None, len(fields)):
        return Record(fields, stop, None)
    if b"\n" in block[start:stop]:
        return Record(fields, stop, "quote never closes")
    return Record(fields, stop, f"{'fewer' if len(fields) < columns else 'more'} fields than the header")


def _closing_quote(block: bytes, at: int, limit: int) -> int:
    """Return the index of the closing quote, -1 where there is none."""
    while True:
        close = block.find(b'"', at, limit)
        if close < 0 or block[close + 1 : close + 2] != b'"':
            return close
        at = close + 2
