"""Targets are fitted side by side: one thread each, and one thread of linear algebra within it."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

Answer = TypeVar("Answer")


def by_target(work: Callable[[int], Answer], targets: int) -> list[Answer]:
    """Return what `work` says of each target, in order.

    The matrices of one target are so small that threads within one product cost more than they bring: on a busy
    machine twenty times.
    """
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, range(targets)))
