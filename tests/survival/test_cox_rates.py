"""Intervals and tests of Cox models keep their rates where artists are clusters: in worlds made without the model."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from diffusion import open_charts
from diffusion.simulation.process_worlds import draw_sample
from diffusion.simulation.structures import Structure, draw_structure
from survival import CoxFit, cox, frame_waits, hazard_ratios_by_period, waits
from survival.counting.frame import FrameWaits

FRAILTY = 0.5
"""Variance of what multiplies all hazards of an artist."""

TRUTH = 0.456
"""Log hazard ratio of a label that multiplies hazards by e^.5: it is smaller, because artists with a high hazard leave
first. A model of very many artists with one track each finds it."""


def artists_waits(generator: np.random.Generator, effect: float, *, artists: int, giant: float = 0.0) -> pd.DataFrame:
    """Return waits of artists of very unequal size; half of them have a label that multiplies hazards by e^effect.

    Hazards fall with age, a third of the waits begin late, and all are censored between day 20 and 60. With `giant`,
    the first artist has this share of all waits.
    """
    size = np.ceil(generator.pareto(1.2, artists)).clip(1, artists / 2).astype(int)
    if giant:
        size[0] = giant / (1 - giant) * size[1:].sum()
    artist = np.repeat(np.arange(artists), size)
    label = (generator.random(artists) < 0.5)[artist]
    pull = 0.4 * generator.gamma(1 / FRAILTY, FRAILTY, artists)[artist] * np.exp(effect * label)
    due = generator.exponential(size=len(artist)) / pull
    time = np.where(due < 1, -20 * np.log1p(-np.minimum(due, 1 - 1e-12)), np.inf)
    start = generator.integers(0, 10, len(artist)) * (generator.random(len(artist)) < 0.3)
    end = generator.integers(20, 61, len(artist))
    frame = pd.DataFrame({"label": label * 1, "artist": artist, "start": start, "entered": time <= end})
    frame["days"] = np.ceil(np.minimum(time, end)).astype(int)
    return frame[frame["days"] > frame["start"]]


def source(frame: pd.DataFrame) -> FrameWaits:
    return frame_waits(frame, days="days", entered="entered", start="start", cluster="artist")


def fits(effect: float, runs: int, *, artists: int, giant: float = 0.0) -> Iterator[CoxFit]:
    """Yield models of one world after the other."""
    for run in range(runs):
        frame = artists_waits(np.random.default_rng(1000 + run), effect, artists=artists, giant=giant)
        yield cox(source(frame), "label")


def covered(fit: CoxFit, truth: float) -> bool:
    bounds = fit.confidence_intervals_.loc["label"]
    return bool(bounds.iloc[0] <= truth <= bounds.iloc[1])


@pytest.mark.slow
def test_a_label_that_does_nothing_is_significant_as_often_as_stated() -> None:
    found = list(fits(0.0, 150, artists=150))
    assert 0.01 <= np.mean([fit.summary.loc["label", "p"] <= 0.05 for fit in found]) <= 0.09
    # taken as independent, a third of the labels would be
    model = [
        abs(fit.maximum.point.coefficients[0]) / np.sqrt(np.linalg.inv(fit.maximum.information)[0, 0]) for fit in found
    ]
    assert np.mean(np.array(model) > 1.96) > 0.15


@pytest.mark.parametrize(("seed", "few"), [(1002, False), pytest.param(1003, True, marks=pytest.mark.slow)])
def test_the_effective_number_of_artists_is_that_of_leaving_each_out(seed: int, few: bool) -> None:
    frame = artists_waits(np.random.default_rng(seed), 0.0, artists=300)
    whole = cox(source(frame), "label")
    without = [
        cox(source(frame[frame["artist"] != artist]), "label").params_["label"] for artist in frame["artist"].unique()
    ]
    change = np.array(without) - whole.params_["label"]
    number = (change**2).sum() ** 2 / (change**4).sum()
    assert whole.effective_clusters_["label"] == pytest.approx(number, rel=0.25)  # to first order
    assert (number < 10) == few


@pytest.mark.slow
@pytest.mark.parametrize(("artists", "giant"), [(300, 0.0), (300, 0.2), (300, 0.4), (60, 0.0)])
@pytest.mark.parametrize(("effect", "truth"), [(0.0, 0.0), (0.5, TRUTH)])
def test_intervals_hold_the_truth_as_often_as_stated(effect: float, truth: float, artists: int, giant: float) -> None:
    hits = [covered(fit, truth) for fit in fits(effect, 400, artists=artists, giant=giant)]
    assert 0.93 <= np.mean(hits) <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize(("artists", "giant", "least"), [(300, 0.0, 0.92), (300, 0.4, 0.90), (60, 0.0, 0.90)])
def test_intervals_of_probabilities_hold_the_truth(artists: int, giant: float, least: float) -> None:
    pull = 0.4 * np.random.default_rng(9).gamma(1 / FRAILTY, FRAILTY, 1_000_000)
    waiting = [np.exp(-pull * -np.expm1(-day / 20)).mean() for day in (5, 15)]
    hits = []
    for fit in fits(0.0, 300, artists=artists, giant=giant):
        labels = pd.DataFrame({"label": [0, 1]})
        whole, later = fit.probability(labels, 15), fit.probability(labels, 15, conditional_after=5)
        for found, truth in ((whole, 1 - waiting[1]), (later, 1 - waiting[1] / waiting[0])):
            hits.append((found["low"] <= truth) & (truth <= found["high"]))
    assert (pd.DataFrame(hits).mean() >= least).all()
    assert (pd.DataFrame(hits).mean() <= 0.98).all()


@pytest.mark.slow
def test_the_test_of_equal_ratios_keeps_its_level() -> None:
    found = []
    for run in range(300):
        frame = artists_waits(np.random.default_rng(run), 0.0, artists=300)
        found.append(hazard_ratios_by_period(source(frame), "label", (0, 3, 8))["p_same"].iloc[0])
    assert np.mean(np.array(found) <= 0.05) <= 0.07


@pytest.mark.slow
def test_the_test_of_equal_ratios_keeps_its_level_on_charts_where_few_artists_have_a_label(real_data: Path) -> None:
    """A label of 4 % of the artists of real charts, given by chance: the errors rest on some ten artists."""
    with open_charts(real_data / "viral50-weekly-2017-2020") as charts:
        entries = charts.entries()
    artists = pd.DataFrame({"artist": entries.described["artist"].unique().to_pylist()})
    found = []
    for run in range(60):
        generator = np.random.default_rng(run)
        artists["one"], artists["two"], artists["three"] = (generator.random((3, len(artists))) < 0.04).astype(float)
        ratios = hazard_ratios_by_period(waits(entries, artists=artists, leave_out_missing=True), "one + two + three")
        found += ratios.drop_duplicates("covariate")["p_same"].tolist()
    assert np.mean(np.array(found) <= 0.05) <= 0.07


@pytest.mark.slow
def test_the_truth_of_labels_is_the_limit_of_many_artists() -> None:
    generator = np.random.default_rng(1)
    frame = artists_waits(generator, 0.5, artists=1_000_000).drop_duplicates("artist")
    assert cox(source(frame), "label").params_["label"] == pytest.approx(TRUTH, abs=0.01)


# ── charts of simulated worlds ───────────────────────────────────────────────────────────────────────────────────────


def world_fit(structure: Structure, seed: int, samples: int = 1) -> CoxFit:
    """Return a model of the waits of a world's charts, with a label of the artist that does nothing."""
    generator = np.random.default_rng(seed)
    drawn = draw_sample(structure, generator, tracks=1000, samples=samples)
    artists = pd.DataFrame({"artist": drawn.entries.described["artist"].unique().to_pylist()})
    artists["label"] = generator.integers(0, 2, len(artists))
    source = waits(drawn.entries, horizon=90, artists=artists, pairs=drawn.pairs)
    return cox(source, "label + footprint + common_language")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["homes", "giant-artist"])
def test_intervals_hold_the_limit_of_a_large_simulation(name: str) -> None:
    structure = draw_structure(name, np.random.default_rng(5), markets=10, days=500)
    truth = world_fit(structure, 1, samples=60).params_
    truth["label"] = 0.0
    hits = []
    for seed in range(100, 400):
        bounds = world_fit(structure, seed).confidence_intervals_
        hits.append((bounds.iloc[:, 0] <= truth) & (truth <= bounds.iloc[:, 1]))
    assert (pd.DataFrame(hits).mean() >= 0.92).all()
    assert (pd.DataFrame(hits).mean() <= 0.985).all()
