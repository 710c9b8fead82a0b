"""A few tracks sit in all markets for years, and one market has half of the rows: no task of Spark gets most of them.

What tasks read is asked of Spark's own store of their metrics. Seconds are not compared: rows are what skew is about.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import diffusion
from diffusion import Charts, Entries
from diffusion.contracts.star import OBSERVATIONS, TRACKS
from diffusion.conventions import WASHOUT
from diffusion.parts import in_parts
from tests.conftest import day

if TYPE_CHECKING:
    from diffusion.engine import Tables
    from diffusion.engine.spark import SparkEngines

pytestmark = pytest.mark.slow

MARKETS = (
    *("US", "AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CO"),
    *("CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "HK", "HU"),
)
DAYS, DEPTH, STAY, CATALOGUE = 400, 20, 10, 5
LARGE = DEPTH * (len(MARKETS) - 1)
"""Rows a day of the first market: as many as all others have together."""

PARTITIONS = 16
"""Tasks of a shuffle."""

MOST = 2.5
"""Rows of one task at most, in means of all tasks of its stage; by market it would be 8. Hashes differ by chance."""

MANY = 20_000
"""Rows from which on a shuffle is looked at. Smaller ones are of markets and their dates, whatever the tracks."""


def made_rows() -> pa.Table:
    """Return daily rows: the catalogue stands in all markets on every day, every other place changes every ten days."""
    tables = []
    for number, market in enumerate(MARKETS):
        depth = LARGE if number == 0 else DEPTH
        date, rank = (grid.ravel() for grid in np.mgrid[0:DAYS, 1 : depth + 1])
        new = CATALOGUE + ((date // STAY) * len(MARKETS) + number) * LARGE + rank
        track = np.where(rank <= CATALOGUE, rank - 1, new).astype(np.int32)
        columns = {"track": track, "date": [day(int(one)) for one in date], "rank": rank.astype(np.int32)}
        tables.append(pa.table(columns).append_column("market", pa.array([market] * len(track))))
    return pa.concat_tables(tables)


def filled(schema: pa.Schema, columns: pa.Table) -> pa.Table:
    """Return a table of a schema; what is not given is null, or false where nothing is null."""

    def values(field: pa.Field) -> pa.ChunkedArray | pa.Array:
        if field.name in columns.column_names:
            return columns[field.name]
        return pa.array([None if field.nullable else False] * len(columns), field.type)

    return pa.table([values(field) for field in schema], schema)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cleaned folder of skewed charts."""
    place = tmp_path_factory.mktemp("skew")
    (place / "observations" / "year=2021").mkdir(parents=True)
    rows = made_rows()
    names = pa.array([f"t{track:06d}" for track in rows["track"].to_pylist()])
    rows = rows.append_column("track_id", names).append_column("chart", pa.array(["top200"] * len(rows)))
    pq.write_table(filled(OBSERVATIONS.schema, rows), place / "observations" / "year=2021" / "part-00000.parquet")
    tracks = pa.table({"track": rows["track"].unique().sort()})
    named = [f"t{track:06d}" for track in tracks["track"].to_pylist()]
    for name in ("track_id", "title", "artist"):
        tracks = tracks.append_column(name, pa.array(named))
    pq.write_table(filled(TRACKS.schema, tracks), place / "tracks.parquet")
    return place


@pytest.fixture(scope="module")
def charts(java_spark: "SparkEngines", folder: Path) -> Iterator[Charts]:
    """Return the charts on Spark, with shuffles of `PARTITIONS` tasks that are not put together.

    As in large charts, a table with a row per market is sent to all tasks, and a table of markets' days is not.
    """
    with diffusion.open_charts(folder, open_engine=java_spark) as charts:
        engine: Any = charts._engine
        engine._session.conf.set("spark.sql.shuffle.partitions", str(PARTITIONS))
        engine._session.conf.set("spark.sql.adaptive.coalescePartitions.enabled", "false")
        engine._session.conf.set("spark.sql.autoBroadcastJoinThreshold", "32KB")
        yield charts


@pytest.fixture(scope="module")
def entries(charts: Charts) -> Entries:
    return charts.entries()


def shuffled(spark: "SparkEngines", work: Callable[[], object]) -> list[list[int]]:
    """Return the rows that every task read from shuffles, for the stages that `work` ran."""
    context = spark.session.sparkContext
    store, none = context._jsc.sc().statusStore(), context._jvm.java.util.ArrayList()
    numbers = context._gateway.new_array(context._jvm.double, 0)

    def stages() -> list[Any]:
        found = store.stageList(none, False, False, numbers, none)
        return [found.apply(place) for place in range(found.size())]

    before = {stage.stageId() for stage in stages()}
    work()
    rows = []
    for stage in stages():
        if stage.stageId() not in before and stage.shuffleReadRecords():
            tasks = store.taskList(stage.stageId(), stage.attemptId(), 10_000)
            metrics = [tasks.apply(place).taskMetrics() for place in range(tasks.size())]
            rows.append([one.get().shuffleReadMetrics().recordsRead() for one in metrics if one.isDefined()])
    return rows


def worst(stages: list[list[int]]) -> float:
    """Return the most rows of a task, in means of its stage, over the stages that shuffle many rows."""
    return max((max(rows) / np.mean(rows) for rows in stages if sum(rows) >= MANY), default=0.0)


def test_the_made_charts_are_skewed_and_a_shuffle_by_market_shows_it(
    java_spark: "SparkEngines", charts: Charts
) -> None:
    engine: Any = charts._engine
    rows = engine._session.table("observations")
    assert rows.where("market = 'US'").count() * 2 == rows.count()
    by_market = rows.repartition(PARTITIONS, "market").selectExpr("hash(track)")
    stages = shuffled(java_spark, lambda: by_market.write.format("noop").mode("overwrite").save())
    assert worst(stages) >= PARTITIONS / 2


RELATIONS: dict[str, Callable[[Charts], object]] = {
    "coverage": lambda charts: charts.calendar(),
    "entries": lambda charts: charts.entries(),
    "absences": lambda charts: charts.absences(),
    "spells and trajectories": lambda charts: charts.arrow("trajectories", top=None, washout=WASHOUT),
    "chart_sums": lambda charts: charts.arrow("chart_sums"),
}


@pytest.mark.parametrize("name", RELATIONS)
def test_no_task_of_a_relation_reads_most_of_the_rows(name: str, java_spark: "SparkEngines", charts: Charts) -> None:
    stages = shuffled(java_spark, lambda: RELATIONS[name](charts))
    assert stages
    assert worst(stages) <= MOST, [rows for rows in stages if sum(rows) >= MANY]


def size_of(part: Entries) -> "Tables":
    """Return the number of entries of a part, and of pairs of entries of one track."""
    tracks = Counter(part.table["track_id"].to_pylist())
    return {"size": pa.table({"entries": [len(part)], "pairs": [sum(number**2 for number in tracks.values())]})}


def test_parts_of_tracks_are_of_about_one_size(entries: Entries) -> None:
    sizes = pa.concat_tables([tables["size"] for tables in in_parts(entries).results(size_of)])
    assert len(sizes) > 1
    assert sum(sizes["entries"].to_pylist()) == len(entries)
    for name in ("entries", "pairs"):
        number = sizes[name].to_numpy()
        assert number.max() <= 1.25 * number.mean(), (name, number)
