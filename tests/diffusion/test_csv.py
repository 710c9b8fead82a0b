"""Reading CSV: which lines are records, against a plain twin, Python's csv module, and by hand; encodings."""

import csv
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffusion
from diffusion.sources.csv_files import Block, ahead, read_blocks
from diffusion.sources.csv_form import CsvForm, read_form
from diffusion.sources.listing import ListedFile

HEADER = "a,b,c"
FIELDS = 3


def read(
    path: Path, *, block: int = 1 << 24, encoding: str | None = None, form: CsvForm | None = None
) -> tuple[list[Block], dict[int, list[str]]]:
    """Return a file's blocks, and line → fields of all its records, missing ones empty."""
    file = ListedFile(path, "csv")
    blocks = list(read_blocks(file, form or read_form(file, encoding=encoding), block=block))
    rows = {
        int(line): [field or "" for field in row]
        for part in blocks
        for line, row in zip(part.lines, part.rows.rows(), strict=True)
    }
    return blocks, rows


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "charts.csv"
    path.write_bytes(content)
    return path


# ── the twin: one character after the other ──────────────────────────────────────────────────────────────────────────


def record_at(text: str, start: int, separator: str) -> tuple[list[str], int] | None:
    """Return the fields of the record that begins at `start` and where its line ends; None where it is malformed."""
    fields, field, quoted, at = [], "", False, start
    while True:
        sign = text[at] if at < len(text) else "\n"
        begins = at == start or (text[at - 1] == separator and not quoted and not field)
        if quoted and sign == '"' and text[at + 1 : at + 2] == '"':
            field, at = field + '"', at + 1
        elif quoted and sign == '"':
            quoted = False
            if text[at + 1 : at + 2] not in (separator, "\n", ""):
                return None
        elif quoted and at >= len(text):
            return None
        elif quoted:
            field += sign
        elif sign == '"' and begins:
            quoted = True
        elif sign in (separator, "\n"):
            fields.append(field)
            field = ""
            if sign == "\n":
                return fields, at
        else:
            field += sign
        at += 1


def twin(body: str, separator: str) -> tuple[dict[int, list[str]], set[int]]:
    """Return line → fields of the records below a header on line 1, and the lines that are damaged."""
    lines = body.split("\n")
    records, damaged, number, at = {}, set(), 2, 0
    for _ in lines:
        if at > len(body) or (at == len(body)):
            break
        end = body.find("\n", at)
        end = len(body) if end < 0 else end
        line = body[at:end]
        found = record_at(body, at, separator)
        if line == HEADER.replace(",", separator):
            damaged.add(number)
        elif found and len(found[0]) == FIELDS:
            records[number] = found[0]
            number += body.count("\n", at, found[1])
            end = found[1]
        elif line.strip():
            damaged.add(number)
        number, at = number + 1, end + 1
    return records, damaged


PIECES = st.sampled_from(["a", '"', '""', ",", ",", "\n", "\n", '"x,y"', '"q\nr"', "é", " ", HEADER, "1,2,3\n", '",'])
SEPARATORS = st.sampled_from([",", ";", "\t", "|"])


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(st.lists(PIECES, max_size=40).map("".join), SEPARATORS, st.sampled_from([1, 2, 5, 16, 1 << 24]))
def test_the_twin_agrees(tmp_path_factory: pytest.TempPathFactory, body: str, separator: str, block: int) -> None:
    header, body = (text.replace(",", separator) for text in (HEADER, body))
    path = write(tmp_path_factory.mktemp("csv"), f"{header}\n{body}".encode())
    form = CsvForm(("a", "b", "c"), header.encode(), separator=separator.encode())
    blocks, rows = read(path, block=block, form=form)
    records, damaged = twin(body, separator)
    assert rows == records
    assert [one.line for part in blocks for one in part.damaged] == sorted(damaged)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.lists(TEXTS, min_size=3, max_size=3)),
    SEPARATORS,
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from([7, 1 << 24]),
)
def test_what_pythons_csv_module_writes_is_read_as_it_reads_it(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], separator: str, quoting: int, block: int
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator="\n").writerows([["a", "b", "c"], *rows])
    path = write(tmp_path_factory.mktemp("csv"), text.getvalue().encode())
    header = text.getvalue().split("\n", 1)[0].encode()
    blocks, found = read(path, block=block, form=CsvForm(("a", "b", "c"), header, separator=separator.encode()))
    text.seek(0)
    same = [row for row in list(csv.reader(text, delimiter=separator))[1:] if row != ["a", "b", "c"]]
    assert list(found.values()) == same
    assert {one.reason for part in blocks for one in part.damaged} <= {"header repeated"}


