"""A small study with hostile titles, of which what tests found is given, for the tests of the explorer."""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diffusion.contracts import Contract
from graphs import contracts
from pipelines.folders.folder import Folder
from pipelines.progress import StepReport, quiet
from pipelines.study.results import Results
from pipelines.study.run import Run
from pipelines.study.settings import Study
from pipelines.study.step import Output, Step, Table
from pipelines.study.steps import STEPS
from tests.conftest import steady

CODES = ("BR", "NO", "NZ", "SE", "US")
NAMES = {"BR": "Brazil", "NO": "Norway", "NZ": "New Zealand", "SE": "Sweden", "US": "United States"}

HOSTILE = {
    "h1": ("<script>alert(1)</script>", "</script><img src=x onerror=alert(2)>"),
    "h2": ("__proto__", "constructor"),
    "h3": ("=1+1", '@SUM("a", 1)'),
    "h4": ("\u202eevil\u2066 שלום", "-2"),
    "__proto__": ("Für Élise & <b>", "Måneskin"),
}
"""Track → title and artist."""

FOUND = (("US", "SE"), ("SE", "NO"))
"""Pairs that are said to be direct, the first ordered."""


def rows() -> list[dict[str, Any]]:
    """Return chart rows of five markets: tracks go from the United States to Sweden, then to others, with ties."""
    entered: dict[str, dict[str, int]] = {name: {} for name in NAMES.values()}
    for number in range(45):
        first = 32 + number
        days = {"US": first, "SE": first + 2 + number % 5, "NO": first + 2 + number % 5 + number % 3}
        if number % 4 == 0:
            days |= {"NZ": first, "BR": first + 9}
        if number % 5 == 4:
            del days["SE"]
        for code, day in days.items():
            entered[NAMES[code]][f"t{number}"] = day
    for number, track in enumerate(HOSTILE):
        entered["United States"][track] = entered["Brazil"][track] = 40 + number
        entered["Norway"][track] = 50 + number
        entered["Sweden"][track] = 60
    named = steady(130, entered)
    for row in named:
        track = str(row["url"]).rsplit("/", 1)[1]
        row["title"], row["artist"] = HOSTILE.get(track, (row["title"], f"Artist {track}"))
    return named


def pairs() -> pd.DataFrame:
    """Return the ordered pairs, with what a test of them would say: few have a small q."""
    named = [(a, b) for a in CODES for b in CODES if a != b]
    found = np.array([pair in FOUND for pair in named])
    untested = np.array([pair[0] == "NZ" for pair in named])
    return pd.DataFrame(named, columns=["source", "target"]).assign(
        found=found, untested=untested, q=np.where(untested, np.nan, np.where(found, 0.004, 0.3))
    )


def lifts() -> pd.DataFrame:
    """Return the table of lifts."""
    table = pairs()
    return table.assign(
        observed=5, expected=2.5, lift=2.0, lift_low=np.where(table["found"], 1.4, 0.8), lift_high=3.5, lift_shrunk=1.5,
        affinity=1.0, p=0.01, q_by=table["q"], edge=table["found"], detectable=2.2, expected_sizes=2.0, lift_sizes=2.5,
        p_sizes=0.01, q_sizes=table["q"], asymmetry=0.3, p_order=0.2, q_order=0.4, ordered=False, lead_share=0.6,
        lead_share_low=0.3, lead_share_high=0.8, lead_expected=0.5,
    )  # fmt: skip


def influence() -> pd.DataFrame:
    """Return the table of direct influence."""
    table = pairs()
    first = (table["source"] == FOUND[0][0]) & (table["target"] == FOUND[0][1])
    return table.assign(
        beta=0.7, beta_low=0.2, beta_high=1.1, p_joint=0.01, q_joint=table["q"], direct=table["found"], ordered=first,
        detectable=1.8, credits=np.where(table["found"], 12.5, 1.0), credits_per_entry=0.1, lag_median=3.0,
    )  # fmt: skip


def leaders() -> pd.DataFrame:
    """Return the table of leaders: the United States lead, Norway is led, of New Zealand nothing can be said."""
    scores = {"BR": 0.0, "NO": -0.2, "NZ": 0.5, "SE": 0.1, "US": 0.3}
    parts = []
    for measure in ("lead_excess", "out_share"):
        table = pd.DataFrame({"market": list(scores), "measure": measure, "score": list(scores.values())})
        told = table["market"] != "NZ"
        tested = told & (measure == "lead_excess")
        table["low"], table["high"] = (table["score"] - 0.1).where(told), (table["score"] + 0.1).where(told)
        table["p"] = table["q"] = table["score"].abs().rsub(0.301).where(tested)
        table["shrunk"], table["artists"] = table["score"].where(tested), 20.0
        for name in ("partners", "rank", "rank_low", "rank_high", "group"):
            table[name] = pd.array([1 if there else pd.NA for there in tested], "Int64")
        table["rank"] = table["score"].where(told).rank(ascending=False).astype("Int64")
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def placebo() -> pd.DataFrame:
    """Return the table of placebos."""
    kinds = ["charts", "baseline", "baseline", "permutation"]
    return pd.DataFrame({"kind": kinds, "draw": [0, 1, 2, 1]}).assign(
        tested=16, edges_sizes=2, edges=[2, 0, 1, 0], reverse=np.nan, ordered=[1, 0, 0, 0],
        direct=pd.array([2, 0, pd.NA, 0], "Int64"), groups=[3, 1, 1, 1],
    )  # fmt: skip


Given = Mapping[str, tuple[Callable[[], pd.DataFrame], Contract]]
"""Name of a table → what makes it, and its contract."""

GIVEN: Mapping[str, Given] = {
    "baseline": {"lifts": (lifts, contracts.LIFTS)},
    "leaders": {"leaders": (leaders, contracts.LEADERS)},
    "direct": {"influence": (influence, contracts.INFLUENCE)},
    "placebo": {"placebo": (placebo, contracts.PLACEBO)},
}
"""Step → its tables, given here; how they are found is tested elsewhere."""


def steps(given: Mapping[str, Given]) -> list[Step]:
    """Return the steps without figures and sections; those in `given` make the given tables, others none."""
    kept = []
    for step in STEPS:
        plain = replace(step, drawings=None, section=None, findings=None, caveats=None, lines=None)
        if step.name not in ("entries", "graph"):
            plain = replace(plain, make=making(given.get(step.name, {})))
        kept.append(plain)
    return kept


def making(tables: Given) -> Callable[[Study, Results], Output]:
    """Return a function that makes the given tables."""

    def make(study: Study, results: Results) -> Output:
        made: dict[str, Table] = {name: table()[contract.names] for name, (table, contract) in tables.items()}
        return Output(made, not_made={} if made else {"influence": "it was not asked for", "lifts": "too few artists"})

    return make


def explore(
    charts: Path, out: Path, given: Mapping[str, Given] = GIVEN, *, tell: StepReport = quiet, title: str = "T"
) -> None:
    """Run a study of the charts into a folder."""
    with Folder(out) as folder:
        run = Run(Study(str(charts), title=title), folder, steps=steps(given))
        run.make(["baseline", "leaders", "direct", "placebo"], tell)


def held(page: Path) -> dict[str, Any]:
    """Return the data of a page."""
    html = page.read_text(encoding="utf-8")
    text = html.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    data: dict[str, Any] = json.loads(text)
    return data


def write_charts(path: Path) -> Path:
    """Write the chart rows as CSV, and return the path."""
    table = rows()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    return path
