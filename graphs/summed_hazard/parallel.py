"""Parallel work on the targets: one thread per target, with one thread of linear algebra each."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

Answer = TypeVar("Answer")


def by_target(work: Callable[[int], Answer], targets: int) -> list[Answer]:
    """Return the results of `work` for the targets 0, 1, …, in order.

    Linear algebra has one thread each, because the matrices of a target are small; with more threads a busy machine
    took twenty times as long.
    """
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, range(targets)))
