"""Waits with values that were seen before: the same as waits of a frame without the others."""

import numpy as np
import pandas as pd
import pytest

from diffusion import DataSaysNoError
from survival import Cluster, breakthrough, cox, frame_waits, group_curves
from survival.counting.counted import WaitSource
from survival.validation.seen import SeenWaits


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 400
    frame = pd.DataFrame({"market": rng.choice(["NO", "SE", "US", "IN"], n), "near": rng.integers(0, 2, n)})
    frame["days"] = rng.geometric(0.05 * (1 + frame["near"])).clip(1, 40)
    return frame.assign(entered=rng.random(n) < 0.7, artist=rng.integers(0, 60, n))


def waits_of(frame: pd.DataFrame) -> WaitSource:
    return frame_waits(frame, days="days", entered="entered", cluster="artist")


@pytest.mark.parametrize("by", ["none", "market", "near"])
@pytest.mark.parametrize("cluster", ["artist", "independent"])
def test_waits_with_other_values_are_left_out_of_everything(frame: pd.DataFrame, cluster: Cluster, by: str) -> None:
    seen = SeenWaits(waits_of(frame), {"market": frozenset({"NO", "SE", "US"})})
    rest = waits_of(frame[frame["market"] != "IN"])
    for strata in ((), ("market",)):
        models = [cox(source, "near", strata=strata, cluster=cluster).summary for source in (seen, rest)]
        pd.testing.assert_frame_equal(*models)
    curves = [breakthrough(source, by=by, cluster=cluster).curves for source in (seen, rest)]
    pd.testing.assert_frame_equal(*curves)


def test_they_are_counted_by_what_is_asked_alone(frame: pd.DataFrame) -> None:
    seen = SeenWaits(waits_of(frame), {"market": frozenset({"NO", "SE"})})
    assert list(seen.counted(("near",)).values) == ["near"]
    assert len(seen.counted().values) == 1
    rest = waits_of(frame[frame["market"].isin(["NO", "SE"])])
    pd.testing.assert_frame_equal(*(group_curves(source).survival_function_ for source in (seen, rest)))
    events = seen.counted(("near",)).events
    assert len({*zip(events.cell, events.after, events.days, strict=True)}) == len(events.cell)


def test_nobody_seen_is_said(frame: pd.DataFrame) -> None:
    with pytest.raises(DataSaysNoError, match="no wait has a market that was seen before"):
        SeenWaits(waits_of(frame), {"market": frozenset({"JP"})}).counted()
