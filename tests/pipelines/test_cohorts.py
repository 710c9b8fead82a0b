"""Cohorts in studies: chosen in the study file or by options; what they change, and what they must not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from diffusion import DiffusionError, Entries, SettingError, open_charts, transitions
from graphs.baseline import baseline, edge_table
from pipelines.folders.folder import Folder
from pipelines.progress import quiet
from pipelines.study.cohort import Cohort, read_listed
from pipelines.study.finished import open_study
from pipelines.study.run import Run
from pipelines.study.settings import Study, read_study
from pipelines.study.steps import STEPS
from survival import breakthrough, waits
from tests.conftest import WriteCsv, steady
from tests.pipelines.conftest import Shell

ROWS = steady(
    90,
    {
        "United States": {"x": 30, "y": 31, "z": 33},
        "Sweden": {"x": 33, "y": 31, "z": 40},
        "Norway": {"x": 40, "z": 35},
    },
)
for row in ROWS:
    row["artist"] = {"x": "Robyn, Röyksopp", "y": "Röyksopp", "z": "Robyn"}.get(row["url"][-1], "Others")


def study_of(place: Path, section: str) -> Study:
    """Return the study of a file with this section of the cohort."""
    file = place / "study.toml"
    file.write_text(f'[charts]\npath = "charts.csv"\n[cohort]\n{section}\n', encoding="utf-8")
    return read_study(file)


def test_the_section_of_the_study_file_is_read(tmp_path: Path) -> None:
    study = study_of(
        tmp_path, 'artists = "Robyn"\ncredited = true\ntracks = "mine.csv"\ndebut = [2019-01-01, ""]\nmarkets = ["SE"]'
    )
    assert study.cohort == Cohort(("Robyn",), True, str(tmp_path / "mine.csv"), ("2019-01-01", ""), ("SE",))
    assert study_of(tmp_path, "").cohort == Cohort() and not Cohort()
    assert study.settings(["cohort"])["cohort"]["tracks"] == "mine.csv"


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("artists = []", "artists of the cohort is \\[\\]; it must be a list of names"),
        ('artists = [""]', "it must be a list of names"),
        ("artists = 3", "artists of the cohort is 3"),
        ("credited = true", "credited artists are asked for, but no artists are named"),
        ('artists = "x"\ncredited = 1', "credited is 1; it must be true or false"),
        ('tracks = ""', "name a CSV or Parquet file"),
        ('debut = ["2019-01-01"]', "give its first and last day"),
        ('debut = ["", ""]', "give its first and last day"),
        ('debut = ["", "spring"]', "debut names 'spring', which is no day"),
        ('markets = ["Atlantis"]', "unknown market 'Atlantis'"),
        ('artist = ["Robyn"]', "unknown key in \\[cohort\\] .*: 'artist'; did you mean 'artists'"),
    ],
)
def test_a_section_that_cannot_be_read_is_an_error(tmp_path: Path, section: str, says: str) -> None:
    with pytest.raises(DiffusionError, match=says):
        study_of(tmp_path, section)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("track_id\nx\ny\n", ["x", "y"]),
        ("track_id,mine\nx,TRUE\ny,\nz,no\n", ["x"]),
        ("artist,track_id\nRobyn,x\n,y\n", ["x", "y"]),
        ("artist\nNA\n\n", ["NA"]),
        ("id\nx\n", "has no column 'track_id' or 'artist'; it has id"),
        ("track_id,a,b\nx,1,1\n", "several columns beside 'track_id': a, b"),
        ("track_id,mine\nx,perhaps\n", "column 'mine' of .* holds 'perhaps'; a flag is true, yes"),
        ("track_id,mine\nx,0\n", "no row of .* names a track that counts"),
    ],
)
def test_a_file_of_tracks_has_one_key_and_at_most_one_column_of_flags(
    tmp_path: Path, content: str, found: list[str] | str
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(content, encoding="utf-8")
    if isinstance(found, str):
        with pytest.raises(SettingError, match=found):
            read_listed(str(file))
    else:
        assert read_listed(str(file)).iloc[:, 0].tolist() == found


def test_flags_of_a_parquet_file_are_read(tmp_path: Path) -> None:
    pd.DataFrame({"track_id": ["x", "y"], "mine": [False, True]}).to_parquet(tmp_path / "mine.parquet")
    assert read_listed(str(tmp_path / "mine.parquet"))["track_id"].tolist() == ["y"]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--artist", "Robin"], 1, "no track of the artist 'Robin' here; near it are robyn"),
        (["--artist", ""], 2, "it must be a list of names"),
        (["--credited"], 2, "no artists are named"),
        (["--tracks", "none.csv"], 2, "no file 'none.csv' with tracks; name a CSV or Parquet file under [cohort]"),
        (["--debut", "2021-02-01", "2021-01-01"], 2, "give the earlier day first"),
        (["--debut", "2031-01-01", ""], 1, "no track fulfils: debut from 2031-01-01; 6 tracks are there"),
        (["--debut-in", "Atlantis"], 2, "unknown market 'Atlantis'"),
        (["--tracks", "one.csv"], 1, "or a wider cohort"),
    ],
)
def test_options_that_leave_nothing_are_one_line(
    shell: Shell, write_csv: WriteCsv, tmp_path: Path, options: list[str], code: int, says: str
) -> None:
    (tmp_path / "one.csv").write_text("track_id\noldSweden\n", encoding="utf-8")
    outcome = shell("graph", write_csv(ROWS), "--quiet", "--out", "out", *options)
    assert (outcome[0], outcome[1], outcome[2].count("\n")) == (code, "", 1)
    assert says in outcome[2]


def test_options_win_over_the_study_file_key_by_key(tmp_path: Path) -> None:
    study = study_of(tmp_path, 'artists = "Robyn"\ndebut = ["2021-01-01", ""]')
    changed = study.override(cohort={"artists": ("Röyksopp",), "credited": True})
    assert changed.cohort == Cohort(("Röyksopp",), True, debut=("2021-01-01", ""))


def test_the_screen_the_report_and_the_results_say_whose_graph_it_is(
    shell: Shell, write_csv: WriteCsv, tmp_path: Path
) -> None:
    charts, out = write_csv(ROWS), tmp_path / "out"
    code, printed, errors = shell("graph", charts, "--out", out, "--artist", "robyn", "--replicates", 20, "--quiet")
    assert (code, errors) == (0, "")
    words = "artist: robyn; 2 of 6 tracks"
    assert f"cohort    {words}\n" in printed
    assert words in (out / "report.html").read_text(encoding="utf-8")
    results = open_study(out)
    assert results.entries.cohort == ("artist: robyn",)
    assert set(results.table("tracks")["track_id"]) == {"x", "z"}
    for table in ("entries", "upper_entries"):
        assert set(results.table(table)["track_id"]) <= {"x", "z"}
    assert "not made  lifts: all steps are of 1 artist; tests by artist need 10" in printed
    assert "not made  communities: all transitions are of 1 artist" in printed


def test_a_cohort_and_its_file_belong_to_the_entries(write_csv: WriteCsv, tmp_path: Path) -> None:
    study = Study(str(write_csv(ROWS)))
    file = tmp_path / "mine.csv"
    file.write_text("track_id\nx\n", encoding="utf-8")
    listed = study.override(cohort={"tracks": str(file)})
    with Folder(tmp_path / "out") as folder:
        whole, before = (Run(each, folder).prints["entries"] for each in (study, listed))
        file.write_text("track_id\nz\n", encoding="utf-8")
        after = Run(listed, folder).prints["entries"]
    assert len({whole, before, after}) == 3


@pytest.mark.parametrize(("cohort", "whole"), [({"artists": ("Robyn",)}, True), ({"markets": ("US",)}, False)])
def test_what_artists_did_outside_the_cohort_is_not_a_variable(
    write_csv: WriteCsv, tmp_path: Path, cohort: dict[str, Any], whole: bool
) -> None:
    rows = [row for row in ROWS if row["url"][-1] != "z" or row["region"] == "Norway"]
    study = Study(str(write_csv(rows))).override(cohort=cohort)
    with Folder(tmp_path / "out") as folder:
        Run(study, folder, steps=[replace(step, drawings=None) for step in STEPS]).make(["effects"], quiet)
    notes = open_study(tmp_path / "out").notes("effects")
    assert notes["of_artists"] == ([] if whole else ["artist_here"])


def artifacts(place: Path) -> dict[str, bytes]:
    """Return the files of a folder that do not name the cohort."""
    named = {"manifest.json", "runs.log", "report.html", "explorer.html"}
    files = [path for path in place.rglob("*") if path.is_file() and path.name not in named]
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in files}


def test_a_cohort_of_everything_makes_the_same_tables_byte_by_byte(write_csv: WriteCsv, tmp_path: Path) -> None:
    study = Study(str(write_csv(ROWS)), by=("none",))
    steps = [replace(step, drawings=None) for step in STEPS]
    for name, cohort in {"whole": {}, "all": {"debut": ("2000-01-01", "")}}.items():
        with Folder(tmp_path / name) as folder:
            Run(study.override(cohort=cohort), folder, steps=steps).make(("graph", "survival", "states"), quiet)
    made = artifacts(tmp_path / "whole")
    assert {"edges.parquet", "upper_entries.parquet", "survival.parquet", "states.parquet"} <= set(made)
    assert artifacts(tmp_path / "all") == made


@pytest.mark.slow
def test_a_cohort_of_everything_makes_the_same_files_byte_by_byte(weekly: Path, shell: Shell, tmp_path: Path) -> None:
    command = ("run", weekly, "--replicates", 20, "--out")
    assert shell(*command, "whole")[0] == 0
    assert shell(*command, "all", "--debut", "2000-01-01", "")[0] == 0
    made = artifacts(tmp_path / "whole")
    assert {"lifts.parquet", "forecasts.parquet", "cured.parquet", "figures/flow_map.png"} <= set(made)
    assert artifacts(tmp_path / "all") == made


@pytest.fixture(scope="module")
def chart_rows(weekly: Path) -> pd.DataFrame:
    """Rows of the simulated charts, under a track of each market's own that holds rank 1 from the first date on."""
    with open_charts(weekly) as charts:
        rows = charts.positions().merge(charts.tracks()[["track", "track_id", "title", "artist"]], on="track")
    dates = rows[["market", "date"]].drop_duplicates()
    own = "filler " + dates["market"].astype(str)
    fillers = dates.assign(rank=0, track_id=own, title=own, artist=own)
    together = pd.concat([fillers, rows[list(fillers)]], ignore_index=True)
    return together.sort_values(["market", "date", "rank"], ignore_index=True)


