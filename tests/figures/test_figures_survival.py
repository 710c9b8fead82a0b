"""Figures of survival models: what they draw, what they say below, what they refuse."""

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
from figures.page.style import SMALL_SIZE
from figures.survival.model_scores import MEASURES
from tests.figures.test_figures import CODES, drawn_texts, outside, overlaps, tick_names, words
from tests.figures.test_figures import HOSTILE as ENDLESS

HOSTILE = ENDLESS[:150]
ENCODED = HOSTILE.replace("\ud800", "")
"""Without the character that pandas cannot tell from others in a key of two columns."""


def make_ratios() -> pd.DataFrame:
    rows = [
        ("language", "shared", "not shared", 1.84, 1.5, 2.2),
        ("continent", "Europe", "Africa", 2.4, 1.1, 4.9),
        ("continent", "Asia", "Africa", 0.9, 0.6, 1.35),
        ("footprint", "twice as many markets", None, 1.31, 1.27, 1.36),
    ]
    return pd.DataFrame(rows, columns=["variable", "level", "reference", "hazard_ratio", "low", "high"])


def make_periods() -> pd.DataFrame:
    parts = [make_ratios().assign(after=after, days=days) for after, days in ((0, 7), (7, 28), (28, 90))]
    return pd.concat(parts, ignore_index=True)


def make_log_log(groups: list[str], by: str = "size") -> pd.DataFrame:
    days = np.arange(1, 61)
    parts = [
        pd.DataFrame({"by": by, "group": name, "days": days, "log_minus_log": np.log(days) - 7 + k})
        for k, name in enumerate(groups)
    ]
    return pd.concat(parts, ignore_index=True)


def make_states(last: int = 90, share: float = 0.02) -> pd.DataFrame:
    days = np.arange(last + 1)
    entered = share * (1 - np.exp(-days / 30))
    left = (1 - entered) * (1 - np.exp(-days / 60))
    shares = {"charting": 1 - entered - left, "left": left, "entered": entered, "entered_after_left": entered * left}
    return pd.DataFrame({"days": days, "at_risk": 900 - days, **shares, "low": entered * 0.8, "high": entered * 1.3})


def make_cured(codes: list[str]) -> pd.DataFrame:
    share = np.linspace(0.95, 0.999, len(codes))
    bounds = {"low": share - 0.01, "high": np.minimum(share + 0.005, 1)}
    suffices = np.arange(len(codes)) % 2 == 0
    return pd.DataFrame({"market": codes, "share": share, **bounds, "suffices": suffices, "by_day": 180})


def make_calibration(models: list[str], codes: list[str]) -> pd.DataFrame:
    rows = []
    for model in models:
        deciles = [(model, "decile", str(k), 60, 0.001 * 1.5**k, 0.0011 * 1.5**k) for k in range(1, 11)]
        markets = [(model, "market", code, 60, 0.004 * (k + 1), 0.006 * (k + 1)) for k, code in enumerate(codes)]
        rows += [*deciles, *markets]
    table = pd.DataFrame(rows, columns=["model", "kind", "group", "day", "predicted", "observed"])
    return table.assign(low=table["observed"] * 0.8, high=table["observed"] * 1.25)


def make_scores(models: list[str]) -> pd.DataFrame:
    table = pd.DataFrame({"model": models, "day": 28})
    for at, measure in enumerate(MEASURES):
        value = np.linspace(0.1, 0.7, len(models)) + at / 10
        table = table.assign(**{measure: value, f"{measure}_low": value - 0.05, f"{measure}_high": value + 0.05})
    return table


BUILDERS: dict[str, Callable[[], Figure]] = {
    "ratios": lambda: figures.hazard_ratios(make_ratios()),
    "periods": lambda: figures.hazard_ratio_periods(make_periods()),
    "log_log": lambda: figures.log_log_curves(pd.concat([make_log_log(["one", "two"], by) for by in "abc"])),
    "states": lambda: figures.states(make_states()),
    "cured": lambda: figures.cured_share(make_cured(CODES)),
    "calibration": lambda: figures.calibration(make_calibration(["cox", "cure"], CODES)),
    "scores": lambda: figures.model_scores(make_scores(["cox", "cure", "hazard"]), day=28),
}


@cache
def built(name: str) -> Figure:
    return BUILDERS[name]()


def flat(figure: Figure) -> str:
    return " ".join(words(figure).split())


# -- what every figure must show --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUILDERS)
def test_text_is_legible_on_the_page_and_axes_are_labelled(name: str) -> None:
    figure = built(name)
    assert outside(figure) == []
    assert overlaps(drawn_texts(figure), slack=3) == []
    assert min(text.get_fontsize() for text in figure.findobj(Text)) >= SMALL_SIZE
    labels = {ax.get_ylabel() for ax in figure.axes}
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis) if ax.axison else ():
            ticks = [tick for tick in axis.get_ticklabels() if tick.get_visible() and tick.get_text()]
            named_by_rows = name == "cured" and axis is ax.yaxis
            assert not ticks or axis.get_label_text() or labels - {""} or named_by_rows, (name, axis.axis_name)


