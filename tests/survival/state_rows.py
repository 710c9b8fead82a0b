"""Times in states, one row after the other: a slow twin, and the extract of the packaged charts that R is given.

`python -m tests.survival.state_rows` writes the extract into ``tests/reference/states_rows.csv``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import pandas as pd

import diffusion
from tests.twins import Row, days_between

ROWS = Path(__file__).parent.parent / "reference" / "states_rows.csv"

MARKETS = ("AU", "BO", "CH", "DE", "IS", "LU", "MT", "PE", "SE", "US")
"""Markets of the extract."""


def state_on(day: int, away: Iterable[tuple[int, int | None]]) -> str:
    """Return the state in which a track begins a day: away from the day after it left to the day it is back."""
    return "left" if any(left < day and (back is None or day <= back) for left, back in away) else "charting"


def moves(wait: Row, away: Sequence[tuple[int, int | None]]) -> Iterator[tuple[int, str, str]]:
    """Yield day, state, and the state after it, "" where that is censored, for every day at risk of a wait."""
    for day in range(wait["start"] + 1, wait["days"] + 1):
        here, after = state_on(day, away), state_on(day + 1, away)
        last = day == wait["days"]
        if last and wait["entered"]:
            yield day, here, "entered"
        elif last and here == after:
            yield day, here, ""
        else:
            yield day, here, after


def absences_by_track(absences: Iterable[Row], debuts: Mapping[str, date]) -> dict[str, list[tuple[int, int | None]]]:
    """Return track → days from its debut to those on which it left, and was back."""
    away: dict[str, list[tuple[int, int | None]]] = {}
    for row in absences:
        debut = debuts.get(row["track_id"])
        if debut is not None and (row["back_on"] is None or row["back_on"] > debut):
            back = None if row["back_on"] is None else days_between(debut, row["back_on"])
            away.setdefault(row["track_id"], []).append((days_between(debut, row["left_on"]), back))
    return away


def state_rows(waits: Iterable[Row], away: Mapping[str, Sequence[tuple[int, int | None]]]) -> Iterator[Row]:
    """Yield one row per time of a wait in a state: number of the wait, `start`, `stop`, `from`, `to`."""
    for number, wait in enumerate(waits):
        start = wait["start"]
        for day, here, after in moves(wait, away.get(wait["track_id"], ())):
            if after != here:
                yield {
                    "id": number,
                    "track_id": wait["track_id"],
                    "start": start,
                    "stop": day,
                    "from": here,
                    "to": after,
                }
                start = day


def extract() -> pd.DataFrame:
    """Return the times in states of tracks that enter one of ten markets later; they leave after two charts."""
    with diffusion.open_sample() as charts:
        entries, away = charts.entries(), charts.absences(periods=2).table.to_pylist()
    lines = entries.timelines
    clusters = dict(zip(lines.track_ids, lines.cluster, strict=True))
    waits = [row for row in entries.arrow("waits", horizon=60).to_pylist() if row["market"] in MARKETS]
    chosen = {row["track_id"] for row in waits if row["entered"]}
    waits = [row for row in waits if row["track_id"] in chosen]
    debuts = {row["track_id"]: row["debut"] for row in waits}
    table = pd.DataFrame(state_rows(waits, absences_by_track(away, debuts)))
    table.insert(1, "cluster", table["track_id"].map(clusters))
    table.insert(0, "set", "charts")
    return table.drop(columns="track_id")


if __name__ == "__main__":
    extract().to_csv(ROWS, index=False)
