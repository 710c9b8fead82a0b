"""Which markets next: forecasts tested on later tracks, and made for the tracks that are on a chart."""

from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

import figures
from diffusion import DataSaysNoError, SettingError, market_names, open_charts
from diffusion.conventions import WINDOW_DAILY, WINDOW_WEEKLY
from pipelines.backtest.contenders import DEFAULT
from pipelines.backtest.latest import MOST_FITTED, MOST_TESTED, Latest, current
from pipelines.contracts.forecasts import FORECAST_CALIBRATION, FORECAST_SCORES, FORECASTS
from pipelines.formatting import cell, html_table, many, percent, sentence
from pipelines.models.trained import Predictions
from pipelines.study.findings import Finding
from pipelines.study.held_charts import charts_path
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Output, Step
from pipelines.study.steps.entries import whole_entries

NAMES: Final = {
    "market_rate": "market base rate",
    "language": "language rule",
    "transitions": "transition table",
    "graph": "graph alone",
    DEFAULT: "default forecaster",
}
"""Model → its name in tables, figures and report."""

RECALL: Final = "pooled_recall@5"
"""Metric that models are compared by: the share of all entries that are among the five markets named for each track."""

SHOWN: Final = {
    RECALL: "entries among five named",
    "ndcg@5": "order of the five (ndcg)",
    "average_precision": "average precision",
    "brier_skill": "Brier skill",
    "auc": "AUC",
}
"""Metric → its name in the report."""

MOST_MARKETS: Final = 10
"""Markets of a track in the table."""

MOST_TRACKS: Final = 500
"""Tracks in the table: those with the most expected entries."""

SPOKEN_TRACKS: Final = 10
"""Tracks in the report."""

SPOKEN_MARKETS: Final = 5
"""Markets of a track in the report."""

FEW: Final = 100
"""Entries of later tracks below which the report warns."""


NO_EFFECT: Final = (
    "A probability is for a track like this one at this time. It is no effect of anything that somebody does."
)
"""What a probability does not say."""


def _make(study: Study, results: Results) -> Output:
    gaps: dict[str, str] = {}
    if results.entries.groups:
        why = f"forecasts are of single markets, and these are grouped: {', '.join(results.entries.groups)}"
        return Output({}, not_made={"forecast_scores": why, "forecasts": why})
    try:
        latest = _latest(study, results)
        scores, calibration = latest.compared(latest.forecasts(gaps))
    except DataSaysNoError as error:
        return Output({}, not_made={"forecast_scores": str(error), "forecasts": "models could not be tested"})
    named = {"model": NAMES, "baseline": NAMES}
    tables = {"forecast_scores": scores.replace(named), "forecast_calibration": calibration.replace({"model": NAMES})}
    notes = _notes(latest)
    try:
        model = latest.model()
        notes["notes"] = list(model.forecaster.notes)
        tracks = current(model.history, model.horizon, latest.listed)
        if not len(tracks):
            which = "track of the cohort" if results.entries.cohort else "track"
            raise DataSaysNoError(f"no {which} on the charts debuted in the last {many(model.horizon, 'day')}")
        tables["forecasts"] = _forecasts(model.predict(tracks))
    except (DataSaysNoError, SettingError) as error:
        gaps["forecasts"] = str(error)
    return Output(tables, notes=notes, not_made=gaps)


def _latest(study: Study, results: Results) -> Latest:
    """Return the latest tracks of the charts, also those outside the cohort; those of the cohort may be forecast."""
    with open_charts(charts_path(study), open_engine=study.open_engine, **study.reading) as charts:
        entries = whole_entries(charts, study) if results.entries.cohort else results.entries
        listed = pa.array(results.entries.timelines.track_ids, pa.string())
        return Latest.of(charts, entries, _longest(study, results), listed=listed, seed=study.seed)


def _longest(study: Study, results: Results) -> int:
    """Return the horizon asked for: the window of the graph."""
    return study.window or (WINDOW_DAILY if results.entries.calendar.cadence == 1 else WINDOW_WEEKLY)


