"""What goes with faster entries: hazard ratios of a Cox model, and whether they stay the same."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Self

import numpy as np
import pandas as pd

import figures
from diffusion import DataSaysNoError
from pipelines.formatting import html_table, many, percent, records, seen, sentence
from pipelines.study.covariates import VARIABLES, covariates, term_words, value_words
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step
from pipelines.study.waiting import CountedOnce, known_of_cohort, last_day, of_these_data, variables_in, varying
from survival import cox, hazard_ratios_by_period, log_log, proportionality, waits
from survival.contracts import HAZARD_RATIO_PERIODS, HAZARD_RATIOS, LOG_LOG, PROPORTIONALITY
from survival.curves.bands import FEW
from survival.curves.comparisons import holm
from survival.regression.proportionality import PERIODS

LEVEL: Final = 0.05
"""Adjusted p-value up to which a ratio is said to differ from 1, or to change."""

MOST_SAID: Final = 3
"""Ratios that are read in words, those furthest from one."""

ASSOCIATION: Final = (
    "A hazard ratio is an association, given the other variables of the model. It does not say what would happen if a "
    "track were another one, and what the model lacks is not taken into account."
)
"""What a ratio does not say."""

CURVES: Final = 8
"""Values of a variable at most for which curves are compared."""


def _make(study: Study, results: Results) -> Output:
    whole, gaps = waits(results.entries, horizon=study.horizon), Gaps()
    artists_whole = results.notes("entries")["artists_whole"]
    effects, strata = (known_of_cohort(names, artists_whole=artists_whole) for names in (study.effects, study.strata))
    values = whole.counted(variables_in(effects, strata), cluster="independent").values
    terms = varying(effects, values)
    source = CountedOnce(replace(whole, leave_out_missing=True))
    model = cache(lambda: Model.of(source, terms, strata))
    tables = gaps.take("hazard_ratios", lambda: of_these_data(lambda: model().ratios()))
    tables |= gaps.take("hazard_ratio_periods", lambda: of_these_data(lambda: model().periods()))
    tables |= gaps.take("log_log", lambda: of_these_data(lambda: model().curves()))
    missing = whole.missing(variables_in(terms, strata))
    notes: dict[str, Any] = {
        "same": [term for term in effects if term not in terms],
        "of_artists": [name for name in (*study.effects, *study.strata) if name not in (*effects, *strata)],
        "strata": list(strata),
        "missing": {str(name): int(count) for name, count in missing.items() if count},
    }
    if tables:
        notes |= {"waits": model().waits, "events": model().events}
    return Output(tables, notes=notes, not_made=gaps)


@dataclass(frozen=True, slots=True)
class Model:
    """A Cox model of these waits.

    Attributes
    ----------
    source
        The waits.
    terms, strata
        Terms of the formula, and variables with a baseline each.
    values
        Values of their variables.
    waits, events
        Number of waits, and of those that ended with an entry.
    last
        Last day at risk.
    """

    source: CountedOnce
    terms: tuple[str, ...]
    strata: tuple[str, ...]
    values: pd.DataFrame
    waits: int
    events: int
    last: int

    @classmethod
    def of(cls, source: CountedOnce, terms: tuple[str, ...], strata: tuple[str, ...]) -> Self:
        """Return the model of waits.

        Raises
        ------
        DataSaysNoError
            When nobody is at risk, or there is no term.
        """
        if not terms:
            raise DataSaysNoError("every variable of the model is the same for all waits, or not known")
        counted = source.counted(variables_in(terms, strata), cluster="independent")
        numbers = int(counted.opened.sum()), int(counted.entered.sum())
        return cls(source, terms, strata, counted.values, *numbers, last_day(counted))

    @property
    def formula(self) -> str:
        """The formula."""
        return " + ".join(self.terms)

    def ratios(self) -> dict[str, pd.DataFrame]:
        """Return the hazard ratios and the test of proportionality."""
        fit = cox(self.source, self.formula, strata=self.strata)
        summary = fit.summary.rename(columns={"se(coef)": "se"}).reset_index()
        table = self._worded(summary)
        table["p_holm"] = holm(table["p"].to_numpy())
        table["effective_clusters"] = fit.effective_clusters_.to_numpy()
        tests = proportionality(fit).rename(columns={"test_statistic": "statistic", "degrees_of_freedom": "df"})
        tests = tests.rename_axis("term").reset_index().replace({"term": {"GLOBAL": "all"}})
        return {"hazard_ratios": table[HAZARD_RATIOS.names], "proportionality": tests[PROPORTIONALITY.names]}

    def periods(self) -> dict[str, pd.DataFrame]:
        """Return the hazard ratios by period of the clock, as far as follow-up goes on for half as long again."""
        begins = [day for day in PERIODS if 1.5 * day < self.last]
        found = hazard_ratios_by_period(self.source, self.formula, begins, strata=self.strata)
        table = self._worded(found.rename(columns={"until": "days"}))
        same = table.groupby("covariate", sort=False)["p_same"].first()
        table["p_same_holm"] = table["covariate"].map(pd.Series(holm(same.to_numpy()), same.index))
        return {"hazard_ratio_periods": table[HAZARD_RATIO_PERIODS.names]}

    def curves(self) -> dict[str, pd.DataFrame]:
        """Return log(−log S) by each variable of the model with few values."""
        names = [term for term in self.terms if term in self.values and len(self.values[term].unique()) <= CURVES]
        if not names:
            raise DataSaysNoError(f"no term of the model is a variable with at most {CURVES} values")
        parts = [log_log(self.source, name) for name in names]
        table = pd.concat(parts, ignore_index=True)
        table["group"] = [value_words(by, str(value)) for by, value in zip(table["by"], table["group"], strict=True)]
        return {"log_log": table[LOG_LOG.names]}

    def _worded(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table of covariates with their words, and the ratios for the step that they are about."""
        words = covariates([*table["covariate"].unique()], self.values)
        table = table.merge(words, on="covariate")
        columns = {"exp(coef)": "hazard_ratio", "exp(coef) lower 95%": "low", "exp(coef) upper 95%": "high"}
        return table.assign(**{to: table[name] ** table["step"] for name, to in columns.items()})


