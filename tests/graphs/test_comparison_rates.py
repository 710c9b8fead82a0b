"""How often comparisons are wrong: sides without a difference, true differences, real charts. All of it is slow."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import diffusion
import survival
from diffusion import Entries
from diffusion.simulation.process_worlds import draw_sample, world
from diffusion.simulation.structures import draw_structure
from graphs.comparison.reach import reach_table
from graphs.comparison.shares import share_table
from graphs.comparison.sides import sides
from tests.graphs.test_comparison import part, rates

WORLDS = ("homes", "giant-artist", "popularity-falling", "weekly", "gaps", "late-launch", "influence-dense")
"""Worlds that are dealt into two sides: in none of them do the sides differ."""

SPLITS = ("halves", "tenth and rest", "tenth and all", "overlapping", "tracks")

SIMULATIONS = 8

EXPECTED = (3, 5, 8, 12, 20, np.inf)
"""Classes of expected transitions on the side with fewer."""


def split(entries: Entries, how: str, seed: int) -> tuple[Entries, Entries]:
    """Return two sides dealt at random: by artist, or by track, so that artists are on both sides."""
    rng = np.random.default_rng(seed)
    cluster = entries.timelines.cluster
    artist, track = rng.random(cluster.max() + 1)[cluster], rng.random(len(cluster))
    flags = {
        "halves": (artist < 0.5, artist >= 0.5),
        "tenth and rest": (artist < 0.1, artist >= 0.1),
        "tenth and all": (artist < 0.1, artist < 1),
        "overlapping": (artist < 0.67, artist > 0.33),
        "tracks": (track < 0.5, track >= 0.5),
    }[how]
    return part(entries, flags[0]), part(entries, flags[1])


def dealt_worlds(tracks: int) -> Iterator[tuple[str, str, Entries, Entries]]:
    """Yield the world, how it was dealt, and both sides."""
    for name in WORLDS:
        for seed in range(SIMULATIONS):
            entries = world(name, tracks=tracks, markets=12, seed=1_000 + seed).entries
            for how in SPLITS:
                yield name, how, *split(entries, how, seed)


@pytest.mark.slow
@pytest.mark.parametrize("tracks", [900, 2_500])
def test_rates_of_sides_that_do_not_differ(tracks: int) -> None:
    """p ≤ .05 in about .03 of the pairs, whatever is expected; q ≤ .05 in at most 5 % of the comparisons."""
    parts, false = [], []
    for name, how, a, b in dealt_worlds(tracks):
        table = rates(a, b).dropna(subset=["p"])
        together = (table["tracks_a"] + table["tracks_b"]) / (table["exposed_a"] + table["exposed_b"])
        expected = together * table[["exposed_a", "exposed_b"]].min(axis=1)
        parts.append(pd.DataFrame({"world": name, "how": how, "expected": expected, "small": table["p"] <= 0.05}))
        false.append(bool((table["q"] <= 0.05).any()))
    found = pd.concat(parts)
    classes = found.groupby(pd.cut(found["expected"], EXPECTED), observed=True)["small"].agg(["size", "mean"])
    assert found["small"].mean() <= 0.05
    assert classes.loc[classes["size"] >= 200, "mean"].max() <= 0.06
    for by in ("world", "how"):
        each = found.groupby(by)["small"].agg(["size", "mean"])
        assert each.loc[each["size"] >= 300, "mean"].max() <= 0.06
    assert np.mean(false) <= 0.05


@pytest.mark.slow
def test_reach_shares_and_curves_of_sides_that_do_not_differ() -> None:
    small: dict[str, list[float]] = {"reach": [], "shares": [], "curves": []}
    for name in ("homes", "popularity-falling", "weekly"):
        for seed in range(3 * SIMULATIONS):
            entries = world(name, tracks=3_000, markets=12, seed=5_000 + seed).entries
            a, b = split(entries, SPLITS[seed % len(SPLITS)], seed)
            markets, one, other = sides(a, b)
            small["reach"] += reach_table(one, other, window=60)["p"].dropna().tolist()
            shares = share_table(markets, one, other, window=60, replicates=200, seed=0)
            small["shares"] += shares["p"].dropna().tolist()
            small["curves"].append(survival.curve_difference(a, b, horizon=60).p)
    for name, values in small.items():
        known = np.array(values)[~np.isnan(values)]
        assert len(known) >= 50, name
        # three standard errors of .05; the shares of one comparison go together
        assert (known <= 0.05).mean() <= 0.05 + 3 * np.sqrt(0.0475 / min(len(known), 216)), name


def renamed(entries: Entries, tag: str) -> Entries:
    """Return entries whose artists have names of their own."""
    place = entries.described.column_names.index("artist")
    names = [f"{tag}{name}" for name in entries.described["artist"].to_pylist()]
    return replace(entries, described=entries.described.set_column(place, "artist", pa.array(names)))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tracks"), [("homes", 220), ("homes", 1_500), ("popularity-falling", 1_500)])
def test_intervals_hold_true_differences(name: str, tracks: int) -> None:
    """Two worlds whose markets differ in size and pace; the truth is a sample that is many times as large."""
    rng = np.random.default_rng(7)
    worlds = [draw_structure(name, np.random.default_rng(seed), markets=10) for seed in (1, 2)]
    truth = rates(*(draw_sample(each, rng, tracks=tracks, samples=45_000 // tracks).entries for each in worlds))
    held, near, wrong = [], [], 0
    for _ in range(60):
        both = [renamed(draw_sample(e, rng, tracks=tracks).entries, tag) for e, tag in zip(worlds, "ab", strict=True)]
        table = rates(*both)
        known = table["difference"].notna()
        held.append(((table["low"] <= truth["difference"]) & (truth["difference"] <= table["high"]))[known])
        found = table["q"] <= 0.05
        near.append(found[(table["detectable"] / truth["difference"].abs()).between(0.8, 1.25)])
        wrong += int((np.sign(table["difference"]) != np.sign(truth["difference"]))[found].sum())
    assert pd.concat(held).mean() >= 0.93
    assert wrong <= 0.02 * sum(len(each) for each in held)
    if tracks > 1_000:  # a difference of the size `detectable` is found in 80 %
        assert 0.65 <= pd.concat(near).mean() <= 0.95


@pytest.mark.slow
def test_real_artists_dealt_at_random_do_not_differ() -> None:
    with diffusion.open_sample() as charts:
        entries = charts.entries()
    small, false = [], []
    for seed in range(40):
        table = rates(*split(entries, "overlapping" if seed % 2 else "halves", seed)).dropna(subset=["p"])
        small += (table["p"] <= 0.05).tolist()
        false.append(bool((table["q"] <= 0.05).any()))
    assert len(small) > 1_000
    assert np.mean(small) <= 0.05
    assert np.mean(false) <= 0.05
