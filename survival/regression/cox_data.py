"""Waits made ready for a Cox model: rows of a frame, or counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Floats, Ints
from survival.counting.counted import CLUSTERS, Cluster, CountedWaits, WaitSource
from survival.counting.formula import Design, variables_of
from survival.counting.frame import flags
from survival.regression.cell_sums import CellSums
from survival.regression.risk_sums import RiskSums, Scale, scale_of
from survival.regression.row_sums import Rows, RowSums

MOST: Final = 200_000
"""Most rows that are given to lifelines."""


@dataclass(frozen=True, slots=True)
class CoxData:
    """What a Cox model is fitted to.

    Attributes
    ----------
    waits
        Rows, n of them, or counted waits of n cells.
    values
        n rows: variables of the covariates and strata; None where there are more rows than lifelines is given.
    design
        Covariates.
    scale
        Their mean and standard deviation over the rows, or over the waits that are counted.
    strata
        Names of the variables that make strata.
    levels
        One row per stratum: the values of these variables.
    stratum
        (n,): number of the stratum.
    cluster
        What may be dependent: ``artist``, ``track``, ``independent``, or the name of a column.
    """

    waits: Rows | CountedWaits
    values: pd.DataFrame | None
    design: Design
    scale: Scale
    strata: tuple[str, ...]
    levels: pd.DataFrame
    stratum: Ints
    cluster: str

    @property
    def rows(self) -> float:
        """Number of rows, or of times at risk that are counted."""
        return float(len(self.stratum) if isinstance(self.waits, Rows) else self.waits.opened.sum())

    @property
    def clustered(self) -> bool:
        """Whether some waits may be dependent."""
        return (self.waits.cluster if isinstance(self.waits, Rows) else self.waits.clusters) is not None

    def sums(self, after: float = -np.inf, until: float = np.inf) -> RiskSums:
        """Return the sums over risk sets; events count at times ``after < time ≤ until`` (default: all)."""
        if isinstance(self.waits, Rows):
            return RowSums.of(self.waits.between(after, until), self.design.matrix, self.scale)
        return CellSums.of(self.waits, self.stratum, self.design.matrix, self.scale, (after, until))


def counted_data(source: WaitSource, formula: str, strata: Sequence[str], cluster: Cluster) -> CoxData:
    """Return waits counted by the variables of a formula and strata."""
    if cluster not in CLUSTERS:
        raise SettingError(f"waits may depend on each other by {', '.join(CLUSTERS)}, not by '{cluster}'")
    names = tuple(dict.fromkeys((*variables_of(formula), *strata)))
    waits = source.counted(names, cluster=cluster)
    design = Design.of(formula, waits.values)
    stratum, levels = _strata(waits.values, strata)
    scale = scale_of(design.matrix, waits.opened.sum(axis=1).astype(np.float64))
    return CoxData(waits, waits.values, design, scale, tuple(strata), levels, stratum, waits.cluster)


def frame_data(
    frame: pd.DataFrame,
    formula: str,
    *,
    days: str,
    entered: str,
    start: str | None,
    strata: Sequence[str],
    weights: str | None,
    cluster: str | None,
) -> CoxData:
    """Return the rows of a frame; see `survival.regression.cox.cox_rows`."""
    for name in (days, entered, start, weights, cluster, *strata):
        if name is not None and name not in frame:
            raise SettingError(f"no column '{name}' in the frame; it has {', '.join(map(str, frame))}")
    if frame.empty:
        raise DataSaysNoError("the frame has no row: there is nothing to fit")
    stop = _numbers(frame, days)
    begin = None if start is None else _numbers(frame, start)
    first = np.zeros(len(frame)) if begin is None else begin
    if (first >= stop).any():
        at = int(np.argmax(first >= stop))
        raise SettingError(
            f"row {at} is at risk after {first[at]:g} until {stop[at]:g}: a time at risk must end after it begins"
        )
    weight = np.ones(len(frame)) if weights is None else _numbers(frame, weights)
    if not (weight > 0).all():
        raise SettingError(f"row {int(np.argmin(weight > 0))} of the column '{weights}' is not above 0; leave it out")
    stratum, levels = _strata(frame, strata)
    group = None if cluster is None else _numbered(frame, [cluster])
    rows = Rows(begin, stop, flags(frame, entered), weight, stratum, group)
    design = Design.of(formula, frame)
    values = frame[list(dict.fromkeys((*design.variables, *strata)))] if len(frame) <= MOST else None
    scale = scale_of(design.matrix, np.ones(len(frame)))
    return CoxData(rows, values, design, scale, tuple(strata), levels, stratum, cluster or "independent")


def _strata(values: pd.DataFrame, strata: Sequence[str]) -> tuple[Ints, pd.DataFrame]:
    """Return, (n,), the number of the stratum, and one row of values per stratum."""
    if not strata:
        return np.zeros(len(values), np.int64), pd.DataFrame(index=[0])
    number = _numbered(values, strata)
    return number, values[list(strata)].iloc[np.unique(number, return_index=True)[1]].reset_index(drop=True)


def _numbered(values: pd.DataFrame, names: Sequence[str]) -> Ints:
    """Return, (n,), the number of each combination of values, in their order."""
    for name in names:
        if values[name].isna().any():
            raise SettingError(
                f"the column '{name}' has {values[name].isna().sum():,} missing values; leave these rows out"
            )
    return np.asarray(values.groupby(list(names), sort=True, observed=True).ngroup(), np.int64)


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    """Return a column of finite numbers."""
    numbers: Floats = pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    if not np.isfinite(numbers).all():
        at = int(np.argmin(np.isfinite(numbers)))
        raise SettingError(f"row {at} of the column '{name}' is {frame[name].iloc[at]}; it must be a finite number")
    return numbers
