"""Figures: the same bytes every time, labelled axes, no markup from data, honest when there is little to draw."""

import errno
import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Text

import figures
from diffusion import DataSaysNoError, OutputError, SettingError
from figures.graph.transition_matrix import seriated
from figures.maps.geography import equal_earth, label_places
from figures.page.style import SMALL_SIZE
from figures.page.text import shortened, shown, width, wrapped

HOSTILE = "$\\frac{1}{0}$ _^{ <script>alert(1)</script> ]]> --> \x00\x1b\ud800\u202e مرحبا 東京 🎵\n\t" + "W" * 500
KINDS: tuple[figures.Kind, ...] = ("png", "svg")
CODES = ["AR", "BR", "DE", "FR", "GB", "JP", "MX", "NO", "SE", "US"]


def make_edges(codes: list[str], seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [(source, target) for source in codes for target in codes if source != target]
    table = pd.DataFrame(rows, columns=["source", "target"])
    table["exposed"] = rng.integers(1, 90, len(rows))
    table["tracks"] = rng.binomial(table["exposed"], 0.2)
    table["joint"] = rng.integers(0, 9, len(rows))
    table["rate"] = table["tracks"] / table["exposed"]
    return table.assign(lag_q25=3.0, lag_median=5.0, lag_q75=9.0)


def make_markets(codes: list[str]) -> pd.DataFrame:
    spread = np.linspace(-1, 1, len(codes))
    return pd.DataFrame(
        {
            "market": codes,
            "name": [f"Market {code}" for code in codes],
            "latitude": 45 * spread,
            "longitude": 150 * np.sin(3 * spread),
            "net_flow": (40 * spread).astype(int),
            "out_tracks": range(10, 10 + len(codes)),
            "in_tracks": range(20, 20 + len(codes)),
        }
    )


def make_leaders(codes: list[str]) -> pd.DataFrame:
    share = np.linspace(0.5, 0.01, len(codes))
    scores = {"net_flow": (100 * share).astype(int) - 20, "springrank": share, "betweenness": share / 3}
    return pd.DataFrame({"market": codes, "name": codes, **scores, "entries": 900})


def make_curves(groups: dict[str, int], *, hazard: float = 0.001) -> pd.DataFrame:
    parts = []
    for place, (group, end) in enumerate(groups.items()):
        days = np.arange(end + 1)
        survival = (1 - hazard * (place + 1)) ** days
        band = {"low": survival**1.2, "high": survival**0.8}
        parts.append(pd.DataFrame({"group": group, "days": days, "at_risk": 900 - days, "events": 1, **band}))
        parts[-1]["survival"] = survival
    return pd.concat(parts)


def make_lags(days: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"days": days, "transitions": [90 - day for day in days]})


BUILDERS: dict[str, Callable[[], Figure]] = {
    "matrix": lambda: figures.transition_matrix(make_edges(CODES)),
    "map": lambda: figures.flow_map(make_edges(CODES), make_markets(CODES)),
    "leaders": lambda: figures.leader_chart(make_leaders(CODES)),
    "lags": lambda: figures.lag_distribution(make_lags(list(range(1, 61))), joint=12, window=60),
    "curves": lambda: figures.survival_curves(make_curves({"one": 60, "two": 40}), title="Waits", horizon=60),
}


def words(figure: Figure) -> str:
    """Return all visible text of a figure, one piece a line."""
    return "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())


def tick_names(figure: Figure, axes: int = 0) -> list[str]:
    return [label.get_text() for label in figure.axes[axes].get_yticklabels()]


def drawn_texts(figure: Figure) -> list[Text]:
    """Return the texts that a rendering shows: not the labels of ticks beyond the limits of an axis."""
    texts = list(figure.texts)
    for ax in figure.axes:
        legend = ax.get_legend()
        texts += [*ax.texts, ax.title, *(legend.get_texts() if legend else [])]
        for axis in (ax.xaxis, ax.yaxis) if ax.axison else ():
            low, high = sorted(axis.get_view_interval())
            texts += [axis.label, *(tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high)]
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


