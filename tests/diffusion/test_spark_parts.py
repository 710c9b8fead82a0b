"""Parts of the tracks on Spark's executors: one to a task, made once, and with the sums of this process."""

from dataclasses import replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from diffusion import DataSaysNoError, Entries, open_charts, open_sample
from diffusion.engine import Tables
from diffusion.entry_pairs import artist_transitions
from diffusion.pairs.counts import cluster_transitions
from diffusion.parts import as_tables, in_parts, summed
from graphs import market_graph

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

SAMPLE = Path(str(resources.files("diffusion").joinpath("data", "top50_daily_2021.parquet")))

ADDED = 1e-9
"""Relative: the limit of what may depend on the engine."""


@pytest.fixture(scope="module")
def sample() -> Entries:
    """Entries of the packaged charts."""
    with open_sample() as charts:
        return charts.entries()


def same(found: pa.Table, expected: pa.Table) -> None:
    """Check that two tables have the same rows: floats within `ADDED`, all else exactly."""
    assert found.schema.equals(expected.schema)
    for name in expected.column_names:
        if pa.types.is_floating(expected[name].type):
            assert found[name].is_null().equals(expected[name].is_null())
            values = (pc.fill_null(table[name], 0).to_numpy() for table in (found, expected))
            np.testing.assert_allclose(*values, rtol=ADDED, atol=0)
        else:
            assert found[name].equals(expected[name])


def large(part: Entries) -> Tables:
    """Return a table of a part that does not fit into one row."""
    noise = np.random.default_rng(len(part)).integers(0, 2**62, 5_000_000)
    return {"noise": pa.table({"value": noise})}


def noise_of(tables: Tables) -> Tables:
    """Return sum and length of the table of `large`."""
    values = tables["noise"]["value"].to_numpy()
    return as_tables({"rows": np.array(len(values)), "odd": np.array((values % 2).sum())})


def refused(part: Entries) -> Tables:
    """Raise an error of ours that names the part's entries."""
    raise DataSaysNoError(f"{len(part)} entries are too few")


def broken(part: Entries) -> Tables:
    """Raise an error that is a bug."""
    raise RuntimeError(f"a bug at {len(part)} entries")


def said(part: Entries, path: str) -> Tables:
    """Return the number of entries of a part, and add it to a file each time."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{len(part)}\n")
    return as_tables({"entries": np.array(len(part))})


def counted(part: Entries) -> Tables:
    """Return the number of entries of a part."""
    return as_tables({"entries": np.array(len(part))})


def as_they_are(tables: Tables) -> Tables:
    """Return the tables of a part."""
    return tables


def test_pairs_on_spark_are_those_of_this_process(spark: "SparkEngines", sample: Entries) -> None:
    there = replace(sample, workers=spark.workers)
    assert spark.workers.number(len(sample)) == 2
    same(there.arrow("transitions", window=60), sample.arrow("transitions", window=60))
    moves, expected = artist_transitions(there, window=60), cluster_transitions(sample.timelines, window=60)
    assert (moves != expected).nnz == 0 and expected.nnz > 8000


@pytest.mark.slow
def test_what_is_kept_is_made_once_and_one_task_has_one_part(
    spark: "SparkEngines", sample: Entries, tmp_path: Path
) -> None:
    log = tmp_path / "made"
    parts = in_parts(replace(sample, workers=spark.workers))
    with parts.kept(partial(said, path=str(log))) as kept:
        totals = [summed(kept.results(as_they_are))["entries"] for _ in range(2)]
    assert totals == [len(sample)] * 2
    assert sum(map(int, log.read_text().split())) == len(sample)
    assert len(log.read_text().split()) == 2
    with parts.kept(large) as kept:
        found = summed(kept.results(noise_of))
    assert found["rows"] == 10_000_000 and 4_900_000 < found["odd"] < 5_100_000


@pytest.mark.slow
def test_parts_that_nothing_refers_to_are_freed(java_spark: "SparkEngines", sample: Entries) -> None:
    parts = in_parts(replace(sample, workers=java_spark.workers))
    made = parts.kept(counted)
    assert java_spark.session.sparkContext._jsc.getPersistentRDDs().size() == 2
    del parts, made
    assert java_spark.session.sparkContext._jsc.getPersistentRDDs().size() == 0


@pytest.mark.slow
def test_errors_in_parts_on_spark(spark: "SparkEngines", sample: Entries) -> None:
    parts = in_parts(replace(sample, workers=spark.workers))
    for called in (parts.results, parts.kept):
        with pytest.raises(DataSaysNoError, match=r"^\d+ entries are too few$"):
            called(refused)
    with pytest.raises(Exception, match="a bug at"):
        parts.results(broken)


@pytest.mark.slow
def test_the_graph_of_weekly_charts_on_spark(spark: "SparkEngines", real_data: Path) -> None:
    with open_charts(real_data / "viral50-weekly-2017-2020") as charts:
        entries = charts.entries()
    whole, found = market_graph(entries), market_graph(replace(entries, workers=spark.workers))
    same(pa.Table.from_pandas(found.edges), pa.Table.from_pandas(whole.edges))
    same(pa.Table.from_pandas(found.periods()), pa.Table.from_pandas(whole.periods()))
