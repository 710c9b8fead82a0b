"""What several test modules of the pipelines need: the command line, and the folder of a command that takes long."""

from collections.abc import Callable
from pathlib import Path

import pytest

from diffusion.simulation import Simulation, simulate
from pipelines.commands.main import cli, run_command

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
