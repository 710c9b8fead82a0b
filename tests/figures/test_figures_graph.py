"""Figures of the graph's statistics: leaders, backbone, influence, lag curves, communities, rolling, validity."""

import hashlib
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from itertools import product
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, PathPatch
from matplotlib.path import Path
from matplotlib.text import Text

import figures
from diffusion import DataSaysNoError, SettingError
from figures.maps.geography import equal_earth, globe, way
from figures.page.scales import log_ticks
from figures.page.style import SMALL_SIZE
from tests.figures.test_figures import (
    CODES,
    arrows,
    drawn_texts,
    make_edges,
    make_markets,
    outside,
    overlaps,
    tick_names,
    words,
)
from tests.figures.test_figures import HOSTILE as ENDLESS

FEW = CODES[:5]
HOSTILE = ENDLESS[:150]
HOSTILE_CODES = ["SE", "US", "_x$y$<b>"]


def make_scores(codes: list[str], measures: tuple[str, ...] = ("net_flow", "pagerank")) -> pd.DataFrame:
    rank = np.arange(1, len(codes) + 1)
    parts = []
    for turn, measure in enumerate(measures):
        score = 10.0 - 2 * rank + turn
        part = {"market": codes, "measure": measure, "score": score, "low": score - 3, "high": score + 2.5}
        parts.append(pd.DataFrame({**part, "rank": rank, "group": (rank + 2) // 3}))
    return pd.concat(parts, ignore_index=True)


def make_backbone(codes: list[str]) -> pd.DataFrame:
    edges = make_edges(codes).assign(tracks=lambda table: table["tracks"] + 1)
    lift = np.linspace(0.5, 6, len(edges))
    return edges.assign(lift=lift, q=np.linspace(1, 0.0001, len(edges)))


def make_influence(codes: list[str], **columns: object) -> pd.DataFrame:
    """Return pairs of markets, of which those with credits above .02 are direct; `columns` replace whole columns."""
    pairs = make_edges(codes)[["source", "target"]]
    credits = np.geomspace(0.001, 0.5, len(pairs))
    direct = credits > 0.02
    table = pairs.assign(credits_per_entry=credits, q_joint=np.where(direct, 0.01, 0.5), direct=direct, ordered=direct)
    return table.assign(**columns)


def make_lag_curves(pairs: list[tuple[str, str]], last: int = 28) -> pd.DataFrame:
    days = np.arange(7, last + 1, 7)
    parts = []
    for turn, (source, target) in enumerate(pairs):
        incidence = 0.05 * (turn + 1) * days / last
        band = {"low": 0.8 * incidence, "high": 1.3 * incidence}
        counts = {"days": days, "at_risk": 100 - days, "incidence": incidence}
        parts.append(pd.DataFrame({"source": source, "target": target, **counts, **band}))
    return pd.concat(parts, ignore_index=True)


def make_communities(codes: list[str], count: int = 3) -> pd.DataFrame:
    place = np.arange(len(codes))
    firm = {"community": place % count, "stability": 1 - place / (2 * len(codes))}
    return make_markets(codes).assign(**firm, group=[code[0] for code in codes])


def make_rolling(codes: list[str], windows: int = 5) -> pd.DataFrame:
    starts = pd.date_range("2018-01-01", periods=windows, freq="60D")
    rows = []
    for (turn, start), (place, code), measure in product(enumerate(starts), enumerate(codes), ("net_flow", "pagerank")):
        score = np.sin(turn) + 3 * (len(codes) - place)
        bounds = {"low": score - 1, "high": score + 1}
        window = {"start": start, "end": start + pd.Timedelta(days=119)}
        rows.append({**window, "market": code, "measure": measure, "score": score, **bounds, "rank": place + 1})
    return pd.DataFrame(rows)


def make_validity(measures: tuple[str, ...] = ("net_flow", "pagerank")) -> tuple[pd.DataFrame, pd.DataFrame]:
    controls = ("nothing", "size", "size and outcome")
    table = pd.DataFrame([*product(measures, controls)], columns=["measure", "given"])
    rho = np.linspace(-0.2, 0.4, len(table))
    table = table.assign(rho=rho, low=rho - 0.2, high=rho + 0.2, p=np.geomspace(0.0001, 0.5, len(table)))
    pairs = pd.DataFrame(
        [*product(measures, controls, ("2017", "2018", "2019"))], columns=["measure", "given", "period"]
    )
    later = (pairs["period"].astype(int) + 1).astype(str)
    return table, pairs.assign(next_period=later, rho=np.linspace(-0.5, 0.5, len(pairs)))


BUILDERS: dict[str, Callable[[], Figure]] = {
    "leaders": lambda: figures.leader_intervals(make_scores(FEW)),
    "backbone": lambda: figures.backbone_map(make_backbone(FEW), make_markets(FEW)),
    "influence": lambda: figures.influence_heatmap(make_influence(FEW)),
    "lags": lambda: figures.lag_curves(make_lag_curves([("SE", "NO"), ("US", "GB")])),
    "communities": lambda: figures.community_map(make_communities(FEW)),
    "grid": lambda: figures.community_grid(make_communities(FEW)),
    "rolling": lambda: figures.rolling_leaders(make_rolling(FEW)),
    "validity": lambda: figures.validity_chart(*make_validity()),
}


@cache
def built(name: str) -> Figure:
    return BUILDERS[name]()


# -- what every figure must show --------------------------------------------------------------------------------------


@cache
def drawing(name: str) -> bytes:
    return figures.render(built(name), "svg")


@pytest.mark.parametrize("name", BUILDERS)
def test_svg_is_plain_xml(name: str) -> None:
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(drawing(name)).iter()}
    assert {"svg", "path"} <= tags
    assert not tags & {"script", "foreignObject", "text"}


@pytest.mark.parametrize("name", ["backbone", "lags", "rolling"])
def test_the_same_figure_has_the_same_bytes(name: str) -> None:
    assert figures.render(BUILDERS[name](), "svg") == drawing(name)


def hashes() -> list[str]:
    return [f"{name} {hashlib.sha256(figures.render(build(), 'svg')).hexdigest()}" for name, build in BUILDERS.items()]


@pytest.mark.slow
def test_another_process_makes_the_same_bytes_without_pyplot() -> None:
    code = "import sys, tests.figures.test_figures_graph as t; "
    code += "print(*t.hashes(), 'matplotlib.pyplot' in sys.modules, sep='\\n')"
    command = [sys.executable, "-W", "error", "-c", code]
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    folder = pathlib.Path(__file__).parents[2]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [*hashes(), "False"]


@pytest.mark.parametrize("name", BUILDERS)
def test_text_is_legible_on_the_page_and_axes_are_labelled(name: str) -> None:
    figure = built(name)
    assert outside(figure) == []
    assert min(text.get_fontsize() for text in figure.findobj(Text)) >= SMALL_SIZE
    shared = {ax.get_ylabel() for ax in figure.axes}
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis) if ax.axison else ():
            ticks = [tick for tick in axis.get_ticklabels() if tick.get_visible() and tick.get_text()]
            assert not ticks or axis.get_label_text() or shared - {""}, (name, axis.axis_name, ticks[0].get_text())


@pytest.mark.parametrize("name", ["leaders", "lags", "grid", "rolling", "validity"])
def test_no_text_covers_another(name: str) -> None:
    assert overlaps(drawn_texts(built(name)), slack=3) == []


def hostile_figures() -> dict[str, Figure]:
    codes, named = HOSTILE_CODES, dict.fromkeys(HOSTILE_CODES, HOSTILE)
    scores = make_scores(codes, (HOSTILE, "_hidden")).assign(group=HOSTILE)
    table, pairs = make_validity((HOSTILE, "_hidden"))
    strange = make_communities(codes).assign(name=HOSTILE, community=["$a$" + HOSTILE, "_b", None], group=HOSTILE)
    return {
        "leaders": figures.leader_intervals(scores, names=named),
        "backbone": figures.backbone_map(make_backbone(codes), make_markets(codes).assign(name=HOSTILE)),
        "influence": figures.influence_heatmap(make_influence(codes), names=named),
        "lags": figures.lag_curves(make_lag_curves([("SE", "US"), ("_x$y$<b>", "SE")]), names=named),
        "communities": figures.community_map(strange, title=HOSTILE),
        "grid": figures.community_grid(strange, label=HOSTILE),
        "rolling": figures.rolling_leaders(make_rolling(codes, 2), names=named),
        "validity": figures.validity_chart(table[::3], pairs.assign(period="_" + HOSTILE)[::3]),
    }


def test_hostile_text_is_drawn_as_text() -> None:
    for name, figure in hostile_figures().items():
        texts = [text for text in figure.findobj(Text) if "$" in text.get_text()]
        assert texts, name
        assert not any(text.get_parse_math() for text in texts), name
        assert outside(figure) == [], name


# -- what cannot be drawn ---------------------------------------------------------------------------------------------

SCORES, INFLUENCE, LAGS = make_scores(CODES), make_influence(CODES), make_lag_curves([("SE", "NO")])
BACKBONE, MARKETS, PLACED = make_backbone(CODES), make_markets(CODES), make_communities(CODES)
ROLLING, VALIDITY, PAIRS = make_rolling(CODES), *make_validity()


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: figures.leader_intervals(SCORES.drop(columns="low")), "lacks low"),
        (lambda: figures.leader_intervals(pd.concat([SCORES] * 2)), "more than one row"),
        (lambda: figures.leader_intervals(SCORES.assign(low=99)), "above its high end"),
        (lambda: figures.leader_intervals(SCORES, most=0), "most is 0"),
        (lambda: figures.backbone_map(BACKBONE.assign(q=2), MARKETS), "q outside 0 … 1"),
        (lambda: figures.backbone_map(BACKBONE.assign(lift=-1), MARKETS), "negative lift"),
        (lambda: figures.backbone_map(BACKBONE.assign(lift=np.inf), MARKETS), "infinity"),
        (lambda: figures.backbone_map(pd.concat([BACKBONE] * 2), MARKETS), "more than one row"),
        (lambda: figures.backbone_map(BACKBONE, MARKETS, level=0), "level is 0"),
        (lambda: figures.backbone_map(BACKBONE, MARKETS, most=0), "most is 0"),
        (lambda: figures.influence_heatmap(INFLUENCE.drop(columns="ordered")), "lacks ordered"),
        (lambda: figures.influence_heatmap(INFLUENCE.assign(credits_per_entry=-1)), "negative credits"),
        (lambda: figures.influence_heatmap(pd.concat([INFLUENCE] * 2)), "more than one row"),
        (lambda: figures.influence_heatmap(INFLUENCE, order=["SE", "SE"]), "names a market twice"),
        (lambda: figures.influence_heatmap(INFLUENCE, most=1), "most is 1"),
        (lambda: figures.lag_curves(LAGS.assign(days=7)), "each once"),
        (lambda: figures.lag_curves(LAGS.assign(days=LAGS["days"] + 0.5)), "whole numbers"),
        (lambda: figures.lag_curves(LAGS.assign(days=LAGS["days"] - 7)), "not 0 on day 0"),
        (lambda: figures.lag_curves(LAGS.assign(incidence=LAGS["incidence"][::-1].to_numpy())), "falls"),
        (lambda: figures.lag_curves(LAGS.assign(incidence=2)), "outside 0 … 1"),
        (lambda: figures.community_map(MARKETS.assign(stability=1)), "lacks community"),
        (lambda: figures.community_map(PLACED.assign(stability=2)), "outside 0 … 1"),
        (lambda: figures.community_map(pd.concat([PLACED] * 2)), "more than one row for 'AR'"),
        (lambda: figures.community_grid(PLACED.drop(columns="group")), "lacks group"),
        (lambda: figures.community_grid(pd.concat([PLACED] * 2)), "more than one row for 'AR'"),
        (lambda: figures.rolling_leaders(ROLLING.assign(end="soon")), "no date"),
        (lambda: figures.rolling_leaders(ROLLING.drop(columns="start")), "lacks start"),
        (lambda: figures.rolling_leaders(ROLLING.assign(end=None)), "missing values"),
        (lambda: figures.rolling_leaders(pd.concat([ROLLING] * 2)), "more than one row"),
        (lambda: figures.rolling_leaders(ROLLING, most=9), "1 to 8"),
        (lambda: figures.validity_chart(VALIDITY.assign(rho=2), PAIRS), "outside −1 … 1"),
        (lambda: figures.validity_chart(pd.concat([VALIDITY] * 2), PAIRS), "more than one row"),
        (lambda: figures.validity_chart(VALIDITY, pd.concat([PAIRS] * 2)), "more than one row"),
        (lambda: figures.validity_chart(VALIDITY, PAIRS.drop(columns="next_period")), "lacks next_period"),
    ],
)
def test_tables_that_cannot_be_right_are_refused(draw: Callable[[], Figure], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        draw()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.leader_intervals(SCORES[:0]),
        lambda: figures.backbone_map(BACKBONE, MARKETS[:0]),
        lambda: figures.influence_heatmap(INFLUENCE[:0]),
        lambda: figures.influence_heatmap(INFLUENCE.assign(direct=False, ordered=False)),
        lambda: figures.influence_heatmap(INFLUENCE, order=["SE", "ZZ"]),
        lambda: figures.lag_curves(LAGS[:0]),
        lambda: figures.community_map(PLACED[:0]),
        lambda: figures.community_map(PLACED.assign(latitude=np.nan)),
        lambda: figures.community_grid(PLACED[:0]),
        lambda: figures.rolling_leaders(ROLLING[:0]),
        lambda: figures.rolling_leaders(ROLLING.assign(rank=np.nan)),
        lambda: figures.validity_chart(VALIDITY[:0], PAIRS),
        lambda: figures.validity_chart(VALIDITY.assign(rho=np.nan), PAIRS),
    ],
)
def test_nothing_to_draw_is_an_error_with_a_name(draw: Callable[[], Figure]) -> None:
    with pytest.raises(DataSaysNoError):
        draw()


