"""Two sets of entries held against each other: which rates differ, how far tracks get, and who sends."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from diffusion import Entries
from diffusion.comparable import check_alike
from diffusion.conventions import FDR
from diffusion.display import Displayed
from graphs.comparison.rates import rate_table
from graphs.comparison.reach import reach_table
from graphs.comparison.shares import share_table
from graphs.comparison.sides import Side, sides


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Displayed):
    """Two cohorts, periods, labels or studies, a and b, and how they differ; differences are of a less b.

    Attributes
    ----------
    edges
        One row per ordered pair of markets that both have; columns as in `graphs.contracts.COMPARED_EDGES`.
    reach
        One row per measure of how far tracks get; columns as in `graphs.contracts.COMPARED_REACH`.
    leaders
        One row per measure and market; columns as in `graphs.contracts.COMPARED_LEADERS`.
    sides
        One row for each side: what it is; columns as in `graphs.contracts.COMPARED_SIDES`.
    window
        Days within which a market must follow.
    only_a, only_b
        Markets that only one side has; nothing about them is compared.

    Examples
    --------
    >>> may, june = (entries.subset(debut=days) for days in (("2021-05-01", "2021-05-31"), ("2021-06-01", None)))
    >>> graphs.compare(may, june, replicates=2).sides[["side", "tracks"]].values.tolist()
    [['a', 1108], ['b', 943]]
    """

    edges: pd.DataFrame
    reach: pd.DataFrame
    leaders: pd.DataFrame
    sides: pd.DataFrame
    window: int
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    def _facts(self) -> str:
        tested, differ = int(self.edges["q"].notna().sum()), int((self.edges["q"] <= FDR).sum())
        return f" within {self.window} days: {differ} of {tested:,} pairs tested differ at q ≤ {FDR}"

    def _shown(self) -> pd.DataFrame:
        return self.sides


def compare(a: Entries, b: Entries, *, window: int | None = None, replicates: int = 1000, seed: int = 0) -> Comparison:
    """Return how two sets of entries differ: rates of pairs, reach of tracks, and shares of markets.

    Parameters
    ----------
    a, b
        Entries made with the same settings: of two cohorts, periods, labels or studies. Tracks and artists may be in
        both, and one may contain the other; artists are matched by name.
    window
        Days within which a market must follow, the bound included (default: 60, on weekly charts 56).
    replicates
        Bootstrap replicates for the shares of markets (default 1,000).
    seed
        Seed of the random draws (default 0).

    Raises
    ------
    SettingError
        When chart, cadence, or a rule of what counts as an entry differs, and it names each; when the window is not
        between 1 and 36,500 days.
    DataSaysNoError
        When they have fewer than two markets in common.

    Notes
    -----
    Everything is by artist: errors are sums over artists of what each changes in the difference, so an artist in both
    counts once. A pair is tested where there is enough on both sides, whatever is observed: 30 exposed tracks, 10
    artists (effective numbers) and 3 expected transitions (`graphs.comparison.contrast.contrast`). q is
    Benjamini–Hochberg's over the pairs that are tested.

    Simulated charts of seven kinds, dealt at random into two sides, have p at most .05 in .03 to .04 of the pairs
    tested, and a pair with q at most .05 in 1 of 560 comparisons.

    Examples
    --------
    >>> compare(entries, entries, replicates=2)
    <Comparison within 60 days: 0 of 0 pairs tested differ at q ≤ 0.05>
    """
    check_alike(a, b)
    window = a.calendar.default_window if window is None else window
    markets, one, other = sides(a, b)
    return Comparison(
        rate_table(markets, one, other, window=window),
        reach_table(one, other, window=window),
        share_table(markets, one, other, window=window, replicates=replicates, seed=seed),
        _side_table((a, b), (one, other)),
        window,
        *(tuple(market for market in each.calendar.markets if market not in markets) for each in (a, b)),
    )


def _side_table(entries: tuple[Entries, Entries], numbered: tuple[Side, Side]) -> pd.DataFrame:
    """Return one row for each side."""
    a, b = numbered
    tracks, artists = np.intersect1d(a.track, b.track), np.intersect1d(a.artist, b.artist)
    rows = []
    for name, each, side in zip("ab", entries, numbered, strict=True):
        debuts = pd.to_datetime(pd.Series(side.timelines.debut[~side.timelines.debut_censored]), unit="D")
        rows.append(
            {
                "side": name,
                "cohort": "; ".join(each.cohort),
                "first_date": each.calendar.first_date,
                "last_date": each.calendar.last_date,
                "first_debut": debuts.min(),
                "last_debut": debuts.max(),
                "markets": len(each.calendar.markets),
                "tracks": len(side.track),
                "tracks_in_both": len(tracks),
                "artists": len(np.unique(side.artist)),
                "artists_in_both": len(artists),
                "entries": len(each),
            }
        )
    return pd.DataFrame(rows).astype({"first_date": "datetime64[s]", "last_date": "datetime64[s]"})
