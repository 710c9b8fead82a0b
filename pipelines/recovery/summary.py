"""What the simulations of a study say together, and whether each claim reaches its goal."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from diffusion.arrays import Floats
from diffusion.conventions import CONFIDENCE
from diffusion.simulation.recipes import WORLDS
from pipelines.contracts.recovery import RECOVERY
from pipelines.recovery.goals import (
    ALL,
    CREDITS,
    LARGE,
    LEAST_SIMULATIONS,
    RIVALS,
    Measure,
    coverage_bounds,
    goal_of,
)

KEYS: Final = ["world", "tracks", "markets"]

Row = dict[str, object]


def summed_up(claims: pd.DataFrame, intervals: pd.DataFrame) -> pd.DataFrame:
    """Return the table of a study, `pipelines.contracts.recovery.RECOVERY`.

    Parameters
    ----------
    claims, intervals
        As `pipelines.contracts.recovery.RECOVERY_CLAIMS` and `RECOVERY_INTERVALS` say.
    """
    rows = [*_claim_rows(claims), *_interval_rows(intervals)]
    table = pd.DataFrame(rows, columns=RECOVERY.names)
    return table.astype({"tracks": "Int64", "markets": "Int64", "met": "boolean"})


def _claim_rows(claims: pd.DataFrame) -> Iterator[Row]:
    """Yield the measures of every claim: by world and size, then of all together; first without influence."""
    influence = claims["world"].map(lambda name: WORLDS[name].density > 0)
    for there in (False, True):
        own = claims[influence == there]
        for (world, tracks, markets), part in own.groupby(KEYS, sort=False):
            keys: Row = {"influence": there, "world": world, "tracks": tracks, "markets": markets}
            yield from (keys | row for row in _measured(part, str(world), influence=there))
        keys = {"influence": there, "world": ALL, "tracks": None, "markets": None}
        large = own[own["tracks"] >= LARGE] if there else own
        yield from (keys | row for row in _measured(large, ALL, influence=there))


def _measured(part: pd.DataFrame, world: str, *, influence: bool) -> Iterator[Row]:
    """Yield one row per claim and measure of some simulations."""
    judged = not influence or bool((part["tracks"] >= LARGE).all())
    for claim, measure, shares in _shares(part, influence=influence):
        goal = goal_of(claim, measure, influence=influence)
        if goal is not None and world == ALL:
            shares = shares[~shares["world"].isin([name for name, _ in goal.apart])]
        bounds = goal.bounds(world) if goal is not None and judged else None
        yield _row(claim, measure, shares, bounds, enough=len(shares) >= LEAST_SIMULATIONS)


def _shares(part: pd.DataFrame, *, influence: bool) -> Iterator[tuple[str, Measure, pd.DataFrame]]:
    """Yield claim, measure, and `hits` of `trials` by simulation."""
    for name, own in part.groupby("claim", sort=False):
        claim = str(name)
        if own["score"].notna().any():
            yield claim, "precision", _of(own, own["score"], 1.0)
        if not influence and own["found"].notna().any():
            yield claim, "any", _of(own, (own["found"] > 0).astype(float), 1.0)
        if own["small"].notna().any():
            yield claim, "small", _of(own, own["small"], own["tests"])
        if influence and own["real"].notna().any():
            yield claim, "false", _of(own, own["false"], own["found"])
            yield claim, "power", _of(own, own["hits"], own["real"])
    if (part["claim"] == CREDITS).any():
        scores = part.pivot_table(index=[*KEYS, "simulation"], columns="claim", values="score").reset_index()
        rival = scores[list(RIVALS)].mean().idxmax()
        yield CREDITS, "relative precision", _of(scores, scores[CREDITS], scores[rival])


def _of(own: pd.DataFrame, hits: "pd.Series[float]", trials: "pd.Series[float] | float") -> pd.DataFrame:
    return own[["world"]].assign(hits=hits.astype(float), trials=trials).astype({"trials": float})


def _interval_rows(intervals: pd.DataFrame) -> Iterator[Row]:
    """Yield the coverage of every quantity, by world and size."""
    for (world, tracks, markets, quantity), own in intervals.groupby([*KEYS, "quantity"], sort=False):
        keys: Row = {"influence": WORLDS[str(world)].density > 0, "world": world, "tracks": tracks, "markets": markets}
        shares = _of(own, own["intervals"] - own["below"] - own["above"], own["intervals"])
        claim = f"interval of {quantity}"
        bounds = coverage_bounds(int((own["intervals"] > 0).sum()))
        yield keys | _row(claim, "coverage", shares, bounds, enough=True)
        shares = _of(own, own["missing"], own["intervals"] + own["missing"])
        yield keys | _row(claim, "missing", shares, None, enough=True)


def _row(
    claim: str, measure: Measure, shares: pd.DataFrame, bounds: tuple[float, float] | None, *, enough: bool
) -> Row:
    """Return one row of the table, without its world and size."""
    hits, trials = shares["hits"].to_numpy(), shares["trials"].to_numpy()
    value = float(hits.sum() / trials.sum()) if trials.sum() else np.nan
    counted = measure not in ("precision", "relative precision")
    low, high = share_interval(hits, trials) if counted else (np.nan, np.nan)
    least, most = bounds or (np.nan, np.nan)
    judged = enough and bounds is not None and not np.isnan(value)
    row: Row = {"claim": claim, "measure": measure, "simulations": len(shares), "trials": float(trials.sum())}
    row |= {"value": value, "low": low, "high": high, "least": least, "most": most}
    return row | {"met": bool(least <= value <= most) if judged else None}


def share_interval(hits: Floats, trials: Floats) -> tuple[float, float]:
    """Return the 95 % interval of the share of hits over all simulations; trials of one simulation are dependent.

    Parameters
    ----------
    hits, trials
        (s,): one element per simulation.

    Notes
    -----
    This is Wilson's interval with an effective number of trials. That number gives the variance of the share between
    simulations (a ratio estimator), and is at most the number of trials. A single simulation uses its number of trials.
    """
    total = float(trials.sum())
    if total == 0:
        return np.nan, np.nan
    share = float(hits.sum()) / total
    effective, used = total, int((trials > 0).sum())
    if used > 1 and 0 < share < 1:
        variance = used / (used - 1) * float(((hits - share * trials) ** 2).sum()) / total**2
        effective = min(total, share * (1 - share) / variance) if variance > 0 else total
    z = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
    scale = 1 + z**2 / effective
    centre = (share + z**2 / (2 * effective)) / scale
    reach = z / scale * np.sqrt(share * (1 - share) / effective + z**2 / (4 * effective**2))
    return max(0.0, float(centre - reach)), min(1.0, float(centre + reach))
