"""Lee & Cunningham 2012: language and nearness go with liking the same music; here, with being on the same charts."""

from typing import Final

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, Entries
from graphs.cocharting import CoCharted
from graphs.distance import Distances, mrqap
from pipelines.eda.published.claim import Answer, Claim, Estimate, change
from pipelines.eda.published.fixed_markets import fixed_markets
from pipelines.formatting import percent

SOURCE: Final = "Lee & Cunningham 2012, arXiv 1204.2677"

TERMS: Final = ("common_language", "log_km")

SMALL: Final = {"common_language": 0.1, "log_km": 0.02}
"""Term → share of the mean likeness that would not be worth speaking of: 10 % for a language, 2 % for half the way."""

_LIMITS: Final = (
    "They had the plays of cities; these are the heads of charts. Markets that are near or speak alike also share "
    "labels, migration and radio, which no number here parts from language and distance."
)
_NULL: Final = "markets exchanged at random (MRQAP, double semi-partialing), the other distance held fixed"


def likeness_claims(entries: Entries, *, seed: int) -> list[Answer]:
    """Return the claims on language and nearness.

    Likeness is the Jaccard index of the tracks that two markets ever had on their charts, among the markets that were
    there throughout; it is regressed on shared official language and the logarithm of the distance together.
    """
    held: list[pd.DataFrame] = []

    def table() -> pd.DataFrame:
        if not held:
            held.append(explained(CoCharted.of(entries.timelines, fixed_markets(entries), seed=seed), seed=seed))
        return held[0]

    return [
        (
            Claim(
                "language",
                "A shared language goes with the same songs on the charts",
                SOURCE,
                "difference of likeness with a shared official language, as a share of the mean likeness",
                _NULL,
                _LIMITS,
            ),
            lambda: _estimate(table(), "common_language", "Two markets that share a language have"),
        ),
        (
            Claim(
                "nearness",
                "Nearness goes with the same songs on the charts",
                SOURCE,
                "difference of likeness at half the distance, as a share of the mean likeness",
                _NULL,
                _LIMITS,
            ),
            lambda: _estimate(table(), "log_km", "Two markets at half the distance have"),
        ),
    ]


def explained(found: CoCharted, *, seed: int, distances: Distances | None = None) -> pd.DataFrame:
    """Return the regression of likeness on language and distance, in shares of the mean likeness.

    Parameters
    ----------
    found
        What markets have in common.
    seed
        Seed of the permutations.
    distances
        Distances that have `TERMS` (default: the packaged ones).

    Returns
    -------
    DataFrame
        `term`, `estimate`, `low`, `high`, `p`, `n_pairs`; of `log_km` for half the distance.

    Raises
    ------
    DataSaysNoError
        When too few markets have distances, or these do not vary.
    """
    alike = found.similarity
    mean = float(np.nanmean(alike))
    if not mean > 0:
        raise DataSaysNoError("no two markets had a track in common")
    table = mrqap(alike, distances or Distances.of(found.markets), terms=TERMS, directed=False, seed=seed)
    scale = np.where(table["term"] == "log_km", -np.log(2), 1.0) / mean
    low, high = table["low"] * scale, table["high"] * scale
    return table.assign(estimate=table["estimate"] * scale, low=np.minimum(low, high), high=np.maximum(low, high))


def _estimate(table: pd.DataFrame, term: str, words: str) -> Estimate:
    row = table.set_index("term").loc[term]
    value, low, high = (float(row[name]) for name in ("estimate", "low", "high"))
    more = "more" if value >= 0 else "less"
    return Estimate(
        f"{words} {more} in common by {percent(abs(value))} of what the mean pair has (95 %: {change(low)} to "
        f"{change(high)}), the other distance held fixed.",
        value,
        low,
        high,
        float(row["p"]),
        int(row["n_pairs"]),
        "pairs of markets",
        matters=SMALL[term],
    )
