"""How whole charts are: measured, refused without consent, and said."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

import diffusion
from diffusion import contracts
from diffusion.sources.wholeness import HOLE_PERCENT
from tests import twins
from tests.conftest import WriteCsv, kaggle_rows
from tests.random_charts import examples as so_many
from tests.random_charts import market_of, opened, padding, tied_sources
from tests.twins import Row

REAL: dict[str, dict[str, str]] = {
    "top200-weekly-9regions-2016-2019/top200_weekly.parquet": {},
    "viral50-weekly-2017-2020/viral50_weekly.parquet": {
        "market": "country",
        "title": "Track Name",
        "artist": "Artist",
        "rank": "Position",
    },
    "top10-daily-63mkt-2021/top10_daily.parquet": {"market": "country", "rank": "number", "title": "trackName"},
}
"""Real charts → their columns; one set has micro-states with charts of 1 to 40 rows."""


def days_of(charts: int, depth: int, regions: tuple[str, ...] = ("us", "se"), step: int = 1) -> list[dict[str, Any]]:
    """Return whole charts of some regions on so many dates."""
    days = range(0, charts * step, step)
    return kaggle_rows({(region, day): [f"{region}{n}" for n in range(depth)] for region in regions for day in days})


def sample(rows: list[dict[str, Any]], share: float) -> list[dict[str, Any]]:
    drawn = np.random.default_rng(5).random(len(rows)) < share
    return [row for row, there in zip(rows, drawn, strict=True) if there]


@so_many(20)
@given(rows=tied_sources())
def test_depths_and_wholeness_are_what_the_twins_say(rows: list[Row]) -> None:
    rows = rows + padding(rows)
    kept, _ = twins.chart_rows(rows, market_of)
    with opened(rows) as charts:
        engine = charts._engine
        engine.create("chart_depths")
        depths, whole = engine.kept("chart_depths"), engine.fetch("wholeness", hole_percent=HOLE_PERCENT)
    markets = [row for row in depths.to_pylist() if row["market"] != "Global"]
    assert markets == twins.chart_depths(kept)
    assert depths.schema.names == contracts.CHART_DEPTHS.names
    assert whole.to_pylist() == twins.wholeness(depths.to_pylist(), HOLE_PERCENT / 100)


@pytest.mark.parametrize("share", [0.9, 0.5, 0.1])
def test_rows_sampled_from_charts_are_refused_without_consent(write_csv: WriteCsv, share: float) -> None:
    path = write_csv(sample(days_of(60, 30), share))
    with pytest.raises(
        diffusion.DataSaysNoError, match=r"has holes: [0-9.]+ of 30 ranks .* lack rank 1, .*--accept holes"
    ):
        diffusion.open_charts(path)
    with diffusion.open_charts(path, accept=["holes"]) as charts:
        (sentence,) = charts.wholeness.said()
    assert "has holes" in sentence


def test_the_line_on_holes_has_their_numbers(write_csv: WriteCsv) -> None:
    rows = [row for row in days_of(20, 10) if row["rank"] in (3, 10) and row["date"] != "2021-01-05"]
    with pytest.raises(
        diffusion.DataSaysNoError, match=r"2\.0 of 10 ranks where there are any, 100% .* 2 of 40 are absent"
    ):
        diffusion.open_charts(write_csv(rows))


def test_charts_of_any_length_and_few_missing_ranks_are_whole(write_csv: WriteCsv) -> None:
    lengths = np.random.default_rng(2).integers(1, 40, 80)
    rows = kaggle_rows({("se", day): [f"t{n}" for n in range(length)] for day, length in enumerate(lengths)})
    rows += [row for row in days_of(80, 50, ("us",)) if row["rank"] != 20]  # 2 % of the ranks
    with diffusion.open_charts(write_csv(rows)) as charts:
        assert charts.wholeness.said() == []
        assert charts.wholeness.by_market.set_index("market")["missing"].to_dict() == {"SE": 0, "US": 80}


def test_holes_in_few_markets_are_said(write_csv: WriteCsv) -> None:
    rows = days_of(40, 20, ("us", "fi")) + sample(days_of(40, 20, ("se",)), 0.3)
    with diffusion.open_charts(write_csv(rows)) as charts:
        assert charts.wholeness.said() == ["the chart top200 has holes in SE on most dates; entries there mean little"]


def test_mixed_cadences_are_said(write_csv: WriteCsv) -> None:
    rows = days_of(42, 5, ("us", "se", "fi")) + days_of(6, 5, ("de",), step=7)
    with diffusion.open_charts(write_csv(rows)) as charts:
        (sentence,) = charts.wholeness.said()
        absent = charts.wholeness.by_market["absent"].tolist()
    assert sentence.startswith("the chart top200: DE weekly; the other 3 markets daily: an entry on")
    assert absent == [0, 0, 0, 0]


def test_tied_rows_need_consent_like_rows_set_aside_and_none_is_lost(write_csv: WriteCsv) -> None:
    rows = days_of(50, 10)
    tied = [row | {"rank": 4} if row["rank"] == 5 and row["date"] < "2021-01-11" else row for row in rows]
    path = write_csv(tied)
    with pytest.raises(diffusion.DataSaysNoError, match=r"4\.00% of the 1,000 rows .* are tied .*--accept set-aside"):
        diffusion.open_charts(path)
    with diffusion.open_charts(path, accept=["set-aside"]) as charts:
        assert (charts.account.kept, charts.account.tied, dict(charts.account.set_aside)) == (1000, 40, {})
        assert charts.wholeness.by_market["missing"].tolist() == [0, 0]


def test_the_line_on_rows_set_aside_names_each_reason_and_the_way_on(write_csv: WriteCsv) -> None:
    rows = days_of(50, 10)
    bad = [
        row | {"region": ""} if n % 20 == 0 else row | {"date": "soon"} if n % 50 == 7 else row
        for n, row in enumerate(rows)
    ]
    with pytest.raises(diffusion.DataSaysNoError) as caught:
        diffusion.open_charts(write_csv(bad))
    for words in ("50 no market, 5.0%", "20 unreadable date, 2.0%", "--market-name '=Global'", "--date-format"):
        assert words in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_charts_are_whole_and_samples_of_them_are_not(real_data: Path, tmp_path: Path, name: str) -> None:
    rows = pd.read_parquet(real_data / name)
    if "commit_time_utc" in rows:
        rows["date"] = rows["commit_time_utc"].astype(str).str[:10]
    path = tmp_path / "charts.parquet"
    rows.to_parquet(path, index=False)
    with diffusion.open_charts(path, columns=REAL[name]) as charts:
        assert charts.wholeness.said() == []
        assert charts.wholeness.by_market["with_holes"].sum() == 0
    rows.sample(frac=0.5, random_state=1).to_parquet(path, index=False)
    with pytest.raises(diffusion.DataSaysNoError, match="has holes"):
        diffusion.open_charts(path, columns=REAL[name])
