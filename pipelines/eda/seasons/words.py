"""What was found of seasons, in words."""

from typing import Any, Final

import pandas as pd

from pipelines.eda.seasons.cycles import LEAST_BLOCKS
from pipelines.eda.seasons.tables import MEASURES, RATIOS
from pipelines.formatting import cell, many, percent, seen
from pipelines.study.findings import Finding, Verdict

TITLES: Final = {"month": "Months of the year", "weekday": "Days of the week"}
"""Cycle → title of its picture."""

OUTCOMES: Final = ("debut_travelled", "debut_further", "release_travelled", "release_further")
"""Measures of what becomes of tracks: what a window to debut or to be released may change."""

SHARES: Final = ("debut_travelled", "release_travelled")
"""Those of them that the findings name; the table has all."""

_SELECTED: Final = (
    "It compares tracks that made the charts, and big releases choose their day: the window itself may do nothing."
)


def season_findings(tested: pd.DataFrame, effects: pd.DataFrame, weeks: pd.DataFrame | None) -> list[Finding]:
    """Return what was found on months, weekdays, the best of them to come out, and public holidays.

    Parameters
    ----------
    tested, effects, weeks
        As `SEASONS`, `SEASON_EFFECTS` and `HOLIDAY_WEEKS` of `pipelines.contracts.seasons`; None for no holidays.
    """
    days, tracks = (tested[tested["measure"].isin(measures)] for measures in (RATIOS, SHARES))
    found = [_cycle(effects, str(cycle), own) for cycle, own in days.groupby("cycle", sort=False)]
    found += [_best(effects, str(cycle), own) for cycle, own in tracks.groupby("cycle", sort=False)]
    return found if weeks is None else [*found, _around_holidays(weeks)]


def _cycle(effects: pd.DataFrame, cycle: str, own: pd.DataFrame) -> Finding:
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
        return Finding(title, said, "", caveat, "not found", figure)
    shown = known[known["found"]]
    if shown.empty:
        said = f"No {cycle} is shown to differ from the level around it in {_listed(known)}."
        return Finding(title, said, _sized(known), caveat, "not found", figure, headline=cycle == "month")
    said = f"{_places(cycle)} differ in {'; '.join(_extreme(effects, row) for _, row in shown.iterrows())}."
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
    if repeats >= LEAST_BLOCKS:
        return "their tracks are of too few artists"
    return f"{many(repeats, 'week')} {'has' if repeats == 1 else 'have'} enough days to compare, and it takes ten"


def _listed(known: pd.DataFrame) -> str:
    return ", ".join(MEASURES[name] for name in known["measure"])


def _rows_of(effects: pd.DataFrame, row: "pd.Series[Any]") -> pd.DataFrame:
    """Return the effects of one row of `seasons` that have an interval."""
    own = (effects["cycle"] == row["cycle"]) & (effects["measure"] == row["measure"])
    chosen: pd.DataFrame = effects[own & effects["low"].notna()]
    return chosen


