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


def the_order(charts: Sequence[Sequence[str | None]]) -> str | None:
    """Return the order in which all texts with several meanings are dates; None if none or several are.

    Each chart has the texts of its date. Where two orders give the same dates, either is right. Texts with several
    meanings do not count (``""``) unless they are more than the charts with a text that has one.
    """
    found = [[meanings(text) for text in {text or "" for text in chart}] for chart in charts]
    unclear = [days for chart in found for days in chart if days and "any" not in days]
    if len(unclear) <= sum(any("any" in days for days in chart) for chart in found):
        return ""
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


def streams_of(texts: Sequence[str]) -> list[int | None]:
    """Return the numbers of streams in a file's column, None where a text says none or may say two.

    "`99.000` is 99,000 or set aside, never 99": a dot before three digits parts thousands if some numbers can be read
    in no other way and none has a fraction behind a dot; a comma does unless more numbers have a fraction behind it.
    """
    parts = [taken_apart(text) for text in texts]
    sure = {mark: sum(surely_grouped(part, mark) for part in parts if part) for mark in ".,"}
    split = {mark: sum(has_fraction(part, mark) for part in parts if part) for mark in ".,"}
    grouped = {".": sure["."] > 0 and split["."] == 0, ",": split[","] <= sure[","]}
    return [one_number(text, part, grouped) for text, part in zip(texts, parts, strict=True)]


Parts = tuple[str, list[str], list[str], str]
"""Sign, groups of digits, the marks between them, and a letter."""


def taken_apart(text: str) -> Parts | None:
    """Return the parts of a number; None if the text is none."""
    found = re.fullmatch(r"([+-]?)([0-9.,]*)([KkMmBb]?)", text.strip())
    if found is None or not found[2]:
        return None
    return found[1], re.split("[.,]", found[2]), re.findall("[.,]", found[2]), found[3].upper()


def is_grouped(groups: Sequence[str]) -> bool:
    """Return whether groups of digits are those of thousands."""
    first, *rest = groups
    lead = len(first) <= 3 and first[:1] not in ("", "0")
    return lead and bool(rest) and all(len(group) == 3 for group in rest)


def surely_grouped(part: Parts, mark: str) -> bool:
    """Return whether a number can only have marks between thousands."""
    _, groups, marks, letter = part
    other = "," if mark == "." else "."
    if letter or not marks:
        return False
    if marks[-1] == other and set(groups[-1]) <= {"0"}:
        return set(marks[:-1]) == {mark} and is_grouped(groups[:-1])
    return set(marks) == {mark} and is_grouped(groups) and (len(marks) > 1 or groups[1] != "000")


def has_fraction(part: Parts, mark: str) -> bool:
    """Return whether a number has a fraction behind the mark."""
    _, groups, marks, letter = part
    other = "," if mark == "." else "."
    if marks.count(mark) != 1 or marks[-1] != mark or not set(marks[:-1]) <= {other}:
        return False
    return bool(letter) or not (len(marks) == 1 and is_grouped(groups))


def one_number(text: str, part: Parts | None, grouped: Mapping[str, bool]) -> int | None:
    """Return a number of streams."""
    if part is None:
        spaced = re.fullmatch(r"([+-]?)([1-9][0-9]{0,2}(?:[ \u00a0\u2009\u202f'’][0-9]{3})+)(?:[.,]0*)?", text.strip())
        if spaced:
            return int(spaced[1] + re.sub("[^0-9]", "", spaced[2]))
        return whole(text) if re.fullmatch(r"([+-]?\d+\.?\d*|\.\d+)[eE][+-]?\d\d?", text.strip()) else None
    sign, groups, marks, letter = part
    if letter:
        short = re.fullmatch(r"[+-]?\d+(\.\d+|,\d{1,2})?", text.strip()[:-1])
        factor = {"K": 1e3, "M": 1e6, "B": 1e9}[letter]
        return math.floor(float(text.strip()[:-1].replace(",", ".")) * factor + 0.5) if short else None
    if len(marks) == 1 and is_grouped(groups):
        return int(sign + "".join(groups)) if grouped[marks[0]] else None
    if any(surely_grouped(part, mark) for mark in ".,"):
        last = len(groups) if len(set(marks)) == 1 else len(groups) - 1
        return int(sign + "".join(groups[:last]))
    if marks == [","]:
        return int(sign + groups[0]) if groups[0] and set(groups[1]) <= {"0"} else None
    return whole(text) if re.fullmatch(r"[+-]?\d+\.?\d*|\.\d+", text.strip()) else None


def whole(text: str) -> int | None:
    """Return a whole number up to 1e15."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) <= 1e15 else None
