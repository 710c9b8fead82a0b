"""Columns of a hazard model: each is a value by cell times a value by period."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, diags_array, hstack

from diffusion import SettingError
from diffusion.arrays import Flags, Floats, Ints
from survival.counting.formula import Design
from survival.hazards.baseline import Baseline


@dataclass(frozen=True)
class Columns:
    """Columns of the linear predictor of n cells in k periods. The matrix of n × k rows is never made.

    Attributes
    ----------
    cells
        (n, m): values by cell: a constant, the covariates, and one indicator per value of each effect.
    times
        (k, r): values by period: a constant and the columns of the baseline.
    cell_of, time_of
        (p,): column of `cells` and of `times` whose product is each column of the model.
    """

    cells: csr_array
    times: Floats
    cell_of: Ints
    time_of: Ints

    def predictor(self, coefs: Floats) -> Floats:
        """Return, (n, k), the linear predictor."""
        table = np.zeros((self.cells.shape[1], self.times.shape[1]))
        table[self.cell_of, self.time_of] = coefs
        predictor: Floats = (self.cells @ table) @ self.times.T
        return predictor

    def predictors(self, coefs: Floats) -> Floats:
        """Return, (n, k, q), the linear predictors of q vectors of coefficients, (q, p)."""
        table = np.zeros((self.cells.shape[1], self.times.shape[1], len(coefs)))
        table[self.cell_of, self.time_of] = coefs.T
        by_time = (self.cells @ table.reshape(len(table), -1)).reshape(-1, *table.shape[1:])
        predictors: Floats = self.times @ by_time
        return predictors

    def totals(self, value: Floats) -> Floats:
        """Return, (p,), the sum of each column times a value by cell and period, (n, k)."""
        totals: Floats = (self.cells.T @ (value @ self.times))[self.cell_of, self.time_of]
        return totals

    def products(self, value: Floats, cell: Ints, weight: Floats, moved: Floats) -> Floats:
        """Return, (p, p), the sum over cells and periods of a value times products of columns, and over entries too.

        Parameters
        ----------
        value
            (n, k): value by cell and period.
        cell, weight
            (e,): cell of each kind of entry, and its value.
        moved
            (e, r): sum of each column of `times` over the periods of the entry.
        """
        found = np.zeros((len(self.cell_of), len(self.cell_of)))
        meet = _meet(self.times) | _meet(moved)
        for one, (rows, left) in enumerate(self._by_time):
            for two, (columns, right) in enumerate(self._by_time[: one + 1]):
                if meet[one, two]:
                    own = value @ (self.times[:, one] * self.times[:, two])
                    own += np.bincount(cell, weight * moved[:, one] * moved[:, two], len(own))
                    block = (left.T @ (diags_array(own) @ right)).toarray()
                    found[np.ix_(rows, columns)] = block
                    found[np.ix_(columns, rows)] = block.T
        return found

    @cached_property
    def _by_time(self) -> list[tuple[Ints, csr_array]]:
        """Columns of the model and their values by cell, for each column of `times`."""
        places = [np.flatnonzero(self.time_of == at) for at in range(self.times.shape[1])]
        by_column = self.cells.tocsc()
        return [(place, by_column[:, self.cell_of[place]].tocsr()) for place in places]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the columns are made from values.

    Attributes
    ----------
    design
        The covariates.
    varying
        (p,): whether the coefficient of a covariate differs by period.
    levels
        Values of each variable with effects.
    baseline
        The baseline.
    names
        Name of each column of the model: covariates, effects, then the baseline with covariates by period.
    kinds
        What each column is: ``covariate``, ``baseline``, or the variable of an effect.
    cell_of, time_of
        See `Columns`.
    """

    design: Design
    varying: Flags
    levels: dict[str, pd.Index]
    baseline: Baseline
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    cell_of: Ints
    time_of: Ints

    @classmethod
    def of(cls, design: Design, by_period: Sequence[str], levels: dict[str, pd.Index], baseline: Baseline) -> Self:
        """Return the layout; terms of the formula in `by_period` have one coefficient per column of the baseline."""
        for term in by_period:
            if term not in design.terms:
                raise SettingError(f"'{term}' in by_period is no term of the formula; it has {', '.join(design.terms)}")
        varying = np.isin(np.array(design.terms, np.str_), list(by_period))
        width = len(design.names)
        effects = [(name, value) for name, values in levels.items() for value in values]
        fixed, moving = np.flatnonzero(~varying), np.flatnonzero(varying)
        names = [design.names[at] for at in fixed] + [f"{name}[{value}]" for name, value in effects]
        kinds = ["covariate"] * len(fixed) + [name for name, _ in effects]
        cell_of = [*(1 + fixed), *range(1 + width, 1 + width + len(effects))]
        time_of = [0] * len(cell_of)
        for at, period in enumerate(baseline.names):
            names += [period, *(f"{design.names[one]}:{period}" for one in moving)]
            kinds += ["baseline"] + ["covariate"] * len(moving)
            cell_of += [0, *(1 + moving)]
            time_of += [1 + at] * (1 + len(moving))
        return cls(design, varying, levels, baseline, tuple(names), tuple(kinds), np.array(cell_of), np.array(time_of))

    def columns(self, values: pd.DataFrame, covariates: Floats) -> Columns:
        """Return the columns of the model for n rows of values and their covariates, (n, p)."""
        parts = [csr_array(np.ones((len(values), 1))), csr_array(covariates)]
        for name, known in self.levels.items():
            place = known.get_indexer(pd.Index(values[name]))
            if (place < 0).any():
                value = values[name].iloc[int(np.argmin(place))]
                raise SettingError(f"the value '{value}' of the effect '{name}' was not in the data of the fit")
            ones, rows = np.ones(len(place)), np.arange(len(place))
            parts.append(csr_array((ones, (rows, place)), shape=(len(place), len(known))))
        times = np.column_stack([np.ones(len(self.baseline.columns)), self.baseline.columns])
        return Columns(csr_array(hstack(parts)), times, self.cell_of, self.time_of)


def _meet(columns: Floats) -> Flags:
    """Return, (r, r), whether two columns are both not zero somewhere."""
    there = (columns != 0).astype(np.float64)
    meet: Flags = there.T @ there > 0
    return meet
