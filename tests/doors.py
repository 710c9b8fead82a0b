"""Charts through both doors: opened as they are, and ingested, cleaned and opened."""

from pathlib import Path
from typing import Any

import pandas as pd

from diffusion import Charts, open_charts
from diffusion.sources.reading import ReadingOptions
from pipelines.folders.folder import Folder
from pipelines.stages.clean import clean_charts
from pipelines.stages.ingest import Options, ingest

PLACE = ["market", "entry", "rank", "streams", "track_id"]
"""Columns of entries that tell whether two sources hold the same charts."""


def silent(*_: object) -> None:
    """Take a report of progress and do nothing."""


def cleaned(path: str | Path | list[Path], place: Path, options: dict[str, Any]) -> Charts:
    """Return charts after ingest and clean in folders below `place`."""
    paths = path if isinstance(path, list) else [path]
    with Folder(place / "raw") as folder:
        ingest(paths, folder, options=Options(ReadingOptions(**options)), tell=silent)
    consent: dict[str, Any] = {name: options[name] for name in ("market_names", "accept") if name in options}
    with Folder(place / "clean") as folder:
        clean_charts(place / "raw", folder, **consent, tell=silent)
    return open_charts(place / "clean", accept=options.get("accept", ()))


def entries_of(charts: Charts, **rules: Any) -> pd.DataFrame:
    """Return the entries of charts, sorted, and close the charts."""
    with charts:
        return charts.entries(**rules).table.select(PLACE).to_pandas().sort_values(PLACE, ignore_index=True)


def through_both_doors(path: str | Path, place: Path, **options: Any) -> pd.DataFrame:
    """Return the entries of charts opened as they are, after a check that both doors give the same."""
    opened = entries_of(open_charts(path, **options))
    pd.testing.assert_frame_equal(opened, entries_of(cleaned(path, place, options)))
    return opened
