"""Every relation means the same to DuckDB and, through sqlglot, to Spark.

sqlglot translates without a word what the other engine reads otherwise, so the typed trees are walked here. What Spark
makes of the translation, only Spark can show.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.dialects import DuckDB
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from diffusion.contracts import RELATIONS, Contract
from diffusion.contracts.star import AVAILABILITY, SOURCE_DATES, TRACKS
from diffusion.engine.relations import relation_sql
from diffusion.sources.layouts import SOURCE_COLUMNS
from diffusion.sources.numbers import MARKED, STREAMS
from diffusion.sources.track_ids import BARE_ID, LINK

NAMES = sorted(file.name[:-4] for file in resources.files("diffusion").joinpath("sql").iterdir())

TYPES = {
    pa.string(): "TEXT",
    pa.date32(): "DATE",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
}

Columns = dict[str, str]


def contracted(contract: Contract) -> Columns:
    return {column.name: TYPES[column.type] for column in contract.columns}


CONTRACTS = {contract.name: contracted(contract) for contract in RELATIONS}

GIVEN: dict[str, Columns] = {
    "source_rows": dict.fromkeys((*SOURCE_COLUMNS, "file", "part"), "TEXT") | {"line": "BIGINT"},
    "raw_rows": {"file": "TEXT", "line": "BIGINT", "row": "TEXT"},
    "damaged_rows": {"file": "TEXT", "line": "BIGINT", "reason": "TEXT", "row": "TEXT"},
    "files": {"file": "TEXT", "source": "BIGINT", "chart": "TEXT"},
    "date_texts": contracted(SOURCE_DATES) | {"date": "DATE"},
    "title_ids": {"id_text": "TEXT", "track_id": "TEXT"},
    "ranks": {"rank_text": "TEXT", "rank": "INT"},
    "stream_marks": {"source": "BIGINT", "dot_groups": "BOOLEAN", "comma_groups": "BOOLEAN"},
    "market_names": {"name": "TEXT", "code": "SMALLINT"},
    "market_codes": {"code": "SMALLINT", "market": "TEXT"},
    "chart_codes": {"code": "SMALLINT", "chart": "TEXT", "deepest": "INT"},
    "known_tracks": contracted(TRACKS),
    "known_availability": contracted(AVAILABILITY),
    "numbers": {"number": "INT"},
    "identities": {"track": "INT", "identity": "INT"},
    "asked_dates": {"date": "DATE"},
    "compared_charts": {"market": "TEXT", "date": "DATE", "turn": "INT"},
    "track_artists": {"track": "INT", "artist": "INT"},
    "asked_days": {"track": "INT", "date": "DATE"},
    "recording_keys": {"track": "INT", "key": "TEXT", "credits": "TEXT"},
    "levels": {"market": "TEXT", "date": "DATE", "log": "BIGINT", "log_rank": "BIGINT"},
    "pairs": {"source": "TEXT", "target": "TEXT", "common_language": "BIGINT"},
}
"""Tables that relations are given and that no contract describes."""

MADE_BY = {"firsts": "first_appearances"}
"""Tables that are kept under another name than their relation's."""

UNTYPED = {
    exp.RegexpExtract: exp.DType.VARCHAR,
    exp.RegexpReplace: exp.DType.VARCHAR,
    exp.Median: exp.DType.DOUBLE,
    exp.Placeholder: exp.DType.BIGINT,
}
"""What sqlglot gives no type, and its type in DuckDB; bound values with which a relation counts are whole numbers."""

METADATA = {**DuckDB.EXPRESSION_METADATA, **{kind: {"returns": returned} for kind, returned in UNTYPED.items()}}

SAME = {
    "ABS", "AND", "BITWISE_OR_AGG", "CASE", "CAST", "COALESCE", "COUNT", "DATEDIFF", "DENSE_RANK", "EXP", "EXTRACT",
    "FIRST_VALUE", "FLOOR", "GREATEST", "IF", "LAG", "LEAD", "LEAST", "LENGTH", "LN", "MAX", "MEDIAN", "MIN", "NULLIF",
    "OR", "REGEXP_EXTRACT", "REGEXP_LIKE", "REGEXP_REPLACE", "REPLACE", "ROW_NUMBER", "SPLIT_PART", "SUBSTRING", "SUM",
}  # fmt: skip
"""Functions, as sqlglot names them, that mean the same once translated; what holds only of some uses is below."""

