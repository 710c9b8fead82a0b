"""One process of `bench_scale`: every relation over rows and every sum over tracks once, on one engine.

    python tests/benchmarks/scale_process.py ENGINE CHARTS

ENGINE is ``duckdb-LIMIT``, such as ``duckdb-500MB``, or ``spark-EXECUTORS``, such as ``spark-2``. One JSON object per
task is printed. Seconds of processors, and peaks of memory, are those of this process and of all that it has started,
read from ``/proc``; the peaks begin anew with every task. Where it runs out of memory, `failed` says so.
"""

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import diffusion
import graphs
import survival
from diffusion import Charts, Entries
from diffusion.contracts.star import ANY_RANK
from diffusion.conventions import WASHOUT
from diffusion.engine import engines
from diffusion.engine.temporary import SPILL
from diffusion.errors import OutputError
from diffusion.recordings import identity_codes, identity_table

CHART = "top200"
DRIVER_MB, EXECUTOR_MB = 2048, 1024
TICK = os.sysconf("SC_CLK_TCK")

SPARK = {
    "spark.driver.memory": f"{DRIVER_MB}m",
    "spark.executor.memory": f"{EXECUTOR_MB}m",
    "spark.sql.shuffle.partitions": "8",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.ui.retainedStages": "100000",
    "spark.log.level": "ERROR",
}
"""Settings of the sessions that are measured; `local-cluster` makes every executor a process of its own."""

Task = tuple[str, Callable[[], object]]
Measured = dict[str, Any]


class Gauge(Protocol):
    """What one kind of engine says of a task."""

    def start(self) -> None:
        """Begin a task."""

    def read(self) -> Measured:
        """Return what is known of the task at its end."""


def tasks(charts: Charts) -> Iterator[Task]:
    """Yield what is measured, in order; between tasks, what the next one needs is made."""
    engine = charts._engine
    yield "coverage", lambda: charts.calendar(CHART)
    known = charts.arrow("tracks")
    engine.keep("identities", identity_codes(known, identity_table(known, "track")))
    yield "first_appearances", lambda: stored(charts, "first_appearances", "firsts", chart=CHART, top=ANY_RANK)
    made: list[Entries] = []
    yield "entries", lambda: made.append(charts.entries(chart=CHART))
    yield "withheld", lambda: engine.fetch("withheld")
    yield "absences", lambda: charts.absences(chart=CHART)
    yield "spells, trajectories", lambda: charts.arrow("trajectories", chart=CHART, top=None, washout=WASHOUT)
    yield "chart_sums", lambda: charts.arrow("chart_sums", chart=CHART)
    if made:  # the relations had memory enough
        yield "pairs", lambda: graphs.market_graph(made[0], window=60)
        yield "baseline", lambda: graphs.baseline.baseline(made[0])
        yield "waits", lambda: survival.breakthrough(made[0], by="footprint")


def stored(charts: Charts, relation: str, into: str, **parameters: object) -> None:
    """Store a relation in the engine; Spark does so when its rows are first asked for."""
    engine: Any = charts._engine
    engine.create(relation, into=into, **parameters)
    if charts._engine.workers is not None:
        engine._session.table(into).count()


class Spill:
    """The largest size of DuckDB's spill folder during a task."""

    def __init__(self, charts: Charts) -> None:
        engine: Any = charts._engine
        self._folder: Path = engine._home / SPILL
        self._most = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def start(self) -> None:
        """Begin a task."""
        self._most = 0

    def read(self) -> Measured:
        """Return the megabytes on disk at most."""
        return {"spilled_mb": self._most / 1e6}

    def _watch(self) -> None:
        while True:
            self._most = max(self._most, folder_bytes(self._folder))
            time.sleep(0.05)


