"""The house itself: what is imported is ours, what is public is documented, what is shipped may be shipped."""

import importlib
import inspect
import subprocess
import sys
import zipfile
from dataclasses import fields
from importlib import resources
from pathlib import Path

import pytest

from pipelines.study.cohort import Cohort
from pipelines.study.settings import ENGINE, RENAMED, SECTIONS, SPARK, Study

ROOT = Path(__file__).parents[1]
PACKAGES = ("diffusion", "graphs", "survival", "figures", "pipelines")
WHEEL_LIMIT = 6_000_000


@pytest.mark.parametrize("name", PACKAGES)
def test_what_is_imported_is_ours(name: str) -> None:
    """All five names exist on PyPI as other people's packages."""
    found = importlib.import_module(name).__file__
    assert found is not None
    assert Path(found).parents[1] == ROOT


@pytest.mark.parametrize("name", PACKAGES)
def test_everything_public_is_documented(name: str) -> None:
    package = importlib.import_module(name)
    assert package.__doc__
    assert list(package.__all__) == sorted(package.__all__, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    for public in package.__all__:
        value = getattr(package, public)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), f"{name}.{public} has no docstring"


@pytest.mark.parametrize("name", PACKAGES)
def test_a_bare_import_works_and_says_nothing(name: str) -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", f"import {name}"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_study_file_has_a_key_for_every_field() -> None:
    flat = {section: keys for section, keys in SECTIONS.items() if section != "cohort"}
    named = {RENAMED.get((section, key), key) for section, keys in flat.items() for key in keys}
    assert named | {"cohort", ENGINE, SPARK} == {spec.name for spec in fields(Study)}
    assert set(SECTIONS["cohort"]) == {spec.name for spec in fields(Cohort)}


def test_every_shipped_data_file_has_its_origin_and_licence() -> None:
    folder = resources.files("diffusion").joinpath("data")
    readme = folder.joinpath("README.md").read_text(encoding="utf-8")
    for file in folder.iterdir():
        if file.is_file() and file.name not in ("README.md", "build.py"):
            assert f"`{file.name}`" in readme, f"{file.name} is not in the README beside it"


@pytest.mark.slow
def test_the_wheel_is_small_and_whole(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.stat().st_size < WHEEL_LIMIT
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert tops == set(PACKAGES)
    for needed in (
        "diffusion/sql/entries.sql",
        "diffusion/data/markets.csv",
        "pipelines/study/templates/page.html",
        "pipelines/study/demo.toml",
        "pipelines/explorer/web/d3.min.js",
        "pipelines/explorer/LICENSE-ISC-d3.txt",
    ):
        assert needed in names
    assert any(name.endswith("LICENSE-CC-BY-SA-4.0.txt") for name in names)


def test_the_packaged_tables_are_what_their_sources_say(real_data: Path, tmp_path: Path) -> None:
    from diffusion.data.build import build

    build(real_data, tmp_path)
    for file in tmp_path.iterdir():
        if file.suffix == ".csv":
            shipped = resources.files("diffusion").joinpath("data", file.name).read_bytes()
            assert file.read_bytes() == shipped, file.name
