"""What several test modules of the pipelines need: the command line, and folders of commands that take long."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from diffusion.simulation import Simulation, simulate
from pipelines.commands.main import cli, run_command
from pipelines.folders.folder import Folder
from pipelines.progress import quiet
from pipelines.study.run import Run
from pipelines.study.settings import Study
from tests.conftest import KAGGLE_COLUMNS, steady

WEEKLY = Simulation(400, 5, 420, seed=4, depth=40, cadence="weekly")
"""Weekly charts with audio features that say nothing."""


@pytest.fixture(scope="session")
def weekly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return simulated charts."""
    place = tmp_path_factory.mktemp("weekly")
    simulate(WEEKLY, place, layout="star")
    return place / "charts"


@pytest.fixture(scope="session")
def regressed(weekly: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a regression of those charts."""
    place = tmp_path_factory.mktemp("regressed")
    cli.main(["regress", str(weekly), "--out", str(place), "--rows", "3000"], standalone_mode=False)
    return place


SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("https://example.org","x")'
CONTROLS = "=1+\x9b31m\u202e\u2028x"
HOSTILE = (SCRIPT, FORMULA, CONTROLS, "+1", "@x", "\"a\" 'b'", "two\nlines", "\u202eabc\u200f", "]]>", "&amp;&")
"""Texts of strangers that mean something to some program."""


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a study in which every text of strangers is hostile.

    So are titles, artists, the chart, the file, the title of the study, groups of markets, and groups of tracks.
    """
    place = tmp_path_factory.mktemp("hostile")
    regions = ("United States", "Sweden", "Norway", "Denmark", "United Kingdom")
    entries = {
        region: {f"t{number}": 30 + number % 5 + (number * 7 + 3 * at) % 11 for number in range(2 * len(HOSTILE))}
        for at, region in enumerate(regions)
    }
    rows = steady(60, entries, filler="old")
    for row in rows:
        track = row["url"].rsplit("/", 1)[1]
        number = int(track[1:]) if track[1:].isdigit() else 0
        row["title"] = row["artist"] = HOSTILE[number % len(HOSTILE)] + "!" * (number // len(HOSTILE))
        row["chart"] = SCRIPT
    charts, groups = place / f"{CONTROLS}.csv", place / "groups.csv"
    with charts.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, KAGGLE_COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    with groups.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("track_id", FORMULA), *((f"t{number}", HOSTILE[number % 2]) for number in range(2 * len(HOSTILE)))]
        )
    study = Study(
        str(charts),
        title=f"Of {SCRIPT}",
        groups=str(groups),
        by=("none",),
        market_groups={SCRIPT: ("SE", "NO"), FORMULA: ("DK", "GB")},
        replicates=20,
        direct=False,
    )
    with Folder(place / "made") as folder:
        Run(study, folder).make(("exports", "survival"), quiet)
    return place / "made"


Outcome = tuple[int, str, str]
Shell = Callable[..., Outcome]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    """Return a function that runs the command line in the temporary folder: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Outcome:
        code = run_command([*map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
