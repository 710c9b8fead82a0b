"""`regress`: writes the seed baseline and what our features are worth into a folder, and says it in words."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

import figures
from diffusion import Charts
from diffusion.contracts import Contract
from diffusion.foreign_text import csv_table
from pipelines.contracts.regression import AS_CSV, REGRESSION
from pipelines.features.families import families
from pipelines.features.history import History
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import file_facts, fingerprint
from pipelines.formatting import many, text_table
from pipelines.models.seed_baseline import PRIOR, SEED, SeedBaseline, seed_baseline
from pipelines.models.seed_columns import AUDIO
from pipelines.models.targets import ROWS, Target
from pipelines.progress import Report, quiet

STEP: Final = "regress"
"""Name of the step in the manifest."""

VERSION: Final = 1
"""Version of the step; raised when the same charts give other numbers."""

TEXT: Final = "regress.txt"
"""The scores in words."""


def write_regression(
    place: str | Path,
    charts: Charts,
    *,
    chart: str | None = None,
    target: Target = "streams",
    rows: int = ROWS,
    seed: int = SEED,
    tell: Report = quiet,
) -> str:
    """Write the regression of chart rows into a folder, unless it is there already, and return it in words.

    Parameters
    ----------
    place
        Folder for the tables, their figures, ``regress.txt`` and the manifest.
    charts
        The charts.
    chart
        Name of the chart (default: ``top200`` if present, else the only one).
    target, rows, seed
        As in `pipelines.models.seed_baseline.seed_baseline`.
    tell
        Function that is told the progress.

    Raises
    ------
    DataSaysNoError
        When the chart has no streams though they are the target, or is too short for a split in time.
    OutputError
        When the folder cannot be written.
    """
    parameters = {"chart": charts.chart(chart), "target": target, "rows": rows, "seed": seed}
    with Folder(place) as folder:
        key = fingerprint(STEP, VERSION, parameters, file_facts(charts.source.paths, charts.source.root))
        if not folder.unchanged(STEP, key):
            history = History.of(charts, charts.entries(chart=chart))
            ours = families(charts.calendar(chart).default_window)
            found = seed_baseline(
                history, charts.arrow("tracks"), ours, target=target, rows=rows, seed=seed, tell=lambda what: tell(what)
            )
            folder.begin(STEP, key, parameters=parameters, notes={"left_out": found.left_out} | found.facts)
            tell("writing")
            _put(folder, found, target)
            folder.log(STEP, rows=found.facts["rows"])
        return folder.read(TEXT).decode()


def _put(folder: Folder, found: SeedBaseline, target: Target) -> None:
    tables = (found.scores, found.gains, found.coefficients, found.paths, found.learning_rates)
    for contract, frame in zip(REGRESSION, tables, strict=True):
        table = _conformed(frame, contract)
        folder.put_table(STEP, f"{contract.name}.parquet", table)
        if contract in AS_CSV:
            text = csv_table(table.to_pandas()).to_csv(index=False, lineterminator="\n")
            folder.put(STEP, f"{contract.name}.csv", text.encode(), rows=table.num_rows)
    folder.put(STEP, TEXT, regression_text(found, target).encode())
    drawn = {
        "coefficient_paths_seed": figures.coefficient_paths(_of(found.paths, "seed"), title="Coefficients of the seed"),
        "coefficient_paths_ours": figures.coefficient_paths(_of(found.paths, "ours"), title="Coefficients of ours"),
        "learning_rates": figures.learning_rates(found.learning_rates),
    }
    kinds: tuple[figures.Kind, ...] = ("png", "svg")
    for name, figure in drawn.items():
        for kind in kinds:
            folder.put(STEP, f"{name}.{kind}", figures.render(figure, kind))


def _of(paths: pd.DataFrame, features: str) -> pd.DataFrame:
    return paths[paths["features"] == features]


def _conformed(frame: pd.DataFrame, contract: Contract) -> pa.Table:
    return contract.conform(pa.Table.from_pandas(frame, preserve_index=False))


def regression_text(found: SeedBaseline, target: Target) -> str:
    """Return the best models of every setting, what features add, and what there was not, as text."""
    facts = found.facts
    what = "log streams" if target == "streams" else "rank"
    lines = [
        f"target    {what} of {facts['rows']:,} chart rows: {facts['drawn']:,} drawn at random without a missing value",
        f"followed  all {facts['followed']:,} rows of {many(facts['followed_tracks'], 'track')} drawn at random, from "
        "the chart date after the debut on",
        *(f"left out  {name}: {why}" for name, why in _grouped(found.left_out).items()),
        f"prior     linear model of the prior study: R² {PRIOR['r2']:.3f}, RMSE {PRIOR['rmse']:.3f}, 5-fold R² "
        f"{PRIOR['cv_r2']:.3f} ± {PRIOR['cv_r2_sd']:.3f} (daily Top 200 of 68 markets; its random rows are 'seed, "
        "random')",
        "",
        text_table(_best(found.scores)),
        "",
        "R² on the test rows, each time of the model and alpha with the best 5-fold R² of its kind; 95 % intervals by "
        "artist.",
        *_audio(found.scores),
        "",
        "What columns add on the same rows of later days:",
        text_table(_added(found.gains)),
    ]
    return "\n".join(lines) + "\n"


def _grouped(left_out: dict[str, str]) -> dict[str, str]:
    """Return columns, those with the same reason together → reason."""
    groups: dict[str, list[str]] = {}
    for name, why in left_out.items():
        groups.setdefault(why, []).append(name)
    return {", ".join(names): why for why, names in groups.items()}


def _best(scores: pd.DataFrame) -> pd.DataFrame:
    rows = scores[scores["chosen"]]
    ratio = rows["l1_ratio"].map("{:g}".format).where(rows["l1_ratio"].notna(), "")
    return pd.DataFrame(
        {
            "features": rows["features"],
            "split": rows["split"],
            "model": rows["model"],
            "alpha": rows["alpha"].map("{:g}".format).where(rows["alpha"].notna(), ""),
            "l1": ratio,
            "R²": _bounded(rows, "r2", "r2_low", "r2_high"),
            "RMSE": rows["rmse"].map("{:.3f}".format),
            "5-fold R²": [f"{mean:.3f} ± {sd:.3f}" for mean, sd in zip(rows["cv_r2"], rows["cv_r2_sd"], strict=True)],
        }
    )


def _added(gains: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "columns": gains["features"],
            "beyond": gains["reference"],
            "R² more": _bounded(gains, "r2_gain", "low", "high"),
        }
    )


def _bounded(rows: pd.DataFrame, value: str, low: str, high: str) -> list[str]:
    numbers = rows[[value, low, high]].itertuples(index=False)
    return [f"{one:.3f} [{least:.3f}, {most:.3f}]" for one, least, most in numbers]


def _audio(scores: pd.DataFrame) -> list[str]:
    """Return what the numbers of the tracks alone say of artists that were not trained on, if there are any."""
    rows = scores[(scores["features"] == "audio") & (scores["split"] == "artists") & (scores["model"] == "linear")]
    if rows.empty:
        return []
    r2, low, high = rows[["r2", "r2_low", "r2_high"]].to_numpy(np.float64)[0]
    verdict = ": nothing that can be told from 0." if low <= 0 else "."
    return [
        f"The {len(AUDIO)} numbers of the tracks alone explain R² {r2:.3f} [{low:.3f}, {high:.3f}] of artists that "
        f"were not trained on{verdict}"
    ]
