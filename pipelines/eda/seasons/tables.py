"""The tables of seasons: what was tested on months, weekdays and holiday weeks, and what each of them is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from diffusion import DataSaysNoError, Entries
from diffusion.arrays import Floats
from diffusion.conventions import FDR
from graphs.false_discovery import adjusted
from pipelines.eda.seasons.cycles import DAYS, MONTHS, Pattern, months_pattern
from pipelines.eda.seasons.holidays import holiday_frames
from pipelines.eda.seasons.market_days import MarketDays, Observed, crossing_days, entry_days, stream_days
from pipelines.eda.seasons.releases import Outcomes, debut_outcomes, means, month_means, release_outcomes
from pipelines.eda.seasons.weekdays import DatedTracks, weekdays_pattern

MONTH_NAMES: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAY_NAMES: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

MEASURES: Final[Mapping[str, str]] = {
    "entries": "entries per chart",
    "streams": "streams of the charts",
    "crossed": "entries abroad of tracks at risk",
    "debut_travelled": "share of debuts that travel",
    "debut_further": "further markets per debut",
    "release_travelled": "share of releases that travel",
    "release_further": "further markets per release",
}
"""Measure → what it is."""

RATIOS: Final = ("entries", "streams", "crossed")
"""Measures whose effects are relative to the level around; the others are means over tracks."""


def unit_of(measure: str) -> str:
    """Return the unit of a measure's effects.

    Examples
    --------
    >>> [unit_of(name) for name in ("streams", "debut_travelled", "release_further")]
    ['relative', 'share', 'markets']
    """
    if measure in RATIOS:
        return "relative"
    return "share" if measure.endswith("travelled") else "markets"


Cycle = Literal["month", "weekday"]


class Why(Protocol):
    """Where the reasons are noted why something is not made."""

    def __setitem__(self, name: str, reason: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Series:
    """A measure by month and by day.

    Attributes
    ----------
    ratio
        Whether effects are relative.
    first_month
        Month, from January 1970, of the first.
    months
        (m,): values; NaN where not known.
    first_day
        Day, from 1970-01-01, of the first.
    days, weight
        (t,): values, and their weights, 0 where not known; without entries where there are no weekdays.
    tracks
        The tracks that the values by day are means of; None where they are not means.
    """

    ratio: bool
    first_month: int
    months: Floats
    first_day: int
    days: Floats
    weight: Floats
    tracks: DatedTracks | None = None


def season_tables(
    entries: Entries,
    *,
    streams: pa.Table | None,
    holidays: pd.DataFrame | None,
    window: int,
    seed: int,
    not_made: Why,
) -> dict[str, pd.DataFrame]:
    """Return the tables `seasons` and `season_effects`, and with holidays `holiday_weeks` and `holiday_days`.

    Their columns are those of `pipelines.contracts.seasons`. How months, weekdays and weeks of holidays are tested say
    `months_pattern`, `weekdays_pattern` and `ratios`; q is over all of these tests.

    Parameters
    ----------
    entries
        Entries of tracks.
    streams
        As `diffusion.contracts.CHART_SUMS`; None where the streams of the tracks are not known.
    holidays
        `market`, `date` of public holidays; None where they are not known.
    window
        Days after the debut within which entries abroad count.
    seed
        Seed of the draws.
    not_made
        Takes the name and reason of what cannot be made.

    Raises
    ------
    DataSaysNoError
        When no timed entry is on the charts.
    """
    generator = np.random.default_rng(seed)
    observed = Observed.of(entries.calendar, entries.timelines)
    counted = _market_days(entries, observed, streams, window, not_made)
    if "entries" not in counted:
        raise DataSaysNoError("no timed entry falls on a chart whose predecessor is known")
    cadence = entries.calendar.cadence
    series = {name: _of_days(days, cadence) for name, days in counted.items()}
    series |= _of_tracks(entries, observed, window, not_made)
    if not any(own.weight.any() for own in series.values()):
        not_made["season_weekdays"] = "these charts are not daily"
    rows, effects = [], []
    for name, own in series.items():
        for cycle, pattern, level, cells in _patterns(own, generator):
            rows.append(_tested(cycle, name, pattern, int(cells.sum())))
            effects.append(_effects(cycle, name, pattern, level, cells))
    tables = {"seasons": pd.DataFrame(rows), "season_effects": pd.concat(effects, ignore_index=True)}
    if holidays is not None:
        markets = entries.timelines.markets
        weeks, days = holiday_frames(counted, holidays, markets, cadence, generator)
        if weeks.empty:
            not_made["holiday_weeks"] = "no public holiday has comparable weeks before and after it on these charts"
        else:
            tables |= {"holiday_weeks": weeks, "holiday_days": days}
    return _with_q(tables)


def _market_days(
    entries: Entries, observed: Observed, streams: pa.Table | None, window: int, not_made: Why
) -> dict[str, MarketDays]:
    """Return measure → its events by day and market, of those with any event."""
    lines, counted = entries.timelines, {}
    makers = {
        "entries": partial(entry_days, lines, observed),
        "crossed": partial(crossing_days, entries, observed, window),
    }
    if streams is not None:
        makers["streams"] = partial(stream_days, streams, entries.calendar, observed, lines.markets)
    for name, make in makers.items():
        try:
            days = make()
        except DataSaysNoError as error:
            not_made[f"season_effects of {name}"] = str(error)
            continue
        if days.count.any():
            counted[name] = days
        else:
            not_made[f"season_effects of {name}"] = "nothing happens on the days that can be counted"
    return {name: counted[name] for name in RATIOS if name in counted}


def _of_days(days: MarketDays, cadence: int) -> Series:
    monthly = days.by_month()
    level = days.levels() if cadence == 1 else np.empty(0)
    return Series(True, monthly.first, monthly.levels(), days.first, level, np.isfinite(level).astype(float))


def _of_tracks(entries: Entries, observed: Observed, window: int, not_made: Why) -> dict[str, Series]:
    series = {}
    makers = {
        "debut": partial(debut_outcomes, entries, observed, window),
        "release": partial(release_outcomes, entries, window),
    }
    for prefix, make in makers.items():
        try:
            outcomes = make()
        except DataSaysNoError as error:
            not_made[f"season_effects by {prefix}"] = str(error)
            continue
        if not outcomes.further.any():
            not_made[f"season_effects by {prefix}"] = "no track entered another market within the window"
            continue
        for name, value in (("travelled", outcomes.travelled), ("further", outcomes.further)):
            series[f"{prefix}_{name}"] = _of_outcomes(outcomes, value)
    return series


def _of_outcomes(outcomes: Outcomes, value: Floats) -> Series:
    first_month, months = month_means(value, outcomes.month_day)
    known = outcomes.week_day >= 0
    tracks = DatedTracks(value[known], outcomes.week_day[known], outcomes.artist[known])
    return Series(False, first_month, months, *means(value, outcomes.week_day), tracks)


def _patterns(series: Series, generator: np.random.Generator) -> Iterator[tuple[Cycle, Pattern, Floats, Floats]]:
    """Yield every cycle of a series: its pattern, and the mean value and number of values of every place."""
    months = months_pattern(series.months, series.first_month % MONTHS, ratio=series.ratio, generator=generator)
    places = (series.first_month + np.arange(len(series.months))) % MONTHS
    yield "month", months, *_levels(series.months, np.isfinite(series.months).astype(float), places, MONTHS)
    if series.weight.any():
        days = weekdays_pattern(
            series.days,
            series.weight,
            series.first_day,
            ratio=series.ratio,
            generator=generator,
            tracks=series.tracks,
        )
        places = (series.first_day + 3 + np.arange(len(series.days))) % DAYS
        yield "weekday", days, *_levels(series.days, series.weight, places, DAYS)


def _levels(value: Floats, weight: Floats, place: np.ndarray, places: int) -> tuple[Floats, Floats]:
    """Return the weighted mean of every place, and its number of values."""
    known = weight > 0
    total = np.bincount(place[known], weight[known], places)
    sums = np.bincount(place[known], (value * weight)[known], places)
    level = np.divide(sums, total, out=np.full(places, np.nan), where=total > 0)
    return level, np.bincount(place[known], minlength=places).astype(float)


def _tested(cycle: Cycle, measure: str, pattern: Pattern, cells: int) -> dict[str, object]:
    return {
        "cycle": cycle,
        "measure": measure,
        "unit": unit_of(measure),
        "cells": cells,
        "repeats": pattern.repeats,
        "p": pattern.p,
        "detectable": pattern.detectable,
    }


def _effects(cycle: Cycle, measure: str, pattern: Pattern, level: Floats, cells: Floats) -> pd.DataFrame:
    behind, behind_low, behind_high = pattern.behind_best()
    names = MONTH_NAMES if cycle == "month" else WEEKDAY_NAMES
    reach = pattern.reach
    frame = pd.DataFrame({
        "cycle": cycle,
        "measure": measure,
        "unit": unit_of(measure),
        "place": np.arange(1, len(names) + 1),
        "name": names,
        "cells": cells.astype(int),
        "level": level,
        "effect": pattern.effect,
        "low": pattern.effect - reach,
        "high": pattern.effect + reach,
        "behind": behind,
        "behind_low": behind_low,
        "behind_high": behind_high,
    })  # fmt: skip
    return frame[frame["cells"] > 0]


def _with_q(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables with q over the tests of all of them, and whether a pattern is found."""
    names = [name for name in ("seasons", "holiday_weeks") if name in tables]
    q = adjusted(np.concatenate([tables[name]["p"].to_numpy(np.float64) for name in names]))
    parts = np.split(q, np.cumsum([len(tables[name]) for name in names])[:-1])
    for name, part in zip(names, parts, strict=True):
        tables[name] = tables[name].assign(q=part, found=part <= FDR)
    return tables
