"""What several test modules of the pipelines need: the folder of a command that takes long."""

from pathlib import Path

import pytest

from diffusion.simulation import Simulation, simulate
from pipelines.commands.main import cli

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
