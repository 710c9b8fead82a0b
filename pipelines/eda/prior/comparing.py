"""The earlier study's numbers beside those of the charts given: equal, different and why, or not computed and why."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Final

import pandas as pd

from diffusion import Charts
from pipelines.eda.prior.quantities import fetched, quantities

ROWS: Final = 26_174_269
"""Rows of the earlier study's charts."""

FIRST, LAST = date(2017, 1, 1), date(2021, 12, 31)
"""Their first and last date."""

NEAR: Final = 0.01
"""Charts of the same dates are taken for the same when their rows differ by no more than this share."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of the earlier study.

    Attributes
    ----------
    number
        Number of the row in the list of its results; related numbers share it.
    quantity
        Name in `pipelines.eda.prior.quantities`; empty where it is not computed.
    value
        The number as printed; a share is in per cent.
    scope
        Rows or markets that it is of.
    what
        What it counts.
    source
        Where it is printed: notebook and cell.
    note
        Why it is not computed, or how its definition differs; empty where there is nothing to say.
    """

    number: str
    quantity: str
    value: str
    scope: str
    what: str
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison.

    Attributes
    ----------
    table
        One row per fact; columns as in `pipelines.contracts.prior.PRIOR`.
    other
        Why these are not the charts of the earlier study; empty where they are.
    """

    table: pd.DataFrame
    other: str


def facts() -> list[Fact]:
    """Return the numbers of the earlier study."""
    text = resources.files("pipelines.eda.prior").joinpath("facts.csv").read_text(encoding="utf-8")
    return [Fact(**row) for row in csv.DictReader(io.StringIO(text))]


def rounding(printed: str) -> float:
    """Return by how much a number may differ from how it is printed: half of its last digit.

    Examples
    --------
    >>> [rounding(printed) for printed in ("73.14", "201", "7.525e10")]
    [0.005, 0.5, 5000000.0]
    """
    digits, _, power = printed.partition("e")
    decimals = len(digits.partition(".")[2])
    return 0.5 * 10.0 ** (int(power or 0) - decimals)


def compared(charts: Charts) -> Compared:
    """Return every number of the earlier study beside the same quantity of these charts.

    Parameters
    ----------
    charts
        The charts; where they are not those of the earlier study, every difference says so.
    """
    other = other_charts(charts)
    return Compared(beside(facts(), quantities(charts), other), other)


def other_charts(charts: Charts) -> str:
    """Return why these are not the earlier study's charts; empty where dates and rows are theirs."""
    dates = fetched(charts, "dates").iloc[0]
    first, last, rows = dates["first_date"].date(), dates["last_date"].date(), charts.account.read
    if (first, last) == (FIRST, LAST) and abs(rows - ROWS) <= NEAR * ROWS:
        return ""
    return f"other charts: {rows:,} rows from {first} to {last}, theirs {ROWS:,} from {FIRST} to {LAST}"


def beside(known: Sequence[Fact], ours: dict[str, float], other: str) -> pd.DataFrame:
    """Return one row per fact: theirs, ours, the difference, the verdict and why.

    Parameters
    ----------
    known
        Facts.
    ours
        Quantity → its value in these charts.
    other
        Result of `other_charts`.
    """
    rows = []
    for fact in known:
        theirs, value = float(fact.value), ours.get(fact.quantity)
        difference = None if value is None else value - theirs
        verdict = _verdict(fact, difference)
        rows.append(
            {
                "number": int(fact.number),
                "fact": fact.what,
                "scope": fact.scope,
                "printed": fact.value,
                "theirs": theirs,
                "ours": value,
                "difference": difference,
                "verdict": verdict,
                "why": _why(fact, verdict, other),
                "source": fact.source,
            }
        )
    return pd.DataFrame(rows).astype({"ours": "float64", "difference": "float64"})


def _verdict(fact: Fact, difference: float | None) -> str:
    if difference is None:
        return "not computed"
    # two sums in another order may differ in their last digits
    return "equal" if abs(difference) <= rounding(fact.value) * (1 + 1e-9) else "differs"


def _why(fact: Fact, verdict: str, other: str) -> str:
    if verdict == "not computed" and not fact.quantity:
        return fact.note
    lacking = "these charts have no rows or no column that it is counted from" if verdict == "not computed" else ""
    charts = "other charts" if other else ""
    explained = [part for part in (lacking, charts, fact.note) if part]
    return "; ".join(explained) if verdict != "equal" else charts