def _drawings(results: Results) -> dict[str, Drawing]:
    drawings = {}
    if results.holds("hazard_ratios"):
        drawings["hazard_ratios"] = Drawing(
            "How many times as fast tracks enter, by variable, with intervals.",
            lambda: figures.hazard_ratios(results.table("hazard_ratios")),
        )
    if results.holds("hazard_ratio_periods"):
        drawings["hazard_ratio_periods"] = Drawing(
            "The same ratios by period since the debut.",
            lambda: figures.hazard_ratio_periods(results.table("hazard_ratio_periods")),
        )
    if results.holds("log_log"):
        table = results.table("log_log").replace({"by": VARIABLES})
        drawings["log_log"] = Drawing(
            "Curves that keep their distance where hazards are proportional.", lambda: figures.log_log_curves(table)
        )
    return drawings


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("hazard_ratios"):
        return {}
    notes, table = results.notes("effects"), results.table("hazard_ratios")
    periods = results.holds("hazard_ratio_periods")
    return {
        **notes,
        "said": [read(row) for row in strongest(table)[:MOST_SAID]],
        "count": len(table),
        "strata": [VARIABLES.get(name, name) for name in notes["strata"]],
        "tests": html_table(_named_terms(seen(results.table("proportionality")))),
        "changes": _changes(results.table("hazard_ratio_periods")) if periods else [],
    }


def _named_terms(tests: pd.DataFrame) -> pd.DataFrame:
    return tests.assign(term=tests["term"].map(term_words))