class Stages:
    """What Spark's status store says of the stages that a task ran."""

    def __init__(self, charts: Charts) -> None:
        engine: Any = charts._engine
        context = engine._session.sparkContext
        self._store, self._gateway = context._jsc.sc().statusStore(), context._gateway
        self._seen: set[int] = set()

    def start(self) -> None:
        """Begin a task."""
        self._seen = {stage.stageId() for stage in self._stages()}

    def read(self) -> Measured:
        """Return stages, shuffles, tasks, and bytes that were read, shuffled and spilled."""
        done = [one for one in self._stages() if one.stageId() not in self._seen and one.numCompleteTasks()]
        return {
            "stages": len(done),
            "shuffles": sum(stage.shuffleWriteBytes() > 0 for stage in done),
            "tasks": sum(stage.numCompleteTasks() for stage in done),
            "input_mb": sum(stage.inputBytes() for stage in done) / 1e6,
            "shuffled_mb": sum(stage.shuffleWriteBytes() for stage in done) / 1e6,
            "shuffled_rows": sum(stage.shuffleWriteRecords() for stage in done),
            "spilled_mb": sum(stage.diskBytesSpilled() for stage in done) / 1e6,
        }

    def _stages(self) -> list[Any]:
        none, numbers = self._gateway.jvm.java.util.ArrayList(), self._gateway.new_array(self._gateway.jvm.double, 0)
        found = self._store.stageList(none, False, False, numbers, none)
        return [found.apply(place) for place in range(found.size())]


def folder_bytes(folder: Path) -> int:
    """Return the size of the files of a folder, which may come and go meanwhile."""
    total = 0
    for file in folder.glob("*"):
        try:
            total += file.stat().st_blocks * 512
        except FileNotFoundError:
            continue
    return total


def family() -> dict[int, list[str]]:
    """Return this process and all below it: process → fields of its ``/proc/*/stat`` from the parent on."""
    found = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(file.parent.name)] = file.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1:]
        except (FileNotFoundError, ProcessLookupError):
            continue
    own = {os.getpid()}
    while more := {pid for pid, fields in found.items() if int(fields[0]) in own} - own:
        own |= more
    return {pid: found[pid] for pid in own}


def processor_seconds(processes: Mapping[int, list[str]]) -> float:
    """Return the seconds of processors of these processes and of their children that have ended."""
    return sum(int(field) for fields in processes.values() for field in fields[10:14]) / TICK


def peak_mb(process: int) -> float:
    """Return the peak memory of a process since it was last reset; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def measured(work: Callable[[], object], gauge: Gauge) -> Measured:
    """Do a task; return its seconds, processors' seconds, peaks of memory in MB, and what the engine says."""
    before = family()
    for process in before:
        Path(f"/proc/{process}/clear_refs").write_text("5", encoding="utf-8")
    gauge.start()
    failed, begin = "", time.perf_counter()
    try:
        work()
    except OutputError as error:
        failed = str(error)
    seconds, after = time.perf_counter() - begin, family()
    return {
        "seconds": seconds,
        "processor_seconds": processor_seconds(after) - processor_seconds(before),
        "process_mb": peak_mb(os.getpid()),
        "others_mb": sum(peak_mb(process) for process in after if process != os.getpid()),
        **gauge.read(),
        "failed": failed,
    }


@contextmanager
def opened(engine: str, folder: Path) -> Iterator[tuple[Charts, Gauge]]:
    """Open charts on an engine, and what is read of it."""
    kind, size = engine.split("-")
    if kind == "duckdb":
        with diffusion.open_charts(folder, memory_limit=size) as charts:
            yield charts, Spill(charts)
        return
    import pyspark
    from pyspark.sql import SparkSession

    master = f"local-cluster[{size},1,{EXECUTOR_MB}]"
    with diffusion.open_charts(folder, open_engine=engines(kind, spark={"spark.master": master, **SPARK})) as charts:
        session = SparkSession.getActiveSession()
        session.range(1).count()
        yield charts, Stages(charts)
    left = Path(pyspark.__file__).parent / "work" / session.sparkContext.applicationId
    session.stop()
    shutil.rmtree(left, ignore_errors=True)


def main(engine: str, folder: Path) -> None:
    """Print one line per task."""
    begin = time.perf_counter()
    with opened(engine, folder) as (charts, gauge):
        print(json.dumps({"task": "session", "seconds": time.perf_counter() - begin}))
        for name, work in tasks(charts):
            print(json.dumps({"task": name, **measured(work, gauge)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
