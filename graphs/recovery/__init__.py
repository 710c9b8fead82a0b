"""Recovery study: methods and intervals against networks whose truth is known."""

from graphs.recovery.methods import METHODS
from graphs.recovery.runs import CellRuns, cell_runs
from graphs.recovery.study import Recovery, recovery_study, summed_up
from graphs.recovery.worlds import CELLS, Cell, Size

__all__ = ["CELLS", "METHODS", "Cell", "CellRuns", "Recovery", "Size", "cell_runs", "recovery_study", "summed_up"]
