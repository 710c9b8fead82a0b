"""JSON files: records, charts with a date, one object per line; what is damaged, and in what order."""

import json
import random
from pathlib import Path

import pytest

import diffusion
from diffusion.errors import DiffusionError, NoChartError
from diffusion.sources import json_files
from diffusion.sources.chart_files import OpenFile, open_chart_file
from diffusion.sources.listing import ListedFile

RECORDS = [{"rank": rank, "title": f"Song {rank}", "new": rank < 3, "peak": None} for rank in range(1, 6)]
ROWS = [(str(rank), f"Song {rank}", "true" if rank < 3 else "false", None) for rank in range(1, 6)]


def open_json(tmp_path: Path, content: str | bytes, *, name: str = "c.json", encoding: str | None = None) -> OpenFile:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_chart_file(ListedFile(path, "json"), encoding=encoding)


def read(file: OpenFile) -> tuple[dict[int, tuple[str | None, ...]], dict[int, str]]:
    """Return line → row, and line → reason of the damaged ones."""
    rows: dict[int, tuple[str | None, ...]] = {}
    damaged: dict[int, str] = {}
    for block, _ in file.blocks():
        rows |= dict(zip(block.lines.tolist(), block.rows.rows(), strict=True))
        damaged |= {one.line: one.reason for one in block.damaged}
    return rows, damaged


def by_line(records: list[dict[str, object]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_records_are_rows_by_number(tmp_path: Path, indent: int | None, encoding: str) -> None:
    file = open_json(tmp_path, json.dumps(RECORDS, indent=indent).encode(encoding))
    assert (file.names, file.said) == (("rank", "title", "new", "peak"), ("JSON records",))
    assert read(file) == (dict(enumerate(ROWS, 1)), {})


@pytest.mark.parametrize("name", ["c.jsonl", "c.ndjson", "c.json"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_one_object_per_line_is_a_row_by_line(tmp_path: Path, name: str, end: str) -> None:
    file = open_json(tmp_path, "\n" + by_line(RECORDS).replace("\n", end), name=name)
    assert file.said == ("one JSON object per line",)
    assert read(file) == (dict(enumerate(ROWS, 2)), {})


def test_what_stands_beside_the_records_belongs_to_each(tmp_path: Path) -> None:
    chart = {"date": "1958-08-04", "data": RECORDS[:2], "source": {"name": "x"}}
    file = open_json(tmp_path, json.dumps(chart))
    assert file.names == ("date", "rank", "title", "new", "peak")
    assert read(file)[0] == {number: ("1958-08-04", *row) for number, row in enumerate(ROWS[:2], 1)}
    file = open_json(tmp_path, json.dumps([chart, {**chart, "date": "1958-08-11"}]))
    assert [row[0] for row in read(file)[0].values()] == ["1958-08-04"] * 2 + ["1958-08-11"] * 2


def test_nested_values_are_text(tmp_path: Path) -> None:
    record = {"rank": 5.0, "artists": ["A", "B"], "album": {"name": "é"}, "tracks": [{"id": 1}], "share": 0.25}
    file = open_json(tmp_path, json.dumps([record]))
    assert read(file)[0] == {1: ("5", "A, B", '{"name": "é"}', '[{"id": 1}]', "0.25")}


@pytest.mark.parametrize("name", ["c.json", "c.jsonl"])
def test_a_key_without_letters_is_a_column(tmp_path: Path, name: str) -> None:
    records = [{"": 1, "rank": 2}, {"": 3, "rank": 4}]
    file = open_json(tmp_path, json.dumps(records) if name == "c.json" else by_line(records), name=name)
    assert [block.rows.columns for block, _ in file.blocks() if block.rows.height] == [list(file.names)]
    assert read(file)[0] == {1: ("1", "2"), 2: ("3", "4")}


def test_each_damaged_line_is_named_and_no_other_is_lost(tmp_path: Path) -> None:
    good = by_line(RECORDS[:1]).encode()
    bad = {
        2: (b'{"rank": 1,', "no JSON object"),
        3: (b"[1, 2]", "no JSON object"),
        4: (b'{"rank": "\xff"}', "not UTF-8"),
        5: (b'{"rank": "\\ud800"}', "not UTF-8"),
        6: (b'{"rank": "\\u0000"}', "NUL byte"),
        7: (b"[" * 100_000, "no JSON object"),
        8: (b'{"rank": ' + b"9" * 5_000 + b"}", "no JSON object"),
    }
    content = good + b"".join(line + b"\n" for line, _ in bad.values()) + good + b"\n" + b"{}\n" + good.rstrip()
    rows, damaged = read(open_json(tmp_path, content))
    assert damaged == {line: reason for line, (_, reason) in bad.items()}
    assert rows == {1: ROWS[0], 9: ROWS[0], 11: (None,) * 4, 12: ROWS[0]}


def test_records_that_are_none_are_damaged_by_number(tmp_path: Path) -> None:
    rows, damaged = read(open_json(tmp_path, json.dumps([RECORDS[0], 3, {"title": "\ud800"}, RECORDS[1]])))
    assert rows == {1: ROWS[0], 4: ROWS[1]}
    assert damaged == {2: "no JSON object", 3: "not UTF-8"}


def test_a_key_that_appears_only_later_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_files, "BLOCK_BYTES", 64)
    rows, damaged = read(open_json(tmp_path, by_line([*RECORDS, {"rank": 6, "mood": "late"}])))
    assert list(rows.values()) == ROWS
    assert damaged == {6: "a key that no earlier record has"}


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("", NoChartError, "is empty"),
        (" \n", NoChartError, "is empty"),
        ("[]", NoChartError, "holds no records"),
        ("3", NoChartError, "holds no records"),
        ('{"name": "chart-diffusion", "version": 1}', NoChartError, "holds no records"),
        ('{"rank": {"0": 1}}', NoChartError, "orient='records'"),
        ("not json", diffusion.SourceError, r"cannot read .* as json: Expecting value"),
        ('[{"rank": 1}', diffusion.SourceError, "cannot read"),
        ("[" * 100_000, diffusion.SourceError, "cannot read"),
        (b'[{"rank": "\xff"}]', diffusion.SourceError, "cannot read"),
        (json.dumps([{f"key {number}": 1} for number in range(3_000)]), NoChartError, "3,000 different keys"),
    ],
)
def test_what_holds_no_records_is_one_line(
    tmp_path: Path, content: str | bytes, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        open_json(tmp_path, content)
    assert "\n" not in str(raised.value)


def test_records_beyond_the_stated_size_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_files, "LARGEST", 100)
    with pytest.raises(
        diffusion.SourceError, match="more than 100 bytes of JSON in one value; write one object per line"
    ):
        open_json(tmp_path, json.dumps(RECORDS))
    assert len(read(open_json(tmp_path, by_line(RECORDS)))[0]) == 5


@pytest.mark.parametrize("content", [json.dumps(RECORDS, indent=1), by_line(RECORDS)])
def test_changed_bytes_never_end_in_anything_but_one_line(tmp_path: Path, content: str) -> None:
    draw = random.Random(1)
    read_whole = 0
    for _ in range(300):
        changed = bytearray(content.encode())
        for _ in range(draw.randint(1, 3)):
            changed[draw.randrange(len(changed))] = draw.randrange(32, 256)
        try:
            rows, damaged = read(open_json(tmp_path, bytes(changed)))
        except DiffusionError as error:
            assert "\n" not in str(error)
        else:
            assert not rows.keys() & damaged.keys()
            read_whole += 1
    assert read_whole > 10