def outside(figure: Figure) -> list[str]:
    """Return the texts that do not lie within the page, half a point of tolerance allowed."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    page = figure.bbox.padded(0.5 * figure.dpi / 72)
    boxes = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in drawn_texts(figure)]
    return [name for name, box in boxes if not (page.contains(*box.min) and page.contains(*box.max))]


def overlaps(texts: Sequence[Text], *, slack: float = 0.0) -> list[tuple[str, str]]:
    """Return the pairs of texts whose boxes overlap by more than `slack` pixels, the room of unused descenders."""
    boxes = [(text.get_text(), text.get_window_extent().padded(-slack / 2)) for text in texts]
    return [(a, b) for (a, box), (b, other) in combinations(boxes, 2) if box.overlaps(other)]


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUILDERS)
def test_the_same_figure_has_the_same_bytes(name: str) -> None:
    figure = BUILDERS[name]()
    again = BUILDERS[name]()
    for kind in ("png", "svg", "png"):
        assert figures.render(figure, kind) == figures.render(again, kind)
    assert figures.render(figure, "svg") == figures.render(figure, "svg")


def hashes() -> list[str]:
    """Return a line for every figure and kind, with the hash of its bytes."""
    figures_made = {name: build() for name, build in BUILDERS.items()}
    return [
        f"{name} {kind} {hashlib.sha256(figures.render(figure, kind)).hexdigest()}"
        for name, figure in figures_made.items()
        for kind in KINDS
    ]


@pytest.fixture(scope="module")
def elsewhere() -> list[str]:
    """Return what another process prints: the hashes, and whether pyplot was imported."""
    code = "import sys, tests.figures.test_figures as t; "
    code += "print(*t.hashes(), 'matplotlib.pyplot' in sys.modules, sep='\\n')"
    command = [sys.executable, "-W", "error", "-c", code]
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    output = subprocess.check_output(command, cwd=Path(__file__).parents[2], env=environment, text=True)
    return output.splitlines()


@pytest.mark.slow
def test_all_processes_make_the_same_bytes(elsewhere: list[str]) -> None:
    assert elsewhere[:-1] == hashes()
    assert len({line.split()[-1] for line in elsewhere[:-1]}) == 2 * len(BUILDERS)


def test_pyplot_is_not_imported(elsewhere: list[str]) -> None:
    assert elsewhere[-1] == "False"


@pytest.mark.parametrize("name", BUILDERS)
def test_svg_is_plain_xml(name: str) -> None:
    content = figures.render(BUILDERS[name](), "svg")
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(content).iter()}
    assert {"svg", "path"} <= tags
    assert not tags & {"script", "foreignObject", "text"}
    assert b"<dc:date>" not in content


def test_png_has_the_page_width() -> None:
    pixels = imread(io.BytesIO(figures.render(BUILDERS["leaders"](), "png")), format="png")
    assert pixels.shape[1] == 7.5 * 150


def test_save_writes_both_kinds_and_leaves_nothing_else(tmp_path: Path) -> None:
    figure = BUILDERS["lags"]()
    paths = figures.save(figure, tmp_path / "new" / "folder", "lags")
    assert [path.name for path in paths] == ["lags.png", "lags.svg"]
    assert sorted((tmp_path / "new" / "folder").iterdir()) == sorted(paths)
    assert paths[1].read_bytes() == figures.render(figure, "svg")


def test_save_keeps_the_old_file_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lags.png").write_bytes(b"old")

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OutputError, match=r"cannot write .*lags.png': No space left on device"):
        figures.save(BUILDERS["lags"](), tmp_path, "lags")
    assert [path.name for path in tmp_path.iterdir()] == ["lags.png"]
    assert (tmp_path / "lags.png").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc/x"])
def test_save_takes_names_only(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no file name"):
        figures.save(BUILDERS["lags"](), tmp_path, name)


def test_render_knows_two_kinds() -> None:
    with pytest.raises(SettingError, match="allowed are 'png' and 'svg'"):
        figures.render(BUILDERS["lags"](), "pdf")


# -- global state -----------------------------------------------------------------------------------------------------


def test_settings_neither_leak_out_nor_in() -> None:
    plain = figures.render(BUILDERS["curves"](), "svg")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "none"}):
        before = dict(matplotlib.rcParams)
        assert figures.render(BUILDERS["curves"](), "svg") == plain
        assert dict(matplotlib.rcParams) == before


# -- what every figure must show --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUILDERS)
def test_axes_with_ticks_are_labelled(name: str) -> None:
    for ax in BUILDERS[name]().axes:
        for axis in (ax.xaxis, ax.yaxis):
            ticks = [tick for tick in axis.get_ticklabels() if tick.get_visible() and tick.get_text()]
            if ax.axison and ticks:
                assert axis.get_label_text(), (name, axis.axis_name, ticks[0].get_text())


@pytest.mark.parametrize("name", BUILDERS)
def test_text_is_legible_and_on_the_page(name: str) -> None:
    figure = BUILDERS[name]()
    assert outside(figure) == []
    assert min(text.get_fontsize() for text in figure.findobj(Text)) >= SMALL_SIZE


def hostile_figures() -> dict[str, Figure]:
    codes = ["SE", "US", "_x$y$"]
    named = make_markets(codes).assign(name=HOSTILE)
    groups = {HOSTILE + "1": 30, "_hidden": 60, "$x$": 60}
    return {
        "matrix": figures.transition_matrix(make_edges(codes), names=dict.fromkeys(codes, HOSTILE)),
        "map": figures.flow_map(make_edges(codes), named),
        "leaders": figures.leader_chart(make_leaders(codes).assign(name=HOSTILE)),
        "curves": figures.survival_curves(make_curves(groups), title=HOSTILE * 3, horizon=60),
    }


def test_hostile_text_is_drawn_as_text() -> None:
    for name, figure in hostile_figures().items():
        texts = [text for text in figure.findobj(Text) if "$" in text.get_text()]
        assert texts, name
        assert not any(text.get_parse_math() for text in texts), name
        assert outside(figure) == [], name
        figures.render(figure, "png")
        tags = {
            element.tag.rpartition("}")[2] for element in ElementTree.fromstring(figures.render(figure, "svg")).iter()
        }
        assert "script" not in tags


def test_a_group_whose_name_begins_with_an_underscore_is_in_the_legend() -> None:
    legend = figures.survival_curves(make_curves({"_hidden": 60, "$x$": 60}), horizon=60).axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["_hidden", "$x$"]


def test_text_without_glyph_is_replaced_and_marks_are_dropped() -> None:
    assert shown("a\u202eb\x00c\ud800 東\n d") == "ab□c□ □ d"


def test_text_never_exceeds_its_room() -> None:
    for text in ("W" * 5000, HOSTILE, "word " * 900, "x"):
        assert width(shortened(text, size=7, room=60), 7) <= 60
        lines = wrapped(text, size=7, room=120, lines=3)
        assert 1 <= len(lines) <= 3
        assert all(width(line, 7) <= 120 for line in lines)
    assert wrapped("  ", size=7, room=50, lines=2) == []


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: figures.transition_matrix(make_edges(CODES).drop(columns="rate")), "lacks rate"),
        (lambda: figures.transition_matrix(make_edges(CODES).assign(rate=2)), "outside 0 … 1"),
        (lambda: figures.transition_matrix(pd.concat([make_edges(CODES)] * 2)), "more than one row"),
        (lambda: figures.transition_matrix(make_edges(CODES), most=1), "most is 1"),
        (lambda: figures.transition_matrix(make_edges(["SE", None])), "missing values"),
        (lambda: figures.flow_map(make_edges(CODES), make_markets(CODES * 2)), "more than one row for"),
        (lambda: figures.flow_map(make_edges(CODES), make_markets(CODES), most=0), "most is 0"),
        (lambda: figures.leader_chart(make_leaders(CODES).assign(springrank="high")), "no number"),
        (lambda: figures.leader_chart(make_leaders(CODES).assign(springrank=np.inf)), "infinity"),
        (lambda: figures.leader_chart(make_leaders(CODES), most=0), "most is 0"),
        (lambda: figures.lag_distribution(make_lags([0]), joint=0, window=60), "outside 1 … 60"),
        (lambda: figures.lag_distribution(make_lags([61]), joint=0, window=60), "outside 1 … 60"),
        (lambda: figures.lag_distribution(make_lags([7, 7]), joint=0, window=60), "more than one row"),
        (lambda: figures.lag_distribution(make_lags([7]).assign(transitions=-1), joint=0, window=60), "negative"),
        (lambda: figures.survival_curves(make_curves({"a": 9}).iloc[1:], title="", horizon=9), "without gaps"),
        (lambda: figures.survival_curves(make_curves({"a": 9}).assign(survival=2), title="", horizon=9), "outside"),
        (lambda: figures.survival_curves(make_curves({"a": 9}), title="", horizon=0), "horizon is 0"),
    ],
)
def test_tables_that_cannot_be_right_are_refused(draw: Callable[[], Figure], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        draw()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.transition_matrix(make_edges(CODES)[:0]),
        lambda: figures.flow_map(make_edges(CODES), make_markets(CODES)[:0]),
        lambda: figures.flow_map(make_edges(CODES), make_markets(CODES).assign(latitude=np.nan)),
        lambda: figures.leader_chart(make_leaders(CODES)[:0]),
        lambda: figures.survival_curves(make_curves({"a": 9})[:0], title="", horizon=9),
    ],
)
def test_nothing_to_draw_is_an_error_with_a_name(draw: Callable[[], Figure]) -> None:
    with pytest.raises(DataSaysNoError):
        draw()


# -- the matrix -------------------------------------------------------------------------------------------------------


def cells(figure: Figure) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Return the colours of the heatmap, rows × columns × RGBA."""
    return np.asarray(figure.axes[0].images[0].get_array())


