"""What texts of dates and ranks say, and which order of day and month a column has."""

from datetime import date

import pytest

import diffusion
from diffusion.sources.dates import DMY, MDY, YMD, check_format, find_forms, read_chart_date, read_date
from diffusion.sources.numbers import read_rank
from diffusion.sources.reading import ReadingOptions

LAST_OF_JANUARY = [
    "2022-01-31", "2022/01/31", "20220131", "2022-1-31", "2022.01.31", "2022-01-31T00:00:00Z", "2022-01-31 10:30:01.5",
    "2022-01-31 00:00:00+09:00", "2022-01-31 00:00:00 UTC", "31 Jan 2022", "31-Jan-22", "Jan 31, 2022", "2022-Jan-31",
    "January 31st, 2022", "Monday, 31 January 2022", "Mon, 31 Jan 2022 00:00:00 GMT", "31. Januar 2022",
    "31 janvier 2022", "31 de enero de 2022", "31 de janeiro de 2022", "31 gennaio 2022", "31 januari 2022",
    "31 stycznia 2022", "31 Ocak 2022", "31. tammikuuta 2022", "31 января 2022", "2022年1月31日", "2022년 1월 31일",
    "2022. 1. 31.", " 2022-01-31 ", "2022.0-1.0-31.0",
]  # fmt: skip


@pytest.mark.parametrize("text", LAST_OF_JANUARY)
def test_dates_with_one_meaning_are_read(text: str) -> None:
    assert read_date(text) == date(2022, 1, 31)


@pytest.mark.parametrize(
    "text", ["31.01.2022", "31/01/2022", "31-01-2022", "31.1.22", "31. 1. 2022", "31/01/2022 9:05 PM"]
)
def test_day_before_month_is_read_in_that_order_alone(text: str) -> None:
    assert read_date(text, DMY) == date(2022, 1, 31)
    assert read_date(text, MDY) is read_date(text) is None


@pytest.mark.parametrize(
    "text", ["week 52", "", "nan", "2022-02-30", "3017-01-01", "44562", "Jan 2022", "31 listopad 2022", "31", "2022-01"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_date(text) is None


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("05/01/2022", DMY, date(2022, 1, 5)),
        ("05/01/2022", MDY, date(2022, 5, 1)),
        ("22-01-05", YMD, date(2022, 1, 5)),
        ("2022-05-01", "year/day/month", date(2022, 1, 5)),
        ("5.1.99", DMY, date(1999, 1, 5)),
        ("05|01|2022", "%d|%m|%Y", date(2022, 1, 5)),
        ("44562", "excel", date(2022, 1, 1)),
        ("1641081600", "seconds", date(2022, 1, 2)),
        ("1641081600000", "milliseconds", date(2022, 1, 2)),
        ("1e400", "seconds", None),
        ("nan", "excel", None),
    ],
)
def test_a_format_decides(text: str, form: str, day: date | None) -> None:
    assert read_date(text, form) == day


def test_a_week_is_dated_by_its_last_day() -> None:
    assert read_chart_date("|2021-12-31|2022-01-06") == date(2022, 1, 6)
    assert read_chart_date("|31/12/2021|31/12/2021", DMY) == date(2021, 12, 31)
    assert read_chart_date("2022-01-01|2021-12-31|2022-01-06") == date(2022, 1, 1)


@pytest.mark.parametrize("text", ["day/month/year", "Day-Month-Year", "day month year"])
def test_orders_are_named_by_their_parts(text: str) -> None:
    assert ReadingOptions(date_format=text).date_format == DMY


@pytest.mark.parametrize("text", ["%d/%m", "%", "%Q", "dd/mm/yyyy", "", "day/month", "day/day/year", "%H:%M"])
def test_a_format_without_a_date_is_an_error(text: str) -> None:
    with pytest.raises(diffusion.SettingError, match="is no format of dates"):
        ReadingOptions(date_format=text)
    assert check_format("%d.%m.%y") == "%d.%m.%y"


@pytest.mark.parametrize(
    ("files", "orders"),
    [
        ({"a": ["2022-01-05", "5 Jan 2022"]}, [""]),
        ({"a": ["05/01/2022", "31/01/2022"]}, [DMY]),
        ({"a": ["05/01/2022", "01/31/2022"]}, [MDY]),
        ({"a": ["05/01/2022"], "b": ["31/01/2022"], "c": ["05.01.2022", "31.12.2021"]}, [DMY, DMY, DMY]),
        ({"a": ["05/05/2022"]}, [DMY]),
        ({"a": ["22-01-31", "22-02-07"]}, [YMD]),
        ({"a": ["01/05/22", "01/13/22"]}, [MDY]),
        ({"a": ["2022-01-05", "2022-01-06", "31/01/2022"]}, [""]),
        ({"a": ["|31/12/2021|06/01/2022"]}, [DMY]),
    ],
)
def test_the_order_is_that_of_the_column(files: dict[str, list[str]], orders: list[str]) -> None:
    assert list(find_forms({file: dict.fromkeys(texts, 1) for file, texts in files.items()}).values()) == orders


def test_an_order_that_cannot_be_told_is_an_error_unless_other_files_told_it() -> None:
    files = {"a.csv": {"05/01/2022": 9}, "b.csv": {"05.02.2022": 9, "31.01.2022": 1}}
    with pytest.raises(
        diffusion.SourceError, match=r"'05/01/2022' in 'a.csv' may be .*--date-format day/month/year or"
    ):
        find_forms(files)
    assert find_forms(files, before=["", DMY]) == {"a.csv": DMY, "b.csv": DMY}
    with pytest.raises(diffusion.SourceError, match="in different orders"):
        find_forms({"a.csv": {"13/01/2022": 1, "01/13/2022": 1}})
    assert find_forms({"a.csv": {"13/01/2022": 200, "01/13/2022": 1}}) == {"a.csv": DMY}


@pytest.mark.parametrize(
    ("text", "rank"),
    [("#1", 1), ("No. 1", 1), ("no.1", 1), ("Nr. 1", 1), ("№1", 1), ("1.", 1), ("1.0", 1), (" 1", 1), ("1st", 1),
     ("007", 7), ("1e1", 10), ("0", 0), ("-1", None), ("1.5", None), ("first", None), ("1 000", None), ("", None)],
)  # fmt: skip
def test_ranks(text: str, rank: int | None) -> None:
    assert read_rank(text) == rank
