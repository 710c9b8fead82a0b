"""What public values look like: one line of text, and in a notebook the head of a table."""

import inspect
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import diffusion
import graphs
import survival
from diffusion.display import HEAD, LONGEST_LINE, Displayed
from pipelines import Run, Study
from pipelines.folders.folder import Folder
from pipelines.study.steps import STEPS
from tests.random_charts import study

PACKAGES = ("diffusion", "graphs", "survival", "figures", "pipelines")


def public_classes() -> list[type]:
    """Return the classes of our own in every `__all__`, also of the modules in it, but errors and protocols."""
    found: dict[type, None] = {}

    def look(module: ModuleType) -> None:
        for name in getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")]):
            value = getattr(module, name)
            if inspect.ismodule(value) and value.__name__.startswith(f"{module.__name__}."):
                look(value)
            ours = inspect.isclass(value) and value.__module__.split(".")[0] in PACKAGES
            if ours and not issubclass(value, Exception) and not getattr(value, "_is_protocol", False):
                found[value] = None

    for package in PACKAGES:
        look(import_module(package))
    return list(found)


@pytest.mark.parametrize("value", public_classes(), ids=lambda value: value.__name__)
def test_every_public_class_says_what_it_is_and_what_a_notebook_shows(value: type) -> None:
    assert "_repr_html_" in dir(value)
    assert value.__repr__ is not object.__repr__
    made_by_dataclass = hasattr(value.__repr__, "__wrapped__")
    assert not made_by_dataclass, "the line that dataclasses make writes out tables and arrays"


OBSERVED = {market: range(40) for market in ("DE", "NO", "SE", "US")}
ENTERED = {
    f"t{number}": {market: 2 + number % 5 + (3 * place + number) % 7 for place, market in enumerate(order)}
    for number, order in enumerate([("SE", "NO", "DE"), ("US", "DE"), ("SE", "US", "NO", "DE"), ("NO", "SE")] * 6)
}


@pytest.fixture(scope="module")
def entries() -> diffusion.Entries:
    """Entries of 24 tracks in four markets."""
    return study(OBSERVED, ENTERED).open()


def credits_of(fit: graphs.baseline.Baseline) -> graphs.baseline.EntryCredits:
    """Return the credits of all entries."""
    return graphs.baseline.entry_credits(graphs.baseline.joint_fit(fit))


