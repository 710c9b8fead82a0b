"""What the entries before a step add to the weights of the markets it may enter."""

from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from diffusion.errors import SettingError
from graphs.baseline.steps import Steps, blocks_of

Columns = NDArray[np.float32]

Numbers = NDArray[np.floating[Any]]
"""In double precision where a sum must be exact, in single where it must be quick."""

HALVING: Final = 7.0
"""Days after which the effect of an entry is taken to have fallen to a half."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Linear terms of k steps: column j adds ``columns[i, j] · effect[j, b]`` to market b at step i.

    The first m columns are senders; a sender adds nothing to a market into which the order was not observed.

    Attributes
    ----------
    columns
        (k, p): senders first, `kernel` of the days since their entry, 0 where there is none within the window.
    row, sender, market
        (e,): steps, senders and markets at risk for which the order was not observed, by step.
    """

    columns: Columns
    row: Ints
    sender: Ints
    market: Ints

    @classmethod
    def of(cls, steps: Steps, *, window: int, halving: float, cadence: int) -> Self:
        """Return the terms of senders alone.

        Parameters
        ----------
        window
            Days within which a sender was entered before, the bound included.
        halving, cadence
            As in `kernel`.

        Raises
        ------
        SettingError
            When the window is below 1.
        """
        if window < 1:
            raise SettingError(f"window is {window} days; it must be at least 1")
        values = kernel(np.arange(window + 1), halving, cadence).astype(np.float32)
        columns, parts = np.zeros(steps.lag.shape, np.float32), []
        for rows in blocks_of(len(steps)):
            lag = np.where(steps.lag[rows] <= window, steps.lag[rows], 0)
            columns[rows] = values[lag]
            parts.append(_unordered(lag, steps.since[rows], rows.start))
        return cls(columns, *np.concatenate(parts, axis=1))

    def with_columns(self, more: Columns) -> Self:
        """Return the terms with further columns, (k, c), that are the same for all markets."""
        return replace(self, columns=np.concatenate([self.columns, more], axis=1))

    def __len__(self) -> int:
        return len(self.columns)

    def spread(self, effects: Numbers, rows: slice) -> Numbers:
        """Return the sum of all terms of some steps, (r, m), in the precision of `effects` (p, m)."""
        columns: Numbers = self.columns[rows].astype(effects.dtype, copy=False)
        total: Numbers = columns @ effects
        row, sender, market = self.unordered(rows)
        np.subtract.at(total, (row, market), self.columns[row + rows.start, sender] * effects[sender, market])
        return total

    def gathered(self, values: Numbers, rows: slice) -> Numbers:
        """Return the sum over some steps of columns times values (r, m): (p, m), in the precision of `values`."""
        columns: Numbers = self.columns[rows].astype(values.dtype, copy=False)
        total: Numbers = columns.T @ values
        row, sender, market = self.unordered(rows)
        np.subtract.at(total, (sender, market), self.columns[row + rows.start, sender] * values[row, market])
        return total

    def products(self, values: Columns, rows: slice) -> Floats:
        """Return for every market the sum over some steps of products of two columns times its values: (p, p, m)."""
        columns = self.columns[rows]
        total = np.zeros((columns.shape[1], columns.shape[1], values.shape[1]))
        for column in range(columns.shape[1]):
            own = np.flatnonzero(columns[:, column])
            weighted = columns[own] * columns[own, column, None]
            total[column] = weighted.T @ values[own]
        row, sender, market = self.unordered(rows)
        for target in np.unique(market):
            taken = market == target
            own, place = np.unique(row[taken], return_inverse=True)
            all_, ordered = columns[own], columns[own].copy()
            ordered[place, sender[taken]] = 0
            weight = values[own, target, None]
            total[:, :, target] += (weight * ordered).T @ ordered - (weight * all_).T @ all_
        return total

    def by_group(self, values: Floats, rows: slice, group: Ints) -> Floats:
        """Return the sums of columns times values (r, m) by group (r,), which stand in order: (g, p, m)."""
        columns = self.columns[rows]
        total = np.zeros((int(group[-1]) + 1, columns.shape[1], values.shape[1]))
        for column in range(columns.shape[1]):
            own = np.flatnonzero(columns[:, column])
            if len(own):
                heads = np.flatnonzero(np.diff(group[own], prepend=-1))
                total[group[own[heads]], column] = np.add.reduceat(columns[own, column, None] * values[own], heads)
        row, sender, market = self.unordered(rows)
        lost = columns[row, sender] * values[row, market]
        np.subtract.at(total, (group[row], sender, market), lost)
        return total

    def unordered(self, rows: slice) -> tuple[Ints, Ints, Ints]:
        """Return those of some steps, numbered from the first of them."""
        begin, end = np.searchsorted(self.row, (rows.start, rows.stop))
        return self.row[begin:end] - rows.start, self.sender[begin:end], self.market[begin:end]


def kernel(lag: NDArray[np.integer], halving: float, cadence: int) -> Floats:
    """Return how strongly an entry acts after some days: 1 on the next chart, half of it `halving` days later.

    Parameters
    ----------
    lag
        Days since the entry; 0 stands for no entry.
    halving
        Days after which the effect has fallen to a half.
    cadence
        Days between charts.
    """
    return np.where(lag > 0, 2.0 ** (-np.maximum(lag - cadence, 0) / halving), 0.0)


def _unordered(lag: NDArray[np.integer], since: NDArray[np.integer], begin: int) -> Ints:
    """Return steps, senders, and markets at risk whose previous chart was after the sender's entry, (3, e).

    Steps are numbered from `begin`.
    """
    soonest = np.where(lag > 0, lag, np.iinfo(lag.dtype).max).min(axis=1)
    row = np.flatnonzero(since.max(axis=1) > soonest)
    own, sender, market = np.nonzero((lag[row, :, None] > 0) & (since[row, None, :] > lag[row, :, None]))
    return np.stack([begin + row[own], sender, market])
