"""Seasons: whether months, weekdays and the weeks of public holidays differ, and which windows are best."""

from pipelines.eda.seasons.tables import MEASURES, season_tables
from pipelines.eda.seasons.words import TITLES, best_windows, season_findings

__all__ = ["MEASURES", "TITLES", "best_windows", "season_findings", "season_tables"]
