"""Figures of forecasts: scores, learning curves, what models draw on, and where they err."""
