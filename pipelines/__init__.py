"""Studies and their steps, queries on the results, data pipelines, and the command line."""

from pipelines.folders.folder import Folder
from pipelines.study.results import Results, open_results
from pipelines.study.run import Run
from pipelines.study.settings import Study, read_study
from pipelines.study.steps import STEPS

__all__ = ["STEPS", "Folder", "Results", "Run", "Study", "open_results", "read_study"]
