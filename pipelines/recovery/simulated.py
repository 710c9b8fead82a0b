"""One simulation of a cell, and the tables that the product makes of it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from diffusion.arrays import Flags, Floats
from diffusion.simulation.process_worlds import ProcessWorld, draw_sample
from diffusion.simulation.structures import DAYS, draw_structure
from graphs.baseline import Baseline, baseline, direct_table, edge_table, entry_credits, joint_fit
from pipelines.recovery.cells import Cell


@dataclass(frozen=True, slots=True)
class Simulated:
    """One simulation, and what several claims use.

    Attributes
    ----------
    cell, seed
        World and size, and the numbers that the simulation's generator is made from.
    world
        What is drawn.
    baseline
        The baseline of its entries, with the world's likeness.
    lifts, influence
        The tables of its pairs, `graphs.contracts.LIFTS` and `INFLUENCE`.
    """

    cell: Cell
    seed: tuple[int, ...]
    world: ProcessWorld
    baseline: Baseline
    lifts: pd.DataFrame
    influence: pd.DataFrame

    @classmethod
    def of(cls, cell: Cell, seed: tuple[int, ...]) -> Self:
        """Return a simulation of a cell, of a structure of its own."""
        world = drawn(cell, seed)
        fit = baseline(world.entries, pairs=world.pairs)
        lifts, joint = edge_table(fit), joint_fit(fit)
        return cls(cell, seed, world, fit, lifts, direct_table(fit, joint, lifts, entry_credits(joint)))

    @property
    def influenced(self) -> Flags:
        """Whether there is influence, of the pairs of `lifts`."""
        return self._of_pairs(self.world.truth.alpha > 0)

    @property
    def any_way(self) -> Flags:
        """The same by itself or by way of one third market."""
        return self._of_pairs(self.world.truth.any_way)

    def _of_pairs(self, true: Flags) -> Flags:
        markets = pd.Index(self.world.entries.calendar.markets)
        source, target = (markets.get_indexer(pd.Index(self.lifts[end])) for end in ("source", "target"))
        return np.asarray(true[source, target])

    def scores(self, table: pd.DataFrame, column: str) -> Floats:
        """Return a column of another table by `source` and `target`, of the pairs of `lifts`; NaN where it has none."""
        values = table.set_index(["source", "target"])[column]
        pairs = pd.MultiIndex.from_frame(self.lifts[["source", "target"]])
        return values.reindex(pairs).to_numpy(float, na_value=np.nan)


def drawn(cell: Cell, seed: tuple[int, ...], *, days: int = DAYS, alike: bool = False) -> ProcessWorld:
    """Return a world of a cell, of a structure of its own: observed for so many days, its markets `alike` in size."""
    own, sample = cell.rng(*seed).spawn(2)
    structure = draw_structure(cell.world, own, markets=cell.markets, days=days, alike=alike)
    return draw_sample(structure, sample, tracks=cell.tracks)
