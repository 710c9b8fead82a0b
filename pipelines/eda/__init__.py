"""The exploratory analyses: functions from entries, charts and tables to tables."""