def strongest(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of the ratios that differ from one, those whose interval is furthest from one first.

    Whether a ratio differs is by its adjusted p, because the furthest of several may be far from one by chance.
    """
    apart = table[table["p_holm"] <= LEVEL]
    distance = np.minimum(np.log(apart["low"]).abs(), np.log(apart["high"]).abs())
    return records(apart.iloc[np.argsort(-distance.to_numpy(), kind="stable")])


def read(row: dict[str, Any]) -> str:
    """Return a ratio as words, such as ``continent, shared: enters 2.2 times as fast (2.0–2.3) as not shared``."""
    against = f" as {row['reference']}" if row["reference"] else ""
    words = figures.pace(row["hazard_ratio"], row["low"], row["high"])
    return f"{row['variable']}, {row['level']}: {words}{against}"


def _changes(table: pd.DataFrame) -> list[str]:
    """Return in words how the ratios change that are not the same in all periods."""
    lines = []
    for _, part in table[table["p_same_holm"] <= LEVEL].groupby("covariate", sort=False):
        first, last = part.iloc[0], part.iloc[-1]
        spans = [f"{row['hazard_ratio']:.2g} on days {row['after'] + 1} to {row['days']}" for row in (first, last)]
        lines.append(f"{first['variable']}, {first['level']}: {', '.join(spans)}")
    return lines


def _lines(results: Results) -> list[str]:
    if not results.holds("hazard_ratios"):
        return []
    table = results.table("hazard_ratios")
    told = strongest(table)
    lines = [f"effects   {read(row)}" for row in told[:MOST_SAID]]
    return [*lines, f"effects   {_differ(table)}; associations"]


def _differ(table: pd.DataFrame) -> str:
    """Return in words how many ratios differ from one."""
    found = len(strongest(table))
    verb = "is" if found == 1 else "are"
    return f"{found} of {many(len(table), 'hazard ratio')} {verb} shown to differ from 1 (p adjusted by Holm)"


def _findings(results: Results) -> list[Finding]:
    if not results.holds("hazard_ratios"):
        return []
    table = results.table("hazard_ratios")
    told = strongest(table)
    most = f"; furthest from 1: {read(told[0])}" if told else ""
    return [
        Finding(
            "What goes with a faster entry?",
            sentence(_differ(table) + most),
            f"Intervals are 95 %, by artist; at most {percent(LEVEL, places=0)} of such models would name a ratio "
            "where none differs.",
            ASSOCIATION,
            "found" if told else "not found",
            figure="hazard_ratios",
            headline=True,
        )
    ]


def _caveats(results: Results) -> list[str]:
    notes, lines = results.notes("effects"), []
    for name, count in notes["missing"].items():
        lines.append(f"Left out of the model: {count:,} waits of which {name} is not known.")
    if notes["same"]:
        lines.append(f"Left out of the model, being the same for all waits or not known: {', '.join(notes['same'])}.")
    if notes["of_artists"]:
        lines.append(
            f"Left out of models: {', '.join(notes['of_artists'])}, because artists of the cohort have tracks that are "
            "not in it."
        )
    if results.holds("hazard_ratios"):
        table = results.table("hazard_ratios")
        lines.append(ASSOCIATION)
        few = table[table["effective_clusters"] < FEW]
        if len(few):
            named = [f"{row['variable']}, {row['level']} ({row['effective_clusters']:.1f})" for row in records(few)]
            lines.append(
                "Intervals of these hazard ratios may be too narrow, because few artists make them (effective number "
                f"below {FEW}): {'; '.join(named)}."
            )
    return lines


EFFECTS = Step(
    name="effects",
    title="What goes with a faster entry",
    doing="comparing who enters faster",
    version=1,
    tables={
        "hazard_ratios": HAZARD_RATIOS,
        "hazard_ratio_periods": HAZARD_RATIO_PERIODS,
        "proportionality": PROPORTIONALITY,
        "log_log": LOG_LOG,
    },
    make=_make,
    needs=("entries",),
    settings=("horizon", "effects", "strata"),
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
    caveats=_caveats,
)