@pytest.mark.parametrize("name", BUILDERS)
def test_the_same_figure_has_the_same_bytes_and_is_plain_xml(name: str) -> None:
    content = figures.render(built(name), "svg")
    assert figures.render(BUILDERS[name](), "svg") == content
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(content).iter()}
    assert {"svg", "path"} <= tags
    assert not tags & {"script", "foreignObject", "text"}


def hostile_figures() -> dict[str, Figure]:
    codes, named = ["SE", "US", "_x$y$<b>"], dict.fromkeys(["SE", "US", "_x$y$<b>"], HOSTILE)
    strange = make_ratios().assign(variable=HOSTILE, reference=HOSTILE, level=[f"{k}{ENCODED}" for k in range(4)])
    periods = pd.concat([strange.assign(after=0, days=7), strange.assign(after=7, days=9)])
    return {
        "ratios": figures.hazard_ratios(strange, title=HOSTILE),
        "periods": figures.hazard_ratio_periods(periods, title=HOSTILE, since=HOSTILE),
        "log_log": figures.log_log_curves(make_log_log([ENCODED, "_hidden"], ENCODED), title=HOSTILE, since=HOSTILE),
        "states": figures.states(make_states(), title=HOSTILE, since=HOSTILE),
        "cured": figures.cured_share(make_cured(codes), names=named, title=HOSTILE),
        "calibration": figures.calibration(make_calibration([HOSTILE, "_b"], codes), names=named, title=HOSTILE),
        "scores": figures.model_scores(make_scores([HOSTILE, "_b"]), day=28, title=HOSTILE),
    }


def test_hostile_text_is_drawn_as_text() -> None:
    for name, figure in hostile_figures().items():
        texts = [text for text in figure.findobj(Text) if "$" in text.get_text()]
        assert texts, name
        assert not any(text.get_parse_math() for text in texts), name
        assert outside(figure) == [], name


# -- what cannot be drawn ---------------------------------------------------------------------------------------------

RATIOS, PERIODS, LOGS, STATES = make_ratios(), make_periods(), make_log_log(["a"]), make_states()
CURED, CALIBRATION, SCORES = make_cured(CODES), make_calibration(["cox"], CODES), make_scores(["cox"])


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: figures.hazard_ratios(RATIOS.drop(columns="reference")), "lacks reference"),
        (lambda: figures.hazard_ratios(RATIOS.assign(low=0)), "not above 0"),
        (lambda: figures.hazard_ratios(RATIOS.assign(low=9)), "outside its interval"),
        (lambda: figures.hazard_ratios(RATIOS.assign(high=np.inf)), "infinity"),
        (lambda: figures.hazard_ratios(pd.concat([RATIOS] * 2)), "more than one row"),
        (lambda: figures.hazard_ratio_periods(PERIODS.assign(days=0)), "ends before it begins"),
        (lambda: figures.hazard_ratio_periods(PERIODS.drop(columns="after")), "lacks after"),
        (lambda: figures.hazard_ratio_periods(pd.concat([PERIODS] * 2)), "more than one row"),
        (lambda: figures.log_log_curves(LOGS.assign(days=0)), "not above 0"),
        (lambda: figures.log_log_curves(pd.concat([LOGS] * 2)), "occurs twice"),
        (lambda: figures.log_log_curves(LOGS.assign(log_minus_log=-LOGS["log_minus_log"])), "falls"),
        (lambda: figures.states(STATES.assign(left=0.5)), "do not sum to 1"),
        (lambda: figures.states(STATES.assign(entered_after_left=0.5)), "outside 0 … 1"),
        (lambda: figures.states(STATES[1:]), "without gaps"),
        (lambda: figures.states(pd.concat([STATES] * 2)), "give it one group"),
        (lambda: figures.cured_share(CURED.assign(share=2)), "outside 0 … 1"),
        (lambda: figures.cured_share(CURED.assign(low=1.0)), "outside its interval"),
        (lambda: figures.cured_share(pd.concat([CURED] * 2)), "more than one row"),
        (lambda: figures.cured_share(CURED, most=0), "most is 0"),
        (lambda: figures.calibration(CALIBRATION.assign(kind="country")), "allowed are decile, market"),
        (lambda: figures.calibration(CALIBRATION.assign(day=range(len(CALIBRATION)))), "different days"),
        (lambda: figures.calibration(CALIBRATION.assign(observed=2)), "outside 0 … 1"),
        (lambda: figures.calibration(pd.concat([CALIBRATION] * 2)), "more than one row"),
        (lambda: figures.model_scores(SCORES.assign(auc_low=1), day=28), "outside its interval"),
        (lambda: figures.model_scores(pd.concat([SCORES] * 2), day=28), "more than one row"),
        (lambda: figures.model_scores(SCORES.drop(columns="auc"), day=28), "lacks auc"),
        (lambda: figures.model_scores(SCORES, day=28, measures=["luck"]), "got 'luck'"),
    ],
)
def test_tables_that_cannot_be_right_are_refused(draw: Callable[[], Figure], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        draw()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.hazard_ratios(RATIOS[:0]),
        lambda: figures.hazard_ratios(RATIOS.assign(hazard_ratio=np.nan)),
        lambda: figures.hazard_ratio_periods(PERIODS[:0]),
        lambda: figures.log_log_curves(LOGS[:0]),
        lambda: figures.states(STATES[:0]),
        lambda: figures.cured_share(CURED[:0]),
        lambda: figures.calibration(CALIBRATION.assign(observed=np.nan)),
        lambda: figures.model_scores(SCORES, day=7),
    ],
)
def test_nothing_to_draw_is_an_error_with_a_name(draw: Callable[[], Figure]) -> None:
    with pytest.raises(DataSaysNoError):
        draw()


