"""The relations of ``sql/`` in Spark's SQL, translated when they run."""

from functools import cache
from typing import Any, ClassVar, Final

import sqlglot
from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.generators.spark import SparkGenerator

BLANKS: Final = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""What DuckDB's TRIM takes away: every blank of Unicode (category Zs)."""

_LOWER: Final = ("İΣ", "iσ")
"""Letters that Java makes small otherwise: to two letters, or otherwise at the end of a word."""

_ODD_NUMBER: Final = r"[_dDfF\x00-\x08\x0E-\x1F\x7F-\x9F]"
"""What texts have that only one engine reads as a number: ``1_000`` DuckDB, ``1d``, ``1f`` and control signs Spark."""

_NO_NUMBER: Final = r"[0-9.][dDfF]|[\x00-\x08\x0E-\x1F\x7F-\x9F]"
_GROUPED: Final = r"(?<=[0-9])_(?=[0-9])"


@cache
def spark_sql(sql: str) -> str:
    """Return a relation of ``sql/`` in Spark's SQL; parameters become ``:name``.

    Functions that Spark has under the same name with another meaning are spelled out.
    """
    return sqlglot.parse_one(sql, read="duckdb").sql(dialect=AsDuckDB)


def _lower(generator: sqlglot.Generator, node: exp.Lower) -> str:
    letters = (generator.sql(exp.Literal.string(text)) for text in _LOWER)
    return generator.func("LOWER", generator.func("TRANSLATE", node.this, *letters))


def _trim(generator: sqlglot.Generator, node: exp.Trim) -> str:
    return f"TRIM(BOTH {generator.sql(exp.Literal.string(BLANKS))} FROM {generator.sql(node, 'this')})"


def _try_cast(generator: sqlglot.Generator, node: exp.TryCast) -> str:
    plain = generator.trycast_sql(node)
    if not node.is_type("DOUBLE"):
        return plain
    text = f"({generator.sql(node, 'this')})"
    odd, none, grouped = (generator.sql(exp.Literal.string(text)) for text in (_ODD_NUMBER, _NO_NUMBER, _GROUPED))
    return (
        f"CASE WHEN NOT {text} RLIKE {odd} THEN {plain} "
        f"WHEN NOT {text} RLIKE {none} THEN TRY_CAST(REGEXP_REPLACE({text}, {grouped}, '') AS DOUBLE) END"
    )


class AsDuckDB(Spark):
    """Spark's SQL in which texts are trimmed, made small and read as numbers as by DuckDB."""

    class Generator(SparkGenerator):
        """Writes the functions that differ."""

        TRANSFORMS: ClassVar[dict[Any, Any]] = {
            **SparkGenerator.TRANSFORMS,
            exp.Lower: _lower,
            exp.Trim: _trim,
            exp.TryCast: _try_cast,
        }
