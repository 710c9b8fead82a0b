"""Slow plain-Python twins of what cleaning decides, beside `tests.twins`; each follows the words of the definitions."""

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from tests.twins import Row


def chart_date(text: str | None) -> date | None:
    """Return the date that `text` says: YYYY-MM-DD, YYYY/MM/DD or YYYYMMDD, also with a time; nothing is guessed."""
    days = r"(\d{4})(?:-(\d\d)-(\d\d)|/(\d\d)/(\d\d)|(\d\d)(\d\d))"
    found = re.fullmatch(days + r"([ T][\d:.+Z-]*)?", (text or "").strip())
    if found is None or not re.match(r"19|2", found[1]):
        return None
    year, month, day = [int(part) for part in found.groups()[:7] if part is not None]
    try:
        return date(year, month, day)
    except ValueError:
        return None


def week_date(start: str | None, end: str | None) -> date | None:
    """Return the last day of a week; a week that ends when it starts is a snapshot of that day."""
    first = chart_date(start)
    if first is None:
        return None
    return first if (start or "")[:10] == (end or "")[:10] else first + timedelta(6)


def span(dates: Mapping[date, int]) -> tuple[date, date]:
    """Return the stretch of dates, more than 366 days from any other, that holds most rows; the earliest of equals."""
    stretches: list[list[date]] = []
    for day in sorted(dates):
        if not stretches or (day - stretches[-1][-1]).days > 366:
            stretches.append([])
        stretches[-1].append(day)
    best = max(stretches, key=lambda days: sum(dates[day] for day in days))
    return best[0], best[-1]


def bounds(rows: Sequence[Row]) -> dict[tuple[str, str, int], int]:
    """Return the most streams that can be believed, by chart, market and year.

    "The median of log streams plus 10 × max(0.5, 1.4826 × MAD)", medians of values cut to 0.01, the lower of two.
    """
    logs: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    for row in rows:
        if row["streams"] is not None:
            key = (row["chart"], row["market"], row["date"].year)
            logs[key].append(math.floor(100 * math.log(max(row["streams"], 1))))
    found = {}
    for key, values in logs.items():
        middle = lower_median(values)
        spread = lower_median([abs(value - middle) for value in values])
        found[key] = math.floor(math.exp(min(34.0, 0.01 * middle + 10 * max(0.5, 1.4826 * 0.01 * spread))))
    return found


def lower_median(values: Sequence[int]) -> int:
    """Return the smallest value that half of the values do not exceed."""
    return next(value for value in sorted(values) if 2 * sum(v <= value for v in values) >= len(values))


def release(text: str | None) -> tuple[date | None, str | None]:
    """Return a release date and its precision: full, year and month, or year alone; ``0000`` says nothing."""
    for pattern, precision in ((r"\d{4}-\d\d-\d\d", "day"), (r"\d{4}-\d\d", "month"), (r"\d{4}", "year")):
        if text is not None and re.fullmatch(pattern, text.strip()):
            try:
                return date.fromisoformat(f"{text.strip()}-01-01"[:10]), precision
            except ValueError:
                return None, None
    return None, None


def credits_of(artist: str | None) -> list[str]:
    """Return the credited artists: "A, B" are two."""
    return [name.strip() for name in (artist or "").split(", ") if name.strip()]


def licences(text: str | None) -> set[str]:
    """Return the markets that a list names: pairs of capitals that stand alone."""
    return set(re.findall(r"(?<![0-9A-Za-z])[A-Z]{2}(?![0-9A-Za-z])", text or ""))
