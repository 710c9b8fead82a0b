"""The relations of ``sql/`` in Spark's SQL, translated when they run."""

from functools import cache

import sqlglot


@cache
def spark_sql(sql: str) -> str:
    """Return a relation of ``sql/`` in Spark's SQL; parameters become ``:name``."""
    return sqlglot.parse_one(sql, read="duckdb").sql(dialect="spark")