DIFFERENT: dict[type[exp.Expression], str] = {
    exp.IntDiv: "whole division of negative numbers is not agreed on",
    exp.Bracket: "lists count from 1 in DuckDB, from 0 in Spark",
    exp.Lambda: "functions of lists are spelled and typed otherwise",
    exp.Qualify: "Spark has no QUALIFY",
    exp.Collate: "Spark knows other collations",
    exp.Glob: "Spark has no GLOB",
    exp.SimilarTo: "Spark has no SIMILAR TO",
    exp.TableSample: "samples are not reproducible",
    exp.Pivot: "Spark asks for the values",
    exp.Dot: "Spark chains no functions with dots",
    exp.IgnoreNulls: "which value is taken is left to the engine",
}
"""Constructs that Spark lacks or reads otherwise, other than functions."""

MAY_STAND = {
    "BIT_COUNT": "not known to sqlglot, the same in both",
    "TRY_CAST to DATE": "Spark also reads a year alone and a time behind; texts are cut to ten characters before",
    "TRY_CAST to DOUBLE": "DuckDB reads 1_000, Spark 1d, 1f and control signs around: its translation says which",
    "TRIM": "DuckDB takes every blank of Unicode (category Zs), Spark U+0020: its translation names them",
    "LOWER": "Spark makes two letters of İ, and another of Σ at the end of a word: its translation names them",
    "UPPER": "Spark makes two letters of ß, ŉ, ﬁ and some more that have no single capital; no trend has them",
    "cast to FLOAT": "both round whole numbers to the nearest, ties to even",
    r"\b in a regular expression": "up to Java 18 other letters than A to Z are letters; lists of licences have none",
}
"""What is met in the relations and differs, or is not known, and why it may stand."""

INTEGERS = ("SMALLINT", "INT", "BIGINT")
ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
ESCAPES = re.compile(r"\\([a-zA-Z])")
IN_CLASS = re.compile(r"\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*\]")


def typed(sql: str, schema: dict[str, Columns]) -> exp.Expression:
    """Return the tree of a SELECT, columns qualified and types annotated."""
    tree = qualify(sqlglot.parse_one(sql, read="duckdb"), schema=schema, dialect="duckdb")
    return annotate_types(tree, schema=schema, dialect="duckdb", expression_metadata=METADATA)


def columns(table: str) -> Columns:
    """Return the columns of a table and their types, by contract where there is one."""
    name = MADE_BY.get(table, table)
    return GIVEN.get(name) or CONTRACTS.get(name) or inferred(relation(name))


def inferred(tree: exp.Expression) -> Columns:
    """Return a SELECT's columns and their types; a NULL has the type of what stands below it in a UNION."""
    return {column.alias_or_name: kind for column, kind in zip(tree.selects, kinds(tree), strict=True)}


def kinds(tree: exp.Expression) -> list[str]:
    """Return the types of a SELECT's columns in order."""
    if isinstance(tree, exp.SetOperation):
        pairs = zip(kinds(tree.left), kinds(tree.right), strict=True)
        return [below if kind == "UNKNOWN" else kind for kind, below in pairs]
    return [column.type.sql() for column in tree.selects]


@cache
def relation(name: str) -> exp.Expression:
    """Return the typed tree of a relation; what it reads is typed before."""
    tree = sqlglot.parse_one(relation_sql(name), read="duckdb")
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = sorted({table.name for table in tree.find_all(exp.Table)} - own)
    return typed(relation_sql(name), {table: columns(table) for table in tables})


