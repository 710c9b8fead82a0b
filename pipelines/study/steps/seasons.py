"""Seasons: months, weekdays and weeks of public holidays, and the best windows to debut or to be released."""

from functools import partial
from typing import Any, Final

import pandas as pd
import pyarrow as pa

import figures
from diffusion import SettingError
from pipelines.contracts.seasons import HOLIDAY_DAYS, HOLIDAY_WEEKS, SEASON_EFFECTS, SEASONS
from pipelines.eda.seasons import MEASURES, season_tables
from pipelines.formatting import cell, html_table, many, percent, seen
from pipelines.reference.holiday_calendar import Holidays, public_holidays
from pipelines.reference.territories import territory
from pipelines.study.findings import Finding, Verdict
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step

TITLES: Final = {"month": "Months of the year", "weekday": "Days of the week"}
"""Cycle → title of its picture."""

OUTCOMES: Final = ("debut_travelled", "debut_further", "release_travelled", "release_further")
"""Measures of what becomes of tracks: what a window to debut or to be released may change."""

_SELECTED: Final = (
    "It compares tracks as they came: big releases choose their day, so the window itself may do nothing."
)


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
    return results.charts().arrow("market_streams", chart=entries.calendar.chart)


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
        "windows": html_table(_windows(results)),
        "weeks": None,
    }
    if results.holds("holiday_weeks"):
        weeks = results.table("holiday_weeks")
        content["weeks"] = html_table(_named(seen(weeks[weeks["market"] == "all"]).drop(columns=["market", "found"])))
    return content


