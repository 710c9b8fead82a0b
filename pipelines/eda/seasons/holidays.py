"""The week around public holidays against other weeks of the same market and season."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from diffusion.arrays import Flags, Floats, Ints
from pipelines.eda.seasons.cycles import LEAST_BLOCKS, Pattern, flipped
from pipelines.eda.seasons.market_days import MarketDays

WEEK: Final = 7
NEAR: Final = 3
"""Days before and after a holiday that make its week on daily charts."""

MATCHED: Final = (1, 2, 3, 4)
"""Weeks before and after that a day is held against, both sides together."""


@dataclass(frozen=True, slots=True)
class HolidayDays:
    """Holidays of markets, by row of `MarketDays`; h of them.

    Attributes
    ----------
    market
        (h,): index of the market.
    row
        (h,): row of the holiday, or of the chart whose days have it.
    block
        (h,): number of the calendar week of the holiday: what is independent.
    near
        (t, m): whether a row is in the week of a holiday of the market, so that it is no comparison.
    offsets
        Days from the holiday that are looked at.
    week
        (o,): whether an offset is in the week of the holiday.
    """

    market: Ints
    row: Ints
    block: Ints
    near: Flags
    offsets: Ints
    week: Flags

    @classmethod
    def of(cls, market: Ints, day: Ints, days: MarketDays, cadence: int) -> Self:
        """Return the holidays of a calendar.

        Parameters
        ----------
        market, day
            (h,): index of the market, and day from 1970-01-01, of every holiday.
        days
            Events by day and market.
        cadence
            Days from one chart to the next.
        """
        if cadence == 1:
            offsets = np.arange(-WEEK, WEEK + 1)
            week, row, around = np.abs(offsets) <= NEAR, day - days.first, np.arange(-NEAR, NEAR + 1)
        else:
            offsets, around = cadence * np.arange(-2, 3), np.zeros(1, np.int64)
            week, row = offsets == 0, _chart_rows(market, day - days.first, days, cadence)
        kept = (row >= 0) & (row < len(days.count))
        market, row, block = market[kept], row[kept], ((day + 3) // WEEK)[kept]
        near = np.zeros(days.count.shape, np.bool_)
        rows = row[:, None] + around
        inside = (rows >= 0) & (rows < len(near))
        near[rows[inside], np.broadcast_to(market[:, None], rows.shape)[inside]] = True
        return cls(market, row, block, near, offsets, week)


def _chart_rows(market: Ints, row: Ints, days: MarketDays, cadence: int) -> Ints:
    """Return the row of the chart whose days have a day; −1 where there is none."""
    later = row[:, None] + np.arange(cadence)
    inside = (later >= 0) & (later < len(days.count))
    there = inside & (days.exposure[np.where(inside, later, 0), market[:, None]] > 0)
    found: Ints = np.where(there.any(axis=1), row + there.argmax(axis=1), -1)
    return found


def compared(days: MarketDays, holidays: HolidayDays) -> tuple[Floats, Floats]:
    """Return what happened and what the matched days lead to expect, by holiday and offset, (h, o) each.

    A day is held against the same weekday one to four weeks before and after, in pairs, so that a trend cancels; a pair
    counts where both days are known and neither is in the week of a holiday. Without a pair, both are 0.

    Parameters
    ----------
    days
        Events by day and market.
    holidays
        Holidays of its markets.
    """
    rows = holidays.row[:, None] + holidays.offsets
    market = np.broadcast_to(holidays.market[:, None], rows.shape)
    usable = np.where(holidays.near, 0.0, days.exposure)
    count, exposure = np.zeros(rows.shape), np.zeros(rows.shape)
    for weeks in MATCHED:
        before, after = (_at(usable, rows + sign * weeks * WEEK, market) for sign in (-1, 1))
        paired = (before > 0) & (after > 0)
        for sign, own in ((-1, before), (1, after)):
            count += np.where(paired, _at(days.count, rows + sign * weeks * WEEK, market), 0)
            exposure += np.where(paired, own, 0)
    weight = _at(days.exposure, rows, market)
    rate = np.divide(count, exposure, out=np.zeros(rows.shape), where=exposure > 0)
    known = (exposure > 0) & (weight > 0)
    return np.where(known, _at(days.count, rows, market), 0), np.where(known, weight * rate, 0)


def _at(table: Floats, rows: Ints, market: Ints) -> Floats:
    """Return cells of a table, 0 beyond its rows."""
    inside = (rows >= 0) & (rows < len(table))
    found: Floats = np.where(inside, table[np.where(inside, rows, 0), market], 0)
    return found


@dataclass(frozen=True, slots=True)
class Ratios:
    """What happened over what was expected, summed over holidays, by offset.

    Attributes
    ----------
    ratio
        (o,): NaN where nothing was expected.
    pattern
        The ratios less 1, with what chance makes of them.
    blocks
        Effective number of blocks, 1 / Σ share².
    """

    ratio: Floats
    pattern: Pattern
    blocks: float


def ratios(seen: Floats, expected: Floats, block: Ints, generator: np.random.Generator) -> Ratios:
    """Return the ratios of sums over holidays, with blocks as what is independent.

    Parameters
    ----------
    seen, expected
        (h, o): results of `compared`, or sums of their columns.
    block
        (h,): block of every holiday.
    generator
        Source of chance.

    Notes
    -----
    By chance, the difference between seen and expected has a sign at random in every block.
    """
    numbers, place = np.unique(block, return_inverse=True)
    happened, due = np.zeros((2, len(numbers), seen.shape[1]))
    np.add.at(happened, place, seen)
    np.add.at(due, place, expected)
    total = due.sum(axis=0)
    there = total > 0
    ratio = np.divide(happened.sum(axis=0), total, out=np.full(len(total), np.nan), where=there)
    weight = due.sum(axis=1)
    blocks = float(weight.sum() ** 2 / (weight**2).sum()) if weight.any() else 0.0
    if blocks < LEAST_BLOCKS:
        nothing = np.full(len(total), np.nan)
        return Ratios(ratio, Pattern(ratio - 1, nothing, np.empty((0, len(total))), len(numbers)), blocks)
    parts = np.divide(happened - due, total, out=np.zeros(due.shape), where=there)
    error, drawn = flipped(parts, generator)
    return Ratios(ratio, Pattern(ratio - 1, np.where(there, error, np.nan), drawn, len(numbers)), blocks)


def holiday_frames(
    measures: dict[str, MarketDays],
    holidays: pd.DataFrame,
    markets: tuple[str, ...],
    cadence: int,
    generator: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables `holiday_weeks`, without q, and `holiday_days`; columns as in `pipelines.contracts.seasons`.

    Parameters
    ----------
    measures
        Name → events by day and market.
    holidays
        `market`, `date` of public holidays.
    markets
        Codes of the markets of the measures.
    cadence
        Days from one chart to the next.
    generator
        Source of chance.
    """
    holidays = holidays[holidays["market"].isin(markets)]
    market = np.searchsorted(np.array(markets, object), holidays["market"])
    day = pd.to_datetime(holidays["date"]).to_numpy("datetime64[D]").astype(np.int64)
    weeks, curve = [], []
    for name, days in measures.items():
        own = HolidayDays.of(market, day, days, cadence)
        seen, expected = compared(days, own)
        curve.append(_curve(name, own, ratios(seen, expected, own.block, generator), expected))
        summed = [part[:, own.week].sum(axis=1, keepdims=True) for part in (seen, expected)]
        weeks.append(_row(name, "all", summed, own.block, generator))
        for code in np.unique(own.market):
            chosen = own.market == code
            weeks.append(_row(name, markets[code], [part[chosen] for part in summed], own.block[chosen], generator))
    table = pd.DataFrame([row for row in weeks if row["holidays"]])
    return table, pd.concat(curve, ignore_index=True)


