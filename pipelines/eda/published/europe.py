"""Buda & Jarynowski 2016: Britain a hub and the Netherlands a bridge among European charts, Italy and Spain apart."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy import stats

from diffusion import DataSaysNoError, Entries, market_names, reference_table
from diffusion.arrays import Floats
from diffusion.conventions import CONFIDENCE
from graphs.cocharting import CoCharted, mean_similarity, nearest_tree
from pipelines.eda.published.claim import Answer, Claim, Estimate
from pipelines.eda.published.fixed_markets import fixed_markets

SOURCE: Final = "Buda & Jarynowski 2016, arXiv 1606.06115"

LEAST_EUROPEAN: Final = 8
"""Fewest European markets, of which a quarter is two."""

FIRST: Final = 4
"""A market is a hub, a bridge or apart where it is among the first 1 / `FIRST` of the markets."""

REPLICATES: Final = 500
"""Most replicates of the tree."""

_LIMITS: Final = (
    "They had weekly charts of singles of 12 Western European countries, 1966 to 2015, and spoke of markets in line "
    "with global trends; these are charts of one streaming service, and only of its markets that were there "
    "throughout. A place among these markets says nothing of influence."
)
_NULL: Final = "a place below the first quarter of the European markets; artists drawn with replacement"


@dataclass(frozen=True, slots=True)
class Europe:
    """European markets by the tracks on their charts.

    Attributes
    ----------
    markets
        Codes of the m markets.
    tracks
        Number of tracks.
    places
        Name of the place → (1 + replicates, m): the rank of every market, 1 for the first, equals with their mean;
        first as observed, then in replicates: ``degree`` and ``betweenness`` in the tree of nearest markets, ``alike``
        by mean similarity, ``apart`` by it from the least.
    """

    markets: tuple[str, ...]
    tracks: int
    places: dict[str, Floats]

    @classmethod
    def of(cls, entries: Entries, *, replicates: int, seed: int) -> Self:
        """Return the European markets that are on the charts for the whole time.

        Raises
        ------
        DataSaysNoError
            When there are too few of them.
        """
        table = reference_table()
        european = set(table.loc[table["continent"] == "Europe", "market"])
        markets = [market for market in fixed_markets(entries) if market in european]
        if len(markets) < LEAST_EUROPEAN:
            raise DataSaysNoError(
                f"{len(markets)} European markets are on these charts for the whole time; a place among them needs "
                f"{LEAST_EUROPEAN}"
            )
        return cls.among(CoCharted.of(entries.timelines, markets, seed=seed), replicates=replicates, seed=seed)

    @classmethod
    def among(cls, found: CoCharted, *, replicates: int, seed: int) -> Self:
        """Return the places of markets by what they have in common."""
        alike = np.concatenate([found.similarity[None], found.replicates(min(replicates, REPLICATES), seed=seed)])
        trees = [nearest_tree(one) for one in alike]
        mean = mean_similarity(alike)
        values = {
            "degree": np.array([tree.degree for tree in trees]),
            "betweenness": np.array([tree.betweenness for tree in trees]),
            "alike": mean,
            "apart": -mean,
        }
        places = {name: stats.rankdata(-value, axis=1) for name, value in values.items()}
        return cls(found.markets, found.tracks, places)

    def estimate(self, market: str, place: str, words: str) -> Estimate:
        """Return the rank of a market, and whether it is among the first quarter."""
        names = market_names([market])
        if market not in self.markets:
            raise DataSaysNoError(
                f"{names[market]} is not among the markets that are on these charts for the whole time"
            )
        rank, *drawn = self.places[place][:, self.markets.index(market)]
        last = len(self.markets) // FIRST
        low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        beyond = np.count_nonzero(np.array(drawn) > last + 0.5)
        return Estimate(
            f"{names[market]} is number {rank:.3g} of {len(self.markets)} European markets {words} (95 %: {low:.3g} to "
            f"{high:.3g}); the first quarter ends at {last}.",
            rank,
            float(low),
            float(high),
            (1 + beyond) / (1 + len(drawn)),
            len(self.markets),
            "markets",
            bound=last + 0.5,
            matters=last + 0.5,
            more=False,
        )


def _claim(name: str, says: str, measure: str) -> Claim:
    return Claim(name, says, SOURCE, measure, _NULL, _LIMITS)


def european_claims(entries: Entries, *, replicates: int, seed: int) -> list[Answer]:
    """Return the claims on European charts.

    Similarity is the Jaccard index of the tracks that were ever on two charts; the tree joins all markets with the
    least sum of 1 − similarity.
    """
    held: list[Europe] = []

    def europe() -> Europe:
        if not held:
            held.append(Europe.of(entries, replicates=replicates, seed=seed))
        return held[0]

    tree, apart = "in the tree of nearest markets", "rank by mean similarity with the others, 1 for the least"
    return [
        (
            _claim("hub", "Britain is a hub among European charts", f"rank by neighbours {tree}, 1 for the most"),
            lambda: europe().estimate("GB", "degree", "by neighbours in the tree of nearest markets"),
        ),
        (
            _claim(
                "near_to_all",
                "Britain is a hub among European charts: near to all",
                "rank by mean similarity with the others, 1 for the most",
            ),
            lambda: europe().estimate("GB", "alike", "by similarity with the others"),
        ),
        (
            _claim(
                "bridge",
                "The Netherlands are a bridge between European charts",
                f"rank by paths that lead through the market {tree}, 1 for the most",
            ),
            lambda: europe().estimate("NL", "betweenness", "by paths through it in the tree of nearest markets"),
        ),
        (
            _claim("italy_apart", "Italy's charts stand apart in Europe", apart),
            lambda: europe().estimate("IT", "apart", "by distance from the others"),
        ),
        (
            _claim("spain_apart", "Spain's charts stand apart in Europe", apart),
            lambda: europe().estimate("ES", "apart", "by distance from the others"),
        ),
    ]
