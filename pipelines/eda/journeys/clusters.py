"""Kinds of journeys that the data tell apart: clusters, how surely they are apart, and how stable they are."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError
from diffusion.arrays import Floats, Ints
from diffusion.conventions import FDR
from pipelines.eda.intervals import clustered_shares
from pipelines.eda.journeys.followed import Journeys
from pipelines.eda.journeys.kinds import NAMES, kind_of, medians
from pipelines.eda.journeys.valleys import LEAST_REACH, Points, Scale, Valley, halved, mixture

LEAST_ARTISTS: Final = 40
"""Fewest artists with journeys to cluster: 20 in each half."""

KINDS: Final = (2, 3, 4)
"""Numbers of kinds that are tried."""

SPLITS: Final = 11
"""Random halvings of the artists."""

REPLICATES: Final = 50
"""Bootstrap samples of artists for the stability of clusters."""

STABLE: Final = 0.75
"""Least mean Jaccard similarity of a cluster that is given a name."""

UNNAMED: Final = "unstable"
"""Name of a cluster that is less stable."""


@dataclass(frozen=True, slots=True)
class Tried:
    """Numbers of kinds that were tried.

    Attributes
    ----------
    table
        The table `journey_valleys`; columns as in `pipelines.contracts.journeys`.
    kinds
        Largest number of kinds that are told apart; 1 where none are.
    """

    table: pd.DataFrame
    kinds: int


def tell_apart(points: Points, rng: np.random.Generator) -> Tried:
    """Return for each number of kinds whether all of its kinds are apart.

    Raises
    ------
    DataSaysNoError
        When there are too few artists.

    Notes
    -----
    Kinds are the components of a mixture of normal distributions, found with one half of the artists, one journey of
    each. Along the line between two of them, journeys of the other half are counted at both centres and at the emptiest
    place between. p is of the hypothesis that the density there is at least three quarters of that at one of the
    centres, the largest over all pairs of kinds: all must be apart. Twice the median p over halvings is a p-value
    (Meinshausen, Meier and Bühlmann 2009, doi 10.1198/jasa.2009.tm08647), adjusted for the numbers tried (Bonferroni).
    Journeys whose density falls from one summit, however wide or skewed, have no such valley.
    """
    artists = len(np.unique(points.artist))
    if artists < LEAST_ARTISTS:
        raise DataSaysNoError(
            f"journeys of {LEAST_REACH} markets or more within the window are of {artists:,} artists; "
            f"it takes {LEAST_ARTISTS} to look for kinds of journeys"
        )
    rows = []
    for kinds in KINDS:
        valleys = sorted((halved(points, kinds, rng) for _ in range(SPLITS)), key=lambda valley: valley.p)
        rows.append(_row(kinds, valleys[SPLITS // 2], artists))
    table = pd.DataFrame(rows)
    apart = table.loc[table["p"] <= FDR, "kinds"]
    return Tried(table, int(apart.max()) if len(apart) else 1)


def _row(kinds: int, middle: Valley, artists: int) -> dict[str, object]:
    """Return the row of a number of kinds, from the halving with the median p."""
    return {
        "kinds": kinds,
        "artists": artists,
        "first": middle.first,
        "between": middle.between,
        "second": middle.second,
        "depth": middle.depth if np.isfinite(middle.depth) else np.nan,
        "p": min(1.0, 2 * middle.p * len(KINDS)),
        "apart": min(1.0, 2 * middle.p * len(KINDS)) <= FDR,
    }


@dataclass(frozen=True, slots=True)
class Clusters:
    """Clusters of n journeys.

    Attributes
    ----------
    cluster
        (n,): number of the cluster of each journey, the largest first.
    jaccard
        (k,): mean Jaccard similarity of each cluster with its nearest in bootstrap samples of artists.
    """

    cluster: Ints
    jaccard: Floats


def clustered(points: Points, kinds: int, rng: np.random.Generator) -> Clusters:
    """Return clusters of all journeys with their stability.

    References
    ----------
    Hennig 2007, Cluster-wise assessment of cluster stability, doi 10.1016/j.csda.2006.11.025.
    """
    own = _assigned(points, points.one_each(rng), kinds, rng)
    sizes = np.bincount(own, minlength=kinds)
    own = np.argsort(np.argsort(-sizes, kind="stable"))[own]
    sizes = np.bincount(own, minlength=kinds)
    found = np.zeros(kinds)
    for _ in range(REPLICATES):
        other = _assigned(points, points.one_each(rng, replace=True), kinds, rng)
        both = np.bincount(own * kinds + other, minlength=kinds**2).reshape(kinds, kinds)
        either = sizes[:, None] + np.bincount(other, minlength=kinds) - both
        found += (both / np.maximum(either, 1)).max(axis=1)
    return Clusters(own, found / REPLICATES)


def _assigned(points: Points, sample: Floats, kinds: int, rng: np.random.Generator) -> Ints:
    """Return, (n,), the component of each journey in the mixture of a sample."""
    scale = Scale.of(sample)
    cluster: Ints = mixture(scale(sample), kinds, rng).predict(scale(points.place)).astype(np.int64)
    return cluster


def clusters_table(journeys: Journeys, found: Clusters) -> pd.DataFrame:
    """Return the table `journey_stability`: clusters with shares, medians, stability and names.

    A name says what the medians of the cluster are, by the definitions of `journey_kinds`; a cluster that is less
    stable than `STABLE` has none.
    """
    kinds = len(found.jaccard)
    everyone = np.zeros(len(found.cluster), dtype=int)
    shares = [clustered_shares(found.cluster == place, everyone, journeys.artist, 1) for place in range(kinds)]
    shown = pd.concat(shares, ignore_index=True)
    own = medians(journeys, found.cluster, kinds)
    table = pd.DataFrame({"cluster": np.arange(1, kinds + 1), "jaccard": found.jaccard})
    table["tracks"] = np.bincount(found.cluster, minlength=kinds)
    table[["share", "share_low", "share_high"]] = shown[["mean", "low", "high"]]
    half_day, crossed = (own[name].to_numpy(np.float64) for name in ("half_day", "continents"))
    names = pd.Series([NAMES[place] for place in kind_of(half_day, crossed)])
    again = names.groupby(names).transform("size") > 1
    reach = own["reach"].map(lambda markets: f", {markets:g} markets")
    table.insert(1, "name", names.where(~again, names + reach).where(table["jaccard"] >= STABLE, UNNAMED))
    return table.join(own)
