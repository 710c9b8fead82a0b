"""A driver of Spark with little memory that makes the tables of charts; prints how many rows, and its peak memory.

``python -m tests.spark_driver FOLDER``, where FOLDER has the tables that `long_charts` writes.
"""

import json
import resource
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import diffusion
from diffusion import Charts
from diffusion.contracts import AVAILABILITY, OBSERVATIONS, TRACKS
from diffusion.engine import engines

MARKETS = ("BR", "DE", "FI", "FR", "JP", "NO", "SE", "US")
TRACKS_ON = 100
SETTINGS = {
    "spark.master": "local-cluster[1,2,1024]",
    "spark.driver.memory": "512m",
    "spark.executor.memory": "1g",
    "spark.driver.maxResultSize": "4m",
    "spark.sql.shuffle.partitions": "4",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""The least memory that Spark starts with, for a driver alone: the executor is a process of its own.

What is collected at a time may not have more than four megabytes.
"""

ONE_ROW = pd.DataFrame({"market": ["SE"], "date": ["2001-01-01"], "rank": [1], "track_id": ["t0"]})
"""Charts whose source and account stand for those of the tables."""

MADE: dict[str, Callable[[Charts], object]] = {
    "present": lambda charts: charts.present,
    "wholeness": lambda charts: charts.wholeness,
    "coverage": lambda charts: charts.calendar().coverage,
    "entries": lambda charts: charts.entries(),
    "entries after a stay": lambda charts: charts.entries(min_periods=3),
    "recordings": lambda charts: charts.entries(identity="recording"),
    "absences": lambda charts: charts.absences(),
    "spells": lambda charts: charts.spells(),
    "trajectories": lambda charts: charts.trajectories(),
    "profiles": lambda charts: charts.profiles(4),
    "streams": lambda charts: charts.streams(),
    "nulls": lambda charts: charts.arrow("nulls"),
    "compared": lambda charts: charts.compared(charts.depths_on(every_second_date(charts)), recent=13),
    "found": lambda charts: charts.find("t1"),
}
"""What a study and its users ask of charts, positions alone left out: they are the rows themselves."""


def every_second_date(charts: Charts) -> list[date]:
    """Return half of the dates of charts: the pairs of markets on them take less than the driver may collect."""
    return charts.calendar().coverage["date"].unique().to_pylist()[::2]


def long_charts(folder: Path, dates: int) -> None:
    """Write tables of charts on which the same tracks stay in the same markets: as many entries for any dates."""
    track = np.arange(TRACKS_ON)
    ids = pa.array([f"t{number}" for number in track])
    rows = len(MARKETS) * TRACKS_ON
    first = np.datetime64("2001-01-01") + np.arange(dates)
    with pq.ParquetWriter(folder / "observations.parquet", OBSERVATIONS.schema) as writer:
        for day in first:
            turned = np.roll(track, int(day.astype(int)) % TRACKS_ON)
            columns = {
                "track": np.tile(turned, len(MARKETS)),
                "track_id": ids.take(pa.array(np.tile(turned, len(MARKETS)))),
                "market": np.repeat(MARKETS, TRACKS_ON),
                "date": np.full(rows, day),
                "chart": np.full(rows, "top200"),
                "rank": np.tile(track + 1, len(MARKETS)),
                "streams": np.tile(1000 - track, len(MARKETS)),
                "trend": pa.nulls(rows),
            }
            writer.write_table(_table(columns, OBSERVATIONS.schema))
    never = np.zeros(TRACKS_ON, bool)
    known = {"track": track, "track_id": ids, "title": ids, "artist": ids}
    flags = dict.fromkeys(("zero_duration", "zero_tempo", "release_after_debut"), never)
    pq.write_table(_table(known | flags, TRACKS.schema), folder / "tracks.parquet")


def _table(columns: dict[str, object], schema: pa.Schema) -> pa.Table:
    length = len(columns["track"])  # type: ignore[arg-type]
    return pa.table(
        {field.name: pa.array(columns.get(field.name, pa.nulls(length))).cast(field.type) for field in schema},
        schema=schema,
    )


def main(folder: Path) -> None:
    """Make every table of `MADE`, and print as JSON the rows, the entries and the peak memory of this process."""
    opened = engines("spark", spark=SETTINGS)
    with diffusion.open_charts(ONE_ROW) as one, opened() as engine:
        for name in ("observations", "tracks"):
            engine.open_table(name, [folder / f"{name}.parquet"])
        engine.register("availability", AVAILABILITY.schema.empty_table())
        charts = Charts(engine, one.source, one.account, opened)
        for make in MADE.values():
            make(charts)
        found = {"rows": int(charts.present["chart_rows"].sum()), "entries": len(charts.entries())}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(json.dumps({**found, "peak": peak * 1024}) + "\n")
    opened.session.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
