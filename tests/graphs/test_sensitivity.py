"""Edges under other definitions, in held-back quarters, and in charts in which nobody follows anybody."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from diffusion import DataSaysNoError, Entries
from diffusion.conventions import FDR
from diffusion.simulation.process_worlds import ProcessWorld, world
from graphs.baseline import (
    Baseline,
    PairSums,
    baseline,
    dealt_entries,
    edge_table,
    held_out_scores,
    joint_fit,
    sensitivity_table,
    steps,
)
from graphs.baseline.direct import joint_test
from graphs.baseline.edges import order_p, presence_p, verdict_table
from graphs.baseline.fit import fitted_again
from graphs.baseline.held_out import ALL, mean_by_artist
from graphs.contracts import LOG_SCORES, PLACEBO, SENSITIVITY
from graphs.false_discovery import adjusted
from graphs.placebo import found_counts, placebo_table
from tests.random_charts import Study, examples, studies

WINDOW = 60


@pytest.fixture(scope="module")
def drawn() -> ProcessWorld:
    """A world with influence and hidden tastes."""
    return world("influence-taste", tracks=4000, seed=2)


@pytest.fixture(scope="module")
def fit(drawn: ProcessWorld) -> Baseline:
    """Its baseline."""
    return baseline(drawn.entries, pairs=drawn.pairs)


@pytest.fixture(scope="module")
def variants(fit: Baseline, drawn: ProcessWorld) -> pd.DataFrame:
    """Its sensitivity, with every second track for the upper half."""
    table = drawn.entries.table
    kept = pc.is_in(table["track_id"], table["track_id"].unique()[::2])
    upper = replace(drawn.entries, table=table.filter(kept))
    return sensitivity_table(fit, window=WINDOW, upper=upper).set_index("variant")


# ── other definitions ────────────────────────────────────────────────────────────────────────────────────────────────


def test_variants_fit_their_contract(variants: pd.DataFrame) -> None:
    table = SENSITIVITY.conform(pa.Table.from_pandas(variants.reset_index(), preserve_index=False))
    assert table.num_rows == 11
    assert variants["found_again"].between(0, 1).all()
    assert variants.loc["second half", "against"] == "first half"
    assert (variants["against"].drop("second half") == "base").all()


def test_the_base_is_the_edge_table(variants: pd.DataFrame, fit: Baseline) -> None:
    edges = edge_table(fit, window=WINDOW)
    base = variants.loc["base"]
    assert base["edges"] == edges["edge"].sum() > 5
    assert base["ordered"] == edges["ordered"].sum() > 0
    assert (base["found_again"], base["correlation"]) == (1, pytest.approx(1))


def test_a_variant_is_the_edge_table_of_its_definition(variants: pd.DataFrame, fit: Baseline) -> None:
    base, other = (edge_table(fit, window=window).set_index(["source", "target"]) for window in (WINDOW, 30))
    row = variants.loc["window halved"]
    assert row["edges"] == other["edge"].sum()
    assert row["found_again"] == other.loc[base["edge"], "edge"].mean()
    middle = (int(fit.steps.day.min()) + int(fit.steps.day.max()) + 1) / 2
    early, late = lambda steps: steps.day < middle, lambda steps: steps.day >= middle
    first, second = (edge_table(fitted_again(fit, kept=kept), window=WINDOW)["edge"] for kept in (early, late))
    assert variants.loc["second half", "found_again"] == second[first].mean()
    assert variants.loc["first half", "found_again"] == first[base["edge"].to_numpy()].mean()


def test_fewer_entries_show_fewer_edges(variants: pd.DataFrame) -> None:
    assert variants.loc["upper half", "edges"] < variants.loc["base", "edges"]
    assert variants.loc["first half", "edges"] < variants.loc["base", "edges"]
    assert variants.loc["finer ages", "found_again"] > 0.8


def test_ties_count_for_a_pair_or_against_it() -> None:
    drawn = world("weekly", tracks=1500, seed=1)
    fit = baseline(drawn.entries, pairs=drawn.pairs)
    found = sensitivity_table(fit, window=56).set_index("variant")
    sums = {ties: PairSums.of(fit, window=56, ties=ties) for ties in ("apart", "first", "last")}
    upper = np.triu(np.ones((12, 12), bool))
    tests = {name: (presence_p(one), order_p(one)) for name, one in sums.items()}
    favour, against = (
        [np.where(upper, one, two) for one, two in zip(tests[a], tests[b], strict=True)]
        for a, b in (("first", "last"), ("last", "first"))
    )
    off = ~np.eye(12, dtype=bool)
    for name, (p, p_order) in (("ties for", favour), ("ties against", against)):
        edge = adjusted(np.where(off, p, np.nan)) <= FDR
        assert found.loc[name, "edges"] == edge.sum()
        assert found.loc[name, "ordered"] == (edge & (adjusted(np.where(off, p_order, np.nan)) <= FDR)).sum()
    # against a pair, its ties are the other direction's alone
    assert against[0][off] == pytest.approx(tests["apart"][0][off])
    ties = sums["first"].observed - sums["apart"].observed
    assert np.triu(ties).sum() > 0
    assert np.tril(ties).sum() == 0


# ── held-back quarters ───────────────────────────────────────────────────────────────────────────────────────────────


def test_held_back_quarters_are_scored_by_what_came_before(fit: Baseline) -> None:
    scores = held_out_scores(fit, window=WINDOW)
    LOG_SCORES.conform(pa.Table.from_pandas(scores, preserve_index=False))
    day = fit.steps.day.astype("datetime64[D]")
    quarters = [name for name in scores["quarter"].unique() if name != ALL]
    begin = pd.Period(quarters[0], "Q").start_time.to_datetime64()
    late = day >= begin
    after = day >= pd.Period(quarters[1], "Q").start_time.to_datetime64()
    assert late.mean() >= 0.2 > after.mean()
    early = fitted_again(fit, kept=lambda _: ~late)
    own = scores[scores["quarter"] == ALL].set_index("version")
    others = (fit.steps.only(late), fit.kinds[late])
    joint = joint_fit(early, window=WINDOW)
    expected = [early.log_scores(version, others).mean() for version in ("uniform", "sizes", "likeness")]
    assert own["log_score"].tolist() == pytest.approx([*expected, joint.log_scores(others).mean()])
    assert own["gain"].iloc[1:].tolist() == pytest.approx((own["log_score"].diff().iloc[1:] / np.log(2)).tolist())
    assert own["steps"].eq(late.sum()).all()
    assert own.loc[["sizes", "likeness", "influence"], "gain_low"].gt(0).all()


def test_without_influence_it_is_worth_nothing() -> None:
    drawn = world("popularity-falling", tracks=4000, seed=1)
    scores = held_out_scores(baseline(drawn.entries, pairs=drawn.pairs))
    own = scores[scores["quarter"] == ALL].set_index("version")
    assert own.loc["influence", "gain"] < 0.01
    assert own.loc["influence", "gain_low"] < 0
    assert own.loc["sizes", "gain_low"] > 0


def test_one_quarter_holds_nothing_back(fit: Baseline) -> None:
    day = fit.steps.day.astype("datetime64[D]")
    last = day >= pd.Period(day.max(), "Q").start_time.to_datetime64()
    with pytest.raises(DataSaysNoError, match="no quarter comes before what is held back"):
        held_out_scores(fitted_again(fit, kept=lambda _: last))


def test_a_mean_by_artist_is_that_of_a_cluster_t_test() -> None:
    values = np.random.default_rng(0).normal(1, 2, 40)
    alone = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    mean, low, high = mean_by_artist(values, np.arange(40))
    assert (mean, low, high) == pytest.approx((values.mean(), alone.low, alone.high))
    # three copies of a step by each artist tell no more
    assert mean_by_artist(np.repeat(values, 3), np.repeat(np.arange(40), 3)) == pytest.approx((mean, low, high))
    assert np.isnan(mean_by_artist(values, np.arange(40) // 5)[1:]).all()


# ── charts in which nobody follows anybody ───────────────────────────────────────────────────────────────────────────


def per_market(entries: Entries) -> Counter[tuple[str, int]]:
    """Return the number of timed entries after the debut by market and week."""
    taken = steps(entries)
    return Counter(zip(taken.market.tolist(), (taken.day // 7).tolist(), strict=True))


def test_dealt_entries_hold_what_they_say(fit: Baseline, drawn: ProcessWorld) -> None:
    dealt = dealt_entries(fit, seed=3)
    columns = ["track_id", "entry"]
    assert dealt.to_pandas().value_counts(columns).equals(drawn.entries.to_pandas().value_counts(columns))
    assert per_market(dealt) == per_market(drawn.entries)
    assert dealt.table.equals(dealt_entries(fit, seed=3).table)
    keys = ["track_id", "market", "entry"]
    same = dealt.to_pandas().merge(drawn.entries.to_pandas(), on=keys)
    assert len(same) < len(drawn.entries) - 0.6 * len(fit.steps)


@examples(20)
@given(drawn=studies(), seed=st.integers(0, 99))
def test_dealt_entries_are_possible(drawn: Study, seed: int) -> None:
    entries = drawn.open()
    taken = steps(entries)
    if not len(taken) or len(taken.markets) < 2:
        return
    dealt = dealt_entries(baseline(entries), seed=seed)
    again = steps(dealt)
    assert len(dealt) == len(entries)
    assert len(again) == len(taken)
    assert sorted(again.market) == sorted(taken.market)
    charts = {(row["market"], row["date"]): row["previous"] for row in drawn.coverage}
    assert all(charts[row["market"], row["entry"]] == row["last_without"] for row in dealt.table.to_pylist())


def test_placebos_find_nothing_where_the_charts_do(fit: Baseline) -> None:
    table = placebo_table(fit, window=WINDOW, draws=2, replicates=100)
    PLACEBO.conform(pa.Table.from_pandas(table, preserve_index=False))
    assert table[["kind", "draw"]].to_numpy().tolist() == [["baseline", 1], ["baseline", 2], ["permutation", 1]]
    assert table["edges"].max() <= 2
    assert table["direct"].max() <= 1
    assert edge_table(fit, window=WINDOW)["edge"].sum() > 5


def test_counts_are_those_of_the_tables(fit: Baseline) -> None:
    lifts = verdict_table(fit, window=WINDOW)
    whole = edge_table(fit, window=WINDOW)
    pd.testing.assert_frame_equal(lifts, whole[lifts.columns])
    influence = joint_test(joint_fit(fit, window=WINDOW), lifts)
    leaders = pd.DataFrame({"group": [1, 1, 2, None]})
    counts = found_counts(lifts, influence, leaders)
    edges = set(whole.loc[whole["edge"], ["source", "target"]].itertuples(index=False, name=None))
    assert counts["edges"] == len(edges)
    assert counts["reverse"] == np.mean([(b, a) in edges for a, b in edges])
    assert counts["ordered"] == whole["ordered"].sum() > 0
    assert (counts["direct"], counts["groups"]) == (influence["direct"].sum(), 2)
