"""The command compare: what it says, writes and refuses."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from diffusion import SettingError
from pipelines.artifacts import ARTIFACTS
from pipelines.comparison.comparing import Compared, write_comparison
from pipelines.comparison.sides import Side, common_window
from pipelines.folders.folder import Folder
from pipelines.progress import quiet
from pipelines.study.run import Run
from pipelines.study.settings import Study
from tests.conftest import kaggle_rows
from tests.pipelines.conftest import Shell

MARKETS = ("Sweden", "Norway", "Malta", "United States")
"""Of Malta no cultural distance is known."""

DAYS = 150
HALVES = {"slow": 0.1, "quick": 0.6}
"""Name of a study → share of the tracks that go from Sweden to Norway."""


def charts(share: float, *, seed: int) -> pd.DataFrame:
    """Return charts of 240 artists with one track each, which debut in Sweden and may enter Norway days later."""
    rng = random.Random(seed)
    entries: dict[str, dict[str, int]] = {market: {} for market in MARKETS}
    for number in range(240):
        track, debut = f"{seed}x{number:03}", 30 + rng.randrange(40)
        entries["Sweden"][track] = debut
        if rng.random() < share:
            entries["Norway"][track] = debut + 1 + rng.randrange(20)
        if rng.random() < 0.1:
            entries["Malta"][track] = debut + 1 + rng.randrange(20)
    placed = {
        (market, day): [f"old{market}", *(track for track, first in tracks.items() if first <= day <= first + 2)]
        for market, tracks in entries.items()
        for day in range(DAYS)
    }
    rows = pd.DataFrame(kaggle_rows(placed))
    return rows.assign(artist="Artist of " + rows["url"].str[-6:])


Studies = dict[str, Path]


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Studies:
    """Return the folders of two studies, and of one with another washout; they have entries only."""
    place = tmp_path_factory.mktemp("studies")
    found = {}
    for seed, (name, share) in enumerate(HALVES.items()):
        file = place / f"{name}.csv"
        charts(share, seed=seed).to_csv(file, index=False)
        found[name] = _made(file, place / name, ("entries",))
    found["washout"] = _made(place / "slow.csv", place / "washout", ("entries",), washout=20)
    return found


def _made(charts: Path, place: Path, steps: tuple[str, ...], **settings: int) -> Path:
    with Folder(place) as folder:
        Run(Study(str(charts)).override(**settings), folder).make(steps, quiet)
    return place


@pytest.fixture(scope="module")
def found(studies: Studies, tmp_path_factory: pytest.TempPathFactory) -> tuple[Compared, Path]:
    """Return what the comparison of the two studies found, and its folder."""
    place = tmp_path_factory.mktemp("found")
    return write_comparison(*(Side.of(studies[name]) for name in HALVES), place, replicates=20), place


def test_a_rate_that_differs_is_named_first(found: tuple[Compared, Path]) -> None:
    lines = found[0].lines
    assert lines[0].startswith(
        "rates     1 of 2 pairs that can be tested differs at q ≤ .05; in half of them a difference"
    )
    assert "10 pairs had too few tracks or artists on a side" in lines[0]
    assert "more in quick" in lines[1]
    assert lines[2].startswith("a         slow: 244 tracks of 244 artists in 4 markets")
    assert any(line.startswith("pair      Sweden → Norway: 1") and "q <0.001" in line for line in lines)
    assert lines[-1] == f"next      open {found[1] / 'comparison.html'}"


def test_the_folder_holds_what_the_contracts_say_and_a_page(found: tuple[Compared, Path]) -> None:
    place = found[1]
    for name, contract in ARTIFACTS["compare"].items():
        table = pq.read_table(place / name)
        assert contract.conform(table).num_rows == table.num_rows > 0
    page = (place / "comparison.html").read_text()
    assert page.index("1 of 2 pairs that can be tested differs") < page.index("<h2>Rates</h2>") < page.index("Norway")
    assert page.count("<img") == 2
    assert "://" not in page
    for name in ("compared_rates", "curve_difference"):
        for kind in ("png", "svg"):
            assert (place / "figures" / f"{name}.{kind}").is_file()


def test_the_data_say_the_same(found: tuple[Compared, Path]) -> None:
    data = found[0].data
    assert data["verdict"][0].startswith("1 of 2 pairs that can be tested differs")
    assert (data["a"], data["b"], data["pairs"], data["pairs_tested"]) == ("slow", "quick", 12, 2)
    (pair,) = data["edges"]
    assert (pair["source"], pair["target"]) == ("SE", "NO")
    assert pair["low"] < pair["difference"] < pair["high"] < -0.3
    assert {row["measure"] for row in data["reach"]} == {"spreading_share", "markets_entered", "markets_on_debut"}
    assert data["curve"]["high"] < 0


def test_the_command_prints_it_and_writes_the_same_again(
    studies: Studies, found: tuple[Compared, Path], shell: Shell
) -> None:
    given = ("--out", "again", "--replicates", "20", "--quiet", "--json")
    code, out, err = shell("compare", studies["slow"], studies["quick"], *given)
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert {**told, "out": ""} == json.loads(json.dumps({**found[0].data, "out": ""}))
    for file in found[1].rglob("*.*"):
        assert file.read_bytes() == (Path("again") / file.relative_to(found[1])).read_bytes(), file.name
    assert shell("verify", "again")[0] == 0


def test_a_study_and_itself_have_nothing_to_test(studies: Studies, shell: Shell) -> None:
    code, out, _ = shell("compare", studies["quick"], studies["quick"], "--out", "found", "--replicates", "2")
    assert code == 0
    assert out.startswith("rates     both sides have the same tracks, followed alike: there is nothing to test\n")
    assert "not made  figures/compared_rates: no pair of markets has enough" in out


def test_other_settings_are_refused_by_name(studies: Studies, shell: Shell) -> None:
    code, _, err = shell("compare", studies["slow"], studies["washout"], "--out", "found")
    assert code == 2
    assert "the two cannot be compared: washout is 28 and 20; make both with the same settings" in err
    assert not Path("found").exists()


def test_other_windows_are_refused(studies: Studies) -> None:
    a = Side.of(studies["slow"])
    assert (a.window, common_window(a, a), common_window(replace(a, window=30), a)) == (None, 60, 30)
    with pytest.raises(SettingError, match="window in days is 60 and 30"):
        common_window(replace(a, window=60), replace(a, window=30))


@pytest.mark.slow
def test_the_window_is_that_of_the_graph(studies: Studies, tmp_path: Path) -> None:
    """The graph lacks distances of Malta, which its folder notes."""
    place = _made(studies["slow"].with_suffix(".csv"), tmp_path / "graph", ("entries", "graph"), window=40)
    assert Side.of(place).window == 40


def test_two_cohorts_of_one_study(studies: Studies, shell: Shell) -> None:
    early = ("--a", "debut=..2021-02-19", "--b", "debut=2021-02-20..")
    code, out, err = shell("compare", studies["quick"], *early, "--out", "found", "--replicates", "2", "--quiet")
    assert (code, err) == (0, "")
    assert "a         debut to 2021-02-19: " in out and "b         debut from 2021-02-20: " in out
    assert "both      0 tracks and 0 artists are in both" in out
    sides = pq.read_table(Path("found") / "comparison_sides.parquet").to_pylist()
    assert [side["cohort"] for side in sides] == ["debut to 2021-02-19", "debut from 2021-02-20"]
    assert sum(side["tracks"] for side in sides) == 244


def test_a_cohort_stands_against_all_tracks(studies: Studies, shell: Shell) -> None:
    code, out, _ = shell("compare", studies["quick"], "--a", "markets=SE", "--out", "found", "--replicates", "2")
    assert code == 0
    assert "a         debut in Sweden: 241 tracks" in out and "b         quick: 244 tracks" in out
    assert "both      241 tracks and 241 artists are in both" in out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((), "nothing to compare with: give a second folder, or tracks by --a KEY=VALUE"),
        (("--a", "label=X"), "'label=X' is not of the form KEY=VALUE, such as artist=Robyn; keys: artist, track"),
        (("--a", "debut=2021"), "debut=2021 is not one FROM..TO"),
        (("--b", "artist=Nobody"), "no track of the artist 'Nobody' here"),
    ],
)
def test_cohorts_that_cannot_be_read_are_refused(
    studies: Studies, shell: Shell, given: tuple[str, ...], message: str
) -> None:
    code, _, err = shell("compare", studies["slow"], *given, "--out", "found")
    assert code in (1, 2)
    assert message in err


def test_what_is_no_study_is_said(shell: Shell, tmp_path: Path) -> None:
    code, _, err = shell("compare", tmp_path, tmp_path, "--out", "found")
    assert code == 2
    assert "no manifest.json in" in err
