"""Survival curves and log-rank tests of all waits, against lifelines and, where it is installed, scikit-survival.

    python tests/benchmarks/bench_curves.py [TRACKS] [RUNS]

Entries as of 26 million chart rows are made in memory: 200,000 tracks in 70 markets over five years, 13.8 million waits
of up to 180 days. The peers get the waits as rows, in the types they want; making the rows is not counted. Ours starts
from entries, and once more from waits that are counted already. Interleaved runs; medians and ratios. Robust curves and
tests are by artist; what the peers compute takes waits as independent. Peak memory is of a process that makes the
entries and does nothing else.
"""

import gc
import importlib.util
import multiprocessing
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test, multivariate_logrank_test

sys.path.insert(0, str(Path(__file__).parents[2]))

from diffusion import Calendar, Entries
from diffusion.contracts import COVERAGE
from survival import Cluster, breakthrough, log_rank, waits
from survival.counting.counted import CountedWaits

MARKETS, DAYS, HORIZON = 70, 1826, 180
BROAD = 0.055
"""Share of tracks that enter 25 to 69 markets; the others enter one, every tenth of them two."""

CODES = [f"M{number:02d}" for number in range(MARKETS)]


def made(tracks: int, seed: int = 0) -> Entries:
    """Return entries of so many tracks, of artists with four tracks each on average."""
    rng = np.random.default_rng(seed)
    broad = rng.random(tracks) < BROAD
    entered = np.where(broad, rng.integers(25, 70, tracks), 1 + (rng.random(tracks) < 0.1))
    rank = np.argsort(rng.random((tracks, MARKETS)), axis=1)
    track, place = np.nonzero(np.arange(MARKETS) < entered[:, None])
    market = rank[track, place]
    lag = np.where(rng.random(len(track)) < 0.15, 0, rng.exponential(70, len(track))).astype(np.int64)
    day = (29 + rng.integers(0, DAYS - 60, tracks))[track] + np.where(place == 0, 0, lag)
    track, market, day = (part[day < DAYS] for part in (track, market, day))
    first = np.datetime64("2017-01-01", "D")
    ids = np.char.add("t", np.char.zfill(np.arange(tracks).astype(str), 7))
    table = pd.DataFrame(
        {
            "track_id": ids[track],
            "market": np.array(CODES)[market],
            "chart": "top200",
            "entry": first + day,
            "last_without": first + day - 1,
            "rank": 1,
            "streams": None,
            "left_censored": False,
        }
    )
    size = MARKETS * DAYS
    coverage = {
        "market": np.repeat(CODES, DAYS),
        "chart": np.repeat("top200", size),
        "date": np.tile(first + np.arange(DAYS), MARKETS),
    }
    coverage |= {"depth": np.full(size, 200), "previous": coverage["date"] - 1}
    coverage |= {"span": np.ones(size, np.int64), "stale": np.zeros(size, np.bool_)}
    calendar = Calendar(COVERAGE.conform(pa.table(coverage)))
    artists = pd.DataFrame({"track_id": ids, "artist": rng.integers(0, tracks // 4, tracks).astype(str)})
    return Entries.from_frame(table, calendar=calendar, washout=0, tracks=artists)


@dataclass(frozen=True, slots=True)
class Rows:
    """Waits as rows, as the peers want them: last day, whether it ended with the entry, and the market's number."""

    days: np.ndarray
    entered: np.ndarray
    market: np.ndarray

    @classmethod
    def of(cls, entries: Entries) -> "Rows":
        """Return all waits; all are at risk from day 1."""
        table = entries.arrow("waits", horizon=HORIZON)
        market = pc.index_in(table["market"], pa.array(CODES)).to_numpy().astype(np.int64)
        entered = table["entered"].to_numpy(zero_copy_only=False)
        return cls(table["days"].to_numpy().astype(np.float64), entered, market)


@dataclass(frozen=True, slots=True)
class Held:
    """Waits that are counted already."""

    waits: CountedWaits

    def counted(self, variables: tuple[str, ...], *, cluster: Cluster = "artist") -> CountedWaits:
        """Return them."""
        return self.waits


HALVES = pd.DataFrame({"market": CODES, "half": np.arange(MARKETS) % 2})
"""Two groups of markets."""


def works_of(entries: Entries, rows: Rows) -> dict[str, dict[str, Callable[[], object]]]:
    """Return what is timed, by task: ours first, then the peers."""
    source = waits(entries, horizon=HORIZON)
    held = {
        name: Held(source.counted(names, cluster="independent"))
        for name, names in {"all": (), "market": ("market",)}.items()
    }
    half = rows.market % 2
    works: dict[str, dict[str, Callable[[], object]]] = {
        "Kaplan-Meier": {
            "ours, from entries": lambda: breakthrough(entries, cluster="independent"),
            "ours, from counts": lambda: breakthrough(held["all"], cluster="independent"),
            "ours, by artist, from entries": lambda: breakthrough(entries),
            "lifelines": lambda: KaplanMeierFitter().fit(rows.days, rows.entered),
        },
        "log-rank, 2 groups": {
            "ours, from entries": lambda: log_rank(entries, HALVES, cluster="independent"),
            "ours, by artist, from entries": lambda: log_rank(entries, HALVES),
            "lifelines": lambda: logrank_test(
                rows.days[half == 0], rows.days[half == 1], rows.entered[half == 0], rows.entered[half == 1]
            ),
        },
        "log-rank, 70 groups, and all 2,415 pairs": {
            "ours, from entries": lambda: log_rank(entries, "market", cluster="independent"),
            "ours, from counts": lambda: log_rank(held["market"], "market", cluster="independent"),
            "ours, by artist, from entries": lambda: log_rank(entries, "market"),
            "lifelines, without pairs": lambda: multivariate_logrank_test(rows.days, rows.market, rows.entered),
        },
        "4,830 curves by origin and market, with bands": {
            "ours, by artist, from entries": lambda: breakthrough(entries, by=("origin", "market")),
        },
    }
    if importlib.util.find_spec("sksurv"):
        from sksurv.nonparametric import kaplan_meier_estimator

        works["Kaplan-Meier"]["scikit-survival"] = lambda: kaplan_meier_estimator(rows.entered, rows.days)
    return works


def reset_peak() -> None:
    """Let the kernel forget the most that this process has held."""
    Path("/proc/self/clear_refs").write_text("5")


def memory(field: str) -> int:
    """Return a figure of this process's memory in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) // 1024


def measured(task: str, tracks: int) -> tuple[int, int]:
    """Return this process's memory in MB before, and at most while, one task works."""
    entries = made(tracks)
    entries.timelines  # noqa: B018 (made once, and kept)
    rows = Rows.of(entries) if task.startswith("lifelines") else None
    gc.collect()
    reset_peak()
    before = memory("VmRSS")
    if rows is not None:
        KaplanMeierFitter().fit(rows.days, rows.entered)
    else:
        breakthrough(entries, by="none" if task.startswith("Kaplan") else ("origin", "market"))
    return before, memory("VmHWM")


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main(tracks: int, runs: int) -> None:
    """Print one line per task and way, with the ratio to each of ours."""
    entries = made(tracks)
    entries.timelines  # noqa: B018 (made once, and kept)
    rows = Rows.of(entries)
    print(f"{tracks:,} tracks, {len(entries):,} entries, {len(rows.days):,} waits; {runs} interleaved runs")
    works = works_of(entries, rows)
    if "scikit-survival" not in works["Kaplan-Meier"]:
        print("scikit-survival is not installed")
    for task, ways in works.items():
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(runs):
            for way, work in ways.items():
                times[way].append(timed(work))
        print(task)
        for way, seconds in times.items():
            print(f"  {way}: {statistics.median(seconds):.3f} s (best {min(seconds):.3f} s)")
        for peer in (way for way in ways if not way.startswith("ours")):
            for way in (way for way in ways if way.startswith("ours")):
                ratio = statistics.median(b / a for a, b in zip(times[way], times[peer], strict=True))
                print(f"    {peer} / {way} = {ratio:.1f}")
        if {"ours, from entries", "ours, by artist, from entries"} <= {*ways}:
            pairs = zip(times["ours, by artist, from entries"], times["ours, from entries"], strict=True)
            print(f"    by artist / independent = {statistics.median(a / b for a, b in pairs):.1f}")
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for task in ("Kaplan-Meier by artist", "4,830 curves by artist", "lifelines, Kaplan-Meier"):
            before, most = pool.apply(measured, (task, tracks))
            print(f"peak memory of {task}: {most:,} MB, {most - before:,} MB more than before")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*(int(argument) for argument in sys.argv[1:] or ("200000", "5")))
