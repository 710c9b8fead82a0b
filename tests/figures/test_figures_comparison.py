"""Figures of a comparison: rates of both sides, and two curves with their difference."""

from collections.abc import Callable
from itertools import permutations
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import figures
from diffusion import DataSaysNoError, SettingError
from figures.page.style import SMALL_SIZE
from tests.figures.test_figures import CODES, HOSTILE, drawn_texts, outside, overlaps, tick_names, words


def make_rates(codes: list[str], *, found: int) -> pd.DataFrame:
    """Return all pairs of markets, of which so many differ."""
    pairs = list(permutations(codes, 2))
    number = np.arange(len(pairs))
    a = 0.05 + 0.2 * (number % 7) / 7
    b = np.where(number < found, a + 0.15, a + 0.01 * ((number % 3) - 1))
    q = np.where(number < found, 0.001 * (number + 1) / len(pairs), 0.6)
    table = pd.DataFrame(pairs, columns=["source", "target"]).assign(rate_a=a, rate_b=b, p=q / 2, q=q)
    table = table.assign(difference=a - b, low=a - b - 0.04, high=a - b + 0.05)
    for side in ("a", "b"):
        table[f"low_{side}"], table[f"high_{side}"] = 0.8 * table[f"rate_{side}"], 1.3 * table[f"rate_{side}"]
    return table


def make_difference(days: int) -> pd.DataFrame:
    """Return two curves of which one is twice as high."""
    day = np.arange(days + 1)
    table = pd.DataFrame({"days": day, "at_risk_a": 900 - 2 * day, "at_risk_b": 500 - day})
    for side, pace in (("a", 1), ("b", 2)):
        share = 0.05 * pace * (1 - np.exp(-day / 30))
        table[f"share_{side}"], table[f"low_{side}"], table[f"high_{side}"] = share, 0.8 * share, 1.2 * share
    difference = table["share_a"] - table["share_b"]
    return table.assign(difference=difference, low=difference - 0.01, high=difference + 0.02)


BUILDERS: dict[str, Callable[[], Figure]] = {
    "some differ": lambda: figures.compared_rates(make_rates(CODES, found=4), a="2018", b="2019"),
    "none differs": lambda: figures.compared_rates(make_rates(CODES[:6], found=0), a="2018", b="2019"),
    "curves": lambda: figures.curve_difference(make_difference(180), a="2018", b="2019"),
    "one day": lambda: figures.curve_difference(make_difference(0)),
    "hostile rates": lambda: figures.compared_rates(
        make_rates(["SE", "US"], found=1), a=HOSTILE, b=HOSTILE, names={"SE": HOSTILE}
    ),
    "hostile curves": lambda: figures.curve_difference(make_difference(60), a=HOSTILE, b="_$x$"),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_text_is_legible_on_the_page_and_axes_are_labelled(name: str) -> None:
    figure = BUILDERS[name]()
    assert outside(figure) == []
    assert overlaps(drawn_texts(figure), slack=4) == []
    assert min(text.get_fontsize() for text in figure.findobj(Text)) >= SMALL_SIZE
    assert not any(text.get_parse_math() for text in figure.findobj(Text) if "$" in text.get_text())
    content = figures.render(figure, "svg")
    assert figures.render(BUILDERS[name](), "svg") == content
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(content).iter()}
    assert not tags & {"script", "foreignObject", "text"}


def test_the_pairs_that_differ_are_named_the_smallest_q_first() -> None:
    figure = figures.compared_rates(make_rates(CODES[:5], found=3).sample(frac=1, random_state=0), a="2018", b="2019")
    assert len(tick_names(figure, 1)) == 3
    assert tick_names(figure, 1)[0].startswith("1  ")
    assert "3 of 20 pairs that can be tested differ at q ≤ .05." in words(figure)
    ends = figure.axes[1].collections[1].get_offsets()
    assert np.asarray(ends)[:, 0] == pytest.approx([-0.15] * 3)


def test_where_none_differs_it_is_said() -> None:
    figure = figures.compared_rates(make_rates(CODES[:5], found=0))
    assert "0 of 20 pairs that can be tested differ at q ≤ .05; listed are those with the smallest p" in words(figure)
    assert len(tick_names(figure, 1)) == 15


def test_pairs_that_are_not_tested_are_not_drawn() -> None:
    rates = make_rates(CODES[:5], found=1)
    rates.loc[5:, "q"] = np.nan
    assert "1 of 5 pairs" in words(figures.compared_rates(rates))
    with pytest.raises(DataSaysNoError, match="no pair of markets has enough tracks and artists"):
        figures.compared_rates(rates.assign(q=np.nan))


def test_the_difference_stands_below_the_curves_of_its_sides() -> None:
    figure = figures.curve_difference(make_difference(180), a="2018", b="2019")
    upper, middle, _ = figure.axes
    assert [line.get_ydata()[-1] for line in upper.get_lines()[:2]] == pytest.approx([0.05, 0.1], rel=0.01)
    assert middle.get_lines()[0].get_ydata()[-1] == pytest.approx(-0.05, rel=0.01)
    assert "2018 less 2019, in points of %" in words(figure).replace("\n", " ")
    assert {"900", "500", "320"} <= set(words(figure).splitlines())


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: figures.compared_rates(make_rates(CODES, found=1).drop(columns="q")), "lacks q"),
        (lambda: figures.compared_rates(make_rates(CODES, found=1).assign(rate_a=2)), "outside 0 … 1"),
        (lambda: figures.curve_difference(make_difference(9).iloc[1:]), "without gaps"),
        (lambda: figures.curve_difference(make_difference(9).drop(columns="low")), "lacks low"),
    ],
)
def test_tables_that_cannot_be_right_are_refused(draw: Callable[[], Figure], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        draw()


def test_no_day_is_an_error_with_a_name() -> None:
    with pytest.raises(DataSaysNoError, match="no curve to draw"):
        figures.curve_difference(make_difference(9)[:0])
