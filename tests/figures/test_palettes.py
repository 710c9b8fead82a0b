"""Colours: told apart by colour-blind readers and in grey print, or doubled by dash, shape or hatching."""

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any, Final

import numpy as np
import pytest
from matplotlib.colors import Colormap, to_rgb
from numpy.typing import NDArray

from figures.charts import chart_calendar
from figures.graph import influence_heatmap
from figures.graph.transition_matrix import colours_of
from figures.maps import backbone, communities
from figures.page.style import BLUE, GROUP_STYLES, NO_DATA, VERMILION
from figures.survival import states

Array = NDArray[np.float64]

VISION: Final = {
    "all colours": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
"""Linear RGB as seen (Machado, Oliveira & Fernandes 2009, doi 10.1109/TVCG.2009.113, severity 1)."""

APART: Final = 10.0
"""Distance in CIELAB (ΔE 1976) from which two colours are told apart in small marks; one is just noticeable."""


def linear(colour: Any) -> Array:
    values = np.array(to_rgb(colour))
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(colour: Any) -> float:
    """Return what is left of a colour in grey print, 0 (black) … 1 (white)."""
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def lab(rgb: Array) -> Array:
    """Return linear RGB in CIELAB, white D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    root = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def apart(one: Any, other: Any, vision: Array) -> float:
    return float(np.linalg.norm(lab(vision @ linear(one)) - lab(vision @ linear(other))))


def test_the_simulation_confuses_what_is_known_to_be_confused() -> None:
    red, green = "#a05a00", "#5a7d00"
    assert apart(red, green, VISION["all colours"]) > 3 * apart(red, green, VISION["deuteranopia"])
    assert luminance("white") == pytest.approx(1)
    assert np.allclose(VISION["protanopia"].sum(axis=1), 1, atol=1e-4)  # grey stays grey


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    "looks",
    [GROUP_STYLES, communities._STYLES, ((BLUE, "o"), (VERMILION, "o"))],
    ids=["groups", "communities", "signs"],
)
def test_groups_differ_in_colour_or_in_dash_or_shape(looks: Sequence[tuple[str, Any]], vision: str) -> None:
    for (one, mark), (other, its) in combinations(looks, 2):
        assert apart(one, other, VISION[vision]) >= APART or mark != its, (one, other)


def test_groups_of_one_dash_or_shape_differ_in_grey() -> None:
    for looks in (GROUP_STYLES, communities._STYLES):
        for (one, mark), (other, its) in combinations(looks, 2):
            assert mark != its or abs(luminance(one) - luminance(other)) > 0.1, (one, other)


@pytest.mark.parametrize(
    "colours",
    [
        colours_of(9),
        influence_heatmap._COLOURS,
        backbone._COLOURS,
        chart_calendar._WHOLE,
        chart_calendar._HOLES,
    ],
    ids=["rates", "influence", "lifts", "depths", "holes"],
)
def test_more_is_darker_for_every_reader(colours: Colormap) -> None:
    shades = [colours(place)[:3] for place in np.linspace(0, colours.N - 1, 9).astype(int)]
    assert (np.diff([luminance(shade) for shade in shades]) < 0).all()
    for vision in VISION.values():
        assert (np.diff([lab(vision @ linear(shade))[0] for shade in shades]) < 0).all()


def test_classes_of_rates_are_told_apart_from_their_neighbours_and_from_zero() -> None:
    shades = ["white", *(colours_of(9)(place) for place in range(9))]
    for one, other in pairwise(shades):
        assert all(apart(one, other, vision) >= 8 for vision in VISION.values())
        assert abs(lab(linear(one))[0] - lab(linear(other))[0]) >= 4  # lightness, 0 … 100


def test_states_that_meet_differ_in_grey() -> None:
    stack = [BLUE, states._AFTER, states._CHARTING, NO_DATA]
    for one, other in pairwise(stack):
        assert luminance(other) - luminance(one) > 0.1
