"""Damage as in real files, with a table of each case and its line."""

import csv
import io
from collections.abc import Callable
from typing import Final, Literal

import numpy as np
import pyarrow as pa

from diffusion.contracts import DAMAGE

Row = list[str]
Outcome = Literal["lost", "kept", "either", "again", "no row"]

OUTCOMES: Final[dict[str, Outcome]] = {
    "unclosed_quote": "lost",
    "missing_field": "lost",
    "extra_field": "lost",
    "cut_short": "lost",
    "bad_date": "lost",
    "bad_rank": "lost",
    "bad_streams": "lost",
    "unknown_region": "lost",
    "no_track": "lost",
    "shifted_left": "either",
    "nul": "either",
    "not_utf8": "either",
    "no_track_id": "kept",
    "rank_with_point": "kept",
    "streams_with_comma": "kept",
    "line_end_in_title": "kept",
    "blanks_around": "kept",
    "repeated_row": "again",
    "repeated_header": "no row",
}
"""Kind of damage → outcome for the row: it cannot be trusted (lost), it reads as before (kept), a reader may repair it
(either), it repeats the row before (again), or it is not a row (no row)."""

_TITLE, _RANK, _DATE, _URL, _REGION, _STREAMS, _TRACK = 0, 1, 2, 4, 5, 8, 9


class Damage:
    """Damages a share of the rows of a CSV file, piece by piece, and records each case.

    Parameters
    ----------
    header
        First line of the file, which is written already.
    share
        Share of the rows, 0 … 1.
    rng
        Random generator.
    """

    def __init__(self, header: str, share: float, rng: np.random.Generator) -> None:
        self._header = header.encode()
        self._share = share
        self._rng = rng
        self._line = 1
        self._lines: list[int] = []
        self._kinds: list[str] = []

    def damage(self, text: bytes) -> bytes:
        """Return the next lines of the file, one record each, with some of them damaged."""
        lines = text.splitlines(keepends=True)  # our fields have no line ends
        chosen = np.flatnonzero(self._rng.random(len(lines)) < self._share)
        kinds = self._rng.choice(list(OUTCOMES), len(chosen))
        further = 0
        for at, drawn in zip(chosen.tolist(), kinds.tolist(), strict=True):
            before, record, kind = self._damaged(lines[at].rstrip(b"\n"), drawn)
            place = self._line + at + 1 + further + (kind == "repeated_row")
            self._lines.append(place)
            self._kinds.append(kind)
            lines[at] = before + record + b"\n"
            further += lines[at].count(b"\n") - 1
        self._line += len(lines) + further
        return b"".join(lines)

    def table(self, file: str) -> pa.Table:
        """Return one row per case: `file`, `line` (first line of the record; the header is line 1) and `kind`."""
        return pa.table(
            {"file": [file] * len(self._lines), "line": self._lines, "kind": self._kinds}, schema=DAMAGE.schema
        )

    def _damaged(self, line: bytes, kind: str) -> tuple[bytes, bytes, str]:
        """Return the text before the record, the record, and the kind of damage, another if `kind` is impossible."""
        if kind == "repeated_header":
            return self._header + b"\n", line, kind
        if kind == "repeated_row":
            return line + b"\n", line, kind
        if kind == "unclosed_quote":
            head, quote, tail = line.rpartition(b'"')
            return b"", head + tail if quote else b'"' + line, kind
        row = next(csv.reader([line.decode()]))
        if kind == "streams_with_comma" and len(row[_STREAMS]) < len("1000.0"):
            kind = "rank_with_point"
        if kind == "no_track_id" and not row[_TRACK]:
            kind = "no_track"
        record = _joined(_CHANGES[kind](row, self._rng))
        if kind == "not_utf8":
            record = record.replace("\N{REPLACEMENT CHARACTER}".encode(), b"\xe9")
        return b"", record, kind


def _joined(row: Row) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)  # the writer quotes only this kind of line end
    return text.getvalue()[:-1].encode()


def _with(column: int, *values: str) -> Callable[[Row, np.random.Generator], Row]:
    """Return a change that sets a column to one of the values."""

    def change(row: Row, rng: np.random.Generator) -> Row:
        return [*row[:column], values[rng.integers(len(values))], *row[column + 1 :]]

    return change


def _missing(row: Row, rng: np.random.Generator) -> Row:
    at = int(rng.integers(1, len(row)))
    return row[:at] + row[at + 1 :]


def _extra(row: Row, rng: np.random.Generator) -> Row:
    at = int(rng.integers(1, len(row)))
    return [*row[:at], "?", *row[at:]]


def _cut(row: Row, rng: np.random.Generator) -> Row:
    return row[: int(rng.integers(2, len(row) - 1))]


def _title(pattern: str) -> Callable[[Row, np.random.Generator], Row]:
    """Return a change of the title."""
    return lambda row, _: [pattern.format(row[_TITLE]), *row[1:]]


def _blanks(row: Row, _: np.random.Generator) -> Row:
    return [f"  {field}  " if at in (_RANK, _DATE, _REGION) else field for at, field in enumerate(row)]


def _no_track(row: Row, _: np.random.Generator) -> Row:
    return ["" if at in (_URL, _TRACK) else field for at, field in enumerate(row)]


def _with_comma(row: Row, _: np.random.Generator) -> Row:
    return [*row[:_STREAMS], f"{int(float(row[_STREAMS])):,}", *row[_STREAMS + 1 :]]


def _with_point(row: Row, _: np.random.Generator) -> Row:
    return [row[_TITLE], f"{row[_RANK]}.0", *row[_DATE:]]


_CHANGES: Final[dict[str, Callable[[Row, np.random.Generator], Row]]] = {
    "missing_field": _missing,
    "extra_field": _extra,
    "cut_short": _cut,
    "bad_date": _with(_DATE, "", "2017-13-45", "yesterday", "0000-00-00"),
    "bad_rank": _with(_RANK, "", "0", "-3", "99999", "first"),
    "bad_streams": _with(_STREAMS, "-5.0", "-253019.0"),
    "unknown_region": _with(_REGION, "", "Atlantis"),
    "no_track": _no_track,
    "shifted_left": lambda row, _: [*row[1:], ""],
    "nul": _title("{}\0"),
    "not_utf8": _title("{}\N{REPLACEMENT CHARACTER}"),
    "no_track_id": _with(_TRACK, ""),
    "rank_with_point": _with_point,
    "streams_with_comma": _with_comma,
    "line_end_in_title": _title("{}\nof two lines"),
    "blanks_around": _blanks,
}
