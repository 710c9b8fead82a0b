"""Forecasts: features of all tracks as of their debuts, and the answer for one track from a trained model.

    python tests/benchmarks/bench_forecasts.py [CHARTS] [RUNS]

Default: a year of simulated daily charts at full size, 38,000 tracks; or any charts that `open_charts` reads.
The pass over the days makes every feature of every candidate; the peer, pandas as its documentation advises (merge_asof
on entries by artist and market), makes one of them, the earlier entries of the artist in the market, on the same rows.
Every measure of features has a process of its own, whose peak memory is shown.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2]))

from diffusion import open_charts
from diffusion.simulation import full_scale, simulate
from pipelines.features.families import families
from pipelines.features.history import History
from pipelines.features.observations import Observations
from pipelines.features.table import features
from pipelines.models.saved import load_model, save_model
from pipelines.models.training import train

FEATURE = "artist_entries_here"
HORIZON = 56


def opened(charts: Path) -> History:
    """Return the history of charts."""
    with open_charts(charts) as found:
        return History.of(found, found.entries())


def ours(history: History, observations: Observations) -> np.ndarray:
    """Return the one feature that pandas makes too, from the pass that makes all."""
    table = features(history, observations, families(HORIZON))
    return table.values[:, table.names.index(FEATURE)]


def pandas_feature(history: History, observations: Observations) -> np.ndarray:
    """Return the entries of other tracks of the primary artist in the market by the day, by merge_asof."""
    row, market = np.nonzero(observations.candidates)
    asked = pd.DataFrame(
        {
            "day": observations.day[row].astype(np.int64),
            "artist": history.artist[observations.track[row]],
            "market": market.astype(np.int64),
            "row": np.arange(len(row)),
        }
    )
    entries = history.entries
    seen = pd.DataFrame(
        {
            "day": entries.day.astype(np.int64),
            "artist": history.artist[entries.track],
            "market": entries.market.astype(np.int64),
        }
    ).sort_values("day", kind="stable")
    seen["before"] = seen.groupby(["artist", "market"]).cumcount() + 1
    found = pd.merge_asof(asked.sort_values("day", kind="stable"), seen, on="day", by=["artist", "market"])
    return found.sort_values("row")["before"].fillna(0).to_numpy()


def measured(kind: str, charts: Path) -> dict[str, float]:
    """Return seconds, peak memory in GB, and the sum of the feature, in a process of its own."""
    command = [sys.executable, __file__, kind, str(charts)]
    answer: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer


def one(kind: str, charts: Path) -> None:
    """Print what `measured` reads."""
    history = opened(charts)
    observations = Observations.landmarks(history)
    start = time.perf_counter()
    values = (ours if kind == "ours" else pandas_feature)(history, observations)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"seconds": seconds, "peak": peak, "sum": float(values.sum()), "rows": len(values)}))


def served(charts: Path, place: Path, runs: int) -> None:
    """Print the time of one track in process, and of the command without interpreter and imports."""
    history = opened(charts)
    model = train(history, horizon=HORIZON, points=(0,), most=500_000)
    save_model(model, place / "model")
    start = time.perf_counter()
    loaded = load_model(place / "model")
    tracks = loaded.current()[:runs]
    first = time.perf_counter()
    loaded.predict(tracks[:1])
    begun = time.perf_counter()
    spent = []
    for track in tracks:
        before = time.perf_counter()
        loaded.predict(np.array([track]))
        spent.append(time.perf_counter() - before)
    print(f"load a model {first - start:.3f} s, first track {begun - first:.3f} s (together below 1 s: goal)")
    print(f"each further track {1000 * statistics.median(spent):.0f} ms (goal 50 ms)")


def main() -> None:
    if sys.argv[1:2] in (["ours"], ["pandas"]):
        one(sys.argv[1], Path(sys.argv[2]))
        return
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if len(sys.argv) > 1:
            charts = Path(sys.argv[1])
        else:
            simulate(full_scale(365), place / "simulated", layout="star")
            charts = place / "simulated" / "charts"
        found = {kind: [measured(kind, charts) for _ in range(runs)] for kind in ("ours", "pandas")}
        for kind, parts in found.items():
            seconds = statistics.median(part["seconds"] for part in parts)
            peak = max(part["peak"] for part in parts)
            what = "all features" if kind == "ours" else FEATURE
            print(f"{kind:7} {parts[0]['rows']:,} rows, {what}: {seconds:.1f} s, {peak:.2f} GB")
        columns = sum(len(family.features) for family in families(HORIZON))
        each = statistics.median(part["seconds"] for part in found["ours"]) / columns
        print(
            f"pandas takes {statistics.median(p['seconds'] for p in found['pandas']) / each:.1f} times as long a column"
        )
        served(charts, place, 20)


if __name__ == "__main__":
    main()
