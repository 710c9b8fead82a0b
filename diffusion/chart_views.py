"""The views over charts that SQL may read; what is not in files yet is written when SQL first names it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from diffusion.contracts import (
    ARTISTS,
    AVAILABILITY,
    CHART_ROWS,
    COVERAGE,
    OBSERVATIONS,
    REFERENCE_MARKETS,
    TRACKS,
    Contract,
)
from diffusion.contracts.star import AGGREGATE
from diffusion.conventions import LONG_GAP
from diffusion.engine import Engine, View
from diffusion.markets import reference_table
from diffusion.sources.cleaning import keep_numbers

MARKETS_ONLY = f"market <> '{AGGREGATE}'"
"""Condition, in SQL, for rows of markets, without the chart that adds them up."""


def chart_views(engine: Engine, charts: Sequence[str], files: Sequence[Path] | None) -> dict[str, View]:
    """Return name → view over charts.

    Parameters
    ----------
    engine
        Engine that holds the charts.
    charts
        Names of the charts, for their coverage.
    files
        Parquet files of the observations; None where there are none yet.
    """
    written: dict[str, Path] = {}

    def once(name: str, write: Callable[[Path], object]) -> Callable[[], Sequence[Path]]:
        def paths() -> Sequence[Path]:
            if name not in written:
                path = engine.scratch(f"{name}.parquet")
                write(path)
                written[name] = path
            return [written[name]]

        return paths

    def coverage(path: Path) -> None:
        found = [engine.fetch("coverage", chart=chart, long_gap=LONG_GAP) for chart in charts]
        pq.write_table(pa.concat_tables(found), path)

    rows = once("observations", lambda path: engine.write("observations", path))
    observations: Callable[[], Sequence[Path]] = rows if files is None else lambda: files
    tables: Mapping[str, tuple[Contract, Callable[[Path], object]]] = {
        "tracks": (TRACKS, lambda path: pq.write_table(engine.kept("tracks"), path)),
        "artists": (ARTISTS, lambda path: _write_artists(engine, path)),
        "availability": (AVAILABILITY, lambda path: engine.write("availability", path)),
        "coverage": (COVERAGE, coverage),
        "markets": (REFERENCE_MARKETS, _write_markets),
    }
    return {
        "charts": View(CHART_ROWS, observations, MARKETS_ONLY),
        "observations": View(OBSERVATIONS, observations),
        **{name: View(contract, once(name, write)) for name, (contract, write) in tables.items()},
    }


def _write_artists(engine: Engine, path: Path) -> None:
    keep_numbers(engine)
    engine.write("artists", path)


def _write_markets(path: Path) -> None:
    table = pd.DataFrame(reference_table())
    pq.write_table(REFERENCE_MARKETS.conform(pa.Table.from_pandas(table, preserve_index=False)), path)
