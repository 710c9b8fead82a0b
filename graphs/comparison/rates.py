"""Rates of all ordered pairs of markets on two sides, and which differ."""

from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from diffusion.arrays import Floats
from diffusion.conventions import FDR
from diffusion.risk.follow_up import FollowUp
from diffusion.risk.risk_set import exposure_risk
from graphs.comparison.contrast import Contrast, contrast
from graphs.comparison.sides import Followed, Side
from graphs.false_discovery import adjusted

POWER: Final = 0.8
"""Share of the differences of the size `detectable` that would be found."""

_SIDES: Final = ("a", "b")


def exposed(side: Side, follow_up: FollowUp, market: int) -> Followed:
    """Return the tracks of a side with a timed entry into a market, followed from that entry in all common markets.

    `market` is the index of a common market.
    """
    timelines = side.timelines
    entries = np.flatnonzero(timelines.timed & (timelines.market == side.markets[market]))
    risk = exposure_risk(timelines, follow_up, entries)
    track = timelines.track[entries]
    return Followed(
        side.track[track],
        side.artist[track],
        timelines.day[entries],
        risk.days[:, side.markets],
        risk.entered[:, side.markets],
    )


def rate_table(markets: tuple[str, ...], a: Side, b: Side, *, window: int) -> pd.DataFrame:
    """Return the rates of all ordered pairs on both sides, by `source`, then `target`; see `graphs.compare`."""
    follow_ups = [FollowUp.of_exposures(side.timelines, window) for side in (a, b)]
    parts = []
    for source in range(len(markets)):
        one, other = (exposed(side, known, source) for side, known in zip((a, b), follow_ups, strict=True))
        rows = contrast_columns(contrast(one, other))
        parts.append(rows.assign(source=markets[source], target=list(markets)).drop(index=source))
    table = pd.concat(parts, ignore_index=True)
    table["q"] = adjusted(table["p"].to_numpy())
    table["detectable"] = _detectable(table)
    order = ["source", "target", *table.columns.drop(["source", "target", "spread", "skewness"])]
    return table[order].sort_values(["source", "target"], ignore_index=True)


def contrast_columns(found: Contrast) -> pd.DataFrame:
    """Return a contrast as columns, one row per rate."""
    columns: dict[str, object] = {}
    for name, side in zip(_SIDES, (found.a, found.b), strict=True):
        columns |= {
            f"tracks_{name}": side.entered,
            f"exposed_{name}": side.exposed,
            f"rate_{name}": side.rate,
            f"low_{name}": side.low,
            f"high_{name}": side.high,
            f"artists_{name}": side.artists,
        }
    columns |= {
        "shared": found.shared,
        "followed_to": pd.array(np.where(found.followed_to < 0, -1, found.followed_to), "Int64"),
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "p": found.p,
        "spread": found.spread,
        "skewness": found.skewness,
    }
    table = pd.DataFrame(columns)
    table["followed_to"] = table["followed_to"].where(table["followed_to"] >= 0)
    return table


def _detectable(table: pd.DataFrame) -> Floats:
    """Return the difference that would have been found with a power of 80 %, NaN where a pair is not tested.

    A pair is found where p is at most .05 times the share of the pairs that are found. The tail is the longer one.
    """
    tested = table["p"].notna()
    found = int((table["q"] <= FDR).sum())
    cut = FDR * max(found, 1) / max(int(tested.sum()), 1)
    skewness = np.abs(table["skewness"].to_numpy(np.float64))
    needed = stats.pearson3.isf(cut / 2, skewness) + stats.norm.ppf(POWER)
    return np.where(tested, needed * table["spread"], np.nan)
