"""Permutations of the markets of a matrix, and p-values from them."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion import SettingError
from graphs.distance.market_pairs import Matrix, Pairs

VALUES_AT_ONCE: Final = 2_000_000
"""Numbers held at a time: 16 MB for positions and 16 MB for values."""

SAME: Final = 1e-9
"""Relative difference that counts as rounding when a permuted statistic is compared with the observed one."""


def permuted_products(
    matrix: Matrix, fixed: Matrix, pairs: Pairs, *, permutations: int, generator: np.random.Generator
) -> Matrix:
    """Return the products of a permuted matrix (as a vector of pairs) with fixed vectors, (B, v).

    Rows and columns are permuted together, so a market keeps its pairs.

    Parameters
    ----------
    matrix
        (m, m); its diagonal is ignored.
    fixed
        (N, v): v vectors over the N pairs.
    pairs
        Row and column numbers of the N pairs.
    permutations
        B.
    generator
        Source of the permutations.
    """
    rows, columns = pairs
    flat, count = matrix.ravel(), len(matrix)
    parts = [
        flat[order[:, rows] * count + order[:, columns]] @ fixed
        for order in _orders(count, permutations, max(1, VALUES_AT_ONCE // len(rows)), generator)
    ]
    return np.concatenate(parts)


def _orders(count: int, permutations: int, most: int, generator: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield uniform permutations of `count` markets, (b, m) with b ≤ `most`, `permutations` in all."""
    for start in range(0, permutations, most):
        rows = np.broadcast_to(np.arange(count), (min(most, permutations - start), count))
        yield generator.permuted(rows, axis=1)


def share_reaching(drawn: Matrix, observed: float) -> float:
    """Return p = (1 + number of the B drawn values that reach the observed one) / (B + 1); it is never 0."""
    return float((1 + (drawn >= observed - SAME * abs(observed)).sum()) / (1 + len(drawn)))


def check_permutations(permutations: int) -> None:
    """Raise a SettingError when there are fewer than 19 permutations, the fewest that can give p = 0.05."""
    if permutations < 19:
        raise SettingError(f"{permutations} permutations cannot give p ≤ 0.05; ask for 19 or more, better 1,000")
