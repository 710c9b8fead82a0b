"""A thousand bootstrap graphs with their scores, against weighted bincount and scipy's sparse matrices.

    python tests/benchmarks/bench_bootstrap.py [TRACKS] [REPLICATES] [RUNS]

Entries as of 26 million chart rows are made in memory: 200,000 tracks, 70 markets; all transitions within a year. Ours
draws the weights, counts every replicate's graph, scores it by net flow, PageRank, HITS and SpringRank, and makes
intervals, ranks, groups and agreement. The peers are given their weights and make no more than counts and scores:
bincount replicate by replicate, scipy's sparse product for many at a time; PageRank and HITS are then igraph's, graph
by graph, SpringRank a dense solution. Interleaved runs; medians, ratios, and the peak memory of a process that makes
the transitions and does nothing else. The bincount peer is measured on some replicates and extrapolated.
"""

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable

import igraph
import numpy as np
from bench_graph_pairs import MARKETS, WINDOW, made, memory, reset_peak
from scipy.sparse import csr_array

from diffusion.pairs.counts import cluster_transitions
from graphs.leaders.bootstrap import bootstrap_leaders, replicate_counts

MEASURES = ("net_flow", "pagerank", "hub", "authority", "springrank")
PART = 10
"""Replicates on which the bincount peer is measured."""

AT_ONCE = 100
"""Replicates that the sparse peer multiplies at a time."""

NAMES = [f"M{number:02d}" for number in range(MARKETS)]


def ours(transitions: csr_array, replicates: int) -> int:
    """Return the rows of the table of leaders."""
    return len(bootstrap_leaders(transitions, NAMES, replicates=replicates, seed=1, measures=MEASURES).table)


def drawn(transitions: csr_array, replicates: int) -> np.ndarray:
    """Return weights of every cluster, (clusters, replicates)."""
    rng = np.random.default_rng(1)
    n = transitions.shape[0]
    weights = np.empty((n, replicates), np.float32)
    for column in range(replicates):
        weights[:, column] = np.bincount(rng.integers(0, n, n), minlength=n)
    return weights


def with_bincount(row: np.ndarray, column: np.ndarray, data: np.ndarray, weights: np.ndarray) -> int:
    """Count and score graph by graph."""
    for own in weights.T:
        counts = np.bincount(column, weights=own[row] * data, minlength=MARKETS**2)
        scored(counts.reshape(MARKETS, MARKETS))
    return weights.shape[1]


def our_counts(transitions: csr_array, replicates: int) -> int:
    """Draw the weights and count, without scores."""
    drawn = replicate_counts([transitions], replicates=replicates, generator=np.random.default_rng(1))
    return sum(len(counts) for (counts,) in drawn)


def with_sparse(transitions: csr_array, weights: np.ndarray, *, scores: bool = True) -> int:
    """Count many graphs at a time, and score each if asked to."""
    across = transitions.astype(np.float32).T
    for begin in range(0, weights.shape[1], AT_ONCE):
        for counts in (across @ np.ascontiguousarray(weights[:, begin : begin + AT_ONCE])).T:
            if scores:
                scored(counts.reshape(MARKETS, MARKETS).astype(float))
    return weights.shape[1]


def scored(counts: np.ndarray) -> None:
    """Score one graph as its libraries do."""
    sent, received = counts.sum(axis=1), counts.sum(axis=0)
    net = sent - received
    source, target = np.nonzero(counts)
    backwards = igraph.Graph(MARKETS, np.column_stack((target, source)), directed=True)
    tracks = counts[source, target].tolist()
    backwards.pagerank(damping=0.85, weights=tracks)
    backwards.authority_score(weights=tracks)
    backwards.hub_score(weights=tracks)
    np.linalg.solve(np.diag(sent + received + 1) - counts - counts.T, net)


def measured(tracks: int, replicates: int) -> int:
    """Return the peak memory in MB that ours takes above the transitions themselves and all they are made from."""
    transitions = cluster_transitions(made(tracks), window=WINDOW)
    reset_peak()
    ours(transitions, replicates)
    return memory("VmHWM")


def timed(work: Callable[[], object]) -> float:
    """Return seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def exact(transitions: csr_array) -> bool:
    """Return whether some replicates have the counts that whole numbers of 64 bits give for the same draws."""
    filled = np.flatnonzero(np.diff(transitions.indptr))
    rng = np.random.default_rng(1)
    n = transitions.shape[0]
    (found,) = replicate_counts([transitions], replicates=5, generator=np.random.default_rng(1))
    for counts in found[0]:
        picked = rng.integers(0, len(filled), rng.binomial(n, len(filled) / n))
        weights = np.bincount(picked, minlength=len(filled))
        if not np.array_equal(counts, transitions[filled].astype(np.int64).T @ weights):
            return False
    return True


def main(tracks: int, replicates: int, runs: int) -> None:
    """Print the ratios."""
    transitions = cluster_transitions(made(tracks), window=WINDOW)
    total = int(transitions.sum())
    print(
        f"{transitions.shape[0]:,} clusters, {total:,} transitions, {replicates:,} replicates, {runs} interleaved runs"
    )
    weights = drawn(transitions, replicates)
    table = transitions.tocoo()
    row, column = table.coords
    works: dict[str, Callable[[], object]] = {
        "ours": lambda: ours(transitions, replicates),
        "sparse": lambda: with_sparse(transitions, weights),
        "our counts alone": lambda: our_counts(transitions, replicates),
        "sparse counts alone": lambda: with_sparse(transitions, weights, scores=False),
        "bincount": lambda: with_bincount(row, column, table.data, weights[:, :PART]),
    }
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            seconds[name].append(timed(work) * (replicates / PART if name == "bincount" else 1))
    medians = {name: statistics.median(own) for name, own in seconds.items()}
    print(f"ours: {medians['ours']:.2f} s (best {min(seconds['ours']):.2f}), counts exact: {exact(transitions)}")
    for peer, own, said in (
        ("sparse", "ours", ""),
        ("bincount", "ours", " [extrapolated]"),
        (
            "sparse counts alone",
            "our counts alone",
            f"; ours {medians['our counts alone']:.2f} s with the weights drawn",
        ),
    ):
        ratio = statistics.median(b / a for a, b in zip(seconds[own], seconds[peer], strict=True))
        print(f"{peer} / {own} = {ratio:.1f} ({medians[peer]:.2f} s{said})")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(f"peak memory of ours: {pool.apply(measured, (tracks, replicates))} MB, the transitions among it")


if __name__ == "__main__":
    main(*(int(given) for given in (sys.argv[1:] + ["200000", "1000", "5"][len(sys.argv) - 1 :])))
