"""The form of CSV files: separators, headers, encodings, archives, folders, and nonsense in bounded time."""

import gzip
import io
import time
import zipfile
from collections.abc import Sequence
from encodings.aliases import aliases
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffusion
from diffusion.errors import DiffusionError, NoChartError
from diffusion.sources.chart_files import OpenFile, open_chart_file
from diffusion.sources.listing import ListedFile, list_files

NAMES = ("rank", "date", "title", "streams")
ROWS = [(str(rank), "2022-01-01", f"Song {rank}", str(1000 - rank)) for rank in range(1, 21)]

Row = tuple[str | None, ...]


def lines(rows: Sequence[tuple[str, ...]], separator: str = ",") -> str:
    return "".join(separator.join(row) + "\n" for row in rows)


def open_text(tmp_path: Path, content: str | bytes, *, encoding: str | None = None, name: str = "c.csv") -> OpenFile:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_chart_file(ListedFile(path, "csv"), encoding=encoding)


def read(file: OpenFile) -> tuple[dict[int, Row], dict[int, str]]:
    """Return line → row, and line → reason of the damaged lines."""
    rows: dict[int, Row] = {}
    damaged: dict[int, str] = {}
    for block, _ in file.blocks():
        rows |= dict(zip(block.lines.tolist(), block.rows.rows(), strict=True))
        damaged |= {one.line: one.reason for one in block.damaged}
    return rows, damaged


# ── separators ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("separator", "said"),
    [
        (",", ()),
        (";", ("fields separated by ';'",)),
        ("\t", ("fields separated by tab",)),
        ("|", ("fields separated by '|'",)),
    ],
)
def test_the_separator_is_seen_and_said(tmp_path: Path, separator: str, said: tuple[str, ...]) -> None:
    file = open_text(tmp_path, lines([NAMES, *ROWS], separator))
    assert (file.names, file.said, file.first_row) == (NAMES, said, None)
    rows, damaged = read(file)
    assert list(rows.values()) == ROWS
    assert not damaged


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_commas_within_fields_do_not_separate(tmp_path: Path, separator: str) -> None:
    rows: list[tuple[str, ...]] = [
        (rank, date, f"{title}, live, {rank}", f"{streams},5") for rank, date, title, streams in ROWS
    ]
    file = open_text(tmp_path, lines([NAMES, *rows], separator))
    assert file.names == NAMES
    assert list(read(file)[0].values()) == rows


def test_one_line_of_many_signs_does_not_choose_the_separator(tmp_path: Path) -> None:
    file = open_text(tmp_path, lines([NAMES, *ROWS]) + ";" * 5_000 + "\n")
    assert file.names == NAMES
    assert read(file)[1] == {22: "fewer fields than the header"}


FIELDS = st.text(st.sampled_from("ab 1,;|\t\"\n'é#"), max_size=6)


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(FIELDS, FIELDS), min_size=3, max_size=12), st.sampled_from(",;\t|"))
def test_quoted_tables_are_read_whatever_their_fields_hold(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str]], separator: str
) -> None:
    rows: list[tuple[str, ...]] = [("rank", "date", "title", "artist", "streams")]
    rows += [(str(rank), "2022-01-01", *both, "99") for rank, both in enumerate(texts, 1)]
    quoted = [tuple('"' + field.replace('"', '""') + '"' for field in row) for row in rows]
    file = open_text(tmp_path_factory.mktemp("form"), lines(quoted, separator))
    assert file.names == rows[0]
    assert [tuple(field or "" for field in row) for row in read(file)[0].values()] == rows[1:]


# ── above, below and without a header ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("above", "count"),
    [
        ("Daily charts, exported 2022\n\n", 1),
        ("# exported\n# by hand\n", 2),
        ('\n"Saturday, 22 August 2026 [performance over the past 7 days]"\n', 1),
        (',,"Note that these figures are generated, and protected.",\n', 1),
        ("Country,Sweden\nChart,top200\n\n\n", 2),
        ("\n\n \n", 0),
        ('"a title\non two lines"\n', 1),
    ],
)
def test_lines_above_the_header_are_left_out_and_counted(tmp_path: Path, above: str, count: int) -> None:
    file = open_text(tmp_path, above + lines([NAMES, *ROWS]))
    assert file.names == NAMES
    assert file.said == ((f"{count} line{'s' * (count > 1)} above the table left out",) if count else ())
    rows, damaged = read(file)
    first = above.count("\n") + 2
    assert rows == dict(enumerate(ROWS, first))
    assert not damaged


@pytest.mark.parametrize(
    ("footer", "damaged"),
    [("Total,2800\n", {22: "fewer fields than the header"}), ("\n# end\n", {23: "fewer fields than the header"})],
)
def test_a_footer_is_a_damaged_line(tmp_path: Path, footer: str, damaged: dict[int, str]) -> None:
    rows, found = read(open_text(tmp_path, lines([NAMES, *ROWS]) + footer))
    assert list(rows.values()) == ROWS
    assert found == damaged


