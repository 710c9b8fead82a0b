"""Parametric models of waits in 5,000 cells × 181 days, 5 covariates: ours, and lifelines on the same weighted rows.

    python tests/benchmarks/bench_parametric.py [WAITS] [RUNS]

Interleaved runs; medians and ratios. Ours is without and with errors by artist, and as a mixture cure model. lifelines
starts at our estimates, and gets the counts of a fraction of the cells as weighted rows; its time is extrapolated. It
has no errors by cluster for these models.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from survival import aft, cure, frame_waits
from survival.counting.frame import FrameWaits
from survival.regression.distributions import FAMILIES, Family
from survival.regression.lifelines_aft import interval_rows

CELLS, HORIZON = 5_000, 180
PEER_PART = 20
"""One in so many cells is given to lifelines."""

FORMULA = "size + distance + market + language + home"


def waits_of(number: int, generator: np.random.Generator) -> pd.DataFrame:
    """Return waits of which about 6 % end with an entry by the horizon, and 70 % never do."""
    cells = pd.DataFrame({name: generator.normal(size=CELLS).round(2) for name in ("size", "distance", "market")})
    cells["language"], cells["home"] = generator.integers(0, 2, (2, CELLS))
    cell = generator.integers(0, CELLS, number)
    location = 4.5 + cells.to_numpy() @ np.array([0.5, -0.3, 0.2, 0.4, -0.2])
    days = np.ceil(np.exp(location[cell] + 0.9 * np.log(generator.exponential(size=number))))
    days[generator.random(number) < 0.9 - 0.1 * cells["language"].to_numpy()[cell]] = np.inf
    end = np.where(generator.random(number) < 0.7, HORIZON, generator.integers(1, HORIZON, number))
    start = np.where(generator.random(number) < 0.1, generator.integers(0, 30, number), 0)
    frame = cells.iloc[cell].reset_index(drop=True)
    frame = frame.assign(start=start, days=np.minimum(days, end).astype(int), entered=days <= end)
    frame["artist"] = generator.integers(0, number // 300, number)
    return frame[frame["days"] > frame["start"]]


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def source_of(frame: pd.DataFrame) -> FrameWaits:
    """Return the waits of a frame."""
    return frame_waits(frame, days="days", entered="entered", start="start", cluster="artist")


def compare(family: Family, source: FrameWaits, part: FrameWaits, runs: int) -> None:
    """Print the seconds of one family."""
    seconds: dict[str, list[float]] = {"ours": [], "by artist": [], "cure": [], "lifelines": []}
    few = aft(part, FORMULA, family=family, cluster="independent")
    for _ in range(runs):
        seconds["ours"].append(timed(lambda: aft(source, FORMULA, family=family, cluster="independent")))
        seconds["by artist"].append(timed(lambda: aft(source, FORMULA, family=family)))
        seconds["cure"].append(
            timed(lambda: cure(source, FORMULA, cured="language", family=family, cluster="independent"))
        )
        seconds["lifelines"].append(timed(few.to_lifelines) * PEER_PART)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(
        f"{family:18} {medians['ours']:6.2f} s, with errors by artist {medians['by artist']:6.2f} s, mixture cure "
        f"{medians['cure']:6.2f} s; lifelines {medians['lifelines']:6.0f} s [from 1 in {PEER_PART} cells], "
        f"{medians['lifelines'] / medians['ours']:.0f}×"
    )


def main() -> None:
    """Time every family."""
    number, runs = (int(sys.argv[at]) if len(sys.argv) > at else default for at, default in ((1, 1_000_000), (2, 3)))
    frame = waits_of(number, np.random.default_rng(20260101))
    cells = frame.groupby(["size", "distance", "market"]).ngroup()
    source, part = source_of(frame), source_of(frame[cells % PEER_PART == 0])
    counted = source.counted(("distance", "home", "language", "market", "size"))
    print(
        f"{len(frame):,} waits, {frame['entered'].sum():,} entries, {len(counted.values):,} cells, "
        f"{len(interval_rows(counted)):,} weighted rows"
    )
    for family in FAMILIES:
        compare(family, source, part, runs)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
