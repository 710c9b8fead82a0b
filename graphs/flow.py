"""One ordered pair of markets in full."""

from collections.abc import Hashable
from dataclasses import dataclass

import pandas as pd

from diffusion.display import Displayed

NO_CURVE = pd.DataFrame(columns=["days", "at_risk", "entered", "censored", "incidence", "low", "high"], dtype=float)
"""The lag curve of a pair without exposed tracks."""


@dataclass(frozen=True, slots=True, repr=False)
class Flow(Displayed):
    """One ordered pair of markets in full.

    Attributes
    ----------
    edge
        Row of the pair in `MarketGraph.edges`, column → value.
    back
        Row of the opposite direction, column → value.
    curve
        Lag curve: `days`, `at_risk`, `entered`, `censored` (tracks), `incidence` (P(target within `days` | source)),
        and its 95 % band `low`, `high`, robust to clusters (tracks of one artist).

    Examples
    --------
    >>> flow = graph.flow("Iceland", "Sweden")
    >>> flow
    <Flow IS → SE: 22 of 111 exposed tracks>
    >>> flow.edge["tracks"], flow.back["tracks"], len(flow.curve)
    (22, 0, 61)
    """

    edge: dict[Hashable, object]
    back: dict[Hashable, object]
    curve: pd.DataFrame

    def _facts(self) -> str:
        edge = self.edge
        return f" {edge['source']} → {edge['target']}: {edge['tracks']:,} of {edge['exposed']:,} exposed tracks"

    def _shown(self) -> pd.DataFrame:
        return self.curve
