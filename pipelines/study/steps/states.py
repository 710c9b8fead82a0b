"""States of waits: whether the track is still charting, has left every chart, or has entered."""

from typing import Any

import pandas as pd

import figures
from diffusion import DataSaysNoError
from pipelines.formatting import percent, sentence
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step
from survival import states, waits
from survival.contracts import STATES as CURVES


def _make(study: Study, results: Results) -> Output:
    gaps = Gaps()
    notes: dict[str, Any] = {"caveats": []}
    return Output(gaps.take("states", lambda: _shares(study, results, notes)), notes=notes, not_made=gaps)


def _shares(study: Study, results: Results, notes: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the shares of waits by state and day; the notes get what readers should know of them."""
    absences = results.absences
    if absences is None:
        raise DataSaysNoError("it is not known when tracks left every chart")
    found = states(waits(results.entries, horizon=study.horizon), absences)
    notes |= {"periods": found.periods, "caveats": [f"states {note}" for note in found.notes()]}
    return {"states": found.curves[CURVES.names]}


def _drawings(results: Results) -> dict[str, Drawing]:
    if not results.holds("states"):
        return {}
    return {
        "states": Drawing(
            "Shares of waits that entered, whose track is charting, and whose track left every chart, by day.",
            lambda: figures.states(results.table("states")),
        )
    }


def _said(results: Results) -> str:
    """Return the shares on the last day in words; empty where there are none."""
    if not results.holds("states"):
        return ""
    last = results.table("states").iloc[-1]
    names = ("entered", "low", "high", "entered_after_left")
    entered, low, high, after = (percent(last[name], places=2) for name in names)
    return (
        f"by day {last['days']} since the debut {entered} of all waits have ended in an entry ({low} to {high}), "
        f"{after} after the track had left; {percent(last['left'], places=0)} wait for a track that is on no chart"
    )


def _section(results: Results) -> dict[str, Any]:
    return {"periods": results.notes("states")["periods"]} if results.holds("states") else {}


def _findings(results: Results) -> list[Finding]:
    if not (said := _said(results)):
        return []
    caveat = "A track that has left every chart may come back: leaving is not the end."
    return [Finding("Who is still waiting?", sentence(said), "", caveat, "described", figure="states")]


def _lines(results: Results) -> list[str]:
    said = _said(results)
    return [f"states    {said}"] if said else []


def _caveats(results: Results) -> list[str]:
    return [sentence(note) for note in results.notes("states")["caveats"]]


STATES = Step(
    name="states",
    title="Still charting, gone, entered",
    doing="telling who left from who charts",
    version=1,
    tables={"states": CURVES},
    make=_make,
    needs=("entries",),
    settings=("horizon",),
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
    caveats=_caveats,
)
