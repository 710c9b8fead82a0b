"""Survival curves by group: against lifelines and plain counts row by row, against R, and against worked examples."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter, NelsonAalenFitter
from lifelines.utils import restricted_mean_survival_time

import diffusion
import survival
from survival import GROUPINGS, breakthrough, frame_waits
from tests.conftest import REFERENCE, WriteCsv, day, steady

TOLERANCE = 1e-12

CURVES = [
    "group", "days", "at_risk", "events", "survival", "low", "high", "share_entered", "share_low", "share_high",
    "cumulative_hazard", "hazard_low", "hazard_high",
]  # fmt: skip


@pytest.fixture(scope="module")
def entries() -> diffusion.Entries:
    with diffusion.open_sample() as charts:
        return charts.entries()


@pytest.fixture(scope="module")
def rows(entries: diffusion.Entries) -> pd.DataFrame:
    """Waits one by one, up to day 60."""
    return entries.waits(horizon=60)


# ── row by row ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_counted_waits_give_the_curve_of_single_waits(entries: diffusion.Entries, rows: pd.DataFrame) -> None:
    result = breakthrough(entries, horizon=60, cluster="independent")
    late = np.where(rows["start"] > 0, rows["start"] + 0.5, 0)
    fit = KaplanMeierFitter().fit(rows["days"], rows["entered"], entry=late)
    curve = result.curves.set_index("days")
    alone = fit.survival_function_.iloc[:, 0].reindex(curve.index, method="ffill")
    np.testing.assert_allclose(curve["survival"], alone, rtol=TOLERANCE)
    band = fit.confidence_interval_.reindex(curve.index, method="ffill")
    np.testing.assert_allclose(curve[["low", "high"]], band, rtol=1e-9)
    assert curve["events"].sum() == rows["entered"].sum()
    summary = result.summary.iloc[0]
    mean = restricted_mean_survival_time(fit, t=60)
    assert summary["restricted_mean_days"] == pytest.approx(mean, rel=1e-9)
    hazard = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(rows["days"], rows["entered"], entry=late)
    other = hazard.cumulative_hazard_.iloc[:, 0].reindex(curve.index, method="ffill")
    np.testing.assert_allclose(curve["cumulative_hazard"], other, rtol=1e-9)
    bounds = hazard.confidence_interval_.reindex(curve.index, method="ffill")
    np.testing.assert_allclose(curve[["hazard_low", "hazard_high"]].iloc[1:], bounds.iloc[1:], rtol=1e-9)


def plain_counts(rows: pd.DataFrame, at_risk_on: int) -> tuple[int, int, int, int]:
    """Return the waits, the entries, and those at risk and entering on a day."""
    there = (rows["start"] < at_risk_on) & (rows["days"] >= at_risk_on)
    return (
        len(rows),
        int(rows["entered"].sum()),
        int(there.sum()),
        int((there & rows["entered"] & (rows["days"] == at_risk_on)).sum()),
    )


@pytest.mark.slow
@pytest.mark.parametrize("cluster", ["artist", "independent"])
def test_groups_of_origin_and_market_are_counted_exactly(
    entries: diffusion.Entries, rows: pd.DataFrame, cluster: survival.Cluster
) -> None:
    """A wait counts once for each market of its track's footprint."""
    footprints = entries.footprints()[["track_id", "market"]].rename(columns={"market": "origin"})
    joined = rows.merge(footprints, on="track_id")
    result = breakthrough(entries, by=("origin", "market"), horizon=60, cluster=cluster)
    found = result.groups.merge(result.summary, on="group").set_index(["origin", "market"])
    on_day_3 = result.curves[result.curves["days"] == 3].set_index("group")
    grouped = dict(iter(joined.groupby(["origin", "market"])))
    assert set(found.index) == set(grouped) and len(grouped) > 4_000
    for place, (pair, own) in enumerate(grouped.items()):
        row = found.loc[pair]
        assert (row["group"], row["waits"], row["events"]) == (" → ".join(pair), len(own), own["entered"].sum())
        if place % 50 == 0 and row["followed_to"] >= 3:
            there = on_day_3.loc[row["group"]]
            assert (row["waits"], row["events"], there["at_risk"], there["events"]) == plain_counts(own, 3)
    by_origin = breakthrough(entries, by="origin", horizon=60, cluster=cluster).summary.set_index("group")["waits"]
    assert by_origin.to_dict() == joined.groupby("origin").size().to_dict()


