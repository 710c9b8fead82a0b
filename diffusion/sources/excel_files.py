"""Excel files (.xlsx) read as blocks of text columns: the first sheet with a table. Needs the extra ``excel``."""

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from diffusion.errors import NoChartError, SourceError
from diffusion.sources.archives import UNREADABLE
from diffusion.sources.cells import block_of, cell_text
from diffusion.sources.csv_files import Block
from diffusion.sources.csv_lines import Damaged
from diffusion.sources.headers import distinct_names, first_full_row, names_columns, numbered
from diffusion.sources.listing import ListedFile
from diffusion.sources.text_chunks import unreadable, whole_bytes

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

LARGEST: Final = 1 << 27
"""Bytes of a file."""

LARGEST_UNPACKED: Final = 1 << 29
"""Bytes of a file's parts; they are held in memory."""

MOST_CELLS: Final = 1 << 26
"""Cells between the first and the last of a sheet, with the empty ones; they are held in memory."""

JUDGED_ROWS: Final = 200
"""Rows that a sheet is judged by."""

ROWS: Final = 1 << 14
"""Rows per block."""

_PANIC: Final = "PanicException"
"""Name of the exception, no child of `Exception`, that the reader raises where it finds an error of its own."""

_SHEET: Final = re.compile(r"xl/worksheets/.*\.xml", re.IGNORECASE)
_CELL_ROW: Final = re.compile(rb"""\br\s*=\s*["'][A-Z]*(\d{1,7})["']""")
_WIDE: Final = {
    width: re.compile(rb"""\br\s*=\s*["']""" + column + rb"\d") for width, column in
    ((16_384, rb"[A-Z]{3}"), (702, rb"[B-Z][A-Z]"), (52, rb"A[A-Z]"))
}  # fmt: skip
"""Number of columns → a cell in a column that only a sheet with up to so many has."""


@dataclass(frozen=True, slots=True)
class ExcelForm:
    """How to read an Excel file.

    Attributes
    ----------
    names
        Column names; ``1``, ``2``, … where the sheet has no header.
    first_row
        Where the sheet has no header, the fields of its first row; None otherwise.
    sheet
        Name of the sheet.
    above
        Rows of the sheet above the first row of values.
    """

    names: tuple[str, ...]
    first_row: tuple[str, ...] | None
    sheet: str
    above: int


def read_excel_form(file: ListedFile, *, header: bool | None = None) -> ExcelForm:
    """Return the form of an Excel file: its first sheet with a header, else its first sheet with values.

    Parameters
    ----------
    file
        File, or member of an archive.
    header
        Whether the first row of the table names the columns (default: as it looks).

    Raises
    ------
    NoChartError
        When no sheet has two columns.
    SourceError
        When python-calamine is not installed, or the file cannot be read or has a password.
    """
    book = _workbook(file)
    forms = [form for name in book.sheet_names if (form := _sheet_form(book, name, file, header))]
    if not forms:
        raise NoChartError(f"'{file.place}' holds no table: no sheet has two columns with values")
    return next((form for form in forms if form.first_row is None), forms[0])


def read_excel(file: ListedFile, form: ExcelForm) -> Iterator[Block]:
    """Yield the rows of an Excel file, block by block; the line of a row is its number in the sheet.

    Raises
    ------
    SourceError
        When the file cannot be read.
    """
    rows = enumerate(_rows(_workbook(file), form.sheet, file), 1)
    for _ in islice(rows, form.above):
        continue
    while part := dict(islice(rows, ROWS)):
        damaged: list[Damaged] = []
        yield block_of(form.names, {line: row for line, row in part.items() if any(row)}, damaged)


def _workbook(file: ListedFile) -> "CalamineWorkbook":
    try:
        from python_calamine import CalamineWorkbook
    except ImportError as error:
        raise SourceError(
            f"reading '{file.place}' needs python-calamine: pip install 'chart-diffusion[excel]'"
        ) from error
    content = whole_bytes(file, LARGEST, "save its charts as CSV")
    _check_size(file, content)
    with _reported(file):
        return CalamineWorkbook.from_filelike(io.BytesIO(content))


def _check_size(file: ListedFile, content: bytes) -> None:
    """Raise an error where the parts of a file, or the cells of a sheet, are too many for memory."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > LARGEST_UNPACKED:
                raise SourceError(f"'{file.place}' unpacks to more than {LARGEST_UNPACKED:,} bytes; save it as CSV")
            for name in filter(_SHEET.fullmatch, parts.namelist()):
                sheet = parts.read(name)
                width = next((width for width, cell in _WIDE.items() if cell.search(sheet)), 26)
                height = max((int(row) for row in _CELL_ROW.findall(sheet)), default=0)
                if width * height > MOST_CELLS:
                    raise SourceError(
                        f"'{file.place}' has a sheet of {height:,} rows and up to {width:,} columns; save it as CSV"
                    )
    except SourceError:
        raise
    except UNREADABLE as error:
        raise unreadable(file, error) from error


def _rows(book: "CalamineWorkbook", sheet: str, file: ListedFile) -> Iterator[list[str | None]]:
    """Yield the rows of a sheet as texts, from its first."""
    with _reported(file):
        for row in book.get_sheet_by_name(sheet).iter_rows():
            yield [cell_text(value) or None for value in row]


@contextmanager
def _reported(file: ListedFile) -> Iterator[None]:
    """Raise `SourceError` with one line for what the reader raises."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise
        raise unreadable(file, error) from error


def _sheet_form(book: "CalamineWorkbook", name: str, file: ListedFile, header: bool | None) -> ExcelForm | None:
    """Return the form of a sheet, None where it has no table."""
    rows = [[cell or "" for cell in row] for row in islice(_rows(book, name, file), JUDGED_ROWS)]
    if not any(sum(map(bool, row)) > 1 for row in rows):
        return None
    top = first_full_row(rows, len(rows[0]))
    table = [row for row in rows[top:] if any(row)]
    named = names_columns(table) if header is None else header
    names = distinct_names(table[0], file.place) if named else numbered(len(table[0]))
    return ExcelForm(names, None if named else tuple(table[0]), name, top + 1 if named else top)
