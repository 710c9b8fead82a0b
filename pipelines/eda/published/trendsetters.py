"""Platt et al. 2015: no country sets trends."""

from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from diffusion import DataSaysNoError, market_names
from diffusion.conventions import CONFIDENCE, FDR
from graphs.leaders.asymmetry import MEASURE
from pipelines.eda.published.claim import Claim, Estimate, Verdict
from pipelines.eda.published.trends import POWER

SMALL: Final = 0.1
"""Lead (moves per move) below which nobody would be called a trendsetter."""

NO_TRENDSETTERS: Final = Claim(
    "no_trendsetters",
    "No country sets trends",
    "Platt, Bhargava & Zuckerman 2015, ICWSM 9",
    "number of markets that lead beyond the baseline at q ≤ .05",
    "no market leads: moves start from either market of a pair as often as the baseline of sizes and likeness expects",
    "They had trending videos and where these lasted longest. A lead in these charts is seen with particular partners "
    "only: a market that lifts all others alike does not show, nor does one that is first on the day of a debut.",
)


def tested_leads(leaders: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the tested measure with a verdict.

    Raises
    ------
    DataSaysNoError
        When there are none.
    """
    tested: pd.DataFrame = leaders[(leaders["measure"] == MEASURE) & leaders["q"].notna()]
    if tested.empty:
        raise DataSaysNoError(
            "of no market it can be said whether it leads: no order between markets, or too few artists"
        )
    return tested


def no_trendsetters(leaders: pd.DataFrame) -> Estimate:
    """Return how many markets lead, and the lead that would have been found.

    Parameters
    ----------
    leaders
        Table `leaders` of a study.

    Notes
    -----
    The claim is that there is nothing. It does not hold where a market leads; it holds where none does although a lead
    of .1 would have been found in half of the markets, allowing for their number.
    """
    tested = tested_leads(leaders)
    leading = tested[(tested["q"] <= FDR) & (tested["score"] > 0)]
    free = np.maximum(tested["artists"].to_numpy(np.float64) - 1, 1)
    error = (tested["high"] - tested["low"]).to_numpy(np.float64) / 2 / stats.t.ppf((1 + CONFIDENCE) / 2, free)
    cut = stats.t.ppf(1 - FDR / 2 / len(tested), free)
    detectable = float(np.median((cut + stats.t.ppf(POWER, free)) * error))
    said = f"{len(leading)} of {len(tested)} markets {'leads' if len(leading) == 1 else 'lead'} beyond the baseline"
    if len(leading):
        first = leading.sort_values("score").iloc[-1]
        name = market_names([first["market"]])[first["market"]]
        said += f", {name} the most: {first['score']:.3f} moves per move ({first['low']:.3f} to {first['high']:.3f})"
    told: Verdict = "does not hold" if len(leading) else "holds" if detectable <= SMALL else "cannot be told here"
    return Estimate(
        f"{said}; a lead of {detectable:.3f} would have been found in half of them.",
        float(len(leading)),
        np.nan,
        np.nan,
        float(tested.loc[tested["score"] > 0, "q"].min()) if (tested["score"] > 0).any() else 1.0,
        len(tested),
        "markets",
        more=False,
        detectable=detectable,
        verdict=told,
    )
