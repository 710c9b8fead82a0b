"""Seasons: whether months, weekdays and the weeks of public holidays differ, and which windows are best."""

from pipelines.eda.seasons.tables import MEASURES, season_tables

__all__ = ["MEASURES", "season_tables"]
