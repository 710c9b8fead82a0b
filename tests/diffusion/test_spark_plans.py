"""No relation brings the rows of charts together in one place: what Spark plans to do says so."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

import diffusion
from diffusion.engine.relations import bind
from tests.engines import NAMES, parameters, put_tables, tables_of, values

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

pytestmark = pytest.mark.slow

ROW_SCALE = {
    "compared_rows",
    "identified_rows",
    "observations",
    "outcomes",
    "placed_rows",
    "raw_rows",
    "readings",
    "source_rows",
}
"""Tables with a row for each row of the source; all others are made of sums, or have a row for each entry at most."""

LARGE = {"spark.sql.autoBroadcastJoinThreshold": "-1", "spark.sql.adaptive.enabled": "false"}
"""Settings with which Spark plans as for tables of which none is small."""

GIVEN = values("top50")


@pytest.fixture(scope="module")
def engine(java_spark: "SparkEngines", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An engine of Spark with a file for every table that relations read; plans do not depend on how long they are."""
    folder = tmp_path_factory.mktemp("tables")
    with diffusion.open_sample() as charts:
        put_tables(charts._engine, GIVEN)
        charts._engine.create("set_aside")
        tables = tables_of(charts._engine)
    with java_spark() as engine:
        for setting, value in LARGE.items():
            engine._session.conf.set(setting, value)
        for name, table in tables.items():
            pq.write_table(table.slice(0, 3), folder / f"{name}.parquet")
            engine.open_table(name, [folder / f"{name}.parquet"])
        yield engine


def plan_of(engine: Any, sql: str, bound: dict[str, object] | None = None) -> Any:
    """Return the physical plan of a SELECT."""
    from diffusion.engine.spark.translation import spark_sql

    return engine._session.sql(spark_sql(sql), args=bound)._jdf.queryExecution().executedPlan()


def nodes(plan: Any) -> Iterator[Any]:
    """Yield the nodes of a plan, from the top, with those of its subqueries."""
    yield plan
    for below in (plan.children(), plan.subqueries()):
        for number in range(below.size()):
            yield from nodes(below.apply(number))


def in_one_place(plan: Any) -> set[str]:
    """Return the tables of `ROW_SCALE` whose rows, not sums of them, go to one task or to every task."""
    return {
        table
        for node in nodes(plan)
        if node.nodeName().startswith("BroadcastExchange") or "SinglePartition" in node.simpleString(100)
        for table in rows_below(node)
    }


def rows_below(node: Any) -> set[str]:
    """Return the tables of `ROW_SCALE` that a node of a plan reads row by row."""
    if "Aggregate" in node.nodeName() or "LocalLimit" in node.nodeName():
        return set()
    if "Scan parquet" in node.nodeName():
        return {name for name in ROW_SCALE if f"/{name}.parquet]" in node.simpleString(10_000)}
    below = node.children()
    return set().union(*(rows_below(below.apply(number)) for number in range(below.size())))


@pytest.mark.parametrize("name", NAMES)
def test_no_relation_brings_rows_together(name: str, engine: Any) -> None:
    assert in_one_place(plan_of(engine, *bind(name, parameters(name, GIVEN)))) == set()


BROUGHT_TOGETHER = (
    "SELECT track, ROW_NUMBER() OVER (ORDER BY date) AS place FROM observations",
    "SELECT o.track FROM observations AS o JOIN coverage AS c ON c.date < o.date OR c.market = 'SE' LEFT JOIN "
    "observations AS p ON p.rank < o.rank",
    "SELECT track FROM coverage AS c LEFT JOIN observations AS o ON o.date < c.date",
)


@pytest.mark.parametrize("sql", BROUGHT_TOGETHER)
def test_rows_that_are_brought_together_are_found(sql: str, engine: Any) -> None:
    assert in_one_place(plan_of(engine, sql)) == {"observations"}


def test_tables_of_rows_are_read_by_some_relation(engine: Any) -> None:
    """A plan names the tables that it reads, so that none is missed."""
    read = {
        name
        for relation in NAMES
        for node in nodes(plan_of(engine, *bind(relation, parameters(relation, GIVEN))))
        for name in rows_below(node)
    }
    assert read == ROW_SCALE
