"""Who never enters: the cured share by market, where follow-up is long enough to tell."""

from typing import Any, Final

import numpy as np
import pandas as pd

import figures
from diffusion import DataSaysNoError, Entries, market_names
from diffusion.risk.kaplan_meier import KaplanMeier
from pipelines.formatting import many, percent, sentence
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step
from pipelines.study.waiting import CountedOnce, entered_markets, last_day
from survival import cure, group_curves, waits
from survival.contracts import CURED as SHARES
from survival.regression.cure import CURED as NEVER
from survival.regression.distributions import Family
from survival.validation.seen import SeenWaits

FAMILIES: Final[tuple[Family, ...]] = ("weibull", "lognormal")
"""Distributions of the time of those who enter, of which the best by Akaike's criterion is taken."""

LATE: Final = 0.05
"""Share of the entries still to come up to which follow-up suffices, as in `survival.follow_up_test`."""

ENOUGH: Final = 100
"""Waits at risk up to which later entries are looked at."""


def _make(study: Study, results: Results) -> Output:
    gaps = Gaps()
    notes: dict[str, Any] = {}
    return Output(gaps.take("cured", lambda: _shares(study, results, notes)), notes=notes, not_made=gaps)


def _shares(study: Study, results: Results, notes: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the share that never enters, by market; the notes get the model and the markets that nobody enters."""
    whole = waits(results.entries, horizon=study.horizon)
    source = waits(results.entries, horizon=last_day(whole.counted(cluster="independent")))
    there, never = entered_markets(source)
    if not there:
        raise DataSaysNoError("no wait ended with an entry")
    known = CountedOnce(SeenWaits(source, {"market": there}))
    fits = [cure(known, "1", cured="market", family=family) for family in FAMILIES]
    fit = min(fits, key=lambda each: each.AIC_)
    follow_up = fit.follow_up.reset_index()
    found = fit.cured_share(follow_up[["market"]])
    late = follow_up["market"].map(came_later(results.entries, fit.horizon)) > LATE
    if late.any():
        entered = group_curves(known, ("market",)).probability(follow_up.loc[late, ["market"]], fit.horizon)
        found.loc[late, ["estimate", "low", "high"]] = 1 - entered[["estimate", "high", "low"]].to_numpy()
    table = follow_up[["market", "waits", "events"]].assign(
        share=found["estimate"],
        low=found["low"],
        high=found["high"],
        suffices=(found["share"] == NEVER) & ~late,
        by_day=fit.horizon,
        to_come=follow_up["to_come"],
        p=follow_up["p"],
    )
    notes |= {"family": fit.family, "never": sorted(never), "by_day": fit.horizon}
    return {"cured": table[SHARES.names]}


def came_later(entries: Entries, day: int) -> "pd.Series[float]":
    """Return by market the share of the entries, as far as charts go, that came after a day of the clock.

    What a test says of the tail is held against what charts show of it, by Kaplan–Meier with all follow-up, up to the
    last day with `ENOUGH` waits at risk.
    """
    calendar = entries.calendar
    counted = waits(entries, horizon=(calendar.last_date - calendar.first_date).days).counted(
        ("market",), cluster="independent"
    )
    entered = 1 - KaplanMeier.of(counted.at_risk, counted.entered).survival
    last = np.array([np.flatnonzero(own >= ENOUGH).max(initial=0) for own in counted.at_risk])
    by_day = entered[:, min(day, counted.horizon)]
    whole = np.maximum(entered[np.arange(len(last)), last], by_day)
    share = 1 - np.divide(by_day, whole, out=np.ones_like(whole), where=whole > 0)
    return pd.Series(share, index=counted.values["market"].to_numpy())


def _drawings(results: Results) -> dict[str, Drawing]:
    if not results.holds("cured"):
        return {}
    return {
        "cured": Drawing(
            "Share of waits that end in an entry, by market, ever or by the end of follow-up.",
            lambda: figures.cured_share(results.table("cured")),
        )
    }


def _said(results: Results) -> str:
    """Return in a sentence for how many markets a share that never enters can be told; empty without the table."""
    if not results.holds("cured"):
        return ""
    table = results.table("cured")
    told = table[table["suffices"]]
    days, number = results.notes("cured")["by_day"], len(told) or "none"
    said = f"follow-up of {days} days suffices in {number} of {many(len(table), 'market')}"
    if len(told):
        ends = told.sort_values("share").iloc[[0, -1]]
        names = market_names(ends["market"])
        shares = []
        for row in ends.to_dict("records"):
            share, low, high = (percent(row[name], places=1) for name in ("share", "low", "high"))
            shares.append(f"{share} ({low} to {high}, {names[row['market']]})")
        said += f"; there {' to '.join(dict.fromkeys(shares))} of waits never end in an entry"
    return said


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("cured"):
        return {}
    notes = results.notes("cured")
    names = market_names(notes.get("never", []))
    return {"family": notes.get("family"), "never": [*names.values()]}


def _findings(results: Results) -> list[Finding]:
    if not (said := _said(results)):
        return []
    told = bool(results.table("cured")["suffices"].any())
    return [
        Finding(
            "Does a share never enter?",
            sentence(said),
            "Follow-up suffices where at most 5 % of the entries are still to come, tested at .05 by artist and "
            "adjusted for the number of markets.",
            "The test takes the tail of the times as exponential: a heavier tail would bring more entries later.",
            "found" if told else "not found",
            figure="cured",
        )
    ]


def _lines(results: Results) -> list[str]:
    said = _said(results)
    return [f"cured     {said}"] if said else []


CURED = Step(
    name="cured",
    title="Who never enters",
    doing="telling who never enters",
    version=1,
    tables={"cured": SHARES},
    make=_make,
    needs=("entries",),
    settings=("horizon",),
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
)