# ── by hand ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "damaged"),
    [
        (b'"open,2,3\n4,5,6\n"x, y",8,9\n', [(2, "quote never closes", '"open,2,3')]),
        (b'1,2,"open\n4,5,6\n', [(2, "quote never closes", '1,2,"open')]),
        (b"1,2\n4,5,6\n", [(2, "fewer fields than the header", "1,2")]),
        (b"1,2,3,4\n4,5,6\n", [(2, "more fields than the header", "1,2,3,4")]),
        (b"1,2,3\n4,5", [(3, "fewer fields than the header", "4,5")]),
        (b'"a"b,2,3\n4,5,6\n', [(2, "text after a closing quote", '"a"b,2,3')]),
        (b"1,\0,3\n4,5,6\n", [(2, "NUL byte", "1,\0,3")]),
        (b"1,\xe9,3\n4,5,6\n", [(2, "not UTF-8", r"1,\xe9,3")]),
        (b"1,2,3\na,b,c\n4,5,6\n", [(3, "header repeated", HEADER)]),
        (b"1,2" + b",2" * 257 + b"\n4,5,6\n", [(2, "more fields than the header", "1,2" + ",2" * 257)]),
        (b"1,2,3" + b",2" * 256 + b"\n4,5,6\n", [(2, "more fields than the header", "1,2,3" + ",2" * 256)]),
    ],
)
def test_a_damaged_line_costs_itself_only(tmp_path: Path, body: bytes, damaged: list[tuple[int, str, str]]) -> None:
    blocks, rows = read(write(tmp_path, b"a,b,c\n" + body))
    assert [(one.line, one.reason, one.row) for part in blocks for one in part.damaged] == damaged
    lines = body.rstrip(b"\n").count(b"\n") + 1
    assert len(rows) == lines - len(damaged)


def test_titles_may_hold_anything(tmp_path: Path) -> None:
    titles = ["x" * 10_000, "שלום 🎵", "two\nlines", 'he said "hi"', "a\rb", ", ,", "=cmd()", "'; DROP TABLE charts"]
    body = "".join(f'"{title.replace(chr(34), chr(34) * 2)}",1,2\n' for title in titles)
    _, rows = read(write(tmp_path, f"{HEADER}\n{body}".encode()))
    assert [row[0] for row in rows.values()] == titles
    assert list(rows) == [2, 3, 4, 6, 7, 8, 9, 10]


def test_a_quote_within_an_unquoted_field_is_a_quote(tmp_path: Path) -> None:
    _, rows = read(write(tmp_path, b'a,b,c\nhe said "hi",2,3\n4,5",6\n'))
    assert rows == {2: ['he said "hi"', "2", "3"], 3: ["4", '5"', "6"]}


def test_a_quote_that_never_closes_does_not_read_the_file_again_and_again(tmp_path: Path) -> None:
    body = b'"open,2,3\n' * 2_000 + b"4,5,6\n" * 500_000
    blocks, rows = read(write(tmp_path, b"a,b,c\n" + body))
    assert len(rows) == 500_000
    assert sum(len(part.damaged) for part in blocks) == 2_000


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("block", [3, 1 << 24])
def test_encodings_and_line_ends_are_seen(tmp_path: Path, encoding: str, end: str, block: int) -> None:
    text = end.join(["a,b,c", "é,🎵,3", '"4, 5",5,6', ""])
    blocks, rows = read(write(tmp_path, text.encode(encoding)), block=block)
    assert rows == {2: ["é", "🎵", "3"], 3: ["4, 5", "5", "6"]}
    assert not any(part.damaged for part in blocks)


def test_other_encodings_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,c\né,2,3\n".encode("latin-1"))
    blocks, rows = read(path)
    assert not rows
    assert [one.reason for part in blocks for one in part.damaged] == ["not UTF-8"]
    assert read(path, encoding="latin-1")[1] == {2: ["é", "2", "3"]}
    with pytest.raises(diffusion.SettingError, match="unknown encoding 'klingon'"):
        read_form(ListedFile(path, "csv"), encoding="klingon")


def test_compressed_files_read_alike_and_a_cut_one_says_so(tmp_path: Path) -> None:
    content = b"a,b,c\n" + b"1,2,3\n" * 100_000
    packed = tmp_path / "charts.csv.gz"
    packed.write_bytes(gzip.compress(content))
    assert len(read(packed)[1]) == 100_000
    zst = tmp_path / "charts.csv.zst"
    zst.write_bytes(pa.compress(content, "zstd", asbytes=True))
    assert len(read(zst)[1]) == 100_000
    packed.write_bytes(packed.read_bytes()[:-50])
    with pytest.raises(diffusion.SourceError, match=r"cannot read '.*charts\.csv\.gz' as csv"):
        read(packed)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a\nb\nc\n", "holds no table: no line has fields separated by .*; it begins with 'a'"),
        (b"a" * 70_000, "is longer than 65,536 bytes"),
        (b"," * 400_000, "is longer than 65,536 bytes"),
        (b"\0\1\2", "not UTF-8"),
        (b"a,b,a\n1,2,3\n", "two columns called 'a'"),
        (b"a,\xe9,c\n1,2,3\n", "not UTF-8"),
    ],
)
def test_a_header_that_is_none_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(diffusion.SourceError, match=message):
        read_form(ListedFile(write(tmp_path, content), "csv"))


def test_blank_lines_are_no_rows_but_count_as_lines(tmp_path: Path) -> None:
    blocks, rows = read(write(tmp_path, b"\n\na,b,c\n\n1,2,3\n  \n4,5,6"))
    assert rows == {5: ["1", "2", "3"], 7: ["4", "5", "6"]}
    assert not any(part.damaged for part in blocks)


def test_making_ahead_keeps_order_and_hands_errors_on() -> None:
    assert list(ahead(iter(range(100)))) == list(range(100))

    def failing():  # type: ignore[no-untyped-def]
        yield 1
        raise OSError("gone")

    items = ahead(failing())
    assert next(items) == 1
    with pytest.raises(OSError, match="gone"):
        next(items)
    ahead(iter(range(100))).close()
    begun = ahead(iter(range(100)))
    next(begun)
    begun.close()