def test_unknown_rates_are_transparent_over_hatching_and_zero_is_not() -> None:
    edges = make_edges(["NO", "SE", "US"])
    edges["rate"] = 0.3
    edges.loc[(edges["source"] == "SE") & (edges["target"] == "US"), "rate"] = np.nan
    edges.loc[(edges["source"] == "US") & (edges["target"] == "SE"), "rate"] = 0.0
    figure = figures.transition_matrix(edges)
    rows = {name: place for place, name in enumerate(tick_names(figure))}
    alpha = cells(figure)[..., 3]
    assert alpha[rows["Sweden"], rows["United States"]] == 0
    assert alpha.sum() == alpha.size - 1
    assert figure.axes[0].patch.get_hatch()
    assert "no data" in words(figure)


def test_a_market_that_is_only_a_target_has_a_row_without_data() -> None:
    figure = figures.transition_matrix(make_edges(["SE", "US"])[:1])
    assert sorted(tick_names(figure)) == ["Sweden", "United States"]
    assert "no data" in words(figure)


def test_a_full_matrix_has_no_legend_for_missing_rates() -> None:
    assert "no data" not in words(figures.transition_matrix(make_edges(CODES)))


@pytest.mark.parametrize("value", [np.nan, 0.0, 0.25, 1.0])
@pytest.mark.parametrize("codes", [CODES[:2], CODES])
def test_constant_and_unknown_matrices_are_drawn(value: float, codes: list[str]) -> None:
    figure = figures.transition_matrix(make_edges(codes).assign(rate=value))
    assert len(tick_names(figure)) == len(codes)
    assert outside(figure) == []
    assert ("no data" in words(figure)) == np.isnan(value)


