"""The recovery study: claims and intervals of single simulations, what they say together, and what is written."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import average_precision_score
from statsmodels.stats.proportion import proportion_confint

from diffusion import SettingError
from diffusion.simulation.recipes import WORLDS
from pipelines.recovery import Cell, cells_of, findings, recovery_text, summed_up, truth_of, write_recovery
from pipelines.recovery.claims import edges, rankings
from pipelines.recovery.intervals import ENOUGH, SAMPLES, covered
from pipelines.recovery.output import BATCH
from pipelines.recovery.rankings import average_precision
from pipelines.recovery.simulated import Simulated
from pipelines.recovery.summary import share_interval

SPARSE = Cell("claims", "influence-extra", 2_000, 6)
SEED = (1, 0)


# ── one simulation ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def sparse() -> Simulated:
    """Return a simulation with influence."""
    return Simulated.of(SPARSE, SEED)


def test_the_truth_of_pairs_is_that_of_the_world(sparse: Simulated) -> None:
    truth, markets = sparse.world.truth, sparse.world.entries.calendar.markets
    for row, influenced, any_way in zip(sparse.lifts.itertuples(), sparse.influenced, sparse.any_way, strict=True):
        at = markets.index(row.source), markets.index(row.target)
        assert influenced == (truth.alpha[at] > 0)
        assert any_way == (influenced or any(truth.alpha[at[0], c] * truth.alpha[c, at[1]] > 0 for c in range(6)))
    assert 0 < sparse.influenced.sum() <= sparse.any_way.sum()


def test_findings_count_what_the_tables_say(sparse: Simulated) -> None:
    edge, by_sizes, with_order = edges(sparse)
    lifts, alpha = sparse.lifts, dict(zip(sparse.lifts.index, sparse.influenced, strict=True))
    found = [row.Index for row in lifts.itertuples() if row.q <= 0.05]
    assert (edge.claim, by_sizes.claim) == ("edge", "edge by sizes")
    assert edge.found == len(found) > 0
    assert edge.hits == sum(alpha[at] for at in found)
    assert edge.false == sum(not sparse.any_way[at] for at in found)
    assert edge.real == sum(alpha.values())
    assert edge.tests == lifts["q"].notna().sum()
    assert edge.small == sum(row.p <= 0.05 for row in lifts.itertuples() if not np.isnan(row.q))
    assert with_order.found == (lifts["ordered"] & (lifts["q"] <= 0.05)).sum() <= edge.found
    assert by_sizes.found == (lifts["q_sizes"] <= 0.05).sum()


def test_every_claim_is_made_once_and_rankings_need_influence() -> None:
    claims = [finding.claim for finding in findings(SPARSE, SEED)]
    quiet = [finding.claim for finding in findings(Cell("claims", "flat", 400, 5), SEED)]
    assert len(set(claims)) == len(claims)
    assert {"edge", "edge by sizes", "order", "direct", "ordered"} <= set(quiet)
    assert set(claims) - set(quiet) >= {"ranking by credits per entry", "ranking by p of alpha", "ranking by netinf"}
    assert not any(claim.startswith("ranking") for claim in quiet)


def test_credits_and_the_summed_hazard_rank_pairs_better_than_counts() -> None:
    simulated = Simulated.of(Cell("claims", "influence-sparse", 2_000, 12), SEED)
    score = {finding.claim.removeprefix("ranking by "): finding.score for finding in rankings(simulated)}
    for name in ("credits per entry", "alpha", "p of alpha"):
        assert all(score[name] > score[other] + 0.15 for other in ("counts", "rate", "netinf"))
    assert score["counts"] > 2 * simulated.influenced.mean()


def test_simulations_differ_and_come_again() -> None:
    cell = Cell("claims", "falling", 500, 5)
    one, again, other = (Simulated.of(cell, (3, number)).lifts for number in (0, 0, 1))
    pd.testing.assert_frame_equal(one, again)
    assert not one["observed"].equals(other["observed"])
    assert not one["observed"].equals(Simulated.of(Cell("claims", "flat", 500, 5), (3, 0)).lifts["observed"])


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_that_of_its_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true, scores = rng.random(30) < 0.3, np.round(rng.normal(size=30), 1)
    true[0] = True
    scores[rng.random(30) < 0.2] = np.nan
    area, before = 0.0, 0.0
    for threshold in sorted({*np.nan_to_num(scores, nan=-99)}, reverse=True):
        kept = true[np.nan_to_num(scores, nan=-99) >= threshold]
        recall = kept.sum() / true.sum()
        area, before = area + kept.mean() * (recall - before), recall
    assert average_precision(scores, true) == pytest.approx(area)
    assert area == pytest.approx(average_precision_score(true, np.nan_to_num(scores, nan=-99)))


# ── intervals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_intervals_are_held_against_the_mean_of_many_samples() -> None:
    cell = Cell("intervals", "popularity-falling", 800, 5)
    truth = truth_of(cell, 1)
    assert truth.known["lift"].between(0.5, 2).all()
    assert truth.known["survival curve"].is_monotonic_decreasing
    held = covered(cell, truth, SEED)
    assert {coverage.quantity for coverage in held} == set(truth.known)
    for coverage in held:
        assert coverage.intervals + coverage.missing == len(truth.known[coverage.quantity]) > 0
        assert coverage.below + coverage.above < coverage.intervals / 2
    moved = {name: values + 100 for name, values in truth.known.items()}
    wrong = covered(cell, type(truth)(truth.structure, moved), SEED)
    assert all(coverage.below == coverage.intervals > 0 for coverage in wrong)
    assert ENOUGH * SAMPLES == 1_000


# ── all simulations together ─────────────────────────────────────────────────────────────────────────────────────────


def claim_rows(world: str, claim: str, numbers: int = 20, tracks: int = 8_000, **columns: object) -> pd.DataFrame:
    """Return the rows of one claim in some simulations."""
    rows: dict[str, object] = {"world": world, "tracks": tracks, "markets": 12, "simulation": range(numbers)}
    rows |= {"claim": claim} | dict.fromkeys(("tests", "small", "found", "false", "real", "hits", "score"), np.nan)
    return pd.DataFrame(rows | columns)


def no_intervals() -> pd.DataFrame:
    """Return an empty table of intervals."""
    return interval_rows(0, 0).iloc[:0]


def interval_rows(numbers: int, missed: int) -> pd.DataFrame:
    """Return intervals of some simulations, of which some lie above the truth."""
    above = [1] * missed + [0] * (max(numbers, 1) - missed)
    rows = {"world": "homes", "tracks": 2_000, "markets": 12, "simulation": range(max(numbers, 1)), "quantity": "lift"}
    return pd.DataFrame(rows | {"intervals": 1, "below": 0, "above": above, "missing": 0})


def judged(claims: pd.DataFrame, measure: str) -> dict[str, tuple[float, object]]:
    """Return value and verdict by world."""
    table = summed_up(claims, no_intervals())
    own = table[table["measure"] == measure]
    return {row.world: (row.value, None if row.met is pd.NA else bool(row.met)) for row in own.itertuples()}


def test_findings_without_influence_are_counted_by_simulation() -> None:
    some = [3, 1, 2, 1, *[0] * 16]
    rows = pd.concat([claim_rows("flat", "edge", found=some), claim_rows("season", "edge", found=0)])
    assert judged(rows, "any") == {"flat": (0.2, True), "season": (0.0, True), "all": (0.1, False)}
    more = claim_rows("flat", "edge", found=[1] * 5 + [0] * 15)
    assert judged(more, "any")["flat"] == (0.25, False)
    assert judged(claim_rows("flat", "edge", numbers=19, found=1), "any")["flat"] == (1.0, None)


def test_the_taste_across_languages_is_reported_apart() -> None:
    for claim, verdict, together in (("direct", None, 0.0), ("ordered", False, 0.5)):
        rows = pd.concat([claim_rows("taste-across", claim, found=1), claim_rows("flat", claim, found=0)])
        found = judged(rows, "any")
        assert found["taste-across"] == (1.0, verdict)
        assert found["all"][0] == together


def test_shares_of_tests_are_of_all_simulations() -> None:
    rows = claim_rows("flat", "order", tests=[100] * 10 + [300] * 10, small=[10] * 10 + [12] * 10, found=0)
    assert judged(rows, "small") == {"flat": (0.055, True), "all": (0.055, True)}


def test_what_is_found_of_influence_is_judged_with_many_tracks() -> None:
    found = {"found": 10, "false": 2, "real": 10, "hits": 8}
    rows = pd.concat([claim_rows("influence-sparse", "edge", tracks=tracks, **found) for tracks in (2_000, 8_000)])
    table = summed_up(rows, no_intervals()).set_index(["measure", "world", "tracks"])
    assert table["value"].loc[["false"]].tolist() == [0.2] * 3
    assert table["met"].loc[["false"]].tolist() == [pd.NA, True, True]
    assert table["met"].loc[["power"]].tolist() == [pd.NA, True, True]
    assert table["simulations"].loc[["power"]].tolist() == [20] * 3
    assert "any" not in table.index.get_level_values("measure")


def test_a_hidden_taste_has_a_goal_of_its_own() -> None:
    found = {"found": 10, "false": 1, "real": 10, "hits": 9}
    rows = pd.concat([claim_rows(name, "ordered", **found) for name in ("influence-taste", "influence-dense")])
    assert judged(rows, "false") == {
        "influence-taste": (0.1, True),
        "influence-dense": (0.1, False),
        "all": (0.1, False),
    }


def test_the_ranking_is_compared_with_the_better_one_of_the_summed_hazard() -> None:
    scores = {"ranking by credits per entry": 0.77, "ranking by alpha": 0.5, "ranking by p of alpha": 0.8}
    rows = pd.concat([claim_rows("influence-sparse", name, score=score) for name, score in scores.items()])
    value, met = judged(rows, "relative precision")["all"]
    assert (value, met) == (pytest.approx(0.9625), True)
    assert judged(rows.assign(score=rows["score"].replace(0.77, 0.75)), "relative precision")["all"][1] is False


@pytest.mark.parametrize(
    ("numbers", "missed", "met"),
    [(400, 20, True), (400, 40, False), (400, 8, False), (200, 16, True), (200, 20, False), (50, 40, None)],
)
def test_coverage_is_judged_by_the_number_of_simulations(numbers: int, missed: int, met: bool | None) -> None:
    row, missing = summed_up(claim_rows("flat", "edge").iloc[:0], interval_rows(numbers, missed)).to_dict("records")
    assert (missing["measure"], missing["value"]) == ("missing", 0.0)
    assert missing["met"] in (None, pd.NA)
    assert row["claim"] == "interval of lift"
    assert row["value"] == pytest.approx(1 - missed / numbers)
    assert (None if pd.isna(row["met"]) else row["met"]) == met


def test_bounds_of_shares_are_those_of_wilson() -> None:
    assert share_interval(np.array([18.0]), np.array([20.0])) == pytest.approx(
        proportion_confint(18, 20, method="wilson")
    )
    assert np.isnan(share_interval(np.zeros(2), np.zeros(2))).all()
    together = share_interval(np.array([20.0, 0, 20, 20, 20]), np.full(5, 20.0))
    apart = share_interval(np.array([16.0, 16, 15, 17, 16]), np.full(5, 20.0))
    assert together[0] < apart[0] < 0.8 < apart[1] < together[1]


def test_the_text_says_what_is_missed() -> None:
    rows = pd.concat([claim_rows("flat", "edge", found=1), claim_rows("season", "edge", found=0)])
    text = recovery_text(summed_up(rows, interval_rows(400, 40)))
    assert "together 0.500, 40 simulations; goal at most 0.070: MISSED" in text
    assert "by world 0.000 to 1.000, 2 worlds and sizes; goal at most 0.200, met in 1 of 2" in text
    assert "  flat, 8,000 tracks, 12 markets: edge, simulations with a positive verdict: 1.000; goal at most" in text
    assert "homes, 2,000 tracks, 12 markets: interval of lift, intervals that hold the truth: 0.900; goal 0.9" in text
    assert "NaN" not in text and "<NA>" not in text


# ── what is written ──────────────────────────────────────────────────────────────────────────────────────────────────

CELLS = [Cell("claims", "flat", 300, 5), Cell("claims", "influence-dense", 600, 5)]


def test_the_usual_cells() -> None:
    cells = cells_of()
    assert len(cells) == len(set(cells)) == 2 * len(WORLDS) + 2 * 4 + 5
    assert {cell.world for cell in cells if cell.markets == 40} == {
        *("popularity-falling", "taste-language", "homes", "influence-sparse")
    }
    assert all((cell.tracks, cell.markets) == (2_000, 12) for cell in cells if cell.question == "intervals")
    assert cells_of(["homes"], [500], [6, 8]) == [
        Cell("claims", "homes", 500, 6),
        Cell("claims", "homes", 500, 8),
        Cell("intervals", "homes", 500, 6),
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: cells_of(["nowhere"]), "unknown world 'nowhere'; known are flat"),
        (lambda: cells_of(markets=[12, 3]), "3 markets are too few; give 4 or more"),
        (lambda: cells_of(tracks=[0]), "0 tracks are too few"),
        (lambda: write_recovery("nowhere", []), "cells: 0; give 1 or more"),
        (lambda: write_recovery("nowhere", CELLS, simulations=0), "simulations: 0; give 1"),
        (lambda: write_recovery("nowhere", CELLS, seed=-1), "seed: -1; give 0"),
        (lambda: write_recovery("nowhere", CELLS, workers=0), "workers: 0; give 1"),
    ],
)
def test_settings_that_cannot_be_right(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        wrong()


def made_in(place: Path) -> dict[str, float]:
    """Return the written simulations of a folder, with the time when each file was made."""
    return {path.relative_to(place).as_posix(): path.stat().st_mtime for path in place.glob("simulations/*/*.parquet")}


@pytest.mark.slow
def test_a_study_goes_on_and_keeps_what_is_finished(tmp_path: Path) -> None:
    first = write_recovery(tmp_path, CELLS, simulations=1)
    before = made_in(tmp_path)
    assert sorted(before) == [
        f"simulations/claims-{name}-seed1/0000.parquet" for name in ("flat-300-5", "influence-dense-600-5")
    ]
    both = write_recovery(tmp_path, CELLS, simulations=2)
    assert {name: when for name, when in made_in(tmp_path).items() if name in before} == before
    assert len(made_in(tmp_path)) == 4
    assert set(both["simulations"]) == {2}
    again = made_in(tmp_path)
    pd.testing.assert_frame_equal(write_recovery(tmp_path, CELLS, simulations=1), first)
    pd.testing.assert_frame_equal(
        write_recovery(tmp_path, CELLS[:1], simulations=2, seed=1),
        both[both["world"].isin(["flat", "all"]) & ~both["influence"]],
    )
    assert made_in(tmp_path) == again
    pd.testing.assert_frame_equal(write_recovery(tmp_path.parent / "at once", CELLS, simulations=2), both)
    write_recovery(tmp_path, CELLS[:1], simulations=1, seed=2)
    assert set(made_in(tmp_path)) - set(again) == {"simulations/claims-flat-300-5-seed2/0000.parquet"}
    assert (tmp_path / "recovery.txt").read_text(encoding="utf-8").startswith("Every claim in all worlds together")


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """The process is killed after the first batch, which is kept; the rest is as if it had never been killed."""
    place, cell = tmp_path / "killed", Cell("claims", "flat", 200, 4)
    options = ["--world", "flat", "--tracks", 200, "--markets", 4, "--simulations", 500, "--workers", 1, "--out", place]
    command = [sys.executable, "-m", "pipelines", "recovery", *map(str, options)]
    running = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
    try:
        end = time.monotonic() + 60
        while not made_in(place) and time.monotonic() < end and running.poll() is None:
            time.sleep(0.01)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    kept = made_in(place)
    assert kept and not (place / "recovery.txt").exists()
    whole = write_recovery(tmp_path / "whole", [cell], simulations=BATCH + 2)
    pd.testing.assert_frame_equal(write_recovery(place, [cell], simulations=BATCH + 2), whole)
    assert {name: when for name, when in made_in(place).items() if name in kept} == kept


@pytest.mark.slow
def test_a_damaged_simulation_is_made_again(tmp_path: Path) -> None:
    whole = write_recovery(tmp_path, CELLS[:1], simulations=1)
    (name,) = made_in(tmp_path)
    (tmp_path / name).write_bytes(b"")
    pd.testing.assert_frame_equal(write_recovery(tmp_path, CELLS[:1], simulations=1), whole)
    assert pq.read_table(tmp_path / name).num_rows > 0
