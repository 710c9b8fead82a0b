"""What the steps on trajectories, streams and audio features say: their tables' numbers, and no more than was found."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from diffusion import DataSaysNoError, open_sample
from pipelines.eda.published.weekly import WeeklyCharts
from pipelines.eda.seasons import season_findings
from pipelines.folders.folder import Folder
from pipelines.formatting import percent
from pipelines.progress import quiet
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.run import Run, closing_lines
from pipelines.study.settings import Study
from pipelines.study.steps import STEPS
from pipelines.study.steps.distributions import DISTRIBUTIONS
from pipelines.study.steps.published import _summary
from pipelines.study.steps.trajectories import TRAJECTORIES_STEP, _bounds, _difference_finding, _direction_finding

NAMES = ("distributions", "trajectories")
PLAIN = [replace(step, drawings=None) for step in STEPS]


def charts(seed: int, *, streams: bool) -> pd.DataFrame:
    """Return charts on which tracks jump to their best rank and fall from there; louder tracks are higher."""
    rng = np.random.default_rng(seed)
    rows = []
    for market in ("SE", "NO"):
        ages = rng.uniform(0, 9, 200) + 70 * (np.arange(200) - 20) / 180
        loud = rng.normal(size=200)
        for day in range(70):
            age = day - ages
            height = np.where(age >= 0, 3 + 0.6 * loud - 0.35 * age, -np.inf)
            for rank, track in enumerate(np.argsort(-height)[:10], start=1):
                power = 5 + height[track]
                rows.append(
                    (market, day, rank, f"{market}{track}", f"A{track % 40}", loud[track], int(10 ** (power / 2)) + 1)
                )
    table = pd.DataFrame(rows, columns=["market", "day", "rank", "track_id", "artist", "af_loudness", "streams"])
    table["date"] = pd.Timestamp("2021-01-01") + pd.to_timedelta(table.pop("day"), unit="D")
    table = table.assign(title=table["track_id"], af_energy=table["af_loudness"] ** 2, chart="top200")
    return table if streams else table.drop(columns=["streams", "af_loudness", "af_energy"])


def run(table: pd.DataFrame, place: Path) -> tuple[Results, list[str]]:
    file = place / "charts.parquet"
    table.to_parquet(file)
    with Folder(place / "out") as folder:
        job = Run(Study(str(file)), folder, steps=PLAIN)
        return job.results, closing_lines(folder, job.make(NAMES, quiet), job.results)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, list[str]]:
    return run(charts(1, streams=True), tmp_path_factory.mktemp("made"))


def named(findings: Sequence[Finding], title: str) -> Finding:
    (finding,) = [finding for finding in findings if finding.title == title]
    return finding


def test_a_direction_that_is_there_is_found_and_said(made: tuple[Results, list[str]]) -> None:
    results, lines = made
    assert TRAJECTORIES_STEP.findings is not None
    found = named(TRAJECTORIES_STEP.findings(results), "Rise and fall")
    test = results.table("trajectory_tests").iloc[0]
    assert (found.verdict, test["value"] > 0) == ("found", True)
    assert found.said.startswith("Tracks rise on a market's chart faster than they fall; ")
    assert f"{test['value']:+.3f}" in found.sure
    assert any(line.startswith("stays     Tracks rise") for line in lines)


def test_the_length_of_stays_is_that_of_the_table(made: tuple[Results, list[str]]) -> None:
    results, _ = made
    assert TRAJECTORIES_STEP.findings is not None
    found = named(TRAJECTORIES_STEP.findings(results), "How long tracks stay")
    row = results.table("persistence_summary").iloc[0]
    assert found.verdict == "described"
    assert f"last {row['median']} charts or less" in found.said
    assert f"median in charts {row['median_low']} to {row['median_high']}" in found.sure
    assert "Christmas" not in found.caveat  # nothing came back after half a year


def test_what_goes_with_streams_is_found_and_said(made: tuple[Results, list[str]]) -> None:
    results, _ = made
    assert DISTRIBUTIONS.findings is not None
    findings = DISTRIBUTIONS.findings(results)
    table = results.table("stream_correlations").set_index(["scope", "variable"])
    row = table.loc[("above the chart's mean", "loudness")]
    found = named(findings, "What goes with streams")
    assert found.verdict == "found" and row["q"] <= 0.05
    assert f"the largest correlation is that of loudness, {row['correlation']:+.3f}" in found.said
    summary = results.table("streams_summary").set_index("scale").loc["streams"]
    assert f"have {summary['median']:,.0f} streams or fewer" in named(findings, "Streams").said
    factor = results.table("audio_vif")["vif"].max()
    assert f"is {factor:.2f}, of" in named(findings, "Overlap of audio features").said


def test_what_charts_do_not_show_is_named_and_nothing_is_said_of_it(tmp_path: Path) -> None:
    results, lines = run(charts(2, streams=False), tmp_path)
    assert DISTRIBUTIONS.findings is not None and DISTRIBUTIONS.section is not None
    assert DISTRIBUTIONS.findings(results) == [] and DISTRIBUTIONS.section(results) == {}
    assert "not made  streams_summary: the chart 'top200' shows no streams" in lines
    assert "not made  audio_summary: the tracks of these charts have no audio features" in lines
    assert set(results.table("trajectory_profiles")["measure"]) == {"rank"}


def test_what_is_not_shown_is_not_called_equal(made: tuple[Results, list[str]]) -> None:
    results, _ = made
    row = results.table("trajectory_tests").iloc[0].copy()
    row["q"] = 0.4
    found = _direction_finding(results, row)
    assert found.verdict == "not found"
    assert "not shown to rise" in found.said and "as fast as" not in found.said
    found = _difference_finding(results, row)
    assert found.verdict == "not found" and "not shown to be longer or shorter" in found.said


@pytest.mark.parametrize(
    ("low", "high", "said"), [(2, pd.NA, "2 or more"), (2, 4, "2 to 4"), (pd.NA, pd.NA, "without an interval")]
)
def test_intervals_without_an_end_are_said_without_it(low: object, high: object, said: str) -> None:
    assert _bounds(low, high) == said


def test_small_shares_are_not_zero() -> None:
    assert [percent(share) for share in (0.0, 0.0004, 0.0006, 0.0333, 0.5)] == [
        "0.0 %", "<0.1 %", "0.1 %", "3.3 %", "50 %",
    ]  # fmt: skip


def test_seasons_that_cannot_be_tested_are_not_found() -> None:
    tested = pd.DataFrame(
        [(cycle, name, 1, np.nan, False) for cycle in ("month", "weekday") for name in ("entries", "debut_travelled")],
        columns=["cycle", "measure", "repeats", "p", "found"],
    )
    weeks = pd.DataFrame({"measure": ["entries"], "market": "all", "ratio": 1.0, "low": np.nan, "high": np.nan,
                          "p": np.nan, "found": False, "blocks": 2.5})  # fmt: skip
    findings = season_findings(tested, pd.DataFrame(), weeks)
    assert [finding.verdict for finding in findings] == ["not found"] * 5
    assert "1 week has enough days" in findings[1].said


def test_the_place_that_is_named_is_the_one_that_is_shown_to_differ() -> None:
    tested = pd.DataFrame([("month", "entries", "relative", 4, 0.01, 0.01, True, 0.1)],
                          columns=["cycle", "measure", "unit", "repeats", "p", "q", "found", "detectable"])  # fmt: skip
    effects = pd.DataFrame({"cycle": "month", "measure": "entries", "unit": "relative", "name": ["Jan", "Feb"],
                            "effect": [0.3, -0.2], "low": [-0.1, -0.3], "high": [0.7, -0.1]})  # fmt: skip
    (finding,) = season_findings(tested, effects, None)
    assert finding.said == "Months differ in entries per chart: Feb −20 % (−30 to −10 %)."


@pytest.mark.parametrize(("markets", "said"), [([], "none of the markets are"), (["SE"], "1 of the markets is")])
def test_too_few_markets_are_counted_in_words(markets: list[str], said: str) -> None:
    with open_sample() as charts, pytest.raises(DataSaysNoError, match=said):
        WeeklyCharts.of(charts, charts.entries(), markets)


@pytest.mark.parametrize(
    ("behind", "verdict", "said"),
    [([0.2, 0.1], "not found", "none is shown not to be the best"), ([0.0, 0.1], "found", "Tue is the best")],
)
def test_a_best_day_is_found_where_another_is_shown_to_be_behind(behind: list[float], verdict: str, said: str) -> None:
    tested = pd.DataFrame([("weekday", "debut_travelled", "share", 40, 0.01, 0.01, True, 0.1)],
                          columns=["cycle", "measure", "unit", "repeats", "p", "q", "found", "detectable"])  # fmt: skip
    effects = pd.DataFrame({"cycle": "weekday", "measure": "debut_travelled", "unit": "share", "name": ["Mon", "Tue"],
                            "effect": [-0.1, 0.1], "low": -0.2, "high": 0.2, "behind_high": behind})  # fmt: skip
    (finding,) = season_findings(tested, effects, None)
    assert finding.verdict == verdict and said in finding.said


def test_that_nobody_sets_trends_is_nothing_that_was_found() -> None:
    claims = pd.DataFrame(
        {"claim": ["no_trendsetters", "culture"], "says": ["No country sets trends", "Culture counts"]}
    )
    silent = _summary(claims.assign(verdict=["holds", "cannot be told here"]))
    assert silent.verdict == "not found"
    assert silent.said.startswith("Of 2 published claims 1 holds on these charts (No country sets trends)")
    assert _summary(claims.assign(verdict=["does not hold", "holds"])).verdict == "found"