def test_eighty_markets_are_legible() -> None:
    figure = figures.transition_matrix(make_edges([f"{a}{b}" for a in "KLMNOPQR" for b in "ABCDEFGHIJ"]))
    assert len(tick_names(figure)) == 80
    assert min(label.get_fontsize() for label in figure.axes[0].get_yticklabels()) >= SMALL_SIZE
    assert outside(figure) == []
    assert overlaps(figure.axes[0].get_xticklabels()) == []
    assert overlaps(figure.axes[0].get_yticklabels(), slack=2.5) == []


def test_the_most_exposed_markets_are_kept_and_the_rest_counted() -> None:
    edges = make_edges(CODES).assign(exposed=1)
    edges.loc[edges["source"].isin(["US", "SE", "JP"]), "exposed"] = 50
    figure = figures.transition_matrix(edges, most=3)
    assert set(tick_names(figure)) == {"United States", "Sweden", "Japan"}
    assert "7 more are left out" in words(figure)


def test_related_markets_lie_together_whatever_the_order_of_rows() -> None:
    edges = make_edges(CODES)
    block = {"AR", "MX", "US"}
    edges["rate"] = np.where(edges["source"].isin(block) == edges["target"].isin(block), 0.8, 0.1)
    figure = figures.transition_matrix(edges)
    places = sorted(tick_names(figure).index(name) for name in ("Argentina", "Mexico", "United States"))
    assert places[2] - places[0] == 2
    shuffled = edges.sample(frac=1, random_state=3)
    assert tick_names(figures.transition_matrix(shuffled)) == tick_names(figure)


