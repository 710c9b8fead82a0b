"""The documentation: what it says runs, holds, and names everything there is."""

import doctest
import importlib
import inspect
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from command_pages import command_text
from gallery import NO_FIGURES
from python_pages import PACKAGES
from table_pages import table_text

import diffusion
import figures
import graphs
import survival
from diffusion.contracts import RELATIONS
from pipelines.artifacts import ARTIFACTS
from pipelines.commands.main import cli, run_command
from pipelines.study.settings import SECTIONS, read_study

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = ROOT / "docs"
README_LIMIT = 9_000
"""Bytes: what a newcomer reads before trying it."""
HEADINGS = [
    "Try it",
    "What the demo shows",
    "A demo with a known answer",
    "Your own charts",
    "Eight words",
    "In Python",
    "Where to read on",
    "Limits",
    "Licences",
]
WORDS = ["entry", "debut", "footprint", "tie", "washout", "wait", "exposed", "rate"]


def section(heading: str) -> str:
    """Return what stands below a heading of the README."""
    return README.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield a command and all below it, with the words that run them."""
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")


def test_the_readme_is_short_and_in_its_order() -> None:
    assert len(README.encode()) <= README_LIMIT
    assert re.findall(r"^## (.+)$", README, flags=re.MULTILINE) == HEADINGS
    assert README.index("make demo") < README.index("![") < README.index("## What the demo shows")
    assert re.findall(r"^\| (\w+) \|", section("Eight words"), flags=re.MULTILINE) == ["word", *WORDS]
    assert len(re.findall(r"^- ", section("Limits"), flags=re.MULTILINE)) == 5


def test_the_readme_claims_no_leader_and_no_influence() -> None:
    claims = section("What the demo shows")
    assert claims.count("*How sure:*") == len(re.findall(r"^\d\. ", claims, flags=re.MULTILINE)) == 4
    assert not re.search(r"\blead|direct\b|significan|influence|chance", claims)


def test_what_the_readme_says_of_the_demo_is_so() -> None:
    claims = " ".join(section("What the demo shows").split())
    with diffusion.open_sample() as charts:
        entries = charts.entries()
    graph = graphs.market_graph(entries)
    flow = graph.flow("IS", "SE")
    edge, back = flow.edge, flow.back
    assert f"{graph.edges['joint'].sum() // 2:,} ties and only {graph.edges['tracks'].sum():,} transitions" in claims
    assert f"{edge['exposed']} tracks entered Iceland and could still enter Sweden; {edge['tracks']} of" in claims
    assert f"a rate of {100 * edge['rate']:.0f} %" in claims
    assert f"rate is {100 * edge['rate_low']:.0f}–{100 * edge['rate_high']:.0f} %" in claims
    assert f"would be {100 * edge['rate_if_ties']:.0f} % and {100 * back['rate_if_ties']:.0f} %" in claims
    assert (edge["lag_median"], "by about three days" in claims) == (3, True)
    assert (back["tracks"], f"none of {back['exposed']}" in claims) == (0, True)
    lifts = graphs.baseline.edge_table(graphs.baseline.baseline(entries))
    assert f"Of {lifts['q'].notna().sum():,} pairs that can be tested none has more" in claims
    assert not lifts["edge"].any()
    assert f"half of the pairs would need {lifts['detectable'].median():.1f} times" in claims
    found = survival.breakthrough(entries, by="language_match")
    groups = found.summary.set_index("group")
    shared, other = groups.loc["shared language"], groups.loc["no shared language"]
    assert f"{shared['events']} of {shared['waits']:,} waits and {other['events']} of {other['waits']:,}" in claims
    assert f"By day {shared['restricted_to']} the curves stand at {100 * shared['share_entered']:.1f} %" in claims
    assert f"and {100 * other['share_entered']:.1f} % without" in claims
    last = found.curves.query("days == @shared.restricted_to").set_index("group")
    low, high = 100 * (1 - last["high"]), 100 * (1 - last["low"])
    bands = [f"{low[name]:.1f}–{high[name]:.1f} %" for name in (shared.name, other.name)]
    assert f"by artist, are {bands[0]} and {bands[1]}." in claims
    assert other["effective_clusters"] < 10 < shared["effective_clusters"]


def test_every_figure_is_in_the_gallery_with_its_call() -> None:
    """`make gallery` writes the page and the pictures anew."""
    page = (DOCS / "reference" / "gallery.md").read_text(encoding="utf-8")
    drawn = {name for name in figures.__all__ if inspect.isfunction(getattr(figures, name))} - NO_FIGURES
    assert re.findall(r"^## (\w+)$", page, flags=re.MULTILINE) == sorted(drawn)
    assert re.findall(r"^figures\.(\w+)\(", page, flags=re.MULTILINE) == sorted(drawn)
    pictures = [DOCS / "reference" / "gallery" / f"{name}.png" for name in sorted(drawn)]
    assert sorted((DOCS / "reference" / "gallery").iterdir()) == pictures
    assert sum(picture.stat().st_size for picture in pictures) < 1_500_000


EXECUTED = [
    ("README.md", 8),
    ("docs/tutorial.md", 25),
    ("docs/howto/lifelines.md", 20),
    ("docs/howto/cohorts.md", 13),
    ("docs/howto/sql.md", 6),
    ("docs/howto/notebooks.md", 20),
    ("docs/howto/groups.md", 5),
    pytest.param("docs/howto/forecasts.md", 30, marks=pytest.mark.slow),
]
"""Pages with examples, and their least number."""


@pytest.mark.parametrize(("page", "least"), EXECUTED)
def test_a_page_with_examples_runs(page: str, least: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    results = doctest.testfile(str(ROOT / page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.attempted >= least
    assert results.failed == 0


def chart_diffusion(arguments: str) -> int | None:
    """Run a command as a page has it; return its exit code if it is not 0."""
    return run_command(shlex.split(arguments)) or None


@pytest.mark.slow
def test_the_ten_questions_are_answered_so(real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for charts in ("viral50-weekly-2017-2020/viral50_weekly", "top200-weekly-9regions-2016-2019/top200_weekly"):
        file = real_data / f"{charts}.parquet"
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "howto" / "questions.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^## \d+\. ", page, flags=re.MULTILINE)) == page.count("**How sure:**") == 10
    text, asked = re.subn(r"^\$ chart-diffusion (.+)$", r">>> chart_diffusion(r'''\1''')", page, flags=re.MULTILINE)
    assert asked == 12
    examples = doctest.DocTestParser().get_doctest(text, {"chart_diffusion": chart_diffusion}, "questions.md", None, 0)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    assert doctest.DocTestRunner(optionflags=flags).run(examples).failed == 0


def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_every_command_and_option_stands_in_the_reference() -> None:
    text = command_text()
    headings = re.findall(r"^#+ (chart-diffusion .+)$", text, flags=re.MULTILINE)
    found = dict(commands(cli, "chart-diffusion"))
    del found["chart-diffusion"]
    assert sorted(headings) == sorted(found)
    sections = dict(zip(headings, re.split(r"^#+ chart-diffusion .+$", text, flags=re.MULTILINE)[1:], strict=True))
    for path, command in found.items():
        for parameter in command.params:
            shown = f"`{parameter.opts[0]}" if isinstance(parameter, click.Option) else str(parameter.name).upper()
            assert shown in sections[path], (path, shown)


def test_every_artifact_and_every_column_of_its_contract_stands_in_the_reference_once() -> None:
    text = table_text()
    makers = re.split(r"^## (?:Step|Command) `(.+)`$", text, flags=re.MULTILINE)
    assert makers[1::2] == list(ARTIFACTS)
    for maker, part in zip(makers[1::2], makers[2::2], strict=True):
        assert sorted(re.findall(r"^(?:### |- )`(.+?)`", part, flags=re.MULTILINE)) == sorted(ARTIFACTS[maker]), maker
    shown: dict[str, list[str]] = {}
    for table in re.split(r"^\(table-", text, flags=re.MULTILINE)[1:]:
        start = re.findall(r"It has the columns of \[.+\]\(#table-(.+)\), and:", table)
        name = table.split(")")[0]
        assert name not in shown
        shown[name] = [column for other in start for column in shown[other]]
        shown[name] += re.findall(r"^\| `(.+?)` \|", table, flags=re.MULTILINE)
    contracts = [contract for tables in ARTIFACTS.values() for contract in tables.values()]
    assert shown == {contract.name.replace("_", "-"): contract.names for contract in contracts}


def test_every_table_that_an_engine_gives_stands_in_the_reference_once() -> None:
    page = (DOCS / "reference" / "engines.md").read_text(encoding="utf-8")
    given = re.findall(r"^\| (`.+`) \|", page, flags=re.MULTILINE)
    assert sorted(re.findall(r"`(.+?)`", " ".join(given))) == sorted(contract.name for contract in RELATIONS)


def test_the_study_file_of_the_reference_is_read_and_has_every_key(tmp_path: Path) -> None:
    page = (DOCS / "reference" / "study-file.md").read_text(encoding="utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    file = tmp_path / "study.toml"
    file.write_text(example, encoding="utf-8")
    assert read_study(file).title == "Spring in the Nordics"
    for keys in SECTIONS.values():
        for key in keys:
            assert re.search(rf"^{key} = ", example, flags=re.MULTILINE), key
            assert f"| `{key}` |" in page


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_names_everything_public(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--nitpicky", str(DOCS), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for package in PACKAGES:
        page = (tmp_path / "reference" / "python" / f"{package}.html").read_text(encoding="utf-8")
        module = importlib.import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            place = f"module-{value.__name__}" if inspect.ismodule(value) else f"{package}.{name}"
            assert f'id="{place}"' in page or name == "Figure", name  # Figure is matplotlib's own
