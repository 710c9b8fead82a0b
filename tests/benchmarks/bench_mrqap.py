"""MRQAP by double semi-partialing on 69 markets, 6 predictors: ours, one regression per permutation, and R's sna.

    python tests/benchmarks/bench_mrqap.py [PERMUTATIONS] [RUNS]

Interleaved runs; medians and ratios. The peers are measured on a fraction of the permutations, and extrapolated. sna is
left out where there is no Rscript with it.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffusion.markets import chart_markets
from graphs.distance import Distances, mrqap

MARKETS, TERMS = 69, 6
LOOPED = 40
"""Permutations per term of the plain loop."""

SNA_DRAWS = 5
"""Permutations per term of sna: two counts of draws are timed, so that its start is not charged."""

SCRIPT = """
suppressMessages(library(sna))
y <- as.matrix(read.csv("y.csv", header = FALSE))
x <- lapply(1:%d, function(k) as.matrix(read.csv(sprintf("x%%d.csv", k - 1), header = FALSE)))
seconds <- function(draws) system.time(
  netlm(y, x, nullhyp = "qapspp", test.statistic = "t-value", reps = draws))[["elapsed"]]
cat(seconds(1 + %d) - seconds(1))
"""

Matrix = NDArray[np.float64]


def by_loops(outcome: Matrix, terms: list[Matrix], draws: int, generator: np.random.Generator) -> None:
    """Fit every permutation's regression by numpy's least squares."""
    off = ~np.eye(MARKETS, dtype=bool)
    y = outcome[off]
    x = np.column_stack([np.ones(len(y)), *(term[off] for term in terms)])
    for at in range(x.shape[1]):
        others = np.delete(x, at, axis=1)
        rest = np.zeros((MARKETS, MARKETS))
        rest[off] = x[:, at] - others @ np.linalg.lstsq(others, x[:, at])[0]
        for _ in range(draws):
            order = generator.permutation(MARKETS)
            moved = np.column_stack((rest[np.ix_(order, order)][off], others))
            estimate, residual = np.linalg.lstsq(moved, y)[:2]
            estimate[0] / np.sqrt(residual[0] / (len(y) - x.shape[1]) * np.linalg.inv(moved.T @ moved)[0, 0])


def by_sna(outcome: Matrix, terms: list[Matrix]) -> float | None:
    """Return the seconds that sna needs for `SNA_DRAWS` permutations per term, None where it is not installed."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        for name, matrix in {"y": outcome, **{f"x{k}": term for k, term in enumerate(terms)}}.items():
            np.savetxt(Path(folder) / f"{name}.csv", matrix, delimiter=",")
        script = Path(folder) / "time.R"
        script.write_text(SCRIPT % (TERMS, SNA_DRAWS))
        done = subprocess.run(["Rscript", str(script)], cwd=folder, capture_output=True, text=True)
    return float(done.stdout) if done.returncode == 0 else None


def seconds(work: Callable[[], object]) -> float:
    """Return how long the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(permutations: int, runs: int) -> None:
    """Print one line per way."""
    generator = np.random.default_rng(1)
    outcome, *terms = generator.normal(size=(1 + TERMS, MARKETS, MARKETS))
    distances = Distances(tuple(chart_markets()), {}, {})
    for k, term in enumerate(terms):
        distances = distances.with_pairs(f"x{k}", term)
    ours, loops = list[float](), list[float]()
    for _ in range(runs):
        ours.append(seconds(lambda: mrqap(outcome, distances, permutations=permutations)))
        loops.append(seconds(lambda: by_loops(outcome, terms, LOOPED, generator)) * permutations / LOOPED)
    own, loop, sna = statistics.median(ours), statistics.median(loops), by_sna(outcome, terms)
    print(f"{permutations:,} permutations, {MARKETS} markets, {TERMS} predictors and the intercept, {runs} runs")
    print(f"ours                       {own:8.2f} s")
    print(f"one regression for each    {loop:8.2f} s  {loop / own:6.1f}x  extrapolated from {LOOPED} permutations")
    if sna is not None:
        whole = sna * permutations / SNA_DRAWS
        print(f"sna::netlm                 {whole:8.2f} s  {whole / own:6.1f}x  extrapolated from {SNA_DRAWS}")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [1_000, 5][len(given) :]))
