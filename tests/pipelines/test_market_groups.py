"""Studies of groups of markets: what their folder holds, what the screen says, and what is left out by name."""

from pathlib import Path

import pandas as pd
import pytest

from pipelines.study.finished import open_study
from tests.conftest import WriteCsv, steady
from tests.pipelines.conftest import Shell

ROWS = steady(
    90,
    {
        "United States": {"x": 30, "y": 31, "z": 45},
        "Sweden": {"x": 33, "y": 31, "z": 50},
        "Norway": {"x": 40},
        "Germany": {"x": 50, "z": 44},
    },
)
STUDY = """
[charts]
path = "charts.csv"
[markets]
groups = { "The North" = ["SE", "Norway", "IS"] }
[graph]
replicates = 20
[survival]
by = ["continent", "capital"]
"""


@pytest.mark.slow
def test_a_study_of_groups_of_markets(shell: Shell, write_csv: WriteCsv, tmp_path: Path) -> None:
    write_csv(ROWS)
    (tmp_path / "study.toml").write_text(STUDY)
    code, out, _ = shell("run", "study.toml", "--out", "made")
    assert code == 0
    assert "group     The North: Norway, Sweden; not on the charts: Iceland" in out
    assert "; or ask: chart-diffusion query explain US 'The North' --from made" in out
    assert "not made  forecasts: forecasts are of single markets, and these are grouped: The North" in out
    made = tmp_path / "made"
    entries = pd.read_parquet(made / "entries.parquet").set_index(["track_id", "market"])["entry"]
    assert set(entries.index.get_level_values("market")) == {"DE", "The North", "US"}
    assert str(entries["x", "The North"]) == "2021-02-03"
    results = open_study(made)
    assert results.entries.groups == {"The North": ("NO", "SE")}
    assert results.graph.flow("the north", "Germany").edge["distance_km"] > 0
    assert {"survival_continent.png", "survival_capital.png"} <= {file.name for file in (made / "figures").iterdir()}
    assert "an entry into the first of its members is the group" in (made / "report.html").read_text(encoding="utf-8")
    assert shell("query", "flow", "The North", "DE", "--from", "made")[0] == 0
    assert shell("run", "study.toml", "--out", "made")[1].count("unchanged") == 1
