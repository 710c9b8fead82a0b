"""The form of a CSV file, judged by its first part: encoding, separator, lines above the header, header or none."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from diffusion.errors import NoChartError
from diffusion.sources.csv_lines import read_record
from diffusion.sources.headers import NO_TEXT, distinct_names, first_full_row, names_columns, numbered
from diffusion.sources.listing import ListedFile
from diffusion.sources.text_chunks import find_encoding, text_chunks

JUDGED_BYTES: Final = 1 << 16
"""Bytes of a file, below the blank lines at its top, that its form is judged by."""

JUDGED_RECORDS: Final = 200
"""Records that the form is judged by."""

SEPARATORS: Final = (b",", b";", b"\t", b"|")

WIDE: Final = 40
"""Fields: a line of more counts no more than this when separators are compared."""


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How to read a CSV file.

    Attributes
    ----------
    names
        Column names; ``1``, ``2``, … where the file has no header.
    header
        The header in UTF-8, without its line end; empty where the file has none.
    first_row
        Where the file has no header, the fields of its first row; None otherwise.
    separator
        Byte between fields.
    encoding
        Encoding of the file.
    line_end
        CR where all lines end in CR alone, LF otherwise.
    above
        Lines above the table that are not blank: titles, notes and comments.
    lines
        Physical lines above the first row, with the header.
    """

    names: tuple[str, ...]
    header: bytes
    first_row: tuple[str, ...] | None = None
    separator: bytes = b","
    encoding: str = "utf-8"
    line_end: bytes = b"\n"
    above: tuple[str, ...] = ()
    lines: int = 1

    def said(self) -> tuple[str, ...]:
        """Return what differs from plain CSV."""
        sign = {b"\t": "tab"}.get(self.separator, f"'{self.separator.decode()}'")
        return (
            *([] if self.encoding == "utf-8" else [f"encoding {self.encoding}"]),
            *([] if self.separator == b"," else [f"fields separated by {sign}"]),
            *([f"{len(self.above)} line{'s' * (len(self.above) > 1)} above the table left out"] if self.above else []),
            *([] if self.first_row is None else ["no header: columns are numbered"]),
        )


@dataclass(frozen=True, slots=True)
class _Top:
    """One record, or one line that is none, of a file's first part.

    `fields` are empty for a line that is no record; `line` counts the lines above it, `end` those up to its own last.
    """

    fields: tuple[str, ...]
    text: bytes
    line: int
    end: int


def read_form(file: ListedFile, *, encoding: str | None = None, header: bool | None = None) -> CsvForm:
    """Return the form of a CSV file.

    Parameters
    ----------
    file
        CSV, also compressed or in an archive.
    encoding
        Name of the encoding, such as ``latin-1``; a mark (BOM) in the file goes before it. By default it is UTF-8,
        UTF-16 or UTF-32, as the first bytes look.
    header
        Whether the first line of the table names the columns (default: as it looks).

    Raises
    ------
    NoChartError
        When the file is empty, or no line has fields.
    SourceError
        When the file cannot be read, or its header is not text or names a column twice.
    SettingError
        When `encoding` is no encoding of text files.
    """
    found = find_encoding(file, encoding)
    blank, text, whole = _first_part(file, found)
    line_end = b"\r" if b"\r" in text and b"\n" not in text else b"\n"
    text = text.replace(line_end, b"\n")
    if not text.strip():
        raise NoChartError(f"'{file.place}' is empty: its first line must name the columns")
    if not whole:
        text = text[: text.rfind(b"\n") + 1]
    if not text:
        raise NoChartError(f"the first line of '{file.place}' is longer than {JUDGED_BYTES:,} bytes; it is no header")
    separator, table, above = _table(text, file)
    first = table[0]
    named = names_columns([one.fields for one in table]) if header is None else header
    return CsvForm(
        distinct_names(first.fields, file.place) if named else numbered(len(first.fields)),
        first.text if named else b"",
        None if named else first.fields,
        separator,
        found,
        line_end,
        above,
        blank + (first.end if named else first.line),
    )


def _first_part(file: ListedFile, encoding: str) -> tuple[int, bytes, bool]:
    """Return the number of blank lines at the top, the text below them, and whether that is all of it."""
    blank, text = 0, b""
    for chunk in text_chunks(file, encoding, b"\n", JUDGED_BYTES):
        text += chunk
        space = text[: len(text) - len(text.lstrip())]
        blank, text = blank + space.count(b"\n"), text[space.rfind(b"\n") + 1 :]
        if len(text) >= JUDGED_BYTES:
            return blank, text, False
    return blank, text, True


def _table(text: bytes, file: ListedFile) -> tuple[bytes, list[_Top], tuple[str, ...]]:
    """Return the separator, the records of the table, and the lines above it that are not blank.

    The separator is the one that divides most lines into the same number of fields. The table begins with the first of
    these lines that is not much emptier than they are: a note may be written as ``,,,"note",``.
    """
    best, score = (b",", 0), 0
    read: dict[bytes, list[_Top]] = {}
    for separator in (separator for separator in SEPARATORS if separator in text):
        read[separator] = _records(text, separator)
        widths = Counter(len(one.fields) for one in read[separator] if len(one.fields) > 1)
        for width, count in widths.most_common(1):
            found = count**2 * min(width, WIDE)  # one line of many signs must not outweigh the others
            if found > score:
                best, score = (separator, width), found
    if not score:
        raise _no_table(text, file)
    separator, width = best
    top = first_full_row([one.fields for one in read[separator]], width)
    table = [one for one in read[separator][top:] if len(one.fields) == width]
    return separator, table, tuple(one.text.decode("utf-8", "replace") for one in read[separator][:top])


def _records(text: bytes, separator: bytes) -> list[_Top]:
    """Return the first records, and the lines that are none, without blank lines."""
    text = text if text.endswith(b"\n") else text + b"\n"
    found: list[_Top] = []
    at, line = 0, 0
    while at < len(text) and len(found) < JUDGED_RECORDS:
        record = read_record(text, at, None, separator)
        end = text.index(b"\n", at) if record.problem else record.end
        after = line + text.count(b"\n", at, end + 1)
        if text[at:end].strip():
            fields = () if record.problem else tuple(field.decode("utf-8", "replace") for field in record.fields)
            found.append(_Top(fields, text[at:end], line, after))
        at, line = end + 1, after
    return found


def _no_table(text: bytes, file: ListedFile) -> NoChartError:
    try:
        begin = text.split(b"\n", 1)[0].decode("utf-8").strip()
    except UnicodeDecodeError:
        begin = "\0"
    if "\0" in begin:
        return NoChartError(f"'{file.place}' {NO_TEXT}")
    return NoChartError(
        f"'{file.place}' holds no table: no line has fields separated by ',', ';', tab or '|'; it begins with "
        f"'{begin[:60]}'"
    )
