"""Which files are charts: globs, and folders with more files than anyone means."""

import glob
from pathlib import Path

import pytest

from diffusion import SourceError
from diffusion.sources import listing
from diffusion.sources.listing import list_files


@pytest.mark.parametrize(
    "pattern", ["**/*.csv", "a/**/*.csv", "**/b/*.csv", "**/**/[xy].csv", "**/.h/*.csv", "a/**", "**"]
)
def test_a_glob_over_all_folders_matches_what_the_glob_of_python_matches(tmp_path: Path, pattern: str) -> None:
    for name in ("x.csv", "a/x.csv", "a/b/y.csv", "a/b/.z.csv", "b/x.csv", ".h/x.csv", "a/.h/x.csv", "a/n.csv/x.csv"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("a\n")
    expected = {file for file in map(Path, glob.glob(str(tmp_path / pattern), recursive=True)) if file.is_file()}
    assert expected
    assert {file.place for file in list_files(tmp_path / pattern).files} == expected


@pytest.mark.parametrize("pattern", ["", "**/*.csv"])
def test_too_many_files_are_an_error_that_says_how_many(
    tmp_path: Path, pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LOOKED_THROUGH", 20)
    for number in range(21):
        (tmp_path / f"{number}.csv").write_text("a\n")
    with pytest.raises(SourceError, match=r"looked through 20 files and folders below '.*', and there are more; name"):
        list_files(tmp_path / pattern)


def test_a_study_file_is_no_charts_and_the_error_says_what_takes_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[charts]\n")
    with pytest.raises(SourceError, match=r"mine\.toml' is a study file and not charts; run it: chart-diffusion run"):
        list_files(file)


def test_what_is_no_disk_is_not_walked() -> None:
    walked = listing._walk(Path("/"))
    assert not {"proc", "sys", "dev"}.intersection(next(walked)[1])
