"""Studies of odd shapes through the whole run: what the data cannot give is named, and nothing ends the study."""

import html
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from diffusion.markets import SIMULATED, chart_markets
from pipelines.commands.main import run_command
from pipelines.study.step import with_needs
from pipelines.study.steps import RUN_SET, STEPS

MARKETS = chart_markets()
OTHERS = [*SIMULATED]
"""Markets of which nothing but the code is known."""

FIGURES = {
    "first_markets": "first_markets",
    "journey_kinds": "journey_kinds",
    "journey_clusters": "journey_clusters",
    "flow_map": "graph",
    "transition_matrix": "graph",
    "leaders": "graph",
    "lags": "graph",
    "lag_curves": "graph",
    "leader_intervals": "leaders",
    "rolling_leaders": "rolling",
    "validity": "validity",
    "backbone_map": "backbone",
    "influence_heatmap": "influence",
    "community_map": "communities",
    "community_grid": "communities",
    "survival_none": "survival",
    "survival_continent": "survival",
    "survival_language_match": "survival",
    "survival_footprint_size": "survival",
    "states": "states",
    "hazard_ratios": "hazard_ratios",
    "hazard_ratio_periods": "hazard_ratio_periods",
    "log_log": "log_log",
    "cured": "cured",
    "model_scores": "model_scores",
    "calibration": "model_scores",
    "forecast_scores": "forecast_scores",
    "forecast_calibration": "forecast_scores",
    "season_months": "seasons",
    "season_weekdays": "season_weekdays",
    "holiday_days": "holiday_weeks",
    "travel": "travel",
}
"""Figure of a full run → the table or step that it draws."""


