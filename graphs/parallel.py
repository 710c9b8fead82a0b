"""Parallel work: one thread per piece, with one thread of linear algebra each."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from threadpoolctl import threadpool_limits

BASELINES_AT_ONCE: Final = 2
"""Pieces at a time where each has a baseline of its own, so that they fit into memory together."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def in_order(work: Callable[[Item], Answer], items: Iterable[Item], *, most: int | None = None) -> list[Answer]:
    """Return the results of `work` for every item, in order; they do not depend on the number of cores.

    Linear algebra has one thread each, because the matrices are small; with more threads a busy machine took twenty
    times as long.

    Parameters
    ----------
    most
        Pieces worked on at a time, at most (default: one per core); fewer where each needs much memory.
    """
    cores = os.cpu_count() or 1
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(min(most or cores, cores)) as pool:
        return list(pool.map(work, items))