# -- hazard ratios ----------------------------------------------------------------------------------------------------


def test_the_forest_plot_reads_each_ratio_in_words_and_names_the_reference() -> None:
    texts = [text.get_text() for text in built("ratios").axes[0].texts]
    assert texts == [
        "language, compared with not shared",
        "shared",
        "enters 1.8 times as fast (1.5–2.2)",
        "continent, compared with Africa",
        "Europe",
        "enters 2.4 times as fast (1.1–4.9)",
        "Asia",
        "no difference shown (0.60–1.4)",
        "footprint",
        "twice as many markets",
        "enters 1.31 times as fast (1.27–1.36)",
    ]
    assert built("ratios").axes[0].get_xscale() == "log"
    assert "It is an association" in flat(built("ratios"))


def test_an_interval_without_end_is_cut_with_an_arrow_and_a_ratio_that_is_missing_is_said() -> None:
    table = make_ratios().assign(low=[1e-9, 1.1, 0.6, np.nan], high=[1e9, 4.9, 1.35, np.nan])
    figure = figures.hazard_ratios(table.assign(hazard_ratio=[1.84, 2.4, np.nan, 1.31]))
    low, high = figure.axes[0].get_xlim()
    assert 0.1 < low < 1 < high < 20
    markers = [str(line.get_marker()) for line in figure.axes[0].lines]
    assert [markers.count(arrow) for arrow in "<>"] == [1, 1]
    text = flat(figure)
    assert "no difference shown (<0.001 to >1,000)" in text
    assert "enters 1.3 times as fast (no interval)" in text
    assert "not estimated" in text
    assert "An arrow marks an interval that goes on." in text
    assert "An arrow" not in flat(built("ratios"))


def test_ratios_by_period_have_a_panel_each_on_one_axis() -> None:
    figure = built("periods")
    assert len(figure.axes) == 4
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    lines = np.array(figure.axes[0].collections[0].get_segments())
    assert lines[:, :, 0].tolist() == [[0, 7], [7, 28], [28, 90]]
    missing = make_periods()
    missing.loc[missing["level"] == "shared", ["hazard_ratio", "low", "high"]] = np.nan
    text = flat(figures.hazard_ratio_periods(missing))
    assert "not estimated" in text
    assert "A period without a line had too few entries." in text


# -- states, cured shares ---------------------------------------------------------------------------------------------


def test_the_share_entered_has_an_axis_of_its_own_from_zero() -> None:
    upper, lower, _ = built("states").axes
    assert upper.get_ylim() == (0, 1)
    assert lower.get_ylim() == (0, pytest.approx(1.06 * 1.3 * 0.02 * (1 - np.exp(-3))))
    assert "leaving does not end a wait" in flat(built("states"))
    nobody = figures.states(make_states(share=0.0))
    assert "No wait ended in an entry." in flat(nobody)


def test_a_share_that_follow_up_cannot_tell_is_called_not_entered() -> None:
    figure = figures.cured_share(make_cured(["SE", "US"]))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["95.0 % never enter (94.0–95.5)", "99.90 % not entered by day 180 (98.90–100.00)"]
    fills = [line.get_markerfacecolor() for line in figure.axes[0].lines]
    assert fills[1] == "white" != fills[0]
    assert figure.axes[0].get_xlim() == (0, pytest.approx(1.05 * 0.06))
    assert tick_names(figure) == ["Sweden", "United States"]
    close = make_cured(["SE", "US"]).assign(share=0.9911, low=0.9903, high=0.9919, suffices=False)
    assert outside(figures.cured_share(close)) == []
    certain = flat(figures.cured_share(make_cured(["SE"])))
    assert "Hollow" not in certain
    assert "by the end of follow-up" not in certain


