"""Simulated charts beside real ones: the rates they are drawn with, measured again on both in the same way."""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from importlib import resources
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from diffusion.conventions import WASHOUT
from diffusion.simulation import Simulation, Switches, rates, simulate
from diffusion.simulation.charts import draw_dates

FRIDAY = 5


@dataclass(frozen=True)
class Charts:
    """Chart rows and entries of timed tracks (debut after the first washout), `lag` in days after the debut."""

    rows: pl.DataFrame
    entries: pl.DataFrame
    tracks: pl.DataFrame

    def reach(self, markets: int) -> float:
        """Return the share of tracks that reach that many markets."""
        return float((self.tracks["markets"] >= markets).mean())  # type: ignore[arg-type]

    def footprint(self, markets: int) -> float:
        """Return the share of tracks with that many markets on their first date."""
        return float((self.tracks["footprint"] >= markets).mean())  # type: ignore[arg-type]

    def later(self) -> pl.DataFrame:
        """Return the entries after day 0."""
        return self.entries.filter(pl.col("lag") > 0)

    def stays(self) -> list[float]:
        """Return the quartiles of the charts that an entry stays on."""
        return [float(self.entries["rows"].quantile(q) or 0) for q in (0.25, 0.5, 0.75)]

    def tied(self) -> float:
        """Return the share of the entries of tracks with several markets that share their date with another."""
        several = self.entries.filter(pl.col("markets") > 1)
        return float((several.select(pl.len().over("track_id", "entry")).to_series() > 1).mean())  # type: ignore[arg-type]

    def friday(self, broad: int) -> float:
        """Return the share of debuts on a Friday, in a week without missing dates, with `broad` or more markets."""
        dates = self.rows.select("date").unique().sort("date")
        whole = dates.filter(pl.col("date").diff().dt.total_days() == 1)
        debuts = self.tracks.filter(pl.col("footprint") >= broad).group_by(date="debut").len()
        by_day = whole.join(debuts, on="date", how="left").filter(pl.col("date") >= self.tracks["debut"].min())
        on = pl.col("date").dt.weekday() == FRIDAY
        means = [by_day.filter(there)["len"].fill_null(0).mean() for there in (on, ~on)]
        friday, other = (float(mean) for mean in means)  # type: ignore[arg-type]
        return friday / (friday + 6 * other)

    def missing(self, cadence: int) -> float:
        """Return the share of dates on which no market was observed."""
        dates = self.rows["date"].unique()
        first, last = dates.min(), dates.max()
        assert isinstance(first, date)
        assert isinstance(last, date)
        return 1 - len(dates) / ((last - first).days // cadence + 1)


def measured(rows: pl.DataFrame) -> Charts:
    """Return the entries of charts with `market`, `date`, `track_id` …, Global left out."""
    rows = rows.filter(pl.col("market").str.to_lowercase() != "global")
    opened = rows.group_by("market").agg(opened=pl.col("date").min())
    entries = (
        rows.group_by("market", "track_id").agg(entry=pl.col("date").min(), rows=pl.len()).join(opened, on="market")
    )
    entries = entries.with_columns(censored=(pl.col("entry") - pl.col("opened")).dt.total_days() < WASHOUT)
    tracks = entries.group_by("track_id").agg(
        debut=pl.col("entry").min(),
        markets=pl.len(),
        footprint=(pl.col("entry") == pl.col("entry").min()).sum(),
        unknown=pl.col("censored").filter(pl.col("entry") == pl.col("entry").min()).all(),
    )
    tracks = tracks.filter(~pl.col("unknown"))
    timed = entries.filter(~pl.col("censored")).join(tracks, on="track_id")
    timed = timed.with_columns(lag=(pl.col("entry") - pl.col("debut")).dt.total_days())
    return Charts(rows, timed, tracks)


def simulated(simulation: Simulation) -> Charts:
    """Return the entries of simulated charts."""
    with tempfile.TemporaryDirectory() as folder:
        simulate(simulation, folder)
        rows = pl.read_csv(Path(folder) / "charts" / "charts.csv", try_parse_dates=True)
    return measured(rows.rename({"region": "market"}).with_columns(track_id=pl.col("url").str.split("/").list.last()))


@pytest.fixture(scope="module")
def sample() -> Charts:
    """Return the packaged charts: 67 countries, daily, spring 2021."""
    with resources.files("diffusion").joinpath("data", "top50_daily_2021.parquet").open("rb") as file:
        rows = pl.read_parquet(file)
    rows = rows.rename({"region": "market"}).with_columns(
        pl.col("date").cast(pl.Date), track_id=pl.col("url").str.split("/").list.last()
    )
    return measured(rows)


@pytest.fixture(scope="module")
def like_sample() -> list[Charts]:
    """Return simulated charts of the sample's size, from four networks; no market launches late, as none does there."""
    usual = Simulation(
        tracks=3137, markets=67, days=98, start=date(2021, 3, 25), depth=50, switches=Switches(launches=False)
    )
    return [simulated(replace(usual, seed=seed)) for seed in range(1, 5)]


def mean(charts: Iterable[Charts], measure: Callable[[Charts], float]) -> float:
    return float(np.mean([measure(one) for one in charts]))


def later(charts: Charts) -> float:
    """Return entries after day 0 per track."""
    return len(charts.later()) / len(charts.tracks)


def test_as_many_tracks_travel_as_far(sample: Charts, like_sample: list[Charts]) -> None:
    """Tracks of the model are alike but for their footprint, real ones are not: more of ours reach a second market."""
    assert mean(like_sample, lambda charts: len(charts.tracks)) == pytest.approx(len(sample.tracks), rel=0.05)
    assert sample.reach(2) < mean(like_sample, lambda charts: charts.reach(2)) < sample.reach(2) + 0.10
    for markets, tolerance in ((5, 0.010), (10, 0.015), (20, 0.006), (30, 0.004)):
        ours = mean(like_sample, lambda charts, markets=markets: charts.reach(markets))  # type: ignore[misc]
        assert ours == pytest.approx(sample.reach(markets), abs=tolerance), markets


def test_footprints_and_ties_are_as_frequent(sample: Charts, like_sample: list[Charts]) -> None:
    for markets, tolerance in ((2, 0.025), (5, 0.010), (10, 0.008)):
        ours = mean(like_sample, lambda charts, markets=markets: charts.footprint(markets))  # type: ignore[misc]
        assert ours == pytest.approx(sample.footprint(markets), abs=tolerance), markets
    assert mean(like_sample, Charts.tied) == pytest.approx(sample.tied(), abs=0.16)


def test_entries_come_as_late(sample: Charts, like_sample: list[Charts]) -> None:
    assert mean(like_sample, later) == pytest.approx(later(sample), abs=0.06)
    for quantile, tolerance in ((0.25, 0.5), (0.5, 1.0), (0.75, 2.0)):
        lags = [float(charts.later()["lag"].quantile(quantile) or 0) for charts in (sample, *like_sample)]
        assert np.mean(lags[1:]) == pytest.approx(lags[0], abs=tolerance), quantile


def test_fridays_are_release_days(sample: Charts, like_sample: list[Charts]) -> None:
    for broad, tolerance in ((1, 0.03), (2, 0.10), (5, 0.06)):
        ours = mean(like_sample, lambda charts, broad=broad: charts.friday(broad))  # type: ignore[misc]
        assert ours == pytest.approx(sample.friday(broad), abs=tolerance), broad


def test_dates_are_missing_as_often() -> None:
    for cadence in (1, 7):
        due = 2_000_000 // cadence
        dates = draw_dates(np.random.default_rng(1), days=due * cadence, cadence=cadence, gaps=True)
        assert 1 - len(dates) / due == pytest.approx(rates.GAP_SHARE[cadence], rel=0.05)
    assert rates.GAP_SHARE[1] == pytest.approx(9 / 98)


def test_tracks_stay_as_long_on_charts_as_deep(sample: Charts, like_sample: list[Charts]) -> None:
    ours = np.mean([charts.stays() for charts in like_sample], axis=0)
    for mine, real, tolerance in zip(ours, sample.stays(), (1, 2, 6), strict=True):
        assert mine == pytest.approx(real, abs=tolerance)
    assert sample.missing(1) == pytest.approx(rates.GAP_SHARE[1], abs=0.001)
    for charts in like_sample:
        depths = charts.rows.group_by("market", "date").len()["len"]
        assert depths.quantile(0.05) == depths.max() == 50


def test_ids_titles_and_artists_collide_as_often(sample: Charts, like_sample: list[Charts]) -> None:
    def collisions(charts: Charts) -> list[float]:
        tracks = charts.rows.unique("track_id")
        first = pl.col("artist").str.split(", ").list.first()
        several = tracks.group_by("title", first).len()["len"] > 1
        titles = tracks.group_by("title").len()["len"] > 1
        beyond = tracks["title"].str.contains(r"[^\x00-\x7f]")
        many = tracks["artist"].str.contains(", ", literal=True)
        return [float(share.mean()) for share in (several, titles, beyond, many)]  # type: ignore[arg-type]

    ours = np.mean([collisions(charts) for charts in like_sample], axis=0)
    assert 0.04 <= ours[0] <= 0.06
    for mine, real, tolerance in zip(ours, collisions(sample), (0.015, 0.02, 0.10, 0.03), strict=True):
        assert mine == pytest.approx(real, abs=tolerance)


def weekly(path: Path) -> pl.DataFrame:
    rows = pl.read_parquet(path).rename({"URL": "url", "Position": "rank"})
    rows = rows.rename({"country" if "country" in rows.columns else "region": "market"})
    return rows.drop_nulls("url").with_columns(
        date=pl.col("week_end").cast(pl.Date), track_id=pl.col("url").str.split("/").list.last()
    )


@pytest.fixture(scope="module")
def viral(real_data: Path) -> tuple[Charts, Charts]:
    """Return simulated and real weekly Viral 50 charts of 63 countries."""
    rows = weekly(real_data / "viral50-weekly-2017-2020" / "viral50_weekly.parquet")
    ours = simulated(
        Simulation(
            tracks=79_000,
            markets=63,
            days=1113,
            seed=2,
            cadence="weekly",
            charts=("viral50",),
            start=date(2016, 12, 30),
        )
    )
    return ours, measured(rows.filter(~pl.col("market").is_in(["Andorra", "Liechtenstein", "Monaco"])))


@pytest.mark.slow
def test_weekly_viral_charts_are_like_real_ones(viral: tuple[Charts, Charts]) -> None:
    ours, real = viral
    for markets, tolerance in ((2, 0.12), (5, 0.04), (10, 0.03), (20, 0.015)):
        assert ours.reach(markets) == pytest.approx(real.reach(markets), abs=tolerance), markets
    assert ours.tied() == pytest.approx(real.tied(), abs=0.10)
    assert ours.missing(7) == pytest.approx(real.missing(7), abs=0.035)
    assert ours.stays() == pytest.approx(real.stays(), abs=1)
    late = [
        (charts.rows.group_by("market").agg(pl.col("date").min())["date"] > charts.rows["date"].min()).sum()
        for charts in (ours, real)
    ]
    assert late[0] == late[1] == 6


@pytest.mark.slow
def test_weekly_streams_fall_with_the_rank_as_real_ones(real_data: Path) -> None:
    real = measured(weekly(real_data / "top200-weekly-9regions-2016-2019" / "top200_weekly.parquet"))
    ours = simulated(Simulation(tracks=12_000, markets=9, days=924, seed=2, cadence="weekly", start=date(2016, 12, 24)))
    slopes = []
    for rows in (ours.rows, real.rows.rename({"Streams": "streams"})):
        logs = rows.filter(pl.col("streams") > 0).select(
            "market",
            log_streams=pl.col("streams").cast(pl.Float64).log(),
            log_rank=pl.col("rank").cast(pl.Float64).log(),
        )
        by_market = logs.group_by("market").agg(
            slope=pl.cov("log_rank", "log_streams") / pl.col("log_rank").var(),
            fit=pl.corr("log_rank", "log_streams"),
            spread=pl.col("log_streams").std(),
        )
        slopes.append(by_market)
    for column, tolerance in (("slope", 0.08), ("fit", 0.08), ("spread", 0.08)):
        medians = [float(np.median(table[column].to_numpy())) for table in slopes]
        assert medians[0] == pytest.approx(medians[1], abs=tolerance), column
    assert ours.rows.group_by("market", "date").len()["len"].max() == 200
    assert ours.stays() == pytest.approx(real.stays(), rel=0.4)