def test_one_direction_is_enough_to_relate_two_markets() -> None:
    rates = pd.DataFrame(0.1, index=list("ABCD"), columns=list("ABCD"))
    rates.loc["A", "D"], rates.loc["D", "A"] = 0.9, np.nan
    order = seriated(rates)
    assert abs(order.index("A") - order.index("D")) == 1


# -- the map ----------------------------------------------------------------------------------------------------------


def arrows(figure: Figure) -> list[FancyArrowPatch]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]


def test_the_largest_flows_are_drawn_as_wide_as_they_are_large() -> None:
    edges = make_edges(["JP", "SE", "US"]).assign(tracks=[10, 20, 30, 40, 50, 0])
    drawn = arrows(figures.flow_map(edges, make_markets(["JP", "SE", "US"]), most=4))
    widths = [arrow.get_linewidth() for arrow in drawn]
    assert np.allclose(np.array(widths) / widths[-1], [0.4, 0.6, 0.8, 1.0])


def test_europe_is_enlarged_when_it_is_crowded() -> None:
    codes = ["SE", "NO", "DE", "FR", "GB", "US"]
    markets = make_markets(codes).assign(latitude=[62, 61, 51, 46, 53, 39], longitude=[16, 10, 10, 2, -2, -98])
    figure = figures.flow_map(make_edges(codes), markets)
    assert "enlarged below" in words(figure)
    assert outside(figure) == []
    assert "enlarged below" not in words(figures.flow_map(make_edges(codes[-3:]), markets[-3:]))


def test_markets_without_position_are_counted() -> None:
    markets = make_markets(CODES)
    markets.loc[markets["market"].isin(["SE", "US"]), "longitude"] = np.nan
    edges = make_edges(CODES).assign(tracks=5)
    figure = figures.flow_map(edges, markets)
    assert "with 34 flows" in words(figure)
    assert "Market US" not in words(figure)


def test_a_map_without_flows_says_so() -> None:
    edges = make_edges(CODES)
    for table in (edges.assign(tracks=0), edges[:0]):
        figure = figures.flow_map(table, make_markets(CODES).assign(net_flow=0, out_tracks=0, in_tracks=0))
        assert "no track went from one market on the map to another" in words(figure)
        assert not arrows(figure)


def test_one_market_and_markets_on_one_spot_are_drawn() -> None:
    assert "Market AR" in words(figures.flow_map(make_edges(CODES), make_markets(["AR"])))
    figure = figures.flow_map(make_edges(CODES), make_markets(CODES).assign(latitude=10.0, longitude=20.0))
    assert len(figures.render(figure, "png")) > 1000


def test_projection_keeps_areas() -> None:
    """Equal Earth is an equal-area projection: a cell's area is that on the sphere, wherever it lies."""
    step = 1e-4
    for latitude in (-55.0, 0.0, 30.0, 70.0):
        x, y = equal_earth(np.array([40.0, 40 + step, 40.0]), np.array([latitude, latitude, latitude + step]))
        area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
        assert area == pytest.approx(np.radians(step) ** 2 * np.cos(np.radians(latitude)), rel=1e-5)


def test_labels_cover_neither_dots_nor_each_other() -> None:
    rng = np.random.default_rng(5)
    dots, radii = rng.uniform(0, 200, (40, 2)), rng.uniform(1, 6, 40)
    sizes = np.stack([np.full((40, 2), (40.0, 8.0)), np.full((40, 2), (9.0, 8.0))])
    placed = label_places(dots, radii, sizes, range(40), frame=(0, 0, 200, 200))
    boxes = {dot: (x, y, x + sizes[label, dot, 0], y + 8) for dot, (label, x, y) in placed.items()}
    assert {label for label, _, _ in placed.values()} == {0, 1}
    for dot, (left, bottom, right, top) in boxes.items():
        assert left >= 0 and bottom >= 0 and right <= 200 and top <= 200
        for other, (x, y) in enumerate(dots):
            nearest = np.clip(x, left, right) - x, np.clip(y, bottom, top) - y
            assert np.hypot(*nearest) >= radii[other] or other == dot
        for other, box in boxes.items():
            apart = left >= box[2] or right <= box[0] or bottom >= box[3] or top <= box[1]
            assert apart or other == dot