def entries_of(rows: pd.DataFrame) -> Entries:
    """Return the entries of rows, whose ranks are made whole again."""
    ranked = rows.assign(rank=rows.groupby(["market", "date"]).cumcount() + 1)
    with open_charts(ranked) as charts:
        return charts.entries()


def test_a_cohort_counts_as_in_charts_that_hold_only_its_tracks(chart_rows: pd.DataFrame) -> None:
    """Fillers keep the calendar; being there since the beginning, they count for nothing themselves."""
    whole = entries_of(chart_rows)
    cohort = whole.subset(debut=("2017-03-01", None), where=lambda tracks: tracks["track_id"].str[-1] < "l")
    chosen = cohort.tracks()["track_id"]
    assert 100 < len(chosen) < 300 < len(whole.tracks())
    fillers = chart_rows["track_id"].str.startswith("filler")
    alone = entries_of(chart_rows[chart_rows["track_id"].isin(chosen) | fillers])
    window = whole.calendar.default_window
    pd.testing.assert_frame_equal(transitions(cohort), transitions(alone))
    pd.testing.assert_frame_equal(cohort.lags(window=window), alone.lags(window=window))
    assert same_waits(cohort, alone)
    one, other = (breakthrough(waits(entries), by="continent") for entries in (cohort, alone))
    pd.testing.assert_frame_equal(one.curves, other.curves)
    fits = [baseline(entries) for entries in (cohort, alone)]
    pd.testing.assert_frame_equal(*(edge_table(fit, window=window) for fit in fits))


def same_waits(one: Entries, other: Entries) -> bool:
    """Return whether waits are equal, those of fillers left out."""
    found: list[Any] = [entries.waits() for entries in (one, other)]
    return all(
        table[~table["track_id"].str.startswith("filler")].reset_index(drop=True).equals(found[0]) for table in found
    )
