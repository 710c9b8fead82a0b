"""Cox models: ours, lifelines and R's solver on rows; ours from first entries and lifelines on the rows of all waits.

    python tests/benchmarks/bench_cox.py [ROWS] [TRACKS] [RUNS]

Default: 1,000,000 rows with 10 continuous covariates, and 200,000 tracks in 70 markets, about 13.4 million waits.
Medians of interleaved runs; lifelines fits all waits once. Every fit of all waits has a process of its own, whose peak
memory is shown. R is left out where there is no Rscript with survival.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))

from lifelines import CoxPHFitter

from survival import cox, cox_rows, waits
from survival.regression.newton import maximum
from survival.regression.penalty import ElasticNet
from survival.regression.risk_sums import scale_of
from survival.regression.row_sums import Rows, RowSums
from tests.benchmarks.bench_summed_hazard import world

COVARIATES, DAYS = 10, 180
SAME = 1e-6

FORMULA = "near + log(footprint) + C(region)"
VARIABLES = ("near", "footprint", "region")
REGIONS = 6

SCRIPT = """
suppressMessages(library(survival))
n <- %d; p <- %d
file <- file("rows.bin", "rb")
days <- readBin(file, "double", n); entered <- readBin(file, "double", n)
x <- matrix(readBin(file, "double", n * p), n, p)
colnames(x) <- paste0("x", 1:p)
y <- Surv(days, entered)
spent <- system.time(fit <- coxph.fit(x, y, NULL, NULL, NULL, coxph.control(), NULL, "efron", NULL, resid = FALSE))
cat(spent[["elapsed"]], sprintf("%%.12g", fit$coefficients))
"""


def drawn(rows: int) -> pd.DataFrame:
    """Return rows with continuous covariates, whole days, and clusters of unequal size."""
    generator = np.random.default_rng(1)
    x = generator.normal(size=(rows, COVARIATES))
    due = generator.exponential(1 / (0.002 * np.exp(x @ np.linspace(-0.3, 0.3, COVARIATES))))
    frame = pd.DataFrame(x, columns=[f"x{at}" for at in range(COVARIATES)])
    frame["days"], frame["entered"] = np.minimum(np.ceil(due), DAYS), due < DAYS
    return frame.assign(artist=(generator.pareto(1, rows) * 100).astype(int).clip(0, rows // 5))


def solved(matrix: NDArray[np.float64], days: NDArray[np.float64], entered: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the coefficients from a matrix, as R's solver has it."""
    rows, scale = len(days), scale_of(matrix, np.ones(len(days)))
    sums = RowSums.of(Rows(None, days, entered, np.ones(rows), np.zeros(rows, np.int64), None), matrix, scale)
    found = maximum(sums, "efron", ElasticNet(0.0, 0.0), [f"x{at}" for at in range(COVARIATES)])
    return found.point.coefficients / scale.deviation


