"""Slow plain-Python twins of what cleaning decides, beside `tests.twins`; each follows the words of the definitions."""

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from tests.twins import Row

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def meanings(text: str | None) -> dict[str, date]:
    """Return what a text may mean: order of its parts → date; "any" where it has one meaning."""
    plain = re.sub(r"[ T]\d\d:\d\d(:\d\d)?Z?$", "", (text or "").strip())
    for sign in ("-", "/", ".", ""):
        parts = [plain[:4], plain[4:6], plain[6:]] if not sign else plain.split(sign)
        if len(parts) != 3 or not all(re.fullmatch("[0-9]+", part) for part in parts):
            continue
        first, second, third = parts
        if len(first) == 4 and len(second) <= 2 and len(third) <= 2 and (sign or len(plain) == 8):
            return valid({"any": (first, second, third)})
        if sign and max(len(first), len(second)) <= 2 and len(third) == 4:
            return valid({"dmy": (third, second, first), "mdy": (third, first, second)})
    if (words := re.fullmatch(r"(\d{1,2}) ([A-Za-z]+) (\d{4})", plain)) and words[2].lower() in MONTHS:
        return valid({"any": (words[3], str(MONTHS.index(words[2].lower()) + 1), words[1])})
    return {}


def valid(orders: Mapping[str, tuple[str, str, str]]) -> dict[str, date]:
    """Return the orders in which year, month and day are a date from 1900 to 2999."""
    found = {}
    for order, (year, month, day) in orders.items():
        try:
            if re.match("19|2", year):
                found[order] = date(int(year), int(month), int(day))
        except ValueError:
            pass
    return found


def order_of(files: Mapping[str, Sequence[str | None]]) -> dict[str, str | None]:
    """Return file → the order that all its dates with several meanings allow, or else those of all files; None if two.

    Where two orders give the same dates, either is right.
    """
    found: dict[str, str | None] = {}
    everything = [text for texts in files.values() for text in texts]
    for file, texts in files.items():
        found[file] = the_order(texts) or the_order(everything)
    return found


def the_order(texts: Sequence[str | None]) -> str | None:
    """Return the order in which all texts with several meanings are dates; None if both give different dates."""
    unclear = [days for text in texts if (days := meanings(text)) and "any" not in days]
    fitting = [order for order in ("dmy", "mdy") if all(order in days for days in unclear)]
    if len(fitting) == 2 and any(days["dmy"] != days["mdy"] for days in unclear):
        return None
    return fitting[0] if fitting else None


def chart_date(text: str | None, order: str | None = None) -> date | None:
    """Return the date that `text` says, in the order of its file."""
    days = meanings(text)
    return days.get("any") or days.get(order or "")


def week_date(start: str | None, end: str | None, order: str | None = None) -> date | None:
    """Return the last day of a week; a week that ends on the day it starts is a snapshot of that day."""
    first = chart_date(start, order)
    if first is None:
        return None
    return first if first == chart_date(end, order) else first + timedelta(6)


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
