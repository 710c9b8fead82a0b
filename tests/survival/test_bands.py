"""Bands of survival curves by cluster: against a plain jackknife, against R, and against simulated truth."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import t as student

import diffusion
from diffusion.risk.kaplan_meier import KaplanMeier
from survival import CLUSTERS, Cluster, breakthrough, frame_waits
from survival.counting import clusters as clusters_module
from survival.counting.counted import CountedWaits
from survival.counting.frame import FrameClusters
from survival.curves import bands as bands_module
from survival.curves.bands import Steps, Sums
from survival.curves.clustered import Clustered
from survival.curves.grouping import Groups
from tests.conftest import REFERENCE, WriteCsv, steady
from tests.random_charts import Study, examples, studies
from tests.survival.waiting_worlds import CHECKED, WORLDS, drawn_entries, observed, true_survival

EXACT = 1e-12
"""Both sides add the same terms in another order."""

DERIVATIVE = 1e-5
"""The twin takes derivatives by differences of weights of 1e-4; their error is of the order of its square."""

STEP = 1e-4

BOUNDS = ["low", "high", "share_low", "share_high", "hazard_low", "hazard_high"]

Records = np.recarray[Any, Any]
"""Waits of one group: `start`, `days`, `entered`, `cluster`."""


# ── a plain twin ─────────────────────────────────────────────────────────────────────────────────────────────────────


def log_survival(waits: Records, weight: NDArray[np.float64], day: int) -> float:
    """Return the logarithm of the weighted Kaplan–Meier estimate, without days on which all at risk entered."""
    total = 0.0
    for at in range(1, day + 1):
        there = (waits["start"] < at) & (at <= waits["days"])
        went = there & waits["entered"] & (waits["days"] == at)
        if went.any() and went.sum() < there.sum():
            total += math.log1p(-weight[went].sum() / weight[there].sum())
    return total


class Plain(NamedTuple):
    """What a band is made of, by the definitions: see `survival.curves.bands.spreads`."""

    by_cluster: float
    greenwood: float
    freedom: float
    effective: float


def plain_spread(waits: Records, day: int) -> Plain:
    """Return what the band of one group on one day is made of."""
    influences, shares, left_out = [], [], 0.0
    greenwood, hazard = 0.0, {}
    for at in range(1, day + 1):
        there = (waits["start"] < at) & (at <= waits["days"])
        went = int((there & waits["entered"] & (waits["days"] == at)).sum())
        if 0 < went < there.sum():
            greenwood += went / (there.sum() * (there.sum() - went))
            hazard[at] = went / (there.sum() - went)
    for name in set(waits["cluster"]):
        own = waits["cluster"] == name
        more, less = (log_survival(waits, np.where(own, 1 + step, 1), day) for step in (STEP, -STEP))
        influence = (more - less) / (2 * STEP)
        share = 0.0
        for at, size in hazard.items():
            there = (waits["start"] < at) & (at <= waits["days"])
            share += size * (there & own).sum() / there.sum() / sum(hazard.values())
        influences.append(influence)
        shares.append(share)
        left_out += math.inf if share > 1 - 1e-9 else (influence / (1 - share)) ** 2
    squares, fourths = (sum(u**power for u in influences) for power in (2, 4))
    effective = math.nan if not greenwood else squares**2 / fourths if squares > 1e-12 * greenwood else 1.0
    return Plain(left_out, greenwood, 1 / sum(share**2 for share in shares) - 1 if hazard else 0.0, effective)


def plain_band(waits: Records, survival: float, day: int) -> tuple[float, float]:
    """Return the band of one group on one day on which not all at risk have entered so far."""
    if day == 0:
        return 1.0, 1.0
    if survival == 1:
        counts = [len(set(waits["cluster"][(waits["start"] < at) & (at <= waits["days"])])) for at in range(1, day + 1)]
        fewest = min((count for count in counts if count), default=0)
        return (0.025 ** (1 / fewest) if fewest else 0.0), 1.0
    plain = plain_spread(waits, day)
    if math.isinf(plain.by_cluster):
        return 0.0, 1.0
    error = math.sqrt(max(plain.by_cluster, plain.greenwood))
    reach = student.ppf(0.975, max(plain.freedom, 1)) * error / -math.log(survival)
    with np.errstate(over="ignore"):
        return float(survival ** np.exp(reach)), float(survival ** np.exp(-reach))


def with_artists(entries: diffusion.Entries, names: Sequence[str | None]) -> diffusion.Entries:
    """Return the entries with artists dealt to the tracks in turn."""
    ids = entries.timelines.track_ids
    artist = [names[place % len(names)] for place in range(len(ids))]
    artists = pa.table({"track_id": pa.array(ids, pa.string()), "artist": pa.array(artist, pa.string())})
    return replace(entries, described=artists)


@examples(60)
@given(
    drawn=studies(),
    names=st.sampled_from([["A"], ["A", "b, A", "B"], ["A", "a, c", None], ["A", "B", "C", "D", "E"]]),
    by=st.sampled_from(["none", "continent", "footprint_size"]),
    cluster=st.sampled_from(["artist", "track"]),
    block=st.sampled_from([1, 2, 4096]),
)
def test_bands_are_those_of_the_plain_twin(
    drawn: Study, names: list[str | None], by: str, cluster: Cluster, block: int
) -> None:
    entries = with_artists(drawn.open(), names)
    waits = entries.waits(horizon=40)
    if waits.empty:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clusters_module, "WAITS_AT_ONCE", block)
        result = breakthrough(entries, by=by, horizon=40, cluster=cluster)  # type: ignore[arg-type]
    continents = diffusion.reference_table().set_index("market")["continent"]
    label = {
        "none": waits["market"].map(lambda _: "all"),
        "continent": waits["market"].map(continents).fillna("continent not known"),
        "footprint_size": waits["footprint"].map(
            lambda size: "footprint 1 market" if size == 1 else "footprint 2-3 markets" if size < 4 else "more"
        ),
    }[by]
    artist = dict(zip(*entries.described.to_pydict().values(), strict=True))
    for track, name in artist.items():
        artist[track] = track if cluster == "track" or not name else "by " + name.split(",")[0].lower()
    waits["cluster"] = waits["track_id"].map(artist)
    for name, curve in result.curves.groupby("group"):
        own = waits.loc[label == name, ["start", "days", "entered", "cluster"]].to_records(index=False)
        last = int(curve["days"].iloc[-1])
        for day in sorted({0, 1, 2, 5, last // 2, last - 1, last} & set(curve["days"])):
            row = curve[curve["days"] == day].iloc[0]
            if row["survival"] == 0:
                assert row["low"] == 0 and 0 <= row["high"] <= 0.975
                continue
            found = (row["low"], row["high"])
            assert found == pytest.approx(plain_band(own, row["survival"], day), rel=0, abs=DERIVATIVE)
        effective = result.summary.set_index("group").loc[str(name), "effective_clusters"]
        assert effective == pytest.approx(plain_spread(own, last).effective, rel=1e-3, nan_ok=True)


# ── R ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def errors(waits: CountedWaits) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by day the errors of survival and of the cumulative hazard by the infinitesimal jackknife, as R has it."""
    groups = Groups.of(waits, pd.DataFrame(index=range(len(waits.values))), waits.horizon)
    curves = KaplanMeier.of(groups.at_risk, groups.entered)
    steps, sums = Steps.of(curves), Sums.of(curves)
    with pytest.MonkeyPatch.context() as patch:  # R does not divide by one minus the share
        patch.setattr(bands_module, "left_out", lambda influence, _: influence)
        assert isinstance(waits.clusters, FrameClusters)
        for block in waits.clusters.waits():
            sums.add(steps, Clustered.of(block, groups.of_cell, waits.horizon))
    return (np.sqrt(sums.variance) * curves.survival)[0], np.sqrt(sums.hazard)[0]


