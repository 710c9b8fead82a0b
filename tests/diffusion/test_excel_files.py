"""Excel files: the sheet, the header, plain texts of dates and numbers, and what cannot be read."""

import random
import re
import sys
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

import diffusion
from diffusion.errors import DiffusionError, NoChartError
from diffusion.sources.chart_files import OpenFile, open_chart_file
from diffusion.sources.listing import ListedFile

pytest.importorskip("python_calamine", reason="Excel files need python-calamine")

Sheet = dict[str, str | float]
"""Cell → value."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACK = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

DATE = 44562.0
"""2022-01-01 as Excel counts days; cells of column A below row 1 have the format of a date."""


def write_xlsx(path: Path, sheets: dict[str, Sheet]) -> Path:
    """Write a workbook, by hand: name of sheet → its cells."""
    numbers = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACK}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n in numbers
        )
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACK}/relationships"><Relationship Id="rId1" '
        f'Type="{_LINK}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINK}"><sheets>'
        + "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in zip(numbers, sheets, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACK}/relationships">'
        + "".join(
            f'<Relationship Id="rId{n}" Type="{_LINK}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
        )
        + f'<Relationship Id="rId99" Type="{_LINK}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/>'
        "</cellXfs></styleSheet>",
    }
    parts |= {f"xl/worksheets/sheet{n}.xml": _sheet(cells) for n, cells in zip(numbers, sheets.values(), strict=True)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return path


def _sheet(cells: Sheet) -> str:
    rows: dict[int, str] = {}
    for name, value in cells.items():
        number = int(re.sub(r"\D", "", name))
        if isinstance(value, str):
            cell = f'<c r="{name}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        else:
            cell = f'<c r="{name}" s="{int(name.startswith("A") and number > 1)}"><v>{value}</v></c>'
        rows[number] = rows.get(number, "") + cell
    body = "".join(f'<row r="{number}">{rows[number]}</row>' for number in sorted(rows))
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'


def table(rows: int = 5, *, top: int = 1, header: bool = True) -> Sheet:
    """Return cells of a chart whose first row is row `top` of the sheet."""
    cells: Sheet = {f"A{top}": "date", f"B{top}": "rank", f"C{top}": "title"} if header else {}
    for rank in range(1, rows + 1):
        at = top + rank - (not header)
        cells |= {f"A{at}": DATE, f"B{at}": float(rank), f"C{at}": f"Song {rank}"}
    return cells


def open_excel(path: Path) -> OpenFile:
    return open_chart_file(ListedFile(path, "excel"))


def read(file: OpenFile) -> dict[int, tuple[str | None, ...]]:
    """Return line → row."""
    return {
        line: row
        for block, _ in file.blocks()
        for line, row in zip(block.lines.tolist(), block.rows.rows(), strict=True)
    }


def test_dates_and_whole_numbers_are_plain_texts(tmp_path: Path) -> None:
    file = open_excel(
        write_xlsx(tmp_path / "c.xlsx", {"Charts": table() | {"D1": "share", "D2": 0.5, "A3": DATE + 0.5}})
    )
    assert (file.names, file.said, file.first_row) == (("date", "rank", "title", "share"), ("sheet 'Charts'",), None)
    rows = read(file)
    assert list(rows) == [2, 3, 4, 5, 6]
    assert rows[2] == ("2022-01-01", "1", "Song 1", "0.5")
    assert rows[3] == ("2022-01-01T12:00:00", "2", "Song 2", None)


def test_the_first_sheet_with_a_header_is_read(tmp_path: Path) -> None:
    sheets: dict[str, Sheet] = {"Notes": {"A1": "by hand"}, "Empty": {}, "Numbers": table(header=False), "Se": table()}
    file = open_excel(write_xlsx(tmp_path / "c.xlsx", sheets))
    assert file.said == ("sheet 'Se'",)
    assert len(read(file)) == 5


def test_a_title_above_and_empty_rows_are_left_out(tmp_path: Path) -> None:
    file = open_excel(write_xlsx(tmp_path / "c.xlsx", {"Charts": {"A1": "Charts of 2022"} | table(top=4)}))
    assert file.names == ("date", "rank", "title")
    assert list(read(file)) == [5, 6, 7, 8, 9]


def test_without_a_header_columns_are_numbered(tmp_path: Path) -> None:
    file = open_excel(write_xlsx(tmp_path / "c.xlsx", {"Charts": table(top=2, header=False)}))
    assert file.names == ("1", "2", "3")
    assert file.first_row == ("2022-01-01", "1", "Song 1")
    assert list(read(file)) == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("sheets", [{"Notes": {"A1": "by hand"}}, {"Empty": {}}])
def test_a_workbook_without_a_table_is_no_chart(tmp_path: Path, sheets: dict[str, Sheet]) -> None:
    with pytest.raises(NoChartError, match="no sheet has two columns"):
        open_excel(write_xlsx(tmp_path / "c.xlsx", sheets))


def test_a_sheet_too_large_for_memory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        diffusion.SourceError, match="a sheet of 1,048,576 rows and up to 16,384 columns; save it as CSV"
    ):
        open_excel(write_xlsx(tmp_path / "c.xlsx", {"Charts": table() | {"XFD1048576": "far"}}))


def test_without_the_extra_the_line_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_xlsx(tmp_path / "c.xlsx", {"Charts": table()})
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(diffusion.SourceError, match=r"needs python-calamine: pip install 'chart-diffusion\[excel\]'"):
        open_excel(path)


def test_a_damaged_workbook_is_one_line(tmp_path: Path) -> None:
    whole = write_xlsx(tmp_path / "c.xlsx", {"Charts": table()}).read_bytes()
    draw = random.Random(1)
    refused = 0
    for number in range(300):
        changed = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
        path = tmp_path / f"{number}.xlsx"
        path.write_bytes(changed[: draw.choice([len(changed), draw.randrange(len(changed))])])
        try:
            read(open_excel(path))
        except DiffusionError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 100