def _notes(latest: Latest) -> dict[str, Any]:
    fold, examples = latest.fold, latest.examples

    def tracks(chosen: Any) -> int:
        return len(np.unique(examples.track[chosen]))

    return {
        "horizon": fold.horizon,
        "points": list(latest.points),
        "first_debut": _date(int(examples.debut.min())),
        "tested_from": _date(fold.first),
        "tested_to": _date(fold.last),
        "charts_from": _date(latest.history.first_day),
        "fitted_tracks": tracks(latest.trained_on),
        "tested_tracks": tracks(latest.tested),
        "forecast_tracks": tracks(slice(None)),
        "features": len(examples.features),
        "most_fitted": MOST_FITTED,
        "most_tested": MOST_TESTED,
        "as_of": _date(latest.history.last_day),
    }


def _forecasts(found: Predictions) -> pd.DataFrame:
    """Return the most likely markets of the tracks with the most expected entries, these tracks first."""
    table = found.table.assign(entered=found.entered)
    table["expected_entries"] = table.groupby("track_id")["p_enter"].transform("sum")
    order = table.drop_duplicates("track_id").sort_values(["expected_entries", "track_id"], ascending=[False, True])
    place = table["track_id"].map({track: at for at, track in enumerate(order["track_id"])})
    table = table[place < MOST_TRACKS].assign(place=place)
    table = table.sort_values(["place", "p_enter", "market"], ascending=[True, False, True], kind="stable")
    table = table[table.groupby("track_id", sort=False).cumcount() < MOST_MARKETS]
    for column in ("p_by_7", "p_by_14", "p_by_28"):
        if column not in table:
            table[column] = np.nan
    return table.reset_index(drop=True)[FORECASTS.names]


def _drawings(results: Results) -> dict[str, Drawing]:
    if not results.holds("forecast_scores"):
        return {}
    return {
        "forecast_scores": Drawing(
            "Scores of forecasts on later tracks, with intervals.",
            lambda: figures.forecast_scores(results.table("forecast_scores")),
        ),
        "forecast_calibration": Drawing(
            "Shares of later tracks that entered against shares predicted, by tenth of the predictions.",
            lambda: figures.calibration(_tenths(results), title="Do forecasts come true?", cluster="artist and debut"),
        ),
    }


def _tenths(results: Results) -> pd.DataFrame:
    """Return the calibration by tenth of the predictions, the default forecaster first."""
    table = results.table("forecast_calibration")
    order = [*reversed(NAMES.values())]
    table = table[table["kind"] == "decile"]
    return table.sort_values("model", key=lambda names: names.map(order.index), kind="stable")


def _recall(results: Results) -> pd.DataFrame:
    """Return the rows of the metric that models are compared by, with the model as index."""
    table = results.table("forecast_scores")
    return table[table["metric"] == RECALL].set_index("model")


def _said(results: Results) -> str:
    """Return in a sentence what the default forecaster is shown to gain over the best simple model."""
    shown, points = _gain(results)
    return f"{_shares(results)}; {shown}: {points}" if shown else _shares(results)


def _shares(results: Results) -> str:
    """Return in words the shares of the entries that the forecasts name."""
    notes, table = results.notes("forecast"), _recall(results)
    entries, best, share = int(table["entries"].iloc[0]), str(table["baseline"].iloc[0]), table["value"].to_dict()
    later = f"of {entries:,} entries of {many(notes['tested_tracks'], 'later track')} within "
    later += f"{many(notes['horizon'], 'day')}, "
    if NAMES[DEFAULT] not in share:
        return f"{later}{percent(share[best])} are among the five markets that the {best} names"
    later += f"{percent(share[NAMES[DEFAULT]])} are among the five markets that the default forecaster names, "
    return f"{later}{percent(share[best])} among those of the {best}, the best simple model"


