"""The top: study runner, report and command line."""

from pipelines.folders.folder import Folder
from pipelines.study.run import STEPS, Run
from pipelines.study.settings import Study, read_study

__all__ = ["STEPS", "Folder", "Run", "Study", "read_study"]
