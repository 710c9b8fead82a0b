"""The difference of two curves: against breakthrough, against a plain jackknife, and of sides that share artists."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray

import survival
from diffusion import Entries, SettingError
from diffusion.simulation.process_worlds import world
from survival import breakthrough, curve_difference
from survival.curves.curve_difference import Curve

module = import_module("survival.curves.curve_difference")
"""The module; the package has a function of this name."""

HORIZON = 60


@pytest.fixture(scope="module")
def homes() -> Entries:
    """Return entries of artists with homes and albums, in 5 markets."""
    return world("homes", tracks=700, markets=5, seed=3).entries


def part(entries: Entries, kept: NDArray[np.bool_]) -> Entries:
    """Return the entries of some tracks."""
    ids = pa.array(entries.timelines.track_ids[kept], pa.string())
    return replace(entries, table=entries.table.filter(pc.is_in(entries.table["track_id"], ids)))


def dealt(entries: Entries) -> tuple[Entries, Entries]:
    """Return tracks dealt at random; artists are on both sides."""
    kept = np.random.default_rng(1).random(len(entries.timelines.track_ids)) < 0.6
    return part(entries, kept), part(entries, ~kept)


@pytest.fixture(scope="module")
def halves(homes: Entries) -> tuple[Entries, Entries]:
    """Return the two sides of `dealt`."""
    return dealt(homes)


def test_each_side_is_its_own_breakthrough(halves: tuple[Entries, Entries]) -> None:
    table = curve_difference(*halves, horizon=HORIZON).table
    for name, side in zip("ab", halves, strict=True):
        alone = breakthrough(side, horizon=HORIZON).curves
        for ours, theirs in (
            ("share", "share_entered"),
            ("low", "share_low"),
            ("high", "share_high"),
            ("at_risk",) * 2,
        ):
            np.testing.assert_allclose(table[f"{ours}_{name}"], alone[theirs], atol=1e-12)
    assert (table["difference"] == table["share_a"] - table["share_b"]).all()
    assert (table["low"] <= table["difference"]).all() and (table["difference"] <= table["high"]).all()


def share_by(waits: pd.DataFrame, day: int) -> float:
    """Return the share entered by a day, by a plain loop."""
    staying = 1.0
    for at in range(1, day + 1):
        there = (waits["start"] < at) & (waits["days"] >= at)
        went = there & waits["entered"] & (waits["days"] == at)
        staying *= 1 - went.sum() / max(there.sum(), 1)
    return 1 - staying


def test_the_variance_is_that_of_a_plain_jackknife_over_artists() -> None:
    """Leave out each artist from both sides at once: the sum of squares of what that changes in the difference."""
    entries = world("homes", tracks=200, markets=4, seed=3).entries
    halves = dealt(entries)
    owner = dict(zip(entries.timelines.track_ids, entries.timelines.cluster, strict=True))
    frames = []
    for side in halves:
        frame = survival.waits(side, horizon=HORIZON).rows()
        frames.append(frame.assign(owner=frame["track_id"].map(owner)))
    whole = [share_by(frame, HORIZON) for frame in frames]
    squares = 0.0
    for artist in np.unique([*frames[0]["owner"], *frames[1]["owner"]]):
        left = [
            share_by(frame[frame["owner"] != artist], HORIZON) if (frame["owner"] == artist).any() else own
            for frame, own in zip(frames, whole, strict=True)
        ]
        squares += ((whole[0] - left[0]) - (whole[1] - left[1])) ** 2
    markets = tuple(entries.calendar.markets)
    curves = [
        Curve.of(side, numbers, markets, HORIZON)
        for side, numbers in zip(halves, module.numbered_artists(*halves), strict=True)
    ]
    assert module._together(*curves)[1][HORIZON] == pytest.approx(squares, rel=0.02)  # to first order


def test_a_side_and_itself_differ_by_nothing(homes: Entries) -> None:
    found = curve_difference(homes, homes, horizon=HORIZON)
    assert (found.table[["difference", "low", "high"]] == 0).all(axis=None)
    assert np.isnan(found.p)


def test_a_part_of_the_whole_is_nearer_to_it_than_to_the_rest(homes: Entries) -> None:
    cluster = homes.timelines.cluster
    kept = np.random.default_rng(2).random(cluster.max() + 1)[cluster] < 0.5
    whole = curve_difference(part(homes, kept), homes, horizon=HORIZON)
    rest = curve_difference(part(homes, kept), part(homes, ~kept), horizon=HORIZON)
    last = [found.table.iloc[-1] for found in (whole, rest)]
    assert last[0]["high"] - last[0]["low"] < 0.75 * (last[1]["high"] - last[1]["low"])
    assert whole.p == pytest.approx(rest.p, abs=0.1)


def test_blocks_of_artists_give_the_same(halves: tuple[Entries, Entries], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = curve_difference(*halves, horizon=HORIZON)
    monkeypatch.setattr(module, "ARTISTS_AT_ONCE", 7)
    again = curve_difference(*halves, horizon=HORIZON)
    pd.testing.assert_frame_equal(whole.table, again.table)
    assert again.p == pytest.approx(whole.p)


def test_other_rules_are_refused(homes: Entries) -> None:
    with pytest.raises(SettingError, match="washout is 28 and 14"):
        curve_difference(homes, replace(homes, rules=replace(homes.rules, washout=14)))