def test_a_table_of_groups_groups_markets_tracks_and_pairs(entries: diffusion.Entries, rows: pd.DataFrame) -> None:
    regions = pd.DataFrame({"market": ["SE", "NO", "US", "QQ"], "region": ["nordic", "nordic", "america", "nowhere"]})
    result = breakthrough(entries, by=regions, horizon=60)
    nordic = rows["market"].isin(["SE", "NO"])
    assert result.summary.set_index("group")["waits"].to_dict() == {
        "america": int((rows["market"] == "US").sum()),
        "nordic": int(nordic.sum()),
    }
    assert result.by == "region" and result.absent == ("nowhere",)
    assert any("nobody is at risk in 'nowhere'" in note for note in result.notes())
    some = rows["track_id"].unique()[:90]
    tracks = pd.DataFrame({"track_id": some, "batch": np.arange(90) % 3})
    batch = rows["track_id"].map(dict(zip(some, np.arange(90) % 3, strict=True)))
    found = breakthrough(entries, by=tracks, horizon=60).summary.set_index("group")["waits"]
    assert found.to_dict() == {f"{key:.0f}": size for key, size in rows.groupby(batch).size().items()}
    pairs = pd.DataFrame({"source": ["US", "GB", "US"], "target": ["SE", "SE", "NO"], "way": ["east", "east", "north"]})
    origin = entries.footprints()[["track_id", "market"]].rename(columns={"market": "source"})
    joined = rows.rename(columns={"market": "target"}).merge(origin, on="track_id").merge(pairs)
    found = breakthrough(entries, by=pairs, horizon=60).summary.set_index("group")["waits"]
    assert found.to_dict() == joined.groupby("way").size().to_dict()


def test_a_shorter_horizon_is_that_of_waits_so_long(entries: diffusion.Entries) -> None:
    """Waits counted up to day 90 and read up to day 60 give the curves of waits up to day 60, bands and all."""
    longer = survival.waits(entries, horizon=90)
    for cluster in survival.CLUSTERS:
        short = breakthrough(longer, by="continent", horizon=60, cluster=cluster)
        alone = breakthrough(entries, by="continent", horizon=60, cluster=cluster)
        pd.testing.assert_frame_equal(short.curves, alone.curves, rtol=TOLERANCE)
        pd.testing.assert_frame_equal(short.summary, alone.summary, rtol=1e-9)


# ── R ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_curves_of_classical_data_agree_with_r() -> None:
    """Curves, bands, cumulative hazards, medians with intervals and restricted means; see survival_groups.R."""
    answers = pd.read_csv(REFERENCE / "survival_groups_answers.csv", dtype={"group": str})
    checked = 0
    for data, frame in pd.read_csv(REFERENCE / "survival_groups_rows.csv").groupby("data"):
        waits = frame_waits(frame, days="days", entered="entered", start="start")
        result = breakthrough(waits, by="group", cluster="independent")
        means = survival.restricted_mean(waits, by="group", days=365, cluster="independent").table.set_index("group")
        table = answers[answers["data"] == data].set_index(["group", "name"])["value"]
        summary = result.summary.set_index("group")
        for group, curve in result.curves.set_index("days").groupby("group"):
            known = table[str(group)]
            for name in ("median_days", "median_low", "median_high"):
                if data != "delayed" and known.notna()[name]:
                    assert summary.loc[str(group), name] == known[name]
            for name in ("restricted_mean_days", "standard_error"):
                assert means.loc[str(group), name] == pytest.approx(known[name], rel=1e-9)
            for at in (30, 100, 200, 365):
                for name in ("survival", "low", "high", "cumulative_hazard"):
                    if np.isnan(known[f"{name} {at}"]):  # R has no band where the curve is 0
                        assert curve["survival"].loc[:at].iloc[-1] == 0
                        continue
                    assert curve[name].loc[:at].iloc[-1] == pytest.approx(known[f"{name} {at}"], rel=1e-9)
                    checked += 1
    assert checked > 100


def test_delayed_entry_agrees_with_r() -> None:
    """R's `survival::survfit(Surv(start, stop, event) ~ 1, conf.type = "log-log")`; see delayed_entry.R."""
    counted = pd.read_csv(REFERENCE / "delayed_entry_waits.csv")
    single = counted.loc[counted.index.repeat(counted["waits"])]
    answer = pd.read_csv(REFERENCE / "delayed_entry_survfit.csv")
    waits = frame_waits(single, days="days", entered="entered", start="start")
    there = breakthrough(waits, cluster="independent").curves.set_index("days").loc[answer["time"]]
    assert there["at_risk"].tolist() == answer["n_risk"].tolist()
    assert there["events"].tolist() == answer["n_event"].tolist()
    np.testing.assert_allclose(there["survival"], answer["surv"], rtol=1e-9)
    inside = answer["surv"].to_numpy() > 0  # R has no band where the curve is 0
    np.testing.assert_allclose(there["low"][inside], answer["lower"][inside], rtol=1e-9)
    np.testing.assert_allclose(there["high"][inside], answer["upper"][inside], rtol=1e-9)
    assert there[~inside][["survival", "low", "high"]].to_numpy().ravel().tolist() == [0, 0, 0]


