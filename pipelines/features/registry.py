"""What a feature is: its family, unit, meaning, sources, and when it is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pipelines.features.history import History
from pipelines.features.scene import Scene

FamilyName = Literal[
    "temporal", "artist", "recording", "language", "regional", "track", "cross-border", "graph", "survival", "own"
]
"""Families of features; ``own`` are columns of the user's."""

Known = Literal["always", "as of", "closed windows", "own date"]
"""When a feature is known. ``always``: from reference tables. ``as of``: from charts published by the as-of date.
``closed windows``: learned at the last cut-off from tracks whose horizon was over by then. ``own date``: from the date
in the user's table."""

Values = NDArray[np.float32]
"""Values of one feature on one day: (n,) per track, (m,) per market or (n, m) per track and market; NaN is missing."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature.

    Attributes
    ----------
    name
        Name of the column.
    unit
        Unit, such as ``days`` or ``share``.
    meaning
        What the number says, in one sentence.
    sources
        Tables it is made from: ``charts``, ``tracks``, ``markets``, ``distances``, or the user's file.
    known
        When it is known.
    family
        Family it belongs to.
    """

    name: str
    unit: str
    meaning: str
    sources: tuple[str, ...]
    known: Known
    family: FamilyName


class Family(Protocol):
    """Features made together. A family sees only what was known on the day, so no feature can look ahead.

    All arrays that `observe` needs beside its arguments are in `state`, so that a saved family goes on where it was.
    """

    @property
    def features(self) -> tuple[Feature, ...]:
        """Features that `observe` returns, in order."""

    def advance(self, known: History, day: int) -> None:
        """Take in the charts of a day; called once for every day on which any market was observed, in order.

        `known` is what was known at the end of the day.
        """

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values for the tracks of a day, after `advance` took in that day."""

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return name → array: everything learned so far."""

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state that `state` returned."""