def _named(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(measure=table["measure"].map(MEASURES))


def _windows(results: Results) -> pd.DataFrame:
    """Return the windows that may be the best of their cycle, for every outcome of tracks that was tested."""
    effects = results.table("season_effects")
    rows = []
    for (cycle, measure), own in effects[effects["measure"].isin(OUTCOMES)].groupby(["cycle", "measure"], sort=False):
        known = own.dropna(subset=["behind_high"])
        if len(known):
            best = known.iloc[int(known["effect"].argmax())]
            rows.append((cycle, MEASURES[str(measure)], best["name"], best["effect"], best["low"], best["high"],
                         _may_be_best(known), f"{len(known)}"))  # fmt: skip
    columns = ["cycle", "measure", "first", "effect", "low", "high", "may be the best", "of"]
    return pd.DataFrame(rows, columns=columns)


def _may_be_best(known: pd.DataFrame) -> str:
    """Return the names of the places that are not shown to be behind another."""
    names = known.loc[known["behind_high"] > 0, "name"].tolist()
    return "any" if len(names) == len(known) else ", ".join(names)


def _findings(results: Results) -> list[Finding]:
    if not results.holds("seasons"):
        return []
    tested = results.table("seasons")
    found = [
        _cycle(results, cycle, own)
        for cycle, own in tested[~tested["measure"].isin(OUTCOMES)].groupby("cycle", sort=False)
    ]
    found += [
        _best(results, str(cycle), own)
        for cycle, own in tested[tested["measure"].isin(OUTCOMES)].groupby("cycle", sort=False)
    ]
    return found + (_around_holidays(results) if results.holds("holiday_weeks") else [])


def _cycle(results: Results, cycle: Any, own: pd.DataFrame) -> Finding:
    """Return whether the months, or the weekdays, differ in entries, streams and further markets."""
    title, figure = TITLES[cycle], f"season_{cycle}s"
    caveat = (
        "A month is held against the twelve around it, and years are few: what came in one year only is no season."
        if cycle == "month"
        else "Weekdays go with releases: most tracks debut on one day and differ from the others, so a difference need "
        "not be the day's doing."
    )
    known = own.dropna(subset=["p"])
    if known.empty:
        said = f"{_places(cycle)} cannot be told apart: {_too_few(cycle, own)}."
        return Finding(title, said, "", caveat, "described", figure)
    shown = known[known["found"]]
    if shown.empty:
        said = f"No {cycle} is shown to differ from the level around it in {_listed(known)}."
        return Finding(title, said, _sized(known), caveat, "not found", figure, headline=cycle == "month")
    said = f"{_places(cycle)} differ in {'; '.join(_extreme(results, row) for _, row in shown.iterrows())}."
    return Finding(title, said, _sized(known), caveat, "found", figure, headline=True)


def _places(cycle: str) -> str:
    return "Months" if cycle == "month" else "Days of the week"


def _too_few(cycle: str, own: pd.DataFrame) -> str:
    """Return how often places repeat, where that is too few to test."""
    repeats = int(own["repeats"].max())
    if cycle == "month":
        return (
            f"these charts have {many(repeats, 'year')} of months with twelve months around them, and it takes three, "
            "four years of charts, to tell a season from a trend or an event"
        )
    return f"{many(repeats, 'week')} have enough days to compare, and it takes ten"


def _listed(known: pd.DataFrame) -> str:
    return ", ".join(MEASURES[name] for name in known["measure"])


def _rows_of(results: Results, row: "pd.Series[Any]") -> pd.DataFrame:
    """Return the effects of one row of `seasons` that have an interval."""
    effects = results.table("season_effects")
    own = (effects["cycle"] == row["cycle"]) & (effects["measure"] == row["measure"])
    return effects.loc[own & effects["low"].notna(), :]


def _extreme(results: Results, row: "pd.Series[Any]") -> str:
    """Return the place that is farthest from the level around it, with its simultaneous interval."""
    own = _rows_of(results, row)
    far = own.iloc[int(own["effect"].abs().argmax())]
    return f"{MEASURES[row['measure']]}: {far['name']} {_sized_effect(far)}"


def _sized_effect(place: "pd.Series[Any]") -> str:
    """Return the effect of a place with its interval.

    Examples
    --------
    >>> _sized_effect(pd.Series({"effect": 0.123, "low": 0.1, "high": 0.14, "unit": "relative"}))
    '+12 % (+10 to +14 %)'
    """
    effect, low, high = (_amount(place[name], place["unit"]) for name in ("effect", "low", "high"))
    return f"{effect} ({low.split(' ')[0]} to {high})"


def _amount(value: float, unit: str) -> str:
    """Return an effect in words.

    Examples
    --------
    >>> [_amount(0.123, "relative"), _amount(-0.02, "share"), _amount(0.5, "markets")]
    ['+12 %', '−2.0 points', '+0.5 markets']
    """
    sign = "+" if value >= 0 else "\N{MINUS SIGN}"
    if unit == "markets":
        return f"{sign}{abs(value):.2g} markets"
    return f"{sign}{percent(abs(value)).replace(' %', ' points') if unit == 'share' else percent(abs(value))}"


def _sized(known: pd.DataFrame) -> str:
    """Return q of every measure, and the deviation that would have been found."""
    parts = [
        f"{MEASURES[row['measure']]} q {cell(row['q'])}, found from {_amount(row['detectable'], row['unit'])[1:]}"
        for _, row in seen(known).iterrows()
    ]
    return f"Over {many(int(known['repeats'].min()), _repeat(known))} or more: {'; '.join(parts)}, four times in five."


def _repeat(known: pd.DataFrame) -> str:
    return "year" if known["cycle"].iloc[0] == "month" else "week"


def _best(results: Results, cycle: str, own: pd.DataFrame) -> Finding:
    """Return whether a month, or a weekday, to debut or to be released is shown to be better than others."""
    title, figure = f"Best {cycle}s to come out", f"season_{cycle}s"
    known = own.dropna(subset=["p"])
    if known.empty:
        said = f"No best {cycle} can be named: {_too_few(cycle, own)}."
        return Finding(title, said, "", _SELECTED, "described", figure)
    shown = known[known["found"]]
    if shown.empty:
        said = f"No {cycle} to come out is shown to be better than another for {_listed(known)}."
        return Finding(title, said, _sized(known), _SELECTED, "not found", figure, headline=True)
    said = "; ".join(_winner(results, row) for _, row in shown.iterrows())
    return Finding(title, f"By {cycle}, {said}.", _sized(known), _SELECTED, "found", figure, headline=True)


def _winner(results: Results, row: "pd.Series[Any]") -> str:
    """Return which places may be the best, and how far the first of them is from the level around it."""
    known = _rows_of(results, row)
    best, first = _may_be_best(known), known.iloc[int(known["effect"].argmax())]
    said = f"{MEASURES[row['measure']]}: "
    if best == first["name"]:
        return f"{said}{best} is the best, {_sized_effect(first)}"
    none = "none is shown to be the best" if best == "any" else f"the best is {best.replace(', ', ' or ')}"
    return f"{said}{none}, first is {first['name']}, {_sized_effect(first)}"


def _around_holidays(results: Results) -> list[Finding]:
    weeks = results.table("holiday_weeks")
    own = weeks[weeks["market"] == "all"]
    caveat = (
        "It is the week from three days before to three days after, or the chart with the holiday, against four weeks "
        "on either side; single days may differ where the week does not."
    )
    parts = [f"{MEASURES[row['measure']]} {percent(row['ratio'])}{_bounds(row)}" for _, row in own.iterrows()]
    title, figure = "Public holidays", "holiday_days"
    said = f"In the weeks around public holidays, of what other weeks lead to expect: {', '.join(parts)}"
    known = own.dropna(subset=["p"])
    if known.empty:
        few = f"Too few weeks with holidays for a test: {cell(float(own['blocks'].max()))} in effect, ten are needed."
        return [Finding(title, f"{said}.", few, caveat, "described", figure)]
    sure = "; ".join(
        f"{MEASURES[row['measure']]} q {cell(row['q'])}, found from {percent(row['detectable'])}"
        for _, row in seen(known).iterrows()
    )
    sure = f"Holidays of one calendar week count as one: {sure}, four times in five."
    verdict: Verdict = "found" if known["found"].any() else "not found"
    said = said if verdict == "found" else f"{said}: none is shown to differ"
    return [Finding(title, f"{said}.", sure, caveat, verdict, figure, headline=True)]


def _bounds(row: "pd.Series[Any]") -> str:
    return "" if pd.isna(row["low"]) else f" ({percent(row['low'])} to {percent(row['high'])})"


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
