"""The recovery study: methods and intervals on simulated networks with known truth."""

from diffusion.simulation.worlds import CELLS, Cell, Size
from pipelines.recovery.methods import METHODS
from pipelines.recovery.runs import CellRuns, cell_runs
from pipelines.recovery.study import Recovery, recovery_study, summed_up

__all__ = ["CELLS", "METHODS", "Cell", "CellRuns", "Recovery", "Size", "cell_runs", "recovery_study", "summed_up"]
