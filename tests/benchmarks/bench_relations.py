"""Entries and transitions against pandas, on the packaged charts copied under other track ids.

    python tests/benchmarks/bench_relations.py [COPIES] [RUNS]

Interleaved runs; medians, ratios, and the peak memory of a process that does nothing else.
"""

import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

import diffusion

SAMPLE = Path(diffusion.__file__).parent / "data" / "top50_daily_2021.parquet"


def enlarge(copies: int, folder: Path) -> Path:
    """Write the sample `copies` times, as markets' deeper charts under other ids, and return the file."""
    sample = pd.read_parquet(SAMPLE)
    parts = []
    for copy in range(copies):
        part = sample.assign(
            url=sample["url"] + f"c{copy:03d}", rank=sample["rank"].astype("int32") + 50 * copy, chart="deep"
        )
        parts.append(part)
    path = folder / "charts.parquet"
    pd.concat(parts).to_parquet(path)
    return path


def ours_entries(path: Path) -> int:
    """First entries with coverage, gap intervals and censoring."""
    with diffusion.open_charts(path) as charts:
        return len(charts.entries())


def pandas_entries(path: Path) -> int:
    """First entries alone: the smallest date by track and market."""
    frame = pd.read_parquet(path, columns=["url", "region", "date"])
    return len(frame[frame["region"] != "Global"].groupby(["url", "region"])["date"].min())


def ours_pairs(path: Path) -> int:
    """All transitions with exposure, ties, rates and quantiles, from chart files."""
    with diffusion.open_charts(path) as charts:
        return len(diffusion.transitions(charts.entries(), window=60))


def pandas_pairs(path: Path) -> int:
    """Pairs with their lags and quantiles alone: first entries merged with themselves."""
    frame = pd.read_parquet(path, columns=["url", "region", "date"])
    first = frame[frame["region"] != "Global"].groupby(["url", "region"])["date"].min().reset_index()
    pairs = first.merge(first, on="url")
    days = (pairs["date_y"] - pairs["date_x"]).dt.days
    within = pairs[(days > 0) & (days <= 60)].assign(days=days)
    return len(within.groupby(["region_x", "region_y"])["days"].quantile([0.25, 0.5, 0.75]))


def peak(work: Callable[[Path], int], path: Path) -> int:
    """Return the peak memory in MB of a fresh process that does `work`."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(measured, (work, path))


def measured(work: Callable[[Path], int], path: Path) -> int:
    """Do `work` and return this process's peak memory in MB."""
    work(path)
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


def main(copies: int, runs: int) -> None:
    """Print one line per task."""
    with tempfile.TemporaryDirectory() as folder:
        path = enlarge(copies, Path(folder))
        rows = len(pd.read_parquet(path, columns=["rank"]))
        print(f"{rows:,} chart rows, {runs} interleaved runs")
        for name, ours, theirs in (
            ("entries", ours_entries, pandas_entries),
            ("transitions", ours_pairs, pandas_pairs),
        ):
            times: dict[Callable[[Path], int], list[float]] = {ours: [], theirs: []}
            for work in (ours, theirs) * runs:
                start = time.perf_counter()
                work(path)
                times[work].append(time.perf_counter() - start)
            medians = {work: statistics.median(seconds) for work, seconds in times.items()}
            ratio = statistics.median(b / a for a, b in zip(times[ours], times[theirs], strict=True))
            print(
                f"{name}: pandas / ours = {ratio:.2f} (pandas {medians[theirs]:.2f} s for the bare minimum, ours "
                f"{medians[ours]:.2f} s with validation and coverage); peak {peak(ours, path)} MB, pandas "
                f"{peak(theirs, path)} MB"
            )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:] or ("10", "3")))
