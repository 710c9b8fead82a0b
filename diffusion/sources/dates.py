"""Dates of charts: what a text says, and in which order a file writes day, month and year."""

import re
import unicodedata
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Final

from babel.dates import get_day_names, get_month_names

from diffusion.errors import SettingError, SourceError

DMY: Final = "day/month/year"
MDY: Final = "month/day/year"
YMD: Final = "year/month/day"

LANGUAGES: Final = (
    *("en", "de", "fr", "es", "pt", "it", "nl", "sv", "da", "nb", "fi", "is", "et", "lv", "lt", "pl", "cs", "sk", "hu"),
    *("ro", "hr", "bg", "el", "tr", "ru", "uk", "id", "ms", "vi", "fil", "ca"),
)
"""Languages whose names of months and days are read; a name of two months (``lis``, ``listopad``) is not."""

FEW: Final = 0.01
"""Share of a file's rows that may speak against the order of its dates; they are then dates that cannot be read."""

NO_VALUE: Final = ("", "nan", "nat", "none", "null", "<na>")
"""Texts, in lower case, that stand for nothing."""

_TIME: Final = re.compile(
    r",? +\d{1,2}:\d\d(?::\d\d(?:[.]\d+)?)? ?(?:[AP]M)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?$", re.I
)
_YEAR_FIRST: Final = re.compile(
    r"(\d{4})([-/. ]?) ?(\d{2}|(?<=[-/. ])\d)\2 ?(\d{2}|(?<=[-/. ])\d)(?:[.]|[ T][0-9:.+Z-]*)?"
)
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/. ]) ?(\d{1,2})\2 ?(\d{4}|\d{2})[.]?")
_FLOATS: Final = re.compile(r"(\d{4})\.0-(\d{1,2})\.0-(\d{1,2})\.0")
_CJK: Final = str.maketrans({"年": "-", "月": "-", "日": None, "년": "-", "월": "-", "일": None})
_WORDS: Final = re.compile(r"\d+|[^\W\d_]+")
_FILLERS: Final = frozenset(
    ("st", "nd", "rd", "th", "of", "the", "de", "del", "d", "di", "den", "der", "le", "el", "er")
)
_AROUND: Final = " ,\"'#*-"
"""Signs around a date in a line above a table."""
_EXCEL: Final = date(1899, 12, 30)
_NUMBERS: Final[Mapping[str, Callable[[float], date]]] = {
    "excel": lambda number: _EXCEL + timedelta(int(number)),
    "seconds": lambda number: datetime.fromtimestamp(number, UTC).date(),
    "milliseconds": lambda number: datetime.fromtimestamp(number / 1000, UTC).date(),
}
"""Formats of dates that are numbers."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a text may mean.

    Attributes
    ----------
    form
        Separator and width of the year where the text may mean several dates, such as ``/4``; empty otherwise.
    days
        Order of the parts → the date in that order, for the orders in which the text is a date. A text with one meaning
        has it under `YMD`.
    parts
        First and last part of a text with several meanings.
    """

    form: str = ""
    days: Mapping[str, date] = field(default_factory=dict)
    parts: tuple[str, str] = ("", "")


def check_format(date_format: str) -> str:
    """Return the format of dates that the user gives, with ``/`` between the names of parts.

    Raises
    ------
    SettingError
        When it is neither an order of day, month and year, nor a format that reads what it writes, nor a
        kind of number.
    """
    words = re.split(r"[^a-z]+", date_format.lower().strip())
    if sorted(words) == ["day", "month", "year"]:
        return "/".join(words)
    if date_format in _NUMBERS or ("%" in date_format and _reads_what_it_writes(date_format)):
        return date_format
    raise SettingError(
        f"'{date_format}' is no format of dates; give the order of the parts, such as {DMY}, a format with day, month "
        f"and year, such as %d/%m/%Y, or what the numbers are: {', '.join(_NUMBERS)}"
    )


def read_date(text: str, form: str = "") -> date | None:
    """Return the date that a text says; None if it says none.

    Parameters
    ----------
    text
        Text of a date, also with a time, which is not used.
    form
        What `find_forms` found or `check_format` returned (default: the text has one meaning).

    Examples
    --------
    >>> [read_date(text, "day/month/year").isoformat() for text in ("2022-01-31", "31.1.22", "31 janvier 2022")]
    ['2022-01-31', '2022-01-31', '2022-01-31']
    """
    if "%" in form or form in _NUMBERS:
        return _read_as(text.strip(), form)
    days = written(text).days
    return days.get(form) or (days.get(YMD) if not written(text).form else None)