def test_one_row_or_none_beside_others_is_drawn_honestly() -> None:
    one = make_scores(["SE"], ("hub",)).assign(low=np.nan, high=np.nan, group=None)
    assert tick_names(figures.leader_intervals(one)) == ["Sweden"]
    unranked = SCORES.copy()
    unranked.loc[unranked["measure"] == "pagerank", ["score", "rank", "low", "high", "group"]] = np.nan
    text = " ".join(words(figures.leader_intervals(unranked)).split())
    assert "not defined for any market" in text
    assert "Left out where not defined or of too few artists: PageRank for 10." in text
    assert "no pair of markets on the map has q ≤ 0.05" in words(
        figures.backbone_map(BACKBONE.assign(q=np.nan, lift=np.nan), MARKETS)
    )
    assert outside(figures.rolling_leaders(make_rolling(["SE"], 1))) == []
    assert outside(figures.validity_chart(VALIDITY[:1], PAIRS[:0])) == []
    assert outside(figures.lag_curves(LAGS[:1].assign(days=0, incidence=0, low=np.nan, high=np.nan))) == []


def shared(measures: int, controls: int, periods: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return correlations of so many measures, controls and pairs of periods."""
    names = product([f"m{place}" for place in range(measures)], [f"c{place}" for place in range(controls)])
    table = pd.DataFrame([*names], columns=["measure", "given"]).assign(rho=0.1, low=0.0, high=0.2, p=0.01)
    pairs = table[["measure", "given"]].merge(pd.DataFrame({"period": range(2000, 2000 + periods)}), how="cross")
    return table, pairs.assign(next_period=pairs["period"] + 1, rho=np.linspace(-0.5, 0.5, len(pairs)))


def flat(figure: Figure) -> str:
    return " ".join(words(figure).split())


def test_more_than_fits_a_page_is_cut_and_the_figure_says_so() -> None:
    many = figures.leader_intervals(make_scores(["SE"], tuple("abcdefghijklm")))
    assert [len(many.axes), "the first 12 of 13 measures" in flat(many)] == [12, True]
    lags = figures.lag_curves(make_lag_curves([("SE", code) for code in CODES]))
    assert [len(lags.axes[-1].get_yticks()), "the first 8 of 10 pairs" in flat(lags)] == [8, True]
    one = ROLLING[ROLLING["measure"] == "net_flow"]
    rolling = pd.concat([one.assign(measure=f"m{place}") for place in range(6)])
    panels = figures.rolling_leaders(rolling)
    assert [len(panels.axes), "the first 4 of 6 measures" in flat(panels)] == [4, True]
    wide = figures.validity_chart(*shared(20, 5, 2))
    assert len(wide.axes) == 3
    assert len(wide.axes[0].get_yticks()) == 16
    assert "the first 16 of 20 measures and the first 3 of 5 controls" in flat(wide)
    for figure in (many, lags, panels, wide):
        assert outside(figure) == []


@pytest.mark.parametrize(("periods", "colours", "keys"), [(8, 8, 9), (9, 2, 2), (59, 2, 2)])
def test_many_pairs_of_periods_are_all_drawn_in_one_look(periods: int, colours: int, keys: int) -> None:
    figure = figures.validity_chart(*shared(2, 1, periods))
    marks = [part for part in figure.axes[0].collections if len(np.asarray(part.get_offsets())) == 2]
    shades = [tuple(part.get_facecolor()[0]) for part in marks if isinstance(part, PathCollection)]
    assert len(shades) == periods + 1
    assert len({*shades}) == colours
    assert len(figure.legends[0].get_texts()) == keys
    assert outside(figure) == []


def test_thirty_years_of_windows_stay_on_the_page() -> None:
    assert outside(figures.rolling_leaders(make_rolling(FEW, 120))) == []


# -- leaders ----------------------------------------------------------------------------------------------------------


def test_panels_are_sorted_cut_and_their_groups_named_once() -> None:
    scores = SCORES.sample(frac=1, random_state=1).sort_values("measure", kind="stable")
    figure = figures.leader_intervals(scores, names={"AR": "The first"}, most=7)
    assert tick_names(figure)[:2] == ["The first", "Brazil"]
    assert len(tick_names(figure)) == 7
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "2", "3"]
    assert "first 7 of 10 markets" in words(figure)


def test_whiskers_are_the_intervals() -> None:
    figure = figures.leader_intervals(make_scores(["SE", "NO"], ("hub",)))
    ends = np.array(figure.axes[0].collections[0].get_segments())[:, :, 0]
    assert ends.tolist() == [[5, 10.5], [3, 8.5]]


@pytest.mark.parametrize("measures", [1, pytest.param(12, marks=pytest.mark.slow)])
def test_many_measures_share_a_page(measures: int) -> None:
    codes = [f"{a}{b}" for a in "KLMN" for b in "ABCDEFGH"]
    names = ("net_flow", "clout", "hub", "closeness", "bradley_terry", *"abcdefg")[:measures]
    figure = figures.leader_intervals(make_scores(codes, names))
    assert len(tick_names(figure)) == (30 if measures == 1 else 15)
    assert figure.get_figheight() < 13
    assert outside(figure) == []
    assert overlaps([text for ax in figure.axes for text in (*ax.get_yticklabels(), ax.xaxis.label)], slack=3) == []


# -- the backbone -----------------------------------------------------------------------------------------------------


def test_only_pairs_beyond_the_baseline_are_drawn_with_darker_arrows_for_higher_lift() -> None:
    edges = make_edges(["JP", "SE", "US"]).assign(
        tracks=[10, 20, 30, 40, 50, 60], q=[0.01, 0.2, 0.05, 0.001, np.nan, 0.0], lift=[1.5, 9, 3, 2, 4, 6]
    )
    figure = figures.backbone_map(edges, make_markets(["JP", "SE", "US"]))
    drawn = arrows(figure)
    assert [arrow.get_linewidth() / drawn[-1].get_linewidth() for arrow in drawn] == pytest.approx(
        [1 / 6, 1 / 2, 2 / 3, 1]
    )
    light = [sum(arrow.get_edgecolor()[:3]) for arrow in drawn]
    assert np.argsort(light).tolist() == np.argsort([-1.5, -3, -2, -6]).tolist()
    text = words(figure)
    assert "Of 6 ordered pairs, 4 have more tracks than market sizes and likeness give (q ≤ 0.05" in text
    assert "1 were not tested" in text


# -- the short way round ----------------------------------------------------------------------------------------------

TOKYO, DENVER, OSLO = np.array([139.7, 35.7]), np.array([-105.0, 39.7]), np.array([10.8, 59.9])


def test_a_way_that_stays_on_the_map_is_one_arc_from_end_to_end() -> None:
    (arc,) = way(OSLO, DENVER, bend=0.2)
    ends = np.column_stack(equal_earth(np.array([OSLO[0], DENVER[0]]), np.array([OSLO[1], DENVER[1]])))
    assert arc[[0, -1]] == pytest.approx(ends)
    # halfway, a quadratic curve is half the bend away from its chord, to the right of its direction
    chord, aside = ends[1] - ends[0], arc[48] - ends.mean(axis=0)
    assert chord[0] * aside[1] - chord[1] * aside[0] == pytest.approx(-0.1 * (chord @ chord))


@pytest.mark.parametrize(("start", "end"), [(TOKYO, DENVER), (DENVER, TOKYO)])
def test_the_pacific_is_crossed_over_the_edge_of_the_map(start: np.ndarray, end: np.ndarray) -> None:
    near, far = way(start, end, bend=0.2)
    side = np.sign(start[0])
    assert (np.sign(near[:, 0]) == side).all()
    assert (np.sign(far[:, 0]) == -side).all()
    assert near[-1] == pytest.approx(far[0] * [-1, 1])
    edge = globe()
    assert abs(near[-1, 0]) == pytest.approx(np.interp(near[-1, 1], edge[:181, 1], edge[:181, 0]), abs=1e-4)
    length = sum(np.hypot(*np.diff(piece, axis=0).T).sum() for piece in (near, far))
    assert length < 2  # eastwards over the map it is more than 3


@pytest.mark.parametrize(("start", "end"), [((180, 0), (-100, 10)), ((-180, 5), (90, 5)), ((170, -80), (-20, -85))])
def test_ways_at_the_edge_and_near_the_pole_stay_on_the_map(start: tuple[int, int], end: tuple[int, int]) -> None:
    for piece in way(np.array(start, dtype=float), np.array(end, dtype=float), bend=0.2):
        assert len(piece) >= 2
        assert np.isfinite(piece).all()
        assert np.abs(piece[:, 0]).max() < 2.7067
        assert np.abs(piece[:, 1]).max() < 1.3174


def test_arrows_over_the_pacific_have_one_head_and_a_tail_on_the_other_side() -> None:
    markets = make_markets(["JP", "US"]).assign(latitude=[36, 40], longitude=[138, -98])
    for draw in (
        lambda edges: figures.flow_map(edges, markets),
        lambda edges: figures.backbone_map(edges.assign(lift=2, q=0.01), markets),
    ):
        figure = draw(make_edges(["JP", "US"])[:1].assign(tracks=5))
        patches = figure.axes[0].patches
        (head,) = [patch for patch in patches if isinstance(patch, FancyArrowPatch)]
        (tail,) = [patch for patch in patches if type(patch) is PathPatch]
        figure.draw_without_rendering()
        assert np.asarray(tail.get_path().vertices)[:, 0].min() > 1.7
        assert np.asarray(head.get_path().vertices)[:, 0].max() < -1.1


def test_arrows_over_the_edge_of_the_enlarged_panel_end_there_at_a_named_mark() -> None:
    codes = ["SE", "NO", "DE", "FR", "GB", "US", "BR"]
    places = {"latitude": [62, 61, 51, 46, 53, 39, -10], "longitude": [16, 10, 10, 2, -2, -98, -55]}
    edges = pd.DataFrame(
        {"source": ["SE", "US", "BR", "US"], "target": ["US", "DE", "NO", "BR"], "tracks": [5, 4, 3, 2]}
    )
    figure = figures.flow_map(edges, make_markets(codes).assign(**places))
    world, inset = figure.axes[:2]
    heads = [len([patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]) for ax in (world, inset)]
    assert heads == [4, 3]  # between the United States and Brazil there is nothing to enlarge
    names = [text.get_text() for text in inset.texts]
    assert "Market US" in names and "Market BR" in names
    figure.draw_without_rendering()
    (left, right), (low, high) = inset.get_xlim(), inset.get_ylim()
    for patch in inset.patches:
        path = patch.get_path()
        points = np.asarray(path.vertices)[np.asarray(path.codes) != Path.CLOSEPOLY]
        assert left <= points[:, 0].min() and points[:, 0].max() <= right
        assert low <= points[:, 1].min() and points[:, 1].max() <= high
    assert "Diamonds at the edge of the lower panel are markets elsewhere." in flat(figure)
    alone = figures.flow_map(edges[3:], make_markets(codes).assign(**places))
    assert "Diamonds" not in flat(alone)


def test_a_map_of_few_markets_has_few_arrows() -> None:
    figure = figures.flow_map(make_edges(CODES).assign(tracks=1), make_markets(CODES))
    assert "Drawn are 20 of 90 flows" in flat(figure)


# -- influence --------------------------------------------------------------------------------------------------------


def cells(figure: Figure) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return np.asarray(figure.axes[0].images[0].get_array())


def test_direct_pairs_have_colours_others_are_grey_hatched_or_blank() -> None:
    table = make_influence(
        ["NO", "SE", "US"],
        credits_per_entry=[0.2, 0.1, 0.3, 0.3, np.nan, 0.05],
        q_joint=[0.01, 0.01, 0.2, np.nan, np.nan, 0.04],
        direct=[True, True, False, False, False, True],
        ordered=[True, False, False, False, False, True],
    )
    figure = figures.influence_heatmap(table, order=["NO", "SE", "US"])
    drawn = cells(figure)
    assert tick_names(figure) == ["Norway", "Sweden", "United States"]
    assert drawn[np.diag_indices(3)].tolist() == [[1, 1, 1, 1]] * 3
    assert drawn[0, 1, :3].sum() < drawn[0, 2, :3].sum() < drawn[2, 1, :3].sum()  # more credits are darker
    assert np.ptp(drawn[1, 0, :3]) == 0 and drawn[1, 0, 3] == 1
    assert drawn[1, 2, 3] == drawn[2, 0, 3] == 0
    (dots,) = figure.axes[0].lines
    assert sorted(zip(*dots.get_data(), strict=True)) == [(1, 0), (1, 2)]
    assert all(
        word in words(figure) for word in ("not tested", "not shown to be direct", "more one way than the other")
    )
    assert "Of 4 tested pairs 3 are direct" in flat(figure) and "2 of them go more one way" in flat(figure)


def test_markets_stand_by_clout_and_those_left_out_are_counted() -> None:
    table = make_influence(["NO", "SE", "US", "JP"], ordered=False)
    owed = {("NO", "SE"): 0.1, ("NO", "JP"): 0.2, ("SE", "NO"): 0.4, ("JP", "US"): 0.35}
    found = [owed.get(pair, 0.0) for pair in zip(table["source"], table["target"], strict=True)]
    table = table.assign(credits_per_entry=found, direct=np.array(found) > 0)
    figure = figures.influence_heatmap(pd.concat([table, make_influence(["DK", "FI"], direct=False, ordered=False)]))
    assert tick_names(figure) == ["Sweden", "Japan", "Norway", "United States"]
    assert len(figure.axes[0].lines[0].get_xdata()) == 0
    assert "Markets without a direct pair are not drawn (2)." in flat(figure)
    few = figures.influence_heatmap(table, most=3)
    assert tick_names(few) == ["Sweden", "Japan", "Norway"]
    assert "Direct pairs of markets beyond those drawn are left out" in flat(few)


def test_direct_pairs_without_credits_are_drawn() -> None:
    table = make_influence(["NO", "SE"], direct=True, credits_per_entry=0.0)
    assert outside(figures.influence_heatmap(table)) == []


def test_ticks_of_a_logarithmic_scale_are_round_and_few() -> None:
    for low, high in ((0.001, 1), (0.02, 0.03), (1.2, 40), (3e-9, 5e7), (7.11, 7.12)):
        ticks = log_ticks(low, high)
        assert 2 <= len(ticks) <= 18
        assert low <= ticks[0] < ticks[-1] <= high
    assert log_ticks(0.001, 1) == [0.001, 0.01, 0.1, 1]


# -- lag curves -------------------------------------------------------------------------------------------------------


def test_curves_begin_at_zero_and_the_table_counts_the_tracks_at_risk() -> None:
    curves = make_lag_curves([("SE", "NO")])
    curves = pd.concat([curves, make_lag_curves([("US", "GB")], last=14)])
    figure = figures.lag_curves(curves)
    first, second = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 1]
    assert first.get_xdata().tolist() == [0, 7, 14, 21, 28]
    assert second.get_ydata().tolist() == pytest.approx([0, 0.025, 0.05])
    counts = [text.get_text() for text in figure.axes[1].texts]
    assert counts[:10] == ["93", "93", "86", "79", "72", "93", "93", "86", "–", "–"]
    assert "United States → United Kingdom (day 14)" in flat(figure)


def test_a_day_without_row_has_the_tracks_at_risk_of_the_next() -> None:
    sparse = pd.DataFrame({"source": "SE", "target": "NO", "days": [3, 20], "at_risk": [50, 40], "low": np.nan})
    figure = figures.lag_curves(sparse.assign(incidence=[0.1, 0.2], high=np.nan))
    counts = {text.get_position()[0]: text.get_text() for text in figure.axes[1].texts}
    assert counts[0] == "50"
    assert counts[20] == "40"
    assert {counts[day] for day in counts if 3 < day < 20} == {"40"}
    assert "No confidence bands are given." in words(figure)


def test_many_pairs_have_a_panel_each_in_which_no_band_covers_another() -> None:
    figure = figures.lag_curves(make_lag_curves([("SE", code) for code in CODES[:5]]))
    *panels, table = figure.axes
    assert [ax.get_title(loc="left") for ax in panels] == [label.get_text() for label in table.get_yticklabels()]
    for place, ax in enumerate(panels):
        assert len(ax.collections) == 1  # its own band
        own = [line for line in ax.lines if len(line.get_xdata()) > 1][-1]
        assert own.get_ydata()[-1] == pytest.approx(0.05 * (place + 1))
        assert len({line.get_color() for line in ax.lines}) == 2
    assert "Grey lines: the others." in flat(figure)
    assert outside(figure) == []


# -- communities ------------------------------------------------------------------------------------------------------


def test_large_communities_have_a_look_and_small_ones_are_grey() -> None:
    codes = [f"{a}{b}" for a in "KLMNOPQ" for b in "ABCDEFG"]
    nodes = make_communities(codes, count=10)
    nodes.loc[0, "community"] = np.nan
    nodes.loc[1, ["latitude", "stability"]] = np.nan
    figure = figures.community_map(nodes)
    looks = {tuple(dots.get_facecolor()[0]) for dots in figure.axes[0].collections[2:]}
    assert len(looks) == 9
    text = " ".join(words(figure).split())
    assert "other or none · 9 markets" in text
    assert "10 communities; the 8 largest" in text
    assert "not on the map, because the position is not known: KB" in text
    assert outside(figure) == []


def test_the_grid_holds_every_market_once() -> None:
    codes = [f"{a}{b}" for a in "KLMNOPQRSTUVWXYZABCDEFG" for b in "ABC"]
    nodes = make_communities(codes, count=11).assign(group=[f"letter {code}" for code in codes])
    nodes.loc[0, "group"] = None
    figure = figures.community_grid(nodes, label="letter")
    written = ", ".join(text.get_text() for text in figure.axes[0].texts if text.get_text()).replace("\n", " ")
    assert sorted(written.replace(",", " ").split()) == sorted(codes)
    assert tick_names(figure)[-2:] == ["other", "not known"]
    heads = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert [heads[0], heads[-1]] == ["0\n7 markets", "other\n24 markets"]
    assert overlaps(figure.axes[0].texts, slack=3) == []


def test_few_communities_have_the_names_of_their_markets_and_every_language_its_row() -> None:
    codes = ["SE", "NO", "IT", "JP"]
    spoken = ["Swedish", "Norwegian", "Italian", "Japanese"]
    figure = figures.community_grid(make_communities(codes, count=2).assign(group=spoken))
    assert sorted(tick_names(figure)) == sorted(spoken)
    assert next(tick.get_text() for tick in figure.axes[0].get_xticklabels()) == "community 0\n2 markets"
    assert {"Sweden", "Norway", "Italy", "Japan"} <= {text.get_text() for text in figure.axes[0].texts}


# -- rolling leaders --------------------------------------------------------------------------------------------------


def test_the_markets_of_the_smallest_mean_rank_are_drawn_with_gaps() -> None:
    rolling = make_rolling(CODES)
    gone = (rolling["market"] == "BR") & (rolling["end"] == rolling["end"].unique()[2])
    rolling.loc[gone, ["score", "low", "high"]] = np.nan
    figure = figures.rolling_leaders(rolling[~gone | (rolling["measure"] == "net_flow")], most=2)
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["Argentina", "Brazil"]
    for ax in figure.axes:
        gaps = [np.isnan(np.asarray(line.get_ydata(), dtype=float)).tolist() for line in ax.lines[:2]]
        assert gaps == [[False] * 5, [False, False, True, False, False]]
    text = words(figure)
    assert "5 periods of 120 days. Consecutive periods overlap" in text
    assert "2 of 10 markets" in text


# -- validity ---------------------------------------------------------------------------------------------------------


def test_validity_has_a_panel_per_control_and_a_dot_per_pair() -> None:
    table, pairs = make_validity()
    table.loc[table["given"] == "size", "rho"] = np.nan
    figure = figures.validity_chart(table, pairs)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["given nothing", "given size", "given size and outcome"]
    assert tick_names(figure) == ["Net flow", "PageRank"]
    assert "not defined" in words(figure)
    assert "p < 0.001" in words(figure)
    dots = [dots.get_offsets()[:, 0].tolist() for dots in figure.axes[2].collections[:3]]
    strict = pairs[pairs["given"] == "size and outcome"]
    assert dots == [strict.loc[strict["period"] == year, "rho"].tolist() for year in ("2017", "2018", "2019")]


def test_measures_without_a_column_of_groups_are_drawn_as_not_tested() -> None:
    bare, missing = SCORES.drop(columns="group"), SCORES.assign(group=None)
    drawn = [figures.render(figures.leader_intervals(table), "svg") for table in (bare, missing)]
    assert drawn[0] == drawn[1]