def faults(sql: str, tree: exp.Expression) -> set[str]:
    """Return all that is not known to mean the same to Spark."""
    spelled = sqlglot.parse_one(sql, read="duckdb")  # stars and ALL are gone from the typed tree
    checks = (in_functions, in_arithmetic, in_casts, in_regular_expressions)
    return set(in_spelling(spelled)).union(*(check(tree) for check in checks))


def in_spelling(tree: exp.Expression) -> Iterator[str]:
    for kind, reason in DIFFERENT.items():
        if tree.find(kind):
            yield f"{kind.__name__}: {reason}"
    if any(star.args.get("except_") or star.args.get("replace") for star in tree.find_all(exp.Star)):
        yield "EXCLUDE, REPLACE: Spark lists columns"
    if any(distinct.args.get("on") for distinct in tree.find_all(exp.Distinct)):
        yield "DISTINCT ON: which row is taken is left to the engine"
    if any(group.args.get("all") for group in tree.find_all(exp.Group)):
        yield "GROUP BY ALL: not before Spark 3.4"
    if any(order.name.upper() == "ALL" for order in tree.find_all(exp.Ordered)):
        yield "ORDER BY ALL: not before Spark 4"
    if any(join.method for join in tree.find_all(exp.Join)):
        yield "ASOF, POSITIONAL: Spark has no such joins"


def in_functions(tree: exp.Expression) -> Iterator[str]:
    for function in tree.find_all(exp.Func):
        if isinstance(function, exp.Anonymous):
            yield function.name.upper()
        elif isinstance(function, exp.TryCast):
            yield f"TRY_CAST to {function.to.sql()}"
        elif (name := function.sql_name()) not in SAME:
            yield name


def in_arithmetic(tree: exp.Expression) -> Iterator[str]:
    for node in tree.find_all(*ARITHMETIC):
        sides = [
            side.selects[0] if isinstance(side, exp.Query) else side
            for side in (node.left.unnest(), node.right.unnest())
        ]
        if any(side.is_type("DATE") for side in sides):
            if not (isinstance(node, exp.Add | exp.Sub) and isinstance(sides[1], exp.Interval)):
                yield f"arithmetic with a date: {node.sql()}"
        elif any(side.is_type("UNKNOWN") for side in sides):
            yield f"arithmetic with what has no known type: {node.sql()}"
        if isinstance(node, exp.Div | exp.Mod) and not (isinstance(sides[1], exp.Literal) and sides[1].to_py()):
            yield f"division by what may be zero, which ends a query of Spark: {node.sql()}"


def in_casts(tree: exp.Expression) -> Iterator[str]:
    for cast in tree.find_all(exp.Cast):
        operand = cast.this.unnest()
        if (
            cast.is_type(*INTEGERS)
            and operand.is_type("DOUBLE", "FLOAT", "DECIMAL")
            and not isinstance(operand, exp.Floor)
        ):
            yield f"a fraction to a whole number, which DuckDB rounds and Spark cuts: {cast.sql()}"
        if not cast.is_type("DATE", "DOUBLE", *INTEGERS):
            yield f"cast to {cast.to.sql()}"


def in_regular_expressions(tree: exp.Expression) -> Iterator[str]:
    for match in tree.find_all(exp.RegexpLike, exp.RegexpExtract, exp.RegexpReplace):
        pattern = match.expression
        if isinstance(pattern, exp.Literal):
            yield from in_pattern(pattern.name)
        elif not isinstance(pattern, exp.Placeholder):
            yield f"a regular expression that is neither written nor bound: {match.sql()}"
        flags = match.args.get("modifiers") or match.args.get("flag") or match.args.get("parameters")
        if (flags.name if flags else "") != ("g" if isinstance(match, exp.RegexpReplace) else ""):
            yield f"flags of a regular expression, of which Spark has only that all are replaced: {match.sql()}"
        if isinstance(match, exp.RegexpReplace) and re.search(r"[\\$]", match.args["replacement"].name):
            yield f"a group in a replacement, which Java writes $1: {match.sql()}"