# -- leaders ----------------------------------------------------------------------------------------------------------


def test_each_panel_ranks_by_its_own_measure() -> None:
    leaders = make_leaders(CODES)
    leaders["springrank"] = leaders["springrank"][::-1].to_numpy()
    leaders.loc[0, "betweenness"] = np.nan
    figure = figures.leader_chart(leaders, most=3)
    assert tick_names(figure, 0) == CODES[:3] == tick_names(figure, 3)
    assert tick_names(figure, 1) == CODES[:-4:-1]
    assert tick_names(figure, 2) == CODES[1:4]
    assert "Left out where not defined: Betweenness for 1." in words(figure)
    assert "transitions sent minus received" in words(figure)


def test_how_much_of_a_ranking_is_size_stands_in_its_title() -> None:
    said = figures.leader_chart(
        make_leaders(CODES), size_tau={"net_flow": 0.364, "springrank": -0.5, "betweenness": np.nan}
    )
    assert [ax.get_title(loc="left") for ax in said.axes] == [
        "Net flow (τ .36)", "SpringRank (τ −.50)", "Betweenness", "Size (no graph)",
    ]  # fmt: skip
    assert "τ: rank correlation (Kendall) with size" in words(said)
    assert "τ" not in words(figures.leader_chart(make_leaders(CODES)))


def test_one_market_without_score_is_drawn() -> None:
    figure = figures.leader_chart(make_leaders(["SE"]).assign(springrank=np.nan, betweenness=0.0))
    assert "not defined for any market" in words(figure)
    assert "zero for every market" in words(figure)
    assert outside(figure) == []


# -- lags -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "bar"), [(list(range(1, 61)), 0.8), (list(range(7, 57, 7)), 5.6), ([40], 5.6)])
def test_bars_are_as_wide_as_the_cadence(days: list[int], bar: float) -> None:
    figure = figures.lag_distribution(make_lags(days), joint=3, window=60)
    bars = figure.axes[0].patches
    assert [patch.get_width() for patch in bars] == pytest.approx([bar] * len(days))


def test_median_and_ties_are_stated() -> None:
    lags = pd.DataFrame({"days": [1, 2, 10], "transitions": [2, 2, 1]})
    text = words(figures.lag_distribution(lags, joint=1234, window=60))
    assert "median: half within 2 days" in text
    assert "5 transitions within 60 days" in text
    assert "1,234 ties" in text


@pytest.mark.parametrize("lags", [make_lags([])[:0], pd.DataFrame({"days": [0, 7], "transitions": [0, 0]})])
def test_no_transition_is_said(lags: pd.DataFrame) -> None:
    assert "no transition within the window" in words(figures.lag_distribution(lags, joint=0, window=60))


# -- survival ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hazard", [0.0005, 0.05])
def test_the_share_that_has_entered_is_drawn_from_zero(hazard: float) -> None:
    figure = figures.survival_curves(make_curves({"all": 60}, hazard=hazard), title="Waits", horizon=60)
    entered = 1 - (1 - hazard) ** 60
    upper = 1 - (1 - hazard) ** 72
    assert figure.axes[0].lines[0].get_ydata()[-1] == pytest.approx(entered)
    assert figure.axes[0].get_ylim() == (0, pytest.approx(min(1.02, 1.06 * upper)))
    (band,) = figure.axes[0].collections
    last = band.get_paths()[0].vertices[:, 1]
    assert [last.min(), last.max()] == pytest.approx([0, upper])
    assert figure.axes[0].get_ylabel() == "share of waits that have entered"


def test_a_curve_that_ends_early_stops_and_is_noted() -> None:
    figure = figures.survival_curves(make_curves({"long": 90, "short": 25}), title="Waits", horizon=60)
    ends = [line.get_xdata()[-1] for line in figure.axes[0].lines if len(line.get_xdata()) > 1]
    assert ends == [60, 25]
    assert [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_marker() == "|"] == [25]
    assert "short (day 25)" in words(figure)
    assert "long (day" not in words(figure)
    both = figures.survival_curves(make_curves({"a": 25, "b": 25}), title="Waits", horizon=60, since="release")
    assert "Follow-up ends on day 25, before day 60." in words(both)
    assert both.axes[0].get_xlabel() == "days since release"