def _extreme(effects: pd.DataFrame, row: "pd.Series[Any]") -> str:
    """Return the place that is most surely apart from the level around it, with its simultaneous interval."""
    own = _rows_of(effects, row)
    far = own.iloc[int((own["effect"].abs() / (own["high"] - own["low"])).argmax())]
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
    >>> [_amount(0.123, "relative"), _amount(-0.02, "share"), _amount(-0.0002, "share"), _amount(0.5, "markets")]
    ['+12 %', '−2.0 points', '−0.02 points', '+0.5 markets']
    """
    sign = "+" if value >= 0 else "\N{MINUS SIGN}"
    if unit == "markets":
        return f"{sign}{abs(value):.2g} markets"
    number = f"{100 * abs(value):.1g}" if 0 < abs(value) < 0.0005 else percent(abs(value)).removesuffix(" %")
    return f"{sign}{number} {'points' if unit == 'share' else '%'}"


def _sized(known: pd.DataFrame) -> str:
    """Return q of every measure, and the deviation that would have been found."""
    parts = [
        f"{MEASURES[row['measure']]} {cell(row['q'])} and {_amount(row['detectable'], row['unit'])[1:]}"
        for _, row in seen(known).iterrows()
    ]
    repeats = many(int(known["repeats"].min()), "year" if known["cycle"].iloc[0] == "month" else "week")
    return f"q, and the deviation that {repeats} would show four times in five: {'; '.join(parts)}."


def _best(effects: pd.DataFrame, cycle: str, own: pd.DataFrame) -> Finding:
    """Return whether a month, or a weekday, to debut or to be released is shown to be better than others."""
    title, figure = f"Best {cycle}s to come out", f"season_{cycle}s"
    known = own.dropna(subset=["p"])
    if known.empty:
        said = f"No best {cycle} can be named: {_too_few(cycle, own)}."
        return Finding(title, said, "", _SELECTED, "not found", figure)
    shown = known[known["found"]]
    if shown.empty:
        said = f"No {cycle} to come out is shown to be better than another for {_listed(known)}."
        return Finding(title, said, _sized(known), _SELECTED, "not found", figure, headline=True)
    said = "; ".join(_winner(effects, row) for _, row in shown.iterrows())
    named = any(_may_be_best(_rows_of(effects, row)) != "any" for _, row in shown.iterrows())
    verdict: Verdict = "found" if named else "not found"
    return Finding(title, f"By {cycle}, {said}.", _sized(known), _SELECTED, verdict, figure, headline=True)


def _winner(effects: pd.DataFrame, row: "pd.Series[Any]") -> str:
    """Return which places may be the best, and how far the first of them is from the level around it."""
    known = _rows_of(effects, row)
    best, first = _may_be_best(known), known.iloc[int(known["effect"].argmax())]
    said = f"{MEASURES[row['measure']]}: "
    if best == first["name"]:
        return f"{said}{best} is the best, {_sized_effect(first)}"
    none = (
        "they differ, but none is shown not to be the best"
        if best == "any"
        else f"the best is {best.replace(', ', ' or ')}"
    )
    return f"{said}{none}, first is {first['name']}, {_sized_effect(first)}"


def _around_holidays(weeks: pd.DataFrame) -> Finding:
    own = weeks[weeks["market"] == "all"]
    caveat = (
        "It is the week from three days before to three days after, or the chart with the holiday, against four weeks "
        "on either side; single days may differ where the week does not."
    )
    shares = [f"{MEASURES[row['measure']]} {percent(row['ratio'])}{_bounds(row)}" for _, row in own.iterrows()]
    title, figure = "Public holidays", "holiday_days"
    said = f"In the weeks around public holidays, of what other weeks lead to expect: {', '.join(shares)}"
    known = own.dropna(subset=["p"])
    if known.empty:
        few = f"Too few weeks with holidays for a test: {cell(float(own['blocks'].max()))} in effect, ten are needed."
        return Finding(title, f"{said}.", few, caveat, "not found", figure)
    parts = [
        f"{MEASURES[row['measure']]} {cell(row['q'])} and {percent(row['detectable'])}"
        for _, row in seen(known).iterrows()
    ]
    sure = (
        f"q, and the deviation that would show four times in five, where holidays of one calendar week count as one: "
        f"{'; '.join(parts)}."
    )
    verdict: Verdict = "found" if known["found"].any() else "not found"
    said = said if verdict == "found" else f"{said}: none is shown to differ"
    return Finding(title, f"{said}.", sure, caveat, verdict, figure, headline=True)


def _bounds(row: "pd.Series[Any]") -> str:
    return "" if pd.isna(row["low"]) else f" ({percent(row['low'])} to {percent(row['high'])})"


def best_windows(effects: pd.DataFrame) -> pd.DataFrame:
    """Return the windows that may be the best of their cycle, for every outcome of tracks that was tested.

    Parameters
    ----------
    effects
        As `pipelines.contracts.seasons.SEASON_EFFECTS`.
    """
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
