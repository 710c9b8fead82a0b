"""Artifacts of a finished study as the values they were made from."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from diffusion import Calendar, Entries, EventRules, SettingError
from diffusion.files import read_table
from diffusion.timelines import Timelines
from graphs import SCORES, MarketGraph
from pipelines.folders.manifest import MANIFEST, intact, read_manifest


def load_graph(read_table: Callable[[str], pa.Table], notes: Mapping[str, Any], timelines: Timelines) -> MarketGraph:
    """Return the graph whose tables `read_table` reads by name.

    Parameters
    ----------
    read_table
        Name of an artifact → table.
    notes
        Those of the graph's step in the manifest.
    timelines
        Of the entries it was counted on.
    """
    nodes, edges, lags = (
        read_table(f"{name}.parquet").to_pandas(date_as_object=False) for name in ("markets", "edges", "lags")
    )
    return MarketGraph(
        nodes.drop(columns=list(SCORES)),
        edges,
        lags=lags,
        window=int(notes["window"]),
        chart=str(notes["chart"]),
        timelines=timelines,
    )


def open_graph(place: Path) -> MarketGraph:
    """Return the graph of a finished study or graph folder."""
    return load_graph(_reader(place, "graph"), _step(place, "graph")["notes"], open_entries(place).timelines)


def open_entries(place: Path) -> Entries:
    """Return the entries of a finished study or graph folder."""
    parameters = _step(place, "entries")["parameters"]
    read = _reader(place, "entries")
    calendar = Calendar(read("coverage.parquet"))
    rules = EventRules(calendar.chart, *(parameters[name] for name in ("top", "min_periods", "washout", "identity")))
    artists = read("tracks.parquet").select(["track_id", "artist"])
    return Entries(read("entries.parquet"), calendar, rules, read("withheld.parquet"), artists)


def open_titles(place: Path) -> pd.DataFrame:
    """Return `track_id`, `title` and `artist` of every track of a finished study or graph folder."""
    frame: pd.DataFrame = _reader(place, "entries")("tracks.parquet").to_pandas()
    return frame


def open_table(place: Path, step: str, name: str) -> pd.DataFrame:
    """Return a table of a finished folder.

    Raises
    ------
    SettingError
        When the folder does not hold the step or the table.
    """
    frame: pd.DataFrame = _reader(place, step)(f"{name}.parquet").to_pandas(date_as_object=False)
    return frame


def holds_step(place: Path, step: str) -> bool:
    """Return whether the folder's manifest names the step."""
    return (place / MANIFEST).is_file() and step in read_manifest(place)["steps"]


def _step(place: Path, step: str) -> dict[str, Any]:
    """Return what the manifest says of a step whose artifacts are all as they were made.

    Raises
    ------
    SettingError
        When the folder does not hold the step, or holds other files than the manifest says.
    """
    if not (place / MANIFEST).is_file():
        raise SettingError(f"no {MANIFEST} in '{place}'; make one first: chart-diffusion graph CHARTS --out {place}")
    steps = read_manifest(place)["steps"]
    if step not in steps:
        option = " --direct" if step == "direct" else ""
        raise SettingError(
            f"'{place}' holds no {step}; make it first: chart-diffusion graph CHARTS{option} --out {place}"
        )
    for artifact in steps[step]["artifacts"]:
        if not intact(place, artifact):
            raise SettingError(f"'{place / artifact['path']}' is not what the manifest says; make it again first")
    found: dict[str, Any] = steps[step]
    return found


def _reader(place: Path, step: str) -> Callable[[str], pa.Table]:
    """Return a function that reads the tables of a step by name."""
    named = {artifact["path"] for artifact in _step(place, step)["artifacts"]}

    def read(name: str) -> pa.Table:
        if name not in named:
            raise SettingError(f"the manifest in '{place}' names no {name}; make the folder anew")
        return read_table(place / name)

    return read
