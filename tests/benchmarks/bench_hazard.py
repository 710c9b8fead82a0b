"""Hazards by day on full-size cells, against statsmodels on the same cells and weights.

    python tests/benchmarks/bench_hazard.py [TRACKS] [RUNS]

Default: 200,000 tracks in 70 markets, about 13.4 million waits, made in memory. They are counted once by market,
whether the artist was in the market before, and footprint. Ours fits `artist_here + log(footprint)` with periods, and
the same with effects of markets. The peer is statsmodels' GLM (cloglog) with one row per cell, period and outcome,
weighted by counts. It has no shrunk effects and no errors by artist from weighted rows. It knows no intervals, so that
for both an entry after missed charts falls on its day. Interleaved runs, medians; the memory is the peak above the
counted waits, in a process that does nothing else.
"""

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import statsmodels.api as sm
from bench_graph_pairs import memory, reset_peak
from bench_summed_hazard import world

import survival
from survival.counting.counted import Cluster, CountedWaits
from survival.hazards.baseline import Baseline
from survival.hazards.likelihood import Exposure

FORMULA = "artist_here + log(footprint)"
VARIABLES = ("market", "artist_here", "footprint")


class Counted:
    """A source that has counted already."""

    def __init__(self, source: survival.Waits) -> None:
        clusters: tuple[Cluster, ...] = ("artist", "independent")
        self.by_cluster = {cluster: on_days(source.counted(VARIABLES, cluster=cluster)) for cluster in clusters}

    def counted(self, variables: tuple[str, ...], *, cluster: Cluster = "artist") -> CountedWaits:
        """Return the counts by all variables, whatever is asked for."""
        return self.by_cluster[cluster]


def on_days(waits: CountedWaits) -> CountedWaits:
    """Return the waits as if every entry were known to the day."""
    return replace(waits, events=replace(waits.events, after=waits.events.days - 1))


def with_glm(waits: CountedWaits) -> np.ndarray:
    """Return the coefficients of statsmodels on one row per cell, period and outcome."""
    baseline = Baseline.of("periods", waits)
    exposure = Exposure.of(waits, baseline)
    cells, periods = exposure.survived.shape
    entered = np.bincount(exposure.slot, exposure.count[exposure.event], cells * periods)
    count = np.concatenate([exposure.survived.ravel(), entered])
    outcome = np.repeat([0.0, 1.0], cells * periods)
    here = np.repeat((waits.values["artist_here"] == "yes").to_numpy(float), periods)
    footprint = np.repeat(np.log(waits.values["footprint"].to_numpy(float)), periods)
    one = np.column_stack([here, footprint, np.tile(np.eye(periods), (cells, 1))])
    design, kept = np.tile(one, (2, 1)), count > 0
    family = sm.families.Binomial(sm.families.links.CLogLog())
    model = sm.GLM(outcome[kept], design[kept], family=family, freq_weights=count[kept])
    return np.asarray(model.fit(tol=1e-12).params)


def timed(work: Callable[[], object]) -> float:
    """Return seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak(tracks: int, name: str) -> int:
    """Return the peak memory, in MB, that a piece of work adds to the counted waits; run in a process of its own."""
    works = made(tracks)
    reset_peak()
    before = memory("VmRSS")
    works[name]()
    return memory("VmHWM") - before


def made(tracks: int) -> dict[str, Callable[[], object]]:
    """Return the pieces of work, by name, on counted waits."""
    source = Counted(survival.waits(world(tracks)))
    waits = source.by_cluster["artist"]
    hazard = survival.discrete_hazard
    return {
        "ours": lambda: hazard(source, FORMULA, cluster="independent"),
        "ours, errors by artist": lambda: hazard(source, FORMULA),
        "ours, market effects": lambda: hazard(source, FORMULA, effects=["market"], cluster="independent"),
        "ours, market effects, errors by artist": lambda: hazard(source, FORMULA, effects=["market"]),
        "statsmodels": lambda: with_glm(waits),
    }


def main(tracks: int, runs: int) -> None:
    """Print seconds, ratios and memory."""
    works = made(tracks)
    fit, peer = works["ours"](), works["statsmodels"]()
    assert isinstance(fit, survival.HazardFit) and isinstance(peer, np.ndarray)
    print(f"largest difference of a coefficient: {np.abs(fit.found.coefs - peer).max():.1e}")
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            seconds[name].append(timed(work))
    for name, own in seconds.items():
        ratio = statistics.median(b / a for a, b in zip(own, seconds["statsmodels"], strict=True))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            added = pool.apply(peak, (tracks, name))
        print(f"{name}: {statistics.median(own):.2f} s, {ratio:.1f}× as fast as statsmodels; adds {added} MB at most")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [200_000, 3][len(given) :]))
