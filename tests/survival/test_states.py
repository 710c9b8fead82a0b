"""States of waits against R, a slow twin, Kaplan–Meier, and simulated truth."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import diffusion
import survival
from diffusion.arrays import Ints
from diffusion.risk.kaplan_meier import KaplanMeier
from survival import ClusterCounts, StateCounts
from survival.counting.clusters import SpanClusters
from survival.curves.aalen_johansen import AalenJohansen
from survival.curves.grouping import grouped
from survival.curves.state_bands import entered_band, influence
from survival.curves.times_away import StateGroups, TimesAway, by_pair
from tests.random_charts import RULES, Rules, examples, opened, padding, sources
from tests.survival.state_rows import ROWS, absences_by_track, extract, state_rows
from tests.twins import Row

REFERENCE = Path(__file__).parent.parent / "reference"

EXACT = 1e-9
"""R multiplies the same matrices in the same order."""

CUMINC = 1e-6
"""cmprsk multiplies in another order."""

MOVES = {
    "leave": ("charting", "left"),
    "come_back": ("left", "charting"),
    "enter_charting": ("charting", "entered"),
    "enter_left": ("left", "entered"),
}


def numbers(rows: pd.DataFrame, key: Ints, keys: int, length: int) -> list[Ints]:
    """Return, (keys, length) each, the counts of `StateCounts` of rows by key."""
    found = []
    for state in ("charting", "left"):
        own = (rows["from"] == state).to_numpy()
        moved = np.zeros((keys, length + 1), np.int64)
        np.add.at(moved, (key[own], rows["start"][own] + 1), 1)
        np.add.at(moved, (key[own], rows["stop"][own] + 1), -1)
        found.append(moved.cumsum(axis=1)[:, :length])
    for before, after in MOVES.values():
        own = ((rows["from"] == before) & (rows["to"] == after)).to_numpy()
        moved = np.zeros((keys, length), np.int64)
        np.add.at(moved, (key[own], rows["stop"][own]), 1)
        found.append(moved)
    return found


def fitted(rows: pd.DataFrame, by: str) -> tuple[AalenJohansen, ClusterCounts]:
    """Return the curve of rows, and the counts of their clusters."""
    length, cluster = int(rows["stop"].max()) + 1, np.unique(rows[by], return_inverse=True)[1]
    fit = AalenJohansen.of(StateCounts(*numbers(rows, np.zeros(len(rows), np.int64), 1, length)))
    clusters = int(cluster.max()) + 1
    parts = (part.T.astype(np.float64) for part in numbers(rows, cluster, clusters, length))
    return fit, ClusterCounts(np.zeros(clusters, np.int64), *parts)


def reference(name: str, rows_of: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of a set and R's answers."""
    rows = pd.read_csv(ROWS, keep_default_na=False)
    answers = pd.read_csv(REFERENCE / name)
    rows = rows[rows["set"] == rows_of.replace("landmark", "charts")]
    if rows_of == "landmark":
        rows = rows[rows["stop"] >= 10].assign(start=rows["start"].clip(lower=9))
    return rows.reset_index(drop=True), answers[answers["set"] == rows_of].set_index("days")


@pytest.mark.parametrize("name", ["charts", "landmark", "myeloid", "mgus2"])
def test_probabilities_and_errors_are_those_of_r(name: str) -> None:
    """Charts, also from day 10 on; responses that come and go, with delayed entry; and deaths, that end all."""
    rows, answer = reference("states_survfit.csv", name)
    for by, column in (("cluster", "error"), ("id", "error_id")):
        fit, clusters = fitted(rows, by)
        found, _ = influence(fit, clusters)
        error = np.sqrt((found**2).sum(axis=1))[answer.index]
        np.testing.assert_allclose(error, answer[column], rtol=EXACT, atol=EXACT)
    for state in ("charting", "left", "entered"):
        np.testing.assert_allclose(getattr(fit, state)[0, answer.index], answer[state], rtol=EXACT, atol=EXACT)
    for state in ("charting", "left"):
        there = getattr(fit.counts, state)[0, answer.index]
        assert there.tolist() == answer[f"at_risk_{state}"].to_list()
    assert len(answer) >= 40 and answer["entered"].max() > 0.08


