"""Small CSV files of common encodings and delimiters; each row must have as many cells as the header."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diffusion import SourceError

LARGEST = 100_000_000
"""Bytes: a larger file is not a table of countries or of their distances."""

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class SmallCsv:
    """A small CSV file as text.

    Attributes
    ----------
    path
        Path of the file.
    encoding
        Encoding: by the byte order mark, else ``utf-8``, else ``latin-1``, which accepts all bytes.
    header
        Column names, trimmed.
    rows
        One tuple of trimmed cells per row, without blank rows; as many cells as the header.
    lines
        Line in the file, from 1, on which each of `rows` begins.
    blank_rows
        Number of rows without any text; they are left out.
    """

    path: Path
    encoding: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    blank_rows: int

    def take(self, columns: list[int]) -> "SmallCsv":
        """Return the file with only the columns at these positions."""
        rows = tuple(tuple(row[column] for column in columns) for row in self.rows)
        header = tuple(self.header[column] for column in columns)
        return SmallCsv(self.path, self.encoding, header, rows, self.lines, self.blank_rows)


def read_small_csv(path: str | Path) -> SmallCsv:
    """Return a small CSV file; its delimiter is the most frequent of comma, semicolon and tab in the first line.

    Raises
    ------
    SourceError
        When the file cannot be read, is empty, too large or not text, or a row and the header differ in number of
        cells.
    """
    path = Path(path)
    text, encoding = _text(path)
    first = text.split("\n", 1)[0]
    rows, lines, blank = [], [], 0
    for line, cells in _records(path, text, max(",;\t", key=first.count)):
        if any(cells):
            rows.append(cells)
            lines.append(line)
        else:
            blank += 1
    if len(rows) < 2:
        raise SourceError(f"'{path}' has no rows below a header; give a CSV file with one")
    width = len(rows[0])
    for index, (cells, line) in enumerate(zip(rows, lines, strict=True)):
        if len(cells) < width or any(cells[width:]):
            raise SourceError(f"'{path}' line {line} has {len(cells)} cells, the header {width}; correct the line")
        rows[index] = cells[:width]
    return SmallCsv(path, encoding, rows[0], tuple(rows[1:]), tuple(lines[1:]), blank)


def check_small(path: Path) -> None:
    """Raise an error if a file is too large to be read at once.

    Raises
    ------
    SourceError
        When it is larger than `LARGEST`.
    OSError
        When it does not exist.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise SourceError(
            f"'{path}' has {size:,} bytes, tables of countries and of distances a few million; name one of these"
        )


def _text(path: Path) -> tuple[str, str]:
    """Return the text and the encoding of a file."""
    try:
        check_small(path)
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read '{path}': {error.strerror}; name a CSV file") from error
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "latin-1"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text, encoding.removesuffix("-sig")
    raise SourceError(f"'{path}' is no text file; save the table as CSV")


def _records(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the line on which each record begins, and its trimmed cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begin = 1
    try:
        for cells in reader:
            yield begin, tuple(cell.strip() for cell in cells)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise SourceError(f"'{path}', record from line {begin}, is no CSV ({error}); correct its quotes") from error