def read_chart_date(texts: str, form: str = "") -> date | None:
    """Return the date of a chart from the texts ``date`` or ``date|first day of the week|last day of the week``.

    The date of a weekly chart is its last day; a week that ends on its first day is a snapshot of that day.
    """
    day, start, end = [*texts.split("|", 2), "", ""][:3]
    found, first = read_date(day, form), read_date(start, form)
    if found or first is None:
        return found
    return first if first == read_date(end, form) else first + timedelta(6)


def date_above(lines: Iterable[str]) -> str | None:
    """Return the date that the lines above a table name, as YYYY-MM-DD; None if they name none, or several.

    Examples
    --------
    >>> date_above(['"Saturday, 22 August 2026 [performance over the past 7 days]"'])
    '2026-08-22'
    """
    parts = (part.strip(_AROUND) for line in lines for part in re.split(r"[\[\](){}|;\t]", line))
    found = {day for part in parts if (day := read_date(part))}
    return found.pop().isoformat() if len(found) == 1 else None


def find_forms(texts: Mapping[str, Mapping[str, int]], *, before: Iterable[str] = ()) -> dict[str, str]:
    """Return file → order in which it writes the parts of its dates; empty where each of its dates has one meaning.

    The order is that in which all dates of the file are dates; where several are, that of all files that write dates in
    the same form. Dates with several meanings in a file where most have one are not believed.

    Parameters
    ----------
    texts
        File → text of a chart's date (as in `read_chart_date`) → its rows.
    before
        What was found of other files of the source: where these cannot tell, the order of all those (default none).

    Raises
    ------
    SourceError
        When the order cannot be told.
    """
    columns = {file: _open_texts(own) for file, own in texts.items()}
    together: dict[str, Counter[str]] = defaultdict(Counter)
    for column in columns.values():
        together[_forms(column)].update(column)
    shared = {forms: _order(column) for forms, column in together.items()}
    orders = {order for order in before if order}
    other = orders.pop() if len(orders) == 1 else None
    found = {}
    for file, column in columns.items():
        order = "" if not column else _order(column) or shared[_forms(column)] or other
        if order is None:
            raise SourceError(_unclear(file, column))
        found[file] = order
    return found


@lru_cache(1 << 16)
def written(text: str) -> Written:
    """Return what a text may mean."""
    plain = _FLOATS.sub(r"\1-\2-\3", _TIME.sub("", text.strip().translate(_CJK)))
    if parts := _YEAR_FIRST.fullmatch(plain):
        year, _, second, third = parts.groups()
        return Written("", _days(**{YMD: (year, second, third), "year/day/month": (year, third, second)}))
    if parts := _YEAR_LAST.fullmatch(plain):
        first, sign, second, third = parts.groups()
        orders = {DMY: (third, second, first), MDY: (third, first, second)}
        if len(third) == 2:
            orders |= {YMD: (first, second, third)}
        return Written(f"{sign}{len(third)}", _days(**orders), (first, third))
    day = _named_month(plain)
    return Written("", {YMD: day} if day else {})


def _days(**orders: tuple[str, str, str]) -> dict[str, date]:
    """Return order → date for the orders in which year, month and day are a date."""
    found = {order: _day(*(int(part) for part in parts), two=len(parts[0]) == 2) for order, parts in orders.items()}
    return {order: day for order, day in found.items() if day}


def _day(year: int, month: int, day: int, *, two: bool = False) -> date | None:
    """Return a date of the years 1900 to 2999; of two digits, 69 to 99 are of the twentieth century."""
    whole = year + (1900 if year >= 69 else 2000) if two else year
    try:
        return date(whole, month, day) if 1900 <= whole <= 2999 else None
    except ValueError:
        return None