@pytest.mark.parametrize("name", ["charts", "mgus2"])
def test_leaving_as_a_competing_end_is_cumulative_incidence(name: str) -> None:
    rows, answer = reference("states_cuminc.csv", name)
    fit, clusters = fitted(rows.drop_duplicates("id"), "cluster")
    error = np.sqrt((influence(fit, clusters)[0] ** 2).sum(axis=1))[answer.index]
    for state in ("entered", "left"):
        probability = getattr(fit, state)[0, answer.index]
        np.testing.assert_allclose(probability, answer[state], rtol=CUMINC, atol=CUMINC)
        np.testing.assert_allclose(probability, answer[f"{state}_survfit"], rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(error, answer["error"], rtol=EXACT, atol=EXACT)


def test_the_extract_of_the_charts_that_r_was_given_is_that_of_today() -> None:
    rows, _ = reference("states_survfit.csv", "charts")
    pd.testing.assert_frame_equal(rows, extract().fillna(""), check_dtype=False)


# ── counts of charts against the twin ────────────────────────────────────────────────────────────────────────────────


def twin_rows(entries: diffusion.Entries, absences: diffusion.Absences, horizon: int, terminal: bool) -> pd.DataFrame:
    """Return the times in states of all waits, one row after the other, with market and cluster."""
    waits = entries.arrow("waits", horizon=horizon).to_pylist()
    debuts = {row["track_id"]: row["debut"] for row in waits}
    away = absences_by_track(absences.table.to_pylist(), debuts)
    columns = ["id", "track_id", "start", "stop", "from", "to"]
    table = pd.DataFrame(state_rows(waits, away), columns=columns)
    if terminal:
        # a wait is followed until its track left for the first time, also where it was not at risk yet
        left = table["track_id"].map({track: min(own)[0] for track, own in away.items()}).fillna(np.inf)
        table = table[table["stop"] <= left]
    lines = entries.timelines
    table["market"] = [waits[number]["market"] for number in table["id"]]
    table["cluster"] = table["track_id"].map(dict(zip(lines.track_ids, lines.cluster.tolist(), strict=True)))
    return table.reset_index(drop=True)


def agree(found: survival.States, rows: pd.DataFrame) -> None:
    """Assert that the counts and shares of states are those of rows; groups are markets, or all."""
    groups = found.curves.groupby("group")
    key = rows["market"] if found.by == "market" else pd.Series("all", rows.index)
    assert set(groups.groups) == set(key)
    for name, curve in groups:
        own = rows[key == name].reset_index(drop=True)
        fit, _ = fitted(own, "cluster")
        length = len(curve)
        assert length == fit.entered.shape[1]
        for column, values in (("at_risk_charting", fit.counts.charting), ("at_risk_left", fit.counts.left)):
            assert curve[column].iloc[1:].to_list() == values[0, 1:].tolist()
        for column in MOVES:
            assert curve[column].to_list() == getattr(fit.counts, column)[0].tolist()
        for column in ("charting", "left", "entered"):
            np.testing.assert_allclose(curve[column], getattr(fit, column)[0], rtol=EXACT, atol=EXACT)
        np.testing.assert_allclose(curve[["charting", "left", "entered"]].sum(axis=1), 1, rtol=EXACT)
        summary = found.summary.set_index("group").loc[name]
        assert summary["waits"] == own["id"].nunique()
        assert summary["events"] == (own["to"] == "entered").sum()


@examples(30)
@given(
    rows=sources(),
    rules=RULES,
    periods=st.sampled_from([1, 1, 2, 3, 9]),
    by=st.sampled_from(["none", "market"]),
    terminal=st.booleans(),
)
def test_counts_are_those_of_the_twin(rows: list[Row], rules: Rules, periods: int, by: str, terminal: bool) -> None:
    with opened(rows + padding(rows)) as charts:
        try:
            entries = charts.entries(**rules.event)
            absences = charts.absences(periods=periods, identity=rules.event["identity"])
        except diffusion.DataSaysNoError:
            assume(False)
    cadence = entries.calendar.cadence
    if rules.horizon < cadence:
        with pytest.raises(diffusion.SettingError, match=f"charts come every {cadence} days"):
            survival.states(entries, absences, by=by, horizon=rules.horizon, terminal=terminal)
        return
    expected = twin_rows(entries, absences, rules.horizon // cadence * cadence, terminal)
    if expected.empty:
        with pytest.raises(diffusion.DataSaysNoError, match="at risk"):
            survival.states(entries, absences, by=by, horizon=rules.horizon, terminal=terminal)
        return
    agree(survival.states(entries, absences, by=by, horizon=rules.horizon, terminal=terminal), expected)


@pytest.fixture(scope="module")
def sample() -> tuple[diffusion.Entries, diffusion.Absences]:
    with diffusion.open_sample() as charts:
        return charts.entries(), charts.absences(periods=3)


Sample = tuple[diffusion.Entries, diffusion.Absences]


def test_a_shorter_horizon_cuts_the_curves_off(sample: Sample) -> None:
    entries, absences = sample
    short = survival.states(entries, absences, horizon=20, by="continent")
    cut = survival.states(survival.waits(entries, horizon=60), absences, horizon=20, by="continent")
    pd.testing.assert_frame_equal(short.curves, cut.curves)
    pd.testing.assert_frame_equal(short.summary, cut.summary)


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["US", "release"])
def test_other_clocks_have_the_counts_of_their_rows(sample: Sample, clock: str) -> None:
    """Since the entry into a market, and since the release; here up to nine days before the debut."""
    entries, absences = sample
    begins = {row["track_id"]: row["entry"] for row in entries.table.to_pylist() if row["market"] == "US"}
    tracks = None
    if clock == "release":
        debuts = entries.arrow("debuts").to_pylist()
        begins = {row["track_id"]: row["debut"] - timedelta(at % 10) for at, row in enumerate(debuts)}
        tracks = pd.DataFrame({"track_id": begins.keys(), "release_date": begins.values()})
    waiting = survival.waits(entries, clock=clock, horizon=30, tracks=tracks)
    waits = waiting.rows().to_dict("records")
    rows = pd.DataFrame(state_rows(waits, absences_by_track(absences.table.to_pylist(), begins)))
    rows["cluster"] = [waits[number]["artist"] for number in rows["id"]]
    agree(survival.states(waiting, absences), rows)


def test_clusters_have_the_counts_of_their_rows(sample: Sample) -> None:
    entries, absences = sample
    kept = entries.described.filter(pc.less(pc.utf8_lower(entries.described["artist"]), "c"))["track_id"]
    table = entries.table.filter(pc.is_in(entries.table["track_id"], kept))
    few = replace(entries, table=table)
    rows = twin_rows(few, absences, 40, False)
    rows = rows[rows["market"].isin(["SE", "US", "MX"])].reset_index(drop=True)
    waiting = survival.waits(few, horizon=40)
    away = TimesAway.of(few.timelines, absences, terminal=False)
    groups = grouped(replace(waiting, parts=away), pd.DataFrame({"market": ["SE", "US", "MX"], "g": ["N", "A", "A"]}),
                     horizon=None, cluster="artist")  # fmt: skip
    found: Counter[tuple[int, ...]] = Counter()
    clusters, place = groups.counted.clusters, StateGroups.of(groups).place
    assert isinstance(clusters, SpanClusters)
    for block in (pairs for waits in clusters.waits() for pairs in by_pair(waits, place, len(groups.names), 41)):
        parts = (block.charting, block.left, block.leave, block.come_back, block.enter_charting, block.enter_left)
        for at, curve in enumerate(block.curve):
            if block.charting[:, at].any() or block.left[:, at].any():
                found[curve, *(tuple(part[:, at].astype(int)) for part in parts)] += 1
    expected: Counter[tuple[int, ...]] = Counter()
    for curve, markets in enumerate((["US", "MX"], ["SE"])):
        own = rows[rows["market"].isin(markets)].reset_index(drop=True)
        cluster = np.unique(own["cluster"], return_inverse=True)[1]
        parts = numbers(own, cluster, int(cluster.max()) + 1, 41)
        for at in range(int(cluster.max()) + 1):
            expected[curve, *(tuple(part[at]) for part in parts)] += 1
    assert groups.names == ["A", "N"]
    assert found == expected and len(expected) > 60


def test_the_band_is_made_of_the_influence_of_all_clusters(sample: Sample) -> None:
    """Counted straight from entries, the band is that of rows."""
    entries, absences = sample
    rows = twin_rows(entries, absences, 10, False)
    fit, clusters = fitted(rows, "cluster")
    low, high, effective = entered_band(fit, [clusters])
    found = survival.states(entries, absences, horizon=10)
    np.testing.assert_allclose(found.curves["low"], low[0], rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(found.curves["high"], high[0], rtol=EXACT, atol=EXACT)
    assert found.summary["effective_clusters"][0] == pytest.approx(effective[0])
    alone = survival.states(entries, absences, horizon=10, cluster="independent")
    by_counts = survival.aalen_johansen(StateCounts(*(getattr(fit.counts, n)[0] for n in StateCounts.__slots__)))
    for column in ("entered", "low", "high"):
        np.testing.assert_allclose(alone.curves[column], by_counts[column], rtol=EXACT, atol=EXACT)
    assert ((found.curves["high"] - alone.curves["high"])[1:] > 0).all()


def test_what_happens_after_the_last_known_day_changes_nothing(sample: Sample, tmp_path: Path) -> None:
    entries, absences = sample
    until = date(2021, 5, 31)
    known = survival.states(survival.waits(entries, horizon=40, until=until), absences)
    source = Path(diffusion.__file__).parent / "data" / "top50_daily_2021.parquet"
    table = pq.read_table(source)
    column = next(name for name in table.schema.names if name == "date")
    pq.write_table(table.filter(pc.less_equal(table[column], pa.scalar(until.isoformat()).cast(table[column].type))),
                   tmp_path / "charts.parquet")  # fmt: skip
    with diffusion.open_charts(tmp_path / "charts.parquet") as charts:
        cut = survival.states(charts.entries(), charts.absences(periods=3), horizon=40)
    pd.testing.assert_frame_equal(known.curves, cut.curves)


# ── what the probabilities mean ──────────────────────────────────────────────────────────────────────────────────────


def one_day_counts(**days: Sequence[int]) -> StateCounts:
    """Return counts from lists by day; lists that are not named are 0."""
    length = len(next(iter(days.values())))
    return StateCounts(*(np.array(days.get(name, [0] * length)) for name in StateCounts.__slots__))


def test_with_complete_follow_up_it_is_kaplan_meier_and_with_censoring_it_is_not() -> None:
    # ten waits; four leave on day 1; on day 2 three of six charting and one of four that left enter
    whole = one_day_counts(charting=[0, 10, 6], left=[0, 0, 4], leave=[0, 4, 0], enter_charting=[0, 0, 3],
                           enter_left=[0, 0, 1])  # fmt: skip
    fit, curve = AalenJohansen.of(whole), KaplanMeier.of(whole.at_risk, whole.entered)
    np.testing.assert_allclose(fit.entered, curve.incidence, rtol=1e-15)
    np.testing.assert_allclose(fit.kaplan_meier(fit.variance).variance, curve.variance, rtol=1e-12)
    # three of those that left are censored after day 1: Kaplan–Meier takes them to enter like the seven others
    censored = one_day_counts(charting=[0, 10, 6], left=[0, 0, 1], leave=[0, 4, 0], enter_charting=[0, 0, 3],
                              enter_left=[0, 0, 0])  # fmt: skip
    assert KaplanMeier.of(censored.at_risk, censored.entered).incidence[2] == pytest.approx(3 / 7)
    assert AalenJohansen.of(censored).entered[2] == pytest.approx(0.6 * 3 / 6 + 0.4 * 0)


def test_with_complete_follow_up_entries_of_charts_are_those_of_breakthrough(sample: Sample) -> None:
    entries, absences = sample
    last = entries.calendar.last_date.toordinal()
    early = [row["track_id"] for row in entries.arrow("debuts").to_pylist() if row["debut"].toordinal() + 20 <= last]
    followed = replace(entries, table=entries.table.filter(pc.is_in(entries.table["track_id"], pa.array(early))))
    found = survival.states(followed, absences, horizon=20, by="continent")
    plain = survival.breakthrough(followed, horizon=20, by="continent")
    assert found.curves["leave"].sum() > 1_000 and found.curves["come_back"].sum() > 100
    np.testing.assert_allclose(found.curves["entered"], plain.curves["share_entered"], rtol=EXACT, atol=EXACT)
    summary = found.summary
    assert summary["events_after_left"].sum() > 5
    np.testing.assert_allclose(
        summary["share_entered_after_left"] * summary["waits"], summary["events_after_left"], rtol=EXACT, atol=EXACT
    )


def test_where_nobody_leaves_it_is_kaplan_meier_with_its_band(sample: Sample) -> None:
    entries, _ = sample
    nobody = diffusion.Absences(diffusion.contracts.ABSENCES.schema.empty_table(), "top50", 60)
    for cluster in ("artist", "track"):
        found = survival.states(entries, nobody, horizon=60, by="language_match", cluster=cluster)
        plain = survival.breakthrough(entries, horizon=60, by="language_match", cluster=cluster)
        np.testing.assert_allclose(found.curves["entered"], plain.curves["share_entered"], rtol=EXACT, atol=EXACT)
        assert (found.curves["left"] == 0).all()
        for bound in ("low", "high"):
            # a cluster's share is of entries expected here, of Greenwood's terms there: alike where few enter
            np.testing.assert_allclose(found.curves[bound], plain.curves[f"share_{bound}"], rtol=2e-3, atol=1e-12)
    assert "no track left every chart for 60 periods" in found.notes()[0]


@pytest.mark.slow
def test_entries_after_leaving_are_counted_and_shown(sample: Sample) -> None:
    entries, absences = sample
    found = survival.states(entries, absences, horizon=45)
    rows = twin_rows(entries, absences, 45, False)
    left = rows[rows["to"] == "left"].groupby("track_id")["stop"].min()
    went = rows[rows["to"] == "entered"]
    late = went["stop"] > went["track_id"].map(left).fillna(np.inf)
    (summary,) = found.summary.to_dict("records")
    assert summary["events_after_left"] == late.sum() > (went["from"] == "left").sum() > 0
    parts = summary["share_entered_before_left"] + summary["share_entered_after_left"]
    assert parts == pytest.approx(summary["share_entered"], rel=EXACT)
    assert summary["share_entered"] + summary["share_charting"] + summary["share_left"] == pytest.approx(1, rel=EXACT)
    last = found.curves.iloc[-1]
    assert 0 < last["entered_after_left"] < last["entered"]
    ended = survival.states(entries, absences, horizon=45, terminal=True)
    assert ended.summary["events"][0] == len(went) - late.sum()
    assert ended.summary["share_entered_after_left"][0] == ended.curves["come_back"].sum() == 0
    assert ended.summary["share_left"][0] > summary["share_left"]


def test_a_landmark_starts_with_those_who_are_there(sample: Sample) -> None:
    entries, absences = sample
    curves = survival.states(survival.waits(entries, horizon=40, landmark=10), absences).curves
    first = curves.iloc[11]
    for state in ("charting", "left"):
        assert curves[state][10] == curves[state][0] == first[f"at_risk_{state}"] / first["at_risk"]
    assert 0.1 < curves["left"][10] < 0.9
    assert (curves["entered"][:11] == 0).all()


# ── bad input, and the ends ──────────────────────────────────────────────────────────────────────────────────────────


def test_bounds_where_none_and_where_all_entered() -> None:
    nobody = one_day_counts(charting=[0, 5, 5], left=[0, 0, 0])
    table = survival.aalen_johansen(nobody)
    assert table["entered"].to_list() == table["low"].to_list() == [0, 0, 0]
    assert table["high"][2] == pytest.approx(1 - 0.025 ** (1 / 5))
    once = one_day_counts(charting=[0, 5, 0], left=[0, 0, 0], enter_charting=[0, 5, 0])
    table = survival.aalen_johansen(once)
    assert table["entered"].to_list() == [0, 1, 1] and table["high"].to_list()[1:] == [1, 1]
    assert table["low"][1] == pytest.approx(0.025 ** (1 / 5))
    left = one_day_counts(charting=[0, 5, 0], left=[0, 0, 5], leave=[0, 5, 0])
    assert survival.aalen_johansen(left)["left"].to_list() == [0, 1, 1]
    empty = one_day_counts(charting=[0, 0, 0])
    assert survival.aalen_johansen(empty)["charting"].to_list() == [1, 1, 1]


def test_one_cluster_knows_nothing_of_others() -> None:
    counts = one_day_counts(charting=[0, 5, 4], left=[0, 0, 0], enter_charting=[0, 1, 0])
    one = ClusterCounts(np.zeros(1, np.int64), *(getattr(counts, n)[:, None] * 1.0 for n in StateCounts.__slots__))
    table = survival.aalen_johansen(counts, [one])
    assert (table["low"][1], table["high"][1]) == (0, 1)


def test_more_moves_than_waits_are_refused() -> None:
    with pytest.raises(diffusion.SettingError, match="more waits move from the state 'left' than are in it"):
        one_day_counts(charting=[0, 5], left=[0, 1], come_back=[0, 1], enter_left=[0, 1])


def test_absences_of_other_charts_and_waits_that_change_are_refused(sample: Sample) -> None:
    entries, absences = sample
    for other, words in (
        (replace(absences, chart="viral50"), "chart 'top50', the absences 'viral50'"),
        (replace(absences, identity="recording"), "identity 'track', the absences 'recording'"),
    ):
        with pytest.raises(diffusion.SettingError, match=words):
            survival.states(entries, other)
    for setting in ({"complete": True}, {"updated": True}):
        with pytest.raises(diffusion.SettingError, match="without 'complete' and 'updated'"):
            survival.states(survival.waits(entries, **setting), absences)
    with pytest.raises(diffusion.SettingError, match="unknown variable 'contnent'; did you mean 'continent'"):
        survival.states(entries, absences, by="contnent")


# ── do the bands hold the truth? ─────────────────────────────────────────────────────────────────────────────────────


def drawn(generator: np.random.Generator, artists: int, days: int) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    """Yield artist and moves of tracks, day by day by the toss of a coin; artists differ in how fast theirs enter."""
    for artist in range(artists):
        luck = generator.gamma(0.7)
        for _ in range(1 + generator.poisson(7)):
            state, moves = "charting", []
            for day in range(1, days + 1):
                enter, move = {"charting": (0.012 * luck, 0.06), "left": (0.003 * luck, 0.03)}[state]
                toss = generator.random()
                if toss < enter:
                    moves.append(("entered", day))
                    break
                if toss < enter + move:
                    state = "left" if state == "charting" else "charting"
                    moves.append((state, day))
            yield artist, moves


def arrays_of(
    tracks: Iterator[tuple[int, list[tuple[str, int]]]], ends: np.random.Generator, days: int
) -> pd.DataFrame:
    """Return rows of times in states, followed for 10 days or more."""
    rows = []
    for number, (artist, moves) in enumerate(tracks):
        state, start, end = "charting", 0, int(ends.integers(10, 2 * days))
        for to, day in [*moves, ("", min(end, days))]:
            if start < day:
                rows.append((number, artist, start, min(day, end), state, to if day <= end else ""))
            state, start = to, day
            if day >= min(end, days) or to == "entered":
                break
    return pd.DataFrame(rows, columns=["id", "cluster", "start", "stop", "from", "to"])


def share_held(samples: int, artists: int, days: int, seed: int) -> tuple[float, float]:
    """Return the share of bands that hold the truth on the last day, and the same of bands of independent waits."""
    generator = np.random.default_rng(seed)
    large = [moves for _, moves in drawn(np.random.default_rng(1), 6_000, days)]
    truth = float(np.mean([bool(moves) and moves[-1][0] == "entered" for moves in large]))
    held = np.zeros(2)
    for _ in range(samples):
        rows = arrays_of(drawn(generator, artists, days), generator, days)
        fit, clusters = fitted(rows, "cluster")
        for at, blocks in enumerate(([clusters], None)):
            low, high, _ = entered_band(fit, blocks)
            held[at] += low[0, -1] <= truth <= high[0, -1]
    return tuple(held / samples)


@pytest.mark.slow
def test_bands_by_artist_hold_the_truth_where_those_of_independent_waits_do_not() -> None:
    by_artist, independent = share_held(150, 40, 40, seed=20261126)
    assert 0.90 <= by_artist <= 0.99
    assert independent <= 0.88


@pytest.mark.slow
@pytest.mark.parametrize("artists", [25, 100])
def test_bands_by_artist_hold_the_truth_in_many_samples(artists: int) -> None:
    by_artist, _ = share_held(1_500, artists, 40, seed=artists)
    assert 0.93 <= by_artist <= 0.97
