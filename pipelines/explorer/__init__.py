"""The explorer: one self-contained page on which markets, pairs, leaders and journeys can be looked at."""

from pipelines.explorer.content import StudyResults
from pipelines.explorer.page import explorer_html

__all__ = ["StudyResults", "explorer_html"]
