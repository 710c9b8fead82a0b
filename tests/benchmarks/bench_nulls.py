"""Both nulls and the lead shares of all edges, on the packaged charts and on real ones where they are.

    python tests/benchmarks/bench_nulls.py [PERMUTATIONS] [RUNS]

Medians of seconds on one core; peak memory of the process.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import diffusion
from diffusion.timelines import Timelines
from graphs import nulls
from graphs.significance import edge_significance

WEEKLY = Path(__file__).parents[3] / "shared" / "data" / "viral50-weekly-2017-2020"


def charts() -> Iterator[tuple[str, Timelines, int]]:
    """Yield name, timelines and window of what there is to measure on."""
    with diffusion.open_sample() as sample:
        yield "packaged sample, daily", sample.entries().timelines, 60
    if WEEKLY.exists():
        with diffusion.open_charts(WEEKLY) as weekly:
            yield WEEKLY.name, weekly.entries().timelines, 56


def volume(lines: Timelines, permutations: int, window: int) -> None:
    """Draw and count fillings of the volume null."""
    watched = nulls.watch(lines)
    slots, windows = nulls.timed_slots(lines, watched), watched.windows(window)
    for market in nulls.volume_markets(slots, permutations=permutations, generator=np.random.default_rng(0)):
        nulls.transition_counts(slots, market, slots.day, windows)


def order(lines: Timelines, permutations: int, window: int) -> None:
    """Draw and count fillings of the order null."""
    watched = nulls.watch(lines)
    slots, windows = nulls.timed_slots(lines, watched), watched.windows(window)
    slots = slots.of_tracks(slots.dated())
    for day in nulls.order_days(slots, watched, permutations=permutations, generator=np.random.default_rng(0)):
        nulls.transition_counts(slots, slots.market, day, windows)


def moments(lines: Timelines, _: int, window: int) -> None:
    """Compute the order null's moments in closed form."""
    watched = nulls.watch(lines)
    slots = nulls.timed_slots(lines, watched)
    nulls.order_moments(slots.of_tracks(slots.dated()), watched, watched.windows(window))


def everything(lines: Timelines, permutations: int, window: int) -> None:
    """Make the whole table."""
    edge_significance(lines, window=window, permutations=permutations)


def seconds(work: Callable[[Timelines, int, int], None], lines: Timelines, permutations: int, window: int) -> float:
    """Return how long it takes."""
    start = time.perf_counter()
    work(lines, permutations, window)
    return time.perf_counter() - start


def main(permutations: int, runs: int) -> None:
    """Print one line per task."""
    for name, lines, window in charts():
        print(f"{name}: {len(lines.markets)} markets, {len(lines.track):,} entries, {permutations} permutations")
        for work in (volume, order, moments, everything):
            taken = statistics.median(seconds(work, lines, permutations, window) for _ in range(runs))
            print(f"  {work.__name__:<10} {taken:6.2f} s")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:] or ("200", "1")))
