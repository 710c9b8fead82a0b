"""The explorer: its numbers are those of the graph, by period too, and it does in a browser what it says."""

import base64
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread
from numpy.typing import NDArray

import graphs
from diffusion.foreign_text import csv_cell, replaced
from pipelines import open_study
from pipelines.explorer import content
from pipelines.explorer.columns import column
from pipelines.explorer.content import MOST_DAYS
from pipelines.explorer.page import script_json
from pipelines.explorer.periods import COUNTED, suited
from pipelines.explorer.tracks import track_content
from pipelines.study.results import Results
from tests.browser import Seen, looking
from tests.pipelines.explorer_study import CODES, HOSTILE, explore, held, write_charts

FLOAT = 1e-6
"""Relative error of a 32-bit float."""


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_charts(tmp_path_factory.mktemp("charts") / "charts.csv")


@pytest.fixture(scope="module")
def made(charts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("explorer") / "out"
    explore(charts, out)
    return out


@pytest.fixture(scope="module")
def results(made: Path) -> Results:
    return open_study(made)


@pytest.fixture(scope="module")
def opened(made: Path) -> Iterator[Seen]:
    """Return the page in a browser, opened once."""
    with looking(made / "explorer.html") as seen:
        yield seen


@pytest.fixture
def seen(opened: Seen) -> Iterator[Seen]:
    """Return the page; afterwards nothing may have gone wrong on it, and nothing been asked of a network."""
    yield opened
    assert opened.trouble == []


def decoded(held_column: dict[str, str]) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(held_column["data"]), f"<{held_column['kind']}")


@given(st.lists(st.integers(-(2**31), 2**32 - 1)), st.lists(st.floats(width=32)))
def test_a_column_holds_its_numbers(whole: list[int], floats: list[float]) -> None:
    values = np.array(whole, np.int64)
    if values.size and values.min() < 0 and values.max() >= 2**31:
        with pytest.raises(OverflowError, match="more than 32 bits"):
            column(values)
    else:
        np.testing.assert_array_equal(decoded(column(values)), values)
    np.testing.assert_array_equal(decoded(column(np.array(floats, np.float64))), np.array(floats, np.float32))


