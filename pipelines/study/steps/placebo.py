"""Placebos: what the same tests find in charts drawn from the baseline, and in charts dealt anew."""

from typing import Any, Final

import pandas as pd

from diffusion import DataSaysNoError
from graphs import contracts
from graphs.leaders.asymmetry import MEASURE
from graphs.placebo import found_counts, placebo_table
from pipelines.formatting import html_table
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Gaps, Output, Step

DRAWS: Final = 3
"""Charts drawn from the baseline."""

COUNTED: Final = {
    "edges": "pairs beyond the baseline",
    "ordered": "more one way",
    "direct": "direct",
    "groups": "groups of leaders",
}
"""Column → what it counts, in words."""


def _make(study: Study, results: Results) -> Output:
    gaps = Gaps()
    return Output(gaps.take("placebo", lambda: {"placebo": _placebo(results, study)}), not_made=gaps)


def _placebo(results: Results, study: Study) -> pd.DataFrame:
    if not results.holds("lifts"):
        raise DataSaysNoError("no pair could be held against the baseline")
    influence = results.table("influence") if results.holds("influence") else None
    leaders = results.table("leaders")
    counts = found_counts(results.table("lifts"), influence, leaders[leaders["measure"] == MEASURE])
    own = {"kind": "charts", "draw": 0} | counts
    window = int(results.notes("graph")["window"])
    drawn = placebo_table(
        results.baseline,
        window=window,
        draws=DRAWS,
        replicates=study.replicates,
        seed=study.seed,
        direct=study.direct,
    )
    return pd.concat([pd.DataFrame([own]), drawn], ignore_index=True)


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("placebo"):
        return {}
    return {"placebo": html_table(results.table("placebo").astype({"direct": "Int64"}))}


def _lines(results: Results) -> list[str]:
    if not results.holds("placebo"):
        return []
    table = results.table("placebo")
    said = [f"{name} {_values(table, column)}" for column, name in COUNTED.items()]
    kinds = "in charts drawn where no market follows another | in charts with markets exchanged at random"
    return [f"placebo   found in the charts | {kinds}: {'; '.join(said)}"]


def _counts(table: pd.DataFrame, column: str) -> list[list[int]]:
    """Return the counts of a column in the charts, in those drawn from the baseline, and in those dealt anew."""
    kinds = ("charts", "baseline", "permutation")
    return [[int(count) for count in table.loc[table["kind"] == kind, column].dropna()] for kind in kinds]


def _values(table: pd.DataFrame, column: str) -> str:
    """Return the counts of a column by kind, as the line on screen has them."""
    return " | ".join(", ".join(f"{count:,}" for count in counts) or "–" for counts in _counts(table, column))


def beside_placebos(results: Results, column: str, what: str) -> str:
    """Return in a sentence what a test finds in the charts and in the placebos; empty where there are none.

    Parameters
    ----------
    results
        Results of the study.
    column
        What the test counts, as a column of the table `placebo`.
    what
        The same in words.
    """
    if not results.holds("placebo"):
        return ""
    own, drawn, dealt = _counts(results.table("placebo"), column)
    if not own or not drawn:
        return ""
    least, most = min(drawn), max(drawn)
    counts = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    sets = "a set" if len(drawn) == 1 else f"each of {len(drawn)} sets" if least == most else f"{len(drawn)} sets"
    exchanged = f", and {dealt[0]:,} where markets were exchanged at random" if dealt else ""
    return (
        f"The same test finds {own[0]:,} {what} in these charts, {counts} in {sets} of charts drawn where no market "
        f"follows another{exchanged}."
    )


PLACEBO = Step(
    name="placebo",
    title="Placebos",
    doing="looking for the same in charts without influence",
    version=1,
    tables={"placebo": contracts.PLACEBO},
    make=_make,
    needs=("entries", "graph", "baseline", "leaders", "direct"),
    settings=("replicates", "seed", "direct"),
    section=_section,
    lines=_lines,
)
