"""The recovery study: what the product claims in simulated worlds whose truth is known."""

from pipelines.recovery.cells import Cell, cells_of
from pipelines.recovery.claims import CLAIMS, Finding, findings
from pipelines.recovery.goals import GOALS
from pipelines.recovery.intervals import INTERVALS, Truth, covered, truth_of
from pipelines.recovery.output import write_recovery
from pipelines.recovery.summary import summed_up
from pipelines.recovery.words import recovery_text

__all__ = [
    "CLAIMS",
    "GOALS",
    "INTERVALS",
    "Cell",
    "Finding",
    "Truth",
    "cells_of",
    "covered",
    "findings",
    "recovery_text",
    "summed_up",
    "truth_of",
    "write_recovery",
]
