"""Relations run by both engines over the same tables: those that DuckDB makes of some charts."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot
from sqlglot import exp

from diffusion.compared_charts import in_turn, track_artists
from diffusion.contracts import RELATIONS
from diffusion.contracts.star import ANY_RANK, FILE_BREAK
from diffusion.conventions import LONG_GAP, WASHOUT
from diffusion.engine import Engine
from diffusion.engine.relations import bind, relation_sql
from diffusion.recordings import Identity, identity_codes, identity_table, recording_keys
from diffusion.sources.cleaning import LAST_YEAR, NO_DATE, keep_numbers
from diffusion.sources.numbers import MARKED, STREAMS
from diffusion.sources.track_ids import BARE_ID, LINK
from diffusion.sources.wholeness import HOLE_PERCENT
from diffusion.streams import _levels

NAMES = sorted(file.name[:-4] for file in resources.files("diffusion").joinpath("sql").iterdir())
"""Every relation of ``sql/``."""

CONTRACTS = {contract.name: contract for contract in RELATIONS}

IN_ORDER = ("sorted_observations",)
"""Relations that order their rows themselves."""


@cache
def reads(name: str) -> frozenset[str]:
    """Return the tables that a relation reads."""
    tree = sqlglot.parse_one(relation_sql(name), read="duckdb")
    return frozenset({table.name for table in tree.find_all(exp.Table)} - {cte.alias for cte in tree.find_all(exp.CTE)})


def parameters(name: str, given: Mapping[str, object]) -> dict[str, object]:
    """Return those of the values that a relation takes."""
    return {wanted: given[wanted] for wanted in re.findall(r"\$([a-z_]+)", relation_sql(name))}


def values(chart: str, **rules: object) -> dict[str, object]:
    """Return a value for every parameter of the relations; `rules` replace the usual ones."""
    usual: dict[str, object] = {
        "chart": chart,
        "top": ANY_RANK,
        "min_periods": 3,
        "washout": WASHOUT,
        "long_gap": LONG_GAP,
        "periods": 4,
        "before": 1,
        "charts": 4,
        "hole_percent": HOLE_PERCENT,
        "first_year": NO_DATE,
        "last_year": LAST_YEAR,
        "break_days": FILE_BREAK,
        "text": "1",
        "link": LINK,
        "bare_id": BARE_ID,
        **STREAMS,
        **MARKED,
    }
    return usual | rules


def put_tables(engine: Engine, given: Mapping[str, object], identity: Identity = "track") -> None:
    """Make every table that relations over charts read, in an engine that has observations, tracks and availability."""

    def create(name: str, into: str | None = None) -> None:
        engine.create(name, into=into, **parameters(name, given))

    tracks = engine.kept("tracks")
    engine.keep("identities", identity_codes(tracks, identity_table(tracks, identity)))
    keys = recording_keys(tracks["title"], tracks["artist"])
    engine.keep("recording_keys", keys.append_column("track", tracks["track"]))
    keep_numbers(engine)
    for name in ("coverage", "spans", "periods", "chart_depths"):
        create(name)
    create("first_appearances" if given["min_periods"] == 1 else "first_stays", "firsts")
    for name in ("entries", "debuts", "spells", "trajectories"):
        create(name)
    engine.keep("levels", _levels(engine.fetch("chart_sums", chart=given["chart"])))
    engine.keep("asked_dates", engine.kept("coverage").select(["date"]).group_by("date").aggregate([]).slice(0, 3))
    firsts = engine.fetch("first_dates", chart=given["chart"])
    engine.keep("asked_days", firsts.rename_columns({"first_date": "date"}))
    engine.keep("compared_charts", in_turn(engine.fetch("depths_on", chart=given["chart"])))
    engine.keep("track_artists", track_artists(tracks))
    create("compared_rows")


def tables_of(engine: Any, names: Sequence[str] = NAMES) -> dict[str, pa.Table]:
    """Return the tables and views of an embedded engine that some relations read, by name."""
    wanted = frozenset().union(*map(reads, names))
    there = {name for (name,) in engine._connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    there |= {name for (name,) in engine._connection.execute("SELECT view_name FROM duckdb_views()").fetchall()}
    return {name: engine._connection.table(name).to_arrow_table() for name in sorted(wanted & there)}


def by_duckdb(engine: Any, name: str, given: Mapping[str, object]) -> pa.Table:
    """Return the rows of a relation as DuckDB gives them, in order of the key."""
    sql, bound = bind(name, parameters(name, given))
    rows = engine._connection.sql(sql, params=bound)
    key = CONTRACTS[name].key if name in CONTRACTS else ()
    return in_order(name, (rows.order(", ".join(key)) if key else rows).to_arrow_table())


def by_spark(engine: Any, name: str, given: Mapping[str, object]) -> pa.Table:
    """Return the rows of a relation as Spark gives them, in order of the key."""
    rows = engine.frame(name, **parameters(name, given))
    key = CONTRACTS[name].key if name in CONTRACTS else ()
    return in_order(name, (rows.orderBy(*key) if key else rows).toArrow())


def in_order(name: str, table: pa.Table) -> pa.Table:
    """Return rows in order where neither a key nor the relation itself orders them."""
    if name in IN_ORDER or (name in CONTRACTS and CONTRACTS[name].key):
        return table
    return table.sort_by([(column, "ascending") for column in table.column_names])


def assert_same(name: str, one: pa.Table, other: pa.Table) -> None:
    """Assert that two tables have the same columns, types, rows and order."""
    assert types(one) == types(other), name
    if not one.cast(other.schema).equals(other):
        pairs = zip(one.to_pylist(), other.to_pylist(), strict=True)
        assert [pair for pair in pairs if pair[0] != pair[1]][:3] == [], name


def types(table: pa.Table) -> list[tuple[str, pa.DataType]]:
    """Return the columns of a table and their types."""
    return [(field.name, field.type) for field in table.schema]


def compared(duckdb: Any, spark: Any, given: Mapping[str, object], names: Sequence[str] = NAMES) -> set[str]:
    """Assert that relations over the tables of DuckDB give the same on Spark; return those whose tables are there."""
    tables = tables_of(duckdb, names)
    # rows are read by several tasks, none of which has much to send
    spark._session.conf.set("spark.sql.files.maxPartitionBytes", "1m")
    for name, table in tables.items():
        pq.write_table(table, spark.scratch(f"{name}.parquet"), row_group_size=20_000)
        spark.open_table(name, [spark.scratch(f"{name}.parquet")])
    there = {name for name in names if reads(name) <= set(tables)}
    for name in sorted(there):
        assert_same(name, by_duckdb(duckdb, name, given), by_spark(spark, name, given))
    return there
