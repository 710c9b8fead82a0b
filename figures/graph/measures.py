"""Titles and units of the leader measures on figures."""

import math
from collections.abc import Mapping
from typing import Final

MEASURES: Final = {
    "lead_excess": ("Lead beyond the baseline", "moves beyond the share expected, per move"),
    "net_flow": ("Net flow", "transitions sent minus received"),
    "out_tracks": ("Sent", "transitions sent"),
    "in_tracks": ("Received", "transitions received"),
    "out_share": ("Share sent", "transitions sent over sent and received"),
    "pagerank": ("PageRank", "share of the reversed flow (0 … 1)"),
    "hub": ("HITS hub", "hub score of the flow (no unit)"),
    "authority": ("HITS authority", "authority score (no unit)"),
    "springrank": ("SpringRank", "level (no unit)"),
    "bradley_terry": ("Bradley–Terry", "log odds of being first"),
    "closeness": ("Closeness by lag", "mean of 1 / fastest path (per day)"),
    "betweenness": ("Betweenness", "share of fastest paths (0 … 1)"),
    "clout": ("Clout", "entries elsewhere per entry, over direct pairs"),
    "susceptibility": ("Susceptibility", "entries per entry elsewhere, over direct pairs"),
    "entries": ("Size (no graph)", "entries into the charts"),
    "volume": ("Volume (no graph)", "timed entries"),
}
"""Title and unit of the known measures."""


def titled(measure: str) -> tuple[str, str]:
    """Return the title and unit of a measure; an unknown measure has its own name as title and the unit "score".

    Examples
    --------
    >>> titled("pagerank")[0], titled("net_of_ties")
    ('PageRank', ('net_of_ties', 'score'))
    """
    return MEASURES.get(measure, (measure, "score"))


def beside_size(measure: str, size_tau: Mapping[str, float]) -> str:
    """Return the title of a measure, with its rank correlation with size where that is known.

    Examples
    --------
    >>> beside_size("hub", {"hub": 0.753}), beside_size("hub", {})
    ('HITS hub (τ .75)', 'HITS hub')
    """
    title, tau = titled(measure)[0], size_tau.get(measure, math.nan)
    if math.isnan(tau):
        return title
    return f"{title} (τ {f'{tau:.2f}'.replace('0.', '.').replace('-', '−')})"
