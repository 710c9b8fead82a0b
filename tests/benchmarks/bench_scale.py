"""Time, memory, spill and shuffles as charts grow, on DuckDB and on Spark with one and two executors.

    python tests/benchmarks/bench_scale.py [--place DIR] [--out DIR] [--sizes 1,2,4,8] [--runs 3] [--engines …]

Charts like real ones (69 markets, Top 200 and Viral 50 daily) are simulated for 228 days at size 1, 3.3 million rows,
and for more days, with as many new tracks per day, at larger sizes: dates, tracks and entries grow together. Every
engine does all tasks of `scale_process` at every size in a new process; runs are interleaved; medians are kept.

Written to `out`: `scale.csv`, one row per size, engine and task; `scale.png`, its figure; `scale.md`, its tables. The
growth of a task is the slope of the logarithm of the seconds of processors over that of the rows, which other work on
the machine changes little. Without pyspark, DuckDB is measured alone.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from matplotlib.figure import Figure

from diffusion.simulation import full_scale, simulate

ROOT = Path(__file__).parents[2]
DAYS = 228
"""Days of charts at size 1."""

PLACE = Path("/var/tmp/chart-diffusion-bench/scale")
DEFAULT, ONE, TWO = "duckdb-1GB", "spark-1", "spark-2"
ENGINES = (DEFAULT, "duckdb-500MB", "duckdb-250MB", ONE, TWO)
SUMS = ("pairs", "baseline", "waits")
"""Tasks that are sums over the tracks of entries; the others are relations over rows."""

AIM = 1.05
"""Growth of a relation at most."""


def charts_of(size: int, place: Path) -> tuple[Path, int]:
    """Return the folder of charts of a size, simulated if it is not there, and their rows."""
    folder = place / f"{size}x"
    if not (folder / "truth.parquet").is_file():
        simulate(full_scale(DAYS * size), folder, layout="star")
    files = (folder / "charts" / "observations").glob("year=*/*.parquet")
    return folder / "charts", sum(pq.ParquetFile(file).metadata.num_rows for file in files)


def process(engine: str, charts: Path) -> Iterator[dict[str, object]]:
    """Yield what one process says of its tasks."""
    words = [sys.executable, str(Path(__file__).with_name("scale_process.py")), engine, str(charts)]
    # executors are processes elsewhere: they find the package by its path
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    if done.returncode:
        raise SystemExit(f"{engine} on {charts} failed: {done.stderr[-2000:]}")
    yield from map(json.loads, done.stdout.splitlines())


def measured(sizes: list[int], engines: list[str], runs: int, place: Path) -> pd.DataFrame:
    """Return medians: one row per size, engine and task."""
    found = []
    for run in range(runs):
        for size in sizes:
            charts, rows = charts_of(size, place)
            for engine in engines:
                told = list(process(engine, charts))
                print(f"run {run + 1}  {size}x  {engine:13} {sum(float(str(one['seconds'])) for one in told):7.1f} s")
                found += [{"size": size, "rows": rows, "engine": engine, **one} for one in told]
    frame = pd.DataFrame(found)
    frame["failed"] = frame["failed"].fillna("") != ""
    keys = ["size", "rows", "engine", "task"]
    table = frame.groupby(keys, sort=False).median(numeric_only=False).reset_index()
    table["failed"] = table["failed"] > 0
    return table.assign(runs=runs)


def growth(table: pd.DataFrame, column: str = "processor_seconds") -> pd.DataFrame:
    """Return the growth of every task on every engine: over all sizes (`all`), and of the last doubling (`last`)."""
    found = []
    done = table[~table["failed"] & (table[column] > 0)]
    for (engine, task), rows in done.groupby(["engine", "task"], sort=False):
        if len(rows) > 1:
            x, y = np.log(rows["rows"].to_numpy()), np.log(rows[column].to_numpy())
            last = (y[-1] - y[-2]) / (x[-1] - x[-2])
            found.append({"engine": engine, "task": task, "all": np.polyfit(x, y, 1)[0], "last": last})
    return pd.DataFrame(found)


def totals(table: pd.DataFrame) -> pd.DataFrame:
    """Return the sums over all tasks but the start of the session: one row per size and engine."""
    work = table[table["task"] != "session"]
    keys = ["size", "rows", "engine"]
    columns = {name: (name, "sum") for name in ("seconds", "processor_seconds", "shuffled_mb", "tasks")}
    peaks = {name: (name, "max") for name in ("process_mb", "others_mb", "spilled_mb", "failed")}
    return work.groupby(keys, sort=False).agg(**columns, **peaks).reset_index()


def markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown."""
    head = "| " + " | ".join(map(str, table.columns)) + " |"
    line = "|" + "---|" * len(table.columns)
    rows = ["| " + " | ".join(map(written, row)) + " |" for row in table.itertuples(index=False)]
    return "\n".join([head, line, *rows])


