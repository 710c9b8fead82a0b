"""The page of the explorer: legible, as wide as its screen, and whole where there is next to nothing to show."""

import re
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.explorer.columns import column
from pipelines.explorer.page import page_of
from tests.browser import looking
from tests.pipelines.explorer_study import explore, held, write_charts

VIEWS = (
    "panel=leaders",
    "market=US&panel=market&edges=rate",
    "market=US&partner=SE&panel=pair&edges=lift",
    "panel=track&track=h1",
    "view=network&edges=direct&panel=pair",
)

TEXT, MARK = 4.5, 3.0
"""Least contrast of texts and of marks with what is behind them (WCAG 2.2, AA)."""


def light_of(colour: str) -> float:
    """Return the relative luminance of a colour such as ``#0a5fa5``."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, 1 … 21."""
    brighter, darker = sorted((light_of(first), light_of(second)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_are_told_from_what_is_behind_them(scheme: int) -> None:
    css = resources.files("pipelines.explorer").joinpath("web", "explorer.css").read_text(encoding="utf-8")
    block = re.findall(r":root \{(.+?)\}", css, flags=re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for name in ("ink", "muted", "accent"):
        assert contrast(colours[name], colours["paper"]) >= TEXT, name
    for name in ("ink", "muted"):
        assert contrast(colours[name], colours["soft"]) >= TEXT, name
    for name in ("sent", "received", "node", "now", *(name for name in colours if name.startswith("group"))):
        assert contrast(colours[name], colours["paper"]) >= MARK, name


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("explorer")
    write_charts(place / "charts.csv")
    explore(place / "charts.csv", place / "out")
    return place / "out" / "explorer.html"


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1440, 820, 390])
def test_nothing_is_wider_than_the_screen(page: Path, width: int, dark: bool) -> None:
    with looking(page, width=width, dark=dark) as seen:
        for view in VIEWS:
            seen.at(view)
            assert seen.page.evaluate("document.documentElement.scrollWidth") == width, view
            background = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert background == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")
        assert seen.trouble == []


@pytest.mark.slow
def test_everything_that_can_be_pressed_has_a_name(page: Path) -> None:
    named = "node => node.getAttribute('aria-label') || node.textContent.trim() || (node.labels && node.labels.length)"
    with looking(page) as seen:
        for view in VIEWS:
            seen.at(view)
            for node in seen.page.locator("button, select, input, [role=button]").all():
                assert node.evaluate(named), node.evaluate("node => node.outerHTML")


@pytest.mark.slow
def test_what_was_not_made_is_said_why(tmp_path: Path, page: Path) -> None:
    explore(page.parents[1] / "charts.csv", tmp_path / "bare", given={}, title="</title><script>")
    bare = tmp_path / "bare" / "explorer.html"
    data = held(bare)
    assert (data["beyond"], data["direct"], data["placebo"], data["leaders"]) == (None, None, [], {"measures": []})
    with looking(bare) as seen:
        assert seen.text("h1") == "</title><script>"
        seen.at("edges=direct&market=US&partner=SE&panel=pair")
        assert seen.text("#caption") == "Direct influence was not fitted: not made: it was not asked for."
        assert seen.text("#placebo").startswith("Placebos: none were made")
        seen.at("market=US&panel=market&sort=-direct")
        assert "direct" not in seen.text("#panel thead")
        seen.at("edges=lift&panel=leaders")
        assert seen.arrows() == []
        assert seen.trouble == []


@pytest.mark.slow
def test_the_page_opens_on_a_measure_that_has_numbers(page: Path, tmp_path: Path) -> None:
    data = held(page)
    markets = len(data["markets"]) * len(data["leaders"]["measures"])
    data["leaders"] |= dict.fromkeys(("low", "high", "q", "rank"), column(np.full(markets, np.nan)))
    file = tmp_path / "explorer.html"
    file.write_text(page_of(data), encoding="utf-8")
    with looking(file) as seen:
        assert seen.page.locator("#measure").input_value() == "out_share"
        assert "lead beyond the baseline, nothing can be said here: too few artists." in seen.text("#panel")
        assert seen.text("#panel tbody td") == "0.500"
        assert seen.text("#panel thead").startswith("market\tscore ▼")
        seen.page.locator("#measure").select_option("lead_excess")
        assert seen.text("#panel tbody td") == "too few artists"
        assert "measure=lead_excess" in seen.fragment()
        assert seen.trouble == []


def emptied(columns: dict[str, Any]) -> dict[str, Any]:
    """Return columns without rows."""
    return {name: {"kind": "u1", "data": ""} if isinstance(held, dict) else held for name, held in columns.items()}


@pytest.mark.slow
@pytest.mark.parametrize("markets", [0, 1])
def test_one_market_no_pair_and_no_track_are_a_page_too(page: Path, tmp_path: Path, markets: int) -> None:
    data = held(page)
    data |= {"markets": data["markets"][:markets], "periods": [], "beyond": None, "direct": None, "placebo": []}
    unmade = ("lifts", "influence", "leaders", "placebo")
    data |= {"leaders": {"measures": []}, "not_made": dict.fromkeys(unmade, "no pair")}
    data |= {name: emptied(data[name]) for name in ("pairs", "period_pairs", "curves")}
    data["tracks"] = emptied(data["tracks"]) | {"all": 0, "id": [], "title": [], "artist": []}
    file = tmp_path / "explorer.html"
    file.write_text(page_of(data), encoding="utf-8")
    with looking(file) as seen:
        for view in (*VIEWS, "market=BR&panel=market"):
            seen.at(view)
            assert seen.page.locator("#figure .market").count() == markets
        assert seen.saved("#csv").startswith(b"\xef\xbb\xbfsource")
        assert seen.trouble == []
