"""A Cox model of lifelines, fitted to the same rows."""

from typing import Any

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

from diffusion import SettingError
from diffusion.arrays import Ints
from survival.counting.counted import CountedWaits
from survival.regression.cox_data import MOST, CoxData
from survival.regression.partial_likelihood import TieMethod
from survival.regression.row_sums import Rows

ENTRY, DAYS, ENTERED, WEIGHT = "entry", "days", "entered", "weight"
"""Columns of the rows that are given to lifelines, beside the variables."""


def lifelines_fit(data: CoxData, ties: TieMethod, penalizer: float, l1_ratio: float) -> Any:
    """Return the model of lifelines; see `survival.regression.cox_fit.CoxFit.to_lifelines`."""
    if ties != "efron":
        raise SettingError("lifelines takes ties after Efron only; fit with ties='efron'")
    if data.values is None or data.rows > MOST:
        raise SettingError(f"{data.rows:,.0f} rows are too many for lifelines; {MOST:,} or fewer can be converted")
    for name in (ENTRY, DAYS, ENTERED, WEIGHT):
        if name in data.values:
            raise SettingError(f"the variable '{name}' has the name of a column that lifelines is given; rename it")
    rows = _of_rows(data.values, data.waits) if isinstance(data.waits, Rows) else _of_counts(data.values, data.waits)
    fitter = CoxPHFitter(penalizer=penalizer, l1_ratio=l1_ratio, strata=list(data.strata) or None)
    columns = {"weights_col": WEIGHT} if WEIGHT in rows else {}
    if ENTRY in rows:
        columns["entry_col"] = ENTRY
    return fitter.fit(rows, DAYS, ENTERED, formula=data.design.formula, **columns)


def _of_rows(values: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """Return the rows of a frame."""
    found = values.assign(**{DAYS: rows.stop, ENTERED: rows.event})
    if rows.start is not None:
        found[ENTRY] = rows.start
    return found if (rows.weight == 1).all() else found.assign(**{WEIGHT: rows.weight})


def _of_counts(values: pd.DataFrame, waits: CountedWaits) -> pd.DataFrame:
    """Return rows with the same numbers at risk and of entries by cell and day.

    In a cell, who begins first ends first: which beginning belongs to which end changes no number at risk.
    """
    cell, start = _listed(waits.opened)
    _, stop = _listed(waits.closed)
    rank = np.arange(len(cell)) - np.searchsorted(
        cell * len(waits.opened[0]) + stop, cell * len(waits.opened[0]) + stop
    )
    found = values.iloc[cell].reset_index(drop=True)
    found = found.assign(**{DAYS: stop.astype(np.float64), ENTERED: rank < waits.entered[cell, stop]})
    return found.assign(**{ENTRY: start.astype(np.float64)}) if start.any() else found


def _listed(counts: Ints) -> tuple[Ints, Ints]:
    """Return the cell and day of each that is counted, in order."""
    cell, day = np.nonzero(counts)
    number = counts[cell, day]
    return np.repeat(cell, number), np.repeat(day, number)