# ── what comes back ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_curves_have_the_documented_shape(entries: diffusion.Entries) -> None:
    for by in GROUPINGS:
        result = breakthrough(entries, by=by)
        curves = result.curves
        assert list(curves.columns) == CURVES
        assert curves[["group", "days"]].equals(curves.sort_values(["group", "days"])[["group", "days"]])
        first = curves.groupby("group").first()
        assert (first["days"] == 0).all()
        assert (first["survival"] == 1).all()
        assert (first["events"] == 0).all()
        for _, curve in curves.groupby("group"):
            assert curve["days"].tolist() == list(range(len(curve)))
            assert curve["at_risk"].iloc[-1] > 0
            for low, middle, high in (
                ("low", "survival", "high"),
                ("share_low", "share_entered", "share_high"),
                ("hazard_low", "cumulative_hazard", "hazard_high"),
            ):
                assert (curve[low] <= curve[middle]).all() and (curve[middle] <= curve[high]).all()
            np.testing.assert_allclose(curve["share_entered"], 1 - curve["survival"], atol=TOLERANCE)
        assert result.summary["events"].sum() == curves["events"].sum()
        assert result.summary["waits"].sum() == entries.arrow("waits").num_rows
        short, few = result.notes()  # 98 days of charts do not reach 180 days, and a few artists travel most
        assert "follow-up ends before the horizon of 180 days" in short
        assert "few artists make the curve" in few


def test_curves_are_fits_of_lifelines_too(entries: diffusion.Entries) -> None:
    result = breakthrough(entries, by="continent", horizon=60, cluster="independent")
    wide, bounds = result.survival_function_, result.confidence_interval_
    fits = result.to_lifelines()
    assert [*wide] == [*fits] == result.summary["group"].tolist()
    for name, fit in fits.items():
        own = fit.survival_function_[name].reindex(wide.index, method="ffill")
        np.testing.assert_allclose(wide[name], own, rtol=TOLERANCE)
        columns = [f"{name}_lower_0.95", f"{name}_upper_0.95"]
        band = fit.confidence_interval_[columns].reindex(wide.index, method="ffill")
        np.testing.assert_allclose(bounds[columns].iloc[1:], band.iloc[1:], rtol=1e-9)
        assert result.median_survival_time_[name] == fit.median_survival_time_ == np.inf
        last = result.cumulative_hazard_[name].iloc[-1]
        assert last == pytest.approx(-np.log(own.iloc[-1]), rel=1e-3)


def test_a_frame_gives_medians_as_lifelines_has_them() -> None:
    frame = pd.DataFrame({"days": [3, 5, 5, 8, 9, 4], "entered": [1, 1, 0, 1, 0, 1], "who": list("aaabbb")})
    result = breakthrough(frame_waits(frame, days="days", entered="entered"), by="who")
    fits = result.to_lifelines()
    assert result.summary["median_days"].tolist() == [fits[name].median_survival_time_ for name in "ab"] == [5, 8]


def test_groups_say_what_they_are(write_csv: WriteCsv) -> None:
    rows = steady(60, {"de": {"x": 30}, "at": {"x": 40}, "jp": {}, "Simulated XA": {}})
    with diffusion.open_charts(write_csv(rows)) as charts:
        entries = charts.entries()
    summaries = {by: breakthrough(entries, by=by).summary.set_index("group") for by in GROUPINGS}
    assert summaries["none"].index.tolist() == ["all"]
    assert summaries["continent"].index.tolist() == ["Asia", "Europe", "continent not known"]
    assert summaries["language_match"].index.tolist() == [
        "language not known", "no shared language", "shared language",
    ]  # fmt: skip
    assert summaries["language_match"].loc["shared language", "events"] == 1
    assert summaries["footprint_size"].index.tolist() == ["footprint 1 market"]
    assert summaries["none"].loc["all", "waits"] == 3
    assert entries.calendar.last_date == day(0) + timedelta(days=59)


# ── ends of the range ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_worked_example_with_a_late_launch(write_csv: WriteCsv) -> None:
    """x enters US on day 30, SE on day 36; Norway's chart begins on day 20, so waits there begin on day 48."""
    rows = steady(80, {"us": {"x": 30}, "se": {"x": 36}, "no": {}})
    rows = [row for row in rows if row["region"] != "no" or row["date"] >= day(20).isoformat()]
    with diffusion.open_charts(write_csv(rows)) as charts:
        entries = charts.entries()
    waits = {row["market"]: row for row in entries.arrow("waits").to_pylist() if row["track_id"] == "x"}
    assert set(waits) == {"SE", "NO"}
    assert (waits["SE"]["start"], waits["SE"]["days"], waits["SE"]["entered"]) == (0, 6, True)
    assert (waits["NO"]["start"], waits["NO"]["days"], waits["NO"]["entered"]) == (17, 49, False)
    result = breakthrough(entries)
    curve = result.curves.set_index("days")
    # the filler tracks of US and SE debuted in a washout: they are in no curve, and that of Norway too
    assert curve.loc[[0, 6, 7, 17, 18, 49], "at_risk"].tolist() == [1, 1, 0, 0, 1, 1]
    assert curve.loc[6, "survival"] == 0
    assert curve.index[-1] == 49
    assert "every curve on day 49" in result.notes()[0]
    assert "fell to 0 before other waits began" in result.notes()[1]
    with pytest.raises(diffusion.DataSaysNoError, match="nobody in 'all' is at risk on day 7, but later"):
        result.to_lifelines()


