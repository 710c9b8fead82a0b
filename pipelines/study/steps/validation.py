"""Models of the time to an entry, fitted on earlier tracks and scored on later ones."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, Self

import pandas as pd

import figures
from diffusion import DataSaysNoError, Entries, market_names
from pipelines.formatting import cell, html_table, many, percent, sentence
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step
from pipelines.study.waiting import (
    CountedOnce,
    entered_markets,
    known_of_cohort,
    of_these_data,
    seen_values,
    variables_in,
    varying,
)
from survival import SurvivalModel, aft, calibration, compare, cox, cure, discrete_hazard, waits
from survival.contracts import CALIBRATION, MODEL_SCORES
from survival.curves.bands import FEW
from survival.validation.comparison import NO_COVARIATES
from survival.validation.seen import SeenWaits

DAYS: Final = (7, 28, 56)
"""Days by which entries are predicted: the last two that follow-up allows; whole weeks, as weekly charts tell them."""

PART: Final = 2 / 3
"""Part of the observed time before the day that parts earlier from later tracks."""

BASELINES: Final = {"model": {NO_COVARIATES: "one curve for all", "market": "one curve per market"}}
"""Baselines of the comparison → their names in the tables."""

SHOWN: Final = {
    "brier_skill": "Brier skill",
    "auc": "AUC",
    "expected_observed": "expected / observed",
    "calibration_slope": "calibration slope",
}
"""Measure → its name in the report."""


UNTESTED: Final = "each by its own interval; differences between models are not tested"
"""What the scores do not say."""


@dataclass(frozen=True, slots=True)
class Split:
    """Earlier and later tracks.

    Attributes
    ----------
    day
        First debut of the later tracks; what happened from then on is not known to the models.
    last
        Last debut of the later tracks, all of which are followed to the last of `days`.
    days
        Days by which entries are predicted.
    """

    day: date
    last: date
    days: tuple[int, ...]

    @classmethod
    def of(cls, entries: Entries, horizon: int) -> Self:
        """Return the split of entries; at most half of the time after it is follow-up.

        Raises
        ------
        DataSaysNoError
            When the charts or the horizon are too short.
        """
        calendar = entries.calendar
        first, end = calendar.first_date + timedelta(days=entries.rules.washout), calendar.last_date
        day = first + timedelta(days=int(PART * (end - first).days))
        left = (end - day).days
        days = tuple(each for each in DAYS if each <= min(horizon, left // 2))[-2:]
        if not days:
            raise DataSaysNoError(
                f"charts go on for {many(left, 'day')} after {day}, and the horizon is {many(horizon, 'day')}; later "
                f"tracks to score models on need {2 * DAYS[0]} days, and a horizon of {DAYS[0]}"
            )
        return cls(day, end - timedelta(days=days[-1]), days)


def _make(study: Study, results: Results) -> Output:
    gaps = Gaps()
    notes: dict[str, Any] = {}
    tables = gaps.take("model_scores", lambda: of_these_data(lambda: _compared(study, results, notes, gaps)))
    return Output(tables, notes=notes, not_made=gaps)


def _compared(study: Study, results: Results, notes: dict[str, Any], gaps: Gaps) -> dict[str, pd.DataFrame]:
    """Return scores and calibration of the models; the notes get the split, and the gaps what could not be fitted."""
    entries = results.entries
    split = Split.of(entries, study.horizon)
    last = split.days[-1]
    artists_whole = results.notes("entries")["artists_whole"]
    effects, strata = (known_of_cohort(names, artists_whole=artists_whole) for names in (study.effects, study.strata))
    earlier = waits(entries, horizon=last, until=split.day - timedelta(days=1))
    values = earlier.counted(variables_in(effects, strata), cluster="independent").values
    terms = varying(effects, values)
    train = CountedOnce(replace(earlier, leave_out_missing=True))
    later = waits(entries, horizon=last, debut=(split.day, split.last), complete=True, leave_out_missing=True)
    seen = seen_values(train, variables_in(terms, strata))
    waited, idle = entered_markets(later)
    test = CountedOnce(SeenWaits(later, seen))
    models = _fitted(train, " + ".join(terms) or "1", strata, gaps)
    scores = compare(models, test, train=SeenWaits(train, seen), days=split.days).replace(BASELINES)
    parts = [calibration(models, test, by=by, day=last) for by in ("decile", "market")]
    table = pd.concat([part.assign(group=part["group"].astype(str)) for part in parts], ignore_index=True)
    notes |= {
        "split": split.day.isoformat(),
        "last_debut": split.last.isoformat(),
        "days": list(split.days),
        "new_markets": sorted((waited | idle) - seen["market"]),
    }
    return {"model_scores": scores[MODEL_SCORES.names], "calibration": table[CALIBRATION.names]}


def _fitted(train: CountedOnce, formula: str, strata: tuple[str, ...], gaps: Gaps) -> dict[str, SurvivalModel]:
    """Return the models that can be fitted, by name.

    Raises
    ------
    DataSaysNoError
        When none can.
    """
    make: dict[str, Callable[[], SurvivalModel]] = {
        "Cox": lambda: cox(train, formula, strata=strata),
        "discrete hazard": lambda: discrete_hazard(train, formula, effects=("market",)),
        "AFT": lambda: aft(train, formula, family="lognormal"),
        "mixture cure": lambda: cure(train, "1", cured=formula, family="lognormal", follow_up_by=()),
    }
    models = {}
    for name, fit in make.items():
        try:
            models[name] = fit()
        except DataSaysNoError as error:
            gaps[f"model '{name}'"] = str(error)
    if not models:
        raise DataSaysNoError("no model can be fitted to the earlier tracks")
    return models


def _drawings(results: Results) -> dict[str, Drawing]:
    if not results.holds("model_scores"):
        return {}
    day = results.notes("validation")["days"][-1]
    return {
        "model_scores": Drawing(
            "Scores of models on later tracks, with intervals.",
            lambda: figures.model_scores(results.table("model_scores"), day=day),
        ),
        "calibration": Drawing(
            "Shares that entered against shares predicted, by tenth of the predictions and by market.",
            lambda: figures.calibration(results.table("calibration")),
        ),
    }


def _last(results: Results) -> pd.DataFrame:
    """Return the scores on the last day, the best Brier skill first."""
    table = results.table("model_scores")
    last: pd.DataFrame = table[table["day"] == table["day"].max()]
    return last.sort_values("brier_skill", ascending=False, kind="stable")


def _said(results: Results) -> str:
    """Return in a sentence what models are shown to do better than one curve for all."""
    table, models = _last(results), _models(results)
    saving, ranking = _shown_better(models)
    best, number = models.iloc[0], many(len(models), "model")
    saved = f"shown to save some of the error of one curve for all by day {table['day'].iloc[0]}: "
    saved += f"{saving or 'none'} of {number}"
    if saving:
        share, low, high = (percent(best[f"brier_skill{end}"], places=1) for end in ("", "_low", "_high"))
        saved += f", most of it '{best['model']}', {share} ({low} to {high})"
    return (
        f"{saved}; shown to rank waits better than by chance: {ranking or 'none'} of them (AUC up to "
        f"{models['auc'].max():.2f}); {UNTESTED}"
    )


def _shown_better(models: pd.DataFrame) -> tuple[int, int]:
    """Return how many models are shown to save error, and how many to rank waits better than by chance."""
    return int((models["brier_skill_low"] > 0).sum()), int((models["auc_low"] > 0.5).sum())


def _models(results: Results) -> pd.DataFrame:
    """Return the scores of the models on the last day, without those of the baselines."""
    table = _last(results)
    models: pd.DataFrame = table[~table["model"].isin(BASELINES["model"].values())]
    return models


def _findings(results: Results) -> list[Finding]:
    if not results.holds("model_scores"):
        return []
    saving, ranking = _shown_better(_models(results))
    return [
        Finding(
            "Do models of the time to an entry hold on later tracks?",
            sentence(_said(results).removesuffix(f"; {UNTESTED}")),
            "Intervals are 95 %, by artist, of tracks that debuted after the models were fitted.",
            sentence(UNTESTED),
            "found" if saving or ranking else "not found",
            figure="model_scores",
        )
    ]


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("model_scores"):
        return {}
    table, notes = _last(results), results.notes("validation")
    shown = {"model": table["model"]} | {name: _bounded(table, measure) for measure, name in SHOWN.items()}
    return {
        **notes,
        "scores": html_table(pd.DataFrame(shown)),
        "waits": int(table["waits"].iloc[0]),
        "entries": int(table["entries"].iloc[0]),
        "new": [*market_names(notes["new_markets"]).values()],
    }


def _bounded(table: pd.DataFrame, measure: str) -> list[str]:
    """Return a measure with its interval as text; empty where it is not defined."""
    columns = table[[measure, f"{measure}_low", f"{measure}_high"]].to_numpy()
    return ["" if pd.isna(value) else f"{cell(value)} ({cell(low)} to {cell(high)})" for value, low, high in columns]


def _lines(results: Results) -> list[str]:
    return [f"models    {_said(results)}"] if results.holds("model_scores") else []


def _caveats(results: Results) -> list[str]:
    few = float(results.table("model_scores")["effective_clusters"].min()) if results.holds("model_scores") else FEW
    if not few < FEW:
        return []
    return [f"Scores of models rest on few artists (effective number {few:.1f}): intervals may be too narrow."]


VALIDATION = Step(
    name="validation",
    title="Checked: do models predict later tracks?",
    doing="scoring models on later tracks",
    version=1,
    tables={"model_scores": MODEL_SCORES, "calibration": CALIBRATION},
    make=_make,
    needs=("entries",),
    settings=("horizon", "effects", "strata"),
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
    caveats=_caveats,
)
