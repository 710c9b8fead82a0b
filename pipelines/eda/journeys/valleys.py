"""Journeys as points, and whether there are fewer of them between two kinds than at the centre of either."""

from dataclasses import dataclass
from itertools import combinations
from typing import Final, Self

import numpy as np
from scipy import stats
from scipy.special import ndtri
from sklearn.mixture import GaussianMixture

from diffusion.arrays import Floats, Ints
from pipelines.eda.journeys.followed import Journeys

LEAST_REACH: Final = 3
"""Markets that a journey must have to be clustered: a single step has no course."""

MOST_ARTISTS: Final = 8_000
"""Most artists that a replicate draws."""

DEPTH: Final = 0.75
"""Density between two kinds over that at the centre of either; two kinds are told apart when it is below this."""

SMOOTH: Final = 7
"""Days over which the days of entries are spread, so that the rhythm of the week makes no kinds."""

WINDOW_WIDTH: Final = 0.25
"""Width of the windows in which journeys are counted, of the distance between two centres."""


@dataclass(frozen=True, slots=True)
class Points:
    """Journeys as points, n of them.

    Attributes
    ----------
    place
        (n, 2): logarithm of the markets entered, and mean logarithm of the days to each after the first.
    artist
        (n,): number of the artist.
    """

    place: Floats
    artist: Ints

    @classmethod
    def of(cls, journeys: Journeys, rng: np.random.Generator) -> Self:
        """Return the points of journeys; whole numbers are spread evenly over the range that they stand for."""
        spread = max(SMOOTH, journeys.cadence)
        later = journeys.step > 0
        row, number = journeys.row[later], len(journeys.until)
        days = np.log1p(journeys.age[later] + spread * rng.random(later.sum()))
        pace = np.bincount(row, days, number) / np.maximum(np.bincount(row, minlength=number), 1)
        return cls(np.column_stack([np.log(journeys.reach + rng.random(number)), pace]), journeys.artist)

    def one_each(self, rng: np.random.Generator, *, replace: bool = False) -> Floats:
        """Return one point of each artist, drawn at random, in random order; at most `MOST_ARTISTS`."""
        order = rng.permutation(len(self.artist))
        first = np.unique(self.artist[order], return_index=True)[1]
        chosen = rng.choice(order[first], min(len(first), MOST_ARTISTS), replace=replace)
        drawn: Floats = self.place[chosen]
        return drawn


@dataclass(frozen=True, slots=True)
class Scale:
    """Scales on which journeys are compared, taken from a sample.

    Attributes
    ----------
    reach
        Logarithms of the markets entered in the sample, in order; others become normal scores among them.
    mean, spread
        Mean and standard deviation of the second coordinate.
    """

    reach: Floats
    mean: float
    spread: float

    @classmethod
    def of(cls, sample: Floats) -> Self:
        """Return the scales of a sample, (n, 2)."""
        return cls(np.sort(sample[:, 0]), float(sample[:, 1].mean()), float(sample[:, 1].std()))

    def __call__(self, place: Floats) -> Floats:
        """Return points on these scales, (n, 2)."""
        below = np.searchsorted(self.reach, place[:, 0])
        return np.column_stack(
            [ndtri((below + 0.5) / (len(self.reach) + 1)), (place[:, 1] - self.mean) / max(self.spread, 1e-9)]
        )


@dataclass(frozen=True, slots=True)
class Valley:
    """Journeys of a held-out half at the centres of two kinds and between them.

    Attributes
    ----------
    first, between, second
        Journeys in windows of the same width.
    """

    first: int
    between: int
    second: int

    @property
    def p(self) -> float:
        """Of the hypothesis that the density between is at least `DEPTH` of that at one of the centres."""
        share = DEPTH / (1 + DEPTH)
        return max(float(stats.binom.cdf(self.between, self.between + top, share)) for top in (self.first, self.second))

    @property
    def depth(self) -> float:
        """Density between over that at the emptier centre; infinite where there is none."""
        return self.between / min(self.first, self.second) if min(self.first, self.second) else np.inf


def mixture(sample: Floats, kinds: int, rng: np.random.Generator) -> GaussianMixture:
    """Return a mixture of normal distributions fitted to points on their scales."""
    seed = int(rng.integers(1 << 31))
    return GaussianMixture(kinds, n_init=2, reg_covar=1e-2, tol=1e-3, random_state=seed).fit(sample)


def halved(points: Points, kinds: int, rng: np.random.Generator) -> Valley:
    """Return the shallowest valley between two kinds, found with one half of the artists and counted in the other."""
    drawn = points.one_each(rng)
    known, held_out = drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]
    scale = Scale.of(known)
    known, held_out = scale(known), scale(held_out)
    fit = mixture(known, kinds, rng)
    valleys = []
    for pair in combinations(range(kinds), 2):
        spread = fit.covariances_[list(pair)].mean(axis=0)
        turned = np.linalg.cholesky(np.linalg.inv(spread))
        valleys.append(_valley(known @ turned, held_out @ turned, fit.means_[list(pair)] @ turned))
    return max(valleys, key=lambda valley: valley.p)


def _valley(known: Floats, held_out: Floats, centres: Floats) -> Valley:
    """Return the valley between two centres; the windows are chosen on the known points.

    Counted are points near the line through both centres; they are in a convex set, on which a density with a single
    summit (log-concave) keeps a single summit along the line.
    """
    line = centres[1] - centres[0]
    length = float(np.linalg.norm(line))
    along, off = _along(known, centres, line / length)
    near = float(np.quantile(off[np.abs(along) <= length * 0.75], 0.75)) if len(off) else 0.0
    grid = np.linspace(-1, 1, 81) * length
    width = WINDOW_WIDTH * length
    counts = _counts(along[off <= near], grid, width)
    inner = np.flatnonzero(np.abs(grid) <= 0.35 * length)
    lowest = int(inner[np.argmin(counts[inner])])
    places = [
        int(np.argmax(np.where(grid <= grid[lowest] - width, counts, -1))),
        lowest,
        int(np.argmax(np.where(grid >= grid[lowest] + width, counts, -1))),
    ]
    along, off = _along(held_out, centres, line / length)
    return Valley(*_counts(along[off <= near], grid[places], width).tolist())


def _along(points: Floats, centres: Floats, direction: Floats) -> tuple[Floats, Floats]:
    """Return, (n,) each, where points are along the line, from the middle of both centres, and how far from it."""
    beyond = points - centres.mean(axis=0)
    along = beyond @ direction
    return along, np.linalg.norm(beyond - along[:, None] * direction, axis=1)


def _counts(along: Floats, at: Floats, width: float) -> Ints:
    """Return the number of points in the windows around some places."""
    along = np.sort(along)
    return np.searchsorted(along, at + width / 2) - np.searchsorted(along, at - width / 2)
