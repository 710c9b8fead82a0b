"""q of p, against a plain count of what would be reported."""

import numpy as np
import pytest

from graphs.false_discovery import Method, adjusted

EXACT = 1e-12
"""Rounding of sums in another order."""


def slow_q(p: np.ndarray, penalty: float) -> list[float]:
    """Return for every p the least n · p' · penalty / (number of p up to p') over all p' from p on, at most 1."""
    return [min(1.0, *(len(p) * other * penalty / (p <= other).sum() for other in p if other >= one)) for one in p]


@pytest.mark.parametrize("method", ["bh", "by"])
def test_q_counts_the_tested_pairs_alone(method: Method) -> None:
    p = np.random.default_rng(9).uniform(size=(5, 7)) ** 2
    p[0, :3], p[1, :2] = np.nan, p[4, 4]  # untested, and ties
    tested = ~np.isnan(p)
    penalty = 1.0 if method == "bh" else sum(1 / k for k in range(1, tested.sum() + 1))
    q = adjusted(p, method=method)
    assert np.isnan(q[~tested]).all()
    np.testing.assert_allclose(q[tested], slow_q(p[tested], penalty), rtol=EXACT)


def test_without_a_tested_pair_there_is_no_q() -> None:
    assert np.isnan(adjusted(np.full((2, 2), np.nan))).all()
