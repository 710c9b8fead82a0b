"""Time, memory, spill and shuffles as charts grow, on DuckDB and on Spark with one and two executors.

    python tests/benchmarks/bench_scale.py [--place DIR] [--out DIR] [--sizes 1,2,4,8] [--runs 3] [--engines …]
    python tests/benchmarks/bench_scale.py --out DIR --page    # write the page anew from DIR/scale.csv

Charts like real ones (69 markets, Top 200 and Viral 50 daily) are simulated for 228 days at size 1, 3.3 million rows,
and for more days, with as many new tracks per day, at larger sizes: dates, tracks and entries grow together. Every
engine does all tasks of `scale_process` at every size in a new process; runs are interleaved; medians are kept, also
of runs that were stopped. Written to `out`: `scale.csv`, one row per size, engine and task; and its page, see
`scale_page`. Without pyspark, DuckDB is measured alone.
"""

import argparse
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from scale_page import write_page

from diffusion.simulation import full_scale, simulate

ROOT = Path(__file__).parents[2]
PROCESS = Path(__file__).with_name("scale_process.py")
PLACE = Path("/var/tmp/chart-diffusion-bench/scale")
DAYS = 228
"""Days of charts at size 1."""

ENGINES = ("duckdb-1GB", "duckdb-500MB", "duckdb-250MB", "spark-1", "spark-2")
KEYS = ["size", "rows", "engine", "task"]


def charts_of(size: int, place: Path) -> tuple[Path, int]:
    """Return the folder of charts of a size, simulated if it is not there, and their rows."""
    folder = place / f"{size}x"
    if not (folder / "truth.parquet").is_file():
        simulate(full_scale(DAYS * size), folder, layout="star")
    files = (folder / "charts" / "observations").glob("year=*/*.parquet")
    return folder / "charts", sum(pq.ParquetFile(file).metadata.num_rows for file in files)


def told(engine: str, charts: Path) -> list[dict[str, Any]]:
    """Return what one process says of its tasks."""
    # executors are processes of another folder: they find this package by its path
    around = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(PROCESS), engine, str(charts)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=around)
    if done.returncode:
        raise SystemExit(f"{engine} on {charts} failed: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def medians(found: list[dict[str, Any]]) -> pd.DataFrame:
    """Return one row per size, engine and task, with the number of runs and how many of them failed."""
    frame = pd.DataFrame(found)
    frame["failed"] = frame["failed"].fillna("").ne("").astype(int)
    grouped = frame.groupby(KEYS, sort=False)
    table = grouped.median(numeric_only=True).drop(columns="failed")
    return table.join(grouped.agg(runs=("seconds", "size"), failed=("failed", "sum"))).reset_index()


def measure(sizes: list[int], engines: list[str], runs: int, place: Path, out: Path) -> None:
    """Write the medians to `out`, anew after every process."""
    found: list[dict[str, Any]] = []
    for run in range(runs):
        for size in sizes:
            charts, rows = charts_of(size, place)
            for engine in engines:
                load = os.getloadavg()[0]
                tasks = told(engine, charts)
                seconds = sum(task["seconds"] for task in tasks)
                print(f"run {run + 1}  {size}x  {engine:13} {seconds:7.1f} s  load before {load:.1f}", flush=True)
                found += [{"size": size, "rows": rows, "engine": engine, "load": load, **task} for task in tasks]
                medians(found).round(3).to_csv(out / "scale.csv", index=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--place", type=Path, default=PLACE, help="folder that keeps the simulated charts")
    parser.add_argument("--out", type=Path, default=PLACE, help="folder for the results")
    parser.add_argument("--sizes", default="1,2,4,8", help="multiples of 228 days")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--engines", default=",".join(ENGINES), help="duckdb-LIMIT or spark-EXECUTORS")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page anew")
    given = parser.parse_args()
    chosen = given.engines.split(",")
    if find_spec("pyspark") is None:
        print("pyspark is not installed: DuckDB is measured alone")
        chosen = [engine for engine in chosen if not engine.startswith("spark")]
    given.out.mkdir(parents=True, exist_ok=True)
    if not given.page:
        measure([int(size) for size in given.sizes.split(",")], chosen, given.runs, given.place, given.out)
    print(write_page(given.out))
