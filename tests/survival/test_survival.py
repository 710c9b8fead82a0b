"""Survival curves: against lifelines row by row, against R, and against worked examples."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time

import diffusion
from survival import GROUPINGS, breakthrough, kaplan_meier
from tests.conftest import REFERENCE, WriteCsv, day, steady

TOLERANCE = 1e-12


@pytest.fixture(scope="module")
def entries() -> diffusion.Entries:
    with diffusion.open_sample() as charts:
        return charts.entries()


def test_counted_waits_give_the_curve_of_single_waits(entries: diffusion.Entries) -> None:
    result = breakthrough(entries, horizon=60, cluster="independent")
    waits = entries.waits(horizon=60).to_pandas()
    fit = KaplanMeierFitter().fit(
        waits["days"], waits["entered"], entry=np.where(waits["start"] > 0, waits["start"] + 0.5, 0)
    )
    curve = result.curves.set_index("days")
    alone = fit.survival_function_.iloc[:, 0].reindex(curve.index, method="ffill")
    np.testing.assert_allclose(curve["survival"], alone, rtol=TOLERANCE)
    band = fit.confidence_interval_.reindex(curve.index, method="ffill")
    np.testing.assert_allclose(curve[["low", "high"]], band, rtol=1e-9)
    assert curve["events"].sum() == waits["entered"].sum()
    mean = restricted_mean_survival_time(fit, t=60)
    assert result.summary["restricted_mean_days"][0] == pytest.approx(mean, rel=1e-9)


def test_curves_have_the_documented_shape(entries: diffusion.Entries) -> None:
    for by in GROUPINGS:
        result = breakthrough(entries, by=by)
        curves = result.curves
        assert list(curves.columns) == ["group", "days", "at_risk", "events", "survival", "low", "high"]
        assert curves[["group", "days"]].equals(curves.sort_values(["group", "days"])[["group", "days"]])
        first = curves.groupby("group").first()
        assert (first["days"] == 0).all()
        assert (first["survival"] == 1).all()
        assert (first["events"] == 0).all()
        for _, curve in curves.groupby("group"):
            assert curve["days"].tolist() == list(range(len(curve)))
            assert curve["at_risk"].iloc[-1] > 0
            assert (curve["low"] <= curve["survival"]).all()
            assert (curve["survival"] <= curve["high"]).all()
        assert result.summary["events"].sum() == curves["events"].sum()
        assert result.summary["waits"].sum() == entries.waits().num_rows
        short, few = result.notes()  # 98 days of charts do not reach 180 days, and a few artists travel most
        assert "follow-up ends before the horizon of 180 days" in short
        assert "few artists make the curve" in few


def test_delayed_entry_agrees_with_r() -> None:
    """R's `survival::survfit(Surv(start, stop, event) ~ 1, conf.type = "log-log")`; see delayed_entry.R."""
    waits = pd.read_csv(REFERENCE / "delayed_entry_waits.csv")
    answer = pd.read_csv(REFERENCE / "delayed_entry_survfit.csv")
    curve = kaplan_meier(waits.astype({"entered": bool}), horizon=100).set_index("days")
    there = curve.loc[answer["time"]]
    assert there["at_risk"].tolist() == answer["n_risk"].tolist()
    assert there["events"].tolist() == answer["n_event"].tolist()
    np.testing.assert_allclose(there["survival"], answer["surv"], rtol=1e-9)
    inside = answer["surv"].to_numpy() > 0  # R has no band where the curve is 0
    np.testing.assert_allclose(there["low"][inside], answer["lower"][inside], rtol=1e-9)
    np.testing.assert_allclose(there["high"][inside], answer["upper"][inside], rtol=1e-9)
    assert there[~inside][["survival", "low", "high"]].to_numpy().ravel().tolist() == [0, 0, 0]


def test_a_worked_example_with_a_late_launch(write_csv: WriteCsv) -> None:
    """x enters US on day 30, SE on day 36; Norway's chart begins on day 20, so waits there begin on day 48."""
    rows = steady(80, {"us": {"x": 30}, "se": {"x": 36}, "no": {}})
    rows = [row for row in rows if row["region"] != "no" or row["date"] >= day(20).isoformat()]
    with diffusion.open_charts(write_csv(rows)) as charts:
        entries = charts.entries()
    waits = {row["market"]: row for row in entries.waits().to_pylist() if row["track_id"] == "x"}
    assert set(waits) == {"SE", "NO"}
    assert (waits["SE"]["start"], waits["SE"]["days"], waits["SE"]["entered"]) == (0, 6, True)
    assert (waits["NO"]["start"], waits["NO"]["days"], waits["NO"]["entered"]) == (17, 49, False)
    curve = breakthrough(entries).curves.set_index("days")
    # the filler tracks of US and SE debuted in a washout: they are in no curve, and that of Norway too
    assert curve.loc[[0, 6, 7, 17, 18, 49], "at_risk"].tolist() == [1, 1, 0, 0, 1, 1]
    assert curve.loc[6, "survival"] == 0
    assert curve.index[-1] == 49
    notes = breakthrough(entries).notes()
    assert "every curve on day 49" in notes[0]
    assert "fell to 0 before other waits began" in notes[1]


def test_no_event_is_a_flat_curve(write_csv: WriteCsv) -> None:
    with diffusion.open_charts(write_csv(steady(60, {"us": {"x": 30}, "se": {}}))) as charts:
        result = breakthrough(charts.entries(), horizon=20)
    assert (result.curves["survival"] == 1).all()
    assert result.summary["events"].tolist() == [0]
    assert result.summary["median_days"].isna().all()
    assert result.summary["restricted_mean_days"].tolist() == [20]
    assert result.notes() == []


def test_nobody_at_risk_is_an_error(write_csv: WriteCsv) -> None:
    for regions in ({"us": {"x": 30}}, {"us": {"x": 3}, "se": {"x": 5}}):
        with (
            diffusion.open_charts(write_csv(steady(60, regions))) as charts,
            pytest.raises(diffusion.DataSaysNoError, match="no track is at risk"),
        ):
            breakthrough(charts.entries())
    with (
        diffusion.open_sample() as charts,
        pytest.raises(diffusion.SettingError, match="not by 'planet'"),
    ):
        breakthrough(charts.entries(), by="planet")  # type: ignore[arg-type]


def test_groups_say_what_they_are(write_csv: WriteCsv) -> None:
    rows = steady(60, {"de": {"x": 30}, "at": {"x": 40}, "jp": {}, "mt": {}})
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
