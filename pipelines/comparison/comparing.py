"""Comparing two finished studies into a folder: tables, figures, a page, and what was found."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

import figures
from diffusion import DataSaysNoError
from diffusion.contracts import Contract
from diffusion.conventions import FDR
from graphs import Comparison, compare, contracts
from pipelines.comparison.page import comparison_html
from pipelines.comparison.sides import Side, common_horizon, common_window
from pipelines.comparison.words import lines, verdict
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import fingerprint
from pipelines.formatting import records
from pipelines.progress import Report, quiet
from survival import CurveDifference, curve_difference
from survival.contracts import COMPARED_CURVES

STEP: Final = "compare"

VERSION: Final = 1
"""Version of the comparison; raised when the same inputs give other numbers."""

PAGE: Final = "comparison.html"


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found.

    Attributes
    ----------
    lines
        In words, for the screen.
    data
        As data, for a script.
    """

    lines: list[str]
    data: dict[str, Any]


def write_comparison(
    a: Side, b: Side, place: str | Path, *, replicates: int = 1000, seed: int = 0, tell: Report = quiet
) -> Compared:
    """Compare two sides, write tables, figures and a page into a folder, and return what was found.

    Parameters
    ----------
    a, b
        The sides.
    place
        Folder for the results.
    replicates, seed
        Bootstrap replicates for the shares of markets, and seed of the draws.
    tell
        Function that is told the progress.

    Raises
    ------
    SettingError
        When the two were not made with the same settings; it names what differs.
    DataSaysNoError
        When they have fewer than two markets in common.
    OutputError
        When the folder cannot be written.
    """
    window = common_window(a, b)
    tell("comparing rates, reach and shares")
    found = compare(a.entries, b.entries, window=window, replicates=replicates, seed=seed)
    tell("comparing curves")
    not_made: dict[str, str] = {}
    curve = _curve(a, b, not_made)
    tell("drawing")
    drawn = _drawn(found, curve, a.name, b.name, not_made)
    parameters = {
        "a": _parameters(a), "b": _parameters(b), "window": window, "replicates": replicates, "seed": seed,
    }  # fmt: skip
    with Folder(place) as folder:
        folder.begin(STEP, fingerprint(STEP, VERSION, parameters), parameters=parameters, notes={"not_made": not_made})
        for table, contract in _tables(found, curve):
            arrow = pa.Table.from_pandas(table, preserve_index=False)
            folder.put_table(STEP, f"{contract.name}.parquet", contract.conform(arrow))
        for name, pictures in drawn.items():
            for kind, content in pictures.items():
                folder.put(STEP, f"figures/{name}.{kind}", content)
        html = comparison_html(found, curve, (a, b), {name: part["png"] for name, part in drawn.items()}, not_made)
        folder.put(STEP, PAGE, html.encode())
        said = [
            *lines(found, curve, a.name, b.name),
            *(f"not made  {name}: {why}" for name, why in not_made.items()),
            *folder.made_lines(),
            f"next      open {folder.place / PAGE}",
        ]
        data = _data(found, curve, a, b) | {"out": str(folder.place), "files": folder.changes(), "not_made": not_made}
    return Compared(said, data)


def _parameters(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "folder": side.folder,
        "cohort": list(side.entries.cohort),
        "tracks": len(side.entries.timelines.track_ids),
    }


def _curve(a: Side, b: Side, not_made: dict[str, str]) -> CurveDifference | None:
    """Return the difference of the curves; None where nobody waits on a side, and why."""
    try:
        return curve_difference(a.entries, b.entries, horizon=common_horizon(a, b))
    except DataSaysNoError as error:
        not_made["comparison_curves.parquet"] = str(error)
        return None


def _drawn(
    found: Comparison, curve: CurveDifference | None, a: str, b: str, not_made: dict[str, str]
) -> dict[str, dict[figures.Kind, bytes]]:
    """Return name → kind → content of the figures that can be drawn; the others get a reason."""
    drawn: dict[str, figures.Figure] = {}
    try:
        drawn["compared_rates"] = figures.compared_rates(found.edges, a=a, b=b)
    except DataSaysNoError as error:
        not_made["figures/compared_rates"] = str(error)
    if curve is not None:
        drawn["curve_difference"] = figures.curve_difference(curve.table, a=a, b=b)
    kinds: tuple[figures.Kind, ...] = ("png", "svg")
    return {name: {kind: figures.render(figure, kind) for kind in kinds} for name, figure in drawn.items()}


def _tables(found: Comparison, curve: CurveDifference | None) -> list[tuple[pd.DataFrame, Contract]]:
    tables = [
        (found.edges, contracts.COMPARED_EDGES),
        (found.reach, contracts.COMPARED_REACH),
        (found.leaders, contracts.COMPARED_LEADERS),
        (found.sides, contracts.COMPARED_SIDES),
    ]
    return tables if curve is None else [*tables, (curve.table, COMPARED_CURVES)]


def _data(found: Comparison, curve: CurveDifference | None, a: Side, b: Side) -> dict[str, Any]:
    """Return what `--json` prints: the verdict, then numbers; of edges and shares those that differ at q ≤ .05."""
    edges, leaders = found.edges, found.leaders
    return {
        "verdict": verdict(found, a.name, b.name),
        "a": a.name,
        "b": b.name,
        "window": found.window,
        "sides": records(found.sides),
        "only_a": list(found.only_a),
        "only_b": list(found.only_b),
        "pairs": len(edges),
        "pairs_tested": int(edges["q"].notna().sum()),
        "edges": records(edges[edges["q"] <= FDR].sort_values(["q", "p", "source", "target"])),
        "reach": records(found.reach),
        "leaders": records(leaders[leaders["q"] <= FDR].sort_values(["q", "market"])),
        "curve": None if curve is None else {**records(curve.table.tail(1))[0], "p": _known(curve.p)},
    }


def _known(p: float) -> float | None:
    return None if pd.isna(p) else p
