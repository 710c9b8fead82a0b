"""The commands `train` and `predict` on small charts."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from diffusion import DiffusionError
from pipelines.commands.main import cli
from tests.conftest import day, steady

DAYS = 60


def entries() -> dict[str, dict[str, int]]:
    """Return tracks that come to Norway, two of three of them to Sweden some days later, and one of five to Denmark."""
    tracks = range(45)
    return {
        "Norway": {f"t{number}": number + 2 for number in tracks},
        "Sweden": {f"t{number}": number + 4 + number % 3 for number in tracks if number % 3},
        "Denmark": {f"t{number}": number + 6 for number in tracks if number % 5 == 0},
        "Finland": {},
    }


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write chart rows as CSV; return the path."""
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return charts in which the title of one track holds control characters."""
    rows = steady(DAYS, entries())
    for row in rows:
        if row["url"].endswith("/t43"):
            row["title"] = "\x1b[2JClear\u202e"
    return written(tmp_path_factory.mktemp("charts") / "charts.csv", rows)


@pytest.fixture(scope="module")
def trained(charts: Path) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a model, and what train says of it."""
    place = charts.parent / "model"
    said = run("train", charts, "--out", place, "--horizon", 7, "--washout", 1, "--until", day(45), "--json")
    return place, json.loads(said)


@pytest.fixture
def model(trained: tuple[Path, dict[str, Any]]) -> Path:
    return trained[0]


def run(*words: object) -> str:
    """Return what a command prints; errors of user and data are raised."""
    result = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def fails(*words: object) -> str:
    """Return the one line of an error."""
    with pytest.raises(DiffusionError) as error:
        run(*words)
    assert "\n" not in str(error.value)
    return str(error.value)


def predicted(*words: object) -> list[dict[str, Any]]:
    """Return the rows of a prediction as JSON."""
    rows: list[dict[str, Any]] = json.loads(run("predict", *words, "--json"))["predictions"]
    return rows


def test_train_says_what_it_did_and_that_there_was_little(trained: tuple[Path, dict[str, Any]]) -> None:
    said = trained[1]
    assert said["known_until"] == day(45).isoformat()
    assert said["last_debut"] <= day(38).isoformat()
    assert any("too few" in note for note in said["notes"])


@pytest.mark.parametrize("wanted", ["t42", "https://open.spotify.com/track/t42?si=1", "title of T42"])
def test_a_track_is_found_by_id_url_and_title(model: Path, wanted: str) -> None:
    rows = predicted(model, "--track", wanted)
    assert [row["track_id"] for row in rows] == ["t42"] * 3
    assert {row["market"] for row in rows} == {"SE", "DK", "FI"}
    assert rows[0]["market"] == "SE"
    assert all(0 <= row["p_enter"] <= 1 and row["days_high"] <= 7 for row in rows)


def test_all_tracks_of_late(model: Path) -> None:
    tracks = {row["track_id"] for row in predicted(model, "--all")}
    assert tracks == {f"t{number}" for number in range(36, 44)}


def test_text_shows_days_and_the_end_of_the_charts(model: Path) -> None:
    text = run("predict", model, "--track", "t42")
    assert f"Entries within 7 days of {day(45)}" in text
    assert "Sweden" in text
    assert "by 7 days" in text


def test_a_file_has_all_rows(model: Path, tmp_path: Path) -> None:
    for name in ("rows.csv", "rows.parquet"):
        run("predict", model, "--all", "--most", 1, "--out", tmp_path / name)
    csv, parquet = pd.read_csv(tmp_path / "rows.csv"), pd.read_parquet(tmp_path / "rows.parquet")
    assert csv["p_enter"].tolist() == pytest.approx(parquet["p_enter"].tolist())
    assert len(csv) > csv["track_id"].nunique()


def test_other_charts_move_the_day(model: Path, charts: Path) -> None:
    later = predicted(model, "--track", "t42", "--charts", charts, "--as-of", day(50))
    earlier = predicted(model, "--track", "t20", "--charts", charts, "--as-of", day(23))
    assert {row["as_of"] for row in later} == {day(50).isoformat()}
    assert {row["as_of"] for row in earlier} == {day(23).isoformat()}
    assert {row["market"] for row in earlier} == {"SE", "DK", "FI"}  # it entered Norway the day before


def test_a_debut_to_come(model: Path) -> None:
    rows = predicted(model, "--markets", "NO,Sweden", "--date", day(47), "--title", "New", "--artist", "Artist")
    assert {row["market"] for row in rows} == {"DK", "FI"}
    assert {(row["title"], row["as_of"]) for row in rows} == {("New", day(47).isoformat())}
    text = run("predict", model, "--markets", "NO", "--date", day(47))
    assert f"within 7 days of {day(47)}, the day of the debut" in text


@pytest.mark.slow
def test_own_columns_go_with_the_model(charts: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text(f"track_id,known,spend\nt42,{day(40)},5\nt42,{day(59)},9\n")
    place = tmp_path / "with-own"
    run("train", charts, "--out", place, "--horizon", 7, "--washout", 1, "--until", day(45), "--own", own)
    names = [feature["name"] for feature in json.loads((place / "registry.json").read_text())]
    assert "own_spend" in names
    assert predicted(place, "--track", "t42") == predicted(place, "--track", "t42", "--own", own)
    other = tmp_path / "other.csv"
    other.write_text(f"track_id,known,plays\nt42,{day(40)},5\n")
    assert "trained on spend" in fails("predict", place, "--track", "t42", "--own", other)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name tracks with --track"),
        (("--all", "--track", "t1"), "name tracks with --track"),
        (("--markets", "NO"), "needs the --date"),
        (("--track", "t42", "--title", "x"), "--title: only with --markets"),
        (("--track", "itle of t4"), "did you mean 'Title of t4"),
        (("--track", "nothing like it"), "no track has the id or title"),
        (("--track", "t55"), "no track has the id or title"),  # debuts after the training
        (("--track", "t42", "--into", "Norway"), "has entered Norway already, on "),
        (("--track", "t42", "--into", "Peru"), "no charts of Peru"),
        (("--track", "t42", "--into", "Swden"), "did you mean 'Sweden'"),
        (("--track", "t42", "--as-of", day(50)), "for another --as-of give --charts"),
        (("--track", "t42", "--out", "x.xls"), "must end in .csv or .parquet"),
        (("--markets", "NO", "--date", day(40)), "comes after that day"),
        (("--track", "t42", "--own", "none.csv"), "no file 'none.csv'"),
    ],
)
def test_errors_are_one_line(model: Path, words: Sequence[object], message: str) -> None:
    assert message in fails("predict", model, *words)


def test_hostile_titles_cannot_change_the_terminal(model: Path) -> None:
    text = run("predict", model, "--track", "t43")
    assert "Clear" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