def test_errors_are_those_of_r() -> None:
    """R's `survival::survfit` with delayed entry, with and without `cluster`; see survival_band.R."""
    table = pd.read_csv(REFERENCE / "survival_band_waits.csv")
    answer = pd.read_csv(REFERENCE / "survival_band_survfit.csv").set_index("days")
    for name in ("track", "artist"):
        waits = frame_waits(table, days="days", entered="entered", start="start", cluster=name)
        curve = breakthrough(waits).curves.set_index("days").loc[answer.index]
        assert curve["at_risk"].to_list() == answer["at_risk"].to_list()
        assert curve["events"].to_list() == answer["events"].to_list()
        np.testing.assert_allclose(curve["survival"], answer["survival"], rtol=EXACT)
        np.testing.assert_allclose(errors(waits.counted(()))[0][answer.index], answer[name], rtol=1e-9)
    fit = KaplanMeier.of(waits.counted(()).at_risk[0], waits.counted(()).entered[0])
    np.testing.assert_allclose(
        np.sqrt(fit.variance)[answer.index] * answer["survival"], answer["independent"], rtol=1e-9
    )


def test_errors_of_classical_data_are_those_of_r() -> None:
    """Of survival and of the cumulative hazard, by institutions; see survival_groups.R."""
    answers = pd.read_csv(REFERENCE / "survival_groups_answers.csv", dtype={"group": str})
    table = pd.read_csv(REFERENCE / "survival_groups_rows.csv")
    checked = 0
    for (data, group), own in table[table["data"] != "cell"].groupby(["data", "group"]):
        known = answers[(answers["data"] == data) & (answers["group"] == str(group))].set_index("name")["value"]
        waits = frame_waits(own, days="days", entered="entered", start="start", cluster="cluster")
        of_survival, of_hazard = errors(waits.counted(()))
        for at in (30, 100, 200, 365):
            assert of_survival[at] == pytest.approx(known[f"robust_survival {at}"], rel=1e-9)
            assert of_hazard[at] == pytest.approx(known[f"robust_hazard {at}"], rel=1e-9)
            checked += 1
    assert checked == 28


# ── what an option may change ────────────────────────────────────────────────────────────────────────────────────────


