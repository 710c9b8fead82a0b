"""Direct influence in a study: what screen, report, figure and queries say where pairs are direct, and where none is.

The verdicts are given here; how they are found is tested in `tests.graphs`.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from diffusion import DataSaysNoError
from graphs.baseline import clout
from pipelines.folders.folder import Folder
from pipelines.progress import quiet
from pipelines.query import markets as answers
from pipelines.study.results import Results
from pipelines.study.run import Run, closing_lines
from pipelines.study.settings import Study
from pipelines.study.step import Gaps, Output
from pipelines.study.steps import STEPS
from pipelines.study.steps.direct import DIRECT
from tests.conftest import WriteCsv, steady

ROWS = steady(90, {"United States": {"x": 30, "y": 31}, "Sweden": {"x": 33, "y": 31}, "Norway": {"x": 40}})

Asked = Callable[[pd.DataFrame | None], tuple[Path, list[str]]]


def verdicts(*direct: tuple[str, str]) -> pd.DataFrame:
    """Return the table of pairs of which the given ones are direct, the first of them ordered."""
    pairs = [(a, b) for a in ("NO", "SE", "US") for b in ("NO", "SE", "US") if a != b]
    found = np.array([pair in direct for pair in pairs])
    return pd.DataFrame(pairs, columns=["source", "target"]).assign(
        beta=np.where(found, np.log(2.0), 0.0),
        beta_low=np.where(found, np.log(1.5), np.log(0.5)),
        beta_high=np.where(found, np.log(3.0), np.log(2.0)),
        p_joint=np.where(found, 0.001, 0.5),
        q_joint=np.where(found, 0.01, 0.6),
        direct=found,
        ordered=[pair in direct[:1] for pair in pairs],
        detectable=1.75,
        credits=np.where(found, 12.3, 1.0),
        credits_per_entry=np.where(found, 0.2, 0.01),
        lag_median=3.0,
    )


@pytest.fixture
def asked(write_csv: WriteCsv, tmp_path: Path) -> Asked:
    """Run a study with given verdicts, or none where the table could not be made; return the folder and the lines."""

    def run(table: pd.DataFrame | None) -> tuple[Path, list[str]]:
        def make(study: Study, results: Results) -> Output:
            if table is None:
                return Output({}, not_made=Gaps(influence="too few"))
            credits = pd.DataFrame({"track_id": ["x"], "market": ["SE"], "source": ["US"], "credit": [1.0]})
            tables = {"influence": table, "credits": credits, "clout": clout(table, ["NO", "SE", "US"])}
            return Output(tables)

        steps = [replace(step, make=make) if step is DIRECT else replace(step, drawings=None) for step in STEPS]
        place = tmp_path / "out"
        with Folder(place) as folder:
            job = Run(Study(str(write_csv(ROWS))), folder, steps=steps)
            lines = closing_lines(folder, job.make(["direct"], quiet), job.results)
        return place, lines

    return run


def report_of(place: Path) -> str:
    """Return the text of the report."""
    return " ".join((place / "report.html").read_text(encoding="utf-8").split())


def test_direct_pairs_are_counted_drawn_and_listed(asked: Asked) -> None:
    place, lines = asked(verdicts(("US", "SE"), ("SE", "NO")))
    (line,) = [line for line in lines if line.startswith("direct")]
    said = "2 pairs of 6 tested are shown to be direct, 1 of them more one way than the other"
    assert said in line
    assert "only from a ratio of 1.75 on (power 80 %); most credits: SE→NO 12, US→SE 12" in line
    assert (place / "figures" / "influence_heatmap.png").exists()
    html = report_of(place)
    assert f"<b>{said}.</b>" in html
    assert "<td>United States</td><td>Sweden</td>" in html and "No pair is shown to be direct" not in html
    assert "what a market brings to all others alike is not seen, nor what is faster than the charts" in html


def test_where_nothing_is_direct_everything_says_so_and_how_large_an_effect_would_be(asked: Asked) -> None:
    place, lines = asked(verdicts())
    assert any("no pair of 6 tested is shown to be direct; half of the pairs" in line for line in lines)
    assert any(line.startswith("not made  figures/influence_heatmap: no pair is direct") for line in lines)
    assert "No pair is shown to be direct. That is no proof" in report_of(place)
    said = r"no pair of markets is shown to be direct; a ratio of 1\.75 .* power of 80 % \(median of 6 tested pairs"
    for ask in (
        lambda: answers.who_follows(place, "US", most=3),
        lambda: answers.influence(place, "Sweden", most=3),
        lambda: answers.route(place, "US", "NO", most=3),
    ):
        with pytest.raises(DataSaysNoError, match=said):
            ask()
    assert (
        "Is it direct? Not shown: fitted beside all other pairs the ratio is 1.00"
        in answers.explain(place, "US", "SE").text()
    )


def test_queries_know_direct_pairs_alone(asked: Asked) -> None:
    place, _ = asked(verdicts(("US", "SE"), ("SE", "NO")))
    followers = answers.who_follows(place, "US", most=3)
    assert "who follows United States directly, 1 of 2 tested pairs" in followers.text()
    assert [(row["target"], row["credits"]) for row in followers.numbers] == [("SE", 12.3)]
    assert "2" in followers.text().splitlines()[-1].split()  # the ratio, not its logarithm
    assert [row["source"] for row in answers.influence(place, "NO", most=3).numbers] == ["SE"]
    with pytest.raises(DataSaysNoError, match=r"no market follows NO in a way .*; a ratio of 1\.75 .* of 2 tested"):
        answers.who_follows(place, "Norway", most=3)
    with pytest.raises(DataSaysNoError, match="US follows no market in a way"):
        answers.influence(place, "US", most=3)
    way = answers.route(place, "US", "NO", most=3)
    assert "1. US → SE → NO: P = 0.04, about 6 days" in way.text()
    with pytest.raises(DataSaysNoError, match="leads from NO to US"):
        answers.route(place, "NO", "US", most=3)
    told = answers.explain(place, "US", "SE")
    assert "Is it direct? Yes: an entry into United States multiplies the weight of Sweden on the next" in told.text()
    assert told.tests[-1].numbers is not None and told.tests[-1].numbers["direct"] is True


@pytest.mark.slow
def test_a_verdict_that_could_not_be_made_is_named(asked: Asked) -> None:
    place, lines = asked(None)
    assert "not made  influence: too few" in lines
    with pytest.raises(DataSaysNoError, match="which pairs are direct is not known: too few"):
        answers.who_follows(place, "US", most=3)
    assert "Is it direct? Not tested: not made: too few." in answers.explain(place, "US", "SE").text()
    assert "Direct influence" not in report_of(place)


def test_untested_pairs_leave_no_power_to_speak_of(asked: Asked) -> None:
    table = verdicts(("US", "SE"))
    place, _ = asked(
        table.assign(
            q_joint=table["q_joint"].where(table["direct"]), detectable=table["detectable"].where(table["direct"])
        )
    )
    with pytest.raises(DataSaysNoError, match=r"NO follows no market in a way .* no pair has enough tracks for a test"):
        answers.influence(place, "NO", most=3)
