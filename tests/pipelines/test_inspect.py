"""The command inspect: what files are and what a run would refuse, with nothing computed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from diffusion.sources.reading import ReadingOptions
from pipelines.folders.verify import verify
from pipelines.progress import quiet
from pipelines.stages.inspection import MOST_CELLS, calendar_cells, inspect_charts
from tests.conftest import WriteCsv, kaggle_rows
from tests.pipelines.conftest import Shell


def charts(days: int, depth: int = 8, regions: tuple[str, ...] = ("us", "se"), step: int = 1) -> list[dict[str, Any]]:
    """Return whole charts of some regions on so many dates."""
    dates = range(0, days, step)
    return kaggle_rows({(region, day): [f"{region}{n}" for n in range(depth)] for region in regions for day in dates})


def test_what_is_recognised_mapped_and_set_aside_is_said(shell: Shell, write_csv: WriteCsv) -> None:
    rows = charts(100)
    rows[5] |= {"date": "soon"}
    code, out, _ = shell("inspect", write_csv(rows))
    assert code == 0
    assert "layout    Kaggle 'Spotify Charts' (csv, utf-8; 1 file)" in out
    assert "market ← region" in out
    assert "rows      1,600 = 1,599 kept + 0 duplicates + 0 of Global + 1 set aside" in out
    assert "aside     unreadable date: 1 row (0.1 %), such as 'soon' in charts.csv, line 7" in out
    assert "next      chart-diffusion graph" in out
    (line,) = [line for line in out.splitlines() if "United States (US)" in line]
    assert line.split()[:8] == ["top200", "United", "States", "(US)", "2021-01-01", "2021-04-10", "daily", "100"]


def test_what_a_run_refuses_is_said_and_never_refused(shell: Shell, write_csv: WriteCsv) -> None:
    there = np.random.default_rng(1).random(1600) < 0.3
    rows = [row for row, kept in zip(charts(100), there, strict=True) if kept]
    rows = [row | {"region": ""} if n % 10 == 0 else row for n, row in enumerate(rows)]
    path = write_csv(rows)
    code, out, _ = shell("inspect", path)
    refused = [line for line in out.splitlines() if line.startswith("refused")]
    assert code == 0
    assert len(refused) == 2
    assert "--accept set-aside" in refused[0]
    assert "--accept holes" in refused[1]
    run = shell("graph", path, "--out", "made")
    assert run[0] == 1
    assert refused[0].split("a run would say: ")[1] in run[2]
    assert "refused" not in shell("inspect", path, "--accept", "holes", "--accept", "set-aside")[1]


def test_files_of_which_no_row_is_read_are_described_too(shell: Shell, write_csv: WriteCsv) -> None:
    rows = [row | {"url": "", "title": ""} for row in charts(3)]
    code, out, _ = shell("inspect", write_csv(rows), "--figure", "charts.svg")
    assert code == 0
    assert "aside     no track id: 48 rows (100 %), such as 'Artist'" in out
    assert "refused   a run would say: nothing readable in" in out


def test_an_unknown_market_is_said_with_the_option(shell: Shell, write_csv: WriteCsv) -> None:
    rows = charts(100) + charts(1, regions=("Atlantis",))
    code, out, _ = shell("inspect", write_csv(rows))
    assert code == 0
    assert "aside     unknown market: 8 rows (0.5 %), such as 'Atlantis' in charts.csv, line 1602" in out
    assert "--market-name NAME=CODE" in out


def test_data_table_and_picture_are_written(shell: Shell, write_csv: WriteCsv, tmp_path: Path) -> None:
    path = write_csv(charts(30))
    code, out, _ = shell("inspect", path, "--json", "--out", "made", "--figure", "charts.png")
    data = json.loads(out)
    assert code == 0
    assert data["rows"] | {"set_aside": None} == {
        "read": 480, "kept": 480, "duplicates": 0, "aggregate": 0, "tied": 0, "set_aside": None,
    }  # fmt: skip
    assert [(row["market"], row["dates"], row["absent"], row["depth_most"]) for row in data["charts"]] == [
        ("SE", 30, 0, 8), ("US", 30, 0, 8),
    ]  # fmt: skip
    assert (tmp_path / "charts.png").read_bytes()[:4] == b"\x89PNG"
    assert pq.read_table(tmp_path / "made" / "wholeness.parquet").num_rows == 2
    assert verify(tmp_path / "made", tell=quiet).whole
    assert shell("inspect", path, "--figure", "charts.pdf")[0] == 2


@pytest.mark.parametrize("days", [40, 800])
def test_cells_cover_all_dates_and_slow_charts_fill_theirs(write_csv: WriteCsv, days: int) -> None:
    rows = charts(days, 2) + charts(days, 2, ("de",), step=7)
    rows = [row for row in rows if not (row["region"] == "us" and row["date"] in ("2021-01-11", "2021-01-12"))]
    found = inspect_charts([write_csv(rows)], ReadingOptions(), tell=quiet)
    cells, length = calendar_cells(found.wholeness.by_market, found.depths)
    assert length == -(-days // MOST_CELLS)
    by_market = cells.groupby("market")
    assert by_market["cell"].apply(list).map(lambda numbers: numbers == list(range(len(numbers)))).all()
    assert by_market["dates"].sum()[["SE", "US"]].tolist() == [days, days - 2]
    assert (cells.loc[cells["market"] == "DE", "dates"] > 0).all()
    assert (cells["depth"].where(cells["dates"] > 0, 2) == 2).all()