def test_no_event_is_a_flat_curve(write_csv: WriteCsv) -> None:
    with diffusion.open_charts(write_csv(steady(60, {"us": {"x": 30}, "se": {}}))) as charts:
        result = breakthrough(charts.entries(), horizon=20)
    assert (result.curves["survival"] == 1).all() and (result.curves["cumulative_hazard"] == 0).all()
    # of one artist nothing is known: one of 40 would not have entered by chance if all but 1 of 40 did
    np.testing.assert_allclose(result.curves["hazard_high"].iloc[1:], -np.log(0.025))
    summary = result.summary.iloc[0]
    assert (summary["events"], summary["restricted_mean_days"]) == (0, 20)
    assert pd.isna(summary["median_days"]) and summary["median_low"] == 1 and pd.isna(summary["median_high"])
    assert pd.isna(summary["restricted_mean_low"]) and pd.isna(summary["restricted_mean_high"])
    assert summary["share_entered"] == summary["share_low"] == 0 and summary["share_high"] == pytest.approx(0.975)
    assert result.notes() == []


def test_one_subject_all_events_and_a_group_that_begins_too_late() -> None:
    one = frame_waits(pd.DataFrame({"days": [4], "entered": [1]}), days="days", entered="entered")
    assert breakthrough(one).curves["survival"].tolist() == [1, 1, 1, 1, 0]
    frame = pd.DataFrame(
        {"days": [2, 3, 9], "entered": [1, 1, 1], "start": [0, 0, 6], "who": ["a", "a", "b"], "by": [1, 2, 3]}
    )
    waits = frame_waits(frame, days="days", entered="entered", start="start", cluster="by")
    result = breakthrough(waits, by="who", horizon=5)
    assert result.summary["group"].tolist() == ["a"] and result.absent == ("b",)
    assert "by who: follow-up ends before the horizon of 5 days; stopped: every curve on day 3" in result.notes()
    assert "by who: nobody is at risk in 'b'" in result.notes()
    last = result.curves.iloc[-1]
    assert (last["survival"], last["cumulative_hazard"]) == (0, 1.5)
    assert 0 < last["hazard_low"] < 1.5 < last["hazard_high"]
    with pytest.raises(diffusion.DataSaysNoError, match="nobody is at risk in a group in the first 5 days"):
        breakthrough(frame_waits(frame[2:], days="days", entered="entered", start="start"), horizon=5)


def test_nobody_at_risk_is_an_error(write_csv: WriteCsv) -> None:
    for regions in ({"us": {"x": 30}}, {"us": {"x": 3}, "se": {"x": 5}}):
        with (
            diffusion.open_charts(write_csv(steady(60, regions))) as charts,
            pytest.raises(diffusion.DataSaysNoError, match="no track is at risk"),
        ):
            breakthrough(charts.entries())


def test_what_cannot_be_grouped_is_refused(entries: diffusion.Entries) -> None:
    with pytest.raises(diffusion.SettingError, match="unknown variable 'continents'; did you mean 'continent'"):
        breakthrough(entries, by="continents")
    with pytest.raises(diffusion.SettingError, match="horizon is 0 days"):
        breakthrough(entries, horizon=0)
    for table in ({"market": ["SE"]}, {"market": ["SE"], "a": [1], "b": [2]}, {"source": ["SE"], "a": [1]}):
        with pytest.raises(diffusion.SettingError, match="a table of groups has one column of groups beside"):
            breakthrough(entries, by=pd.DataFrame(table))
    twice = pd.DataFrame({"source": ["SE", "SE"], "target": ["NO", "NO"], "way": ["a", "b"]})
    with pytest.raises(diffusion.SettingError, match="the table of groups has SE, NO more than once"):
        breakthrough(entries, by=twice)
    frame = frame_waits(pd.DataFrame({"days": [4], "entered": [1]}), days="days", entered="entered")
    with pytest.raises(diffusion.SettingError, match="of a frame, name the column with the groups"):
        breakthrough(frame, by=pd.DataFrame({"market": ["SE"], "region": ["nordic"]}))