def _row(
    measure: str, market: str, sums: list[Floats], block: Ints, generator: np.random.Generator
) -> dict[str, object]:
    """Return one row of `holiday_weeks` from what was seen and expected, (h, 1) each."""
    seen, expected = sums
    found = ratios(seen, expected, block, generator)
    reach = float(found.pattern.reach[0])
    return {
        "measure": measure,
        "market": market,
        "holidays": int((expected[:, 0] > 0).sum()),
        "blocks": found.blocks,
        "ratio": found.ratio[0],
        "low": max(found.ratio[0] - reach, 0.0) if np.isfinite(reach) else np.nan,
        "high": found.ratio[0] + reach,
        "detectable": found.pattern.detectable,
        "p": found.pattern.p if market == "all" else np.nan,
    }


def _curve(measure: str, own: HolidayDays, found: Ratios, expected: Floats) -> pd.DataFrame:
    reach = found.pattern.reach
    frame = pd.DataFrame({
        "measure": measure,
        "days": own.offsets,
        "holidays": (expected > 0).sum(axis=0),
        "blocks": found.blocks,
        "ratio": found.ratio,
        "low": np.maximum(found.ratio - reach, 0),
        "high": found.ratio + reach,
    })  # fmt: skip
    return frame[frame["holidays"] > 0]
