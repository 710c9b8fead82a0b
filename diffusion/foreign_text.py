"""Text of strangers' files in files of ours: control characters, and cells that spreadsheets take for formulas.

Names of files, titles and artists may hold characters that change a terminal's cursor, colours or direction of text.
"""

import re
from collections.abc import Callable
from typing import Final

import pandas as pd

_CONTROLS: Final = "\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""Control characters, ends of lines and paragraphs, marks of direction, and halves of characters."""

CONTROL: Final = re.compile(f"[{_CONTROLS}]")

_ESCAPED: Final = re.compile(rf"\\(?=u[0-9a-f]{{4}})|[{_CONTROLS}]")
_ESCAPE: Final = re.compile(r"\\u([0-9a-f]{4})")
_FORMULA: Final = re.compile(r"'*[=+\-@]")
_MARKED: Final = re.compile(r"'+[=+\-@]")


def replaced(text: str) -> str:
    """Return a text with U+FFFD for each control character, except the ends of lines and tabs."""
    return CONTROL.sub(lambda found: found[0] if found[0] in "\t\n\r" else "\N{REPLACEMENT CHARACTER}", text)


def csv_cell(text: str) -> str:
    r"""Return a text for a cell of a CSV file; `read_csv_cell` returns the text again.

    A text that a spreadsheet would take for a formula gets an apostrophe first. A control character is written as
    ``\u009b`` would be in JSON, and the backslash of a text that has such a form already as ``\u005c``.

    Examples
    --------
    >>> csv_cell("=1+2"), csv_cell("-5 degrees"), csv_cell("a\x9bb"), csv_cell("plain, 'quoted'")
    ("'=1+2", "'-5 degrees", 'a\\u009bb', "plain, 'quoted'")
    """
    text = _ESCAPED.sub(_escape, text)
    return f"'{text}" if _FORMULA.match(text) else text


def read_csv_cell(cell: str) -> str:
    r"""Return the text that `csv_cell` wrote.

    Examples
    --------
    >>> [read_csv_cell(csv_cell(text)) for text in ("=1", "'=1", "'", "\x9b", r"\u009b", r"\\u005c")]
    ['=1', "'=1", "'", '\x9b', '\\u009b', '\\\\u005c']
    """
    text = cell[1:] if _MARKED.match(cell) else cell
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def csv_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with each text, in cells and in names of columns, as `csv_cell` gives it; numbers stay numbers."""
    return _each_text(table, csv_cell)


def read_csv_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table that `csv_table` was given."""
    return _each_text(table, read_csv_cell)


def json_text(text: str) -> str:
    r"""Return JSON with each control character in its texts as ``\u009b``, so that the same texts are read.

    The ends of lines between values stay.
    """
    return CONTROL.sub(lambda found: found[0] if found[0] in "\t\n\r" else _escape(found), text)


def _each_text(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    def changed(value: object) -> object:
        return change(value) if isinstance(value, str) else value

    texts = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name].dtype)]
    return table.assign(**{name: table[name].map(changed) for name in texts}).rename(columns=changed)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
