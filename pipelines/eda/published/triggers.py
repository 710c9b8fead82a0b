"""Trigger markets: where tracks that break out later begin more often than others of as many first markets."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from scipy import stats

from diffusion import DataSaysNoError, Entries, market_names
from diffusion.arrays import Flags, Floats, Ints
from diffusion.conventions import CONFIDENCE, FDR
from graphs.false_discovery import adjusted
from graphs.leaders.groups import LEAST_ARTISTS, effective_number
from pipelines.eda.published.claim import Claim, Estimate, Verdict
from pipelines.eda.published.fixed_markets import fixed_markets
from pipelines.eda.published.trends import POWER

BREAKOUT: Final = 0.1
"""Share of the markets that a track must enter after its debut to break out."""

LEAST_FURTHER: Final = 3
"""Fewest further markets of a breakout."""

LEAST_EXPECTED: Final = 5.0
"""Breakouts expected of the tracks that begin in a market, below which it is not tested."""

SIZES: Final = (1, 2, 3, 4, 6, 9, 13)
"""Least footprint of the classes within which tracks are compared."""

SMALL: Final = 1.5
"""Ratio of observed to expected breakouts that would not be worth speaking of, where it is the detectable one."""

TRIGGERS: Final = Claim(
    "triggers",
    "There are trigger markets, where breakouts are over-represented early",
    "Trigger cities, a list of the music industry (Chartmetric 2019), here of markets",
    "number of markets where more breakouts begin than expected, at q ≤ .05",
    "where a track begins says nothing of its reach, given the half-year and the number of first markets; artists are "
    "independent",
    "The list is of cities, charts are of countries. Breakouts also begin more often where stars and large languages "
    "are at home, and in markets that take up tracks at an early age: that a market comes first does not say that it "
    "set anything off.",
)


@dataclass(frozen=True, slots=True)
class Begun:
    """n tracks with a timed debut and a whole window, among m markets that are there throughout.

    Attributes
    ----------
    markets
        Codes of the markets.
    first, further
        (n, m): whether a track entered a market on day 0, and within the window after it.
    half
        (n,): half-year of the debut.
    artist
        (n,): number of the artist.
    """

    markets: tuple[str, ...]
    first: Flags
    further: Flags
    half: Ints
    artist: Ints

    @classmethod
    def of(cls, entries: Entries, window: int) -> Self:
        """Return the tracks of charts; `window` in days.

        Raises
        ------
        DataSaysNoError
            When there is no such track.
        """
        lines, markets = entries.timelines, fixed_markets(entries)
        kept = ~lines.debut_censored & (lines.debut + window <= int(lines.span_last.max(initial=0)))
        place = np.full(len(lines.markets), -1)
        place[[lines.markets.index(market) for market in markets]] = np.arange(len(markets))
        own = np.where(kept, np.cumsum(kept) - 1, -1)
        there = (place[lines.market] >= 0) & kept[lines.track] & ~lines.left_censored
        age = lines.day - lines.debut[lines.track]
        first, further = np.zeros((2, int(kept.sum()), len(markets)), bool)
        for flags, chosen in ((first, there & (age == 0)), (further, there & (age > 0) & (age <= window))):
            flags[own[lines.track[chosen]], place[lines.market[chosen]]] = True
        begun = first.any(axis=1)
        if not begun.any():
            raise DataSaysNoError(
                f"no track debuted in a market that is there throughout, {window} days before the end"
            )
        half = lines.debut[kept].astype("datetime64[D]").astype("datetime64[M]").astype(int) // 6
        return cls(tuple(markets), first[begun], further[begun], half[begun], lines.cluster[kept][begun])

    @property
    def least(self) -> int:
        """Further markets of a breakout."""
        return max(LEAST_FURTHER, round(BREAKOUT * len(self.markets)))


def _strata(tracks: Begun) -> Ints:
    """Return the number of the class of footprint and half-year of every track."""
    size = np.searchsorted(SIZES, tracks.first.sum(axis=1), side="right")
    return np.unique(np.stack([size, tracks.half]), axis=1, return_inverse=True)[1].ravel()


def breakouts(tracks: Begun, stratum: Ints) -> Floats:
    """Return how far every track counts as a breakout, (n,), 0 … 1.

    A track that began in a large market has less left to enter than one that began in a small one. So the further
    markets of a track are thinned to the least room in its stratum, where room is the sum of what the markets outside
    the footprint take of all later entries; the result is the chance that a breakout is left. In worlds where no market
    follows another p is at most .05 for .02 to .07 of the markets; where markets take up tracks at ages of their own,
    or tracks have a language, the place of the debut says something of the reach, and p is that small for .15 to .23.
    """
    open_to = ~tracks.first
    taken = tracks.further.sum(axis=0) / np.maximum(open_to.sum(axis=0), 1)
    room = open_to @ (taken / max(taken.sum(), np.finfo(float).tiny))
    least = np.full(int(stratum.max(initial=-1)) + 1, np.inf)
    np.minimum.at(least, stratum, room)
    share = np.clip(least[stratum] / np.maximum(room, np.finfo(float).tiny), 0, 1)
    chance: Floats = stats.binom.sf(tracks.least - 1, tracks.further.sum(axis=1), share)
    return chance


def trigger_table(tracks: Begun) -> pd.DataFrame:
    """Return one row per market; columns as in `pipelines.contracts.published.TRIGGER_MARKETS`.

    Notes
    -----
    The sum, over tracks that begin in the market, of breakouts beyond the mean of their stratum. Its variance is by
    artist, p that of a t distribution with as many degrees of freedom as the effective number of artists less one. q is
    Benjamini–Hochberg's over the markets of which five breakouts or more are expected.
    """
    stratum = _strata(tracks)
    chance, number = breakouts(tracks, stratum), np.maximum(np.bincount(stratum), 1)
    mean = (np.bincount(stratum, chance) / number)[stratum]
    artists = np.unique(tracks.artist, return_inverse=True)[1]
    own = np.zeros((int(artists.max(initial=-1)) + 1, len(tracks.markets)))
    for place, flags in enumerate(tracks.first.T):
        share = (np.bincount(stratum, flags) / number)[stratum]
        own[:, place] = np.bincount(artists, (chance - mean) * (flags - share), len(own))
    begun = tracks.first.sum(axis=0)
    observed, expected = chance @ tracks.first, mean @ tracks.first
    error, effective = np.sqrt((own**2).sum(axis=0)), effective_number(own)
    free = np.maximum(effective - 1, 1)
    tested = (expected >= LEAST_EXPECTED) & (effective >= LEAST_ARTISTS) & (error > 0)
    some = np.where(tested, expected, np.nan)
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, free) * error
    p = np.where(tested, 2 * stats.t.sf(np.abs(observed - expected) / np.where(tested, error, 1), free), np.nan)
    cut = stats.t.ppf(1 - FDR / 2 / max(int(tested.sum()), 1), free)
    table = pd.DataFrame(
        {
            "market": list(tracks.markets),
            "tracks": begun,
            "breakouts": observed,
            "expected": expected,
            "ratio": observed / some,
            "low": np.maximum(observed - reach, 0) / some,
            "high": (observed + reach) / some,
            "p": p,
            "q": adjusted(p),
            "detectable": 1 + (cut + stats.t.ppf(POWER, free)) * error / some,
            "artists": effective,
        }
    )
    return table.sort_values(["ratio", "market"], ascending=[False, True], na_position="last", ignore_index=True)


def trigger_markets(table: pd.DataFrame) -> Estimate:
    """Return how many markets more breakouts begin in than expected."""
    tested = table[table["q"].notna()]
    if tested.empty:
        raise DataSaysNoError(
            f"of no market are {LEAST_EXPECTED:.0f} breakouts expected; longer charts are needed to say where they "
            "begin"
        )
    above = tested[tested["ratio"] > 1]
    found = above[above["q"] <= FDR]
    detectable = float(tested["detectable"].median())
    said = f"More breakouts than expected begin in {len(found)} of {len(tested)} markets"
    if len(found):
        first = found.iloc[0]
        name = market_names([first["market"]])[first["market"]]
        said += f", in {name} the most: {first['ratio']:.2f} times as many ({first['low']:.2f} to {first['high']:.2f})"
    told: Verdict = "holds" if len(found) else "does not hold" if detectable <= SMALL else "cannot be told here"
    return Estimate(
        f"{said}; {detectable:.2f} times as many would have been found in half of them.",
        float(len(found)),
        np.nan,
        np.nan,
        float(above["q"].min()) if len(above) else 1.0,
        len(tested),
        "markets",
        detectable=detectable,
        verdict=told,
    )
