"""The summed hazard of all targets, against a generic optimiser and a loop over rows, on simulated entries.

    python tests/benchmarks/bench_summed_hazard.py [TRACKS] [RUNS]

Default: 200,000 tracks in 70 markets over five years. Medians of interleaved runs. Peers do one target and are
extrapolated to all; they only find the coefficients, at given lags, while ours finds lags, prior and intervals too.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import optimize

sys.path.insert(0, str(Path(__file__).parents[2]))

from diffusion import Entries
from diffusion.simulation.network import Switches
from graphs.summed_hazard import AGES, summed_hazard
from graphs.summed_hazard.background import Cells
from graphs.summed_hazard.design import target_design
from graphs.summed_hazard.followup import Tracks
from graphs.summed_hazard.lags import reached
from graphs.summed_hazard.model import HIGHEST_ALPHA, designs_of, fit_with_lags, target_problem
from graphs.summed_hazard.solver import odds
from tests import twins_summed_hazard as twin
from tests.simulated_influence import World, simulated

MARKETS, WINDOW, HORIZON, LAG = 70, 60, 180, 4.0
LOOPED = 2_000
"""Tracks that the loop over rows is measured on."""


def world(tracks: int) -> Entries:
    """Return entries of tracks by artists with several each."""
    switches = Switches(ties=True, background=True, launches=False, gaps=False)
    size = World(markets=MARKETS, tracks=tracks, days=1826, density=0.1, switches=switches, strength=1.6)
    entries, _ = simulated(size, 1)
    ids = [f"t{number:07d}" for number in range(tracks)]
    artists = pa.table({"track_id": ids, "artist": [f"a{number // 3}" for number in range(tracks)]})
    return Entries(entries.table, entries.calendar, entries.rules, described=artists)


def generic(entries: Entries) -> tuple[float, int]:
    """Fit one target by L-BFGS-B with exact gradients; return seconds for all targets, and evaluations for one."""
    started = time.perf_counter()
    tracks = Tracks.of(entries)
    last = max(int(spans.max()) for spans in tracks.spans)
    cells = Cells.of(int(tracks.debut.min()), last, periods="year", ages=AGES, horizon=HORIZON)
    design = target_design(tracks, cells, 0, window=WINDOW, horizon=HORIZON, weight=np.ones(len(tracks.debut)))
    task = target_problem(design, reached(np.full(MARKETS, LAG), WINDOW))

    def minus(beta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        return -task.value(beta), task.survived - task.events.T @ odds(task.events @ beta)

    bounds = [(1e-9, top) for top in np.maximum(HIGHEST_ALPHA * task.unit, 1e-8)]
    start = np.full(len(task.unit), len(task.events) / len(task.unit))
    settings = {"maxiter": 5000, "maxfun": 100_000, "ftol": 1e-13, "gtol": 1e-6}
    found = optimize.minimize(
        minus, np.minimum(start, [top for _, top in bounds]), jac=True, bounds=bounds, options=settings
    )
    return (time.perf_counter() - started) * MARKETS, int(found.nfev)


def coefficients(entries: Entries) -> object:
    """Fit all targets at given lags, nothing else: what the peers do."""
    tracks = Tracks.of(entries)
    last = max(int(spans.max()) for spans in tracks.spans)
    cells = Cells.of(int(tracks.debut.min()), last, periods="year", ages=AGES, horizon=HORIZON)
    designs = designs_of(tracks, cells, window=WINDOW, horizon=HORIZON, weight=np.ones(len(tracks.debut)))
    return fit_with_lags(designs, LAG, window=WINDOW, cadence=tracks.cadence)


def loop_over_rows(entries: Entries, evaluations: int) -> float:
    """Return seconds for all targets if each evaluation goes over every track's intervals in plain Python."""
    some = entries.timelines.track_ids[:LOOPED]
    kept = pc.is_in(entries.table["track_id"], pa.array(some, pa.string()))
    few = Entries(entries.table.filter(kept), entries.calendar, entries.rules)
    markets = entries.calendar.markets
    hazard = {(year, age): 1e-4 for year in range(2016, 2024) for age in AGES}
    chances = twin.Chances(dict.fromkeys(markets, 0.01), dict.fromkeys(markets, LAG), hazard)
    started = time.perf_counter()
    twin.log_likelihood(few, markets[0], chances, window=WINDOW, horizon=HORIZON, ages=AGES)
    seconds = time.perf_counter() - started
    return seconds * len(entries.timelines.track_ids) / LOOPED * evaluations * MARKETS


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak() -> int:
    """Return this process's peak memory in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


def main(tracks: int, runs: int) -> None:
    """Print one line per method."""
    entries = world(tracks)
    print(f"{tracks:,} tracks, {len(entries):,} entries, {MARKETS} markets; {peak():,} MB before")
    ours, given, peers = [], [], []
    for _ in range(runs):
        ours.append(timed(lambda: summed_hazard(entries)))
        given.append(timed(lambda: coefficients(entries)))
        peers.append(generic(entries))
    print(f"ours, all there is        {statistics.median(ours):9.1f} s, {peak():,} MB")
    print(f"ours, coefficients alone  {statistics.median(given):9.1f} s")
    seconds, evaluations = statistics.median(second for second, _ in peers), peers[0][1]
    print(f"generic optimiser         {seconds:9.1f} s [extrapolated from 1 target, {evaluations} evaluations]")
    looped = loop_over_rows(entries, evaluations)
    print(f"loop over rows            {looped:9.0f} s [extrapolated from {LOOPED:,} tracks, 1 target, 1 evaluation]")


if __name__ == "__main__":
    main(*(int(text) for text in [*sys.argv[1:], *("200000", "1")[len(sys.argv) - 1 :]]))
