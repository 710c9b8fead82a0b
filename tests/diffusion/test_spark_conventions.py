"""What relations rely on and both engines must agree on: order, rounding, NULL, overflow, text and dates."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from diffusion.engine import open_engine
from tests.odd_charts import TEXTS

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

pytestmark = pytest.mark.slow


RULES = "org.apache.spark.sql.catalyst.optimizer."
PLANNED = f"{RULES}ConvertToLocalRelation,{RULES}ConstantFolding"
"""What Spark works out while it plans; without them, expressions run as they do on the rows of files."""


@pytest.fixture(scope="module")
def both(spark: "SparkEngines") -> Iterator[tuple[Any, Any]]:
    """An engine of each kind."""
    with open_engine() as one, spark() as other:
        other._session.conf.set("spark.sql.optimizer.excludedRules", PLANNED)
        yield one, other


def answers(both: tuple[Any, Any], sql: str, **values: object) -> tuple[pa.Table, pa.Table]:
    """Return the rows of one SELECT from both engines, through the translation that relations go through."""
    from diffusion.engine.spark.translation import spark_sql

    one, other = both
    rows = one._connection.sql(sql, params=values or None).to_arrow_table()
    return rows, other._session.sql(spark_sql(sql), args=values or None).toArrow()


def over(what: str, *values: str) -> str:
    """Return a SELECT over a column x of some values."""
    return " ".join(["SELECT", what, "FROM (VALUES", ", ".join(f"({value})" for value in values), ") AS t (x)"])


CONVENTIONS: dict[str, tuple[str, object]] = {
    "the median of four values is the mean of the middle two": (over("MEDIAN(x)", "10", "1", "2", "4"), 3.0),
    "the median is that of the values that are there": (over("MEDIAN(x)", "NULL", "1", "NULL", "2"), 1.5),
    "whole numbers divided are a fraction": ("SELECT 7 / 2", 3.5),
    "FLOOR goes down, also below zero": ("SELECT CAST(FLOOR(-1.5) AS BIGINT)", -2),
    "sums and greatest values of nothing are NULL": (over("SUM(CASE WHEN x > 1 THEN x END)", "1"), None),
    "COUNT of a column leaves NULL out": (over("COUNT(x)", "1", "NULL", "2"), 2),
    "GREATEST leaves NULL out": ("SELECT GREATEST(CAST(NULL AS BIGINT), 2, 1)", 2),
    "NULL is neither equal nor unequal": (over("SUM(CASE WHEN x = 1 OR x <> 1 THEN 1 ELSE 0 END)", "1", "NULL"), 1),
    "NULLs are one group": (
        "WITH g AS (SELECT DISTINCT x FROM (VALUES (NULL), (NULL), (1)) AS t (x)) SELECT COUNT(*) FROM g",
        2,
    ),
    "NULLs never join": (
        "SELECT COUNT(*) FROM (VALUES (1), (NULL)) AS a (x) JOIN (VALUES (1), (NULL)) AS b (x) ON a.x = b.x",
        1,
    ),
    "a comparison is FALSE or NULL, never an error": ("SELECT COALESCE(CAST(NULL AS BIGINT) > 0, FALSE)", False),
    "the length of text is in code points": ("SELECT LENGTH('e\u0301😀')", 3),
    "parts of text are cut at code points": ("SELECT SUBSTR('😀ab', 2, 1)", "a"),
    "composed and combining letters differ": ("SELECT 'é' = 'e\u0301'", False),
    "case and blanks at the end count": ("SELECT 'a' = 'A' OR 'a' = 'a '", False),
    "a backslash is itself": (r"SELECT LENGTH('a\nb')", 4),
    "a regular expression ends at the end, not before a line feed": ("SELECT REGEXP_MATCHES('1\n', '^1\\z')", False),
    "days are those of the Gregorian calendar throughout": (
        "SELECT DATEDIFF('day', CAST('1582-10-04' AS DATE), CAST('1582-10-15' AS DATE))",
        11,
    ),
    "days from a later date to an earlier one are negative": (
        "SELECT DATEDIFF('day', CAST('2021-01-02' AS DATE), CAST('2021-01-01' AS DATE))",
        -1,
    ),
    "years go from 1 to 9999": (
        "SELECT EXTRACT(YEAR FROM CAST('9999-12-31' AS DATE)) - EXTRACT(YEAR FROM CAST('0001-01-01' AS DATE))",
        9998,
    ),
    "a whole number is rounded to single precision by way of double precision": (
        over("SUM(CAST(CAST(CAST(x AS DOUBLE) AS REAL) AS DOUBLE))", "25286465", "16831609"),
        42118072.0,
    ),
    "text that is no date is NULL": ("SELECT TRY_CAST('2021-02-29' AS DATE)", None),
    "text that is no number is NULL": ("SELECT TRY_CAST('1,5' AS DOUBLE)", None),
}
"""What both engines hold → a SELECT that shows it, and its one value."""


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_convention(convention: str, both: tuple[Any, Any]) -> None:
    sql, expected = CONVENTIONS[convention]
    assert [table.to_pydict()[table.column_names[0]] for table in answers(both, sql)] == [[expected], [expected]]


def test_text_is_ordered_by_code_points(both: tuple[Any, Any]) -> None:
    for engine in both:
        engine.register("texts", pa.table({"x": [*TEXTS, None]}))
    first = answers(both, "SELECT MIN(x) AS first, MAX(x) AS last, COUNT(DISTINCT x) AS texts FROM texts")
    ordered = answers(both, "SELECT x, ROW_NUMBER() OVER (ORDER BY x) AS place FROM texts")
    expected = sorted(TEXTS)
    assert [table.to_pylist() for table in first] == [
        [{"first": expected[0], "last": expected[-1], "texts": len(TEXTS)}]
    ] * 2
    for table in ordered:  # NULL comes last
        assert table.sort_by("place")["x"].to_pylist() == [*expected, None]


def test_sums_too_large_end_with_an_error(both: tuple[Any, Any]) -> None:
    from pyspark.errors import ArithmeticException

    sql = over("CAST(SUM(CAST(x AS BIGINT)) AS BIGINT)", "9223372036854775807", "1")
    with pytest.raises(duckdb.ConversionException):
        answers(both, sql)
    with pytest.raises(ArithmeticException):
        answers((both[0], both[1]), over("SUM(CAST(x AS BIGINT))", "9223372036854775807", "1"))


def test_floors_of_logarithms_are_the_same(both: tuple[Any, Any]) -> None:
    """Streams are counted in classes of their logarithm: a last digit would move a number to the next class."""
    numbers = np.unique(
        np.concatenate([np.arange(1, 200_000), 10 ** np.arange(16), np.geomspace(1, 1e15, 200_000).astype(np.int64)])
    )
    for engine in both:
        engine.register("numbers", pa.table({"x": numbers}))
    sql = """
        SELECT x, CAST(FLOOR(4342.944819032518 * LN(x)) AS BIGINT) AS log, CAST(FLOOR(100 * LN(x)) AS BIGINT) AS bin
        FROM numbers
    """
    one, other = (table.sort_by("x") for table in answers(both, sql))
    assert one.equals(other.cast(one.schema))


@pytest.mark.parametrize("value", ["a'b", r"a\b", 'a"b', "😀", "e\u0301", ":x", "$x", ""])
def test_bound_text_is_itself(value: str, both: tuple[Any, Any]) -> None:
    answered = answers(both, "SELECT $value AS value", value=value)
    assert [table["value"].to_pylist() for table in answered] == [[value], [value]]


@pytest.mark.parametrize("value", [0, -1, 2**31, 2**63 - 1])
def test_bound_numbers_are_themselves(value: int, both: tuple[Any, Any]) -> None:
    answered = answers(both, "SELECT $value AS value", value=value)
    assert [table["value"].to_pylist() for table in answered] == [[value], [value]]