VALUES: dict[str, Callable[[diffusion.Entries], Any]] = {
    "Entries": lambda entries: entries,
    "Calendar": lambda entries: entries.calendar,
    "EventRules": lambda entries: entries.rules,
    "Timelines": lambda entries: entries.timelines,
    "Absences": lambda _: diffusion.Absences(diffusion.contracts.ABSENCES.schema.empty_table(), "top50", 3),
    "RowAccount": lambda _: diffusion.RowAccount(9, 7, 1, 0, {"no market": 1}),
    "MarketGraph": lambda entries: graphs.market_graph(entries, window=20),
    "Flow": lambda entries: graphs.market_graph(entries, window=20).flow("SE", "NO"),
    "Leaders": lambda entries: graphs.market_graph(entries, window=20).bootstrap(replicates=20),
    "NextMarketChoice": lambda entries: graphs.next_market_choice(entries, horizon=20),
    "Ways": lambda entries: graphs.ways(entries.timelines, "t0", "DE", 20),
    "Baseline": lambda entries: graphs.baseline.baseline(entries, horizon=20),
    "EntryCredits": lambda entries: graphs.baseline.entry_credits(
        graphs.baseline.joint_fit(graphs.baseline.baseline(entries, horizon=20))
    ),
    "Distances": lambda _: graphs.distance.Distances.of(["SE", "NO", "DE"]),
    "Waits": lambda entries: survival.waits(entries, horizon=30),
    "CountedWaits": lambda entries: survival.waits(entries, horizon=30).counted(("market",)),
    "Breakthrough": lambda entries: survival.breakthrough(entries, by="market", horizon=30),
    "LogRank": lambda entries: survival.log_rank(survival.waits(entries, horizon=30), by="market"),
    "RestrictedMean": lambda entries: survival.restricted_mean(survival.waits(entries, horizon=30), by="market"),
    "CoxFit": lambda entries: survival.cox(survival.waits(entries, horizon=30), "log(population)"),
    "AftFit": lambda entries: survival.aft(survival.waits(entries, horizon=30), "log(population)"),
    "GroupCurves": lambda entries: survival.group_curves(survival.waits(entries, horizon=30), ("market",)),
    "DCalibration": lambda _: survival.d_calibration(np.linspace(0.1, 0.9, 9), np.ones(9, bool), bins=3),
    "Study": lambda _: Study("charts.csv"),
    "Step": lambda _: STEPS[0],
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_one_short_line_and_its_html_the_head_of_a_table(name: str, entries: diffusion.Entries) -> None:
    value = VALUES[name](entries)
    line, html = repr(value), value._repr_html_()
    assert line.startswith(f"<{name}")
    assert line.endswith(">")
    assert len(line) <= LONGEST_LINE
    assert "\n" not in line
    assert "array(" not in line
    assert html.startswith(f"<p><code>&lt;{name}")
    assert html.count("<tr") <= 2 * HEAD + 3


def test_a_run_is_one_line(tmp_path: Path) -> None:
    with Folder(tmp_path / "out") as folder:
        assert repr(folder) == f"<Folder {tmp_path / 'out'}>"
        assert repr(Run(Study("x.csv", title="Mine"), folder)).startswith("<Run of 'Mine' into ")


class Odd(Displayed):
    """A value with a name that is no HTML and no line."""

    def _facts(self) -> str:
        return " of <b>\nbold</b> & more" + "!" * 200

    def _shown(self) -> pd.DataFrame:
        return pd.DataFrame({"<i>": ["<script>"] * 50})


def test_texts_are_escaped_and_long_lines_cut() -> None:
    line, html = repr(Odd()), Odd()._repr_html_()
    assert line.startswith("<Odd of <b> bold</b> & more!")
    assert line.endswith("…>")
    assert len(line) == LONGEST_LINE
    assert "<b>" not in html
    assert "<i>" not in html
    assert html.count("&lt;script&gt;") == HEAD


def test_what_holds_an_arrow_table_gives_it_as_a_frame(entries: diffusion.Entries) -> None:
    away = diffusion.Absences(diffusion.contracts.ABSENCES.schema.empty_table(), "top50", 3)
    for value, table in ((entries, entries.table), (entries.calendar, entries.calendar.coverage), (away, away.table)):
        assert list(value.to_pandas()) == table.schema.names
    for name in ("spans", "periods"):
        frame, table = getattr(entries.calendar, name)(), entries.calendar.arrow(name)
        assert pa.Table.from_pandas(frame, schema=table.schema, preserve_index=False).equals(table)


WITHOUT_EXAMPLE = {"Figure", "Results", "open_study"}
"""matplotlib's own, and what needs a finished folder: the page on notebooks opens one."""


def public_names() -> dict[str, Any]:
    """Return every function and class of every `__all__`, also of the modules in it, but errors and protocols."""
    found: dict[str, Any] = {}
    for package in PACKAGES:
        module = import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            inner = getattr(value, "__all__", []) if inspect.ismodule(value) else []
            found |= {f"{package}.{name}.{one}": getattr(value, one) for one in inner}
            found[f"{package}.{name}"] = value
    return {name: value for name, value in found.items() if _needs_example(value)}


def _needs_example(value: Any) -> bool:
    if inspect.isclass(value):
        return not (issubclass(value, Exception) or getattr(value, "_is_protocol", False))
    return inspect.isroutine(inspect.unwrap(value)) if callable(value) and not hasattr(value, "__origin__") else False


@pytest.mark.parametrize("name", [name for name in public_names() if name.split(".")[-1] not in WITHOUT_EXAMPLE])
def test_help_has_an_example(name: str) -> None:
    text = inspect.getdoc(public_names()[name]) or ""
    assert re.search(r"^Examples\n-+\n>>> ", text, flags=re.MULTILINE), name
    assert len(re.findall(r"^(>>>|\.\.\.) ", text.split("\nExamples\n")[1], flags=re.MULTILINE)) <= 12
