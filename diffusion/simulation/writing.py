"""`simulate`: writes charts and truth into a folder, all of them or none."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
import pyarrow as pa

from diffusion.errors import OutputError, SettingError
from diffusion.files import write_whole
from diffusion.simulation.csv_layouts import write_csv
from diffusion.simulation.star_layout import parquet_bytes, write_star
from diffusion.simulation.study import Drawn, Simulation, Tell, draw, quiet

Layout = Literal["raw", "core", "star"]
LAYOUTS: Final[tuple[Layout, ...]] = get_args(Layout)


@dataclass(frozen=True, slots=True)
class SimulationAccount:
    """Numbers of what was simulated.

    Attributes
    ----------
    rows
        Chart rows written, before any damage.
    tracks
        Tracks written, including the old tracks that fill charts.
    entries
        Entries of new tracks.
    damaged
        Damaged rows.
    files
        Files written, relative to the folder.
    """

    rows: int
    tracks: int
    entries: int
    damaged: int
    files: tuple[str, ...]


def simulate(
    simulation: Simulation, out: str | Path, *, layout: Layout = "core", damage: float = 0.0, tell: Tell = quiet
) -> SimulationAccount:
    """Write charts simulated from a known network, with the truth beside them; return what was written.

    Parameters
    ----------
    simulation
        Settings: numbers of tracks, markets and days, seed, switches.
    out
        Folder for ``charts/``, ``truth.parquet``, ``background.parquet`` and, with damage, ``damage.parquet``.
    layout
        ``core`` (default): ``charts.csv`` with the 9 columns of Kaggle's "Spotify Charts"; ``raw``: the 28 columns with
        the catalogue on every row; ``star``: the tables that cleaning makes.
    damage
        Share of rows to damage, 0 … 1 (default 0), only in the raw layout; ``damage.parquet`` lists each case.
    tell
        Function that is told the share of rows made so far, 0 … 1 (default: none).

    Raises
    ------
    SettingError
        When a setting is not valid.
    OutputError
        When `out` cannot be written or has charts that were not simulated.

    Notes
    -----
    Entries follow the hazards of `diffusion.simulation.spread` exactly, in continuous time; the debuts and their
    footprints are given. Each entry up to the last chart's date is observed in its market on the first chart on or
    after its day. New tracks are observed nowhere else. Observation rounds times up to the next chart, and the chart's
    depth can interrupt a stay. Old tracks that fill the charts, and the chart of all markets together, are not part of
    the process: old tracks enter on a market's first date, where they are left-censored. Ids of one recording spread
    independently, so the truth is that of ids, not of recordings. With two charts, each has its own entries from the
    same network and releases.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     account = simulate(Simulation(tracks=50, markets=3, days=30, depth=20), folder)
    >>> account.files
    ('charts/charts.csv', 'truth.parquet', 'background.parquet')
    """
    if layout not in LAYOUTS:
        raise SettingError(f"unknown layout '{layout}'; known are {', '.join(LAYOUTS)}")
    if not 0 <= damage <= 1:
        raise SettingError(f"a damage of {damage:g} is no share of the rows; give 0 to 1")
    if damage and layout != "raw":
        raise SettingError(f"only the raw layout can be damaged, not '{layout}'")
    place = Path(out)
    _check_place(place)
    drawn = draw(simulation)
    try:
        place.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=place, prefix=".charts-"))
    except OSError as error:
        raise OutputError(f"cannot write '{place}': {error.strerror}") from error
    try:
        rows, ledger = _write_layout(drawn, simulation, aside, layout, damage, tell)
        return _publish(drawn, simulation, place, aside, rows, ledger)
    except OSError as error:
        raise OutputError(f"cannot write '{place}': {error.strerror or error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _check_place(place: Path) -> None:
    """Refuse a place with charts that were not simulated; only a simulation is overwritten."""
    ours = all((place / name).is_file() for name in ("truth.parquet", "background.parquet"))
    if (place / "charts").exists() and not ours:
        raise OutputError(f"'{place / 'charts'}' is not a simulation's; name another folder, or remove it first")


def _write_layout(
    drawn: Drawn, simulation: Simulation, folder: Path, layout: Layout, damage: float, tell: Tell
) -> tuple[int, pa.Table | None]:
    if layout == "star":
        return write_star(drawn, simulation, folder, tell=tell), None
    rng = np.random.default_rng([simulation.seed, 2])
    return write_csv(drawn, simulation, folder / "charts.csv", full=layout == "raw", damage=damage, rng=rng, tell=tell)


def _publish(
    drawn: Drawn, simulation: Simulation, place: Path, aside: Path, rows: int, ledger: pa.Table | None
) -> SimulationAccount:
    """Move everything to its place: the truth first, so that charts never exist without it."""
    tables = {
        "truth.parquet": drawn.network.truth(),
        "background.parquet": drawn.network.background_table(simulation.start),
    }
    if ledger is not None:
        tables["damage.parquet"] = ledger
    else:
        (place / "damage.parquet").unlink(missing_ok=True)
    charts = place / "charts"
    if charts.exists():
        shutil.rmtree(charts)
    for name, table in tables.items():
        write_whole(place / name, parquet_bytes(table))
    aside.chmod(0o755)
    aside.rename(charts)
    files = sorted(str(file.relative_to(place)) for file in charts.rglob("*") if file.is_file())
    return SimulationAccount(
        rows=rows,
        tracks=len(drawn.catalogue),
        entries=sum(len(maker.stays.track) - int(maker.stays.fill.sum()) for maker in drawn.makers),
        damaged=len(ledger) if ledger is not None else 0,
        files=(*files, *tables),
    )