@given(st.dictionaries(st.text(), st.lists(st.text())))
def test_json_in_a_page_is_the_same_and_ends_no_element(value: Any) -> None:
    text = script_json(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029\u202e") & set(text)


def test_the_pairs_are_those_of_the_graph(made: Path, results: Results) -> None:
    data, edges = held(made / "explorer.html"), results.graph.edges
    assert [market["market"] for market in data["markets"]] == list(CODES)
    for name in ("tracks", "joint", "exposed", "rate", "rate_low", "rate_high", "rate_if_ties", "lag_median"):
        np.testing.assert_allclose(decoded(data["pairs"][name]), edges[name].to_numpy(float), rtol=FLOAT)
    assert edges["tracks"].sum() > 50 and edges["joint"].sum() > 50
    lifts = results.table("lifts")
    np.testing.assert_allclose(decoded(data["beyond"]["q"]), lifts["q"].to_numpy(float), rtol=FLOAT)
    assert decoded(data["direct"]["direct"]).sum() == 2


def test_periods_are_the_graphs_of_the_tracks_that_debut_in_them(made: Path, results: Results) -> None:
    data = held(made / "explorer.html")
    periods, pairs = data["periods"], len(CODES) * (len(CODES) - 1)
    assert [one["name"] for one in periods] == ["2021-02", "2021-03"]
    whole = results.graph.edges
    sums = np.zeros(pairs, int)
    for at, period in enumerate(periods):
        own = results.entries.subset(debut=(period["start"], period["end"]))
        edges = graphs.market_graph(own, window=results.graph.window).edges
        assert (edges[["source", "target"]] == whole[["source", "target"]]).all().all()
        assert period["tracks"] == (~own.debuts()["left_censored"]).sum()
        for name in COUNTED:
            column_ = decoded(data["period_pairs"][name])[at * pairs : (at + 1) * pairs]
            np.testing.assert_allclose(column_, edges[name].to_numpy(float, na_value=np.nan), rtol=FLOAT, err_msg=name)
        sums += edges["tracks"].to_numpy()
    assert sums.tolist() == whole["tracks"].tolist()


@pytest.mark.parametrize("most", [MOST_DAYS, 7])
def test_lag_curves_are_those_of_the_graph(results: Results, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(content, "MOST_DAYS", most)
    data = content.content("T", results)["curves"]
    days = np.array(data["days"])
    pair = list(CODES).index("US") * (len(CODES) - 1) + list(CODES).index("SE")
    curve = results.graph.flow("US", "SE").curve
    own = slice(pair * len(days), (pair + 1) * len(days))
    assert (days[0], days[-1]) == (0, len(curve) - 1)
    assert len(days) == len(curve) if most == MOST_DAYS else len(days) <= most + 2
    assert decoded(data["at_risk"])[own].tolist() == curve["at_risk"][days].tolist()
    for name, column_ in (("share", "incidence"), ("low", "low"), ("high", "high")):
        expected = curve[column_].to_numpy()[days]
        np.testing.assert_allclose(decoded(data[name])[own] / data["parts"], expected, atol=0.51 / data["parts"])


def test_the_longest_kind_of_period_of_which_there_are_three_is_taken(results: Results) -> None:
    assert [one.name for one in suited(results.graph.timelines)] == ["2021-02", "2021-03"]


def test_the_tracks_in_most_markets_stay_and_the_others_are_counted(results: Results) -> None:
    tracks, markets = results.table("tracks"), list(CODES)
    some = track_content(results.entries, tracks, markets, most=7)
    sizes = results.entries.journeys().groupby("track_id").size()
    assert some["all"] == len(sizes) > 50
    assert decoded(some["sizes"]).tolist() == sorted(sizes, reverse=True)[:7]
    first = results.entries.journey(some["id"][0])
    length = len(first)
    assert [CODES[at] for at in decoded(some["market"])[:length]] == first["market"].tolist()
    assert decoded(some["days"])[:length].tolist() == first["days"].tolist()
    assert decoded(some["rank"])[:length].tolist() == first["rank"].tolist()
    day = pd.Timestamp(0) + pd.Timedelta(days=int(decoded(some["debut"])[0]))
    assert day == first["entry"].min()


def test_titles_hold_no_control_characters_and_an_unknown_title_is_the_id(results: Results) -> None:
    whole = track_content(results.entries, results.table("tracks"), list(CODES))
    titles = dict(zip(whole["id"], whole["title"], strict=True))
    assert titles["h4"] == "\ufffdevil\ufffd שלום"
    nameless = track_content(results.entries, results.table("tracks")[["track_id"]], list(CODES))
    assert nameless["title"] == nameless["id"]
    assert set(nameless["artist"]) == {""}


def test_a_title_stands_in_the_page_only_as_data(made: Path) -> None:
    html = (made / "explorer.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in html and "<img" not in html
    assert html.count("<script") == 3
    titles = held(made / "explorer.html")["tracks"]["title"]
    assert {"<script>alert(1)</script>", "__proto__", "=1+1"} <= set(titles)


class Told:
    """Keeps which steps were made, and which were unchanged."""

    def __init__(self) -> None:
        self.made: dict[str, bool] = {}

    def __call__(self, doing: str, share: float | None = None) -> None:
        pass

    def ended(self, step: str, *, unchanged: bool = False) -> None:
        self.made[step] = not unchanged


def test_an_unchanged_explorer_is_left_and_one_that_was_changed_is_made_again(charts: Path, made: Path) -> None:
    before, told = (made / "explorer.html").read_bytes(), [Told(), Told()]
    explore(charts, made, tell=told[0])
    (made / "explorer.html").write_text("spoilt")
    explore(charts, made, tell=told[1])
    assert [one.made["explorer"] for one in told] == [False, True]
    assert list(told[0].made)[-2:] == ["explorer", "report"]
    assert (made / "explorer.html").read_bytes() == before


# ── the page in a browser ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_click_on_a_market_shows_whom_it_sends_to(seen: Seen, results: Results) -> None:
    seen.at("")
    seen.page.locator("#figure .market[aria-label^='United States']").click()
    assert seen.text("#panel h2") == "United States"
    edge = results.graph.flow("US", "SE").edge
    row = seen.page.locator("#panel tbody tr", has_text="Sweden").inner_text().split("\t")
    assert row[1] == f"{edge['tracks']} / {edge['exposed']}"
    assert row[2].startswith(f"{100 * float(str(edge['rate'])):.0f} % (")
    assert row[-2:] == ["0.004", "ordered"]
    seen.page.get_by_text("Receives from").click()
    assert seen.page.locator("#panel thead th").first.inner_text() == "from"
    assert "market=US" in seen.fragment() and "way=received" in seen.fragment()


def test_a_market_is_reached_and_chosen_by_keys(seen: Seen) -> None:
    seen.at("market=US")
    seen.page.locator("#figure .market[tabindex='0']").focus()
    seen.page.keyboard.press("ArrowRight")
    name = seen.page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert name.startswith("Norway: sends ")
    seen.page.keyboard.press("Enter")
    assert seen.text("#panel h2") == "Norway"


def test_a_pair_has_its_lag_curve_and_both_directions(seen: Seen, results: Results) -> None:
    seen.at("market=US&panel=market")
    seen.page.locator("#panel tbody button", has_text="Sweden").click()
    assert seen.text("#panel h2") == "United States → Sweden"
    curve = results.graph.flow("US", "SE").curve
    at_risk = seen.page.locator("#curve > g:last-child text").all_text_contents()
    assert at_risk == [str(int(curve["at_risk"][day])) for day in range(0, len(curve), 10)]
    facts = {row[0]: row[1:] for row in (line.split("\t") for line in seen.text("#panel table").splitlines())}
    back = results.graph.flow("SE", "US").edge
    assert facts["exposed tracks"][1] == str(back["exposed"])
    assert facts["q"] == ["0.004", "0.300"]
    assert len(seen.arrows("chosen")) == 1
    seen.page.get_by_text("Other direction").click()
    assert seen.text("#panel h2") == "Sweden → United States"


def test_arrows_show_counts_rates_lifts_or_direct_pairs_with_the_placebos_beside(seen: Seen) -> None:
    seen.at("")
    assert "held against nothing" in seen.text("#caption")
    assert "Pairs beyond the baseline: 2 here; drawn 0, 1; exchanged 0." in seen.text("#placebo")
    for label in ("Rate", "Lift"):
        seen.page.locator("#edges label", has_text=label).click()
        assert len(seen.arrows()) > 2
    assert len(seen.arrows("pale")) == len(seen.arrows()) - 2
    seen.page.locator("#edges label", has_text="Direct").click()
    assert [len(seen.arrows()), len(seen.arrows("direct"))] == [2, 1]
    assert "Direct pairs: 2 here; drawn 0; exchanged 0. More one way than the other: 1 here" in seen.text("#placebo")


def test_the_slider_chooses_a_period_and_tests_do_not_pretend_to_be_of_it(seen: Seen, results: Results) -> None:
    seen.at("market=US&panel=market&edges=tracks")
    seen.page.locator("#period").press("ArrowRight")
    assert seen.text("#period-name") == "2021-02"
    own = results.entries.subset(debut=("2021-02-01", "2021-02-28"))
    edge = graphs.market_graph(own, window=results.graph.window).flow("US", "SE").edge
    row = seen.page.locator("#panel tbody tr", has_text="Sweden").inner_text().split("\t")
    assert row[1] == f"{edge['tracks']} / {edge['exposed']}"
    assert "lift, q and direct of the whole time" in seen.text("#panel caption")
    assert "these arrows are not of" not in seen.text("#caption")
    seen.page.locator("#edges label", has_text="Lift").click()
    assert "these arrows are not of 2021-02" in seen.text("#caption")


def test_filters_by_q_and_by_tracks(seen: Seen, results: Results) -> None:
    seen.at("")
    seen.page.locator("#q").select_option("0.01")
    assert len(seen.arrows()) == 2
    seen.page.locator("#q").select_option("1")
    seen.page.locator("#least").fill("9")
    many = int((results.graph.edges["tracks"] >= 9).sum())
    assert 0 < len(seen.arrows()) == many < 20
    seen.page.locator("#least").fill("9999")
    assert (seen.arrows(), seen.text("#caption")) == ([], "No pair passes the filters.")


def test_leaders_sort_highlight_and_say_what_is_tested(seen: Seen) -> None:
    seen.at("panel=leaders")
    names = seen.page.locator("#panel tbody th")
    assert names.all_inner_texts() == ["United States", "Sweden", "Brazil", "Norway", "New Zealand"]
    assert "1 of 4 markets lead beyond the baseline and 0 are led" in seen.text("#panel")
    assert "Groups of leaders told apart: 3 here; drawn 1, 1; exchanged 1." in seen.text("#panel .placebo")
    seen.page.locator("#panel thead button", has_text="score").click()
    assert names.first.inner_text() == "Norway"
    assert names.last.inner_text() == "New Zealand"
    names.first.hover()
    assert seen.page.locator("#figure .market.lit").get_attribute("aria-label").startswith("Norway")
    assert seen.page.locator("#figure .market.leads").count() == 1
    seen.page.locator("#measure").select_option("out_share")
    assert "This measure describes" in seen.text("#panel")


def test_a_track_is_found_and_its_journey_replayed(seen: Seen) -> None:
    seen.at("panel=track")
    seen.page.locator("#search").fill("FUR elise maneskin")
    seen.page.locator("#found button").click()
    assert seen.text("#step-words") == "2021-02-14, day 0: step 1 of 3"
    assert seen.page.locator("#figure .market.now").count() == 2
    assert "a tie: no order between them was observed" in seen.text("#caption")
    seen.page.locator("#on").click()
    roles = {role: seen.page.locator(f"#figure .market.{role}").count() for role in ("there", "now", "later", "never")}
    assert roles == {"there": 2, "now": 1, "later": 1, "never": 1}
    seen.page.locator("#step").press("ArrowRight")
    assert seen.text("#step-words") == "2021-03-02, day 16: step 3 of 3"
    assert seen.arrows() == []
    seen.page.locator("#play").click()
    assert seen.text("#play") == "Pause"
    seen.page.locator("#step-words", has_text="step 2 of 3").wait_for()
    seen.page.locator("#play").click()
    assert seen.text("#play") == "Play"
    assert "step=1" in seen.fragment()


def test_what_is_seen_is_in_the_fragment_and_comes_back(seen: Seen) -> None:
    seen.at("")
    seen.page.locator("#view label", has_text="Network").click()
    seen.page.locator("#edges label", has_text="Rate").click()
    seen.page.locator("#period").fill("2")
    seen.page.locator("#least").fill("2")
    seen.page.locator("#most").select_option("20")
    seen.page.locator("#tab-pair").click()
    seen.page.locator("#from").select_option(label="Brazil")
    seen.page.locator("#to").select_option(label="Norway")
    seen.page.locator("#closer").click()
    fragment, shown = seen.fragment(), seen.page.locator("main").inner_text()
    assert dict(parse_qsl(fragment)) == {
        "view": "network", "edges": "rate", "period": "2021-03", "least": "2", "most": "20", "market": "BR",
        "partner": "NO", "panel": "pair", "zoom": "1.6,0.5,0.5",
    }  # fmt: skip
    seen.at("")
    assert seen.page.locator("main").inner_text() != shown
    seen.at(fragment)
    assert seen.page.locator("main").inner_text() == shown


@pytest.mark.parametrize(
    "fragment",
    [
        "view=<script>alert(1)</script>&edges=__proto__&period=constructor&q=-1&least=1e9&most=100000",
        "market=__proto__&partner=XX&track=toString&step=99999&zoom=NaN,1,1&measure=constructor&sort=-x",
        "market=US&partner=US&step=-1&zoom=1e9,0,0&leaders=--score&way=both&panel=%00",
        "%E0%A4%A&%%%=&=&&&__proto__=1&zoom=2,0.5",
    ],
)
def test_a_fragment_that_cannot_be_is_ignored(seen: Seen, fragment: str) -> None:
    seen.at("panel=leaders")
    usual = seen.text("#caption")
    seen.at(fragment)
    assert seen.text("#caption").split(" Drawn:")[0] == usual.split(" Drawn:")[0]
    assert seen.page.locator("#figure .market").count() == len(CODES)


def test_hostile_titles_are_text_on_the_screen(seen: Seen) -> None:
    for track, (title, artist) in HOSTILE.items():
        seen.at(f"panel=track&track={track}")
        said = replaced(f"{title} by {artist}")
        assert seen.text("#panel h2") == said
        assert said in seen.text("#caption")
    assert seen.page.locator("img").count() == 0


def test_tables_are_saved_without_formulas(seen: Seen, results: Results) -> None:
    for track, (title, artist) in HOSTILE.items():
        seen.at(f"panel=track&track={track}")
        lines = list(csv.DictReader(io.StringIO(seen.saved("#csv").decode("utf-8-sig"))))
        assert lines[0]["title"] == csv_cell(replaced(title))
        assert lines[0]["artist"] == csv_cell(replaced(artist))
        assert [line["market"] for line in lines] == results.entries.journey(track)["market"].tolist()
    seen.at("panel=market&edges=rate")
    table = pd.read_csv(io.BytesIO(seen.saved("#csv")), encoding="utf-8-sig").set_index(["source", "target"])
    edges = results.graph.edges.set_index(["source", "target"]).query("tracks > 0")
    assert len(table) == len(edges)
    for name in ("tracks", "exposed", "joint", "rate", "rate_if_ties"):
        np.testing.assert_allclose(table[name].reindex(edges.index), edges[name], rtol=1e-5)
    assert table.loc[("US", "SE"), "whole_time_direct"] == "ordered"


def test_what_is_seen_is_saved_as_a_picture(seen: Seen) -> None:
    seen.at("market=US&panel=market")
    pixels = imread(io.BytesIO(seen.saved("#png")), format="png")
    width = seen.page.evaluate("document.getElementById('figure').clientWidth")
    assert pixels.shape[1] == 2 * width
    colours = np.unique((pixels[..., :3] * 255).astype(np.int64) @ [1, 256, 65536])
    below = pixels[2 * seen.page.evaluate("document.getElementById('figure').clientHeight") + 100 :, :, :3]
    assert len(colours) > 100
    assert (below < 0.3).any(), "no caption stands below the picture"
    assert np.ptp(below, axis=2).max() > 0.3, "the legend below the picture has no coloured mark"


def test_the_page_allows_no_request(seen: Seen) -> None:
    policy = seen.page.locator("meta[http-equiv]").get_attribute("content")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "connect-src 'none'" in policy and "unsafe" not in policy