def written(value: object) -> str:
    """Return a cell of a table."""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:,.2f}" if abs(value) < 10 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def by_task(table: pd.DataFrame, engine: str) -> pd.DataFrame:
    """Return seconds of processors of one engine, one column per size, and how they grow."""
    rows = table[(table["engine"] == engine) & (table["task"] != "session")]
    wide = rows.pivot(index="task", columns="size", values="processor_seconds").reindex(rows["task"].unique())
    grown = growth(rows).set_index("task")
    largest = rows[rows["size"] == rows["size"].max()].set_index("task")
    more = ["shuffles", "tasks", "input_mb", "shuffled_mb"] if engine.startswith("spark") else ["spilled_mb"]
    wide = (
        wide.rename(columns=lambda size: f"{size}x, s")
        .join(grown[["all", "last"]])
        .join(largest[["process_mb", *more]])
    )
    return wide.rename(columns={"all": "growth", "last": "growth, last doubling"}).reset_index()


def spills(table: pd.DataFrame) -> pd.DataFrame:
    """Return the most that DuckDB had on disk by size and limit, in MB, and in which task."""
    rows = table[table["engine"].str.startswith("duckdb")].dropna(subset="spilled_mb")
    most = rows.loc[rows.groupby(["size", "engine"], sort=False)["spilled_mb"].idxmax()]
    most = most.assign(
        cell=[f"{mb:,.0f} ({task})" if mb > 1 else "none" for mb, task in zip(most["spilled_mb"], most["task"])]
    )
    wide = most.pivot(index="rows", columns="engine", values="cell")
    return wide[[name for name in ENGINES if name in wide]].reset_index()


def verdicts(table: pd.DataFrame) -> list[str]:
    """Return what the numbers say, a sentence each."""
    all_of_it = totals(table)
    wide = all_of_it.pivot(index="rows", columns="engine", values="seconds")
    found = [f"- Totals in seconds by rows: {wide.round(1).to_dict('index')}"]
    grown = growth(table)
    steep = grown[~grown["task"].isin([*SUMS, "session"]) & (grown["all"] > AIM)]
    found.append(
        f"- Relations that grow faster than {AIM}: {steep[['engine', 'task', 'all']].round(2).values.tolist() or 'none'}"
    )
    if TWO in wide:
        many = wide.index[-1]
        found.append(
            f"- {many:,} rows: DuckDB is {wide.loc[many, TWO] / wide.loc[many, DEFAULT]:.1f} × as fast as Spark with two executors"
        )
        found.append(
            f"- {many:,} rows: two executors are {wide.loc[many, ONE] / wide.loc[many, TWO]:.2f} × as fast as one"
        )
    return found


def drawn(table: pd.DataFrame, path: Path) -> None:
    """Draw seconds, memory and spill of all tasks over rows."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    panels = figure.subplots(1, 3)
    rows = totals(table)
    rows["memory"] = rows["process_mb"] + rows["others_mb"]
    for panel, column, title in zip(
        panels,
        ("seconds", "memory", "spilled_mb"),
        ("seconds, all tasks", "peak memory, MB, all processes", "most on disk, MB"),
        strict=True,
    ):
        for engine, one in rows.groupby("engine", sort=False):
            panel.plot(one["rows"] / 1e6, one[column], marker="o", label=engine)
        panel.set(title=title, xlabel="million rows", xscale="log", ylim=(0, None))
        panel.set_xticks(
            sorted(rows["rows"] / 1e6), [f"{number / 1e6:.1f}" for number in sorted(rows["rows"].unique())] * 1
        )
    panels[0].set_yscale("log")
    panels[0].legend(fontsize=8)
    figure.savefig(path, dpi=110)


def main(place: Path, out: Path, sizes: list[int], runs: int, engines: list[str]) -> None:
    """Measure, write the table, the figure and the text, and print the text."""
    if find_spec("pyspark") is None:
        print("pyspark is not installed: DuckDB is measured alone")
        engines = [name for name in engines if not name.startswith("spark")]
    table = measured(sizes, engines, runs, place)
    out.mkdir(parents=True, exist_ok=True)
    table.round(3).to_csv(out / "scale.csv", index=False)
    told(table, out)


def told(table: pd.DataFrame, out: Path) -> None:
    """Write the figure and the text of a table, and print the text."""
    drawn(table, out / "scale.png")
    parts = [
        f"### {engine}: seconds of processors\n\n{markdown(by_task(table, engine))}"
        for engine in table["engine"].unique()
    ]
    text = "\n\n".join([*parts, "### Spill\n\n" + markdown(spills(table)), "\n".join(verdicts(table))])
    print(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--place", type=Path, default=PLACE, help="folder that keeps the simulated charts")
    parser.add_argument("--out", type=Path, default=PLACE, help="folder for the results")
    parser.add_argument("--sizes", default="1,2,4,8", help="multiples of 228 days")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--engines", default=",".join(ENGINES), help="duckdb-LIMIT or spark-EXECUTORS")
    given = parser.parse_args()
    main(given.place, given.out, [int(size) for size in given.sizes.split(",")], given.runs, given.engines.split(","))