def test_the_curve_is_the_same_for_every_cluster() -> None:
    with diffusion.open_sample() as charts:
        entries = charts.entries()
    found = {name: breakthrough(entries, by="continent", cluster=name) for name in CLUSTERS}
    plain = found["independent"].curves.drop(columns=BOUNDS)
    for result in found.values():
        curve = result.curves.drop(columns=BOUNDS)
        pd.testing.assert_frame_equal(curve, plain, check_exact=True)
    width = {name: (result.curves["high"] - result.curves["low"]).to_numpy() for name, result in found.items()}
    assert (width["artist"] >= width["independent"] - EXACT).all()
    assert (width["track"] >= width["independent"] - EXACT).all()
    assert np.median(width["artist"][1:] / np.maximum(width["independent"][1:], EXACT)) > 1.5
    assert found["independent"].summary["effective_clusters"].isna().all()
    bare = replace(entries, described=entries.described.slice(0, 0))
    assert breakthrough(bare, by="continent").curves.equals(found["track"].curves)


def test_an_unknown_cluster_is_an_error(write_csv: WriteCsv) -> None:
    with (
        diffusion.open_charts(write_csv(steady(60, {"us": {"x": 30}, "se": {}}))) as charts,
        pytest.raises(diffusion.SettingError, match="bands are by artist, track, independent, not by 'label'"),
    ):
        breakthrough(charts.entries(), cluster="label")  # type: ignore[arg-type]


def test_nobody_entered_and_all_entered_have_a_band(write_csv: WriteCsv) -> None:
    """Three tracks of one artist: the bound is Clopper and Pearson's for 0 of 3, or 0 of 1. Then all at risk enter."""
    none = steady(60, {"us": {"x": 30, "y": 31, "z": 32}, "se": {}})
    with diffusion.open_charts(write_csv(none)) as charts:
        curve = breakthrough(charts.entries(), horizon=20, cluster="track").curves
        by_artist = breakthrough(charts.entries(), horizon=20).curves
    assert curve[["low", "high"]].iloc[0].tolist() == [1, 1]
    np.testing.assert_allclose(curve["low"].iloc[1:], 0.025 ** (1 / 3), rtol=EXACT)
    np.testing.assert_allclose(by_artist["low"].iloc[1:], 0.025, rtol=EXACT)
    assert (curve["high"] == 1).all()
    every = steady(60, {"us": {"x": 30, "y": 31, "z": 32}, "se": {"x": 35, "y": 36, "z": 37}})
    with diffusion.open_charts(write_csv(every)) as charts:
        last = breakthrough(charts.entries(), horizon=20, cluster="track").curves.iloc[-1]
    assert (last["survival"], last["low"]) == (0, 0)
    assert last["high"] == pytest.approx(1 - 0.025 ** (1 / 3), rel=EXACT)


# ── coverage ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def calendar() -> diffusion.Calendar:
    """Twelve markets, each observed on 200 days."""
    return observed()


def coverage(
    calendar: diffusion.Calendar, world: str, runs: int, clusters: Sequence[Cluster] = ("artist",)
) -> dict[str, NDArray[np.float64]]:
    """Return, by cluster, the share of bands that hold the truth on each of the days checked."""
    setting = WORLDS[world]
    truth = true_survival(CHECKED, **{name: setting[name] for name in ("pace", "home") if name in setting}).mean(axis=1)
    held: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in clusters}
    for seed in range(runs):
        entries = drawn_entries(np.random.default_rng(seed), calendar, **setting)
        for name in clusters:
            curve = breakthrough(entries, cluster=name).curves.set_index("days").loc[CHECKED]
            held[name].append(((curve["low"] <= truth) & (truth <= curve["high"])).to_numpy())
    return {name: np.mean(found, axis=0) for name, found in held.items()}


@pytest.mark.slow
def test_bands_by_artist_hold_the_truth_and_independent_ones_do_not(calendar: diffusion.Calendar) -> None:
    found = coverage(calendar, "artists", 60, CLUSTERS)
    assert 0.90 <= found["artist"].mean() <= 0.99
    assert found["independent"].mean() < 0.85


@pytest.mark.slow
@pytest.mark.parametrize("world", [name for name in WORLDS if name != "one of a third"])
def test_bands_hold_the_truth_in_95_of_100(world: str, calendar: diffusion.Calendar) -> None:
    found = coverage(calendar, world, 1_000)["artist"]
    assert 0.93 <= found.mean() <= 0.97
    assert (found >= 0.92).all() and (found <= 0.98).all()


@pytest.mark.slow
def test_one_artist_of_a_third_of_all_tracks(calendar: diffusion.Calendar) -> None:
    """The band still holds the truth; where that artist makes the curve, the notes say so."""
    assert 0.93 <= coverage(calendar, "one of a third", 400)["artist"].mean() <= 0.98
    noted = {"artists": 0, "one of a third": 0}
    for world in noted:
        for seed in range(20):
            notes = breakthrough(drawn_entries(np.random.default_rng(seed), calendar, **WORLDS[world])).notes()
            noted[world] += any("few artists make the curve" in note for note in notes)
    assert noted["artists"] <= 2 and noted["one of a third"] >= 12