def in_pattern(pattern: str) -> Iterator[str]:
    """Yield what RE2 and Java read differently in a regular expression."""
    classes, bare = IN_CLASS.findall(pattern), re.sub(r"\\.", "", IN_CLASS.sub("", pattern))
    for found in ESCAPES.findall(pattern):
        if found not in "dfnrtwxz":
            yield rf"\{found} in a regular expression"
    if "[:" in pattern:
        yield "a POSIX class in a regular expression, which to Java is its letters"
    if any("[" in inner[1:] or "&&" in inner for inner in classes):
        yield "[ or && in a class of a regular expression, which to Java is a class of its own"
    if "$" in bare:
        yield r"$ in a regular expression, which to Java also ends before a last line feed; write \z"
    if "." in bare:
        yield ". in a regular expression, which to Java leaves out other line ends too; write a class"
    if "(?P" in pattern:
        yield "a named group, which Java writes otherwise"


@pytest.mark.parametrize("name", NAMES)
def test_relation_means_the_same_to_spark(name: str) -> None:
    assert faults(relation_sql(name), relation(name)) - set(MAY_STAND) == set()


def test_all_that_may_stand_is_met() -> None:
    met = set().union(*(faults(relation_sql(name), relation(name)) for name in NAMES))
    assert set(MAY_STAND) <= met


@pytest.mark.parametrize("pattern", [*STREAMS.values(), *MARKED.values(), LINK, BARE_ID])
def test_bound_patterns_mean_the_same_to_java(pattern: str) -> None:
    assert set(in_pattern(pattern)) == set()


@pytest.mark.parametrize("name", sorted(set(NAMES) & set(CONTRACTS)))
def test_inferred_types_are_those_of_the_contract(name: str) -> None:
    """Types are known, and dates are where the contract says: arithmetic with dates cannot hide."""
    types = inferred(relation(name))
    assert list(types) == list(CONTRACTS[name])
    assert "UNKNOWN" not in types.values()
    dates = {column for column, kind in CONTRACTS[name].items() if kind == "DATE"}
    assert {column for column, kind in types.items() if kind == "DATE"} == dates


@pytest.mark.parametrize("name", NAMES)
def test_translation_is_spark(name: str) -> None:
    (translated,) = sqlglot.transpile(
        relation_sql(name), read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE
    )
    assert isinstance(sqlglot.parse_one(translated, read="spark"), exp.Query)


