"""Placebos: what the same procedure finds in charts drawn from the baseline, and in charts dealt anew."""

from typing import Any, Final

import numpy as np
import pandas as pd

from diffusion.conventions import FDR
from diffusion.errors import DataSaysNoError
from graphs.baseline import Baseline, dealt_entries, joint_fit, simulated_entries
from graphs.baseline.direct import joint_test
from graphs.baseline.edges import verdict_table
from graphs.baseline.fit import fitted_again
from graphs.leaders.asymmetry import Leads, lead_table
from graphs.parallel import BASELINES_AT_ONCE, in_order

CELLS: Final = (20_000_000, 500_000_000)
"""Steps times pairs up to which every draw gets a joint fit, and up to which the first draw of a kind gets one.

With more than the second there are half the draws, too.
"""

DRAWN: Final = {"baseline": simulated_entries, "permutation": dealt_entries}
"""Kind → what draws the entries."""


def placebo_table(
    baseline: Baseline, *, window: int, draws: int, replicates: int, seed: int = 0, direct: bool = True
) -> pd.DataFrame:
    """Return what is found in charts drawn from a baseline, and in charts whose markets are dealt anew.

    Each of them gets a baseline of its own, and the tests of the charts themselves.

    Parameters
    ----------
    baseline
        The baseline of the charts.
    window
        Days within which the target must follow, the bound included.
    draws
        Charts drawn from the baseline; their markets are dealt anew once.
    replicates
        Draws for the rank groups, as in `graphs.leaders.asymmetry.lead_table`.
    seed
        Where chance starts from (default 0).
    direct
        Whether draws get a joint fit, as far as `CELLS` allows (default True).

    Returns
    -------
    DataFrame
        As `graphs.contracts.PLACEBO` says, without the row of the charts themselves.
    """
    cells = len(baseline.parts) * len(baseline.markets) ** 2
    last = draws if cells <= CELLS[1] else (draws + 1) // 2

    def found(drawn: tuple[str, int]) -> dict[str, Any]:
        kind, draw = drawn
        fit = fitted_again(baseline, entries=DRAWN[kind](baseline, seed=seed + draw))
        lifts = verdict_table(fit, window=window)
        jointly = direct and (cells <= CELLS[0] or (draw == 1 and cells <= CELLS[1]))
        influence = _influence(fit, lifts, window) if jointly else None
        leaders = lead_table(Leads.of(fit, window=window), replicates=replicates, seed=seed)
        return {"kind": kind, "draw": draw} | found_counts(lifts, influence, leaders)

    # those with a joint fit first: they take longest, and one that comes last would run alone
    all_ = [("permutation", 1), *(("baseline", draw) for draw in range(1, last + 1))]
    table = pd.DataFrame(in_order(found, all_, most=BASELINES_AT_ONCE)).astype({"direct": "Int64"})
    return table.sort_values(["kind", "draw"], ignore_index=True)


def _influence(fit: Baseline, lifts: pd.DataFrame, window: int) -> pd.DataFrame | None:
    """Return the verdict on direct influence; None where the joint fit does not converge."""
    try:
        return joint_test(joint_fit(fit, window=window), lifts)
    except DataSaysNoError:
        return None


def found_counts(
    lifts: pd.DataFrame, influence: pd.DataFrame | None, leaders: pd.DataFrame
) -> dict[str, int | float | None]:
    """Return the numbers of what was found, as `graphs.contracts.PLACEBO` has them.

    Parameters
    ----------
    lifts
        `source`, `target`, `q`, `q_sizes`, `edge` and `ordered` of all pairs.
    influence
        `direct` of all pairs; None where there was no joint fit.
    leaders
        `group` of the markets that are told apart.
    """
    edges = lifts[lifts["edge"]]
    there = pd.MultiIndex.from_frame(edges[["source", "target"]])
    back = pd.MultiIndex.from_frame(edges[["target", "source"]])
    return {
        "tested": int(lifts["q"].notna().sum()),
        "edges_sizes": int((lifts["q_sizes"] <= FDR).sum()),
        "edges": len(edges),
        "reverse": float(back.isin(there).mean()) if len(edges) else np.nan,
        "ordered": int(lifts["ordered"].sum()),
        "direct": None if influence is None else int(influence["direct"].sum()),
        "groups": int(leaders["group"].nunique()),
    }
