"""Figures of forecasts: what they draw, what they say below, what they refuse."""

from collections.abc import Callable
from functools import cache
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import figures
from diffusion import DataSaysNoError, SettingError
from figures.forecasts.losses import FEATURES
from figures.forecasts.scores import METRICS, MODELS, SHOWN
from figures.page.style import SMALL_SIZE
from tests.figures.test_figures import CODES, drawn_texts, outside, overlaps, tick_names, words
from tests.figures.test_figures import HOSTILE as ENDLESS

HOSTILE = ENDLESS[:150]
NAMES = ["random", "market_rate", "credits", "graph", "default"]


def make_scores(models: list[str]) -> pd.DataFrame:
    rows = [(model, metric, 0.1 + at / 20) for at, model in enumerate(models) for metric in METRICS]
    table = pd.DataFrame(rows, columns=["model", "metric", "value"])
    return table.assign(low=table["value"] - 0.02, high=table["value"] + 0.03)


def make_learning(models: list[str]) -> pd.DataFrame:
    parts = [make_scores(models).assign(tracks=tracks, share=tracks / 8000) for tracks in (1000, 2000, 4000, 8000)]
    return pd.concat(parts, ignore_index=True)


def make_ablation(families: list[str]) -> pd.DataFrame:
    table = make_scores(["", *families]).rename(columns={"model": "without"})
    change = -0.01 * table.groupby("metric").cumcount()
    return table.assign(change=change, change_low=change - 0.01, change_high=change + 0.005)


def make_importance(features: list[str]) -> pd.DataFrame:
    kinds = ["family", "family", *["feature"] * len(features)]
    return pd.DataFrame(
        {"kind": kinds, "name": ["graph", "artist", *features], "log_loss": np.linspace(0.3, 0.01, len(kinds))}
    )


def make_markets(codes: list[str]) -> pd.DataFrame:
    share = np.linspace(0.9, 0.1, len(codes))
    columns = {"market": codes, "entries": 10, "caught": share, "auc": 0.5 + share / 2, "excess": 1 + share - 0.5}
    return pd.DataFrame({"model": "default"} | columns)


BUILDERS: dict[str, Callable[[], Figure]] = {
    "scores": lambda: figures.forecast_scores(make_scores(NAMES)),
    "learning": lambda: figures.learning_curves(make_learning(["default", "logistic"])),
    "ablation": lambda: figures.ablation(make_ablation(["graph", "artist", "cross-border"])),
    "importance": lambda: figures.feature_importance(make_importance([f"feature_{k}" for k in range(30)])),
    "markets": lambda: figures.market_errors(make_markets(CODES), model="default"),
}


@cache
def built(name: str) -> Figure:
    return BUILDERS[name]()


@pytest.mark.parametrize("name", BUILDERS)
def test_text_is_legible_on_the_page_and_axes_are_labelled(name: str) -> None:
    figure = built(name)
    assert outside(figure) == []
    assert overlaps(drawn_texts(figure), slack=3) == []
    assert min(text.get_fontsize() for text in figure.findobj(Text)) >= SMALL_SIZE
    assert all(ax.get_title(loc="left") for ax in figure.axes if ax.axison)


@pytest.mark.parametrize("name", BUILDERS)
def test_the_same_figure_has_the_same_bytes_and_is_plain_xml(name: str) -> None:
    content = figures.render(built(name), "svg")
    assert figures.render(BUILDERS[name](), "svg") == content
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(content).iter()}
    assert {"svg", "path"} <= tags
    assert not tags & {"script", "foreignObject", "text"}


def test_hostile_text_is_drawn_as_text() -> None:
    plain = HOSTILE.replace("\ud800", "")
    drawn = {
        "scores": figures.forecast_scores(make_scores([plain, "_b"]), title=HOSTILE),
        "learning": figures.learning_curves(make_learning([plain, "_b"]), title=HOSTILE),
        "ablation": figures.ablation(make_ablation([plain]), title=HOSTILE),
        "importance": figures.feature_importance(make_importance([plain]), title=HOSTILE),
        "markets": figures.market_errors(
            make_markets(["SE", "_x$y$"]).assign(model=plain), model=plain, names={"SE": HOSTILE}, title=HOSTILE
        ),
    }
    for name, figure in drawn.items():
        texts = [text for text in figure.findobj(Text) if "$" in text.get_text()]
        assert texts, name
        assert not any(text.get_parse_math() for text in texts), name
        assert outside(figure) == [], name


