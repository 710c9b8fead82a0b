"""Missing values of the charts by column: structural, where a whole chart lacks the column, or real."""

from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from diffusion.contracts import NULLABLE
from diffusion.frames import frame_of

NAMES: Final = {"licences": "available markets", "audio": "audio features", "duration_ms": "duration"}
"""Column → its name in words, where it differs."""


def null_tables(wide: pa.Table) -> dict[str, pd.DataFrame]:
    """Return `nulls` and `null_columns`; columns as in `pipelines.contracts.missing`.

    A missing value is structural when no row of the same chart, market and date has one, and real when another has.

    Parameters
    ----------
    wide
        Rows as `diffusion.contracts.NULLS`: result of ``charts.arrow("nulls")``.
    """
    long = _long(frame_of(wide))
    return {"nulls": long, "null_columns": _columns(long)}


def _long(wide: pd.DataFrame) -> pd.DataFrame:
    keys = wide[["chart", "market", "year", "chart_rows"]]
    parts = [
        keys.assign(column=name, missing=wide[f"{name}_missing"], structural=wide[f"{name}_absent"])
        for name in NULLABLE
    ]
    table = pd.concat(parts, ignore_index=True)
    real = table["missing"] - table["structural"]
    kinds = [table["missing"] == 0, real == 0, table["structural"] == 0]
    return table.assign(real=real, kind=np.select(kinds, ["none", "structural", "real"], "both"))


def _columns(long: pd.DataFrame) -> pd.DataFrame:
    """Return one row per chart and column: what is missing of it, and the year and market that lack most."""
    groups = long.groupby(["chart", "column"], sort=False)
    table = groups[["chart_rows", "missing", "structural", "real"]].sum().reset_index()
    for name in ("missing", "structural", "real"):
        table[f"{name}_share"] = table[name] / table["chart_rows"]
    cells = groups.agg(
        cells=("kind", "size"), structural_cells=("structural", lambda it: int((it > 0).sum()))
    ).reset_index()
    table = table.merge(cells, on=["chart", "column"])
    shares = long.assign(share=long["real"] / long["chart_rows"])
    worst = shares.loc[shares.groupby(["chart", "column"], sort=False)["share"].idxmax()]
    worst = worst[["chart", "column", "market", "year", "share"]]
    table = table.merge(worst.set_axis(["chart", "column", "most_market", "most_year", "most_share"], axis=1))
    real = table["real"] > 0
    table["most_market"] = table["most_market"].where(real)
    table["most_year"] = table["most_year"].astype("Int64").where(real)
    table["most_share"] = table["most_share"].where(real)
    return table
