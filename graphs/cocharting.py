"""How alike markets are by the tracks on their charts: similarity, the tree of nearest markets, and places in it."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from diffusion import DataSaysNoError
from diffusion.arrays import Floats, Ints
from diffusion.display import Displayed
from diffusion.timelines import Timelines
from graphs.leaders.groups import LEAST_ARTISTS

BLOCKS: Final = 400
"""Groups of artists that are drawn together; where there are fewer artists, each is drawn by itself."""

NEAREST: Final = 1e-9
"""Least distance between two markets: the search for the tree reads 0 as no edge."""


@dataclass(frozen=True, slots=True, repr=False)
class CoCharted(Displayed):
    """Tracks that markets have in common, counted by groups of artists.

    Attributes
    ----------
    markets
        Codes of the m markets.
    shared
        (blocks, m, m): tracks of a group of artists that were on both charts at any time; on the diagonal, on one.
    tracks
        Number of tracks.
    """

    markets: tuple[str, ...]
    shared: Ints
    tracks: int

    @classmethod
    def of(cls, lines: Timelines, markets: list[str], *, seed: int = 0) -> Self:
        """Return what markets have in common.

        Parameters
        ----------
        lines
            Entries, those in a washout included: the track was on the chart.
        markets
            Codes of markets, best of those that were observed for the same time.
        seed
            Seed of the groups of artists (default 0).

        Raises
        ------
        DataSaysNoError
            When there are fewer than two markets, or too few artists to say how sure anything is.
        """
        place = np.full(len(lines.markets), -1)
        known = [lines.markets.index(market) for market in markets]
        place[known] = np.arange(len(known))
        kept = place[lines.market] >= 0
        track, market = lines.track[kept], place[lines.market[kept]]
        artists = np.unique(lines.cluster[track])
        if len(markets) < 2 or len(artists) < LEAST_ARTISTS:
            raise DataSaysNoError(
                f"{len(markets)} markets with tracks of {len(artists)} artists; likeness of charts needs 2 and "
                f"{LEAST_ARTISTS}"
            )
        many = min(BLOCKS, len(artists))
        block = np.random.default_rng(seed).permutation(len(artists)) % many
        own = block[np.searchsorted(artists, lines.cluster[track])]
        shared = np.zeros((many, len(markets), len(markets)), np.int64)
        order = np.argsort(own, kind="stable")
        for number, rows in enumerate(np.split(order, np.cumsum(np.bincount(own, minlength=many))[:-1])):
            names, row = np.unique(track[rows], return_inverse=True)
            held = csr_array((np.ones(len(rows)), (row, market[rows])), shape=(len(names), len(markets)))
            shared[number] = (held.T @ held).toarray()
        return cls(tuple(markets), shared, len(np.unique(track)))

    def _facts(self) -> str:
        return f" of {len(self.markets)} markets: {self.tracks:,} tracks"

    @property
    def similarity(self) -> Floats:
        """(m, m): Jaccard index of the tracks of two markets; NaN on the diagonal."""
        alike: Floats = jaccard(self.shared.sum(axis=0)[None])[0]
        return alike

    def replicates(self, replicates: int, *, seed: int = 0) -> Floats:
        """Return the similarity with groups of artists drawn with replacement, (replicates, m, m)."""
        many = len(self.shared)
        drawn = np.random.default_rng(seed).multinomial(many, np.full(many, 1 / many), replicates)
        sums = np.asarray(drawn @ self.shared.reshape(many, -1), np.int64)
        return jaccard(sums.reshape(replicates, len(self.markets), len(self.markets)))


def jaccard(shared: Ints) -> Floats:
    """Return the Jaccard index of r counts of shared tracks, (r, m, m); NaN on the diagonal, 0 without tracks."""
    own = np.einsum("rii->ri", shared)
    either = own[:, :, None] + own[:, None, :] - shared
    alike: Floats = np.where(either > 0, shared / np.where(either > 0, either, 1), 0.0)
    alike[:, np.arange(shared.shape[1]), np.arange(shared.shape[1])] = np.nan
    return alike


def mean_similarity(similarity: Floats) -> Floats:
    """Return every market's mean similarity with the others, (…, m)."""
    mean: Floats = np.nanmean(similarity, axis=-1)
    return mean


@dataclass(frozen=True, slots=True)
class Tree:
    """Places of m markets in the minimum spanning tree of 1 − similarity.

    Attributes
    ----------
    degree
        (m,): neighbours.
    betweenness
        (m,): pairs of other markets whose path through the tree leads through the market.
    """

    degree: Ints
    betweenness: Ints


def nearest_tree(similarity: Floats) -> Tree:
    """Return the places of markets in the tree that joins all with the least distance in all.

    References
    ----------
    Mantegna, R. N. (1999). Hierarchical structure in financial markets. European Physical Journal B 11, 193–197. doi
    10.1007/s100510050929.

    Examples
    --------
    >>> line = np.array([[np.nan, 0.9, 0.1], [0.9, np.nan, 0.8], [0.1, 0.8, np.nan]])
    >>> nearest_tree(line)
    Tree(degree=array([1, 2, 1]), betweenness=array([0, 1, 0]))
    """
    distance = np.maximum(1 - np.nan_to_num(similarity), NEAREST)
    np.fill_diagonal(distance, 0)
    tree = minimum_spanning_tree(distance)
    degree = np.bincount(np.concatenate(tree.nonzero()), minlength=len(distance))
    order, parent = breadth_first_order(tree, 0, directed=False)
    many = len(degree)
    size, squares = np.ones(many, np.int64), np.zeros(many, np.int64)
    for market in order[:0:-1]:
        size[parent[market]] += size[market]
        squares[parent[market]] += size[market] ** 2
    squares += (many - size) ** 2
    return Tree(degree, ((many - 1) ** 2 - squares) // 2)
