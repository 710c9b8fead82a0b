"""Lyu 2021: cultural distance lowers diffusion, and the periphery follows the centre."""

from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from diffusion import DataSaysNoError, Entries
from diffusion.arrays import Floats
from diffusion.conventions import CONFIDENCE
from graphs.cocharting import CoCharted, mean_similarity
from graphs.distance import Distances
from graphs.distance.permuted import share_reaching
from pipelines.eda.published.claim import Claim, Estimate, change
from pipelines.eda.published.fixed_markets import fixed_markets
from pipelines.eda.published.trends import POWER
from pipelines.eda.published.trendsetters import tested_leads

SOURCE: Final = "Lyu 2021, doi 10.1109/TOCS53301.2021.9688745"

TERM: Final = "cultural_distance"

SMALL_STEP: Final = 0.05
"""Change of log(followers) per standard deviation of the distance that would not be worth speaking of."""

SMALL_RANK: Final = 0.2
"""Rank correlation that would not be worth speaking of."""

LEAST_RANKED: Final = 10
"""Fewest markets with a tested lead that are ranked."""

PERMUTATIONS: Final = 2_000

CULTURE: Final = Claim(
    "culture",
    "Cultural distance lowers diffusion",
    SOURCE,
    "change of log(tracks that follow per exposed track) per standard deviation of the distance",
    "no difference: gravity model with effects of both markets, distance in km and language held fixed; markets left "
    "out one at a time",
    "They had Hofstede's dimensions and the countries that issued the music; here it is the distance of interests on "
    "Facebook and the market entered first. That tracks follow does not say that they were brought.",
)

CENTRE: Final = Claim(
    "centre",
    "The periphery follows the centre",
    SOURCE,
    "rank correlation of the lead beyond the baseline with the mean similarity to all other markets",
    "leads that have nothing to do with how central a market is: markets exchanged at random",
    "They had the countries that issued the music. A market that takes up what others have becomes like all, which "
    "works against the claim here. The lead is that over partners with an established order; who is first on the day "
    "of a debut does not count.",
)


def culture_lowers(gravity: pd.DataFrame, distances: Distances) -> Estimate:
    """Return how much less tracks follow to a market of another culture.

    Parameters
    ----------
    gravity
        Table `gravity` of a study.
    distances
        Distances between its markets, for the standard deviation over pairs.
    """
    row = gravity.set_index("term").loc[TERM]
    spread = float(np.nanstd(distances.matrix(TERM)))
    names = ("estimate", "jackknife_low", "jackknife_high", "jackknife_error")
    value, low, high, error = (float(row[name]) * spread for name in names)
    if not np.isfinite([value, low, high]).all():
        raise DataSaysNoError(f"the gravity model has no interval for the cultural distance: {row['note']}")
    free = int(row["markets"]) - 1
    return Estimate(
        f"Per standard deviation of cultural distance, the tracks that follow change by {change(np.expm1(value))} "
        f"(95 %: {change(np.expm1(low))} to {change(np.expm1(high))}), distance and language held fixed.",
        value,
        low,
        high,
        float(row["jackknife_p"]),
        int(row["n_pairs"]),
        "ordered pairs",
        matters=-SMALL_STEP,
        more=False,
        detectable=float((stats.t.ppf((1 + CONFIDENCE) / 2, free) + stats.t.ppf(POWER, free)) * error),
    )


def periphery_follows(leaders: pd.DataFrame, markets: list[str], central: Floats, *, seed: int) -> Estimate:
    """Return whether central markets lead.

    Parameters
    ----------
    leaders
        Table `leaders` of a study.
    markets
        Codes of m markets.
    central
        (m,): how central they are.
    seed
        Seed of the permutations.

    Notes
    -----
    The interval is Fisher's with the variance of rank correlations, (1 + r² / 2) / (m − 3).

    References
    ----------
    Bonett, D. G. & Wright, T. A. (2000). Sample size requirements for estimating Pearson, Kendall and Spearman
    correlations. Psychometrika 65, 23-28. doi 10.1007/BF02294183.
    """
    tested = tested_leads(leaders).set_index("market")["score"]
    known = [place for place, market in enumerate(markets) if market in tested.index]
    if len(known) < LEAST_RANKED:
        raise DataSaysNoError(
            f"{len(known)} markets that are there throughout have a tested lead; a rank correlation needs "
            f"{LEAST_RANKED}"
        )
    lead = stats.rankdata(tested.loc[[markets[place] for place in known]])
    place = stats.rankdata(central[known])
    value = float(np.corrcoef(lead, place)[0, 1])
    orders = np.random.default_rng(seed).permuted(np.tile(place, (PERMUTATIONS, 1)), axis=1)
    centred = lead - lead.mean()
    drawn = (orders - place.mean()) @ centred / (np.linalg.norm(place - place.mean()) * np.linalg.norm(centred))
    error = np.sqrt((1 + value**2 / 2) / (len(known) - 3))
    reach = stats.norm.ppf((1 + CONFIDENCE) / 2) * error
    low, high = np.tanh(np.arctanh(np.clip(value, -0.999, 0.999)) + reach * np.array([-1, 1]))
    return Estimate(
        f"The rank correlation of lead and centrality is {value:.2f} (95 %: {low:.2f} to {high:.2f}) over {len(known)} "
        "markets.",
        value,
        float(low),
        float(high),
        share_reaching(np.abs(drawn), abs(value)),
        len(known),
        "markets",
        matters=SMALL_RANK,
        detectable=float(
            np.tanh((stats.norm.ppf((1 + CONFIDENCE) / 2) + stats.norm.ppf(POWER)) / np.sqrt(len(known) - 3))
        ),
    )


def centre_and_periphery(entries: Entries, leaders: pd.DataFrame, *, seed: int) -> Estimate:
    """Return `periphery_follows` with the mean similarity of charts as centrality."""
    found = CoCharted.of(entries.timelines, fixed_markets(entries), seed=seed)
    return periphery_follows(leaders, list(found.markets), mean_similarity(found.similarity), seed=seed)
