"""Every relation gives the same rows, types and order on both engines."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import Phase, given, settings

import diffusion
from diffusion.engine import open_engine
from tests.engines import NAMES, compared, put_tables, reads, values
from tests.odd_charts import OddCharts, odd_charts
from tests.random_charts import RULES, Rules, examples, opened, padding, tied_sources
from tests.twins import Row

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

FROM_TEXT: Final = {"tracks"}
"""Relations over observations that also read what stands in the source, which cleaned charts no longer have."""

OF_RAW: Final = {"part_years", "quarantine"}
"""Relations over text in Parquet; charts in several files are read into the engine."""

SOME: Final = ("market_rows", "coverage", "first_appearances", "entries", "withheld")
"""Relations that are compared wherever Spark is: what entries are made of."""


def few(most: int) -> settings:
    """Return settings for so many examples; as each takes many queries, one that fails is shown as it was drawn."""
    return settings(examples(most), phases=[Phase.explicit, Phase.generate])


def all_compared(charts: diffusion.Charts, spark: Any, names: Sequence[str] = NAMES, **rules: object) -> set[str]:
    """Compare relations over charts that were read from files; return the names of these relations."""
    duckdb = charts._engine
    given = values(charts.chart(), **rules)
    put_tables(duckdb, given)
    duckdb.create("set_aside")
    return compared(duckdb, spark, given, names)


def test_some_relations_over_the_packaged_charts(spark: "SparkEngines") -> None:
    with diffusion.open_sample() as charts, spark() as engine:
        given = values(charts.chart(), min_periods=1)
        put_tables(charts._engine, given)
        assert compared(charts._engine, engine, given, SOME) == set(SOME)


@pytest.mark.slow
def test_every_relation_over_the_packaged_charts(spark: "SparkEngines") -> None:
    with diffusion.open_sample() as charts, spark() as engine:
        assert all_compared(charts, engine) == set(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["top200-weekly-9regions-2016-2019", "viral50-weekly-2017-2020"])
def test_every_relation_over_weekly_charts(folder: str, real_data: Path, spark: "SparkEngines") -> None:
    charts = diffusion.open_charts(real_data / folder, accept=["holes", "set-aside"])
    names = [name for name in NAMES if name not in OF_RAW]
    with charts, spark() as engine:
        assert all_compared(charts, engine, names, min_periods=2) == set(names)


@pytest.mark.slow
@few(8)
@given(rows=tied_sources(), rules=RULES)
def test_every_relation_over_random_sources(rows: list[Row], rules: Rules, spark: "SparkEngines") -> None:
    with opened(rows + padding(rows)) as charts, spark() as engine:
        event = {"top": rules.top or 200, "min_periods": rules.min_periods, "washout": rules.washout}
        assert all_compared(charts, engine, **event) == set(NAMES)


@pytest.mark.slow
@few(16)
@given(charts=odd_charts())
def test_every_relation_over_cleaned_charts_of_odd_text_and_numbers(charts: OddCharts, spark: "SparkEngines") -> None:
    given = values("top200", **charts.rules)
    with open_engine() as duckdb, spark() as engine:
        charts.put(duckdb)
        put_tables(duckdb, given, charts.identity)
        names = compared(duckdb, engine, given)
    assert {name for name in NAMES if "observations" in reads(name)} - FROM_TEXT <= names