TABLE: Columns = {"a": "DATE", "b": "DATE", "n": "INT", "f": "DOUBLE", "x": "TEXT", "y": "TEXT"}
BAD = {
    r"SELECT REGEXP_EXTRACT(x, 'track[/:]([^/?#[:space:]]+)', 1) AS id FROM t": "POSIX class",
    r"SELECT REGEXP_MATCHES(x, '^[[:space:]]*\z') AS blank FROM t": "POSIX class",
    r"SELECT REGEXP_MATCHES(x, '^[0-9]+$') AS whole FROM t": "$ in a regular expression",
    r"SELECT REGEXP_EXTRACT(x, '^a(.*)', 1) AS rest FROM t": ". in a regular expression",
    r"SELECT REGEXP_MATCHES(x, '\s') AS blank FROM t": r"\s in a regular expression",
    r"SELECT REGEXP_MATCHES(x, '[a[]') AS found FROM t": "[ or && in a class",
    r"SELECT REGEXP_MATCHES(x, '(?P<a>b)') AS found FROM t": "a named group",
    r"SELECT REGEXP_MATCHES(x, y) AS found FROM t": "neither written nor bound",
    r"SELECT REGEXP_MATCHES(x, 'a', 'i') AS found FROM t": "flags of a regular expression",
    r"SELECT REGEXP_REPLACE(x, 'a', 'b') AS once FROM t": "flags of a regular expression",
    r"SELECT REGEXP_REPLACE(x, '(a)', '\1\1', 'g') AS twice FROM t": "a group in a replacement",
    "SELECT a - b AS days FROM t": "arithmetic with a date",
    "SELECT a - LAG(a) OVER (ORDER BY n) AS days FROM t": "arithmetic with a date",
    "SELECT MAX(a) - MIN(b) AS days FROM t": "arithmetic with a date",
    "WITH c AS (SELECT COALESCE(a, b) AS d, n FROM t) SELECT d FROM c WHERE d + n > d": "arithmetic with a date",
    "SELECT a + 6 AS later FROM t": "arithmetic with a date",
    "SELECT a FROM t WHERE a < b + $washout": "arithmetic with a date",
    "SELECT CASE WHEN n = 1 THEN a ELSE b END + ($washout - 1) AS later FROM t": "arithmetic with a date",
    "SELECT NOBODY(n) + 1 AS more FROM t": "no known type",
    "SELECT n / f AS share FROM t": "division by what may be zero",
    "SELECT CAST(f AS INTEGER) AS whole FROM t": "a fraction to a whole number",
    "SELECT CAST(n / 2 AS BIGINT) AS half FROM t": "a fraction to a whole number",
    "SELECT CAST(FLOOR(f) / 2 AS BIGINT) AS half FROM t": "a fraction to a whole number",
    "SELECT CAST(x AS TIMESTAMP) AS moment FROM t": "cast to TIMESTAMP",
    "SELECT n // 2 AS half FROM t": "IntDiv",
    "SELECT NOBODY_KNOWS(n) AS value FROM t": "NOBODY_KNOWS",
    "SELECT STRPTIME(x, '%Y') AS moment FROM t": "STR_TO_TIME",
    "SELECT QUANTILE_CONT(n, 0.5) AS middle FROM t": "PERCENTILE_CONT",
    "SELECT ARG_MAX(x, n) AS last FROM t": "ARG_MAX",
    "SELECT ANY_VALUE(x) AS one FROM t": "IgnoreNulls",
    "SELECT RANDOM() AS draw FROM t": "RAND",
    "SELECT DATE_ADD(a, INTERVAL 6 DAY) AS later FROM t": "DATE_ADD",
    "SELECT LIST(n) AS all_n FROM t": "ARRAY_AGG",
    "SELECT STRING_SPLIT(x, ',')[1] AS first FROM t": "Bracket",
    "SELECT {'n': n} AS both FROM t": "STRUCT",
    "SELECT x.UPPER() AS loud FROM t": "Dot",
    "SELECT * EXCLUDE (a) FROM t": "EXCLUDE",
    "SELECT DISTINCT ON (n) n, x FROM t": "DISTINCT ON",
    "SELECT n, COUNT(*) AS c FROM t GROUP BY ALL": "GROUP BY ALL",
    "SELECT n FROM t ORDER BY ALL": "ORDER BY ALL",
    "SELECT n FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY n) = 1": "Qualify",
    "SELECT x FROM t ORDER BY x COLLATE NOCASE": "Collate",
    "SELECT x GLOB 'a*' AS found FROM t": "Glob",
    "SELECT x SIMILAR TO 'a' AS found FROM t": "SimilarTo",
    "SELECT t.n FROM t ASOF JOIN u ON t.n >= u.n": "ASOF",
}
"""SELECTs that must be caught, and by what."""


@pytest.mark.parametrize("sql", BAD)
def test_what_spark_reads_otherwise_is_caught(sql: str) -> None:
    found = faults(sql, typed(sql, {"t": TABLE, "u": TABLE}))
    assert any(BAD[sql] in fault for fault in found - set(MAY_STAND)), found


GOOD = (
    "SELECT DATEDIFF('day', a, b) AS days FROM t WHERE DATEDIFF('day', a, b) < $washout",
    "SELECT CAST(a + INTERVAL 6 DAY AS DATE) AS later, CAST(FLOOR(f) AS BIGINT) AS whole, n / 2 AS half FROM t",
    r"SELECT REGEXP_EXTRACT(x, 'a[.$]([^ \t\n\x0B\f\r]+)\.\z', 1) AS id, REGEXP_REPLACE(x, 'a', 'b', 'g') AS b FROM t",
)


@pytest.mark.parametrize("sql", GOOD)
def test_what_means_the_same_is_let_through(sql: str) -> None:
    assert faults(sql, typed(sql, {"t": TABLE})) == set()