def _gain(results: Results) -> tuple[str, str]:
    """Return whether the default forecaster is shown to gain on the best simple model, and by how much, in words.

    Both are empty where it could not be fitted.
    """
    table = _recall(results)
    if NAMES[DEFAULT] not in table.index:
        return "", ""
    gain, low, high = (float(table[column][NAMES[DEFAULT]]) for column in ("gain", "gain_low", "gain_high"))
    shown = "a gain is shown" if low > 0 else "a loss is shown" if high < 0 else "no gain is shown"
    return shown, f"{_points(gain)} points ({_points(low)} to {_points(high)})"


def _findings(results: Results) -> list[Finding]:
    if not results.holds("forecast_scores"):
        return []
    shown, points = _gain(results)
    return [
        Finding(
            "Which market comes next?",
            sentence(f"{_shares(results)}; {shown}" if shown else _shares(results)),
            f"The difference is {points}, with a 95 % interval by artist and debut." if points else "",
            " ".join([NO_EFFECT, *_few(results)]),
            "described" if not shown else "not found" if shown == "no gain is shown" else "found",
            figure="forecast_scores",
            headline=True,
        )
    ]


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def _tracks(results: Results, most: int) -> list[str]:
    """Return the tracks with the most expected entries and their next markets, in words."""
    if not results.holds("forecasts"):
        return []
    table = results.table("forecasts")
    names = market_names(table["market"].unique())
    spoken = []
    for track, rows in list(table.groupby("track_id", sort=False))[:most]:
        first = rows.iloc[0]
        title = cell(first["title"]) or str(track)
        artist = cell(first["artist"])
        markets = ", ".join(
            f"{names[market]} {percent(p)}" for market, p in rows[["market", "p_enter"]].head(SPOKEN_MARKETS).to_numpy()
        )
        spoken.append(
            f"{title}{f' ({artist})' if artist else ''}, in {many(int(first['entered']), 'market')}; "
            f"{first['expected_entries']:.1f} more expected, most likely {markets}"
        )
    return spoken


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("forecast_scores"):
        return {}
    table = results.table("forecast_scores")
    wide = {
        name: [_bounded(table, model, metric) for model in table["model"].unique()] for metric, name in SHOWN.items()
    }
    return {
        **results.notes("forecast"),
        "of_cohort": bool(results.entries.cohort),
        "no_effect": NO_EFFECT,
        "scores": html_table(pd.DataFrame({"model": table["model"].unique()} | wide)),
        "tracks": _tracks(results, SPOKEN_TRACKS),
    }


def _bounded(table: pd.DataFrame, model: str, metric: str) -> str:
    """Return a metric of a model with its interval as text; empty where it is not defined."""
    row = table[(table["model"] == model) & (table["metric"] == metric)].iloc[0]
    return "" if pd.isna(row["value"]) else f"{cell(row['value'])} ({cell(row['low'])} to {cell(row['high'])})"


def _lines(results: Results) -> list[str]:
    if not results.holds("forecast_scores"):
        return []
    whole = ["forecast  learnt from and tested on all tracks of the charts; listed are those of the cohort"]
    whole *= bool(results.entries.cohort)
    return [f"forecast  {_said(results)}", *whole, *(f"forecast  {words}" for words in _tracks(results, 3))]


def _caveats(results: Results) -> list[str]:
    if not results.holds("forecast_scores"):
        return []
    notes = [f"Default forecaster: {note}." for note in results.notes("forecast").get("notes", ())]
    return [*notes, *_few(results)]


def _few(results: Results) -> list[str]:
    """Return a warning where the scores rest on few entries."""
    entries = int(_recall(results)["entries"].iloc[0])
    return [f"Scores of forecasts rest on {entries} entries of later tracks: they may be far off."] * (entries < FEW)


def _date(day: int) -> str:
    return str(np.datetime64(day, "D"))


FORECAST = Step(
    name="forecast",
    title="Which markets next",
    doing="forecasting entries",
    version=2,
    tables={
        "forecast_scores": FORECAST_SCORES,
        "forecast_calibration": FORECAST_CALIBRATION,
        "forecasts": FORECASTS,
    },
    make=_make,
    needs=("entries",),
    settings=("window", "seed"),
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
    caveats=_caveats,
)