# -- predictions ------------------------------------------------------------------------------------------------------


def test_markets_off_the_diagonal_are_named_and_counted() -> None:
    table = make_calibration(["cox"], ["SE", "US", "BR"])
    table.loc[table["group"] == "US", ["low", "high"]] = [0.001, 0.03]
    figure = figures.calibration(table)
    assert [text.get_text() for text in figure.axes[0].texts] == []
    assert {text.get_text() for text in figure.axes[1].texts} == {"Sweden", "Brazil"}
    assert "Markets whose interval is off the diagonal: cox 2 of 3" in flat(figure)
    assert "by day 60" in flat(figure)
    for ax in figure.axes:
        assert ax.get_xlim() == ax.get_ylim()
        assert ax.get_xlim()[0] == 0


def test_many_markets_off_the_diagonal_do_not_cover_each_other() -> None:
    codes = [f"{a}{b}" for a in "ABCDEFG" for b in "ABCDEFGHIJ"]
    figure = figures.calibration(
        make_calibration(["cox", "cure"], codes), names={code: f"Market {code}" for code in codes}
    )
    names = [text for ax in figure.axes for text in ax.texts]
    assert names
    assert overlaps(names) == []
    assert outside(figure) == []


def test_scores_have_a_line_at_what_a_model_should_pass_or_meet() -> None:
    figure = figures.model_scores(make_scores(["b", "a"]), day=28)
    titles = ["Brier skill", "AUC", "Expected over observed", "Calibration slope"]
    assert [ax.get_title(loc="left") for ax in figure.axes] == titles
    assert [np.asarray(ax.lines[0].get_xdata())[0] for ax in figure.axes] == [0, 0.5, 1, 1]
    assert tick_names(figure) == ["b", "a"]
    ends = np.array(figure.axes[1].collections[0].get_segments())[:, :, 0]
    assert ends == pytest.approx(np.array([[0.25, 0.35], [0.85, 0.95]]))
    assert "Entries by day 28" in flat(figure)
    unknown = make_scores(["b"]).assign(auc=np.nan, auc_low=np.nan, auc_high=np.nan)
    assert "not defined" in flat(figures.model_scores(unknown, day=28))


def test_more_than_fits_a_page_is_cut_and_the_figure_says_so() -> None:
    many = pd.concat([make_ratios().assign(variable=f"v{k}") for k in range(20)])
    ratios = figures.hazard_ratios(many)
    assert "the first 60 of 80 ratios" in flat(ratios)
    panels = pd.concat([make_periods().assign(variable=f"v{k}") for k in range(4)])
    periods = figures.hazard_ratio_periods(panels)
    assert [len(periods.axes), "the first 12 of 16 covariates" in flat(periods)] == [12, True]
    logs = figures.log_log_curves(pd.concat([make_log_log([f"g{k}" for k in range(10)], by) for by in "abcdefg"]))
    assert "the first 6 of 7 groupings. Drawn are the first 8 groups of a panel." in flat(logs)
    cured = figures.cured_share(make_cured(CODES), most=3)
    assert "3 of 10 markets" in flat(cured)
    models = [f"m{k}" for k in range(17)]
    calibration = figures.calibration(make_calibration(models[:5], CODES[:2]))
    assert [len(calibration.axes), "the first 4 of 5 models" in flat(calibration)] == [8, True]
    scores = figures.model_scores(make_scores(models), day=28, measures=["auc"])
    assert "the first 16 of 17 models" in flat(scores)
    for figure in (ratios, periods, logs, cured, calibration, scores):
        assert outside(figure) == []


def test_the_notes_say_what_intervals_take_as_independent() -> None:
    drawn = {
        "ratio": lambda cluster: figures.hazard_ratios(RATIOS, cluster=cluster),
        "market": lambda cluster: figures.cured_share(CURED, cluster=cluster),
        "class": lambda cluster: figures.calibration(CALIBRATION, cluster=cluster),
        "score": lambda cluster: figures.model_scores(SCORES, day=28, cluster=cluster),
        "day": lambda cluster: figures.states(STATES, cluster=cluster),
    }
    for each, draw in drawn.items():
        assert f"95 % confidence by track, for each {each} by itself." in flat(draw("track"))
    assert "too narrow" in flat(drawn["ratio"]("independent"))
    assert "95 %" not in flat(figures.hazard_ratios(RATIOS.assign(low=np.nan, high=np.nan)))
