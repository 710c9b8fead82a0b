"""All transitions with exact lag quantiles, against pandas, DuckDB and a loop that fills a networkx graph.

    python tests/benchmarks/bench_graph_pairs.py [TRACKS] [RUNS]

Entries as of 26 million chart rows are made in memory: 200,000 tracks, 70 markets, five years of daily charts. The
peers get integer codes and days and do the bare minimum: pairs with a lag of 1 to 365 days, their number and their
quartiles. Ours does the same, and besides, in full, exposure, censoring and ties. Interleaved runs; medians, ratios,
and the peak memory of a process that makes the entries and does nothing else. The loop is measured on a part of the
tracks and extrapolated.
"""

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from itertools import combinations

import duckdb
import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa

from diffusion.pairs.counts import cluster_transitions, pair_counts
from diffusion.pairs.ranges import Sources, targets
from diffusion.pairs.transitions import QUANTILES, lag_quantiles, transition_table
from diffusion.pairs.variance import clusters_of_several
from diffusion.timelines import Timelines

MARKETS, YEARS, WINDOW, PART = 70, 5, 365, 20
BROAD = 0.055
"""Share of tracks that enter 25 to 69 markets; the others enter one, every tenth of them two."""


def made(tracks: int, seed: int = 0) -> Timelines:
    """Return timelines of so many tracks, with ties, clusters, late markets and a gap."""
    rng = np.random.default_rng(seed)
    broad = rng.random(tracks) < BROAD
    entries = np.where(broad, rng.integers(25, 70, tracks), 1 + (rng.random(tracks) < 0.1))
    rank = np.argsort(rng.random((tracks, MARKETS)), axis=1)
    track, place = np.nonzero(np.arange(MARKETS) < entries[:, None])
    market = rank[track, place]
    debut = 29 + rng.integers(0, 365 * YEARS - 60, tracks)
    lag = np.where(rng.random(len(track)) < 0.15, 0, rng.exponential(70, len(track))).astype(np.int64)
    day = debut[track] + np.where(place == 0, 0, lag)
    first = np.where(np.arange(MARKETS) % 7 == 0, 700, 0)
    seen = (day < 365 * YEARS) & (day >= first[market])
    track, market, day = track[seen], market[seen], day[seen]
    ids = np.char.add("t", np.char.zfill(np.arange(tracks).astype(str), 7))
    codes = [f"M{number:02d}" for number in range(MARKETS)]
    table = pa.table(
        {
            "track_id": ids[track],
            "market": np.array(codes)[market],
            "entry": dates(day),
            "last_without": dates(day - 1),
            "left_censored": day < first[market] + 28,
        }
    )
    artists = pa.table({"track_id": ids, "artist": rng.integers(0, tracks // 4, tracks).astype(str)})
    spans = pa.table(
        {"market": codes, "first_date": dates(first), "last_date": dates(np.full(MARKETS, 365 * YEARS - 1))}
    )
    return Timelines.of(table, artists, spans, markets=codes, washout=28, cadence=1)


def dates(days: np.ndarray) -> pa.Array:
    """Return days since 1970-01-01 as dates."""
    return pa.array(days.astype(np.int32)).cast(pa.date32())


def bare(timelines: Timelines) -> pd.DataFrame:
    """Return the entries as a frame of codes and days."""
    return pd.DataFrame({"track": timelines.track, "market": timelines.market, "day": timelines.day})


def ours(timelines: Timelines) -> int:
    """Transitions with exact quantiles: what `pair_counts` does, without the rest of it."""
    sources = Sources.of(timelines, WINDOW)
    entered = np.stack([sources.by_lag(own.lo, own.hi, own.day) for own in targets(sources, timelines)], axis=1)
    lag_quantiles(entered, QUANTILES)
    return int(entered.sum())


def in_full(timelines: Timelines) -> int:
    """Transitions with exact quantiles, exposure, censoring, ties."""
    counts = pair_counts(timelines, window=WINDOW)
    lag_quantiles(counts.entered, QUANTILES)
    return int(counts.entered.sum())


def with_pandas(frame: pd.DataFrame) -> int:
    """Merge, filter, group."""
    pairs = frame.merge(frame, on="track")
    pairs["lag"] = pairs["day_y"] - pairs["day_x"]
    within = pairs[pairs["lag"].between(1, WINDOW)]
    groups = within.groupby(["market_x", "market_y"])["lag"]
    groups.quantile([0.25, 0.5, 0.75])
    return int(groups.size().sum())


def with_duckdb(connection: duckdb.DuckDBPyConnection) -> int:
    """Self-join of a table in memory, quantiles asked for as one list."""
    rows = connection.execute(
        """
        SELECT a.market, b.market, COUNT(*), quantile_cont(b.day - a.day, [0.25, 0.5, 0.75])
        FROM entries AS a JOIN entries AS b ON a.track = b.track AND b.day > a.day AND b.day <= a.day + $window
        GROUP BY ALL
        """,
        {"window": WINDOW},
    ).fetchall()
    return sum(row[2] for row in rows)


def with_networkx(frame: pd.DataFrame) -> int:
    """Track by track, a list of lags on every edge."""
    graph = nx.DiGraph()
    for _, own in frame.groupby("track"):
        steps = list(zip(own["day"].tolist(), own["market"].tolist(), strict=True))
        for (day, source), (then, target) in combinations(steps, 2):
            if 0 < then - day <= WINDOW:
                if not graph.has_edge(source, target):
                    graph.add_edge(source, target, lags=[])
                graph[source][target]["lags"].append(then - day)
    for _, _, edge in graph.edges(data=True):
        edge["quartiles"] = np.quantile(edge["lags"], [0.25, 0.5, 0.75])
    return sum(len(edge["lags"]) for _, _, edge in graph.edges(data=True))


def in_memory(frame: pd.DataFrame) -> duckdb.DuckDBPyConnection:
    """Return a database with the entries as a table of its own."""
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    connection.register("frame", frame)
    connection.execute("CREATE TABLE entries AS SELECT * FROM frame")
    connection.unregister("frame")
    return connection


def measured(peer: str, tracks: int) -> tuple[int, int]:
    """Return this process's memory in MB before, and at most while, one peer works."""
    timelines = made(tracks)
    frame = bare(timelines)
    connection = in_memory(frame) if peer == "DuckDB" else None
    reset_peak()
    before = memory("VmRSS")
    if connection is not None:
        with_duckdb(connection)
    elif peer == "pandas":
        with_pandas(frame)
    else:
        in_full(timelines)
    return before, memory("VmHWM")


def reset_peak() -> None:
    """Let the kernel forget the most that this process has held."""
    with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
        file.write("5")


def memory(field: str) -> int:
    """Return a figure of this process's memory in MB."""
    with open("/proc/self/status") as file:  # noqa: PTH123
        return next(int(line.split()[1]) for line in file if line.startswith(field)) // 1024


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(tracks: int, runs: int) -> None:
    """Print one line per peer, then what else ours takes."""
    timelines = made(tracks)
    frame = bare(timelines)
    connection = in_memory(frame)
    few = frame[frame["track"] % PART == 0]
    pairs = ours(timelines)
    print(f"{tracks:,} tracks, {len(frame):,} entries, {pairs:,} transitions; {runs} interleaved runs")
    # the target may have been in its washout or not in coverage: the peers do not ask
    print(f"lags of 1 to {WINDOW} days: pandas {with_pandas(frame):,}, DuckDB {with_duckdb(connection):,}")
    works: dict[str, Callable[[], object]] = {
        "ours": lambda: ours(timelines),
        "ours in full": lambda: in_full(timelines),
        "pandas": lambda: with_pandas(frame),
        "DuckDB": lambda: with_duckdb(connection),
        "networkx": lambda: with_networkx(few),
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            times[name].append(timed(work) * (PART if name == "networkx" else 1))
    for name in ("ours", "ours in full"):
        mine = times.pop(name)
        print(f"{name}: {statistics.median(mine):.3f} s (best {min(mine):.3f} s)")
        for peer in ("pandas", "DuckDB", "networkx"):
            ratio = statistics.median(b / a for a, b in zip(mine, times[peer], strict=True))
            print(f"  {peer} / {name} = {ratio:.1f}")
    for peer, seconds in times.items():
        extrapolated = f", extrapolated from 1 in {PART} tracks" if peer == "networkx" else ""
        print(f"{peer}: {statistics.median(seconds):.3f} s{extrapolated}")
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for name in ("ours in full", "pandas", "DuckDB"):
            before, most = pool.apply(measured, (name, tracks))
            print(f"peak memory {name}: {most} MB, {most - before} MB more than the entries take")
    counts = pair_counts(timelines, window=60)
    for text, work in (
        ("rates with intervals, window 60", lambda: transition_table(counts, clusters_of_several(timelines, counts))),
        ("transitions by cluster, window 60", lambda: cluster_transitions(timelines, window=60)),
    ):
        print(f"{text}: {timed(work):.2f} s")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:] or ("200000", "5")))
