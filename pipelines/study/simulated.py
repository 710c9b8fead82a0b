"""A study whose answer is known: charts simulated from a network of influence between markets."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from diffusion.simulation import Simulation, simulate
from pipelines.study.settings import Study

KNOWN_CHARTS: Final = Simulation(tracks=40_000, markets=30, days=1826, density=0.05, depth=50, seed=7)
"""Five years of daily charts of thirty markets, in which one pair of twenty influences each other."""


def simulated_study(study: Study, place: Path, *, simulation: Simulation = KNOWN_CHARTS) -> Study:
    """Return a study with its charts replaced by simulated ones, which are written to `place` with their truth.

    Parameters
    ----------
    study
        Settings of the study.
    place
        Folder for the charts and the truth; the same simulation gives the same files.
    simulation
        Settings of the simulation.

    Raises
    ------
    OutputError
        When the folder cannot be written, or holds other charts.
    """
    simulate(simulation, place, layout="star")
    years = round(simulation.days / 365)
    title = f"A known answer: {years} years of simulated charts of {simulation.markets} markets"
    return replace(study, title=title, path=str(place / "charts"), truth=str(place / "truth.parquet"))
