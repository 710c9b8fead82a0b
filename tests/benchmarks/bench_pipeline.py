"""From a raw CSV to tables: ours against pandas and polars doing the same, on simulated charts of full size.

    python tests/benchmarks/bench_pipeline.py [PLACE] [RUNS]

PLACE (default /var/tmp/chart-diffusion-bench, some 15 GB) keeps the simulated charts between calls. Every measurement
is a process of its own, its imports left aside; runs are interleaved; medians, ratios and peak memory are printed. The
recipe in chunks is measured on its first chunks and extrapolated, which is said.
"""

import csv
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

CHUNK = 150_000
CHUNKS = 8
SIGNS = ("title", "rank", "date", "artist", "url", "region", "chart", "trend", "streams")


def ours_both(place: Path) -> None:
    """CSV → full as text and slim typed, with accounting, profile, hashes and damaged lines."""
    shutil.rmtree(place / "raw", ignore_errors=True)
    command("ingest", place / "core/charts/charts.csv", "--out", place / "raw")


def ours_typed(place: Path) -> None:
    """CSV → slim typed alone, with the same checks."""
    shutil.rmtree(place / "slim", ignore_errors=True)
    command("ingest", place / "core/charts/charts.csv", "--slim-only", "--out", place / "slim")


def ours_clean(place: Path) -> None:
    """RAW → star."""
    shutil.rmtree(place / "star", ignore_errors=True)
    command("clean", place / "raw", "--out", place / "star")


def ours_clean_small(place: Path) -> None:
    """RAW → star in 512 MB of engine memory."""
    shutil.rmtree(place / "small", ignore_errors=True)
    command("clean", place / "raw", "--out", place / "small", "--memory-limit", "512MB")


def ours_clean_v1(place: Path) -> None:
    """A bare folder of Parquet text → star."""
    shutil.rmtree(place / "star_of_v1", ignore_errors=True)
    command("clean", place / "v1", "--out", place / "star_of_v1")


def ours_append(place: Path) -> None:
    """One day more into RAW."""
    command("ingest", place / "day.csv", "--append", "--out", place / "raw")


def ours_entries(place: Path) -> None:
    """First entries by track and market of one chart, from the star."""
    from diffusion.engine import open_engine

    with open_engine() as engine:
        engine.open_table("observations", sorted((place / "star/observations").rglob("*.parquet")))
        engine.open_table("tracks", [place / "star/tracks.parquet"])
        tracks = engine.kept("tracks")["track"]
        import pyarrow as pa

        engine.keep("identities", pa.table({"track": tracks, "identity": tracks}))
        engine.create("first_appearances", into="firsts", chart="top200", top=200)


def ours_entries_v1(place: Path) -> None:
    """Entries with coverage, gaps and censoring, from Parquet text, every row validated."""
    import diffusion

    with diffusion.open_charts(place / "v1") as charts:
        charts.entries(chart="top200")


def polars_both(place: Path) -> None:
    """CSV → full as text and slim typed in one streaming pass: nothing checked, nothing counted."""
    import polars as pl

    rows = pl.scan_csv(place / "core/charts/charts.csv", schema=dict.fromkeys(SIGNS, pl.String))
    full = rows.with_columns(
        pl.col("date").alias("observation_date"),
        pl.col("date").str.slice(0, 7).alias("year_month"),
        pl.col("region").alias("source_country_norm"),
        pl.col("date").str.slice(0, 4).alias("year"),
    )
    out = fresh(place / "polars")
    sinks = [by_year(table, out / name) for name, table in (("full", full), ("slim", slim(rows)))]
    pl.collect_all(sinks, engine="streaming")


def polars_typed(place: Path) -> None:
    """CSV → slim typed alone in one streaming pass."""
    import polars as pl

    rows = pl.scan_csv(place / "core/charts/charts.csv", schema=dict.fromkeys(SIGNS, pl.String))
    by_year(slim(rows), fresh(place / "typed")).collect(engine="streaming")


