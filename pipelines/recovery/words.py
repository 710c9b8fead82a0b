"""The table of a study in words: every claim with its goal, then the cells that miss theirs, then all cells."""

from collections.abc import Iterator
from math import inf
from typing import Any, Final

import pandas as pd

from pipelines.recovery.goals import ALL, LARGE

_MEASURES: Final = {
    "any": "simulations with a positive verdict",
    "small": "tests with p ≤ .05",
    "false": "positive verdicts that are false",
    "power": "pairs with influence that are found",
    "precision": "average precision",
    "relative precision": "average precision / that of the summed hazard",
    "coverage": "intervals that hold the truth",
    "missing": "estimates without an interval",
}
_WHERE: Final = {False: "without influence", True: "with influence"}
_VERDICTS: Final = {True: "met", False: "MISSED"}

Row = dict[str, Any]


def recovery_text(table: pd.DataFrame) -> str:
    """Return the table of a study (`pipelines.contracts.recovery.RECOVERY`) as text."""
    return "\n\n".join([_claims(table), _missed(table), *_cells(table)]) + "\n"


def _claims(table: pd.DataFrame) -> str:
    """Return what every claim says in all worlds together, and the range over worlds."""
    lines = [f"Every claim in all worlds together (with influence: {LARGE:,} tracks), and by world and size"]
    for claim, own in table.groupby("claim", sort=False):
        lines += ["", str(claim)]
        for (influence, measure), part in own.groupby(["influence", "measure"], sort=False):
            lines.append(f"  {_WHERE[bool(influence)]}: {_MEASURES[str(measure)]}")
            lines += [f"    {words}" for words in (*_together(part), *_apart(part))]
    return "\n".join(lines)


def _together(part: pd.DataFrame) -> Iterator[str]:
    """Yield the value in all worlds together."""
    for row in _rows(part[part["world"] == ALL]):
        yield f"together {_share(row['value'])}, {row['simulations']:,} simulations{_goal(row)}{_verdict(row)}"


def _apart(part: pd.DataFrame) -> Iterator[str]:
    """Yield the least and largest value of single worlds and sizes, by their goal."""
    single = part[part["world"] != ALL]
    none = "; no goal for these" if single["least"].notna().any() else ""
    for _, own in single.groupby(["least", "most"], dropna=False):
        low, high, judged = own["value"].min(), own["value"].max(), own["met"].dropna()
        verdict = f", met in {int(judged.sum())} of {len(judged)}" if len(judged) else ""
        goal = _goal(_rows(own)[0]) or none
        yield f"by world {_share(low)} to {_share(high)}, {len(own)} worlds and sizes{goal}{verdict}"


def _missed(table: pd.DataFrame) -> str:
    """Return the cells that miss their goal, one per line."""
    missed = _rows(table[~table["met"].fillna(value=True)])
    lines = [
        f"  {_cell(row)}: {row['claim']}, {_MEASURES[row['measure']]}: {_share(row['value'])}{_goal(row)}, "
        f"{row['simulations']:,} simulations"
        for row in missed
    ]
    return "\n".join(["Goals that are missed", "", *(lines or ["  none"])])


def _cells(table: pd.DataFrame) -> Iterator[str]:
    """Yield, for every measure, a table with one row per world and size, and one column per claim."""
    single = table[table["world"] != ALL]
    for (influence, measure), part in single.groupby(["influence", "measure"], sort=False):
        index = ["world", "tracks", "markets", "simulations"]
        wide = part.pivot_table(index=index, columns="claim", values="value", sort=False, dropna=False)
        shown = wide.dropna(how="all").map(_share).reset_index()
        title = f"{_MEASURES[str(measure)]}, {_WHERE[bool(influence)]}"
        yield f"{title[0].upper()}{title[1:]}\n\n{shown.to_string(index=False)}"


def _rows(table: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _cell(row: Row) -> str:
    if row["world"] == ALL:
        return f"all worlds {_WHERE[row['influence']]}"
    return f"{row['world']}, {row['tracks']:,} tracks, {row['markets']} markets"


def _goal(row: Row) -> str:
    if pd.isna(row["least"]):
        return ""
    if row["least"] == 0:
        return f"; goal at most {_share(row['most'])}"
    if row["most"] == inf:
        return f"; goal at least {_share(row['least'])}"
    return f"; goal {_share(row['least'])} to {_share(row['most'])}"


def _verdict(row: Row) -> str:
    return "" if pd.isna(row["met"]) else f": {_VERDICTS[bool(row['met'])]}"


def _share(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}"