def by_r(folder: Path, rows: int) -> tuple[float, NDArray[np.float64]] | None:
    """Return the seconds of R's solver and its coefficients, None where R has no survival."""
    if shutil.which("Rscript") is None:
        return None
    (folder / "solve.R").write_text(SCRIPT % (rows, COVARIATES))
    done = subprocess.run(["Rscript", "solve.R"], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        return None
    seconds, *coefficients = map(float, done.stdout.split())
    return seconds, np.array(coefficients)


def timed(work: Callable[[], object]) -> float:
    """Return how long the work takes, in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def on_rows(rows: int, runs: int) -> None:
    """Print one line per way to fit rows."""
    frame = drawn(rows)
    formula = " + ".join(frame.columns[:COVARIATES])
    names = {"days": "days", "entered": "entered"}
    matrix = np.ascontiguousarray(frame.iloc[:, :COVARIATES].to_numpy(np.float64))
    days, entered = frame["days"].to_numpy(), frame["entered"].to_numpy()
    theirs = CoxPHFitter()
    seconds: dict[str, list[float]] = {name: [] for name in ("ours", "clustered", "lifelines", "solver", "R")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "rows.bin").open("wb") as file:
            for part in (days, entered.astype(np.float64), np.asfortranarray(matrix).T):
                file.write(np.ascontiguousarray(part).tobytes())
        for _ in range(runs):
            seconds["ours"].append(timed(lambda: cox_rows(frame, formula, **names)))
            seconds["clustered"].append(timed(lambda: cox_rows(frame, formula, cluster="artist", **names)))
            seconds["lifelines"].append(timed(lambda: theirs.fit(frame.drop(columns="artist"), "days", "entered")))
            seconds["solver"].append(timed(lambda: solved(matrix, days, entered)))
            if (found := by_r(folder, rows)) is not None:
                seconds["R"].append(found[0])
                np.testing.assert_allclose(solved(matrix, days, entered), found[1], rtol=SAME)
    np.testing.assert_allclose(cox_rows(frame, formula, **names).params_, theirs.params_, rtol=SAME, atol=SAME)
    median = {name: statistics.median(parts) for name, parts in seconds.items() if parts}
    print(f"{rows:,} rows, {COVARIATES} continuous covariates, {runs} runs; coefficients agree to {SAME:g}")
    for name, against, way in (
        ("ours", "ours", "ours"),
        ("clustered", "ours", "ours, errors by cluster"),
        ("lifelines", "ours", "lifelines"),
        ("solver", "solver", "ours, solver alone"),
        ("R", "solver", "R coxph.fit alone"),
    ):
        if name in median:
            print(f"{way:28s} {median[name]:8.2f} s  {median[name] / median[against]:6.1f}x")
        else:
            print(f"{way:28s} left out: there is no Rscript with survival")


def forked(work: Callable[[], float]) -> tuple[float, float]:
    """Return what work says (seconds), done in a process of its own, and what that added to the peak memory, in GB."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        said = work()
        added = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        os.write(write, f"{said} {added / 1e6}".encode())
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit("a fit failed; see above")
    seconds, added = map(float, os.read(read, 100).split())
    os.close(read)
    os.close(write)
    return seconds, added


def on_waits(tracks: int, runs: int) -> None:
    """Print one line per way to fit the waits of tracks for markets."""
    entries = world(tracks)
    entries.timelines  # noqa: B018, read once, as for every other step
    codes = sorted(entries.calendar.markets)
    markets = pd.DataFrame({"market": codes, "region": np.arange(len(codes)) % REGIONS})
    pairs = pd.DataFrame({"source": np.repeat(codes, len(codes)), "target": np.tile(codes, len(codes))})
    pairs["near"] = (np.arange(len(pairs)) % 5 == 0).astype(float)
    source = waits(entries, markets=markets, pairs=pairs, combine={"near": "largest"})

    def ours(cluster: str) -> float:
        return timed(lambda: cox(source, FORMULA, cluster=cluster))  # type: ignore[arg-type]

    def lifelines_fit() -> float:
        rows = source.rows(VARIABLES)
        rows = rows.loc[rows["start"] == 0, ["days", "entered", *VARIABLES]]
        columns = {"near": rows["near"], "footprint": np.log(rows["footprint"])}
        columns |= {f"region {at}": (rows["region"] == at).astype(float) for at in range(1, REGIONS)}
        table = pd.DataFrame(columns).assign(days=rows["days"], entered=rows["entered"])
        del rows, columns
        return timed(lambda: CoxPHFitter().fit(table, "days", "entered"))

    seconds: dict[str, list[tuple[float, float]]] = {"independent": [], "artist": []}
    for _ in range(runs):
        for cluster, found in seconds.items():
            found.append(forked(lambda cluster=cluster: ours(cluster)))
    peer, room = forked(lifelines_fit)
    counted = source.counted(VARIABLES)
    print(f"{counted.opened.sum():,} waits, {counted.events.count.sum():,} entries, {len(counted.values):,} cells")
    for cluster, name in (("independent", "model-based errors"), ("artist", "errors by artist")):
        median, most = (statistics.median(part) for part in zip(*seconds[cluster], strict=True))
        print(f"ours, {name:20s} {median:8.2f} s  {most:5.2f} GB")
    for cluster, name in (("independent", "model-based errors"), ("artist", "errors by artist")):
        median, most = (statistics.median(part) for part in zip(*seconds[cluster], strict=True))
        print(f"lifelines / ours, {name:20s} {peer / median:6.1f}x time  {room / most:5.1f}x memory")
    print(f"lifelines                 {peer:8.2f} s  {room:5.2f} GB")


def main(rows: int, tracks: int, runs: int) -> None:
    """Print all lines."""
    on_rows(rows, runs)
    on_waits(tracks, runs)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [1_000_000, 200_000, 5][len(given) :]))