def test_the_table_holds_the_waits_at_risk() -> None:
    figure = figures.survival_curves(make_curves({"long": 60, "short": 25}), title="Waits", horizon=60)
    counts = [text.get_text() for text in figure.axes[1].texts]
    assert counts == ["900", "890", "880", "870", "860", "850", "840", "900", "890", "880", "–", "–", "–", "–"]


def test_hundreds_of_unknown_places_do_not_crowd_out_what_else_a_note_says() -> None:
    codes = [f"{a}{b}" for a in "ABCDEFGHIJ" for b in "ABCDEFGHIJKLMNOPQRST"]
    markets = make_markets(codes)
    markets.loc[5:, ["latitude", "longitude"]] = np.nan
    edges = make_edges(codes[:30])
    text = " ".join(words(figures.flow_map(edges, markets)).split())
    flows = edges[edges["tracks"] > 0]
    lost = int((~flows["source"].isin(codes[:5]) | ~flows["target"].isin(codes[:5])).sum())
    assert f"and 171 more, with {lost:,} flows." in text


def test_of_many_groups_the_largest_are_drawn() -> None:
    curves = make_curves({f"group {place}": 60 for place in range(30)})
    curves["at_risk"] = curves["at_risk"] + curves["group"].map(lambda name: 10 * int(name.split()[1]))
    figure = figures.survival_curves(curves, title="Waits", horizon=60)
    assert tick_names(figure, -1) == [f"group {place}" for place in range(22, 30)]
    assert "Drawn are 8 of 30 groups, those with the most waits at risk." in " ".join(words(figure).split())
    assert outside(figure) == []


def test_eight_groups_have_a_panel_each() -> None:
    figure = figures.survival_curves(make_curves(dict.fromkeys(CODES[:8], 60)), title="Waits", horizon=60)
    *panels, table = figure.axes
    assert (
        [ax.get_title(loc="left") for ax in panels]
        == CODES[:8]
        == [tick.get_text() for tick in table.get_yticklabels()]
    )
    for ax in panels:
        colours = [str(line.get_color()) for line in ax.lines]
        assert len(colours) == 8 and colours.count(colours[-1]) == 1  # its own, over those of the others
        assert len(ax.collections) == 1
    assert outside(figure) == []


def test_rates_have_classes_of_their_own_scale_and_zero_is_white() -> None:
    edges = make_edges([f"{a}{b}" for a in "KLMNOPQR" for b in "ABCDE"])
    rate = np.random.default_rng(2).lognormal(-6, 1.5, len(edges)).clip(0, 1)
    edges = edges.assign(exposed=90, rate=np.where(np.arange(len(edges)) % 50, rate, 0.0))
    drawn = cells(figures.transition_matrix(edges, window=30))
    shades, counts = np.unique(drawn[..., :3].reshape(-1, 3), axis=0, return_counts=True)
    assert len(shades) == 11  # nine classes, the diagonal, and white
    assert counts.max() < 0.25 * drawn[..., 0].size  # none covers most of the matrix
    assert counts[np.all(shades == 1, axis=1)] == (edges["rate"] == 0).sum()


def test_names_stand_on_both_sides_and_the_window_in_the_title() -> None:
    figure = figures.transition_matrix(make_edges(CODES), window=30)
    across = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert across == tick_names(figure)
    assert "within 30 days" in words(figure)
    assert "within the window" in words(figures.transition_matrix(make_edges(CODES)))


def test_the_note_says_what_the_bands_take_as_independent() -> None:
    curves = make_curves({"all": 60})
    text = words(figures.survival_curves(curves, title="Waits", horizon=60))
    assert "Bands: 95 % confidence by artist, for each day by itself." in text
    text = words(figures.survival_curves(curves, title="Waits", horizon=60, cluster="independent"))
    assert "too narrow" in text and "by artist" not in text


def test_no_event_and_no_band_are_said() -> None:
    curves = make_curves({"all": 60}).assign(events=0, survival=1.0, low=np.nan, high=np.nan)
    text = words(figures.survival_curves(curves, title="Waits", horizon=60))
    assert "No wait ended in an entry." in text
    assert "No confidence bands are given." in text
