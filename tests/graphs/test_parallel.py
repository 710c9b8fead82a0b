"""Parallel work: results in the order of the items, whatever is done first, and errors as they come."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from graphs.parallel import in_order


def threads_of_algebra() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_results_stand_in_the_order_of_the_items() -> None:
    later_ended = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            later_ended.wait(timeout=0.2)
        else:
            later_ended.set()
        return item * 10

    assert in_order(work, range(5), most=2) == [0, 10, 20, 30, 40]


def test_an_error_of_one_item_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        in_order(lambda item: 1 // item, [2, 0, 1])


def test_linear_algebra_has_one_thread_and_gets_the_others_back() -> None:
    np.ones((2, 2)) @ np.ones((2, 2))
    before = threads_of_algebra()
    assert in_order(lambda _: threads_of_algebra(), range(3), most=2) == [{1}] * 3
    assert threads_of_algebra() == before