def _named_month(text: str) -> date | None:
    """Return the date of a text with the name of a month, a day and a year, such as ``31 de enero de 2022``."""
    words = _WORDS.findall(_plain(text))
    numbers = [word for word in words if word.isdecimal()]
    if len(numbers) != 2 or len(text) > 60:
        return None
    months, others = _names()
    names = [word for word in words if not word.isdecimal()]
    found = [months[name] for name in names if name in months]
    if len(found) != 1 or not all(name in months or name in others for name in names):
        return None
    day, year = numbers if len(numbers[0]) < 4 else numbers[::-1]
    two = len(year) == 2
    return _day(int(year), found[0], int(day), two=two) if len(day) <= 2 and (two or len(year) == 4) else None


@cache
def _names() -> tuple[dict[str, int], frozenset[str]]:
    """Return name of a month → its number, and the words that may stand beside it, as `_plain` has them."""
    months: dict[str, set[int]] = defaultdict(set)
    others = set(_FILLERS)
    for language in LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    for word in _WORDS.findall(_plain(name)):
                        months[word].add(number)  # a word of several months, such as "de", tells none
                for name in get_day_names(width, context, language).values():
                    others |= set(_WORDS.findall(_plain(name)))
    return {word: min(numbers) for word, numbers in months.items() if len(numbers) == 1}, frozenset(others)


def _plain(text: str) -> str:
    """Return a text in lower case without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _reads_what_it_writes(date_format: str) -> bool:
    day = date(2021, 11, 23)
    try:
        return _read_as(day.strftime(date_format), date_format) == day
    except ValueError:
        return False


def _read_as(text: str, date_format: str) -> date | None:
    """Return the date of a text in a format of `datetime.strptime`, or of a number."""
    try:
        if date_format in _NUMBERS:
            found = _NUMBERS[date_format](float(text))
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a day without a year is no date here
                found = datetime.strptime(text, date_format).date()
    except (ValueError, OverflowError, OSError, re.error):
        return None
    return found if 1900 <= found.year <= 2999 else None


def _open_texts(texts: Mapping[str, int]) -> Counter[str]:
    """Return the single texts with several meanings → their rows; none where most texts have one meaning."""
    column: Counter[str] = Counter()
    clear = 0
    for whole, rows in texts.items():
        meanings = {text: written(text) for text in whole.split("|")}
        column.update({text: rows for text, meant in meanings.items() if meant.form and meant.days})
        clear += rows * any(meant.days and not meant.form for meant in meanings.values())
    return column if sum(column.values()) > clear else Counter()


def _forms(column: Iterable[str]) -> str:
    return " ".join(sorted({written(text).form for text in column}))


def _order(column: Mapping[str, int]) -> str | None:
    """Return the order of the parts in a column of texts with several meanings, None where several fit."""
    if not column:
        return ""
    most = FEW * sum(column.values())
    against = {
        order: sum(rows for text, rows in column.items() if order not in written(text).days)
        for order in (DMY, MDY, YMD)
    }
    least = min(against.values())
    fitting = [order for order, rows in against.items() if rows == least]
    if least > most:
        return None
    if YMD in fitting and len(fitting) > 1:
        fitting = _year_placed(column, fitting)
    days = [{written(text).days.get(order) for order in fitting} for text in column]
    return fitting[0] if all(len(own) == 1 for own in days) else None


def _year_placed(column: Iterable[str], fitting: list[str]) -> list[str]:
    """Return the orders that are left when the year is the part, first or last, that changes less often.

    Where both change as often, the year is last, unless the parts are joined by ``-``.
    """
    first, last = (len({written(text).parts[at] for text in column}) for at in (0, 1))
    if first < last:
        return [YMD]
    if first == last and any(written(text).form.startswith("-") for text in column):
        return fitting
    return [order for order in fitting if order != YMD]


def _unclear(file: str, column: Mapping[str, int]) -> str:
    """Return why the order of a column cannot be told."""
    for text in sorted(column):
        days = written(text).days
        if len(set(days.values())) > 1:
            meant = " or ".join(f"{day:%Y-%m-%d} ({order})" for order, day in days.items())
            return (
                f"'{text}' in '{file}' may be {meant}, and the other dates do not tell which; "
                f"say it with --date-format {' or '.join(days)}"
            )
    some = ", ".join(f"'{text}' ({' or '.join(written(text).days)})" for text in sorted(column)[:6])
    return f"the dates in '{file}' are in different orders, such as {some}; say which is right with --date-format"
