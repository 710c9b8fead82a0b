"""Seasons: months, weekdays and weeks of public holidays, and the best windows to debut or to be released."""

from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa

import figures
from diffusion import SettingError
from pipelines.contracts.seasons import HOLIDAY_DAYS, HOLIDAY_WEEKS, SEASON_EFFECTS, SEASONS
from pipelines.eda.seasons import MEASURES, TITLES, best_windows, season_findings, season_tables
from pipelines.formatting import html_table, seen
from pipelines.reference.holiday_calendar import Holidays, public_holidays
from pipelines.reference.territories import territory
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step


def _make(study: Study, results: Results) -> Output:
    entries, gaps = results.entries, Gaps()
    window = study.window or entries.calendar.default_window
    holidays = _holidays(results, gaps)
    tables = gaps.take(
        "seasons",
        lambda: season_tables(
            entries,
            streams=_streams(results, gaps),
            holidays=None if holidays is None else holidays.table.to_pandas(),
            window=window,
            seed=study.seed,
            not_made=gaps,
        ),
    )
    known = {} if holidays is None else {"holidays": dict(holidays.notes)}
    return Output(tables, notes={"window": window} | known, not_made=gaps)


def _streams(results: Results, gaps: Gaps) -> pa.Table | None:
    """Return the streams of the charts; None with the reason where they are not those of the study's tracks."""
    entries = results.entries
    if entries.cohort or entries.groups:
        gaps["season_effects of streams"] = "the streams of whole charts are not those of a cohort or group of markets"
        return None
    return results.charts().arrow("chart_sums", chart=entries.calendar.chart)


def _holidays(results: Results, gaps: Gaps) -> Holidays | None:
    """Return the public holidays of the markets; None with the reason where there are none to be had."""
    calendar = results.entries.calendar
    markets = [market for market in calendar.markets if territory(market) == market]
    try:
        found = public_holidays(markets, calendar.first_date, calendar.last_date)
    except SettingError as error:
        gaps["holiday_weeks"] = str(error)
        return None
    if not found.table.num_rows:
        gaps["holiday_weeks"] = "no public holiday of these markets is known in the time of the charts"
        return None
    return found


def _drawings(results: Results) -> dict[str, Drawing]:
    if not results.holds("seasons"):
        return {}
    tested, effects = results.table("seasons"), results.table("season_effects")
    drawings = {
        f"season_{cycle}s": Drawing(
            f"{title}: how far each is from the level around it, with intervals, for every measure.",
            partial(
                figures.season_chart,
                effects[effects["cycle"] == cycle],
                tested[tested["cycle"] == cycle],
                names=MEASURES,
                title=title,
            ),
        )
        for cycle, title in TITLES.items()
        if (tested["cycle"] == cycle).any()
    }
    if results.holds("holiday_weeks"):
        drawings["holiday_days"] = Drawing(
            "The days around public holidays against the same weekdays of the weeks before and after.",
            lambda: figures.holiday_chart(
                results.table("holiday_days"), results.table("holiday_weeks"), names=MEASURES
            ),
        )
    return drawings


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("seasons"):
        return {}
    content: dict[str, Any] = {
        "window": results.notes("seasons")["window"],
        "tested": html_table(_named(seen(results.table("seasons")).drop(columns=["unit", "found"]))),
        "windows": html_table(best_windows(results.table("season_effects"))),
        "weeks": None,
    }
    if results.holds("holiday_weeks"):
        weeks = results.table("holiday_weeks")
        content["weeks"] = html_table(_named(seen(weeks[weeks["market"] == "all"]).drop(columns=["market", "found"])))
    return content


def _named(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(measure=table["measure"].map(MEASURES))


def _findings(results: Results) -> list[Finding]:
    if not results.holds("seasons"):
        return []
    weeks = results.table("holiday_weeks") if results.holds("holiday_weeks") else None
    return season_findings(results.table("seasons"), results.table("season_effects"), weeks)


def _lines(results: Results) -> list[str]:
    return [f"seasons   {finding.said}" for finding in _findings(results)]


def _caveats(results: Results) -> list[str]:
    holidays = results.notes("seasons").get("holidays", {})
    unknown = holidays.get("unknown", [])
    said = f"Public holidays are not known for {', '.join(unknown)}." if unknown else ""
    return [said] if said else []


SEASONS_STEP = Step(
    name="seasons",
    title="Seasons and release timing",
    doing="looking for seasons",
    version=1,
    tables={
        "seasons": SEASONS,
        "season_effects": SEASON_EFFECTS,
        "holiday_weeks": HOLIDAY_WEEKS,
        "holiday_days": HOLIDAY_DAYS,
    },
    make=_make,
    needs=("entries",),
    settings=("window", "seed"),
    reads_charts=True,
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
    caveats=_caveats,
)