def slim(rows):  # type: ignore[no-untyped-def]
    """Return the analysis columns, typed."""
    import polars as pl

    return rows.select(
        pl.col("date").str.to_date("%Y-%m-%d", strict=False).alias("observation_date"),
        pl.col("date").str.slice(0, 7).alias("year_month"),
        pl.col("url").str.slice(31).alias("track_id"),
        "title",
        "artist",
        "region",
        "chart",
        pl.col("rank").cast(pl.Int32, strict=False),
        pl.col("streams").cast(pl.Float64, strict=False).cast(pl.Int64),
        pl.col("region").alias("source_country_norm"),
        pl.col("date").str.slice(0, 4).alias("year"),
    )


def by_year(rows, out: Path):  # type: ignore[no-untyped-def]
    """Return the writing of rows, by year."""
    import polars as pl

    target = pl.PartitionBy(out, key="year", include_key=False)
    return rows.sink_parquet(target, mkdir=True, compression="zstd", compression_level=1, lazy=True)


def pandas_chunks(place: Path) -> None:
    """The recipe in chunks of text, the first ones: two Parquet files per year, null counts, distinct values."""
    import pandas as pd

    out = fresh(place / "pandas")
    database = sqlite3.connect(out / "distinct.db")
    names = {"track_id": "url", "artist": "artist", "region": "region", "chart": "chart"}
    for name in names:
        database.execute(f"CREATE TABLE {name} (value TEXT PRIMARY KEY)")
    chunks = pd.read_csv(place / "core/charts/charts.csv", dtype=str, chunksize=CHUNK, nrows=CHUNK * CHUNKS)
    for number, chunk in enumerate(chunks):
        chunk.columns = [re.sub(r"[^0-9a-zA-Z]+", "_", name).strip("_").lower() for name in chunk.columns]
        chunk["source_country_norm"] = chunk["region"].str.strip().str.replace(r"\s+", " ", regex=True)
        dates = pd.to_datetime(chunk["date"], format="%Y-%m-%d", errors="coerce")
        chunk["observation_date"] = dates.dt.strftime("%Y-%m-%d")
        chunk["year_month"] = chunk["observation_date"].str.slice(0, 7).fillna("unknown")
        chunk["year"] = chunk["observation_date"].str.slice(0, 4).fillna("unknown")
        for name, column in names.items():
            values = chunk[column].dropna().str.strip()
            pairs = [(value,) for value in values[values != ""].unique()]
            database.executemany(f"INSERT OR IGNORE INTO {name} VALUES (?)", pairs)  # noqa: S608
        for column in chunk.columns:
            (chunk[column].isna() | (chunk[column].str.strip() == "")).sum()
        for year, rows in chunk.groupby("year"):
            for table, part in (("full", rows), ("slim", rows.drop(columns=["trend", "url"]))):
                folder = out / table / f"year={year}"
                folder.mkdir(parents=True, exist_ok=True)
                part.to_parquet(folder / f"part-{number:05d}.parquet", compression="zstd", index=False)
        database.commit()


def pandas_entries(place: Path) -> None:
    """First entries with pandas, from the star."""
    import pandas as pd

    rows = pd.read_parquet(place / "star/observations", columns=["track", "market", "chart", "date"])
    rows.groupby(["track", "market", "chart"], observed=True)["date"].min()


def polars_entries(place: Path) -> None:
    """First entries with polars, from the star."""
    import polars as pl

    rows = pl.scan_parquet(place / "star/observations/**/*.parquet")
    rows.group_by("track", "market", "chart").agg(pl.col("date").min()).collect(engine="streaming")


def polars_entries_v1(place: Path) -> None:
    """First entries with polars, from Parquet text, nothing validated."""
    import polars as pl

    rows = pl.scan_parquet(place / "v1/**/*.parquet", hive_partitioning=False)
    rows.group_by("url", "region", "chart").agg(pl.col("date").min()).collect(engine="streaming")


TASKS: tuple[Callable[[Path], None], ...] = (
    ours_both,
    polars_both,
    ours_typed,
    polars_typed,
    pandas_chunks,
    ours_clean,
    ours_clean_small,
    ours_clean_v1,
    ours_entries,
    pandas_entries,
    polars_entries,
    ours_entries_v1,
    polars_entries_v1,
    ours_append,
)


def command(*words: object) -> None:
    """Run a command of ours in this process."""
    from pipelines.commands.main import cli

    cli.main([str(word) for word in words], standalone_mode=False)


