"""Artifacts of a finished study as the values they were made from."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from diffusion import Calendar, Entries, EventRules, SettingError
from graphs import SCORES, MarketGraph
from pipelines.folder import MANIFEST, read_manifest


def load_graph(read_table: Callable[[str], pa.Table], notes: Mapping[str, Any]) -> MarketGraph:
    """Return the graph whose tables `read_table` reads by name; `notes` are those of its step in the manifest."""
    nodes, edges, lags = (
        read_table(f"{name}.parquet").to_pandas(date_as_object=False) for name in ("markets", "edges", "lags")
    )
    return MarketGraph(
        nodes.drop(columns=list(SCORES)), edges, lags=lags, window=int(notes["window"]), chart=str(notes["chart"])
    )


def open_graph(place: Path) -> MarketGraph:
    """Return the graph of a finished study or graph folder."""
    return load_graph(_reader(place), _step(place, "graph")["notes"])


def open_entries(place: Path) -> Entries:
    """Return the entries of a finished study or graph folder."""
    parameters = _step(place, "entries")["parameters"]
    read = _reader(place)
    calendar = Calendar(read("coverage.parquet"))
    rules = EventRules(calendar.chart, *(parameters[name] for name in ("top", "min_periods", "washout", "identity")))
    return Entries(read("entries.parquet"), calendar, rules, read("withheld.parquet"))


def open_titles(place: Path) -> pd.DataFrame:
    """Return `track_id`, `title` and `artist` of every track of a finished study or graph folder."""
    frame: pd.DataFrame = _reader(place)("tracks.parquet").to_pandas()
    return frame


def _step(place: Path, step: str) -> dict[str, Any]:
    if not (place / MANIFEST).is_file():
        raise SettingError(f"no {MANIFEST} in '{place}'; make one first: chart-diffusion graph CHARTS --out {place}")
    steps = read_manifest(place)["steps"]
    if step not in steps:
        raise SettingError(f"'{place}' holds no {step}; make it first: chart-diffusion graph CHARTS --out {place}")
    found: dict[str, Any] = steps[step]
    return found


def _reader(place: Path) -> Callable[[str], pa.Table]:
    def read(name: str) -> pa.Table:
        try:
            return pq.read_table(place / name)
        except (OSError, pa.ArrowInvalid) as error:
            raise SettingError(f"cannot read '{place / name}': {str(error).splitlines()[0]}") from error

    return read