def test_without_a_header_columns_are_numbered_and_the_first_row_is_shown(tmp_path: Path) -> None:
    file = open_text(tmp_path, lines(ROWS))
    assert file.names == ("1", "2", "3", "4")
    assert file.first_row == ROWS[0]
    assert file.said == ("no header: columns are numbered",)
    assert read(file)[0] == dict(enumerate(ROWS, 1))


def test_the_callers_word_on_the_header_goes_before_the_look(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(lines([("a", "b"), ("c", "d")]))
    assert open_chart_file(ListedFile(path, "csv")).names == ("a", "b")
    assert open_chart_file(ListedFile(path, "csv"), header=False).first_row == ("a", "b")
    path.write_text(lines(ROWS))
    assert open_chart_file(ListedFile(path, "csv"), header=True).names == ROWS[0]


@pytest.mark.parametrize(
    "header",
    [
        "artist,title,2022-01-01,2022-01-08",  # wide: dates as names
        "#,title,peak,weeks",
        ",Position,Year,Month",
    ],
)
def test_odd_headers_are_headers(tmp_path: Path, header: str) -> None:
    file = open_text(
        tmp_path, header + "\n" + "".join(f"{rank},Song {rank},{rank + 1}.5,{rank}\n" for rank in range(9))
    )
    assert file.names == tuple(header.split(","))


@pytest.mark.parametrize(
    "text",
    [
        "artist_name,date,region_name,stream_count,track_name,track_position\nName,2020-01-02,argentina,2756098,Title,1\n",
        'rank,uri,artist_names,track_name,streams\n1,"spotify:track:x","Name, Other","Title","57651756"\n',
        ",Position,Artist,Streams,URL,Year,Month,Day\n0,1,Name,25286465,https://open.spotify.com/track/x,2016,12,30\n",
        'spotify_id,name,artists,daily_rank,country\n"2p","Title","Name, Other","1",""\n',
        "date,title,artist,current,previous,peak,weeks,new\n1968-12-28,Title,Name,1,2,1,3,False\n",
        "rank,artist,track,am_last_week,date\n1,Name,Title,2,12/18/2023\n",
        ",Rank,Previous Rank,Track Name,Views,Weekly Growth,week_close\n0,1,3.0,Title,19485871,46%,2022-01-06\n",
        "Rank,Artist,Title\n1,Name,Title\n",
        "year,rank,title\n1999,1,Title\n",
        "artist,title,x1st.week,x2nd.week\nName,Title,87,82\n",
    ],
)
def test_headers_of_public_files_are_headers(tmp_path: Path, text: str) -> None:
    file = open_text(tmp_path, text.encode("utf-8-sig"))
    assert file.names == tuple(text.split("\n")[0].split(","))
    assert len(read(file)[0]) == 1


def test_a_public_table_without_a_header_has_none(tmp_path: Path) -> None:
    row = '2026-01-26,1,=,Name - title,60,1,(x2),"1,913,993","+159,479"\n'
    file = open_text(tmp_path, (row + row.replace(",1,=", ",2,+3")).encode("utf-8-sig"))
    assert file.first_row == ("2026-01-26", "1", "=", "Name - title", "60", "1", "(x2)", "1,913,993", "+159,479")
    assert open_text(tmp_path, row).first_row == file.first_row


def test_columns_without_a_name_are_told_apart(tmp_path: Path) -> None:
    file = open_text(tmp_path, "".join(line + ",,\n" for line in lines([NAMES, *ROWS]).splitlines()))
    assert file.names == (*NAMES, "", "column 6")
    assert next(iter(read(file)[0].values())) == (*ROWS[0], None, None)


# ── encodings ────────────────────────────────────────────────────────────────────────────────────────────────────────

WORDS = "Beyoncé"


@pytest.mark.parametrize("name", sorted({*aliases.values(), "idna", "punycode", "undefined", "unicode_escape", "mbcs"}))
def test_every_encoding_that_python_knows_is_read_or_refused_in_one_line(tmp_path: Path, name: str) -> None:
    try:
        content = lines([NAMES, *ROWS]).encode(name)
    except (LookupError, UnicodeError):
        content = lines([NAMES, *ROWS]).encode()
    try:
        file = open_text(tmp_path, content, encoding=name)
    except diffusion.SettingError as error:
        assert "\n" not in str(error)
        assert f"unknown encoding '{name}'" in str(error) or f"'{name}' is no encoding of text files" in str(error)
    else:
        assert file.names == NAMES
        assert list(read(file)[0].values()) == ROWS


@pytest.mark.parametrize("name", ["klingon", "", "a\0b", "é", "\udcff", "x" * 5_000, "../utf_8"])
def test_what_is_no_encoding_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(diffusion.SettingError, match="unknown encoding"):
        open_text(tmp_path, "a,b\n1,2\n", encoding=name)


@pytest.mark.parametrize("name", ["rot13", "base64", "idna", "punycode", "undefined", "unicode_escape"])
def test_codecs_of_other_things_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(diffusion.SettingError, match="no encoding of text files"):
        open_text(tmp_path, "a,b\n1,2\n", encoding=name)


@pytest.mark.parametrize("name", ["cp037", "cp1252", "mac_roman", "utf-7", "utf-32", "utf-16-be", "gb18030"])
def test_text_in_other_encodings_is_the_same_text(tmp_path: Path, name: str) -> None:
    rows = [(rank, date, WORDS, streams) for rank, date, _, streams in ROWS]
    file = open_text(tmp_path, lines([NAMES, *rows]).encode(name), encoding=name)
    assert list(read(file)[0].values()) == rows


@pytest.mark.parametrize("asked", ["latin-1", "utf-16", "cp037"])
@pytest.mark.parametrize("real", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_in_the_file_goes_before_the_encoding_asked_for(tmp_path: Path, real: str, asked: str) -> None:
    file = open_text(tmp_path, lines([NAMES, *ROWS]).encode(real), encoding=asked)
    assert list(read(file)[0].values()) == ROWS
    assert file.encoding.startswith(real.removesuffix("-sig"))


@pytest.mark.parametrize("real", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("asked", [None, "utf-16", "utf-32"])
def test_wide_encodings_without_a_mark_are_seen(tmp_path: Path, real: str, asked: str | None) -> None:
    if asked is None or real.startswith(asked):
        file = open_text(tmp_path, lines([NAMES, *ROWS]).encode(real), encoding=asked)
        assert list(read(file)[0].values()) == ROWS


@pytest.mark.parametrize(
    ("real", "cut", "reason"),
    [("utf-16-le", -1, "not utf-16-le"), ("utf-16", -3, "not utf-16-le"), ("utf-32-le", -2, "not utf-32-le")],
)
def test_a_truncated_wide_file_has_one_damaged_line(tmp_path: Path, real: str, cut: int, reason: str) -> None:
    rows, damaged = read(open_text(tmp_path, lines([NAMES, *ROWS]).encode(real)[:cut]))
    assert list(rows.values()) == ROWS[:-1]
    assert damaged == {21: reason}


def test_a_lone_surrogate_or_a_byte_that_is_no_text_costs_its_line(tmp_path: Path) -> None:
    wide = lines([NAMES, *ROWS]).encode("utf-16-le")
    rows, damaged = read(open_text(tmp_path, wide.replace("Song 7".encode("utf-16-le"), b"\x00\xd8o\x00")))
    assert (len(rows), damaged) == (19, {8: "not utf-16-le"})
    narrow = lines([NAMES, *ROWS]).encode("cp1252").replace(b"Song 7", b"\x81")
    rows, damaged = read(open_text(tmp_path, narrow, encoding="cp1252"))
    assert (len(rows), damaged) == (19, {8: "not cp1252"})


# ── compressed files and archives ────────────────────────────────────────────────────────────────────────────────────


def archive(tmp_path: Path, members: dict[str, str | bytes]) -> Path:
    path = tmp_path / "charts.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def test_each_member_of_an_archive_is_a_file(tmp_path: Path) -> None:
    text = lines([NAMES, *ROWS])
    path = archive(
        tmp_path,
        {
            "se/2022.csv": text,
            "a.tsv.gz": gzip.compress(lines([NAMES, *ROWS], "\t").encode()),
            "b.csv.zst": pa.compress(text.encode(), "zstd", asbytes=True),
            "readme.md": "no chart",
            "__MACOSX/se/2022.csv": "x",
            "old.zip": b"",
        },
    )
    listing = list_files(path)
    assert [file.place.relative_to(path).as_posix() for file in listing.files] == [
        "a.tsv.gz",
        "b.csv.zst",
        "se/2022.csv",
    ]
    for file in listing.files:
        assert list(read(open_chart_file(file))[0].values()) == ROWS
    assert {place.relative_to(path).as_posix(): reason for place, reason in listing.passed_over.items()} == {
        "readme.md": "is not a chart file",
        "__MACOSX/se/2022.csv": "is hidden",
        "old.zip": "is a .zip file in an archive, which is not read; unpack it",
    }


def test_names_in_an_archive_point_nowhere_else(tmp_path: Path) -> None:
    text = lines([NAMES, *ROWS])
    path = archive(tmp_path, {"../../up.csv": text, "/root.csv": text, "c:\\disk.csv": text, "up.csv": text})
    listing = list_files(path)
    assert [file.place.relative_to(path).as_posix() for file in listing.files] == ["c_/disk.csv", "root.csv", "up.csv"]
    assert list(listing.passed_over.values()) == ["has the name of another member"]
    assert len(read(open_chart_file(listing.files[0]))[0]) == len(ROWS)


def test_a_member_that_unpacks_to_far_too_much_is_refused(tmp_path: Path) -> None:
    (file,) = list_files(archive(tmp_path, {"bomb.csv": b"a,b\n" + b"\n" * 70_000_000})).files
    with pytest.raises(diffusion.SourceError, match=r"unpacks from .* to 70,000,004 bytes, which no chart does"):
        open_chart_file(file)


def test_damaged_archives_are_one_line(tmp_path: Path) -> None:
    whole = archive(tmp_path, {"c.csv": lines([NAMES, *ROWS]), "d.csv": lines([NAMES, *ROWS])}).read_bytes()
    outcomes: dict[str, int] = {}
    for place in range(len(whole)):
        path = tmp_path / f"{place}.zip"
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        try:
            for file in list_files(path).files:
                read(open_chart_file(file))
            outcomes["read"] = outcomes.get("read", 0) + 1
        except DiffusionError as error:
            assert "\n" not in str(error)
            outcomes["refused"] = outcomes.get("refused", 0) + 1
    assert outcomes["refused"] > 50
    path = tmp_path / "cut.zip"
    path.write_bytes(whole[:-30])
    with pytest.raises(diffusion.SourceError, match=r"cannot read '.*cut\.zip' as zip"):
        list_files(path)


def test_an_encrypted_archive_says_so(tmp_path: Path) -> None:
    path = archive(tmp_path, {"c.csv": lines([NAMES, *ROWS])})
    content = bytearray(path.read_bytes())
    for sign, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(sign) + flag] |= 1
    path.write_bytes(content)
    with pytest.raises(diffusion.SourceError, match="is encrypted; unpack it with its password"):
        list_files(path)


# ── what is found in folders ─────────────────────────────────────────────────────────────────────────────────────────


def test_in_a_folder_what_is_no_chart_is_named_and_passed_over(tmp_path: Path) -> None:
    (tmp_path / "se").mkdir()
    (tmp_path / "se/a.csv").write_text(lines([NAMES, *ROWS]))
    (tmp_path / "se/empty.csv").touch()
    (tmp_path / "cover.png").write_bytes(b"\x89PNG")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/a.csv").write_text("x")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/manifest.json").write_text("{}")
    (tmp_path / "out/a.csv").write_text("x")
    listing = list_files(tmp_path)
    assert [file.path.name for file in listing.files] == ["a.csv"]
    assert not listing.files[0].named
    reasons = {place.relative_to(tmp_path).as_posix(): reason for place, reason in listing.passed_over.items()}
    assert reasons["se/empty.csv"] == "is empty (0 bytes)"
    assert reasons[".git"] == "is hidden"
    assert reasons["out"] == "is a folder of results (it has a manifest.json)"
    assert reasons["cover.png"].startswith("is not a chart file")
    assert set(list_files(f"{tmp_path}/se/*").passed_over) == {tmp_path / "se/empty.csv"}


@pytest.mark.parametrize("name", ["empty.csv", "cover.png"])
def test_a_file_given_by_its_name_must_be_a_chart(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(NoChartError):
        list_files(tmp_path / name)


# ── nonsense in bounded time ─────────────────────────────────────────────────────────────────────────────────────────

MOST_SECONDS = 5.0
"""For a tenth of what must take no more than 10 s on a machine with one free core."""


@pytest.mark.parametrize("space", ["\n", " \n", "\r\n"])
def test_blank_lines_take_little_time(tmp_path: Path, space: str) -> None:
    text = io.BytesIO()
    text.write(space.encode() * 3_000_000 + lines([NAMES, *ROWS[:10]]).encode())
    text.write(space.encode() * 3_000_000 + lines(ROWS[10:]).encode())
    begun = time.perf_counter()
    rows, damaged = read(open_text(tmp_path, text.getvalue()))
    assert time.perf_counter() - begun < MOST_SECONDS
    assert list(rows) == [*range(3_000_002, 3_000_012), *range(6_000_012, 6_000_022)]
    assert not damaged


def test_a_line_of_many_commas_takes_little_time(tmp_path: Path) -> None:
    begun = time.perf_counter()
    rows, damaged = read(open_text(tmp_path, lines([NAMES, *ROWS]) + "," * 400_000 + "\n" + lines(ROWS)))
    assert time.perf_counter() - begun < MOST_SECONDS
    assert (len(rows), damaged) == (40, {22: "more fields than the header"})