def test_models_are_drawn_in_their_order_with_their_values() -> None:
    figure = figures.forecast_scores(make_scores(NAMES), metrics=["auc", "brier_skill"])
    assert tick_names(figure) == NAMES
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["AUC", "Brier skill"]
    points = figure.axes[0].collections[-1].get_offsets()
    assert np.asarray(points)[:, 0].tolist() == pytest.approx([0.1, 0.15, 0.2, 0.25, 0.3])
    many = figures.forecast_scores(make_scores([f"m{k}" for k in range(MODELS + 5)]))
    assert len(tick_names(many)) == MODELS


def test_learning_curves_have_a_point_per_number_of_tracks() -> None:
    figure = figures.learning_curves(make_learning(["default"]).sample(frac=1, random_state=0), metrics=["auc"])
    assert figure.axes[0].get_lines()[0].get_xdata().tolist() == [1000, 2000, 4000, 8000]
    named = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert named == ["1,000", "2,000", "4,000", "8,000"]


def test_families_are_in_order_of_what_is_lost_without_the_model_itself() -> None:
    figure = figures.ablation(make_ablation(["graph", "artist"]), metrics=("auc",))
    assert tick_names(figure) == ["artist", "graph"]


def test_features_without_a_loss_are_not_drawn() -> None:
    table = make_importance([f"feature_{k}" for k in range(40)])
    figure = figures.feature_importance(table)
    assert len(figure.axes[1].patches) == FEATURES
    none = table.assign(log_loss=table["log_loss"].where(table["name"].isin(["graph", "artist", "feature_3"]), 0.0))
    assert tick_names(figures.feature_importance(none), 1) == ["feature_3"]


def test_markets_without_an_entry_are_not_drawn() -> None:
    table = make_markets(["SE", "US", "NO"])
    table.loc[0, "entries"] = 0
    figure = figures.market_errors(table, model="default")
    assert tick_names(figure) == ["United States", "Norway"]
    assert "Model: default" in " ".join(words(figure).split())


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: figures.forecast_scores(make_scores(NAMES), metrics=["best"]), "metrics are pooled_recall@5"),
        (lambda: figures.forecast_scores(pd.concat([make_scores(NAMES)] * 2)), "more than one row for a model"),
        (lambda: figures.forecast_scores(make_scores(NAMES).drop(columns="low")), "lacks low"),
        (
            lambda: figures.learning_curves(make_learning(NAMES).assign(tracks=lambda rows: rows["tracks"] - 1000)),
            "number of tracks below 1",
        ),
        (lambda: figures.feature_importance(make_importance(["a"]).assign(kind="group")), "has the kind 'group'"),
        (lambda: figures.market_errors(pd.concat([make_markets(CODES)] * 2), model="default"), "more than one row"),
    ],
)
def test_a_table_that_is_wrong_is_refused(draw: Callable[[], Figure], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        draw()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.forecast_scores(make_scores(NAMES).assign(value=np.nan)),
        lambda: figures.learning_curves(make_learning(NAMES).assign(value=np.nan)),
        lambda: figures.ablation(make_ablation([])),
        lambda: figures.feature_importance(make_importance(["a"]).assign(log_loss=np.nan)),
        lambda: figures.market_errors(make_markets(CODES), model="other"),
    ],
)
def test_nothing_to_draw_is_said(draw: Callable[[], Figure]) -> None:
    with pytest.raises(DataSaysNoError, match="there is nothing to draw"):
        draw()


def test_the_metrics_shown_have_titles() -> None:
    assert set(SHOWN) <= set(METRICS)