def fresh(folder: Path) -> Path:
    """Return an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def prepare(place: Path) -> int:
    """Simulate the charts, the same as bare Parquet text and one day of them, and return the rows."""
    import polars as pl

    source = place / "core/charts/charts.csv"
    if not source.is_file():
        command("simulate", "--scale", "full", "--layout", "core", "--out", place / "core")
    if not (place / "v1").is_dir():
        ours_both(place)
        (place / "raw/full").rename(place / "v1")
    rows = pl.scan_csv(source, schema=dict.fromkeys(SIGNS, pl.String))
    if not (place / "day.csv").is_file():
        last = rows.select(pl.col("date").max()).collect(engine="streaming").item()
        day = rows.filter(pl.col("date") == last).collect(engine="streaming")
        day.with_columns(pl.lit("2022-01-01").alias("date")).write_csv(place / "day.csv")
    return int(rows.select(pl.len()).collect(engine="streaming").item())


def measured(task: Callable[[Path], None], place: Path) -> tuple[float, float]:
    """Return seconds and peak memory in MB of a process that does one task."""
    words = [sys.executable, __file__, "--task", task.__name__, str(place)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{task.__name__} failed: {done.stderr[-2000:]}")
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


def do(name: str, place: Path) -> None:
    """Do one task and print its seconds and peak memory."""
    import pipelines.commands.data  # noqa: F401 -- imports are not measured

    os.environ.setdefault("TMPDIR", str(place))
    begin = time.perf_counter()
    globals()[name](place)
    seconds = time.perf_counter() - begin
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    print(json.dumps([seconds, peak / 1024]))


def same_star(place: Path) -> bool:
    """Return whether the small star and the star of Parquet text account for the rows as the star does."""
    accounts = []
    for name in ("star", "small", "star_of_v1"):
        with (place / name / "row_accounting.csv").open(encoding="utf-8", newline="") as file:
            accounts.append(list(csv.reader(file)))
    return accounts.count(accounts[0]) == len(accounts)


def main(place: Path, runs: int) -> None:
    """Print one line per task, then the ratios."""
    place.mkdir(parents=True, exist_ok=True)
    rows = prepare(place)
    took: dict[str, list[tuple[float, float]]] = {task.__name__: [] for task in TASKS}
    for _ in range(runs):
        for task in TASKS:
            took[task.__name__].append(measured(task, place))
    print(f"{rows:,} rows, {runs} interleaved runs: median seconds, all seconds, peak MB")
    for name, all_of_it in took.items():
        seconds = [one[0] for one in all_of_it]
        spread = " ".join(f"{one:.2f}" for one in seconds)
        print(f"  {name:18} {statistics.median(seconds):8.2f}  [{spread}]  {max(one[1] for one in all_of_it):6.0f}")
    middle = {name: statistics.median(one[0] for one in all_of_it) for name, all_of_it in took.items()}
    whole = middle["pandas_chunks"] * rows / (CHUNK * CHUNKS)
    print(f"  pandas_chunks, extrapolated to all rows: {whole:.0f} s")
    print(f"ours, full and slim:   {whole / middle['ours_both']:.1f} × as fast as pandas [extrapolated]")
    print(f"ours, full and slim:   {middle['ours_both'] / middle['polars_both']:.2f} × the time of polars")
    print(f"ours, slim alone:      {middle['ours_typed'] / middle['polars_typed']:.2f} × the time of polars")
    path = middle["ours_both"] + middle["ours_clean"]
    print(f"Parquet text → star:   {middle['ours_clean_v1'] / path:.2f} of CSV → star")
    print(f"entries of the star:   {middle['pandas_entries'] / middle['ours_entries']:.1f} × as fast as pandas")
    print(f"entries of the star:   {middle['polars_entries'] / middle['ours_entries']:.1f} × as fast as polars")
    print(f"entries of text:       {middle['polars_entries_v1'] / middle['ours_entries_v1']:.2f} × as fast as polars")
    print(f"one day appended:      {middle['ours_append'] / middle['ours_both']:.1%} of the whole")
    print(f"same row accounting in every star: {same_star(place)}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--task"]:
        do(sys.argv[2], Path(sys.argv[3]))
    else:
        place = Path(sys.argv[1] if len(sys.argv) > 1 else "/var/tmp/chart-diffusion-bench")
        main(place, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