def charts(
    markets: Sequence[str],
    days: pd.DatetimeIndex,
    *,
    tracks: int,
    artists: int = 20,
    groups: int = 1,
    reach: int = 3,
    seed: int = 1,
) -> pd.DataFrame:
    """Return charts in which tracks debut at random and go on to other markets of the same group.

    Every market has a filler on each date, so that all of them are observed throughout. A track stays three charts.
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(np.arange(len(markets)) % groups == group) for group in range(groups)]
    rows = []
    for track in range(tracks):
        own = rng.permutation(members[track % groups])[: rng.integers(1, reach + 1)]
        start = int(rng.integers(0, len(days)))
        for step, market in enumerate(own):
            entry = start + step * int(rng.integers(0, 4))
            rows += [(f"track{track}", f"artist{track % artists}", market, day) for day in range(entry, entry + 3)]
    table = pd.DataFrame(rows, columns=["url", "artist", "market", "day"])
    table = table[table["day"] < len(days)]
    fillers = pd.MultiIndex.from_product([range(len(markets)), range(len(days))], names=["market", "day"]).to_frame()
    fillers = fillers.assign(url="filler" + fillers["market"].astype(str), artist="filler")
    table = pd.concat([fillers, table], ignore_index=True)
    table["rank"] = table.groupby(["market", "day"]).cumcount() + 1
    return pd.DataFrame(
        {
            "title": table["url"],
            "rank": table["rank"],
            "date": days[table["day"]].strftime("%Y-%m-%d"),
            "artist": table["artist"],
            "url": "https://open.spotify.com/track/" + table["url"],
            "region": np.asarray(markets)[table["market"]],
            "chart": "top200",
        }
    )


def daily(count: int, start: str = "2020-01-01") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=count, freq="D")


def weekly(count: int) -> pd.DatetimeIndex:
    return pd.date_range("2001-01-04", periods=count, freq="7D")


Outcome = tuple[int, str, str, Path]
RunStudy = Callable[[pd.DataFrame], Outcome]


@pytest.fixture
def run_study(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> RunStudy:
    """Return a function that runs charts with few draws: exit code, output, errors, and the folder made."""

    def run(frame: pd.DataFrame) -> Outcome:
        path, folder = tmp_path / "charts.parquet", tmp_path / "made"
        frame.to_parquet(path, index=False)
        options = ["--out", str(folder), "--replicates", "20", "--quiet"]
        code = run_command(["run", str(path), *options])
        printed = capsys.readouterr()
        return code, printed.out, printed.err, folder

    return run


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def missing(outcome: Outcome) -> set[str]:
    """Return what was not made, after checking that the rest was, whole, and that screen and report say the same."""
    code, out, err, folder = outcome
    assert (code, err) == (0, "")
    gaps = dict(line.removeprefix("not made  ").split(": ", 1) for line in out.splitlines() if line[:8] == "not made")
    made = {path.stem for path in (folder / "figures").glob("*.png")}
    assert made <= {*FIGURES}
    for figure, table in FIGURES.items():
        assert (figure in made) != bool({table, f"figures/{figure}"} & {*gaps}), figure
    report = html.unescape((folder / "report.html").read_text(encoding="utf-8"))
    assert all(f"Not made: {name}: {why}." in report for name, why in gaps.items())
    assert report.count("<img") == len(made)
    steps = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["steps"]
    assert {*steps} == {"report", *(name for step in with_needs(RUN_SET, STEPS) for name in step.manifest_names)}
    listed = {artifact["path"] for step in steps.values() for artifact in step["artifacts"]}
    assert files(folder) - {"manifest.json"} == listed
    return {*gaps}


SHORT = {"rolling", "validity"}
"""What charts of less than a year and a quarter cannot give."""

FEW = {"mantel", "mrqap", "gravity"}
"""What less than five markets cannot give."""


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (lambda: charts(["SE"], daily(60), tracks=40), "only one market (SE)"),
        (lambda: charts(["SE", "US", "NO"], daily(1), tracks=5), "no transition between the 3 markets"),
    ],
    ids=["one market", "one date"],
)
def test_what_has_no_flow_ends_with_one_line(
    run_study: RunStudy, frame: Callable[[], pd.DataFrame], message: str
) -> None:
    code, out, err, folder = run_study(frame())
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert message in err
    assert not folder.exists()


@pytest.mark.slow
def test_two_markets(run_study: RunStudy) -> None:
    gaps = missing(run_study(charts(["SE", "US"], daily(90), tracks=60)))
    assert gaps >= SHORT | FEW


@pytest.mark.slow
def test_markets_of_unknown_place(run_study: RunStudy) -> None:
    outcome = run_study(charts(OTHERS[:14], daily(120), tracks=200))
    assert missing(outcome) >= SHORT | FEW | {"figures/flow_map", "figures/community_map"}
    notes = json.loads((outcome[3] / "manifest.json").read_text(encoding="utf-8"))["steps"]["graph"]["notes"]
    assert notes["unmatched"]["distance_km"] == {"pairs": 14 * 13, "markets": OTHERS[:14]}
    assert "unmatched 182 pairs have no " in outcome[1]
    assert "those of Simulated XA, Simulated XB, " in outcome[1]
    assert "Simulated XM and 2 more" in outcome[1]


@pytest.mark.slow
def test_ninety_four_markets(run_study: RunStudy) -> None:
    outcome = run_study(charts([*MARKETS, *OTHERS], daily(100), tracks=600))
    assert missing(outcome) >= SHORT
    assert (outcome[3] / "manifest.json").stat().st_size < 100_000


@pytest.mark.slow
def test_dozens_of_communities(run_study: RunStudy) -> None:
    outcome = run_study(charts(MARKETS[:60], daily(120), tracks=900, groups=30, reach=2))
    assert missing(outcome) >= SHORT
    assert pd.read_parquet(outcome[3] / "communities.parquet")["community"].nunique() == 30


@pytest.mark.slow
def test_one_artist(run_study: RunStudy) -> None:
    missing(run_study(charts(MARKETS[:6], daily(500), tracks=400, artists=1)))


@pytest.mark.slow
@pytest.mark.parametrize("days", [weekly(1040), daily(12 * 365)], ids=["weekly for 20 years", "daily for 12 years"])
def test_many_years(run_study: RunStudy, days: pd.DatetimeIndex) -> None:
    outcome = run_study(charts(MARKETS[:8], days, tracks=8000, artists=800, reach=6))
    assert not missing(outcome) & (SHORT | FEW)
    pairs = pd.read_parquet(outcome[3] / "validity_pairs.parquet")
    assert len(pairs[["period", "next_period"]].drop_duplicates()) > 8
