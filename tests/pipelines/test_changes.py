"""What changed since the last run: which runs say it, and whether what they say is so."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import graphs
from diffusion import Calendar, Entries
from diffusion.simulation.process_worlds import world
from pipelines import open_study
from pipelines.folders.folder import Folder
from pipelines.progress import quiet
from pipelines.study.changed import changed_edges, changed_leaders, changed_markets, counts
from pipelines.study.results import Results
from pipelines.study.run import Run, closing_data, closing_lines
from pipelines.study.settings import Study
from pipelines.study.step import Output, Step
from pipelines.study.steps import STEPS
from tests.conftest import WriteCsv, steady

EARLIER = steady(60, {"United States": {"x": 30}, "Sweden": {"x": 33}, "Norway": {"x": 40}})
LATER = steady(
    90, {"United States": {"x": 30, "y": 65}, "Sweden": {"x": 33, "y": 70}, "Norway": {"x": 40}, "Chile": {}}
)

STEPS_WITHOUT_FIGURES = [step if step.compares else replace(step, drawings=None) for step in STEPS]

SIMULATED = ("homes", "giant-artist", "popularity-falling", "weekly", "gaps", "late-launch", "influence-dense")
"""Worlds that are the same at all times."""


def make(
    study: Study, place: Path, *, steps: Sequence[Step] = STEPS_WITHOUT_FIGURES, replacing: bool = False
) -> list[str]:
    """Run what is needed to say what changed, and return the lines that say it."""
    with Folder(place) as folder:
        job = Run(study, folder, steps=steps)
        reported = job.make(["changes"], quiet, replace=replacing)
        lines = [line for line in closing_lines(folder, reported, job.results) if line.startswith("changed")]
        told = closing_data(folder, reported, job.results)["changes"]
    assert bool(told) == bool(lines)
    assert ("What changed" in (place / "report.html").read_text(encoding="utf-8")) == bool(lines)
    return lines


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with charts and a first run, which says nothing of changes."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "in").mkdir()
    pd.DataFrame(EARLIER).to_csv(folder / "in" / "charts.csv", index=False)
    assert make(Study(str(folder / "in" / "charts.csv"), replicates=20), folder / "out") == []
    return folder


@pytest.fixture
def place(first: Path, tmp_path: Path) -> Path:
    """Return the folder of the first run, beside its charts."""
    shutil.copytree(first, tmp_path, dirs_exist_ok=True)
    return tmp_path / "out"


@pytest.fixture
def mine(place: Path) -> Study:
    return Study(str(place.parent / "in" / "charts.csv"), replicates=20)


def until(entries: Entries, share: float) -> Entries:
    """Return the entries as they were when a share of the time had passed."""
    calendar = entries.calendar
    day = pa.scalar(calendar.first_date + (calendar.last_date - calendar.first_date) * share, pa.date32())
    seen = Calendar(calendar.coverage.filter(pc.less_equal(calendar.coverage["date"], day)))
    return replace(entries, table=entries.table.filter(pc.less_equal(entries.table["entry"], day)), calendar=seen)


@pytest.fixture(scope="module")
def now() -> Entries:
    return world("homes", tracks=900, markets=8, seed=4).entries


def test_grown_charts_say_what_changed_until_they_grow_again(mine: Study, place: Path, write_csv: WriteCsv) -> None:
    assert make(mine, place) == []
    write_csv(LATER, "in/charts.csv")
    lines = make(mine, place)
    assert "charts were of 2021-01-01 to 2021-03-01, now they are of 2021-01-01 to 2021-03-31: " in lines[0]
    assert "2 new tracks, 3 new entries; new markets, which are not compared: Chile" in lines[0]
    assert "no rate can be tested against that before: too few new tracks or artists; 0 of 6 rates moved" in lines[1]
    assert lines[2].startswith("changed   0 markets led beyond the baseline before (q ≤ .05), 0 do now; more tracks")
    assert make(mine, place) == lines
    write_csv(LATER[:-1], "in/charts.csv")
    assert "0 new tracks, 0 new entries" in make(mine, place)[0]


@pytest.mark.slow
def test_other_settings_and_other_versions_are_no_change_of_charts(
    mine: Study, place: Path, write_csv: WriteCsv
) -> None:
    write_csv(LATER, "in/charts.csv")
    other = replace(mine, window=30)
    assert make(other, place, replacing=True) == []
    write_csv(EARLIER, "in/charts.csv")
    raised = [replace(step, version=99) if step.name == "entries" else step for step in STEPS_WITHOUT_FIGURES]
    assert make(other, place, steps=raised) == []
    write_csv(LATER, "in/charts.csv")
    assert len(make(other, place, steps=raised)) == 4


@pytest.mark.slow
def test_other_charts_and_results_changed_by_hand_are_not_compared(
    mine: Study, place: Path, write_csv: WriteCsv
) -> None:
    other = replace(mine, path=str(write_csv(LATER, "elsewhere/charts.csv")))
    (place / "entries.parquet").write_bytes(b"changed")
    write_csv(LATER, "in/charts.csv")
    assert make(mine, place) == []
    write_csv(EARLIER, "elsewhere/charts.csv")
    assert make(other, place, replacing=True) == []


@pytest.mark.slow
def test_a_run_that_died_takes_nothing_from_the_next(mine: Study, place: Path, write_csv: WriteCsv) -> None:
    def dies(study: Study, results: Results) -> Output:
        assert results.before is not None
        raise KeyboardInterrupt

    write_csv(LATER, "in/charts.csv")
    dying = [replace(step, make=dies) if step.compares else step for step in STEPS_WITHOUT_FIGURES]
    with pytest.raises(KeyboardInterrupt):
        make(mine, place, steps=dying)
    assert "2 new tracks" in make(mine, place)[0]
    assert len(open_study(place).table("changed_markets")) == 4


def test_charts_that_cannot_be_compared_say_why(mine: Study, place: Path, write_csv: WriteCsv) -> None:
    write_csv([row for row in LATER if int(row["date"][-2:]) % 7 == 1], "in/charts.csv")
    assert make(mine, place) == []
    html = (place / "report.html").read_text(encoding="utf-8")
    assert "Not made: changes: the two cannot be compared: cadence in days is 1 and " in html


def test_entries_by_market_are_those_of_sets(now: Entries) -> None:
    before = until(now, 0.5)
    table = before.table.to_pandas()
    table = table[table["market"] != table["market"].iloc[-1]]  # a market is gone
    table.loc[table.index[:3], "entry"] -= pd.Timedelta(days=1).to_pytimedelta()
    other = replace(now, table=pa.Table.from_pandas(table, schema=now.table.schema, preserve_index=False))
    found = changed_markets(now, other).set_index("market")
    old, new = (
        {(row["track_id"], row["market"]): row["entry"] for row in each.table.to_pylist()} for each in (now, other)
    )
    for market, row in found.iterrows():
        mine, others = ({key for key in side if key[1] == market} for side in (old, new))
        assert (row["entries_before"], row["entries_now"]) == (len(mine), len(others))
        assert (row["entries_new"], row["entries_gone"]) == (len(others - mine), len(mine - others))
        assert row["entries_redated"] == sum(old[key] != new[key] for key in mine & others)
    assert found["entries_redated"].sum() == 3
    told = counts(before, now)
    assert told["tracks_new"] == told["tracks_now"] - told["tracks_before"] > 0 == told["tracks_gone"]


def test_rates_are_those_of_a_comparison_and_seldom_move_where_nothing_changed(now: Entries) -> None:
    before = until(now, 0.5)
    found, compared = changed_edges(before, now, window=60), graphs.compare(now, before, window=60, replicates=2).edges
    for name in ("rate", "low", "high", "tracks", "exposed"):
        pd.testing.assert_series_equal(found[f"{name}_now"], compared[f"{name}_a"], check_names=False)
        pd.testing.assert_series_equal(found[f"{name}_before"], compared[f"{name}_b"], check_names=False)
    pd.testing.assert_frame_equal(
        found[["difference", "low", "high", "q"]], compared[["difference", "low", "high", "q"]]
    )
    assert found["q"].notna().sum() > 40
    assert (found["q"] <= 0.05).sum() == 0 == found["moved"].sum()


def test_a_value_moved_where_each_is_outside_the_interval_of_the_other() -> None:
    def leaders(*rows: tuple[str, str, float, float, float]) -> pd.DataFrame:
        return pd.DataFrame(rows, columns=["measure", "market", "score", "low", "high"]).assign(q=0.5)

    nan = float("nan")
    before = leaders(
        ("out_share", "A", 0.5, 0.4, 0.6), ("out_share", "B", 0.5, 0.4, 0.6), ("out_share", "C", 0.5, nan, nan),
        ("lead_excess", "B", 0.1, 0.0, 0.2), ("net_flow", "A", 5, 4, 6), ("out_share", "gone", 0.5, 0.4, 0.6),
    )  # fmt: skip
    now = leaders(
        ("out_share", "A", 0.7, 0.65, 0.75), ("out_share", "B", 0.65, 0.45, 0.8), ("out_share", "C", 0.9, 0.8, 1.0),
        ("lead_excess", "B", -0.2, -0.3, -0.1), ("net_flow", "A", 50, 40, 60),
    )  # fmt: skip
    found = changed_leaders(before, now)
    assert [*zip(found["measure"], found["market"], found["moved"], strict=True)] == [
        ("lead_excess", "B", pd.NA), ("out_share", "A", True), ("out_share", "B", False), ("out_share", "C", False),
    ]  # fmt: skip


@pytest.mark.slow
def test_worlds_that_stay_the_same_list_next_to_no_rate() -> None:
    """Charts that grew twofold, or by a ninth: q ≤ .05 in at most 5 % of the runs, and 1 % of the rates moved."""
    found = []
    for number in range(20):
        now = world(SIMULATED[number % len(SIMULATED)], tracks=2_500, markets=12, seed=3_000 + number).entries
        for share in (0.5, 0.9):
            edges = changed_edges(until(now, share), now, window=60)
            found.append((edges["q"].notna().sum(), (edges["q"] <= 0.05).any(), edges["moved"].mean()))
    tested, listed, moved = (pd.Series(values) for values in zip(*found, strict=True))
    assert tested.min() > 60
    assert listed.mean() <= 0.05
    assert 0 < moved.mean() < 0.01
